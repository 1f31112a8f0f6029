// SPDX-License-Identifier: Apache-2.0
// A query by a quote's id: which quotes may be asked, at which price, and that a request that was charged keeps its
// answer when its quote is gone. Without an engine a question that passed everything before its charge is refused with
// `not_serving`.
#include "service/query/canonical_read.h"
#include "service/query/plan.h"
#include "service/query/quotes.h"
#include "tests/unit/query/asking_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define RATE                                                                                                           \
    "\"dataset\":\"" ASKING_REGISTER "\",\"indicator\":\"employment_rate\",\"by\":[\"sex\",\"c_birth\"],"              \
    "\"where\":[{\"concept\":\"age\",\"between\":[30,50]}]"
#define COST "{\"v\":1,\"kind\":\"cost\"," RATE ",\"target_error\":\"3\",\"group_size\":2000}"

typedef char quote_text[GW_QUOTE_ID_TEXT];

static int setup(void **state) {
    asking *made = malloc(sizeof *made);
    asking_begin(made);
    *state = made;
    return 0;
}
static int teardown(void **state) {
    asking_end(*state);
    free(*state);
    return 0;
}

static void must_answer(asking *made, unsigned who, const char *body) {
    if (!asking_send(made, who, body))
        fail_msg("%s: %s %s %s", body, made->problem.code, made->problem.what, made->problem.why);
}

static void quote_of_cost(asking *made, unsigned who, quote_text id) {
    must_answer(made, who, COST);
    const gw_json_node *quote = gw_json_member(gw_json_root(made->document), "quote");
    assert_non_null(quote);
    snprintf(id, sizeof(quote_text), "%s", gw_json_string(gw_json_member(quote, "id")));
}

// Asks by the id; the code it is refused with.
static const char *ask(asking *made, unsigned who, const char *id, const char *rest) {
    char body[256];
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"query\",\"quote\":\"%s\"%s}", id, rest);
    return asking_send(made, who, body) ? "" : made->problem.code;
}

static void a_quote_is_asked_by_its_owner_within_its_hour(void **state) {
    asking *made = *state;
    quote_text id;
    quote_of_cost(made, ASKING_ANNA, id);
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "not_serving");
    made->now += GW_QUOTE_SECONDS - 1;
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "not_serving");
    made->now += 1;
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "quote_expired");
}

// Whether an id was given to somebody else is told to nobody.
static void unknown_is_one_and_the_same_reply(void **state) {
    asking *made = *state;
    quote_text id;
    gw_problem first, other;
    quote_of_cost(made, ASKING_ANNA, id);
    assert_string_equal(ask(made, ASKING_ANNA, "Q-2222-2222-2222", ""), "quote_unknown");
    first = made->problem;
    assert_string_equal(ask(made, ASKING_BELA, id, ""), "quote_unknown");
    other = made->problem;
    assert_memory_equal(&first, &other, sizeof first);
    made->now += GW_QUOTE_SECONDS;
    assert_string_equal(ask(made, ASKING_BELA, id, ""), "quote_unknown"); // not "expired" either
    made->now += GW_QUOTE_SECONDS_KEPT;
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "quote_unknown"); // long ago
    other = made->problem;
    assert_memory_equal(&first, &other, sizeof first);
    quote_of_cost(made, ASKING_ANNA, id);
    asking_restart(made);
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "quote_unknown");
    assert_string_equal(ask(made, ASKING_NOBODY, id, ""), "quote_unknown");
}

static void a_new_policy_or_new_data_make_it_stale(void **state) {
    asking *made = *state;
    quote_text id;
    quote_of_cost(made, ASKING_ANNA, id);
    asking_policy(made, 1, "2"); // of another dataset
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "not_serving");
    asking_data(made, 0, 0xdada);
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "quote_stale");
    quote_of_cost(made, ASKING_ANNA, id);
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "not_serving");
    asking_policy(made, 0, "2.5");
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "quote_stale");
}

static void a_quote_can_be_looked_at_again(void **state) {
    asking *made = *state;
    quote_text id;
    char body[256], price[32], title[256];
    quote_of_cost(made, ASKING_ANNA, id);
    snprintf(price, sizeof price, "%s", asking_text(made, "price"));
    snprintf(title, sizeof title, "%s", asking_text(made, "title"));
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"cost\",\"quote\":\"%s\"}", id);
    must_answer(made, ASKING_ANNA, body);
    assert_string_equal(asking_text(made, "price"), price);
    assert_string_equal(asking_text(made, "title"), title);
    const gw_json_node *root = gw_json_root(made->document);
    assert_string_equal(gw_json_string(gw_json_member(gw_json_member(root, "quote"), "id")), id);
    // The question stands there with its price resolved, and nothing of how it was found.
    const gw_json_node *asked = gw_json_member(root, "asked");
    assert_string_equal(gw_json_string(gw_json_member(asked, "epsilon")), price);
    assert_null(gw_json_member(asked, "target_error"));
    assert_null(gw_json_member(asked, "group_size"));
    assert_false(asking_send(made, ASKING_BELA, body));
    assert_string_equal(made->problem.code, "quote_unknown");
}

// ---- what was charged

#define MANY(rest) "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" ASKING_REGISTER "\"," rest ",\"epsilon\":\"0.1\"}"

typedef struct {
    gw_buffer text;
    gw_hash hash;
} canonical;

static canonical canonical_of(asking *made, const gw_question *question, gw_arena *arena) {
    canonical made_text;
    gw_policy_in_force in_force;
    gw_plan plan;
    gw_problem problem = {0};
    assert_int_equal(gw_query_policy(made->worker, question->dataset, &in_force, &problem), GW_OK);
    if (gw_plan_build(question, in_force.policy, made->catalogue, arena, &plan, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    gw_buffer_init(&made_text.text, 1 << 20);
    gw_plan_canonical(&plan, made->data[0], &made_text.text);
    made_text.hash = gw_sha256(gw_buffer_bytes(&made_text.text));
    return made_text;
}

// The question a body asks, as it would be charged.
static canonical canonical_of_body(asking *made, const char *body) {
    gw_arena *arena = gw_arena_new(1 << 20);
    gw_json *json = NULL;
    gw_question question;
    gw_problem problem = {0};
    if (gw_json_parse(gw_bytes_of(body), GW_JSON_REQUEST, &json, &problem) != GW_OK ||
        gw_question_decode(json, arena, &question, &problem) != GW_OK)
        fail_msg("%s: %s %s", body, problem.what, problem.why);
    canonical made_text = canonical_of(made, &question, arena);
    gw_json_free(json);
    gw_arena_free(arena);
    return made_text;
}

// Whatever can be charged can be read back from the ledger as the very same question.
static void a_charged_question_reads_back_as_itself(void **state) {
    asking *made = *state;
    static const char *const bodies[] = {
        "{\"v\":1,\"kind\":\"query\"," RATE ",\"epsilon\":\"0.05\"}",
        "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" ASKING_REGISTER
        "\",\"measure\":{\"statistic\":\"mean\",\"of\":\"income\"},\"by\":[\"age:work\"],\"where\":[{\"concept\":"
        "\"sex\",\"equals\":\"F\"},{\"concept\":\"income\",\"between\":[\"10\",\"5000\"]}],\"epsilon\":\"0.123456\"}",
        "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" ASKING_REGISTER
        "\",\"measure\":{\"statistic\":\"share\"},\"by\":[\"c_birth\",\"sex\"],\"where\":[{\"concept\":\"age:work\","
        "\"in\":[\"Y_GE65\",\"_U\"]}],\"epsilon\":\"0.1\"}",
        "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" ASKING_REGISTER
        "\",\"measure\":{\"statistic\":\"count\"},\"by\":[],\"epsilon\":\"0.5\"}",
        MANY("\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},\"by\":[\"reason\"]"),
        MANY("\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[],\"weighted\":"
             "false"),
        MANY("\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[\"reason\",\"c_birth\"]"),
        MANY("\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\"},\"by\":[\"c_birth\"]"),
        MANY("\"measure\":{\"statistic\":\"net\",\"table\":\"permits\",\"plus\":[{\"concept\":\"reason\",\"in\":["
             "\"EMP\"]}],"
             "\"minus\":[{\"concept\":\"reason\",\"in\":[\"FAM\",\"EDUC\"]}]},\"by\":[\"c_birth\"]"),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        canonical first = canonical_of_body(made, bodies[i]);
        gw_arena *arena = gw_arena_new(1 << 20);
        gw_json *json = NULL;
        gw_question question;
        gw_problem problem = {0};
        if (gw_canonical_read(gw_buffer_bytes(&first.text), arena, &json, &question, &problem) != GW_OK)
            fail_msg("%s: %s", gw_buffer_string(&first.text), problem.why);
        canonical second = canonical_of(made, &question, arena);
        assert_string_equal(gw_buffer_string(&first.text), gw_buffer_string(&second.text));
        gw_buffer_done(&first.text);
        gw_buffer_done(&second.text);
        gw_json_free(json);
        gw_arena_free(arena);
    }
}

#define ANSWER "{\"v\":1,\"answer\":\"of the fixture\"}"

static void a_charged_request_keeps_its_answer_without_its_quote(void **state) {
    asking *made = *state;
    quote_text id;
    char body[512], price[32];
    quote_of_cost(made, ASKING_ANNA, id);
    snprintf(price, sizeof price, "%s", asking_text(made, "price"));
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "not_serving");
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"query\"," RATE ",\"epsilon\":\"%s\"}", price);
    canonical asked = canonical_of_body(made, body);
    asking_charge_last(made, ASKING_ANNA, &asked.hash, gw_buffer_bytes(&asked.text), 50000, ANSWER);
    for (int after = 0; after < 5; after++) {
        if (after == 1)
            made->now += GW_QUOTE_SECONDS; // expired
        else if (after == 2)
            asking_restart(made);
        else if (after == 3)
            asking_policy(made, 0, "2.5");
        else if (after == 4)
            asking_data(made, 0, 0xdada);
        assert_true(asking_send_again(made));
        assert_int_equal(made->reply.answer.size, strlen(ANSWER));
        assert_memory_equal(made->reply.answer.data, ANSWER, strlen(ANSWER));
        assert_true(made->reply.receipt.size > 0);
        assert_non_null(memmem(made->reply.account.data, made->reply.account.size, "\"repeat\":true", 13));
    }
    gw_buffer_done(&asked.text);
}

// A crash between charge and answer: the very same request goes on from the ledger alone, with the charge it made.
static void an_interrupted_request_is_taken_up_again_after_a_restart(void **state) {
    asking *made = *state;
    quote_text id;
    char body[512], price[32];
    quote_of_cost(made, ASKING_ANNA, id);
    snprintf(price, sizeof price, "%s", asking_text(made, "price"));
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "not_serving");
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"query\"," RATE ",\"epsilon\":\"%s\"}", price);
    canonical asked = canonical_of_body(made, body);
    asking_charge_last(made, ASKING_ANNA, &asked.hash, gw_buffer_bytes(&asked.text), 50000, NULL);
    asking_restart(made);
    made->now += GW_QUOTE_SECONDS;
    // It passes authorization and recall: only an engine is missing, and the charge is said to stand.
    assert_false(asking_send_again(made));
    assert_string_equal(made->problem.code, "answer_failed");
    assert_int_equal(made->problem.charged.micro, 50000);
    gw_buffer_done(&asked.text);
}

static void other_bytes_under_its_id_are_refused(void **state) {
    asking *made = *state;
    quote_text id;
    quote_of_cost(made, ASKING_ANNA, id);
    assert_string_equal(ask(made, ASKING_ANNA, id, ""), "not_serving");
    const gw_hash hash = fixture_hash("{}");
    asking_charge_last(made, ASKING_ANNA, &hash, gw_bytes_of("{}"), 50000, ANSWER);
    made->requests--; // the same request id once more
    assert_string_equal(ask(made, ASKING_ANNA, id, ",\"max_cost\":\"0.05\""), "idem_conflict");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_quote_is_asked_by_its_owner_within_its_hour),
        CASE(unknown_is_one_and_the_same_reply),
        CASE(a_new_policy_or_new_data_make_it_stale),
        CASE(a_quote_can_be_looked_at_again),
        CASE(a_charged_question_reads_back_as_itself),
        CASE(a_charged_request_keeps_its_answer_without_its_quote),
        CASE(an_interrupted_request_is_taken_up_again_after_a_restart),
        CASE(other_bytes_under_its_id_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
