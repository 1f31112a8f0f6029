// SPDX-License-Identifier: Apache-2.0
// Text as a terminal shows it. Bytes that are not UTF-8 count as one column each, so that broken input cannot hide.
#include "service/format/text.h"
#include <ctype.h>
#include <limits.h>
#include <string.h>

#define CHARACTER_BAD 0xFFFDu

typedef struct {
    uint32_t first, last;
} range;

static const range zero_width[] = {{0x0300, 0x036F}, {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};
static const range double_width[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                                     {0xF900, 0xFAFF}, {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                                     {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
// C0, DEL, C1, and the characters that reorder or hide text.
static const range harmful[] = {{0x0000, 0x0009}, {0x000B, 0x001F},  {0x007F, 0x009F}, {0x061C, 0x061C},
                                {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
                                {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};
static const struct {
    uint32_t character;
    const char *ascii;
} plain[] = {{0x00B7, "-"},  {0x00B1, "+/-"}, {0x00D7, "x"},  {0x2013, "-"},  {0x2014, "-"},
             {0x2018, "'"},  {0x2019, "'"},   {0x201C, "\""}, {0x201D, "\""}, {0x2026, "..."},
             {0x2192, "->"}, {0x2212, "-"},   {0x2264, "<="}, {0x2265, ">="}, {0x2588, "#"},
             {0x2591, "."},  {0x03B5, "eps"}, {0x00A0, " "},  {0x202F, " "},  {0x2009, " "}};

static bool is_in(uint32_t character, const range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}
#define IS_IN(character, ranges) is_in((character), (ranges), sizeof(ranges) / sizeof((ranges)[0]))

// One character and its bytes; a byte that starts no character is taken alone.
static uint32_t character_next(const char *text, size_t size, size_t *ret_bytes) {
    uint8_t lead = (uint8_t)text[0];
    *ret_bytes = 1;
    if (lead < 0x80)
        return lead;
    size_t wanted = lead >= 0xF0 && lead < 0xF8   ? 4
                    : lead >= 0xE0 && lead < 0xF0 ? 3
                    : lead >= 0xC2 && lead < 0xE0 ? 2
                                                  : 0;
    if (wanted == 0 || wanted > size)
        return CHARACTER_BAD;
    uint32_t character = lead & (0x7Fu >> wanted);
    for (size_t i = 1; i < wanted; i++) {
        if (((uint8_t)text[i] & 0xC0) != 0x80)
            return CHARACTER_BAD;
        character = character << 6 | ((uint8_t)text[i] & 0x3Fu);
    }
    *ret_bytes = wanted;
    return character;
}

static unsigned character_width(uint32_t character) {
    if (IS_IN(character, zero_width))
        return 0;
    return IS_IN(character, double_width) ? 2 : 1;
}

unsigned gw_text_width(const char *text, size_t size) {
    unsigned width = 0;
    for (size_t i = 0, bytes; i < size; i += bytes)
        width += character_width(character_next(text + i, size - i, &bytes));
    return width;
}

// "c_birth,sex" may be broken behind its comma, "152,216" may not.
static bool is_comma_in_list(const char *text, size_t at) {
    return text[at] == ',' && !isdigit((unsigned char)text[at + 1]);
}

bool gw_text_line_next(gw_text_lines *lines, unsigned width) {
    const char *text = lines->rest;
    if (text == NULL)
        return false;
    size_t size = strcspn(text, "\n");
    size_t end = 0, space = SIZE_MAX, part = 0;
    for (unsigned used = 0; end < size;) {
        size_t bytes;
        unsigned wide = character_width(character_next(text + end, size - end, &bytes));
        if (text[end] == ' ')
            space = end;
        if (text[end] == '/' || (end > 0 && (text[end - 1] == '_' || is_comma_in_list(text, end - 1))))
            part = end;
        // A first character wider than the line is taken all the same, so every call moves on.
        if (used + wide > width && end > 0)
            break;
        used += wide;
        end += bytes;
    }
    bool has_space = space != SIZE_MAX && space > 0;
    size_t cut = end == size ? end : has_space ? space : part > 0 ? part : end;
    lines->line = text;
    lines->size = cut;
    while (lines->size > 0 && text[lines->size - 1] == ' ')
        lines->size--;
    if (cut == size) {
        lines->rest = text[size] == '\n' && text[size + 1] != '\0' ? text + size + 1 : NULL;
        return true;
    }
    while (text[cut] == ' ')
        cut++;
    lines->rest = text[cut] == '\0' ? NULL : text + cut;
    return true;
}

static void spaces_append(gw_buffer *buffer, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        gw_buffer_append(buffer, " ", 1);
}

void gw_text_wrap(gw_buffer *buffer, const char *text, unsigned width, unsigned column, unsigned indent) {
    gw_text_lines lines = {.rest = text};
    unsigned start = column;
    while (gw_text_line_next(&lines, width > start ? width - start : 1)) {
        gw_buffer_append(buffer, lines.line, lines.size);
        gw_buffer_text(buffer, "\n");
        start = indent;
        if (lines.rest != NULL)
            spaces_append(buffer, indent);
    }
}

// Letters of Latin-1 without their marks, one for one, so that columns stay where they are.
static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYPsaaaaaaaceeeeiiiidnooooo/ouuuuypy";
#define LATIN_FIRST 0x00C0u
_Static_assert(sizeof(latin) - 1 == 0x0100 - LATIN_FIRST, "a letter for each of U+00C0 to U+00FF");

static void plain_append(gw_buffer *buffer, uint32_t character) {
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (plain[i].character == character) {
            gw_buffer_text(buffer, plain[i].ascii);
            return;
        }
    bool is_latin = character >= LATIN_FIRST && character < LATIN_FIRST + sizeof(latin) - 1;
    gw_buffer_append(buffer, is_latin ? latin + (character - LATIN_FIRST) : "?", 1);
}

void gw_text_clean(gw_buffer *buffer, const char *text, bool is_unicode) {
    size_t size = strlen(text);
    for (size_t i = 0, bytes; i < size; i += bytes) {
        uint32_t character = character_next(text + i, size - i, &bytes);
        if (IS_IN(character, harmful) || (character == CHARACTER_BAD && bytes == 1))
            gw_buffer_text(buffer, "?");
        else if (character < 0x80 || is_unicode)
            gw_buffer_append(buffer, text + i, bytes);
        else
            plain_append(buffer, character);
    }
}

// The separator that belongs before a digit with `rest` whole digits from it to the point.
static bool group_starts(const char *grouping, size_t rest) {
    size_t edge = 0, at = 0;
    while (edge < rest) {
        char size = grouping[at];
        if (size <= 0 || size == CHAR_MAX)
            return false;
        edge += (size_t)size;
        if (grouping[at + 1] != '\0') // the last size repeats
            at++;
    }
    return edge == rest;
}

void gw_text_number(gw_buffer *buffer, const char *decimal, const gw_numbers *numbers) {
    static const gw_numbers plain_numbers = {.point = ".", .group = ",", .grouping = "\3"};
    size_t sign = decimal[0] == '-' ? 1 : 0;
    size_t digits = strspn(decimal + sign, "0123456789");
    const char *rest = decimal + sign + digits;
    if (digits == 0 || (rest[0] != '\0' && rest[0] != '.')) {
        gw_buffer_text(buffer, decimal);
        return;
    }
    const gw_numbers *as = numbers == NULL || numbers->point[0] == '\0' ? &plain_numbers : numbers;
    gw_buffer_append(buffer, decimal, sign);
    for (size_t i = 0; i < digits; i++) {
        if (i > 0 && group_starts(as->grouping, digits - i))
            gw_buffer_text(buffer, as->group);
        gw_buffer_append(buffer, decimal + sign + i, 1);
    }
    if (rest[0] == '.') {
        gw_buffer_text(buffer, as->point);
        gw_buffer_text(buffer, rest + 1);
    }
}

void gw_text_thousands(gw_buffer *buffer, const char *decimal) {
    gw_text_number(buffer, decimal, NULL);
}

// An underscore within a word is no markup, and codes are full of them.
static bool md_is_markup(const char *text, const char *c) {
    if (*c != '_')
        return strchr("\\`*[]|~", *c) != NULL;
    return c == text || !isalnum((unsigned char)c[-1]) || !isalnum((unsigned char)c[1]);
}

void gw_text_md(gw_buffer *buffer, const char *text) {
    gw_buffer clean;
    gw_buffer_init(&clean, buffer->size_max);
    gw_text_clean(&clean, text, true);
    for (const char *start = gw_buffer_string(&clean), *c = start; *c != '\0'; c++) {
        if (*c == '<')
            gw_buffer_text(buffer, "&lt;");
        else if (*c == '>')
            gw_buffer_text(buffer, "&gt;");
        else if (*c == '&')
            gw_buffer_text(buffer, "&amp;");
        else if (*c == '\n')
            gw_buffer_text(buffer, " ");
        else {
            if (md_is_markup(start, c))
                gw_buffer_text(buffer, "\\");
            gw_buffer_append(buffer, c, 1);
        }
    }
    if (clean.status != GW_OK && buffer->status == GW_OK)
        buffer->status = clean.status;
    gw_buffer_done(&clean);
}
