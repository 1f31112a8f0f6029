// SPDX-License-Identifier: Apache-2.0
// The privacy library's side of tests/bench/peers: the statistics that other libraries have too, from the same file of
// values, each release with its aggregation, as one line of JSON: median seconds and root mean square error. Run by
// peers.py:                                    bench_peers VALUES.i32 TRUTH.txt EPSILON...
#include "privacy/derive/quantile.h"
#include "privacy/mechanism/parts.h"
#include "service/base/random.h"
#include "tests/bench/bench.h"

#include <math.h>

#define LOW 0
#define HIGH 200000
#define WELL_OFF 40000 // who is counted
#define BINS 20u
#define CANDIDATES 20000u
#define DECILES 9u
#define FIGURES_MAX 64u
#define ROUNDS 400u
#define SECONDS_MAX 4.0

typedef struct {
    const int32_t *values;
    size_t count;
    gw_epsilon epsilon;
    gw_random_source source;
} people;

typedef struct {
    const char *name;
    size_t figures;
    void (*release)(const people *p, double *ret);
} statistic;

static void must(gw_status status) {
    if (status != GW_OK) {
        fprintf(stderr, "bench_peers: %s\n", gw_status_name(status));
        exit(1);
    }
}

static gw_noise noise_of(const people *p, uint64_t sensitivity) {
    gw_noise noise;
    noise.epsilon = p->epsilon;
    noise.sensitivity = sensitivity;
    return noise;
}

// Each statistic takes its exact table from the values, and is handed back what was released of it.
static gw_released_table *parts_released(const people *p, gw_exact_table *exact, uint64_t sensitivity) {
    gw_released_table *released = NULL;
    must(gw_parts_release(exact, noise_of(p, sensitivity), p->source, &released));
    gw_exact_table_free(exact);
    return released;
}

static gw_exact_table *exact_new(size_t cells, size_t parts) {
    gw_exact_table *exact = NULL;
    must(gw_exact_table_new(cells, parts, &exact));
    return exact;
}

static void release_count(const people *p, double *ret) {
    gw_exact_table *exact = exact_new(1, 1);
    for (size_t i = 0; i < p->count; i++)
        exact->values[0] += p->values[i] >= WELL_OFF;
    gw_released_table *released = parts_released(p, exact, 1);
    ret[0] = (double)gw_released_value(released, 0, 0);
    gw_released_free(released);
}

static void release_sum(const people *p, double *ret) {
    gw_exact_table *exact = exact_new(1, 1);
    for (size_t i = 0; i < p->count; i++)
        exact->values[0] += p->values[i];
    gw_released_table *released = parts_released(p, exact, HIGH);
    ret[0] = (double)gw_released_value(released, 0, 0);
    gw_released_free(released);
}

static void release_mean(const people *p, double *ret) {
    gw_exact_table *exact = exact_new(1, 2);
    for (size_t i = 0; i < p->count; i++) {
        exact->values[0] += p->values[i] - LOW;
        exact->values[1] += HIGH - p->values[i];
    }
    gw_released_table *released = parts_released(p, exact, HIGH - LOW);
    double a = (double)gw_released_value(released, 0, 0), b = (double)gw_released_value(released, 0, 1);
    ret[0] = LOW + (HIGH - LOW) * a / (a + b);
    gw_released_free(released);
}

static gw_exact_table *binned(const people *p, unsigned bins) {
    gw_exact_table *exact = exact_new(bins, 1);
    for (size_t i = 0; i < p->count; i++)
        exact->values[(unsigned)(p->values[i] - LOW) / ((HIGH - LOW) / bins)]++;
    return exact;
}

static void release_histogram(const people *p, double *ret) {
    gw_released_table *released = parts_released(p, binned(p, BINS), 1);
    for (size_t i = 0; i < BINS; i++)
        ret[i] = (double)gw_released_value(released, i, 0);
    gw_released_free(released);
}

static double bin_value(size_t bin) {
    return LOW + (HIGH - LOW) / (double)CANDIDATES * ((double)bin + 0.5); // the middle, as the service says it
}

static void release_median(const people *p, double *ret) {
    const gw_quantile_shape shape = {.group_count = 1, .bin_count = CANDIDATES, .level = {1, 2}};
    gw_exact_table *exact = binned(p, CANDIDATES);
    gw_released_table *released = NULL;
    must(gw_quantile_release(exact, &shape, noise_of(p, 1), p->source, &released));
    gw_exact_table_free(exact);
    ret[0] = bin_value((size_t)gw_released_value(released, 0, 0));
    gw_released_free(released);
}

static void release_deciles(const people *p, double *ret) {
    gw_tree_shape shape;
    gw_quantile_level levels[DECILES];
    gw_quantile quantiles[DECILES];
    gw_released_table *released = NULL;
    gw_tree *tree = NULL;
    must(gw_tree_shape_make(1, CANDIDATES, GW_TREE_FAN_DISTRIBUTION, &shape));
    gw_exact_table *exact = binned(p, CANDIDATES);
    must(gw_tree_release(exact, &shape, noise_of(p, 1), p->source, &released));
    gw_exact_table_free(exact);
    must(gw_tree_new(released, &shape, (gw_tree_groups){0, 1}, &tree));
    for (size_t i = 0; i < DECILES; i++)
        levels[i] = (gw_quantile_level){i + 1, 10};
    must(gw_quantiles_of(tree, levels, DECILES, GW_LEVEL_95, quantiles));
    for (size_t i = 0; i < DECILES; i++)
        ret[i] = bin_value(quantiles[i].bin);
    gw_tree_free(tree);
    gw_released_free(released);
}

static const statistic STATISTICS[] = {
    {"count", 1, release_count},
    {"sum", 1, release_sum},
    {"mean", 1, release_mean},
    {"median", 1, release_median},
    {"deciles", DECILES, release_deciles},
    {"histogram", BINS, release_histogram},
};

static void measure(const people *p, const statistic *one, const double *truth, const char *epsilon) {
    static bench_samples samples;
    double squares = 0, figures[FIGURES_MAX];
    samples.count = 0;
    uint64_t begin = bench_now_ns();
    while (samples.count < ROUNDS && (samples.count < 20 || (double)(bench_now_ns() - begin) < SECONDS_MAX * 1e9)) {
        uint64_t start = bench_now_ns();
        one->release(p, figures);
        bench_add(&samples, (double)(bench_now_ns() - start) / 1e9);
        for (size_t i = 0; i < one->figures; i++)
            squares += (figures[i] - truth[i]) * (figures[i] - truth[i]);
    }
    double error = sqrt(squares / (double)(samples.count * one->figures));
    printf("{\"statistic\":\"%s\",\"epsilon\":%s,\"seconds\":%.9f,\"error\":%.9g}\n", one->name, epsilon,
           bench_median(&samples), error);
}

static int32_t *values_read(const char *path, size_t *ret_count) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        must(GW_IO);
    size_t count = (size_t)ftell(file) / sizeof(int32_t);
    int32_t *values = malloc(count * sizeof(*values));
    rewind(file);
    if (values == NULL || fread(values, sizeof(*values), count, file) != count)
        must(GW_IO);
    fclose(file);
    *ret_count = count;
    return values;
}

// Lines of a name and its figures.
static void truth_read(const char *path, const statistic *one, double *ret) {
    char line[4096];
    size_t length = strlen(one->name), found = 0;
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, one->name, length) != 0 || line[length] != ' ')
            continue;
        char *at = line + length;
        for (char *end = at; found < one->figures; found++, at = end)
            ret[found] = strtod(at, &end);
    }
    if (file != NULL)
        fclose(file);
    if (found != one->figures)
        must(GW_INVALID);
}

int main(int argc, char **argv) {
    if (argc < 4)
        must(GW_INVALID);
    gw_random *random = NULL;
    must(gw_random_new(&random));
    people p = {.source = gw_random_as_source(random)};
    int32_t *values = values_read(argv[1], &p.count);
    p.values = values;
    for (int i = 3; i < argc; i++) {
        double truth[FIGURES_MAX];
        char shortest[GW_EPSILON_TEXT];
        snprintf(shortest, sizeof shortest, "%g", strtod(argv[i], NULL));
        must(gw_epsilon_parse(shortest, &p.epsilon));
        for (size_t k = 0; k < sizeof STATISTICS / sizeof STATISTICS[0]; k++) {
            truth_read(argv[2], &STATISTICS[k], truth);
            measure(&p, &STATISTICS[k], truth, argv[i]);
        }
    }
    free(values);
    gw_random_free(random);
    return 0;
}
