// SPDX-License-Identifier: Apache-2.0
// Tables, grants, definitions and protection as JSON.
#include "service/query/describe.h"

#include "service/query/encode.h"
#include "service/query/plan_build.h"
#include "service/wire/decimal.h"

#include <stdio.h>
#include <string.h>

static void write_scaled(gw_buffer *out, const char *name, gw_int128 scaled, unsigned scale) {
    char text[GW_DECIMAL_TEXT];
    gw_decimal_format(gw_decimal_of_scaled(scaled, scale), text);
    gw_json_write_member(out, name, text);
}

static void write_flag(gw_buffer *out, const char *name, bool value) {
    gw_json_write_name(out, name);
    gw_buffer_text(out, value ? "true" : "false");
}

static void list_begin(gw_buffer *out, const char *name) {
    gw_json_write_name(out, name);
    gw_buffer_text(out, "[");
}

static void list_add(gw_buffer *out, const char **comma, const char *text) {
    gw_buffer_text(out, *comma);
    gw_json_write_string(out, text);
    *comma = ",";
}

// ---- tables

static void write_concepts(gw_buffer *out, const gw_table *table) {
    const char *comma = "";
    list_begin(out, "concepts");
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].concept)
            list_add(out, &comma, table->columns[i].concept);
    for (size_t i = 0; i < table->inherit_count; i++)
        list_add(out, &comma, table->inherit[i]);
    gw_buffer_text(out, "]");
    comma = "";
    list_begin(out, "inherited");
    for (size_t i = 0; i < table->inherit_count; i++)
        list_add(out, &comma, table->inherit[i]);
    gw_buffer_text(out, "]");
}

static void write_weight(gw_buffer *out, const gw_column *weight) {
    if (!weight) {
        gw_json_write_member(out, "weight", NULL);
        return;
    }
    gw_json_write_name(out, "weight");
    gw_buffer_text(out, "{");
    write_scaled(out, "min", weight->min_scaled, weight->scale);
    write_scaled(out, "max", weight->max_scaled, weight->scale);
    gw_buffer_text(out, "}");
}

static void write_totals(gw_buffer *out, const gw_table *table) {
    const char *comma = "";
    list_begin(out, "totals");
    for (size_t i = 0; i < table->column_count; i++) {
        const gw_column *column = &table->columns[i];
        if (!column->concept || column->person_total_scaled == 0)
            continue;
        gw_buffer_text(out, comma);
        gw_buffer_text(out, "{");
        gw_json_write_member(out, "concept", column->concept);
        write_scaled(out, "person_total_max", column->person_total_scaled, column->scale);
        gw_buffer_text(out, "}");
        comma = ",";
    }
    gw_buffer_text(out, "]");
}

static void write_household(gw_buffer *out, const gw_table *table) {
    const char *comma = "";
    list_begin(out, "household");
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].concept && table->columns[i].depends_on_household)
            list_add(out, &comma, table->columns[i].concept);
    for (size_t i = 0; i < table->inherit_count; i++)
        if (table->inherited && table->inherited[i] && table->inherited[i]->depends_on_household)
            list_add(out, &comma, table->inherit[i]);
    gw_buffer_text(out, "]");
}

void gw_describe_tables(const gw_policy *policy, gw_buffer *out) {
    list_begin(out, "tables");
    for (size_t t = 0; t < policy->table_count; t++) {
        const gw_table *table = &policy->tables[t];
        uint64_t kept = table->rows_per_person_kept > 0 ? table->rows_per_person_kept : table->rows_per_person_max;
        gw_buffer_text(out, t ? ",{" : "{");
        gw_json_write_member(out, "table", table->name);
        gw_json_write_integer(out, "rows_per_person_max", (int64_t)table->rows_per_person_max);
        gw_json_write_integer(out, "rows_per_person_kept", (int64_t)kept);
        write_concepts(out, table);
        write_weight(out, table->weight);
        write_totals(out, table);
        write_household(out, table);
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
}

void gw_describe_grants(const gw_policy *policy, gw_buffer *out) {
    list_begin(out, "grants");
    for (size_t g = 0; g < policy->grant_count; g++) {
        const gw_grant *grant = &policy->grants[g];
        const char *comma = "";
        gw_buffer_text(out, g ? ",{" : "{");
        gw_json_write_member(out, "role", grant->role);
        list_begin(out, "tables");
        for (size_t i = 0; i < grant->table_count; i++)
            list_add(out, &comma, grant->tables[i]);
        gw_buffer_text(out, "]");
        comma = "";
        list_begin(out, "statistics");
        for (size_t i = 0; i < grant->statistic_count; i++)
            list_add(out, &comma, gw_statistic_name(grant->statistics[i]));
        gw_buffer_text(out, "]}");
    }
    gw_buffer_text(out, "]");
}

// ---- an indicator, and a question

static void write_filters(gw_buffer *out, const char *name, const gw_filter *filters, size_t count) {
    if (count > 0)
        gw_filters_encode(out, name, filters, count);
}

void gw_describe_indicator(const gw_indicator *indicator, gw_buffer *out) {
    if (indicator->of)
        gw_json_write_member(out, "of", indicator->of);
    if (indicator->level_count > 0) {
        const char *comma = "";
        list_begin(out, "at");
        for (size_t i = 0; i < indicator->level_count; i++)
            list_add(out, &comma, indicator->levels[i]);
        gw_buffer_text(out, "]");
    }
    if (indicator->fraction)
        gw_json_write_member(out, "fraction", indicator->fraction);
    if (indicator->over)
        gw_json_write_member(out, "over", indicator->over);
    if (indicator->is_per_person)
        gw_json_write_member(out, "per", "person");
    write_filters(out, "population", indicator->population, indicator->population_count);
    write_filters(out, "numerator", indicator->numerator, indicator->numerator_count);
    write_filters(out, "plus", indicator->plus, indicator->plus_count);
    write_filters(out, "minus", indicator->minus, indicator->minus_count);
}

// The bins that people are counted in, in the unit of the values; and the levels of the tree above them.
static void write_grid(const gw_plan *plan, gw_buffer *out) {
    const gw_column *of = plan->of;
    gw_json_write_integer(out, "bins", (int64_t)plan->grid.count);
    if (plan->mechanism == GW_MECHANISM_TREE)
        gw_json_write_integer(out, "levels", (int64_t)plan->tree.level_count);
    if (of->type != GW_COLUMN_CODE)
        write_scaled(out, "bin_width", (gw_int128)plan->grid.width * of->grid_scaled, of->scale);
}

void gw_describe_protection(const gw_plan *plan, gw_buffer *out) {
    char sensitivity[24], total[GW_DECIMAL_TEXT];
    snprintf(sensitivity, sizeof sensitivity, "%llu", (unsigned long long)plan->sensitivity);
    gw_json_write_name(out, "protection");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "unit", "person");
    gw_json_write_member(out, "table", plan->table->name);
    gw_json_write_integer(out, "rows_per_person_max", (int64_t)plan->table->rows_per_person_max);
    gw_json_write_member(out, "per", plan->is_per_person ? "person" : "row");
    write_flag(out, "weighted", plan->weight != NULL);
    gw_json_write_member(out, "bounds", gw_bound_kind_name(plan->bound.kind));
    if (plan->bound.kind == GW_BOUND_CLAMP_TOTAL) {
        gw_plan_person_total(plan, total);
        gw_json_write_member(out, "total", total);
    } else {
        gw_json_write_integer(out, "units", (int64_t)plan->bound.units);
    }
    gw_json_write_member(out, "law",
                         plan->mechanism == GW_MECHANISM_PICK        ? "permute-and-flip"
                         : plan->mechanism == GW_MECHANISM_SELECTION ? "random-threshold"
                                                                     : "discrete-laplace");
    if (gw_plan_is_by_grid(plan->statistic))
        write_grid(plan, out);
    gw_json_write_member(out, "sensitivity", sensitivity);
    write_scaled(out, "step", plan->step_scaled, plan->step_scale);
    write_flag(out, "household", gw_plan_depends_on_household(plan));
    gw_buffer note;
    gw_buffer_init(&note, GW_PLAN_NOTE_MAX);
    gw_plan_bounds_note(plan, &note);
    gw_json_write_member(out, "note", gw_buffer_string(&note));
    gw_buffer_done(&note);
    gw_buffer_text(out, "}");
}
