// SPDX-License-Identifier: Apache-2.0
// Story: four tables of one count are asked at one price, again and again at epsilon 0.100001, 0.100002, … so that
// every answer is a draw of its own. In each answer the whole numbers add up to the digit and the estimates up to their
// rounding; the price is charged once, for all tables; the same question is free and the same, also after a restart.
// Null hypothesis: ranges of estimates cover the exact counts at least as often as they say (95 %), and at most 1.5
// points more (within 5 standard errors, taken over draws, with one cell of each table a draw: two-sided p < 6e-7 each,
// eight of them). Argument: draws (400; a tenth under a sanitizer).
#include "tests/support/daemon.h"
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define PEOPLE 20000
#define TABLES 4
#define ACTIVITIES 4
#define SEXES 3
static const char *const activities[ACTIVITIES] = {"EMP", "UNE", "INAC", "_U"};
static const char *const sexes[SEXES] = {"F", "M", "_U"};

static unsigned draws = 400;

typedef struct {
    int64_t counts[ACTIVITIES + 1][SEXES + 1]; // the last of each: the total
} truth;

static void count_exactly(truth *ret) {
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < PEOPLE; i++) {
        const test_person person = test_person_at(i);
        const size_t activity = person.activity == TEST_EMPLOYED ? 0 : person.activity == TEST_UNEMPLOYED ? 1 : 2;
        const size_t sex = person.is_female ? 0 : 1;
        ret->counts[activity][sex]++;
        ret->counts[ACTIVITIES][sex]++;
        ret->counts[activity][SEXES]++;
        ret->counts[ACTIVITIES][SEXES]++;
    }
}

static size_t place_of(const char *code, const char *const *codes, size_t count) {
    size_t at = 0;
    while (at < count && strcmp(code, codes[at]) != 0)
        at++;
    if (at == count)
        assert_string_equal(code, "_T");
    return at;
}

// Which cell of the truth: by activity, sex (the canonical order of breakdowns).
static void places(const gw_answer_cell *cell, size_t *ret_activity, size_t *ret_sex) {
    *ret_activity = place_of(cell->key[0], activities, ACTIVITIES);
    *ret_sex = place_of(cell->key[1], sexes, SEXES);
}

typedef struct {
    double covered[TABLES];
} tally;

static void judge(const gw_answer *answer, const truth *exact, unsigned draw, tally *sum) {
    int64_t adjusted[ACTIVITIES + 1][SEXES + 1] = {{0}};
    double estimates[ACTIVITIES + 1][SEXES + 1] = {{0}};
    uint64_t shares = 0;
    size_t first = 0;
    assert_int_equal(answer->block_count, TABLES);
    assert_string_equal(answer->by[0], "activity");
    assert_string_equal(answer->by[1], "sex");
    for (size_t i = 0; i < answer->cell_count; i++) {
        const gw_answer_cell *cell = &answer->cells[i];
        size_t activity, sex;
        places(cell, &activity, &sex);
        assert_non_null(cell->adjusted);
        assert_null(strpbrk(cell->adjusted, "-."));
        adjusted[activity][sex] = strtoll(cell->adjusted, NULL, 10);
        estimates[activity][sex] = strtod(cell->estimate, NULL);
    }
    for (size_t i = 0; i < ACTIVITIES; i++) {
        int64_t row = 0;
        double estimate = 0;
        for (size_t k = 0; k < SEXES; k++) {
            row += adjusted[i][k];
            estimate += estimates[i][k];
        }
        assert_true(row == adjusted[i][SEXES]);
        assert_true(fabs(estimate - estimates[i][SEXES]) < 0.21); // one decimal each
    }
    for (size_t k = 0; k <= SEXES; k++) {
        int64_t column = 0;
        for (size_t i = 0; i < ACTIVITIES; i++)
            column += adjusted[i][k];
        assert_true(column == adjusted[ACTIVITIES][k]);
    }
    for (size_t b = 0; b < TABLES; b++) {
        const gw_answer_block *block = &answer->blocks[b];
        const gw_answer_cell *cell = &answer->cells[first + draw % block->cell_count];
        size_t activity, sex;
        places(cell, &activity, &sex);
        const double count = (double)exact->counts[activity][sex];
        sum->covered[b] += strtod(cell->lower, NULL) <= count && count <= strtod(cell->upper, NULL);
        assert_true(block->is_asked);
        shares += block->epsilon.micro;
        first += block->cell_count;
    }
    assert_true(shares <= answer->noise.epsilon.micro && shares + TABLES >= answer->noise.epsilon.micro);
}

static void question(unsigned draw, char body[512]) {
    snprintf(body, 512,
             "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"
             "\"tables\":[[\"sex\",\"activity\"],[],[\"sex\"],[\"activity\"]],\"epsilon\":\"0.1%05u\"}",
             draw + 1);
}

static char *copy_of(const test_asker *asker) {
    char *copy = strndup((const char *)asker->reply.answer.data, asker->reply.answer.size);
    assert_non_null(copy);
    return copy;
}

static void ask(test_asker *asker, const char *body) {
    if (!test_ask_query(asker, body, NULL))
        fail_msg("refused: %s %s %s", asker->problem.code, asker->problem.what, asker->problem.why);
}

// The same tables in another order are the same question: the same bytes, free, before and after a restart.
static void the_same_tables_are_free(test_daemon *daemon, test_asker *asker) {
    char body[512];
    question(0, body);
    ask(asker, body);
    char *first = copy_of(asker);
    const uint64_t spent = test_daemon_spent(daemon, TEST_DATASET);
    ask(asker, "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"
               "\"tables\":[[\"activity\"],[\"activity\",\"sex\"],[\"sex\"],[],[\"sex\",\"activity\"]],\"epsilon\":\"0."
               "100001\"}");
    char *second = copy_of(asker);
    assert_string_equal(first, second);
    assert_int_equal(test_daemon_stop(daemon, SIGTERM), 0);
    test_daemon_start(daemon);
    test_asker_reconnect(asker);
    ask(asker, body);
    char *third = copy_of(asker);
    assert_string_equal(first, third);
    assert_true(test_daemon_spent(daemon, TEST_DATASET) == spent);
    free(first);
    free(second);
    free(third);
}

static void several_tables_at_one_price(void **state) {
    (void)state;
    test_daemon daemon;
    test_asker asker;
    truth exact;
    tally sum = {{0}};
    uint64_t price = 0;
    count_exactly(&exact);
    test_daemon_with_people(&daemon, PEOPLE,
                            (test_budget){.lifetime = "1000000", .question_min = "0.01", .question_max = "1"});
    gw_profile researcher;
    test_daemon_principal(&daemon, "researcher", &researcher);
    test_asker_open(&asker, &researcher);
    for (unsigned draw = 0; draw < draws; draw++) {
        char body[512];
        question(draw, body);
        ask(&asker, body);
        judge(&asker.answer, &exact, draw, &sum);
        price += 100000 + draw + 1;
    }
    assert_true(test_daemon_spent(&daemon, TEST_DATASET) == price);
    the_same_tables_are_free(&daemon, &asker);
    test_asker_close(&asker);
    const double error = 5 * sqrt(0.95 * 0.05 / draws);
    for (size_t b = 0; b < TABLES; b++) {
        printf("table %zu: %.4f of ranges cover, expected 0.95 to 0.965 +- %.4f\n", b, sum.covered[b] / draws, error);
        assert_true(sum.covered[b] / draws >= 0.95 - error);
        assert_true(sum.covered[b] / draws <= 0.965 + error);
    }
    gw_audit_verdict verdict;
    test_daemon_verify(&daemon, &verdict);
    test_daemon_done(&daemon);
}

int main(int argc, char **argv) {
    const char *sanitizer = getenv("GW_SANITIZER");
    if (sanitizer != NULL && strcmp(sanitizer, "none") != 0)
        draws = 40;
    if (argc > 1)
        draws = (unsigned)strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_tables_at_one_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
