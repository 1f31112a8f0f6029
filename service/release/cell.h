// SPDX-License-Identifier: Apache-2.0
// The figures of one cell as they are written, and how numbers become texts. Nobody outside this room includes it.
// Thread safety: pure.   Depends on: release.h.
#pragma once
#include "service/release/release.h"

#define GW_CELL_NUMBER_TEXT 64
#define GW_CELL_DIGITS_MAX 24u // before the point of a figure that is no whole number of steps

// Texts ready to write.
typedef struct {
    char estimate[GW_CELL_NUMBER_TEXT], lower[GW_CELL_NUMBER_TEXT], upper[GW_CELL_NUMBER_TEXT], se[GW_CELL_NUMBER_TEXT];
    bool is_estimable; // otherwise no estimate and no standard error
    bool has_no_se;    // it was not worked out
    bool has_no_range; // nothing but a rank is known of it
    bool is_uncertain;
} gw_cell_figures;

void gw_cell_number(char text[GW_CELL_NUMBER_TEXT], double value, unsigned decimals);
// To a number of places, away from the middle of a range.
double gw_cell_round(double value, unsigned decimals, bool is_up);
