// SPDX-License-Identifier: Apache-2.0
// Everything once, in a minute: real programs run with real arguments, shown as they would be typed, with their output.
// What is started is stopped again, unless somebody sits at the terminal who can go on with it.
#include "client/cli/ask.h"
#include "client/cli/commands.h"
#include "client/cli/demo_folder.h"
#include "client/cli/doc.h"
#include "client/cli/log_files.h"
#include "client/cli/program.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/clock.h"
#include "service/base/file.h"
#include "service/wire/receipt.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32
#define SOCKET_PATH_MAX 100u // the kernel takes 107 bytes
#define READY_TRIES 600
#define READY_PAUSE_NS 50000000L
#define STOP_TRIES 200
#define POLICY_BYTES_MAX 1048576u
#define ADMIN "state/profiles/admin.json"

GW_DEFINE_FREEP(gw_json, gw_json_free)

typedef struct {
    const char *dir, *share;
} demo_options;
static const gw_option options_of_demo[] = {
    {"dir", 0, GW_OPTION_TEXT, offsetof(demo_options, dir), "DIR",
     "the folder to make (godwit-demo); an older demo there is replaced"},
    {"share", 0, GW_OPTION_TEXT, offsetof(demo_options, share), "DIR",
     "the folder with samples, indicators and codelists"},
};

typedef struct {
    gw_cli *cli;
    char share[4096];
    char socket_folder[64]; // "" where the socket lies in the state folder
    char datasets[2][GW_NAME_MAX + 1], populations[2][GW_NAME_MAX + 1];
    pid_t daemon; // 0: not running
    sigset_t signals;
    bool is_cancelled;
} demo;

static const char *const sample_names[2] = {"register", "adult"};

// ---- running and showing

static void heading(demo *d, const char *text) {
    gw_say(d->cli, "\n# %s\n", text);
}

// Waits for the child; a signal to us ends it first, so that nothing goes on after us.
static int child_wait(demo *d, pid_t child) {
    int state;
    for (;;) {
        pid_t done = waitpid(child, &state, WNOHANG);
        if (done == child)
            return gw_program_exit_code(state);
        if (done < 0 && errno != EINTR)
            return 127;
        int signal_number = sigwaitinfo(&d->signals, NULL);
        if (signal_number == SIGINT || signal_number == SIGTERM || signal_number == SIGHUP) {
            d->is_cancelled = true;
            kill(child, SIGTERM);
        }
    }
}

static void line_say(demo *d, char *const argv[], const char *after) {
    gw_buffer line;
    int count = 0;
    gw_buffer_init(&line, 65536);
    while (argv[count] != NULL)
        count++;
    gw_command_words(count - 1, argv + 1, &line);
    gw_say(d->cli, "\n$ %s%s%s\n", argv[0], gw_buffer_string(&line), after);
    gw_ignore(fflush(d->cli->out)); // before the child writes
    gw_buffer_done(&line);
}

// Shows and runs a command whose exit code must be `expected`.
static bool show(demo *d, int expected, const char *program, ...) {
    char *argv[ARGUMENTS_MAX + 1];
    size_t count = 0;
    va_list words;
    if (d->is_cancelled)
        return false;
    va_start(words, program);
    for (const char *word = program; word != NULL && count < ARGUMENTS_MAX; word = va_arg(words, const char *))
        argv[count++] = (char *)word; // execvp takes char *, and changes none
    va_end(words);
    argv[count] = NULL;
    line_say(d, argv, "");
    pid_t child = gw_program_start(program, argv, (gw_program_streams){.out = -1});
    int code = child < 0 ? 127 : child_wait(d, child);
    if (code == expected)
        return !d->is_cancelled;
    if (!d->is_cancelled)
        gw_note(d->cli, "godwit: The demo stops here: that command ended with exit code %d, not %d.\n", code, expected);
    return false;
}

static bool tell(demo *d, const gw_problem *problem) {
    gw_ignore(gw_fail(d->cli, problem)); // the demo's own exit code is 1
    return false;
}

// ---- the daemon

static bool daemon_is_ready(demo *d) {
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    gw_client_reply reply;
    gw_problem problem;
    if (gw_profile_load(ADMIN, &session.profile, &problem) != GW_OK ||
        gw_client_open(&session.profile, &session.client, &problem) != GW_OK)
        return false;
    return gw_client_call(session.client, gw_bytes_of("{\"v\":1,\"kind\":\"ping\"}"), NULL, 1, 1000, &reply,
                          &problem) == GW_OK &&
           reply.status == GW_REPLY_OK && !d->is_cancelled;
}

static bool daemon_wait(demo *d) {
    const struct timespec pause = {0, READY_PAUSE_NS};
    int state;
    for (int i = 0; i < READY_TRIES; i++) {
        if (waitpid(d->daemon, &state, WNOHANG) == d->daemon) {
            d->daemon = 0;
            break;
        }
        if (access("state/profiles/admin.json", F_OK) == 0 && daemon_is_ready(d))
            return true;
        nanosleep(&pause, NULL);
    }
    gw_note(d->cli, "godwit: The service did not start; its log is daemon.log in this folder.\n");
    return false;
}

static bool daemon_start(demo *d) {
    char *argv[] = {(char *)"godwitd", (char *)"serve", (char *)"--dir", (char *)"state", NULL};
    char *shown[] = {(char *)"godwit", (char *)"serve", (char *)"--dir", (char *)"state", NULL};
    gw_problem problem;
    GW_CLEANUP(gw_closep) int log = open("daemon.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    line_say(d, shown, " 2> daemon.log &");
    d->daemon = log < 0 ? -1 : gw_program_start("godwitd", argv, (gw_program_streams){.out = log, .is_detached = true});
    if (d->daemon < 0) {
        d->daemon = 0;
        gw_note(d->cli, "godwit: The service can't be started: %s.\n", strerror(errno));
        return false;
    }
    if (gw_demo_folder_note(d->daemon, &problem) != GW_OK)
        return tell(d, &problem);
    return daemon_wait(d);
}

static void daemon_stop(demo *d) {
    const struct timespec pause = {0, READY_PAUSE_NS};
    int state;
    if (d->daemon == 0)
        return;
    kill(d->daemon, SIGTERM);
    for (int i = 0; i < STOP_TRIES && waitpid(d->daemon, &state, WNOHANG) == 0; i++) {
        if (i == STOP_TRIES - 1)
            kill(d->daemon, SIGKILL);
        nanosleep(&pause, NULL);
    }
    d->daemon = 0;
    if (d->socket_folder[0] != '\0')
        gw_ignore(rmdir(d->socket_folder)); // only an empty folder is left there
}

// ---- the steps

static bool share_find(demo *d, const char *named) {
    gw_problem problem;
    bool is_found = gw_program_share(named, d->share);
    char samples[4096 + 16];
    gw_ignore(snprintf(samples, sizeof(samples), "%s/samples", is_found ? d->share : "")); // it fits
    if (is_found && access(samples, R_OK) == 0)
        return true;
    gw_ignore(gw_problem_set(&problem, GW_NOT_FOUND, "share_missing",
                             "I don't find the sample policies and data.", // returns it
                             "They are in share/godwit beside the program's folder, or in policies/ of the sources.",
                             "godwit demo --share policies"));
    return tell(d, &problem);
}

static void environment_set(const demo *d) {
    unsetenv("GODWIT_PROFILE");
    unsetenv("GODWIT_PROFILES");
    setenv("GODWIT_OUTPUT", "table", 1); // as on a terminal, also where this is piped
    setenv("GODWIT_PAGER", "cat", 1);    // the demo goes on by itself
    setenv("GODWIT_SHARE", d->share, 1);
}

static bool service_make(demo *d) {
    char here[PATH_MAX], url[128];
    heading(d, "A ministry makes a service.");
    if (getcwd(here, sizeof(here)) != NULL && strlen(here) + strlen("/state/godwit.sock") <= SOCKET_PATH_MAX)
        return show(d, 0, "godwit", "init", "--dir", "state", "--origin", "demo.example/godwit", "--share", d->share,
                    NULL) &&
               daemon_start(d);
    memcpy(d->socket_folder, "/tmp/godwit-XXXXXX", sizeof("/tmp/godwit-XXXXXX"));
    if (mkdtemp(d->socket_folder) == NULL)
        return false;
    gw_ignore(snprintf(url, sizeof(url), "ipc://%s/godwit.sock", d->socket_folder)); // it fits
    return show(d, 0, "godwit", "init", "--dir", "state", "--origin", "demo.example/godwit", "--share", d->share,
                "--listen", url, NULL) &&
           daemon_start(d);
}

static bool people_enter(demo *d) {
    static const char *const roles[] = {"owner", "researcher", "auditor"};
    heading(d, "Three people make keys; the operator enters their public halves.");
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        char public[64];
        gw_ignore(snprintf(public, sizeof(public), "profiles/%s.pub", roles[i])); // it fits
        if (!show(d, 0, "godwit", "keys", "new", roles[i], "--out", "profiles", "--config", ADMIN, NULL) ||
            !show(d, 0, "godwit", "principal", "add", public, "--roles", roles[i], "--config", ADMIN, NULL))
            return false;
    }
    return true;
}

// Signing writes beside the policy, so the demo signs copies.
static bool policy_copy(demo *d, size_t index) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_problem problem;
    char from[4096 + 64], to[64];
    gw_buffer_init(&text, POLICY_BYTES_MAX);
    gw_ignore(snprintf(from, sizeof(from), "%s/samples/%s.policy.json", d->share, sample_names[index])); // it fits
    gw_ignore(snprintf(to, sizeof(to), "%s.policy.json", sample_names[index]));                          // it fits
    if (gw_file_read(from, &text, &problem) != GW_OK ||
        gw_file_replace(to, gw_buffer_bytes(&text), 0644, &problem) != GW_OK ||
        gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(from), &json, &problem) != GW_OK)
        return tell(d, &problem);
    const gw_json_node *root = gw_json_root(json);
    gw_ignore(
        snprintf(d->datasets[index], GW_NAME_MAX + 1, "%s", gw_doc_text(root, "dataset", ""))); // cut, and then unknown
    gw_ignore(snprintf(d->populations[index], GW_NAME_MAX + 1, "%s", gw_doc_text(root, "population", ""))); // as above
    gw_say(d->cli, "\n$ cp %s %s\n", from, to);
    return true;
}

static bool policies_activate(demo *d) {
    heading(d, "The owner gives the people behind the data a budget, and signs what may be asked.");
    for (size_t i = 0; i < 2; i++) {
        char file[64];
        gw_ignore(snprintf(file, sizeof(file), "%s.policy.json", sample_names[i])); // it fits
        if (!policy_copy(d, i))
            return false;
        bool is_new = i == 0 || strcmp(d->populations[0], d->populations[1]) != 0;
        if (is_new &&
            !show(d, 0, "godwit", "population", "add", d->populations[i], "--total", "20", "--config", ADMIN, NULL))
            return false;
        if (!show(d, 0, "godwit", "policy", "check", file, NULL) ||
            !show(d, 0, "godwit", "policy", "sign", file, "--as", "owner", NULL) ||
            !show(d, 0, "godwit", "policy", "activate", file, "--as", "owner", NULL))
            return false;
    }
    return true;
}

static bool data_load(demo *d) {
    char script[4096 + 64], adult[4096 + 64];
    gw_ignore(snprintf(script, sizeof(script), "%s/samples/register.sql", d->share)); // it fits
    gw_ignore(snprintf(adult, sizeof(adult), "%s/samples/adult.csv.gz", d->share));   // it fits
    heading(d, "The data: a made-up register of 200,000 residents and their moves, and the real respondents of a 1994 "
               "survey.");
    return show(d, 0, "godwit-engine", "generate", script, "register", NULL) &&
           show(d, 0, "godwit", "load", "--dir", "state", d->datasets[0], "register", NULL) &&
           show(d, 0, "godwit", "load", "--dir", "state", d->datasets[1], adult, NULL);
}

static bool researcher_asks(demo *d) {
    heading(d, "A researcher sees price and error first, then asks.");
    if (!show(d, 0, "godwit", "cost", "register", "employment_rate", "--by", "c_birth,sex", "--target-error", "3",
              "--group-size", "1500", "--as", "researcher", NULL) ||
        !show(d, 0, "godwit", "query", "register", "employment_rate", "--by", "c_birth,sex", "--epsilon", "0.05",
              "--max-cost", "0.05", "--as", "researcher", NULL))
        return false;
    heading(d, "Moves, not people: a person may cross the border often, and three crossings of each count.");
    if (!show(d, 0, "godwit", "query", "register", "net_migration", "--epsilon", "0.1", "--max-cost", "0.1", "--as",
              "researcher", NULL))
        return false;
    heading(d, "The same on real people, weighted as the survey says: hours worked in a week.");
    if (!show(d, 0, "godwit", "query", "adult", "mean_weekly_hours", "--by", "c_birth,sex", "--epsilon", "0.1",
              "--max-cost", "0.1", "--as", "researcher", NULL))
        return false;
    heading(d, "The same question again costs nothing and gives the same answer.");
    if (!show(d, 0, "godwit", "query", "register", "employment_rate", "--by", "c_birth,sex", "--epsilon", "0.05",
              "--max-cost", "0.05", "--as", "researcher", NULL))
        return false;
    heading(d, "A question that asks for too much is refused, and costs nothing.");
    return show(d, GW_EXIT_BUDGET, "godwit", "query", "register", "employment_rate", "--by", "c_birth,sex", "--epsilon",
                "5", "--max-cost", "5", "--as", "researcher", NULL);
}

// The tree that a receipt was signed in: what the checkpoint in it has on its second line. 0 where there is none.
static uint64_t receipt_size(const char *path) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    GW_CLEANUP(gw_buffer_done) gw_buffer scratch;
    gw_receipt receipt;
    gw_problem problem;
    char note[256];
    gw_buffer_init(&text, 4 * GW_RECEIPT_MAX);
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    if (gw_file_read(path, &text, &problem) != GW_OK ||
        gw_receipt_decode(gw_buffer_bytes(&text), &scratch, &receipt, &problem) != GW_OK)
        return 0;
    size_t size = receipt.checkpoint.size < sizeof(note) ? receipt.checkpoint.size : sizeof(note) - 1;
    gw_ignore(snprintf(note, sizeof(note), "%.*s", (int)size, (const char *)receipt.checkpoint.data)); // it fits
    const char *line = strchr(note, '\n');
    return line == NULL ? 0 : strtoull(line + 1, NULL, 10);
}

// Receipts come from the service's memory, the log's files a moment later: the auditor shall see what was asked.
static void log_wait(uint64_t size) {
    const struct timespec pause = {0, READY_PAUSE_NS};
    uint64_t published;
    gw_problem problem;
    for (int i = 0; i < STOP_TRIES; i++) {
        if (gw_log_files_size("state/log", &published, &problem) == GW_OK && published >= size)
            return;
        nanosleep(&pause, NULL);
    }
}

static bool audit_show(demo *d, const glob_t *receipts) {
    heading(d, "An auditor needs the log's files and a key, and trusts nobody: every entry is hashed again, every "
               "balance counted again.");
    if (receipts->gl_pathc > 0)
        log_wait(receipt_size(receipts->gl_pathv[receipts->gl_pathc - 1]));
    bool is_sound = show(d, 0, "godwit", "audit", "verify", "--log", "state/log", "--save", "kept.checkpoint", "--as",
                         "auditor", NULL);
    if (!is_sound || receipts->gl_pathc == 0)
        return is_sound;
    heading(d, "One answer's receipt proves that it was charged before it left; and the researcher was shown this very "
               "log.");
    return show(d, 0, "godwit", "audit", "receipt", receipts->gl_pathv[0], "--log", "state/log", "--as", "auditor",
                NULL) &&
           show(d, 0, "godwit", "audit", "compare", "profiles/researcher.json.seen", "state/log", "--as", "auditor",
                NULL);
}

static bool others_look(demo *d) {
    glob_t receipts = {0};
    heading(d, "The owner sees what is spent.");
    if (!show(d, 0, "godwit", "budget", "register", "--as", "owner", NULL))
        return false;
    bool is_found = glob("GW-*.tlog-proof", 0, NULL, &receipts) == 0;
    bool is_shown = audit_show(d, &receipts);
    if (is_found)
        globfree(&receipts);
    return is_shown;
}

static bool steps_run(demo *d) {
    return service_make(d) && people_enter(d) && policies_activate(d) && data_load(d) && researcher_asks(d) &&
           others_look(d);
}

// The shell finds "godwit" as this program was found, or must be told where it lies.
static void path_say(demo *d) {
    char program[4096];
    const char *path = getenv("PATH");
    gw_program_find("godwit", program);
    char *slash = strrchr(program, '/');
    if (slash == NULL)
        return; // found on the PATH
    *slash = '\0';
    const char *found = path == NULL ? NULL : strstr(path, program);
    size_t size = strlen(program);
    if (found == NULL || (found != path && found[-1] != ':') || (found[size] != '\0' && found[size] != ':'))
        gw_say(d->cli, "  export PATH=%s:$PATH\n", program);
}

static void go_on_say(demo *d, const char *folder) {
    gw_say(d->cli, "\nThe service goes on. Try:\n  cd %s\n", folder);
    path_say(d);
    gw_say(d->cli,
           "  godwit catalogue register --as researcher\n"
           "  godwit query register population_count --by sex --epsilon 0.02 --as researcher\n"
           "  godwit history --as researcher\n"
           "Stop it with:  kill %ld\n",
           (long)d->daemon);
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    const demo_options *options = state;
    const char *folder = options->dir == NULL ? "godwit-demo" : options->dir;
    GW_CLEANUP(gw_freep) demo *d = calloc(1, sizeof(*d));
    gw_problem problem;
    gw_clock clock = gw_clock_system();
    int64_t start = clock.boot_ms(clock.state);
    GW_ASSERT(d != NULL);
    d->cli = cli;
    if (!share_find(d, options->share))
        return GW_EXIT_FAILED;
    if (gw_demo_folder_enter(folder, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    environment_set(d);
    // Taken by child_wait: whatever ends this program ends what it started first.
    sigemptyset(&d->signals);
    sigaddset(&d->signals, SIGINT);
    sigaddset(&d->signals, SIGTERM);
    sigaddset(&d->signals, SIGHUP);
    sigaddset(&d->signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &d->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    gw_say(cli, "Godwit in a minute: what follows are real commands and their output, in %s.\n", folder);
    bool is_done = steps_run(d);
    if (is_done)
        gw_say(cli, "\nDone in %.0f seconds. Everything is in %s.\n",
               (double)(clock.boot_ms(clock.state) - start) / 1000, folder);
    if (is_done && cli->in_is_terminal) {
        go_on_say(d, folder);
        return GW_EXIT_DONE;
    }
    daemon_stop(d);
    if (d->is_cancelled)
        return GW_EXIT_CANCELLED;
    if (is_done && d->socket_folder[0] == '\0')
        gw_say(cli, "The service is stopped. godwit serve --dir %s/state starts it again.\n", folder);
    return is_done ? GW_EXIT_DONE : GW_EXIT_FAILED;
}

const gw_command gw_command_demo = {
    .name = "demo",
    .group = "Start",
    .arguments = "[--dir DIR] [--share DIR]",
    .summary = "see everything in one minute: a service, data, questions, receipts, an audit",
    .examples = "godwit demo\ngodwit demo --dir /tmp/godwit-demo\n",
    GW_OPTIONS(options_of_demo),
    .options_size = sizeof(demo_options),
    .run = run,
};
