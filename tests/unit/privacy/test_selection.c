// SPDX-License-Identifier: Apache-2.0
// Keys through the mechanism: what is shown and what is not, by record and replay, and by the chance that a key of one
// person comes to light.
#include "privacy/mechanism/selection.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <stdio.h>

static gw_selection_law *law_of(uint64_t micro, uint64_t delta) {
    gw_selection_law *law = NULL;
    gw_selection_price price = {.epsilon = {micro}, .keys_per_person = 1, .delta = {delta}};
    assert_int_equal(gw_selection_law_new(price, &law), GW_OK);
    return law;
}

static gw_exact_keys *keys_new(size_t slots) {
    gw_exact_keys *keys = NULL;
    assert_int_equal(gw_exact_keys_new(slots, 16, &keys), GW_OK);
    return keys;
}

static void key_set(gw_exact_keys *keys, size_t slot, const char *text, uint64_t count) {
    snprintf(gw_exact_keys_text(keys, slot), keys->text_size, "%s", text);
    keys->counts[slot] = count;
}

static gw_released_keys *release(const gw_exact_keys *keys, const gw_selection_law *law, uint64_t seed) {
    seeded_random random = {.state = seed};
    gw_released_keys *released = NULL;
    assert_int_equal(gw_selection_release(keys, law, seeded_source(&random), &released), GW_OK);
    return released;
}

// delta = 1e-4, a key of one person, 10 / delta slots: Poisson(10) hits at most. More than 28 has probability 7e-7.
// Slots are independent draws, so 100,000 of them are as good as as many answers. The plant of `pi` scaled by a tenth
// would pass here, and fails in test_selection_table.
static void a_key_of_one_person_is_shown_with_probability_delta(void **state) {
    (void)state;
    gw_selection_law *law = law_of(1000000, 100000000000000);
    gw_exact_keys *keys = keys_new(GW_KEYS_MAX);
    for (size_t i = 0; i < GW_KEYS_MAX; i++) {
        char text[17];
        snprintf(text, sizeof(text), "k%zu", i);
        key_set(keys, i, text, 1);
    }
    gw_released_keys *released = release(keys, law, 20261);
    assert_in_range(gw_released_keys_count(released), 1,
                    28); // none at all has probability 5e-5, and this seed has some
    gw_released_keys_free(released);
    gw_exact_keys_free(keys);
    gw_selection_law_free(law);
}

static void only_shown_keys_leave_and_in_the_order_of_their_bytes(void **state) {
    (void)state;
    gw_selection_law *law = law_of(1000000, 1000000000);
    gw_exact_keys *keys = keys_new(50);
    key_set(keys, 7, "z", 1000);
    key_set(keys, 20, "\xc3\xa4", 900);
    key_set(keys, 21, "hidden", 1);
    key_set(keys, 22, "", 0);
    key_set(keys, 49, "A", 800);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        gw_released_keys *released = release(keys, law, seed);
        uint64_t steps = gw_selection_law_steps(law), centre = gw_selection_law_centre(law);
        assert_int_equal(gw_released_keys_count(released), 3);
        assert_string_equal(gw_released_keys_text(released, 0), "A");
        assert_string_equal(gw_released_keys_text(released, 1), "z");
        assert_string_equal(gw_released_keys_text(released, 2), "\xc3\xa4");
        assert_in_range(gw_released_keys_value(released, 0), 800 + centre - steps, 800 + centre - 1);
        assert_int_equal(gw_released_keys_price(released).delta.atto, 1000000000);
        gw_released_keys_free(released);
    }
    gw_exact_keys_free(keys);
    gw_selection_law_free(law);
}

// The same words on neighbours: a slot's threshold is the same, one count moves by one, and so does its value, or the
// key comes to light. What is drawn says nothing of what there was.
static void neighbours_draw_alike_and_differ_in_one_key_by_one(void **state) {
    (void)state;
    gw_selection_law *law = law_of(300000, 10000000000000000);
    gw_exact_keys *keys = keys_new(200), *more = keys_new(200);
    for (size_t i = 0; i < 150; i++) {
        char text[17];
        snprintf(text, sizeof(text), "%03zu", i);
        key_set(keys, i, text, i);
        key_set(more, i, text, i + (i == 9));
    }
    size_t moved = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        seeded_random first = {.state = seed}, second = {.state = seed};
        gw_released_keys *a = NULL, *b = NULL;
        assert_int_equal(gw_selection_release(keys, law, seeded_source(&first), &a), GW_OK);
        assert_int_equal(gw_selection_release(more, law, seeded_source(&second), &b), GW_OK);
        assert_int_equal(first.bytes_given, second.bytes_given);
        assert_int_equal(first.call_count, second.call_count);
        size_t i = 0;
        for (size_t j = 0; j < gw_released_keys_count(b); j++) {
            const char *text = gw_released_keys_text(b, j);
            bool is_in_both = i < gw_released_keys_count(a) && strcmp(gw_released_keys_text(a, i), text) == 0;
            bool is_moved = strcmp(text, "009") == 0;
            assert_true(is_in_both || is_moved);
            if (is_in_both)
                assert_int_equal(gw_released_keys_value(b, j) - gw_released_keys_value(a, i++), is_moved);
            moved += is_moved;
        }
        assert_int_equal(i, gw_released_keys_count(a));
        gw_released_keys_free(a);
        gw_released_keys_free(b);
    }
    assert_true(moved > 50);
    gw_exact_keys_free(keys);
    gw_exact_keys_free(more);
    gw_selection_law_free(law);
}

static void the_bytes_drawn_do_not_depend_on_how_many_keys_there_are(void **state) {
    (void)state;
    gw_selection_law *law = law_of(1000000, 1000000000);
    gw_exact_keys *none = keys_new(1001), *all = keys_new(1001);
    for (size_t i = 0; i < 1001; i++)
        all->counts[i] = 1000;
    seeded_random first = {.state = 1}, second = {.state = 1};
    gw_released_keys *a = NULL, *b = NULL;
    assert_int_equal(gw_selection_release(none, law, seeded_source(&first), &a), GW_OK);
    assert_int_equal(gw_selection_release(all, law, seeded_source(&second), &b), GW_OK);
    assert_int_equal(first.bytes_given, second.bytes_given);
    assert_int_equal(first.call_count, second.call_count);
    assert_int_equal(gw_released_keys_count(a), 0);
    assert_int_equal(gw_released_keys_count(b), 1001);
    gw_released_keys_free(a);
    gw_released_keys_free(b);
    gw_exact_keys_free(none);
    gw_exact_keys_free(all);
    gw_selection_law_free(law);
}

static void a_failing_source_or_an_impossible_count_releases_nothing(void **state) {
    (void)state;
    gw_selection_law *law = law_of(1000000, 1000000000);
    gw_exact_keys *keys = keys_new(10);
    key_set(keys, 0, "a", 1000);
    seeded_random random = {.state = 1, .bytes_max = 8};
    gw_released_keys *released = NULL;
    assert_int_equal(gw_selection_release(keys, law, seeded_source(&random), &released), GW_UNAVAILABLE);
    keys->counts[3] = GW_KEY_COUNT_MAX + 1;
    random = (seeded_random){.state = 1};
    assert_int_equal(gw_selection_release(keys, law, seeded_source(&random), &released), GW_INVALID);
    assert_null(released);
    gw_exact_keys_free(keys);
    gw_selection_law_free(law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_of_one_person_is_shown_with_probability_delta),
        cmocka_unit_test(only_shown_keys_leave_and_in_the_order_of_their_bytes),
        cmocka_unit_test(neighbours_draw_alike_and_differ_in_one_key_by_one),
        cmocka_unit_test(the_bytes_drawn_do_not_depend_on_how_many_keys_there_are),
        cmocka_unit_test(a_failing_source_or_an_impossible_count_releases_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
