// SPDX-License-Identifier: Apache-2.0
// A grid on stdout, in the output that was asked for.   Depends on: format/grid.h, client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"
#include "service/format/grid.h"

// Takes no ownership. A grid that ran out of memory is a failure, never a short table.
gw_exit_code gw_say_grid(gw_cli *cli, const gw_grid *grid);
