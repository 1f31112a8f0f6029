// SPDX-License-Identifier: Apache-2.0
// Story: somebody asks again and again, in other words, under other names, of overlapping groups and of newer data, to
// get more than was paid for (attacks 8, 9, 20, 23, 29, 30). Whatever is answered anew is charged in full, on the
// dataset's one ledger; whatever is free is the same bytes.
#include "tests/attacks/registers.h"

#include "tests/support/unit.h"

#define DATASET "test.example/again"
#define SMALL "test.example/small"
#define PERSONS 500u
#define REPEATS 1000u
#define FRIENDS 5u

static test_daemon service;
static gw_profile first, second;

static int begin(void **state) {
    (void)state;
    test_daemon_init(&service);
    test_daemon_start(&service);
    register_add(&service, DATASET, PERSONS, (test_budget){"1000", NULL, "0.01", "2"});
    test_daemon_principal(&service, "researcher", &first);
    test_daemon_principal(&service, "researcher", &second);
    return 0;
}

static int end(void **state) {
    (void)state;
    test_daemon_done(&service);
    return 0;
}

static bool ask(test_asker *asker, const char *rest, const char *idem) {
    char body[1024];
    register_body(body, "query", DATASET, rest);
    return test_ask_query(asker, body, idem);
}

static void keep(gw_buffer *ret, const test_asker *asker) {
    gw_buffer_init(ret, 1u << 20);
    gw_buffer_append(ret, asker->reply.answer.data, asker->reply.answer.size);
    assert_int_equal(ret->status, GW_OK);
}

static uint64_t spent(void) {
    return test_daemon_spent(&service, DATASET);
}

#define COUNT "\"measure\":{\"statistic\":\"count\"}"

// ---- 8: averaging

static void a_thousand_repeats_are_one_answer_at_one_price(void **state) {
    gw_buffer answer;
    test_asker asker;
    (void)state;
    const uint64_t before = spent();
    test_asker_open(&asker, &first);
    assert_true(ask(&asker, COUNT ",\"by\":[],\"epsilon\":\"0.1\"", NULL));
    keep(&answer, &asker);
    for (unsigned i = 0; i < REPEATS; i++) {
        assert_true(ask(&asker, COUNT ",\"by\":[],\"epsilon\":\"0.1\"", NULL)); // a new request each time
        assert_true(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&answer)));
    }
    test_asker_close(&asker);
    gw_buffer_done(&answer);
    assert_int_equal(spent() - before, 100000);
}

// Forty-nine fresh answers at 1 tell a count for all but certain: they are there to be bought, and cost 49.
static void fresh_answers_cost_their_full_price_each(void **state) {
    char rest[256];
    test_asker asker;
    uint64_t price = 0;
    (void)state;
    const uint64_t before = spent();
    test_asker_open(&asker, &first);
    for (unsigned i = 0; i < 49; i++) {
        snprintf(rest, sizeof rest, COUNT ",\"by\":[],\"epsilon\":\"1.0000%02u\"", i + 1);
        assert_true(ask(&asker, rest, NULL));
        price += 1000000 + i + 1;
    }
    test_asker_close(&asker);
    assert_int_equal(spent() - before, price);
}

// ---- 9: the same in other words

// Each either costs its price or is the first one's bytes: nothing is free and new.
static void other_words_for_the_same_are_never_new_and_free(void **state) {
    static const char *const words[] = {
        COUNT ",\"by\":[\"sex\"],\"where\":[{\"concept\":\"age\",\"between\":[20,64]},{\"concept\":\"activity\",\"in\":"
              "[\"EMP\",\"UNE\"]}],\"epsilon\":\"0.1\"",
        COUNT ",\"by\":[\"sex\"],\"where\":[{\"concept\":\"activity\",\"in\":[\"EMP\",\"UNE\"]},{\"concept\":\"age\","
              "\"between\":[20,64]}],\"epsilon\":\"0.1\"",
        COUNT ",\"by\":[\"sex\"],\"where\":[{\"concept\":\"activity\",\"in\":[\"UNE\",\"EMP\"]},{\"concept\":\"age\","
              "\"between\":[\"20\",\"64\"]}],\"epsilon\":\"0.10\"",
        COUNT ",\"by\":[\"sex\"],\"where\":[{\"concept\":\"activity\",\"in\":[\"UNE\",\"EMP\"]},{\"concept\":\"age:"
              "work\",\"in\":[\"Y20T64\"]}],\"epsilon\":\"0.1\"",
        COUNT ",\"by\":[\"sex\"],\"where\":[{\"concept\":\"activity\",\"in\":[\"UNE\",\"EMP\"]},{\"concept\":\"age\","
              "\"between\":[20,100]},{\"concept\":\"age\",\"between\":[0,64]}],\"epsilon\":\"0.100000\"",
        ("\"epsilon\":\"0.1\",\"where\":[{\"between\":[\"20.0\",\"64.0\"],\"concept\":\"age\"},{\"in\":[\"EMP\","
         "\"UNE\"]"
         ",\"concept\":\"activity\"}],\"by\":[\"sex\"],\"measure\":{\"statistic\":\"count\",\"table\":\"persons\"}"),
    };
    gw_buffer answer;
    test_asker asker;
    size_t free_of_charge = 0;
    (void)state;
    test_asker_open(&asker, &first);
    assert_true(ask(&asker, words[0], NULL));
    keep(&answer, &asker);
    for (size_t i = 1; i < sizeof words / sizeof *words; i++) {
        const uint64_t before = spent();
        if (!ask(&asker, words[i], NULL))
            continue; // refused: nothing was told
        const uint64_t price = spent() - before;
        bool is_same = gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&answer));
        if (is_same ? price != 0 : price != 100000)
            fail_msg("%s answer for %lu: %s", is_same ? "the same" : "another", (unsigned long)price, words[i]);
        free_of_charge += is_same;
    }
    assert_true(free_of_charge >= 3);
    test_asker_close(&asker);
    gw_buffer_done(&answer);
}

// ---- 20: replay

static void two_people_may_use_one_request_id(void **state) {
    static const char idem[] = "0123456789abcdef0123456789abcdef";
    gw_buffer answer;
    test_asker one, other;
    (void)state;
    const uint64_t before = spent();
    test_asker_open(&one, &first);
    test_asker_open(&other, &second);
    assert_true(ask(&one, COUNT ",\"by\":[],\"epsilon\":\"0.11\"", idem));
    keep(&answer, &one);
    assert_true(ask(&other, COUNT ",\"by\":[],\"epsilon\":\"0.12\"", idem)); // independent: another question, its price
    assert_false(gw_bytes_equal(other.reply.answer, gw_buffer_bytes(&answer)));
    assert_int_equal(spent() - before, 230000);
    assert_true(test_asker_send(&one, 60000)); // the same bytes again, and each has their own
    assert_true(gw_bytes_equal(one.reply.answer, gw_buffer_bytes(&answer)));
    assert_int_equal(spent() - before, 230000);
    test_asker_close(&one);
    test_asker_close(&other);
    gw_buffer_done(&answer);
}

// ---- 23: groups that overlap, or do not

static void groups_in_several_questions_are_charged_one_by_one(void **state) {
    static const char *const groups[] = {
        COUNT ",\"by\":[],\"where\":[{\"concept\":\"age\",\"between\":[0,29]}],\"epsilon\":\"0.1\"",
        COUNT ",\"by\":[],\"where\":[{\"concept\":\"age\",\"between\":[0,30]}],\"epsilon\":\"0.1\"",
        COUNT ",\"by\":[],\"where\":[{\"concept\":\"age\",\"between\":[30,120]}],\"epsilon\":\"0.1\"",
        COUNT ",\"by\":[],\"where\":[{\"concept\":\"sex\",\"in\":[\"F\"]}],\"epsilon\":\"0.1\"",
    };
    test_asker asker;
    (void)state;
    const uint64_t before = spent();
    test_asker_open(&asker, &first);
    for (size_t i = 0; i < 4; i++) {
        assert_true(ask(&asker, groups[i], NULL));
        assert_int_equal(spent() - before, (i + 1) * 100000);
    }
    // The groups of one breakdown are disjoint by what they are, and cost once.
    assert_true(ask(&asker, COUNT ",\"by\":[\"age:work\",\"sex\"],\"epsilon\":\"0.1\"", NULL));
    assert_int_equal(spent() - before, 500000);
    // Nobody can say of groups that they are disjoint: there is no word for it.
    assert_false(ask(&asker, COUNT ",\"by\":[],\"groups\":[\"a\",\"b\"],\"epsilon\":\"0.1\"", NULL));
    assert_false(ask(&asker, COUNT ",\"by\":[],\"disjoint\":true,\"epsilon\":\"0.1\"", NULL));
    test_asker_close(&asker);
}

// ---- 29: newer data

static void newer_data_go_on_with_the_same_ledger(void **state) {
    gw_buffer answer;
    test_asker asker;
    (void)state;
    test_asker_open(&asker, &first);
    assert_true(ask(&asker, COUNT ",\"by\":[\"activity\"],\"epsilon\":\"0.1\"", NULL));
    keep(&answer, &asker);
    const uint64_t before = spent();
    register_reload(&service, DATASET, PERSONS + 1); // one person more
    assert_int_equal(spent(), before);
    assert_true(ask(&asker, COUNT ",\"by\":[\"activity\"],\"epsilon\":\"0.1\"", NULL));
    assert_false(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&answer)));
    assert_int_equal(spent(), before + 100000);
    test_asker_close(&asker);
    gw_buffer_done(&answer);
}

// ---- 30: friends

static void friends_have_no_more_than_one_between_them(void **state) {
    char body[1024], rest[256];
    size_t answered = 0;
    (void)state;
    register_add(&service, SMALL, PERSONS, (test_budget){"0.5", "0.5", "0.01", "0.5"});
    for (unsigned i = 0; i < FRIENDS; i++) {
        gw_profile friend;
        test_asker asker;
        test_daemon_principal(&service, "researcher", &friend);
        test_asker_open(&asker, &friend);
        snprintf(rest, sizeof rest, COUNT ",\"by\":[],\"epsilon\":\"0.20000%u\"", i + 1);
        register_body(body, "query", SMALL, rest);
        bool is_answered = test_ask(&asker, body, NULL);
        if (!is_answered)
            assert_string_equal(asker.problem.code, "budget_dataset");
        answered += is_answered;
        test_asker_close(&asker);
    }
    assert_int_equal(answered, 2); // each alone has 0.5
    assert_true(test_daemon_spent(&service, SMALL) <= 500000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_repeats_are_one_answer_at_one_price),
        cmocka_unit_test(fresh_answers_cost_their_full_price_each),
        cmocka_unit_test(other_words_for_the_same_are_never_new_and_free),
        cmocka_unit_test(two_people_may_use_one_request_id),
        cmocka_unit_test(groups_in_several_questions_are_charged_one_by_one),
        cmocka_unit_test(newer_data_go_on_with_the_same_ledger),
        cmocka_unit_test(friends_have_no_more_than_one_between_them),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
