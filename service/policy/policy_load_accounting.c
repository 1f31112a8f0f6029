// SPDX-License-Identifier: Apache-2.0
// How a policy counts what is spent: the kind of accounting, its delta, and what it grants for keys that no list names.
// Without a delta of its own such keys cannot be asked for.
#include "service/policy/policy_load.h"
#include <inttypes.h>
#include <string.h>

#define DELTA_ATTO_MAX 1000000000000000ULL // 0.001: with more, keys of one person would be shown every now and then
#define QUESTIONS_OTHERWISE 100u           // about unknown keys, where a policy does not say what one takes
#define PERSONS_OTHERWISE 1000000u         // where the policy states no size
#define PERSONS_TIMES_ATTO_MAX (GW_DELTA_ONE_ATTO / 100) // one chance in a hundred, for anybody among all of them

static gw_delta read_delta(gw_policy_loader *l, const gw_json_node *object, const char *name) {
    gw_delta delta = {0};
    const char *text = gw_json_read_string(&l->load.reader, object, name);
    if (text != NULL && (gw_delta_parse(text, &delta) != GW_OK || delta.atto == 0 || delta.atto > DELTA_ATTO_MAX))
        GW_POLICY_FAIL(l, gw_json_member(object, name), "policy_delta",
                       "Write \"1e-9\": far below one over the number of people.",
                       "\"%s\" must be above 0 and at most 0.001, with at most 18 places.", name);
    return delta;
}

// What may be spent on showing keys that no list names, and how much of it one question takes where it does not say.
static void read_selection(gw_policy_loader *l, const gw_json_node *accounting) {
    gw_policy *policy = l->policy;
    if (!gw_json_has(accounting, "selection_delta")) {
        if (gw_json_has(accounting, "question_delta"))
            GW_POLICY_FAIL(l, gw_json_member(accounting, "question_delta"), "policy_delta",
                           "Add \"selection_delta\", or leave it out.",
                           "\"question_delta\" is a part of \"selection_delta\".");
        return;
    }
    policy->selection_delta = read_delta(l, accounting, "selection_delta");
    policy->question_delta.atto = (policy->selection_delta.atto + QUESTIONS_OTHERWISE - 1) / QUESTIONS_OTHERWISE;
    if (gw_json_has(accounting, "question_delta"))
        policy->question_delta = read_delta(l, accounting, "question_delta");
    if (gw_policy_is_well(l) && policy->question_delta.atto > policy->selection_delta.atto)
        GW_POLICY_FAIL(l, gw_json_member(accounting, "question_delta"), "policy_delta",
                       "Lower the one, or raise the other.", "\"question_delta\" is more than \"selection_delta\".");
}

static void read_kind(gw_policy_loader *l, const gw_json_node *accounting) {
    const char *kind = gw_json_read_string(&l->load.reader, accounting, "kind");
    char shown[GW_SHOWN_MAX];
    if (kind == NULL)
        return;
    bool is_pure = strcmp(kind, "pure") == 0, is_zcdp = strcmp(kind, "zcdp") == 0;
    bool has_delta = gw_json_has(accounting, "delta");
    if (!is_pure && !is_zcdp)
        GW_POLICY_FAIL(l, gw_json_member(accounting, "kind"), "policy_unsupported",
                       "Write \"accounting\":{\"kind\":\"pure\"}, or {\"kind\":\"zcdp\",\"delta\":\"1e-9\"}.",
                       "This version does not know the accounting \"%s\".", gw_json_shown(kind, shown));
    else if (is_pure && has_delta)
        GW_POLICY_FAIL(l, gw_json_member(accounting, "delta"), "policy_accounting",
                       "Leave \"delta\" out, or write \"kind\":\"zcdp\".",
                       "Pure accounting promises epsilon alone; it has no delta.");
    else if (is_zcdp && !has_delta)
        GW_POLICY_FAIL(l, accounting, "policy_accounting", "Write {\"kind\":\"zcdp\",\"delta\":\"1e-9\"}.",
                       "The accounting zcdp needs a \"delta\": the chance that its epsilon does not hold.");
    else if (is_zcdp)
        l->policy->delta = read_delta(l, accounting, "delta");
}

void gw_policy_read_accounting(gw_policy_loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"kind", "delta", "selection_delta", "question_delta", NULL};
    const gw_json_node *accounting = gw_json_member(root, "accounting");
    if (!gw_policy_is_well(l) || !gw_json_expect_object(&l->load.reader, accounting, allowed))
        return;
    read_kind(l, accounting);
    if (gw_policy_is_well(l))
        read_selection(l, accounting);
}

// With n persons a mechanism may betray somebody with probability n times delta and still keep to its delta. The policy
// has its planning sizes now.
void gw_policy_check_delta(gw_policy_loader *l, const gw_json_node *root) {
    const gw_policy *policy = l->policy;
    uint64_t persons = policy->planning_size_bucket == 0 ? PERSONS_OTHERWISE : policy->planning_size_bucket;
    uint64_t atto = policy->delta.atto + policy->selection_delta.atto;
    const gw_json_node *accounting = gw_json_member(root, "accounting");
    if (!gw_policy_is_well(l) || (gw_uint128)persons * atto <= PERSONS_TIMES_ATTO_MAX)
        return;
    char most[GW_DELTA_TEXT];
    gw_delta_format((gw_delta){PERSONS_TIMES_ATTO_MAX / persons}, most);
    const char *name = policy->delta.atto != 0 ? "delta" : "selection_delta";
    GW_POLICY_FAIL(l, gw_json_member(accounting, name), "policy_accounting", "",
                   "Among %" PRIu64 " people (\"size_bucket\"%s) such a delta would let somebody be betrayed with more "
                   "than one chance in a hundred.",
                   persons, policy->planning_size_bucket == 0 ? ", where it is left out" : "");
    gw_problem_mend(&l->load.reader.problem, "All deltas together: at most %s; \"1e-9\" is usual.", most);
}
