// SPDX-License-Identifier: Apache-2.0
// The pieces of statements: identifiers, parameters, conditions, cells, values and weights. Every condition is wrapped
// in IS TRUE, so NULL never decides; the cell index is a sum of axis positions, so that absent groups need no row.
#include "service/query/sql_terms.h"

#include "service/engine/sql_text.h"

static void sql_param(gw_sql *sql, int64_t value) {
    if (sql->status != GW_OK)
        return;
    if (sql->param_count == sql->param_max) {
        sql->status = GW_LIMIT;
        return;
    }
    sql->params[sql->param_count++] = value;
    gw_buffer_text(&sql->text, "?");
}

void gw_sql_identifier(gw_sql *sql, const char *name) {
    gw_engine_identifier(&sql->text, name);
}

static void sql_condition(gw_sql *sql, const gw_plan_condition *condition) {
    gw_buffer_text(&sql->text, "(");
    const char *between = "";
    if (condition->position_count > 0) {
        gw_sql_identifier(sql, condition->column->concept);
        gw_buffer_text(&sql->text, " IN (");
        for (size_t i = 0; i < condition->position_count; i++) {
            gw_buffer_text(&sql->text, i ? "," : "");
            sql_param(sql, (int64_t)condition->positions[i]);
        }
        gw_buffer_text(&sql->text, ")");
        between = " OR ";
    }
    for (size_t i = 0; i < condition->range_count; i++) {
        gw_buffer_text(&sql->text, between);
        gw_sql_identifier(sql, condition->column->concept);
        gw_buffer_text(&sql->text, " BETWEEN ");
        sql_param(sql, condition->ranges[i][0]);
        gw_buffer_text(&sql->text, " AND ");
        sql_param(sql, condition->ranges[i][1]);
        between = " OR ";
    }
    if (condition->with_missing) {
        gw_buffer_text(&sql->text, between);
        gw_sql_identifier(sql, condition->column->concept);
        gw_buffer_text(&sql->text, " IS NULL");
    }
    gw_buffer_text(&sql->text, ") IS TRUE");
}

static void sql_conditions(gw_sql *sql, const gw_plan_condition *conditions, size_t count, const char **joiner) {
    for (size_t i = 0; i < count; i++) {
        gw_buffer_text(&sql->text, *joiner);
        sql_condition(sql, &conditions[i]);
        *joiner = " AND ";
    }
}

// All of them hold: TRUE or FALSE, never NULL.
static void sql_all(gw_sql *sql, const gw_plan_condition *conditions, size_t count) {
    const char *joiner = "";
    gw_buffer_text(&sql->text, "(");
    sql_conditions(sql, conditions, count, &joiner);
    gw_buffer_text(&sql->text, ")");
}

static void sql_not_null(gw_sql *sql, const char *column, const char **joiner) {
    gw_buffer_text(&sql->text, *joiner);
    gw_sql_identifier(sql, column);
    gw_buffer_text(&sql->text, " IS NOT NULL");
    *joiner = " AND ";
}

static bool axis_is_whole(const gw_plan_axis *axis) {
    if (axis->banding || axis->code_count != axis->column->codelist.code_count)
        return false;
    for (size_t i = 0; i < axis->code_count; i++)
        if (axis->positions[i] != i)
            return false;
    return true;
}

// The position of a row along one axis, 0 .. code_count - 1.
static void sql_axis(gw_sql *sql, const gw_plan_axis *axis) {
    if (axis_is_whole(axis)) {
        gw_buffer_text(&sql->text, "CAST(");
        gw_sql_identifier(sql, axis->column->concept);
        gw_buffer_text(&sql->text, " AS BIGINT)");
        return;
    }
    gw_buffer_text(&sql->text, "CASE");
    for (size_t i = 0; i < axis->code_count; i++) {
        gw_buffer_text(&sql->text, " WHEN ");
        gw_sql_identifier(sql, axis->column->concept);
        if (axis->banding && axis->positions[i] == axis->banding->band_count) {
            gw_buffer_text(&sql->text, " IS NULL");
        } else if (axis->banding) {
            const gw_band *band = &axis->banding->bands[axis->positions[i]];
            gw_buffer_text(&sql->text, " BETWEEN ");
            sql_param(sql, band->low);
            gw_buffer_text(&sql->text, " AND ");
            sql_param(sql, band->high);
        } else {
            gw_buffer_text(&sql->text, " = ");
            sql_param(sql, (int64_t)axis->positions[i]);
        }
        gw_buffer_format(&sql->text, " THEN %zu", i);
    }
    gw_buffer_text(&sql->text, " END");
}

// Whether a row is in one of the groups at all, where others count too.
static void sql_in_groups(gw_sql *sql, const gw_plan *plan) {
    const char *joiner = "(";
    sql_conditions(sql, plan->population, plan->population_count, &joiner);
    for (size_t i = 0; i < plan->axis_count; i++)
        if (plan->axes[i].column->missing == GW_MISSING_DROP)
            sql_not_null(sql, plan->axes[i].column->concept, &joiner);
    gw_buffer_text(&sql->text, ")");
}

// The bin of a row: bins are of equal width, and the last one takes what is left of the concept's range.
static void sql_bin(gw_sql *sql, const gw_plan_grid *grid) {
    bool is_cut = (grid->column->steps - grid->first) / grid->width >= (int64_t)grid->count;
    gw_buffer_text(&sql->text, is_cut ? " + least((CAST(" : " + (CAST(");
    gw_sql_identifier(sql, grid->column->concept);
    gw_buffer_format(&sql->text, " AS BIGINT) - %lld) // %lld", (long long)grid->first, (long long)grid->width);
    if (is_cut)
        gw_buffer_format(&sql->text, ", %zu)", grid->count - 1);
}

// A date that is not known, or before or after the periods asked for, has no place in them.
static void sql_in_grid(gw_sql *sql, const gw_plan_grid *grid, const char **joiner) {
    gw_buffer_text(&sql->text, *joiner);
    gw_sql_identifier(sql, grid->column->concept);
    gw_buffer_format(&sql->text, " BETWEEN %lld AND %lld", (long long)grid->first,
                     (long long)grid->first + (long long)grid->count - 1);
    *joiner = " AND ";
}

void gw_sql_cell(gw_sql *sql, const gw_plan *plan) {
    if (plan->has_rest) {
        gw_buffer_text(&sql->text, "CASE WHEN ");
        sql_in_groups(sql, plan);
        gw_buffer_text(&sql->text, " THEN ");
    }
    if (plan->axis_count == 0)
        gw_buffer_text(&sql->text, "0");
    size_t stride = plan->grid.column ? plan->grid.count : plan->gap.column ? 2 : 1;
    for (size_t i = 0; i < plan->axis_count; i++)
        stride *= plan->axes[i].code_count;
    for (size_t i = 0; i < plan->axis_count; i++) {
        stride /= plan->axes[i].code_count;
        gw_buffer_text(&sql->text, i ? " + " : "");
        sql_axis(sql, &plan->axes[i]);
        if (stride > 1)
            gw_buffer_format(&sql->text, " * %zu", stride);
    }
    if (plan->has_rest)
        gw_buffer_format(&sql->text, " ELSE %zu END", plan->group_count * plan->grid.count);
    if (plan->grid.column)
        sql_bin(sql, &plan->grid);
    if (!plan->gap.column)
        return;
    const gw_plan_axis gap = gw_plan_gap_axis(plan);
    gw_buffer_text(&sql->text, " + ");
    sql_axis(sql, &gap);
}

// By the bare columns where the cell is a function of them one to one: the engine groups small integers faster than a
// sum.
void gw_sql_group(gw_sql *sql, const gw_plan *plan) {
    bool is_whole = true;
    for (size_t i = 0; i < plan->axis_count; i++)
        is_whole &= axis_is_whole(&plan->axes[i]);
    bool has_inner = plan->grid.column || plan->gap.column;
    if (has_inner)
        is_whole = false;
    if (plan->axis_count > 0 || has_inner)
        gw_buffer_text(&sql->text, is_whole ? " GROUP BY " : " GROUP BY 1");
    for (size_t i = 0; is_whole && i < plan->axis_count; i++) {
        gw_buffer_text(&sql->text, i ? ", " : "");
        gw_sql_identifier(sql, plan->axes[i].column->concept);
    }
}

void gw_sql_where(gw_sql *sql, const gw_plan *plan, const char **joiner) {
    if (!plan->has_rest)
        sql_conditions(sql, plan->population, plan->population_count, joiner);
    sql_conditions(sql, plan->where, plan->where_count, joiner);
    for (size_t i = 0; !plan->has_rest && i < plan->axis_count; i++)
        if (plan->axes[i].column->missing == GW_MISSING_DROP)
            sql_not_null(sql, plan->axes[i].column->concept, joiner);
    if (plan->of)
        sql_not_null(sql, plan->of->concept, joiner);
    if (plan->statistic == GW_STATISTIC_SERIES)
        sql_in_grid(sql, &plan->grid, joiner);
    if (plan->over)
        sql_not_null(sql, plan->over->concept, joiner);
    if (plan->gap.column) {
        const gw_plan_axis gap = gw_plan_gap_axis(plan);
        gw_buffer_text(&sql->text, *joiner);
        gw_buffer_text(&sql->text, "(");
        sql_axis(sql, &gap);
        gw_buffer_text(&sql->text, ") IS NOT NULL");
        *joiner = " AND ";
    }
    if (plan->weight)
        sql_not_null(sql, GW_SQL_WEIGHT, joiner);
    if (plan->statistic != GW_STATISTIC_NET)
        return;
    // Rows of both kinds or of neither add nothing, and so must not use up what a person may add.
    gw_buffer_text(&sql->text, *joiner);
    sql_all(sql, plan->plus, plan->plus_count);
    gw_buffer_text(&sql->text, " <> ");
    sql_all(sql, plan->minus, plan->minus_count);
    *joiner = " AND ";
}

// first + factor * column, in 64 bits: bounds keep it below 2^62.
static void sql_line(gw_sql *sql, const char *column, gw_plan_line line) {
    gw_buffer_text(&sql->text, "(CAST(");
    gw_sql_identifier(sql, column);
    gw_buffer_text(&sql->text, " AS BIGINT)");
    if (line.factor != 1)
        gw_buffer_format(&sql->text, " * %lld", (long long)line.factor);
    if (line.first != 0)
        gw_buffer_format(&sql->text, " + %lld", (long long)line.first);
    gw_buffer_text(&sql->text, ")");
}

void gw_sql_value(gw_sql *sql, const gw_plan *plan) {
    switch (plan->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_HISTOGRAM:
        gw_buffer_text(&sql->text, "1");
        return;
    case GW_STATISTIC_RATE:
        sql_all(sql, plan->numerator, plan->numerator_count);
        return;
    case GW_STATISTIC_NET:
        gw_buffer_text(&sql->text, "CASE WHEN ");
        sql_all(sql, plan->plus, plan->plus_count);
        gw_buffer_text(&sql->text, " THEN 1 ELSE -1 END");
        return;
    case GW_STATISTIC_MEAN:
        if (!plan->weight && !plan->is_per_person) {
            gw_sql_identifier(sql, plan->of->concept); // small integers add up fastest as they are
            return;
        }
        sql_line(sql, plan->of->concept, plan->of_line);
        return;
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
    case GW_STATISTIC_RATIO:
        sql_line(sql, plan->of->concept, plan->of_line);
        return;
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_KEYS:
        sql->status = GW_INTERNAL;
        return;
    }
}

void gw_sql_over(gw_sql *sql, const gw_plan *plan) {
    sql_line(sql, plan->over->concept, plan->over_line);
}

void gw_sql_weight(gw_sql *sql, const gw_plan *plan) {
    sql_line(sql, GW_SQL_WEIGHT, plan->weight_line);
}
