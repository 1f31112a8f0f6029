// SPDX-License-Identifier: Apache-2.0
// The grammar that encoder and decoder share, as a table. Nobody else includes it.
// Thread safety: constant.   Depends on: entry.h.
#pragma once
#include "service/audit/entry.h"

#define GW_ENTRY_HEAD "godwit/v1 "

typedef enum {
    GW_ENTRY_VALUE_NAME,       // char[]: ASCII letters, digits and . _ - / :
    GW_ENTRY_VALUE_LINE,       // char[]: printable ASCII, words parted by one space
    GW_ENTRY_VALUE_WORD,       // char[]: one of `choices`
    GW_ENTRY_VALUE_ID,         // char[33]: 32 hex
    GW_ENTRY_VALUE_HEX,        // char[65]: 64 hex
    GW_ENTRY_VALUE_HASH,       // gw_hash
    GW_ENTRY_VALUE_U64,        // uint64_t
    GW_ENTRY_VALUE_SEQ,        // uint64_t, GW_NO_SEQ as "none"
    GW_ENTRY_VALUE_TIME,       // int64_t, not negative
    GW_ENTRY_VALUE_ROLES,      // unsigned
    GW_ENTRY_VALUE_COUNTS,     // char[]: "code=n …", codes rising, no n of 0
    GW_ENTRY_VALUE_ACCOUNTING, // uint64_t delta: "pure" where it is 0, else "zcdp"
} gw_entry_value;

// One line of a kind.
typedef struct {
    const char *name;
    size_t name_size;
    gw_entry_value type;
    size_t offset;
    size_t size; // of the field: bounds texts
    const char *choices;
    bool is_optional; // stands only where the uint64_t at `when` is not 0
    size_t when;
} gw_entry_line;

typedef struct {
    const char *name;
    size_t name_size;
    const gw_entry_line *lines;
    size_t line_count;
    bool has_signers; // `by` lines at the end, one or more
} gw_entry_grammar;

extern const gw_entry_grammar gw_entry_grammars[GW_ENTRY_KINDS];

bool gw_entry_line_stands(const gw_entry *entry, const gw_entry_line *line); // or is it left out, where it may be?
