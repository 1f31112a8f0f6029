// SPDX-License-Identifier: Apache-2.0
// The integers of partition selection: what the published theorem says of them, and that the check tells a table that
// keeps epsilon and delta from one that nearly does. The check is exact, so these tests have no chance to be wrong.
#include "privacy/mechanism/selection_table.h"
#include "tests/support/unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    gw_selection_share share;
    gw_threshold *entries;
    size_t count;
} made;

static made make(uint64_t micro, uint64_t keys, uint64_t delta) {
    made table = {.entries = calloc(GW_SELECTION_STEPS_MAX, sizeof(gw_threshold))};
    gw_selection_price price = {.epsilon = {micro}, .keys_per_person = keys, .delta = {delta}};
    assert_int_equal(gw_selection_share_of(price, &table.share), GW_OK);
    assert_int_equal(gw_selection_table_make(&table.share, table.entries, GW_SELECTION_STEPS_MAX - 1, &table.count),
                     GW_OK);
    return table;
}

static double entry(const made *table, size_t n) {
    double value = 0;
    if (n == 0 || n > table->count)
        return n == 0 ? 0 : 1;
    for (int i = GW_THRESHOLD_LIMBS - 1; i >= 0; i--)
        value += ldexp((double)table->entries[n - 1].limbs[i], -64 * (i + 1));
    return value;
}

typedef struct {
    uint64_t micro;
    double epsilon;
    uint64_t atto;
    double delta;
    int n1, n2;
    size_t half;
} published;

// privacy.md E.5
static const published cases[] = {
    {1000000, 1, 10000000000000, 1e-5, 11, 22, 12},   {1000000, 1, 1000000000, 1e-9, 20, 40, 21},
    {100000, 0.1, 10000000000000, 1e-5, 86, 171, 86}, {100000, 0.1, 1000000000, 1e-9, 178, 355, 178},
    {500000, 0.5, 1000000000000, 1e-6, 25, 50, 26},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static double rise_until(const published *c) {
    double e = exp(c->epsilon);
    return 1 + floor(log((e + 2 * c->delta - 1) / ((e + 1) * c->delta)) / c->epsilon);
}

static double closed_form(const published *c, int n, int n1) {
    double e = exp(c->epsilon), first = expm1((double)(n < n1 ? n : n1) * c->epsilon) / (e - 1) * c->delta;
    if (n <= n1)
        return first;
    double m = n - n1;
    return -expm1(-m * c->epsilon) * (1 + c->delta / (e - 1)) + exp(-m * c->epsilon) * first;
}

// To 1e-14, as the recursion agrees with the closed form: the sliver held back and the roundings are far below.
static void the_integers_are_the_closed_form(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const published *c = &cases[i];
        made table = make(c->micro, 1, c->atto);
        int n1 = (int)rise_until(c);
        double e = exp(c->epsilon);
        int n2 = n1 + (int)floor(log(1 + (e - 1) / c->delta * (1 - closed_form(c, n1, n1))) / c->epsilon);
        assert_int_equal(n1, c->n1);
        assert_int_equal(n2, c->n2);
        assert_int_equal(table.count, c->n2); // 1 beyond
        size_t half = 0;
        while (entry(&table, half) < 0.5)
            half++;
        assert_int_equal(half, c->half);
        for (int n = 0; n <= n2; n++)
            assert_true(fabs(entry(&table, (size_t)n) - closed_form(c, n, n1)) < 1e-14);
        free(table.entries);
    }
}

// What noise and a threshold would need (E.5): never fewer persons than the optimum's half point.
static void noise_with_a_threshold_shows_less(void **state) {
    (void)state;
    static const int tau[CASES] = {13, 22, 110, 202, 28};
    for (size_t i = 0; i < CASES; i++) {
        double q = exp(-cases[i].epsilon);
        int t = 1;
        while (pow(q, t - 1) / (1 + q) > cases[i].delta)
            t++;
        assert_int_equal(t, tau[i]);
        assert_true(cases[i].half < (size_t)t);
    }
}

static void every_table_keeps_epsilon_and_delta(void **state) {
    (void)state;
    static const uint64_t micros[] = {1,      10,     1537,    10000,   50000,   100000,  333333,
                                      500000, 693147, 1000000, 2000000, 5000000, 39999999};
    static const uint64_t deltas[] = {1,
                                      999,
                                      1000000,
                                      1000000000,
                                      10000000000000,
                                      100000000000000,
                                      10000000000000000,
                                      500000000000000000,
                                      999999999999999999};
    size_t kept = 0;
    for (size_t i = 0; i < sizeof(micros) / sizeof(micros[0]); i++)
        for (size_t j = 0; j < sizeof(deltas) / sizeof(deltas[0]); j++)
            for (uint64_t keys = 1; keys <= 7; keys += 3) {
                made table = {.entries = calloc(4096, sizeof(gw_threshold))};
                gw_selection_price price = {.epsilon = {micros[i]}, .keys_per_person = keys, .delta = {deltas[j]}};
                assert_int_equal(gw_selection_share_of(price, &table.share), GW_OK);
                if (gw_selection_table_make(&table.share, table.entries, 4096, &table.count) == GW_OK) {
                    assert_true(gw_selection_table_keeps(&table.share, table.entries, table.count));
                    kept++;
                }
                free(table.entries);
            }
    assert_true(kept > 200);
}

static void a_table_for_a_dearer_price_does_not_keep_a_cheaper_one(void **state) {
    (void)state;
    made table = make(100000, 1, 1000000000);
    gw_selection_price cheaper[] = {
        {{99999}, 1, {1000000000}}, {{100000}, 1, {999999999}}, {{100000}, 2, {1000000000}}};
    for (size_t i = 0; i < 3; i++) {
        gw_selection_share share;
        assert_int_equal(gw_selection_share_of(cheaper[i], &share), GW_OK);
        assert_false(gw_selection_table_keeps(&share, table.entries, table.count));
    }
    free(table.entries);
}

// Plant: each probability a tenth too large.
static void a_table_scaled_by_a_tenth_is_caught(void **state) {
    (void)state;
    made table = make(500000, 1, 1000000000000);
    for (size_t n = 0; n < table.count; n++) {
        gw_threshold *pi = &table.entries[n];
        uint64_t more = pi->limbs[0] + pi->limbs[0] / 10;
        if (more < pi->limbs[0]) {
            table.count = n;
            break;
        }
        pi->limbs[0] = more;
    }
    assert_false(gw_selection_table_keeps(&table.share, table.entries, table.count));
    free(table.entries);
}

// Plant: a threshold on the true count shows no key below it and every one from it on.
static void a_threshold_on_the_true_count_is_caught(void **state) {
    (void)state;
    made table = make(1000000, 1, 10000000000000);
    memset(table.entries, 0, table.count * sizeof(gw_threshold));
    assert_false(gw_selection_table_keeps(&table.share, table.entries, table.count));
    free(table.entries);
}

// A law whose first values are taken together would show a key of one person too often: only who joins is betrayed. One
// whose last values are hides a key of many too rarely: only who leaves is. Each direction is looked at.
static void each_end_of_a_table_is_looked_at(void **state) {
    (void)state;
    made table = make(1000000, 1, 10000000000000);
    assert_false(gw_selection_table_keeps(&table.share, table.entries + 4, table.count - 4));
    assert_false(gw_selection_table_keeps(&table.share, table.entries, table.count - 4));
    assert_true(gw_selection_table_keeps(&table.share, table.entries, table.count));
    free(table.entries);
}

static void a_table_that_falls_is_caught(void **state) {
    (void)state;
    made table = make(1000000, 1, 10000000000000);
    gw_threshold swapped = table.entries[3];
    table.entries[3] = table.entries[4];
    table.entries[4] = swapped;
    assert_false(gw_selection_table_keeps(&table.share, table.entries, table.count));
    free(table.entries);
}

static double delta_of(const gw_selection_share *share) {
    double value = 0;
    for (int i = 0; i < GW_FIXED_FRACTION_LIMBS; i++)
        value += ldexp((double)share->delta.limbs[i], 64 * (i - GW_FIXED_FRACTION_LIMBS));
    return value;
}

// delta' = 1 - (1 - delta)^(1 / keys), which is a little more than delta / keys, and never above.
static void several_keys_share_epsilon_and_delta(void **state) {
    (void)state;
    static const uint64_t many[] = {1, 2, 3, 10, 1000, 1000000};
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
        gw_selection_share share;
        gw_selection_price price = {.epsilon = {1000000}, .keys_per_person = many[i], .delta = {GW_DELTA_ONE_ATTO / 2}};
        assert_int_equal(gw_selection_share_of(price, &share), GW_OK);
        double exact = -expm1(log1p(-0.5) / (double)many[i]);
        assert_true(fabs(delta_of(&share) / exact - 1) < 1e-12);
        assert_true(many[i] == 1 || delta_of(&share) > 0.5 / (double)many[i]);
    }
    made one = make(100000, 1, 10000000000000), three = make(300000, 3, 29999700001000);
    assert_int_equal(one.count, three.count); // 1 - (1 - 1e-5)^3 = 2.99997000010e-5
    free(one.entries);
    free(three.entries);
}

static void prices_without_meaning_are_refused(void **state) {
    (void)state;
    static const gw_selection_price bad[] = {
        {{0}, 1, {1000}},        {{1000000}, 0, {1000}},
        {{1000000}, 1, {0}},     {{1000000}, 1, {GW_DELTA_ONE_ATTO}},
        {{40000001}, 1, {1000}}, {{1000000}, GW_SELECTION_KEYS_PER_PERSON_MAX + 1, {1000}},
    };
    gw_selection_share share;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(gw_selection_share_of(bad[i], &share), GW_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_integers_are_the_closed_form),
        cmocka_unit_test(noise_with_a_threshold_shows_less),
        cmocka_unit_test(every_table_keeps_epsilon_and_delta),
        cmocka_unit_test(a_table_for_a_dearer_price_does_not_keep_a_cheaper_one),
        cmocka_unit_test(a_table_scaled_by_a_tenth_is_caught),
        cmocka_unit_test(a_threshold_on_the_true_count_is_caught),
        cmocka_unit_test(each_end_of_a_table_is_looked_at),
        cmocka_unit_test(a_table_that_falls_is_caught),
        cmocka_unit_test(several_keys_share_epsilon_and_delta),
        cmocka_unit_test(prices_without_meaning_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
