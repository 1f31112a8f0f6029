// SPDX-License-Identifier: Apache-2.0
// Dividing one price over marginals: exponentiated gradient on the simplex of shares from several starts, then shares
// that earn nothing are dropped and the rest polished (mechanism/marginals.md). Reads public sizes only.
#include "privacy/marginals_split.h"
#include <math.h>

#define STARTS 14u
#define ROUNDS 2u
#define HOPS 80u   // from the best so far: each some tenths of a millisecond at most
#define SWAPS 320u // of one marginal, until a round of them gains nothing
#define STEPS_MAX 2000u
#define STEPS_POLISH 3000u
#define STEPS_QUIET 40u // so many steps in a row without a gain worth having end a search
#define GAIN_MIN 1e-7   // relative
#define RATE_FIRST 0.2  // of the exponent
#define RATE_MIN 1e-7
#define SLOPE_MAX 5.0      // a share grows by less than e^5 in one step
#define SHARE_WORTH 0.003  // shares below this part of the largest are tried without
#define LOSS_ALLOWED 1.001 // of the objective, for each marginal that need not be measured

// Shares by mask; everything is relative, so the price is not part of it.
typedef struct {
    const gw_marginals_wish *wish;
    double costs[GW_MARGINALS_MASKS]; // by residual: what its variance counts for; 0 where it is in no asked marginal
    unsigned mask_count;
} split_problem;

typedef struct {
    double shares[GW_MARGINALS_MASKS];
    double value; // the objective
} split_point;

// What the variance of each residual counts for: the sum over asked marginals of weight times its share of the variance
// of a cell.
static void problem_init(split_problem *problem, const gw_marginals_wish *wish, const double *weights) {
    *problem = (split_problem){.wish = wish, .mask_count = 1u << wish->base.attribute_count};
    for (unsigned mask = 0; mask < problem->mask_count; mask++) {
        if (!gw_marginals_has(wish->asked, mask))
            continue;
        for (unsigned part = 0; part < problem->mask_count; part++) {
            if ((part & ~mask) != 0)
                continue;
            double share = weights[mask];
            for (unsigned i = 0; i < wish->base.attribute_count; i++) {
                const double size = wish->base.sizes[i];
                if ((part >> i & 1) != 0)
                    share *= 1.0 - 1.0 / size;
                else if ((mask >> i & 1) != 0)
                    share /= size * size;
            }
            problem->costs[part] += share;
        }
    }
}

// Laplace noise under a share s of the price has a variance proportional to 1 / s^2.
static double objective(const split_problem *problem, const double *shares, double *ret_information) {
    double precisions[GW_MARGINALS_MASKS] = {0};
    for (unsigned mask = 0; mask < problem->mask_count; mask++)
        precisions[mask] = shares[mask] * shares[mask];
    gw_marginals_information(&problem->wish->base, precisions, ret_information);
    double value = 0.0;
    for (unsigned part = 0; part < problem->mask_count; part++)
        if (problem->costs[part] > 0.0)
            value += ret_information[part] > 0.0 ? problem->costs[part] / ret_information[part] : INFINITY;
    return value;
}

// Half of -d value / d share: the share, times the transpose of gw_marginals_information at cost / information^2.
static void gains(const split_problem *problem, const split_point *point, double *ret) {
    double information[GW_MARGINALS_MASKS];
    (void)objective(problem, point->shares, information);
    for (unsigned part = 0; part < problem->mask_count; part++)
        ret[part] = problem->costs[part] > 0.0 ? problem->costs[part] / (information[part] * information[part]) : 0.0;
    for (unsigned i = 0; i < problem->wish->base.attribute_count; i++)
        for (unsigned mask = 0; mask < problem->mask_count; mask++)
            if ((mask >> i & 1) != 0)
                ret[mask] += ret[mask & ~(1u << i)] / problem->wish->base.sizes[i];
    for (unsigned mask = 0; mask < problem->mask_count; mask++)
        ret[mask] *= point->shares[mask];
}

static void normalise(double *shares, unsigned count) {
    double sum = 0.0;
    for (unsigned i = 0; i < count; i++)
        sum += shares[i];
    for (unsigned i = 0; i < count; i++)
        shares[i] /= sum;
}

// At an optimum every share has the same gain per unit; a share grows with how far its gain is above the mean.
static split_point step(const split_problem *problem, const split_point *from, const double *gain, double rate) {
    double mean = 0.0, information[GW_MARGINALS_MASKS];
    split_point next = {{0}, 0};
    for (unsigned i = 0; i < problem->mask_count; i++)
        mean += gain[i] * from->shares[i];
    for (unsigned i = 0; i < problem->mask_count; i++)
        next.shares[i] = from->shares[i] * exp(rate * fmin(gain[i] / mean - 1.0, SLOPE_MAX));
    normalise(next.shares, problem->mask_count);
    next.value = objective(problem, next.shares, information);
    return next;
}

static void descend(const split_problem *problem, split_point *point, unsigned steps) {
    double gain[GW_MARGINALS_MASKS], information[GW_MARGINALS_MASKS], rate = RATE_FIRST;
    point->value = objective(problem, point->shares, information);
    gains(problem, point, gain);
    for (unsigned i = 0, quiet = 0; i < steps && quiet < STEPS_QUIET && rate > RATE_MIN; i++) {
        split_point next = step(problem, point, gain, rate);
        if (!(next.value <= point->value)) {
            rate /= 2.0;
            continue;
        }
        quiet = next.value < point->value * (1.0 - GAIN_MIN) ? 0 : quiet + 1;
        rate = fmin(rate * 1.05, 1.0);
        *point = next;
        gains(problem, point, gain);
    }
}

// SplitMix64 (Steele, Lea, Flood 2014): the same starts for everybody, not randomness.
static double scattered(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// The first starts are what one would try: all alike, what was asked, the largest tables. The others scatter, with few
// shares much above the rest. None is 0 where something may be measured.
static void start_at(const split_problem *problem, unsigned number, split_point *ret) {
    const gw_marginals_wish *wish = problem->wish;
    uint64_t state = number;
    for (unsigned mask = 0; mask < problem->mask_count; mask++) {
        const bool is_asked = gw_marginals_has(wish->asked, mask);
        double share = 1.0;
        if (number == 1)
            share = is_asked ? 1.0 : 0.01;
        if (number == 2)
            share = pow(4.0, __builtin_popcount(mask));
        if (number == 3)
            share = mask + 1 == problem->mask_count ? 1.0 : 0.1 / problem->mask_count;
        if (number > 3)
            share = 0.05 + pow(scattered(&state), 3.0) * problem->mask_count / 4.0;
        ret->shares[mask] = gw_marginals_has(wish->measurable, mask) ? share : 0.0;
    }
    normalise(ret->shares, problem->mask_count);
}

// Away from a local optimum: most of its shares fall, a few others are raised.
static void hop_from(const split_problem *problem, const split_point *from, uint64_t *state, split_point *ret) {
    *ret = *from;
    for (unsigned mask = 0; mask < problem->mask_count; mask++) {
        const double left = scattered(state) < 0.8 ? 0.01 : 1.0, raised = pow(scattered(state), 8.0);
        if (gw_marginals_has(problem->wish->measurable, mask))
            ret->shares[mask] = ret->shares[mask] * left + 1e-4 + 0.3 * raised;
    }
    normalise(ret->shares, problem->mask_count);
}

// Without one marginal that has a share, or with a share for one that has none.
static void swap_one(const split_problem *problem, const split_point *from, unsigned swapped, split_point *ret) {
    *ret = *from;
    for (unsigned mask = 0; mask < problem->mask_count; mask++)
        if (gw_marginals_has(problem->wish->measurable, mask))
            ret->shares[mask] += 1e-4;
    ret->shares[swapped] = ret->shares[swapped] > 0.01 ? 1e-4 : 0.2;
    normalise(ret->shares, problem->mask_count);
}

static bool take_better(const split_problem *problem, split_point point, split_point *best) {
    descend(problem, &point, STEPS_MAX);
    if (!(point.value < best->value * (1.0 - GAIN_MIN)))
        return false;
    *best = point;
    return true;
}

// Rounds of hops, each followed by swaps until no single one helps.
static split_point best_of_hops(const split_problem *problem, split_point best) {
    uint64_t state = 16; // of those tried, one that finds good splits
    split_point point;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < HOPS && i < 2 * problem->mask_count; i++) {
            hop_from(problem, &best, &state, &point);
            (void)take_better(problem, point, &best);
        }
        for (unsigned i = 0, quiet = 0; i < SWAPS && quiet < problem->mask_count; i++, quiet++) {
            const unsigned mask = i % problem->mask_count;
            if (!gw_marginals_has(problem->wish->measurable, mask))
                continue;
            swap_one(problem, &best, mask, &point);
            if (take_better(problem, point, &best))
                quiet = 0;
        }
    }
    return best;
}

static split_point best_of_starts(const split_problem *problem) {
    split_point best = {{0}, INFINITY};
    for (unsigned i = 0; i < STARTS; i++) {
        split_point point = {{0}, 0};
        start_at(problem, i, &point);
        descend(problem, &point, STEPS_MAX);
        if (point.value < best.value)
            best = point;
    }
    return best;
}

static unsigned smallest_share(const split_point *point, unsigned count) {
    unsigned found = count;
    for (unsigned i = 0; i < count; i++)
        if (point->shares[i] > 0.0 && (found == count || point->shares[i] < point->shares[found]))
            found = i;
    return found;
}

// Every measured marginal is cells to publish: those that hardly matter are left out, the smallest first.
static void drop_idle(const split_problem *problem, split_point *point) {
    for (;;) {
        const unsigned idle = smallest_share(point, problem->mask_count);
        double information[GW_MARGINALS_MASKS], largest = 0.0;
        split_point without = *point;
        for (unsigned i = 0; i < problem->mask_count; i++)
            largest = fmax(largest, point->shares[i]);
        if (point->shares[idle] >= SHARE_WORTH * largest)
            break;
        without.shares[idle] = 0.0;
        normalise(without.shares, problem->mask_count);
        without.value = objective(problem, without.shares, information);
        if (!(without.value <= point->value * LOSS_ALLOWED))
            break;
        *point = without;
    }
    descend(problem, point, STEPS_POLISH);
}

// Shares of the price, rounded down to whole micro-epsilon.
static gw_status share_out(const split_problem *problem, const split_point *point, gw_epsilon price,
                           uint64_t sensitivity, gw_marginals_law *ret) {
    gw_marginals_law law = {.base = problem->wish->base};
    uint64_t spent = 0;
    for (unsigned mask = 0; mask < problem->mask_count; mask++) {
        if (!(point->shares[mask] > 0.0))
            continue;
        const uint64_t left = price.micro - spent;
        const double exact = fmin(floor(point->shares[mask] * (double)price.micro), (double)left);
        if (left == 0) // a price of hardly more units than marginals
            return GW_INVALID;
        const uint64_t micro = exact < 1.0 ? 1 : (uint64_t)exact;
        spent += micro;
        law.masks[law.count] = mask;
        law.noises[law.count++] = (gw_noise){.epsilon = {micro}, .sensitivity = sensitivity};
    }
    if (!gw_marginals_law_is_sound(&law))
        return GW_INVALID;
    *ret = law;
    return GW_OK;
}

// The weights to use; all alike where none is given.
static bool weights_of(const gw_marginals_wish *wish, double ret[GW_MARGINALS_MASKS]) {
    bool is_given = false;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        is_given |= wish->weights[mask] != 0.0;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++) {
        ret[mask] = is_given ? wish->weights[mask] : 1.0;
        if (gw_marginals_has(wish->asked, mask) && !(ret[mask] > 0.0 && ret[mask] < 1e100))
            return false;
    }
    return true;
}

gw_status gw_marginals_split(const gw_marginals_wish *wish, gw_epsilon price, uint64_t sensitivity,
                             gw_marginals_law *ret_law) {
    double weights[GW_MARGINALS_MASKS];
    if (!gw_marginals_base_is_sound(&wish->base) || wish->asked == 0 || price.micro > GW_EPSILON_MICRO_MAX ||
        !weights_of(wish, weights))
        return GW_INVALID;
    const gw_marginals_set possible = wish->base.attribute_count == GW_MARGINALS_ATTRIBUTES_MAX
                                          ? ~0ull
                                          : (1ull << (1u << wish->base.attribute_count)) - 1;
    if (((wish->asked | wish->measurable) & ~possible) != 0 ||
        (wish->asked & ~gw_marginals_closure(wish->measurable)) != 0)
        return GW_INVALID;
    split_problem problem;
    problem_init(&problem, wish, weights);
    split_point point = best_of_hops(&problem, best_of_starts(&problem));
    drop_idle(&problem, &point);
    return share_out(&problem, &point, price, sensitivity, ret_law);
}

gw_status gw_marginals_scale(const gw_marginals_law *law, gw_epsilon price, uint64_t sensitivity,
                             gw_marginals_law *ret_law) {
    if (!gw_marginals_law_is_sound(law) || price.micro > GW_EPSILON_MICRO_MAX)
        return GW_INVALID;
    gw_marginals_law scaled = *law;
    gw_uint128 sum = 0;
    for (size_t i = 0; i < law->count; i++)
        sum += law->noises[i].epsilon.micro;
    for (size_t i = 0; i < law->count; i++) // rounded down, the sum is at most the price
        scaled.noises[i] =
            (gw_noise){.epsilon = {(uint64_t)((gw_uint128)law->noises[i].epsilon.micro * price.micro / sum)},
                       .sensitivity = sensitivity};
    if (!gw_marginals_law_is_sound(&scaled)) // a share of 0 among them
        return GW_INVALID;
    *ret_law = scaled;
    return GW_OK;
}
