// SPDX-License-Identifier: Apache-2.0
// A plan as the public shape of its answer, with a note on what was bounded and what is not protected. Only policy
// figures are read here.
#include "service/query/encode.h"

#include "privacy/derive/quantile.h"
#include "service/base/check.h"
#include "service/format/figures.h"
#include "service/query/plan_build.h"
#include "service/query/plan_tables.h"
#include "service/release/tables.h"
#include "service/wire/decimal.h"

#include <stdio.h>
#include <stdlib.h>

// Digits that a measured integer has at most, by the public sizes.
static unsigned value_digits(const gw_plan *plan) {
    // Ten times the public size, times the largest contribution; and the noise, of which e^-100 passes 100 scales.
    double largest = 10.0 * (double)plan->policy->planning_size_bucket * (double)plan->bound.sensitivity +
                     100.0 * 1e6 * (double)plan->sensitivity / (double)plan->epsilon.micro;
    unsigned digits = 1;
    while (largest >= 10 && digits < 40) {
        largest /= 10;
        digits++;
    }
    return digits;
}

static void scaled_text(int64_t scaled, unsigned scale, char text[GW_DECIMAL_TEXT]) {
    gw_decimal_format(gw_decimal_of_scaled(scaled, scale), text);
}

// ---- the note

void gw_plan_person_total(const gw_plan *plan, char text[GW_DECIMAL_TEXT]) {
    const gw_column *of = plan->of;
    int64_t step = gw_plan_common_divisor(of->min_scaled, of->grid_scaled);
    scaled_text(of->person_total_scaled / step * step, of->scale, text); // whole steps
}

static const char *too_little(const gw_plan *plan) {
    switch (plan->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_KEYS:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_HISTOGRAM:
        return "counts come out too low";
    case GW_STATISTIC_SUM:
        return plan->of_line.first < 0 ? "sums come out nearer to zero" : "sums come out too low";
    case GW_STATISTIC_NET:
        return "nets leave the rest out";
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_MEAN:
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
    case GW_STATISTIC_RATIO:
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
        return "those with many weigh less than all they have";
    }
    return "";
}

// Of the values that are added up: "EUR", "months", or nothing.
static const char *unit_word(const gw_plan *plan) {
    return plan->of == NULL || plan->of->unit == NULL ? "" : gw_unit_word(plan->of->unit);
}

static void note_bound(const gw_plan *plan, gw_buffer *text) {
    unsigned long long units = (unsigned long long)plan->bound.units;
    const char *s = units == 1 ? "" : "s";
    const char *unit = unit_word(plan);
    char total[GW_DECIMAL_TEXT];
    switch (plan->bound.kind) {
    case GW_BOUND_NONE:
        if (plan->table->rows_per_person_max == 1)
            return;
        if (!plan->is_per_person)
            gw_buffer_format(text, "Every row counts: one person has at most %llu.", units);
        else if (units == 1)
            gw_buffer_text(text, "Each person counts once; none is left out.");
        else
            gw_buffer_format(text, "Each person counts once in every cell they are in, at most %llu; none is left out.",
                             units);
        return;
    case GW_BOUND_KEEP_ROWS:
        gw_buffer_format(
            text, "At most %llu row%s of each person count%s, taken in a random order; where people have more, %s.",
            units, s, units == 1 ? "s" : "", too_little(plan));
        return;
    case GW_BOUND_KEEP_CELLS:
        if (units == 1)
            gw_buffer_format(text, "Each person counts in one cell, taken at random; where people are in more, %s.",
                             too_little(plan));
        else
            gw_buffer_format(text,
                             "Each person counts in at most %llu cell%s, taken in a random order; where people are in "
                             "more, %s.",
                             units, s, too_little(plan));
        return;
    case GW_BOUND_CLAMP_TOTAL:
        gw_plan_person_total(plan, total);
        gw_buffer_format(
            text,
            "The values of each person count up to a total of %s %s, taken in a random order; where people "
            "have more, %s.",
            total, unit[0] == '\0' ? "in all" : unit, too_little(plan));
        return;
    }
}

void gw_plan_bounds_note(const gw_plan *plan, gw_buffer *ret_text) {
    note_bound(plan, ret_text);
    const char *unit = unit_word(plan);
    char number[GW_DECIMAL_TEXT];
    if (plan->is_per_person && plan->unit_width > 0) {
        gw_plan_person_total(plan, number);
        gw_buffer_format(ret_text,
                         " A person's total in a cell counts up to %s%s%s; larger totals make the %s too low.", number,
                         unit[0] == '\0' ? "" : " ", unit, plan->statistic == GW_STATISTIC_MEAN ? "mean" : "spread");
    }
    if (plan->statistic == GW_STATISTIC_SERIES && plan->is_per_person && plan->bound.units > 1)
        gw_buffer_text(ret_text,
                       " What is counted up to a period adds its periods up: who is in several counts in each.");
    if (!plan->weight)
        return;
    const gw_column *weight = plan->weight;
    scaled_text(weight->min_scaled + weight->steps * weight->grid_scaled, weight->scale, number);
    gw_buffer_format(ret_text,
                     "%sWeighted: one %s counts for up to %s; the noise is as large as the largest weight allowed.",
                     ret_text->size > 0 ? " " : "",
                     plan->is_per_person || plan->table->rows_per_person_max == 1 ? "person" : "row", number);
}

static bool conditions_depend(const gw_plan_condition *conditions, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (conditions[i].column->depends_on_household)
            return true;
    return false;
}

bool gw_plan_depends_on_household(const gw_plan *plan) {
    bool depends = (plan->of && plan->of->depends_on_household) || (plan->over && plan->over->depends_on_household) ||
                   (plan->gap.column && plan->gap.column->depends_on_household) ||
                   (plan->weight && plan->weight->depends_on_household);
    for (size_t i = 0; i < plan->axis_count; i++)
        depends |= plan->axes[i].column->depends_on_household;
    return depends || conditions_depend(plan->where, plan->where_count) ||
           conditions_depend(plan->population, plan->population_count) ||
           conditions_depend(plan->numerator, plan->numerator_count) ||
           conditions_depend(plan->plus, plan->plus_count) || conditions_depend(plan->minus, plan->minus_count);
}

static void answer_note(const gw_plan *plan, gw_buffer *text) {
    gw_plan_bounds_note(plan, text);
    if (plan->mechanism == GW_MECHANISM_SELECTION)
        gw_buffer_format(
            text,
            "%sKeys that few people share are not shown, and not all of those that more do; a shown key of a "
            "small count may be too high, as far as its range says.",
            text->size > 0 ? " " : "");
    if (gw_plan_depends_on_household(plan))
        gw_buffer_format(text,
                         "%sHousehold effects are not protected: a value used here moves with other people's records, "
                         "and counts as the person's own.",
                         text->size > 0 ? " " : "");
}

// ---- the answer

typedef struct {
    const char *by[GW_BY_MAX];
    const char *const *codes[GW_BY_MAX];
    size_t sizes[GW_BY_MAX];
    char grid[GW_DECIMAL_TEXT], over_grid[GW_DECIMAL_TEXT], offset[GW_DECIMAL_TEXT], units[24], total[GW_DECIMAL_TEXT];
    char first[GW_DECIMAL_TEXT], width[GW_DECIMAL_TEXT], step[GW_DECIMAL_TEXT], last[GW_DECIMAL_TEXT];
    const char *levels[GW_LEVELS_MAX], **periods;
    gw_release_bins bins;
} shape_texts;

static void shape_axes(const gw_plan *plan, shape_texts *texts, gw_release_shape *shape) {
    size_t bins = plan->statistic == GW_STATISTIC_HISTOGRAM ? 1 : 0; // a breakdown too
    GW_ASSERT(plan->axis_count + bins <= GW_BY_MAX);
    for (size_t i = 0; i < plan->axis_count; i++) {
        texts->by[i] = plan->axes[i].concept;
        texts->codes[i] = plan->axes[i].codes;
        texts->sizes[i] = plan->axes[i].code_count;
    }
    shape->by = texts->by;
    shape->axis_codes = texts->codes;
    shape->axis_sizes = texts->sizes;
    if (bins > 0) {
        texts->by[plan->axis_count] = plan->of->concept;
        texts->codes[plan->axis_count] = plan->grid.keys;
        texts->sizes[plan->axis_count] = plan->grid.count;
    }
    shape->axis_count = plan->axis_count + bins;
}

static void shape_axis_add(shape_texts *texts, gw_release_shape *shape, const char *by, const char *const *codes,
                           size_t count) {
    GW_ASSERT(shape->axis_count < GW_BY_MAX);
    texts->by[shape->axis_count] = by;
    texts->codes[shape->axis_count] = codes;
    texts->sizes[shape->axis_count++] = count;
}

static void bins_of_values(const gw_plan *plan, shape_texts *texts, gw_release_bins *bins) {
    const gw_column *of = plan->of;
    bins->grid = (gw_bin_grid){.first = of->min_scaled + plan->grid.first * of->grid_scaled,
                               .width = plan->grid.width * of->grid_scaled,
                               .step = of->grid_scaled,
                               .last = of->min_scaled + of->steps * of->grid_scaled,
                               .scale = of->scale};
    bins->line_unit = of->unit ? of->unit : "NR";
    scaled_text(bins->grid.first, of->scale, texts->first);
    scaled_text(bins->grid.width, of->scale, texts->width);
    scaled_text(bins->grid.step, of->scale, texts->step);
    scaled_text(bins->grid.last, of->scale, texts->last);
    bins->first = texts->first;
    bins->width = texts->width;
    bins->step = texts->step;
    bins->last = texts->last;
}

static double rank_error(const gw_plan *plan) {
    const gw_quantile_choice choice = {.bin_count = plan->grid.count,
                                       .level = {plan->levels[0].numerator, plan->levels[0].denominator},
                                       .unit_sensitivity = plan->bound.sensitivity};
    return gw_quantile_choice_half_width(&choice, plan->epsilon, GW_LEVEL_95) *
           gw_plan_number(plan->step_scaled, plan->step_scale);
}

// The breakdowns that a statistic has of its own, behind those that were asked for.
static gw_status bins_axes(const gw_plan *plan, shape_texts *texts, gw_release_shape *shape) {
    static const char *const spans[] = {"period", "cumulative"};
    for (size_t i = 0; i < plan->level_count; i++)
        texts->levels[i] = plan->levels[i].text;
    if (plan->statistic == GW_STATISTIC_QUANTILE)
        shape_axis_add(texts, shape, GW_BY_QUANTILE, texts->levels, plan->level_count);
    if (plan->statistic != GW_STATISTIC_SERIES)
        return GW_OK;
    texts->periods = calloc(plan->grid.count, sizeof *texts->periods);
    if (!texts->periods)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < plan->grid.count; i++)
        texts->periods[i] = plan->of->codelist.codes[(size_t)plan->grid.first + i].id;
    shape_axis_add(texts, shape, plan->of->concept, texts->periods, plan->grid.count);
    shape_axis_add(texts, shape, GW_BY_SPAN, spans, 2);
    return GW_OK;
}

static gw_status shape_bins(const gw_plan *plan, shape_texts *texts, gw_release_shape *shape) {
    if (!gw_plan_is_by_grid(plan->statistic))
        return GW_OK;
    gw_release_bins *bins = &texts->bins;
    *bins = (gw_release_bins){.tree = plan->tree,
                              .group_count = plan->group_count,
                              .group_axes = plan->axis_count,
                              .bin_count = plan->grid.count,
                              .levels = plan->shape.levels,
                              .level_texts = texts->levels,
                              .level_count = plan->level_count,
                              .fraction = {plan->fraction.numerator, plan->fraction.denominator},
                              .fraction_text = plan->fraction.text};
    if (plan->statistic != GW_STATISTIC_SERIES)
        bins_of_values(plan, texts, bins);
    if (plan->mechanism == GW_MECHANISM_PICK)
        bins->rank_error = rank_error(plan);
    shape->bins = bins;
    return bins_axes(plan, texts, shape);
}

// The keys are the answer's one breakdown.
static void shape_keys(const gw_plan *plan, shape_texts *texts, gw_release_shape *shape) {
    texts->by[0] = plan->of->concept;
    shape->by = texts->by;
    shape->axis_count = 1;
    shape->key_bytes_max = plan->of->text_bytes_max;
    shape->delta.atto = plan->delta;
}

// What bounding did; nothing where a person is one row that counts once, by values that are the person's own.
static void shape_bounds(const gw_plan *plan, shape_texts *texts, const char *note, gw_release_shape *shape) {
    if (note[0] == '\0')
        return;
    bool is_total = plan->bound.kind == GW_BOUND_CLAMP_TOTAL;
    snprintf(texts->units, sizeof texts->units, "%llu", (unsigned long long)plan->bound.units);
    if (is_total)
        gw_plan_person_total(plan, texts->total);
    shape->is_per_person = plan->is_per_person || plan->table->rows_per_person_max == 1;
    shape->is_weighted = plan->weight != NULL;
    shape->bounds_kind = gw_bound_kind_name(plan->bound.kind);
    shape->bounds_units = is_total ? NULL : texts->units;
    shape->bounds_total = is_total ? texts->total : NULL;
    shape->bounds_note = note;
}

// Several tables: their shapes, and what is measured.
typedef struct {
    gw_marginals_law law;
    gw_release_table items[GW_TABLES_MAX];
    gw_release_tables tables;
} shape_tables;

static gw_status tables_of(const gw_plan *plan, gw_epsilon epsilon, shape_tables *ret) {
    for (size_t i = 0; i < plan->table_count; i++)
        ret->items[i] = (gw_release_table){.axes = plan->tables[i].axes, .is_asked = plan->tables[i].is_asked};
    ret->tables = (gw_release_tables){.law = &ret->law, .tables = ret->items, .count = plan->table_count};
    return gw_plan_tables_law(plan, epsilon, &ret->law);
}

static size_t tables_bytes(const gw_plan *plan, const gw_release_shape *shape) {
    shape_tables tables;
    gw_status status = tables_of(plan, plan->epsilon, &tables);
    return status == GW_OK ? gw_release_tables_bytes_max(shape, &tables.tables) : SIZE_MAX;
}

size_t gw_plan_answer_bytes(const gw_plan *plan) {
    shape_texts texts = {.periods = NULL};
    gw_release_shape shape = {.decimals = plan->decimals,
                              .step_scaled = plan->step_scaled,
                              .part_count = plan->part_count,
                              .gap_concept = plan->gap.concept,
                              .value_digits = value_digits(plan)};
    if (plan->mechanism == GW_MECHANISM_SELECTION) {
        shape_keys(plan, &texts, &shape);
        return gw_release_keys_bytes_max(&shape, plan->cell_count);
    }
    shape_axes(plan, &texts, &shape);
    if (plan->table_count > 0)
        return tables_bytes(plan, &shape);
    gw_status status = shape_bins(plan, &texts, &shape);
    size_t bytes = status == GW_OK ? gw_release_bytes_max(&shape, plan->cell_count) : SIZE_MAX;
    free(texts.periods);
    return bytes;
}

static gw_release_shape shape_of(const gw_plan_answer *answer, shape_texts *texts) {
    const gw_plan *plan = answer->plan;
    gw_release_shape shape = {.dataset = plan->policy->dataset,
                              .data_version = answer->data_version,
                              .release = answer->release,
                              .indicator = plan->indicator ? plan->indicator->id : NULL,
                              .indicator_version = plan->indicator ? plan->indicator->version : 0,
                              .of = plan->of ? plan->of->concept : NULL,
                              .notice = answer->notice ? answer->notice : plan->policy->notice,
                              .unit = plan->unit,
                              .policy_version = plan->policy->version,
                              .question = answer->question,
                              .statistic = plan->statistic,
                              .decimals = plan->decimals,
                              .noise = answer->laws->noise,
                              .grid = texts->grid,
                              .offset = texts->offset,
                              .step_scaled = plan->step_scaled,
                              .step_scale = plan->step_scale,
                              .minimum = gw_plan_number(plan->offset_scaled, plan->step_scale),
                              .range = plan->shape.range,
                              .width = (uint64_t)plan->unit_width,
                              .over = plan->over ? plan->over->concept : NULL,
                              .over_grid = plan->over ? texts->over_grid : NULL,
                              .gap_concept = plan->gap.concept,
                              .gap_group = plan->gap.codes[0],
                              .gap_reference = plan->gap.codes[1],
                              .part_count = plan->part_count,
                              .value_digits = value_digits(plan),
                              .is_dummy = answer->is_dummy};
    scaled_text(plan->step_scaled, plan->step_scale, texts->grid);
    scaled_text(plan->over_step_scaled, plan->over_step_scale, texts->over_grid);
    scaled_text(plan->offset_scaled, plan->step_scale, texts->offset);
    if (plan->mechanism == GW_MECHANISM_SELECTION)
        shape_keys(plan, texts, &shape);
    else
        shape_axes(plan, texts, &shape);
    return shape;
}

// What every encoding begins with; the note lives until the caller ends it.
static gw_status shape_begin(const gw_plan_answer *answer, shape_texts *texts, gw_buffer *note,
                             gw_release_shape *ret_shape) {
    gw_buffer_init(note, GW_PLAN_NOTE_MAX);
    answer_note(answer->plan, note);
    *ret_shape = shape_of(answer, texts);
    shape_bounds(answer->plan, texts, gw_buffer_string(note), ret_shape);
    return note->status;
}

gw_status gw_plan_encode(const gw_plan_answer *answer, const gw_released_table *table, gw_hash salt,
                         gw_buffer *ret_document) {
    shape_texts texts = {.periods = NULL};
    gw_buffer note;
    gw_release_shape shape;
    gw_status status = shape_begin(answer, &texts, &note, &shape);
    if (status == GW_OK)
        status = shape_bins(answer->plan, &texts, &shape);
    shape_tables tables;
    if (status == GW_OK && answer->plan->table_count > 0) {
        status = tables_of(answer->plan, answer->plan->epsilon, &tables);
        if (status == GW_OK)
            status = gw_release_tables_encode(&shape, &tables.tables, table, salt, ret_document);
    } else if (status == GW_OK) {
        status = gw_release_encode(&shape, answer->laws->ranges, table, salt, ret_document);
    }
    gw_buffer_done(&note);
    free(texts.periods);
    return status;
}

gw_status gw_plan_encode_keys(const gw_plan_answer *answer, const gw_released_keys *keys, gw_hash salt,
                              gw_buffer *ret_document) {
    shape_texts texts;
    gw_buffer note;
    gw_release_shape shape;
    gw_status status = shape_begin(answer, &texts, &note, &shape);
    if (status == GW_OK)
        status = gw_release_encode_keys(&shape, answer->laws->figures, keys, salt, ret_document);
    gw_buffer_done(&note);
    return status;
}
