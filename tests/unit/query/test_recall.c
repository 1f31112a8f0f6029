// SPDX-License-Identifier: Apache-2.0
// What a request that was answered gets when it comes again, after its release's owner has said something of it.
#include "tests/unit/query/asking_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define QUERY                                                                                                          \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" ASKING_REGISTER "\",\"indicator\":\"employment_rate\","               \
    "\"epsilon\":\"0.05\"}"
#define ANSWER "{\"v\":1,\"answer\":42}"

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

static void answered(asking *made) {
    const gw_hash question = fixture_hash("{}");
    assert_false(asking_send(made, ASKING_ANNA, QUERY));
    assert_string_equal(made->problem.code, "not_serving");
    asking_charge_last(made, ASKING_ANNA, &question, gw_bytes_of("{}"), 50000, ANSWER);
    assert_true(asking_send_again(made));
}

static void owner_says(asking *made, gw_entry_kind kind, int64_t until) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = kind};
    bool is_embargo = kind == GW_ENTRY_EMBARGO;
    snprintf(is_embargo ? op.entry.embargo.release : op.entry.withdraw.release, GW_RELEASE_ID_MAX, "GW-2026-000001");
    if (is_embargo)
        op.entry.embargo.until = until;
    op.entry.by.count = 1;
    fixture_id(FIXTURE_OWNER, op.entry.by.ids[0]);
    assert_int_equal(gw_ledger_submit(made->ledger, &op), GW_OK);
    assert_int_equal(op.result, GW_OK);
}

static void an_embargo_keeps_nothing_from_who_paid(void **state) {
    asking *made = *state;
    answered(made);
    owner_says(made, GW_ENTRY_EMBARGO, made->now + 1000);
    assert_true(asking_send_again(made));
    assert_memory_equal(made->reply.answer.data, ANSWER, strlen(ANSWER));
    assert_true(asking_send(made, ASKING_ANNA, "{\"v\":1,\"kind\":\"history\"}"));
    assert_non_null(memmem(made->reply.answer.data, made->reply.answer.size, "\"embargo\":", 10));
}

static void a_withdrawn_answer_is_given_to_nobody_and_nothing_is_charged(void **state) {
    asking *made = *state;
    answered(made);
    gw_checkpoint before, after;
    owner_says(made, GW_ENTRY_WITHDRAW, 0);
    gw_ledger_checkpoint(made->ledger, &before, NULL);
    for (int i = 0; i < 2; i++) {
        assert_false(asking_send_again(made));
        assert_string_equal(made->problem.code, "withdrawn");
        assert_int_equal(made->problem.charged.micro, 0);
        assert_int_equal(made->reply.receipt.size, 0);
        assert_null(memmem(made->reply.answer.data, made->reply.answer.size, "42", 2));
        asking_policy(made, 0, "2.5"); // nor where the question could no longer be asked
    }
    gw_ledger_checkpoint(made->ledger, &after, NULL);
    assert_int_equal(after.size, before.size + 2); // the two policies
    assert_true(asking_send(made, ASKING_ANNA, "{\"v\":1,\"kind\":\"history\"}"));
    assert_non_null(memmem(made->reply.answer.data, made->reply.answer.size, "\"state\":\"withdrawn\"", 19));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_embargo_keeps_nothing_from_who_paid),
        CASE(a_withdrawn_answer_is_given_to_nobody_and_nothing_is_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
