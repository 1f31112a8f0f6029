// SPDX-License-Identifier: Apache-2.0
// Quotes: prices that were named, kept in memory for an hour, so that the very question priced can be asked by an id.
// A quote promises nothing but its own text: what is spent is decided when the question is asked. Bounded: a
// principal's oldest quote makes room for its newest; others' oldest are pushed out only where the whole table is full,
// which takes many principals. Thread safety: safe.   Depends on: base, wire/question.h.
#pragma once
#include "service/base/crypto.h"
#include "service/wire/question.h"

#define GW_QUOTE_SECONDS 3600           // a quote may be used this long
#define GW_QUOTE_SECONDS_KEPT 7200      // and is called expired, not unknown, this long after it was given
#define GW_QUOTES_MAX 8192u             // in all
#define GW_QUOTES_OF_PRINCIPAL_MAX 256u // of one principal
#define GW_QUOTE_BYTES_MAX (32u << 20)  // of all questions kept
#define GW_QUOTE_BYTES_OF_PRINCIPAL_MAX (1u << 20)

typedef struct {
    char id[GW_QUOTE_ID_TEXT];
    char principal[GW_ID_HEX];
    uint64_t policy;      // seq of the policy in force
    char data[GW_ID_HEX]; // data version, "" where none was loaded
    gw_hash question;     // the canonical question's
    gw_epsilon price;
    int64_t expires; // unix seconds
} gw_quote;

typedef struct gw_quotes gw_quotes;
gw_quotes *gw_quotes_new(void);         // NULL without memory
void gw_quotes_free(gw_quotes *quotes); // accepts NULL
// Keeps `quote` with `body`, the question as it will be asked; fills id and expires. GW_LIMIT: the body alone passes
// what a principal may keep; GW_NO_MEMORY; GW_UNAVAILABLE: no randomness.
GW_MUST_CHECK gw_status gw_quote_give(gw_quotes *quotes, gw_quote *quote, gw_bytes body, int64_t now);
// GW_NOT_FOUND: never given, long forgotten, or another principal's: nobody can tell which. GW_UNAVAILABLE: expired.
// `ret_body` is appended to.
GW_MUST_CHECK gw_status gw_quote_find(gw_quotes *quotes, const char *id, const char *principal, int64_t now,
                                      gw_quote *ret, gw_buffer *ret_body);
