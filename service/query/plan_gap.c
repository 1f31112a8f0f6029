// SPDX-License-Identifier: Apache-2.0
// A gap: the two groups of one concept that a rate, a share or a mean is held against each other in. They become an
// axis of two codes, so that both are cells of one statement, at one price.
#include "service/query/plan_build.h"

#include <string.h>

gw_plan_axis gw_plan_gap_axis(const gw_plan *plan) {
    const gw_plan_gap *gap = &plan->gap;
    return (gw_plan_axis){.concept = gap->concept,
                          .column = gap->column,
                          .banding = gap->banding,
                          .codes = gap->codes,
                          .positions = gap->positions,
                          .code_count = 2};
}

static gw_status bad_gap(const gw_plan_builder *b, const char *why, const char *mend) {
    return gw_problem_set(b->problem, GW_INVALID, "bad_gap", "This gap cannot be taken.", why, mend);
}

static gw_status gap_check(const gw_plan_builder *b) {
    const gw_plan *plan = b->plan;
    const char *concept = b->question->gap->concept;
    if (plan->statistic != GW_STATISTIC_RATE && plan->statistic != GW_STATISTIC_SHARE &&
        plan->statistic != GW_STATISTIC_MEAN)
        return bad_gap(b,
                       "Gaps are of rates, shares and means; two counts or sums are compared once both are answered.",
                       "godwit compare FILE A B");
    for (size_t i = 0; i < plan->axis_count; i++)
        if (strcmp(plan->axes[i].concept, concept) == 0)
            return bad_gap(b, "The concept of the gap is also a breakdown: its groups cannot be told apart twice.",
                           "Leave it out of --by; an indicator's own breakdown is replaced by --by none.");
    if (plan->statistic == GW_STATISTIC_SHARE && plan->cell_count > GW_GAP_SHARES_MAX)
        return gw_problem_set(b->problem, GW_LIMIT, "too_many_cells", "This table has too many cells.",
                              "A gap of shares may have at most 512 groups.", "Use fewer or coarser breakdowns.");
    if (plan->cell_count > GW_PLAN_CELLS_MAX / 2)
        return gw_problem_set(b->problem, GW_LIMIT, "too_many_cells", "This table has too many cells.",
                              "A gap measures each of its cells twice.", "Use fewer or coarser breakdowns.");
    return GW_OK;
}

// Where the group or the reference stands among the codes; those that filters have taken away are not there.
static gw_status gap_place(const gw_plan_builder *b, const gw_plan_axis *axis, const char *code, size_t *ret) {
    for (size_t i = 0; i < axis->code_count; i++)
        if (strcmp(axis->codes[i], code) == 0) {
            *ret = i;
            return GW_OK;
        }
    return gw_plan_unknown_code(b, axis, code);
}

gw_status gw_plan_gap_resolve(const gw_plan_builder *b) {
    const gw_question_gap *asked = b->question->gap;
    gw_plan *plan = b->plan;
    gw_plan_axis axis;
    if (!asked)
        return GW_OK;
    gw_status status = gap_check(b);
    if (status == GW_OK)
        status = gw_plan_axis_resolve(b, asked->concept, &axis);
    const char *const codes[2] = {asked->group, asked->reference};
    gw_plan_gap gap = {.concept = asked->concept};
    for (size_t i = 0; i < 2 && status == GW_OK; i++) {
        size_t place = 0;
        status = gap_place(b, &axis, codes[i], &place);
        if (status != GW_OK)
            return status;
        gap.codes[i] = axis.codes[place];
        gap.positions[i] = axis.positions[place];
    }
    if (status != GW_OK)
        return status;
    if (gap.positions[0] == gap.positions[1])
        return bad_gap(b, "A group has no gap to itself.", "Name two groups.");
    gap.column = axis.column;
    gap.banding = axis.banding;
    plan->gap = gap;
    if (plan->statistic != GW_STATISTIC_MEAN)
        plan->unit = "PP";
    return GW_OK;
}
