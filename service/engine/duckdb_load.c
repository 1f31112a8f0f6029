// SPDX-License-Identifier: Apache-2.0
// Reading and judging rows. A row that must go is not staged; any other is, with missing in place of what is wrong, so
// that one pass finds everything there is to say about a source.
#include "service/engine/duckdb_load.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/crypto.h"
#include "service/engine/convert.h"
#include "service/engine/csv.h"
#include "service/engine/duckdb_parquet.h"
#include "service/engine/duckdb_stage.h"
#include "service/engine/quote.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRESS_ROWS 65536u
#define READING_SHARE 0.6  // of a load's time, about
#define WRITTEN_SHARE 0.95 // then it is sealed

GW_DEFINE_FREEP(gw_stage, gw_stage_close)

typedef struct {
    gw_csv *csv; // one of the two
    gw_parquet *parquet;
} load_source;

typedef struct {
    const gw_load_plan *plan;
    gw_load_progress progress;
    gw_load_report *report;
    gw_stage *stage;
    uint64_t key[GW_LOAD_KEY_WORDS];             // of persons, then of what a row holds
    double bytes[GW_LOAD_TABLES_MAX], bytes_all; // of the sources as they lie on disk: how far the whole load is
    double bytes_before;                         // of the tables already read
} load_work;

// One table while its source is read.
typedef struct {
    load_work *loading;
    const gw_load_table *table;
    size_t index;
    load_source source;
    size_t field_count; // of the header
    size_t person_field;
    size_t fields[GW_LOAD_COLUMNS_MAX]; // where each column stands in the source
    gw_converter *converters[GW_LOAD_COLUMNS_MAX];
    gw_bytes texts[GW_LOAD_COLUMNS_MAX];      // columns of texts: of this row
    uint64_t values[GW_LOAD_COLUMNS_MAX + 2]; // and behind a row's own values its person, when it is hashed
    uint64_t row;
} table_reading;

static gw_status source_open(load_source *source, const char *path, unsigned threads) {
    if (gw_parquet_is(path))
        return gw_parquet_open(path, threads, &source->parquet);
    return gw_csv_open(path, &source->csv);
}

static void source_close(load_source *source) {
    gw_csv_close(source->csv);
    gw_parquet_close(source->parquet);
    *source = (load_source){0};
}

static gw_rows_outcome source_next(load_source *source, gw_row *ret_row) {
    return source->csv != NULL ? gw_csv_next(source->csv, ret_row) : gw_parquet_next(source->parquet, ret_row);
}

static double source_fraction(const load_source *source) {
    return source->csv != NULL ? gw_csv_fraction(source->csv) : gw_parquet_fraction(source->parquet);
}

// Counts a finding and keeps its text while there is room. Returns what is to be done about it. `column` is the table's
// column_count where the whole row is concerned.
static gw_load_treatment note(table_reading *reading, gw_load_kind kind, size_t column, const char *text) {
    gw_load_kind_report *report = &reading->loading->report->kinds[kind];
    const gw_load_column *own = column < reading->table->column_count ? &reading->table->columns[column] : NULL;
    gw_load_treatment treatment = gw_load_treatment_of(reading->loading->plan, own, kind);
    report->count++;
    report->refused_count += treatment == GW_TREAT_REFUSE;
    if (report->finding_count < GW_LOAD_FINDINGS_MAX && text != NULL) {
        gw_load_finding *finding = &report->findings[report->finding_count++];
        *finding = (gw_load_finding){.row = reading->row, .table = reading->index, .column = column};
        snprintf(finding->text, sizeof(finding->text), "%s", text);
    }
    return treatment;
}

static bool note_has_room(const table_reading *reading, gw_load_kind kind) {
    return reading->loading->report->kinds[kind].finding_count < GW_LOAD_FINDINGS_MAX;
}

static gw_status problem(table_reading *reading, const char *what, const char *why, const char *name,
                         const char *mend) {
    gw_load_report *report = reading->loading->report;
    snprintf(report->what, sizeof(report->what), "%s", what);
    snprintf(report->why, sizeof(report->why), why, name);
    snprintf(report->mend, sizeof(report->mend), "%s", mend);
    return GW_INVALID;
}

// Compares without spaces and without case: that of ASCII, and that of the letters with accents of U+00C0 .. U+00DE.
static bool header_resembles(gw_bytes header, gw_bytes name) {
    size_t i = 0, k = 0;
    uint8_t before[2] = {0};
    for (;;) {
        while (i < header.size && header.data[i] == ' ')
            i++;
        while (k < name.size && name.data[k] == ' ')
            k++;
        if (i == header.size || k == name.size)
            return i == header.size && k == name.size;
        uint8_t pair[2] = {header.data[i++], name.data[k++]};
        for (size_t side = 0; side < 2; side++) {
            uint8_t byte = pair[side];
            bool is_upper = (byte >= 'A' && byte <= 'Z') ||
                            (before[side] == 0xC3 && byte >= 0x80 && byte <= 0x9E && byte != 0x97); // no letter: times
            before[side] = byte;
            pair[side] = (uint8_t)(byte + (is_upper ? 0x20 : 0));
        }
        if (pair[0] != pair[1])
            return false;
    }
}

// Why a column is not there, where the header gives it away; else "".
static void header_hint(const gw_row *header, gw_bytes name, char hint[GW_LOAD_TEXT_MAX]) {
    char quoted[GW_QUOTE_MAX + 4];
    hint[0] = '\0';
    gw_bytes first = header->fields[0];
    bool has_semicolon = first.size > 0 && memchr(first.data, ';', first.size) != NULL;
    bool has_tab = first.size > 0 && memchr(first.data, '\t', first.size) != NULL;
    if (header->count == 1 && (has_semicolon || has_tab)) {
        snprintf(hint, GW_LOAD_TEXT_MAX,
                 "is it separated by %s? Only commas are read. Where no value has one: tr '%s' ',' < FILE > NEW",
                 has_semicolon ? "';'" : "tabs", has_semicolon ? ";" : "\\t");
        return;
    }
    for (size_t i = 0; i < header->count && hint[0] == '\0'; i++)
        if (header_resembles(header->fields[i], name)) {
            gw_quote(header->fields[i], GW_QUOTE_MAX, quoted);
            snprintf(hint, GW_LOAD_TEXT_MAX, "did you mean \"%s\"? Capitals and spaces count.", quoted);
        }
}

static gw_status header_find(table_reading *reading, const gw_row *header, const char *name, size_t *ret_field) {
    size_t found = 0;
    char hint[GW_LOAD_TEXT_MAX];
    for (size_t i = 0; i < header->count; i++)
        if (gw_bytes_equal(header->fields[i], gw_bytes_of(name)) && found++ == 0)
            *ret_field = i;
    if (found > 1)
        return problem(reading, "The source is ambiguous.", "Its header has the column \"%.128s\" twice.", name, "");
    if (found == 1)
        return GW_OK;
    header_hint(header, gw_bytes_of(name), hint);
    return problem(reading, "The source lacks a column.", "Its header has no column \"%.128s\".", name, hint);
}

static gw_status reading_start(table_reading *reading) {
    gw_row header;
    const char *path = reading->table->source;
    gw_status status = source_open(&reading->source, path, (unsigned)reading->loading->plan->threads);
    if (status != GW_OK)
        return problem(reading, "The source cannot be read.", "%.120s is no readable CSV, CSV.gz or Parquet file.",
                       path, "");
    if (reading->source.csv != NULL && gw_csv_is_utf16(reading->source.csv))
        return problem(reading, "The source cannot be read.", "%.120s is UTF-16 text.", path,
                       "save it as UTF-8: CSV files are read as that alone");
    if (source_next(&reading->source, &header) != GW_ROWS_ROW)
        return problem(reading, "The source cannot be read.", "%.120s does not begin with a header line.", path, "");
    reading->field_count = header.count;
    status = header_find(reading, &header, reading->table->person, &reading->person_field);
    for (size_t i = 0; i < reading->table->column_count && status == GW_OK; i++)
        status = header_find(reading, &header, reading->table->columns[i].name, &reading->fields[i]);
    for (size_t i = 0; i < reading->table->column_count && status == GW_OK; i++) {
        reading->converters[i] = gw_converter_new(&reading->table->columns[i]);
        if (reading->converters[i] == NULL)
            status = GW_NO_MEMORY;
    }
    return status;
}

static void reading_done(table_reading *reading) {
    source_close(&reading->source);
    for (size_t i = 0; i < reading->table->column_count; i++)
        gw_converter_free(reading->converters[i]);
}

// False when the row is to be dropped.
static bool row_convert_field(table_reading *reading, size_t column, gw_bytes field) {
    const gw_converter *converter = reading->converters[column];
    gw_converted converted = gw_convert(converter, field);
    bool is_kept = true;
    if (converted.outcome == GW_CONVERTED_BAD) {
        char text[GW_LOAD_TEXT_MAX];
        bool is_shown = note_has_room(reading, converted.kind);
        if (is_shown)
            gw_convert_explain(converter, converted, field, text);
        gw_load_treatment treatment = note(reading, converted.kind, column, is_shown ? text : NULL);
        is_kept = treatment != GW_TREAT_DROP_ROW;
        gw_converted bound = {.outcome = GW_CONVERTED_VALUE, .value = converted.value, .text = converted.text};
        converted = treatment == GW_TREAT_CLAMP ? bound : gw_convert_missing(converter);
    }
    if (reading->table->columns[column].is_text && converted.outcome == GW_CONVERTED_VALUE) {
        reading->texts[column] = converted.text;
        converted.value = gw_keyed_hash_of(reading->loading->key + 2, converted.text).low >> 1; // to order rows by
    }
    reading->values[column] = converted.outcome == GW_CONVERTED_VALUE ? converted.value : GW_STAGE_MISSING;
    return is_kept;
}

// Judges every field, also of a row that an earlier field condemned: counts must not depend on the order of columns.
static bool row_convert(table_reading *reading, const gw_row *row) {
    bool is_kept = true;
    if (row->fields[reading->person_field].size == 0) {
        char text[GW_LOAD_TEXT_MAX];
        snprintf(text, sizeof(text), "%.128s is empty", reading->table->person);
        gw_ignore(note(reading, GW_LOAD_MISSING_ID, reading->table->column_count,
                       text)); // no row can be kept without a person
        is_kept = false;
    }
    for (size_t i = 0; i < reading->table->column_count; i++)
        is_kept &= row_convert_field(reading, i, row->fields[reading->fields[i]]);
    return is_kept;
}

// Whose row it is and what it holds, as a number that orders a person's rows. What the row inherits follows from the
// person.
static uint64_t row_pick(table_reading *reading, gw_keyed_hash person) {
    size_t count = reading->table->column_count;
    reading->values[count] = person.low;
    reading->values[count + 1] = person.high;
    gw_bytes bytes = {(const uint8_t *)reading->values, (count + 2) * sizeof(uint64_t)};
    return gw_keyed_hash_of(reading->loading->key + 2, bytes).low;
}

static gw_status row_stage(table_reading *reading, gw_bytes person) {
    const load_work *loading = reading->loading;
    gw_keyed_hash hash = gw_keyed_hash_of(loading->key, person);
    bool is_ordered = reading->table->rows_per_person_max > 1 ||
                      gw_load_treatment_of(loading->plan, NULL, GW_LOAD_TOO_MANY_ROWS) == GW_TREAT_DROP_ROW;
    uint64_t pick = is_ordered ? row_pick(reading, hash) : 0;
    return gw_stage_append(loading->stage, reading->values, reading->texts, hash, pick, reading->row);
}

static void row_note_ragged(table_reading *reading, size_t field_count, bool is_broken) {
    char text[GW_LOAD_TEXT_MAX];
    if (is_broken)
        snprintf(text, sizeof(text), "a quoted field does not end where it should");
    else
        snprintf(text, sizeof(text), "%zu fields, but the header has %zu", field_count, reading->field_count);
    gw_ignore(note(reading, GW_LOAD_RAGGED_ROW, reading->table->column_count, text)); // such a row is never kept
}

static void load_tell(const load_work *loading, double fraction, const char *verb, size_t table) {
    char phase[64];
    if (loading->plan->table_count == 1)
        snprintf(phase, sizeof(phase), "%s", verb);
    else
        snprintf(phase, sizeof(phase), "%s %.40s", verb, loading->plan->tables[table].name);
    loading->progress.tell(loading->progress.state, fraction, phase);
}

static void reading_tell(const table_reading *reading) {
    const load_work *loading = reading->loading;
    double bytes = loading->bytes_before + source_fraction(&reading->source) * loading->bytes[reading->index];
    load_tell(loading, READING_SHARE * bytes / loading->bytes_all, "reading", reading->index);
}

static gw_status reading_row(table_reading *reading, gw_rows_outcome outcome, const gw_row *row) {
    reading->row++;
    if (reading->row % PROGRESS_ROWS == 0)
        reading_tell(reading);
    if (outcome == GW_ROWS_BROKEN || row->count != reading->field_count) {
        row_note_ragged(reading, row->count, outcome == GW_ROWS_BROKEN);
        return GW_OK;
    }
    return row_convert(reading, row) ? row_stage(reading, row->fields[reading->person_field]) : GW_OK;
}

// Blank lines matter only when something follows them; a file may end in any number.
static gw_status reading_run(table_reading *reading) {
    gw_row row;
    uint64_t blank_count = 0;
    for (;;) {
        gw_rows_outcome outcome = source_next(&reading->source, &row);
        if (outcome == GW_ROWS_END)
            return GW_OK;
        if (outcome == GW_ROWS_FAILED)
            return problem(reading, "The source cannot be read to its end.",
                           "%.100s is damaged, or has a row of more than a megabyte.", reading->table->source, "");
        if (outcome == GW_ROWS_BLANK && reading->field_count > 1) {
            blank_count++;
            continue;
        }
        for (; blank_count > 0; blank_count--) {
            reading->row++;
            row_note_ragged(reading, 0, false);
        }
        gw_status status = reading_row(reading, outcome, &row);
        if (status != GW_OK)
            return status;
    }
}

// How many different keys there are is looked at here and never again: a question could not be refused for it without
// telling something of the data.
static gw_status check_keys(table_reading *reading) {
    size_t column;
    gw_status status = gw_stage_check_keys(reading->loading->stage, reading->index, &column);
    if (status != GW_OK || column == reading->table->column_count)
        return status;
    return problem(reading, "The source has too many different texts.",
                   "Its column \"%.128s\" has more different values than the policy's \"keys_max\".",
                   reading->table->columns[column].name, "raise keys_max; or bring spellings together before the load");
}

static gw_status load_table(load_work *loading, size_t index) {
    table_reading reading = {.loading = loading, .table = &loading->plan->tables[index], .index = index};
    gw_status status = reading_start(&reading);
    if (status == GW_OK)
        status = gw_stage_begin(loading->stage, index);
    if (status == GW_OK)
        status = reading_run(&reading);
    if (status == GW_OK)
        status = gw_stage_end(loading->stage);
    if (status == GW_OK)
        status = check_keys(&reading);
    if (status == GW_OK)
        status = gw_stage_check_persons(loading->stage, index, loading->report);
    loading->report->rows_read += reading.row;
    loading->report->tables[index].rows_read = reading.row;
    loading->bytes_before += loading->bytes[index];
    reading_done(&reading);
    return status;
}

static gw_engine_word word_of(gw_status status) {
    switch (status) {
    case GW_OK:
        return GW_WORD_OK;
    case GW_INVALID:
        return GW_WORD_SOURCE;
    case GW_NO_MEMORY:
        return GW_WORD_MEMORY;
    default: // whatever else the staging database said
        return GW_WORD_WRITE;
    }
}

static bool load_draw_key(load_work *loading) {
    if (loading->plan->key == NULL)
        return gw_random_bytes(loading->key, sizeof(loading->key));
    memcpy(loading->key, loading->plan->key, sizeof(loading->key));
    return true;
}

static void load_weigh(load_work *loading) {
    for (size_t i = 0; i < loading->plan->table_count; i++) {
        struct stat facts;
        bool is_there = stat(loading->plan->tables[i].source, &facts) == 0;
        loading->bytes[i] = is_there ? (double)facts.st_size + 1.0 : 1.0;
        loading->bytes_all += loading->bytes[i];
    }
}

static void load_tell_written(void *state, size_t table, double fraction) {
    load_tell(state, READING_SHARE + (WRITTEN_SHARE - READING_SHARE) * fraction, "writing", table);
}

gw_engine_word gw_duckdb_load(const gw_load_plan *plan, gw_load_progress progress, gw_load_report *ret_report) {
    GW_CLEANUP(gw_stage_freep) gw_stage *stage = NULL;
    load_work loading = {.plan = plan, .progress = progress, .report = ret_report};
    *ret_report = (gw_load_report){0};
    if (!load_draw_key(&loading))
        return GW_WORD_MEMORY;
    load_weigh(&loading);
    load_tell(&loading, 0.0, "reading", 0);
    gw_status status = gw_stage_open(plan, &stage);
    loading.stage = stage;
    for (size_t i = 0; i < plan->table_count && status == GW_OK; i++)
        status = load_table(&loading, i);
    gw_wipe(loading.key, sizeof(loading.key));
    if (status == GW_OK && !gw_load_is_refused(ret_report))
        status = gw_stage_write(stage, (gw_stage_progress){load_tell_written, &loading}, ret_report);
    return word_of(status);
}
