// SPDX-License-Identifier: Apache-2.0
// Two runs: the first says what was lost and writes it down, the second, with two signatures beside it, does it.
#include "service/restore_command.h"

#include "service/arguments.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/clock.h"
#include "service/recovery/restore.h"
#include "service/service.h"
#include "service/store/durable.h"
#include "service/tell.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4300

const char gw_restore_help[] = "godwitd restore [--dir DIR] [--backup FOLDER] [--log FOLDER]... [--seen FILE]...\n"
                               "                [--lost N]\n"
                               "  the way back after a ledger was lost, damaged or set back. It takes the backup,\n"
                               "  or the ledger that is there, plays the entries of published logs after it, and\n"
                               "  counts entries that are known to have followed and are gone as spent: each as\n"
                               "  a question of the highest price. Two owners or operators sign that:\n"
                               "  run it, have restore.json signed (godwit sign), run it again.\n\n"
                               "  --dir DIR        state folder (default: here, or ./state); no daemon may run\n"
                               "  --backup FOLDER  what godwitd backup made\n"
                               "                   After a lost disk make the state folder first, with config.json\n"
                               "                   of the backup, and put keys/ and profiles/ back into it\n"
                               "  --log FOLDER     a published log; all there are: mirrors, auditors' copies\n"
                               "  --seen FILE      a newer checkpoint that somebody saved; a receipt will do\n"
                               "  --lost N         at least so many entries are gone, where that is known\n"
                               "  --help           this page\n"
                               "  exit code 8: it waits for signatures\n";

typedef struct {
    const char *dir;
    restore_options options;
} arguments;

static bool read_count(const char *text, uint64_t *ret) {
    char *end;
    *ret = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *ret < UINT64_C(1) << 53;
}

static bool read_option(int option, arguments *a) {
    restore_options *o = &a->options;
    switch (option) {
    case 'd':
        a->dir = optarg;
        return true;
    case 'b':
        o->backup = optarg;
        return true;
    case 'l':
        return o->log_count < RESTORE_FILES_MAX && (o->logs[o->log_count++] = optarg) != NULL;
    case 's':
        return o->seen_count < RESTORE_FILES_MAX && (o->seen[o->seen_count++] = optarg) != NULL;
    case 'n':
        o->has_lost = true;
        return read_count(optarg, &o->lost);
    default:
        return false;
    }
}

static bool read_arguments(int argc, char **argv, arguments *a) {
    static const struct option long_options[] = {
        {"dir", required_argument, NULL, 'd'},  {"backup", required_argument, NULL, 'b'},
        {"log", required_argument, NULL, 'l'},  {"seen", required_argument, NULL, 's'},
        {"lost", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
        if (!read_option(option, a))
            return false;
    return optind == argc;
}

// ---- what is said

typedef unsigned long long wide; // for printf

static void lost_print(const restore_report *report) {
    const statement *told = &report->told;
    printf("Recovered  %llu entries of %s (%llu from ledger or backup)\n", (wide)told->from, told->origin,
           (wide)report->started_with);
    if (told->lost == 0)
        printf("Lost       nothing that is known of\n");
    else
        printf("Lost       %llu entries that followed%s%s:\n"
               "           they count as spent, each as a question of the highest price, of\n"
               "           every dataset, its people, every asker and this window\n",
               (wide)told->lost, report->known[0] ? ", says " : "", report->known);
    if (report->answers_lost > 0)
        printf("Answers    %llu came back as hashes alone: not given again, nor drawn again\n",
               (wide)report->answers_lost);
}

static int waits(const gw_config *config, const restore_report *report) {
    lost_print(report);
    printf("Statement  %s/" RESTORE_STATEMENT "%s\n"
           "Signed by  %zu of 2\n"
           "  next  two different owners or operators sign it, if no policy and no people's\n"
           "        budget was changed by what is lost:\n"
           "        godwit sign %s/" RESTORE_STATEMENT " --as NAME\n"
           "  then  the same command again\n",
           config->folder, report->is_statement_new ? " (new: earlier signatures are void)" : "", report->signers.count,
           config->folder);
    return GW_EXIT_PARTIAL;
}

static void done_print(const gw_config *config, const restore_report *report) {
    const statement *told = &report->told;
    char kept[PATH_BYTES];
    lost_print(report);
    printf("Restored   entry %llu of the log says so, signed by %s\n"
           "           and %s\n",
           (wide)told->from, report->signers.ids[0], report->signers.ids[1]);
    snprintf(kept, sizeof kept, "%.4096s/godwit.db.before-%llu", config->folder, (wide)told->from);
    if (access(kept, F_OK) == 0)
        printf("Kept       %s: what was there before\n", kept);
    if (told->lost > 0)
        printf("Witnesses  refuse this log until each one's own operator has looked and runs\n"
               "           godwit-witness reset --yes %s\n"
               "           Until then it does not start. For them to look at, and for auditors:\n"
               "           godwitd republish --dir %s --to PUBLIC\n"
               "Clients    that saw more than %llu entries say that the log was restored: entry %llu\n"
               "           explains it, and they forget it by removing their .seen file\n",
               told->origin, config->folder, (wide)told->from, (wide)told->from);
    printf("  next  godwit serve --dir %s\n", config->folder);
}

// ---- the work

static void options_of(const gw_config *config, char hwm[PATH_BYTES], restore_options *options) {
    gw_clock clock = gw_clock_system();
    snprintf(hwm, PATH_BYTES, "%.4096s%s", config->hwm[0] ? config->hwm : config->folder, config->hwm[0] ? "" : "/hwm");
    options->state_folder = config->folder;
    options->hwm_path = hwm;
    options->origin = config->origin;
    options->signer = config->signer;
    options->now = clock.unix_seconds(clock.state);
}

static gw_status lock_take(const gw_config *config, int *ret_lock, gw_problem *problem) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%.4096s/lock", config->folder);
    return gw_durable_lock(path, ret_lock, problem);
}

gw_status gw_restore_resume(const gw_config *config, gw_problem *ret_problem) {
    GW_CLEANUP(gw_closep) int lock = -1;
    char path[PATH_BYTES], hwm[PATH_BYTES];
    restore_options options = {0};
    gw_problem locked = {0};
    snprintf(path, sizeof path, "%.4096s/" RESTORE_STATEMENT, config->folder);
    if (access(path, F_OK) != 0 || lock_take(config, &lock, &locked) != GW_OK)
        return GW_OK;
    options_of(config, hwm, &options);
    return gw_restore_finish(&options, ret_problem);
}

// Opening the ledger signs its tree, closing publishes it. What fails here is told again by the next start.
static void publish(const gw_config *config) {
    gw_service *service = NULL;
    gw_service_options options = {.is_serving = false};
    gw_problem problem = {0};
    gw_status status = gw_service_open(config, &options, &service, &problem);
    if (status == GW_OK)
        gw_service_close(service);
    else
        gw_ignore(gw_tell(status, &problem)); // the restore stands all the same
}

int gw_restore_command(int argc, char **argv) {
    arguments a = {.dir = gw_config_folder()};
    gw_problem problem = {0};
    gw_config config;
    char hwm[PATH_BYTES];
    restore_report report;
    if (!read_arguments(argc, argv, &a))
        return gw_usage("restore takes folders and files.", "godwitd restore --dir state --backup FOLDER --log FOLDER");
    gw_status status = gw_config_load(a.dir, &config, &problem);
    if (strcmp(problem.code, "no_state") == 0) // what init would make is another service's, with its budgets unspent
        gw_problem_mend(&problem,
                        "mkdir -m 700 %s; then put config.json into it, from the backup, and keys/ and profiles/, from "
                        "where they are kept (or all from a backup --with-keys)",
                        a.dir);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    options_of(&config, hwm, &a.options);
    {
        GW_CLEANUP(gw_closep) int lock = -1;
        status = lock_take(&config, &lock, &problem);
        if (status == GW_OK)
            status = gw_restore(&a.options, &report, &problem);
    }
    if (status != GW_OK)
        return gw_tell(status, &problem);
    if (!report.is_complete)
        return waits(&config, &report);
    publish(&config);
    done_print(&config, &report);
    return 0;
}
