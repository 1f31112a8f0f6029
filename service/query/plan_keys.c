// SPDX-License-Identifier: Apache-2.0
// A plan for keys that no list names: persons are counted by a text concept, each once for a key, and what decides
// which keys are shown is paid with a delta that the policy grants.
#include "service/query/plan_build.h"

#include <string.h>

gw_status gw_plan_refuse_text(const gw_plan_builder *b, const gw_column *column) {
    gw_status status =
        gw_problem_set(b->problem, GW_INVALID, "text_concept", "This concept's values are in no list.", "", "");
    gw_problem_why(b->problem,
                   "Nobody may filter on %s or group by it: that a value exists would be told. Its values can be "
                   "counted, and those that enough people share are shown.",
                   column->concept);
    gw_problem_mend(b->problem, "Ask for --measure keys:%s.", column->concept);
    return status;
}

static gw_status of_needed(const gw_plan_builder *b, const char *of) {
    gw_status status =
        gw_problem_set(b->problem, GW_INVALID, "of_needed", "Keys are of a concept whose values no list names.", "",
                       "Ask for its groups instead: --measure count --by.");
    gw_problem_why(b->problem, "%s has a list of its codes, or is a number.", of ? of : "This");
    return status;
}

static gw_status column_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    const char *of = plan->indicator ? plan->indicator->of : b->question->of;
    plan->of = of ? gw_table_concept(plan->table, of) : NULL;
    if (of && !plan->of)
        return gw_plan_unknown_concept(b, of);
    return plan->of && plan->of->type == GW_COLUMN_TEXT && !strchr(of, ':') ? GW_OK : of_needed(b, of);
}

static gw_status delta_resolve(const gw_plan_builder *b) {
    const gw_policy *policy = b->policy;
    if (policy->selection_delta.atto == 0) {
        gw_problem_set(b->problem, GW_INVALID, "selection_delta_needed",
                       "This dataset grants no delta for unknown keys.", "",
                       "Ask its owner for \"selection_delta\" in the policy's \"accounting\".");
        gw_problem_why(
            b->problem,
            "Deciding which keys may be known costs a delta beside epsilon, and the policy of %s grants none.",
            policy->dataset);
        return GW_INVALID;
    }
    b->plan->delta = b->question->has_delta ? b->question->delta.atto : policy->question_delta.atto;
    if (b->plan->delta <= policy->question_delta.atto)
        return GW_OK;
    char most[GW_DELTA_TEXT];
    gw_delta_format(policy->question_delta, most);
    gw_problem_set(b->problem, GW_INVALID, "question_delta", "This question offers more delta than one may cost.", "",
                   "");
    gw_problem_why(b->problem, "The policy of %s allows %s for one question.", policy->dataset, most);
    gw_problem_mend(b->problem, "Leave --delta out, or lower it to %s.", most);
    return GW_INVALID;
}

static gw_status shape_refuse(const gw_plan_builder *b) {
    if (b->question->by_count > 0)
        return gw_problem_set(b->problem, GW_INVALID, "bad_by", "Unknown keys have no further breakdown.",
                              "Their groups are the keys themselves.",
                              "Leave --by out; --where narrows whom is counted.");
    if (b->plan->table->weight && !b->question->is_unweighted)
        return gw_problem_set(b->problem, GW_INVALID, "weighted_keys", "Unknown keys are counted without weights.",
                              "Which of them are shown is decided on persons, not on how many a person stands for.",
                              "Add --unweighted.");
    return GW_OK;
}

gw_status gw_plan_keys(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    gw_status status = column_resolve(b);
    if (status == GW_OK)
        status = shape_refuse(b);
    if (status == GW_OK)
        status = delta_resolve(b);
    if (status != GW_OK)
        return status;
    plan->mechanism = GW_MECHANISM_SELECTION;
    plan->is_per_person = plan->table->rows_per_person_max > 1;
    plan->unit = "PS";
    plan->shape.delta.atto = plan->delta;
    return GW_OK;
}
