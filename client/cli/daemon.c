// SPDX-License-Identifier: Apache-2.0
// Commands that need the service's state: godwitd does them, with the same arguments.
#include "client/cli/commands.h"
#include "client/cli/program.h"
#include <string.h>

#define ARGUMENTS_MAX 256

static gw_exit_code hand_on(gw_cli *cli, const char *first, const char *second) {
    char *argv[ARGUMENTS_MAX + 4];
    size_t count = 0;
    if (cli->argc > ARGUMENTS_MAX)
        return gw_usage(cli, "There are too many words on this line.", "");
    argv[count++] = (char *)"godwitd";
    argv[count++] = (char *)first; // execvp takes char *, and changes none
    if (second != NULL)
        argv[count++] = (char *)second;
    for (int i = 0; i < cli->argc; i++)
        argv[count++] = cli->argv[i];
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

const gw_command gw_command_init = {
    .name = "init",
    .group = "Start",
    .arguments = "--dir DIR --origin NAME [--listen URL]...",
    .summary = "make the state folder of a new service",
    .examples = "godwit init --dir state --origin nso.example/godwit\n",
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
    .arguments = "--dir DIR [--treat KIND=HOW]... DATASET FILE",
    .summary = "check a CSV or Parquet file against its policy and load it as a new version",
    .examples = "godwit load --dir state nso.example/register register.parquet\n",
    .hands_on = true,
    .run = load_run,
};
const gw_command gw_command_policy_check = {
    .name = "policy check",
    .group = "Data owner",
    .arguments = "FILE",
    .summary = "read a policy file strictly and say what it allows, or where it is wrong",
    .examples = "godwit policy check register.policy.json\n",
    .hands_on = true,
    .run = policy_check_run,
};
