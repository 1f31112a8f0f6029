// SPDX-License-Identifier: Apache-2.0
// Help: examples first, then what the command takes. Made from the command's own tables, so it cannot fall behind.
// Thread safety: one thread.   Depends on: client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"

gw_option_set gw_help_globals(gw_globals *globals); // the options that every command takes
gw_exit_code gw_help_overview(gw_cli *cli);
gw_exit_code gw_help_family(gw_cli *cli, const char *family);
gw_exit_code gw_help_command(gw_cli *cli, const gw_command *command);
