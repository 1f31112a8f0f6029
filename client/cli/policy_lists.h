// SPDX-License-Identifier: Apache-2.0
// The installation's code lists, as a draft offers them: which list fits a concept, and which codes it has.
// Thread safety: one thread.   Depends on: client/cli/program.h, base/arena.h.
#pragma once
#include "client/cli/policy_source.h"

#define GW_LIST_CODES_MAX 1024u

typedef struct {
    const char *id;
    const char *codes[GW_LIST_CODES_MAX];
    size_t code_count;
} gw_list;

// False where there is no such list, or it cannot be read.
bool gw_list_read(const char *id, gw_arena *arena, gw_list *ret);
// "CL_SEX" for "sex": by the concept's name, or the first that begins so ("CL_AREA_AT" for "ref_area"); NULL for none.
const char *gw_list_of_concept(const char *concept, gw_arena *arena);
