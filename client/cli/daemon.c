// SPDX-License-Identifier: Apache-2.0
// Commands that need the service's state: godwitd does them, with the same arguments.
#include "client/cli/commands.h"
#include "client/cli/program.h"
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 256
#define SHARE "--share"

static bool names_share(const gw_cli *cli) {
    for (int i = 0; i < cli->argc; i++)
        if (strncmp(cli->argv[i], SHARE, sizeof(SHARE) - 1) == 0)
            return true;
    return false;
}

// A new service is told where the code lists and indicators are, once and as a whole path: it must find them whatever
// folder and environment it is started in later.
static gw_exit_code hand_on(gw_cli *cli, const char *first, const char *second) {
    char *argv[ARGUMENTS_MAX + 6];
    char share[4096];
    size_t count = 0;
    if (cli->argc > ARGUMENTS_MAX)
        return gw_usage(cli, "There are too many words on this line.", "");
    argv[count++] = (char *)"godwitd";
    argv[count++] = (char *)first; // execvp takes char *, and changes none
    if (second != NULL)
        argv[count++] = (char *)second;
    for (int i = 0; i < cli->argc; i++)
        argv[count++] = cli->argv[i];
    if (strcmp(first, "init") == 0 && !names_share(cli) && gw_program_share(NULL, share)) {
        argv[count++] = (char *)SHARE;
        argv[count++] = share;
    }
    argv[count] = NULL;
    return gw_program_become(cli, "godwitd", argv);
}

static gw_exit_code init_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "init", NULL);
}

static gw_exit_code serve_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "serve", NULL);
}

static gw_exit_code load_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "load", NULL);
}

static gw_exit_code policy_check_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "policy", "check");
}

static gw_exit_code policy_simulate_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "policy", "simulate");
}

static gw_exit_code policy_diff_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "policy", "diff");
}

static gw_exit_code backup_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "backup", NULL);
}

static gw_exit_code restore_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "restore", NULL);
}

static gw_exit_code rebuild_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    return hand_on(cli, "rebuild", NULL);
}

const gw_command gw_command_init = {
    .name = "init",
    .group = "Start",
    .arguments = "(--here | --dir DIR) --origin NAME [--listen URL]... [--share DIR]",
    .summary = "make the state folder of a new service",
    .examples = "godwit init --here --origin nso.example/godwit     (one office, one machine: start here)\n"
                "godwit init --dir state --origin nso.example/godwit\n"
                "godwit init --dir state --origin nso.example/godwit --share policies   (from the sources)\n",
    .hands_on = true,
    .run = init_run,
};
const gw_command gw_command_serve = {
    .name = "serve",
    .group = "Start",
    .arguments = "--dir DIR [--listen URL] [--release-tick MS]",
    .summary = "answer questions until told to stop",
    .examples = "godwit serve --dir state\n",
    .hands_on = true,
    .run = serve_run,
};
const gw_command gw_command_load = {
    .name = "load",
    .group = "Data owner",
    .arguments =
        "--dir DIR [--treat [COLUMN:]KIND=HOW]... [--allow-empty] [--allow-shrink] DATASET FILE|FOLDER|TABLE=FILE...",
    .summary = "check CSV or Parquet files against their policy and load them as a new version",
    .examples = "godwit load --dir state nso.example/register register.parquet\n"
                "godwit load --dir state nso.example/register persons=persons.csv permits=permits.parquet\n"
                "godwit load --dir state nso.example/register register.csv --treat bad_type=missing\n"
                "godwit load --dir state nso.example/register register.csv --treat age:out_of_bounds=clamp\n"
                "  kinds: bad_type unlisted_code out_of_bounds not_finite too_many_rows missing_id\n"
                "  ragged_row; treatments: drop-row, missing, clamp (only of out_of_bounds)\n",
    .hands_on = true,
    .run = load_run,
};
const gw_command gw_command_policy_check = {
    .name = "policy check",
    .group = "Data owner",
    .arguments = "[--share DIR] FILE",
    .summary = "read a policy file strictly and say what it allows, or where it is wrong",
    .examples = "godwit policy check register.policy.json\n",
    .hands_on = true,
    .run = policy_check_run,
};
const gw_command gw_command_policy_simulate = {
    .name = "policy simulate",
    .group = "Data owner",
    .arguments = "[--questions QUESTIONS.json] [-o json] FILE",
    .summary = "what a policy would mean before anyone signs it: errors, prices, how long budgets last",
    .examples = "godwit policy simulate register.policy.json\n"
                "godwit policy simulate register.policy.json --questions questions.json\n",
    .hands_on = true,
    .run = policy_simulate_run,
};
const gw_command gw_command_policy_diff = {
    .name = "policy diff",
    .group = "Data owner",
    .arguments = "[--dir DIR] [-o json] OLD NEW",
    .summary = "what a new version changes, in words; exit code 9 where protection gets weaker",
    .examples = "godwit policy diff register.policy.json register-2.policy.json\n"
                "godwit policy diff --dir state register register-2.policy.json   (the one in force)\n",
    .hands_on = true,
    .run = policy_diff_run,
};
const gw_command gw_command_backup = {
    .name = "backup",
    .group = "Operator",
    .arguments = "[--dir DIR] --to FOLDER [--with-keys] [--with-data] | --check FOLDER",
    .summary = "copy the ledger and all that is public, beside a running service; or check a copy",
    .examples = "godwit backup --dir state --to /mnt/backup/2026-11-22\n"
                "godwit backup --check /mnt/backup/2026-11-22\n",
    .hands_on = true,
    .run = backup_run,
};
const gw_command gw_command_restore = {
    .name = "restore",
    .group = "Operator",
    .arguments = "[--dir DIR] [--backup FOLDER] [--log FOLDER]... [--seen FILE]... [--lost N]",
    .summary = "the way back after a lost or an old ledger; two people sign what is gone, and it counts as spent",
    .examples = "godwit restore --dir state --backup /mnt/backup/2026-11-22 --log /mnt/mirror/log\n"
                "godwit sign state/restore.json --as owner      (and a second one; then the first line again)\n"
                "  --seen FILE  a newer checkpoint that somebody saved; a receipt will do\n"
                "  exit code 8: it waits for signatures\n",
    .hands_on = true,
    .run = restore_run,
};
const gw_command gw_command_audit_rebuild = {
    .name = "audit rebuild",
    .group = "Auditor",
    .arguments = "--log DIR --out FILE.db [--log-key VKEY] [--policies DIR] [--questions DIR]",
    .summary = "a database from a published log alone, to look into with SQL; needs the service's program",
    .examples = "godwit audit rebuild --log log --out ledger.db --log-key \"$(cat trusted.vkey)\"\n"
                "sqlite3 -readonly ledger.db 'SELECT kind, spent FROM budget'\n"
                "  It answers nobody: a log has hashes of answers. Without godwitd on this machine: install\n"
                "  the package godwit, which starts nothing until a ledger is made.\n",
    .hands_on = true,
    .run = rebuild_run,
};
