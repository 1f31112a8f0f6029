// SPDX-License-Identifier: Apache-2.0
// What the files of a load share; nobody else includes it.
// Thread safety: pure.   Depends on: load.h.
#pragma once
#include "service/admin/load.h"

// Borrows from the options, the policy and `work`. Codes: load_tables, unknown_column.
GW_MUST_CHECK gw_status gw_load_plan_build(const gw_load_options *options, const char *work, gw_arena *arena,
                                           gw_load_plan *ret_plan, gw_problem *ret_problem);
// Where the policy says that an inherited concept comes from.
bool gw_load_plan_inherited(const gw_policy *policy, const gw_column *column, gw_load_inherited *ret);
