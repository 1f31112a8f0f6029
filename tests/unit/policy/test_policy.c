// SPDX-License-Identifier: Apache-2.0
// Decimal text to steps and back, exactly, on grids with negative and fractional bounds.
#include "tests/unit/policy/policies.h"

// value = -10 + step * 0.25, up to 90.5
static const gw_column income = {
    .type = GW_COLUMN_DECIMAL, .scale = 2, .min_scaled = -1000, .max_scaled = 9050, .grid_scaled = 25, .steps = 402};

static void steps_round_to_their_side(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t down, up;
    } cases[] = {
        {"-10", 0, 0},
        {"-9.75", 1, 1},
        {"-9.999999999999", 0, 1},
        {"-10.000000000001", -1, 0},
        {"-10.25", -1, -1},
        {"-10.5", -1, -1},
        {"-1000", -1, -1},
        {"0", 40, 40},
        {"0.1", 40, 41},
        {"-0.1", 39, 40},
        {"90.25", 401, 401},
        {"90.5", 402, 402},
        {"90.50", 402, 402},
        {"90.500000000001", 402, 403},
        {"90.75", 403, 403},
        {"91", 403, 403},
        {"999999999999999999", 403, 403},
        {"-999999999999999999", -1, -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t down = 0, up = 0;
        assert_true(gw_column_step_down(&income, cases[i].text, &down));
        assert_true(gw_column_step_up(&income, cases[i].text, &up));
        if (down != cases[i].down || up != cases[i].up)
            print_error("%s: %lld %lld\n", cases[i].text, (long long)down, (long long)up);
        assert_true(down == cases[i].down);
        assert_true(up == cases[i].up);
    }
}

static void what_is_no_number_has_no_step(void **state) {
    (void)state;
    static const char *const cases[] = {"", "F", "1e3", "NaN", "-0", " 1", "0x1"};
    int64_t step = 77;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(gw_column_step_down(&income, cases[i], &step));
        assert_false(gw_column_step_up(&income, cases[i], &step));
    }
    const gw_column sex = {.type = GW_COLUMN_CODE};
    assert_false(gw_column_step_down(&sex, "1", &step));
    assert_int_equal(step, 77);
}

static void every_step_comes_back(void **state) {
    (void)state;
    for (int64_t step = 0; step <= income.steps; step++) {
        char text[32];
        int64_t down = -5, up = -5;
        gw_column_step_format(&income, step, text);
        assert_true(gw_column_step_down(&income, text, &down));
        assert_true(gw_column_step_up(&income, text, &up));
        assert_true(down == step && up == step);
    }
    char text[32];
    gw_column_step_format(&income, 402, text);
    assert_string_equal(text, "90.5");
    gw_column_step_format(&income, 39, text);
    assert_string_equal(text, "-0.25");
}

static void the_finest_and_widest_columns_stay_exact(void **state) {
    (void)state;
    const gw_column fine = {.type = GW_COLUMN_DECIMAL,
                            .scale = 12,
                            .min_scaled = -5000000000000000000,
                            .max_scaled = -4999998900488372224,
                            .grid_scaled = 1,
                            .steps = (int64_t)1 << 40};
    char text[32];
    int64_t step = 0;
    gw_column_step_format(&fine, 1, text);
    assert_string_equal(text, "-4999999.999999999999");
    assert_true(gw_column_step_down(&fine, text, &step));
    assert_int_equal(step, 1);
    const gw_column wide = {.type = GW_COLUMN_INTEGER,
                            .min_scaled = -9007199254740991,
                            .max_scaled = -9007199254740990,
                            .grid_scaled = 1,
                            .steps = 1};
    gw_column_step_format(&wide, 0, text);
    assert_string_equal(text, "-9007199254740991");
    assert_true(gw_column_step_up(&wide, "0", &step));
    assert_int_equal(step, 2);
}

static void concepts_are_found_with_and_without_banding(void **state) {
    (void)state;
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    assert_int_equal(load_text(gw_bytes_of(policy_text), &policy, NULL), GW_OK);
    const gw_table *persons = gw_policy_table(policy, "persons");
    assert_non_null(gw_table_concept(persons, "age"));
    assert_ptr_equal(gw_table_concept(persons, "age"), gw_table_concept(persons, "age:work"));
    assert_null(gw_table_concept(persons, "ag"));
    assert_null(gw_table_concept(persons, "ages"));
    assert_null(gw_table_concept(persons, "w")); // a weight is no concept
    assert_null(gw_table_concept(persons, ""));
    assert_null(gw_policy_table(policy, "Persons"));
    const gw_column *age = gw_table_concept(persons, "age");
    assert_null(gw_column_banding(age, "wor"));
    assert_true(gw_column_code(gw_table_concept(persons, "sex"), "f") == SIZE_MAX);
    assert_true(gw_column_code(gw_table_concept(persons, "sex"), "F") == 0);
}

static void inherited_concepts_are_found_after_a_tables_own(void **state) {
    (void)state;
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    assert_int_equal(load_text(gw_bytes_of(policy_text), &policy, NULL), GW_OK);
    const gw_table *persons = gw_policy_table(policy, "persons");
    const gw_table *stays = gw_policy_table(policy, "stays");
    const gw_column *since = gw_table_concept(stays, "duration_stay");
    assert_ptr_equal(since, &stays->columns[0]);
    assert_ptr_equal(gw_table_concept(stays, "c_birth"), gw_table_concept(persons, "c_birth"));
    assert_ptr_equal(stays->inherited[0], gw_table_concept(persons, "sex"));
    assert_null(gw_table_concept(stays, "age")); // not inherited
    assert_int_equal(gw_table_concept_count(stays), 3);
    static const char *const order[] = {"duration_stay", "sex", "c_birth"};
    for (size_t i = 0; i < COUNT(order); i++)
        assert_string_equal(gw_table_concept_at(stays, i)->concept, order[i]);
    assert_int_equal(gw_table_concept_count(persons), 4); // a weight is no concept
    for (size_t i = 0; i < 4; i++)
        assert_non_null(gw_table_concept_at(persons, i)->concept);
    assert_false(gw_table_is_of_person(stays, since));
    assert_true(gw_table_is_of_person(stays, stays->inherited[1]));
    assert_true(gw_table_is_of_person(persons, gw_table_concept(persons, "age")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_round_to_their_side),
        cmocka_unit_test(what_is_no_number_has_no_step),
        cmocka_unit_test(every_step_comes_back),
        cmocka_unit_test(the_finest_and_widest_columns_stay_exact),
        cmocka_unit_test(concepts_are_found_with_and_without_banding),
        cmocka_unit_test(inherited_concepts_are_found_after_a_tables_own),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
