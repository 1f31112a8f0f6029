// SPDX-License-Identifier: Apache-2.0
// The codec of plans and reports. Counts are checked against what is left of the payload before anything is allocated.
#include "service/engine/load.h"
#include <ftw.h>
#include <stdio.h>
#include <string.h>

const char *gw_load_kind_name(gw_load_kind kind) {
    static const char *const names[GW_LOAD_KINDS] = {"bad_type",      "unlisted_code", "out_of_bounds", "not_finite",
                                                     "too_many_rows", "missing_id",    "ragged_row"};
    return names[kind];
}

const char *gw_load_treatment_name(gw_load_treatment treatment) {
    static const char *const names[] = {"refuse", "drop-row", "missing", "clamp"};
    return names[treatment];
}

bool gw_load_treatment_fits(gw_load_kind kind, gw_load_treatment treatment) {
    switch (treatment) {
    case GW_TREAT_REFUSE:
    case GW_TREAT_DROP_ROW:
        return true;
    case GW_TREAT_MISSING:
        return gw_load_kind_is_of_column(kind);
    case GW_TREAT_CLAMP:
        return kind == GW_LOAD_OUT_OF_BOUNDS;
    }
    return false;
}

bool gw_load_kind_is_of_column(gw_load_kind kind) {
    return kind == GW_LOAD_BAD_TYPE || kind == GW_LOAD_UNLISTED_CODE || kind == GW_LOAD_OUT_OF_BOUNDS ||
           kind == GW_LOAD_NOT_FINITE;
}

gw_load_treatment gw_load_treatment_of(const gw_load_plan *plan, const gw_load_column *column, gw_load_kind kind) {
    if (column != NULL && column->treatments[kind] != GW_TREAT_REFUSE)
        return column->treatments[kind];
    return plan->treatments[kind];
}

bool gw_load_is_refused(const gw_load_report *report) {
    for (size_t i = 0; i < GW_LOAD_KINDS; i++)
        if (report->kinds[i].refused_count > 0)
            return true;
    return false;
}

static void treatments_pack(const gw_load_treatment treatments[GW_LOAD_KINDS], gw_buffer *buffer) {
    for (size_t i = 0; i < GW_LOAD_KINDS; i++)
        gw_pack_u64(buffer, treatments[i]);
}

static void column_pack(const gw_load_column *column, gw_buffer *buffer) {
    gw_pack_text(buffer, column->name);
    gw_pack_text(buffer, column->target);
    gw_pack_u64(buffer, column->is_code);
    gw_pack_u64(buffer, column->is_text);
    gw_pack_u64(buffer, column->is_whole);
    gw_pack_u64(buffer, column->missing_is_unknown);
    gw_pack_u64(buffer, column->code_count);
    for (size_t i = 0; i < column->code_count; i++)
        gw_pack_text(buffer, column->codes[i]);
    gw_pack_u64(buffer, column->recode_count);
    for (size_t i = 0; i < column->recode_count; i++) {
        gw_pack_text(buffer, column->recodes[i].from);
        gw_pack_u64(buffer, column->recodes[i].code);
    }
    gw_pack_u64(buffer, column->period);
    gw_pack_i64(buffer, column->period_first);
    gw_pack_u64(buffer, column->scale);
    gw_pack_i64(buffer, column->min_scaled);
    gw_pack_i64(buffer, column->max_scaled);
    gw_pack_i64(buffer, column->grid_scaled);
    gw_pack_i64(buffer, column->steps);
    gw_pack_u64(buffer, column->text_bytes_max);
    gw_pack_u64(buffer, column->keys_max);
    treatments_pack(column->treatments, buffer);
}

static void table_pack(const gw_load_table *table, gw_buffer *buffer) {
    gw_pack_text(buffer, table->name);
    gw_pack_text(buffer, table->source);
    gw_pack_text(buffer, table->person);
    gw_pack_u64(buffer, table->rows_per_person_max);
    gw_pack_u64(buffer, table->column_count);
    for (size_t i = 0; i < table->column_count; i++)
        column_pack(&table->columns[i], buffer);
    gw_pack_u64(buffer, table->inherited_count);
    for (size_t i = 0; i < table->inherited_count; i++) {
        gw_pack_u64(buffer, table->inherited[i].table);
        gw_pack_u64(buffer, table->inherited[i].column);
    }
}

void gw_load_plan_pack(const gw_load_plan *plan, gw_buffer *buffer) {
    gw_pack_text(buffer, plan->folder);
    gw_pack_u64(buffer, plan->threads);
    gw_pack_u64(buffer, plan->memory_bytes);
    treatments_pack(plan->treatments, buffer);
    gw_pack_u64(buffer, plan->key != NULL);
    for (size_t i = 0; i < GW_LOAD_KEY_WORDS && plan->key != NULL; i++)
        gw_pack_u64(buffer, plan->key[i]);
    gw_pack_u64(buffer, plan->table_count);
    for (size_t i = 0; i < plan->table_count; i++)
        table_pack(&plan->tables[i], buffer);
}

// A reader with a place to put arrays; running out of memory is as bad as a bad payload.
typedef struct {
    gw_unpack in;
    gw_arena *arena;
} plan_reader;

static void *reader_array(plan_reader *reader, size_t count, size_t size) {
    void *array = gw_arena_array(reader->arena, count + 1, size); // one more, so that none is not a failure
    if (array == NULL)
        reader->in.is_bad = true;
    return array;
}

static const char *reader_name(plan_reader *reader) {
    const char *text = gw_unpack_text(&reader->in);
    if (text == NULL || text[0] == '\0')
        reader->in.is_bad = true;
    return text;
}

static void treatments_unpack(plan_reader *reader, gw_load_treatment treatments[GW_LOAD_KINDS]) {
    for (size_t i = 0; i < GW_LOAD_KINDS; i++) {
        uint64_t treatment = gw_unpack_u64(&reader->in);
        treatments[i] = treatment <= GW_TREAT_CLAMP ? (gw_load_treatment)treatment : GW_TREAT_REFUSE;
        if (!gw_load_treatment_fits((gw_load_kind)i, treatments[i]))
            reader->in.is_bad = true;
    }
}

static void column_codes_unpack(plan_reader *reader, gw_load_column *column) {
    column->code_count = gw_unpack_count(&reader->in, sizeof(uint64_t));
    const char **codes = reader_array(reader, column->code_count, sizeof(*codes));
    for (size_t i = 0; i < column->code_count && !reader->in.is_bad; i++)
        codes[i] = reader_name(reader);
    column->codes = codes;
    column->recode_count = gw_unpack_count(&reader->in, sizeof(uint64_t));
    gw_load_recode *recodes = reader_array(reader, column->recode_count, sizeof(*recodes));
    for (size_t i = 0; i < column->recode_count && !reader->in.is_bad; i++) {
        recodes[i].from = gw_unpack_text(&reader->in); // "" is a value like any other
        recodes[i].code = gw_unpack_u64(&reader->in);
        if (recodes[i].from == NULL || recodes[i].code >= column->code_count)
            reader->in.is_bad = true;
    }
    column->recodes = recodes;
}

static void column_period_unpack(plan_reader *reader, gw_load_column *column) {
    uint64_t period = gw_unpack_u64(&reader->in);
    if (period > GW_PERIOD_MONTH)
        reader->in.is_bad = true;
    column->period = period > GW_PERIOD_MONTH ? GW_PERIOD_NONE : (gw_period)period;
    column->period_first = gw_unpack_i64(&reader->in);
}

static bool column_is_sound(const gw_load_column *column) {
    if (column->period != GW_PERIOD_NONE &&
        (!column->is_code || column->code_count <= column->missing_is_unknown || column->period_first < 0))
        return false;
    if (column->is_text)
        return !column->is_code && column->text_bytes_max >= 1 && column->text_bytes_max <= GW_KEY_BYTES_MAX &&
               column->keys_max >= 1 && column->keys_max <= GW_KEYS_MAX;
    if (column->is_code)
        return column->code_count >= 1 && column->code_count <= UINT32_MAX;
    return column->scale <= 18 && column->grid_scaled >= 1 && column->min_scaled < column->max_scaled &&
           column->steps >= 1 &&
           (gw_int128)column->steps * column->grid_scaled == (gw_int128)column->max_scaled - column->min_scaled;
}

static void column_unpack(plan_reader *reader, gw_load_column *column) {
    column->name = reader_name(reader);
    column->target = reader_name(reader);
    column->is_code = gw_unpack_u64(&reader->in) != 0;
    column->is_text = gw_unpack_u64(&reader->in) != 0;
    column->is_whole = gw_unpack_u64(&reader->in) != 0;
    column->missing_is_unknown = gw_unpack_u64(&reader->in) != 0;
    column_codes_unpack(reader, column);
    column_period_unpack(reader, column);
    column->scale = (unsigned)gw_unpack_u64(&reader->in);
    column->min_scaled = gw_unpack_i64(&reader->in);
    column->max_scaled = gw_unpack_i64(&reader->in);
    column->grid_scaled = gw_unpack_i64(&reader->in);
    column->steps = gw_unpack_i64(&reader->in);
    column->text_bytes_max = gw_unpack_u64(&reader->in);
    column->keys_max = gw_unpack_u64(&reader->in);
    treatments_unpack(reader, column->treatments);
    if (!reader->in.is_bad && !column_is_sound(column))
        reader->in.is_bad = true;
}

static void table_unpack(plan_reader *reader, gw_load_table *table) {
    table->name = reader_name(reader);
    table->source = reader_name(reader);
    table->person = reader_name(reader);
    table->rows_per_person_max = gw_unpack_u64(&reader->in);
    table->column_count = gw_unpack_count(&reader->in, (17 + GW_LOAD_KINDS) * sizeof(uint64_t));
    if (table->column_count < 1 || table->column_count > GW_LOAD_COLUMNS_MAX || table->rows_per_person_max < 1)
        reader->in.is_bad = true;
    gw_load_column *columns = reader_array(reader, table->column_count, sizeof(*columns));
    for (size_t i = 0; i < table->column_count && !reader->in.is_bad; i++)
        column_unpack(reader, &columns[i]);
    table->columns = columns;
    table->inherited_count = gw_unpack_count(&reader->in, 2 * sizeof(uint64_t));
    gw_load_inherited *inherited = reader_array(reader, table->inherited_count, sizeof(*inherited));
    for (size_t i = 0; i < table->inherited_count && !reader->in.is_bad; i++) {
        inherited[i].table = gw_unpack_u64(&reader->in);
        inherited[i].column = gw_unpack_u64(&reader->in);
    }
    table->inherited = inherited;
}

static bool plan_inherits_soundly(const gw_load_plan *plan) {
    for (size_t i = 0; i < plan->table_count; i++)
        for (size_t j = 0; j < plan->tables[i].inherited_count; j++) {
            gw_load_inherited from = plan->tables[i].inherited[j];
            if (from.table >= plan->table_count || from.table == i ||
                plan->tables[from.table].rows_per_person_max != 1 ||
                from.column >= plan->tables[from.table].column_count)
                return false;
        }
    return true;
}

static const uint64_t *key_unpack(plan_reader *reader) {
    if (gw_unpack_u64(&reader->in) == 0)
        return NULL;
    uint64_t *key = reader_array(reader, GW_LOAD_KEY_WORDS, sizeof(*key));
    for (size_t i = 0; i < GW_LOAD_KEY_WORDS && key != NULL; i++)
        key[i] = gw_unpack_u64(&reader->in);
    return key;
}

gw_status gw_load_plan_unpack(gw_bytes payload, gw_arena *arena, gw_load_plan *ret) {
    plan_reader reader = {.in = {.rest = payload}, .arena = arena};
    gw_load_plan plan = {0};
    plan.folder = reader_name(&reader);
    plan.threads = gw_unpack_u64(&reader.in);
    plan.memory_bytes = gw_unpack_u64(&reader.in);
    treatments_unpack(&reader, plan.treatments);
    plan.key = key_unpack(&reader);
    plan.table_count = gw_unpack_count(&reader.in, 6 * sizeof(uint64_t));
    if (plan.table_count < 1 || plan.table_count > GW_LOAD_TABLES_MAX)
        reader.in.is_bad = true;
    gw_load_table *tables = reader_array(&reader, plan.table_count, sizeof(*tables));
    for (size_t i = 0; i < plan.table_count && !reader.in.is_bad; i++)
        table_unpack(&reader, &tables[i]);
    plan.tables = tables;
    if (!gw_unpack_is_done(&reader.in) || !plan_inherits_soundly(&plan))
        return GW_CORRUPT;
    *ret = plan;
    return GW_OK;
}

// Both ends are one build, so the report travels as it lies in memory; texts are ended again on arrival.
void gw_load_report_pack(const gw_load_report *report, gw_buffer *buffer) {
    gw_buffer_append(buffer, report, sizeof(*report));
}

gw_status gw_load_report_unpack(gw_bytes payload, gw_load_report *ret) {
    if (payload.size != sizeof(*ret))
        return GW_CORRUPT;
    memcpy(ret, payload.data, sizeof(*ret));
    ret->what[GW_LOAD_TEXT_MAX - 1] = '\0';
    ret->why[GW_LOAD_TEXT_MAX - 1] = '\0';
    ret->mend[GW_LOAD_TEXT_MAX - 1] = '\0';
    for (size_t i = 0; i < GW_LOAD_KINDS; i++) {
        if (ret->kinds[i].finding_count > GW_LOAD_FINDINGS_MAX)
            return GW_CORRUPT;
        for (size_t j = 0; j < GW_LOAD_FINDINGS_MAX; j++)
            ret->kinds[i].findings[j].text[GW_LOAD_TEXT_MAX - 1] = '\0';
    }
    return GW_OK;
}

static int remove_one(const char *path, const struct stat *facts, int type, struct FTW *place) {
    (void)facts;
    (void)type;
    (void)place;
    remove(path); // what stays shows in the next load, which sweeps again
    return 0;
}

void gw_engine_folder_remove(const char *path) {
    // Twice: a process that is being stopped may still have made a file behind the first walk.
    for (int i = 0; i < 2; i++)
        nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
