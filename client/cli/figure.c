// SPDX-License-Identifier: Apache-2.0
// Figures from parts, and their texts.
#include "client/cli/figure.h"
#include "service/base/check.h"
#include <math.h>
#include <string.h>

void gw_figure_number(double value, unsigned decimals, char text[GW_FIGURE_TEXT]) {
    if (isinf(value)) {
        text[0] = '\0';
        return;
    }
    gw_ignore(snprintf(text, GW_FIGURE_TEXT, "%.*f", (int)decimals, value)); // cut short only beyond any figure
    if (text[0] == '-' && strspn(text + 1, "0.") == strlen(text + 1))
        memmove(text, text + 1, strlen(text)); // no negative zero
}

// Ends of ranges are rounded outwards.
double gw_figure_outwards(double value, unsigned decimals, bool is_up) {
    double power = pow(10, decimals), scaled = value * power;
    return (is_up ? ceil(scaled - 1e-9) : floor(scaled + 1e-9)) / power;
}

gw_figure_texts gw_figure_texts_of(const gw_combined *figure, unsigned decimals) {
    gw_figure_texts texts = {0};
    gw_figure_number(gw_figure_outwards(figure->lower, decimals, false), decimals, texts.lower);
    gw_figure_number(gw_figure_outwards(figure->upper, decimals, true), decimals, texts.upper);
    if (!figure->is_estimable)
        return texts;
    gw_figure_number(figure->estimate, decimals, texts.estimate);
    gw_figure_number(figure->se, decimals + 1, texts.se);
    return texts;
}

// "-1,204.5", in the reader's own signs.
const char *gw_figure_said(const gw_cli *cli, const char *number, gw_arena *arena) {
    gw_buffer text;
    gw_buffer_init(&text, 4 * GW_FIGURE_TEXT);
    gw_text_number(&text, number, &cli->numbers);
    const char *copy = gw_arena_string(arena, gw_buffer_string(&text));
    gw_buffer_done(&text);
    return copy == NULL ? number : copy;
}

// ---- figures of groups

gw_status gw_figure_refuse(const char *code, const char *what, const char *why, const char *mend,
                           gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_INVALID, code, what, why, mend);
}

// What combine.h refuses is not a figure: a share of the whole in itself, integers that no release holds.
gw_status gw_figure_checked(gw_status status, gw_problem *ret_problem) {
    if (status == GW_OK)
        return GW_OK;
    if (status != GW_INVALID)
        return gw_problem_set(ret_problem, status, "too_many", "This could not be worked out.", "", "");
    return gw_figure_refuse("not_comparable", "These cells have no such figure.",
                            "A share needs other cells to be a share of, and every figure some noise.",
                            "Name fewer cells: a key without all codes takes the cells that match together.",
                            ret_problem);
}

// In the unit of the one concept over that of the other.
static gw_status quotient_of(const gw_saved_group *group, uint32_t level_ppm, gw_combined *ret,
                             gw_problem *ret_problem) {
    gw_combine_part of = gw_saved_sum(group, 0), over = gw_saved_sum(group, 1);
    gw_status status = gw_figure_checked(gw_combine_quotient(&of, &over, level_ppm, ret), ret_problem);
    double *const figures[] = {&ret->estimate, &ret->se, &ret->lower, &ret->upper};
    for (size_t i = 0; status == GW_OK && i < sizeof(figures) / sizeof(figures[0]); i++)
        *figures[i] *= group->saved->range;
    return status;
}

gw_status gw_figure_of(const gw_saved_group *group, uint32_t level_ppm, gw_combined *ret, gw_problem *ret_problem) {
    if (gw_saved_is_ratio(group->saved)) {
        gw_combine_ratio ratio = gw_saved_ratio(group);
        return gw_figure_checked(gw_combine_pooled(&ratio, level_ppm, ret), ret_problem);
    }
    if (gw_saved_is_spread(group->saved)) {
        gw_moments moments = gw_saved_moments(group);
        bool is_sd = group->saved->statistic == GW_STATISTIC_SD;
        return gw_figure_checked(is_sd ? gw_moments_sd(&moments, level_ppm, ret)
                                       : gw_moments_variance(&moments, level_ppm, ret),
                                 ret_problem);
    }
    if (group->saved->statistic == GW_STATISTIC_RATIO)
        return quotient_of(group, level_ppm, ret, ret_problem);
    gw_combine_part part = gw_saved_sum(group, 0);
    return gw_figure_checked(gw_combine_sum(&part, 1, level_ppm, ret), ret_problem);
}

const char *gw_proof_word(gw_saved_proof proof) {
    static const char *const words[] = {"proven", "none", "not checked", "dummy"};
    return words[proof];
}

void gw_proof_say(gw_cli *cli, const gw_saved *saved, gw_saved_proof proof) {
    static const char *const texts[] = {
        "charged and released as it is: its receipt holds",
        "no receipt lies beside it: nothing shows that it was released like this",
        "its receipt was not checked: no log key is known here (godwit audit receipt --log-key VKEY)",
        "NOT REAL: made from the policy alone, no person is in it"};
    gw_say_field(cli, "Proof", "%s · %s", saved->answer.release, texts[proof]);
}

void gw_pooled_note(gw_cli *cli, const gw_saved *saved, size_t cells) {
    const char *units = saved->answer.bounds_units;
    if (cells > 1 && saved->answer.is_per_person && units != NULL && strcmp(units, "1") != 0)
        gw_note(cli, "note: a person can be in several of these cells, and counts in each of them.\n");
}
