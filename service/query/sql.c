// SPDX-License-Identifier: Apache-2.0
// One SELECT per plan: plain where the load has seen to what a person adds, bounded otherwise (sql_bounded.c). Sums of
// whole numbers only, so that the order of rows changes nothing.
#include "service/query/sql_terms.h"

#define ARMS_MAX 3u // SELECTs in one statement that say the same conditions

// An upper bound on the parameters of a plan, so that the array is allocated once.
static size_t conditions_params(const gw_plan_condition *conditions, size_t count) {
    size_t params = 0;
    for (size_t i = 0; i < count; i++)
        params += conditions[i].position_count + 2 * conditions[i].range_count;
    return params;
}

static size_t plan_params(const gw_plan *plan) {
    size_t params = 2 + conditions_params(plan->where, plan->where_count) +
                    conditions_params(plan->population, plan->population_count) +
                    2 * conditions_params(plan->numerator, plan->numerator_count) +
                    2 * conditions_params(plan->plus, plan->plus_count) +
                    conditions_params(plan->minus, plan->minus_count);
    for (size_t i = 0; i < plan->axis_count; i++)
        params += 2 * plan->axes[i].code_count;
    params += plan->gap.column ? 8 : 0; // in the cell and among the conditions
    return params * ARMS_MAX;
}

static void sum_product(gw_sql *sql, const gw_plan *plan, const gw_sql_unit *unit) {
    gw_buffer_text(&sql->text, ", sum(");
    unit->value(sql, plan);
    if (plan->weight) {
        gw_buffer_text(&sql->text, " * ");
        unit->weight(sql, plan);
    }
    gw_buffer_text(&sql->text, ")");
}

static void count_units(gw_sql *sql, const gw_plan *plan, const gw_sql_unit *unit) {
    gw_buffer_text(&sql->text, plan->weight ? ", sum(" : ", count(*)");
    if (!plan->weight)
        return;
    unit->weight(sql, plan);
    gw_buffer_text(&sql->text, ")");
}

// A Bernstein part: `begin`, the square over the width to the nearest, `end`; the value stands between where asked. The
// square of a value of up to 2^40 steps needs 128 bits.
static void square_of(gw_sql *sql, const gw_plan *plan, const gw_sql_unit *unit) {
    const char *type = plan->unit_width > INT32_MAX ? "HUGEINT" : "BIGINT";
    gw_buffer_format(&sql->text, "CAST((CAST(");
    unit->value(sql, plan);
    gw_buffer_format(&sql->text, " AS %s) * ", type);
    unit->value(sql, plan);
    gw_buffer_format(&sql->text, " + %lld) // %lld AS BIGINT)", (long long)(plan->unit_width / 2),
                     (long long)plan->unit_width);
}

static void moment_parts(gw_sql *sql, const gw_plan *plan, const gw_sql_unit *unit) {
    for (int part = 0; part < 3; part++) {
        gw_buffer_text(&sql->text, ", sum((");
        if (part == 0)
            gw_buffer_format(&sql->text, "CAST(%lld AS BIGINT) - ", (long long)plan->unit_width);
        if (part < 2) {
            gw_buffer_text(&sql->text, "2 * ");
            unit->value(sql, plan);
            gw_buffer_text(&sql->text, part == 0 ? " + " : " - 2 * ");
        }
        square_of(sql, plan, unit);
        gw_buffer_text(&sql->text, ")");
        if (plan->weight) {
            gw_buffer_text(&sql->text, " * ");
            unit->weight(sql, plan);
        }
        gw_buffer_text(&sql->text, ")");
    }
}

void gw_sql_parts(gw_sql *sql, const gw_plan *plan, const gw_sql_unit *unit) {
    switch (plan->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_HISTOGRAM:
        count_units(sql, plan, unit);
        return;
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
        sum_product(sql, plan, unit);
        return;
    case GW_STATISTIC_RATE:
        for (int part = 0; part < 2; part++) {
            count_units(sql, plan, unit);
            gw_buffer_text(&sql->text, part ? " FILTER (WHERE NOT " : " FILTER (WHERE ");
            unit->value(sql, plan);
            gw_buffer_text(&sql->text, ")");
        }
        return;
    case GW_STATISTIC_MEAN:
        sum_product(sql, plan, unit);
        gw_buffer_format(&sql->text, ", sum((CAST(%lld AS BIGINT) - ", (long long)plan->unit_width);
        unit->value(sql, plan);
        gw_buffer_text(&sql->text, ")");
        if (plan->weight) {
            gw_buffer_text(&sql->text, " * ");
            unit->weight(sql, plan);
        }
        gw_buffer_text(&sql->text, ")");
        return;
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
        moment_parts(sql, plan, unit);
        return;
    case GW_STATISTIC_RATIO: {
        const gw_sql_unit over = {unit->over, unit->weight, unit->over};
        sum_product(sql, plan, unit);
        sum_product(sql, plan, &over);
        return;
    }
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_KEYS:
        sql->status = GW_INTERNAL;
        return;
    }
}

static void sql_plain(gw_sql *sql, const gw_plan *plan) {
    static const gw_sql_unit row = {gw_sql_value, gw_sql_weight, gw_sql_over};
    gw_buffer_text(&sql->text, "SELECT ");
    gw_sql_cell(sql, plan);
    gw_buffer_text(&sql->text, " AS cell");
    gw_sql_parts(sql, plan, &row);
    gw_buffer_text(&sql->text, " FROM ");
    gw_sql_identifier(sql, plan->table->name);
    const char *joiner = " WHERE ";
    gw_sql_where(sql, plan, &joiner);
    gw_sql_group(sql, plan);
}

// Keys with how many persons have each. Of a person with many rows each key counts once, and no more than the bound's
// number of them: those whose first row comes first, in an order that means nothing. Names with a space are no
// concept's.
static void sql_keys(gw_sql *sql, const gw_plan *plan) {
    const char *joiner = " WHERE ";
    gw_buffer_text(&sql->text, plan->is_per_person ? "SELECT \"one key\", count(*) FROM (SELECT " : "SELECT ");
    gw_sql_identifier(sql, plan->of->concept);
    if (plan->is_per_person)
        gw_buffer_text(&sql->text, " AS \"one key\", row_number() OVER (PARTITION BY \"" GW_SQL_PERSON
                                   "\" ORDER BY min(\"" GW_SQL_ORDER "\")) AS \"one turn\" FROM ");
    else
        gw_buffer_text(&sql->text, ", count(*) FROM ");
    gw_sql_identifier(sql, plan->table->name);
    gw_sql_where(sql, plan, &joiner);
    if (plan->is_per_person) {
        gw_buffer_text(&sql->text, " GROUP BY \"" GW_SQL_PERSON "\", ");
        gw_sql_identifier(sql, plan->of->concept);
        gw_buffer_format(&sql->text, ") AS held WHERE \"one turn\" <= %llu", (unsigned long long)plan->bound.units);
    }
    gw_buffer_text(&sql->text, " GROUP BY 1");
}

gw_status gw_sql_build(const gw_plan *plan, gw_arena *arena, gw_sql *ret_sql) {
    gw_sql sql = {.param_max = plan_params(plan), .arena = arena};
    sql.params = gw_arena_array(arena, sql.param_max, sizeof *sql.params);
    if (!sql.params)
        return GW_NO_MEMORY;
    gw_buffer_init(&sql.text, GW_SQL_BYTES_MAX);
    if (plan->mechanism == GW_MECHANISM_SELECTION)
        sql_keys(&sql, plan);
    else if (plan->bound.kind == GW_BOUND_NONE && !plan->is_per_person)
        sql_plain(&sql, plan);
    else
        gw_sql_bounded(&sql, plan);
    gw_status status = sql.status != GW_OK ? sql.status : sql.text.status;
    if (status != GW_OK) {
        gw_buffer_done(&sql.text);
        return status;
    }
    *ret_sql = sql;
    return GW_OK;
}
