// SPDX-License-Identifier: Apache-2.0
// Short names of datasets and labels, from a catalogue document.
#include "client/cli/names.h"
#include "client/cli/doc.h"
#include "tests/support/unit.h"

static const char catalogue[] =
    "{\"v\":1,\"origin\":\"demo.example/godwit\",\"datasets\":["
    "{\"dataset\":\"demo.example/register\",\"title\":\"A register\",\"concepts\":["
    "{\"concept\":\"sex\",\"label\":\"Sex\",\"type\":\"code\",\"codes\":[{\"code\":\"F\",\"label\":\"Female\"}],"
    "\"missing\":\"_U\"},"
    "{\"concept\":\"age\",\"label\":\"Age\",\"type\":\"integer\",\"min\":\"0\",\"max\":\"120\",\"bandings\":[]}]},"
    "{\"dataset\":\"demo.example/permits\",\"title\":\"Permits\"},"
    "{\"dataset\":\"other.example/permits\",\"title\":\"Others\"}],"
    "\"indicators\":[{\"indicator\":\"employment_rate\",\"label\":\"Employment rate\"}]}";

static gw_names *names_new(void) {
    gw_names *names = NULL;
    gw_problem problem;
    assert_int_equal(gw_names_read(gw_bytes_of(catalogue), &names, &problem), GW_OK);
    return names;
}

static void a_short_name_means_the_only_dataset_that_ends_so(void **state) {
    (void)state;
    gw_names *names = names_new();
    const gw_json_node *found;
    gw_problem problem;
    assert_int_equal(gw_names_dataset(names, "register", &found, &problem), GW_OK);
    assert_string_equal(gw_doc_text(found, "dataset", ""), "demo.example/register");
    assert_int_equal(gw_names_dataset(names, "other.example/permits", &found, &problem), GW_OK);
    assert_string_equal(gw_doc_text(found, "title", ""), "Others");
    gw_names_free(names);
}

static void a_short_name_of_two_datasets_is_not_guessed(void **state) {
    (void)state;
    gw_names *names = names_new();
    const gw_json_node *found = NULL;
    gw_problem problem;
    assert_int_equal(gw_names_dataset(names, "permits", &found, &problem), GW_INVALID);
    assert_string_equal(problem.code, "ambiguous_dataset");
    assert_non_null(strstr(problem.mend, "demo.example/permits"));
    assert_non_null(strstr(problem.mend, "other.example/permits"));
    assert_null(found);
    gw_names_free(names);
}

static void an_unknown_name_gets_the_nearest_one(void **state) {
    (void)state;
    gw_names *names = names_new();
    const gw_json_node *found;
    gw_problem problem;
    assert_int_equal(gw_names_dataset(names, "registre", &found, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.code, "unknown_dataset");
    assert_string_equal(problem.mend, "Did you mean register?");
    assert_int_equal(gw_names_dataset(names, "something-else", &found, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.mend, "godwit catalogue");
    gw_names_free(names);
}

static void labels_name_codes_totals_and_bands(void **state) {
    (void)state;
    gw_names *names = names_new();
    const gw_json_node *dataset;
    gw_problem problem;
    gw_names_labels text;
    assert_int_equal(gw_names_dataset(names, "register", &dataset, &problem), GW_OK);
    gw_labels labels = gw_names_labels_of(&text, dataset);
    assert_string_equal(labels.concept(labels.state, "sex"), "Sex");
    assert_string_equal(labels.concept(labels.state, "age:work"), "Age");
    assert_null(labels.concept(labels.state, "se"));
    assert_string_equal(labels.code(labels.state, "sex", "F"), "Female");
    assert_null(labels.code(labels.state, "sex", "X"));
    assert_string_equal(labels.code(labels.state, "sex", "_U"), "Unknown");
    assert_string_equal(labels.code(labels.state, "age:work", "Y20T64"), "20 to 64");
    assert_string_equal(labels.code(labels.state, "age:work", "Y_LT20"), "under 20");
    assert_string_equal(labels.code(labels.state, "age:work", "Y_GE65"), "65 and over");
    assert_null(labels.code(labels.state, "age:work", "Y20T64X"));
    gw_names_free(names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_name_means_the_only_dataset_that_ends_so),
        cmocka_unit_test(a_short_name_of_two_datasets_is_not_guessed),
        cmocka_unit_test(an_unknown_name_gets_the_nearest_one),
        cmocka_unit_test(labels_name_codes_totals_and_bands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
