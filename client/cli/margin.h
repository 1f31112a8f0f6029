// SPDX-License-Identifier: Apache-2.0
// `compare FILE --sum A,B`: an answer's margins.
// Depends on: client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"
#include "service/base/arena.h"

// `list`: concepts of the breakdown to add up over, or "all".
gw_exit_code gw_margin_say(gw_cli *cli, const char *file, const char *list, uint32_t level_ppm, gw_arena *arena);
