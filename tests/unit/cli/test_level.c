// SPDX-License-Identifier: Apache-2.0
// --level: refused before anything is paid for where figures cannot be worked out at another level.
#include "client/cli/say_answer.h"
#include "tests/support/unit.h"
#include <string.h>

static const gw_question_table one_table = {0};

static gw_status checked(const gw_question *question, uint32_t level_ppm) {
    gw_problem problem = {0};
    gw_status status = gw_level_check(question, NULL, level_ppm, &problem);
    if (status != GW_OK) {
        assert_string_equal(problem.code, "level");
        assert_non_null(strstr(problem.why, "nothing was spent"));
    }
    return status;
}

static void what_has_no_other_level_is_refused_before_it_is_asked(void **state) {
    (void)state;
    static const gw_statistic without[] = {GW_STATISTIC_QUANTILE,       GW_STATISTIC_POVERTY, GW_STATISTIC_GINI,
                                           GW_STATISTIC_QUINTILE_RATIO, GW_STATISTIC_SERIES,  GW_STATISTIC_KEYS};
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        assert_int_equal(checked(&(gw_question){.statistic = without[i]}, 900000), GW_INVALID);
        assert_int_equal(checked(&(gw_question){.statistic = without[i]}, 0), GW_OK); // no other level was asked for
    }
    const gw_question several = {.statistic = GW_STATISTIC_COUNT, .tables = &one_table, .table_count = 1};
    assert_int_equal(checked(&several, 900000), GW_INVALID);
}

static void what_is_worked_out_again_from_its_integers_passes(void **state) {
    (void)state;
    static const gw_statistic with[] = {GW_STATISTIC_COUNT, GW_STATISTIC_RATE,  GW_STATISTIC_MEAN,
                                        GW_STATISTIC_SD,    GW_STATISTIC_RATIO, GW_STATISTIC_HISTOGRAM};
    for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++)
        assert_int_equal(checked(&(gw_question){.statistic = with[i]}, 900000), GW_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_no_other_level_is_refused_before_it_is_asked),
        cmocka_unit_test(what_is_worked_out_again_from_its_integers_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
