// SPDX-License-Identifier: Apache-2.0
// Which build this is.
#include "client/cli/commands.h"

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    gw_say(cli, "godwit %s\n", GW_VERSION);
    return GW_EXIT_DONE;
}

const gw_command gw_command_version = {
    .name = "version",
    .group = "Operator",
    .arguments = "",
    .summary = "say which version this is",
    .examples = "godwit version\n",
    .run = run,
};
