// SPDX-License-Identifier: Apache-2.0
// The table of quotes: ids, owners, expiry, and its bounds.
#include "service/query/quotes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOW 1790000000

static int setup(void **state) {
    *state = gw_crypto_init() == GW_OK ? gw_quotes_new() : NULL;
    return *state ? 0 : -1;
}
static int teardown(void **state) {
    gw_quotes_free(*state);
    return 0;
}

static gw_quote quote_of(unsigned principal) {
    gw_quote quote = {.policy = 7, .price = {50000}, .data = "d"};
    snprintf(quote.principal, sizeof quote.principal, "%032x", principal);
    memset(quote.question.bytes, 9, sizeof quote.question.bytes);
    return quote;
}

static gw_quote give(gw_quotes *quotes, unsigned principal, const char *body, int64_t now) {
    gw_quote quote = quote_of(principal);
    assert_int_equal(gw_quote_give(quotes, &quote, gw_bytes_of(body), now), GW_OK);
    return quote;
}

static gw_status find(gw_quotes *quotes, const gw_quote *quote, int64_t now) {
    gw_quote found;
    gw_buffer body;
    gw_buffer_init(&body, 1 << 20);
    gw_status status = gw_quote_find(quotes, quote->id, quote->principal, now, &found, &body);
    gw_buffer_done(&body);
    return status;
}

static void a_quote_comes_back_as_it_was_given(void **state) {
    gw_quote quote = give(*state, 1, "{\"the\":\"question\"}", NOW), found;
    gw_buffer body;
    gw_buffer_init(&body, 4096);
    assert_int_equal(gw_quote_find(*state, quote.id, quote.principal, NOW, &found, &body), GW_OK);
    assert_string_equal(gw_buffer_string(&body), "{\"the\":\"question\"}");
    assert_memory_equal(&found, &quote, sizeof found);
    assert_int_equal(found.expires, NOW + GW_QUOTE_SECONDS);
    assert_int_equal(found.policy, 7);
    gw_buffer_done(&body);
}

static void ids_have_their_form_and_differ(void **state) {
    static char seen[512][GW_QUOTE_ID_TEXT];
    for (size_t i = 0; i < 512; i++) {
        gw_quote quote = give(*state, (unsigned)i, "x", NOW);
        assert_int_equal(strlen(quote.id), 16);
        assert_int_equal(strspn(quote.id + 2, "23456789ABCDEFGHJKMNPQRSTVWXYZ-"), 14);
        assert_true(quote.id[0] == 'Q' && quote.id[1] == '-' && quote.id[6] == '-' && quote.id[11] == '-');
        memcpy(seen[i], quote.id, sizeof quote.id);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[j], quote.id);
    }
}

static void another_principals_quote_is_as_unknown_as_none(void **state) {
    gw_quote quote = give(*state, 1, "x", NOW), other = quote, none = quote;
    snprintf(other.principal, sizeof other.principal, "%032x", 2u);
    snprintf(none.id, sizeof none.id, "Q-2222-2222-2222");
    assert_int_equal(find(*state, &other, NOW), GW_NOT_FOUND);
    assert_int_equal(find(*state, &none, NOW), GW_NOT_FOUND);
    assert_int_equal(find(*state, &other, NOW + GW_QUOTE_SECONDS), GW_NOT_FOUND);
}

static void a_quote_expires_and_is_then_forgotten(void **state) {
    gw_quote quote = give(*state, 1, "x", NOW);
    assert_int_equal(find(*state, &quote, NOW + GW_QUOTE_SECONDS - 1), GW_OK);
    assert_int_equal(find(*state, &quote, NOW + GW_QUOTE_SECONDS), GW_UNAVAILABLE);
    assert_int_equal(find(*state, &quote, NOW + GW_QUOTE_SECONDS_KEPT - 1), GW_UNAVAILABLE);
    assert_int_equal(find(*state, &quote, NOW + GW_QUOTE_SECONDS_KEPT), GW_NOT_FOUND);
}

static void a_principals_oldest_makes_room_and_nobody_elses(void **state) {
    gw_quote other = give(*state, 2, "x", NOW), first = give(*state, 1, "x", NOW), second = give(*state, 1, "x", NOW);
    gw_quote last = second;
    for (unsigned i = 2; i < GW_QUOTES_OF_PRINCIPAL_MAX; i++)
        last = give(*state, 1, "x", NOW);
    assert_int_equal(find(*state, &first, NOW), GW_OK);
    gw_quote one_more = give(*state, 1, "x", NOW);
    assert_int_equal(find(*state, &first, NOW), GW_NOT_FOUND);
    assert_int_equal(find(*state, &second, NOW), GW_OK);
    assert_int_equal(find(*state, &last, NOW), GW_OK);
    assert_int_equal(find(*state, &one_more, NOW), GW_OK);
    assert_int_equal(find(*state, &other, NOW), GW_OK);
}

static void the_whole_table_is_bounded(void **state) {
    gw_quote first = give(*state, 1, "x", NOW), last = first;
    for (unsigned i = 1; i < GW_QUOTES_MAX; i++)
        last = give(*state, 2 + i / GW_QUOTES_OF_PRINCIPAL_MAX, "x", NOW);
    assert_int_equal(find(*state, &first, NOW), GW_OK);
    gw_quote one_more = give(*state, 1, "x", NOW);
    assert_int_equal(find(*state, &first, NOW), GW_NOT_FOUND);
    assert_int_equal(find(*state, &last, NOW), GW_OK);
    assert_int_equal(find(*state, &one_more, NOW), GW_OK);
}

static void long_questions_take_a_principals_room(void **state) {
    static char body[GW_QUOTE_BYTES_OF_PRINCIPAL_MAX / 4 + 1];
    memset(body, 'x', sizeof body - 1);
    gw_quote quotes[5];
    for (size_t i = 0; i < 5; i++)
        quotes[i] = give(*state, 1, body, NOW);
    assert_int_equal(find(*state, &quotes[0], NOW), GW_NOT_FOUND);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(find(*state, &quotes[i], NOW), GW_OK);
    static char huge[GW_QUOTE_BYTES_OF_PRINCIPAL_MAX + 2];
    memset(huge, 'x', sizeof huge - 1);
    gw_quote refused = quote_of(1);
    assert_int_equal(gw_quote_give(*state, &refused, gw_bytes_of(huge), NOW), GW_LIMIT);
    assert_int_equal(find(*state, &quotes[4], NOW), GW_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_quote_comes_back_as_it_was_given),
        CASE(ids_have_their_form_and_differ),
        CASE(another_principals_quote_is_as_unknown_as_none),
        CASE(a_quote_expires_and_is_then_forgotten),
        CASE(a_principals_oldest_makes_room_and_nobody_elses),
        CASE(the_whole_table_is_bounded),
        CASE(long_questions_take_a_principals_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
