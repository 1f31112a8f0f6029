// SPDX-License-Identifier: Apache-2.0
// All marginals of up to three of six attributes, over a base table of 10^6 cells and fewer persons than cells: time of
// split, release, estimates, ranges and whole numbers; and the errors of each column per kind of table. Argument:
// persons (200000).
#include "tests/bench/bench.h"
#include "privacy/derive/marginals_adjust.h"
#include "privacy/interval.h"
#include "privacy/marginals_split.h"
#include "privacy/mechanism/marginals.h"
#include "service/base/crypto.h"
#include "service/base/random.h"
#include <math.h>

static const gw_marginals_base BASE = {6, {2, 5, 10, 10, 20, 50}};
#define CELLS 1000000u

static double milliseconds_since(uint64_t start) {
    return (double)(bench_now_ns() - start) / 1e6;
}

static double uniform(gw_random_source source) {
    uint64_t word;
    if (source.fill(source.state, &word, sizeof(word)) != GW_OK)
        abort();
    return (double)(word >> 11) * 0x1p-53;
}

// Skewed attributes of which each leans on the one before.
static void fill(gw_exact_table *base, uint64_t persons, gw_random_source source) {
    for (uint64_t p = 0; p < persons; p++) {
        size_t cell = 0;
        double before = 0.5;
        for (unsigned i = 0; i < BASE.attribute_count; i++) {
            const double u = pow(uniform(source), 1.0 + 2.0 * before);
            const size_t at = (size_t)(u * BASE.sizes[i]);
            cell = cell * BASE.sizes[i] + at;
            before = u;
        }
        base->values[cell]++;
    }
}

typedef struct {
    const gw_marginals_law *law;
    const gw_exact_table *base;
    const gw_released_table *table;
    const gw_marginals_estimate *estimate;
    const gw_marginals_adjusted *adjusted;
} bench_columns;

static void exact_marginal(const gw_exact_table *base, unsigned mask, double *ret) {
    memset(ret, 0, gw_marginals_cell_count(&BASE, mask) * sizeof(*ret));
    for (size_t cell = 0; cell < CELLS; cell++) {
        size_t to = 0, rest = cell, left = CELLS;
        for (unsigned i = 0; i < BASE.attribute_count; i++) {
            left /= BASE.sizes[i];
            if ((mask >> i & 1) != 0)
                to = to * BASE.sizes[i] + rest / left;
            rest %= left;
        }
        ret[to] += (double)base->values[cell];
    }
}

// Root mean squares over the cells of all marginals of `order` attributes: expected, of estimates, of whole numbers.
static void errors(const bench_columns *columns, gw_marginals_set asked, int order) {
    double expected = 0, estimated = 0, cut = 0, adjusted = 0, apart = 0, cells = 0;
    double *exact = malloc(CELLS * sizeof(*exact));
    if (exact == NULL)
        abort();
    for (unsigned mask = 0; mask < 64; mask++) {
        if (!gw_marginals_has(asked, mask) || __builtin_popcount(mask) != order)
            continue;
        const size_t count = gw_marginals_cell_count(&BASE, mask);
        const double *estimates = gw_marginals_estimate_cells(columns->estimate, mask);
        const int64_t *whole = gw_marginals_adjusted_cells(columns->adjusted, mask);
        exact_marginal(columns->base, mask, exact);
        for (size_t k = 0; k < count; k++) {
            estimated += pow(estimates[k] - exact[k], 2);
            cut += pow(fmax(0, estimates[k]) - exact[k], 2);
            adjusted += pow((double)whole[k] - exact[k], 2);
            apart += pow((double)whole[k] - estimates[k], 2);
        }
        expected += gw_marginals_variance(columns->law, mask) * (double)count;
        cells += (double)count;
    }
    free(exact);
    printf("rmse, tables of %d (%.0f cells): expected %.2f, estimates %.2f, cut at 0 %.2f, whole numbers %.2f (%.2f "
           "from the "
           "estimates)\n",
           order, cells, sqrt(expected / cells), sqrt(estimated / cells), sqrt(cut / cells), sqrt(adjusted / cells),
           sqrt(apart / cells));
}

int main(int argc, char **argv) {
    const uint64_t persons = bench_argument(argc, argv, 200000);
    gw_random *random = NULL;
    gw_exact_table *base = NULL;
    if (gw_crypto_init() != GW_OK || gw_random_new(&random) != GW_OK || gw_exact_table_new(CELLS, 1, &base) != GW_OK)
        return 1;
    const gw_random_source source = gw_random_as_source(random);
    fill(base, persons, source);
    bench_title("41 marginals of 6 attributes, 10^6 base cells");
    gw_marginals_wish wish = {.base = BASE};
    for (unsigned mask = 0; mask < 64; mask++)
        if (__builtin_popcount(mask) <= 3)
            wish.asked |= 1ull << mask;
    wish.measurable = wish.asked;
    gw_marginals_law law;
    gw_released_table *table = NULL;
    gw_marginals_estimate *estimate = NULL;
    gw_marginals_adjusted *adjusted = NULL;
    uint64_t start = bench_now_ns();
    if (gw_marginals_split(&wish, (gw_epsilon){1000000}, 1, &law) != GW_OK)
        return 1;
    bench_line("split", milliseconds_since(start), "ms", 0);
    const uint64_t whole = bench_now_ns();
    if (gw_marginals_release(base, &law, source, &table) != GW_OK)
        return 1;
    bench_line("release", milliseconds_since(whole), "ms", 0);
    start = bench_now_ns();
    if (gw_marginals_estimate_new(&law, table, wish.asked, &estimate) != GW_OK)
        return 1;
    bench_line("estimates", milliseconds_since(start), "ms", 0);
    start = bench_now_ns();
    for (unsigned mask = 0; mask < 64; mask++) {
        double width;
        if (gw_marginals_has(wish.asked, mask) && gw_marginals_half_width(&law, mask, GW_LEVEL_95, &width) != GW_OK)
            return 1;
    }
    bench_line("ranges", milliseconds_since(start), "ms", 0);
    start = bench_now_ns();
    if (gw_marginals_adjust(&law, estimate, wish.asked, &adjusted) != GW_OK)
        return 1;
    bench_line("whole numbers", milliseconds_since(start), "ms", 0);
    bench_line("all from the exact table on", milliseconds_since(whole), "ms", 0);
    const bench_columns columns = {&law, base, table, estimate, adjusted};
    for (int order = 0; order <= 3; order++)
        errors(&columns, wish.asked, order);
    gw_marginals_adjusted_free(adjusted);
    gw_marginals_estimate_free(estimate);
    gw_released_free(table);
    gw_exact_table_free(base);
    gw_random_free(random);
    return 0;
}
