// SPDX-License-Identifier: Apache-2.0
// Bounded statements against the reference: random policies and random rows in a real DuckDB, every statistic with and
// without weights; what the statement returns is what gw_bound_person adds up, person by person.
#include "service/query/sql.h"

#include "service/base/check.h"
#include "tests/support/duck.h"
#include "tests/support/plan_case.h"

#include <inttypes.h>

#define PERSONS 60
#define ROWS_MAX 12
#define CELLS_MAX 256

// What a row holds, as the snapshot does: -1 is NULL.
typedef struct {
    uint64_t order;
    int64_t sex, reason, month, fee, weight, rows;
} row;

typedef struct {
    unsigned rows_max, rows_kept;
    const char *fee; // the column's bounds
    bool has_weight, has_total;
} variant;

typedef struct {
    uint64_t random;
    plan_case asked;
    duck duck;
    row rows[PERSONS][ROWS_MAX];
    size_t counts[PERSONS];
} fixture;

static uint64_t draw(fixture *f, uint64_t below) {
    f->random += 0x9e3779b97f4a7c15u; // splitmix64
    uint64_t x = f->random;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (x ^ x >> 31) % below;
}

static void policy_make(fixture *f, const variant *v) {
    char text[4096];
    snprintf(
        text, sizeof text,
        "{\"godwit_policy\":1,\"dataset\":\"test.example/d\",\"population\":\"test.example/all\",\"version\":1,"
        "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":"
        "\"id\","
        "\"rows_per_person_max\":1,\"columns\":{"
        "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"}}},"
        "\"permits\":{\"unit\":\"id\",\"rows_per_person_max\":%u,\"rows_per_person_kept\":%u,\"inherit\":[\"sex\"],"
        "\"columns\":{"
        "\"why\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"drop\"},"
        "\"month\":{\"concept\":\"month\",\"type\":\"integer\",\"min\":1,\"max\":12,\"missing\":\"_U\",\"bandings\":{"
        "\"half\":{\"H1\":[1,6],\"H2\":[7,12]}}},"
        "\"fee\":{\"concept\":\"fee\",\"type\":\"decimal\",\"unit\":\"EUR\",%s%s,\"missing\":\"drop\"}%s}}},"
        "\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"0.5\"},"
        "\"accounting\":{\"kind\":\"pure\"},\"planning\":{\"cell_persons\":1500,\"size_bucket\":1000},"
        "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"permits\"],\"statistics\":[\"count\"]}]}",
        v->rows_max, v->rows_kept, v->fee, v->has_total ? ",\"person_total_max\":\"30\"" : "",
        v->has_weight ? ",\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0.5\",\"max\":\"8\",\"grid\":"
                        "\"0.25\"}"
                      : "");
    plan_case_policy(&f->asked, text);
}

static void rows_make(fixture *f, const variant *v) {
    const gw_column *fee = gw_table_concept(&f->asked.policy->tables[1], "fee");
    size_t limit = v->rows_max < ROWS_MAX ? v->rows_max : ROWS_MAX;
    for (size_t p = 0; p < PERSONS; p++) {
        int64_t sex = (int64_t)draw(f, 3);
        f->counts[p] = draw(f, 2) ? 1 + draw(f, 2) : 1 + draw(f, limit);
        if (f->counts[p] > limit)
            f->counts[p] = limit;
        for (size_t i = 0; i < f->counts[p]; i++) {
            row *r = &f->rows[p][i];
            *r = (row){.order = i, .sex = sex, .rows = (int64_t)f->counts[p]};
            r->reason = (int64_t)draw(f, 4) - 1;
            r->month = (int64_t)draw(f, 13) - 1;
            r->fee = (int64_t)draw(f, (uint64_t)fee->steps + 2) - 1;
            r->weight = (int64_t)draw(f, 32) - 1;
        }
    }
}

static void number(gw_buffer *sql, int64_t value) {
    if (value < 0)
        gw_buffer_text(sql, ", NULL");
    else
        gw_buffer_format(sql, ", %" PRId64, value);
}

static void rows_write(fixture *f, bool has_weight) {
    gw_buffer sql;
    gw_buffer_init(&sql, 1u << 20);
    gw_buffer_text(&sql, "DROP TABLE IF EXISTS permits; CREATE TABLE permits(_person UINTEGER, _order UBIGINT, _rows "
                         "UTINYINT, sex UTINYINT, activity UTINYINT, month UTINYINT, fee UTINYINT, _weight UTINYINT); "
                         "INSERT INTO permits SELECT * FROM (VALUES ");
    const char *comma = "";
    for (size_t p = 0; p < PERSONS; p++)
        for (size_t i = 0; i < f->counts[p]; i++) {
            const row *r = &f->rows[p][i];
            gw_buffer_format(&sql, "%s(%zu, %" PRIu64 ", %" PRId64, comma, p, r->order, r->rows);
            number(&sql, r->sex);
            number(&sql, r->reason);
            number(&sql, r->month);
            number(&sql, r->fee);
            number(&sql, r->weight);
            gw_buffer_text(&sql, ")");
            comma = ", ";
        }
    gw_buffer_text(&sql, ") AS made ORDER BY random();");
    if (!has_weight)
        gw_buffer_text(&sql, "ALTER TABLE permits DROP COLUMN _weight;");
    assert_int_equal(sql.status, GW_OK);
    duck_run(&f->duck, gw_buffer_string(&sql));
    gw_buffer_done(&sql);
}

// ---- the plan's meaning, worked out here without SQL

static int64_t held(const row *r, const gw_column *column) {
    return strcmp(column->concept, "sex") == 0        ? r->sex
           : strcmp(column->concept, "activity") == 0 ? r->reason
           : strcmp(column->concept, "month") == 0    ? r->month
                                                      : r->fee;
}

static bool matches(const row *r, const gw_plan_condition *conditions, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int64_t value = held(r, conditions[i].column);
        bool is_in = conditions[i].with_missing && value < 0;
        for (size_t k = 0; k < conditions[i].position_count; k++)
            is_in |= value == (int64_t)conditions[i].positions[k];
        for (size_t k = 0; k < conditions[i].range_count; k++)
            is_in |= value >= conditions[i].ranges[k][0] && value <= conditions[i].ranges[k][1] && value >= 0;
        if (!is_in)
            return false;
    }
    return true;
}

static int64_t position(const row *r, const gw_plan_axis *axis) {
    int64_t value = held(r, axis->column);
    for (size_t i = 0; i < axis->code_count; i++) {
        const gw_banding *banding = axis->banding;
        bool is_band = banding && axis->positions[i] < banding->band_count;
        if (is_band ? value >= 0 && value >= banding->bands[axis->positions[i]].low &&
                          value <= banding->bands[axis->positions[i]].high
            : banding ? value < 0
                      : value == (int64_t)axis->positions[i])
            return (int64_t)i;
    }
    return -1;
}

static bool bound_row(const gw_plan *plan, const row *r, gw_bound_row *ret) {
    *ret = (gw_bound_row){.order = r->order, .value = 1, .weight = 1};
    if (!matches(r, plan->population, plan->population_count) || !matches(r, plan->where, plan->where_count))
        return false;
    for (size_t i = 0; i < plan->axis_count; i++) {
        int64_t at = position(r, &plan->axes[i]);
        if (at < 0)
            return false;
        ret->cell = ret->cell * plan->axes[i].code_count + (size_t)at;
    }
    if (plan->weight) {
        if (r->weight < 0)
            return false;
        ret->weight = (uint64_t)(2 + r->weight); // 0.5 and up, in steps of 0.25
    }
    if (plan->statistic == GW_STATISTIC_NET) {
        bool is_plus = matches(r, plan->plus, plan->plus_count), is_minus = matches(r, plan->minus, plan->minus_count);
        ret->value = is_plus ? 1 : -1;
        return is_plus != is_minus;
    }
    if (plan->statistic == GW_STATISTIC_RATE) {
        ret->value = matches(r, plan->numerator, plan->numerator_count);
        ret->other = 1 - ret->value;
    }
    if (!plan->of)
        return true;
    if (r->fee < 0)
        return false;
    int64_t scaled = plan->of->min_scaled + r->fee * plan->of->grid_scaled;
    if (plan->statistic == GW_STATISTIC_MEAN && !plan->is_per_person) {
        ret->value = r->fee;
        ret->other = plan->of->steps - r->fee;
    } else {
        ret->value = scaled / 5; // tenths of EUR, in steps of 0.5
    }
    return true;
}

static void reference(const fixture *f, gw_int128 *cells) {
    const gw_plan *plan = &f->asked.plan;
    const gw_bound_rule rule = {.bound = plan->bound,
                                .join = !plan->is_per_person                   ? GW_JOIN_ROWS
                                        : plan->statistic == GW_STATISTIC_MEAN ? GW_JOIN_TOTAL
                                                                               : GW_JOIN_ANY,
                                .unit_max = plan->unit_width,
                                .part_count = plan->part_count};
    for (size_t p = 0; p < PERSONS; p++) {
        gw_bound_row rows[ROWS_MAX];
        size_t count = 0;
        for (size_t i = 0; i < f->counts[p]; i++)
            count += bound_row(plan, &f->rows[p][i], &rows[count]);
        gw_bound_person(&rule, rows, count, cells);
    }
}

static void compare(fixture *f, const char *question) {
    const gw_plan *plan = &f->asked.plan;
    gw_int128 wanted[CELLS_MAX * 2] = {0};
    int64_t values[CELLS_MAX * 3], found[CELLS_MAX * 2] = {0};
    assert_true(plan->cell_count <= CELLS_MAX);
    reference(f, wanted);
    gw_sql sql;
    assert_int_equal(gw_sql_build(plan, f->asked.arena, &sql), GW_OK);
    // What is planned as dear is what puts rows in order, or a person's rows together.
    bool is_dear = strstr(gw_buffer_string(&sql.text), "OVER (") || strstr(gw_buffer_string(&sql.text), "person, cell");
    assert_int_equal(gw_sql_sorts(plan), is_dear);
    duckdb_prepared_statement prepared = duck_prepare(&f->duck, gw_buffer_string(&sql.text));
    size_t columns = 1 + plan->part_count;
    size_t rows = duck_fetch(prepared, sql.params, sql.param_count, columns, values, CELLS_MAX);
    for (size_t i = 0; i < rows; i++) {
        assert_in_range(values[i * columns], 0, plan->cell_count - 1);
        for (size_t part = 0; part < plan->part_count; part++)
            found[(size_t)values[i * columns] * plan->part_count + part] += values[i * columns + 1 + part];
    }
    for (size_t i = 0; i < plan->cell_count * plan->part_count; i++)
        if (wanted[i] != found[i])
            fail_msg("%s: bound %s %" PRIu64 ", cell value %zu is %" PRId64 ", not %" PRId64 "\n%s", question,
                     gw_bound_kind_name(plan->bound.kind), plan->bound.units, i, found[i], (int64_t)wanted[i],
                     gw_buffer_string(&sql.text));
    duckdb_destroy_prepare(&prepared);
    gw_buffer_done(&sql.text);
}

static const char *const questions[] = {
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},\"by\":[\"sex\"],\"where\":[{\"concept\":\"month:"
    "half\","
    "\"in\":[\"H1\",\"_U\"]}]",
    "\"measure\":{\"statistic\":\"share\",\"table\":\"permits\"},\"by\":[\"month:half\"],\"where\":[{\"concept\":"
    "\"sex\","
    "\"in\":[\"F\"]}]",
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"}",
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},\"by\":[\"activity\",\"sex\"]",
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},\"by\":[\"month:half\"],\"weighted\":false",
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"}",
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[\"sex\"]",
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[\"activity\",\"month:"
    "half\"]",
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[\"month:half\"],"
    "\"weighted\":false",
    "\"measure\":{\"statistic\":\"share\",\"table\":\"permits\"},\"by\":[\"activity\"]",
    "\"measure\":{\"statistic\":\"share\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[\"sex\"],\"where\":[{"
    "\"concept\":"
    "\"month\",\"between\":[3,8]}],\"weighted\":false",
    "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[\"activity\"],\"where\":[{"
    "\"concept\":\"month\",\"between\":[3,8]}],\"weighted\":false",
    "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[\"activity\"]",
    "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[],\"where\":[{\"concept\":\"month\",\"between\":[2,9]}"
    "]",
    "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[\"sex\"],\"weighted\":false",
    "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\"},\"by\":[\"sex\",\"activity\"]",
    "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\"},\"by\":[\"sex\"]",
    "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\"},\"by\":[\"activity\",\"month:half\"]",
    "\"measure\":{\"statistic\":\"net\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"EMP\"]}],\"minus\":[{\"concept\":"
    "\"month\",\"between\":[1,6]}]},\"by\":[\"sex\"]",
    "\"measure\":{\"statistic\":\"net\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"EMP\"]}],\"minus\":[{\"concept\":"
    "\"activity\",\"in\":[\"UNE\",\"INAC\"]}]},\"by\":[\"month:half\"]",
    "\"indicator\":\"unemployment_rate\",\"by\":[\"sex\"]",
    "\"indicator\":\"rate_of_persons\",\"by\":[\"month:half\"]",
    "\"indicator\":\"rate_of_persons\",\"by\":[\"sex\"],\"weighted\":false",
};
#define QUESTION_COUNT (sizeof questions / sizeof questions[0])

static void statements_add_up_what_the_reference_does(void **state) {
    static const variant variants[] = {
        {4, 4, "\"min\":\"0\",\"max\":\"50\",\"grid\":\"0.5\"", false, false},
        {12, 3, "\"min\":\"0\",\"max\":\"50\",\"grid\":\"0.5\"", false, true},
        {12, 1, "\"min\":\"1\",\"max\":\"51\",\"grid\":\"0.5\"", true, true},
        {6, 5, "\"min\":\"-20\",\"max\":\"30\",\"grid\":\"0.5\"", true, true},
        {2, 2, "\"min\":\"-20\",\"max\":\"80\",\"grid\":\"0.5\"", true, false},
        {12, 1, "\"min\":\"0\",\"max\":\"50\",\"grid\":\"0.5\"", false, false},
        {12, 2, "\"min\":\"5\",\"max\":\"15\",\"grid\":\"0.5\"", true, true},
        {70, 2, "\"min\":\"0\",\"max\":\"50\",\"grid\":\"0.5\"", true, false},
        {9, 4, "\"min\":\"0.5\",\"max\":\"4\",\"grid\":\"0.5\"", false, true},
    };
    fixture *f = *state;
    size_t kinds[4] = {0}, asked = 0;
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        policy_make(f, &variants[i]);
        for (size_t round = 0; round < 3; round++) {
            rows_make(f, &variants[i]);
            rows_write(f, variants[i].has_weight);
            for (size_t q = 0; q < QUESTION_COUNT; q++) {
                if (plan_case_build(&f->asked, questions[q]) != GW_OK) {
                    // The mean of persons' totals needs a bound of them, and values from zero up.
                    assert_string_equal(f->asked.problem.code, "of_needed");
                    assert_true(strstr(questions[q], "mean") && strstr(questions[q], "person"));
                    assert_true(!variants[i].has_total || strstr(variants[i].fee, "-20"));
                    continue;
                }
                compare(f, questions[q]);
                kinds[f->asked.plan.bound.kind]++;
                asked++;
            }
        }
    }
    assert_true(asked > 350);
    for (size_t kind = 0; kind < 4; kind++)
        assert_true(kinds[kind] > 10);
}

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    char folder[4096], path[4200];
    snprintf(folder, sizeof folder, "/tmp/godwit-bounded-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    static const char rate[] =
        "{\"godwit_indicator\":1,\"id\":\"%s\",\"version\":1,\"sdmx\":\"R\",\"label\":{\"en\":\"Rate\"},"
        "\"definition\":{\"en\":\"A rate.\"},\"statistic\":\"rate\",\"unit\":\"PC\",\"decimals\":1,%s\"population\":"
        "[{\"concept\":\"activity\",\"in\":[\"EMP\",\"UNE\"]},{\"concept\":\"month\",\"between\":[1,10]}],"
        "\"numerator\":[{\"concept\":\"activity\",\"in\":[\"UNE\"]}]}";
    static const char *const ids[] = {"unemployment_rate", "rate_of_persons"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s.json", folder, ids[i]);
        FILE *file = fopen(path, "we");
        fprintf(file, rate, ids[i], i ? "\"per\":\"person\"," : "");
        fclose(file);
    }
    plan_case_open(&f->asked, folder, "\"epsilon\":\"0.1\"");
    nftw(folder, unit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    duck_open(&f->duck, NULL, 1);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    duck_close(&f->duck);
    plan_case_close(&f->asked);
    free(f);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(statements_add_up_what_the_reference_does)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
