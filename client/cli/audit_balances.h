// SPDX-License-Identifier: Apache-2.0
// What is spent, of which budget, in every measure that the accounting has: epsilon, rho, and deltas of selections.
// Thread safety: one thread.   Depends on: client/cli/cli.h, service/audit/verify.h.
#pragma once
#include "client/cli/cli.h"
#include "service/audit/verify.h"

// A table for people, rows for programs.
GW_MUST_CHECK gw_exit_code gw_audit_balances_say(gw_cli *cli, const gw_audit_state *state);
// Sentences on rho and on deltas of selections, where a budget counts them.
void gw_audit_deltas_say(gw_cli *cli, const gw_audit_state *state);
// A JSON array of all balances.
void gw_audit_balances_json(const gw_audit_state *state, gw_buffer *json);
