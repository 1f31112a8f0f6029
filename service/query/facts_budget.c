// SPDX-License-Identifier: Apache-2.0
// What may still be spent: the balances that a charge would meet, and what the asker's last question cost. Of others'
// spending nothing is told but what the totals of dataset, population and period show.
#include "service/query/facts.h"

void gw_facts_write_balance(gw_buffer *out, const gw_store_balance *balance, gw_facts_balance_style style) {
    uint64_t remaining = gw_budget_remaining(balance->total, balance->spent);
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "budget", gw_budget_kind_name(balance->kind));
    gw_json_write_member(out, "id", balance->id);
    if (style.dataset)
        gw_json_write_member(out, "dataset", style.dataset);
    gw_json_write_epsilon(out, "total", (gw_epsilon){balance->total});
    gw_json_write_epsilon(out, "spent", (gw_epsilon){balance->spent});
    gw_json_write_epsilon(out, "remaining", (gw_epsilon){remaining});
    if (style.price) {
        gw_json_write_epsilon(out, "price", (gw_epsilon){*style.price});
        gw_json_write_epsilon(out, "after", (gw_epsilon){gw_budget_remaining(remaining, *style.price)});
    }
    if (balance->renews > 0)
        gw_json_write_integer(out, "renews", balance->renews);
    else
        gw_json_write_member(out, "renews", NULL);
    gw_buffer_text(out, "}");
}

gw_status gw_facts_write_balances(const gw_facts *facts, const char *dataset, const uint64_t *price, gw_buffer *out,
                                  gw_problem *ret_problem) {
    gw_store_balance balances[4];
    gw_status status = gw_store_balances(facts->reader, dataset, facts->who->principal, facts->now, balances);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "internal", "The budgets could not be read.", "",
                              "Ask the operator.");
    gw_json_write_name(out, "balances");
    gw_buffer_text(out, "[");
    const char *comma = "";
    for (size_t i = 0; i < 4; i++) {
        bool is_own = balances[i].kind == GW_BUDGET_PRINCIPAL;
        if (!balances[i].is_set || (is_own && !facts->who->is_known))
            continue;
        gw_buffer_text(out, comma);
        gw_facts_write_balance(out, &balances[i], (gw_facts_balance_style){.price = price});
        comma = ",";
    }
    gw_buffer_text(out, "]");
    return GW_OK;
}

static void last_cost_keep(void *state, const gw_store_history_row *row) {
    uint64_t *cost = state;
    *cost = row->cost;
}

// What the asker paid last on this dataset: the yardstick for "about N more tables like your last one".
static gw_status write_last_cost(const gw_facts *facts, const char *dataset, gw_buffer *out, gw_problem *ret_problem) {
    uint64_t cost = 0;
    gw_status status = facts->who->is_known
                           ? gw_store_history(facts->reader, facts->who->principal, dataset, 1, last_cost_keep, &cost)
                           : GW_OK;
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "internal", "The history could not be read.", "",
                              "Ask the operator.");
    if (cost > 0)
        gw_json_write_epsilon(out, "last_cost", (gw_epsilon){cost});
    else
        gw_json_write_member(out, "last_cost", NULL);
    return GW_OK;
}

gw_status gw_facts_budget(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    gw_policy_in_force in_force;
    gw_status status = gw_query_policy(facts->worker, facts->question->dataset, &in_force, ret_problem);
    if (status != GW_OK)
        return status;
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_member(out, "dataset", in_force.policy->dataset);
    gw_json_write_member(out, "notice", in_force.policy->notice);
    status = gw_facts_write_balances(facts, in_force.policy->dataset, NULL, out, ret_problem);
    if (status == GW_OK)
        status = write_last_cost(facts, in_force.policy->dataset, out, ret_problem);
    gw_json_write_integer(out, "time", facts->now);
    gw_buffer_text(out, "}");
    return status;
}

gw_epsilon gw_facts_remaining(gw_store_reader *reader, const char *dataset, const char *principal, int64_t now) {
    gw_store_balance balances[4];
    gw_epsilon least = {UINT64_MAX};
    if (gw_store_balances(reader, dataset, principal, now, balances) != GW_OK)
        return (gw_epsilon){0};
    for (size_t i = 0; i < 4; i++) {
        uint64_t left = gw_budget_remaining(balances[i].total, balances[i].spent);
        if (balances[i].is_set && left < least.micro)
            least.micro = left;
    }
    return least.micro == UINT64_MAX ? (gw_epsilon){0} : least;
}
