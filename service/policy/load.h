// SPDX-License-Identifier: Apache-2.0
// What the loaders of policies, indicators and code lists share: names, texts in languages, memory.
// Private to the room.   Thread safety: one owner.   Depends on: policy.h.
#pragma once
#include "service/policy/policy.h"

typedef struct {
    gw_json_reader reader;
    gw_arena *arena;
} gw_load;

// Zeroed room for `count` things; NULL after a failure, which the reader then holds.
void *gw_load_array(gw_load *load, size_t count, size_t size);
const char *gw_load_copy(gw_load *load, const char *text); // NULL for NULL
// A required string that is a name. `extra` holds further characters it may not have ("/:"). Code: bad_name.
const char *gw_load_name(gw_load *load, const gw_json_node *object, const char *field, const char *extra);
// Checks and copies one name that stands at `node`.
const char *gw_load_name_at(gw_load *load, const gw_json_node *node, const char *name, const char *extra);
// What a source file calls a column: up to 128 bytes of UTF-8 on one line, with nothing that hides or reorders text.
// Code: bad_name.
const char *gw_load_header_at(gw_load *load, const gw_json_node *node, const char *name);
// An array of strings that are names, none twice. Codes: bad_name, too_many, and `code` for one that stands twice.
const char *const *gw_load_names(gw_load *load, const gw_json_node *object, const char *field, size_t count_max,
                                 const char *code, size_t *ret_count);
// {"en":"…", "de":"…"}: the English text. NULL where the member is absent and `is_required` is false.
const char *gw_load_text(gw_load *load, const gw_json_node *object, const char *field, bool is_required);
bool gw_load_is_text(const char *text); // one short line of text, as labels are
// Concept ids: lower case, a letter first. Code: policy_concept.
const char *gw_load_concept(gw_load *load, const gw_json_node *object);
bool gw_concept_is_valid(const char *concept);

// A code list from <folder>/<id>.csv: a header line starting id,name; then one code a line. `reason` says what is
// wrong. Refuses _U and _T: the first is added by the loader, the second is no cell of a partition.
#define GW_CODELIST_CODES_MAX 1024 // as many as one filter may name
#define GW_CODELIST_REASON_MAX 400
GW_MUST_CHECK gw_status gw_codelist_load(const char *folder, const char *id, gw_arena *arena, gw_codelist *ret,
                                         char reason[GW_CODELIST_REASON_MAX]);
