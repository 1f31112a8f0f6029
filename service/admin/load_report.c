// SPDX-License-Identifier: Apache-2.0
// What a load found, for its owner's terminal: counts and rows of each kind, how each may be treated, and persons that
// one table has and another has not.
#include "service/admin/load_plan.h"
#include "service/format/text.h"
#include <stdio.h>
#include <string.h>

// Columns whose policy says what becomes of values out of bounds.
static void report_outside(const gw_policy *policy, gw_buffer *buffer) {
    static const char *const words[] = {"", "clamp", "missing", "drop-row"};
    for (size_t t = 0; t < policy->table_count; t++)
        for (size_t c = 0; c < policy->tables[t].column_count; c++)
            if (policy->tables[t].columns[c].outside != GW_OUTSIDE_REFUSE)
                gw_buffer_format(buffer, "; %s: %s by the policy", policy->tables[t].columns[c].name,
                                 words[policy->tables[t].columns[c].outside]);
}

static void report_treatment(const gw_load_kind_report *found, gw_load_kind kind, const gw_load_options *options,
                             gw_buffer *buffer) {
    const gw_load_treatments *treatments = &options->treatments;
    gw_load_treatment treatment = treatments->kinds[kind];
    gw_buffer_text(buffer, treatment == GW_TREAT_REFUSE ? found->refused_count > 0 ? "not treated" : "treated"
                                                        : gw_load_treatment_name(treatment));
    for (size_t i = 0; i < treatments->column_count; i++)
        if (treatments->columns[i].kind == kind)
            gw_buffer_format(buffer, "; %s: %s", treatments->columns[i].column,
                             gw_load_treatment_name(treatments->columns[i].treatment));
    if (kind == GW_LOAD_OUT_OF_BOUNDS)
        report_outside(options->policy, buffer);
    gw_buffer_text(buffer, "\n");
}

// Of the findings shown: the columns whose list of codes the policy could extend.
static void report_recode(const gw_load_kind_report *found, const gw_policy *policy, gw_buffer *buffer) {
    size_t named = 0;
    for (size_t i = 0; i < found->finding_count; i++) {
        const gw_load_finding *finding = &found->findings[i];
        bool is_named =
            finding->table >= policy->table_count || finding->column >= policy->tables[finding->table].column_count;
        for (size_t k = 0; k < i && !is_named; k++)
            is_named = found->findings[k].table == finding->table && found->findings[k].column == finding->column;
        if (!is_named)
            gw_buffer_format(buffer, "%s%s", named++ == 0 ? "\n    or add it to \"recode\" of " : ", ",
                             policy->tables[finding->table].columns[finding->column].name);
    }
}

// Most often another column was taken for the person's id.
static void report_unit(const gw_load_kind_report *found, const gw_policy *policy, gw_buffer *buffer) {
    if (found->finding_count == 0 || found->findings[0].table >= policy->table_count)
        return;
    gw_buffer_format(buffer, "\n    or, where \"%s\" is not who a row belongs to, correct \"unit\" in the policy",
                     policy->tables[found->findings[0].table].unit);
}

static void report_kind(const gw_load_report *report, gw_load_kind kind, const gw_load_options *options,
                        gw_buffer *buffer) {
    const gw_load_kind_report *found = &report->kinds[kind];
    gw_buffer_format(buffer, "%-14s %10llu   ", gw_load_kind_name(kind), (unsigned long long)found->count);
    report_treatment(found, kind, options, buffer);
    for (size_t i = 0; i < found->finding_count; i++) {
        const gw_load_finding *finding = &found->findings[i];
        gw_buffer_text(buffer, "  ");
        if (options->policy->table_count > 1 && finding->table < options->policy->table_count)
            gw_buffer_format(buffer, "%s, ", options->policy->tables[finding->table].name);
        gw_buffer_format(buffer, "row %llu: %s\n", (unsigned long long)finding->row, finding->text);
    }
    if (found->count > found->finding_count)
        gw_buffer_format(buffer, "  and %llu more\n", (unsigned long long)(found->count - found->finding_count));
    if (found->refused_count == 0)
        return;
    for (gw_load_treatment way = GW_TREAT_DROP_ROW; way <= GW_TREAT_CLAMP; way++)
        if (gw_load_treatment_fits(kind, way))
            gw_buffer_format(buffer, "%s--treat %s=%s", way == GW_TREAT_DROP_ROW ? "  mend: " : " | ",
                             gw_load_kind_name(kind), gw_load_treatment_name(way));
    if (kind == GW_LOAD_TOO_MANY_ROWS)
        report_unit(found, options->policy, buffer);
    if (kind == GW_LOAD_UNLISTED_CODE)
        report_recode(found, options->policy, buffer);
    gw_buffer_text(buffer, "\n");
}

// The different tables that a table inherits from: "persons or homes".
static void report_parents(const gw_policy *policy, const gw_table *table, gw_buffer *buffer) {
    const char *between = "";
    for (size_t t = 0; t < policy->table_count; t++) {
        bool is_parent = false;
        for (size_t i = 0; i < table->inherit_count && !is_parent; i++) {
            gw_load_inherited from;
            is_parent = gw_load_plan_inherited(policy, table->inherited[i], &from) && from.table == t;
        }
        if (is_parent) {
            gw_buffer_format(buffer, "%s%s", between, policy->tables[t].name);
            between = " or ";
        }
    }
}

// Not an error: registers are kept by different hands, and a person may be in one before the other.
static void report_orphans(const gw_load_report *report, const gw_policy *policy, gw_buffer *buffer) {
    for (size_t i = 0; i < policy->table_count; i++) {
        unsigned long long count = report->tables[i].orphan_count;
        char number[32];
        if (count == 0)
            continue;
        snprintf(number, sizeof(number), "%llu", count);
        gw_buffer_text(buffer, "note: ");
        gw_text_thousands(buffer, number);
        gw_buffer_format(buffer, " person%s of %s %s not in ", count == 1 ? "" : "s", policy->tables[i].name,
                         count == 1 ? "is" : "are");
        report_parents(policy, &policy->tables[i], buffer);
        gw_buffer_text(buffer, "\n      what their rows inherit is unknown (_U), or left out for \"drop\"\n");
    }
}

void gw_load_report_text(const gw_load_report *report, const gw_load_options *options, gw_buffer *buffer) {
    for (unsigned i = 0; i < GW_LOAD_KINDS; i++)
        if (report->kinds[i].count > 0)
            report_kind(report, (gw_load_kind)i, options, buffer);
    report_orphans(report, options->policy, buffer);
    gw_buffer_format(buffer, "rows read %llu, rows kept %llu\n", (unsigned long long)report->rows_read,
                     (unsigned long long)report->rows_kept);
}
