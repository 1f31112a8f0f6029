// SPDX-License-Identifier: Apache-2.0
// What somebody can do who may write one person's record, or knows where records lie in a source: attacks 3, 4, 5, 14
// and 23, through the real load and engine. Exact: nothing here is random but what a fixed seed draws.
// Argument: how many orders of a source (for the long form).
#include "tests/attacks/replay.h"

#include "tests/support/unit.h"

#define ORDERS 40u

static size_t orders_wanted = ORDERS;

static int setup(void **state) {
    *state = world_new(3);
    return 0;
}

static gw_int128 distance(const gw_exact_table *a, const gw_exact_table *b) {
    gw_int128 sum = 0;
    assert_int_equal(a->cell_count * a->part_count, b->cell_count * b->part_count);
    for (size_t i = 0; i < a->cell_count * a->part_count; i++)
        sum += a->values[i] > b->values[i] ? a->values[i] - b->values[i] : b->values[i] - a->values[i];
    return sum;
}

// ---- 3: sensitivity that arithmetic does not keep

#define SUM_OF_INCOME "\"measure\":{\"statistic\":\"sum\",\"of\":\"income\"},\"by\":[],\"epsilon\":\"0.1\""
#define SUM_OF_FEES "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[],\"epsilon\":\"0.1\""
#define LARGEST "999999999999" // a sum of a million of it still has 18 digits

// The total is exact, and each person moves it by no more than declared.
static void total_check(world *w, const char *question, gw_int128 total) {
    world_snapshot whole = world_load(w, WORLD_NOBODY);
    world_must_plan(w, question);
    gw_exact_table *with = replay_measure(w, &whole, NULL);
    assert_true(with->values[0] == total);
    for (size_t i = 0; i < w->person_count; i++) {
        world_snapshot rest = world_load(w, i);
        gw_exact_table *without = replay_measure(w, &rest, NULL);
        gw_int128 moved = distance(with, without);
        assert_true(moved > 0 && moved <= (gw_int128)w->plan.sensitivity);
        gw_exact_table_free(without);
    }
    gw_exact_table_free(with);
}

static void incomes_make(world *w, const char *bounds, const char *const *incomes, size_t count) {
    const world_bounds wide = {.rows_max = 1, .rows_kept = 1, .income = bounds, .fee = WORLD_BOUNDS("0", "50", "1")};
    world_policy_make(w, &wide);
    w->person_count = count;
    for (size_t i = 0; i < count; i++) {
        w->persons[i] = (world_person){.sex = "F", .hours = "1"};
        snprintf(w->persons[i].income, WORLD_FIELD, "%s", incomes[i]);
    }
}

static void sums_of_extreme_values_move_by_what_is_declared(void **state) {
    world *w = *state;
    static const char *const both_ends[] = {"1073741823", "1073741823", "1073741823", "-1073741823"};
    incomes_make(w, WORLD_BOUNDS("-1073741823", "1073741823", "1"), both_ends, 4);
    total_check(w, SUM_OF_INCOME, 2 * (gw_int128)1073741823);
    // The widest bounds that a policy may have; floats of 24 bits would lose each one.
    static const char *const large_and_ones[] = {"1", "1", LARGEST, "1", LARGEST, "1"};
    incomes_make(w, WORLD_BOUNDS("0", LARGEST, "1"), large_and_ones, 6);
    total_check(w, SUM_OF_INCOME, 2 * (gw_int128)999999999999 + 4);
}

static void bounds_that_no_sum_holds_are_refused_with_the_policy(void **state) {
    world *w = *state;
    gw_policy *policy = NULL;
    static const char text[] = POLICY_HEAD
        "\"rows_per_person_max\":1,\"columns\":{\"x\":{\"concept\":\"income\",\"type\":\"decimal\",\"min\":\"0\","
        "\"max\":\"10000000000000000\",\"grid\":\"1\",\"missing\":\"drop\"}}" POLICY_TAIL;
    gw_status status = gw_policy_load(gw_bytes_of(text), "policy", w->dataset.codelists, &policy, &w->problem);
    assert_int_equal(status, GW_INVALID);
    assert_null(policy);
}

// So wide a sum holds eight million people of the largest value before 64 bits are full; the engine adds in 128
// (test_engine). What would be wider is not asked.
static void sums_that_no_noise_is_certified_for_are_not_asked(void **state) {
    world *w = *state;
    const world_bounds wide = {.rows_max = 1,
                               .rows_kept = 1,
                               .income = WORLD_BOUNDS("0", "1", "1"),
                               .fee = WORLD_BOUNDS("0", LARGEST, "1"),
                               .weight = WORLD_BOUNDS("0", "2", "1")};
    world_policy_make(w, &wide);
    assert_int_equal(world_ask(w, SUM_OF_FEES), WORLD_REFUSED);
    assert_string_equal(w->problem.code, "bounds_too_wide");
    world_must_plan(
        w, "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[],\"weighted\":false,\"epsilon\":\"0.1\"");
}

// ---- 4: the order of the source

static void all_orders_of_the_source_give_the_same_bytes(void **state) {
    world *w = *state;
    static const char *const questions[] = {
        SUM_OF_INCOME,
        "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[\"sex\",\"activity\"],\"epsilon\":\"0.1\"",
        "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\"},\"by\":[\"month:half\"],\"epsilon\":\"0.1\"",
        "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[\"activity\"],"
        "\"epsilon\":"
        "\"0.1\""};
    const world_bounds bounds = {.rows_max = 3, // half of what a person may have in the source
                                 .rows_kept = 2,
                                 .income = WORLD_BOUNDS("-100", "400", "0.5"),
                                 .fee = WORLD_BOUNDS("-20", "30", "0.5"),
                                 .weight = WORLD_BOUNDS("0.5", "4", "0.25")};
    world_policy_make(w, &bounds);
    do
        world_persons_draw(w);
    while (w->person_count < 8);
    gw_exact_table *first[4] = {NULL};
    for (w->order = 0; w->order < orders_wanted; w->order++) {
        world_snapshot snapshot = world_load(w, WORLD_NOBODY);
        for (size_t i = 0; i < 4; i++) {
            world_must_plan(w, questions[i]);
            gw_exact_table *exact = replay_measure(w, &snapshot, NULL);
            if (first[i] == NULL) {
                first[i] = exact;
                continue;
            }
            assert_memory_equal(exact->values, first[i]->values,
                                exact->cell_count * exact->part_count * sizeof(exact->values[0]));
            gw_exact_table_free(exact);
        }
    }
    w->order = 0;
    for (size_t i = 0; i < 4; i++)
        gw_exact_table_free(first[i]);
}

// ---- 5, 14: one poisonous row

static const char *const poisons[] = {"nan",
                                      "-inf",
                                      "inf",
                                      "-0",
                                      "-0.0",
                                      "4.9e-324",
                                      "1e400",
                                      "",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "0.00000000000000000001",
                                      "0x10",
                                      "1;2",
                                      "NULL",
                                      "50.25"};

static void treat(world *w, const char *text) {
    assert_int_equal(gw_load_treat(text, &w->dataset.treatments, &w->problem), GW_OK);
}

// Whatever one person's values are, every question has an answer as without them, and no input moves by more.
static void a_poisonous_row_moves_no_more_and_changes_no_status(void **state) {
    world *w = *state;
    const world_bounds bounds = {.rows_max = 4,
                                 .rows_kept = 2,
                                 .income = WORLD_BOUNDS("-100", "400", "0.5"),
                                 .fee = WORLD_BOUNDS("0", "50", "0.5")};
    world_policy_make(w, &bounds);
    treat(w, "bad_type=missing");
    treat(w, "not_finite=missing");
    treat(w, "out_of_bounds=clamp");
    do
        world_persons_draw(w);
    while (w->person_count < 4);
    world_snapshot without = world_load(w, 0);
    for (size_t i = 0; i < sizeof(poisons) / sizeof(poisons[0]); i++) {
        world_person *person = &w->persons[0];
        *person = (world_person){.sex = "F", .hours = "3", .permit_count = 2};
        snprintf(person->income, WORLD_FIELD, "%s", poisons[i]);
        person->permits[0] = (world_permit){.why = "EMP", .month = "2", .day = "2021-01"};
        snprintf(person->permits[0].fee, WORLD_FIELD, "%s", poisons[i]);
        person->permits[1] = person->permits[0];
        world_snapshot with = world_load(w, WORLD_NOBODY);
        for (gw_statistic s = 0; s < GW_STATISTIC_COUNT_OF; s++) {
            replay_run runs[2];
            if (world_question_draw(w, s) != WORLD_PLANNED)
                continue;
            replay_make(w, &with, i, NULL, &runs[0]);
            replay_make(w, &without, i, NULL, &runs[1]);
            replay_verdict verdict = replay_judge(&runs[0], &runs[1]);
            if (verdict != REPLAY_HOLDS)
                fail_msg("\"%s\": %s: %s", poisons[i], replay_verdict_name(verdict), w->question);
            replay_done(&runs[0]);
            replay_done(&runs[1]);
        }
    }
}

// ---- 23: parts that are not disjoint, and people in none

static gw_int128 total_of(world *w, const world_snapshot *snapshot, const char *question, const replay_plant *plant) {
    gw_int128 total = 0;
    world_must_plan(w, question);
    gw_exact_table *exact = replay_measure(w, snapshot, plant);
    for (size_t i = 0; i < exact->cell_count * exact->part_count; i++)
        total += exact->values[i];
    gw_exact_table_free(exact);
    return total;
}

// A breakdown by what may be unknown: every row is in one of its groups, and in one only.
static bool groups_hold_everybody_once(world *w, const world_snapshot *snapshot, const replay_plant *plant) {
    static const char *const by[] = {"\"sex\"", "\"month:half\"", "\"sex\",\"month:half\""};
    char question[256];
    bool is_so = true;
    gw_int128 all = total_of(w, snapshot,
                             "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},\"by\":[],"
                             "\"epsilon\":\"0.1\"",
                             NULL);
    for (size_t i = 0; i < 3; i++) {
        snprintf(question, sizeof(question),
                 "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},\"by\":[%s],\"epsilon\":\"0.1\"", by[i]);
        is_so &= total_of(w, snapshot, question, plant) == all;
    }
    return is_so;
}

static char *statement_loses_the_unknown(const gw_plan *plan, const char *text) {
    static const char table[] = "\"permits\"";
    char *changed = NULL;
    const char *at = strstr(text, table);
    (void)plan;
    assert_non_null(at);
    if (asprintf(&changed, "%.*s(SELECT * FROM \"permits\" WHERE month IS NOT NULL) AS known%s", (int)(at - text), text,
                 at + strlen(table)) < 0)
        return NULL;
    return changed;
}

static void everybody_is_in_one_group_and_in_one_only(void **state) {
    world *w = *state;
    const replay_plant plant = {.name = "unknown in no group", .statement = statement_loses_the_unknown};
    const world_bounds bounds = {.rows_max = WORLD_ROWS_MAX,
                                 .rows_kept = WORLD_ROWS_MAX,
                                 .income = WORLD_BOUNDS("-100", "400", "0.5"),
                                 .fee = WORLD_BOUNDS("0", "50", "0.5")};
    size_t seen = 0;
    for (size_t i = 0; i < 8; i++) {
        world_policy_make(w, &bounds);
        world_persons_draw(w);
        world_snapshot snapshot = world_load(w, WORLD_NOBODY);
        assert_true(groups_hold_everybody_once(w, &snapshot, NULL));
        seen += !groups_hold_everybody_once(w, &snapshot, &plant);
    }
    assert_true(seen > 2);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_extreme_values_move_by_what_is_declared),
        cmocka_unit_test(bounds_that_no_sum_holds_are_refused_with_the_policy),
        cmocka_unit_test(sums_that_no_noise_is_certified_for_are_not_asked),
        cmocka_unit_test(all_orders_of_the_source_give_the_same_bytes),
        cmocka_unit_test(a_poisonous_row_moves_no_more_and_changes_no_status),
        cmocka_unit_test(everybody_is_in_one_group_and_in_one_only),
    };
    const char *sanitizer = getenv("GW_SANITIZER");
    if (sanitizer != NULL && strcmp(sanitizer, "none") != 0)
        orders_wanted = ORDERS / 4; // each takes eight times as long
    if (argc > 1)
        orders_wanted = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
