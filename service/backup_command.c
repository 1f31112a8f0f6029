// SPDX-License-Identifier: Apache-2.0
// What a backup does not hold is said as clearly as what it holds.
#include "service/backup_command.h"

#include "service/arguments.h"
#include "service/base/clock.h"
#include "service/config.h"
#include "service/recovery/backup.h"
#include "service/tell.h"

#include <getopt.h>
#include <stdio.h>

const char gw_backup_help[] = "godwitd backup [--dir DIR] --to FOLDER [--with-keys] [--with-data]\n"
                              "godwitd backup --check FOLDER\n"
                              "  copies the ledger, its published log and questions, policies, settings and the\n"
                              "  public halves of profiles, beside a running daemon, and reads it all again.\n"
                              "  An old backup gives no budget back: see godwitd restore --help\n\n"
                              "  --dir DIR       state folder (default: here, or ./state)\n"
                              "  --to FOLDER     the backup to make; it must not be there yet\n"
                              "  --with-keys     also keys/ and the profiles' keys: whoever has them signs as\n"
                              "                  this service. Keep such a backup as you keep keys\n"
                              "  --with-data     also data/: the register itself\n"
                              "  --check FOLDER  reads a backup again: every file, the ledger's root, its log\n"
                              "  --help          this page\n";

typedef struct {
    const char *dir, *to, *check;
    bool with_keys, with_data;
} arguments;

static bool read_arguments(int argc, char **argv, arguments *a) {
    static const struct option long_options[] = {
        {"dir", required_argument, NULL, 'd'},   {"to", required_argument, NULL, 't'},
        {"check", required_argument, NULL, 'c'}, {"with-keys", no_argument, NULL, 'k'},
        {"with-data", no_argument, NULL, 'w'},   {NULL, 0, NULL, 0}};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'd')
            a->dir = optarg;
        else if (option == 't')
            a->to = optarg;
        else if (option == 'c')
            a->check = optarg;
        else if (option == 'k')
            a->with_keys = true;
        else if (option == 'w')
            a->with_data = true;
        else
            return false;
    }
    return optind == argc && (a->to != NULL) != (a->check != NULL);
}

static void report_print(const char *folder, const backup_report *report) {
    char root[GW_HASH_HEX];
    gw_hex((gw_bytes){report->root.bytes, GW_HASH_SIZE}, root);
    printf("OK    %s: %llu files, %llu bytes, each as its manifest says\n", folder, (unsigned long long)report->files,
           (unsigned long long)report->bytes);
    printf("OK    the ledger of %s: %llu entries, every balance recomputed, root\n      %s\n", report->origin,
           (unsigned long long)report->size, root);
    printf("OK    its published log is sound\n");
    if (report->has_keys)
        printf("WARN  it holds keys: whoever has it signs as this service\n");
    else
        printf("NOTE  no keys are in it: keep keys/ and profiles/ elsewhere, or take\n      --with-keys\n");
    if (report->has_data)
        printf("WARN  it holds the register itself\n");
}

int gw_backup_command(int argc, char **argv) {
    arguments a = {.dir = gw_config_folder()};
    gw_problem problem = {0};
    gw_config config;
    backup_report report;
    if (!read_arguments(argc, argv, &a))
        return gw_usage("backup takes a folder to make, or one to check.",
                        "godwitd backup --dir state --to backup-2026-11-22   (or: --check FOLDER)");
    gw_status status = GW_OK;
    if (a.check) {
        status = gw_backup_check(a.check, &report, &problem);
    } else {
        gw_clock clock = gw_clock_system();
        status = gw_config_load(a.dir, &config, &problem);
        backup_options options = {.state_folder = config.folder,
                                  .to = a.to,
                                  .now = clock.unix_seconds(clock.state),
                                  .with_keys = a.with_keys,
                                  .with_data = a.with_data};
        if (status == GW_OK)
            status = gw_backup(&options, &report, &problem);
    }
    if (status == GW_OK) {
        report_print(a.check ? a.check : a.to, &report);
        return 0;
    }
    int code = gw_tell(status, &problem);
    return !a.check ? code : status == GW_CORRUPT ? GW_EXIT_TAMPERED : GW_EXIT_CANNOT_CHECK;
}
