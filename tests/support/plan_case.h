// SPDX-License-Identifier: Apache-2.0
// A question planned under a policy of the test's own, with this tree's code lists and indicators. What should not fail
// fails the test, with what was wrong.
// Thread safety: a case per thread.   Depends on: service/query, cmocka, GW_SOURCE in the environment.
#pragma once
#include "service/query/plan.h"
#include "tests/support/unit.h"

#define PLAN_CASE_DATA "00112233445566778899aabbccddeeff" // the data that canonical texts name
#define PLAN_CASE_TEXT 8192

typedef struct {
    gw_policy *policy;
    gw_catalogue *catalogue;
    const char *also; // fields that every question has beside its own
    // Of the question that was built last.
    gw_arena *arena;
    gw_json *json;
    gw_plan plan;
    gw_problem problem;
} plan_case;

// Opened, a case has no policy yet. `indicators` is a folder, NULL for this tree's own; `also`, borrowed, is fields of
// every question, like "\"epsilon\":\"0.1\"", or "".
void plan_case_open(plan_case *it, const char *indicators, const char *also);
void plan_case_close(plan_case *it);
// Both at once, for cmocka: what *state is to be, and a teardown for it.
plan_case *plan_case_new(const char *policy_text, const char *also);
int plan_case_teardown(void **state);

// In place of the policy before.
void plan_case_policy(plan_case *it, const char *text);
// The policy with the first `from` in its text replaced, which must be there.
void plan_case_change(plan_case *it, const char *text, const char *from, const char *to);

// The question of these fields, about the policy's dataset; what was built before is gone.
GW_MUST_CHECK gw_status plan_case_build(plan_case *it, const char *fields);
const gw_plan *plan_case_must(plan_case *it, const char *fields);
// It is refused with this code, and with a way on.
void plan_case_refused(plan_case *it, const char *fields, const char *code);
// The canonical text of a question that is planned.
const char *plan_case_canonical(plan_case *it, const char *fields, char text[PLAN_CASE_TEXT]);
