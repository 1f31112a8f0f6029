// SPDX-License-Identifier: Apache-2.0
// One text field as the snapshot has it: a code's index, that of a date's period, or steps from the column's min; or,
// in a column of texts, the text itself. Exact: decimals are compared and rounded (half to even, on the grid) as
// decimals, never as doubles. Thread safety: a converter is immutable after new.   Depends on: load.h, wire/period.h.
#pragma once
#include "service/engine/load.h"

typedef struct gw_converter gw_converter;

typedef enum { GW_CONVERTED_VALUE, GW_CONVERTED_MISSING, GW_CONVERTED_BAD } gw_converted_outcome;
typedef struct {
    gw_converted_outcome outcome;
    uint64_t value;    // where VALUE; where BAD and out of bounds, the nearer bound
    gw_bytes text;     // columns of texts: borrowed from the field; where BAD and too long, as much as may stay
    gw_load_kind kind; // where BAD
    bool is_above;     // where BAD and out of bounds: of the two
} gw_converted;

// Borrows the column. NULL without memory.
gw_converter *gw_converter_new(const gw_load_column *column);
void gw_converter_free(gw_converter *converter); // accepts NULL

gw_converted gw_convert(const gw_converter *converter, gw_bytes field);
// What stands for a missing value: the last code where the column says so, else MISSING.
gw_converted gw_convert_missing(const gw_converter *converter);
// The sentence for the owner: `age "abc" is not a whole number`. Quoted as quote.h has it.
void gw_convert_explain(const gw_converter *converter, gw_converted converted, gw_bytes field,
                        char text[GW_LOAD_TEXT_MAX]);
