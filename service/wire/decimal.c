// SPDX-License-Identifier: Apache-2.0
// Decimal text to and from trillionths.
#include "service/wire/decimal.h"
#include "service/base/check.h"
#include <stddef.h>
#include <string.h>

#define WHOLE_DIGITS_MAX 18u

_Static_assert(WHOLE_DIGITS_MAX + GW_DECIMAL_PLACES <= 37, "every decimal that parses fits 128 bits (38 digits)");

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Appends the digits at *text to *value; returns how many.
static size_t parse_digits(const char **text, size_t count_max, gw_int128 *value) {
    size_t count = 0;
    for (; count < count_max && is_digit(**text); (*text)++, count++)
        *value = *value * 10 + (**text - '0');
    return count;
}

bool gw_decimal_parse(const char *text, gw_decimal *ret_decimal) {
    bool is_negative = *text == '-';
    const char *digits = text + is_negative;
    const char *rest = digits;
    gw_int128 value = 0;
    size_t whole_count = parse_digits(&rest, WHOLE_DIGITS_MAX, &value);
    if (whole_count == 0 || (whole_count > 1 && digits[0] == '0'))
        return false;
    size_t place_count = 0;
    if (*rest == '.') {
        rest++;
        place_count = parse_digits(&rest, GW_DECIMAL_PLACES, &value);
        if (place_count == 0)
            return false;
    }
    if (*rest != '\0' || (is_negative && value == 0))
        return false;
    for (; place_count < GW_DECIMAL_PLACES; place_count++)
        value *= 10;
    ret_decimal->trillionths = is_negative ? -value : value;
    return true;
}

void gw_decimal_format(gw_decimal decimal, char text[GW_DECIMAL_TEXT]) {
    bool is_negative = decimal.trillionths < 0;
    gw_int128 magnitude = is_negative ? -decimal.trillionths : decimal.trillionths;
    char whole[GW_INT128_TEXT];
    gw_int128_format(magnitude / GW_DECIMAL_ONE, whole);
    gw_int128 fraction = magnitude % GW_DECIMAL_ONE;
    size_t length = strlen(whole);
    GW_ASSERT(length <= WHOLE_DIGITS_MAX + 1);
    char *end = text;
    if (is_negative)
        *end++ = '-';
    memcpy(end, whole, length);
    end += length;
    if (fraction != 0)
        *end++ = '.';
    for (gw_int128 unit = GW_DECIMAL_ONE / 10; fraction != 0; unit /= 10) {
        *end++ = (char)('0' + (int)(fraction / unit));
        fraction %= unit;
    }
    *end = '\0';
}

gw_decimal gw_decimal_of_scaled(gw_int128 scaled, unsigned scale) {
    gw_int128 unit = GW_DECIMAL_ONE;
    GW_ASSERT(scale <= GW_DECIMAL_PLACES);
    for (unsigned i = 0; i < scale; i++)
        unit /= 10;
    return (gw_decimal){scaled * unit};
}
