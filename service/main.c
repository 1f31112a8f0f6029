// SPDX-License-Identifier: Apache-2.0
// godwitd: the daemon, and as subcommands everything that needs the server's state. A table of commands; each prints
// what it did, or what, why and how to mend it.
#include "service/arguments.h"
#include "service/backup_command.h"
#include "service/base/file.h"
#include "service/config_command.h"
#include "service/doctor.h"
#include "service/incident_command.h"
#include "service/keyrot_command.h"
#include "service/load_command.h"
#include "service/local.h"
#include "service/policy_command.h"
#include "service/rebuild_command.h"
#include "service/republish_command.h"
#include "service/restore_command.h"
#include "service/serve_command.h"
#include "service/service.h"
#include "service/tell.h"
#include "service/witnesses_command.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKAGED_STATE "/var/lib/godwit"
#define PROFILE_HERE "godwit.json" // where every command looks first

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
    gw_arguments a;
    if (!gw_arguments_read(argc, argv, &a) || !a.origin || a.word_count != 0)
        return gw_usage("init needs the name of the service: your office's domain, and a word.",
                        "godwitd init --here --origin nso.example/godwit   (or --dir STATE instead of --here)");
    gw_problem problem = {0};
    gw_config config;
    char share[4096], witnesses[4096] = "";
    if (a.is_here && strcmp(a.dir, ".") == 0) // not named
        a.dir = "state";
    if (a.is_here && access(PROFILE_HERE, F_OK) == 0) {
        gw_problem_set(&problem, GW_CONFLICT, "file_exists", "This folder has a " PROFILE_HERE " already.",
                       "It says who you are and whom you ask; it is never written over.",
                       "Go to another folder, or leave --here out.");
        return gw_tell(GW_CONFLICT, &problem);
    }
    gw_config_default(a.dir, &config);
    gw_status status = share_find(a.share ? a.share : config.share, share, &problem);
    if (status == GW_OK && a.witnesses) // before there is a folder to remove
        status = gw_witnesses_path(a.witnesses, witnesses, &problem);
    if (status == GW_OK)
        status = gw_folder_make(a.dir, 0700, &problem);
    char absolute[PATH_MAX];
    if (status != GW_OK || !realpath(a.dir, absolute))
        return gw_tell(status == GW_OK ? GW_IO : status, &problem);
    gw_config_default(absolute, &config);
    status = gw_arguments_apply(&a, &config, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    memcpy(config.witnesses, witnesses, sizeof config.witnesses);
    memcpy(config.share, share, sizeof config.share);
    snprintf(config.origin, sizeof config.origin, "%s", a.origin);
    status = gw_local_init(&config, &problem);
    if (status == GW_OK && a.is_here)
        status = gw_local_profile_at(&config, PROFILE_HERE, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    bool is_packaged = strcmp(absolute, PACKAGED_STATE) == 0; // the unit serves it
    printf("Made %s for %s.\n"
           "  your profile  %s/profiles/admin.json (roles owner, operator)\n"
           "%s"
           "  next          %s%s%s\n"
           "                godwit policy new YOUR.csv\n",
           absolute, config.origin, absolute,
           a.is_here ? "  " PROFILE_HERE "   what you type in this folder is asked as that profile\n" : "",
           is_packaged ? "sudo systemctl start godwit" : "godwit serve --dir ", is_packaged ? "" : a.dir,
           is_packaged ? "" : " 2> daemon.log &");
    return 0;
}

// ---- help

static int command_version(int argc, char **argv) {
    (void)argc;
    (void)argv;
    printf("godwitd %s\n", GW_VERSION);
    return 0;
}

static int help_settings(void) {
    printf("Settings in config.json (flags of serve override them for one run):\n");
    gw_config_help(stdout);
    return 0;
}

static int command_help(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "config") == 0)
        return help_settings();
    printf("godwitd: answers aggregate questions about a register, and never about a person.\n\n"
           "Examples\n"
           "  godwitd init --dir state --origin nso.example/godwit\n"
           "  godwitd serve --dir state\n"
           "  godwitd policy check register.policy.json\n"
           "  godwitd policy activate --dir state register.policy.json\n"
           "  godwitd load --dir state nso.example/register register.csv\n\n"
           "Commands\n"
           "  init      make a state folder: keys, log, your profile\n"
           "  serve     answer questions (SIGTERM drains, SIGHUP reloads)\n"
           "  reload    have the running daemon read settings and indicators again\n"
           "  policy    check FILE, diff OLD NEW, simulate FILE, activate FILE\n"
           "  witnesses FILE: who cosigns the log from now on; without one: who does\n"
           "  load      validate a file against the policy and make it the data version\n"
           "  incident  CODE: says in the log that something went wrong with the service\n"
           "  config    show [--origin]: the settings and where each is from; check\n"
           "  keyrot    give the log another key; --finish retires the old one\n"
           "  backup    copy the ledger and all that is public, beside a running daemon\n"
           "  restore   the way back after a lost or an old ledger; two sign what is gone\n"
           "  republish write the public files anew from the ledger\n"
           "  rebuild   a ledger's database from public files alone\n"
           "  doctor    look the state folder over: OK, WARN or FAIL, line by line\n"
           "  help      this page; help COMMAND: its options; help config: the settings\n"
           "  version\n\n"
           "Options\n"
           "  --dir DIR             state folder (default: here, or ./state)\n"
           "  --listen URL          ipc:///path or tcp://127.0.0.1:port; may be repeated\n"
           "  --share DIR           folder with indicators/ and codelists/\n"
           "  --release-tick MS     0 turns the fixed reply times off\n");
    return 0;
}

static const char help_init[] = "godwitd init (--here | --dir DIR) --origin NAME [--listen URL]...\n"
                                "  makes the state folder of a new service: keys, log, your profile\n\n"
                                "  --dir DIR      state folder to make (default: here)\n"
                                "  --here         for one office on one machine: the state folder is ./state,\n"
                                "                 and ./godwit.json makes commands typed here yours\n"
                                "  --origin NAME  name of the log and the service: nso.example/godwit\n"
                                "  --listen URL   ipc:///path or tcp://127.0.0.1:port; may be repeated\n"
                                "  --share DIR    folder with indicators/ and codelists/ (default:\n"
                                "                 $GODWIT_SHARE, or share/godwit beside the program)\n"
                                "  --hwm FILE     path of the high-water mark; another disk is better\n"
                                "  --signer PATH  socket of a godwit-signer of its own, which holds the log's key\n"
                                "  --witnesses FILE  who cosigns the log, and their quorum (C2SP tlog-policy)\n"
                                "  --help         this page\n"
                                "  and the settings that serve takes\n";
typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; // NULL: the page of all commands
} command;

static const command commands[] = {
    {"init", command_init, help_init},
    {"serve", gw_serve_command, gw_serve_help},
    {"reload", gw_reload_command, gw_reload_help},
    {"config", gw_config_command, gw_config_help_text},
    {"doctor", gw_doctor_command, gw_doctor_help},
    {"keyrot", gw_keyrot_command, gw_keyrot_help},
    {"policy", gw_policy_command, gw_policy_help},
    {"witnesses", gw_witnesses_command, gw_witnesses_help},
    {"load", gw_load_command, gw_load_help},
    {"incident", gw_incident_command, gw_incident_help},
    {"backup", gw_backup_command, gw_backup_help},
    {"restore", gw_restore_command, gw_restore_help},
    {"republish", gw_republish_command, gw_republish_help},
    {"rebuild", gw_rebuild_command, gw_rebuild_help},
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

static const command *command_find(const char *word) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, word) == 0)
            return &commands[i];
    return NULL;
}

static int unknown_command(const char *word) {
    const char *names[COMMAND_COUNT];
    char mend[128];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *nearest = gw_nearest(word, names, COMMAND_COUNT);
    snprintf(mend, sizeof mend, nearest ? "Did you mean \"%s\"?" : "godwitd help", nearest);
    return gw_usage("There is no such command.", mend);
}

static int help_of(const char *word) {
    const command *found = command_find(word);
    if (!found)
        return unknown_command(word);
    if (!found->help)
        return command_help(1, NULL);
    fputs(found->help, stdout);
    return 0;
}

int main(int argc, char **argv) {
    close_the_curtains();
    if (gw_crypto_init() != GW_OK)
        return GW_EXIT_FAILED;
    const char *word = argc > 1 ? argv[1] : "help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = "help";
    if (strcmp(word, "help") == 0 && argc == 3 && strcmp(argv[2], "config") != 0) // its own page, as with --help
        return help_of(argv[2]);
    if (strcmp(word, "--version") == 0)
        word = "version";
    if (strcmp(argv[argc - 1], "--help-config") == 0)
        return help_settings();
    const command *found = command_find(word);
    if (!found)
        return unknown_command(word);
    if (found->help && wants_help(argc, argv))
        return help_of(word);
    return found->run(argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv);
}
