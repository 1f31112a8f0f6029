// SPDX-License-Identifier: Apache-2.0
// The snapshot, written from the staging database. A table with many rows per person is written in two parts: persons
// with one row there, by what the rows hold, as statements that need no bound want to scan them; behind them the
// others, person by person. So "_rows" and "_person" rise through the file.
#include "service/base/cleanup.h"
#include "service/engine/duckdb_stage_inner.h"
#include "service/engine/sql_text.h"
#include <stdio.h>

static const char *rows_type(const gw_load_table *table) {
    return gw_stage_type_name(gw_stage_type_of(table->rows_per_person_max));
}

// The n-th of the different tables that a table inherits from; false where there are not so many.
static bool parent_at(const gw_load_table *table, size_t n, size_t *ret_parent) {
    for (size_t i = 0; i < table->inherited_count; i++) {
        bool is_first = true;
        for (size_t j = 0; j < i && is_first; j++)
            is_first = table->inherited[j].table != table->inherited[i].table;
        if (is_first && n-- == 0) {
            *ret_parent = (size_t)table->inherited[i].table;
            return true;
        }
    }
    return false;
}

// ", h0.c3 AS i0" and so on: what stands for a person whom the other table does not have is what stands for missing.
static void sql_inherited(const gw_stage *stage, gw_buffer *sql, const gw_load_table *table) {
    for (size_t i = 0; i < table->inherited_count; i++) {
        gw_load_inherited from = table->inherited[i];
        const gw_load_column *column = &stage->plan->tables[from.table].columns[from.column];
        if (column->is_text && column->missing_is_unknown)
            gw_buffer_format(sql, ", coalesce(h%zu.c%zu, '" GW_LOAD_UNKNOWN "') AS i%zu", (size_t)from.table,
                             (size_t)from.column, i);
        else if (column->is_code && column->missing_is_unknown)
            gw_buffer_format(sql, ", CAST(coalesce(h%zu.c%zu, %zu) AS %s) AS i%zu", (size_t)from.table,
                             (size_t)from.column, column->code_count - 1,
                             gw_stage_type_name(gw_stage_column_type(column)), i);
        else
            gw_buffer_format(sql, ", h%zu.c%zu AS i%zu", (size_t)from.table, (size_t)from.column, i);
    }
}

// " LEFT JOIN (...) h0 ON ..." for each table inherited from; the rows that take part are called `rows`.
static void sql_parents(const gw_stage *stage, gw_buffer *sql, const gw_load_table *table, const char *rows) {
    for (size_t n = 0, from; parent_at(table, n, &from); n++) {
        gw_buffer_format(sql, " LEFT JOIN (SELECT * FROM stage_%zu", from);
        if (stage->has_excess[from])
            gw_buffer_format(sql, " ANTI JOIN excess_%zu USING (row)", from);
        gw_buffer_format(sql, ") h%zu ON h%zu.person_high = %s.person_high AND h%zu.person_low = %s.person_low", from,
                         from, rows, from, rows);
    }
}

// Which persons have no row in a table inherited from, as a condition; "false" where nothing is inherited.
static void sql_is_orphan(gw_buffer *sql, const gw_load_table *table) {
    gw_buffer_text(sql, "(false");
    for (size_t n = 0, from; parent_at(table, n, &from); n++)
        gw_buffer_format(sql, " OR h%zu.person_high IS NULL", from);
    gw_buffer_text(sql, ")");
}

// Own and inherited columns under their names in the snapshot. `inherited` is where the latter are found.
static void sql_columns(const gw_stage *stage, gw_buffer *sql, const gw_load_table *table, const char *inherited) {
    for (size_t i = 0; i < table->column_count; i++) {
        gw_buffer_format(sql, "%ss.c%zu AS ", i > 0 ? ", " : "", i);
        gw_engine_identifier(sql, table->columns[i].target);
    }
    for (size_t i = 0; i < table->inherited_count; i++) {
        gw_load_inherited from = table->inherited[i];
        gw_buffer_format(sql, ", %s.i%zu AS ", inherited, i);
        gw_engine_identifier(sql, stage->plan->tables[from.table].columns[from.column].target);
    }
}

static void sql_without_excess(const gw_stage *stage, gw_buffer *sql, size_t index) {
    if (stage->has_excess[index])
        gw_buffer_format(sql, " ANTI JOIN excess_%zu e ON e.row = s.row", index);
}

static gw_status write_one_row_each(gw_stage *stage, size_t index) {
    const gw_load_table *table = &stage->plan->tables[index];
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, GW_STAGE_SQL_MAX);
    gw_buffer_text(&sql, "CREATE TABLE snapshot.");
    gw_engine_identifier(&sql, table->name);
    gw_buffer_text(&sql, " AS SELECT ");
    sql_columns(stage, &sql, table, "s");
    gw_buffer_text(&sql, " FROM (SELECT s.*");
    sql_inherited(stage, &sql, table);
    gw_buffer_format(&sql, " FROM stage_%zu s", index);
    sql_parents(stage, &sql, table, "s");
    gw_buffer_text(&sql, ") s");
    sql_without_excess(stage, &sql, index);
    gw_buffer_text(&sql, " ORDER BY ALL");
    return gw_stage_run(stage, &sql);
}

static gw_status count_orphans_of_rows(gw_stage *stage, size_t index, uint64_t *ret_count) {
    const gw_load_table *table = &stage->plan->tables[index];
    size_t count;
    *ret_count = 0;
    if (table->inherited_count == 0)
        return GW_OK;
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, GW_STAGE_SQL_MAX);
    gw_buffer_format(&sql, "SELECT count(*) FROM stage_%zu s", index);
    sql_without_excess(stage, &sql, index);
    sql_parents(stage, &sql, table, "s");
    gw_buffer_text(&sql, " WHERE ");
    sql_is_orphan(&sql, table);
    return sql.status == GW_OK ? gw_stage_numbers(stage, gw_buffer_string(&sql), ret_count, 1, &count) : sql.status;
}

// The persons of a table with many rows: how many rows each has, and what these inherit.
static gw_status write_persons(gw_stage *stage, size_t index, uint64_t *ret_orphans) {
    const gw_load_table *table = &stage->plan->tables[index];
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    char text[128];
    size_t count;
    gw_buffer_init(&sql, GW_STAGE_SQL_MAX);
    gw_buffer_format(&sql,
                     "CREATE TEMP TABLE persons_%zu AS SELECT r.person_high, r.person_low, CAST(least(r.rows, %llu) AS "
                     "%s) AS rows",
                     index, (unsigned long long)table->rows_per_person_max, rows_type(table));
    sql_inherited(stage, &sql, table);
    gw_buffer_text(&sql, ", ");
    sql_is_orphan(&sql, table);
    gw_buffer_format(&sql, " AS is_orphan FROM rows_%zu r", index);
    sql_parents(stage, &sql, table, "r");
    gw_status status = gw_stage_run(stage, &sql);
    snprintf(text, sizeof(text), "SELECT count(*) FROM persons_%zu WHERE is_orphan", index);
    return status == GW_OK ? gw_stage_numbers(stage, text, ret_orphans, 1, &count) : status;
}

static void sql_many_rows(const gw_stage *stage, gw_buffer *sql, size_t index, const char *persons) {
    gw_buffer_format(sql,
                     " FROM stage_%zu s JOIN %s_%zu p ON p.person_high = s.person_high AND p.person_low = s.person_low",
                     index, persons, index);
    sql_without_excess(stage, sql, index);
}

// Persons with one row are numbered as their rows lie: by what these hold. Numbers and rows are made in one stream.
static gw_status write_single_rows(gw_stage *stage, size_t index) {
    uint64_t person_count;
    char text[64];
    size_t count;
    snprintf(text, sizeof(text), "SELECT count(*) FROM rows_%zu", index);
    gw_status status = gw_stage_numbers(stage, text, &person_count, 1, &count);
    if (status != GW_OK)
        return status;
    const gw_load_table *table = &stage->plan->tables[index];
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, GW_STAGE_SQL_MAX);
    gw_buffer_text(&sql, "CREATE TABLE snapshot.");
    gw_engine_identifier(&sql, table->name);
    gw_buffer_format(&sql,
                     " AS SELECT *, CAST(row_number() OVER () - 1 AS %s) AS \"" GW_LOAD_PERSON
                     "\", CAST(1 AS %s) AS \"" GW_LOAD_ROWS "\", CAST(0 AS %s) AS \"" GW_LOAD_ORDER "\" FROM (SELECT ",
                     gw_stage_type_name(gw_stage_type_of(person_count)), rows_type(table), rows_type(table));
    sql_columns(stage, &sql, table, "p");
    sql_many_rows(stage, &sql, index, "persons");
    gw_buffer_text(&sql, " WHERE p.rows = 1 ORDER BY ALL)");
    return gw_stage_run(stage, &sql);
}

// The others are numbered behind them, by how many rows they have and then by their keyed hashes, which mean nothing.
static gw_status number_persons(gw_stage *stage, size_t index) {
    return gw_stage_run_format(
        stage,
        "CREATE TEMP TABLE numbered_%zu AS SELECT *, row_number() OVER () - 1 + (SELECT count(*) "
        "FROM persons_%zu WHERE rows = 1) AS person FROM (SELECT * FROM persons_%zu WHERE rows > "
        "1 ORDER BY rows, person_high, person_low)",
        index, index, index);
}

static gw_status write_multiple_rows(gw_stage *stage, size_t index) {
    const gw_load_table *table = &stage->plan->tables[index];
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, GW_STAGE_SQL_MAX);
    gw_buffer_text(&sql, "INSERT INTO snapshot.");
    gw_engine_identifier(&sql, table->name);
    gw_buffer_text(&sql, " SELECT ");
    sql_columns(stage, &sql, table, "p");
    gw_buffer_text(&sql, ", p.person AS \"" GW_LOAD_PERSON "\", p.rows AS \"" GW_LOAD_ROWS
                         "\", row_number() OVER (PARTITION BY p.person ORDER BY s.pick) - 1 AS \"" GW_LOAD_ORDER "\"");
    sql_many_rows(stage, &sql, index, "numbered");
    gw_buffer_text(&sql, " ORDER BY \"" GW_LOAD_PERSON "\", \"" GW_LOAD_ORDER "\"");
    return gw_stage_run(stage, &sql);
}

static gw_status write_many_rows_each(gw_stage *stage, size_t index, uint64_t *ret_orphans) {
    gw_status status = write_persons(stage, index, ret_orphans);
    if (status == GW_OK)
        status = write_single_rows(stage, index);
    if (status == GW_OK)
        status = number_persons(stage, index);
    return status == GW_OK ? write_multiple_rows(stage, index) : status;
}

static gw_status write_table(gw_stage *stage, size_t index, uint64_t *ret_orphans) {
    if (stage->plan->tables[index].rows_per_person_max > 1)
        return write_many_rows_each(stage, index, ret_orphans);
    gw_status status = write_one_row_each(stage, index);
    return status == GW_OK ? count_orphans_of_rows(stage, index, ret_orphans) : status;
}

static gw_status write_count(gw_stage *stage, size_t index, uint64_t *ret_rows) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, GW_STAGE_SQL_MAX);
    gw_buffer_text(&sql, "SELECT count(*) FROM snapshot.");
    gw_engine_identifier(&sql, stage->plan->tables[index].name);
    size_t count;
    return sql.status == GW_OK ? gw_stage_numbers(stage, gw_buffer_string(&sql), ret_rows, 1, &count) : sql.status;
}

static gw_status write_attach(gw_stage *stage) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    char path[GW_ENGINE_PATH_MAX + sizeof(GW_LOAD_SNAPSHOT)];
    snprintf(path, sizeof(path), "%s/" GW_LOAD_SNAPSHOT, stage->plan->folder); // the folder's own paths were checked
    gw_buffer_init(&sql, GW_STAGE_SQL_MAX);
    gw_buffer_text(&sql, "ATTACH ");
    gw_engine_literal(&sql, path);
    gw_buffer_text(&sql, " AS snapshot");
    return gw_stage_run(stage, &sql);
}

gw_status gw_stage_write(gw_stage *stage, gw_stage_progress progress, gw_load_report *report) {
    uint64_t rows_all = 1, rows_before = 0;
    for (size_t i = 0; i < stage->plan->table_count; i++)
        rows_all += report->tables[i].rows_read;
    gw_status status = write_attach(stage);
    for (size_t i = 0; i < stage->plan->table_count && status == GW_OK; i++) {
        gw_load_table_report *table = &report->tables[i];
        progress.tell(progress.state, i, (double)rows_before / (double)rows_all);
        status = write_table(stage, i, &table->orphan_count);
        if (status == GW_OK)
            status = write_count(stage, i, &table->rows_kept);
        report->rows_kept += table->rows_kept;
        rows_before += table->rows_read;
    }
    if (status == GW_OK)
        status = gw_stage_run_format(stage, "CHECKPOINT snapshot");
    return status == GW_OK ? gw_stage_run_format(stage, "DETACH snapshot") : status;
}
