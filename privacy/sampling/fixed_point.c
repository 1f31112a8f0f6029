// SPDX-License-Identifier: Apache-2.0
// Limb by limb, as by hand; division by Knuth's Algorithm D. exp(-x) by an alternating series with a tiny argument,
// then squarings.
#include "privacy/sampling/fixed_point.h"
#include <string.h>

#define NEGLIGIBLE_LIMBS 4 // a probability whose first 4 limbs are 0 is below 2^-256
#define SERIES_BITS 16     // the series runs at arguments up to 2^-16: 28 terms reach the last bit
#define SERIES_TERMS_MAX 40

static const gw_fixed ONE = {.limbs = {[GW_FIXED_FRACTION_LIMBS] = 1}};

int gw_fixed_compare(const gw_fixed *a, const gw_fixed *b) {
    for (int i = GW_FIXED_LIMBS - 1; i >= 0; i--)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

gw_fixed gw_fixed_add(const gw_fixed *a, const gw_fixed *b) {
    gw_fixed sum;
    uint64_t carry = 0;
    for (int i = 0; i < GW_FIXED_LIMBS; i++) {
        gw_uint128 wide = (gw_uint128)a->limbs[i] + b->limbs[i] + carry;
        sum.limbs[i] = (uint64_t)wide;
        carry = (uint64_t)(wide >> 64);
    }
    return sum;
}

// a - b, or 0 where b is larger: the callers' real differences are never negative.
gw_fixed gw_fixed_subtract(const gw_fixed *a, const gw_fixed *b) {
    gw_fixed difference = {.limbs = {0}};
    if (gw_fixed_compare(a, b) <= 0)
        return difference;
    uint64_t borrow = 0;
    for (int i = 0; i < GW_FIXED_LIMBS; i++) {
        gw_uint128 wide = (gw_uint128)a->limbs[i] - b->limbs[i] - borrow;
        difference.limbs[i] = (uint64_t)wide;
        borrow = (uint64_t)(wide >> 64) & 1;
    }
    return difference;
}

gw_fixed gw_fixed_add_last(const gw_fixed *a, uint64_t units) {
    gw_fixed last = {.limbs = {units}};
    return gw_fixed_add(a, &last);
}

gw_fixed gw_fixed_multiply(const gw_fixed *a, const gw_fixed *b, gw_rounding direction) {
    uint64_t product[2 * GW_FIXED_LIMBS] = {0};
    for (int i = 0; i < GW_FIXED_LIMBS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < GW_FIXED_LIMBS; j++) {
            gw_uint128 wide = (gw_uint128)a->limbs[i] * b->limbs[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)wide;
            carry = (uint64_t)(wide >> 64);
        }
        product[i + GW_FIXED_LIMBS] = carry;
    }
    gw_fixed result;
    uint64_t rest = 0;
    for (int i = 0; i < GW_FIXED_FRACTION_LIMBS; i++)
        rest |= product[i];
    memcpy(result.limbs, product + GW_FIXED_FRACTION_LIMBS, sizeof(result.limbs));
    return direction == GW_UP && rest != 0 ? gw_fixed_add_last(&result, 1) : result;
}

// a * factor / divisor, rounded. a * factor stays below 2^64 because a <= 1.
gw_fixed gw_fixed_scale(const gw_fixed *a, uint64_t factor, uint64_t divisor, gw_rounding direction) {
    gw_fixed result;
    uint64_t carry = 0;
    for (int i = 0; i < GW_FIXED_LIMBS; i++) {
        gw_uint128 wide = (gw_uint128)a->limbs[i] * factor + carry;
        result.limbs[i] = (uint64_t)wide;
        carry = (uint64_t)(wide >> 64);
    }
    uint64_t rest = 0;
    for (int i = GW_FIXED_LIMBS - 1; i >= 0; i--) {
        gw_uint128 wide = (gw_uint128)rest << 64 | result.limbs[i];
        result.limbs[i] = (uint64_t)(wide / divisor);
        rest = (uint64_t)(wide % divisor);
    }
    return direction == GW_UP && rest != 0 ? gw_fixed_add_last(&result, 1) : result;
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
bool gw_fixed_divide(const gw_fixed *a, const gw_fixed *b, gw_rounding direction, gw_fixed *ret) {
    int count = GW_FIXED_LIMBS;
    while (count > 0 && b->limbs[count - 1] == 0)
        count--;
    if (count < 4)
        return false;
    int shift = __builtin_clzll(b->limbs[count - 1]);
    uint64_t divisor[GW_FIXED_LIMBS + 1];
    uint64_t dividend[GW_FIXED_FRACTION_LIMBS + GW_FIXED_LIMBS + 1] = {0};
    limbs_shift_left(b->limbs, count, shift, divisor);
    limbs_shift_left(a->limbs, GW_FIXED_LIMBS, shift, dividend + GW_FIXED_FRACTION_LIMBS);
    gw_fixed quotient = {.limbs = {0}};
    for (int j = GW_FIXED_FRACTION_LIMBS + GW_FIXED_LIMBS - count; j >= 0; j--) {
        uint64_t limb = divide_step(dividend + j, divisor, count);
        if (j < GW_FIXED_LIMBS)
            quotient.limbs[j] = limb;
    }
    uint64_t rest = 0;
    for (int i = 0; i < count; i++)
        rest |= dividend[i];
    *ret = direction == GW_UP && rest != 0 ? gw_fixed_add_last(&quotient, 1) : quotient;
    return true;
}

gw_fixed_bounds gw_fixed_bounds_multiply(const gw_fixed_bounds *a, const gw_fixed_bounds *b) {
    return (gw_fixed_bounds){gw_fixed_multiply(&a->low, &b->low, GW_DOWN),
                             gw_fixed_multiply(&a->high, &b->high, GW_UP)};
}

bool gw_fixed_is_negligible(const gw_fixed *a) {
    uint64_t bits = a->limbs[GW_FIXED_FRACTION_LIMBS];
    for (int i = 1; i <= NEGLIGIBLE_LIMBS; i++)
        bits |= a->limbs[GW_FIXED_FRACTION_LIMBS - i];
    return bits == 0;
}

static gw_threshold fixed_floor(const gw_fixed *a) {
    gw_threshold threshold;
    for (int i = 0; i < GW_THRESHOLD_LIMBS; i++)
        threshold.limbs[i] = a->limbs[GW_FIXED_FRACTION_LIMBS - 1 - i];
    return threshold;
}

bool gw_threshold_certify(const gw_fixed_bounds *a, gw_threshold *ret) {
    gw_threshold low = fixed_floor(&a->low);
    gw_threshold high = fixed_floor(&a->high);
    if (a->high.limbs[GW_FIXED_FRACTION_LIMBS] != 0 || memcmp(&low, &high, sizeof(low)) != 0)
        return false;
    *ret = low;
    return true;
}

// The integer's bits, moved so that it lies in [1/2, 1). Returns how many bits it has; 0 where it is 0.
static int fixed_normalise(const gw_wide *a, gw_fixed *ret) {
    int top = GW_WIDE_LIMBS - 1;
    while (top >= 0 && a->limbs[top] == 0)
        top--;
    memset(ret, 0, sizeof(*ret));
    if (top < 0)
        return 0;
    int shift = __builtin_clzll(a->limbs[top]);
    uint64_t shifted[GW_WIDE_LIMBS + 1];
    limbs_shift_left(a->limbs, top + 1, shift, shifted);
    memcpy(ret->limbs + GW_FIXED_FRACTION_LIMBS - 1 - top, shifted, (size_t)(top + 1) * sizeof(shifted[0]));
    return 64 * (top + 1) - shift;
}

static gw_fixed fixed_halve(const gw_fixed *a, unsigned times, gw_rounding direction) {
    gw_fixed result = *a;
    for (; times != 0; times -= times < 63 ? times : 63)
        result = gw_fixed_scale(&result, 1, 1ull << (times < 63 ? times : 63), direction);
    return result;
}

bool gw_fixed_exponent_of(const gw_wide *numerator, const gw_wide *denominator, gw_fixed_exponent *ret) {
    gw_fixed top, bottom;
    int top_bits = fixed_normalise(numerator, &top);
    int bottom_bits = fixed_normalise(denominator, &bottom);
    if (top_bits == 0 || bottom_bits == 0)
        return false;
    // Each is in [1/2, 1), so their quotient is below 2 and x below 2^-SERIES_BITS. The halving is exact: at most 256
    // of the 448 bits are taken.
    top = fixed_halve(&top, SERIES_BITS + 1, GW_DOWN);
    ret->doublings = top_bits - bottom_bits + SERIES_BITS + 1;
    return gw_fixed_divide(&top, &bottom, GW_DOWN, &ret->x.low) && gw_fixed_divide(&top, &bottom, GW_UP, &ret->x.high);
}

// Bounds of exp(-x) for x of at most 2^-SERIES_BITS: the terms alternate and shrink, so the part left out is smaller
// than the last term taken, here one unit of the last place.
static bool exp_series(const gw_fixed_bounds *x, gw_fixed_bounds *ret) {
    gw_fixed_bounds term = {ONE, ONE};
    gw_fixed_bounds sum = {ONE, ONE};
    const gw_fixed unit = {.limbs = {1}};
    for (uint64_t n = 1; n <= SERIES_TERMS_MAX; n++) {
        term = gw_fixed_bounds_multiply(&term, x);
        term.low = gw_fixed_scale(&term.low, 1, n, GW_DOWN);
        term.high = gw_fixed_scale(&term.high, 1, n, GW_UP);
        if (n % 2 == 0) {
            sum.low = gw_fixed_add(&sum.low, &term.low);
            sum.high = gw_fixed_add(&sum.high, &term.high);
        } else {
            sum.low = gw_fixed_subtract(&sum.low, &term.high);
            sum.high = gw_fixed_subtract(&sum.high, &term.low);
        }
        if (gw_fixed_compare(&term.high, &unit) <= 0) {
            ret->low = gw_fixed_subtract(&sum.low, &unit);
            ret->high = gw_fixed_add(&sum.high, &unit);
            return true;
        }
    }
    return false;
}

bool gw_fixed_exp(const gw_fixed_exponent *exponent, unsigned power, gw_fixed_bounds *ret) {
    int doublings = exponent->doublings + (int)power;
    if (doublings > GW_FIXED_DOUBLINGS_MAX)
        return false;
    gw_fixed_bounds x = exponent->x;
    if (doublings < 0) {
        x.low = fixed_halve(&x.low, (unsigned)-doublings, GW_DOWN);
        x.high = fixed_halve(&x.high, (unsigned)-doublings, GW_UP);
    }
    if (!exp_series(&x, ret))
        return false;
    for (int i = 0; i < doublings; i++)
        *ret = gw_fixed_bounds_multiply(ret, ret);
    return true;
}
