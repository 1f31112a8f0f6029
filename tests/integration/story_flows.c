// SPDX-License-Identifier: Apache-2.0
// Story: arrivals less departures of a year are the change of the stock of residents, in the exact data; and the net
// flows that are released, one noise value each, have ranges that cover that change as often as their law says. Asked
// again and again at epsilon 0.200001, 0.200002, … so that every answer is a draw of its own. Null hypotheses: the
// share of ranges that cover is that of the exact law (within 5 standard errors, two-sided p < 6e-7), and the noise has
// no bias (mean within 5 standard errors of 0): a false alarm in fewer than 1 run of 800,000. Argument: draws (500; a
// tenth under a sanitizer), of five cells each.
#include "privacy/interval.h"
#include "tests/support/daemon.h"
#include "tests/support/duck.h"
#include "service/base/file.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define DATASET "demo.example/register"
#define CITIZENS 4 // and the cell of unknown citizenship, which is empty
#define CELLS (CITIZENS + 1)
static const char *const citizens[CELLS] = {"NAT", "EU_FOR", "NEU_FOR", "STLS", "_U"};

static unsigned draws = 500;

#define IN_2023                                                                                                        \
    "[{\"concept\":\"time_period\",\"in\":[\"2023-01\",\"2023-02\",\"2023-03\",\"2023-04\",\"2023-05\",\"2023-06\","   \
    "\"2023-07\",\"2023-08\",\"2023-09\",\"2023-10\",\"2023-11\",\"2023-12\"]}]"

typedef struct {
    int64_t stock_change[CELLS], net[CELLS];
} truth;

// From the files that were loaded, by SQL of its own.
static void count_exactly(const char *folder, truth *ret) {
    char sql[2048];
    duck it;
    duck_open(&it, NULL, 2);
    for (size_t i = 0; i < CITIZENS; i++) {
        snprintf(sql, sizeof sql,
                 "SELECT coalesce(sum(CASE year(counted_on) WHEN 2024 THEN 1 ELSE -1 END), 0)::BIGINT "
                 "FROM read_parquet('%s/stocks.parquet') WHERE citizen = '%s'",
                 folder, citizens[i]);
        ret->stock_change[i] = duck_number(&it, sql);
        snprintf(sql, sizeof sql,
                 "SELECT coalesce(sum(CASE direction WHEN 'ARR' THEN 1 ELSE -1 END), 0)::BIGINT "
                 "FROM read_parquet('%s/crossings.parquet') WHERE citizen = '%s' AND year(crossed_on) = 2023",
                 folder, citizens[i]);
        ret->net[i] = duck_number(&it, sql);
    }
    duck_close(&it);
}

static size_t cell_at(const gw_answer_cell *cell) {
    size_t at = 0;
    while (at < CELLS && strcmp(cell->key[0], citizens[at]) != 0)
        at++;
    assert_true(at < CELLS);
    return at;
}

typedef struct {
    double covered, covered_expected, covered_variance, noise, noise_variance;
} tally;

static void judge(const gw_answer *answer, const truth *exact, tally *it) {
    gw_interval_law *law = NULL;
    assert_int_equal(answer->noise.sensitivity, 3); // three crossings of a person count
    assert_int_equal(gw_interval_law_new(answer->noise, GW_LEVEL_95, 0, &law), GW_OK);
    const double q = exp(-(double)answer->noise.epsilon.micro / 1e6 / 3);
    const double half = (double)gw_interval_half_width(law);
    const double coverage = 1 - 2 * pow(q, half + 1) / (1 + q);
    for (size_t i = 0; i < answer->cell_count; i++) {
        const gw_answer_cell *cell = &answer->cells[i];
        const double change = (double)exact->stock_change[cell_at(cell)];
        it->covered += strtod(cell->lower, NULL) <= change && change <= strtod(cell->upper, NULL);
        it->covered_expected += coverage;
        it->covered_variance += coverage * (1 - coverage);
        it->noise += strtod(cell->parts[0], NULL) - change;
        it->noise_variance += 2 * q / ((1 - q) * (1 - q));
    }
    gw_interval_law_free(law);
}

// The sample's own policy with a budget that lasts.
static void activate(test_daemon *daemon) {
    char path[TEST_PATH_MAX];
    gw_buffer text, policy;
    gw_problem problem;
    gw_buffer_init(&text, 1 << 20);
    gw_buffer_init(&policy, 1 << 20);
    snprintf(path, sizeof path, "%s/policies/samples/register.policy.json", test_source_folder());
    assert_int_equal(gw_file_read(path, &text, &problem), GW_OK);
    const char *begin = strstr(gw_buffer_string(&text), "\"budget\"");
    assert_non_null(begin);
    gw_buffer_append(&policy, text.data, (size_t)(begin - gw_buffer_string(&text)));
    gw_buffer_text(&policy, "\"budget\":{\"lifetime\":\"1000000\",\"question_min\":\"0.01\",\"question_max\":\"10\"}");
    gw_buffer_text(&policy, strchr(strstr(begin, "\"question_max\""), '}') + 1);
    test_daemon_policy(daemon, gw_buffer_string(&policy));
    gw_buffer_done(&text);
    gw_buffer_done(&policy);
}

static void net_flows_cover_the_change_of_the_stock(void **state) {
    (void)state;
    test_daemon daemon;
    test_asker asker;
    char folder[TEST_PATH_MAX];
    truth exact = {0};
    tally sum = {0};
    test_daemon_init(&daemon);
    test_daemon_start(&daemon);
    test_daemon_population(&daemon, "demo.example/residents", "1000000");
    activate(&daemon);
    test_sample_data(&daemon, "register.sql", folder);
    test_daemon_load(&daemon, DATASET, folder);
    count_exactly(folder, &exact);
    for (size_t i = 0; i < CITIZENS; i++)
        assert_int_equal(exact.net[i], exact.stock_change[i]);
    assert_true(exact.net[0] < 0); // more nationals left than came: a negative total is an answer like any other
    gw_profile researcher;
    test_daemon_principal(&daemon, "researcher", &researcher);
    test_asker_open(&asker, &researcher);
    for (unsigned draw = 0; draw < draws; draw++) {
        char body[1024];
        snprintf(body, sizeof body,
                 "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" DATASET "\",\"indicator\":\"net_migration\",\"by\":"
                 "[\"citizen\"],\"where\":" IN_2023 ",\"epsilon\":\"0.2%05u\"}",
                 draw + 1);
        if (!test_ask_query(&asker, body, NULL))
            fail_msg("refused: %s %s %s", asker.problem.code, asker.problem.what, asker.problem.why);
        judge(&asker.answer, &exact, &sum);
    }
    test_asker_close(&asker);
    printf("net flows: %.0f ranges cover, expected %.1f +- %.1f; noise sums to %.0f +- %.0f\n", sum.covered,
           sum.covered_expected, sqrt(sum.covered_variance), sum.noise, sqrt(sum.noise_variance));
    assert_true(fabs(sum.covered - sum.covered_expected) <= 5 * sqrt(sum.covered_variance));
    assert_true(fabs(sum.noise) <= 5 * sqrt(sum.noise_variance));
    test_daemon_done(&daemon);
}

int main(int argc, char **argv) {
    const char *sanitizer = getenv("GW_SANITIZER");
    if (sanitizer != NULL && strcmp(sanitizer, "none") != 0)
        draws = 50;
    if (argc > 1)
        draws = (unsigned)strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_flows_cover_the_change_of_the_stock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
