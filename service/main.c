// SPDX-License-Identifier: Apache-2.0
// godwitd: the daemon, and as subcommands everything that needs the server's state. A table of commands; each prints
// what it did, or what, why and how to mend it.
#include "service/base/file.h"
#include "service/base/log.h"
#include "service/load_command.h"
#include "service/local.h"
#include "service/policy_command.h"
#include "service/service.h"
#include "service/tell.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

typedef struct {
    const char *dir, *origin, *share, *hwm;
    const char *listen[GW_LISTEN_MAX];
    size_t listen_count;
    long release_tick, workers, children, threads, memory_mb; // -1: as configured
    char **words;                                             // what is left of the arguments
    int word_count;
} arguments;

static int usage(const char *what, const char *mend) {
    fprintf(stderr, "godwitd: %s\n  mend  %s\n  code  usage\n", what, mend);
    return GW_EXIT_USAGE;
}

// ---- arguments

enum {
    OPTION_DIR = 256,
    OPTION_ORIGIN,
    OPTION_LISTEN,
    OPTION_SHARE,
    OPTION_HWM,
    OPTION_TICK,
    OPTION_WORKERS,
    OPTION_CHILDREN,
    OPTION_THREADS,
    OPTION_MEMORY
};
static const struct option long_options[] = {
    {"dir", required_argument, NULL, OPTION_DIR},
    {"origin", required_argument, NULL, OPTION_ORIGIN},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"share", required_argument, NULL, OPTION_SHARE},
    {"hwm", required_argument, NULL, OPTION_HWM},
    {"release-tick", required_argument, NULL, OPTION_TICK},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"engine-children", required_argument, NULL, OPTION_CHILDREN},
    {"engine-threads", required_argument, NULL, OPTION_THREADS},
    {"engine-memory-mb", required_argument, NULL, OPTION_MEMORY},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *text, long *ret) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end || value < 0)
        return false;
    *ret = value;
    return true;
}

static bool read_option(int option, arguments *a) {
    switch (option) {
    case OPTION_DIR:
        a->dir = optarg;
        return true;
    case OPTION_ORIGIN:
        a->origin = optarg;
        return true;
    case OPTION_SHARE:
        a->share = optarg;
        return true;
    case OPTION_HWM:
        a->hwm = optarg;
        return true;
    case OPTION_LISTEN:
        if (a->listen_count == GW_LISTEN_MAX)
            return false;
        a->listen[a->listen_count++] = optarg;
        return true;
    case OPTION_TICK:
        return read_number(optarg, &a->release_tick);
    case OPTION_WORKERS:
        return read_number(optarg, &a->workers);
    case OPTION_CHILDREN:
        return read_number(optarg, &a->children);
    case OPTION_THREADS:
        return read_number(optarg, &a->threads);
    case OPTION_MEMORY:
        return read_number(optarg, &a->memory_mb);
    default:
        return false;
    }
}

static bool read_arguments(int argc, char **argv, arguments *ret) {
    arguments a = {.dir = ".", .release_tick = -1, .workers = -1, .children = -1, .threads = -1, .memory_mb = -1};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
        if (!read_option(option, &a))
            return false;
    a.words = argv + optind;
    a.word_count = argc - optind;
    *ret = a;
    return true;
}

static void apply_arguments(const arguments *a, gw_config *config) {
    const struct {
        long value;
        int64_t *setting;
    } numbers[] = {{a->release_tick, &config->release_tick_ms},
                   {a->workers, &config->workers},
                   {a->children, &config->engine_children},
                   {a->threads, &config->engine_threads},
                   {a->memory_mb, &config->engine_memory_mb}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value >= 0)
            *numbers[i].setting = numbers[i].value;
    if (a->share)
        snprintf(config->share, sizeof config->share, "%s", a->share);
    if (a->hwm)
        snprintf(config->hwm, sizeof config->hwm, "%s", a->hwm);
    for (size_t i = 0; i < a->listen_count; i++)
        snprintf(config->listen[i], sizeof config->listen[i], "%s", a->listen[i]);
    if (a->listen_count > 0)
        config->listen_count = a->listen_count;
}

// ---- init

// Without indicators and code lists no policy can be read: better said before there is a folder to remove.
static gw_status share_find(const char *given, char share[4096], gw_problem *problem) {
    static const char *const rooms[] = {"indicators", "codelists"};
    char path[4200], absolute[PATH_MAX];
    bool is_found = given[0] != '\0' && realpath(given, absolute) && strlen(absolute) < 4096;
    for (size_t i = 0; i < 2 && is_found; i++) {
        struct stat facts;
        snprintf(path, sizeof path, "%.4095s/%s", absolute, rooms[i]);
        is_found = stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
    }
    if (is_found) {
        snprintf(share, 4096, "%.4095s", absolute);
        return GW_OK;
    }
    gw_problem_set(problem, GW_NOT_FOUND, "no_share", "The folder with indicators and code lists is not there.",
                   "It is looked for beside the program and in $GODWIT_SHARE.",
                   "--share DIR: the folder with indicators/ and codelists/");
    if (given[0] != '\0')
        gw_problem_why(problem, "%.300s holds no indicators/ and codelists/.", given);
    return GW_NOT_FOUND;
}

static int command_init(int argc, char **argv) {
    arguments a;
    if (!read_arguments(argc, argv, &a) || !a.origin || a.word_count != 0)
        return usage("init needs a folder and the name of the service.",
                     "godwitd init --dir state --origin nso.example/godwit");
    gw_problem problem = {0};
    gw_config config;
    char share[4096];
    gw_config_default(a.dir, &config);
    gw_status status = share_find(a.share ? a.share : config.share, share, &problem);
    if (status == GW_OK)
        status = gw_folder_make(a.dir, 0700, &problem);
    char absolute[PATH_MAX];
    if (status != GW_OK || !realpath(a.dir, absolute))
        return gw_tell(status == GW_OK ? GW_IO : status, &problem);
    gw_config_default(absolute, &config);
    apply_arguments(&a, &config);
    memcpy(config.share, share, sizeof config.share);
    snprintf(config.origin, sizeof config.origin, "%s", a.origin);
    status = gw_local_init(&config, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    printf("Made %s for %s.\n"
           "  your profile  %s/profiles/admin.json (roles owner, operator)\n"
           "  next          godwitd serve --dir %s\n",
           absolute, config.origin, absolute, a.dir);
    return 0;
}

// ---- serve

static int command_serve(int argc, char **argv) {
    arguments a;
    if (!read_arguments(argc, argv, &a) || a.word_count != 0)
        return usage("serve takes a state folder.", "godwitd serve --dir state; settings: godwitd help config");
    gw_config config;
    gw_problem problem = {0};
    gw_status status = gw_config_load(a.dir, &config, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    apply_arguments(&a, &config);
    // Every thread inherits the block, so that signals come to sigtimedwait below and nowhere else.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    char engine[PATH_MAX];
    gw_load_engine_path(engine, sizeof engine);
    gw_service *service = NULL;
    gw_service_options options = {.is_serving = true, .engine_program = engine};
    status = gw_service_open(&config, &options, &service, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    for (size_t i = 0; i < config.listen_count; i++)
        gw_log(GW_LOG_INFO, "listening", "url", config.listen[i], NULL);
    const struct timespec tick = {.tv_nsec = 200000000};
    while (sigtimedwait(&signals, NULL, &tick) < 0)
        gw_service_tick(service);
    gw_log(GW_LOG_INFO, "draining", NULL);
    gw_service_close(service);
    gw_log(GW_LOG_INFO, "stopped", NULL);
    return 0;
}

// ---- help

static int command_version(int argc, char **argv) {
    (void)argc;
    (void)argv;
    printf("godwitd %s\n", GW_VERSION);
    return 0;
}

static int command_help(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "config") == 0) {
        printf("Settings in config.json (flags of serve override them for one run):\n");
        gw_config_help(stdout);
        return 0;
    }
    printf("godwitd: answers aggregate questions about a register, and never about a person.\n\n"
           "Examples\n"
           "  godwitd init --dir state --origin nso.example/godwit\n"
           "  godwitd serve --dir state\n"
           "  godwitd policy check register.policy.json\n"
           "  godwitd policy activate --dir state register.policy.json\n"
           "  godwitd load --dir state nso.example/register register.csv\n\n"
           "Commands\n"
           "  init      make a state folder: keys, log, your profile\n"
           "  serve     answer questions (SIGTERM drains)\n"
           "  policy    check FILE, diff OLD NEW, simulate FILE, activate FILE\n"
           "  load      validate a file against the policy and make it the data version\n"
           "  help      this page; help config: the settings\n"
           "  version\n"
           "  Each command tells its own options: godwitd load --help\n\n"
           "Options\n"
           "  --dir DIR             state folder (default: here)\n"
           "  --listen URL          ipc:///path or tcp://127.0.0.1:port; may be repeated\n"
           "  --share DIR           folder with indicators/ and codelists/\n"
           "  --release-tick MS     0 turns the fixed reply times off\n");
    return 0;
}

static const char help_init[] = "godwitd init --dir DIR --origin NAME [--listen URL]... [--share DIR]\n"
                                "  makes the state folder of a new service: keys, log, your profile\n\n"
                                "  --dir DIR      state folder to make (default: here)\n"
                                "  --origin NAME  name of the log and the service: nso.example/godwit\n"
                                "  --listen URL   ipc:///path or tcp://127.0.0.1:port; may be repeated\n"
                                "  --share DIR    folder with indicators/ and codelists/ (default:\n"
                                "                 $GODWIT_SHARE, or share/godwit beside the program)\n"
                                "  --hwm FILE     path of the high-water mark; another disk is better\n"
                                "  --help         this page\n"
                                "  and the settings that serve takes\n";
static const char help_serve[] = "godwitd serve [--dir DIR] [OPTION]...\n"
                                 "  answers questions until SIGTERM or SIGINT, which drain it; options go before\n"
                                 "  what config.json says (godwitd help config), for one run\n\n"
                                 "  --dir DIR              state folder (default: here)\n"
                                 "  --listen URL           ipc:///path or tcp://127.0.0.1:port; may be repeated\n"
                                 "  --share DIR            folder with indicators/ and codelists/\n"
                                 "  --hwm FILE             path of the high-water mark\n"
                                 "  --release-tick MS      0 turns the fixed reply times off\n"
                                 "  --workers N            requests worked on at once\n"
                                 "  --engine-children N    statements measured at once\n"
                                 "  --engine-threads N     threads of each statement\n"
                                 "  --engine-memory-mb MB  query memory of each child\n"
                                 "  --help                 this page\n";
typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; // NULL: the page of all commands
} command;

static const command commands[] = {
    {"init", command_init, help_init},
    {"serve", command_serve, help_serve},
    {"policy", gw_policy_command, gw_policy_help},
    {"load", gw_load_command, gw_load_help},
    {"version", command_version, NULL},
    {"help", command_help, NULL},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

// No core file and no debugger of another user may see what this process holds.
static void close_the_curtains(void) {
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static bool wants_help(int argc, char **argv) {
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int main(int argc, char **argv) {
    close_the_curtains();
    if (gw_crypto_init() != GW_OK)
        return GW_EXIT_FAILED;
    const char *word = argc > 1 ? argv[1] : "help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = "help";
    if (strcmp(word, "--version") == 0)
        word = "version";
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name;
        if (strcmp(commands[i].name, word) != 0)
            continue;
        if (commands[i].help && wants_help(argc, argv)) {
            fputs(commands[i].help, stdout);
            return 0;
        }
        return commands[i].run(argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv);
    }
    char mend[128];
    const char *nearest = gw_nearest(word, names, COMMAND_COUNT);
    snprintf(mend, sizeof mend, nearest ? "Did you mean \"%s\"?" : "godwitd help", nearest);
    return usage("There is no such command.", mend);
}
