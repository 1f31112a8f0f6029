// SPDX-License-Identifier: Apache-2.0
// The table of commands, and one check at the end that the answer really left.
#include "client/cli/cli.h"
#include "client/cli/commands.h"
#include "service/base/check.h"
#include "service/base/crypto.h"
#include <locale.h>
#include <signal.h>
#include <unistd.h>

// In the order of help.
static const gw_command *const commands[] = {
    &gw_command_demo,
    &gw_command_init,
    &gw_command_serve,
    &gw_command_status,
    &gw_command_doctor,
    &gw_command_load,
    &gw_command_policy_new,
    &gw_command_policy_check,
    &gw_command_policy_simulate,
    &gw_command_policy_diff,
    &gw_command_policy_sign,
    &gw_command_policy_activate,
    &gw_command_policy_show,
    &gw_command_population_add,
    &gw_command_dataset_ls,
    &gw_command_dataset_show,
    &gw_command_release_ls,
    &gw_command_release_show,
    &gw_command_release_embargo,
    &gw_command_release_withdraw,
    &gw_command_catalogue,
    &gw_command_explain,
    &gw_command_dummy,
    &gw_command_cost,
    &gw_command_query,
    &gw_command_compare,
    &gw_command_budget,
    &gw_command_history,
    &gw_command_audit_log,
    &gw_command_audit_show,
    &gw_command_audit_export,
    &gw_command_audit_verify,
    &gw_command_audit_receipt,
    &gw_command_audit_compare,
    &gw_command_audit_rebuild,
    &gw_command_backup,
    &gw_command_restore,
    &gw_command_sign,
    &gw_command_keys_new,
    &gw_command_keys_ls,
    &gw_command_keys_show,
    &gw_command_keys_add,
    &gw_command_keys_revoke,
    &gw_command_whoami,
    &gw_command_principal_add,
    &gw_command_principal_grant,
    &gw_command_principal_revoke,
    &gw_command_principal_ls,
    &gw_command_clock_confirm,
    &gw_command_config_show,
    &gw_command_config_check,
    &gw_command_completion,
    &gw_command_complete,
    &gw_command_manual,
    &gw_command_version,
};

static void cancelled(int signal) {
    (void)signal;
    _exit(GW_EXIT_CANCELLED); // a charge that was made stays made; the same question again is free
}

int main(int argc, char **argv) {
    gw_cli cli;
    setlocale(LC_CTYPE, "");
    signal(SIGINT, cancelled);
    signal(SIGPIPE, SIG_DFL);
    if (gw_crypto_init() != GW_OK)
        return GW_EXIT_FAILED;
    gw_cli_init(&cli, commands, sizeof(commands) / sizeof(commands[0]));
    gw_exit_code code = gw_cli_run(&cli, argc - 1, argv + 1);
    if (fflush(cli.out) == 0 && ferror(cli.out) == 0)
        return (int)code;
    gw_problem problem;
    gw_ignore(gw_problem_set(&problem, GW_IO, "output", "The answer could not be written.",
                             "Standard output is full or closed.", "")); // it is printed
    gw_ignore(gw_fail(&cli, &problem));                                  // as above
    return GW_EXIT_FAILED;
}
