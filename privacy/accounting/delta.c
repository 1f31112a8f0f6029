// SPDX-License-Identifier: Apache-2.0
// Delta's text: what a policy writes, read to the last unit or refused.
#include "privacy/accounting/delta.h"
#include "privacy/checked.h"

#define PLACES 18

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The digits before the exponent as one integer, and how many of them stand after the point.
static bool read_mantissa(const char **text, uint64_t *ret_value, unsigned *ret_places) {
    const char *start = *text;
    uint64_t value = 0;
    unsigned places = 0;
    bool has_point = false;
    for (;; (*text)++) {
        if (**text == '.' && !has_point && *text > start && is_digit((*text)[1])) {
            has_point = true;
            continue;
        }
        if (!is_digit(**text))
            break;
        if (!gw_mul_u64(value, 10, &value) || !gw_add_u64(value, (uint64_t)(**text - '0'), &value))
            return false;
        places += has_point;
    }
    *ret_value = value;
    *ret_places = places;
    return *text > start && (start[0] != '0' || !is_digit(start[1]));
}

// "e-9": one or two digits, no leading zero.
static bool read_exponent(const char **text, unsigned *ret_exponent) {
    unsigned exponent = 0;
    if (**text != 'e')
        return true;
    if ((*text)[1] != '-' || !is_digit((*text)[2]) || (*text)[2] == '0')
        return false;
    *text += 2;
    for (int i = 0; i < 2 && is_digit(**text); i++, (*text)++)
        exponent = 10 * exponent + (unsigned)(**text - '0');
    *ret_exponent = exponent;
    return true;
}

gw_status gw_delta_parse(const char *text, gw_delta *ret_delta) {
    uint64_t value = 0;
    unsigned places = 0;
    unsigned exponent = 0;
    const char *rest = text;
    if (!read_mantissa(&rest, &value, &places) || !read_exponent(&rest, &exponent) || *rest != '\0')
        return GW_INVALID;
    for (places += exponent; places < PLACES; places++)
        if (!gw_mul_u64(value, 10, &value))
            return GW_INVALID;
    for (; places > PLACES; places--) { // "0.10e-18": zeros past the last unit are nothing
        if (value % 10 != 0)
            return GW_INVALID;
        value /= 10;
    }
    if (value >= GW_DELTA_ONE_ATTO)
        return GW_INVALID;
    ret_delta->atto = value;
    return GW_OK;
}

void gw_delta_format(gw_delta delta, char text[GW_DELTA_TEXT]) {
    char digits[20]; // from the last that is not 0 to the first
    int count = 0;
    int exponent = -PLACES; // of the last digit
    uint64_t value = delta.atto;
    size_t size = 0;
    for (; value != 0 && value % 10 == 0; value /= 10)
        exponent++;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    exponent += count - 1; // of the first digit
    text[size++] = digits[count - 1];
    if (count > 1)
        text[size++] = '.';
    for (int i = count - 1; i > 0; i--)
        text[size++] = digits[i - 1];
    if (delta.atto != 0 && exponent != 0) {
        int magnitude = exponent < 0 ? -exponent : exponent; // at most 18
        text[size++] = 'e';
        if (exponent < 0)
            text[size++] = '-';
        if (magnitude >= 10)
            text[size++] = (char)('0' + magnitude / 10);
        text[size++] = (char)('0' + magnitude % 10);
    }
    text[size] = '\0';
}
