// SPDX-License-Identifier: Apache-2.0
// What can never be measured or said, found out before anything is charged for it: a statement longer than the engine
// takes, an answer longer than a reply holds. Nobody outside this room includes it.
// Thread safety: pure.   Depends on: plan.h.
#pragma once
#include "service/query/plan.h"

#define GW_ANSWER_BYTES_MAX                                                                                            \
    67108864u // by the public sizes; a document may be a few times as long where these are wrong
// GW_OK, or GW_LIMIT with code too_many. Only the plan is looked at.
GW_MUST_CHECK gw_status gw_plan_check_size(const gw_plan *plan, gw_arena *arena, gw_problem *ret_problem);
