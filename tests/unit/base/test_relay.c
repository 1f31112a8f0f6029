// SPDX-License-Identifier: Apache-2.0
// The relay: everything arrives once and in order, the far side never overwrites what the near side holds, and either
// side may end first.
#include "service/base/relay.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SLOTS 3

typedef struct {
    uint64_t slots[SLOTS];
    uint64_t wanted; // numbers that the far side sends
    uint64_t sent;
    bool was_stopped;
} numbers;

static void numbers_fill(void *state, gw_relay *relay) {
    numbers *it = state;
    while (it->sent < it->wanted) {
        uint64_t *slot = gw_relay_empty(relay);
        if (slot == NULL) {
            it->was_stopped = true;
            return;
        }
        *slot = ++it->sent;
        gw_relay_send(relay);
    }
}

static gw_relay *start(numbers *it) {
    gw_relay *relay = gw_relay_start(it->slots, sizeof(it->slots[0]), SLOTS, numbers_fill, it);
    assert_non_null(relay);
    return relay;
}

static void all_arrive_once_and_in_order(void **state) {
    (void)state;
    for (uint64_t wanted = 0; wanted < 20; wanted++) {
        numbers it = {.wanted = wanted * wanted * 7};
        gw_relay *relay = start(&it);
        uint64_t got = 0;
        for (const uint64_t *slot; (slot = gw_relay_next(relay)) != NULL;)
            assert_int_equal(*slot, ++got);
        assert_int_equal(got, it.wanted);
        assert_null(gw_relay_next(relay)); // and stays at its end
        gw_relay_stop(relay);
        assert_false(it.was_stopped);
    }
}

static void a_held_slot_is_not_filled_again(void **state) {
    (void)state;
    numbers it = {.wanted = 1000};
    gw_relay *relay = start(&it);
    const uint64_t *slot;
    while ((slot = gw_relay_next(relay)) != NULL) {
        uint64_t before = *slot;
        for (volatile int wait = 0; wait < 2000; wait++)
            continue;
        assert_int_equal(*slot, before);
    }
    gw_relay_stop(relay);
}

static void the_near_side_may_end_first(void **state) {
    (void)state;
    for (uint64_t use = 0; use < 8; use++) {
        numbers it = {.wanted = UINT64_MAX};
        gw_relay *relay = start(&it);
        for (uint64_t i = 0; i < use; i++)
            assert_int_equal(*(const uint64_t *)gw_relay_next(relay), i + 1);
        gw_relay_stop(relay);
        assert_true(it.was_stopped);
        assert_in_range(it.sent, use, use + SLOTS);
    }
    gw_relay_stop(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_arrive_once_and_in_order),
        cmocka_unit_test(a_held_slot_is_not_filled_again),
        cmocka_unit_test(the_near_side_may_end_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
