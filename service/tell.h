// SPDX-License-Identifier: Apache-2.0
// How godwitd's commands say that something did not work, and with which exit code they end.
// Thread safety: safe.   Depends on: base/problem.h.
#pragma once
#include "service/base/problem.h"

#define GW_EXIT_FAILED 1
#define GW_EXIT_USAGE 2
#define GW_EXIT_REFUSED 3
#define GW_EXIT_LOGIN 4
#define GW_EXIT_BUDGET 5
#define GW_EXIT_TAMPERED 6
#define GW_EXIT_UNREACHABLE 7
#define GW_EXIT_PARTIAL 8
#define GW_EXIT_FOUND_PROBLEMS 9
#define GW_EXIT_CANNOT_CHECK 10
// An operator must look before it may start again: the state is older than what is remembered of it, nothing remembers
// it, or it is newer than the program.
#define GW_EXIT_OPERATOR 78

// Prints what, why, mend and code on stderr; returns the exit code.
int gw_tell(gw_status status, const gw_problem *problem);
