// SPDX-License-Identifier: Apache-2.0
// Numbers are read digit by digit into floor(value * 10^scale) and what the rest amounts to, compared with nothing and
// with a half: enough to compare with any bound and to round to any grid without error. "1e3", "39.0" and "-0.0" are
// the numbers they denote, because that is how binary columns of other formats are written as text.
#include "service/engine/convert.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/engine/quote.h"
#include "service/wire/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXPONENT_MAX 100000               // larger ones are as good as this: past every bound, or nothing at all
#define QUOTED_MAX 40u                    // bytes of a value shown, of a name there may be GW_QUOTE_MAX
#define HUGE_SCALED ((gw_int128)1 << 100) // past every 64-bit bound; sums with those stay far from overflow

typedef struct {
    const char *text; // NULL = free
    size_t size;
    uint64_t code;
} code_entry;

struct gw_converter {
    const gw_load_column *column;
    code_entry *entries; // open addressing, at most half full
    size_t entry_mask;
};

static uint64_t text_hash(const void *text, size_t size) { // FNV-1a; the keys are the policy's own
    const uint8_t *bytes = text;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

static code_entry *entry_find(const gw_converter *converter, const void *text, size_t size) {
    for (size_t i = text_hash(text, size);; i++) {
        code_entry *entry = &converter->entries[i & converter->entry_mask];
        if (entry->text == NULL || (entry->size == size && memcmp(entry->text, text, size) == 0))
            return entry;
    }
}

static void entry_add(gw_converter *converter, const char *text, uint64_t code) {
    code_entry *entry = entry_find(converter, text, strlen(text));
    if (entry->text == NULL) // the first stands: recodes come before codes
        *entry = (code_entry){.text = text, .size = strlen(text), .code = code};
}

gw_converter *gw_converter_new(const gw_load_column *column) {
    gw_converter *converter = calloc(1, sizeof(*converter));
    if (converter == NULL)
        return NULL;
    size_t capacity = 16;
    while (capacity < 2 * (column->code_count + column->recode_count + 1))
        capacity *= 2;
    converter->column = column;
    converter->entry_mask = capacity - 1;
    converter->entries = calloc(capacity, sizeof(*converter->entries));
    if (converter->entries == NULL) {
        free(converter);
        return NULL;
    }
    for (size_t i = 0; i < column->recode_count; i++)
        entry_add(converter, column->recodes[i].from, column->recodes[i].code);
    for (size_t i = 0; i < column->code_count; i++)
        entry_add(converter, column->codes[i], i);
    return converter;
}

void gw_converter_free(gw_converter *converter) {
    if (converter == NULL)
        return;
    free(converter->entries);
    free(converter);
}

typedef enum { REST_NONE, REST_BELOW_HALF, REST_HALF, REST_ABOVE_HALF } number_rest;

typedef struct {
    gw_int128 floor; // of value * 10^scale, at most HUGE_SCALED away from 0
    number_rest rest;
} number;

typedef struct {
    bool is_negative;
    const uint8_t *digits, *digits_end; // digits and at most one point
    size_t digit_count;
    int64_t point; // digits before the decimal point, exponent included
} number_text;

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool exponent_scan(const uint8_t *at, const uint8_t *end, int64_t *ret_exponent) {
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    int64_t exponent = 0;
    for (; at < end && is_digit(*at); at++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*at - '0');
    *ret_exponent = is_negative ? -exponent : exponent;
    return at == end;
}

static bool number_scan(gw_bytes field, number_text *ret) {
    const uint8_t *at = field.data, *end = field.data + field.size;
    number_text text = {.is_negative = at < end && *at == '-'};
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    text.digits = at;
    for (; at < end && is_digit(*at); at++)
        text.digit_count++;
    text.point = (int64_t)text.digit_count;
    if (at < end && *at == '.')
        for (at++; at < end && is_digit(*at); at++)
            text.digit_count++;
    text.digits_end = at;
    if (text.digit_count == 0)
        return false;
    int64_t exponent = 0;
    if (at < end && ((*at != 'e' && *at != 'E') || !exponent_scan(at + 1, end, &exponent)))
        return false;
    text.point += exponent;
    *ret = text;
    return true;
}

static gw_int128 scaled_shift(gw_int128 scaled, unsigned digit) {
    return scaled >= HUGE_SCALED / 10 ? HUGE_SCALED : scaled * 10 + digit;
}

// The magnitude first; a negative value is then mirrored, its floor one lower where something was left over.
static number number_value(const number_text *text, unsigned scale) {
    number value = {0};
    int64_t whole_left = text->point + (int64_t)scale; // digits that still belong to the whole part
    bool is_first_of_rest = true;
    if (whole_left < 0)
        is_first_of_rest = false; // zeros come before the first digit of the rest
    for (const uint8_t *at = text->digits; at < text->digits_end; at++) {
        if (*at == '.')
            continue;
        unsigned digit = (unsigned)(*at - '0');
        if (whole_left > 0) {
            value.floor = scaled_shift(value.floor, digit);
            whole_left--;
        } else if (is_first_of_rest) {
            value.rest = digit == 0   ? REST_NONE
                         : digit < 5  ? REST_BELOW_HALF
                         : digit == 5 ? REST_HALF
                                      : REST_ABOVE_HALF;
            is_first_of_rest = false;
        } else if (digit != 0 && value.rest == REST_NONE) {
            value.rest = REST_BELOW_HALF;
        } else if (digit != 0 && value.rest == REST_HALF) {
            value.rest = REST_ABOVE_HALF;
        }
    }
    for (; whole_left > 0 && value.floor != 0 && value.floor != HUGE_SCALED; whole_left--)
        value.floor = scaled_shift(value.floor, 0);
    if (!text->is_negative)
        return value;
    static const number_rest mirrored[] = {REST_NONE, REST_ABOVE_HALF, REST_HALF, REST_BELOW_HALF};
    value.floor = -value.floor - (value.rest != REST_NONE);
    value.rest = mirrored[value.rest];
    return value;
}

// (value - min) / grid, half to even. The value is known to lie within the bounds.
static uint64_t number_steps(number value, const gw_load_column *column) {
    gw_int128 distance = value.floor - column->min_scaled;
    gw_int128 steps = distance / column->grid_scaled;
    gw_int128 over = distance % column->grid_scaled;
    // Twice what is over the step, compared with the grid: 2 * over + 2 * rest against grid, where 0 <= 2 * rest < 2.
    gw_int128 room = column->grid_scaled - 2 * over;
    int order; // of twice the remainder and the grid
    if (room <= 0)
        order = room == 0 && value.rest == REST_NONE ? 0 : 1;
    else if (room == 1)
        order = value.rest == REST_HALF ? 0 : value.rest == REST_ABOVE_HALF ? 1 : -1;
    else
        order = -1;
    if (order > 0 || (order == 0 && steps % 2 != 0))
        steps++;
    return (uint64_t)steps;
}

static bool is_word(gw_bytes field, const char *word) {
    return field.size == strlen(word) && strncasecmp((const char *)field.data, word, field.size) == 0;
}

static bool is_not_finite(gw_bytes field) {
    if (field.size > 0 && (field.data[0] == '-' || field.data[0] == '+')) {
        field.data++;
        field.size--;
    }
    return is_word(field, "nan") || is_word(field, "inf") || is_word(field, "infinity");
}

static gw_converted bad(gw_load_kind kind, uint64_t value) {
    return (gw_converted){.outcome = GW_CONVERTED_BAD, .kind = kind, .value = value};
}

static gw_converted above(uint64_t value) {
    return (gw_converted){.outcome = GW_CONVERTED_BAD, .kind = GW_LOAD_OUT_OF_BOUNDS, .value = value, .is_above = true};
}

static gw_converted convert_number(const gw_load_column *column, gw_bytes field) {
    number_text text;
    if (is_not_finite(field))
        return bad(GW_LOAD_NOT_FINITE, 0);
    if (!number_scan(field, &text))
        return bad(GW_LOAD_BAD_TYPE, 0);
    number value = number_value(&text, column->scale);
    if (column->is_whole && value.rest != REST_NONE)
        return bad(GW_LOAD_BAD_TYPE, 0);
    if (value.floor < column->min_scaled)
        return bad(GW_LOAD_OUT_OF_BOUNDS, 0);
    if (value.floor > column->max_scaled || (value.floor == column->max_scaled && value.rest != REST_NONE))
        return above((uint64_t)column->steps);
    return (gw_converted){.outcome = GW_CONVERTED_VALUE, .value = number_steps(value, column)};
}

gw_converted gw_convert_missing(const gw_converter *converter) {
    const gw_load_column *column = converter->column;
    if (column->is_text && column->missing_is_unknown)
        return (gw_converted){.outcome = GW_CONVERTED_VALUE, .text = gw_bytes_of(GW_LOAD_UNKNOWN)};
    if (column->is_code && column->missing_is_unknown)
        return (gw_converted){.outcome = GW_CONVERTED_VALUE, .value = column->code_count - 1};
    return (gw_converted){.outcome = GW_CONVERTED_MISSING};
}

// The first and the last code are the bounds of a date.
static gw_converted convert_date(const gw_converter *converter, gw_bytes field) {
    const gw_load_column *column = converter->column;
    int64_t index;
    if (field.size == 0)
        return gw_convert_missing(converter);
    if (!gw_period_of_date(column->period, field, &index)) {
        if (column->missing_is_unknown && gw_bytes_equal(field, gw_bytes_of(column->codes[column->code_count - 1])))
            return gw_convert_missing(converter); // written out: _U
        return bad(is_not_finite(field) ? GW_LOAD_NOT_FINITE : GW_LOAD_BAD_TYPE, 0);
    }
    int64_t last = (int64_t)column->code_count - 1 - column->missing_is_unknown;
    if (index < column->period_first)
        return bad(GW_LOAD_OUT_OF_BOUNDS, 0);
    if (index - column->period_first > last)
        return above((uint64_t)last);
    return (gw_converted){.outcome = GW_CONVERTED_VALUE, .value = (uint64_t)(index - column->period_first)};
}

// The character at `at` in a valid UTF-8 text, and how many bytes it has.
static uint32_t character_at(gw_bytes text, size_t at, size_t *ret_size) {
    const uint8_t *bytes = text.data + at;
    uint32_t first = bytes[0];
    *ret_size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t character = *ret_size == 1 ? first : first & (0x7Fu >> *ret_size);
    for (size_t i = 1; i < *ret_size; i++)
        character = character << 6 | (bytes[i] & 0x3Fu);
    return character;
}

// What moves the cursor, turns the direction of writing, cannot be seen or breaks a line has no place in a key: two
// keys would look alike, or a table of them would lie.
static bool is_character_of_texts(uint32_t c) {
    bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    bool is_hidden = c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
                     (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
    return !is_control && !is_hidden;
}

static bool is_text_well(gw_bytes text) {
    if (!gw_utf8_is_valid(text))
        return false;
    for (size_t at = 0, size; at < text.size; at += size)
        if (!is_character_of_texts(character_at(text, at, &size)))
            return false;
    return true;
}

static gw_bytes text_trim(gw_bytes text) {
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

// As it is written, but for space around it. Of one that is too long whole characters stay, where the owner says so.
static gw_converted convert_text(const gw_converter *converter, gw_bytes field) {
    const gw_load_column *column = converter->column;
    gw_bytes text = text_trim(field);
    if (text.size == 0)
        return gw_convert_missing(converter);
    if (!is_text_well(text))
        return bad(GW_LOAD_BAD_TYPE, 0);
    if (text.size <= column->text_bytes_max)
        return (gw_converted){.outcome = GW_CONVERTED_VALUE, .text = text};
    gw_converted converted = above(0);
    converted.text = (gw_bytes){text.data, column->text_bytes_max};
    while (converted.text.size > 0 && (text.data[converted.text.size] & 0xC0) == 0x80)
        converted.text.size--;
    converted.text = text_trim(converted.text);
    return converted;
}

gw_converted gw_convert(const gw_converter *converter, gw_bytes field) {
    const gw_load_column *column = converter->column;
    if (column->is_text)
        return convert_text(converter, field);
    if (column->period != GW_PERIOD_NONE)
        return convert_date(converter, field);
    const code_entry *entry =
        column->is_code ? entry_find(converter, field.size > 0 ? (const void *)field.data : "", field.size) : NULL;
    if (entry != NULL && entry->text != NULL)
        return (gw_converted){.outcome = GW_CONVERTED_VALUE, .value = entry->code};
    if (field.size == 0)
        return gw_convert_missing(converter);
    if (column->is_code)
        return bad(GW_LOAD_UNLISTED_CODE, 0);
    return convert_number(column, field);
}

static void scaled_text(int64_t scaled, unsigned scale, char text[48]) {
    uint64_t magnitude = scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled;
    uint64_t power = 1;
    for (unsigned i = 0; i < scale; i++)
        power *= 10;
    int length = snprintf(text, 48, "%s%llu", scaled < 0 ? "-" : "", (unsigned long long)(magnitude / power));
    if (scale > 0)
        snprintf(text + length, 48 - (size_t)length, ".%0*llu", (int)scale, (unsigned long long)(magnitude % power));
}

static void explain_text(const gw_load_column *column, gw_converted converted, const char *quoted,
                         char text[GW_LOAD_TEXT_MAX]) {
    if (converted.kind == GW_LOAD_OUT_OF_BOUNDS)
        snprintf(text, GW_LOAD_TEXT_MAX, "%.128s \"%s\" is longer than %llu bytes", column->name, quoted,
                 (unsigned long long)column->text_bytes_max);
    else
        snprintf(text, GW_LOAD_TEXT_MAX, "%.128s \"%s\" has signs that no text has, or is not UTF-8", column->name,
                 quoted);
}

void gw_convert_explain(const gw_converter *converter, gw_converted converted, gw_bytes field,
                        char text[GW_LOAD_TEXT_MAX]) {
    const gw_load_column *column = converter->column;
    char quoted[QUOTED_MAX + 4], bound[48];
    const char *reason = "";
    GW_ASSERT(converted.outcome == GW_CONVERTED_BAD);
    gw_quote(field, QUOTED_MAX, quoted);
    if (converted.kind == GW_LOAD_OUT_OF_BOUNDS && column->period != GW_PERIOD_NONE) {
        snprintf(text, GW_LOAD_TEXT_MAX, "%.128s \"%s\" is %s %.32s", column->name, quoted,
                 converted.is_above ? "after" : "before", column->codes[converted.value]);
        return;
    }
    if (column->is_text) {
        explain_text(column, converted, quoted, text);
        return;
    }
    if (converted.kind == GW_LOAD_OUT_OF_BOUNDS) {
        scaled_text(converted.is_above ? column->max_scaled : column->min_scaled, column->scale, bound);
        snprintf(text, GW_LOAD_TEXT_MAX, "%.128s \"%s\" is %s %s", column->name, quoted,
                 converted.is_above ? "above" : "below", bound);
        return;
    }
    if (converted.kind == GW_LOAD_BAD_TYPE && column->period != GW_PERIOD_NONE)
        reason = column->period == GW_PERIOD_YEAR      ? "is not a date (2023-05-17, or 2023)"
                 : column->period == GW_PERIOD_QUARTER ? "is not a date (2023-05-17, or 2023-Q2)"
                                                       : "is not a date (2023-05-17, or 2023-05)";
    else if (converted.kind == GW_LOAD_BAD_TYPE)
        reason = column->is_whole ? "is not a whole number" : "is not a number";
    else if (converted.kind == GW_LOAD_NOT_FINITE)
        reason = "is not finite";
    else
        reason = "is not in the code list";
    snprintf(text, GW_LOAD_TEXT_MAX, "%.128s \"%s\" %s", column->name, quoted, reason);
}
