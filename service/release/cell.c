// SPDX-License-Identifier: Apache-2.0
// Numbers as texts.
#include "service/release/cell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void gw_cell_number(char text[GW_CELL_NUMBER_TEXT], double value, unsigned decimals) {
    snprintf(text, GW_CELL_NUMBER_TEXT, "%.*f", (int)decimals, value);
    // No negative zero: it would be a different text for the same figure.
    bool is_zero = true;
    for (const char *c = text; *c; c++)
        is_zero &= *c == '-' || *c == '0' || *c == '.';
    if (is_zero && text[0] == '-')
        memmove(text, text + 1, strlen(text));
}

double gw_cell_round(double value, unsigned decimals, bool is_up) {
    double power = pow(10, decimals), scaled = value * power;
    // A hair of slack, so that 64.9 computed as 64.90000000000001 is not widened by a whole step.
    scaled = is_up ? ceil(scaled - 1e-9) : floor(scaled + 1e-9);
    return scaled / power;
}
