// SPDX-License-Identifier: Apache-2.0
// Statements on tables with many rows of a person. Most persons have so few rows that no bound can touch them: their
// rows are summed up as they are, and only the others are put in order person by person. The two arms are disjoint by
// "_rows", so their sums add up.
#include "service/query/sql_terms.h"

typedef void (*sql_arm)(gw_sql *sql, const gw_plan *plan);

static void value_named(gw_sql *sql, const gw_plan *plan) {
    (void)plan;
    gw_buffer_text(&sql->text, "v");
}

static void weight_named(gw_sql *sql, const gw_plan *plan) {
    (void)plan;
    gw_buffer_text(&sql->text, "w");
}

static const gw_sql_unit named = {value_named, weight_named};

// What the only row of a person adds: clamped to the person's total where there is one.
static void value_alone(gw_sql *sql, const gw_plan *plan) {
    if (plan->bound.kind == GW_BOUND_CLAMP_TOTAL) {
        long long total = (long long)plan->bound.total;
        gw_buffer_format(&sql->text, "greatest(%lld, least(%lld, ", -total, total);
        gw_sql_value(sql, plan);
        gw_buffer_text(&sql->text, "))");
    } else if (plan->statistic == GW_STATISTIC_MEAN && plan->is_per_person) {
        gw_buffer_format(&sql->text, "least(%lld, ", (long long)plan->unit_width);
        gw_sql_value(sql, plan);
        gw_buffer_text(&sql->text, ")");
    } else {
        gw_sql_value(sql, plan);
    }
}

// Persons with at most this many rows add what they add whatever the order.
static uint64_t rows_direct(const gw_plan *plan) {
    if (plan->is_per_person)
        return 1;
    if (plan->bound.kind == GW_BOUND_KEEP_ROWS)
        return plan->bound.units;
    uint64_t rows = plan->bound.total / plan->unit_max;
    return rows > 1 ? rows : 1;
}

static void arm_direct(gw_sql *sql, const gw_plan *plan) {
    static const gw_sql_unit alone = {value_alone, gw_sql_weight};
    gw_buffer_text(&sql->text, "SELECT ");
    gw_sql_cell(sql, plan);
    gw_buffer_text(&sql->text, " AS cell");
    gw_sql_parts(sql, plan, &alone);
    gw_buffer_text(&sql->text, " FROM ");
    gw_sql_identifier(sql, plan->table->name);
    const char *joiner = " WHERE ";
    gw_sql_where(sql, plan, &joiner);
    if (plan->table->rows_per_person_max > 1)
        gw_buffer_format(&sql->text, "%s\"" GW_SQL_ROWS "\" <= %llu", joiner, (unsigned long long)rows_direct(plan));
    gw_sql_group(sql, plan);
}

// The rows of the others, under names that no concept has a say in.
static void rows_of_others(gw_sql *sql, const gw_plan *plan) {
    gw_buffer_text(&sql->text, "(SELECT \"" GW_SQL_PERSON "\" AS person, \"" GW_SQL_ORDER "\" AS turn, ");
    gw_sql_cell(sql, plan);
    gw_buffer_text(&sql->text, " AS cell, ");
    gw_sql_value(sql, plan);
    gw_buffer_text(&sql->text, " AS v");
    if (plan->weight) {
        gw_buffer_text(&sql->text, ", ");
        gw_sql_weight(sql, plan);
        gw_buffer_text(&sql->text, " AS w");
    }
    gw_buffer_text(&sql->text, " FROM ");
    gw_sql_identifier(sql, plan->table->name);
    const char *joiner = " WHERE ";
    gw_sql_where(sql, plan, &joiner);
    gw_buffer_format(&sql->text, "%s\"" GW_SQL_ROWS "\" > %llu) AS held", joiner,
                     (unsigned long long)rows_direct(plan));
}

static void arm_begin(gw_sql *sql, const gw_plan *plan) {
    gw_buffer_text(&sql->text, "SELECT cell");
    gw_sql_parts(sql, plan, &named);
    gw_buffer_text(&sql->text, " FROM (SELECT cell");
}

static void arm_end(gw_sql *sql, const gw_plan *plan, bool is_numbered) {
    gw_buffer_text(&sql->text, ") AS bounded");
    if (is_numbered)
        gw_buffer_format(&sql->text, " WHERE n <= %llu", (unsigned long long)plan->bound.units);
    gw_buffer_text(&sql->text, " GROUP BY cell");
}

static void arm_keep_rows(gw_sql *sql, const gw_plan *plan) {
    arm_begin(sql, plan);
    gw_buffer_text(&sql->text, plan->weight ? ", v, w" : ", v");
    gw_buffer_text(&sql->text, ", row_number() OVER (PARTITION BY person ORDER BY turn) AS n FROM ");
    rows_of_others(sql, plan);
    arm_end(sql, plan, true);
}

// One row for each cell a person is in; it stands where the person's first row in that cell does.
static void arm_persons(gw_sql *sql, const gw_plan *plan) {
    bool is_numbered = plan->bound.kind == GW_BOUND_KEEP_CELLS;
    arm_begin(sql, plan);
    if (plan->statistic == GW_STATISTIC_RATE)
        gw_buffer_text(&sql->text, ", bool_or(v) AS v");
    if (plan->statistic == GW_STATISTIC_MEAN)
        gw_buffer_format(&sql->text, ", CAST(least(%lld, sum(v)) AS BIGINT) AS v", (long long)plan->unit_width);
    if (plan->weight)
        gw_buffer_text(&sql->text, ", max(w) AS w");
    if (is_numbered)
        gw_buffer_text(&sql->text, ", row_number() OVER (PARTITION BY person ORDER BY min(turn), cell) AS n");
    gw_buffer_text(&sql->text, " FROM ");
    rows_of_others(sql, plan);
    gw_buffer_text(&sql->text, " GROUP BY person, cell");
    arm_end(sql, plan, is_numbered);
}

// A row adds what its person's total leaves. Frames of rows, not of equals: rows that tie are taken one after another.
static void arm_clamp(gw_sql *sql, const gw_plan *plan) {
    arm_begin(sql, plan);
    gw_buffer_text(&sql->text, ", CASE WHEN v < 0 THEN -c ELSE c END AS v");
    gw_buffer_text(&sql->text, plan->weight ? ", w" : "");
    gw_buffer_format(
        &sql->text,
        " FROM (SELECT *, CAST(greatest(0, least(abs(v), %lld - coalesce(sum(abs(v)) OVER (PARTITION BY "
        "person ORDER BY turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))) AS BIGINT) AS c FROM ",
        (long long)plan->bound.total);
    rows_of_others(sql, plan);
    gw_buffer_text(&sql->text, ") AS clamped");
    arm_end(sql, plan, false);
}

static sql_arm arm_of(const gw_plan *plan) {
    if (plan->is_per_person)
        return arm_persons;
    return plan->bound.kind == GW_BOUND_KEEP_ROWS ? arm_keep_rows : arm_clamp;
}

void gw_sql_bounded(gw_sql *sql, const gw_plan *plan) {
    if (plan->table->rows_per_person_max == 1) { // clamped, and nobody has a second row
        arm_direct(sql, plan);
        return;
    }
    gw_buffer_text(&sql->text,
                   plan->part_count == 1 ? "SELECT cell, sum(p0) FROM (" : "SELECT cell, sum(p0), sum(p1) FROM (");
    arm_direct(sql, plan);
    gw_buffer_text(&sql->text, " UNION ALL ");
    arm_of(plan)(sql, plan);
    gw_buffer_text(&sql->text, plan->part_count == 1 ? ") AS arms(cell, p0) GROUP BY cell"
                                                     : ") AS arms(cell, p0, p1) GROUP BY cell");
}
