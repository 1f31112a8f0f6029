// SPDX-License-Identifier: Apache-2.0
// The installed indicators say what their filters do; broken ones are refused; the right table is found for each.
#include "tests/unit/policy/policies.h"
#include "service/base/file.h"
#include "service/policy/indicator.h"
#include <unistd.h>

GW_DEFINE_FREEP(gw_catalogue, gw_catalogue_free)

static gw_catalogue *load_installed(void) {
    char path[4096];
    gw_catalogue *catalogue = NULL;
    gw_problem problem = {0};
    gw_status status = gw_catalogue_load(source_path("policies/indicators", path), &catalogue, &problem);
    if (status != GW_OK)
        print_error("%s %s\n", problem.code, problem.why);
    assert_int_equal(status, GW_OK);
    return catalogue;
}

static void installed_indicators_are_complete(void **state) {
    (void)state;
    static const char *const ids[] = {"activity_rate",          "arrivals",          "arrivals_by_period",
                                      "at_risk_of_poverty",     "departures",        "education_high",
                                      "education_low",          "education_medium",  "employment_rate",
                                      "first_permits",          "income_gini",       "income_quintile_ratio",
                                      "income_spread",          "mean_income",       "mean_weekly_hours",
                                      "median_income",          "net_migration",     "permit_holders",
                                      "population_count",       "population_share",  "resident_stock",
                                      "return_migration_share", "returns_to_origin", "unemployment_rate"};
    GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = load_installed();
    assert_int_equal(gw_catalogue_count(catalogue), COUNT(ids));
    for (size_t i = 0; i < COUNT(ids); i++) {
        const gw_indicator *indicator = gw_catalogue_at(catalogue, i); // name order
        assert_string_equal(indicator->id, ids[i]);
        assert_ptr_equal(gw_catalogue_find(catalogue, ids[i]), indicator);
        assert_non_null(indicator->reference);
        assert_true(indicator->by_default_count > 0);
    }
    assert_null(gw_catalogue_at(catalogue, COUNT(ids)));
    assert_null(gw_catalogue_find(catalogue, "employment"));
    assert_string_equal(gw_catalogue_nearest(catalogue, "emploiment_rate"), "employment_rate");
    assert_null(gw_catalogue_nearest(catalogue, "zzzzzzz"));
}

// What a code is called in a definition.
static const char *phrase_of(const char *concept, const char *code) {
    static const char *const phrases[][3] = {
        {"activity", "EMP", "mployed"},        {"activity", "UNE", "nemployed"},
        {"isced11", "ED0-2", "levels 0 to 2"}, {"isced11", "ED3_4", "levels 3 and 4"},
        {"isced11", "ED5-8", "levels 5 to 8"}, {"move", "RIM", "had lived in the country before"},
    };
    for (size_t i = 0; i < COUNT(phrases); i++)
        if (strcmp(phrases[i][0], concept) == 0 && strcmp(phrases[i][1], code) == 0)
            return phrases[i][2];
    return NULL;
}

static void definitions_say_what_the_filters_do(void **state) {
    (void)state;
    GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = load_installed();
    for (size_t i = 0; i < gw_catalogue_count(catalogue); i++) {
        const gw_indicator *indicator = gw_catalogue_at(catalogue, i);
        bool has_age = false;
        for (size_t j = 0; j < indicator->population_count; j++) {
            if (indicator->population[j].kind != GW_FILTER_BETWEEN)
                continue;
            char ages[64];
            snprintf(ages, sizeof(ages), "aged %s to %s", indicator->population[j].low, indicator->population[j].high);
            assert_non_null(strstr(indicator->definition, ages));
            has_age = true;
        }
        assert_true(has_age || strstr(indicator->definition, "aged") == NULL);
        for (size_t j = 0; j < indicator->numerator_count; j++)
            for (size_t k = 0; k < indicator->numerator[j].code_count; k++) {
                const char *phrase = phrase_of(indicator->numerator[j].concept, indicator->numerator[j].codes[k]);
                assert_non_null(phrase);
                assert_non_null(strstr(indicator->definition, phrase));
            }
        assert_true((indicator->statistic == GW_STATISTIC_RATE) == (indicator->numerator_count > 0));
        assert_true(gw_statistic_has_of(indicator->statistic) == (indicator->of != NULL));
        assert_true((indicator->statistic == GW_STATISTIC_NET) == (indicator->plus_count > 0));
        assert_true((indicator->statistic == GW_STATISTIC_QUANTILE) == (indicator->level_count > 0));
        assert_true(indicator->fraction == NULL || strcmp(indicator->fraction, "0.6") != 0 ||
                    strstr(indicator->definition, "60 %") != NULL);
    }
}

// ------------------------------------------------------------------------------------------------ broken files

static const char indicator_text[] = "{\"godwit_indicator\":1,\"id\":\"r\",\"version\":1,\n"                     // 1
                                     "\"sdmx\":\"R\",\"label\":{\"en\":\"R\"},\"definition\":{\"en\":\"R.\"},\n" // 2
                                     "\"statistic\":\"rate\",\"unit\":\"PC\",\"decimals\":1,\n"                  // 3
                                     "\"population\":[{\"concept\":\"age\",\"between\":[20,64]},{\"concept\":"
                                     "\"activity\",\"in\":[\"EMP\",\"UNE\"]}],\n"                     // 4
                                     "\"numerator\":[{\"concept\":\"activity\",\"in\":[\"UNE\"]}],\n" // 5
                                     "\"by_default\":[\"sex\"]}";

typedef struct {
    char path[64];
} folder;

static int make_folder(void **state) {
    static folder made;
    strcpy(made.path, "/tmp/godwit-indicators-XXXXXX");
    assert_non_null(mkdtemp(made.path));
    *state = &made;
    return 0;
}

static void put(const folder *made, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", made->path, name);
    if (text == NULL)
        unlink(path);
    else
        assert_int_equal(gw_file_replace(path, gw_bytes_of(text), 0600, NULL), GW_OK);
}

static int remove_folder(void **state) {
    const folder *made = *state;
    put(made, "a.json", NULL);
    put(made, "b.json", NULL);
    put(made, "note.txt", NULL);
    return rmdir(made->path);
}

static void one_mistake_each_is_refused(void **state) {
    const folder *made = *state;
    static const char *const cases[][4] = {
        {"", "", "", ""},
        {"\"godwit_indicator\":1", "\"godwit_indicator\":2", "indicator_version", "line 1, column 21"},
        {"\"version\":1", "\"version\":0", "out_of_range", "line 1, column 42"},
        {"\"id\":\"r\",", "", "missing_field", "id"},
        {"\"id\":\"r\"", "\"id\":\"a/b\"", "bad_name", "line 1, column 28"},
        {"\"unit\"", "\"units\"", "unknown_field", "line 3, column 20"},
        {"\"rate\"", "\"median\"", "indicator_statistic", "line 3, column 13"},
        {"\"rate\"", "\"count\"", "indicator_statistic", "line 3, column 13"},
        {"\"rate\"", "\"rate\",\"of\":\"age\"", "indicator_statistic", "line 3, column 13"},
        {"\"decimals\":1", "\"decimals\":7", "out_of_range", "line 3, column 43"},
        {"\"numerator\":[{\"concept\":\"activity\",\"in\":[\"UNE\"]}],\n", "", "indicator_statistic", "numerator"},
        {"[{\"concept\":\"activity\",\"in\":[\"UNE\"]}]", "[]", "indicator_numerator", "line 5, column 13"},
        {"\"in\":[\"UNE\"]", "\"in\":[\"UNE\",\"INAC\"]", "indicator_numerator", "activity INAC"},
        {"[{\"concept\":\"activity\",\"in\":[\"UNE\"]}]", "[{\"concept\":\"sex\",\"in\":[\"F\"]}]",
         "indicator_numerator", "sex"},
        {"[20,64]", "[64,20]", "bad_filter", "line 4, column 42"},
        {"\"by_default\":[\"sex\"]", "\"by_default\":[\"sex\",\"sex\"]", "bad_by", "line 6"},
        {"\"by_default\":[\"sex\"]", "\"better\":\"higher\"", "wrong_type", "line 6"},
        {"\"label\":{\"en\":\"R\"}", "\"label\":{\"en\":\"\"}", "wrong_type", "line 2"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, 65536);
        replace_text(&text, indicator_text, cases[i][0], cases[i][1]);
        put(made, "a.json", gw_buffer_string(&text));
        GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = NULL;
        gw_problem problem = {0};
        gw_status status = gw_catalogue_load(made->path, &catalogue, &problem);
        if (strcmp(problem.code, cases[i][2]) != 0 || strstr(problem.why, cases[i][3]) == NULL)
            print_error("%s -> %s: %s | %s\n", cases[i][0], cases[i][1], problem.code, problem.why);
        assert_string_equal(problem.code, cases[i][2]);
        assert_non_null(strstr(problem.why, cases[i][3]));
        assert_true((status == GW_OK) == (cases[i][2][0] == '\0'));
        assert_true(status == GW_OK || strstr(problem.why, "a.json, line ") != NULL);
    }
}

static const char net_text[] =
    "{\"godwit_indicator\":1,\"id\":\"n\",\"version\":1,\"sdmx\":\"N\",\"label\":{\"en\":\"N\"},\n"
    "\"definition\":{\"en\":\"A net.\"},\"statistic\":\"net\",\"unit\":\"NR\",\"decimals\":0,\"population\":[],\n"
    "\"plus\":[{\"concept\":\"direction\",\"in\":[\"ARR\"]}],\"minus\":[{\"concept\":\"direction\",\"in\":[\"DEP\"]}]}"
    "\n";

// A statistic has its own fields and no other's.
static void nets_sums_and_persons_are_read_or_refused(void **state) {
    const folder *made = *state;
    static const char *const cases[][3] = {
        {"", "", ""},
        {"\"net\"", "\"count\"", "indicator_statistic"},
        {"\"net\"", "\"sum\"", "indicator_statistic"},
        {"\"minus\":[{\"concept\":\"direction\",\"in\":[\"DEP\"]}]", "\"minus\":[]", "indicator_statistic"},
        {",\"minus\":[{\"concept\":\"direction\",\"in\":[\"DEP\"]}]", "", "indicator_statistic"},
        {"\"statistic\"", "\"per\":\"person\",\"statistic\"", "indicator_statistic"},
        {"\"statistic\"", "\"per\":\"row\",\"statistic\"", ""},
        {"\"statistic\"", "\"per\":\"household\",\"statistic\"", "wrong_type"},
        {"\"net\",\"unit\":\"NR\",\"decimals\":0,\"population\":[],\n\"plus\":[{\"concept\":\"direction\",\"in\":["
         "\"ARR\"]}],\"minus\":[{\"concept\":\"direction\",\"in\":[\"DEP\"]}]",
         "\"sum\",\"of\":\"fee\",\"unit\":\"EUR\",\"decimals\":0,\"population\":[]", ""},
        {"\"net\",\"unit\":\"NR\",\"decimals\":0,\"population\":[],\n\"plus\":[{\"concept\":\"direction\",\"in\":["
         "\"ARR\"]}],\"minus\":[{\"concept\":\"direction\",\"in\":[\"DEP\"]}]",
         "\"count\",\"per\":\"person\",\"unit\":\"PS\",\"decimals\":0,\"population\":[]", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, 65536);
        replace_text(&text, net_text, cases[i][0], cases[i][1]);
        put(made, "a.json", gw_buffer_string(&text));
        GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = NULL;
        gw_problem problem = {0};
        gw_status status = gw_catalogue_load(made->path, &catalogue, &problem);
        assert_string_equal(problem.code, cases[i][2]);
        if (status != GW_OK)
            continue;
        const gw_indicator *indicator = gw_catalogue_at(catalogue, 0);
        bool is_net = indicator->statistic == GW_STATISTIC_NET;
        assert_int_equal(indicator->plus_count, is_net);
        assert_int_equal(indicator->minus_count, is_net);
        assert_int_equal(indicator->of != NULL, indicator->statistic == GW_STATISTIC_SUM);
        assert_int_equal(indicator->is_per_person, indicator->statistic == GW_STATISTIC_COUNT);
    }
}

static const char quantile_text[] =
    "{\"godwit_indicator\":1,\"id\":\"q\",\"version\":1,\"sdmx\":\"Q\",\"label\":{\"en\":\"Q\"},\n"
    "\"definition\":{\"en\":\"Quartiles.\"},\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.25\",\"0.5\"],\n"
    "\"bins\":500,\"unit\":\"EUR\",\"decimals\":0,\"population\":[]}\n";

static void levels_bins_and_fractions_are_read_or_refused(void **state) {
    const folder *made = *state;
    static const char *const cases[][3] = {
        {"", "", ""},
        {"\"at\":[\"0.25\",\"0.5\"],", "", "indicator_statistic"},
        {"[\"0.25\",\"0.5\"]", "[]", "indicator_statistic"},
        {"[\"0.25\",\"0.5\"]", "[\"0.5\",\"0.25\"]", "indicator_statistic"},
        {"[\"0.25\",\"0.5\"]", "[\"0.5\",\"0.50\"]", "indicator_statistic"},
        {"[\"0.25\",\"0.5\"]", "[\"1\"]", "indicator_statistic"},
        {"[\"0.25\",\"0.5\"]", "[0.5]", "json_number"},
        {"\"bins\":500", "\"bins\":1", "out_of_range"},
        {"\"bins\":500", "\"fraction\":\"0.6\"", "indicator_statistic"},
        {"\"quantile\",\"of\":\"income\",\"at\":[\"0.25\",\"0.5\"],\n\"bins\":500",
         "\"poverty\",\"of\":\"income\",\"fraction\":\"0.50\"", ""},
        {"\"quantile\",\"of\":\"income\",\"at\":[\"0.25\",\"0.5\"],\n\"bins\":500",
         "\"poverty\",\"of\":\"income\",\"fraction\":\"1.5\"", "indicator_statistic"},
        {"\"quantile\",\"of\":\"income\",\"at\":[\"0.25\",\"0.5\"],", "\"series\",\"of\":\"month\",",
         "indicator_statistic"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, 65536);
        replace_text(&text, quantile_text, cases[i][0], cases[i][1]);
        put(made, "a.json", gw_buffer_string(&text));
        GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = NULL;
        gw_problem problem = {0};
        gw_status status = gw_catalogue_load(made->path, &catalogue, &problem);
        if (strcmp(problem.code, cases[i][2]) != 0)
            print_error("%s -> %s: %s | %s\n", cases[i][0], cases[i][1], problem.code, problem.why);
        assert_string_equal(problem.code, cases[i][2]);
        if (status != GW_OK)
            continue;
        const gw_indicator *indicator = gw_catalogue_at(catalogue, 0);
        bool is_quantile = indicator->statistic == GW_STATISTIC_QUANTILE;
        assert_int_equal(indicator->level_count, is_quantile ? 2 : 0);
        assert_int_equal(indicator->bins, is_quantile ? 500 : 0);
        if (is_quantile)
            assert_string_equal(indicator->levels[0], "0.25");
        else
            assert_string_equal(indicator->fraction, "0.5"); // in its shortest text
    }
}

static void folders_hold_each_id_once(void **state) {
    const folder *made = *state;
    put(made, "a.json", indicator_text);
    put(made, "note.txt", "not an indicator");
    {
        GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = NULL;
        assert_int_equal(gw_catalogue_load(made->path, &catalogue, NULL), GW_OK);
        assert_int_equal(gw_catalogue_count(catalogue), 1);
    }
    put(made, "b.json", indicator_text);
    gw_catalogue *none = NULL;
    gw_problem problem = {0};
    assert_int_equal(gw_catalogue_load(made->path, &none, &problem), GW_INVALID);
    assert_string_equal(problem.code, "indicator_duplicate");
    assert_non_null(strstr(problem.why, "b.json, line 1, column 28"));
    assert_int_equal(gw_catalogue_load("/tmp/godwit-no-such-folder", &none, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.code, "file_missing");
}

// ------------------------------------------------------------------------------------------------ tables

static void the_table_with_all_concepts_and_codes_is_found(void **state) {
    (void)state;
    GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = load_installed();
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 65536);
    replace_text(&text, policy_text, "\"cob\":{\"concept\":\"c_birth\",\"type\":\"code\",\"codelist\":\"CL_BIRTH\"",
                 "\"act\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"_U\"},"
                 "\"h\":{\"concept\":\"hours\",\"type\":\"integer\",\"min\":1,\"max\":99,\"missing\":\"drop\"},"
                 "\"cob\":{\"concept\":\"c_birth\",\"type\":\"code\",\"codelist\":\"CL_BIRTH\"");
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    assert_int_equal(load_text(gw_buffer_bytes(&text), &policy, NULL), GW_OK);
    static const char *const answered[] = {"employment_rate", "unemployment_rate", "mean_weekly_hours",
                                           "mean_income",     "population_count",  "population_share"};
    for (size_t i = 0; i < COUNT(answered); i++)
        assert_ptr_equal(gw_indicator_table(gw_catalogue_find(catalogue, answered[i]), policy, NULL),
                         &policy->tables[0]);
    const char *missing = NULL;
    assert_null(gw_indicator_table(gw_catalogue_find(catalogue, "education_high"), policy, &missing));
    assert_string_equal(missing, "isced11");
    assert_null(gw_indicator_table(gw_catalogue_find(catalogue, "education_high"), policy, NULL));
}

// A dataset without labour-force status: hours yes, employment no. A concept with other codes does not count.
static void a_missing_concept_or_code_is_named(void **state) {
    (void)state;
    GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = load_installed();
    static const char text_format[] =
        "{\"godwit_policy\":1,\"dataset\":\"a/b\",\"population\":\"a/"
        "p\",\"version\":1,\"neighbours\":\"add-remove-person\","
        "\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\",\"rows_per_person_max\":1,"
        "\"columns\":{"
        "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":17,\"max\":90,\"missing\":\"_U\"},"
        "\"hours\":{\"concept\":\"hours\",\"type\":\"integer\",\"min\":1,\"max\":99,\"missing\":\"drop\"},"
        "\"st\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"}}}},"
        "\"budget\":{\"lifetime\":\"1\",\"question_min\":\"0.1\",\"question_max\":\"1\"},\"accounting\":{\"kind\":"
        "\"pure\"},"
        "\"grants\":[]}";
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    assert_int_equal(load_text(gw_bytes_of(text_format), &policy, NULL), GW_OK);
    assert_non_null(gw_indicator_table(gw_catalogue_find(catalogue, "mean_weekly_hours"), policy, NULL));
    const char *missing = NULL;
    assert_null(gw_indicator_table(gw_catalogue_find(catalogue, "employment_rate"), policy, &missing));
    assert_string_equal(missing, "activity");
    assert_null(gw_indicator_table(gw_catalogue_find(catalogue, "mean_income"), policy, &missing));
    assert_string_equal(missing, "income");
}

static gw_policy *load_sample(const char *relative) {
    char path[4096];
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 1048576);
    assert_int_equal(gw_file_read(source_path(relative, path), &text, NULL), GW_OK);
    gw_policy *policy = NULL;
    gw_problem problem = {0};
    gw_status status = load_text(gw_buffer_bytes(&text), &policy, &problem);
    if (status != GW_OK)
        print_error("%s: %s %s\n", relative, problem.code, problem.why);
    assert_int_equal(status, GW_OK);
    return policy;
}

// The respondents of `adult` were not asked for their labour-force status here: no employment is claimed on them.
static void samples_answer_what_their_columns_allow(void **state) {
    (void)state;
    GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = load_installed();
    GW_CLEANUP(gw_policy_freep) gw_policy *residents = load_sample("policies/samples/register.policy.json");
    for (size_t i = 0; i < gw_catalogue_count(catalogue); i++)
        assert_non_null(gw_indicator_table(gw_catalogue_at(catalogue, i), residents, NULL));
    // Each on the table it is about: moves are not persons.
    static const char *const tables[][2] = {{"population_count", "persons"},    {"net_migration", "crossings"},
                                            {"returns_to_origin", "crossings"}, {"first_permits", "permits"},
                                            {"permit_holders", "permits"},      {"resident_stock", "stocks"}};
    for (size_t i = 0; i < COUNT(tables); i++)
        assert_string_equal(gw_indicator_table(gw_catalogue_find(catalogue, tables[i][0]), residents, NULL)->name,
                            tables[i][1]);
    GW_CLEANUP(gw_policy_freep) gw_policy *adult = load_sample("policies/samples/adult.policy.json");
    static const char *const answered[] = {"education_high", "education_low", "education_medium", "mean_weekly_hours",
                                           "population_count"};
    static const char *const refused[] = {"employment_rate", "unemployment_rate", "activity_rate"};
    assert_null(gw_indicator_table(gw_catalogue_find(catalogue, "resident_stock"), adult, NULL));
    for (size_t i = 0; i < COUNT(answered); i++)
        assert_non_null(gw_indicator_table(gw_catalogue_find(catalogue, answered[i]), adult, NULL));
    for (size_t i = 0; i < COUNT(refused); i++) {
        const char *missing = NULL;
        assert_null(gw_indicator_table(gw_catalogue_find(catalogue, refused[i]), adult, &missing));
        assert_string_equal(missing, "activity");
    }
    assert_non_null(residents->notice);
    assert_non_null(strstr(residents->notice, "SYNTHETIC"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(installed_indicators_are_complete),
        cmocka_unit_test(definitions_say_what_the_filters_do),
        cmocka_unit_test_setup_teardown(one_mistake_each_is_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(nets_sums_and_persons_are_read_or_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(levels_bins_and_fractions_are_read_or_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(folders_hold_each_id_once, make_folder, remove_folder),
        cmocka_unit_test(the_table_with_all_concepts_and_codes_is_found),
        cmocka_unit_test(a_missing_concept_or_code_is_named),
        cmocka_unit_test(samples_answer_what_their_columns_allow),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
