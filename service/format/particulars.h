// SPDX-License-Identifier: Apache-2.0
// What a figure cannot be read without, but only figures of some statistics have: the groups of a gap, what a ratio is
// divided by, the line of poverty, how far off a chosen value's rank may be. One list, so that no format loses one.
// Thread safety: pure.   Depends on: wire/{answer,question}.h.
#pragma once
#include "service/wire/answer.h"
#include "service/wire/question.h"

#define GW_PARTICULARS_MAX 10u
typedef struct {
    const char *name, *value; // "over" and "hours"
} gw_particular;
typedef struct {
    gw_particular items[GW_PARTICULARS_MAX];
    size_t count;
    char gap[3 * GW_NAME_MAX + 3]; // "c_birth=NEU_FOR:NAT"
} gw_particulars;

// Borrows `answer`; the values live as long as both. In this order: `over` (ratio); `gap` and `gap_of` (a gap's groups,
// and whether it is of a rate, a share or a mean); `fraction`, `line`, `line_lower`, `line_upper`, `line_unit`
// (poverty); `rank_error` (a value chosen by its rank); `delta` (keys that no list names).
void gw_particulars_of(const gw_answer *answer, gw_particulars *ret);
