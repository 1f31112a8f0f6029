// SPDX-License-Identifier: Apache-2.0
// Public files in, a database out; nothing of a service is needed.
#include "service/rebuild_command.h"

#include "service/arguments.h"
#include "service/recovery/rebuild.h"
#include "service/tell.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char gw_rebuild_help[] = "godwitd rebuild --log DIR --out FILE.db\n"
                               "  verifies a published log, plays it again into a new database, and compares its\n"
                               "  root with the signed one. Answers are not in it: the log has their hashes.\n\n"
                               "  --log DIR        the log folder: checkpoint and tile/\n"
                               "  --out FILE       the database to make\n"
                               "  --log-key VKEY   the key you trust, got from elsewhere (default: the one the\n"
                               "                   log names itself)\n"
                               "  --policies DIR   policy texts, <sha256>.json (default: policies/ beside DIR)\n"
                               "  --questions DIR  question texts (default: questions/ beside DIR)\n"
                               "  --help           this page\n";

typedef struct {
    const char *log, *out, *log_key, *policies, *questions;
} arguments;

static bool read_arguments(int argc, char **argv, arguments *a) {
    static const struct option long_options[] = {
        {"log", required_argument, NULL, 'l'},       {"out", required_argument, NULL, 'o'},
        {"log-key", required_argument, NULL, 'k'},   {"policies", required_argument, NULL, 'p'},
        {"questions", required_argument, NULL, 'q'}, {NULL, 0, NULL, 0}};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'l')
            a->log = optarg;
        else if (option == 'o')
            a->out = optarg;
        else if (option == 'k')
            a->log_key = optarg;
        else if (option == 'p')
            a->policies = optarg;
        else if (option == 'q')
            a->questions = optarg;
        else
            return false;
    }
    return a->log && a->out && optind == argc;
}

static const char *beside(const char *log, const char *name, char path[4200]) {
    struct stat facts;
    snprintf(path, 4200, "%.4000s/../%s", log, name);
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode) ? path : NULL;
}

static void report_print(const arguments *a, const rebuild_report *report) {
    const gw_audit_verdict *verdict = &report->verdict;
    char root[GW_HASH_HEX];
    gw_hex((gw_bytes){report->root.bytes, GW_HASH_SIZE}, root);
    printf("OK    the log of %s is sound: %llu entries, every balance recomputed\n", verdict->checkpoint.origin,
           (unsigned long long)verdict->size);
    printf("OK    its entries lead to the same tree again: root %s\n", root);
    if (!a->log_key)
        printf("WARN  no --log-key: the key was taken from the log itself; compare it with one you got elsewhere\n");
    if (report->replay.policies_missing > 0)
        printf("NOTE  %llu policy texts were not there: the log has their hashes (--policies DIR)\n",
               (unsigned long long)report->replay.policies_missing);
    if (report->replay.answers_lost > 0)
        printf("NOTE  %llu answers are not in it: the log has their hashes\n",
               (unsigned long long)report->replay.answers_lost);
    printf("Made %s\n", a->out);
}

int gw_rebuild_command(int argc, char **argv) {
    arguments a = {0};
    char policies[4200], questions[4200];
    gw_problem problem = {0};
    gw_note_key key;
    rebuild_report report;
    if (!read_arguments(argc, argv, &a))
        return gw_usage("rebuild takes a log folder and a database to make.",
                        "godwitd rebuild --log log --out ledger.db");
    gw_status status = a.log_key ? gw_note_key_parse(a.log_key, &key, &problem) : GW_OK;
    if (status != GW_OK)
        return gw_tell(status, &problem);
    rebuild_options options = {
        .sources = {.log = a.log,
                    .policies = a.policies ? a.policies : beside(a.log, "policies", policies),
                    .questions = a.questions ? a.questions : beside(a.log, "questions", questions)},
        .out = a.out,
        .log_key = a.log_key ? &key : NULL};
    status = gw_rebuild(&options, &report, &problem);
    if (status == GW_OK) {
        report_print(&a, &report);
        return 0;
    }
    int code = gw_tell(status, &problem);
    return status == GW_CORRUPT                            ? GW_EXIT_TAMPERED
           : status == GW_CONFLICT || status == GW_INVALID ? code
                                                           : GW_EXIT_CANNOT_CHECK;
}
