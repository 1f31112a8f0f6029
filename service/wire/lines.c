// SPDX-License-Identifier: Apache-2.0
// Reading strict lines. A newline is looked for only within the longest line, so that the cost of a refusal does not
// grow with what was sent.
#include "service/wire/lines.h"
#include "service/base/check.h"
#include <string.h>

#define NUMBER_DIGITS_MAX 20u // of UINT64_MAX
#define HASH_BASE64_SIZE 44u  // 32 bytes

void gw_lines_init(gw_lines *lines, gw_bytes text) {
    *lines = (gw_lines){.rest = text};
}

void gw_lines_fail(gw_lines *lines, const char *name, const char *why) {
    if (lines->why != NULL)
        return;
    lines->name = name;
    lines->why = why;
}

static bool is_printable(gw_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7E)
            return false;
    return true;
}

gw_bytes gw_lines_next(gw_lines *lines, const char *name) {
    const gw_bytes nothing = {0};
    if (lines->why != NULL)
        return nothing;
    lines->line++;
    size_t size_max = lines->rest.size < GW_LINE_MAX ? lines->rest.size : GW_LINE_MAX;
    const uint8_t *end = size_max == 0 ? NULL : memchr(lines->rest.data, '\n', size_max);
    if (end == NULL) {
        gw_lines_fail(lines, name, "the line is missing, cut off or too long");
        return nothing;
    }
    gw_bytes line = {.data = lines->rest.data, .size = (size_t)(end - lines->rest.data)};
    if (!is_printable(line)) {
        gw_lines_fail(lines, name, "only printable ASCII characters may stand here");
        return nothing;
    }
    lines->rest.data += line.size + 1;
    lines->rest.size -= line.size + 1;
    return line;
}

void gw_lines_expect(gw_lines *lines, const char *text) {
    gw_bytes line = gw_lines_next(lines, text);
    if (lines->why == NULL && !gw_bytes_equal(line, gw_bytes_of(text)))
        gw_lines_fail(lines, text, "exactly this line is expected");
}

static bool has_prefix(gw_bytes text, const char *prefix, size_t prefix_size) {
    return text.size >= prefix_size && memcmp(text.data, prefix, prefix_size) == 0;
}

bool gw_lines_is_next(const gw_lines *lines, const char *name) {
    size_t name_size = strlen(name);
    if (lines->why != NULL || lines->rest.size <= name_size || !has_prefix(lines->rest, name, name_size))
        return false;
    return lines->rest.data[name_size] == ' ' || lines->rest.data[name_size] == '\n';
}

gw_bytes gw_lines_value(gw_lines *lines, const char *name) {
    const gw_bytes nothing = {0};
    gw_bytes line = gw_lines_next(lines, name);
    if (lines->why != NULL)
        return nothing;
    size_t name_size = strlen(name);
    if (line.size < name_size + 2 || !has_prefix(line, name, name_size) || line.data[name_size] != ' ') {
        gw_lines_fail(lines, name, "this line with a value is expected here");
        return nothing;
    }
    return (gw_bytes){.data = line.data + name_size + 1, .size = line.size - name_size - 1};
}

gw_bytes gw_lines_bytes(gw_lines *lines, const char *name, uint64_t count) {
    if (lines->why == NULL && count > lines->rest.size)
        gw_lines_fail(lines, name, "fewer bytes follow than are announced");
    if (lines->why != NULL)
        return (gw_bytes){0};
    gw_bytes bytes = {.data = lines->rest.data, .size = (size_t)count};
    lines->rest.data += bytes.size;
    lines->rest.size -= bytes.size;
    return bytes;
}

void gw_lines_end(gw_lines *lines) {
    if (lines->rest.size != 0)
        gw_lines_fail(lines, "end", "more bytes follow than are announced");
}

void gw_lines_split(gw_lines *lines, const char *name, gw_bytes value, gw_bytes *ret_first, gw_bytes *ret_second) {
    *ret_first = *ret_second = (gw_bytes){0};
    if (lines->why != NULL)
        return;
    const uint8_t *space = value.size == 0 ? NULL : memchr(value.data, ' ', value.size);
    size_t first_size = space == NULL ? 0 : (size_t)(space - value.data);
    if (first_size == 0 || first_size + 1 == value.size) {
        gw_lines_fail(lines, name, "two words with one space between them are expected");
        return;
    }
    *ret_first = (gw_bytes){.data = value.data, .size = first_size};
    *ret_second = (gw_bytes){.data = space + 1, .size = value.size - first_size - 1};
}

// False unless `value` is a plain decimal of at most `max`: digits, no sign, no leading zero.
static bool number_parse(gw_bytes value, uint64_t max, uint64_t *ret) {
    if (value.size == 0 || value.size > NUMBER_DIGITS_MAX || (value.size > 1 && value.data[0] == '0'))
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(value.data[i] - '0'), &number))
            return false;
    }
    *ret = number;
    return number <= max;
}

uint64_t gw_lines_number(gw_lines *lines, const char *name, gw_bytes value, uint64_t max) {
    uint64_t number = 0;
    if (lines->why != NULL)
        return 0;
    if (!number_parse(value, max, &number)) {
        gw_lines_fail(lines, name, "a decimal number without leading zeros, within its bound, is expected");
        return 0;
    }
    return number;
}

void gw_lines_hex(gw_lines *lines, const char *name, gw_bytes value, uint8_t *ret, size_t size) {
    memset(ret, 0, size);
    if (lines->why == NULL && !gw_unhex((const char *)value.data, value.size, ret, size))
        gw_lines_fail(lines, name, "lower-case hexadecimal digits of a fixed number are expected");
}

static bool is_hex(gw_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if (!(text.data[i] >= '0' && text.data[i] <= '9') && !(text.data[i] >= 'a' && text.data[i] <= 'f'))
            return false;
    return true;
}

void gw_lines_hex_text(gw_lines *lines, const char *name, gw_bytes value, char *ret, size_t digits) {
    ret[0] = '\0';
    if (lines->why != NULL)
        return;
    if (value.size != digits || !is_hex(value)) {
        gw_lines_fail(lines, name, "lower-case hexadecimal digits of a fixed number are expected");
        return;
    }
    memcpy(ret, value.data, digits);
    ret[digits] = '\0';
}

void gw_lines_word(gw_lines *lines, const char *name, gw_bytes value, char *ret, size_t size) {
    ret[0] = '\0';
    if (lines->why != NULL)
        return;
    if (value.size == 0 || value.size >= size || memchr(value.data, ' ', value.size) != NULL) {
        gw_lines_fail(lines, name, "one word of bounded length is expected");
        return;
    }
    memcpy(ret, value.data, value.size);
    ret[value.size] = '\0';
}

gw_hash gw_lines_base64_hash(gw_lines *lines, const char *name, gw_bytes value) {
    gw_hash hash = {0};
    size_t size = 0;
    if (lines->why != NULL)
        return hash;
    if (value.size != HASH_BASE64_SIZE ||
        !gw_unbase64((const char *)value.data, value.size, hash.bytes, sizeof(hash.bytes), &size) ||
        size != sizeof(hash.bytes)) {
        gw_lines_fail(lines, name, "the base64 text of 32 bytes is expected");
        return (gw_hash){0};
    }
    return hash;
}

gw_status gw_lines_check(const gw_lines *lines, const char *code, const char *what, gw_problem *ret_problem) {
    if (lines->why == NULL)
        return GW_OK;
    gw_ignore(gw_problem_set(ret_problem, GW_INVALID, code, what, "", "")); // returns what it was given
    gw_problem_why(ret_problem, "Line %u, \"%s\": %s.", lines->line, lines->name, lines->why);
    return GW_INVALID;
}
