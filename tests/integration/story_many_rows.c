// SPDX-License-Identifier: Apache-2.0
// Story: a survey of jobs, up to three of a person and with weights, from two CSV files to answers. Every statistic is
// within its noise of what counting the made-up rows gives, and says what was bounded. The bounds drop nothing here, so
// the exact figures need no order. Each answer is off by at most 30 scales of its noise, which chance passes in fewer
// than 1 of 10^12.
#include "tests/support/daemon.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define DATASET "test.example/jobs"
#define PERSONS 400

static const char policy[] =
    "{\"godwit_policy\":1,\"dataset\":\"" DATASET "\",\"population\":\"" TEST_POPULATION "\",\"version\":1,"
    "\"title\":{\"en\":\"Jobs made up for tests\"},"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{"
    "\"persons\":{\"unit\":\"id\",\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"}}},"
    "\"jobs\":{\"unit\":\"id\",\"rows_per_person_max\":3,\"inherit\":[\"sex\"],\"columns\":{"
    "\"kind\":{\"concept\":\"kind\",\"label\":{\"en\":\"Kind\"},\"type\":\"code\",\"codes\":{\"A\":\"Own\","
    "\"B\":\"Other\"},\"missing\":\"drop\"},"
    "\"hours\":{\"concept\":\"hours\",\"type\":\"integer\",\"unit\":\"H\",\"min\":0,\"max\":60,"
    "\"person_total_max\":178,\"missing\":\"drop\"},"
    "\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"4\",\"grid\":\"0.25\"}}}},"
    "\"budget\":{\"lifetime\":\"1000000\",\"question_min\":\"0.01\",\"question_max\":\"10\"},"
    "\"accounting\":{\"kind\":\"pure\"},\"planning\":{\"cell_persons\":100,\"size_bucket\":1000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\",\"jobs\"],\"statistics\":[\"count\",\"share\","
    "\"mean\",\"sum\",\"net\"]}]}";

typedef struct {
    bool is_female, is_own, has_weight;
    unsigned hours;
    double weight;
} job;

static size_t job_count(size_t person) {
    return 1 + person % 3;
}

static job job_at(size_t person, size_t n) {
    return (job){.is_female = person % 2,
                 .is_own = (person / 2 + n) % 3 == 0,
                 .has_weight = person % 50 != 0,
                 .hours = (unsigned)(10 + (person * 7 + n * 13) % 50),
                 .weight = 0.5 + 0.25 * (double)(person % 8)};
}

static void write_files(const char *folder) {
    char path[TEST_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/persons.csv", folder);
    FILE *persons = fopen(path, "we");
    snprintf(path, sizeof path, "%s/jobs.csv", folder);
    FILE *jobs = fopen(path, "we");
    assert_true(persons != NULL && jobs != NULL);
    fputs("id,sex\n", persons);
    fputs("id,kind,hours,w\n", jobs);
    for (size_t p = 0; p < PERSONS; p++) {
        fprintf(persons, "p%03zu,%s\n", p, p % 2 ? "F" : "M");
        for (size_t n = 0; n < job_count(p); n++) {
            const job it = job_at(p, n);
            fprintf(jobs, "p%03zu,%s,%u,", p, it.is_own ? "A" : "B", it.hours);
            if (it.has_weight)
                fprintf(jobs, "%.2f", it.weight);
            fputs("\n", jobs);
        }
    }
    fclose(persons);
    fclose(jobs);
}

// Sums over all jobs of one sex (or of all), and over persons.
typedef struct {
    double rows, own, weights, weighted_hours, hours, net, persons;
} truth;

static truth count_exactly(int sex) {
    truth it = {0};
    for (size_t p = 0; p < PERSONS; p++) {
        if (sex >= 0 && (int)(p % 2) != sex)
            continue;
        it.persons++;
        for (size_t n = 0; n < job_count(p); n++) {
            const job one = job_at(p, n);
            it.rows++;
            it.own += one.is_own;
            it.net += one.is_own ? 1 : -1;
            it.hours += one.hours;
            it.weights += one.has_weight ? one.weight : 0;
            it.weighted_hours += one.has_weight ? one.weight * one.hours : 0;
        }
    }
    return it;
}

static const gw_answer *ask(test_asker *asker, const char *rest) {
    char body[1024];
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" DATASET "\",%s,\"epsilon\":\"10\"}", rest);
    if (!test_ask_query(asker, body, NULL))
        fail_msg("%s: %s %s", rest, asker->problem.what, asker->problem.why);
    return &asker->answer;
}

// 30 scales of the noise, in the unit of the answer.
static double slack(const gw_answer *answer) {
    return 30.0 * (double)answer->noise.sensitivity / 10 * strtod(answer->grid, NULL) + 0.1;
}

static void near_to(const gw_answer *answer, size_t cell, double wanted, double allowed) {
    const double found = strtod(answer->cells[cell].estimate, NULL);
    if (fabs(found - wanted) > allowed)
        fail_msg("%s: %s is not near to %g (%g)", answer->statistic, answer->cells[cell].estimate, wanted, allowed);
}

static void bounded(const gw_answer *answer, const char *kind, bool is_per_person, bool is_weighted) {
    assert_string_equal(answer->bounds_kind, kind);
    assert_int_equal(answer->is_per_person, is_per_person);
    assert_int_equal(answer->is_weighted, is_weighted);
    assert_true(strlen(answer->bounds_note) > 10);
}

static void every_statistic_is_near_to_what_counting_gives(void **state) {
    (void)state;
    test_daemon daemon;
    test_asker asker;
    gw_profile profile;
    test_daemon_init(&daemon);
    test_daemon_start(&daemon);
    test_daemon_population(&daemon, TEST_POPULATION, "1000000");
    test_daemon_policy(&daemon, policy);
    char folder[TEST_PATH_MAX + 16];
    snprintf(folder, sizeof folder, "%s/source", daemon.folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    write_files(folder);
    test_daemon_load(&daemon, DATASET, folder);
    test_daemon_principal(&daemon, "researcher", &profile);
    test_asker_open(&asker, &profile);
    const truth all = count_exactly(-1), women = count_exactly(1), men = count_exactly(0);

    const gw_answer *answer = ask(&asker, "\"measure\":{\"statistic\":\"count\",\"table\":\"jobs\"},\"by\":[\"sex\"]");
    bounded(answer, "none", false, true);
    assert_int_equal(answer->noise.sensitivity, 3 * 16);
    near_to(answer, 0, women.weights, slack(answer)); // F, M, _U
    near_to(answer, 1, men.weights, slack(answer));
    near_to(answer, 2, 0, slack(answer));

    answer =
        ask(&asker, "\"measure\":{\"statistic\":\"count\",\"table\":\"jobs\"},\"by\":[\"kind\"],\"weighted\":false");
    bounded(answer, "none", false, false);
    near_to(answer, 0, all.own, slack(answer));
    near_to(answer, 1, all.rows - all.own, slack(answer));

    answer = ask(&asker, "\"measure\":{\"statistic\":\"count\",\"table\":\"jobs\",\"per\":\"person\"},\"by\":[\"sex\"],"
                         "\"weighted\":false,\"where\":[{\"concept\":\"hours\",\"between\":[1,60]}]");
    bounded(answer, "none", true, false);
    assert_int_equal(answer->noise.sensitivity, 1);
    near_to(answer, 0, women.persons, slack(answer));
    near_to(answer, 1, men.persons, slack(answer));

    answer = ask(&asker, "\"measure\":{\"statistic\":\"sum\",\"of\":\"hours\"},\"by\":[\"sex\"],\"weighted\":false");
    bounded(answer, "clamp-total", false, false); // a total of 178 is less than three times 60
    assert_string_equal(answer->bounds_total, "178");
    near_to(answer, 0, women.hours, slack(answer));
    near_to(answer, 1, men.hours, slack(answer));

    answer = ask(&asker, "\"measure\":{\"statistic\":\"sum\",\"of\":\"hours\"},\"by\":[]");
    bounded(answer, "clamp-total", false, true);
    near_to(answer, 0, all.weighted_hours, slack(answer));

    answer = ask(&asker, "\"measure\":{\"statistic\":\"mean\",\"of\":\"hours\"},\"by\":[]");
    bounded(answer, "none", false, true);
    assert_int_equal(answer->width, 60);
    near_to(answer, 0, all.weighted_hours / all.weights, 2 * slack(answer) / (all.weights / 0.25));

    answer = ask(&asker, "\"measure\":{\"statistic\":\"mean\",\"of\":\"hours\",\"per\":\"person\"},\"by\":[],"
                         "\"weighted\":false");
    bounded(answer, "none", true, false);
    assert_int_equal(answer->width, 178);
    near_to(answer, 0, all.hours / all.persons, 2 * slack(answer) / all.persons + 0.1);

    answer =
        ask(&asker, "\"measure\":{\"statistic\":\"net\",\"plus\":[{\"concept\":\"kind\",\"in\":[\"A\"]}],\"minus\":"
                    "[{\"concept\":\"kind\",\"in\":[\"B\"]}]},\"by\":[],\"weighted\":false");
    bounded(answer, "none", false, false);
    assert_true(all.net < 0);
    near_to(answer, 0, all.net, slack(answer));
    assert_true(strtod(answer->cells[0].upper, NULL) < 0); // ranges are not cut at zero

    test_asker_close(&asker);
    test_daemon_done(&daemon);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_statistic_is_near_to_what_counting_gives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
