// SPDX-License-Identifier: Apache-2.0
// How often who was told no by which rule, hour by hour, for the log: one entry a principal and hour, whatever is
// asked. Counted in memory, for principals that proved who they are; codes alone, no word of a question. What a crash
// takes is lost: a refusal is free, so nobody's budget depends on it. Thread safety: safe.   Depends on: audit/entry.h.
#pragma once
#include "service/audit/entry.h"

typedef struct gw_refusals gw_refusals;

gw_refusals *gw_refusals_new(void);           // NULL without memory
void gw_refusals_free(gw_refusals *refusals); // accepts NULL
void gw_refusals_count(gw_refusals *refusals, const char *principal, const char *code, int64_t now);
// Refusals that found no room since this was last asked: more principals in an hour than are kept apart.
uint64_t gw_refusals_uncounted(gw_refusals *refusals);

// Hands on what is due: hours that are over, or everything, at most `max` entries. What is not taken (false) waits for
// a minute, and is then handed on with what came since. Returns how many were taken.
typedef bool (*gw_refusals_take)(void *state, const gw_entry *entry);
size_t gw_refusals_flush(gw_refusals *refusals, int64_t now, bool is_everything, size_t max, gw_refusals_take take,
                         void *state);
