// SPDX-License-Identifier: Apache-2.0
// The very statement that the service runs for a question.
#include "tests/support/statement.h"
#include <stdio.h>
#include <stdlib.h>

void test_statement_make(const char *policy_text, const char *share, const char *body, test_statement *ret) {
    char codelists[4096];
    char indicators[4096];
    gw_problem problem = {0};
    gw_question question;
    *ret = (test_statement){.arena = gw_arena_new((size_t)1 << 26)};
    snprintf(codelists, sizeof codelists, "%s/codelists", share);
    snprintf(indicators, sizeof indicators, "%s/indicators", share);
    gw_status status = gw_policy_load(gw_bytes_of(policy_text), "policy", codelists, &ret->policy, &problem);
    if (status == GW_OK)
        status = gw_catalogue_load(indicators, &ret->catalogue, &problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_bytes_of(body), GW_JSON_REQUEST, &ret->json, &problem);
    if (status == GW_OK)
        status = gw_question_decode(ret->json, ret->arena, &question, &problem);
    if (status == GW_OK)
        status = gw_plan_build(&question, ret->policy, ret->catalogue, ret->arena, &ret->plan, &problem);
    if (status == GW_OK)
        status = gw_sql_build(&ret->plan, ret->arena, &ret->sql);
    if (status == GW_OK)
        return;
    fprintf(stderr, "statement: %s: %s %s\n", problem.code, problem.what, problem.why);
    exit(EXIT_FAILURE);
}

void test_statement_done(test_statement *it) {
    gw_buffer_done(&it->sql.text);
    gw_json_free(it->json);
    gw_catalogue_free(it->catalogue);
    gw_policy_free(it->policy);
    gw_arena_free(it->arena);
    *it = (test_statement){0};
}
