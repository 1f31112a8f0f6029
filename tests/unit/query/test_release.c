// SPDX-License-Identifier: Apache-2.0
// Answers: readable by the client's decoder, of a length that says nothing, with ranges around their estimates.
#include "service/release/release.h"

#include "privacy/mechanism/parts.h"
#include "service/wire/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
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
    assert_int_equal(gw_interval_law_new(shape->noise, GW_LEVEL_95, gw_release_others(shape->statistic, 3), &law),
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_is_the_same_for_every_data_set),
        cmocka_unit_test(the_decoder_reads_what_was_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
