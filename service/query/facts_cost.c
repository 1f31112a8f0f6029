// SPDX-License-Identifier: Apache-2.0
// Prices: of one question, of one that was quoted, of a basket. Every price that a known principal is told comes with a
// quote. What would be refused is refused here too, in the same words.
#include "service/query/facts.h"

#include "service/policy/policy_decide.h"
#include "service/query/describe.h"
#include "service/query/plan_size.h"

#include <stdio.h>
#include <string.h>

#define CANONICAL_BYTES_MAX (1u << 20)

// One question as priced.
typedef struct {
    gw_policy_in_force in_force;
    gw_plan plan;
    bool has_target;
    gw_hash hash;
    bool is_free;
    gw_epsilon price;
    char data[GW_ID_HEX]; // "" where none is loaded
    gw_quote quote;       // id "" where none was given
} priced;

// ---- resolving

static gw_status resolve_plan(const gw_facts *facts, const gw_question *question, priced *ret,
                              gw_problem *ret_problem) {
    gw_status status = gw_query_policy(facts->worker, question->dataset, &ret->in_force, ret_problem);
    if (status != GW_OK)
        return status;
    const gw_policy *policy = ret->in_force.policy;
    status = gw_plan_build(question, policy, facts->catalogue, facts->arena, &ret->plan, ret_problem);
    if (status == GW_OK && ret->plan.epsilon.micro == 0)
        ret->plan.epsilon = policy->question_min;
    // No price is quoted that the same asker would be refused.
    if (status == GW_OK && facts->who->is_known)
        status = gw_policy_decide(policy, facts->who->roles, ret->plan.table, ret->plan.statistic, ret->plan.epsilon,
                                  ret_problem);
    bool is_price = status != GW_OK && status != GW_DENIED;
    if (is_price && gw_facts_target_out_of_reach(question, policy, facts->catalogue, facts->arena, ret_problem))
        status = GW_INVALID;
    if (status == GW_OK)
        status = gw_plan_check_size(&ret->plan, facts->arena, ret_problem);
    ret->has_target = question->target_error && !question->has_epsilon;
    return status;
}

static gw_status resolve(const gw_facts *facts, const gw_question *question, priced *ret, gw_problem *ret_problem) {
    *ret = (priced){0};
    gw_status status = resolve_plan(facts, question, ret, ret_problem);
    if (status != GW_OK)
        return status;
    gw_store_data data;
    if (gw_store_data_current(facts->reader, ret->plan.policy->dataset, &data) == GW_OK)
        snprintf(ret->data, sizeof ret->data, "%s", data.version);
    gw_buffer text;
    gw_buffer_init(&text, CANONICAL_BYTES_MAX);
    gw_plan_canonical(&ret->plan, ret->data, &text);
    status = text.status;
    ret->hash = gw_sha256(gw_buffer_bytes(&text));
    gw_buffer_done(&text);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, GW_LIMIT, "too_many", "This question is too large.", "",
                              "Ask in several smaller ones.");
    gw_store_charge charge;
    ret->is_free =
        gw_store_charge_by_question(facts->reader, ret->hash, facts->who->is_known ? facts->who->principal : NULL,
                                    facts->now, &charge) == GW_OK;
    ret->price = ret->is_free ? (gw_epsilon){0} : ret->plan.epsilon;
    return GW_OK;
}

// The question as it will be asked: its epsilon resolved, and nothing of how it was found.
static void write_as_asked(const gw_question *question, gw_epsilon epsilon, gw_buffer *out) {
    gw_question asked = *question;
    asked.kind = GW_KIND_QUERY;
    asked.has_epsilon = true;
    asked.epsilon = epsilon;
    asked.target_error = NULL;
    asked.group_size = 0;
    asked.has_max_cost = false;
    gw_question_encode(&asked, out);
}

// A price is right also where its quote finds no room; it is then asked in full.
static void quote_give(const gw_facts *facts, const gw_question *question, priced *of) {
    gw_buffer body;
    if (!facts->who->is_known)
        return;
    gw_buffer_init(&body, GW_QUOTE_BYTES_OF_PRINCIPAL_MAX);
    write_as_asked(question, of->plan.epsilon, &body);
    gw_quote quote = {.policy = of->in_force.row.seq, .question = of->hash, .price = of->price};
    snprintf(quote.principal, sizeof quote.principal, "%s", facts->who->principal);
    snprintf(quote.data, sizeof quote.data, "%s", of->data);
    if (body.status == GW_OK && gw_quote_give(facts->quotes, &quote, gw_buffer_bytes(&body), facts->now) == GW_OK)
        of->quote = quote;
    gw_buffer_done(&body);
}

// ---- writing

static void write_quote(const gw_quote *quote, gw_buffer *out) {
    if (quote->id[0] == '\0')
        return;
    gw_json_write_name(out, "quote");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "id", quote->id);
    gw_json_write_integer(out, "expires", quote->expires);
    gw_buffer_text(out, "}");
}

// Without its balances and its end.
static void write_price(const priced *of, gw_buffer *out) {
    char hex[GW_HASH_HEX];
    gw_buffer title;
    gw_hex((gw_bytes){of->hash.bytes, sizeof of->hash.bytes}, hex);
    gw_buffer_init(&title, CANONICAL_BYTES_MAX);
    gw_plan_title(&of->plan, &title);
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_member(out, "dataset", of->plan.policy->dataset);
    gw_json_write_member(out, "notice", of->plan.policy->notice);
    gw_json_write_member(out, "question", hex);
    gw_json_write_member(out, "title", gw_buffer_string(&title));
    gw_json_write_member(out, "statistic", gw_statistic_name(gw_plan_asked(&of->plan)));
    gw_json_write_integer(out, "cells", (int64_t)of->plan.cell_count);
    gw_json_write_epsilon(out, "epsilon", of->plan.epsilon);
    gw_json_write_epsilon(out, "price", of->price);
    gw_json_write_name(out, "free");
    gw_buffer_text(out, of->is_free ? "true" : "false");
    gw_buffer_done(&title);
}

static gw_status write_one(const gw_facts *facts, const priced *of, gw_bytes asked, gw_buffer *out,
                           gw_problem *ret_problem) {
    write_price(of, out);
    gw_loss price = gw_facts_loss(of->price);
    gw_status status =
        gw_facts_write_balances(facts, of->plan.policy->dataset,
                                (gw_facts_balance_style){.price = &price, .each = of->price}, out, ret_problem);
    gw_facts_write_error(&of->plan, of->has_target, out);
    gw_describe_protection(&of->plan, out);
    if (asked.size > 0) {
        gw_json_write_name(out, "asked");
        gw_buffer_append(out, asked.data, asked.size);
    }
    write_quote(&of->quote, out);
    gw_buffer_text(out, "}");
    return status;
}

// ---- one question, or one that was quoted

static gw_status cost_one(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    priced of;
    gw_status status = resolve(facts, facts->question, &of, ret_problem);
    if (status != GW_OK)
        return status;
    quote_give(facts, facts->question, &of);
    return write_one(facts, &of, (gw_bytes){0}, out, ret_problem);
}

// What a quote stands for, at what price now, and the question itself, for whoever has only the id.
static gw_status cost_quoted(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    gw_buffer body;
    gw_json *json = NULL;
    gw_quote quote;
    gw_question question;
    priced of;
    gw_buffer_init(&body, GW_QUOTE_BYTES_OF_PRINCIPAL_MAX);
    gw_status status = gw_facts_quoted(facts, &quote, &body, &json, &question, ret_problem);
    if (status == GW_OK)
        status = resolve(facts, &question, &of, ret_problem);
    if (status == GW_OK) {
        of.quote = quote;
        status = write_one(facts, &of, gw_buffer_bytes(&body), out, ret_problem);
    }
    gw_json_free(json);
    gw_buffer_done(&body);
    return status;
}

// ---- a basket

typedef struct {
    const gw_policy *policy;
    gw_loss price;         // of its questions
    unsigned shared_shown; // bits of gw_budget_kind: budgets of its population that stand in the list
} basket_dataset;

typedef struct {
    const gw_facts *facts;
    gw_buffer *out;
    gw_problem *problem;
    gw_hash hashes[GW_BASKET_MAX];
    size_t places[GW_BASKET_MAX]; // of the questions with these hashes, from 1
    size_t count;
    basket_dataset datasets[GW_BASKET_MAX];
    size_t dataset_count;
    uint64_t price;
    size_t refused;
} basket;

// The place of an equal question that came before; 0 where there is none.
static size_t basket_place_of(const basket *all, gw_hash hash) {
    for (size_t i = 0; i < all->count; i++)
        if (gw_hash_equal(all->hashes[i], hash))
            return all->places[i];
    return 0;
}

static void basket_charge(basket *all, const priced *of) {
    size_t at = 0;
    while (at < all->dataset_count && strcmp(all->datasets[at].policy->dataset, of->plan.policy->dataset) != 0)
        at++;
    if (at == all->dataset_count)
        all->datasets[all->dataset_count++] = (basket_dataset){.policy = of->plan.policy};
    gw_loss price = gw_facts_loss(of->price);
    all->datasets[at].price.micro += price.micro; // at most 100 prices below 2^50 each
    all->datasets[at].price.rho = gw_rho_add(all->datasets[at].price.rho, price.rho);
    all->price += of->price.micro;
}

static void basket_write_refused(basket *all, size_t place, const gw_problem *problem) {
    gw_buffer_text(all->out, "{");
    gw_json_write_integer(all->out, "place", (int64_t)place);
    gw_json_write_name(all->out, "problem");
    gw_problem_encode(problem, all->out);
    gw_buffer_text(all->out, "}");
    all->refused++;
}

// Questions that are equal once they are canonical are answered once: the first pays.
static void basket_add(basket *all, const gw_question *question, size_t place) {
    gw_problem problem = {0};
    priced of;
    gw_buffer_text(all->out, place > 1 ? "," : "");
    if (resolve(all->facts, question, &of, &problem) != GW_OK) {
        basket_write_refused(all, place, &problem);
        return;
    }
    size_t same_as = basket_place_of(all, of.hash);
    quote_give(all->facts, question, &of);
    write_price(&of, all->out);
    gw_json_write_integer(all->out, "place", (int64_t)place);
    if (same_as > 0)
        gw_json_write_integer(all->out, "same_as", (int64_t)same_as);
    gw_facts_write_error(&of.plan, of.has_target, all->out);
    write_quote(&of.quote, all->out);
    gw_buffer_text(all->out, "}");
    if (same_as > 0)
        return;
    all->hashes[all->count] = of.hash;
    all->places[all->count++] = place;
    basket_charge(all, &of);
}

// Budgets that several datasets share are met by the questions on all of them.
static bool is_of_population(const gw_store_balance *balance, const gw_policy *policy) {
    return balance->kind == GW_BUDGET_POPULATION ||
           (balance->kind == GW_BUDGET_WINDOW && strcmp(balance->id, policy->dataset) != 0);
}

static gw_loss basket_price_on(const basket *all, const gw_policy *policy, bool is_shared) {
    gw_loss price = {0};
    for (size_t i = 0; i < all->dataset_count; i++) {
        const basket_dataset *one = &all->datasets[i];
        if (is_shared ? strcmp(one->policy->population, policy->population) == 0
                      : strcmp(one->policy->dataset, policy->dataset) == 0) {
            price.micro += one->price.micro;
            price.rho = gw_rho_add(price.rho, one->price.rho);
        }
    }
    return price;
}

static bool basket_has_shown(const basket *all, const gw_policy *policy, gw_budget_kind kind) {
    for (size_t i = 0; i < all->dataset_count; i++)
        if (strcmp(all->datasets[i].policy->population, policy->population) == 0 &&
            (all->datasets[i].shared_shown & 1u << kind) != 0)
            return true;
    return false;
}

static gw_status basket_write_balances_of(basket *all, size_t at, const char **comma) {
    const gw_facts *facts = all->facts;
    const gw_policy *policy = all->datasets[at].policy;
    gw_store_balance balances[4];
    gw_status status =
        gw_store_balances(facts->reader, policy->dataset, facts->who->principal, facts->charge_time, balances);
    if (status != GW_OK)
        return gw_problem_set(all->problem, status, "internal", "The budgets could not be read.", "",
                              "Ask the operator.");
    for (size_t i = 0; i < 4; i++) {
        bool is_shared = is_of_population(&balances[i], policy);
        bool is_hidden = balances[i].kind == GW_BUDGET_PRINCIPAL && !facts->who->is_known;
        if (!balances[i].is_set || is_hidden || (is_shared && basket_has_shown(all, policy, balances[i].kind)))
            continue;
        if (is_shared)
            all->datasets[at].shared_shown |= 1u << balances[i].kind;
        gw_loss price = basket_price_on(all, policy, is_shared);
        gw_buffer_text(all->out, *comma);
        gw_facts_write_balance(
            all->out, &balances[i],
            (gw_facts_balance_style){.dataset = is_shared ? policy->population : policy->dataset, .price = &price});
        *comma = ",";
    }
    return GW_OK;
}

static gw_status cost_basket(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    basket *all = gw_arena_alloc(facts->arena, sizeof *all);
    if (!all)
        return gw_problem_set(ret_problem, GW_LIMIT, "too_many", "This basket is too large.", "",
                              "Ask for the rest in a second basket.");
    *all = (basket){.facts = facts, .out = out, .problem = ret_problem};
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_name(out, "quotes");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < facts->question->basket_count; i++)
        basket_add(all, &facts->question->basket[i], i + 1);
    gw_buffer_text(out, "]");
    gw_json_write_epsilon(out, "price", (gw_epsilon){all->price});
    gw_json_write_integer(out, "refused", (int64_t)all->refused);
    gw_json_write_name(out, "balances");
    gw_buffer_text(out, "[");
    gw_status status = GW_OK;
    const char *comma = "";
    for (size_t i = 0; i < all->dataset_count && status == GW_OK; i++)
        status = basket_write_balances_of(all, i, &comma);
    gw_buffer_text(out, "]}");
    return status;
}

gw_status gw_facts_cost(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    if (facts->question->basket)
        return cost_basket(facts, out, ret_problem);
    return facts->question->quote ? cost_quoted(facts, out, ret_problem) : cost_one(facts, out, ret_problem);
}
