// SPDX-License-Identifier: Apache-2.0
// The battery. Bins and tails are found by bisection on the distribution function, so a law may be as wide as it likes.
#include "tests/support/noise_checks.h"
#include "tests/support/statistics.h"
#include <stdlib.h>
#include <string.h>

#define EXPECTED_MIN 50.0
#define BINS_MAX 400 // more would spread a misfit too thin
#define DIGITS 6
#define RUN 12 // values of a run that must not repeat; fewer where the law has little entropy would repeat by chance

static void report_add(noise_report *report, const char *name, unsigned detail, double p) {
    if (report->count == NOISE_CHECKS_MAX)
        abort();
    report->checks[report->count++] = (noise_check){name, detail, p};
}

static int compare_values(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double normal_p(double z) {
    return erfc(fabs(z) / M_SQRT2);
}

// The smallest k in (from, reach] with P(from < Z <= k) >= mass; reach where there is none.
static int64_t edge_after(const noise_law *law, int64_t from, double mass, int64_t reach) {
    double last = noise_law_below(law, from);
    int64_t low = from, high = reach;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (noise_law_below(law, middle) - last >= mass)
            high = middle;
        else
            low = middle;
    }
    return high;
}

// Where fewer than a hundredth of a sample is expected beyond.
static int64_t reach_of(const noise_law *law, size_t count) {
    int64_t reach = 1;
    while (law->above(law, reach) * (double)count > 0.01)
        reach *= 2;
    return reach;
}

static size_t count_up_to(const int64_t *sorted, size_t count, int64_t k) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] <= k)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// One bin per value where 50 are expected, else as many values as it takes; the last bin takes all the rest.
static double fit_p(const noise_law *law, const int64_t *sorted, size_t count) {
    double n = (double)count, chi = 0;
    double least = fmax(EXPECTED_MIN, law->spread > BINS_MAX / 8.0 ? n / BINS_MAX : 0) / n;
    int64_t reach = reach_of(law, count), from = -reach - 1;
    size_t done = 0, bins = 0;
    while (done < count || from < reach) {
        int64_t to = edge_after(law, from, least, reach);
        // The first bin starts at minus infinity; the last ends at infinity.
        bool is_last = to == reach || 1 - noise_law_below(law, to) < least;
        double low = bins == 0 ? 0 : noise_law_below(law, from), high = is_last ? 1 : noise_law_below(law, to);
        size_t at = is_last ? count : count_up_to(sorted, count, to);
        double expected = (high - low) * n, observed = (double)(at - done);
        chi += (observed - expected) * (observed - expected) / expected;
        bins++;
        done = at;
        from = to;
        if (is_last)
            break;
    }
    return statistics_chi_square_above(chi, (double)bins - 1);
}

static double distance_p(const noise_law *law, const int64_t *sorted, size_t count) {
    double n = (double)count, most = 0;
    for (size_t i = 0; i < count;) {
        int64_t k = sorted[i];
        double before = (double)i / n; // F_N just below k, against P(Z <= k - 1)
        while (i < count && sorted[i] == k)
            i++;
        most = fmax(most, fabs(before - noise_law_below(law, k - 1)));
        most = fmax(most, fabs((double)i / n - noise_law_below(law, k)));
    }
    return fmin(1, 2 * exp(-2 * n * most * most));
}

static void moments_check(const noise_law *law, const int64_t *samples, size_t count, noise_report *report) {
    double sum = 0, square = 0, n = (double)count;
    for (size_t i = 0; i < count; i++) {
        sum += (double)samples[i];
        square += (double)samples[i] * (double)samples[i];
    }
    report_add(report, "mean", 0, normal_p(sum / sqrt(n * law->variance)));
    report_add(report, "variance", 0, normal_p((square / n / law->variance - 1) * sqrt(n / (law->kurtosis - 1))));
}

static void tails_check(const noise_law *law, const int64_t *samples, size_t count, noise_report *report) {
    const double shares[] = {0.01, 0.001, EXPECTED_MIN / (double)count};
    for (unsigned i = 0; i < 3; i++) {
        int64_t low = 0, high = reach_of(law, count);
        while (high - low > 1) { // the largest k whose tail still holds the share
            int64_t middle = low + (high - low) / 2;
            if (2 * law->above(law, middle) >= shares[i])
                low = middle;
            else
                high = middle;
        }
        size_t beyond = 0;
        for (size_t k = 0; k < count; k++)
            beyond += llabs(samples[k]) > low;
        report_add(report, "tails", i, statistics_binomial_both(beyond, count, 2 * law->above(law, low)));
    }
}

static double correlation_p(const noise_law *law, const int64_t *one, const int64_t *other, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)one[i] * (double)other[i];
    return normal_p(sum / law->variance / sqrt((double)count));
}

static void neighbours_check(const noise_law *law, const int64_t *samples, size_t count, noise_report *report) {
    const unsigned lags[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 60, 64, 128, 256};
    for (size_t i = 0; i < sizeof(lags) / sizeof(lags[0]); i++)
        report_add(report, "neighbours", lags[i], correlation_p(law, samples, samples + lags[i], count - lags[i]));
}

// Independence of two yes/no facts; 1 where a cell is too rare to say.
static double table_p(double counts[2][2]) {
    double rows[2] = {counts[0][0] + counts[0][1], counts[1][0] + counts[1][1]};
    double columns[2] = {counts[0][0] + counts[1][0], counts[0][1] + counts[1][1]};
    double total = rows[0] + rows[1], chi = 0;
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 2; c++) {
            double expected = rows[r] * columns[c] / total;
            if (!(expected >= EXPECTED_MIN))
                return 1;
            chi += (counts[r][c] - expected) * (counts[r][c] - expected) / expected;
        }
    return statistics_chi_square_above(chi, 1);
}

static unsigned digit_of(int64_t sample, unsigned digit) {
    return (uint64_t)(llabs(sample) - 1) >> digit & 1;
}

static void digits_check(const noise_law *law, const int64_t *samples, size_t count, noise_report *report) {
    for (unsigned i = 0; i < DIGITS; i++) {
        double by_sign[2][2] = {{0}}, by_digit[DIGITS][2][2] = {{{0}}};
        for (size_t k = 0; k < count; k++) {
            if (samples[k] == 0)
                continue;
            by_sign[samples[k] < 0][digit_of(samples[k], i)]++;
            for (unsigned j = 0; j < i; j++)
                by_digit[j][digit_of(samples[k], j)][digit_of(samples[k], i)]++;
        }
        report_add(report, "sign", i, table_p(by_sign));
        for (unsigned j = 0; j < i && law->is_geometric; j++)
            report_add(report, "digits", 10 * j + i, table_p(by_digit[j]));
    }
}

static uint64_t run_hash(const int64_t *samples) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (int i = 0; i < RUN; i++)
        hash = (hash ^ (uint64_t)samples[i]) * 0x100000001B3u ^ hash >> 29;
    return hash;
}

static int compare_words(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// Whether the arrays have a run of RUN values in common, at any of count / RUN places of each. An upper bound of the
// chance of that: places^2 times that of the most likely value to the power of RUN; 1 where that says nothing.
static double repeats_p(const noise_law *law, const int64_t *one, const int64_t *other, size_t count) {
    size_t places = count / RUN;
    double chance = (double)places * (double)places * pow(noise_law_at(law, 0), RUN);
    uint64_t *hashes = malloc(places * sizeof(*hashes));
    if (hashes == NULL)
        abort();
    for (size_t i = 0; i < places; i++)
        hashes[i] = run_hash(one + i * RUN);
    qsort(hashes, places, sizeof(*hashes), compare_words);
    bool is_common = false;
    for (size_t i = 0; i < places && !is_common; i++) {
        uint64_t hash = run_hash(other + i * RUN);
        is_common = bsearch(&hash, hashes, places, sizeof(*hashes), compare_words) != NULL;
    }
    free(hashes);
    return is_common ? fmin(1, chance) : 1;
}

void noise_checks_samples(const noise_law *law, const int64_t *samples, size_t count, noise_report *ret) {
    int64_t *sorted = malloc(count * sizeof(*sorted));
    if (sorted == NULL)
        abort();
    memcpy(sorted, samples, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_values);
    report_add(ret, "fit", 0, fit_p(law, sorted, count));
    report_add(ret, "distance", 0, distance_p(law, sorted, count));
    free(sorted);
    moments_check(law, samples, count, ret);
    tails_check(law, samples, count, ret);
    neighbours_check(law, samples, count, ret);
    digits_check(law, samples, count, ret);
}

void noise_checks_pair(const noise_law *law, const int64_t *one, const int64_t *other, size_t count,
                       noise_report *ret) {
    report_add(ret, "fresh", 0, correlation_p(law, one, other, count));
    report_add(ret, "fresh", 1, repeats_p(law, one, other, count));
}

void noise_checks_run(const noise_law *law, noise_sampler sampler, const void *context, uint64_t seed,
                      noise_report *ret) {
    int64_t *samples = malloc(2 * NOISE_SAMPLES * sizeof(*samples)), *second = samples + NOISE_SAMPLES;
    if (samples == NULL)
        abort();
    ret->count = 0;
    sampler(context, seed, samples, NOISE_SAMPLES);
    sampler(context, seed + 1, second, NOISE_SAMPLES);
    noise_checks_samples(law, samples, NOISE_SAMPLES, ret);
    noise_checks_pair(law, samples, second, NOISE_SAMPLES, ret);
    free(samples);
}

const noise_check *noise_report_alarm(const noise_report *report) {
    const noise_check *worst = NULL;
    for (size_t i = 0; i < report->count; i++)
        if (!(report->checks[i].p >= NOISE_ALPHA) && (worst == NULL || report->checks[i].p < worst->p))
            worst = &report->checks[i];
    return worst;
}

bool noise_report_has(const noise_report *report, const char *name) {
    for (size_t i = 0; i < report->count; i++)
        if (!(report->checks[i].p >= NOISE_ALPHA) && strcmp(report->checks[i].name, name) == 0)
            return true;
    return false;
}

uint64_t noise_seed(uint64_t standard) {
    const char *text = getenv("GW_TEST_SEED");
    return text == NULL ? standard : strtoull(text, NULL, 10);
}
