// SPDX-License-Identifier: Apache-2.0
// Two ranges against each other.
#include "client/cli/apart.h"
#include "service/base/cleanup.h"
#include "service/format/cell_figures.h"
#include "service/format/level.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES_MAX 268435456u
GW_DEFINE_FREEP(gw_arena, gw_arena_free)

bool gw_apart_is(const gw_saved *saved) {
    return gw_figures_part_count(saved->statistic, false) == 0;
}

static gw_status no_range(const gw_saved *saved, gw_problem *ret_problem) {
    if (saved->answer.rank_error != NULL)
        return gw_figure_refuse("not_comparable", "A value chosen by its rank has no range of values.",
                                "Only how many people its rank is off is known, so nothing can be said of a "
                                "difference.",
                                "Ask for the quantile with --method tree: those can be compared.", ret_problem);
    return gw_figure_refuse("not_comparable", "This answer does not hold what its ranges follow from.",
                            "They cannot be worked out at the level that a comparison needs.",
                            "godwit query asks again for free: the same answer, as it is written today.", ret_problem);
}

static gw_status one_cell(const gw_saved_group *group, gw_problem *ret_problem) {
    const gw_answer *answer = &group->saved->answer;
    char key[400] = "";
    gw_status status = gw_figure_refuse("not_comparable", "",
                                        "What is read off a distribution, or shown of unknown keys, does not add up: "
                                        "the figure of several cells does not follow from theirs.",
                                        "", ret_problem);
    for (size_t i = 0, at = 0; i < answer->by_count && at < sizeof(key) - 1; i++) {
        int size = snprintf(key + at, sizeof(key) - at, "%s%.60s=%.60s", i == 0 ? "" : ",", answer->by[i],
                            answer->cells[0].key[i]);
        at += size > 0 ? (size_t)size : 0;
    }
    gw_problem_what(ret_problem, "\"%.100s\" names %zu cells.", group->key, group->cell_count);
    gw_problem_mend(ret_problem, "Name one cell by all its codes: %.300s", key);
    return status;
}

static double end_of(const char *text) {
    return text == NULL ? INFINITY : strtod(text, NULL);
}

gw_status gw_apart_figure(const gw_saved_group *group, uint32_t level_ppm, gw_combined *ret, gw_problem *ret_problem) {
    const gw_saved *saved = group->saved;
    size_t cell = 0;
    if (!gw_apart_is(saved))
        return gw_figure_of(group, level_ppm, ret, ret_problem);
    if (saved->answer.rank_error != NULL || !gw_answer_has_levels(&saved->answer))
        return no_range(saved, ret_problem);
    if (group->cell_count != 1)
        return one_cell(group, ret_problem);
    while (!group->is_in[cell])
        cell++;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_BYTES_MAX);
    gw_answer_cell of;
    gw_status status =
        arena == NULL ? GW_NO_MEMORY : gw_answer_cell_at_level(&saved->answer, cell, level_ppm, arena, &of);
    if (status == GW_INVALID)
        return no_range(saved, ret_problem);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "too_many", "This could not be worked out.", "", "");
    *ret = (gw_combined){.is_estimable = of.estimate != NULL,
                         .estimate = of.estimate == NULL ? 0 : strtod(of.estimate, NULL),
                         .se = end_of(of.se),
                         .lower = strtod(of.lower, NULL),
                         .upper = end_of(of.upper)};
    return GW_OK;
}

// ---- differences

// Each at half the chance: both hold with at least the level.
static gw_status ranges_apart(const gw_saved_group *a, const gw_saved_group *b, uint32_t level_ppm, gw_combined *ret,
                              gw_problem *ret_problem) {
    uint32_t chance = (1000000 - level_ppm) / 2;
    gw_combined one = {0}, other = {0};
    if (chance == 0)
        return gw_figure_refuse("option_value", "That level is too high for a comparison.",
                                "It is made of two ranges that each miss half as often.", "--level 99.9998",
                                ret_problem);
    gw_status status = gw_apart_figure(a, 1000000 - chance, &one, ret_problem);
    if (status == GW_OK)
        status = gw_apart_figure(b, 1000000 - chance, &other, ret_problem);
    if (status != GW_OK)
        return status;
    bool is_one_draw = gw_saved_is_same(a->saved, b->saved);
    *ret = (gw_combined){.is_estimable = one.is_estimable && other.is_estimable,
                         .estimate = one.estimate - other.estimate,
                         .se = is_one_draw ? INFINITY : hypot(one.se, other.se), // of independent noise
                         .lower = isinf(other.upper) ? -INFINITY : one.lower - other.upper,
                         .upper = one.upper - other.lower};
    return GW_OK;
}

static gw_verdict side_of(const gw_combined *difference) {
    if (!difference->is_estimable)
        return GW_VERDICT_UNDECIDED;
    return difference->lower > 0 ? GW_VERDICT_YES : difference->upper < 0 ? GW_VERDICT_NO : GW_VERDICT_UNDECIDED;
}

// Upwards, as long as the ranges lie apart: none above the first level at which they meet counts.
static gw_status confidence_find(const gw_saved_group *a, const gw_saved_group *b, gw_combined *ret,
                                 gw_problem *ret_problem) {
    static const uint32_t levels[] = {500000, 600000, 700000, 800000, 900000, 950000, 960000, 980000, 990000, 999000};
    ret->confidence = 0.5;
    ret->verdict = GW_VERDICT_UNDECIDED;
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        gw_combined at = {0};
        gw_status status = ranges_apart(a, b, levels[i], &at, ret_problem);
        if (status != GW_OK)
            return status;
        if (side_of(&at) == GW_VERDICT_UNDECIDED)
            return GW_OK;
        ret->confidence = (double)levels[i] / 1e6;
        ret->verdict = levels[i] >= GW_LEVEL_95 ? side_of(&at) : GW_VERDICT_UNDECIDED;
    }
    return GW_OK;
}

gw_status gw_apart_difference(const gw_saved_group *a, const gw_saved_group *b, uint32_t level_ppm, gw_combined *ret,
                              gw_problem *ret_problem) {
    gw_status status = ranges_apart(a, b, level_ppm, ret, ret_problem);
    return status == GW_OK ? confidence_find(a, b, ret, ret_problem) : status;
}

gw_status gw_apart_no_sum(const gw_saved *saved, gw_problem *ret_problem) {
    const char *mend = strcmp(saved->answer.statistic, "series") == 0
                           ? "span=cumulative counts all up to a period, with a range; fewer breakdowns count more "
                             "people at once."
                           : "Ask without that breakdown: godwit query … --by";
    return gw_figure_refuse("not_comparable", "Figures of this answer do not add up.",
                            "What is read off a distribution, or shown of unknown keys, does not follow for several "
                            "groups from the figures of each.",
                            mend, ret_problem);
}
