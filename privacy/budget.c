// SPDX-License-Identifier: Apache-2.0
// Epsilon as an integer: strict decimal text in, shortest decimal text out, and the admission rule.
#include "privacy/budget.h"

#define PLACES 6
#define MICRO_PER_UNIT 1000000u

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Reads digits into *value (a fixed-point integer); false when the maximum is passed.
static bool epsilon_parse_digits(const char **text, size_t count_max, uint64_t *value, size_t *ret_count) {
    size_t count = 0;
    for (; is_digit(**text); (*text)++, count++) {
        if (count == count_max || !gw_mul_u64(*value, 10, value) ||
            !gw_add_u64(*value, (uint64_t)(**text - '0'), value))
            return false;
    }
    *ret_count = count;
    return true;
}

gw_status gw_epsilon_parse(const char *text, gw_epsilon *ret_epsilon) {
    uint64_t micro = 0;
    size_t whole_count = 0;
    size_t place_count = 0;
    const char *rest = text;
    if (!epsilon_parse_digits(&rest, SIZE_MAX, &micro, &whole_count) || whole_count == 0)
        return GW_INVALID;
    if (whole_count > 1 && text[0] == '0')
        return GW_INVALID;
    if (*rest == '.') {
        rest++;
        if (!epsilon_parse_digits(&rest, PLACES, &micro, &place_count) || place_count == 0)
            return GW_INVALID;
    }
    if (*rest != '\0')
        return GW_INVALID;
    for (; place_count < PLACES; place_count++)
        if (!gw_mul_u64(micro, 10, &micro))
            return GW_INVALID;
    if (micro > GW_EPSILON_MICRO_MAX)
        return GW_INVALID;
    ret_epsilon->micro = micro;
    return GW_OK;
}

void gw_epsilon_format(gw_epsilon epsilon, char text[GW_EPSILON_TEXT]) {
    // From the right: the places without their trailing zeros, the point, then at most 14 digits of the largest 64-bit
    // value: 21 characters and the NUL.
    char reversed[GW_EPSILON_TEXT];
    size_t count = 0;
    uint64_t places = epsilon.micro % MICRO_PER_UNIT, units = epsilon.micro / MICRO_PER_UNIT;
    for (int i = 0; i < PLACES; i++, places /= 10)
        if (count > 0 || places % 10 != 0)
            reversed[count++] = (char)('0' + places % 10);
    if (count > 0)
        reversed[count++] = '.';
    do
        reversed[count++] = (char)('0' + units % 10);
    while ((units /= 10) != 0);
    for (size_t i = 0; i < count; i++)
        text[i] = reversed[count - 1 - i];
    text[count] = '\0';
}

bool gw_budget_admits(uint64_t total_micro, uint64_t spent_micro, uint64_t cost_micro) {
    return spent_micro <= total_micro && cost_micro <= total_micro - spent_micro;
}

uint64_t gw_budget_remaining(uint64_t total_micro, uint64_t spent_micro) {
    return spent_micro <= total_micro ? total_micro - spent_micro : 0;
}
