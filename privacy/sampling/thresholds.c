// SPDX-License-Identifier: Apache-2.0
// Interval arithmetic on fixed-point integers: 448 fractional bits in 7 limbs, and one whole limb above them.
// exp(-x) by an alternating series with a tiny argument, then squarings; every operation rounds the lower end down and
// the upper end up, so the real number is always between them (discrete_laplace.md, "Certified thresholds").
#include "privacy/sampling/thresholds.h"
#include "privacy/checked.h"
#include <string.h>

#define FRACTION_LIMBS 7
#define LIMBS (FRACTION_LIMBS + 1)
#define NEGLIGIBLE_LIMBS 4 // a probability whose first 4 limbs are 0 is below 2^-256
#define SERIES_BITS 16     // the series runs at arguments up to 2^-16: 28 terms reach the last bit
#define SERIES_TERMS_MAX 40
#define MICRO_PER_UNIT 1000000u

// Least significant limb first; value = sum of limbs[i] * 2^(64 (i - 7)). All our numbers are in [0, 2).
typedef struct {
    uint64_t limbs[LIMBS];
} fixed;

typedef struct {
    fixed low;
    fixed high;
} bounds;

typedef enum { DOWN, UP } rounding;

static const fixed ONE = {.limbs = {[FRACTION_LIMBS] = 1}};

static int fixed_compare(const fixed *a, const fixed *b) {
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

static fixed fixed_add(const fixed *a, const fixed *b) {
    fixed sum;
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        gw_uint128 wide = (gw_uint128)a->limbs[i] + b->limbs[i] + carry;
        sum.limbs[i] = (uint64_t)wide;
        carry = (uint64_t)(wide >> 64);
    }
    return sum;
}

// a - b, or 0 where b is larger: the callers' real differences are never negative.
static fixed fixed_subtract(const fixed *a, const fixed *b) {
    fixed difference = {.limbs = {0}};
    if (fixed_compare(a, b) <= 0)
        return difference;
    uint64_t borrow = 0;
    for (int i = 0; i < LIMBS; i++) {
        gw_uint128 wide = (gw_uint128)a->limbs[i] - b->limbs[i] - borrow;
        difference.limbs[i] = (uint64_t)wide;
        borrow = (uint64_t)(wide >> 64) & 1;
    }
    return difference;
}

static fixed fixed_add_last(const fixed *a, uint64_t units) {
    fixed last = {.limbs = {units}};
    return fixed_add(a, &last);
}

static fixed fixed_multiply(const fixed *a, const fixed *b, rounding direction) {
    uint64_t product[2 * LIMBS] = {0};
    for (int i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < LIMBS; j++) {
            gw_uint128 wide = (gw_uint128)a->limbs[i] * b->limbs[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)wide;
            carry = (uint64_t)(wide >> 64);
        }
        product[i + LIMBS] = carry;
    }
    fixed result;
    uint64_t rest = 0;
    for (int i = 0; i < FRACTION_LIMBS; i++)
        rest |= product[i];
    memcpy(result.limbs, product + FRACTION_LIMBS, sizeof(result.limbs));
    return direction == UP && rest != 0 ? fixed_add_last(&result, 1) : result;
}

// a * factor / divisor, rounded. a * factor stays below 2^64 because a <= 1.
static fixed fixed_scale(const fixed *a, uint64_t factor, uint64_t divisor, rounding direction) {
    fixed result;
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        gw_uint128 wide = (gw_uint128)a->limbs[i] * factor + carry;
        result.limbs[i] = (uint64_t)wide;
        carry = (uint64_t)(wide >> 64);
    }
    uint64_t rest = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        gw_uint128 wide = (gw_uint128)rest << 64 | result.limbs[i];
        result.limbs[i] = (uint64_t)(wide / divisor);
        rest = (uint64_t)(wide % divisor);
    }
    return direction == UP && rest != 0 ? fixed_add_last(&result, 1) : result;
}

// Shifts `count` limbs left by `shift` < 64 bits into count + 1 limbs.
static void limbs_shift_left(const uint64_t *limbs, int count, int shift, uint64_t *ret) {
    uint64_t carry = 0;
    for (int i = 0; i < count; i++) {
        ret[i] = limbs[i] << shift | carry;
        carry = shift == 0 ? 0 : limbs[i] >> (64 - shift);
    }
    ret[count] = carry;
}

// One quotient limb of Knuth's Algorithm D (TAOCP 2, 4.3.1): `window` has count + 1 limbs, `divisor` has count >= 2 and
// its top bit set. Leaves the remainder in `window`.
static uint64_t divide_step(uint64_t *window, const uint64_t *divisor, int count) {
    gw_uint128 top = (gw_uint128)window[count] << 64 | window[count - 1];
    gw_uint128 guess = top / divisor[count - 1];
    gw_uint128 rest = top % divisor[count - 1];
    while (guess >> 64 != 0 || guess * divisor[count - 2] > (rest << 64 | window[count - 2])) {
        guess--;
        rest += divisor[count - 1];
        if (rest >> 64 != 0)
            break;
    }
    uint64_t borrow = 0;
    uint64_t carry = 0;
    for (int i = 0; i < count; i++) {
        gw_uint128 product = (gw_uint128)(uint64_t)guess * divisor[i] + carry;
        carry = (uint64_t)(product >> 64);
        gw_uint128 wide = (gw_uint128)window[i] - (uint64_t)product - borrow;
        window[i] = (uint64_t)wide;
        borrow = (uint64_t)(wide >> 64) & 1;
    }
    gw_uint128 wide = (gw_uint128)window[count] - carry - borrow;
    window[count] = (uint64_t)wide;
    if ((wide >> 64 & 1) == 0)
        return (uint64_t)guess;
    carry = 0; // the guess was one too big: add the divisor back
    for (int i = 0; i < count; i++) {
        gw_uint128 sum = (gw_uint128)window[i] + divisor[i] + carry;
        window[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    window[count] += carry;
    return (uint64_t)guess - 1;
}

// a / b for a <= b, b >= 2^-192 (ours are at least about 2^-54). False where b is smaller than that.
static bool fixed_divide(const fixed *a, const fixed *b, rounding direction, fixed *ret) {
    int count = LIMBS;
    while (count > 0 && b->limbs[count - 1] == 0)
        count--;
    if (count < 4)
        return false;
    int shift = __builtin_clzll(b->limbs[count - 1]);
    uint64_t divisor[LIMBS + 1];
    uint64_t dividend[FRACTION_LIMBS + LIMBS + 1] = {0};
    limbs_shift_left(b->limbs, count, shift, divisor);
    limbs_shift_left(a->limbs, LIMBS, shift, dividend + FRACTION_LIMBS);
    fixed quotient = {.limbs = {0}};
    for (int j = FRACTION_LIMBS + LIMBS - count; j >= 0; j--) {
        uint64_t limb = divide_step(dividend + j, divisor, count);
        if (j < LIMBS)
            quotient.limbs[j] = limb;
    }
    uint64_t rest = 0;
    for (int i = 0; i < count; i++)
        rest |= dividend[i];
    *ret = direction == UP && rest != 0 ? fixed_add_last(&quotient, 1) : quotient;
    return true;
}

// Bounds of exp(-numerator / (denominator * 2^halvings)) for an argument of at most 2^-SERIES_BITS: the terms alternate
// and shrink, so the part left out is smaller than the last term taken, here one unit of the last place.
static bool exp_series(uint64_t numerator, uint64_t denominator, unsigned halvings, bounds *ret) {
    bounds term = {ONE, ONE};
    bounds sum = {ONE, ONE};
    for (unsigned n = 1; n <= SERIES_TERMS_MAX; n++) {
        term.low = fixed_scale(&term.low, numerator, denominator, DOWN);
        term.low = fixed_scale(&term.low, 1, (uint64_t)n << halvings, DOWN);
        term.high = fixed_scale(&term.high, numerator, denominator, UP);
        term.high = fixed_scale(&term.high, 1, (uint64_t)n << halvings, UP);
        if (n % 2 == 0) {
            sum.low = fixed_add(&sum.low, &term.low);
            sum.high = fixed_add(&sum.high, &term.high);
        } else {
            sum.low = fixed_subtract(&sum.low, &term.high);
            sum.high = fixed_subtract(&sum.high, &term.low);
        }
        fixed unit = fixed_add_last(&(fixed){.limbs = {0}}, 1);
        if (fixed_compare(&term.high, &unit) <= 0) {
            ret->low = fixed_subtract(&sum.low, &unit);
            ret->high = fixed_add(&sum.high, &unit);
            return true;
        }
    }
    return false;
}

static bounds bounds_square(const bounds *a) {
    return (bounds){fixed_multiply(&a->low, &a->low, DOWN), fixed_multiply(&a->high, &a->high, UP)};
}

// Bounds of exp(-numerator / denominator): halve the argument until the series may run, then square as often.
static bool exp_bounds(uint64_t numerator, uint64_t denominator, bounds *ret) {
    unsigned halvings = 0;
    while ((gw_uint128)numerator << SERIES_BITS > (gw_uint128)denominator << halvings)
        halvings++;
    if (!exp_series(numerator, denominator, halvings, ret))
        return false;
    for (unsigned i = 0; i < halvings; i++)
        *ret = bounds_square(ret);
    return true;
}

static gw_threshold fixed_floor(const fixed *a) {
    gw_threshold threshold;
    for (int i = 0; i < GW_THRESHOLD_LIMBS; i++)
        threshold.limbs[i] = a->limbs[FRACTION_LIMBS - 1 - i];
    return threshold;
}

// Ziv's test: both ends agree on 320 bits (and are below 1), so the number between them has these bits.
static bool threshold_certify(const bounds *a, gw_threshold *ret) {
    gw_threshold low = fixed_floor(&a->low);
    gw_threshold high = fixed_floor(&a->high);
    if (a->high.limbs[FRACTION_LIMBS] != 0 || memcmp(&low, &high, sizeof(low)) != 0)
        return false;
    *ret = low;
    return true;
}

// (1 - q) / (1 + q), falling in q.
static bool zero_threshold(const bounds *q, gw_threshold *ret) {
    fixed one_less_high = fixed_subtract(&ONE, &q->high);
    fixed one_less_low = fixed_subtract(&ONE, &q->low);
    fixed one_plus_high = fixed_add(&ONE, &q->high);
    fixed one_plus_low = fixed_add(&ONE, &q->low);
    bounds zero;
    return fixed_divide(&one_less_high, &one_plus_high, DOWN, &zero.low) &&
           fixed_divide(&one_less_low, &one_plus_low, UP, &zero.high) && threshold_certify(&zero, ret);
}

// x / (1 + x), rising in x.
static bool binary_bounds(const bounds *x, bounds *ret) {
    fixed one_plus_low = fixed_add(&ONE, &x->low);
    fixed one_plus_high = fixed_add(&ONE, &x->high);
    return fixed_divide(&x->low, &one_plus_low, DOWN, &ret->low) &&
           fixed_divide(&x->high, &one_plus_high, UP, &ret->high);
}

static bool is_negligible(const fixed *a) {
    uint64_t bits = a->limbs[FRACTION_LIMBS];
    for (int i = 1; i <= NEGLIGIBLE_LIMBS; i++)
        bits |= a->limbs[FRACTION_LIMBS - i];
    return bits == 0;
}

// (x^d - x^16) / (1 - x^16) for d = 1 .. value_max, given x and x^16. The four ends are taken on their safe sides,
// which widens the bounds a little and keeps them bounds.
static bool radix_thresholds(const bounds *x, const bounds *x16, unsigned value_max,
                             gw_threshold ret[GW_RADIX_VALUES]) {
    fixed divisor_high = fixed_subtract(&ONE, &x16->low);
    fixed divisor_low = fixed_subtract(&ONE, &x16->high);
    bounds power = {ONE, ONE};
    for (unsigned d = 1; d <= value_max; d++) {
        power.low = fixed_multiply(&power.low, &x->low, DOWN);
        power.high = fixed_multiply(&power.high, &x->high, UP);
        fixed top_low = fixed_subtract(&power.low, &x16->high);
        fixed top_high = fixed_subtract(&power.high, &x16->low);
        bounds share;
        if (!fixed_divide(&top_low, &divisor_high, DOWN, &share.low) ||
            !fixed_divide(&top_high, &divisor_low, UP, &share.high) || !threshold_certify(&share, &ret[d - 1]))
            return false;
    }
    return true;
}

// Fills the binary thresholds and powers[i] = q^(2^i) for i up to the next multiple of 4; counts the digits.
static gw_status thresholds_binary(bounds powers[GW_BINARY_DIGITS_MAX + 4], gw_thresholds *ret) {
    unsigned i = 0;
    for (;; i++) {
        bounds share;
        if (!binary_bounds(&powers[i], &share))
            return GW_INTERNAL;
        if (is_negligible(&share.high))
            break;
        if (i == GW_BINARY_DIGITS_MAX)
            return GW_INVALID;
        if (!threshold_certify(&share, &ret->binary[i]))
            return GW_INTERNAL;
        powers[i + 1] = bounds_square(&powers[i]);
    }
    ret->binary_count = i;
    ret->radix_count = (i + 3) / 4;
    for (; i < 4 * ret->radix_count; i++)
        powers[i + 1] = bounds_square(&powers[i]);
    return i == 0 ? GW_INVALID : GW_OK;
}

gw_status gw_thresholds_compute(gw_noise noise, gw_thresholds *ret) {
    uint64_t micro = noise.epsilon.micro;
    if (micro == 0 || micro > GW_EPSILON_MICRO_MAX || noise.sensitivity == 0 || noise.sensitivity > GW_SENSITIVITY_MAX)
        return GW_INVALID;
    uint64_t denominator = noise.sensitivity * MICRO_PER_UNIT; // below 2^60
    // Past 200 there is no noise (q < 2^-288), and the halvings below stay few.
    if ((gw_uint128)micro > (gw_uint128)denominator * 200)
        return GW_INVALID;
    bounds powers[GW_BINARY_DIGITS_MAX + 4];
    memset(ret, 0, sizeof(*ret));
    if (!exp_bounds(micro, denominator, &powers[0]))
        return GW_INTERNAL;
    gw_status status = thresholds_binary(powers, ret);
    if (status != GW_OK)
        return status;
    if (!zero_threshold(&powers[0], &ret->zero))
        return GW_INTERNAL;
    for (unsigned j = 0; j < ret->radix_count; j++) {
        unsigned bits = ret->binary_count - 4 * j;
        unsigned value_max = bits >= 4 ? GW_RADIX_VALUES : (1u << bits) - 1;
        if (!radix_thresholds(&powers[4 * j], &powers[4 * j + 4], value_max, ret->radix[j]))
            return GW_INTERNAL;
    }
    return GW_OK;
}
