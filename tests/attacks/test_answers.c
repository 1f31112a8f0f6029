// SPDX-License-Identifier: Apache-2.0
// What can be read out of answers and asked by the grammar: attacks 1, 2, 11, 12, 14, 18, 22, 25, 26 and 32. The
// query room's own plan, mechanism and encoder; true values are set by hand. The noise of attack 22 is the service's
// own, from the kernel; each of its three thresholds is five standard errors (false alarm 5.7e-7 each). Everything else
// has a fixed seed.
#include "tests/attacks/replay.h"

#include "service/base/random.h"
#include "service/wire/answer.h"
#include "service/wire/decimal.h"
#include "tests/support/statistics.h"
#include "tests/support/unit.h"

#include <math.h>

#define COUNT_PERMITS "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},"
#define SUM_OF_FEES "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},"
#define BY_MANY "\"by\":[\"sex\",\"activity\",\"time_period\"],"

static int setup(void **state) {
    *state = world_new(1);
    world_policy_plain(*state);
    return 0;
}

static gw_exact_table *exact_of(const world *w, int64_t value) {
    gw_exact_table *exact = NULL;
    assert_int_equal(gw_exact_table_new(w->plan.measured_cells, w->plan.measured_parts, &exact), GW_OK);
    for (size_t i = 0; i < exact->cell_count * exact->part_count; i++)
        exact->values[i] = value;
    return exact;
}

// An answer as a client reads it; the size of its bytes is kept.
static gw_answer answer_draw(world *w, const gw_exact_table *exact, gw_random_source source, gw_arena *arena,
                             size_t *ret_size) {
    gw_answer answer;
    gw_buffer document;
    gw_problem problem;
    gw_released_table *released = replay_protect(w, exact, NULL, source);
    replay_encode(w, released, &document);
    gw_released_free(released);
    *ret_size = document.size;
    if (gw_answer_decode(gw_buffer_bytes(&document), arena, &answer, &problem) != GW_OK)
        fail_msg("%s %s: %s", problem.what, problem.why, w->question);
    gw_buffer_done(&document);
    return answer;
}

// ---- 1: low bits

static bool is_integer(const char *text) {
    const char *digits = text + (text[0] == '-');
    return digits[0] != '\0' && strspn(digits, "0123456789") == strlen(digits);
}

static void every_figure_lies_on_a_public_grid(void **state) {
    world *w = *state;
    seeded_random random = {.state = 1};
    size_t figures = 0, size;
    world_must_plan(w, SUM_OF_FEES BY_MANY "\"epsilon\":\"0.1\"");
    gw_exact_table *exact = exact_of(w, 777);
    while (figures < 100000) {
        gw_arena *arena = gw_arena_new(64u << 20);
        gw_answer answer = answer_draw(w, exact, seeded_source(&random), arena, &size);
        gw_decimal grid, estimate;
        assert_true(gw_decimal_parse(answer.grid, &grid));
        assert_true(grid.trillionths == GW_DECIMAL_ONE / 2); // the policy's, whatever was measured
        for (size_t i = 0; i < answer.cell_count; i++) {
            assert_true(is_integer(answer.cells[i].parts[0]));
            assert_true(gw_decimal_parse(answer.cells[i].estimate, &estimate));
            assert_true(estimate.trillionths % grid.trillionths == 0);
            assert_true(estimate.trillionths == strtoll(answer.cells[i].parts[0], NULL, 10) * grid.trillionths);
            figures++;
        }
        gw_arena_free(arena);
    }
    gw_exact_table_free(exact);
}

// Every integer of a window is reached from both sides: 600,000 draws, the rarest value is expected more than 400
// times.
static void both_neighbours_reach_the_same_values(void **state) {
    world *w = *state;
    world_must_plan(w, SUM_OF_FEES BY_MANY "\"epsilon\":\"2\"");
    const int64_t step = (int64_t)w->plan.sensitivity;
    bool is_reached[2][400] = {{false}};
    seeded_random random = {.state = 2};
    for (int side = 0; side < 2; side++) {
        gw_exact_table *exact = exact_of(w, side == 0 ? 0 : step);
        for (size_t drawn = 0; drawn < 600000; drawn += exact->cell_count) {
            gw_released_table *released = replay_protect(w, exact, NULL, seeded_source(&random));
            for (size_t i = 0; i < exact->cell_count; i++) {
                gw_int128 value = gw_released_value(released, i, 0) + 100;
                if (value >= 0 && value < 400)
                    is_reached[side][value] = true;
            }
            gw_released_free(released);
        }
        gw_exact_table_free(exact);
    }
    for (size_t i = 0; i < 400; i++)
        assert_true(is_reached[0][i] && is_reached[1][i]);
}

// ---- 2: precision

#define ZEROS 18u

static void trailing_zeros_count(world *w, int64_t value, int64_t plant_grid, uint64_t seed, uint64_t counts[ZEROS]) {
    seeded_random random = {.state = seed};
    gw_exact_table *exact = exact_of(w, value);
    memset(counts, 0, ZEROS * sizeof(counts[0]));
    for (size_t drawn = 0; drawn < 200000; drawn += exact->cell_count) {
        gw_released_table *released = replay_protect(w, exact, NULL, seeded_source(&random));
        for (size_t i = 0; i < exact->cell_count; i++) {
            int64_t bits = (int64_t)gw_released_value(released, i, 0) / plant_grid * plant_grid;
            unsigned zeros = bits == 0 ? ZEROS - 1 : (unsigned)__builtin_ctzll((uint64_t)bits);
            counts[zeros < ZEROS ? zeros : ZEROS - 1]++;
        }
        gw_released_free(released);
    }
    gw_exact_table_free(exact);
}

// Chance of two histograms as far apart as these, where both are of one law; rare bins are pooled from the end.
static double chance_of_both(const uint64_t a[ZEROS], const uint64_t b[ZEROS]) {
    double square = 0, rest[2] = {0, 0}, totals[2] = {0, 0};
    size_t bins = 0;
    for (size_t i = 0; i < ZEROS; i++) {
        totals[0] += (double)a[i];
        totals[1] += (double)b[i];
    }
    for (size_t i = ZEROS; i-- > 0;) {
        rest[0] += (double)a[i];
        rest[1] += (double)b[i];
        if (rest[0] + rest[1] < 100 && i > 0)
            continue;
        double expected = (rest[0] + rest[1]) * totals[0] / (totals[0] + totals[1]);
        double other = rest[0] + rest[1] - expected;
        square += (rest[0] - expected) * (rest[0] - expected) / expected;
        square += (rest[1] - other) * (rest[1] - other) / other;
        rest[0] = rest[1] = 0;
        bins++;
    }
    return statistics_chi_square_above(square, (double)bins - 1);
}

static void trailing_zeros_do_not_tell_nothing_from_two_to_the_fifty(void **state) {
    world *w = *state;
    uint64_t none[ZEROS], large[ZEROS], coarse[ZEROS];
    world_must_plan(w, SUM_OF_FEES BY_MANY "\"epsilon\":\"0.1\"");
    trailing_zeros_count(w, 0, 1, 3, none);
    trailing_zeros_count(w, INT64_C(1) << 50, 1, 4, large);
    assert_true(chance_of_both(none, large) > 1e-6);
    // As a float of 24 bits would keep it at 2^50 if the noise were added to it.
    trailing_zeros_count(w, INT64_C(1) << 50, 2, 4, coarse);
    assert_true(chance_of_both(none, coarse) < 1e-6);
}

// ---- 11, 12, 14, 32: nobody there, and everybody

// Where a figure must lie, whatever was measured; +-INFINITY where a statistic has no range.
static void range_of(const world *w, double *ret_low, double *ret_high) {
    const gw_plan *plan = &w->plan;
    *ret_low = -INFINITY;
    *ret_high = INFINITY;
    double low = plan->of ? gw_plan_number(plan->of->min_scaled, plan->of->scale) : 0;
    double high = plan->of ? gw_plan_number(plan->of->max_scaled, plan->of->scale) : 0;
    switch (gw_plan_asked(plan)) {
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_POVERTY:
        *ret_low = 0;
        *ret_high = 100;
        return;
    case GW_STATISTIC_GAP:
        *ret_low = plan->statistic == GW_STATISTIC_MEAN ? low - high : -100;
        *ret_high = -*ret_low;
        return;
    case GW_STATISTIC_MEAN:
        *ret_low = plan->is_per_person ? 0 : low;
        *ret_high = plan->is_per_person ? INFINITY : high;
        return;
    case GW_STATISTIC_QUANTILE:
        *ret_low = low;
        *ret_high = high;
        return;
    case GW_STATISTIC_VARIANCE:
        *ret_low = 0;
        *ret_high = (high - low) * (high - low) / 4;
        return;
    case GW_STATISTIC_SD:
        *ret_low = 0;
        *ret_high = (high - low) / 2;
        return;
    case GW_STATISTIC_GINI:
        *ret_low = 0;
        *ret_high = 100;
        return;
    case GW_STATISTIC_QUINTILE_RATIO:
        *ret_low = 0;
        return;
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
    case GW_STATISTIC_RATIO:
    case GW_STATISTIC_HISTOGRAM:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_KEYS:
        return;
    }
}

static bool is_within(const char *text, double low, double high) {
    double value = text == NULL ? low : strtod(text, NULL);
    assert_true(text == NULL || isfinite(value));
    return value >= low - 1e-9 && value <= high + 1e-9;
}

// Ranges never leave what is possible. Estimates are what was measured, neither clipped nor biased: one that lies where
// nothing can be is told as too uncertain, and is no error.
static void figures_check(const world *w, const gw_answer_cell *cell, double low, double high) {
    if (!is_within(cell->lower, low, high) || !is_within(cell->upper, low, high))
        fail_msg("%s .. %s is outside %g .. %g: %s", cell->lower, cell->upper, low, high, w->question);
    if (!is_within(cell->estimate, low, high) && strcmp(cell->flag, "u") != 0)
        fail_msg("%s is outside %g .. %g and has no flag: %s", cell->estimate, low, high, w->question);
}

// One plan, answers over an empty register, a tiny one and one of the policy's public size: every answer can be read,
// figures lie in their range, every listed group is there, and all answers are equally long.
static void answers_check(world *w, unsigned draws) {
    static const int64_t values[] = {0, 1, 900};
    double low, high;
    size_t first_size = 0;
    seeded_random random = {.state = 32};
    range_of(w, &low, &high);
    for (size_t v = 0; v < 3; v++) {
        gw_exact_table *exact = exact_of(w, values[v]);
        for (unsigned i = 0; i < draws; i++) {
            size_t size;
            gw_arena *arena = gw_arena_new(64u << 20);
            gw_answer answer = answer_draw(w, exact, seeded_source(&random), arena, &size);
            for (size_t k = 0; k < answer.cell_count; k++)
                figures_check(w, &answer.cells[k], low, high);
            {
                assert_int_equal(answer.cell_count, w->plan.cell_count);
                first_size = first_size == 0 ? size : first_size;
                if (size != first_size)
                    fail_msg("%zu bytes, then %zu: %s", first_size, size, w->question);
            }
            gw_arena_free(arena);
        }
        gw_exact_table_free(exact);
    }
}

static void ratios_of_nobody_stay_in_their_range_and_replies_in_their_length(void **state) {
    world *w = *state;
    for (gw_statistic s = 0; s < GW_STATISTIC_COUNT_OF; s++) {
        size_t planned = 0;
        world_asked asked;
        for (size_t form = 0; world_question_at(w, s, form, "0.05", &asked); form++) {
            if (asked != WORLD_PLANNED || w->plan.mechanism == GW_MECHANISM_SELECTION) // test_selection has its own
                continue;
            answers_check(w, w->plan.measured_cells > 100 ? 4 : 40);
            planned++;
        }
        print_message("%-15s %zu questions\n", gw_statistic_name(s), planned);
        assert_true(planned > 0 || s > GW_STATISTIC_NET);
    }
}

// ---- 22: noise that is used again

#define ROUNDS 1200u

static void noises_of_questions_and_cells_share_nothing(void **state) {
    world *w = *state;
    gw_random *random = NULL;
    assert_int_equal(gw_random_new(&random), GW_OK);
    world_must_plan(w, COUNT_PERMITS BY_MANY "\"epsilon\":\"0.1\"");
    gw_exact_table *exact = exact_of(w, 0);
    const size_t cells = exact->cell_count;
    double products = 0, squares = 0, neighbours = 0, sums = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        gw_released_table *pair[2];
        for (int k = 0; k < 2; k++) { // a new key for each answer, as in the service
            assert_int_equal(gw_random_reseed(random), GW_OK);
            pair[k] = replay_protect(w, exact, NULL, gw_random_as_source(random));
        }
        double sum = 0, before = 0;
        for (size_t cell = 0; cell < cells; cell++) {
            double one = (double)gw_released_value(pair[0], cell, 0),
                   other = (double)gw_released_value(pair[1], cell, 0);
            products += one * other;
            neighbours += one * before;
            squares += one * one;
            sum += one;
            before = one;
        }
        sums += sum * sum;
        gw_released_free(pair[0]);
        gw_released_free(pair[1]);
    }
    const double count = (double)(ROUNDS * cells), variance = squares / count;
    assert_true(fabs(products / count / variance) < 5 / sqrt(count));
    assert_true(fabs(neighbours / count / variance) < 5 / sqrt(count));
    // Cells that share noise would give cells^2 times the variance of one.
    assert_true(fabs(sums / ROUNDS / (double)cells / variance - 1) < 5 * sqrt(2.1 / ROUNDS));
    gw_exact_table_free(exact);
    gw_random_free(random);
}

// ---- 18: prices that follow from answers

// Somebody who chooses each price by what was answered and by what is left: as much as is left, a hair more, the
// smallest there is, anything between. What is granted never passes the budget, and what is left is granted.
static void prices_chosen_by_answers_never_pass_the_budget(void **state) {
    seeded_random random = {.state = 18};
    size_t exhausted = 0;
    (void)state;
    for (size_t schedule = 0; schedule < 10000; schedule++) {
        uint64_t total = 1 + seeded_next(&random) % (schedule % 2 ? 10000000 : GW_EPSILON_MICRO_MAX), spent = 0;
        gw_int128 granted = 0;
        for (size_t i = 0; i < 40; i++) {
            uint64_t answer = seeded_next(&random), left = gw_budget_remaining(total, spent);
            uint64_t prices[] = {left, left + 1, 1, left / 2, 1 + answer % total, UINT64_MAX - spent + 1, answer};
            uint64_t price = prices[answer % 7];
            bool is_granted = gw_budget_admits(total, spent, price);
            assert_int_equal(is_granted, price <= left);
            spent += is_granted ? price : 0;
            granted += is_granted ? price : 0;
        }
        assert_true(granted <= total && granted == spent);
        exhausted += granted == total;
    }
    assert_true(exhausted > 5000);
}

// ---- 25, 26: what the grammar has no words for

static void assert_not_askable(world *w, const char *question) {
    if (world_ask(w, question) == WORLD_PLANNED)
        fail_msg("planned: %s", question);
}

static void a_filter_by_a_private_figure_cannot_be_asked(void **state) {
    static const char *const filters[] = {
        "{\"concept\":\"fee\",\"between\":[\"mean\",\"50\"]}",
        "{\"concept\":\"fee\",\"between\":[{\"statistic\":\"mean\",\"of\":\"fee\"},\"50\"]}",
        "{\"concept\":\"fee\",\"above\":\"mean(fee)\"}",
        "{\"concept\":\"fee\",\"equals\":{\"statistic\":\"quantile\",\"of\":\"fee\",\"at\":[\"0.5\"]}}",
        "{\"concept\":\"mean(fee)\",\"between\":[\"0\",\"50\"]}",
        "{\"concept\":\"fee\",\"in\":[[\"mean\"]]}",
        "{\"concept\":\"fee\",\"between\":[\"0\",\"(SELECT avg(fee) FROM permits)\"]}",
        "{\"expression\":\"fee > avg(fee)\"}",
        "\"fee > avg(fee)\"",
    };
    world *w = *state;
    char question[512];
    world_must_plan(w, COUNT_PERMITS
                    "\"where\":[{\"concept\":\"fee\",\"between\":[\"25\",\"50\"]}],\"by\":[],\"epsilon\":\"0.1\"");
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        snprintf(question, sizeof(question), COUNT_PERMITS "\"where\":[%s],\"by\":[],\"epsilon\":\"0.1\"", filters[i]);
        assert_not_askable(w, question);
    }
}

static void a_part_of_the_people_costs_as_much_as_all(void **state) {
    world *w = *state;
    world_must_plan(w, COUNT_PERMITS "\"by\":[\"sex\"],\"epsilon\":\"0.1\"");
    const uint64_t price = w->plan.epsilon.micro, sensitivity = w->plan.sensitivity;
    world_must_plan(w, COUNT_PERMITS
                    "\"where\":[{\"concept\":\"month\",\"between\":[1,1]},{\"concept\":\"fee\",\"between\":"
                    "[\"1\",\"1.5\"]}],\"by\":[\"sex\"],\"epsilon\":\"0.1\"");
    assert_int_equal(w->plan.epsilon.micro, price);
    assert_int_equal(w->plan.sensitivity, sensitivity);
    assert_not_askable(w, COUNT_PERMITS "\"by\":[],\"epsilon\":\"0.1\",\"sample\":\"0.01\"");
    assert_not_askable(w, COUNT_PERMITS "\"by\":[],\"epsilon\":\"0.1\",\"sample\":{\"rate\":\"0.01\",\"seed\":7}");
    assert_not_askable(w, COUNT_PERMITS "\"by\":[],\"epsilon\":\"0.1\",\"seed\":7");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_lies_on_a_public_grid),
        cmocka_unit_test(both_neighbours_reach_the_same_values),
        cmocka_unit_test(trailing_zeros_do_not_tell_nothing_from_two_to_the_fifty),
        cmocka_unit_test(ratios_of_nobody_stay_in_their_range_and_replies_in_their_length),
        cmocka_unit_test(noises_of_questions_and_cells_share_nothing),
        cmocka_unit_test(prices_chosen_by_answers_never_pass_the_budget),
        cmocka_unit_test(a_filter_by_a_private_figure_cannot_be_asked),
        cmocka_unit_test(a_part_of_the_people_costs_as_much_as_all),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
