// SPDX-License-Identifier: Apache-2.0
// Answers about unknown keys: read back by the client's decoder whatever the keys hold, and of a length that tells
// nothing but how many are shown.
#include "service/release/release.h"

#include "service/format/level.h"
#include "service/wire/answer.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_BYTES 24

typedef struct {
    gw_selection_law *law;
    gw_keys_figures *figures;
    gw_release_shape shape;
} fixture;

static fixture fixture_of(void) {
    static const char *const by[] = {"workplace"};
    fixture f = {0};
    const gw_selection_price price = {.epsilon = {1000000}, .keys_per_person = 1, .delta = {1000000000}};
    assert_int_equal(gw_selection_law_new(price, &f.law), GW_OK);
    assert_int_equal(gw_keys_figures_new(f.law, &f.figures), GW_OK);
    f.shape = (gw_release_shape){.dataset = "test.example/people",
                                 .data_version = "00112233445566778899aabbccddeeff",
                                 .release = "GW-2026-000001",
                                 .of = "workplace",
                                 .unit = "PS",
                                 .policy_version = 1,
                                 .statistic = GW_STATISTIC_KEYS,
                                 .noise = {.epsilon = {1000000}, .sensitivity = 1},
                                 .grid = "1",
                                 .offset = "0",
                                 .step_scaled = 1,
                                 .part_count = 1,
                                 .by = by,
                                 .axis_count = 1,
                                 .delta = {1000000000},
                                 .key_bytes_max = KEY_BYTES};
    return f;
}

static void fixture_done(fixture *f) {
    gw_keys_figures_free(f->figures);
    gw_selection_law_free(f->law);
}

static void encode(const fixture *f, const char *const *texts, const uint64_t *counts, size_t count, gw_buffer *out) {
    gw_exact_keys *exact = NULL;
    gw_released_keys *keys = NULL;
    seeded_random random = {.state = 9};
    gw_hash salt = {.bytes = {1}};
    assert_int_equal(gw_exact_keys_new(10, KEY_BYTES, &exact), GW_OK);
    for (size_t i = 0; i < count; i++) {
        snprintf(gw_exact_keys_text(exact, i), exact->text_size, "%s", texts[i]);
        exact->counts[i] = counts[i];
    }
    assert_int_equal(gw_selection_release(exact, f->law, seeded_source(&random), &keys), GW_OK);
    gw_exact_keys_free(exact);
    gw_buffer_init(out, 1u << 20);
    assert_int_equal(gw_release_encode_keys(&f->shape, f->figures, keys, salt, out), GW_OK);
    gw_released_keys_free(keys);
}

static void the_decoder_reads_what_was_released(void **state) {
    (void)state;
    static const char *const texts[] = {"\"A\", \\B", "a|b", "\xc3\x96", "_U", "hidden"};
    static const uint64_t counts[] = {1000, 500, 200, 5000000000, 1};
    fixture f = fixture_of();
    gw_buffer bytes;
    encode(&f, texts, counts, 5, &bytes);
    gw_arena *arena = gw_arena_new(1u << 20);
    gw_answer answer;
    gw_problem problem = {0};
    if (gw_answer_decode(gw_buffer_bytes(&bytes), arena, &answer, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    static const char *const order[] = {"\"A\", \\B", "_U", "a|b", "\xc3\x96"};
    static const double exact[] = {1000, 5e9, 500, 200};
    assert_int_equal(answer.cell_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const gw_answer_cell *cell = &answer.cells[i];
        assert_string_equal(cell->key[0], order[i]);
        assert_string_equal(cell->parts[0], cell->estimate);
        assert_true(strtod(cell->lower, NULL) <= exact[i] && strtod(cell->upper, NULL) >= exact[i]); // of this seed
        assert_string_equal(cell->flag, "");
    }
    assert_string_equal(answer.law, "random-threshold");
    gw_answer at;
    assert_int_equal(gw_answer_at_level(&answer, GW_LEVEL_95, arena, &at, NULL), GW_OK);
    for (size_t i = 0; i < 4; i++) { // what was sealed is what a reader works out
        assert_string_equal(at.cells[i].lower, answer.cells[i].lower);
        assert_string_equal(at.cells[i].upper, answer.cells[i].upper);
    }
    assert_int_equal(gw_answer_at_level(&answer, 999000, arena, &at, NULL), GW_OK);
    for (size_t i = 0; i < 4; i++)
        assert_true(strtod(at.cells[i].lower, NULL) < strtod(answer.cells[i].lower, NULL));
    gw_answer wrong = answer; // a file may claim anything
    wrong.selection_delta = "1e-900";
    assert_int_equal(gw_answer_at_level(&wrong, 999000, arena, &at, NULL), GW_INVALID);
    wrong.selection_delta = NULL;
    assert_int_equal(gw_answer_at_level(&wrong, 999000, arena, &at, NULL), GW_INVALID);

    assert_string_equal(answer.selection_epsilon, "1");
    assert_string_equal(answer.selection_delta, "1e-9");
    assert_string_equal(answer.cells[0].se, "1.4");
    assert_null(strstr(gw_buffer_string(&bytes), "hidden"));
    gw_arena_free(arena);
    gw_buffer_done(&bytes);
    fixture_done(&f);
}

// One key just shown: 21 is the least that can be said, and its range goes down to one person.
static void a_barely_shown_key_is_flagged(void **state) {
    (void)state;
    static const char *const texts[] = {"a"};
    static const uint64_t counts[] = {21};
    fixture f = fixture_of();
    gw_buffer bytes;
    encode(&f, texts, counts, 1, &bytes);
    gw_arena *arena = gw_arena_new(1u << 20);
    gw_answer answer;
    gw_problem problem = {0};
    assert_int_equal(gw_answer_decode(gw_buffer_bytes(&bytes), arena, &answer, &problem), GW_OK);
    for (size_t i = 0; i < answer.cell_count; i++) { // half the time
        assert_string_equal(answer.cells[i].lower, "1");
        assert_string_equal(answer.cells[i].flag, "u");
    }
    gw_arena_free(arena);
    gw_buffer_done(&bytes);
    fixture_done(&f);
}

static void the_length_tells_how_many_are_shown_and_no_more(void **state) {
    (void)state;
    static const char *const shorts[] = {"a", "b", "c"};
    static const char *const longs[] = {"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"", "b2345678901234567890123",
                                        "\xc3\x96\xc3\x96\xc3\x96\xc3\x96\xc3\x96\xc3\x96\xc3\x96\xc3\x96"};
    static const uint64_t few[] = {100, 100, 100}, many[] = {UINT64_MAX >> 3, 1000000, 100};
    fixture f = fixture_of();
    gw_buffer bytes[4];
    encode(&f, shorts, few, 3, &bytes[0]);
    encode(&f, longs, many, 3, &bytes[1]);
    encode(&f, longs, few, 2, &bytes[2]);
    encode(&f, longs, few, 0, &bytes[3]);
    assert_int_equal(bytes[0].size, bytes[1].size);
    assert_int_equal(bytes[1].size - bytes[2].size, bytes[0].size - bytes[2].size);
    assert_true(bytes[2].size < bytes[1].size);
    assert_true(bytes[1].size <= gw_release_keys_bytes_max(&f.shape, 3));
    gw_arena *arena = gw_arena_new(1u << 20);
    gw_answer answer;
    gw_problem problem = {0};
    assert_int_equal(gw_answer_decode(gw_buffer_bytes(&bytes[3]), arena, &answer, &problem), GW_OK);
    assert_int_equal(answer.cell_count, 0); // no key at all is an answer
    gw_arena_free(arena);
    for (size_t i = 0; i < 4; i++)
        gw_buffer_done(&bytes[i]);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_decoder_reads_what_was_released),
        cmocka_unit_test(a_barely_shown_key_is_flagged),
        cmocka_unit_test(the_length_tells_how_many_are_shown_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
