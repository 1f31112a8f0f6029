// SPDX-License-Identifier: Apache-2.0
// What a new version of a policy changes, in words: for privacy, for who may ask, for answers, for the data. What was
// spent is not part of it: spend belongs to the dataset and carries over, whatever a file says.
// Thread safety: pure.   Depends on: policy/policy.h.
#pragma once
#include "service/policy/policy.h"

typedef enum {
    GW_POLICY_CHANGE_WEAKER, // more can be learned about a person, or by more people
    GW_POLICY_CHANGE_LOAD,   // the data must be loaded again before it answers
    GW_POLICY_CHANGE_OTHER,
} gw_policy_change;
const char *gw_policy_change_name(gw_policy_change change); // "weaker", "load", "other"

typedef void (*gw_policy_change_each)(void *state, gw_policy_change change, const char *text);
// Calls `each` for every difference. Nothing is left out that reaches an answer, a price or a person.
void gw_policy_diff(const gw_policy *before, const gw_policy *now, gw_policy_change_each each, void *state);
