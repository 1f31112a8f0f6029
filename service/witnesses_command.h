// SPDX-License-Identifier: Apache-2.0
// `godwitd witnesses`: who cosigns the log, and putting another file of witnesses in force.
// Thread safety: the main thread.   Depends on: local.h, vouch.h.
#pragma once
#include "service/base/problem.h"

int gw_witnesses_command(int argc, char **argv);
extern const char gw_witnesses_help[];
// The whole path of a file of witnesses that can be used. Codes: those of the file, witness_url.
GW_MUST_CHECK gw_status gw_witnesses_path(const char *given, char ret_path[4096], gw_problem *ret_problem);
