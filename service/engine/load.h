// SPDX-License-Identifier: Apache-2.0
// What the daemon's `load` asks of an engine child, and what comes back: a typed plan that says how each source column
// becomes codes or steps, and a report of everything in the source that did not fit. Knows no policy: admin/load.c
// translates one. Findings quote values of the source and are for its owner's terminal only.
// Thread safety: plain values; a decoded plan is immutable.   Depends on: codec.h.
#pragma once
#include "service/base/arena.h"
#include "service/engine/codec.h"
#include "service/wire/period.h"

#define GW_LOAD_TABLES_MAX 64u
#define GW_LOAD_COLUMNS_MAX 256u
#define GW_LOAD_FINDINGS_MAX 10u // shown per kind, in the order of the source
#define GW_LOAD_TEXT_MAX 320u    // two names and a value fit

// What can be wrong with a row; each kind is refused unless the owner says how to treat it.
typedef enum {
    GW_LOAD_BAD_TYPE,      // not a number where one belongs; a text with bytes that no text has
    GW_LOAD_UNLISTED_CODE, // no code of the list, after recoding
    GW_LOAD_OUT_OF_BOUNDS, // a number below min or above max; a text that is too long
    GW_LOAD_NOT_FINITE,    // NaN, infinity
    GW_LOAD_TOO_MANY_ROWS, // a person with more rows than the policy allows
    GW_LOAD_MISSING_ID,    // no person id
    GW_LOAD_RAGGED_ROW,    // more or fewer fields than the header, or broken quotes
} gw_load_kind;
#define GW_LOAD_KINDS 7u

typedef enum {
    GW_TREAT_REFUSE = 0,
    GW_TREAT_DROP_ROW, // too_many_rows: keeps the first rows_per_person_max in a keyed order
    GW_TREAT_MISSING,  // as if the field were empty
    GW_TREAT_CLAMP,    // out_of_bounds: the nearer bound
} gw_load_treatment;

const char *gw_load_kind_name(gw_load_kind kind);                // "bad_type"
const char *gw_load_treatment_name(gw_load_treatment treatment); // "drop-row"
bool gw_load_treatment_fits(gw_load_kind kind, gw_load_treatment treatment);
// True for kinds that lie in one field, so that columns can differ in how they are treated.
bool gw_load_kind_is_of_column(gw_load_kind kind);

typedef struct {
    const char *from;
    uint64_t code; // index into the codes
} gw_load_recode;

typedef struct {
    const char *name;   // in the source
    const char *target; // in the snapshot
    bool is_code;
    bool is_text;            // neither code nor number: kept as it is written, between bounds of length
    bool is_whole;           // numbers: a fraction is a bad type
    bool missing_is_unknown; // codes: missing becomes the last code; texts: it becomes GW_LOAD_UNKNOWN; otherwise NULL
    const char *const *codes;
    size_t code_count;
    const gw_load_recode *recodes;
    size_t recode_count;
    gw_period period;     // dates: code i is the period period_first + i; otherwise none
    int64_t period_first; // counted as in wire/period.h
    unsigned scale;       // numbers, as in policy.h: integers of 10^-scale
    int64_t min_scaled, max_scaled, grid_scaled, steps;
    uint64_t text_bytes_max, keys_max;           // texts: bytes of one, and different ones in the table
    gw_load_treatment treatments[GW_LOAD_KINDS]; // its own; refuse: as the plan's
} gw_load_column;

// A column copied from another table's row of the same person.
typedef struct {
    uint64_t table;  // index of a table with one row per person
    uint64_t column; // index of its column
} gw_load_inherited;

typedef struct {
    const char *name;
    const char *source; // path: CSV, gzipped CSV or Parquet
    const char *person; // the source column with the person's id
    uint64_t rows_per_person_max;
    const gw_load_column *columns;
    size_t column_count;
    const gw_load_inherited *inherited;
    size_t inherited_count;
} gw_load_table;

// Two keys of a load: of persons, and of the order of a person's rows.
#define GW_LOAD_KEY_WORDS 4u

typedef struct {
    const char *folder; // empty, of this load alone: the snapshot is made there, with all intermediate files
    uint64_t threads;
    uint64_t memory_bytes;
    gw_load_treatment treatments[GW_LOAD_KINDS];
    const uint64_t *key; // for tests: GW_LOAD_KEY_WORDS that two loads share; NULL: drawn at random and forgotten
    const gw_load_table *tables;
    size_t table_count;
} gw_load_plan;

// What is done about a finding in a column; NULL for one that concerns the whole row.
gw_load_treatment gw_load_treatment_of(const gw_load_plan *plan, const gw_load_column *column, gw_load_kind kind);

#define GW_LOAD_SNAPSHOT "snapshot.duckdb" // in the plan's folder
// Tables with more than one row per person keep the persons apart by a random number of this column, their own in every
// table,
#define GW_LOAD_PERSON "_person"
// say how many rows the person has in the table,
#define GW_LOAD_ROWS "_rows"
// and number a person's rows, 0 to _rows - 1, each number once, in the order of a keyed hash of what they hold and of
// whom they are of: the same for shuffled sources (rows that hold the same follow each other), and meaning nothing.
// Statements count on it (query/sql_bounded.c).
#define GW_LOAD_ORDER "_order"
#define GW_LOAD_WEIGHT "_weight" // the column with role weight
#define GW_LOAD_UNKNOWN "_U"     // what stands for a missing text

typedef struct {
    uint64_t row;    // of the source, counted from 1, the header not counted
    uint64_t table;  // of the plan
    uint64_t column; // of the table; its column_count where the whole row is concerned
    char text[GW_LOAD_TEXT_MAX];
} gw_load_finding;
typedef struct {
    uint64_t count;
    uint64_t refused_count; // of them, those that no treatment was named for
    size_t finding_count;
    gw_load_finding findings[GW_LOAD_FINDINGS_MAX];
} gw_load_kind_report;

typedef struct {
    uint64_t rows_read, rows_kept;
    uint64_t orphan_count; // persons who have rows here, and none in a table that this one inherits from
} gw_load_table_report;

typedef struct {
    uint64_t rows_read, rows_kept; // over all tables
    gw_load_table_report tables[GW_LOAD_TABLES_MAX];
    gw_load_kind_report kinds[GW_LOAD_KINDS];
    char what[GW_LOAD_TEXT_MAX]; // a source that cannot be read at all; else ""
    char why[GW_LOAD_TEXT_MAX];
    char mend[GW_LOAD_TEXT_MAX]; // "" where nothing better is known than to compare it with the policy
} gw_load_report;

// True when something was found that the plan does not treat: nothing was written.
bool gw_load_is_refused(const gw_load_report *report);

void gw_load_plan_pack(const gw_load_plan *plan, gw_buffer *buffer);
// Texts borrow from the payload, arrays belong to the arena.
GW_MUST_CHECK gw_status gw_load_plan_unpack(gw_bytes payload, gw_arena *arena, gw_load_plan *ret);

// Removes a load's folder with all in it, as far as it can; nothing happens where it is not there.
void gw_engine_folder_remove(const char *path);

void gw_load_report_pack(const gw_load_report *report, gw_buffer *buffer);
GW_MUST_CHECK gw_status gw_load_report_unpack(gw_bytes payload, gw_load_report *ret);
