// SPDX-License-Identifier: Apache-2.0
// What the shell is told: one number per kind of outcome, stable for scripts.
// Thread safety: pure.   Depends on: base/problem.h.
#pragma once
#include "service/base/problem.h"
#include <stdbool.h>

typedef enum {
    GW_EXIT_DONE = 0,
    GW_EXIT_FAILED = 1,
    GW_EXIT_USAGE = 2,
    GW_EXIT_REFUSED = 3, // by policy
    GW_EXIT_LOGIN = 4,   // login or permission
    GW_EXIT_BUDGET = 5,  // privacy budget
    GW_EXIT_TAMPERED = 6,
    GW_EXIT_UNREACHABLE = 7, // or not ready
    GW_EXIT_PARTIAL = 8,     // some of what was asked is done
    GW_EXIT_FOUND = 9,       // a check found problems
    GW_EXIT_CANNOT_CHECK = 10,
    GW_EXIT_CANCELLED = 130,
} gw_exit_code;

// By the problem's code first (a refusal that crossed the wire has nothing else), then by its status.
gw_exit_code gw_exit_code_of(const gw_problem *problem);
