// SPDX-License-Identifier: Apache-2.0
// What the accounting rests on, computed another way: the divergence of randomised response, optimal composition, and
// the admission rule on trees of adaptive questions, summed over every transcript.
#include "privacy/accounting/zcdp.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

#define MICRO 1000000u

// ---- one question

// ln of E_Q L^alpha for randomised response, which is the worst of all epsilon-private answers.
static long double log_moment(long double epsilon, long double alpha) {
    long double p = expl(epsilon) / (1 + expl(epsilon));
    return logl(powl(p, alpha) * powl(1 - p, 1 - alpha) + powl(1 - p, alpha) * powl(p, 1 - alpha));
}

static void no_order_of_divergence_passes_rho(void **state) {
    (void)state;
    for (uint64_t micro = 1000; micro < 8 * MICRO; micro = micro * 5 / 4) {
        long double epsilon = (long double)micro / MICRO;
        long double rho = (long double)gw_rho_of((gw_epsilon){micro}) / GW_RHO_ONE;
        long double largest = 0;
        long double excess = 1e-3L / 1.1L;
        for (int step = 0; step < 145; step++) { // to 915
            excess *= 1.1L;
            long double alpha = 1 + excess;
            if (alpha * epsilon > 10000)
                break;
            long double share = log_moment(epsilon, alpha) / (alpha * (alpha - 1));
            assert_true(share <= rho + 1e-13L); // the figures here have some 16 digits
            largest = share > largest ? share : largest;
        }
        assert_true(largest > rho * 0.995L); // a smaller rho would not do
        assert_true(rho <= epsilon * epsilon / 2 + 1 / (long double)GW_RHO_ONE);
    }
}

// ---- many questions of one price: four ways to count

// The exact delta of `count` answers of randomised response (Kairouz, Oh, Viswanath 2015; Murtagh, Vadhan 2016).
static double delta_optimal(uint64_t count, double each, double total) {
    double sum = 0;
    double n = (double)count;
    for (uint64_t i = count + 1; i-- > 0;) {
        double losses = (2 * (double)i - n) * each;
        if (losses <= total)
            break; // fewer losses than this add nothing
        double log_probability =
            lgamma(n + 1) - lgamma((double)i + 1) - lgamma(n - (double)i + 1) + (double)i * each - n * log1p(exp(each));
        sum += exp(log_probability) * -expm1(total - losses);
    }
    return sum;
}

static double epsilon_advanced(uint64_t count, double each, double delta) {
    double n = (double)count;
    return sqrt(2 * n * log(1 / delta)) * each + n * each * expm1(each);
}

typedef struct {
    double each;
    double total;
    double delta;
} budget_row;

typedef bool (*fits_call)(const budget_row *, uint64_t count);

static bool advanced_fits(const budget_row *row, uint64_t count) {
    return epsilon_advanced(count, row->each, row->delta) <= row->total;
}

static bool optimal_fits(const budget_row *row, uint64_t count) {
    return delta_optimal(count, row->each, row->total) <= row->delta;
}

// The largest count that fits, found by doubling and halving.
static uint64_t count_most(const budget_row *row, fits_call fits) {
    uint64_t low = 0;
    uint64_t high = 1;
    for (; fits(row, high); high *= 2)
        low = high;
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (fits(row, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void optimal_composition_is_the_published_one(void **state) {
    (void)state;
    const struct {
        uint64_t count;
        double each, total, delta, digit;
    } cases[] = {{10, .1, .5, .009929626917388851, 1e-17},
                 {30, .1, 1, .010561676338629861, 1e-17},
                 {100, .1, 4, 3.422312319e-05, 5e-15},
                 {336, .01, 1, 9.64028e-10, 5e-16},
                 {1000, .01, 2, 1.39348e-11, 5e-17}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double delta = delta_optimal(cases[i].count, cases[i].each, cases[i].total);
        // The digits printed, or the 12 that lgamma leaves of them.
        assert_true(fabs(delta - cases[i].delta) <= fmax(cases[i].digit, 1e-12 * cases[i].delta));
    }
}

// Questions of `each` that fit into (total, delta). `halved`: by rho = each^2 / 2. `tight`: as charged here.
static void as_many_questions_fit_as_four_theorems_say(void **state) {
    (void)state;
    static const uint64_t totals[] = {1, 2, 3, 5, 10};
    static const struct {
        uint64_t each_micro;
        const char *delta;
        struct {
            uint64_t basic, advanced, halved, tight, optimal;
        } of[5];
    } rows[] = {
        {100000,
         "1e-6",
         {{10, 3, 4, 4, 10},
          {20, 12, 17, 17, 24},
          {30, 26, 37, 37, 46},
          {50, 66, 92, 92, 108},
          {100, 216, 307, 308, 346}}},
        {100000,
         "1e-9",
         {{10, 2, 2, 2, 10},
          {20, 8, 11, 11, 20},
          {30, 18, 24, 24, 32},
          {50, 48, 62, 62, 74},
          {100, 164, 218, 218, 244}}},
        {100000,
         "1e-12",
         {{10, 1, 2, 2, 10}, {20, 6, 8, 8, 20}, {30, 14, 17, 17, 30}, {50, 38, 46, 46, 58}, {100, 133, 168, 168, 190}}},
        {10000,
         "1e-6",
         {{100, 337, 487, 487, 562},
          {200, 1268, 1763, 1763, 2012},
          {300, 2695, 3701, 3701, 4198},
          {500, 6756, 9261, 9261, 10414},
          {1000, 21972, 30785, 30785, 34160}}},
        {10000,
         "1e-9",
         {{100, 230, 299, 299, 336},
          {200, 881, 1122, 1122, 1240},
          {300, 1903, 2411, 2411, 2652},
          {500, 4901, 6233, 6233, 6816},
          {1000, 16705, 21815, 21815, 23658}}},
        {10000,
         "1e-12",
         {{100, 174, 214, 214, 240},
          {200, 675, 819, 819, 892},
          {300, 1471, 1780, 1780, 1926},
          {500, 3850, 4682, 4682, 5038},
          {1000, 13513, 16872, 16872, 18044}}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t j = 0; j < 5; j++) {
            gw_delta delta = {0};
            gw_epsilon total = {totals[j] * MICRO};
            gw_epsilon each = {rows[i].each_micro};
            assert_int_equal(gw_delta_parse(rows[i].delta, &delta), GW_OK);
            budget_row row = {(double)each.micro / MICRO, (double)totals[j],
                              (double)delta.atto / (double)GW_DELTA_ONE_ATTO};
            gw_loss pure = {.micro = total.micro};
            gw_loss concentrated = {.rho = gw_rho_total(total, delta)};
            double halved = (double)concentrated.rho / (double)GW_RHO_ONE / (row.each * row.each / 2);
            assert_int_equal(gw_zcdp_fits(pure, (gw_loss){0}, each), rows[i].of[j].basic);
            assert_int_equal(count_most(&row, advanced_fits), rows[i].of[j].advanced);
            assert_int_equal((uint64_t)halved, rows[i].of[j].halved);
            assert_int_equal(gw_zcdp_fits(concentrated, (gw_loss){0}, each), rows[i].of[j].tight);
            assert_int_equal(count_most(&row, optimal_fits), rows[i].of[j].optimal);
            // Nothing that is admitted passes what the optimum allows a fixed schedule.
            gw_loss both = {.micro = total.micro, .rho = concentrated.rho};
            assert_true(gw_zcdp_fits(both, (gw_loss){0}, each) <= rows[i].of[j].optimal);
        }
}

// 5 questions of 0.5, 50 of 0.1, 300 of 0.01; then 20 of 0.1 and 200 of 0.01: the epsilon that their rho stands for.
static void mixed_prices_cost_what_their_rho_says(void **state) {
    (void)state;
    const struct {
        uint64_t halves, tenths, hundredths;
        const char *delta;
        double epsilon; // by each^2 / 2: what is charged here is a little less
    } cases[] = {
        {5, 50, 300, "1e-6", 7.26}, {5, 50, 300, "1e-9", 8.92}, {0, 20, 200, "1e-6", 2.26}, {0, 20, 200, "1e-9", 2.86}};
    for (size_t i = 0; i < 4; i++) {
        gw_delta delta = {0};
        assert_int_equal(gw_delta_parse(cases[i].delta, &delta), GW_OK);
        double halved =
            (double)cases[i].halves * .125 + (double)cases[i].tenths * .005 + (double)cases[i].hundredths * .00005;
        uint64_t charged = cases[i].halves * gw_rho_of((gw_epsilon){500000}) +
                           cases[i].tenths * gw_rho_of((gw_epsilon){100000}) +
                           cases[i].hundredths * gw_rho_of((gw_epsilon){10000});
        uint64_t micro = (uint64_t)(cases[i].epsilon * MICRO + .5);
        assert_true((double)gw_rho_total((gw_epsilon){micro + 5000}, delta) >= halved * (double)GW_RHO_ONE);
        assert_true((double)gw_rho_total((gw_epsilon){micro - 5000}, delta) < halved * (double)GW_RHO_ONE);
        assert_true((double)charged < halved * (double)GW_RHO_ONE);
        assert_true((double)charged > .97 * halved * (double)GW_RHO_ONE);
    }
}

// ---- trees of adaptive questions

#define DEPTH 13

typedef enum {
    RULE_OURS,
    RULE_TWO_LEDGERS, // broken: each measure counts only what it let in
} admission_rule;

typedef struct {
    admission_rule rule;
    gw_loss total;
    uint64_t seed;
    double total_epsilon;
    double divergence; // sum over transcripts of max(0, P - e^E Q)
} question_tree;

typedef struct {
    gw_loss spent; // as the rule counts it
    double log_p, log_q;
    uint64_t path;
} tree_node;

static bool node_admits(const question_tree *tree, tree_node *node, gw_loss cost) {
    bool is_pure = gw_budget_admits(tree->total.micro, node->spent.micro, cost.micro);
    bool is_concentrated = gw_budget_admits(tree->total.rho, node->spent.rho, cost.rho);
    bool is_admitted =
        tree->rule == RULE_OURS ? gw_zcdp_admits(tree->total, node->spent, cost) : is_pure || is_concentrated;
    if (!is_admitted)
        return false;
    if (tree->rule == RULE_OURS || is_pure)
        node->spent.micro += cost.micro;
    if (tree->rule == RULE_OURS || !is_pure)
        node->spent.rho += cost.rho;
    return true;
}

// The asker's next price depends on all answers so far: large after answers that looked good, small otherwise.
static uint64_t node_price(const question_tree *tree, const tree_node *node) {
    seeded_random random = {.state = tree->seed ^ node->path * 0x9E3779B97F4A7C15u};
    uint64_t word = seeded_next(&random);
    bool is_bold = node->log_p > node->log_q;
    return tree->total.micro / (is_bold ? 2 + word % 6 : 4 + word % 12) + 1;
}

static void node_end(question_tree *tree, const tree_node *node) {
    double over = exp(node->log_p) - exp(tree->total_epsilon + node->log_q);
    tree->divergence += over > 0 ? over : 0;
}

// Every answer is randomised response at the full price, the worst there is: P and Q differ in its direction.
static void node_visit(question_tree *tree, tree_node at, int depth) {
    for (int attempt = 0; depth < DEPTH && attempt < 3; attempt++) {
        uint64_t micro = node_price(tree, &at) >> attempt; // refused: tries less
        gw_loss cost = {micro, gw_rho_of((gw_epsilon){micro})};
        if (micro == 0 || !node_admits(tree, &at, cost))
            continue;
        double epsilon = (double)micro / MICRO;
        double log_less = -log1p(exp(epsilon));
        tree_node yes = at;
        tree_node no = at;
        yes.path = 2 * at.path + 1;
        yes.log_p += epsilon + log_less;
        yes.log_q += log_less;
        no.path = 2 * at.path + 2;
        no.log_p += log_less;
        no.log_q += epsilon + log_less;
        node_visit(tree, yes, depth + 1);
        node_visit(tree, no, depth + 1);
        return;
    }
    node_end(tree, &at);
}

static double tree_divergence(admission_rule rule, gw_loss total, uint64_t seed) {
    question_tree tree = {.rule = rule, .total = total, .seed = seed, .total_epsilon = (double)total.micro / MICRO};
    node_visit(&tree, (tree_node){.path = 0}, 0);
    return tree.divergence;
}

static gw_loss tree_total(double *ret_delta) {
    gw_delta delta = {GW_DELTA_ONE_ATTO / 20};
    *ret_delta = (double)delta.atto / (double)GW_DELTA_ONE_ATTO;
    return (gw_loss){.micro = 1500000, .rho = gw_rho_total((gw_epsilon){1500000}, delta)};
}

static void no_adaptive_tree_passes_delta(void **state) {
    (void)state;
    double delta = 0;
    gw_loss total = tree_total(&delta);
    double largest = 0;
    for (uint64_t seed = 1; seed <= 60; seed++)
        largest = fmax(largest, tree_divergence(RULE_OURS, total, seed));
    assert_true(largest <= delta);
    assert_true(largest > 0); // some trees did pass the pure total
    assert_true(tree_divergence(RULE_OURS, (gw_loss){.micro = total.micro}, 1) < 1e-15); // pure: none at all
}

static void two_ledgers_that_count_only_their_own_pass_delta(void **state) {
    (void)state;
    double delta = 0;
    gw_loss total = tree_total(&delta);
    double largest = 0;
    for (uint64_t seed = 1; seed <= 60; seed++)
        largest = fmax(largest, tree_divergence(RULE_TWO_LEDGERS, total, seed));
    assert_true(largest > delta);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_order_of_divergence_passes_rho),
        cmocka_unit_test(optimal_composition_is_the_published_one),
        cmocka_unit_test(as_many_questions_fit_as_four_theorems_say),
        cmocka_unit_test(mixed_prices_cost_what_their_rho_says),
        cmocka_unit_test(no_adaptive_tree_passes_delta),
        cmocka_unit_test(two_ledgers_that_count_only_their_own_pass_delta),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
