// SPDX-License-Identifier: Apache-2.0
// Made-up registers for attacks: policies, people and their source files. Questions are in world_questions.c.
#include "tests/attacks/world.h"

#include "tests/support/unit.h"

static const uint64_t load_key[GW_LOAD_KEY_WORDS] = {3, 14, 15, 92};

uint64_t world_below(world *w, uint64_t end) {
    return seeded_next(&w->random) % end;
}

static const char *one_of(world *w, const char *const *texts, size_t count) {
    return texts[world_below(w, count)];
}
#define ONE_OF(w, ...)                                                                                                 \
    one_of((w), (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

// ---- begin, end

static const char rate[] = "{\"godwit_indicator\":1,\"id\":\"%s\",\"version\":1,\"sdmx\":\"R\",\"label\":{\"en\":"
                           "\"Rate\"},\"definition\":{\"en\":\"A rate.\"},\"statistic\":\"rate\",\"unit\":\"PC\","
                           "\"decimals\":1,%s\"population\":[%s],\"numerator\":[%s]}";
#define OF_ACTIVE                                                                                                      \
    "{\"concept\":\"activity\",\"in\":[\"EMP\",\"UNE\"]},{\"concept\":\"month\",\"between\":[1,11]}",                  \
        "{\"concept\":\"activity\",\"in\":[\"UNE\"]}"
static const char *const rates[][4] = {
    {"rate_of_rows", "", OF_ACTIVE},
    {"rate_of_persons", "\"per\":\"person\",", OF_ACTIVE},
    {"rate_of_first_rows", "\"rows_per_person\":1,", OF_ACTIVE},
    {"rate_of_people", "", "{\"concept\":\"hours\",\"between\":[1,40]}", "{\"concept\":\"hours\",\"between\":[1,20]}"},
};

static void catalogue_make(world *w) {
    char folder[] = "/tmp/godwit-world-XXXXXX", path[256];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s.json", folder, rates[i][0]);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fprintf(file, rate, rates[i][0], rates[i][1], rates[i][2], rates[i][3]);
        fclose(file);
    }
    gw_status status = gw_catalogue_load(folder, &w->catalogue, &w->problem);
    nftw(folder, unit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (status != GW_OK)
        fail_msg("%s %s", w->problem.what, w->problem.why);
}

void world_begin(world *w, uint64_t seed) {
    memset(w, 0, sizeof(*w));
    w->random.state = seed;
    assert_int_equal(gw_crypto_init(), GW_OK);
    catalogue_make(w);
    w->laws = gw_laws_cache_new();
    assert_non_null(w->laws);
}

void world_end(world *w) {
    gw_engine_close(w->engine);
    if (w->has_dataset)
        fixture_done(&w->dataset);
    gw_json_free(w->json);
    gw_arena_free(w->arena);
    gw_laws_cache_free(w->laws);
    gw_catalogue_free(w->catalogue);
}

world *world_new(uint64_t seed) {
    world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_begin(w, seed);
    return w;
}

int world_teardown(void **state) {
    world_end(*state);
    free(*state);
    return 0;
}

// ---- policies

static const char policy[] =
    "{\"godwit_policy\":1,\"dataset\":\"test.example/d\",\"population\":\"test.example/all\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{"
    "\"persons\":{\"unit\":\"id\",\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",%s,\"missing\":\"drop\"},"
    "\"hours\":{\"concept\":\"hours\",\"type\":\"integer\",\"min\":0,\"max\":40,\"missing\":\"drop\"}}},"
    "\"permits\":{\"unit\":\"id\",\"rows_per_person_max\":%u,\"rows_per_person_kept\":%u,\"inherit\":[\"sex\"],"
    "\"columns\":{"
    "\"why\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"drop\"},"
    "\"month\":{\"concept\":\"month\",\"type\":\"integer\",\"min\":1,\"max\":12,\"missing\":\"_U\",\"bandings\":{"
    "\"half\":{\"H1\":[1,6],\"H2\":[7,12]}}},"
    "\"day\":{\"concept\":\"time_period\",\"type\":\"date\",\"period\":\"month\",\"first\":\"2021-01\","
    "\"last\":\"2021-09\",\"missing\":\"drop\"},"
    "\"place\":{\"concept\":\"place\",\"type\":\"text\",\"missing\":\"drop\",\"length_max\":16,\"keys_max\":8},"
    "\"fee\":{\"concept\":\"fee\",\"type\":\"decimal\",\"unit\":\"EUR\",%s%s,\"missing\":\"drop\"}%s}}},"
    "\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"5\"},"
    "\"accounting\":{\"kind\":\"pure\",\"selection_delta\":\"1e-6\",\"question_delta\":\"1e-6\"},\"planning\":{\"cell_"
    "persons\":1500,\"size_bucket\":1000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\",\"permits\"],\"statistics\":[\"count\"]}]}";

void world_policy_make(world *w, const world_bounds *bounds) {
    char text[8192], weight[256] = "";
    w->has_weight = bounds->weight != NULL;
    if (w->has_weight)
        snprintf(weight, sizeof(weight), ",\"w\":{\"role\":\"weight\",\"type\":\"decimal\",%s}", bounds->weight);
    snprintf(text, sizeof(text), policy, bounds->income, bounds->rows_max, bounds->rows_kept, bounds->fee,
             bounds->total ? bounds->total : "", weight);
    if (w->has_dataset)
        fixture_done(&w->dataset);
    fixture_init(&w->dataset, text);
    w->has_dataset = true;
    w->dataset.key = load_key;
    w->dataset.is_empty_allowed = w->dataset.is_shrunk_allowed = true;
    // A person may have more rows in the source than the policy lets in: the load keeps so many in a keyed order.
    assert_int_equal(gw_load_treat("too_many_rows=drop-row", &w->dataset.treatments, &w->problem), GW_OK);
    if (w->engine == NULL)
        w->engine = fixture_engine(&w->dataset, 1);
}

void world_policy_draw(world *w) {
    static const unsigned maxima[] = {1, 2, 3, 4, WORLD_ROWS_MAX, 80};
    world_bounds bounds = {.rows_max = maxima[world_below(w, 6)]};
    unsigned limit = bounds.rows_max < WORLD_ROWS_MAX ? bounds.rows_max : WORLD_ROWS_MAX;
    bounds.rows_kept = 1 + (unsigned)world_below(w, limit);
    bounds.income =
        ONE_OF(w, WORLD_BOUNDS("0", "1000", "1"), WORLD_BOUNDS("-100", "400", "0.5"), WORLD_BOUNDS("10", "60", "0.1"));
    bounds.fee =
        ONE_OF(w, WORLD_BOUNDS("0", "50", "0.5"), WORLD_BOUNDS("1", "51", "0.5"), WORLD_BOUNDS("-20", "30", "0.5"),
               WORLD_BOUNDS("0", "20000", "0.1"), WORLD_BOUNDS("-7", "-2", "1"), WORLD_BOUNDS("5", "15", "0.25"));
    bounds.total = ONE_OF(w, NULL, ",\"person_total_max\":\"30\"", ",\"person_total_max\":\"7\"");
    if (world_below(w, 2) == 0)
        bounds.weight = ONE_OF(w, WORLD_BOUNDS("0", "1", "0.25"), WORLD_BOUNDS("0.5", "4", "0.25"),
                               WORLD_BOUNDS("0", "60", "0.25"));
    world_policy_make(w, &bounds);
}

void world_policy_plain(world *w) {
    const world_bounds bounds = {.rows_max = 4,
                                 .rows_kept = 2,
                                 .income = WORLD_BOUNDS("10", "210", "0.5"),
                                 .fee = WORLD_BOUNDS("0", "50", "0.5")};
    world_policy_make(w, &bounds);
}

// ---- people

// A value of the column: its ends more often than not, its middle, anything between, or missing.
static void value_draw(world *w, const gw_column *column, char text[WORLD_FIELD]) {
    int64_t steps = column->steps;
    int64_t choices[] = {0, steps, steps, steps / 2, (int64_t)world_below(w, (uint64_t)steps + 1)};
    text[0] = '\0';
    uint64_t at = world_below(w, 6);
    if (at == 5)
        return;
    double value = gw_plan_number(column->min_scaled + choices[at] * column->grid_scaled, column->scale);
    snprintf(text, WORLD_FIELD, "%.*f", (int)column->scale, value);
}

static void permit_draw(world *w, world_permit *permit) {
    const gw_table *table = &w->dataset.policy->tables[1];
    static const char *const days[] = {"2021-01-01", "2021-01-31", "2021-05", "2021-09-30", "2021-09-01", ""};
    snprintf(permit->why, WORLD_FIELD, "%s", ONE_OF(w, "EMP", "UNE", "INAC", ""));
    value_draw(w, gw_table_concept(table, "month"), permit->month);
    value_draw(w, gw_table_concept(table, "fee"), permit->fee);
    if (w->has_weight)
        value_draw(w, table->weight, permit->weight);
    snprintf(permit->place, WORLD_FIELD, "%s", ONE_OF(w, "Wien", "Graz", "Linz", "St. P\303\266lten", ""));
    snprintf(permit->day, WORLD_FIELD, "%s", one_of(w, days, 6));
}

static void person_draw(world *w, world_person *person) {
    const gw_table *table = &w->dataset.policy->tables[0];
    snprintf(person->sex, WORLD_FIELD, "%s", ONE_OF(w, "M", "F", "F", ""));
    value_draw(w, gw_table_concept(table, "income"), person->income);
    value_draw(w, gw_table_concept(table, "hours"), person->hours);
    person->permit_count = world_below(w, 3) == 0 ? WORLD_ROWS_MAX : world_below(w, WORLD_ROWS_MAX + 1);
    for (size_t i = 0; i < person->permit_count; i++) {
        permit_draw(w, &person->permits[i]);
        if (i > 0 && world_below(w, 4) == 0)
            person->permits[i] = person->permits[i - 1];
    }
}

void world_persons_draw(world *w) {
    w->person_count = world_below(w, 6) == 0 ? 1 : 2 + world_below(w, WORLD_PERSONS_MAX - 1);
    for (size_t i = 0; i < w->person_count; i++)
        person_draw(w, &w->persons[i]);
}

// Lines behind the header, in the order that w->order says.
static void lines_write(const world *w, const char *name, const char *header, const gw_buffer *lines, size_t count) {
    seeded_random random = {.state = w->order};
    gw_buffer text;
    size_t turns[WORLD_PERSONS_MAX * WORLD_ROWS_MAX];
    for (size_t i = 0; i < count; i++) {
        size_t at = w->order == 0 ? i : seeded_next(&random) % (i + 1);
        turns[i] = turns[at]; // Fisher and Yates, from the inside out
        turns[at] = i;
    }
    gw_buffer_init(&text, 1u << 20);
    gw_buffer_text(&text, header);
    for (size_t i = 0; i < count; i++)
        gw_buffer_append(&text, lines[turns[i]].data, lines[turns[i]].size);
    assert_int_equal(text.status, GW_OK);
    fixture_write(&w->dataset, name, text.data, text.size);
    gw_buffer_done(&text);
}

static void sources_write(const world *w, size_t without) {
    gw_buffer persons[WORLD_PERSONS_MAX] = {0}, permits[WORLD_PERSONS_MAX * WORLD_ROWS_MAX] = {0};
    size_t person_count = 0, permit_count = 0;
    for (size_t i = 0; i < w->person_count; i++) {
        const world_person *person = &w->persons[i];
        if (i == without)
            continue;
        gw_buffer *line = &persons[person_count++];
        gw_buffer_init(line, 1024);
        gw_buffer_format(line, "p%zu,%s,%s,%s\n", i, person->sex, person->income, person->hours);
        for (size_t k = 0; k < person->permit_count; k++) {
            const world_permit *permit = &person->permits[k];
            line = &permits[permit_count++];
            gw_buffer_init(line, 1024);
            gw_buffer_format(line, "p%zu,%s,%s,%s,%s", i, permit->why, permit->month, permit->day, permit->fee);
            gw_buffer_format(line, ",%s", permit->place);
            gw_buffer_format(line, "%s%s\n", w->has_weight ? "," : "", w->has_weight ? permit->weight : "");
        }
    }
    lines_write(w, "persons.csv", "id,sex,income,hours\n", persons, person_count);
    lines_write(w, "permits.csv", w->has_weight ? "id,why,month,day,fee,place,w\n" : "id,why,month,day,fee,place\n",
                permits, permit_count);
    for (size_t i = 0; i < person_count; i++)
        gw_buffer_done(&persons[i]);
    for (size_t i = 0; i < permit_count; i++)
        gw_buffer_done(&permits[i]);
}

world_snapshot world_load(world *w, size_t without) {
    const gw_load_source sources[] = {{"persons", "persons.csv"}, {"permits", "permits.csv"}};
    world_snapshot snapshot;
    sources_write(w, without);
    if (fixture_load_sources(&w->dataset, sources, 2) != GW_OK)
        fail_msg("load: %s %s", w->dataset.problem.what, w->dataset.problem.why);
    fixture_snapshot(&w->dataset, snapshot.path);
    return snapshot;
}
