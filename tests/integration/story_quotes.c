// SPDX-License-Identifier: Apache-2.0
// Story: a price is quoted, asked by its id, and its receipt proves it; the same bytes get the same answer for ever,
// also when a restart has forgotten the quote. And the dummy of that question has its shape, without an engine.
#include "service/wire/question.h"
#include "tests/support/daemon.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define QUESTION                                                                                                       \
    "\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"mean\",\"of\":\"hours\"},\"by\":[\"sex\"]"
#define COST "{\"v\":1,\"kind\":\"cost\"," QUESTION ",\"target_error\":\"5\",\"group_size\":250}"
#define IDEM "00112233445566778899aabbccddeeff"
#define ENGINES_MAX 64

typedef char quote_text[GW_QUOTE_ID_TEXT];

typedef struct {
    test_daemon daemon;
    gw_profile first, second;
    test_asker asker; // the first's
    quote_text quote;
    gw_epsilon price;
    gw_buffer request, answer; // as first sent and received
} story;

static gw_json *document_of(const test_asker *asker) {
    gw_json *json = NULL;
    assert_int_equal(gw_json_parse(asker->reply.answer, GW_JSON_REPLY, &json, NULL), GW_OK);
    return json;
}

static gw_epsilon quote_ask(test_asker *asker, quote_text ret_id) {
    gw_epsilon price;
    if (!test_ask(asker, COST, NULL))
        fail_msg("%s: %s %s", asker->problem.code, asker->problem.what, asker->problem.why);
    gw_json *json = document_of(asker);
    const gw_json_node *root = gw_json_root(json), *quote = gw_json_member(root, "quote");
    assert_non_null(quote);
    snprintf(ret_id, GW_QUOTE_ID_TEXT, "%s", gw_json_string(gw_json_member(quote, "id")));
    assert_int_equal(gw_epsilon_parse(gw_json_string(gw_json_member(root, "price")), &price), GW_OK);
    gw_json_free(json);
    return price;
}

static bool ask_quoted(test_asker *asker, const char *id, const char *idem, const char *rest) {
    char body[256];
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"query\",\"quote\":\"%s\"%s}", id, rest);
    return test_ask_query(asker, body, idem);
}

static void keep(gw_buffer *buffer, gw_bytes bytes) {
    gw_buffer_init(buffer, 1 << 20);
    gw_buffer_append(buffer, bytes.data, bytes.size);
    assert_int_equal(buffer->status, GW_OK);
}

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    assert_non_null(it);
    test_daemon_with_people(&it->daemon, 500, (test_budget){"10", NULL, "0.01", "2"});
    test_daemon_principal(&it->daemon, "researcher", &it->first);
    test_daemon_principal(&it->daemon, "researcher", &it->second);
    test_asker_open(&it->asker, &it->first);
    it->price = quote_ask(&it->asker, it->quote);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    test_asker_close(&it->asker);
    test_daemon_done(&it->daemon);
    gw_buffer_done(&it->request);
    gw_buffer_done(&it->answer);
    free(it);
    return 0;
}

static void somebody_elses_quote_and_too_small_a_bound_buy_nothing(void **state) {
    story *it = *state;
    test_asker other;
    test_asker_open(&other, &it->second);
    assert_false(ask_quoted(&other, it->quote, NULL, ""));
    assert_string_equal(other.problem.code, "quote_unknown");
    test_asker_close(&other);
    assert_false(ask_quoted(&it->asker, it->quote, NULL, ",\"max_cost\":\"0.000001\""));
    assert_string_equal(it->asker.problem.code, "max_cost");
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), 0);
}

static void a_quote_buys_its_question_at_its_price(void **state) {
    story *it = *state;
    if (!ask_quoted(&it->asker, it->quote, IDEM, ""))
        fail_msg("%s: %s %s", it->asker.problem.code, it->asker.problem.what, it->asker.problem.why);
    assert_int_equal(it->asker.answer.noise.epsilon.micro, it->price.micro);
    assert_string_equal(it->asker.answer.of, "hours");
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), it->price.micro);
    keep(&it->request, gw_buffer_bytes(&it->asker.message));
    keep(&it->answer, it->asker.reply.answer);
}

// What an auditor checks: the signed request, short as it is, is the one that was charged for the answer's question.
static void the_receipt_proves_the_quoted_request(void **state) {
    story *it = *state;
    gw_note_key key;
    gw_entry charge, release;
    gw_problem problem;
    assert_int_equal(gw_note_key_parse(it->first.log_key, &key, &problem), GW_OK);
    assert_true(it->asker.reply.receipt.size > 0);
    if (gw_audit_receipt(it->asker.reply.receipt, it->asker.reply.answer, gw_buffer_bytes(&it->request), &key, &charge,
                         &release, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    char question[GW_HASH_HEX];
    gw_hex((gw_bytes){charge.charge.question.bytes, GW_HASH_SIZE}, question);
    assert_string_equal(question, it->asker.answer.question);
    assert_int_equal(charge.charge.cost, it->price.micro);
}

static void assert_resend_gets_the_answer(story *it) {
    test_asker asker;
    test_asker_open(&asker, &it->first);
    gw_buffer_append(&asker.message, it->request.data, it->request.size);
    assert_true(test_asker_send(&asker, 60000));
    assert_int_equal(asker.reply.status, GW_REPLY_OK);
    assert_true(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&it->answer)));
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), it->price.micro);
}

static void the_same_bytes_get_the_same_answer(void **state) {
    assert_resend_gets_the_answer(*state);
}

// The quote still stands: the question it names was answered, so it is free.
static void asked_again_by_the_quote_it_is_free(void **state) {
    story *it = *state;
    assert_true(ask_quoted(&it->asker, it->quote, NULL, ",\"max_cost\":\"0\""));
    assert_true(gw_bytes_equal(it->asker.reply.answer, gw_buffer_bytes(&it->answer)));
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), it->price.micro);
}

static void the_dummy_has_the_answers_shape_without_an_engine(void **state) {
    story *it = *state;
    pid_t engines[ENGINES_MAX];
    char body[512], price[GW_EPSILON_TEXT];
    gw_answer real;
    gw_problem problem;
    gw_arena *arena = gw_arena_new(1 << 20);
    assert_int_equal(gw_answer_decode(gw_buffer_bytes(&it->answer), arena, &real, &problem), GW_OK);
    const size_t count = test_daemon_engines(&it->daemon, engines, ENGINES_MAX);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        kill(engines[i], SIGKILL);
    gw_epsilon_format(it->price, price);
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"dummy\"," QUESTION ",\"epsilon\":\"%s\"}", price);
    if (!test_ask_query(&it->asker, body, NULL))
        fail_msg("%s: %s", it->asker.problem.code, it->asker.problem.what);
    const gw_answer *dummy = &it->asker.answer;
    assert_true(dummy->is_dummy);
    assert_false(real.is_dummy);
    assert_int_equal(strncmp(dummy->notice, "NOT REAL: made from the policy alone.", 37), 0);
    assert_int_equal(strncmp(dummy->release, "DUMMY-", 6), 0);
    assert_string_equal(dummy->statistic, real.statistic);
    assert_string_equal(dummy->unit, real.unit);
    assert_string_equal(dummy->of, real.of);
    assert_string_equal(dummy->grid, real.grid);
    assert_int_equal(dummy->noise.epsilon.micro, real.noise.epsilon.micro);
    assert_int_equal(dummy->noise.sensitivity, real.noise.sensitivity);
    assert_int_equal(dummy->part_count, real.part_count);
    assert_int_equal(dummy->cell_count, real.cell_count);
    for (size_t i = 0; i < real.cell_count; i++)
        assert_string_equal(dummy->cells[i].key[0], real.cells[i].key[0]);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), it->price.micro);
    gw_arena_free(arena);
}

static void a_restart_forgets_quotes_and_keeps_answers(void **state) {
    story *it = *state;
    quote_text unused;
    quote_ask(&it->asker, unused);
    test_daemon_stop(&it->daemon, SIGKILL);
    test_daemon_start(&it->daemon);
    test_asker_reconnect(&it->asker);
    assert_false(ask_quoted(&it->asker, unused, NULL, ""));
    assert_string_equal(it->asker.problem.code, "quote_unknown");
    assert_resend_gets_the_answer(it);
}

static void new_data_make_a_quote_stale(void **state) {
    story *it = *state;
    quote_text id;
    char path[TEST_PATH_MAX + 16];
    quote_ask(&it->asker, id);
    snprintf(path, sizeof path, "%s/people.csv", it->daemon.folder);
    test_daemon_load(&it->daemon, TEST_DATASET, path);
    assert_false(ask_quoted(&it->asker, id, NULL, ""));
    assert_string_equal(it->asker.problem.code, "quote_stale");
    assert_resend_gets_the_answer(it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(somebody_elses_quote_and_too_small_a_bound_buy_nothing),
        cmocka_unit_test(a_quote_buys_its_question_at_its_price),
        cmocka_unit_test(the_receipt_proves_the_quoted_request),
        cmocka_unit_test(the_same_bytes_get_the_same_answer),
        cmocka_unit_test(asked_again_by_the_quote_it_is_free),
        cmocka_unit_test(the_dummy_has_the_answers_shape_without_an_engine),
        cmocka_unit_test(a_restart_forgets_quotes_and_keeps_answers),
        cmocka_unit_test(new_data_make_a_quote_stale),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
