// SPDX-License-Identifier: Apache-2.0
// Story: the same two questions are asked 1,000 times each on both sample datasets, every time at another epsilon
// (0.100001, 0.100002, …) so that every answer is a draw of its own, and compared with exact values counted by other
// SQL from the source files. Null hypotheses: the noise on every measured integer is discrete Laplace with q =
// exp(-epsilon) (chi-square over 26 bins, all draws of a dataset pooled; rejected at p < 1e-6), and noise ranges cover
// the exact value as often as that law says (within 5 standard errors; two-sided p < 6e-7 each). 4 chi-squares and 4
// coverages: a false alarm in fewer than 1 run of 150,000. Argument: draws per question (1,000; a fifth under a
// sanitizer).
#include "privacy/interval.h"
#include "tests/support/daemon.h"
#include "tests/support/duck.h"
#include "service/base/file.h"
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define ASKERS 4
#define CELLS 2 // F and M; the cell of unknown sex has no one in it and its rate no meaning
#define BINS 26

static unsigned draws = 1000;

typedef struct {
    const char *dataset, *population, *policy; // file in policies/samples
    const char *data;                          // file in policies/samples
    const char *source;                        // SQL of the rows; %s is the data file
    const char *rate;                          // indicator
    const char *is_female, *is_known;          // SQL conditions on sex
    const char *in_population, *in_numerator; // SQL conditions of the indicator, written down independently of its file
} sample;

typedef struct {
    int64_t persons[CELLS], numerator[CELLS], others[CELLS]; // exact
} truth;

// What one thread saw.
typedef struct {
    const sample *of;
    const truth *exact;
    gw_profile profile;
    unsigned first;                                              // draws first, first + ASKERS, …
    double expected[2][BINS], observed[2][BINS];                 // of counts, of rates
    double covered[2], covered_expected[2], covered_variance[2]; // the same
    unsigned published_too_narrow;
} tally;

// ---- the exact law

static double cdf(double q, int64_t k) { // P(Z <= k)
    return k < 0 ? pow(q, (double)-k) / (1 + q) : 1 - pow(q, (double)(k + 1)) / (1 + q);
}

static double between(double q, int64_t low, int64_t high) { // P(low <= Z <= high)
    return high < low ? 0 : cdf(q, high) - cdf(q, low - 1);
}

// Upper ends of all bins but the last.
static const int64_t bin_ends[BINS - 1] = {-46, -36, -29, -23, -18, -14, -11, -8, -6, -4, -3, -2, -1,
                                           0,   1,   2,   3,   5,   7,   10,  13, 17, 22, 28, 35};

static void add_noise(tally *it, int which, double q, int64_t noise) {
    size_t bin = 0;
    while (bin < BINS - 1 && noise > bin_ends[bin])
        bin++;
    it->observed[which][bin]++;
    double below = 0;
    for (size_t i = 0; i < BINS; i++) {
        const double up_to = i < BINS - 1 ? cdf(q, bin_ends[i]) : 1;
        it->expected[which][i] += up_to - below;
        below = up_to;
    }
}

static void add_coverage(tally *it, int which, bool is_covered, double probability) {
    it->covered[which] += is_covered;
    it->covered_expected[which] += probability;
    it->covered_variance[which] += probability * (1 - probability);
}

// P(|(1 - theta) Za - theta Zb| <= bound), summed over Za; what is left out, beyond 60 noise scales, is below 1e-25.
static double ratio_coverage(double q, double theta, double bound) {
    const int64_t reach = (int64_t)(-60 / log(q));
    double sum = 0;
    for (int64_t a = -reach; a <= reach; a++) {
        const double probability = between(q, a, a);
        const double middle = (1 - theta) * (double)a;
        const double low = theta > 0 ? ceil((middle - bound) / theta) : -1e15;
        const double high = theta > 0 ? floor((middle + bound) / theta) : 1e15;
        if (theta > 0 || fabs(middle) <= bound)
            sum += probability * between(q, (int64_t)fmax(low, -1e15), (int64_t)fmin(high, 1e15));
    }
    return sum;
}

// ---- asking

static const gw_answer_cell *cell_of(const gw_answer *answer, size_t index) {
    for (size_t i = 0; i < answer->cell_count; i++) {
        if (strcmp(answer->cells[i].key[0], index == 0 ? "F" : "M") == 0)
            return &answer->cells[i];
    }
    abort(); // every declared cell is there
}

static void judge_count(tally *it, const gw_answer *answer, double q, const gw_interval_law *law) {
    const int64_t half = (int64_t)gw_interval_half_width(law);
    for (size_t i = 0; i < CELLS; i++) {
        const gw_answer_cell *cell = cell_of(answer, i);
        const int64_t exact = it->exact->persons[i];
        add_noise(it, 0, q, strtoll(cell->parts[0], NULL, 10) - exact);
        const bool is_covered =
            strtod(cell->lower, NULL) <= (double)exact && (double)exact <= strtod(cell->upper, NULL);
        add_coverage(it, 0, is_covered, between(q, -half, half));
    }
}

static void judge_rate(tally *it, const gw_answer *answer, double q, const gw_interval_law *law) {
    for (size_t i = 0; i < CELLS; i++) {
        const gw_answer_cell *cell = cell_of(answer, i);
        const int64_t a = strtoll(cell->parts[0], NULL, 10);
        const int64_t b = strtoll(cell->parts[1], NULL, 10);
        const double theta = (double)it->exact->numerator[i] / (double)(it->exact->numerator[i] + it->exact->others[i]);
        add_noise(it, 1, q, a - it->exact->numerator[i]);
        add_noise(it, 1, q, b - it->exact->others[i]);
        const gw_ratio_range range = gw_interval_ratio(law, a, b);
        // What is published is rounded outward from this range, never inward.
        it->published_too_narrow += strtod(cell->lower, NULL) > 100 * range.lower + 1e-9 ||
                                    strtod(cell->upper, NULL) < 100 * range.upper - 1e-9;
        add_coverage(it, 1, range.lower <= theta && theta <= range.upper,
                     ratio_coverage(q, theta, gw_interval_acceptance(law, theta)));
    }
}

static void ask_one(tally *it, test_asker *asker, unsigned draw, bool is_rate) {
    char body[512];
    char measure[128];
    snprintf(measure, sizeof measure, is_rate ? "\"indicator\":\"%s\"" : "\"measure\":{\"statistic\":\"count\"}",
             it->of->rate);
    snprintf(body, sizeof body,
             "{\"v\":1,\"kind\":\"query\",\"dataset\":\"%s\",%s,\"by\":[\"sex\"],\"weighted\":false,\"epsilon\":\"0.1%"
             "05u\"}",
             it->of->dataset, measure, draw + 1);
    if (!test_ask_query(asker, body, NULL)) {
        fprintf(stderr, "refused: %s %s %s\n", asker->problem.code, asker->problem.what, asker->problem.why);
        abort();
    }
    gw_interval_law *law = NULL;
    if (asker->answer.noise.sensitivity != 1 || asker->answer.noise.epsilon.micro != 100001 + draw ||
        gw_interval_law_new(asker->answer.noise, GW_LEVEL_95, 1, &law) != GW_OK)
        abort();
    const double q = exp(-(double)asker->answer.noise.epsilon.micro / 1e6);
    if (is_rate)
        judge_rate(it, &asker->answer, q, law);
    else
        judge_count(it, &asker->answer, q, law);
    gw_interval_law_free(law);
}

static void *ask_share(void *argument) {
    tally *it = argument;
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    for (unsigned draw = it->first; draw < draws; draw += ASKERS) {
        ask_one(it, &asker, draw, false);
        ask_one(it, &asker, draw, true);
    }
    test_asker_close(&asker);
    return NULL;
}

static void sum_up(tally *into, const tally *from) {
    for (int which = 0; which < 2; which++) {
        for (size_t i = 0; i < BINS; i++) {
            into->expected[which][i] += from->expected[which][i];
            into->observed[which][i] += from->observed[which][i];
        }
        into->covered[which] += from->covered[which];
        into->covered_expected[which] += from->covered_expected[which];
        into->covered_variance[which] += from->covered_variance[which];
    }
    into->published_too_narrow += from->published_too_narrow;
}

// ---- judging

// Upper point of chi-square at 1e-6, by Wilson and Hilferty 1931 (within 0.5 % at 25 degrees of freedom).
static double chi_square_limit(double degrees) {
    const double normal = 4.753424; // upper 1e-6 point
    const double part = 2 / (9 * degrees);
    return degrees * pow(1 - part + normal * sqrt(part), 3);
}

static double chi_square(const double *expected, const double *observed) {
    double sum = 0;
    for (size_t i = 0; i < BINS; i++)
        sum += (observed[i] - expected[i]) * (observed[i] - expected[i]) / expected[i];
    return sum;
}

static void assert_laws_hold(const sample *of, const tally *sum) {
    static const char *const names[] = {"count", "rate"};
    for (int which = 0; which < 2; which++) {
        const double statistic = chi_square(sum->expected[which], sum->observed[which]);
        const double error = sqrt(sum->covered_variance[which]);
        double cases = 0;
        for (size_t i = 0; i < BINS; i++)
            cases += sum->observed[which][i];
        printf("%s, %s: chi-square %.1f (25 df, limit %.1f) of %.0f noises; covered %.0f, expected %.1f +- %.1f\n",
               of->dataset, names[which], statistic, chi_square_limit(BINS - 1), cases, sum->covered[which],
               sum->covered_expected[which], error);
        assert_true(statistic < chi_square_limit(BINS - 1));
        assert_true(fabs(sum->covered[which] - sum->covered_expected[which]) <= 5 * error);
    }
    assert_int_equal(sum->published_too_narrow, 0);
}

// ---- setting up

// The sample's own policy with a budget that lasts.
static void read_policy(const char *path, gw_buffer *ret_text) {
    gw_problem problem;
    gw_buffer text;
    gw_buffer_init(&text, 1 << 20);
    assert_int_equal(gw_file_read(path, &text, &problem), GW_OK);
    const char *begin = strstr(gw_buffer_string(&text), "\"budget\"");
    assert_non_null(begin);
    const char *end = strstr(begin, "\"question_max\"");
    assert_non_null(end);
    end = strchr(end, '}');
    assert_non_null(end);
    gw_buffer_append(ret_text, text.data, (size_t)(begin - gw_buffer_string(&text)));
    gw_buffer_text(ret_text, "\"budget\":{\"lifetime\":\"1000000\",\"question_min\":\"0.01\",\"question_max\":\"10\"");
    gw_buffer_text(ret_text, end);
    gw_buffer_done(&text);
}

static void count_exactly(const sample *of, const char *data, truth *ret) {
    char source[1024];
    char sql[4096];
    int64_t values[CELLS * 3];
    duck it;
    duck_open(&it, NULL, 2);
    snprintf(source, sizeof source, of->source, data);
    snprintf(sql, sizeof sql,
             "SELECT count(*)::BIGINT, count(*) FILTER ((%s) AND (%s))::BIGINT, count(*) FILTER ((%s) AND NOT "
             "(%s))::BIGINT FROM %s"
             " WHERE %s GROUP BY (%s) ORDER BY (%s) DESC",
             of->in_population, of->in_numerator, of->in_population, of->in_numerator, source, of->is_known,
             of->is_female, of->is_female);
    assert_int_equal(duck_rows(&it, sql, 3, values, CELLS), CELLS);
    for (size_t i = 0; i < CELLS; i++) {
        ret->persons[i] = values[3 * i];
        ret->numerator[i] = values[3 * i + 1];
        ret->others[i] = values[3 * i + 2];
        assert_true(ret->numerator[i] > 0 && ret->others[i] > 0);
    }
    duck_close(&it);
}

static void ask_everything(test_daemon *daemon, const sample *of, const truth *exact, tally *ret) {
    tally *shares = calloc(ASKERS, sizeof *shares);
    pthread_t threads[ASKERS];
    assert_non_null(shares);
    for (unsigned i = 0; i < ASKERS; i++) {
        shares[i].of = of;
        shares[i].exact = exact;
        shares[i].first = i;
        test_daemon_principal(daemon, "researcher", &shares[i].profile);
        assert_int_equal(pthread_create(&threads[i], NULL, ask_share, &shares[i]), 0);
    }
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        sum_up(ret, &shares[i]);
    }
    free(shares);
}

static void check_sample(const sample *of) {
    test_daemon daemon;
    gw_buffer policy;
    char path[TEST_PATH_MAX];
    test_daemon_init(&daemon);
    test_daemon_start(&daemon);
    test_daemon_population(&daemon, of->population, "1000000");
    snprintf(path, sizeof path, "%s/policies/samples/%s", test_source_folder(), of->policy);
    gw_buffer_init(&policy, 1 << 20);
    read_policy(path, &policy);
    test_daemon_policy(&daemon, gw_buffer_string(&policy));
    gw_buffer_done(&policy);
    test_sample_data(&daemon, of->data, path);
    test_daemon_load(&daemon, of->dataset, path);
    truth exact;
    count_exactly(of, path, &exact);
    tally *sum = calloc(1, sizeof *sum);
    assert_non_null(sum);
    ask_everything(&daemon, of, &exact, sum);
    assert_laws_hold(of, sum);
    free(sum);
    gw_audit_verdict verdict;
    test_daemon_verify(&daemon, &verdict);
    assert_int_equal(verdict.releases, 2 * draws);
    test_daemon_done(&daemon);
}

static void adult_answers_have_the_stated_law_and_coverage(void **state) {
    (void)state;
    check_sample(&(sample){
        .dataset = "demo.example/adult",
        .population = "demo.example/adult-1994",
        .policy = "adult.policy.json",
        .data = "adult.csv.gz",
        .source = "read_csv('%s')",
        .rate = "education_high",
        .is_female = "sex = 'Female'",
        .is_known = "sex IN ('Female', 'Male')",
        .in_population = "age BETWEEN 25 AND 64",
        .in_numerator = "education IN ('Assoc-voc', 'Assoc-acdm', 'Bachelors', 'Masters', 'Prof-school', 'Doctorate')",
    });
}

static void register_answers_have_the_stated_law_and_coverage(void **state) {
    (void)state;
    check_sample(&(sample){
        .dataset = "demo.example/register",
        .population = "demo.example/residents",
        .policy = "register.policy.json",
        .data = "register.sql",
        .source = "read_parquet('%s/persons.parquet')",
        .rate = "employment_rate",
        .is_female = "sex = 'F'",
        .is_known = "sex IN ('F', 'M')",
        .in_population = "age BETWEEN 20 AND 64 AND activity IN ('EMP', 'UNE', 'INAC')",
        .in_numerator = "activity = 'EMP'",
    });
}

int main(int argc, char **argv) {
    const char *sanitizer = getenv("GW_SANITIZER");
    if (sanitizer != NULL && strcmp(sanitizer, "none") != 0)
        draws = 200;
    if (argc > 1)
        draws = (unsigned)strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adult_answers_have_the_stated_law_and_coverage),
        cmocka_unit_test(register_answers_have_the_stated_law_and_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
