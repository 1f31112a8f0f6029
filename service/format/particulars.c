// SPDX-License-Identifier: Apache-2.0
// Only what the answer has: a field that is NULL there is not named.
#include "service/format/particulars.h"
#include "service/base/check.h"
#include <stdio.h>

static void add(gw_particulars *all, const char *name, const char *value) {
    if (value == NULL)
        return;
    GW_ASSERT(all->count < GW_PARTICULARS_MAX);
    all->items[all->count++] = (gw_particular){name, value};
}

void gw_particulars_of(const gw_answer *answer, gw_particulars *ret) {
    *ret = (gw_particulars){0};
    add(ret, "over", answer->over);
    if (answer->gap_of != NULL) {
        gw_ignore(snprintf(ret->gap, sizeof(ret->gap), "%s=%s:%s", answer->gap_concept, answer->gap_group,
                           answer->gap_reference)); // names are bounded
        add(ret, "gap", ret->gap);
        add(ret, "gap_of", answer->gap_of);
    }
    add(ret, "fraction", answer->fraction);
    if (answer->line.unit != NULL) {
        // Where the line is not determinable, its range still is.
        add(ret, "line", answer->line.threshold == NULL ? "" : answer->line.threshold);
        add(ret, "line_lower", answer->line.threshold_lower);
        add(ret, "line_upper", answer->line.threshold_upper);
        add(ret, "line_unit", answer->line.unit);
    }
    add(ret, "rank_error", answer->rank_error);
    add(ret, "delta", answer->selection_delta);
}
