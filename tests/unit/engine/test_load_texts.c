// SPDX-License-Identifier: Apache-2.0
// Texts that no list names: what is kept of them, what is refused, and how keys leave the engine.
#include "tests/unit/engine/engine_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define POLICY_TEXTS                                                                                                   \
    POLICY_HEAD "\"rows_per_person_max\":3,\"columns\":{\"place\":{\"concept\":\"workplace\",\"type\":\"text\","       \
                "\"missing\":\"_U\",\"length_max\":8,\"keys_max\":4},\"note\":{\"concept\":\"note\",\"type\":"         \
                "\"text\",\"missing\":\"drop\"}}" POLICY_TAIL
#define COUNT "SELECT 0, count(*) FROM persons"

static int dataset_start(void **state) {
    test_dataset *dataset = calloc(1, sizeof(*dataset));
    fixture_init(dataset, POLICY_TEXTS);
    *state = dataset;
    return 0;
}

static int dataset_end(void **state) {
    test_dataset *dataset = *state;
    fixture_done(dataset);
    free(dataset);
    return 0;
}

static void texts_are_kept_as_they_are_written(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "id,place,note\n"
                                                "a,  Mill ,x\n"
                                                "b,mill,\n"
                                                "c,,\"a \"\"b\"\", c\"\n"
                                                "d,\xc3\x96\xc3\x9f\xe2\x82\xac,  \n"
                                                "e,_U,12\n"),
                     GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE workplace = 'Mill' AND note = 'x'"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE workplace = 'mill' AND note IS NULL"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE workplace = '_U' AND note = 'a \"b\", c'"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE workplace = '\xc3\x96\xc3\x9f\xe2\x82\xac'"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE workplace = '_U'"), 2);
}

static const char *const unfit = "id,place,note\n"
                                 "a,ok,x\n"
                                 "b,\xff\xfe,x\n"
                                 "c,a\x01z,x\n"
                                 "d,a\xe2\x80\xaez,x\n"
                                 "e,1234567\xc3\xa4,x\n"
                                 "f,123456789,x\n";

static void unfit_texts_are_found_with_their_rows(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, unfit), GW_INVALID);
    assert_int_equal(dataset->report.kinds[GW_LOAD_BAD_TYPE].count, 3);
    assert_int_equal(dataset->report.kinds[GW_LOAD_OUT_OF_BOUNDS].count, 2);
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 6, "place \"123456789\" is longer than 8 bytes"));
    assert_int_equal(fixture_data_count(dataset), 0);
}

static void unfit_texts_are_treated_as_the_owner_says(void **state) {
    test_dataset *dataset = *state;
    gw_problem problem;
    assert_int_equal(gw_load_treat("bad_type=missing", &dataset->treatments, &problem), GW_OK);
    assert_int_equal(gw_load_treat("out_of_bounds=clamp", &dataset->treatments, &problem), GW_OK);
    assert_int_equal(fixture_load_text(dataset, unfit), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE workplace = '_U'"), 3);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE workplace = '1234567'"), 1); // not half a character
    assert_int_equal(fixture_number(dataset, COUNT " WHERE workplace = '12345678'"), 1);
}

// How many there are is judged here, where its owner reads it, and never when a question is asked.
static void more_keys_than_the_policy_states_are_refused(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "id,place,note\na,A,x\nb,B,y\nc,C,z\nd,,x\n"), GW_OK);
    assert_int_equal(fixture_load_text(dataset, "id,place,note\na,A,x\nb,B,y\nc,C,z\nd,,x\ne,E,x\n"), GW_INVALID);
    assert_non_null(strstr(dataset->problem.why, "place"));
    assert_non_null(strstr(dataset->problem.why, "keys_max"));
}

static gw_status measure_keys(gw_engine *engine, const char *path, const char *sql, size_t slots, size_t key_bytes,
                              gw_exact_keys **ret_keys) {
    const gw_engine_statement statement = {.snapshot = path,
                                           .sql = sql,
                                           .cell_count = slots,
                                           .part_count = 1,
                                           .key_bytes = key_bytes,
                                           .deadline_ms = 20000};
    return gw_engine_measure_keys(engine, &statement, ret_keys);
}

static void keys_come_with_their_counts_and_unused_slots_are_empty(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "id,place,note\na,A,x\na,A,y\nb,B,y\nc,A,z\n"), GW_OK);
    gw_engine *engine = fixture_engine(dataset, 1);
    char path[512];
    fixture_snapshot(dataset, path);
    gw_exact_keys *keys = NULL;
    const char *sql = "SELECT workplace, count(DISTINCT _person) FROM persons GROUP BY 1 ORDER BY 1";
    assert_int_equal(measure_keys(engine, path, sql, 4, 8, &keys), GW_OK);
    assert_string_equal(gw_exact_keys_text(keys, 0), "A");
    assert_string_equal(gw_exact_keys_text(keys, 1), "B");
    assert_int_equal(keys->counts[0], 2);
    assert_int_equal(keys->counts[1], 1);
    assert_int_equal(keys->counts[2], 0);
    assert_string_equal(gw_exact_keys_text(keys, 3), "");
    gw_exact_keys_free(keys);
    gw_engine_close(engine);
}

// What the load rules out fails like everything else: one constant word, nothing of the keys.
static void results_of_another_shape_fail(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "id,place,note\na,A,x\nb,BBBBBBBB,y\nc,,z\n"), GW_OK);
    gw_engine *engine = fixture_engine(dataset, 1);
    char path[512];
    fixture_snapshot(dataset, path);
    gw_exact_keys *keys = NULL;
    static const char *const bad[] = {
        "SELECT workplace, count(*) FROM persons GROUP BY 1 HAVING count(*) > 5 OR true UNION ALL SELECT NULL, 1",
        "SELECT workplace, count(*), 1 FROM persons GROUP BY 1",
        "SELECT workplace, 'x' FROM persons",
        "SELECT 1, count(*) FROM persons",
        "SELECT workplace, CAST(0 AS BIGINT) FROM persons",
        "SELECT '', CAST(1 AS BIGINT) FROM persons",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(measure_keys(engine, path, bad[i], 10, 8, &keys), GW_UNAVAILABLE);
    const char *good = "SELECT workplace, count(*) FROM persons GROUP BY 1";
    assert_int_equal(measure_keys(engine, path, good, 2, 8, &keys), GW_UNAVAILABLE);  // three keys
    assert_int_equal(measure_keys(engine, path, good, 10, 7, &keys), GW_UNAVAILABLE); // one of eight bytes
    assert_int_equal(measure_keys(engine, path, good, 10, 0, &keys), GW_UNAVAILABLE);
    assert_int_equal(measure_keys(engine, path, good, GW_KEYS_MAX + 1, 8, &keys), GW_UNAVAILABLE);
    assert_null(keys);
    assert_int_equal(measure_keys(engine, path, good, 3, 8, &keys), GW_OK);
    gw_exact_keys_free(keys);
    gw_engine_close(engine);
}

int main(void) {
#define DATASET_TEST(name) cmocka_unit_test_setup_teardown(name, dataset_start, dataset_end)
    const struct CMUnitTest tests[] = {
        DATASET_TEST(texts_are_kept_as_they_are_written),
        DATASET_TEST(unfit_texts_are_found_with_their_rows),
        DATASET_TEST(unfit_texts_are_treated_as_the_owner_says),
        DATASET_TEST(more_keys_than_the_policy_states_are_refused),
        DATASET_TEST(keys_come_with_their_counts_and_unused_slots_are_empty),
        DATASET_TEST(results_of_another_shape_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
