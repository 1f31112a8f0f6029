// SPDX-License-Identifier: Apache-2.0
// `godwitd config`: the settings in force for a state folder, and where each comes from; and whether they can be used.
// Thread safety: one thread.   Depends on: config.h, arguments.h.
#pragma once

int gw_config_command(int argc, char **argv); // the exit code
extern const char gw_config_help_text[];
