// SPDX-License-Identifier: Apache-2.0
// The promise of the sensitivity, by brute force on a real DuckDB: random policies, random tiny datasets (ties,
// duplicates, missing values, values and weights at their ends) and random questions. Each statement returns what the
// reference adds up person by person; taking any person away moves it by at most the declared sensitivity, summed over
// all cells and parts; shuffled rows give the same integers. The same check is run on three broken statements, which it
// must catch. Argument: how many cases (for the long form).
#include "service/query/sql.h"

#include "service/base/check.h"
#include "tests/support/duck.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#include <inttypes.h>

#define PERSONS_MAX 8
#define ROWS_MAX 6
#define CELLS_MAX 256
#define PARTS_MAX 3
#define VALUES_MAX (CELLS_MAX * PARTS_MAX)
#define CASES 300
#define CASES_EVERYONE 10000 // from so many on, every person is taken away in every case
#define PLANT_CASES_MAX 400
#define QUESTIONS_PER_DATASET 6
#define DATASETS_PER_POLICY 3

// What a row of the snapshot holds; -1 is NULL.
typedef struct {
    int64_t sex, activity, month, fee, weight;
} row;

typedef struct {
    row rows[ROWS_MAX];
    size_t count;
    int64_t turns[ROWS_MAX]; // "_order": the place of each row by a hash of what it holds
} person;

typedef struct {
    seeded_random random;
    gw_policy *policy;
    gw_catalogue *catalogue;
    gw_arena *arena;
    gw_json *json;
    gw_plan plan;
    duck duck;
    unsigned rows_max;
    bool has_weight;
    person persons[PERSONS_MAX];
    size_t person_count;
    char question[2048];
    size_t kinds[4], statistics[GW_STATISTIC_COUNT_OF], refused, tight;
} world;

typedef enum { PLANT_NONE, PLANT_ONE_MORE, PLANT_PER_CELL, PLANT_NO_WEIGHT } plant;

typedef struct {
    int64_t values[VALUES_MAX];
} table;

static uint64_t below(world *w, uint64_t end) {
    return seeded_next(&w->random) % end;
}

static const char *one_of(world *w, const char *const *texts, size_t count) {
    return texts[below(w, count)];
}
#define ONE_OF(w, ...)                                                                                                 \
    one_of((w), (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

// ---- policies

static void policy_draw(world *w) {
    char text[4096], folder[4096], weight[256] = "";
    gw_problem problem = {0};
    unsigned maxima[] = {1, 2, 3, 4, 6, 6, 80}; // beyond 62 the statement is another
    w->rows_max = maxima[below(w, 7)];
    unsigned limit = w->rows_max < ROWS_MAX ? w->rows_max : ROWS_MAX;
    w->has_weight = below(w, 2) == 0;
    if (w->has_weight)
        snprintf(weight, sizeof(weight),
                 ",\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"%s\",\"max\":\"%s\",\"grid\":\"0.25\"}",
                 ONE_OF(w, "0", "0.5"), ONE_OF(w, "1", "4", "60"));
    snprintf(
        text, sizeof(text),
        "{\"godwit_policy\":1,\"dataset\":\"test.example/d\",\"population\":\"test.example/all\",\"version\":1,"
        "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":"
        "\"id\",\"rows_per_person_max\":1,\"columns\":{"
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
        w->rows_max, 1 + (unsigned)below(w, limit),
        ONE_OF(w, "\"min\":\"0\",\"max\":\"50\",\"grid\":\"0.5\"", "\"min\":\"1\",\"max\":\"51\",\"grid\":\"0.5\"",
               "\"min\":\"-20\",\"max\":\"30\",\"grid\":\"0.5\"", "\"min\":\"0\",\"max\":\"20000\",\"grid\":\"0.1\"",
               "\"min\":\"-7\",\"max\":\"-2\",\"grid\":\"1\"", "\"min\":\"5\",\"max\":\"15\",\"grid\":\"0.25\""),
        ONE_OF(w, "", ",\"person_total_max\":\"30\"", ",\"person_total_max\":\"61\"", ",\"person_total_max\":\"7\""),
        weight);
    snprintf(folder, sizeof(folder), "%s/policies/codelists", getenv("GW_SOURCE"));
    gw_policy_free(w->policy);
    w->policy = NULL;
    if (gw_policy_load(gw_bytes_of(text), "test", folder, &w->policy, &problem) != GW_OK)
        fail_msg("%s %s\n%s", problem.what, problem.why, text);
}

// ---- datasets

// A value of 0 .. steps or NULL, at an end more often than not.
static int64_t value_draw(world *w, int64_t steps) {
    int64_t choices[] = {-1, 0, steps, steps, steps / 2, (int64_t)below(w, (uint64_t)steps + 1)};
    return choices[below(w, 6)];
}

static uint64_t row_hash(const row *r) {
    const int64_t parts[] = {r->activity, r->month, r->fee, r->weight};
    seeded_random hash = {.state = 99};
    for (size_t i = 0; i < 4; i++)
        hash.state = seeded_next(&hash) ^ (uint64_t)parts[i];
    return seeded_next(&hash);
}

static void turns_number(person *p) {
    for (size_t i = 0; i < p->count; i++) {
        p->turns[i] = 0;
        for (size_t k = 0; k < p->count; k++) {
            uint64_t mine = row_hash(&p->rows[i]), other = row_hash(&p->rows[k]);
            p->turns[i] += other < mine || (other == mine && k < i); // alike rows in any order
        }
    }
}

static void persons_draw(world *w) {
    const gw_table *permits = &w->policy->tables[1];
    int64_t fees = gw_table_concept(permits, "fee")->steps, weights = w->has_weight ? permits->weight->steps : 0;
    size_t limit = w->rows_max < ROWS_MAX ? w->rows_max : ROWS_MAX;
    w->person_count = 2 + below(w, PERSONS_MAX - 1);
    for (size_t i = 0; i < w->person_count; i++) {
        person *p = &w->persons[i];
        int64_t sex = (int64_t)below(w, 3);
        p->count = below(w, 3) == 0 ? limit : below(w, limit + 1);
        for (size_t k = 0; k < p->count; k++) {
            if (k > 0 && below(w, 4) == 0) { // a duplicate
                p->rows[k] = p->rows[k - 1];
                continue;
            }
            p->rows[k] = (row){.sex = sex,
                               .activity = (int64_t)below(w, 4) - 1,
                               .month = value_draw(w, 11),
                               .fee = value_draw(w, fees),
                               .weight = w->has_weight ? value_draw(w, weights) : -1};
        }
        turns_number(p);
    }
}

static void number_write(gw_buffer *sql, int64_t value) {
    if (value < 0)
        gw_buffer_text(sql, ",NULL");
    else
        gw_buffer_format(sql, ",%" PRId64, value);
}

// Types as the load chooses them: a product must not depend on a column being wide.
static const char *type_of(int64_t steps) {
    return steps <= UINT8_MAX ? "UTINYINT" : steps <= UINT16_MAX ? "USMALLINT" : "UINTEGER";
}

static void tables_write(world *w) {
    const gw_table *permits = &w->policy->tables[1];
    gw_buffer sql;
    gw_buffer_init(&sql, 1u << 20);
    gw_buffer_format(
        &sql,
        "USE memory.sorted; CREATE OR REPLACE TABLE permits(_person UINTEGER, _order %s, _rows %s, sex "
        "UTINYINT, activity UTINYINT, month UTINYINT, fee %s, _weight %s); INSERT INTO permits SELECT * FROM "
        "(VALUES (0,0,1,0,0,0,0,0)",
        type_of(w->rows_max), type_of(w->rows_max), type_of(gw_table_concept(permits, "fee")->steps),
        type_of(w->has_weight ? permits->weight->steps : 1));
    for (size_t i = 0; i < w->person_count; i++)
        for (size_t k = 0; k < w->persons[i].count; k++) {
            const row *r = &w->persons[i].rows[k];
            gw_buffer_format(&sql, ",(%zu,%" PRId64 ",%zu", i + 1, w->persons[i].turns[k], w->persons[i].count);
            number_write(&sql, r->sex);
            number_write(&sql, r->activity);
            number_write(&sql, r->month);
            number_write(&sql, r->fee);
            number_write(&sql, r->weight);
            gw_buffer_text(&sql, ")");
        }
    gw_buffer_text(&sql, ") AS made; DELETE FROM permits WHERE _person = 0; CREATE OR REPLACE TABLE "
                         "memory.shuffled.permits AS SELECT * FROM permits ORDER BY random();");
    assert_int_equal(sql.status, GW_OK);
    duck_run(&w->duck, gw_buffer_string(&sql));
    gw_buffer_done(&sql);
}

// ---- questions

static void filters_draw(world *w, char text[512]) {
    static const char *const filters[] = {
        "{\"concept\":\"sex\",\"in\":[\"F\"]}",
        "{\"concept\":\"month\",\"between\":[1,6]}",
        "{\"concept\":\"month\",\"between\":[12,12]}",
        "{\"concept\":\"month:half\",\"in\":[\"H1\",\"_U\"]}",
        "{\"concept\":\"activity\",\"in\":[\"EMP\",\"INAC\"]}",
    };
    const char *one = filters[below(w, 5)], *other = filters[below(w, 5)];
    switch (below(w, 4)) {
    case 0:
        snprintf(text, 512, ",\"where\":[%s]", one);
        return;
    case 1:
        snprintf(text, 512, ",\"where\":[%s,%s]", one, other);
        return;
    default:
        text[0] = '\0';
    }
}

static void question_draw(world *w) {
    static const char *const axes[] = {
        "", "\"sex\"", "\"activity\"", "\"month:half\"", "\"sex\",\"activity\"", "\"activity\",\"month:half\""};
    char where[512], measure[512];
    const char *per = below(w, 2) == 0 ? ",\"per\":\"person\"" : "";
    const char *by = axes[below(w, 6)], *gap = "", *breakdown = "by";
    filters_draw(w, where);
    switch (below(w, 14)) {
    case 0:
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"%s}", per);
        break;
    case 1:
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"share\",\"table\":\"permits\"%s}", per);
        break;
    case 2:
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\"%s}", per);
        break;
    case 3:
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"}");
        break;
    case 4:
        snprintf(
            measure, sizeof(measure),
            "\"measure\":{\"statistic\":\"net\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"EMP\"]}],\"minus\":[%s]}",
            ONE_OF(w, "{\"concept\":\"activity\",\"in\":[\"UNE\",\"INAC\"]}",
                   "{\"concept\":\"month\",\"between\":[1,6]}"));
        break;
    case 5:
    case 6:
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"%s\",\"of\":\"%s\"%s}",
                 ONE_OF(w, "variance", "sd"), ONE_OF(w, "fee", "month"), per);
        break;
    case 7:
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"ratio\",\"of\":\"%s",
                 ONE_OF(w, "fee\",\"over\":\"month\"}", "month\",\"over\":\"fee\"}"));
        break;
    case 8:
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"histogram\",\"of\":\"%s\"%s%s}",
                 ONE_OF(w, "fee", "month"), ONE_OF(w, ",\"bins\":2", ",\"bins\":5", ",\"bins\":4"), per);
        break;
    case 9: // one level is picked, two are read off a tree: the statement is the same
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"quantile\",\"of\":%s,\"at\":[%s]}",
                 ONE_OF(w, "\"fee\",\"bins\":20", "\"month\""), ONE_OF(w, "\"0.5\"", "\"0.25\",\"0.75\""));
        break;
    case 10:
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"%s\",\"of\":\"month\"}",
                 ONE_OF(w, "gini", "quintile_ratio"));
        break;
    case 11: // drops rows without an activity from the groups and keeps them for the median
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"poverty\",\"of\":%s}",
                 ONE_OF(w, "\"fee\",\"bins\":20", "\"month\""));
        by = ONE_OF(w, "", "\"sex\"", "\"activity\"");
        break;
    case 12: // several tables: what is measured is the one that all of them are sums of
        snprintf(measure, sizeof(measure), "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"%s}", per);
        breakdown = "tables";
        by = ONE_OF(w, "[\"sex\"],[]", "[\"activity\"],[\"sex\"]", "[\"month:half\"],[\"sex\",\"activity\"],[]");
        break;
    default:
        snprintf(measure, sizeof(measure), "\"indicator\":\"%s\"",
                 ONE_OF(w, "rate_of_rows", "rate_of_persons", "rate_of_first_rows"));
    }
    bool has_gap = strstr(measure, "indicator") || strstr(measure, "\"mean\"") || strstr(measure, "\"share\"");
    if (has_gap && below(w, 2) == 0)
        gap = ONE_OF(w, ",\"gap\":{\"concept\":\"sex\",\"group\":\"F\",\"reference\":\"M\"}",
                     ",\"gap\":{\"concept\":\"month:half\",\"group\":\"_U\",\"reference\":\"H1\"}",
                     ",\"gap\":{\"concept\":\"activity\",\"group\":\"UNE\",\"reference\":\"EMP\"}");
    snprintf(w->question, sizeof(w->question),
             "{\"v\":1,\"kind\":\"query\",\"dataset\":\"test.example/d\",%s,\"%s\":[%s]%s%s%s,\"epsilon\":\"0.1\"}",
             measure, breakdown, by, gap, where, below(w, 4) == 0 ? ",\"weighted\":false" : "");
}

// False where the plan refuses, which it may: a share without groups, filters that exclude each other, means of
// persons' totals that have no bound.
static bool plan_make(world *w) {
    gw_problem problem = {0};
    gw_question question;
    gw_json_free(w->json);
    gw_arena_free(w->arena);
    w->json = NULL;
    w->arena = gw_arena_new(1u << 22);
    gw_status status = gw_json_parse(gw_bytes_of(w->question), GW_JSON_REQUEST, &w->json, &problem);
    if (status == GW_OK)
        status = gw_question_decode(w->json, w->arena, &question, &problem);
    if (status == GW_OK)
        status = gw_plan_build(&question, w->policy, w->catalogue, w->arena, &w->plan, &problem);
    if (status == GW_OK)
        return true;
    static const char *const known[] = {"by_needed", "bad_filter", "of_needed", "bad_measure",
                                        "bad_gap",   "below_zero", "bad_tables"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(problem.code, known[i]) == 0)
            return false;
    fail_msg("%s %s %s\n%s", problem.code, problem.what, problem.why, w->question);
    return false;
}

// ---- what the question means, without SQL

static int64_t held(const row *r, const char *concept) {
    return strcmp(concept, "sex") == 0        ? r->sex
           : strcmp(concept, "activity") == 0 ? r->activity
           : strcmp(concept, "month") == 0    ? r->month
                                              : r->fee;
}

static bool is_among(int64_t value, const gw_plan_condition *condition) {
    bool is_in = condition->with_missing && value < 0;
    for (size_t k = 0; k < condition->position_count; k++)
        is_in |= value == (int64_t)condition->positions[k];
    for (size_t k = 0; k < condition->range_count; k++)
        is_in |= value >= 0 && value >= condition->ranges[k][0] && value <= condition->ranges[k][1];
    return is_in;
}

static bool has_all(const row *r, const gw_plan_condition *conditions, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!is_among(held(r, conditions[i].column->concept), &conditions[i]))
            return false;
    return true;
}

// The place along an axis, or -1: sex and halves have their missing last, activity has none.
static int64_t place(const row *r, const gw_plan_axis *axis) {
    int64_t value = held(r, axis->column->concept);
    if (strcmp(axis->concept, "month:half") == 0)
        value = value < 0 ? 2 : value / 6;
    for (size_t i = 0; i < axis->code_count; i++)
        if ((int64_t)axis->positions[i] == value)
            return (int64_t)i;
    return -1;
}

static bool has_values(const gw_plan *plan, const row *r) {
    return !(plan->of && held(r, plan->of->concept) < 0) && !(plan->over && held(r, plan->over->concept) < 0) &&
           !(plan->weight && r->weight < 0);
}

static bool is_in_group(const gw_plan *plan, const row *r) {
    for (size_t i = 0; i < plan->axis_count; i++)
        if (place(r, &plan->axes[i]) < 0)
            return false;
    return has_all(r, plan->population, plan->population_count);
}

// Filters of the asker hold for everybody; a filter on a breakdown's own concept leaves its codes alone as groups.
static bool counts_for_median(const gw_plan *plan, const row *r) {
    return has_all(r, plan->where, plan->where_count) && has_values(plan, r);
}

// What a row adds before any bound; false where it does not count.
static bool row_counts(const gw_plan *plan, const row *r, gw_bound_row *ret) {
    bool counts = has_all(r, plan->population, plan->population_count) && has_all(r, plan->where, plan->where_count) &&
                  has_values(plan, r);
    ret->value = 1;
    ret->weight = plan->weight ? (uint64_t)(plan->weight_line.first + plan->weight_line.factor * r->weight) : 1;
    for (size_t i = 0; i < plan->axis_count; i++) {
        int64_t at = place(r, &plan->axes[i]);
        counts &= at >= 0;
        ret->cell = ret->cell * plan->axes[i].code_count + (size_t)at;
    }
    if (plan->has_rest && !is_in_group(plan, r)) { // one more group, whatever stopped the row from being in another
        counts = counts_for_median(plan, r);
        ret->cell = plan->group_count;
    }
    if (plan->grid.column) { // bins are of one width, the last takes what is left
        int64_t bin = held(r, plan->of->concept) / plan->grid.width, last = (int64_t)plan->grid.count - 1;
        ret->cell = ret->cell * plan->grid.count + (size_t)(bin < last ? bin : last);
    }
    if (plan->gap.column) {
        const gw_plan_axis gap = gw_plan_gap_axis(plan);
        int64_t at = place(r, &gap);
        counts &= at >= 0;
        ret->cell = ret->cell * 2 + (size_t)at;
    }
    if (plan->statistic == GW_STATISTIC_NET) {
        bool is_plus = has_all(r, plan->plus, plan->plus_count), is_minus = has_all(r, plan->minus, plan->minus_count);
        ret->value = (int64_t)is_plus - (int64_t)is_minus;
        counts &= is_plus != is_minus;
    } else if (plan->statistic == GW_STATISTIC_RATE) {
        ret->value = has_all(r, plan->numerator, plan->numerator_count);
        ret->other = 1 - ret->value;
    } else if (plan->over) {
        ret->value = plan->of_line.first + plan->of_line.factor * held(r, plan->of->concept);
        ret->other = plan->over_line.first + plan->over_line.factor * held(r, plan->over->concept);
    } else if (plan->of && !plan->grid.column) {
        ret->value = plan->of_line.first + plan->of_line.factor * held(r, plan->of->concept);
        ret->other = plan->statistic == GW_STATISTIC_MEAN ? plan->unit_width - ret->value : 0;
    }
    return counts;
}

static void person_adds(const world *w, const person *p, gw_int128 *cells) {
    const gw_plan *plan = &w->plan;
    bool is_spread = plan->statistic == GW_STATISTIC_VARIANCE || plan->statistic == GW_STATISTIC_SD;
    gw_bound_join join = plan->statistic == GW_STATISTIC_MEAN || is_spread ? GW_JOIN_TOTAL : GW_JOIN_ANY;
    const gw_bound_rule rule = {.bound = plan->bound,
                                .join = plan->is_per_person ? join : GW_JOIN_ROWS,
                                .unit_max = plan->unit_width,
                                .is_moments = is_spread,
                                .part_count = plan->measured_parts};
    gw_bound_row rows[ROWS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        rows[count] = (gw_bound_row){.order = (uint64_t)p->turns[i]};
        count += row_counts(plan, &p->rows[i], &rows[count]);
    }
    gw_bound_person(&rule, rows, count, cells);
}

static uint64_t size_of(const gw_int128 *cells, size_t count) {
    gw_int128 size = 0;
    for (size_t i = 0; i < count; i++)
        size += cells[i] < 0 ? -cells[i] : cells[i];
    return (uint64_t)size;
}

// ---- statements

static char *replaced(const char *text, const char *from, const char *to) {
    gw_buffer out;
    gw_buffer_init(&out, 1u << 20);
    for (const char *at; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
        gw_buffer_append(&out, text, (size_t)(at - text));
        gw_buffer_text(&out, to);
    }
    gw_buffer_text(&out, text);
    char *copy = strdup(gw_buffer_string(&out));
    gw_buffer_done(&out);
    return copy;
}

// The statement of the plan, or of a broken one. One row more: of a plan whose bound is one larger than its noise.
static gw_status statement_make(const world *w, plant planted, gw_sql *sql, char **ret_text) {
    gw_plan plan = w->plan;
    if (planted == PLANT_ONE_MORE)
        plan.bound.units++;
    gw_status status = gw_sql_build(&plan, w->arena, sql);
    if (status != GW_OK)
        return status;
    const char *text = gw_buffer_string(&sql->text);
    *ret_text =
        planted == PLANT_PER_CELL ? replaced(text, "PARTITION BY person ", "PARTITION BY person, cell ") : strdup(text);
    gw_buffer_done(&sql->text);
    return *ret_text == NULL ? GW_NO_MEMORY : GW_OK;
}

static table table_measure(const world *w, const gw_sql *sql, const char *text) {
    const gw_plan *plan = &w->plan;
    table found = {{0}};
    int64_t values[CELLS_MAX * (1 + PARTS_MAX)];
    size_t columns = 1 + plan->measured_parts;
    duckdb_prepared_statement prepared = duck_prepare(&w->duck, text);
    size_t rows = duck_fetch(prepared, sql->params, sql->param_count, columns, values, CELLS_MAX);
    duckdb_destroy_prepare(&prepared);
    for (size_t i = 0; i < rows; i++) {
        assert_in_range(values[i * columns], 0, plan->measured_cells - 1);
        for (size_t part = 0; part < plan->measured_parts; part++)
            found.values[(size_t)values[i * columns] * plan->measured_parts + part] += values[i * columns + 1 + part];
    }
    return found;
}

static table table_without(const world *w, size_t index, const gw_sql *sql, const char *text) {
    char delete[128];
    snprintf(delete, sizeof(delete), "BEGIN; DELETE FROM permits WHERE _person = %zu;", index + 1);
    duck_run(&w->duck, delete);
    table found = table_measure(w, sql, text);
    duck_run(&w->duck, "ROLLBACK;");
    return found;
}

static uint64_t distance(const table *a, const table *b) {
    uint64_t sum = 0;
    for (size_t i = 0; i < VALUES_MAX; i++)
        sum += (uint64_t)llabs(a->values[i] - b->values[i]);
    return sum;
}

// ---- the campaign

// What one person may change of a statement's result. A tree counts that once a level, and its noise is for all levels.
static uint64_t promised(const gw_plan *plan) {
    bool is_tree = plan->mechanism == GW_MECHANISM_TREE;
    assert_true(!is_tree || plan->sensitivity == plan->bound.sensitivity * plan->tree.level_count);
    return is_tree ? plan->bound.sensitivity : plan->sensitivity;
}

static void reference_holds(world *w, const table *found, const char *text) {
    const gw_plan *plan = &w->plan;
    size_t count = plan->measured_cells * plan->measured_parts;
    gw_int128 wanted[VALUES_MAX] = {0};
    for (size_t i = 0; i < w->person_count; i++) {
        gw_int128 own[VALUES_MAX] = {0};
        person_adds(w, &w->persons[i], own);
        uint64_t size = size_of(own, count);
        if (size > promised(plan))
            fail_msg("a person adds %" PRIu64 ", promised %" PRIu64 ": %s", size, promised(plan), w->question);
        w->tight += size == promised(plan);
        for (size_t k = 0; k < count; k++)
            wanted[k] += own[k];
    }
    for (size_t k = 0; k < count; k++)
        if (wanted[k] != found->values[k])
            fail_msg("%s, %s: value %zu is %" PRId64 ", not %" PRId64 "\n%s", w->question,
                     gw_bound_kind_name(plan->bound.kind), k, found->values[k], (int64_t)wanted[k], text);
}

// All persons where `everyone`, else one.
static uint64_t moved_most(world *w, const table *whole, const gw_sql *sql, const char *text, bool everyone) {
    uint64_t most = 0;
    for (size_t i = everyone ? 0 : below(w, w->person_count), last = everyone ? w->person_count - 1 : i; i <= last;
         i++) {
        table without = table_without(w, i, sql, text);
        uint64_t moved = distance(whole, &without);
        most = moved > most ? moved : most;
    }
    return most;
}

static void case_check(world *w, bool everyone) {
    gw_sql sql;
    char *text = NULL;
    assert_true(w->plan.measured_cells <= CELLS_MAX && w->plan.measured_parts <= PARTS_MAX);
    assert_int_equal(statement_make(w, PLANT_NONE, &sql, &text), GW_OK);
    duck_run(&w->duck, "USE memory.shuffled;");
    table shuffled = table_measure(w, &sql, text);
    duck_run(&w->duck, "USE memory.sorted;");
    table found = table_measure(w, &sql, text);
    reference_holds(w, &found, text);
    assert_memory_equal(&found, &shuffled, sizeof(found));
    uint64_t moved = moved_most(w, &found, &sql, text, everyone);
    if (moved > promised(&w->plan))
        fail_msg("moved by %" PRIu64 ", promised %" PRIu64 ": %s\n%s", moved, promised(&w->plan), w->question, text);
    w->kinds[w->plan.bound.kind]++;
    w->statistics[w->plan.gap.column ? GW_STATISTIC_GAP : w->plan.statistic]++;
    free(text);
}

// The next question that has a plan; new people and new policies now and then.
static void case_draw(world *w, size_t number) {
    bool is_new = number % QUESTIONS_PER_DATASET == 0;
    if (number % (QUESTIONS_PER_DATASET * DATASETS_PER_POLICY) == 0)
        policy_draw(w);
    if (is_new) {
        persons_draw(w);
        tables_write(w);
    }
    for (question_draw(w); !plan_make(w); question_draw(w))
        w->refused++;
}

static size_t cases_wanted = CASES;

static void nobody_moves_an_aggregate_by_more_than_the_sensitivity(void **state) {
    world *w = *state;
    w->random = (seeded_random){.state = 3};
    for (size_t i = 0; i < cases_wanted; i++) {
        case_draw(w, i);
        case_check(w, cases_wanted >= CASES_EVERYONE);
    }
    print_message("%zu cases (none %zu, keep-rows %zu, keep-cells %zu, clamp-total %zu), %zu persons reach the "
                  "sensitivity, %zu questions refused\n",
                  cases_wanted, w->kinds[0], w->kinds[1], w->kinds[2], w->kinds[3], w->tight, w->refused);
    for (size_t i = 0; i < 4; i++)
        assert_true(w->kinds[i] > cases_wanted / 100);
    for (size_t i = 0; i <= GW_STATISTIC_QUINTILE_RATIO; i++) // those that are drawn here
        assert_true(w->statistics[i] > cases_wanted / 150);   // compilers order draws differently
    assert_true(w->tight > cases_wanted / 50);                // the sensitivity is not simply large
}

// Whether the same measurement on a broken statement, or against a sensitivity without its weight, shows the break.
static bool plant_shows(world *w, plant planted) {
    gw_sql sql;
    char *text = NULL;
    uint64_t promised = w->plan.sensitivity;
    assert_int_equal(statement_make(w, planted, &sql, &text), GW_OK);
    if (planted == PLANT_NO_WEIGHT && w->plan.weight)
        promised = w->plan.sensitivity /
                   (uint64_t)(w->plan.weight_line.first + w->plan.weight_line.factor * w->plan.weight->steps);
    table found = table_measure(w, &sql, text);
    bool shows = moved_most(w, &found, &sql, text, true) > promised;
    free(text);
    return shows;
}

static void broken_bounds_are_caught(void **state) {
    static const char *const names[] = {"", "one row more", "per cell instead of per person", "weights forgotten"};
    world *w = *state;
    for (int planted = PLANT_ONE_MORE; planted <= PLANT_NO_WEIGHT; planted++) {
        w->random = (seeded_random){.state = 11};
        size_t shown = 0, cases = 0;
        for (; cases < PLANT_CASES_MAX && shown == 0; cases++) {
            case_draw(w, cases);
            shown += plant_shows(w, (plant)planted);
        }
        print_message("planted, %s: caught after %zu cases\n", names[planted], cases);
        assert_true(shown > 0);
    }
}

// One person with a million rows beside one with two.
static void a_person_with_a_million_rows_is_bounded_like_any_other(void **state) {
    world *w = *state;
    do {
        w->random.state++;
        policy_draw(w);
    } while (w->rows_max != 80 || w->has_weight || w->policy->tables[1].rows_per_person_kept > 3);
    duck_run(&w->duck,
             "USE memory.sorted; CREATE OR REPLACE TABLE permits AS SELECT CAST(1 AS UINTEGER) AS _person, CAST(i AS "
             "UINTEGER) AS _order, CAST(1000000 AS UINTEGER) AS _rows, CAST(0 AS UTINYINT) AS sex, CAST(i % 3 AS "
             "UTINYINT) AS activity, CAST(i % 12 AS UTINYINT) AS month, CAST(1 + i % 5 AS UTINYINT) AS fee FROM "
             "range(1000000) AS r(i) UNION ALL SELECT 2, i, 2, 1, i, i, 1 + i FROM range(2) AS r(i)");
    static const char *const measures[] = {
        "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"}",
        "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"}",
        "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"}", "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\"}"};
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
        gw_sql sql;
        char *text = NULL;
        snprintf(w->question, sizeof(w->question),
                 "{\"v\":1,\"kind\":\"query\",\"dataset\":\"test.example/d\",%s,\"by\":[\"activity\",\"month:half\"],"
                 "\"where\":[{\"concept\":\"month\",\"between\":[1,11]}],\"epsilon\":\"0.1\"}",
                 measures[i]);
        assert_true(plan_make(w));
        // As if the policy let that many in: the bound is chosen anew, and the statement made for it.
        gw_table many = *w->plan.table;
        many.rows_per_person_max = 1000000;
        w->plan.table = &many;
        assert_int_not_equal(w->plan.bound.kind, GW_BOUND_NONE);
        assert_int_equal(statement_make(w, PLANT_NONE, &sql, &text), GW_OK);
        table whole = table_measure(w, &sql, text);
        w->person_count = 2;
        uint64_t moved = moved_most(w, &whole, &sql, text, true);
        assert_in_range(moved, 1, w->plan.sensitivity);
        free(text);
    }
}

static int setup(void **state) {
    static const char rate[] =
        "{\"godwit_indicator\":1,\"id\":\"%s\",\"version\":1,\"sdmx\":\"R\",\"label\":{\"en\":\"Rate\"},"
        "\"definition\":{\"en\":\"A rate.\"},\"statistic\":\"rate\",\"unit\":\"PC\",\"decimals\":1,%s\"population\":"
        "[{\"concept\":\"activity\",\"in\":[\"EMP\",\"UNE\"]},{\"concept\":\"month\",\"between\":[1,11]}],"
        "\"numerator\":[{\"concept\":\"activity\",\"in\":[\"UNE\"]}]}";
    static const char *const ids[][2] = {{"rate_of_rows", ""},
                                         {"rate_of_persons", "\"per\":\"person\","},
                                         {"rate_of_first_rows", "\"rows_per_person\":1,"}};
    world *w = calloc(1, sizeof(*w));
    char folder[] = "/tmp/godwit-neighbours-XXXXXX", path[256];
    gw_problem problem = {0};
    if (w == NULL || gw_crypto_init() != GW_OK || mkdtemp(folder) == NULL)
        return 1;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s.json", folder, ids[i][0]);
        FILE *file = fopen(path, "we");
        fprintf(file, rate, ids[i][0], ids[i][1]);
        fclose(file);
    }
    gw_status status = gw_catalogue_load(folder, &w->catalogue, &problem);
    nftw(folder, unit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (status != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    duck_open(&w->duck, NULL, 1);
    duck_run(&w->duck, "CREATE SCHEMA sorted; CREATE SCHEMA shuffled;");
    *state = w;
    return 0;
}

static int teardown(void **state) {
    world *w = *state;
    duck_close(&w->duck);
    gw_json_free(w->json);
    gw_arena_free(w->arena);
    gw_policy_free(w->policy);
    gw_catalogue_free(w->catalogue);
    free(w);
    return 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_moves_an_aggregate_by_more_than_the_sensitivity),
        cmocka_unit_test(broken_bounds_are_caught),
        cmocka_unit_test(a_person_with_a_million_rows_is_bounded_like_any_other),
    };
    if (argc > 1)
        cases_wanted = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, setup, teardown);
}
