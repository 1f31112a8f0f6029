// SPDX-License-Identifier: Apache-2.0
// A policy as its owner has described it so far, and the file it becomes: with every point that is still open written
// as a value that no policy may have ("ASK: …"), and comments that say what each part means.
// Thread safety: pure.   Depends on: client/cli/policy_lists.h.
#pragma once
#include "client/cli/policy_lists.h"

#define GW_DRAFT_TABLES_MAX 16u

typedef enum {
    GW_DRAFT_OPEN,
    GW_DRAFT_OUT,
    GW_DRAFT_LIST,
    GW_DRAFT_CODES,
    GW_DRAFT_NUMBER,
    GW_DRAFT_DATE,
    GW_DRAFT_WEIGHT
} gw_draft_kind;

// Texts are the owner's answers; NULL: open.
typedef struct {
    const char *name;
    gw_draft_kind kind;
    const char *concept;
    const char *list, *recode;    // list: recode "1=M, 2=F"
    const char *codes;            // "A=Name of A, B=Name of B"
    const char *min, *max, *grid; // numbers and weights
    const char *unit, *bands;     // numbers: bands "20, 65": where a new one begins
    const char *mean;             // weights
    const char *total;            // numbers: person_total_max
    const char *period, *first, *last;
    bool is_whole; // numbers: type integer
} gw_draft_column;

typedef struct {
    const char *name, *id, *rows_max, *rows_kept;
    gw_draft_column *columns;
    size_t column_count;
} gw_draft_table;

typedef struct {
    const char *dataset, *population, *title;
    gw_draft_table tables[GW_DRAFT_TABLES_MAX];
    size_t table_count;
    const char *lifetime, *per_principal, *window_days, *window, *question_min, *question_max;
    const char *cell_persons;
    const char *roles, *statistics;
} gw_draft;

// Returns how many points are open.
size_t gw_draft_write(const gw_draft *draft, gw_arena *arena, gw_buffer *ret_text);
// "A=Name of A, B" into pairs; a part without '=' stands for itself. SIZE_MAX where there are too many, or an empty
// one.
typedef struct {
    const char *from, *to;
} gw_pair;
size_t gw_pairs_split(const char *text, gw_arena *arena, gw_pair *pairs, size_t pairs_max);
