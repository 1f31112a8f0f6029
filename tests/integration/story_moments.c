// SPDX-License-Identifier: Apache-2.0
// Story: how incomes are spread, what an hour earns, how far one group is behind another and how many lie in each bin,
// of made-up people, through the real daemon. Each question is asked 60 times, every time at another epsilon (0.400001,
// 0.400002, …) so that every answer is a draw of its own, and compared with the same figures of the made-up rows by
// sums of squares in doubles. H0 of each figure and level: ranges cover it as often as they say. The alarm is fewer
// than 46 of 60 at 95 %, 40 at 90 % and 52 at 99 %: below 1e-6 each (binomial). The ranges at 90 and 99 % are worked
// out by the reader from the measured integers, and nothing more is asked.
#include "service/format/level.h"
#include "tests/support/daemon.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define DATASET "test.example/incomes"
#define PERSONS 3000
#define DRAWS 60

static const char policy[] =
    "{\"godwit_policy\":1,\"dataset\":\"" DATASET "\",\"population\":\"" TEST_POPULATION "\",\"version\":1,"
    "\"title\":{\"en\":\"Incomes made up for tests\"},"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{"
    "\"persons\":{\"unit\":\"id\",\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\"},"
    "\"activity\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"_U\"},"
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"60000\","
    "\"grid\":\"0.5\",\"missing\":\"drop\"},"
    "\"hours\":{\"concept\":\"hours\",\"type\":\"integer\",\"unit\":\"H\",\"min\":0,\"max\":80,\"missing\":\"drop\"}}}}"
    ","
    "\"budget\":{\"lifetime\":\"1000000\",\"question_min\":\"0.01\",\"question_max\":\"10\"},"
    "\"accounting\":{\"kind\":\"pure\"},\"planning\":{\"cell_persons\":1500,\"size_bucket\":10000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\"],\"statistics\":[\"variance\",\"sd\",\"ratio\","
    "\"histogram\",\"rate\",\"share\",\"mean\"]}]}";

typedef struct {
    int sex, age, is_employed;
    double income, hours;
} person;

static person person_at(size_t i) {
    double rank = (double)(i * 7919 % PERSONS) / PERSONS;
    int sex = (int)(i % 2);
    return (person){.sex = sex,
                    .age = (int)(20 + i % 45),
                    .is_employed = (i / 2) % 10 < (sex == 0 ? 6 : 8),
                    .income = floor((sex == 0 ? 40000 : 52000) * pow(rank, 2)) + (i % 3 == 0 ? 0.5 : 0),
                    .hours = (double)(10 + i % 31)};
}

static void write_file(const char *path) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("id,sex,age,activity,income,hours\n", file);
    for (size_t i = 0; i < PERSONS; i++) {
        person p = person_at(i);
        fprintf(file, "p%zu,%s,%d,%s,%.1f,%.0f\n", i, p.sex == 0 ? "F" : "M", p.age, p.is_employed ? "EMP" : "INAC",
                p.income, p.hours);
    }
    fclose(file);
}

// Exact figures by sex, F and M.
typedef struct {
    double n[2], mean[2], variance[2], ratio[2], rate[2];
    double bins[2][6]; // of 10,000
} truth;

static truth truth_of_all(void) {
    truth it = {0};
    double incomes[2] = {0}, hours[2] = {0}, squares[2] = {0};
    for (size_t i = 0; i < PERSONS; i++) {
        person p = person_at(i);
        it.n[p.sex]++;
        incomes[p.sex] += p.income;
        squares[p.sex] += p.income * p.income;
        hours[p.sex] += p.hours;
        it.rate[p.sex] += p.is_employed;
        it.bins[p.sex][(int)fmin(5, floor(p.income / 10000))]++;
    }
    for (int s = 0; s < 2; s++) {
        it.mean[s] = incomes[s] / it.n[s];
        it.variance[s] = squares[s] / it.n[s] - it.mean[s] * it.mean[s];
        it.ratio[s] = incomes[s] / hours[s];
        it.rate[s] *= 100 / it.n[s];
    }
    return it;
}

// ---- draws

static const uint32_t levels[] = {950000, 900000, 990000};
static const int least[] = {46, 40, 52};

typedef struct {
    const char *what, *rest; // of the question
    double exact[2];         // of the first cells
    size_t cells;
} asked;

static void answer_check(const asked *it, const gw_answer *answer, gw_arena *arena, int covered[3][2]) {
    for (size_t l = 0; l < 3; l++) {
        gw_answer at;
        assert_int_equal(gw_answer_at_level(answer, levels[l], arena, &at, NULL), GW_OK);
        for (size_t c = 0; c < it->cells; c++) {
            const gw_answer_cell *cell = &at.cells[c];
            if (l == 0) { // what the service sealed is what the reader works out
                assert_string_equal(cell->lower, answer->cells[c].lower);
                assert_string_equal(cell->upper, answer->cells[c].upper);
            }
            covered[l][c] += strtod(cell->lower, NULL) <= it->exact[c] && it->exact[c] <= strtod(cell->upper, NULL);
        }
    }
}

static void draws_cover(test_asker *asker, const asked *it) {
    static unsigned draw = 0;
    int covered[3][2] = {{0}};
    for (unsigned i = 0; i < DRAWS; i++) {
        char body[1024];
        gw_arena *arena = gw_arena_new(1u << 20);
        snprintf(body, sizeof body,
                 "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" DATASET "\",%s,\"epsilon\":\"0.4%05u\"}", it->rest,
                 ++draw);
        if (!test_ask_query(asker, body, NULL))
            fail_msg("%s: %s %s", it->what, asker->problem.what, asker->problem.why);
        answer_check(it, &asker->answer, arena, covered);
        if (i == 0)
            print_message("%s: %s in %s .. %s, exactly %.3f\n", it->what, asker->answer.cells[0].estimate,
                          asker->answer.cells[0].lower, asker->answer.cells[0].upper, it->exact[0]);
        gw_arena_free(arena);
    }
    for (size_t l = 0; l < 3; l++)
        for (size_t c = 0; c < it->cells; c++)
            if (covered[l][c] < least[l])
                fail_msg("%s: %d of %d covered at %u", it->what, covered[l][c], DRAWS, levels[l]);
}

#define MEASURE(text) "\"measure\":{" text "}"
#define GAP ",\"gap\":{\"concept\":\"sex\",\"group\":\"F\",\"reference\":\"M\"}"
#define BY_SEX ",\"by\":[\"sex\"]"

static void every_figure_is_in_its_range(void **state) {
    (void)state;
    test_daemon daemon;
    test_asker asker;
    gw_profile profile;
    char path[TEST_PATH_MAX + 16];
    test_daemon_init(&daemon);
    test_daemon_start(&daemon);
    test_daemon_population(&daemon, TEST_POPULATION, "1000000");
    test_daemon_policy(&daemon, policy);
    snprintf(path, sizeof path, "%s/incomes.csv", daemon.folder);
    write_file(path);
    test_daemon_load(&daemon, DATASET, path);
    test_daemon_principal(&daemon, "researcher", &profile);
    test_asker_open(&asker, &profile);
    const truth it = truth_of_all();
    const double *v = it.variance, *r = it.ratio;
    const asked questions[] = {
        {"variance", MEASURE("\"statistic\":\"variance\",\"of\":\"income\"") BY_SEX, {v[0], v[1]}, 2},
        {"sd", MEASURE("\"statistic\":\"sd\",\"of\":\"income\"") BY_SEX, {sqrt(v[0]), sqrt(v[1])}, 2},
        {"ratio", MEASURE("\"statistic\":\"ratio\",\"of\":\"income\",\"over\":\"hours\"") BY_SEX, {r[0], r[1]}, 2},
        {"gap of rates", "\"indicator\":\"employment_rate\",\"by\":[]" GAP, {it.rate[0] - it.rate[1]}, 1},
        {"gap of means", MEASURE("\"statistic\":\"mean\",\"of\":\"income\"") GAP, {it.mean[0] - it.mean[1]}, 1},
        {"gap of shares",
         MEASURE("\"statistic\":\"share\"") ",\"by\":[\"activity\"]" GAP,
         {it.rate[0] - it.rate[1]},
         1},
        {"histogram",
         MEASURE("\"statistic\":\"histogram\",\"of\":\"income\",\"bins\":6") BY_SEX,
         {it.bins[0][0], it.bins[0][1]},
         2},
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        draws_cover(&asker, &questions[i]);
    // The last answer is the histogram: its bins are its last breakdown, and the last takes the largest value too.
    const gw_answer *answer = &asker.answer;
    assert_int_equal(answer->cell_count, 18); // F, M, _U
    assert_string_equal(answer->by[1], "income");
    assert_string_equal(answer->cells[0].key[1], "0..9999.5");
    assert_string_equal(answer->cells[5].key[1], "50000..60000");
    test_asker_close(&asker);
    test_daemon_done(&daemon);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_figure_is_in_its_range)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
