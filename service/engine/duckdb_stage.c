// SPDX-License-Identifier: Apache-2.0
// Rows are appended in chunks inside one transaction; DuckDB writes full row groups to the file as they come, so memory
// stays within its limit, and sorts spill into the plan's folder.
#include "service/engine/duckdb_stage_inner.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

GW_DEFINE_FREEP(gw_stage, gw_stage_close)

gw_status gw_stage_run(gw_stage *stage, const gw_buffer *sql) {
    duckdb_result result;
    gw_status status = sql->status;
    if (status == GW_OK) {
        if (duckdb_query(stage->connection, gw_buffer_string(sql), &result) != DuckDBSuccess)
            status = GW_IO;
        duckdb_destroy_result(&result);
    }
    return status;
}

gw_status gw_stage_run_format(gw_stage *stage, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    GW_ASSERT(length >= 0 && (size_t)length < sizeof(text));
    duckdb_result result;
    gw_status status = duckdb_query(stage->connection, text, &result) == DuckDBSuccess ? GW_OK : GW_IO;
    duckdb_destroy_result(&result);
    return status;
}

gw_status gw_stage_numbers(gw_stage *stage, const char *sql, uint64_t *ret_numbers, size_t max, size_t *ret_count) {
    duckdb_result result;
    gw_status status = GW_IO;
    *ret_count = 0;
    if (duckdb_query(stage->connection, sql, &result) == DuckDBSuccess) {
        status = GW_OK;
        for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)) != NULL;) {
            const int64_t *data = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
            for (size_t i = 0; i < duckdb_data_chunk_get_size(chunk) && *ret_count < max; i++)
                ret_numbers[(*ret_count)++] = (uint64_t)data[i];
            duckdb_destroy_data_chunk(&chunk);
        }
    }
    duckdb_destroy_result(&result);
    return status;
}

duckdb_type gw_stage_type_of(uint64_t max) {
    return max <= UINT8_MAX    ? DUCKDB_TYPE_UTINYINT
           : max <= UINT16_MAX ? DUCKDB_TYPE_USMALLINT
           : max <= UINT32_MAX ? DUCKDB_TYPE_UINTEGER
                               : DUCKDB_TYPE_BIGINT;
}

const char *gw_stage_type_name(duckdb_type type) {
    return type == DUCKDB_TYPE_VARCHAR     ? "VARCHAR"
           : type == DUCKDB_TYPE_UTINYINT  ? "UTINYINT"
           : type == DUCKDB_TYPE_USMALLINT ? "USMALLINT"
           : type == DUCKDB_TYPE_UINTEGER  ? "UINTEGER"
                                           : "BIGINT";
}

duckdb_type gw_stage_column_type(const gw_load_column *column) {
    if (column->is_text)
        return DUCKDB_TYPE_VARCHAR;
    return gw_stage_type_of(column->is_code ? column->code_count - 1 : (uint64_t)column->steps);
}

static bool config_fill(duckdb_config config, const gw_load_plan *plan, const char *spill) {
    char threads[32], memory[32];
    snprintf(threads, sizeof(threads), "%llu", (unsigned long long)plan->threads);
    snprintf(memory, sizeof(memory), "%lluB", (unsigned long long)plan->memory_bytes);
    const char *const settings[][2] = {
        {"threads", threads},
        {"memory_limit", memory},
        {"temp_directory", spill},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
    };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (duckdb_set_config(config, settings[i][0], settings[i][1]) != DuckDBSuccess)
            return false;
    return true;
}

gw_status gw_stage_open(const gw_load_plan *plan, gw_stage **ret) {
    char path[GW_ENGINE_PATH_MAX], spill[GW_ENGINE_PATH_MAX];
    GW_CLEANUP(gw_stage_freep) gw_stage *stage = calloc(1, sizeof(*stage));
    if (stage == NULL)
        return GW_NO_MEMORY;
    stage->plan = plan;
    int length = snprintf(path, sizeof(path), "%s/stage.duckdb", plan->folder);
    snprintf(spill, sizeof(spill), "%s/spill", plan->folder);
    if (length < 0 || (size_t)length >= sizeof(path))
        return GW_IO;
    duckdb_config config = NULL;
    bool is_open = duckdb_create_config(&config) == DuckDBSuccess && config_fill(config, plan, spill) &&
                   duckdb_open_ext(path, &stage->database, config, NULL) == DuckDBSuccess &&
                   duckdb_connect(stage->database, &stage->connection) == DuckDBSuccess;
    duckdb_destroy_config(&config);
    if (!is_open)
        return GW_IO;
    *ret = gw_take(&stage);
    return GW_OK;
}

void gw_stage_close(gw_stage *stage) {
    if (stage == NULL)
        return;
    duckdb_destroy_data_chunk(&stage->chunk); // all accept null
    duckdb_appender_destroy(&stage->appender);
    duckdb_disconnect(&stage->connection);
    duckdb_close(&stage->database);
    free(stage);
}

static gw_status begin_table(gw_stage *stage, size_t index) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, GW_STAGE_SQL_MAX);
    gw_buffer_format(&sql, "BEGIN TRANSACTION; CREATE TABLE stage_%zu (", index);
    for (size_t i = 0; i < stage->table->column_count; i++)
        gw_buffer_format(&sql, "c%zu %s, ", i, gw_stage_type_name(stage->types[i]));
    gw_buffer_text(&sql, "person_high UBIGINT, person_low UBIGINT, pick UBIGINT, row BIGINT)");
    return gw_stage_run(stage, &sql);
}

static gw_status begin_chunk(gw_stage *stage, size_t column_count) {
    duckdb_logical_type types[GW_LOAD_COLUMNS_MAX + GW_STAGE_FIXED];
    for (size_t i = 0; i < column_count; i++)
        types[i] = duckdb_create_logical_type(stage->types[i]);
    stage->chunk = duckdb_create_data_chunk(types, column_count);
    for (size_t i = 0; i < column_count; i++)
        duckdb_destroy_logical_type(&types[i]);
    return stage->chunk != NULL ? GW_OK : GW_NO_MEMORY;
}

// After a reset the vectors may lie elsewhere.
static void chunk_locate(gw_stage *stage) {
    stage->chunk_rows = 0;
    for (size_t i = 0; i < stage->table->column_count + GW_STAGE_FIXED; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(stage->chunk, i);
        duckdb_vector_ensure_validity_writable(vector);
        stage->data[i] = duckdb_vector_get_data(vector);
        stage->validity[i] = duckdb_vector_get_validity(vector);
    }
}

gw_status gw_stage_begin(gw_stage *stage, size_t index) {
    char name[32];
    stage->table = &stage->plan->tables[index];
    size_t count = stage->table->column_count;
    for (size_t i = 0; i < count; i++)
        stage->types[i] = gw_stage_column_type(&stage->table->columns[i]);
    for (size_t i = 0; i < GW_STAGE_FIXED; i++)
        stage->types[count + i] = i < GW_STAGE_FIXED - 1 ? DUCKDB_TYPE_UBIGINT : DUCKDB_TYPE_BIGINT;
    gw_status status = begin_table(stage, index);
    if (status == GW_OK)
        status = begin_chunk(stage, count + GW_STAGE_FIXED);
    if (status != GW_OK)
        return status;
    snprintf(name, sizeof(name), "stage_%zu", index);
    if (duckdb_appender_create(stage->connection, NULL, name, &stage->appender) != DuckDBSuccess)
        return GW_IO;
    chunk_locate(stage);
    return GW_OK;
}

static gw_status chunk_flush(gw_stage *stage) {
    duckdb_data_chunk_set_size(stage->chunk, stage->chunk_rows);
    if (duckdb_append_data_chunk(stage->appender, stage->chunk) != DuckDBSuccess)
        return GW_IO;
    duckdb_data_chunk_reset(stage->chunk);
    chunk_locate(stage);
    return GW_OK;
}

static void value_write(gw_stage *stage, size_t column, uint64_t value) {
    size_t row = stage->chunk_rows;
    if (value == GW_STAGE_MISSING) {
        duckdb_validity_set_row_invalid(stage->validity[column], row);
        return;
    }
    if (stage->types[column] == DUCKDB_TYPE_UTINYINT)
        ((uint8_t *)stage->data[column])[row] = (uint8_t)value;
    else if (stage->types[column] == DUCKDB_TYPE_USMALLINT)
        ((uint16_t *)stage->data[column])[row] = (uint16_t)value;
    else if (stage->types[column] == DUCKDB_TYPE_UINTEGER)
        ((uint32_t *)stage->data[column])[row] = (uint32_t)value;
    else
        ((uint64_t *)stage->data[column])[row] = value;
}

static void text_write(gw_stage *stage, size_t column, gw_bytes text) {
    duckdb_vector_assign_string_element_len(duckdb_data_chunk_get_vector(stage->chunk, column), stage->chunk_rows,
                                            (const char *)text.data, text.size);
}

gw_status gw_stage_append(gw_stage *stage, const uint64_t *values, const gw_bytes *texts, gw_keyed_hash person,
                          uint64_t pick, uint64_t row) {
    size_t count = stage->table->column_count;
    for (size_t i = 0; i < count; i++)
        if (stage->types[i] == DUCKDB_TYPE_VARCHAR && values[i] != GW_STAGE_MISSING)
            text_write(stage, i, texts[i]);
        else
            value_write(stage, i, values[i]);
    const uint64_t fixed[GW_STAGE_FIXED] = {person.high, person.low, pick, row};
    for (size_t i = 0; i < GW_STAGE_FIXED; i++)
        ((uint64_t *)stage->data[count + i])[stage->chunk_rows] = fixed[i];
    stage->chunk_rows++;
    return stage->chunk_rows == duckdb_vector_size() ? chunk_flush(stage) : GW_OK;
}

gw_status gw_stage_end(gw_stage *stage) {
    gw_status status = chunk_flush(stage);
    if (status == GW_OK && duckdb_appender_close(stage->appender) != DuckDBSuccess)
        status = GW_IO;
    duckdb_appender_destroy(&stage->appender);
    duckdb_destroy_data_chunk(&stage->chunk);
    return status == GW_OK ? gw_stage_run_format(stage, "COMMIT") : status;
}

gw_status gw_stage_check_keys(gw_stage *stage, size_t index, size_t *ret_column) {
    const gw_load_table *table = &stage->plan->tables[index];
    for (*ret_column = 0; *ret_column < table->column_count; ++*ret_column) {
        char sql[128];
        uint64_t keys;
        size_t count;
        if (!table->columns[*ret_column].is_text)
            continue;
        snprintf(sql, sizeof(sql), "SELECT count(DISTINCT c%zu) FROM stage_%zu", *ret_column, index);
        gw_status status = gw_stage_numbers(stage, sql, &keys, 1, &count);
        if (status != GW_OK)
            return status;
        if (keys > table->columns[*ret_column].keys_max)
            return GW_OK;
    }
    return GW_OK;
}

static gw_status report_excess(gw_stage *stage, size_t index, gw_load_report *report) {
    char sql[256];
    uint64_t count = 0, rows[GW_LOAD_FINDINGS_MAX];
    size_t one, row_count = 0;
    gw_load_kind_report *kind = &report->kinds[GW_LOAD_TOO_MANY_ROWS];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM excess_%zu", index);
    gw_status status = gw_stage_numbers(stage, sql, &count, 1, &one);
    snprintf(sql, sizeof(sql), "SELECT row FROM excess_%zu ORDER BY row LIMIT %u", index, GW_LOAD_FINDINGS_MAX);
    if (status == GW_OK)
        status = gw_stage_numbers(stage, sql, rows, GW_LOAD_FINDINGS_MAX, &row_count);
    stage->has_excess[index] = count > 0;
    kind->count += count;
    if (stage->plan->treatments[GW_LOAD_TOO_MANY_ROWS] == GW_TREAT_REFUSE)
        kind->refused_count += count;
    for (size_t i = 0; i < row_count && kind->finding_count < GW_LOAD_FINDINGS_MAX; i++) {
        gw_load_finding *finding = &kind->findings[kind->finding_count++];
        *finding = (gw_load_finding){.row = rows[i], .table = index, .column = stage->plan->tables[index].column_count};
        snprintf(finding->text, sizeof(finding->text), "the same %.128s as in another row; at most %llu per person",
                 stage->plan->tables[index].person, (unsigned long long)stage->plan->tables[index].rows_per_person_max);
    }
    return status;
}

// Tables with many rows keep how many each person has for the writing.
static gw_status count_rows(gw_stage *stage, size_t index, unsigned long long max) {
    if (max == 1)
        return gw_stage_run_format(stage,
                                   "CREATE TEMP TABLE over_%zu AS SELECT person_high, person_low FROM stage_%zu "
                                   "GROUP BY person_high, person_low HAVING count(*) > 1",
                                   index, index);
    gw_status status = gw_stage_run_format(stage,
                                           "CREATE TEMP TABLE rows_%zu AS SELECT person_high, person_low, count(*) AS "
                                           "rows FROM stage_%zu GROUP BY person_high, person_low",
                                           index, index);
    if (status != GW_OK)
        return status;
    return gw_stage_run_format(
        stage, "CREATE TEMP TABLE over_%zu AS SELECT person_high, person_low FROM rows_%zu WHERE rows > %llu", index,
        index, max);
}

gw_status gw_stage_check_persons(gw_stage *stage, size_t index, gw_load_report *report) {
    unsigned long long max = stage->plan->tables[index].rows_per_person_max;
    bool is_dropping = stage->plan->treatments[GW_LOAD_TOO_MANY_ROWS] == GW_TREAT_DROP_ROW;
    gw_status status = count_rows(stage, index, max);
    if (status == GW_OK)
        status =
            gw_stage_run_format(stage,
                                "CREATE TEMP TABLE excess_%zu AS SELECT row FROM (SELECT row, row_number() OVER "
                                "(PARTITION BY person_high, person_low ORDER BY %s row) AS place FROM stage_%zu SEMI "
                                "JOIN over_%zu USING (person_high, person_low)) WHERE place > %llu",
                                index, is_dropping ? "pick," : "", index, index, max);
    return status == GW_OK ? report_excess(stage, index, report) : status;
}
