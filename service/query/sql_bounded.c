// SPDX-License-Identifier: Apache-2.0
// Statements on tables with many rows of a person. Most rows cannot be touched by a bound, whatever else the person
// has: they are summed up as they are, in one arm, and only the others are looked at person by person, in a second. No
// row is in both arms, so their sums add up. "_rows" says how many rows a person has; "_order" numbers them from 0.
#include "service/query/sql_terms.h"

#define BITS_MAX 62u // rows of a person that one 64-bit integer can mark

typedef void (*sql_arm)(gw_sql *sql, const gw_plan *plan);

static void value_named(gw_sql *sql, const gw_plan *plan) {
    (void)plan;
    gw_buffer_text(&sql->text, "v");
}

static void weight_named(gw_sql *sql, const gw_plan *plan) {
    (void)plan;
    gw_buffer_text(&sql->text, "w");
}

static void over_named(gw_sql *sql, const gw_plan *plan) {
    (void)plan;
    gw_buffer_text(&sql->text, "u");
}

static const gw_sql_unit named = {value_named, weight_named, over_named};

// What the only row of a person adds: clamped to the person's total where there is one.
static void value_alone(gw_sql *sql, const gw_plan *plan) {
    if (plan->bound.kind == GW_BOUND_CLAMP_TOTAL) {
        long long total = (long long)plan->bound.total;
        gw_buffer_format(&sql->text, "greatest(%lld, least(%lld, ", -total, total);
        gw_sql_value(sql, plan);
        gw_buffer_text(&sql->text, "))");
    } else if (plan->unit_width > 0 && plan->is_per_person) {
        gw_buffer_format(&sql->text, "least(%lld, ", (long long)plan->unit_width);
        gw_sql_value(sql, plan);
        gw_buffer_text(&sql->text, ")");
    } else {
        gw_sql_value(sql, plan);
    }
}

// One cell of each person counts, and once: it is that of the person's first row, so that row stands for the person.
static bool is_head_count(const gw_plan *plan) {
    return plan->is_per_person && plan->measured_parts == 1 && plan->bound.units == 1 && !plan->weight;
}

// The first rows of a person are among the first that match, whatever matches: a mark for each is enough to tell the
// others apart, and no row needs sorting.
static bool is_marked(const gw_plan *plan) {
    bool is_first_rows = plan->bound.kind == GW_BOUND_KEEP_ROWS || is_head_count(plan);
    return is_first_rows && plan->table->rows_per_person_max <= BITS_MAX;
}

static bool conditions_are_of_person(const gw_plan *plan, const gw_plan_condition *conditions, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!gw_table_is_of_person(plan->table, conditions[i].column))
            return false;
    return true;
}

// All rows of a person match or none does: then the first that match are the first.
static bool is_all_or_none(const gw_plan *plan) {
    for (size_t i = 0; i < plan->axis_count; i++)
        if (plan->axes[i].column->missing == GW_MISSING_DROP &&
            !gw_table_is_of_person(plan->table, plan->axes[i].column))
            return false;
    return !plan->weight && plan->statistic != GW_STATISTIC_NET &&
           (!plan->of || gw_table_is_of_person(plan->table, plan->of)) &&
           (!plan->over || gw_table_is_of_person(plan->table, plan->over)) &&
           (!plan->gap.column || gw_table_is_of_person(plan->table, plan->gap.column)) &&
           conditions_are_of_person(plan, plan->where, plan->where_count) &&
           conditions_are_of_person(plan, plan->population, plan->population_count);
}

// Every row that counts is told by its number alone.
static bool is_by_number(const gw_plan *plan) {
    return (is_marked(plan) || is_head_count(plan)) && is_all_or_none(plan);
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
    static const gw_sql_unit alone = {value_alone, gw_sql_weight, gw_sql_over};
    gw_buffer_text(&sql->text, "SELECT ");
    gw_sql_cell(sql, plan);
    gw_buffer_text(&sql->text, " AS cell");
    gw_sql_parts(sql, plan, &alone);
    gw_buffer_text(&sql->text, " FROM ");
    gw_sql_identifier(sql, plan->table->name);
    const char *joiner = " WHERE ";
    gw_sql_where(sql, plan, &joiner);
    if (is_marked(plan) || is_by_number(plan))
        gw_buffer_format(&sql->text, "%s\"" GW_SQL_ORDER "\" < %llu", joiner, (unsigned long long)plan->bound.units);
    else if (plan->table->rows_per_person_max > 1)
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
    if (plan->over) {
        gw_buffer_text(&sql->text, ", ");
        gw_sql_over(sql, plan);
        gw_buffer_text(&sql->text, " AS u");
    }
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

static void later_rows(gw_sql *sql, const gw_plan *plan, const char *column) {
    gw_sql_identifier(sql, plan->table->name);
    const char *joiner = " WHERE ";
    if (column)
        gw_buffer_format(&sql->text, " %s", column);
    gw_sql_where(sql, plan, &joiner);
    gw_buffer_format(&sql->text, "%s\"" GW_SQL_ROWS "\" > %llu", joiner, (unsigned long long)plan->bound.units);
}

// Rows beyond the first, of persons whose first rows do not all match: those before which fewer than `units` match.
// The names with a space are no concept's.
static void arm_marked(gw_sql *sql, const gw_plan *plan) {
    static const gw_sql_unit row = {gw_sql_value, gw_sql_weight, gw_sql_over};
    unsigned long long units = (unsigned long long)plan->bound.units, first = (1ull << units) - 1;
    gw_buffer_text(&sql->text, "SELECT ");
    gw_sql_cell(sql, plan);
    gw_buffer_text(&sql->text, " AS cell");
    gw_sql_parts(sql, plan, &row);
    gw_buffer_text(&sql->text, " FROM (SELECT \"" GW_SQL_PERSON "\" AS \"one person\", bit_or(CAST(1 AS BIGINT) << "
                               "CAST(\"" GW_SQL_ORDER "\" AS BIGINT)) AS \"all marks\" FROM ");
    later_rows(sql, plan, NULL);
    gw_buffer_format(&sql->text,
                     " GROUP BY \"" GW_SQL_PERSON
                     "\" HAVING bit_count(\"all marks\" & %llu) < %llu AND \"all marks\" > "
                     "%llu) AS marked JOIN ",
                     first, units, first);
    later_rows(sql, plan, "ON \"" GW_SQL_PERSON "\" = \"one person\"");
    gw_buffer_format(&sql->text,
                     " AND \"" GW_SQL_ORDER
                     "\" >= %llu AND bit_count(\"all marks\" & ((CAST(1 AS BIGINT) << CAST(\"" GW_SQL_ORDER
                     "\" AS BIGINT)) - 1)) < %llu",
                     units, units);
    gw_sql_group(sql, plan);
}

static void arm_keep_rows(gw_sql *sql, const gw_plan *plan) {
    arm_begin(sql, plan);
    gw_buffer_text(&sql->text, plan->over ? ", v, u" : ", v");
    gw_buffer_text(&sql->text, plan->weight ? ", w" : "");
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
    if (plan->unit_width > 0)
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
    if (is_marked(plan))
        return arm_marked;
    if (plan->is_per_person)
        return arm_persons;
    return plan->bound.kind == GW_BOUND_KEEP_ROWS ? arm_keep_rows : arm_clamp;
}

bool gw_sql_sorts(const gw_plan *plan) {
    if (plan->mechanism == GW_MECHANISM_SELECTION)
        return true; // texts are grouped, which is as dear; and persons' keys are put in order
    bool is_plain = plan->bound.kind == GW_BOUND_NONE && !plan->is_per_person;
    return plan->table->rows_per_person_max > 1 && !is_plain && !is_by_number(plan) && !is_marked(plan);
}

void gw_sql_bounded(gw_sql *sql, const gw_plan *plan) {
    if (plan->table->rows_per_person_max == 1 || is_by_number(plan)) { // nobody has a second row that counts
        arm_direct(sql, plan);
        return;
    }
    gw_buffer_text(&sql->text, "SELECT cell");
    for (size_t i = 0; i < plan->measured_parts; i++)
        gw_buffer_format(&sql->text, ", sum(p%zu)", i);
    gw_buffer_text(&sql->text, " FROM (");
    arm_direct(sql, plan);
    gw_buffer_text(&sql->text, " UNION ALL ");
    arm_of(plan)(sql, plan);
    gw_buffer_text(&sql->text, ") AS arms(cell");
    for (size_t i = 0; i < plan->measured_parts; i++)
        gw_buffer_format(&sql->text, ", p%zu", i);
    gw_buffer_text(&sql->text, ") GROUP BY cell");
}
