// SPDX-License-Identifier: Apache-2.0
// Story: workplaces that no list names. A register with a text column is loaded; those that many people share are shown
// with their counts, the others are not; without a delta in the policy nobody is answered, and the log holds. Each
// count is off by at most 30 scales of its noise, and every key of a few persons is hidden, which chance passes in
// fewer than 1 of 10^9.
#include "tests/support/daemon.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define DATASET "test.example/work"

#define POLICY(version, accounting)                                                                                    \
    "{\"godwit_policy\":1,\"dataset\":\"" DATASET "\",\"population\":\"" TEST_POPULATION "\",\"version\":" version "," \
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{"                               \
    "\"jobs\":{\"unit\":\"id\",\"rows_per_person_max\":3,\"rows_per_person_kept\":2,\"columns\":{"                     \
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"                      \
    "\"place\":{\"concept\":\"workplace\",\"type\":\"text\",\"missing\":\"_U\",\"length_max\":24,\"keys_max\":700}"    \
    "}}},\"budget\":{\"lifetime\":\"100\",\"question_min\":\"0.01\",\"question_max\":\"10\"},"                         \
    "\"accounting\":" accounting ",\"planning\":{\"cell_persons\":100,\"size_bucket\":1000},"                          \
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"jobs\"],\"statistics\":[\"count\",\"keys\"]}]}"

static const char with_delta[] =
    POLICY("1", "{\"kind\":\"pure\",\"selection_delta\":\"2.1e-9\",\"question_delta\":\"1e-9\"}");
static const char without_delta[] = POLICY("2", "{\"kind\":\"pure\"}");

#define BODY(rest) "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" DATASET "\"," rest "}"
#define KEYS "\"measure\":{\"statistic\":\"keys\",\"of\":\"workplace\"}"

// 800 persons: everybody at the mill, every second also at "Ämter, \"A\" & Söhne", twice; each of 600 alone somewhere.
static void write_source(const char *path) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("id,sex,place\n", file);
    for (int p = 0; p < 800; p++) {
        const char *sex = p % 4 == 0 ? "F" : "M";
        fprintf(file, "p%d,%s, Old Mill \n", p, sex);
        if (p % 2 == 0)
            fprintf(file,
                    "p%d,%s,\"\xc3\x84mter, \"\"A\"\" & S\xc3\xb6hne\"\np%d,%s,\"\xc3\x84mter, \"\"A\"\" & "
                    "S\xc3\xb6hne\"\n",
                    p, sex, p, sex);
        else if (p < 700)
            fprintf(file, "p%d,%s,alone %d\n", p, sex, p);
    }
    fclose(file);
}

static void refused(test_asker *asker, const char *body, const char *code) {
    assert_false(test_ask(asker, body, NULL));
    if (strcmp(asker->problem.code, code) != 0)
        fail_msg("%s: %s, wanted %s", body, asker->problem.code, code);
    assert_true(asker->problem.why[0] != '\0' && asker->problem.mend[0] != '\0');
    assert_int_equal(asker->problem.charged.micro, 0);
}

static void near_to(const gw_answer_cell *cell, double wanted, double allowed) {
    if (fabs(strtod(cell->estimate, NULL) - wanted) > allowed)
        fail_msg("%s: %s is not near to %g", cell->key[0], cell->estimate, wanted);
    assert_true(strtod(cell->lower, NULL) <= strtod(cell->estimate, NULL));
    assert_true(strtod(cell->upper, NULL) >= strtod(cell->estimate, NULL));
}

static void what_is_asked_is_answered_or_refused(test_asker *asker) {
    assert_true(test_ask_query(asker, BODY(KEYS ",\"epsilon\":\"2\""), NULL));
    const gw_answer *answer = &asker->answer;
    assert_int_equal(answer->cell_count, 2); // in the order of their bytes
    assert_string_equal(answer->cells[0].key[0], "Old Mill");
    assert_string_equal(answer->cells[1].key[0], "\xc3\x84mter, \"A\" & S\xc3\xb6hne");
    near_to(&answer->cells[0], 800, 60); // two keys of one person: a scale of 2 / 2
    near_to(&answer->cells[1], 400, 60); // twice at one place counts once
    assert_string_equal(answer->law, "random-threshold");
    assert_string_equal(answer->selection_delta, "1e-9");
    assert_string_equal(answer->selection_epsilon, "2");
    assert_string_equal(answer->by[0], "workplace");
    assert_int_equal(answer->noise.sensitivity, 2);
    assert_true(answer->is_per_person);
    char estimate[64];
    snprintf(estimate, sizeof estimate, "%s", answer->cells[0].estimate);
    assert_true(test_ask_query(asker, BODY(KEYS ",\"epsilon\":\"2\",\"delta\":\"0.000000001\""), NULL));
    assert_string_equal(asker->answer.cells[0].estimate, estimate); // the same question, whichever way delta is said
    assert_true(test_ask_query(
        asker, BODY(KEYS ",\"where\":[{\"concept\":\"sex\",\"in\":[\"F\"]}],\"epsilon\":\"2\",\"delta\":\"1e-10\""),
        NULL));
    assert_int_equal(asker->answer.cell_count, 2);
    near_to(&asker->answer.cells[0], 200, 60);
    near_to(&asker->answer.cells[1], 200, 60);
    assert_true(test_ask_query(
        asker, "{\"v\":1,\"kind\":\"dummy\",\"dataset\":\"" DATASET "\"," KEYS ",\"epsilon\":\"2\"}", NULL));
    assert_true(asker->answer.is_dummy && asker->answer.cell_count > 0);
    assert_int_equal(strncmp(asker->answer.cells[0].key[0], "DUMMY", 5), 0);
    assert_true(test_ask(
        asker, "{\"v\":1,\"kind\":\"cost\",\"dataset\":\"" DATASET "\"," KEYS ",\"target_error\":\"5\"}", NULL));
    refused(asker, BODY(KEYS ",\"epsilon\":\"2\",\"delta\":\"1e-8\""), "question_delta");
    refused(asker, BODY(KEYS ",\"epsilon\":\"2\",\"delta\":\"0\""), "bad_delta");
    refused(asker, BODY(KEYS ",\"epsilon\":\"2\",\"by\":[\"sex\"]"), "bad_by");
    refused(asker, BODY("\"measure\":{\"statistic\":\"count\"},\"epsilon\":\"2\",\"by\":[\"workplace\"]"),
            "text_concept");
    refused(asker,
            BODY("\"measure\":{\"statistic\":\"count\"},\"epsilon\":\"2\",\"where\":[{\"concept\":\"workplace\",\"in\":"
                 "[\"Mill\"]}]"),
            "text_concept");
    refused(asker, BODY("\"measure\":{\"statistic\":\"keys\",\"of\":\"sex\"},\"epsilon\":\"2\""), "of_needed");
}

// A delta of 1e-9 and one of 1e-10 are spent: 1e-9 of 2.1e-9 is left, and not a unit more. What was answered stays
// free.
static void what_is_granted_is_used_up(test_asker *asker) {
    assert_true(test_ask_query(asker, BODY(KEYS ",\"epsilon\":\"1\""), NULL));
    refused(asker, BODY(KEYS ",\"epsilon\":\"1.1\",\"delta\":\"1e-18\""), "budget_selection");
    assert_true(test_ask_query(asker, BODY(KEYS ",\"epsilon\":\"1\""), NULL));
    assert_true(test_ask_query(asker, BODY("\"measure\":{\"statistic\":\"count\"},\"epsilon\":\"1\",\"by\":[]"), NULL));
}

static void workplaces_that_many_share_are_shown(void **state) {
    (void)state;
    test_daemon daemon;
    test_asker asker;
    gw_profile profile;
    gw_audit_verdict verdict;
    test_daemon_init(&daemon);
    test_daemon_start(&daemon);
    test_daemon_population_with_delta(&daemon, TEST_POPULATION, "1000000", "1e-7");
    test_daemon_policy(&daemon, with_delta);
    char path[TEST_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/jobs.csv", daemon.folder);
    write_source(path);
    test_daemon_load(&daemon, DATASET, path);
    test_daemon_principal(&daemon, "researcher", &profile);
    test_asker_open(&asker, &profile);
    what_is_asked_is_answered_or_refused(&asker);
    assert_int_equal(test_daemon_spent(&daemon, DATASET), 4000000); // two questions of 2; one was the same
    what_is_granted_is_used_up(&asker);
    test_daemon_policy(&daemon, without_delta);
    refused(&asker, BODY(KEYS ",\"epsilon\":\"1\""), "selection_delta_needed");
    test_daemon_verify(&daemon, &verdict);
    test_asker_close(&asker);
    test_daemon_done(&daemon);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(workplaces_that_many_share_are_shown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
