// SPDX-License-Identifier: Apache-2.0
// The very statement that the service runs for a question, made by its own plan: for running it bare beside the
// service. Thread safety: one owner.   Depends on: service/query/sql.h.
#pragma once
#include "service/query/sql.h"

typedef struct {
    gw_arena *arena;
    gw_json *json;
    gw_policy *policy;
    gw_catalogue *catalogue;
    gw_plan plan;
    gw_sql sql;
} test_statement;

// `share` holds codelists/ and indicators/. Ends the program on any failure.
void test_statement_make(const char *policy_text, const char *share, const char *body, test_statement *ret);
void test_statement_done(test_statement *it);
