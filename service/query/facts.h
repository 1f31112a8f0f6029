// SPDX-License-Identifier: Apache-2.0
// Replies made of public facts and of the asker's own account: catalogue, describe, cost, budget, history. No data is
// read. Thread safety: one worker per thread.   Depends on: query.h, plan.h, quotes.h.
#pragma once
#include "privacy/accounting/zcdp.h"
#include "service/query/plan.h"
#include "service/query/query.h"
#include "service/query/quotes.h"

typedef struct {
    gw_query_worker *worker;
    const gw_queries *queries;
    gw_quotes *quotes;
    const gw_catalogue *catalogue;
    gw_store_reader *reader;
    const char *origin;
    const gw_identity *who;
    const gw_question *question;
    int64_t now;
    int64_t charge_time; // by which windows go
    gw_arena *arena;
} gw_facts;

GW_MUST_CHECK gw_status gw_facts_catalogue(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_facts_describe(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_facts_history(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
// facts_cost.c: one question, a quote's, or a basket.
GW_MUST_CHECK gw_status gw_facts_cost(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
// facts_budget.c
GW_MUST_CHECK gw_status gw_facts_budget(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem);
// The least that is left in any of the budgets that a charge of this asker would meet.
gw_epsilon gw_facts_remaining(gw_store_reader *reader, const char *dataset, const char *principal, int64_t now);

// quoted.c: the question that `facts->question->quote` stands for, if the asker may still ask it as it was priced.
// `ret_json` owns the question's texts; the caller frees it. Codes: quote_unknown, quote_expired, quote_stale.
GW_MUST_CHECK gw_status gw_facts_quoted(const gw_facts *facts, gw_quote *ret_quote, gw_buffer *ret_body,
                                        gw_json **ret_json, gw_question *ret_question, gw_problem *ret_problem);
gw_status gw_facts_quote_stale(gw_problem *ret_problem);

// ---- between the files of facts

// The four budgets of a dataset, as the asker meets them. `price`: what of the question is charged to each; NULL where
// nothing is asked. `each`: how many questions of this price still fit is written, where it is not 0. `dataset`:
// written where it is not NULL, for lists over several datasets.
typedef struct {
    const char *dataset;
    const gw_loss *price;
    gw_epsilon each;
} gw_facts_balance_style;
gw_loss gw_facts_loss(gw_epsilon price);                   // of one question
gw_epsilon gw_facts_left(const gw_store_balance *balance); // what one question may cost of this budget now
void gw_facts_write_balance(gw_buffer *out, const gw_store_balance *balance, gw_facts_balance_style style);
GW_MUST_CHECK gw_status gw_facts_write_balances(const gw_facts *facts, const char *dataset,
                                                gw_facts_balance_style style, gw_buffer *out, gw_problem *ret_problem);

// facts_error.c: "error" and "instead" of a planned question, from the policy's planning sizes and the asker's own
// group size. `has_target`: the price followed from an error, so that better groups make it cheaper.
void gw_facts_write_error(const gw_plan *plan, bool has_target, gw_buffer *out);
// Whether `question` states an error that no epsilon within the policy's question_max reaches; then the problem says
// the smallest error that can be reached and the group size that would do. Asked when a question was refused.
bool gw_facts_target_out_of_reach(const gw_question *question, const gw_policy *policy, const gw_catalogue *catalogue,
                                  gw_arena *arena, gw_problem *ret_problem);
