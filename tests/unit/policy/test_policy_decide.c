// SPDX-License-Identifier: Apache-2.0
// Grants and price limits: the nearest grant decides what is told, and the limits hold at their edges.
#include "tests/unit/policy/policies.h"
#include "service/audit/entry.h"
#include "service/policy/policy_decide.h"

static int load(void **state) {
    gw_policy *policy = NULL;
    assert_int_equal(start_crypto(state), 0);
    assert_int_equal(load_text(gw_bytes_of(policy_text), &policy, NULL), GW_OK);
    *state = policy;
    return 0;
}

static int unload(void **state) {
    gw_policy_free(*state);
    return 0;
}

static void check(const gw_policy *policy, unsigned roles, const char *table, gw_statistic statistic, uint64_t micro,
                  gw_status status, const char *code) {
    gw_problem problem = {0};
    assert_int_equal(
        gw_policy_decide(policy, roles, gw_policy_table(policy, table), statistic, (gw_epsilon){micro}, &problem),
        status);
    assert_string_equal(problem.code, code);
    if (status != GW_OK) {
        assert_true(problem.what[0] != '\0' && problem.why[0] != '\0' && problem.mend[0] != '\0');
        // Without a problem to fill, the decision is the same.
        assert_int_equal(
            gw_policy_decide(policy, roles, gw_policy_table(policy, table), statistic, (gw_epsilon){micro}, NULL),
            status);
    }
}

static void grants_join_role_table_and_statistic(void **state) {
    const gw_policy *policy = *state;
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_COUNT, 50000, GW_OK, "");
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_MEAN, 50000, GW_OK, "");
    check(policy, GW_ROLE_OWNER, "stays", GW_STATISTIC_COUNT, 50000, GW_OK, "");
    check(policy, GW_ROLE_RESEARCHER | GW_ROLE_OWNER, "persons", GW_STATISTIC_MEAN, 50000, GW_OK, "");
    check(policy, 0, "persons", GW_STATISTIC_COUNT, 50000, GW_DENIED, "denied_role");
    check(policy, GW_ROLE_AUDITOR | GW_ROLE_OPERATOR, "persons", GW_STATISTIC_COUNT, 50000, GW_DENIED, "denied_role");
    check(policy, GW_ROLE_RESEARCHER, "stays", GW_STATISTIC_COUNT, 50000, GW_DENIED, "denied_table");
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_RATE, 50000, GW_DENIED, "denied_statistic");
    // One grant's table with another's statistic is no grant.
    check(policy, GW_ROLE_RESEARCHER | GW_ROLE_OWNER, "stays", GW_STATISTIC_MEAN, 50000, GW_DENIED, "denied_statistic");
}

static void price_limits_hold_at_their_edges(void **state) {
    const gw_policy *policy = *state;
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_COUNT, 9999, GW_INVALID, "question_min");
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_COUNT, 10000, GW_OK, "");
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_COUNT, 500000, GW_OK, "");
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_COUNT, 500001, GW_BUDGET, "question_max");
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_COUNT, UINT64_MAX, GW_BUDGET, "question_max");
    check(policy, GW_ROLE_RESEARCHER, "persons", GW_STATISTIC_COUNT, 0, GW_OK, ""); // grants alone
    check(policy, GW_ROLE_AUDITOR, "persons", GW_STATISTIC_COUNT, 0, GW_DENIED, "denied_role");
    gw_problem problem = {0};
    assert_int_equal(gw_policy_decide(policy, GW_ROLE_RESEARCHER, &policy->tables[0], GW_STATISTIC_COUNT,
                                      (gw_epsilon){500001}, &problem),
                     GW_BUDGET);
    assert_string_equal(problem.budget, "question");
    assert_int_equal(problem.needed.micro, 500001);
    assert_int_equal(problem.remaining.micro, 500000);
    assert_non_null(strstr(problem.why, "0.500001"));
    assert_non_null(strstr(problem.mend, "--epsilon 0.5"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_join_role_table_and_statistic),
        cmocka_unit_test(price_limits_hold_at_their_edges),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
