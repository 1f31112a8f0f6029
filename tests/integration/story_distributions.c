// SPDX-License-Identifier: Apache-2.0
// Story: where people lie. Deciles, medians, poverty and inequality of the sample register, asked again and again at
// other epsilons (0.400001, 0.400002, …) so that every answer is a draw of its own, hold what other SQL counts from the
// source files; a month's permits and all up to it add up; the daemon is killed, and the same question costs nothing
// and has the same bytes. Where the shared survey data lie beside the tree, the at-risk-of-poverty rates of it are
// those that were published for it. Null hypothesis of each of 14 figures: its range covers with a chance of at least
// 95 %; more than 10 misses in 16 draws have a chance below 1e-10, so false alarms are fewer than 1 in 10^7 runs.
#include "service/base/file.h"
#include "service/format/level.h"
#include "tests/support/daemon.h"
#include "tests/support/duck.h"
#include "tests/support/unit.h"

#include <math.h>
#include <signal.h>
#include <sys/stat.h>

#define DRAWS 16u
#define MISSES_MAX 10u
#define DATASET "demo.example/register"
#define BIN 50 // EUR: the bins that 200,000 values of a few groups have

typedef struct {
    test_daemon daemon;
    char data[TEST_PATH_MAX];
    gw_profile profile;
    duck duck;
} story;

// The sample's own policy with a budget that lasts.
static void policy_read(const char *name, gw_buffer *ret_text) {
    char path[TEST_PATH_MAX];
    gw_problem problem;
    gw_buffer text;
    gw_buffer_init(&text, 1 << 20);
    snprintf(path, sizeof path, "%s/policies/samples/%s", test_source_folder(), name);
    assert_int_equal(gw_file_read(path, &text, &problem), GW_OK);
    const char *all = gw_buffer_string(&text), *begin = strstr(all, "\"budget\""),
               *max = strstr(all, "\"question_max\"");
    assert_true(begin != NULL && max != NULL);
    gw_buffer_append(ret_text, all, (size_t)(begin - all));
    gw_buffer_text(ret_text, "\"budget\":{\"lifetime\":\"1000000\",\"question_min\":\"0.01\",\"question_max\":\"10\"");
    gw_buffer_text(ret_text, strchr(max, '}'));
    gw_buffer_done(&text);
}

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    gw_buffer policy;
    assert_non_null(it);
    test_daemon_init(&it->daemon);
    test_daemon_start(&it->daemon);
    test_daemon_population(&it->daemon, "demo.example/residents", "1000000");
    gw_buffer_init(&policy, 1 << 20);
    policy_read("register.policy.json", &policy);
    test_daemon_policy(&it->daemon, gw_buffer_string(&policy));
    gw_buffer_done(&policy);
    test_sample_data(&it->daemon, "register.sql", it->data);
    test_daemon_load(&it->daemon, DATASET, it->data);
    test_daemon_principal(&it->daemon, "researcher", &it->profile);
    duck_open(&it->duck, NULL, 2);
    char sql[2 * TEST_PATH_MAX];
    snprintf(sql, sizeof sql,
             "CREATE TABLE people AS SELECT sex, age, income::BIGINT AS income, income::BIGINT // %d AS bin FROM "
             "read_parquet('%s/persons.parquet') WHERE income IS NOT NULL;",
             BIN, it->data);
    duck_run(&it->duck, sql);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    duck_close(&it->duck);
    test_daemon_done(&it->daemon);
    free(it);
    return 0;
}

static bool is_same(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

// Whoever has the answer alone works out what was sealed, and any other level.
static void reader_check(const gw_answer *answer) {
    gw_arena *arena = gw_arena_new(1u << 24);
    gw_answer at;
    assert_int_equal(gw_answer_at_level(answer, GW_LEVEL_95, arena, &at, NULL), GW_OK);
    for (size_t i = 0; i < answer->cell_count; i++)
        assert_true(is_same(at.cells[i].lower, answer->cells[i].lower) &&
                    is_same(at.cells[i].upper, answer->cells[i].upper));
    assert_true(is_same(at.rank_error, answer->rank_error));
    assert_true(is_same(at.line.threshold_lower, answer->line.threshold_lower) &&
                is_same(at.line.threshold_upper, answer->line.threshold_upper));
    assert_int_equal(gw_answer_at_level(answer, 990000, arena, &at, NULL), GW_OK);
    gw_arena_free(arena);
}

static const gw_answer *must_ask(test_asker *asker, const char *what, unsigned draw) {
    char body[1024];
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" DATASET "\",%s,\"epsilon\":\"0.4%05u\"}",
             what, draw + 1);
    if (!test_ask_query(asker, body, NULL))
        fail_msg("%s: %s %s %s", body, asker->problem.code, asker->problem.what, asker->problem.why);
    reader_check(&asker->answer);
    return &asker->answer;
}

static double number(const char *text) {
    assert_non_null(text);
    return strtod(text, NULL);
}

static bool holds(const gw_answer_cell *cell, double exact) {
    return number(cell->lower) <= exact && exact <= number(cell->upper);
}

// The smallest value up to which this part of the rows lies.
static double exact_quantile(const duck *it, const char *column, const char *where, const char *level) {
    char sql[1024];
    snprintf(
        sql, sizeof sql,
        "SELECT min(%s)::BIGINT FROM (SELECT %s, cume_dist() OVER (ORDER BY %s) AS d FROM people WHERE %s) WHERE d >= "
        "%s",
        column, column, column, where, level);
    return (double)duck_number(it, sql);
}

static void ranges_of_deciles_hold_the_exact_incomes(void **state) {
    story *it = *state;
    static const char *const levels[] = {"0.1", "0.5", "0.9"};
    static const char *const where[] = {"sex = 'F'", "sex = 'M'"};
    unsigned misses[6] = {0};
    double exact[6];
    test_asker asker;
    for (size_t i = 0; i < 6; i++)
        exact[i] = exact_quantile(&it->duck, "income", where[i / 3], levels[i % 3]);
    test_asker_open(&asker, &it->profile);
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        const gw_answer *answer = must_ask(&asker,
                                           "\"measure\":{\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.1\","
                                           "\"0.5\",\"0.9\"]},\"by\":[\"sex\"]",
                                           draw);
        assert_int_equal(answer->cell_count, 6);
        for (size_t i = 0; i < 6; i++) {
            assert_string_equal(answer->cells[i].key[0], i < 3 ? "F" : "M");
            misses[i] += !holds(&answer->cells[i], exact[i]);
            assert_true(number(answer->cells[i].upper) - number(answer->cells[i].lower) < 2000); // and say something
        }
    }
    for (size_t i = 0; i < 6; i++)
        assert_true(misses[i] <= MISSES_MAX);
    test_asker_close(&asker);
}

static void a_chosen_median_is_as_near_in_rank_as_it_says(void **state) {
    story *it = *state;
    unsigned misses[2] = {0};
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        const gw_answer *answer = must_ask(
            &asker, "\"measure\":{\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.5\"]},\"by\":[\"sex\"]",
            draw);
        double rank_error = number(answer->rank_error);
        for (size_t i = 0; i < 2; i++) {
            char sql[1024];
            int64_t ranks[3]; // everybody; up to the bin's lower and its upper end
            snprintf(sql, sizeof sql,
                     "SELECT count(*)::BIGINT, count(*) FILTER (WHERE bin < %s)::BIGINT, count(*) FILTER (WHERE bin <= "
                     "%s)::BIGINT FROM people WHERE sex = '%s'",
                     answer->cells[i].parts[0], answer->cells[i].parts[0], answer->cells[i].key[0]);
            assert_int_equal(duck_rows(&it->duck, sql, 3, ranks, 1), 1);
            double wanted = (double)ranks[0] / 2;
            double off = fmax(0, fmax((double)ranks[1] - wanted, wanted - (double)ranks[2]));
            misses[i] += off > rank_error;
            assert_null(answer->cells[i].lower);
        }
        assert_true(rank_error < 100);
    }
    assert_true(misses[0] <= MISSES_MAX && misses[1] <= MISSES_MAX);
    test_asker_close(&asker);
}

// Everybody with an income counts for the line, and adults are held against it. Values are the middles of their bins.
static void poverty_is_that_of_adults_around_everybodys_median(void **state) {
    story *it = *state;
    static const char *const sexes[] = {"F", "M"};
    double median = BIN * exact_quantile(&it->duck, "bin", "true", "0.5") + (BIN - 1) / 2.0, exact[2];
    unsigned misses[3] = {0};
    test_asker asker;
    for (size_t i = 0; i < 2; i++) {
        char sql[1024];
        int64_t counts[2];
        snprintf(
            sql, sizeof sql,
            "SELECT count(*) FILTER (WHERE bin * %d + %f < 0.6 * %f)::BIGINT, count(*)::BIGINT FROM people WHERE sex = "
            "'%s' AND age BETWEEN 18 AND 120",
            BIN, (BIN - 1) / 2.0, median, sexes[i]);
        assert_int_equal(duck_rows(&it->duck, sql, 2, counts, 1), 1);
        exact[i] = 100.0 * (double)counts[0] / (double)counts[1];
    }
    test_asker_open(&asker, &it->profile);
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        const gw_answer *answer = must_ask(&asker, "\"indicator\":\"at_risk_of_poverty\",\"by\":[\"sex\"]", draw);
        assert_int_equal(answer->cell_count, 2);
        assert_non_null(answer->measured.rest); // children
        misses[2] += number(answer->line.median_lower) > median || median > number(answer->line.median_upper);
        assert_true(fabs(number(answer->line.threshold) - 0.6 * number(answer->line.median)) < 0.01);
        for (size_t i = 0; i < 2; i++) {
            // Told to one place; the range is rounded outward.
            misses[i] += !holds(&answer->cells[i], exact[i]);
            assert_true(number(answer->cells[i].upper) - number(answer->cells[i].lower) < 5);
            assert_null(answer->cells[i].se); // none says that the line is uncertain too
        }
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(misses[i] <= MISSES_MAX);
    test_asker_close(&asker);
}

static void inequality_is_that_of_the_incomes(void **state) {
    story *it = *state;
    // Gini from ranks: 2 sum(i x_i) / (n sum x) - (n + 1) / n, in millionths.
    double exact = (double)duck_number(
                       &it->duck, "SELECT (1e6 * (2 * sum(i * v) / (max(i) * sum(v)) - (max(i) + 1) / max(i)))::BIGINT "
                                  "FROM (SELECT bin * 50 + 24.5 AS v, (row_number() OVER (ORDER BY bin))::DOUBLE AS i "
                                  "FROM people)") /
                   1e4;
    unsigned misses = 0;
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        const gw_answer *answer = must_ask(&asker, "\"indicator\":\"income_gini\",\"by\":[]", draw);
        misses += !holds(&answer->cells[0], exact);
        assert_true(fabs(number(answer->cells[0].estimate) - exact) < 2);
    }
    assert_true(misses <= MISSES_MAX);
    test_asker_close(&asker);
}

static void a_series_of_months_is_within_its_ranges(void **state) {
    story *it = *state;
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    const gw_answer *answer = must_ask(
        &asker, "\"measure\":{\"statistic\":\"series\",\"of\":\"time_period\",\"table\":\"permits\"},\"by\":[]", 0);
    assert_int_equal(answer->cell_count, 72);
    assert_string_equal(answer->by[0], "time_period");
    unsigned misses = 0;
    int64_t all = 0;
    for (size_t i = 0; i < 36; i++) {
        char sql[1024];
        snprintf(sql, sizeof sql,
                 "SELECT count(*)::BIGINT FROM read_parquet('%s/permits.parquet') WHERE strftime(granted_on::DATE, "
                 "'%%Y-%%m') "
                 "= '%s'",
                 it->data, answer->cells[2 * i].key[0]);
        int64_t exact = duck_number(&it->duck, sql);
        all += exact;
        misses += !holds(&answer->cells[2 * i], (double)exact);
        misses += !holds(&answer->cells[2 * i + 1], (double)all);
    }
    assert_true(misses <= 24); // of 72, the sums not independent
    test_asker_close(&asker);
}

static void a_killed_daemon_keeps_the_answer_and_its_price(void **state) {
    story *it = *state;
    static const char what[] = "\"indicator\":\"at_risk_of_poverty\",\"by\":[\"sex\"]";
    gw_buffer first;
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    must_ask(&asker, what, 0);
    gw_buffer_init(&first, 1 << 22);
    gw_buffer_append(&first, asker.reply.answer.data, asker.reply.answer.size);
    uint64_t spent = test_daemon_spent(&it->daemon, DATASET);
    test_daemon_stop(&it->daemon, SIGKILL);
    test_daemon_start(&it->daemon);
    test_asker_reconnect(&asker);
    must_ask(&asker, what, 0);
    assert_true(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&first)));
    assert_int_equal(test_daemon_spent(&it->daemon, DATASET), spent);
    gw_buffer_done(&first);
    test_asker_close(&asker);
}

// ---- the survey that figures were published for

static const char survey_policy[] =
    "{\"godwit_policy\":1,\"dataset\":\"test.example/silc\",\"population\":\"test.example/at\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\","
    "\"rows_per_person_max\":1,\"columns\":{"
    "\"citizenship\":{\"concept\":\"citizen\",\"type\":\"code\",\"codelist\":\"CL_CITIZEN\",\"missing\":\"_U\","
    "\"recode\":{"
    "\"AT\":\"NAT\",\"EU\":\"EU_FOR\",\"Other\":\"NEU_FOR\"}},"
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\",\"outside\":\"clamp\"},"
    "\"eqIncome\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"200000\","
    "\"grid\":\"1\","
    "\"missing\":\"drop\",\"outside\":\"clamp\",\"depends_on\":\"household\"}}}},"
    "\"budget\":{\"lifetime\":\"100\",\"question_min\":\"0.01\",\"question_max\":\"10\"},\"accounting\":{\"kind\":"
    "\"pure\"},"
    "\"planning\":{\"cell_persons\":1500,\"size_bucket\":100000},\"grants\":[{\"role\":\"researcher\",\"tables\":["
    "\"persons\"],\"statistics\":[\"poverty\"]}]}";

static void the_surveys_rates_are_those_published(void **state) {
    (void)state;
    static const struct {
        const char *citizen;
        double rate; // at risk of poverty, 18 and over
    } published[] = {{"NAT", 13.3999}, {"EU_FOR", 15.8924}, {"NEU_FOR", 20.7921}};
    char path[TEST_PATH_MAX];
    struct stat file;
    snprintf(path, sizeof path, "%s/../shared/data/eusilcP_simpop_AT_synth_population.csv", test_source_folder());
    if (stat(path, &file) != 0) {
        print_message("no survey data beside the tree\n");
        skip();
    }
    test_daemon daemon;
    gw_profile profile;
    test_asker asker;
    test_daemon_init(&daemon);
    test_daemon_start(&daemon);
    test_daemon_population(&daemon, "test.example/at", "100");
    test_daemon_policy(&daemon, survey_policy);
    test_daemon_load(&daemon, "test.example/silc", path);
    test_daemon_principal(&daemon, "researcher", &profile);
    test_asker_open(&asker, &profile);
    if (!test_ask_query(
            &asker,
            "{\"v\":1,\"kind\":\"query\",\"dataset\":\"test.example/silc\",\"indicator\":\"at_risk_of_poverty\","
            "\"by\":[\"citizen\"],\"epsilon\":\"5\"}",
            NULL))
        fail_msg("%s %s", asker.problem.what, asker.problem.why);
    const gw_answer *answer = &asker.answer;
    print_message("median %s, threshold %s\n", answer->line.median, answer->line.threshold);
    assert_true(fabs(number(answer->line.median) - 18322.32) < 75); // a bin is 50 wide
    assert_true(fabs(number(answer->line.threshold) - 10993.39) < 45);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < answer->cell_count; k++) {
            const gw_answer_cell *cell = &answer->cells[k];
            if (strcmp(cell->key[0], published[i].citizen) != 0)
                continue;
            print_message("%s: %s (%s .. %s), published %.4f\n", cell->key[0], cell->estimate, cell->lower, cell->upper,
                          published[i].rate);
            // Incomes within a bin of the line fall to one side: half a point at most.
            assert_true(number(cell->lower) - 0.5 <= published[i].rate &&
                        published[i].rate <= number(cell->upper) + 0.5);
        }
    test_asker_close(&asker);
    test_daemon_done(&daemon);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_of_deciles_hold_the_exact_incomes),
        cmocka_unit_test(a_chosen_median_is_as_near_in_rank_as_it_says),
        cmocka_unit_test(poverty_is_that_of_adults_around_everybodys_median),
        cmocka_unit_test(inequality_is_that_of_the_incomes),
        cmocka_unit_test(a_series_of_months_is_within_its_ranges),
        cmocka_unit_test(a_killed_daemon_keeps_the_answer_and_its_price),
        cmocka_unit_test(the_surveys_rates_are_those_published),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
