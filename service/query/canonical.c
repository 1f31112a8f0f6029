// SPDX-License-Identifier: Apache-2.0
// The three texts of a plan: its canonical question, its title for people, and the layout of a policy's tables.
#include "service/query/plan.h"
#include "service/query/plan_build.h"

#include "service/base/check.h"

#include <string.h>

static void write_range(gw_buffer *text, const char *concept, int64_t low, int64_t high, const char **comma) {
    gw_buffer_format(text, "%s[\"%s\",%lld,%lld]", *comma, concept, (long long)low, (long long)high);
    *comma = ",";
}

static void write_ranges(gw_buffer *text, const gw_plan_condition *conditions, size_t count, const char **comma) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < conditions[i].range_count; k++)
            write_range(text, conditions[i].column->concept, conditions[i].ranges[k][0], conditions[i].ranges[k][1],
                        comma);
}

static void write_axis_bands(const gw_plan_axis *axis, gw_buffer *text, const char **comma) {
    for (size_t k = 0; axis->banding && k < axis->code_count; k++)
        if (axis->positions[k] < axis->banding->band_count)
            write_range(text, axis->concept, axis->banding->bands[axis->positions[k]].low,
                        axis->banding->bands[axis->positions[k]].high, comma);
}

// What a band's code stands for, in steps: a policy may cut a banding anew without a new data version, and the same
// codes are then another question.
static void write_bands(const gw_plan *plan, gw_buffer *ret_text) {
    const char *comma = ",\"bands\":[";
    write_ranges(ret_text, plan->where, plan->where_count, &comma);
    write_ranges(ret_text, plan->population, plan->population_count, &comma);
    write_ranges(ret_text, plan->numerator, plan->numerator_count, &comma);
    write_ranges(ret_text, plan->plus, plan->plus_count, &comma);
    write_ranges(ret_text, plan->minus, plan->minus_count, &comma);
    for (size_t i = 0; i < plan->axis_count; i++)
        write_axis_bands(&plan->axes[i], ret_text, &comma);
    if (plan->gap.column) {
        const gw_plan_axis gap = gw_plan_gap_axis(plan);
        write_axis_bands(&gap, ret_text, &comma);
    }
    if (comma[1] == '\0') // something was written
        gw_buffer_text(ret_text, "]");
}

// Those that were asked; what else is measured follows from them.
static void write_tables(const gw_plan *plan, gw_buffer *text) {
    const char *table_comma = "";
    if (plan->table_count == 0)
        return;
    gw_json_write_name(text, "tables");
    gw_buffer_text(text, "[");
    for (size_t i = 0; i < plan->table_count; i++) {
        const char *comma = "";
        if (!plan->tables[i].is_asked)
            continue;
        gw_buffer_format(text, "%s[", table_comma);
        for (size_t axis = 0; axis < plan->axis_count; axis++) {
            if ((plan->tables[i].axes >> axis & 1) == 0)
                continue;
            gw_buffer_text(text, comma);
            gw_json_write_string(text, plan->axes[axis].concept);
            comma = ",";
        }
        gw_buffer_text(text, "]");
        table_comma = ",";
    }
    gw_buffer_text(text, "]");
}

static void write_conditions(gw_buffer *text, const char *name, const gw_plan_condition *conditions, size_t count) {
    gw_json_write_name(text, name);
    gw_buffer_text(text, "[");
    for (size_t i = 0; i < count; i++) {
        gw_buffer_text(text, i ? "," : "");
        gw_buffer_text(text, conditions[i].text);
    }
    gw_buffer_text(text, "]");
}

// The bound, because a policy may change it without a new data version.
static void write_bound(const gw_plan *plan, gw_buffer *text) {
    gw_json_write_name(text, "bound");
    gw_buffer_text(text, "{");
    gw_json_write_member(text, "kind", gw_bound_kind_name(plan->bound.kind));
    if (plan->bound.kind == GW_BOUND_CLAMP_TOTAL)
        gw_json_write_integer(text, "total", (int64_t)plan->bound.total);
    else
        gw_json_write_integer(text, "units", (int64_t)plan->bound.units);
    if (plan->is_per_person && plan->unit_width > 0)
        gw_json_write_integer(text, "person_total", plan->unit_width);
    gw_buffer_text(text, "}");
}

static void write_delta(const gw_plan *plan, gw_buffer *text) {
    char delta[GW_DELTA_TEXT];
    gw_delta_format((gw_delta){plan->delta}, delta);
    gw_json_write_member(text, "delta", delta);
}

// What is counted and how often. Nothing is written where a person is one row that counts once.
static void write_unit(const gw_plan *plan, gw_buffer *text) {
    bool is_many = plan->table->rows_per_person_max > 1;
    if (!plan->indicator && plan->statistic == GW_STATISTIC_NET) {
        write_conditions(text, "plus", plan->plus, plan->plus_count);
        write_conditions(text, "minus", plan->minus, plan->minus_count);
    }
    if (is_many)
        gw_json_write_member(text, "per", plan->is_per_person ? "person" : "row");
    if (plan->weight)
        gw_buffer_text(text, ",\"weighted\":true");
    if (plan->delta > 0)
        write_delta(plan, text);
    if (is_many || plan->bound.kind != GW_BOUND_NONE)
        write_bound(plan, text);
}

// Bins are the policy's and the question's: a policy may widen a concept without a new data version.
static void write_grid(const gw_plan *plan, gw_buffer *text) {
    if (!gw_plan_is_by_grid(plan->statistic))
        return;
    gw_json_write_name(text, "grid");
    gw_buffer_format(text, "[%lld,%lld,%zu]", (long long)plan->grid.first, (long long)plan->grid.width,
                     plan->grid.count);
    if (plan->fraction.text)
        gw_json_write_member(text, "fraction", plan->fraction.text);
    for (size_t i = 0; i < plan->level_count; i++) {
        gw_buffer_text(text, i ? "," : ",\"at\":[");
        gw_json_write_string(text, plan->levels[i].text);
    }
    if (plan->level_count > 0)
        gw_buffer_text(text, "]");
}

// The least number of bins that makes this histogram; 0 where the usual number does.
static unsigned histogram_bins(const gw_plan *plan) {
    gw_plan_grid usual = gw_plan_histogram_grid(plan->of, 0);
    unsigned bins = 0;
    if (usual.width == plan->grid.width && usual.count == plan->grid.count)
        return 0;
    for (bins = 2; bins < GW_BINS_MAX; bins++) {
        gw_plan_grid grid = gw_plan_histogram_grid(plan->of, bins);
        if (grid.width == plan->grid.width && grid.count == plan->grid.count)
            return bins;
    }
    return bins;
}

// What only some statistics have. Steps are not named: they follow from the policy's figures, which the data version
// holds fixed.
static void write_details(const gw_plan *plan, gw_buffer *text) {
    if (plan->over)
        gw_json_write_member(text, "over", plan->over->concept);
    if (plan->statistic == GW_STATISTIC_HISTOGRAM) {
        gw_json_write_integer(text, "bins", histogram_bins(plan));
        gw_json_write_integer(text, "bin_width", plan->grid.width); // what the usual number is may change
    }
    if (!plan->gap.column)
        return;
    gw_json_write_name(text, "gap");
    gw_buffer_text(text, "{");
    gw_json_write_member(text, "concept", plan->gap.concept);
    gw_json_write_member(text, "group", plan->gap.codes[0]);
    gw_json_write_member(text, "reference", plan->gap.codes[1]);
    gw_buffer_text(text, "}");
}

void gw_plan_canonical(const gw_plan *plan, const char *data_version, gw_buffer *ret_text) {
    gw_buffer_text(ret_text, "{\"v\":1");
    gw_json_write_member(ret_text, "dataset", plan->policy->dataset);
    gw_json_write_member(ret_text, "data", data_version);
    gw_json_write_member(ret_text, "mechanism", gw_plan_mechanism_name(plan->mechanism));
    gw_json_write_member(ret_text, "table", plan->table->name);
    gw_json_write_member(ret_text, "statistic", gw_statistic_name(plan->statistic));
    gw_json_write_member(ret_text, "of", plan->of ? plan->of->concept : NULL);
    write_details(plan, ret_text);
    gw_json_write_member(ret_text, "indicator", plan->indicator ? plan->indicator->id : NULL);
    if (plan->indicator)
        gw_json_write_integer(ret_text, "indicator_version", (int64_t)plan->indicator->version);
    write_unit(plan, ret_text);
    write_grid(plan, ret_text);
    write_conditions(ret_text, "where", plan->where, plan->where_count);
    gw_json_write_name(ret_text, "by");
    gw_buffer_text(ret_text, "[");
    for (size_t i = 0; i < plan->axis_count; i++) {
        gw_buffer_text(ret_text, i ? "," : "");
        gw_json_write_string(ret_text, plan->axes[i].concept);
    }
    gw_buffer_text(ret_text, "]");
    write_tables(plan, ret_text);
    write_bands(plan, ret_text);
    gw_json_write_epsilon(ret_text, "epsilon", plan->epsilon);
    gw_buffer_text(ret_text, "}");
}

// "Number of persons", "Number of permits", "Sum of Income": what is measured, before its groups.
static void write_measure(const gw_plan *plan, gw_buffer *text) {
    const char *of = !plan->of ? "" : plan->of->label ? plan->of->label : plan->of->concept;
    bool is_rows = plan->table->rows_per_person_max > 1 && !plan->is_per_person;
    switch (plan->statistic) {
    case GW_STATISTIC_COUNT:
        if (plan->table->rows_per_person_max == 1)
            gw_buffer_text(text, "Number of persons");
        else if (is_rows)
            gw_buffer_format(text, "Number of %s", plan->table->name);
        else
            gw_buffer_format(text, "Number of persons in %s", plan->table->name);
        return;
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_RATE:
        if (is_rows)
            gw_buffer_format(text, "Share of %s", plan->table->name);
        else
            gw_buffer_text(text, "Share of persons");
        return;
    case GW_STATISTIC_MEAN:
        gw_buffer_format(text, plan->is_per_person ? "Mean of %s per person" : "Mean of %s", of);
        return;
    case GW_STATISTIC_SUM:
        gw_buffer_format(text, "Sum of %s", of);
        return;
    case GW_STATISTIC_NET:
        gw_buffer_format(text, "Net of %s", plan->table->name);
        return;
    case GW_STATISTIC_VARIANCE:
        gw_buffer_format(text, plan->is_per_person ? "Variance of %s per person" : "Variance of %s", of);
        return;
    case GW_STATISTIC_SD:
        gw_buffer_format(text, plan->is_per_person ? "Standard deviation of %s per person" : "Standard deviation of %s",
                         of);
        return;
    case GW_STATISTIC_RATIO:
        gw_buffer_format(text, "Sum of %s over sum of %s", of,
                         plan->over->label ? plan->over->label : plan->over->concept);
        return;
    case GW_STATISTIC_GAP: // no plan has it: it has what it is a gap of
        return;
    case GW_STATISTIC_HISTOGRAM:
        gw_buffer_format(text, "Histogram of %s", of);
        return;
    case GW_STATISTIC_QUANTILE:
        if (plan->level_count == 1 && strcmp(plan->levels[0].text, "0.5") == 0)
            gw_buffer_format(text, "Median of %s", of);
        else if (plan->level_count == 1)
            gw_buffer_format(text, "Quantile %s of %s", plan->levels[0].text, of);
        else
            gw_buffer_format(text, "Quantiles of %s", of);
        return;
    case GW_STATISTIC_POVERTY:
        gw_buffer_format(text, "At risk of poverty by %s", of);
        return;
    case GW_STATISTIC_GINI:
        gw_buffer_format(text, "Gini coefficient of %s", of);
        return;
    case GW_STATISTIC_QUINTILE_RATIO:
        gw_buffer_format(text, "Quintile share ratio of %s", of);
        return;
    case GW_STATISTIC_SERIES:
        gw_buffer_format(text, "%s%s by %s", is_rows ? "Number of " : "Number of persons",
                         is_rows ? plan->table->name : "", of);
        return;
    case GW_STATISTIC_KEYS:
        gw_buffer_format(text, "Counts by %s", of);
        return;
    }
}

static const char *code_label(const gw_plan *plan, size_t side) {
    const gw_plan_gap *gap = &plan->gap;
    const char *label = gap->banding ? NULL : gap->column->codelist.codes[gap->positions[side]].label;
    return label ? label : gap->codes[side];
}

void gw_plan_title(const gw_plan *plan, gw_buffer *ret_text) {
    if (plan->indicator)
        gw_buffer_text(ret_text, plan->indicator->label);
    else
        write_measure(plan, ret_text);
    if (plan->grid.column)
        gw_buffer_format(ret_text, " (%zu bins)", plan->grid.count);
    if (plan->gap.column)
        gw_buffer_format(ret_text, ", gap of %s to %s (%s)", code_label(plan, 0), code_label(plan, 1),
                         plan->gap.column->label ? plan->gap.column->label : plan->gap.concept);
    size_t asked = 0;
    for (size_t i = 0; i < plan->table_count; i++)
        asked += plan->tables[i].is_asked;
    if (asked > 0)
        gw_buffer_format(ret_text, ", %zu table%s", asked, asked == 1 ? "" : "s");
    for (size_t i = 0; i < plan->axis_count; i++) {
        const gw_column *column = plan->axes[i].column;
        const char *first = asked > 0 ? " of " : ", by ";
        gw_buffer_format(ret_text, "%s%s (%zu)", i ? " x " : first, column->label ? column->label : column->concept,
                         plan->axes[i].code_count);
    }
    for (size_t i = 0; i < plan->where_count; i++)
        gw_buffer_format(ret_text, "%s%s", i ? ", " : ", filtered on ", plan->where[i].column->concept);
}

static void layout_text(gw_buffer *text, const char *value) {
    gw_buffer_text(text, " ");
    gw_json_write_string(text, value ? value : ""); // quoted: headers may hold spaces and quotes of their own
}

static void layout_column(gw_buffer *text, const gw_column *column) {
    gw_buffer_text(text, "column");
    layout_text(text, column->concept);
    layout_text(text, column->name);
    gw_buffer_format(text, " %d %d %u %lld %lld %lld codes", (int)column->type, (int)column->missing, column->scale,
                     (long long)column->min_scaled, (long long)column->max_scaled, (long long)column->grid_scaled);
    for (size_t i = 0; i < column->codelist.code_count; i++)
        layout_text(text, column->codelist.codes[i].id);
    if (column->is_weight)
        gw_buffer_text(text, " weight");
    if (column->type == GW_COLUMN_TEXT)
        gw_buffer_format(text, " text %u %u", column->text_bytes_max, column->keys_max);
    if (column->period != GW_PERIOD_NONE)
        gw_buffer_format(text, " period %d", (int)column->period);
    gw_buffer_text(text, " recodes");
    for (size_t i = 0; i < column->recode_count; i++) {
        layout_text(text, column->recodes[i].from);
        gw_buffer_format(text, "=%zu", column->recodes[i].code);
    }
    gw_buffer_text(text, "\n");
}

gw_hash gw_plan_layout(const gw_policy *policy) {
    gw_buffer text;
    gw_buffer_init(&text, 64u << 20);
    for (size_t t = 0; t < policy->table_count; t++) {
        const gw_table *table = &policy->tables[t];
        gw_buffer_text(&text, "table");
        layout_text(&text, table->name);
        layout_text(&text, table->unit); // who a row belongs to
        gw_buffer_format(&text, " %llu inherit", (unsigned long long)table->rows_per_person_max);
        for (size_t i = 0; i < table->inherit_count; i++)
            layout_text(&text, table->inherit[i]);
        if (table->rows_per_person_max > 1)
            gw_buffer_text(&text, " ordered"); // rows carry their person, their number and their place
        gw_buffer_text(&text, "\n");
        for (size_t c = 0; c < table->column_count; c++)
            layout_column(&text, &table->columns[c]);
    }
    GW_ASSERT(text.status == GW_OK); // a policy's file is at most 1 MiB
    gw_hash hash = gw_sha256(gw_buffer_bytes(&text));
    gw_buffer_done(&text);
    return hash;
}
