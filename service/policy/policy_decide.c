// SPDX-License-Identifier: Apache-2.0
// May this principal ask this? Grants first, then the price against the policy's limits for one question.
#include "service/policy/policy_decide.h"
#include "service/audit/entry.h"
#include <string.h>

static bool grant_has_table(const gw_grant *grant, const gw_table *table) {
    for (size_t i = 0; i < grant->table_count; i++)
        if (strcmp(grant->tables[i], table->name) == 0)
            return true;
    return false;
}

static bool grant_has_statistic(const gw_grant *grant, gw_statistic statistic) {
    for (size_t i = 0; i < grant->statistic_count; i++)
        if (grant->statistics[i] == statistic)
            return true;
    return false;
}

static gw_status deny(gw_problem *ret_problem, const char *code, const char *what) {
    return gw_problem_set(ret_problem, GW_DENIED, code, what, "", "Ask the owner of the dataset for a grant.");
}

// How near the best grant comes decides what is told.
static gw_status decide_grants(const gw_policy *policy, unsigned roles, const gw_table *table, gw_statistic statistic,
                               gw_problem *ret_problem) {
    bool has_role = false;
    bool has_table = false;
    for (size_t i = 0; i < policy->grant_count; i++) {
        const gw_grant *grant = &policy->grants[i];
        if ((gw_roles_parse(grant->role) & roles) == 0)
            continue;
        has_role = true;
        if (!grant_has_table(grant, table))
            continue;
        has_table = true;
        if (grant_has_statistic(grant, statistic))
            return GW_OK;
    }
    gw_status status;
    if (!has_role) {
        status = deny(ret_problem, "denied_role", "Your roles may not ask questions of this dataset.");
        gw_problem_why(ret_problem, "The policy of %s grants nothing to any role you have.", policy->dataset);
    } else if (!has_table) {
        status = deny(ret_problem, "denied_table", "Your roles may not ask about this table.");
        gw_problem_why(ret_problem, "The policy of %s grants your roles nothing on the table %s.", policy->dataset,
                       table->name);
    } else {
        status = deny(ret_problem, "denied_statistic", "Your roles may not ask for this statistic.");
        gw_problem_why(ret_problem, "The policy of %s does not grant your roles \"%s\" on the table %s.",
                       policy->dataset, gw_statistic_name(statistic), table->name);
    }
    return status;
}

static gw_status refuse_price(const gw_policy *policy, gw_epsilon cost, bool is_below, gw_problem *ret_problem) {
    char cost_text[GW_EPSILON_TEXT], limit_text[GW_EPSILON_TEXT];
    gw_epsilon limit = is_below ? policy->question_min : policy->question_max;
    gw_epsilon_format(cost, cost_text);
    gw_epsilon_format(limit, limit_text);
    gw_status status =
        gw_problem_set(ret_problem, is_below ? GW_INVALID : GW_BUDGET, is_below ? "question_min" : "question_max",
                       is_below ? "This question offers less than one question may cost."
                                : "This question costs more than one question may.",
                       "", "");
    gw_problem_why(ret_problem, "It would cost %s; the policy of %s allows %s %s for one question.", cost_text,
                   policy->dataset, is_below ? "no less than" : "at most", limit_text);
    gw_problem_mend(ret_problem, "Ask with --epsilon %s.", limit_text);
    if (ret_problem != NULL) {
        strcpy(ret_problem->budget, "question");
        ret_problem->needed = is_below ? limit : cost; // below: what must be offered; above: what it costs
        ret_problem->remaining = policy->question_max;
    }
    return status;
}

gw_status gw_policy_decide(const gw_policy *policy, unsigned roles, const gw_table *table, gw_statistic statistic,
                           gw_epsilon cost, gw_problem *ret_problem) {
    gw_status status = decide_grants(policy, roles, table, statistic, ret_problem);
    if (status != GW_OK || cost.micro == 0)
        return status;
    if (cost.micro < policy->question_min.micro)
        return refuse_price(policy, cost, true, ret_problem);
    if (cost.micro > policy->question_max.micro)
        return refuse_price(policy, cost, false, ret_problem);
    return GW_OK;
}
