// SPDX-License-Identifier: Apache-2.0
// Policies with one mistake each are refused with code, line and column; good ones are read whole; the schema's
// examples and its required fields agree with the loader.
#include "tests/unit/policy/policies.h"
#include "service/policy/policy_open.h"
#include "service/base/crypto.h"
#include "service/base/file.h"
#include "service/policy/load.h"
#include <sys/stat.h>
#include <unistd.h>

static void a_good_policy_is_read_whole(void **state) {
    (void)state;
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    gw_problem problem = {0};
    gw_status status = load_text(gw_bytes_of(policy_text), &policy, &problem);
    if (status != GW_OK)
        print_error("%s\n", problem.why);
    assert_int_equal(status, GW_OK);
    assert_string_equal(policy->dataset, "nso.example/register");
    assert_string_equal(policy->title, "nso.example/register");
    assert_null(policy->notice);
    assert_int_equal(policy->version, 3);
    assert_int_equal(policy->lifetime.micro, 10000000);
    assert_int_equal(policy->per_principal.micro, 2000000);
    assert_int_equal(policy->window_total.micro, 4000000);
    assert_int_equal(policy->window_days, 365);
    assert_int_equal(policy->question_min.micro, 10000);
    assert_int_equal(policy->planning_cell_persons, 1500);
    assert_int_equal(policy->planning_size_bucket, 1000000);
    assert_true(gw_hash_equal(policy->file, gw_sha256(gw_bytes_of(policy_text))));
    assert_int_equal(policy->table_count, 2);
    assert_int_equal(policy->tables[1].rows_per_person_max, 4);
    assert_int_equal(policy->tables[1].inherit_count, 2);
    const gw_table *persons = gw_policy_table(policy, "persons");
    assert_ptr_equal(persons, &policy->tables[0]);
    assert_int_equal(persons->column_count, 5);
    const gw_column *sex = gw_table_concept(persons, "sex");
    assert_string_equal(sex->label, "Sex");
    assert_int_equal(sex->codelist.code_count, 3);
    assert_string_equal(sex->codelist.codes[2].id, "_U");
    assert_int_equal(sex->recode_count, 2);
    assert_string_equal(sex->recodes[0].from, "1");
    assert_int_equal(sex->recodes[0].code, gw_column_code(sex, "M"));
    const gw_column *birth = gw_table_concept(persons, "c_birth");
    assert_int_equal(birth->codelist.code_count, 3); // missing "drop": no _U
    assert_string_equal(birth->label, "Country of birth");
    assert_int_equal(birth->missing, GW_MISSING_DROP);
    const gw_column *age = gw_table_concept(persons, "age:work");
    assert_int_equal(age->steps, 120);
    assert_int_equal(age->grid_scaled, 1);
    const gw_banding *work = gw_column_banding(age, "work");
    assert_int_equal(work->band_count, 3);
    assert_string_equal(work->bands[0].id, "Y_LT20"); // rising, whatever the file's order
    assert_int_equal(work->bands[2].low, 65);
    const gw_column *income = gw_table_concept(persons, "income");
    assert_int_equal(income->scale, 2);
    assert_int_equal(income->min_scaled, -1000);
    assert_int_equal(income->max_scaled, 9050);
    assert_int_equal(income->grid_scaled, 25);
    assert_int_equal(income->steps, 402);
    assert_string_equal(income->unit, "EUR");
    assert_true(persons->columns[4].is_weight);
    assert_null(persons->columns[4].concept);
    assert_int_equal(policy->grant_count, 2);
    assert_int_equal(policy->grants[0].statistic_count, 2);
    assert_int_equal(policy->grants[0].statistics[1], GW_STATISTIC_MEAN);
}

typedef struct {
    const char *from, *to;
    const char *code;
    size_t line, column; // 0: not checked
    const char *says;    // part of why or mend; NULL: not checked
} mistake;

#define LETTERS_32 "abcdefghijklmnopqrstuvwxyz012345"

static void columns_are_called_what_the_source_calls_them(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"Birth country", "Birth country"},
        {"Geburtsland (\xC3\x96sterreich)", "Geburtsland (\xC3\x96sterreich)"},
        {"a \\\"quoted\\\" name", "a \"quoted\" name"},
        {"back\\\\slash", "back\\slash"},
        {"a/b:c=d", "a/b:c=d"},
        {LETTERS_32 LETTERS_32 LETTERS_32 LETTERS_32, LETTERS_32 LETTERS_32 LETTERS_32 LETTERS_32}};
    for (size_t i = 0; i < COUNT(names); i++) {
        char key[200];
        snprintf(key, sizeof(key), "\"%s\":{\"concept\":\"c_birth\"", names[i][0]);
        GW_CLEANUP(gw_buffer_done) gw_buffer columns;
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&columns, 65536);
        gw_buffer_init(&text, 65536);
        replace_text(&columns, policy_text, "\"cob\":{\"concept\":\"c_birth\"", key);
        snprintf(key, sizeof(key), "\"unit\":\"%s\",\"rows_per_person_max\":4", names[i][0]);
        replace_text(&text, gw_buffer_string(&columns), "\"unit\":\"person_id\",\"rows_per_person_max\":4", key);
        GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
        gw_problem problem = {0};
        gw_status status = load_text(gw_buffer_bytes(&text), &policy, &problem);
        if (status != GW_OK)
            print_error("%s: %s\n", names[i][1], problem.why);
        assert_int_equal(status, GW_OK);
        assert_string_equal(gw_table_concept(&policy->tables[0], "c_birth")->name, names[i][1]);
        assert_string_equal(policy->tables[1].unit, names[i][1]);
    }
}

#define SINCE "\"type\":\"code\",\"codelist\":\"CL_DURATION_STAY\","
#define DATE(period, first, last) "\"type\":\"date\",\"period\":" period ",\"first\":" first ",\"last\":" last ","

// `policy_text` with one thing replaced, which must load.
static gw_policy *load_changed(const char *from, const char *to) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 65536);
    replace_text(&text, policy_text, from, to);
    gw_policy *policy = NULL;
    gw_problem problem = {0};
    gw_status status = load_text(gw_buffer_bytes(&text), &policy, &problem);
    if (status != GW_OK)
        print_error("%s: %s\n", to, problem.why);
    assert_int_equal(status, GW_OK);
    return policy;
}

static void periods_become_codes(void **state) {
    (void)state;
    static const struct {
        const char *column;
        gw_period period;
        size_t count; // without _U
        const char *first, *last, *label;
    } cases[] = {
        {DATE("\"month\"", "\"2021-11\"", "\"2023-05\""), GW_PERIOD_MONTH, 19, "2021-11", "2023-05", "May 2023"},
        {DATE("\"month\"", "\"2021-01\"", "\"2120-12\""), GW_PERIOD_MONTH, 1200, "2021-01", "2120-12", "December 2120"},
        {DATE("\"quarter\"", "\"2021-Q4\"", "\"2022-Q1\""), GW_PERIOD_QUARTER, 2, "2021-Q4", "2022-Q1", "Q1 2022"},
        {DATE("\"year\"", "\"2021\"", "\"2021\""), GW_PERIOD_YEAR, 1, "2021", "2021", "2021"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_policy_freep) gw_policy *policy = load_changed(SINCE, cases[i].column);
        const gw_column *column = gw_table_concept(&policy->tables[1], "duration_stay");
        assert_int_equal(column->type, GW_COLUMN_CODE);
        assert_int_equal(column->period, cases[i].period);
        assert_int_equal(column->codelist.code_count, cases[i].count + 1);
        assert_string_equal(column->codelist.codes[0].id, cases[i].first);
        assert_string_equal(column->codelist.codes[cases[i].count - 1].id, cases[i].last);
        assert_string_equal(column->codelist.codes[cases[i].count - 1].label, cases[i].label);
        assert_string_equal(column->codelist.codes[cases[i].count].id, "_U");
        assert_int_equal(gw_column_code(column, cases[i].last), cases[i].count - 1);
    }
    GW_CLEANUP(gw_policy_freep)
    gw_policy *policy =
        load_changed(SINCE "\"missing\":\"_U\"", DATE("\"year\"", "\"2021\"", "\"2023\"") "\"missing\":\"drop\"");
    assert_int_equal(gw_table_concept(&policy->tables[1], "duration_stay")->codelist.code_count, 3);
}

static void rows_kept_are_as_many_as_there_may_be_unless_it_says_fewer(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t kept;
    } cases[] = {{"\"rows_per_person_max\":4", 4},
                 {"\"rows_per_person_max\":4,\"rows_per_person_kept\":1", 1},
                 {"\"rows_per_person_kept\":4,\"rows_per_person_max\":4", 4},
                 {"\"rows_per_person_max\":1000000,\"rows_per_person_kept\":3", 3}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_policy_freep) gw_policy *policy = load_changed("\"rows_per_person_max\":4", cases[i].text);
        assert_int_equal(policy->tables[0].rows_per_person_kept, 1);
        assert_int_equal(policy->tables[1].rows_per_person_kept, cases[i].kept);
    }
}

static void totals_of_persons_are_on_the_scale_of_their_column(void **state) {
    (void)state;
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = load_changed("\"unit\":\"EUR\"", "\"person_total_max\":\"12.5\"");
    assert_int_equal(gw_table_concept(&policy->tables[0], "income")->person_total_scaled, 1250);
    assert_int_equal(gw_table_concept(&policy->tables[0], "age")->person_total_scaled, 0);
    GW_CLEANUP(gw_policy_freep)
    gw_policy *small = load_changed("\"max\":120", "\"max\":120,\"person_total_max\":7"); // less than one value can be
    assert_int_equal(gw_table_concept(&small->tables[0], "age")->person_total_scaled, 7);
}

static void the_owner_says_what_becomes_of_values_out_of_bounds(void **state) {
    (void)state;
    static const struct {
        const char *word;
        gw_outside outside;
    } cases[] = {{"\"outside\":\"refuse\"", GW_OUTSIDE_REFUSE},
                 {"\"outside\":\"clamp\"", GW_OUTSIDE_CLAMP},
                 {"\"outside\":\"missing\"", GW_OUTSIDE_MISSING},
                 {"\"outside\":\"drop-row\"", GW_OUTSIDE_DROP_ROW}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_policy_freep) gw_policy *policy = load_changed("\"unit\":\"EUR\"", cases[i].word);
        assert_int_equal(gw_table_concept(&policy->tables[0], "income")->outside, cases[i].outside);
        assert_int_equal(gw_table_concept(&policy->tables[0], "age")->outside, GW_OUTSIDE_REFUSE);
    }
}

static void a_weight_has_a_mean_for_prices(void **state) {
    (void)state;
    static const struct {
        const char *bounds;
        int64_t mean;
    } cases[] = {
        {"\"min\":\"0\",\"max\":\"2000\",\"grid\":\"0.01\"", 50000}, // a quarter of max
        {"\"min\":\"0\",\"max\":\"2000\",\"grid\":\"0.01\",\"mean\":\"1.5\"", 150},
        {"\"min\":\"1000\",\"max\":\"2000\",\"grid\":\"0.01\"", 100000}, // a quarter would be below min
        {"\"min\":\"0\",\"max\":\"2000\",\"grid\":\"0.01\",\"mean\":\"2000\"", 200000},
        {"\"min\":\"0\",\"max\":\"3\",\"grid\":\"1\"", 3}, // never zero
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_policy_freep)
        gw_policy *policy = load_changed("\"min\":\"0\",\"max\":\"2000\",\"grid\":\"0.01\"", cases[i].bounds);
        assert_ptr_equal(policy->tables[0].weight, &policy->tables[0].columns[4]);
        assert_null(policy->tables[1].weight);
        assert_int_equal(policy->tables[0].weight->weight_mean_scaled, cases[i].mean);
    }
}

static void accounting_and_its_deltas_are_read(void **state) {
    (void)state;
    static const struct {
        const char *accounting;
        uint64_t delta, selection, question;
    } cases[] = {
        {"\"pure\"", 0, 0, 0},
        {"\"zcdp\",\"delta\":\"1e-9\"", 1000000000, 0, 0},
        {"\"zcdp\",\"delta\":\"0.000000001\"", 1000000000, 0, 0},
        {"\"zcdp\",\"delta\":\"1e-8\"", 10000000000, 0, 0}, // a million people: one in a hundred
        {"\"pure\",\"selection_delta\":\"1e-9\"", 0, 1000000000, 10000000},
        {"\"zcdp\",\"delta\":\"1e-9\",\"selection_delta\":\"2e-9\",\"question_delta\":\"1e-10\"", 1000000000,
         2000000000, 100000000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_policy_freep) gw_policy *policy = load_changed("\"pure\"", cases[i].accounting);
        assert_int_equal(policy->delta.atto, cases[i].delta);
        assert_int_equal(policy->selection_delta.atto, cases[i].selection);
        assert_int_equal(policy->question_delta.atto, cases[i].question);
    }
}

static void every_statistic_can_be_granted(void **state) {
    (void)state;
    GW_CLEANUP(gw_policy_freep)
    gw_policy *policy =
        load_changed("[\"count\",\"mean\"]",
                     "[\"count\",\"share\",\"rate\",\"mean\",\"sum\",\"net\",\"variance\",\"sd\",\"ratio\",\"gap\","
                     "\"histogram\",\"quantile\",\"poverty\",\"gini\",\"quintile_ratio\",\"series\",\"keys\"]");
    assert_int_equal(policy->grants[0].statistic_count, GW_STATISTIC_COUNT_OF);
    for (int i = 0; i < GW_STATISTIC_COUNT_OF; i++)
        assert_int_equal(policy->grants[0].statistics[i], i);
}

static void one_mistake_each_is_refused_with_its_place(void **state) {
    (void)state;
    static const mistake cases[] = {
        // The frame.
        {"\"godwit_policy\":1", "\"godwit_policy\":2", "policy_version", 1, 18, "version 1"},
        {"\"godwit_policy\":1", "\"godwit_policy\":\"1\"", "policy_version", 1, 18, NULL},
        {"\"version\":3", "\"version\":0", "policy_version", 4, 11, NULL},
        {"\"version\":3", "\"version\":\"3\"", "wrong_type", 4, 11, NULL},
        {"\"version\":3,", "", "missing_field", 1, 1, "version"},
        {"\"version\":3", "\"versoin\":3", "unknown_field", 4, 1, "Did you mean \"version\"?"},
        {"\"version\":3", "\"version\":3,\"version\":4", "json_duplicate", 4, 13, NULL},
        {"\"neighbours\":\"add-remove-person\"", "\"neighbours\":\"replace-row\"", "policy_unsupported", 5, 14, NULL},
        {"\"duckdb\"", "\"postgres\"", "policy_unsupported", 6, 18, "duckdb"},
        {"\"pure\"", "\"rdp\"", "policy_unsupported", 18, 22, "pure"},
        {"\"pure\"", "\"zcdp\"", "policy_accounting", 18, 14, "1e-9"},
        {"\"pure\"", "\"pure\",\"delta\":\"1e-9\"", "policy_accounting", 18, 37, "zcdp"},
        {"\"pure\"", "\"zcdp\",\"delta\":1", "wrong_type", 18, 37, NULL},
        {"\"pure\"", "\"zcdp\",\"delta\":\"0\"", "policy_delta", 18, 37, "1e-9"},
        {"\"pure\"", "\"zcdp\",\"delta\":\"0.1\"", "policy_delta", 18, 37, "1e-9"},
        {"\"pure\"", "\"zcdp\",\"delta\":\"1e-19\"", "policy_delta", 18, 37, "1e-9"},
        {"\"pure\"", "\"zcdp\",\"delta\":\"1.1e-8\"", "policy_accounting", 18, 37, "1e-8"}, // of a million people
        {"\"pure\"", "\"zcdp\",\"delta\":\"5e-9\",\"selection_delta\":\"6e-9\"", "policy_accounting", 18, 37, "1e-8"},
        {"\"pure\"", "\"pure\",\"selection_delta\":\"1.1e-8\"", "policy_accounting", 18, 47, "1e-8"},
        {"\"pure\"", "\"pure\",\"question_delta\":\"1e-9\"", "policy_delta", 18, 46, "selection_delta"},
        {"\"pure\"", "\"pure\",\"selection_delta\":\"1e-9\",\"question_delta\":\"2e-9\"", "policy_delta", 18, 71, NULL},
        {"\"pure\"", "\"pure\",\"deltas\":\"1e-9\"", "unknown_field", 18, 29, "delta"},
        {"nso.example/register", "register", "bad_name", 2, 11, "slash"},
        {"nso.example/register", "nso/example/register", "bad_name", 2, 11, "slash"},
        {"nso.example/register", "nso.example/r\xC3\xA9gister", "bad_name", 2, 11, NULL},
        {"nso.example/register", "nso.example/reg\\nister", "bad_name", 2, 11, NULL},
        {"nso.example/residents", "../residents", "bad_name", 3, 14, NULL},
        {"\"cell_persons\":1500", "\"cell_persons\":0", "out_of_range", 19, 28, NULL},
        {"\"cell_persons\"", "\"cell_person\"", "unknown_field", 19, 13, "cell_persons"},
        // Tables.
        {"\"rows_per_person_max\":1", "\"rows_per_person_max\":0", "policy_table", 7, 63, NULL},
        {"\"rows_per_person_max\":1", "\"rows_per_person_max\":\"1\"", "wrong_type", 7, 63, NULL},
        {"\"rows_per_person_max\":1,", "", "missing_field", 7, 21, "rows_per_person_max"},
        {"\"unit\":\"person_id\",\"rows_per_person_max\":1", "\"unit\":\"sex\",\"rows_per_person_max\":1",
         "policy_table", 8, 7, "person id"},
        {"\"persons\":{", "\"per:sons\":{", "bad_name", 7, 22, NULL},
        {"\"stays\":{", "\"Persons\":{", "policy_table", 14, 11, "capitals alone"},
        {"\"inherit\":[\"sex\"", "\"inherit\":[\"sexx\"", "policy_concept", 14, 64, "sexx"},
        {"\"inherit\":[\"sex\"", "\"inherit\":[\"duration_stay\"", "policy_concept", 14, 64, "itself"},
        {"\"inherit\":[\"sex\",\"c_birth\"", "\"inherit\":[\"sex\",\"sex\"", "policy_concept", 14, 70, "twice"},
        {"\"rows_per_person_max\":1", "\"rows_per_person_max\":2", "policy_concept", 14, 64, "one row per person"},
        // Columns.
        {"\"cob\":{\"concept\":\"c_birth\"", "\"cob\":{\"concept\":\"sex\"", "policy_concept", 9, 18, "sex and cob"},
        {"\"concept\":\"c_birth\"", "\"concept\":\"C_BIRTH\"", "policy_concept", 9, 18, "lower-case"},
        {"\"concept\":\"c_birth\"", "\"concept\":\"\"", "policy_concept", 9, 18, NULL},
        {"\"concept\":\"c_birth\"", "\"concept\":\"quantile\"", "policy_concept", 9, 18, "another name"},
        {"\"concept\":\"c_birth\"", "\"concept\":\"span\"", "policy_concept", 9, 18, "another name"},
        {"\"type\":\"code\",\"codelist\":\"CL_BIRTH\"", "\"type\":\"word\",\"codelist\":\"CL_BIRTH\"", "wrong_type", 9,
         35, NULL},
        {"\"missing\":\"drop\"},\n\"age\"", "\"missing\":\"none\"},\n\"age\"", "wrong_type", 9, 74, "_U"},
        {",\"missing\":\"drop\"},\n\"age\"", "},\n\"age\"", "missing_field", 9, 7, "missing"},
        {"\"type\":\"code\",\"codelist\":\"CL_BIRTH\"", "\"type\":\"code\",\"min\":0,\"codelist\":\"CL_BIRTH\"",
         "unknown_field", 9, 42, NULL},
        {"\"cob\":{", "\"\":{", "bad_name", 9, 4, NULL},
        {"\"cob\":{", "\"c\\tob\":{", "bad_name", 9, 9, "control characters"},
        {"\"cob\":{", "\"c\\nob\":{", "bad_name", 9, 9, NULL},
        {"\"cob\":{", "\"c\\u202eob\":{", "bad_name", 9, 13, NULL}, // turns what follows round
        {"\"cob\":{", "\"c\\u0085ob\":{", "bad_name", 9, 13, NULL},
        {"\"cob\":{", "\"" LETTERS_32 LETTERS_32 LETTERS_32 LETTERS_32 "x\":{", "bad_name", 9, 133, "128 bytes"},
        {"\"unit\":\"person_id\",\"rows_per_person_max\":1", "\"unit\":\"\",\"rows_per_person_max\":1", "bad_name", 7,
         29, NULL},
        {"\"unit\":\"person_id\",\"rows_per_person_max\":1", "\"unit\":7,\"rows_per_person_max\":1", "wrong_type", 7,
         29, NULL},
        // Rows of a person.
        {"\"rows_per_person_max\":4", "\"rows_per_person_max\":4,\"rows_per_person_kept\":0", "policy_table", 14, 76,
         "from 1 to"},
        {"\"rows_per_person_max\":4", "\"rows_per_person_max\":4,\"rows_per_person_kept\":5", "policy_table", 14, 76,
         "which is 4"},
        {"\"rows_per_person_max\":1", "\"rows_per_person_max\":1,\"rows_per_person_kept\":2", "policy_table", 7, 88,
         "which is 1"},
        {"\"rows_per_person_max\":4", "\"rows_per_person_max\":4,\"rows_per_person_kept\":\"2\"", "wrong_type", 14, 76,
         NULL},
        {"\"rows_per_person_max\":4", "\"rows_per_person_max\":4,\"rows_per_person_keep\":2", "unknown_field", 14, 53,
         "rows_per_person_kept"},
        // Dates.
        {SINCE, DATE("\"month\"", "\"2021-01\"", "\"2020-12\""), "policy_period", 15, 92, "before"},
        {SINCE, DATE("\"month\"", "\"2021-01\"", "\"2121-01\""), "policy_period", 15, 92, "1201 periods"},
        {SINCE, DATE("\"week\"", "\"2021-W01\"", "\"2021-W02\""), "policy_period", 15, 59, "week"},
        {SINCE, DATE("\"moth\"", "\"2021-01\"", "\"2021-02\""), "policy_period", 15, 59, "Did you mean \"month\"?"},
        {SINCE, DATE("\"month\"", "\"2021\"", "\"2021-02\""), "policy_period", 15, 75, "\"first\":\"2021-01\""},
        {SINCE, DATE("\"month\"", "\"2021-13\"", "\"2022-02\""), "policy_period", 15, 75, "2021-13"},
        {SINCE, DATE("\"month\"", "\"2021-01-01\"", "\"2021-02\""), "policy_period", 15, 75, NULL},
        {SINCE, DATE("\"quarter\"", "\"2021-Q1\"", "\"2021-Q5\""), "policy_period", 15, 94, "\"last\":\"2021-Q1\""},
        {SINCE, DATE("\"year\"", "\"0000\"", "\"2021\""), "policy_period", 15, 74, "year"},
        {SINCE, DATE("\"year\"", "2020", "\"2021\""), "wrong_type", 15, 74, NULL},
        {SINCE, DATE("7", "\"2020\"", "\"2021\""), "wrong_type", 15, 59, NULL},
        {SINCE, "\"type\":\"date\",\"period\":\"year\",\"first\":\"2020\",", "missing_field", 15, 9, "last"},
        {SINCE, "\"type\":\"date\",\"first\":\"2020\",\"last\":\"2021\",", "missing_field", 15, 9, "period"},
        {SINCE, DATE("\"year\"", "\"2020\"", "\"2021\"") "\"recode\":{\"x\":\"2020\"},", "unknown_field", 15, 95, NULL},
        {SINCE, "\"type\":\"code\",\"codelist\":\"CL_DURATION_STAY\",\"first\":\"2020\",", "unknown_field", 15, 80,
         NULL},
        // Totals of persons, weights.
        {"\"unit\":\"EUR\"", "\"outside\":\"wrap\"", "wrong_type", 12, 57, "outside"},
        {"\"unit\":\"EUR\"", "\"person_total_max\":\"0\"", "policy_bounds", 12, 66, "more than zero"},
        {"\"unit\":\"EUR\"", "\"person_total_max\":\"-5\"", "policy_bounds", 12, 66, NULL},
        {"\"unit\":\"EUR\"", "\"person_total_max\":\"0.1\"", "policy_grid", 12, 66, "multiple of the grid"},
        {"\"unit\":\"EUR\"", "\"person_total_max\":\"0.125\"", "policy_grid", 12, 66, NULL},
        {"\"unit\":\"EUR\"", "\"person_total_max\":\"999999999999999999\"", "policy_grid", 12, 66, "58 bits"},
        {"\"unit\":\"EUR\"", "\"person_total_max\":100", "wrong_type", 12, 66, "in quotes"},
        {"\"max\":120", "\"max\":120,\"person_total_max\":\"120\"", "wrong_type", 10, 78, "without quotes"},
        {"\"type\":\"code\",\"codelist\":\"CL_BIRTH\"", "\"type\":\"code\",\"person_total_max\":1", "unknown_field", 9,
         42, NULL},
        {"\"role\":\"weight\"", "\"role\":\"weight\",\"person_total_max\":\"1\"", "unknown_field", 13, 22, NULL},
        {"\"role\":\"weight\"", "\"role\":\"weight\",\"mean\":\"0\"", "policy_bounds", 13, 29, "above zero"},
        {"\"role\":\"weight\"", "\"role\":\"weight\",\"mean\":\"2000.01\"", "policy_bounds", 13, 29, "\"max\""},
        {"\"role\":\"weight\"", "\"role\":\"weight\",\"mean\":\"1.005\"", "policy_bounds", 13, 29, "places"},
        {"\"role\":\"weight\"", "\"role\":\"weight\",\"mean\":1", "wrong_type", 13, 29, "in quotes"},
        {"\"min\":\"0\",\"max\":\"2000\"", "\"min\":\"-1\",\"max\":\"2000\"", "policy_bounds", 13, 45, "below zero"},
        {"\"unit\":\"EUR\"", "\"mean\":\"1\"", "unknown_field", 12, 47, NULL},
        // Code lists and recodes.
        {"CL_BIRTH", "CL_NOWHERE", "policy_codelist", 9, 53, "CL_NOWHERE"},
        {"CL_BIRTH", "../../etc/passwd", "bad_name", 9, 53, NULL},
        {"CL_BIRTH", "sub/CL_BIRTH", "bad_name", 9, 53, NULL},
        {"\"codelist\":\"CL_BIRTH\",", "", "policy_codelist", 9, 7, "either"},
        {"\"codelist\":\"CL_BIRTH\"", "\"codelist\":\"CL_BIRTH\",\"codes\":{\"A\":\"One\"}", "policy_codelist", 9, 7,
         "not both"},
        {"\"codelist\":\"CL_BIRTH\"", "\"codes\":{}", "policy_codelist", 9, 50, "1 to 1024"},
        {"\"codelist\":\"CL_BIRTH\"", "\"codes\":{\"_U\":\"Unknown\"}", "policy_codelist", 9, 56, "unknown"},
        {"\"codelist\":\"CL_BIRTH\"", "\"codes\":{\"_T\":\"Total\"}", "policy_codelist", 9, 56, "total"},
        {"\"codelist\":\"CL_BIRTH\"", "\"codes\":{\"A\":1}", "wrong_type", 9, 55, "one short line"},
        {"\"codelist\":\"CL_BIRTH\"", "\"codes\":{\"A\":\"\"}", "wrong_type", 9, 55, "one short line"},
        {"\"codelist\":\"CL_BIRTH\"", "\"codes\":{\"A b\":\"One\"}", "bad_name", 9, 57, NULL},
        {"\"codelist\":\"CL_BIRTH\"", "\"codes\":{\"A\":\"One\",\"A\":\"Two\"}", "json_duplicate", 9, 61, NULL},
        // What a draft left open, wherever it stands.
        {"\"CL_BIRTH\"", "\"ASK\"", "policy_open", 9, 53, "1 value"},
        {"\"max\":120", "\"max\":\"ASK: the highest\"", "policy_open", 10, 55, NULL},
        {"\"cob\":{", "\"ASK\":{", "policy_open", 9, 7, NULL},
        {"\"2\":\"F\"", "\"2\":\"W\"", "policy_recode", 8, 80, "CL_SEX"},
        {"\"2\":\"F\"", "\"2\":2", "wrong_type", 8, 80, NULL},
        {"\"2\":\"F\"", "\"\":\"F\"", "policy_recode", 8, 79, NULL},
        {"\"2\":\"F\"", "\"2\":\"_T\"", "policy_recode", 8, 80, NULL},
        {"\"2\":\"F\"", "\"1\":\"F\"", "json_duplicate", 8, 76, NULL},
        // Bounds and grids.
        {"\"min\":0,\"max\":120,", "", "policy_bounds", 10, 7, "bounded"},
        {"\"min\":0,\"max\":120,", "\"min\":0,", "policy_bounds", 10, 7, NULL},
        {"\"min\":\"-10\",\"max\":\"90.5\",", "", "policy_bounds", 12, 10, NULL},
        {"\"max\":120", "\"max\":0", "policy_bounds", 10, 55, NULL},
        {"\"max\":120", "\"max\":-1", "policy_bounds", 10, 55, NULL},
        {"\"max\":120", "\"max\":\"120\"", "wrong_type", 10, 55, "without quotes"},
        {"\"max\":120", "\"max\":1099511627777", "policy_grid", 10, 55, "2^40"},
        {"\"max\":\"90.5\"", "\"max\":\"-10\"", "policy_bounds", 12, 78, NULL},
        {"\"max\":\"90.5\"", "\"max\":\"90.6\"", "policy_grid", 12, 92, NULL},
        {"\"max\":\"90.5\"", "\"max\":\"NaN\"", "wrong_type", 12, 78, NULL},
        {"\"max\":\"90.5\"", "\"max\":90", "wrong_type", 12, 78, "in quotes"},
        {"\"max\":\"90.5\"", "\"max\":\"100000000000000000\"", "policy_grid", 12, 106, "2^40"},
        {"\"max\":\"90.5\",\"grid\":\"0.25\"", "\"max\":\"2999990.000000000001\",\"grid\":\"3000000.000000000001\"",
         "policy_bounds", 12, 78, "58 bits"},
        {"\"grid\":\"0.25\"", "\"grid\":\"0\"", "policy_grid", 12, 92, NULL},
        {"\"grid\":\"0.25\"", "\"grid\":\"-0.25\"", "policy_grid", 12, 92, NULL},
        {"\"grid\":\"0.25\",", "", "policy_grid", 12, 10, "grid"},
        {"\"grid\":\"0.01\"", "\"grid\":\"0.03\"", "policy_grid", 13, 69, NULL},
        {"\"role\":\"weight\"", "\"role\":\"key\"", "wrong_type", 13, 13, "weight"},
        {"\"w\":{\"role\"",
         "\"w0\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"1\",\"grid\":\"1\"},\n\"w\":{"
         "\"role\"",
         "policy_table", 14, 5, "weights"},
        {"\"role\":\"weight\"", "\"role\":\"weight\",\"concept\":\"income\"", "unknown_field", 13, 22, NULL},
        // Bandings.
        {"\"Y20T64\":[20,64]", "\"Y20T64\":[21,64]", "policy_banding", 11, 8, "20 lies in no band"},
        {"\"Y20T64\":[20,64]", "\"Y20T64\":[19,64]", "policy_banding", 11, 8, "19 lies in both Y_LT20 and Y20T64"},
        {"\"Y20T64\":[20,64]", "\"Y20T64\":[20,70]", "policy_banding", 11, 8, "65 lies in both"},
        {"[65,120]", "[65,119]", "policy_banding", 11, 8, "120 lies in no band"},
        {"[65,120]", "[65,121]", "policy_banding", 11, 22, "121"},
        {"[0,19]", "[1,19]", "policy_banding", 11, 8, "0 lies in no band"},
        {"[0,19]", "[-1,19]", "policy_banding", 11, 37, "-1"},
        {"[0,19]", "[19,0]", "policy_banding", 11, 36, "empty"},
        {"[0,19]", "[0]", "policy_banding", 11, 36, NULL},
        {"[0,19]", "[0,\"19\"]", "wrong_type", 11, 39, NULL},
        {"\"Y_LT20\":[", "\"_U\":[", "policy_banding", 11, 32, "_U"},
        {"\"work\":{", "\"age:work\":{", "bad_name", 11, 12, NULL},
        {"{\"Y_GE65\":[65,120],\"Y_LT20\":[0,19],\"Y20T64\":[20,64]}", "{}", "policy_banding", 11, 8,
         "0 lies in no band"},
        {"\"unit\":\"EUR\"", "\"bandings\":{\"s\":{\"NEG\":[\"-10\",\"-0.25\"],\"POS\":[\"0.1\",\"90.5\"]}}",
         "policy_banding", 12, 93, "0.1 is not on the column's grid"},
        {"\"unit\":\"EUR\"", "\"bandings\":{\"s\":{\"NEG\":[\"-10\",\"-0.25\"],\"POS\":[\"0.25\",\"90.5\"]}}",
         "policy_banding", 12, 63, "0 lies in no band"},
        {"\"unit\":\"EUR\"", "\"bandings\":{\"s\":{\"NEG\":[\"-10\",\"-0.25\"],\"POS\":[\"0\",\"90.25\"]}}",
         "policy_banding", 12, 63, "90.5 lies in no band"},
        // Budget.
        {"\"lifetime\":\"10\"", "\"lifetime\":\"0\"", "policy_budget", 16, 22, NULL},
        {"\"lifetime\":\"10\"", "\"lifetime\":10", "bad_epsilon", 16, 22, NULL},
        {"\"lifetime\":\"10\"", "\"lifetime\":\"1e1\"", "bad_epsilon", 16, 22, NULL},
        {"\"lifetime\":\"10\"", "\"lifetime\":\"0.4\"", "policy_budget", 17, 38, "question_max"},
        {"\"lifetime\":\"10\"", "\"lifetime\":\"1\"", "policy_budget", 16, 42, "per_principal"},
        {"\"question_min\":\"0.01\"", "\"question_min\":\"0.6\"", "policy_budget", 17, 16, NULL},
        {"\"question_min\":\"0.01\",", "", "missing_field", 16, 10, "question_min"},
        {"\"window\":{\"days\":365,\"epsilon\":\"4\"}", "\"window\":{\"days\":365}", "missing_field", 16, 56,
         "epsilon"},
        {"\"window\":{\"days\":365,\"epsilon\":\"4\"}", "\"window\":{\"epsilon\":\"4\"}", "missing_field", 16, 56,
         "days"},
        {"\"days\":365", "\"days\":0", "policy_budget", 16, 64, NULL},
        {"\"per_principal\"", "\"per_principle\"", "unknown_field", 16, 27, "per_principal"},
        // Grants.
        {"\"researcher\"", "\"reseacher\"", "policy_grant", 20, 19, "researcher"},
        {"\"researcher\"", "\"researcher,owner\"", "bad_name", 20, 19, NULL},
        {"\"tables\":[\"persons\"]", "\"tables\":[\"person\"]", "policy_grant", 20, 42, "persons"},
        {"\"statistics\":[\"count\",\"mean\"]", "\"statistics\":[\"count\",\"median\"]", "policy_grant", 20, 75,
         "sum, net"},
        {"\"statistics\":[\"count\",\"mean\"]", "\"statistics\":[\"count\",\"count\"]", "policy_grant", 20, 75,
         "twice"},
        {"{\"role\":\"researcher\",", "{", "missing_field", 20, 11, "role"},
        // Texts.
        {"\"version\":3", "\"version\":3,\"title\":\"Register\"", "wrong_type", 4, 21, NULL},
        {"\"version\":3", "\"version\":3,\"title\":{\"de\":\"Register\"}", "missing_field", 4, 21, "en"},
        {"\"version\":3", "\"version\":3,\"title\":{\"en\":\"a\\nb\"}", "wrong_type", 4, 27, "line"},
        {"\"version\":3", "\"version\":3,\"title\":{\"english\":\"a\"}", "unknown_field", 4, 32, NULL},
        {"\"version\":3", "\"version\":3.0", "json_number", 4, 11, NULL},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, 65536);
        replace_text(&text, policy_text, cases[i].from, cases[i].to);
        gw_policy *policy = NULL;
        gw_problem problem = {0};
        gw_status status = load_text(gw_buffer_bytes(&text), &policy, &problem);
        char place[64];
        snprintf(place, sizeof(place), "p.json, line %zu, column %zu: ", cases[i].line, cases[i].column);
        bool is_right = status != GW_OK && strcmp(problem.code, cases[i].code) == 0 &&
                        strncmp(problem.why, place, strlen(place)) == 0 &&
                        (cases[i].says == NULL || strstr(problem.why, cases[i].says) != NULL ||
                         strstr(problem.mend, cases[i].says) != NULL);
        if (!is_right)
            print_error("%s -> %s\n  %s | %s | %s\n  wanted %s | %s| %s\n", cases[i].from, cases[i].to, problem.code,
                        problem.why, problem.mend, cases[i].code, place, cases[i].says);
        wrong += !is_right;
        assert_null(policy);
        assert_true(problem.mend[0] != '\0' || strcmp(problem.code, "wrong_type") == 0 ||
                    strcmp(problem.code, "out_of_range") == 0);
    }
    assert_int_equal(wrong, 0);
}

static void own_codes_stand_in_the_policy_itself(void **state) {
    (void)state;
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 65536);
    replace_text(
        &text, policy_text, "\"codelist\":\"CL_BIRTH\"",
        "\"codes\":{\"Z\":\"Last, first\",\"A\":\"One\",\"ASKED\":\"no question\"},\"recode\":{\"eins\":\"A\"}");
    gw_policy *policy = NULL;
    gw_problem problem = {0};
    gw_status status = load_text(gw_buffer_bytes(&text), &policy, &problem);
    if (status != GW_OK)
        print_error("%s %s\n", problem.code, problem.why);
    assert_int_equal(status, GW_OK);
    const gw_column *birth = gw_table_concept(&policy->tables[0], "c_birth");
    assert_int_equal(birth->codelist.code_count, 3); // missing "drop": no _U
    assert_string_equal(birth->codelist.codes[0].id, "Z");
    assert_string_equal(birth->codelist.codes[0].label, "Last, first");
    assert_int_equal(birth->recodes[0].code, 1);
    gw_policy_free(policy);
}

static void open_points_are_listed_with_their_lines(void **state) {
    (void)state;
    static const char draft[] = "{\"dataset\":\"nso.example/x\",\n \"tables\":{\"persons\":{\"columns\":{\n"
                                "  \"age\":{\"min\":0,\"max\":\"ASK: the highest age\"},\n"
                                "  \"kind\":{\"codes\":{\"ASK\":\"each code with its name\"}},\n"
                                "  \"note\":\"ASK\"}}}}";
    GW_CLEANUP(gw_buffer_done) gw_buffer lines;
    gw_buffer_init(&lines, 65536);
    assert_int_equal(gw_policy_open_list(gw_bytes_of(draft), &lines), 3);
    assert_string_equal(gw_buffer_string(&lines), "  line 3  age: max = the highest age\n"
                                                  "  line 4  codes: each code with its name\n"
                                                  "  line 5  columns: note\n");
    assert_int_equal(gw_policy_open_list(gw_bytes_of(policy_text), &lines), 0);
}

static void all_missing_fields_are_listed_at_once(void **state) {
    (void)state;
    gw_policy *policy = NULL;
    gw_problem problem = {0};
    assert_int_equal(load_text(gw_bytes_of("{\"godwit_policy\":1,\"version\":1}"), &policy, &problem), GW_INVALID);
    assert_string_equal(problem.code, "missing_field");
    assert_non_null(strstr(problem.why, "dataset, population, neighbours, engine, tables, budget, accounting, grants"));
}

// ------------------------------------------------------------------------------------------------ code lists

typedef struct {
    char folder[64];
} list_folder;

static int make_folder(void **state) {
    static list_folder made;
    strcpy(made.folder, "/tmp/godwit-codelists-XXXXXX");
    assert_non_null(mkdtemp(made.folder));
    *state = &made;
    return 0;
}

static int remove_folder(void **state) {
    const list_folder *made = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/CL.csv", made->folder);
    unlink(path);
    return rmdir(made->folder);
}

static gw_status load_list(const list_folder *made, gw_bytes bytes, gw_arena *arena, gw_codelist *list, char *reason) {
    char path[128];
    snprintf(path, sizeof(path), "%s/CL.csv", made->folder);
    assert_int_equal(gw_file_replace(path, bytes, 0600, NULL), GW_OK);
    return gw_codelist_load(made->folder, "CL", arena, list, reason);
}

GW_DEFINE_FREEP(gw_arena, gw_arena_free)

static void code_lists_follow_csv(void **state) {
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1048576);
    gw_codelist list = {0};
    char reason[GW_CODELIST_REASON_MAX];
    static const char text[] =
        "id,name,description\r\nA,\"One, two \"\"three\"\"\",\"x,y\"\r\n\r\nB-1,\xC3\x84lter,\nC_2.0,Last";
    gw_status status = load_list(*state, gw_bytes_of(text), arena, &list, reason);
    if (status != GW_OK)
        print_error("%s\n", reason);
    assert_int_equal(status, GW_OK);
    assert_int_equal(list.code_count, 3);
    assert_string_equal(list.codes[0].label, "One, two \"three\"");
    assert_string_equal(list.codes[1].id, "B-1");
    assert_string_equal(list.codes[1].label, "\xC3\x84lter");
    assert_string_equal(list.codes[2].label, "Last");
}

static void broken_code_lists_are_refused_with_their_line(void **state) {
    static const char *const cases[][2] = {
        {"", "line 1"},
        {"id,name\n", "no codes"},
        {"code,label\nA,One\n", "line 1"},
        {"\xEF\xBB\xBFid,name\nA,One\n", "line 1"},
        {"id,name\nA,One\nA,Two\n", "line 3: this id stands twice"},
        {"id,name\nA,One\n_U,Unknown\n", "line 3: _U"},
        {"id,name\n_T,Total\n", "line 2: _T"},
        {"id,name\nA B,One\n", "line 2: the id"},
        {"id,name\nA:B,One\n", "line 2: the id"},
        {"id,name\n,One\n", "line 2: the id"},
        {"id,name\nA,\n", "line 2: the name is empty"},
        {"id,name\nA\n", "line 2: the name is empty"},
        {"id,name\nA,\"One\n", "line 2: a quoted field"},
        {"id,name\nA,\"One\"x\n", "line 2: a comma"},
        {"id,name\nA,O\"ne\n", "line 2: a quote"},
        {"id,name\nA,O\x01ne\n", "line 2: there is a control"},
        {"id,name\n\xC3,One\n", "not UTF-8"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1048576);
        gw_codelist list = {.code_count = 77};
        char reason[GW_CODELIST_REASON_MAX];
        assert_int_not_equal(load_list(*state, gw_bytes_of(cases[i][0]), arena, &list, reason), GW_OK);
        if (strstr(reason, cases[i][1]) == NULL)
            print_error("%s: %s\n", cases[i][0], reason);
        assert_non_null(strstr(reason, cases[i][1]));
        assert_int_equal(list.code_count, 77);
    }
    for (int extra = 0; extra < 2; extra++) {
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(4194304);
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, 262144);
        gw_buffer_text(&text, "id,name\n");
        for (int i = 0; i < GW_CODELIST_CODES_MAX + extra; i++)
            gw_buffer_format(&text, "C%d,Code\n", i);
        gw_codelist list;
        char reason[GW_CODELIST_REASON_MAX];
        assert_int_equal(load_list(*state, gw_buffer_bytes(&text), arena, &list, reason), extra ? GW_INVALID : GW_OK);
    }
}

// ------------------------------------------------------------------------------------------------ schema

// Writes a node back as JSON, leaving out one member of the root.
static void write_node(gw_buffer *buffer, const gw_json_node *node, const char *without) {
    bool is_first = true;
    switch (gw_json_type_of(node)) {
    case GW_JSON_NULL:
        gw_buffer_text(buffer, "null");
        return;
    case GW_JSON_BOOL:
        gw_buffer_text(buffer, gw_json_bool(node) ? "true" : "false");
        return;
    case GW_JSON_INTEGER:
        gw_buffer_format(buffer, "%lld", (long long)gw_json_integer(node));
        return;
    case GW_JSON_STRING:
        gw_json_write_string(buffer, gw_json_string(node));
        return;
    case GW_JSON_ARRAY:
        gw_buffer_text(buffer, "[");
        for (const gw_json_node *child = gw_json_first(node); child != NULL; child = gw_json_next(child)) {
            gw_buffer_text(buffer, is_first ? "" : ",");
            write_node(buffer, child, NULL);
            is_first = false;
        }
        gw_buffer_text(buffer, "]");
        return;
    case GW_JSON_OBJECT:
        gw_buffer_text(buffer, "{");
        for (const gw_json_node *child = gw_json_first(node); child != NULL; child = gw_json_next(child)) {
            if (without != NULL && strcmp(gw_json_name(child), without) == 0)
                continue;
            gw_json_write_name(buffer, gw_json_name(child));
            write_node(buffer, child, NULL);
        }
        gw_buffer_text(buffer, "}");
        return;
    }
}

static bool is_in(const gw_json_node *array, const char *word) {
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node))
        if (strcmp(gw_json_string(node), word) == 0)
            return true;
    return false;
}

static void schema_and_loader_agree_on_examples_and_required_fields(void **state) {
    (void)state;
    char path[4096];
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 1048576);
    assert_int_equal(gw_file_read(source_path("policies/schema/policy.json", path), &text, NULL), GW_OK);
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_json_limits limits = {.name = "schema", .size_max = 1048576, .depth_max = 32};
    assert_int_equal(gw_json_parse(gw_buffer_bytes(&text), limits, &json, NULL), GW_OK);
    const gw_json_node *schema = gw_json_root(json);
    const gw_json_node *required = gw_json_member(schema, "required");
    const gw_json_node *properties = gw_json_member(schema, "properties");
    size_t checked = 0;
    for (const gw_json_node *example = gw_json_first(gw_json_member(schema, "examples")); example != NULL;
         example = gw_json_next(example)) {
        for (const gw_json_node *property = gw_json_first(properties); property != NULL;
             property = gw_json_next(property)) {
            const char *name = gw_json_name(property);
            GW_CLEANUP(gw_buffer_done) gw_buffer without;
            gw_buffer_init(&without, 65536);
            write_node(&without, example, name);
            GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
            gw_problem problem = {0};
            gw_status status = load_text(gw_buffer_bytes(&without), &policy, &problem);
            if ((status == GW_OK) == is_in(required, name))
                print_error("without %s: %s %s\n", name, problem.code, problem.why);
            assert_true((status == GW_OK) != is_in(required, name));
            assert_true(status == GW_OK || strcmp(problem.code, "missing_field") == 0);
            checked++;
        }
    }
    assert_true(checked >= 20);
}

// ------------------------------------------------------------------------------------------------ mutations

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void mutations_never_crash(void **state) {
    (void)state;
    static const char replacements[] = "{}[]\",:0-1.9eaF_/";
    uint64_t random = 99;
    size_t accepted = 0;
    for (int i = 0; i < 2000; i++) {
        char text[sizeof(policy_text)];
        memcpy(text, policy_text, sizeof(policy_text));
        size_t size = sizeof(policy_text) - 1;
        for (uint64_t j = 1 + next_random(&random) % 2; j > 0; j--)
            text[next_random(&random) % size] = replacements[next_random(&random) % (sizeof(replacements) - 1)];
        if (next_random(&random) % 8 == 0)
            size = next_random(&random) % size;
        GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
        gw_problem problem = {0};
        gw_status status = load_text((gw_bytes){(uint8_t *)text, size}, &policy, &problem);
        assert_true((status == GW_OK) == (policy != NULL));
        assert_true(status == GW_OK || (problem.code[0] != '\0' && strstr(problem.why, "p.json, line ") != NULL));
        accepted += status == GW_OK;
    }
    assert_true(accepted > 20 && accepted < 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_policy_is_read_whole),
        cmocka_unit_test(columns_are_called_what_the_source_calls_them),
        cmocka_unit_test(periods_become_codes),
        cmocka_unit_test(rows_kept_are_as_many_as_there_may_be_unless_it_says_fewer),
        cmocka_unit_test(totals_of_persons_are_on_the_scale_of_their_column),
        cmocka_unit_test(the_owner_says_what_becomes_of_values_out_of_bounds),
        cmocka_unit_test(a_weight_has_a_mean_for_prices),
        cmocka_unit_test(accounting_and_its_deltas_are_read),
        cmocka_unit_test(every_statistic_can_be_granted),
        cmocka_unit_test(one_mistake_each_is_refused_with_its_place),
        cmocka_unit_test(own_codes_stand_in_the_policy_itself),
        cmocka_unit_test(open_points_are_listed_with_their_lines),
        cmocka_unit_test(all_missing_fields_are_listed_at_once),
        cmocka_unit_test_setup_teardown(code_lists_follow_csv, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(broken_code_lists_are_refused_with_their_line, make_folder, remove_folder),
        cmocka_unit_test(schema_and_loader_agree_on_examples_and_required_fields),
        cmocka_unit_test(mutations_never_crash),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
