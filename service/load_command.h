// SPDX-License-Identifier: Apache-2.0
// `godwitd load`: from a file to the dataset's data version in force, with progress and a report of every wrong row.
// Thread safety: one thread.   Depends on: admin/load.h, local.h.
#pragma once
#include <stddef.h>

int gw_load_command(int argc, char **argv); // the exit code
extern const char gw_load_help[];           // what --help prints
