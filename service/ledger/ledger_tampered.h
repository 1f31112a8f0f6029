// SPDX-License-Identifier: Apache-2.0
// How the start-up check says that a table beside the log is not what the log makes it. Inside this room only.
// Thread safety: pure.   Depends on: base/problem.h.
#pragma once
#include "service/base/problem.h"

// GW_CORRUPT, code ledger_tampered; `format`: which row, and what of it.
gw_status ledger_tampered(gw_problem *ret_problem, const char *format, ...) __attribute__((format(printf, 2, 3)));
