// SPDX-License-Identifier: Apache-2.0
// Unknown keys from question to released keys, on a real DuckDB: what a person adds to the statement, what the plan
// says and refuses, and how often a key of one person comes to light.
#include "service/query/encode.h"
#include "service/query/plan_size.h"
#include "service/query/protect.h"
#include "service/query/sql.h"

#include "tests/support/duck.h"
#include "tests/support/plan_case.h"
#include "tests/support/seeded_random.h"

#include <inttypes.h>
#include <stdio.h>

#define PERSONS 40
#define ROWS_MAX 6
#define PLACES 9

typedef struct {
    plan_case asked;
    duck duck;
    seeded_random random;
    size_t counts[PERSONS];
    int places[PERSONS][ROWS_MAX]; // by order; -1: NULL
    int sexes[PERSONS][ROWS_MAX];
} fixture;

static void policy_make(fixture *f, unsigned rows_max, unsigned rows_kept, unsigned keys_max, const char *accounting) {
    char text[4096];
    snprintf(
        text, sizeof text,
        "{\"godwit_policy\":1,\"dataset\":\"test.example/d\",\"population\":\"test.example/all\",\"version\":1,"
        "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"jobs\":{\"unit\":"
        "\"id\",\"rows_per_person_max\":%u,\"rows_per_person_kept\":%u,\"columns\":{"
        "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
        "\"place\":{\"concept\":\"place\",\"type\":\"text\",\"missing\":\"drop\",\"length_max\":16,\"keys_max\":%u},"
        "\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"4\",\"grid\":\"1\"}}}},"
        "\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"5\"},"
        "\"accounting\":%s,\"planning\":{\"cell_persons\":1500,\"size_bucket\":100},"
        "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"jobs\"],\"statistics\":[\"keys\"]}]}",
        rows_max, rows_kept, keys_max, accounting);
    plan_case_policy(&f->asked, text);
}

#define WITH_DELTA "{\"kind\":\"pure\",\"selection_delta\":\"1e-4\",\"question_delta\":\"1e-4\"}"

#define KEYS "\"measure\":{\"statistic\":\"keys\",\"of\":\"place\"},\"weighted\":false"

static size_t draw(fixture *f, size_t below) {
    return (size_t)(seeded_next(&f->random) % below);
}

static void rows_make(fixture *f, size_t rows_max) {
    for (size_t p = 0; p < PERSONS; p++) {
        f->counts[p] = 1 + draw(f, rows_max);
        for (size_t i = 0; i < f->counts[p]; i++) {
            f->places[p][i] = (int)draw(f, PLACES + 1) - 1;
            f->sexes[p][i] = (int)draw(f, 3);
        }
    }
}

// All persons but one.
static void rows_write(fixture *f, size_t without) {
    gw_buffer sql;
    gw_buffer_init(&sql, 1u << 20);
    gw_buffer_text(&sql,
                   "DROP TABLE IF EXISTS jobs; CREATE TABLE jobs(_person UINTEGER, _order UTINYINT, _rows UTINYINT, "
                   "sex UTINYINT, place VARCHAR); INSERT INTO jobs SELECT * FROM (VALUES ");
    const char *comma = "";
    for (size_t p = 0; p < PERSONS; p++)
        for (size_t i = 0; i < f->counts[p] && p != without; i++) {
            gw_buffer_format(&sql, "%s(%zu, %zu, %zu, %d, ", comma, p, i, f->counts[p], f->sexes[p][i]);
            if (f->places[p][i] < 0)
                gw_buffer_text(&sql, "NULL)");
            else
                gw_buffer_format(&sql, "'place %d')", f->places[p][i]);
            comma = ", ";
        }
    gw_buffer_text(&sql, ") AS made ORDER BY random();");
    assert_int_equal(sql.status, GW_OK);
    duck_run(&f->duck, gw_buffer_string(&sql));
    gw_buffer_done(&sql);
}

// The statement's own counts, by place. Places are numbered through a statement around it, so that integers come back.
static void counts_of(fixture *f, int64_t counts[PLACES]) {
    gw_sql sql;
    int64_t rows[PLACES][2];
    memset(counts, 0, PLACES * sizeof *counts);
    assert_int_equal(gw_sql_build(&f->asked.plan, f->asked.arena, &sql), GW_OK);
    gw_buffer around;
    gw_buffer_init(&around, 1u << 16);
    gw_buffer_format(&around, "SELECT CAST(substr(k, 7) AS BIGINT), CAST(n AS BIGINT) FROM (%s) AS t(k, n)",
                     gw_buffer_string(&sql.text));
    duckdb_prepared_statement prepared = duck_prepare(&f->duck, gw_buffer_string(&around));
    size_t count = duck_fetch(prepared, sql.params, sql.param_count, 2, &rows[0][0], PLACES);
    for (size_t i = 0; i < count; i++)
        counts[rows[i][0]] += rows[i][1];
    duckdb_destroy_prepare(&prepared);
    gw_buffer_done(&around);
    gw_buffer_done(&sql.text);
}

// What the words of the policy say, person by person: each place once, the first so many in the order of rows.
static void counts_expected(const fixture *f, size_t without, size_t kept, int sex, int64_t counts[PLACES]) {
    memset(counts, 0, PLACES * sizeof *counts);
    for (size_t p = 0; p < PERSONS; p++) {
        bool is_counted[PLACES] = {false};
        size_t taken = 0;
        for (size_t i = 0; i < f->counts[p] && p != without; i++) {
            int place = f->places[p][i];
            if (place < 0 || (sex >= 0 && f->sexes[p][i] != sex) || is_counted[place] || taken == kept)
                continue;
            is_counted[place] = true;
            taken++;
            counts[place]++;
        }
    }
}

static void begin(fixture *f) {
    *f = (fixture){.random = {.state = 7}};
    plan_case_open(&f->asked, NULL, "");
    duck_open(&f->duck, NULL, 1);
}

static void end(fixture *f) {
    duck_close(&f->duck);
    plan_case_close(&f->asked);
}

// A person with any number of rows moves at most as many keys as the noise was made for, each by one.
static void a_person_moves_as_many_keys_as_planned_each_by_one(void **state) {
    (void)state;
    static const unsigned variants[][2] = {{1, 1}, {6, 1}, {6, 2}, {6, 6}, {3, 2}};
    static const char *const questions[] = {KEYS ",\"epsilon\":\"1\"",
                                            KEYS ",\"epsilon\":\"1\",\"where\":[{\"concept\":\"sex\",\"in\":[\"F\"]}]",
                                            KEYS ",\"epsilon\":\"1\",\"where\":[{\"concept\":\"sex\",\"in\":[\"M\"]}]"};
    fixture *f = malloc(sizeof *f);
    begin(f);
    for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++)
        for (int sex = -1; sex < 2; sex++) {
            int64_t all[PLACES], fewer[PLACES], expected[PLACES];
            policy_make(f, variants[v][0], variants[v][1], 100, WITH_DELTA);
            plan_case_must(&f->asked, questions[sex + 1]);
            assert_int_equal(f->asked.plan.sensitivity, variants[v][1]);
            rows_make(f, variants[v][0]);
            rows_write(f, PERSONS);
            counts_of(f, all);
            counts_expected(f, PERSONS, variants[v][1], sex, expected);
            assert_memory_equal(all, expected, sizeof all);
            for (size_t p = 0; p < PERSONS; p += 5) {
                uint64_t moved = 0;
                rows_write(f, p);
                counts_of(f, fewer);
                for (size_t i = 0; i < PLACES; i++) {
                    assert_in_range(all[i] - fewer[i], 0, 1);
                    moved += (uint64_t)(all[i] - fewer[i]);
                }
                assert_true(moved <= f->asked.plan.sensitivity);
            }
        }
    end(f);
    free(f);
}

static void questions_that_would_tell_of_keys_are_refused(void **state) {
    (void)state;
    fixture *f = malloc(sizeof *f);
    begin(f);
    policy_make(f, 1, 1, 100, WITH_DELTA);
    plan_case_must(&f->asked, KEYS ",\"epsilon\":\"1\"");
    assert_int_equal(f->asked.plan.mechanism, GW_MECHANISM_SELECTION);
    assert_int_equal(f->asked.plan.delta, 100000000000000);
    assert_int_equal(f->asked.plan.measured_cells, 100);
    plan_case_must(&f->asked, KEYS ",\"epsilon\":\"1\",\"delta\":\"1e-9\"");
    assert_int_equal(f->asked.plan.delta, 1000000000);
    plan_case_refused(&f->asked, KEYS ",\"epsilon\":\"1\",\"delta\":\"2e-4\"", "question_delta");
    plan_case_refused(&f->asked, KEYS ",\"epsilon\":\"1\",\"by\":[\"sex\"]", "bad_by");
    plan_case_refused(&f->asked, "\"measure\":{\"statistic\":\"keys\",\"of\":\"place\"},\"epsilon\":\"1\"",
                      "weighted_keys");
    plan_case_refused(&f->asked,
                      "\"measure\":{\"statistic\":\"keys\",\"of\":\"sex\"},\"epsilon\":\"1\",\"weighted\":false",
                      "of_needed");
    plan_case_refused(&f->asked, "\"measure\":{\"statistic\":\"count\"},\"by\":[\"place\"],\"epsilon\":\"1\"",
                      "text_concept");
    plan_case_refused(&f->asked, "\"measure\":{\"statistic\":\"mean\",\"of\":\"place\"},\"epsilon\":\"1\"",
                      "text_concept");
    plan_case_refused(&f->asked,
                      "\"measure\":{\"statistic\":\"count\"},\"where\":[{\"concept\":\"place\",\"equals\":\"a\"}],"
                      "\"epsilon\":\"1\"",
                      "text_concept");
    plan_case_refused(&f->asked, "\"measure\":{\"statistic\":\"count\"},\"epsilon\":\"1\",\"delta\":\"1e-9\"",
                      "bad_delta");
    policy_make(f, 1, 1, 100, "{\"kind\":\"pure\"}");
    plan_case_refused(&f->asked, KEYS ",\"epsilon\":\"1\"", "selection_delta_needed");
    end(f);
    free(f);
}

static gw_hash name_of(fixture *f, const char *rest) {
    gw_buffer text;
    plan_case_must(&f->asked, rest);
    gw_buffer_init(&text, 1u << 16);
    gw_plan_canonical(&f->asked.plan, "", &text);
    gw_hash hash = gw_sha256(gw_buffer_bytes(&text));
    gw_buffer_done(&text);
    return hash;
}

static void delta_and_layout_are_part_of_what_is_asked(void **state) {
    (void)state;
    fixture *f = malloc(sizeof *f);
    begin(f);
    policy_make(f, 1, 1, 100, WITH_DELTA);
    gw_hash plain = name_of(f, KEYS ",\"epsilon\":\"1\""), layout = gw_plan_layout(f->asked.policy);
    assert_true(gw_hash_equal(plain, name_of(f, KEYS ",\"epsilon\":\"1\",\"delta\":\"0.0001\"")));
    assert_false(gw_hash_equal(plain, name_of(f, KEYS ",\"epsilon\":\"1\",\"delta\":\"1e-9\"")));
    policy_make(f, 1, 1, 101, WITH_DELTA);
    assert_false(gw_hash_equal(layout, gw_plan_layout(f->asked.policy))); // data were held to another number of keys
    end(f);
    free(f);
}

// The largest table of keys fits a reply; its length is known before anything is charged.
static void the_widest_answer_is_known_and_fits(void **state) {
    (void)state;
    fixture *f = malloc(sizeof *f);
    begin(f);
    policy_make(f, 1, 1, GW_KEYS_MAX, WITH_DELTA);
    plan_case_must(&f->asked, KEYS ",\"epsilon\":\"1\"");
    assert_int_equal(gw_plan_check_size(&f->asked.plan, f->asked.arena, &f->asked.problem), GW_OK);
    assert_in_range(gw_plan_answer_bytes(&f->asked.plan), GW_KEYS_MAX * 100, GW_ANSWER_BYTES_MAX);
    end(f);
    free(f);
}

// 10,000 keys of one person each and one of a hundred, ten times, at delta 1e-4: Poisson(10) hits, more than 28 with
// probability 7e-7 (privacy room: the same for the mechanism alone). The common key shows every time.
static void a_key_of_one_person_hardly_ever_comes_to_light(void **state) {
    (void)state;
    enum { SINGLES = 10000, TIMES = 10 };
    fixture *f = malloc(sizeof *f);
    begin(f);
    policy_make(f, 1, 1, SINGLES + 1, WITH_DELTA);
    plan_case_must(&f->asked, KEYS ",\"epsilon\":\"1\"");
    gw_laws_cache *cache = gw_laws_cache_new();
    const gw_laws *laws = NULL;
    assert_int_equal(gw_query_laws_of(&f->asked.plan, cache, &laws), GW_OK);
    gw_exact_keys *exact = NULL;
    assert_int_equal(gw_exact_keys_new(f->asked.plan.measured_cells, 16, &exact), GW_OK);
    for (size_t i = 0; i <= SINGLES; i++) {
        snprintf(gw_exact_keys_text(exact, i), exact->text_size, "k%zu", i);
        exact->counts[i] = i == SINGLES ? 100 : 1;
    }
    size_t hits = 0;
    for (size_t t = 0; t < TIMES; t++) {
        seeded_random random = {.state = 40 + t};
        gw_released_keys *keys = NULL;
        assert_int_equal(gw_query_protect_keys(&f->asked.plan, laws, exact, seeded_source(&random), &keys), GW_OK);
        assert_true(gw_released_keys_count(keys) >= 1);
        hits += gw_released_keys_count(keys) - 1;
        gw_released_keys_free(keys);
    }
    assert_in_range(hits, 1, 28);
    gw_exact_keys_free(exact);
    gw_laws_drop(cache, laws);
    gw_laws_cache_free(cache);
    end(f);
    free(f);
}

// A shape or a law that is not the plan's is our own error, and releases nothing.
static void protecting_holds_shape_and_price_against_the_plan(void **state) {
    (void)state;
    fixture *f = malloc(sizeof *f);
    begin(f);
    policy_make(f, 1, 1, 10, WITH_DELTA);
    plan_case_must(&f->asked, KEYS ",\"epsilon\":\"1\"");
    gw_laws_cache *cache = gw_laws_cache_new();
    const gw_laws *laws = NULL, *cheaper = NULL;
    assert_int_equal(gw_query_laws_of(&f->asked.plan, cache, &laws), GW_OK);
    assert_int_equal(gw_laws_hold_keys(cache, laws->noise, (gw_delta){2 * f->asked.plan.delta}, &cheaper), GW_OK);
    gw_exact_keys *exact = NULL, *wide = NULL, *many = NULL;
    assert_int_equal(gw_exact_keys_new(10, 16, &exact), GW_OK);
    assert_int_equal(gw_exact_keys_new(10, 17, &wide), GW_OK);
    assert_int_equal(gw_exact_keys_new(11, 16, &many), GW_OK);
    seeded_random random = {.state = 1};
    gw_released_keys *keys = NULL;
    assert_int_equal(gw_query_protect_keys(&f->asked.plan, laws, wide, seeded_source(&random), &keys), GW_INTERNAL);
    assert_int_equal(gw_query_protect_keys(&f->asked.plan, laws, many, seeded_source(&random), &keys), GW_INTERNAL);
    assert_int_equal(gw_query_protect_keys(&f->asked.plan, cheaper, exact, seeded_source(&random), &keys), GW_INTERNAL);
    assert_null(keys);
    assert_int_equal(random.bytes_given, 0);
    assert_int_equal(gw_query_protect_keys(&f->asked.plan, laws, exact, seeded_source(&random), &keys), GW_OK);
    assert_int_equal(gw_released_keys_count(keys), 0);
    gw_released_keys_free(keys);
    gw_exact_keys_free(exact);
    gw_exact_keys_free(wide);
    gw_exact_keys_free(many);
    gw_laws_drop(cache, laws);
    gw_laws_drop(cache, cheaper);
    gw_laws_cache_free(cache);
    end(f);
    free(f);
}

static int start_crypto(void **state) {
    (void)state;
    return gw_crypto_init() == GW_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_moves_as_many_keys_as_planned_each_by_one),
        cmocka_unit_test(questions_that_would_tell_of_keys_are_refused),
        cmocka_unit_test(delta_and_layout_are_part_of_what_is_asked),
        cmocka_unit_test(the_widest_answer_is_known_and_fits),
        cmocka_unit_test(a_key_of_one_person_hardly_ever_comes_to_light),
        cmocka_unit_test(protecting_holds_shape_and_price_against_the_plan),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
