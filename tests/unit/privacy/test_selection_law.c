// SPDX-License-Identifier: Apache-2.0
// The random threshold: its draws against the table.
#include "privacy/mechanism/selection_law.h"
#include "privacy/derive/keys.h"
#include "tests/support/seeded_random.h"
#include "tests/support/statistics.h"
#include "tests/support/unit.h"

static gw_selection_law *law_of(uint64_t micro, uint64_t keys, uint64_t delta) {
    gw_selection_law *law = NULL;
    gw_selection_price price = {.epsilon = {micro}, .keys_per_person = keys, .delta = {delta}};
    assert_int_equal(gw_selection_law_new(price, &law), GW_OK);
    return law;
}

#define DRAWS 200000

// H0: P(T <= t) = pi_t. Chi-square over the values with at least 20 expected draws, the others in one class; seeded.
// Rejected below 1e-6.
static void draws_follow_the_table(void **state) {
    (void)state;
    static const uint64_t micros[] = {100000, 500000, 1000000, 3000000};
    uint64_t *draws = calloc(DRAWS, sizeof(*draws));
    for (size_t i = 0; i < 4; i++) {
        gw_selection_law *law = law_of(micros[i], 1, 10000000000000);
        size_t steps = gw_selection_law_steps(law);
        gw_keys_figures *figures = NULL;
        assert_int_equal(gw_keys_figures_new(law, &figures), GW_OK);
        seeded_random random = {.state = 100 + i};
        assert_int_equal(gw_selection_law_fill(law, seeded_source(&random), draws, DRAWS), GW_OK);
        assert_int_equal(random.bytes_given, DRAWS * sizeof(uint64_t)); // a word each: no tie met
        uint64_t *seen = calloc(steps + 1, sizeof(*seen));
        for (size_t d = 0; d < DRAWS; d++) {
            assert_in_range(draws[d], 1, steps);
            seen[draws[d]]++;
        }
        double square = 0, rest_expected = 0, rest_seen = 0;
        size_t classes = 0;
        for (size_t t = 1; t <= steps; t++) {
            double expected = DRAWS * (gw_keys_shown(figures, t) - gw_keys_shown(figures, t - 1));
            if (expected < 20) {
                rest_expected += expected;
                rest_seen += (double)seen[t];
                continue;
            }
            square += ((double)seen[t] - expected) * ((double)seen[t] - expected) / expected;
            classes++;
        }
        square += (rest_seen - rest_expected) * (rest_seen - rest_expected) / rest_expected;
        assert_true(statistics_chi_square_above(square, (double)classes) > 1e-6);
        free(seen);
        gw_keys_figures_free(figures);
        gw_selection_law_free(law);
    }
    free(draws);
}

// A word is below or above an entry; where it ties with one, four more settle it.
static void ends_and_ties_are_exact(void **state) {
    (void)state;
    gw_selection_law *law = law_of(1000000, 1, 500000000000000000); // pi_1 a sliver below 1/2: its first limb 2^63 - 1
    uint64_t drawn[4];
    uint64_t words[8] = {0, UINT64_MAX - 1, INT64_MAX, (uint64_t)1 << 63, /* the tie's rest: */ 0, 0, 0, 0};
    replayed_random random = {.words = words, .count = 8};
    assert_int_equal(gw_selection_law_fill(law, replayed_source(&random), drawn, 4), GW_OK);
    assert_int_equal(random.given, 8);
    assert_int_equal(drawn[0], 1);
    assert_int_equal(drawn[1], 2);
    assert_int_equal(drawn[2], 1); // its further bits are 0, those of pi_1 are not
    assert_int_equal(drawn[3], 2);
    words[4] = words[5] = words[6] = words[7] = UINT64_MAX;
    random.given = 0;
    assert_int_equal(gw_selection_law_fill(law, replayed_source(&random), drawn, 4), GW_OK);
    assert_int_equal(drawn[2], 2);
    gw_selection_law_free(law);
}

static void a_failing_source_gives_no_threshold(void **state) {
    (void)state;
    gw_selection_law *law = law_of(1000000, 1, 1000000000);
    seeded_random random = {.state = 3, .bytes_max = 1024};
    uint64_t drawn[256];
    memset(drawn, 0xff, sizeof(drawn));
    assert_int_equal(gw_selection_law_fill(law, seeded_source(&random), drawn, 256), GW_UNAVAILABLE);
    for (size_t i = 0; i < 256; i++)
        assert_int_equal(drawn[i], 0);
    gw_selection_law_free(law);
}

static void laws_past_the_maxima_are_refused(void **state) {
    (void)state;
    gw_selection_law *law = NULL;
    gw_selection_price price = {.epsilon = {1}, .keys_per_person = 1, .delta = {1000000000}};
    assert_int_equal(gw_selection_law_new(price, &law), GW_INVALID);
    price.epsilon.micro = 1000000;
    price.delta.atto = 0;
    assert_int_equal(gw_selection_law_new(price, &law), GW_INVALID);
    assert_null(law);
    gw_selection_law_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_follow_the_table),
        cmocka_unit_test(ends_and_ties_are_exact),
        cmocka_unit_test(a_failing_source_gives_no_threshold),
        cmocka_unit_test(laws_past_the_maxima_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
