// SPDX-License-Identifier: Apache-2.0
// What the auditor's commands share: how they end, and numbers and times from a command line.
// Thread safety: one thread.   Depends on: client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"
#include <stdint.h>

// Says the problem and ends: 2 for a command line that is wrong, 6 for what was changed (GW_CORRUPT), 10 for all that
// could not be looked at.
gw_exit_code gw_audit_fail(gw_cli *cli, const gw_problem *problem);
// A whole number of digits alone, at most `max`.
bool gw_number_read(const char *text, uint64_t max, uint64_t *ret);
// "2026-11-21", "2026-11-21 22:30", "2026-11-21T22:30:00Z": UTC.
bool gw_time_read(const char *text, int64_t *ret);
