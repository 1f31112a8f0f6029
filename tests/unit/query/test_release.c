// SPDX-License-Identifier: Apache-2.0
// Answers: readable by the client's decoder, of a length that says nothing, with ranges around their estimates.
#include "service/format/cell_figures.h"
#include "service/release/release.h"

#include "privacy/mechanism/parts.h"
#include "service/wire/answer.h"
#include "service/wire/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

typedef struct {
    uint64_t state;
} counter_random;

// splitmix64: seeded, so that a failure can be repeated.
static gw_status counter_fill(void *state, void *bytes, size_t count) {
    counter_random *random = state;
    for (size_t i = 0; i < count; i++) {
        uint64_t x = random->state += 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        ((uint8_t *)bytes)[i] = (uint8_t)(x >> 56);
    }
    return GW_OK;
}

static const char *const sexes[] = {"F", "M", "_U"};
static const char *const *const codes[] = {sexes};
static const size_t sizes[] = {3};
static const char *const by[] = {"sex"};

static gw_release_shape shape_of(gw_statistic statistic, uint64_t sensitivity) {
    return (gw_release_shape){.dataset = "test.example/people",
                              .data_version = "00112233445566778899aabbccddeeff",
                              .release = "GW-2026-000001",
                              .unit = "PC",
                              .policy_version = 1,
                              .statistic = statistic,
                              .decimals = 1,
                              .noise = {.epsilon = {50000}, .sensitivity = sensitivity},
                              .grid = "1",
                              .offset = "0",
                              .step_scaled = 1,
                              .range = 1,
                              .part_count = statistic == GW_STATISTIC_RATE || statistic == GW_STATISTIC_MEAN ? 2 : 1,
                              .value_digits = 9,
                              .by = by,
                              .axis_codes = codes,
                              .axis_sizes = sizes,
                              .axis_count = 1};
}

static void encode(const gw_release_shape *shape, const gw_int128 *exact_values, uint64_t seed, gw_buffer *out) {
    gw_exact_table *exact = NULL;
    gw_released_table *released = NULL;
    counter_random random = {seed};
    assert_int_equal(gw_exact_table_new(3, shape->part_count, &exact), GW_OK);
    memcpy(exact->values, exact_values, 3 * shape->part_count * sizeof *exact_values);
    assert_int_equal(gw_parts_release(exact, shape->noise, (gw_random_source){counter_fill, &random}, &released),
                     GW_OK);
    gw_interval_law *law = NULL;
    assert_int_equal(gw_interval_law_new(shape->noise, GW_LEVEL_95, gw_figures_others(shape->statistic, 3), &law),
                     GW_OK);
    assert_int_equal(gw_release_encode(shape, law, released, (gw_hash){{7}}, out), GW_OK);
    gw_interval_law_free(law);
    gw_released_free(released);
    gw_exact_table_free(exact);
}

static void length_is_the_same_for_every_data_set(void **state) {
    (void)state;
    static const gw_statistic statistics[] = {GW_STATISTIC_COUNT, GW_STATISTIC_SHARE, GW_STATISTIC_RATE,
                                              GW_STATISTIC_MEAN};
    for (size_t s = 0; s < 4; s++) {
        gw_release_shape shape = shape_of(statistics[s], statistics[s] == GW_STATISTIC_MEAN ? 99 : 1);
        size_t length = 0;
        for (uint64_t seed = 0; seed < 200; seed++) {
            gw_int128 empty[6] = {0}, full[6] = {9999999, 1, 123456, 7, 0, 99};
            gw_buffer out;
            gw_buffer_init(&out, 1u << 20);
            encode(&shape, seed % 2 ? empty : full, seed, &out);
            if (length == 0)
                length = out.size;
            assert_int_equal(out.size, length);
            gw_buffer_done(&out);
        }
    }
}

static void the_decoder_reads_what_was_measured(void **state) {
    (void)state;
    gw_release_shape shape = shape_of(GW_STATISTIC_RATE, 1);
    gw_int128 exact[6] = {30000, 10000, 500, 1500, 0, 0};
    gw_buffer out;
    gw_buffer_init(&out, 1u << 20);
    encode(&shape, exact, 5, &out);
    gw_arena *arena = gw_arena_new(1u << 20);
    gw_answer answer;
    gw_problem problem = {0};
    if (gw_answer_decode(gw_buffer_bytes(&out), arena, &answer, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    assert_int_equal(answer.cell_count, 3);
    assert_string_equal(answer.cells[0].key[0], "F");
    assert_int_equal(answer.noise.epsilon.micro, 50000);
    double estimate = strtod(answer.cells[0].estimate, NULL), lower = strtod(answer.cells[0].lower, NULL),
           upper = strtod(answer.cells[0].upper, NULL);
    assert_true(lower <= estimate && estimate <= upper);
    double a = strtod(answer.cells[0].parts[0], NULL), b = strtod(answer.cells[0].parts[1], NULL);
    assert_true(estimate - 100 * a / (a + b) < 0.051 && estimate - 100 * a / (a + b) > -0.051);
    assert_string_equal(answer.cells[0].flag, "");
    assert_string_equal(answer.cells[2].flag, "u"); // an empty group, decided on protected values alone
    gw_arena_free(arena);
    gw_buffer_done(&out);
}

// Exact values noised and encoded, and decoded again as a client does. The caller frees the arena.
static gw_arena *answer_of(const gw_release_shape *shape, const gw_int128 *exact, gw_answer *ret) {
    gw_buffer out;
    gw_buffer_init(&out, 1u << 20);
    encode(shape, exact, 5, &out);
    gw_arena *arena = gw_arena_new(1u << 20);
    gw_problem problem = {0};
    if (gw_answer_decode(gw_buffer_bytes(&out), arena, ret, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    gw_buffer_done(&out);
    return arena;
}

static gw_release_shape amount_shape(gw_statistic statistic, int64_t step, unsigned scale, unsigned decimals) {
    gw_release_shape shape = shape_of(statistic, 300);
    shape.step_scaled = step;
    shape.step_scale = scale;
    shape.decimals = decimals;
    shape.value_digits = 12;
    shape.part_count = 1;
    return shape;
}

// Steps become the unit exactly, in integers: nothing is lost beyond what a double holds.
static void amounts_are_exact_multiples_of_their_step(void **state) {
    (void)state;
    static const struct {
        int64_t step;
        unsigned scale, decimals;
        gw_int128 exact;
    } cases[] = {
        {5, 1, 1, 123456789}, {5, 1, 1, -123456789},
        {25, 2, 2, -3},       {1, 3, 3, 90071992547409931}, // 2^53 and some, with its last digit
        {1000, 0, 0, -77},    {1, 0, 2, 12},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gw_release_shape shape = amount_shape(GW_STATISTIC_SUM, cases[i].step, cases[i].scale, cases[i].decimals);
        gw_int128 exact[3] = {cases[i].exact, 0, 0};
        gw_answer answer;
        gw_arena *arena = answer_of(&shape, exact, &answer);
        for (size_t cell = 0; cell < 3; cell++) {
            gw_int128 part, wanted = 1;
            gw_decimal estimate, lower, upper;
            assert_true(gw_int128_parse(answer.cells[cell].parts[0], &part));
            assert_true(gw_decimal_parse(answer.cells[cell].estimate, &estimate));
            assert_true(gw_decimal_parse(answer.cells[cell].lower, &lower));
            assert_true(gw_decimal_parse(answer.cells[cell].upper, &upper));
            for (unsigned k = 0; k < GW_DECIMAL_PLACES - cases[i].scale; k++)
                wanted *= 10;
            assert_true(estimate.trillionths == part * cases[i].step * wanted);
            assert_true(upper.trillionths - estimate.trillionths == estimate.trillionths - lower.trillionths);
            assert_true(upper.trillionths > estimate.trillionths);
            const char *point = strchr(answer.cells[cell].estimate, '.');
            assert_int_equal(point ? strlen(point + 1) : 0, cases[i].decimals);
        }
        gw_arena_free(arena);
    }
}

// Coarser decimals than the step's: the estimate is the nearest, the range is rounded outwards, below zero too.
static void coarse_decimals_round_outwards(void **state) {
    (void)state;
    static const gw_int128 values[] = {12345, -12345, 12350, -12350, 0};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        gw_release_shape shape = amount_shape(GW_STATISTIC_NET, 1, 2, 0);
        gw_int128 exact[3] = {values[i], values[i], values[i]};
        gw_answer answer;
        gw_arena *arena = answer_of(&shape, exact, &answer);
        gw_interval_law *law = NULL;
        assert_int_equal(gw_interval_law_new(shape.noise, GW_LEVEL_95, 0, &law), GW_OK);
        double half = (double)gw_interval_half_width(law);
        for (size_t cell = 0; cell < 3; cell++) {
            double part = strtod(answer.cells[cell].parts[0], NULL);
            assert_true(strtod(answer.cells[cell].estimate, NULL) == floor(part / 100 + 0.5));
            assert_true(strtod(answer.cells[cell].lower, NULL) == floor((part - half) / 100));
            assert_true(strtod(answer.cells[cell].upper, NULL) == ceil((part + half) / 100));
            assert_string_not_equal(answer.cells[cell].estimate, "-0");
        }
        gw_interval_law_free(law);
        gw_arena_free(arena);
    }
}

// A net of minus a million is as certain as one of a million; a count below zero never is.
static void flags_look_at_the_size_of_sums_and_nets(void **state) {
    (void)state;
    static const struct {
        gw_statistic statistic;
        gw_int128 exact;
        const char *flag;
    } cases[] = {{GW_STATISTIC_NET, -1000000, ""},   {GW_STATISTIC_NET, -20000, "u"}, {GW_STATISTIC_SUM, 1000000, ""},
                 {GW_STATISTIC_SUM, -1000000, ""},   {GW_STATISTIC_SUM, 0, "u"},      {GW_STATISTIC_COUNT, 1000000, ""},
                 {GW_STATISTIC_COUNT, -1000000, "u"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gw_release_shape shape = amount_shape(cases[i].statistic, 1, 0, 0);
        gw_int128 exact[3] = {cases[i].exact, cases[i].exact, cases[i].exact};
        gw_answer answer;
        gw_arena *arena = answer_of(&shape, exact, &answer);
        assert_string_equal(answer.cells[0].flag, cases[i].flag);
        gw_arena_free(arena);
    }
}

static void large_steps_keep_the_length(void **state) {
    (void)state;
    gw_release_shape shape = amount_shape(GW_STATISTIC_SUM, 100000, 0, 0);
    size_t length = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        gw_int128 empty[3] = {0}, full[3] = {-99999999999, 99999999999, -1};
        gw_buffer out;
        gw_buffer_init(&out, 1u << 20);
        encode(&shape, seed % 2 ? empty : full, seed, &out);
        length = length ? length : out.size;
        assert_int_equal(out.size, length);
        gw_buffer_done(&out);
    }
}

static void bounds_and_dummies_are_told(void **state) {
    (void)state;
    gw_release_shape shape = shape_of(GW_STATISTIC_MEAN, 600);
    gw_int128 exact[6] = {3000, 9000, 1, 1, 1, 1};
    gw_answer answer;
    gw_arena *arena = answer_of(&shape, exact, &answer);
    assert_null(answer.bounds_kind);
    assert_false(answer.is_dummy || answer.is_weighted || answer.is_per_person);
    assert_int_equal(answer.width, 600); // a person is one row: what the noise covers
    gw_arena_free(arena);
    shape.bounds_kind = "keep-rows";
    shape.bounds_units = "3";
    shape.bounds_note = "At most 3 \"rows\" count.";
    shape.width = 200;
    shape.is_weighted = shape.is_dummy = true;
    arena = answer_of(&shape, exact, &answer);
    assert_string_equal(answer.bounds_kind, "keep-rows");
    assert_string_equal(answer.bounds_units, "3");
    assert_null(answer.bounds_total);
    assert_string_equal(answer.bounds_note, "At most 3 \"rows\" count.");
    assert_true(answer.is_dummy && answer.is_weighted && !answer.is_per_person);
    assert_int_equal(answer.width, 200);
    gw_arena_free(arena);
    shape.bounds_units = NULL;
    shape.bounds_total = "150.5";
    shape.is_per_person = true;
    arena = answer_of(&shape, exact, &answer);
    assert_string_equal(answer.bounds_total, "150.5");
    assert_true(answer.is_per_person);
    gw_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_is_the_same_for_every_data_set),
        cmocka_unit_test(the_decoder_reads_what_was_measured),
        cmocka_unit_test(amounts_are_exact_multiples_of_their_step),
        cmocka_unit_test(coarse_decimals_round_outwards),
        cmocka_unit_test(flags_look_at_the_size_of_sums_and_nets),
        cmocka_unit_test(large_steps_keep_the_length),
        cmocka_unit_test(bounds_and_dummies_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
