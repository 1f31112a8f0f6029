// SPDX-License-Identifier: Apache-2.0
// Decimal text of 128-bit integers.
#include "privacy/checked.h"

void gw_int128_format(gw_int128 value, char text[GW_INT128_TEXT]) {
    char digits[GW_INT128_TEXT];
    size_t count = 0;
    // The magnitude as unsigned: the smallest value has no positive counterpart.
    gw_uint128 magnitude = value < 0 ? 0 - (gw_uint128)value : (gw_uint128)value;
    for (; magnitude > UINT64_MAX; magnitude /= 10)
        digits[count++] = (char)('0' + (int)(magnitude % 10));
    uint64_t rest = (uint64_t)magnitude; // dividing 64 bits is many times faster
    do {
        digits[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        digits[count++] = '-';
    for (size_t i = 0; i < count; i++)
        text[i] = digits[count - 1 - i];
    text[count] = '\0';
}

bool gw_int128_parse(const char *text, gw_int128 *ret) {
    bool is_negative = *text == '-';
    const char *digits = text + is_negative;
    if (*digits < '0' || *digits > '9')
        return false;
    if (*digits == '0' && (digits[1] != '\0' || is_negative))
        return false;
    gw_int128 value = 0;
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9')
            return false;
        int digit = *digits - '0';
        // Built on the side of its sign, so that the smallest value parses too.
        if (__builtin_mul_overflow(value, (gw_int128)10, &value) ||
            !gw_add_i128(value, is_negative ? -digit : digit, &value))
            return false;
    }
    *ret = value;
    return true;
}
