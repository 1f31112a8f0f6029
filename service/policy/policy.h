// SPDX-License-Identifier: Apache-2.0
// A dataset's policy as loaded from its file: tables, columns as concepts, budgets, grants. Strict: an unknown,
// duplicate or ill-typed field is refused with file, line, column and how to mend it.
// Thread safety: immutable after load.   Depends on: base, wire/question.h.
#pragma once
#include "privacy/accounting/delta.h"
#include "privacy/budget.h"
#include "privacy/exact_keys.h"
#include "service/base/crypto.h"
#include "service/wire/period.h"
#include "service/wire/question.h"

#define GW_CODE_UNKNOWN "_U"
#define GW_POLICY_BYTES_MAX 1048576u // of a policy's file

typedef struct {
    const char *id;
    const char *label; // English
} gw_code;

typedef struct {
    const char *id;
    const gw_code *codes; // in display order; "_U" is appended by the loader for columns with missing "_U"
    size_t code_count;
} gw_codelist;

// Text: values that no list names. They are never filtered on or grouped by; only unknown keys are asked of them.
typedef enum { GW_COLUMN_CODE, GW_COLUMN_INTEGER, GW_COLUMN_DECIMAL, GW_COLUMN_TEXT } gw_column_type;
// What becomes of numbers below min or above max when they are loaded: refused, unless the policy or the load says so.
typedef enum { GW_OUTSIDE_REFUSE, GW_OUTSIDE_CLAMP, GW_OUTSIDE_MISSING, GW_OUTSIDE_DROP_ROW } gw_outside;
typedef enum { GW_MISSING_UNKNOWN, GW_MISSING_DROP } gw_missing; // "_U": own cell; "drop": left out of questions on it

typedef struct {
    const char *id;    // "Y20T64"
    int64_t low, high; // inclusive, in steps from the column's min
} gw_band;
typedef struct {
    const char *name; // "work", asked as "age:work"
    const gw_band *bands;
    size_t band_count;
} gw_banding;
typedef struct {
    const char *from; // as it stands in the source file
    size_t code;      // index into the codes
} gw_recode;

// Numbers are kept as steps: value = min + step * grid, step in [0, steps]. Scaled integers: value * 10^scale.
// A date column is a code column whose list is made of periods: dates are put into their period when they are loaded.
typedef struct {
    const char *name;    // in the source file
    const char *concept; // NULL for role weight
    const char *label;   // English label of the concept
    gw_column_type type;
    gw_missing missing;
    gw_codelist codelist; // code columns: with "_U" last where missing is "_U"
    const gw_recode *recodes;
    size_t recode_count;
    gw_period period; // date columns: codes are the periods from first to last ("2023-05"); source values are dates
    const char *unit; // "EUR", "H"; or NULL
    unsigned scale;
    int64_t min_scaled, max_scaled, grid_scaled; // integer columns: scale 0, grid 1
    int64_t steps;                               // (max - min) / grid, 1 .. 2^40
    uint32_t text_bytes_max;                     // text columns: of one value, 1 .. GW_KEY_BYTES_MAX
    uint32_t keys_max;                           // text columns: different values in the table, 1 .. GW_KEYS_MAX
    const gw_banding *bandings;
    size_t banding_count;
    int64_t
        person_total_scaled; // "person_total_max": a person's values count up to this total (scaled); 0: no such bound
    int64_t weight_mean_scaled; // weights: "mean", a public figure for price estimates, above 0
    gw_outside outside;
    bool is_weight;
    bool depends_on_household;
} gw_column;

typedef struct {
    const char *name;
    const char *unit;              // person id column in the source file
    uint64_t rows_per_person_max;  // enforced at load
    uint64_t rows_per_person_kept; // "rows_per_person_kept": of one person in one question, 1 .. max; default: max
    const char *const *inherit;
    size_t inherit_count;
    const gw_column *const *inherited; // inherit_count columns of tables with one row per person: facts of the person
    const gw_column *columns;          // its own
    size_t column_count;
    const gw_column *weight; // the column with role weight, or NULL
} gw_table;

typedef struct {
    const char *role; // a word of gw_roles_parse
    const char *const *tables;
    size_t table_count;
    gw_statistic statistics[GW_STATISTIC_COUNT_OF];
    size_t statistic_count;
} gw_grant;

typedef struct gw_policy {
    const char *dataset, *population;
    const char *title, *notice; // English; notice may be NULL ("SYNTHETIC: …" goes wherever the dataset is shown)
    uint64_t version;
    const gw_table *tables;
    size_t table_count;
    gw_epsilon lifetime, per_principal, window_total, question_min, question_max; // per_principal 0: none
    uint32_t window_days;                                                         // 0: none
    gw_delta delta;                                                               // of the accounting zcdp; 0: pure
    gw_delta selection_delta, question_delta; // unknown keys: over the dataset's life, and of one question; 0: none
    uint64_t planning_cell_persons, planning_size_bucket;
    const gw_grant *grants;
    size_t grant_count;
    gw_hash file; // SHA-256 of the raw bytes
} gw_policy;

// Reads a policy from its raw bytes. Code lists come from files policies/codelists/<ID>.csv in `codelist_folder`
// (id,name[,…] with a header line), so that a policy names a list instead of repeating it.
// Codes: as json.h, plus bad_name, policy_version, policy_bounds, policy_grid, policy_banding, policy_codelist,
// policy_recode, policy_period, policy_text, policy_budget, policy_delta, policy_accounting, policy_grant,
// policy_concept, policy_table, policy_unsupported.
GW_MUST_CHECK gw_status gw_policy_load(gw_bytes text, const char *file_name, const char *codelist_folder,
                                       gw_policy **ret_policy, gw_problem *ret_problem);
void gw_policy_free(gw_policy *policy); // accepts NULL

const gw_table *gw_policy_table(const gw_policy *policy, const char *name);
// The column of a concept in a table, own or inherited (the banding after ':' is ignored), or NULL.
const gw_column *gw_table_concept(const gw_table *table, const char *concept);
// True when all rows of a person agree on the column: inherited, or a table with one row per person.
bool gw_table_is_of_person(const gw_table *table, const gw_column *column);
bool gw_column_is_number(const gw_column *column); // integers and decimals
// All concepts of a table, own first: 0 .. gw_table_concept_count - 1.
size_t gw_table_concept_count(const gw_table *table);
const gw_column *gw_table_concept_at(const gw_table *table, size_t index);
const gw_banding *gw_column_banding(const gw_column *column, const char *name);
// Index of a code among the column's codes (with _U); SIZE_MAX where absent.
size_t gw_column_code(const gw_column *column, const char *code);
// Decimal text -> steps from min, rounding down or up to the grid. False when it is not a number.
// Clamped to [-1, steps + 1].
bool gw_column_step_down(const gw_column *column, const char *decimal, int64_t *ret_step);
bool gw_column_step_up(const gw_column *column, const char *decimal, int64_t *ret_step);
// step -> decimal text
void gw_column_step_format(const gw_column *column, int64_t step, char text[32]);
