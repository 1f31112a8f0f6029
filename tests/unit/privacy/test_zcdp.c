// SPDX-License-Identifier: Apache-2.0
// Rho of a price is its exact ceiling, rho of a total is never more than the total buys, and the admission rule keeps
// both on every schedule that an adversary may choose.
#include "privacy/accounting/fixed128.h"
#include "privacy/accounting/zcdp.h"
#include "privacy/sampling/thresholds.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

#define MICRO 1000000u

// ceil(2^40 epsilon tanh(epsilon / 2)) from the 320 certified bits of P(Z = 0) = tanh(epsilon / 2), which is
// irrational: its floor in units of 2^-320 is below it, the next unit above. The two ceilings must agree.
static uint64_t rho_by_thresholds(uint64_t micro) {
    gw_thresholds thresholds;
    assert_int_equal(gw_thresholds_compute((gw_noise){.epsilon = {micro}, .sensitivity = 1}, &thresholds), GW_OK);
    uint64_t ceilings[2];
    for (uint64_t add = 0; add < 2; add++) {
        // The first 128 bits are plenty: times the price they are below 2^176 / 10^6.
        gw_uint128 top = ((gw_uint128)thresholds.zero.limbs[0] << 64 | thresholds.zero.limbs[1]) + add;
        gw_uint128 high = (top >> 64) * micro;
        gw_uint128 low = (gw_uint128)(uint64_t)top * micro;
        high += low >> 64; // the price * tanh = high * 2^-64 and a rest
        bool is_exact = (uint64_t)low == 0;
        gw_uint128 scaled = high; // in units of 2^-64 micro
        gw_uint128 unit = (gw_uint128)MICRO << 24;
        ceilings[add] = (uint64_t)((scaled + unit - (is_exact ? 1 : 0)) / unit);
    }
    assert_int_equal(ceilings[0], ceilings[1]);
    return ceilings[0];
}

static void rho_of_a_price_is_its_exact_ceiling(void **state) {
    (void)state;
    seeded_random random = {.state = 41};
    for (int i = 0; i < 3000; i++) {
        // All sizes from 10^-6 to 80, and every one of the smallest.
        uint64_t micro = i < 100 ? (uint64_t)i + 1 : 1 + seeded_next(&random) % (1ull << (1 + (unsigned)i % 27));
        micro = micro > 80ull * MICRO ? 80ull * MICRO : micro; // past that 128 bits cannot tell tanh from 1
        assert_int_equal(gw_rho_of((gw_epsilon){micro}), rho_by_thresholds(micro));
    }
}

static void rho_of_known_prices(void **state) {
    (void)state;
    const struct {
        uint64_t micro;
        double rho; // epsilon tanh(epsilon / 2), to the digits printed
        double digit;
    } cases[] = {{100000, .00499584, 5e-9}, {1000000, .462117, 5e-7}, {2000000, 1.52319, 5e-6}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double rho = (double)gw_rho_of((gw_epsilon){cases[i].micro}) / (double)GW_RHO_ONE;
        assert_true(fabs(rho - cases[i].rho) <= cases[i].digit);
        double epsilon = (double)cases[i].micro / MICRO;
        assert_true(rho < epsilon * epsilon / 2);
    }
    assert_int_equal(gw_rho_of((gw_epsilon){0}), 0);
    assert_int_equal(gw_rho_of((gw_epsilon){1}), 1);
    assert_int_equal(gw_rho_of((gw_epsilon){128ull * MICRO}), 128 * GW_RHO_ONE);
    assert_int_equal(gw_rho_of((gw_epsilon){128ull * MICRO + 1}), 128 * GW_RHO_ONE + (GW_RHO_ONE + MICRO - 1) / MICRO);
    assert_int_equal(gw_rho_of((gw_epsilon){GW_EPSILON_MICRO_MAX}), GW_RHO_MAX); // stops, does not wrap
}

// The bound itself in long double, at the best of 40,001 orders.
static long double delta_of(long double rho, long double epsilon) {
    long double best = 0;
    for (int i = 0; i <= 40000; i++) {
        long double b = expl(logl(1e-4L) + (logl(1e6L) - logl(1e-4L)) * i / 40000);
        long double log_delta = b * ((1 + b) * rho - epsilon) - logl(b) + (1 + b) * (logl(b) - log1pl(b));
        best = log_delta < best ? log_delta : best;
    }
    return expl(best);
}

static void totals_are_the_published_ones(void **state) {
    (void)state;
    const struct {
        const char *delta;
        uint64_t milli;
        double rho; // to six digits
    } cases[] = {{"1e-9", 500, .003953},   {"1e-9", 1000, .014973},  {"1e-9", 2000, .056131},
                 {"1e-9", 3000, .120582},  {"1e-9", 5000, .311693},  {"1e-9", 10000, 1.090786},
                 {"1e-6", 1000, .024356},  {"1e-6", 5000, .463065},  {"1e-6", 10000, 1.539279},
                 {"1e-12", 1000, .010740}, {"1e-12", 5000, .234122}, {"1e-12", 10000, .843640}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_delta delta = {0};
        assert_int_equal(gw_delta_parse(cases[i].delta, &delta), GW_OK);
        uint64_t rho = gw_rho_total((gw_epsilon){cases[i].milli * 1000}, delta);
        long double real = (long double)rho / GW_RHO_ONE;
        assert_true(fabsl(real - cases[i].rho) <= 5e-7L);
        // What is bought costs at most delta, and hardly less.
        long double epsilon = (long double)cases[i].milli / 1000;
        long double aim = (long double)delta.atto / GW_DELTA_ONE_ATTO;
        assert_true(delta_of(real, epsilon) <= aim * (1 + 5e-6L)); // the steps of the search here
        assert_true(delta_of(real * (1 + 1e-6L), epsilon) > aim);
        // The simple bound buys less.
        long double log_inverse = -logl(aim);
        long double simple = powl(sqrtl(log_inverse + epsilon) - sqrtl(log_inverse), 2);
        assert_true(simple < real);
    }
}

static void a_total_is_sound_at_every_size(void **state) {
    (void)state;
    assert_int_equal(gw_rho_total((gw_epsilon){MICRO}, (gw_delta){0}), 0);
    assert_int_equal(gw_rho_total((gw_epsilon){MICRO}, (gw_delta){GW_DELTA_ONE_ATTO}), 0);
    assert_int_equal(gw_rho_total((gw_epsilon){1}, (gw_delta){1000000000}), 0);
    assert_int_equal(gw_rho_total((gw_epsilon){0}, (gw_delta){1000000000}), 0);
    // Past 2^22 nothing more is bought, and it stays countable.
    uint64_t most = gw_rho_total((gw_epsilon){GW_EPSILON_MICRO_MAX}, (gw_delta){GW_DELTA_ONE_ATTO - 1});
    assert_true(most < GW_RHO_MAX);
    assert_int_equal(gw_rho_total((gw_epsilon){(1ull << 22) * MICRO}, (gw_delta){GW_DELTA_ONE_ATTO - 1}), most);
    seeded_random random = {.state = 42};
    for (int i = 0; i < 200; i++) {
        uint64_t micro = 1 + (seeded_next(&random) >> (27 + seeded_next(&random) % 34)); // up to 2^37: 137,000 epsilon
        gw_delta delta = {1 + (seeded_next(&random) % GW_DELTA_ONE_ATTO >> seeded_next(&random) % 59)};
        uint64_t rho = gw_rho_total((gw_epsilon){micro}, delta);
        // More epsilon or more delta never buy less (a unit aside, by which the search may miss its top).
        assert_true(gw_rho_total((gw_epsilon){micro + micro / 8}, delta) + 1 >= rho);
        if (delta.atto < GW_DELTA_ONE_ATTO / 2)
            assert_true(gw_rho_total((gw_epsilon){micro}, (gw_delta){2 * delta.atto}) + 1 >= rho);
    }
}

static void the_128_bits_enclose_logarithms_and_exponentials(void **state) {
    (void)state;
    seeded_random random = {.state = 43};
    const long double unit = 0x1p-96L;
    for (int i = 0; i < 3000; i++) {
        // All sizes, and every small one.
        uint64_t n = i < 100 ? (uint64_t)i + 1 : 1 + (seeded_next(&random) >> (2 + seeded_next(&random) % 62));
        gw_fixed128_range log = gw_fixed128_logarithm(n);
        assert_true(log.low <= log.high && log.high - log.low < 8000);
        assert_true(fabsl((long double)log.low * unit - logl((long double)n)) < 1e-16L);
        uint64_t micro = seeded_next(&random) % (128ull * MICRO);
        gw_fixed128_range exponential = gw_fixed128_exponential(micro, MICRO);
        assert_true(exponential.low <= exponential.high && exponential.high - exponential.low < 100);
        assert_true(fabsl((long double)exponential.high * unit - expl(-(long double)micro / MICRO)) < 1e-17L);
    }
    // ln is a homomorphism: ln 6 = ln 2 + ln 3 within the ends.
    gw_fixed128_range two = gw_fixed128_logarithm(2), three = gw_fixed128_logarithm(3), six = gw_fixed128_logarithm(6);
    assert_true(two.low + three.low <= six.high && six.low <= two.high + three.high);
    // 2^96 ln 2 and 2^96 e^-1, to the last unit.
    gw_fixed128 log_two = (gw_fixed128)0xb17217f7 << 64 | 0xd1cf79abc9e3b398;
    assert_true(two.low <= log_two && log_two <= two.high);
    gw_fixed128 inverse_e = (gw_fixed128)0x5e2d58d8 << 64 | 0xb3bcdf1abadec782;
    gw_fixed128_range e = gw_fixed128_exponential(1, 1);
    assert_true(e.low <= inverse_e && inverse_e <= e.high);
}

// ---- the rule

static gw_loss loss_of(uint64_t micro) {
    return (gw_loss){.micro = micro, .rho = gw_rho_of((gw_epsilon){micro})};
}

static gw_loss total_of(uint64_t micro, uint64_t delta_atto) {
    return (gw_loss){.micro = micro, .rho = gw_rho_total((gw_epsilon){micro}, (gw_delta){delta_atto})};
}

static uint64_t ask_until_refused(gw_loss total, uint64_t each_micro) {
    gw_loss spent = {0};
    gw_loss cost = loss_of(each_micro);
    uint64_t count = 0;
    for (; gw_zcdp_admits(total, spent, cost); count++) {
        assert_true(gw_add_u64(spent.micro, cost.micro, &spent.micro));
        spent.rho = gw_rho_add(spent.rho, cost.rho);
    }
    return count;
}

static void ten_tenths_fit_into_one_and_a_delta_lets_more_of_them_into_five(void **state) {
    (void)state;
    assert_int_equal(ask_until_refused(total_of(MICRO, 0), 100000), 10);
    assert_int_equal(ask_until_refused(total_of(MICRO, 1000000000), 100000), 10); // zCDP alone would take 2
    assert_int_equal(ask_until_refused(total_of(5 * MICRO, 0), 100000), 50);
    assert_int_equal(ask_until_refused(total_of(5 * MICRO, 1000000000), 100000), 62);
    assert_int_equal(ask_until_refused(total_of(5 * MICRO, 1000000000), 10000), 6233);
}

static void what_fits_is_what_is_admitted(void **state) {
    (void)state;
    seeded_random random = {.state = 44};
    for (int i = 0; i < 300; i++) {
        gw_loss total = total_of(1 + seeded_next(&random) % (8 * MICRO), i % 3 == 0 ? 0 : 1000000000ull << i % 20);
        gw_loss spent = {0};
        uint64_t each = 1000 + seeded_next(&random) % MICRO;
        for (int j = 0; j < i % 7; j++) {
            gw_loss cost = loss_of(each / 3 + 1);
            spent = (gw_loss){spent.micro + cost.micro, gw_rho_add(spent.rho, cost.rho)};
        }
        uint64_t fits = gw_zcdp_fits(total, spent, (gw_epsilon){each});
        gw_epsilon remaining = gw_zcdp_remaining(total, spent);
        assert_true(remaining.micro == 0 || gw_zcdp_admits(total, spent, loss_of(remaining.micro)));
        assert_false(gw_zcdp_admits(total, spent, loss_of(remaining.micro + 1)));
        gw_loss cost = loss_of(each);
        for (uint64_t j = 0; j < fits; j++) {
            assert_true(gw_zcdp_admits(total, spent, cost));
            spent = (gw_loss){spent.micro + cost.micro, gw_rho_add(spent.rho, cost.rho)};
        }
        assert_false(gw_zcdp_admits(total, spent, cost));
    }
    assert_int_equal(gw_zcdp_fits(total_of(MICRO, 0), (gw_loss){0}, (gw_epsilon){0}), 0);
}

static void sums_at_their_end_admit_nothing_and_never_wrap(void **state) {
    (void)state;
    assert_int_equal(gw_rho_add(GW_RHO_MAX, 1), GW_RHO_MAX);
    assert_int_equal(gw_rho_add(GW_RHO_MAX - 1, 1), GW_RHO_MAX);
    assert_int_equal(gw_rho_add(UINT64_MAX, UINT64_MAX), GW_RHO_MAX);
    assert_int_equal(gw_rho_add(3, 4), 7);
    gw_loss end = {.micro = UINT64_MAX, .rho = GW_RHO_MAX};
    assert_false(gw_zcdp_admits(total_of(5 * MICRO, 1000000000), end, loss_of(1)));
    // A total that nobody can have bought is none.
    assert_false(gw_zcdp_admits((gw_loss){.micro = 1, .rho = GW_RHO_MAX}, (gw_loss){.micro = 1}, loss_of(1)));
    // Lowered below what is spent: frozen, in both measures.
    gw_loss lowered = total_of(MICRO, 1000000000);
    gw_loss spent = {.micro = 2 * MICRO, .rho = lowered.rho + 1};
    assert_false(gw_zcdp_admits(lowered, spent, loss_of(1)));
    assert_int_equal(gw_zcdp_remaining(lowered, spent).micro, 0);
    assert_int_equal(gw_zcdp_fits(lowered, spent, (gw_epsilon){1}), 0);
}

// ---- adaptive schedules

#define STEPS 90

// The next price, from what was admitted before. A greedy asker tries all that is left, one unit more, and what the
// second measure leaves; a patient one asks small questions and now and then for everything.
static uint64_t adversary_price(seeded_random *random, gw_loss total, gw_loss spent, bool is_patient,
                                bool was_admitted) {
    uint64_t remaining = gw_budget_remaining(total.micro, spent.micro);
    uint64_t small = 1 + seeded_next(random) % (total.micro / 22 + 1);
    if (is_patient && seeded_next(random) % 50 != 0)
        return was_admitted ? small : 1 + small / 4;
    switch (seeded_next(random) % 6) {
    case 0:
        return remaining;
    case 1:
        return remaining + 1;
    case 2:
        return was_admitted ? 1 + remaining / 2 : 1 + seeded_next(random) % 1000;
    case 3:
        return 1 + seeded_next(random) % total.micro;
    case 4:
        return gw_zcdp_remaining(total, spent).micro + seeded_next(random) % 2;
    default:
        return small;
    }
}

// What was admitted, in numbers that know nothing of the code's: epsilon in 128 bits, rho in long double.
typedef struct {
    gw_uint128 micro;
    long double rho;
    long double rho_total; // 0: pure
    size_t count;
} reference_sums;

// Never over: after an admission one of the two exact sums keeps its total. Never mean: a refusal passes both, but for
// the unit of 2^-40 by which each price is rounded.
static void assert_decision(reference_sums *reference, gw_loss total, uint64_t price, bool is_admitted) {
    long double epsilon = (long double)price / MICRO;
    gw_uint128 micro = reference->micro + price;
    long double rho = reference->rho + epsilon * tanhl(epsilon / 2);
    long double slack = (long double)(reference->count + 2) / GW_RHO_ONE;
    if (!is_admitted) {
        assert_true(micro > total.micro);
        assert_true(rho + slack > reference->rho_total * (1 - 1e-5L));
        return;
    }
    assert_true(micro <= total.micro || (reference->rho_total > 0 && rho <= reference->rho_total));
    reference->micro = micro;
    reference->rho = rho;
    reference->count++;
}

// The best total over 40,001 orders, a hair above what it may be.
static long double reference_total(uint64_t micro, uint64_t delta_atto) {
    long double epsilon = (long double)micro / MICRO;
    long double log_inverse = -logl((long double)delta_atto / GW_DELTA_ONE_ATTO);
    long double best = 0;
    for (int i = 0; i <= 40000; i++) {
        long double b = expl(logl(1e-4L) + (logl(1e9L) - logl(1e-4L)) * i / 40000);
        long double rho = (epsilon + log1pl(1 / b) - (log_inverse - log1pl(b)) / b) / (1 + b);
        best = rho > best ? rho : best;
    }
    return best * (1 + 1e-6L);
}

static void ten_thousand_adaptive_schedules_are_never_over(void **state) {
    (void)state;
    static const struct {
        uint64_t micro;
        uint64_t delta_atto;
    } totals[] = {{MICRO, 0},           {MICRO, 1000000000},     {3 * MICRO, 1000000000},
                  {5 * MICRO, 1000000}, {MICRO / 10, 1000000},   {10 * MICRO, 1000000000000},
                  {1, 1000000000},      {40 * MICRO, 1000000000}};
    const size_t total_count = sizeof(totals) / sizeof(totals[0]);
    seeded_random random = {.state = 45};
    size_t admitted_by_rho = 0;
    for (size_t t = 0; t < total_count; t++) {
        gw_loss total = total_of(totals[t].micro, totals[t].delta_atto);
        long double rho_total = totals[t].delta_atto == 0 ? 0 : reference_total(totals[t].micro, totals[t].delta_atto);
        for (size_t schedule = 0; schedule < 10000 / total_count; schedule++) {
            reference_sums reference = {.rho_total = rho_total};
            gw_loss spent = {0};
            bool is_admitted = true;
            for (int step = 0; step < STEPS; step++) {
                uint64_t price = adversary_price(&random, total, spent, schedule % 2 == 0, is_admitted);
                gw_loss cost = loss_of(price);
                is_admitted = gw_zcdp_admits(total, spent, cost);
                assert_decision(&reference, total, price, is_admitted);
                if (!is_admitted)
                    continue;
                spent = (gw_loss){spent.micro + cost.micro, gw_rho_add(spent.rho, cost.rho)};
                admitted_by_rho += spent.micro > total.micro;
            }
        }
    }
    assert_true(admitted_by_rho > 1000); // the second measure was at work
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rho_of_a_price_is_its_exact_ceiling),
        cmocka_unit_test(rho_of_known_prices),
        cmocka_unit_test(totals_are_the_published_ones),
        cmocka_unit_test(a_total_is_sound_at_every_size),
        cmocka_unit_test(the_128_bits_enclose_logarithms_and_exponentials),
        cmocka_unit_test(ten_tenths_fit_into_one_and_a_delta_lets_more_of_them_into_five),
        cmocka_unit_test(what_fits_is_what_is_admitted),
        cmocka_unit_test(sums_at_their_end_admit_nothing_and_never_wrap),
        cmocka_unit_test(ten_thousand_adaptive_schedules_are_never_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
