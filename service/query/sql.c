// SPDX-License-Identifier: Apache-2.0
// One SELECT per plan. Every condition is wrapped in IS TRUE, so NULL never decides; the cell index is a sum of axis
// positions, so that absent groups need no row.
#include "service/query/sql.h"

// An upper bound on the parameters of a plan, so that the array is allocated once.
static size_t conditions_params(const gw_plan_condition *conditions, size_t count) {
    size_t params = 0;
    for (size_t i = 0; i < count; i++)
        params += conditions[i].position_count + 2 * conditions[i].range_count;
    return params;
}

static size_t plan_params(const gw_plan *plan) {
    size_t params = 1 + conditions_params(plan->where, plan->where_count) +
                    conditions_params(plan->population, plan->population_count) +
                    2 * conditions_params(plan->numerator, plan->numerator_count);
    for (size_t i = 0; i < plan->axis_count; i++)
        params += 2 * plan->axes[i].code_count;
    return params;
}

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

static void sql_identifier(gw_sql *sql, const char *name) {
    gw_buffer_text(&sql->text, "\"");
    for (const char *c = name; *c; c++) {
        if (*c == '"')
            gw_buffer_text(&sql->text, "\"");
        gw_buffer_append(&sql->text, c, 1);
    }
    gw_buffer_text(&sql->text, "\"");
}

static void sql_condition(gw_sql *sql, const gw_plan_condition *condition) {
    gw_buffer_text(&sql->text, "(");
    const char *between = "";
    if (condition->position_count > 0) {
        sql_identifier(sql, condition->column->concept);
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
        sql_identifier(sql, condition->column->concept);
        gw_buffer_text(&sql->text, " BETWEEN ");
        sql_param(sql, condition->ranges[i][0]);
        gw_buffer_text(&sql->text, " AND ");
        sql_param(sql, condition->ranges[i][1]);
        between = " OR ";
    }
    if (condition->with_missing) {
        gw_buffer_text(&sql->text, between);
        sql_identifier(sql, condition->column->concept);
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

static void sql_not_null(gw_sql *sql, const gw_column *column, const char **joiner) {
    gw_buffer_text(&sql->text, *joiner);
    sql_identifier(sql, column->concept);
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
        sql_identifier(sql, axis->column->concept);
        gw_buffer_text(&sql->text, " AS BIGINT)");
        return;
    }
    gw_buffer_text(&sql->text, "CASE");
    for (size_t i = 0; i < axis->code_count; i++) {
        gw_buffer_text(&sql->text, " WHEN ");
        sql_identifier(sql, axis->column->concept);
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

static void sql_cell(gw_sql *sql, const gw_plan *plan) {
    if (plan->axis_count == 0)
        gw_buffer_text(&sql->text, "0");
    size_t stride = plan->cell_count;
    for (size_t i = 0; i < plan->axis_count; i++) {
        stride /= plan->axes[i].code_count;
        gw_buffer_text(&sql->text, i ? " + " : "");
        sql_axis(sql, &plan->axes[i]);
        if (stride > 1)
            gw_buffer_format(&sql->text, " * %zu", stride);
    }
}

static void sql_parts(gw_sql *sql, const gw_plan *plan) {
    switch (plan->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_SUM: // not planned yet
    case GW_STATISTIC_NET:
        gw_buffer_text(&sql->text, ", count(*)");
        return;
    case GW_STATISTIC_RATE:
        for (int part = 0; part < 2; part++) {
            const char *joiner = part ? ", count(*) FILTER (WHERE NOT (" : ", count(*) FILTER (WHERE (";
            sql_conditions(sql, plan->numerator, plan->numerator_count, &joiner);
            gw_buffer_text(&sql->text, "))");
        }
        return;
    case GW_STATISTIC_MEAN:
        gw_buffer_text(&sql->text, ", sum(");
        sql_identifier(sql, plan->of->concept);
        gw_buffer_text(&sql->text, "), sum(CAST(");
        sql_param(sql, plan->of->steps);
        gw_buffer_text(&sql->text, " AS BIGINT) - ");
        sql_identifier(sql, plan->of->concept);
        gw_buffer_text(&sql->text, ")");
        return;
    }
}

// By the bare columns where the cell is a function of them one to one: the engine groups small integers faster than a
// sum.
static void sql_group(gw_sql *sql, const gw_plan *plan) {
    bool is_whole = true;
    for (size_t i = 0; i < plan->axis_count; i++)
        is_whole &= axis_is_whole(&plan->axes[i]);
    if (plan->axis_count > 0)
        gw_buffer_text(&sql->text, is_whole ? " GROUP BY " : " GROUP BY 1");
    for (size_t i = 0; is_whole && i < plan->axis_count; i++) {
        gw_buffer_text(&sql->text, i ? ", " : "");
        sql_identifier(sql, plan->axes[i].column->concept);
    }
}

gw_status gw_sql_build(const gw_plan *plan, gw_arena *arena, gw_sql *ret_sql) {
    gw_sql sql = {.param_max = plan_params(plan), .arena = arena};
    sql.params = gw_arena_array(arena, sql.param_max, sizeof *sql.params);
    if (!sql.params)
        return GW_NO_MEMORY;
    gw_buffer_init(&sql.text, GW_SQL_BYTES_MAX);
    gw_buffer_text(&sql.text, "SELECT ");
    sql_cell(&sql, plan);
    gw_buffer_text(&sql.text, " AS cell");
    sql_parts(&sql, plan);
    gw_buffer_text(&sql.text, " FROM ");
    sql_identifier(&sql, plan->table->name);
    const char *joiner = " WHERE ";
    sql_conditions(&sql, plan->population, plan->population_count, &joiner);
    sql_conditions(&sql, plan->where, plan->where_count, &joiner);
    for (size_t i = 0; i < plan->axis_count; i++)
        if (plan->axes[i].column->missing == GW_MISSING_DROP)
            sql_not_null(&sql, plan->axes[i].column, &joiner);
    if (plan->of)
        sql_not_null(&sql, plan->of, &joiner);
    sql_group(&sql, plan);
    gw_status status = sql.status != GW_OK ? sql.status : sql.text.status;
    if (status != GW_OK) {
        gw_buffer_done(&sql.text);
        return status;
    }
    *ret_sql = sql;
    return GW_OK;
}
