// SPDX-License-Identifier: Apache-2.0
// The exit codes that scripts rely on, one line per kind of outcome.
#include "client/cli/exit_code.h"
#include "tests/support/unit.h"

static const struct {
    gw_status status;
    const char *code, *budget;
    int expected;
} outcomes[] = {
    {GW_BUDGET, "budget_principal", "principal", 5},
    {GW_BUDGET, "budget_window", "window", 5},
    {GW_DENIED, "budget_dataset", "dataset", 5}, // the status did not cross the wire
    {GW_DENIED, "question_max", "question", 5},
    {GW_DENIED, "max_cost", "", 5},
    {GW_DENIED, "question_min", "", 3},
    {GW_DENIED, "denied_statistic", "", 3},
    {GW_DENIED, "denied_table", "", 3},
    {GW_DENIED, "something_new", "", 3},
    {GW_DENIED, "something_new", "principal", 5},
    {GW_DENIED, "denied_role", "", 4},
    {GW_UNAUTHENTICATED, "unauthenticated", "", 4},
    {GW_DENIED, "token_unsupported", "", 4},
    {GW_DENIED, "bad_signature", "", 4},
    {GW_NOT_FOUND, "profile_missing", "", 4},
    {GW_INVALID, "unknown_indicator", "", 2},
    {GW_NOT_FOUND, "unknown_dataset", "", 2},
    {GW_DENIED, "unknown_concept", "", 2},
    {GW_INVALID, "bad_epsilon", "", 2},
    {GW_INVALID, "unknown_option", "", 2},
    {GW_INVALID, "json_syntax", "", 2},
    {GW_UNAVAILABLE, "unreachable", "", 7},
    {GW_BUSY, "busy", "", 7},
    {GW_RETRY, "retry", "", 7},
    {GW_DENIED, "not_ready", "", 7},
    {GW_CORRUPT, "bad_reply", "", 6},
    {GW_CORRUPT, "bad_checkpoint", "", 6},
    {GW_CORRUPT, "budget_principal", "principal", 6}, // tampered first of all
    {GW_CORRUPT, "unknown_thing", "", 6},
    {GW_IO, "file_unreadable", "", 1},
    {GW_NOT_FOUND, "file_missing", "", 1},
    {GW_DENIED, "engine_failed", "", 1},
    {GW_DENIED, "answer_failed", "", 1},
    {GW_UNAVAILABLE, "answer_failed", "", 1},
    {GW_DENIED, "idem_conflict", "", 1},
    {GW_DENIED, "no_data", "", 7},
    {GW_DENIED, "stale_request", "", 4},
    {GW_DENIED, "epsilon_needed", "", 2},
    {GW_DENIED, "too_many_cells", "", 2},
    {GW_INTERNAL, "", "", 1},
    {GW_DENIED, "cancelled", "", 130},
    {GW_DENIED, "quote_unknown", "", 3},
    {GW_DENIED, "quote_expired", "", 3},
    {GW_DENIED, "quote_stale", "", 3},
    {GW_DENIED, "bad_quote", "", 2},
    {GW_OK, "", "", 0},
};

static void every_outcome_has_its_exit_code(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        gw_problem problem;
        assert_int_equal(gw_problem_set(&problem, outcomes[i].status, outcomes[i].code, "", "", ""),
                         outcomes[i].status);
        strcpy(problem.budget, outcomes[i].budget);
        if ((int)gw_exit_code_of(&problem) != outcomes[i].expected)
            fail_msg("%s gives %d, not %d", outcomes[i].code, (int)gw_exit_code_of(&problem), outcomes[i].expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_outcome_has_its_exit_code)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
