// SPDX-License-Identifier: Apache-2.0
// What may still be spent: the balances that a charge would meet, and what the asker's last question cost. Of others'
// spending nothing is told but what the totals of dataset, population and period show.
#include "service/query/facts.h"

gw_epsilon gw_facts_left(const gw_store_balance *balance) {
    return gw_zcdp_remaining((gw_loss){balance->total, balance->rho_total}, (gw_loss){balance->spent, balance->rho});
}

gw_loss gw_facts_loss(gw_epsilon price) {
    return (gw_loss){.micro = price.micro, .rho = gw_rho_of(price)};
}

static void write_delta(gw_buffer *out, const char *name, uint64_t atto) {
    char text[GW_DELTA_TEXT];
    gw_delta_format((gw_delta){atto}, text);
    gw_json_write_member(out, name, text);
}

// Accounted with a delta, "remaining" is what one question may cost now; many small ones may add up to more. How many
// of which price is said in "fits".
static void write_accounting(gw_buffer *out, const gw_store_balance *balance) {
    if (balance->delta != 0) {
        gw_json_write_member(out, "accounting", "zcdp");
        write_delta(out, "delta", balance->delta);
    }
    if (balance->selection_total != 0) {
        write_delta(out, "selection_delta", balance->selection_total);
        write_delta(out, "selection_spent", balance->selection);
    }
}

static void write_fits(gw_buffer *out, const gw_store_balance *balance, gw_epsilon each) {
    const uint64_t most = 9007199254740991; // what a JSON integer holds
    uint64_t fits =
        gw_zcdp_fits((gw_loss){balance->total, balance->rho_total}, (gw_loss){balance->spent, balance->rho}, each);
    gw_json_write_integer(out, "fits", (int64_t)(fits < most ? fits : most));
}

void gw_facts_write_balance(gw_buffer *out, const gw_store_balance *balance, gw_facts_balance_style style) {
    gw_store_balance after = *balance;
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "budget", gw_budget_kind_name(balance->kind));
    gw_json_write_member(out, "id", balance->id);
    if (style.dataset)
        gw_json_write_member(out, "dataset", style.dataset);
    gw_json_write_epsilon(out, "total", (gw_epsilon){balance->total});
    gw_json_write_epsilon(out, "spent", (gw_epsilon){balance->spent});
    gw_json_write_epsilon(out, "remaining", gw_facts_left(balance));
    write_accounting(out, balance);
    if (style.each.micro > 0)
        write_fits(out, balance, style.each);
    if (style.price) {
        bool is_enough = gw_zcdp_admits((gw_loss){balance->total, balance->rho_total},
                                        (gw_loss){balance->spent, balance->rho}, *style.price);
        // At most 100 prices below 2^50 each, on a sum below 2^63.
        after.spent += style.price->micro;
        after.rho = gw_rho_add(after.rho, style.price->rho);
        gw_json_write_epsilon(out, "price", (gw_epsilon){style.price->micro});
        gw_json_write_epsilon(out, "after", is_enough ? gw_facts_left(&after) : (gw_epsilon){0});
        gw_json_write_name(out, "enough");
        gw_buffer_text(out, is_enough ? "true" : "false");
    }
    if (balance->renews > 0)
        gw_json_write_integer(out, "renews", balance->renews);
    else
        gw_json_write_member(out, "renews", NULL);
    gw_buffer_text(out, "}");
}

gw_status gw_facts_write_balances(const gw_facts *facts, const char *dataset, gw_facts_balance_style style,
                                  gw_buffer *out, gw_problem *ret_problem) {
    gw_store_balance balances[4];
    gw_status status = gw_store_balances(facts->reader, dataset, facts->who->principal, facts->charge_time, balances);
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
        gw_facts_write_balance(out, &balances[i], style);
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
static gw_status last_cost(const gw_facts *facts, const char *dataset, uint64_t *ret_cost, gw_problem *ret_problem) {
    if (!facts->who->is_known)
        return GW_OK;
    gw_status status = gw_store_history(facts->reader, facts->who->principal, dataset, 1, last_cost_keep, ret_cost);
    return status == GW_OK ? GW_OK
                           : gw_problem_set(ret_problem, status, "internal", "The history could not be read.", "",
                                            "Ask the operator.");
}

gw_status gw_facts_budget(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    gw_policy_in_force in_force;
    gw_status status = gw_query_policy(facts->worker, facts->question->dataset, &in_force, ret_problem);
    if (status != GW_OK)
        return status;
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_member(out, "dataset", in_force.policy->dataset);
    gw_json_write_member(out, "notice", in_force.policy->notice);
    uint64_t cost = 0;
    status = last_cost(facts, in_force.policy->dataset, &cost, ret_problem);
    if (status == GW_OK)
        status = gw_facts_write_balances(facts, in_force.policy->dataset, (gw_facts_balance_style){.each = {cost}}, out,
                                         ret_problem);
    if (cost > 0)
        gw_json_write_epsilon(out, "last_cost", (gw_epsilon){cost});
    else
        gw_json_write_member(out, "last_cost", NULL);
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
        uint64_t left = gw_facts_left(&balances[i]).micro;
        if (balances[i].is_set && left < least.micro)
            least.micro = left;
    }
    return least.micro == UINT64_MAX ? (gw_epsilon){0} : least;
}
