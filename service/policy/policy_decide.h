// SPDX-License-Identifier: Apache-2.0
// Authorize: principal's roles, policy, question -> yes with its limits, or a named refusal.
// Pure: sees no data and no clock.   Depends on: policy.h, indicator.h.
#pragma once
#include "service/policy/indicator.h"

// Codes: denied_role, denied_table, denied_statistic, question_min, question_max (budget "question").
// `cost` is the question's price; a cost question with no epsilon passes 0 and only the grants are judged.
GW_MUST_CHECK gw_status gw_policy_decide(const gw_policy *policy, unsigned roles, const gw_table *table,
                                         gw_statistic statistic, gw_epsilon cost, gw_problem *ret_problem);
