// SPDX-License-Identifier: Apache-2.0
// `godwitd policy`: check and simulate a file, say what a new version changes, put one in force.
// Thread safety: one thread.   Depends on: admin/policy_diff.h, admin/policy_simulate.h, local.h.
#pragma once

int gw_policy_command(int argc, char **argv); // the exit code
extern const char gw_policy_help[];           // what --help prints
