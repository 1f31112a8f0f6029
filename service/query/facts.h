// SPDX-License-Identifier: Apache-2.0
// Replies made of public facts and of the asker's own account: catalogue, describe, cost, budget, history. No data is
// read. Thread safety: one worker per thread.   Depends on: query.h, plan.h.
#pragma once
#include "service/query/plan.h"
#include "service/query/query.h"

typedef struct {
    gw_query_worker *worker;
    const gw_queries *queries;
    const gw_catalogue *catalogue;
    gw_store_reader *reader;
    const char *origin;
    const gw_identity *who;
    const gw_question *question;
    int64_t now;
    gw_arena *arena;
} gw_facts;

GW_MUST_CHECK gw_status gw_facts_catalogue(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_facts_describe(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_facts_cost(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_facts_budget(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_facts_history(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
// What is left of the asker's own budget on a dataset (the dataset's where there is none of their own).
gw_epsilon gw_facts_remaining(gw_store_reader *reader, const char *dataset, const char *principal, int64_t now);
