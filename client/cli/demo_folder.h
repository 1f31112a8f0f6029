// SPDX-License-Identifier: Apache-2.0
// The folder of a demo: made, found again, and removed only where it is one (it holds a marker that demo wrote).
// Depends on: client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"
#include <sys/types.h>

// Leaves an empty demo folder at `path` and goes into it. An older demo there is stopped and removed; any other folder
// with something in it is refused, and so is one that a service of somebody else runs on. Codes: not_a_demo,
// demo_in_use, file_*.
GW_MUST_CHECK gw_status gw_demo_folder_enter(const char *path, gw_problem *ret_problem);
// Notes which process serves the demo, so that the next one can stop it. Called inside the folder.
GW_MUST_CHECK gw_status gw_demo_folder_note(pid_t daemon, gw_problem *ret_problem);
