// SPDX-License-Identifier: Apache-2.0
// What may be said of released figures, from saved answers alone: is A higher than B, how many times B is A, what do
// cells add up to. Ranges are those of the difference, the quotient, the sum itself; nobody looks at two bars.
#include "client/cli/apart.h"
#include "client/cli/commands.h"
#include "client/cli/figure.h"
#include "client/cli/margin.h"
#include "client/cli/say_answer.h"
#include "client/cli/say_grid.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/figures.h"
#include <math.h>
#include <string.h>

#define ARENA_BYTES_MAX 1073741824u
#define QUOTIENT_DECIMALS 3u

GW_DEFINE_FREEP(gw_arena, gw_arena_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    const char *sum, *level;
    bool ratio;
} compare_options;
static const gw_option options_of_compare[] = {
    {"ratio", 0, GW_OPTION_FLAG, offsetof(compare_options, ratio), NULL, "A / B instead of A - B (counts and sums)"},
    {"sum", 0, GW_OPTION_TEXT, offsetof(compare_options, sum), "A,B",
     "add up over these concepts of the breakdown; \"all\": over every one"},
    GW_LEVEL_OPTION(compare_options, level),
};

// Two groups of cells beside each other.
typedef struct {
    gw_saved saved[2];
    gw_saved_proof proof[2];
    size_t saved_count; // files read
    gw_saved_group groups[2];
    gw_combined sides[2], result;
    const char *unit;
    unsigned decimals;
    uint32_t level_ppm;
} comparison;

static gw_status difference_of(const gw_saved_group *a, const gw_saved_group *b, uint32_t level_ppm, gw_combined *ret,
                               gw_problem *ret_problem) {
    if (gw_apart_is(a->saved) || gw_apart_is(b->saved) || a->saved->statistic == GW_STATISTIC_RATIO)
        return gw_apart_difference(a, b, level_ppm, ret, ret_problem);
    if (gw_saved_is_spread(a->saved)) {
        gw_moments one = gw_saved_moments(a), other = gw_saved_moments(b);
        bool is_sd = a->saved->statistic == GW_STATISTIC_SD;
        return gw_figure_checked(gw_moments_difference(&one, &other, is_sd, level_ppm, ret), ret_problem);
    }
    if (!gw_saved_is_ratio(a->saved)) {
        gw_combine_part one = gw_saved_sum(a, 0), other = gw_saved_sum(b, 0);
        return gw_figure_checked(gw_combine_difference(&one, &other, level_ppm, ret), ret_problem);
    }
    if (a->saved->statistic == GW_STATISTIC_SHARE && gw_saved_is_same(a->saved, b->saved)) {
        gw_combine_shares shares = {gw_saved_sum(a, 0), gw_saved_sum(b, 0), gw_saved_rest(a, b), a->saved->range};
        return gw_figure_checked(gw_combine_share_difference(&shares, level_ppm, ret), ret_problem);
    }
    gw_combine_ratio one = gw_saved_ratio(a), other = gw_saved_ratio(b);
    return gw_figure_checked(gw_combine_ratio_difference(&one, &other, level_ppm, ret), ret_problem);
}

static gw_status quotient_of(const gw_saved_group *a, const gw_saved_group *b, uint32_t level_ppm, gw_combined *ret,
                             gw_problem *ret_problem) {
    bool is_share = a->saved->statistic == GW_STATISTIC_SHARE && gw_saved_is_same(a->saved, b->saved);
    for (int i = 0; i < 2; i++) {
        gw_statistic statistic = i == 0 ? a->saved->statistic : b->saved->statistic;
        bool is_apart = gw_apart_is(a->saved) || gw_apart_is(b->saved);
        if (is_apart || (statistic != GW_STATISTIC_COUNT && statistic != GW_STATISTIC_HISTOGRAM &&
                         statistic != GW_STATISTIC_SUM && !is_share))
            return gw_figure_refuse(
                "not_comparable", "There is no range for this quotient.",
                "--ratio is of two counts or sums, which are never below zero; rates and means differ by "
                "points, and net flows may be zero.",
                "Leave --ratio out: the difference has a range.", ret_problem);
    }
    gw_combine_part one = gw_saved_sum(a, 0), other = gw_saved_sum(b, 0);
    return gw_figure_checked(gw_combine_quotient(&one, &other, level_ppm, ret), ret_problem);
}

static bool texts_equal(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static gw_status comparable_check(const comparison *c, bool is_ratio, gw_problem *ret_problem) {
    const gw_answer *a = &c->groups[0].saved->answer, *b = &c->groups[1].saved->answer;
    if (gw_saved_overlap(&c->groups[0], &c->groups[1]))
        return gw_figure_refuse("same_cells", "A cell stands on both sides.",
                                "Its noise would be on both sides too, and a range for the two would be wrong.",
                                "Name groups that share no cell.", ret_problem);
    bool is_same = strcmp(a->statistic, b->statistic) == 0 && strcmp(a->unit, b->unit) == 0 &&
                   texts_equal(a->of, b->of) && a->is_per_person == b->is_per_person &&
                   a->is_weighted == b->is_weighted;
    if (is_same || is_ratio) // counts per sum are as good as counts per count
        return GW_OK;
    gw_status status =
        gw_figure_refuse("not_comparable", "These two answers are not of one kind.", "",
                         "Compare answers of one indicator; --ratio divides counts and sums.", ret_problem);
    gw_problem_why(ret_problem, "%s is a %s in %s, %s a %s in %s, or one counts persons or weights and the other not.",
                   a->release, a->statistic, a->unit, b->release, b->statistic, b->unit);
    return status;
}

// ---- notes

static bool is_dummy(const comparison *c) {
    return c->saved[0].answer.is_dummy || (c->saved_count > 1 && c->saved[1].answer.is_dummy);
}

static const char *notice_of(const comparison *c) {
    if (is_dummy(c))
        return GW_FIGURE_DUMMY;
    const char *notice = c->saved[0].answer.notice;
    return notice == NULL && c->saved_count > 1 ? c->saved[1].answer.notice : notice;
}

// What the figures alone do not show.
static void cautions_note(gw_cli *cli, const comparison *c) {
    const gw_answer *a = &c->saved[0].answer, *b = &c->saved[c->saved_count - 1].answer;
    if (strcmp(a->dataset, b->dataset) != 0)
        gw_note(cli, "note: two datasets, %s and %s: they may be about different people.\n", a->dataset, b->dataset);
    else if (strcmp(a->data_version, b->data_version) != 0)
        gw_note(cli, "note: two versions of the data: corrections may be part of the difference.\n");
    if (!texts_equal(a->indicator, b->indicator) || a->indicator_version != b->indicator_version)
        gw_note(cli, "note: two indicators, or two versions of one: their definitions may differ.\n");
    else if (strcmp(a->question, b->question) != 0)
        gw_note(cli, "note: two questions: an answer does not hold its filters; see that both are about the people "
                     "you mean.\n");
}

// ---- saying

static const char *unit_word(const comparison *c) {
    gw_statistic statistic = c->saved[0].statistic;
    if (statistic == GW_STATISTIC_RATE || statistic == GW_STATISTIC_SHARE || statistic == GW_STATISTIC_POVERTY ||
        statistic == GW_STATISTIC_GINI)
        return "points";
    return gw_unit_word(c->unit);
}

// "19 times in 20", or how often the range that was asked for holds.
static const char *how_often(uint32_t level_ppm, gw_arena *arena) {
    const char *text =
        level_ppm == GW_LEVEL_95 ? NULL : gw_arena_format(arena, "in %.6g %% of releases", (double)level_ppm / 1e4);
    return text == NULL ? "19 times in 20" : text;
}

static void range_say(gw_cli *cli, const char *label, const comparison *c, const char *unit, gw_arena *arena) {
    const gw_combined *figure = &c->result;
    unsigned decimals = c->decimals;
    const char *often = how_often(c->level_ppm, arena);
    gw_figure_texts texts = gw_figure_texts_of(figure, decimals);
    const char *space = unit[0] == '\0' ? "" : " ";
    if (!figure->is_estimable)
        gw_say_field(cli, label, "not determinable: too uncertain after protection");
    else if (isinf(figure->upper))
        gw_say_field(cli, label, "about %s%s%s, %s at least %s", gw_figure_said(cli, texts.estimate, arena), space,
                     unit, often, gw_figure_said(cli, texts.lower, arena));
    else
        gw_say_field(cli, label, "about %s%s%s, %s between %s and %s", gw_figure_said(cli, texts.estimate, arena),
                     space, unit, often, gw_figure_said(cli, texts.lower, arena),
                     gw_figure_said(cli, texts.upper, arena));
}

static void side_say(gw_cli *cli, const comparison *c, int side, gw_arena *arena) {
    const gw_saved_group *group = &c->groups[side];
    gw_figure_texts texts = gw_figure_texts_of(&c->sides[side], (unsigned)group->saved->answer.decimals);
    const char *estimate = c->sides[side].is_estimable ? gw_figure_said(cli, texts.estimate, arena) : "too uncertain";
    gw_say_field(cli, side == 0 ? "A" : "B", "%s (%s to %s) · %s · %zu %s of %s", estimate,
                 gw_figure_said(cli, texts.lower, arena), gw_figure_said(cli, texts.upper, arena), group->key,
                 group->cell_count, group->cell_count == 1 ? "cell" : "cells", group->saved->answer.release);
}

static void verdict_say(gw_cli *cli, const comparison *c) {
    char line[1024], percent[GW_FIGURE_TEXT];
    const char *a = c->groups[0].key, *b = c->groups[1].key;
    const gw_combined *result = &c->result;
    if (result->verdict == GW_VERDICT_YES)
        gw_ignore(snprintf(line, sizeof(line), "Yes: %.400s is higher than %.400s.", a, b));
    else if (result->verdict == GW_VERDICT_NO)
        gw_ignore(snprintf(line, sizeof(line), "No: %.400s is higher than %.400s.", b, a));
    else
        gw_ignore(snprintf(line, sizeof(line), "Not determinable whether %.400s is higher than %.400s.", a, b));
    gw_say_wrapped(cli, line);
    if (!result->is_estimable)
        return;
    double chance = fmax(0.001, gw_figure_outwards(1 - result->confidence, 3, true));
    gw_figure_number(100 * chance, 1, percent);
    gw_say_field(cli, "Sure",
                 "%s: if it were not so, noise alone would show a difference this large in at most %s %% "
                 "of releases (95 %% sure is asked for). Noise only: errors of the register and of "
                 "sampling are not in it.",
                 result->verdict == GW_VERDICT_UNDECIDED ? "not enough" : "yes", percent);
}

static void table_say(gw_cli *cli, const comparison *c, bool is_ratio, gw_arena *arena) {
    const char *notice = notice_of(c);
    if (notice != NULL)
        gw_say_field(cli, "Notice", "%s", notice);
    if (!is_ratio)
        verdict_say(cli, c);
    range_say(cli, is_ratio ? "A / B" : "Difference", c, is_ratio ? "" : unit_word(c), arena);
    side_say(cli, c, 0, arena);
    side_say(cli, c, 1, arena);
    for (size_t i = 0; i < c->saved_count; i++)
        gw_proof_say(cli, &c->saved[i], c->proof[i]);
}

static const gw_grid_column columns_of_compare[] = {
    {"a", "", GW_ALIGN_LEFT, false},          {"b", "", GW_ALIGN_LEFT, false},
    {"operation", "", GW_ALIGN_LEFT, false},  {"estimate", "", GW_ALIGN_LEFT, false},
    {"lower", "", GW_ALIGN_LEFT, false},      {"upper", "", GW_ALIGN_LEFT, false},
    {"se", "", GW_ALIGN_LEFT, false},         {"unit", "", GW_ALIGN_LEFT, false},
    {"statistic", "", GW_ALIGN_LEFT, false},  {"verdict", "", GW_ALIGN_LEFT, false},
    {"confidence", "", GW_ALIGN_LEFT, false}, {"release_a", "", GW_ALIGN_LEFT, false},
    {"release_b", "", GW_ALIGN_LEFT, false},  {"receipt_a", "", GW_ALIGN_LEFT, false},
    {"receipt_b", "", GW_ALIGN_LEFT, false},  {"notice", "", GW_ALIGN_LEFT, false}};

static gw_exit_code rows_say(gw_cli *cli, const comparison *c, bool is_ratio) {
    static const char *const verdicts[] = {"not determinable", "yes", "no"};
    GW_CLEANUP(gw_grid_freep)
    gw_grid *grid = gw_grid_new(columns_of_compare, sizeof(columns_of_compare) / sizeof(columns_of_compare[0]));
    if (grid == NULL)
        return GW_EXIT_FAILED;
    gw_figure_texts texts = gw_figure_texts_of(&c->result, c->decimals);
    char confidence[GW_FIGURE_TEXT];
    gw_figure_number(gw_figure_outwards(c->result.confidence, 4, false), 4, confidence);
    const char *row[] = {c->groups[0].key,
                         c->groups[1].key,
                         is_ratio ? "ratio" : "difference",
                         texts.estimate[0] == '\0' ? NULL : texts.estimate,
                         texts.lower,
                         texts.upper[0] == '\0' ? NULL : texts.upper,
                         texts.se[0] == '\0' ? NULL : texts.se,
                         is_ratio ? NULL : c->unit,
                         c->saved[0].answer.statistic,
                         is_ratio ? NULL : verdicts[c->result.verdict],
                         is_ratio || !c->result.is_estimable ? NULL : confidence,
                         c->groups[0].saved->answer.release,
                         c->groups[1].saved->answer.release,
                         gw_proof_word(c->proof[0]),
                         gw_proof_word(c->proof[c->saved_count - 1]),
                         notice_of(c)};
    gw_grid_add(grid, row);
    return gw_say_grid(cli, grid);
}

// ---- two groups

// words: FILE KEY KEY, or FILE KEY FILE KEY.
static gw_status comparison_read(gw_cli *cli, const gw_words *words, gw_arena *arena, comparison *c,
                                 gw_problem *ret_problem) {
    c->saved_count = words->count == 4 ? 2 : 1;
    gw_status status = GW_OK;
    for (size_t i = 0; i < c->saved_count && status == GW_OK; i++)
        status = gw_saved_read(cli, words->items[2 * i], arena, &c->saved[i], &c->proof[i], ret_problem);
    const char *const keys[] = {words->items[1], words->items[words->count - 1]};
    for (size_t i = 0; i < 2 && status == GW_OK; i++)
        status = gw_saved_pick(&c->saved[c->saved_count == 2 ? i : 0], keys[i], arena, &c->groups[i], ret_problem);
    return status;
}

static gw_status comparison_make(gw_cli *cli, const gw_words *words, bool is_ratio, gw_arena *arena, comparison *c,
                                 gw_problem *ret_problem) {
    gw_status status = comparison_read(cli, words, arena, c, ret_problem);
    if (status == GW_OK)
        status = comparable_check(c, is_ratio, ret_problem);
    if (status == GW_OK)
        status = is_ratio ? quotient_of(&c->groups[0], &c->groups[1], c->level_ppm, &c->result, ret_problem)
                          : difference_of(&c->groups[0], &c->groups[1], c->level_ppm, &c->result, ret_problem);
    for (size_t i = 0; i < 2 && status == GW_OK; i++)
        status = gw_apart_figure(&c->groups[i], c->level_ppm, &c->sides[i], ret_problem);
    if (status != GW_OK)
        return status;
    c->unit = c->saved[0].answer.unit;
    c->decimals = is_ratio ? QUOTIENT_DECIMALS : (unsigned)c->saved[0].answer.decimals;
    return GW_OK;
}

// combine.h takes both to be zero or more; an answer does not say whether a sum can be below.
static void quotient_note(gw_cli *cli, const comparison *c) {
    for (int i = 0; i < 2; i++)
        if (c->groups[i].saved->statistic == GW_STATISTIC_SUM) {
            gw_note(cli, "note: the range of a quotient takes both sums to be zero or more.\n");
            return;
        }
}

static gw_exit_code compare_two(gw_cli *cli, const gw_words *words, bool is_ratio, uint32_t level_ppm,
                                gw_arena *arena) {
    comparison c = {.level_ppm = level_ppm};
    gw_problem problem;
    if (comparison_make(cli, words, is_ratio, arena, &c, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    gw_exit_code code = GW_EXIT_DONE;
    if (cli->output == GW_OUTPUT_TABLE)
        table_say(cli, &c, is_ratio, arena);
    else
        code = rows_say(cli, &c, is_ratio);
    cautions_note(cli, &c);
    if (is_ratio)
        quotient_note(cli, &c);
    for (size_t i = 0; i < 2; i++)
        gw_pooled_note(cli, c.groups[i].saved, c.groups[i].cell_count);
    return code;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    const compare_options *options = state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_BYTES_MAX);
    GW_ASSERT(arena != NULL);
    if (options->sum != NULL && (options->ratio || words->count != 1))
        return gw_usage(cli, "--sum adds up one answer's cells.", "godwit compare FILE --sum sex");
    uint32_t level_ppm;
    gw_problem problem;
    if (gw_level_read(cli, options->level, &level_ppm, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    level_ppm = level_ppm == 0 ? GW_LEVEL_95 : level_ppm;
    if (options->sum != NULL)
        return gw_margin_say(cli, words->items[0], options->sum, level_ppm, arena);
    if (words->count < 3)
        return gw_usage(cli, "Which two figures?",
                        "godwit compare FILE KEY KEY, FILE KEY FILE KEY, or FILE --sum CONCEPT");
    return compare_two(cli, words, options->ratio, level_ppm, arena);
}

const gw_command gw_command_compare = {
    .name = "compare",
    .group = "Researcher",
    .arguments = "FILE KEY [FILE] KEY [--ratio] | FILE --sum A,B",
    .summary = "may I say A > B? differences, quotients and sums of saved answers, with ranges of their own",
    .examples = "godwit compare GW-2026-000143.answer.json c_birth=NAT,sex=F c_birth=NEU_FOR,sex=F\n"
                "godwit compare GW-2026-000143 sex=F GW-2026-000207 sex=F\n"
                "godwit compare GW-2026-000143 --sum sex\n"
                "godwit compare GW-2026-000150 reason=EMP reason=FAM --ratio\n",
    GW_OPTIONS(options_of_compare),
    .options_size = sizeof(compare_options),
    .words_min = 1,
    .words_max = 4,
    .run = run,
};
