// SPDX-License-Identifier: Apache-2.0
// godwit-witness: vouches for other people's logs. A table of commands on one folder.
#include "service/base/crypto.h"
#include "service/base/log.h"
#include "service/witness/serve.h"
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#define EXIT_USAGE 2
#define EXIT_REFUSED 3
#define EXIT_TAMPERED 6
#define EXIT_FAILED 1

typedef struct {
    const char *dir, *name, *listen, *prefix;
    bool is_sure;
    char **words;
    int word_count;
} arguments;

static int tell(gw_status status, const gw_problem *problem) {
    fprintf(stderr, "godwit-witness: %s\n", problem->what[0] != '\0' ? problem->what : "It did not work.");
    if (problem->why[0] != '\0')
        fprintf(stderr, "  why   %s\n", problem->why);
    if (problem->mend[0] != '\0')
        fprintf(stderr, "  mend  %s\n", problem->mend);
    fprintf(stderr, "  code  %s\n", problem->code[0] != '\0' ? problem->code : gw_status_name(status));
    switch (status) {
    case GW_INVALID:
    case GW_NOT_FOUND:
    case GW_CONFLICT:
    case GW_LIMIT:
    case GW_DENIED:
        return EXIT_REFUSED;
    case GW_CORRUPT:
        return EXIT_TAMPERED;
    case GW_OK:
    case GW_UNAUTHENTICATED:
    case GW_BUDGET:
    case GW_BUSY:
    case GW_RETRY:
    case GW_IO:
    case GW_UNAVAILABLE:
    case GW_NO_MEMORY:
    case GW_INTERNAL:
        return EXIT_FAILED;
    }
    return EXIT_FAILED;
}

static int usage(const char *what, const char *mend) {
    fprintf(stderr, "godwit-witness: %s\n  mend  %s\n  code  usage\n", what, mend);
    return EXIT_USAGE;
}

// ---- commands

static int command_init(const arguments *a) {
    gw_problem problem = {0};
    if (a->name == NULL || a->word_count != 0)
        return usage("init needs a name for the witness.",
                     "godwit-witness init --dir DIR --name witness.nso.example/w1");
    gw_status status = gw_witness_init(a->dir, a->name, &problem);
    if (status != GW_OK)
        return tell(status, &problem);
    gw_witness *witness = NULL;
    status = gw_witness_open(a->dir, gw_clock_system(), &witness, &problem);
    if (status != GW_OK)
        return tell(status, &problem);
    gw_note_key key;
    char vkey[GW_VKEY_MAX];
    gw_witness_key(witness, &key);
    gw_note_key_format(&key, vkey);
    printf("Made %s.\n"
           "  its key  %s\n"
           "           for the logs' operators and for auditors\n"
           "  next     godwit-witness add-log --dir %s VKEY   a log's key, from its operator\n"
           "           godwit-witness serve --dir %s\n",
           a->dir, vkey, a->dir, a->dir);
    gw_witness_close(witness);
    return 0;
}

static int with_witness(const arguments *a, int (*call)(const arguments *a, gw_witness *witness)) {
    gw_problem problem = {0};
    gw_witness *witness = NULL;
    gw_status status = gw_witness_open(a->dir, gw_clock_system(), &witness, &problem);
    if (status != GW_OK)
        return tell(status, &problem);
    int code = call(a, witness);
    gw_witness_close(witness);
    return code;
}

static int command_vkey(const arguments *a, gw_witness *witness) {
    gw_note_key key;
    char vkey[GW_VKEY_MAX];
    if (a->word_count != 0)
        return usage("vkey takes no further words.", "godwit-witness vkey --dir DIR");
    gw_witness_key(witness, &key);
    gw_note_key_format(&key, vkey);
    printf("%s\n", vkey);
    return 0;
}

static int command_add_log(const arguments *a, gw_witness *witness) {
    gw_problem problem = {0};
    if (a->word_count != 1)
        return usage("add-log needs the log's verifier key.", "godwit-witness add-log --dir DIR VKEY");
    gw_status status = gw_witness_add_log(witness, a->words[0], &problem);
    if (status != GW_OK)
        return tell(status, &problem);
    printf("From now on checkpoints of %.*s are cosigned\n"
           "when they continue what was seen.\n",
           (int)strcspn(a->words[0], "+"), a->words[0]);
    return 0;
}

static void print_log(void *state, const gw_witness_log *log) {
    size_t *count = state;
    char when[32] = "never", id[GW_HASH_HEX];
    time_t time = (time_t)log->time;
    struct tm parts;
    ++*count;
    if (log->time > 0 && gmtime_r(&time, &parts) != NULL)
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts);
    gw_hex((gw_bytes){log->id.bytes, GW_HASH_SIZE}, id);
    printf("%s\n  entries %llu, cosigned %s\n  logs/%s/checkpoint\n", log->origin, (unsigned long long)log->size, when,
           id);
    if (log->has_refused)
        printf("  REFUSED  the log signed a tree that does not continue this one: logs/%s/refused\n", id);
}

static int command_ls(const arguments *a, gw_witness *witness) {
    gw_problem problem = {0};
    size_t count = 0;
    if (a->word_count != 0)
        return usage("ls takes no further words.", "godwit-witness ls --dir DIR");
    gw_status status = gw_witness_logs(witness, print_log, &count, &problem);
    if (status != GW_OK)
        return tell(status, &problem);
    if (count == 0)
        printf("No log is known yet: godwit-witness add-log --dir %s VKEY\n", a->dir);
    return 0;
}

static int command_reset(const arguments *a, gw_witness *witness) {
    gw_problem problem = {0};
    if (a->word_count != 1)
        return usage("reset needs the log's origin.", "godwit-witness reset --dir DIR --yes nso.example/godwit");
    if (!a->is_sure) {
        fprintf(stderr,
                "godwit-witness: This forgets what was seen of %s.\n"
                "  why   Its next checkpoint will be cosigned whatever it is. Only a log that was\n"
                "        restored, and says so by an entry that two people signed, needs this; else\n"
                "        what you are about to forget is the proof that the log was rewritten.\n"
                "  mend  Look first, with its operator's published log (for ID see godwit-witness ls):\n"
                "        godwit audit verify --log LOG --log-key VKEY --since logs/ID/checkpoint\n"
                "        Then again with --yes\n"
                "  code  not_confirmed\n",
                a->words[0]);
        return EXIT_REFUSED;
    }
    gw_status status = gw_witness_reset(witness, a->words[0], &problem);
    if (status != GW_OK)
        return tell(status, &problem);
    printf("Forgot what was seen of %s.\n"
           "The old checkpoint is kept beside it as checkpoint.before-reset.\n",
           a->words[0]);
    return 0;
}

static int command_serve(const arguments *a, gw_witness *witness) {
    gw_problem problem = {0};
    if (a->word_count != 0)
        return usage("serve takes no further words.", "godwit-witness serve --dir DIR --listen 127.0.0.1:4712");
    size_t count = 0; // what was seen must be readable before anybody is told anything
    gw_status status = gw_witness_logs(witness, print_log, &count, &problem);
    if (status != GW_OK)
        return tell(status, &problem);
    fflush(stdout);
    // Every thread inherits the block, so that signals come to sigwait and nowhere else.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    gw_witness_server_options options = {.witness = witness, .listen = a->listen, .prefix = a->prefix};
    gw_witness_server *server = NULL;
    status = gw_witness_server_start(&options, &server, &problem);
    if (status != GW_OK)
        return tell(status, &problem);
    char port[16];
    snprintf(port, sizeof(port), "%u", gw_witness_server_port(server));
    gw_log(GW_LOG_INFO, "listening", "address", a->listen, "port", port, NULL);
    int number = 0;
    sigwait(&signals, &number);
    gw_witness_server_stop(server);
    gw_log(GW_LOG_INFO, "stopped", NULL);
    return 0;
}

static const char help[] = "godwit-witness: vouches for the logs of others, so that none is rewritten unseen.\n\n"
                           "Commands\n"
                           "  init --name NAME    make the witness's folder and key\n"
                           "  add-log VKEY        cosign this log's checkpoints from now on\n"
                           "  serve               answer logs and monitors over HTTP (SIGTERM ends it)\n"
                           "  ls                  the logs, how far each was seen, and when\n"
                           "  vkey                the witness's own verifier key, for policies\n"
                           "  reset ORIGIN        forget what was seen of a log that was restored, with --yes\n"
                           "  help, version\n\n"
                           "Options\n"
                           "  --dir DIR           the witness's folder (default: here)\n"
                           "  --listen ADDRESS    127.0.0.1:4712 (default) or [::1]:4712\n"
                           "  --prefix PATH       in front of /add-checkpoint (default: /)\n"
                           "  --yes               reset: I have compared, forget it\n";

static int command_help(const arguments *a) {
    (void)a;
    fputs(help, stdout);
    return 0;
}

static int command_version(const arguments *a) {
    (void)a;
    printf("godwit-witness %s\n", GW_VERSION);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const arguments *a);
    int (*run_on)(const arguments *a, gw_witness *witness);
} commands[] = {
    {"init", command_init, NULL},       {"add-log", NULL, command_add_log}, {"serve", NULL, command_serve},
    {"ls", NULL, command_ls},           {"vkey", NULL, command_vkey},       {"reset", NULL, command_reset},
    {"version", command_version, NULL}, {"help", command_help, NULL},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

enum { OPTION_DIR = 256, OPTION_NAME, OPTION_LISTEN, OPTION_PREFIX, OPTION_YES, OPTION_HELP, OPTION_VERSION };
static const struct option options[] = {
    {"dir", required_argument, NULL, OPTION_DIR},
    {"name", required_argument, NULL, OPTION_NAME},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"prefix", required_argument, NULL, OPTION_PREFIX},
    {"yes", no_argument, NULL, OPTION_YES},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static bool arguments_read(int argc, char **argv, arguments *a, const char **ret_word) {
    *a = (arguments){.dir = ".", .listen = "127.0.0.1:4712", .prefix = "/"};
    *ret_word = NULL;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        switch (option) {
        case OPTION_DIR:
            a->dir = optarg;
            break;
        case OPTION_NAME:
            a->name = optarg;
            break;
        case OPTION_LISTEN:
            a->listen = optarg;
            break;
        case OPTION_PREFIX:
            a->prefix = optarg;
            break;
        case OPTION_YES:
            a->is_sure = true;
            break;
        case OPTION_HELP:
        case 'h':
            *ret_word = "help";
            return true;
        case OPTION_VERSION:
            *ret_word = "version";
            return true;
        default:
            return false;
        }
    *ret_word = optind < argc ? argv[optind] : "help";
    a->words = argv + (optind < argc ? optind + 1 : optind);
    a->word_count = argc - optind - (optind < argc);
    return true;
}

int main(int argc, char **argv) {
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none); // no core file may hold the key
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    arguments a;
    const char *word, *names[COMMAND_COUNT];
    if (gw_crypto_init() != GW_OK)
        return EXIT_FAILED;
    if (!arguments_read(argc, argv, &a, &word))
        return usage("An option is unknown or misses its value.", "godwit-witness help");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name;
        if (strcmp(commands[i].name, word) == 0)
            return commands[i].run != NULL ? commands[i].run(&a) : with_witness(&a, commands[i].run_on);
    }
    char mend[128];
    const char *nearest = gw_nearest(word, names, COMMAND_COUNT);
    snprintf(mend, sizeof(mend), nearest != NULL ? "Did you mean \"%s\"?" : "godwit-witness help", nearest);
    return usage("There is no such command.", mend);
}
