// SPDX-License-Identifier: Apache-2.0
// Takes exactly what the encoder writes, without encoding again: the order of lines is fixed, each value's text is the
// only one of that value, and a line that may be missing is there just when the values say so. Tests hold both
// directions against each other on mutated entries.
#include "service/audit/entry_inner.h"
#include "service/base/check.h"
#include <string.h>

typedef struct {
    const char *at; // next line
    const char *end;
    size_t line; // from 1
} entry_cursor;

typedef struct {
    const char *data;
    size_t size;
} span;

// The value of the next line when it starts with `name` and a space.
static bool cursor_value(entry_cursor *cursor, const char *name, size_t name_size, span *ret) {
    size_t left = (size_t)(cursor->end - cursor->at);
    cursor->line++;
    const char *newline = memchr(cursor->at, '\n', left);
    if (newline == NULL || (size_t)(newline - cursor->at) < name_size + 1)
        return false;
    if (memcmp(cursor->at, name, name_size) != 0 || cursor->at[name_size] != ' ')
        return false;
    ret->data = cursor->at + name_size + 1;
    ret->size = (size_t)(newline - ret->data);
    cursor->at = newline + 1;
    return true;
}

// Does the next line start with this name? A line that may be missing is skipped; one that then stands or is missing
// wrongly is found when all values are known.
static bool cursor_has(const entry_cursor *cursor, const gw_entry_line *line) {
    return (size_t)(cursor->end - cursor->at) > line->name_size &&
           memcmp(cursor->at, line->name, line->name_size) == 0 && cursor->at[line->name_size] == ' ';
}

static bool parse_u64(span text, uint64_t *ret) {
    if (text.size == 0 || (text.size > 1 && text.data[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool parse_time(span text, int64_t *ret) {
    uint64_t value;
    if (!parse_u64(text, &value) || value > INT64_MAX)
        return false;
    *ret = (int64_t)value;
    return true;
}

// The run from '-' to ':' is "-./0123456789:".
static bool is_name_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '-' && byte <= ':') || byte == '_';
}

static bool parse_name(span text, char *ret, size_t size) {
    if (text.size == 0 || text.size >= size)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!is_name_byte(text.data[i]))
            return false;
    memcpy(ret, text.data, text.size);
    return true;
}

static bool parse_line(span text, char *ret, size_t size) {
    if (text.size == 0 || text.size >= size || text.data[0] == ' ' || text.data[text.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e || (text.data[i] == ' ' && text.data[i - 1] == ' '))
            return false;
    memcpy(ret, text.data, text.size);
    return true;
}

static bool is_code(span text) {
    for (size_t i = 0; i < text.size; i++)
        if (!((text.data[i] >= 'a' && text.data[i] <= 'z') || (text.data[i] >= '0' && text.data[i] <= '9') ||
              text.data[i] == '_'))
            return false;
    return text.size > 0;
}

// "code=n code=n": one way to write the same counts.
static bool parse_counts(span text, char *ret, size_t size) {
    span before = {0}, rest = text;
    while (rest.size > 0) {
        const char *space = memchr(rest.data, ' ', rest.size), *equals = memchr(rest.data, '=', rest.size);
        size_t item = space == NULL ? rest.size : (size_t)(space - rest.data);
        uint64_t count;
        if (equals == NULL || (size_t)(equals - rest.data) >= item)
            return false;
        span code = {.data = rest.data, .size = (size_t)(equals - rest.data)};
        span number = {.data = equals + 1, .size = item - code.size - 1};
        size_t shorter = before.size < code.size ? before.size : code.size;
        int order = before.data == NULL ? -1 : memcmp(before.data, code.data, shorter);
        bool is_rising = order < 0 || (order == 0 && before.size < code.size);
        if (!is_code(code) || !is_rising || !parse_u64(number, &count) || count == 0)
            return false;
        before = code;
        rest = (span){.data = rest.data + item, .size = rest.size - item};
        if (space == NULL)
            break;
        rest = (span){.data = rest.data + 1, .size = rest.size - 1};
        if (rest.size == 0)
            return false; // a space at the end
    }
    return parse_line(text, ret, size);
}

static bool parse_word(span text, const char *choices, char *ret, size_t size) {
    for (const char *choice = choices; *choice != '\0';) {
        size_t choice_size = strcspn(choice, " ");
        if (choice_size == text.size && memcmp(choice, text.data, text.size) == 0 && text.size < size) {
            memcpy(ret, text.data, text.size);
            return true;
        }
        choice += choice_size;
        choice += strspn(choice, " ");
    }
    return false;
}

static bool parse_hex(span text, char *ret, size_t size) {
    uint8_t bytes[GW_HASH_SIZE];
    if (!gw_unhex(text.data, text.size, bytes, (size - 1) / 2))
        return false;
    memcpy(ret, text.data, text.size);
    return true;
}

static bool parse_roles(span text, unsigned *ret) {
    char list[80] = {0};
    if (text.size == 0 || text.size >= sizeof(list) || memchr(text.data, '\0', text.size) != NULL)
        return false;
    memcpy(list, text.data, text.size);
    *ret = gw_roles_parse(list);
    char again[80];
    gw_roles_format(*ret, again); // "none" for none; each role once, in their order
    return strcmp(list, again) == 0;
}

static bool parse_value(span text, const gw_entry_line *line, gw_entry *entry) {
    void *field = (char *)entry + line->offset;
    switch (line->type) {
    case GW_ENTRY_VALUE_NAME:
        return parse_name(text, field, line->size);
    case GW_ENTRY_VALUE_LINE:
        return parse_line(text, field, line->size);
    case GW_ENTRY_VALUE_COUNTS:
        return parse_counts(text, field, line->size);
    case GW_ENTRY_VALUE_WORD:
        return parse_word(text, line->choices, field, line->size);
    case GW_ENTRY_VALUE_ID:
    case GW_ENTRY_VALUE_HEX:
        return parse_hex(text, field, line->size);
    case GW_ENTRY_VALUE_HASH:
        return gw_unhex(text.data, text.size, ((gw_hash *)field)->bytes, GW_HASH_SIZE);
    case GW_ENTRY_VALUE_U64:
        return parse_u64(text, field);
    case GW_ENTRY_VALUE_SEQ:
        if (text.size == 4 && memcmp(text.data, "none", 4) == 0) {
            *(uint64_t *)field = GW_NO_SEQ;
            return true;
        }
        return parse_u64(text, field) && *(uint64_t *)field != GW_NO_SEQ;
    case GW_ENTRY_VALUE_TIME:
        return parse_time(text, field);
    case GW_ENTRY_VALUE_ROLES:
        return parse_roles(text, field);
    case GW_ENTRY_VALUE_ACCOUNTING: // held against the delta when that is known
        return text.size == 4 && (memcmp(text.data, "pure", 4) == 0 || memcmp(text.data, "zcdp", 4) == 0);
    }
    return false;
}

static bool decode_head(entry_cursor *cursor, gw_entry *entry) {
    span value;
    if (!cursor_value(cursor, GW_ENTRY_HEAD, sizeof(GW_ENTRY_HEAD) - 2, &value)) // without its space
        return false;
    size_t kind = 0;
    while (kind < GW_ENTRY_KINDS && (gw_entry_grammars[kind].name_size != value.size ||
                                     memcmp(gw_entry_grammars[kind].name, value.data, value.size) != 0))
        kind++;
    if (kind == GW_ENTRY_KINDS)
        return false;
    entry->kind = (gw_entry_kind)kind;
    return cursor_value(cursor, "seq", 3, &value) && parse_u64(value, &entry->seq) &&
           cursor_value(cursor, "time", 4, &value) && parse_time(value, &entry->time);
}

static bool decode_signers(entry_cursor *cursor, gw_signers *by) {
    do {
        span value;
        if (by->count == GW_SIGNERS_MAX || !cursor_value(cursor, "by", 2, &value) ||
            !parse_hex(value, by->ids[by->count], GW_ID_HEX))
            return false;
        by->count++;
    } while (cursor->at < cursor->end);
    return true;
}

#define LINES_MAX 32

// What stands on a line, if it stands.
typedef struct {
    span values[LINES_MAX]; // data NULL: the line is missing
} line_values;

// Lines that depend on other values, now that these are known: there just when they should be, and saying the same.
static bool lines_agree(const gw_entry_grammar *kind, const line_values *found, const gw_entry *entry) {
    for (size_t i = 0; i < kind->line_count; i++) {
        const gw_entry_line *line = &kind->lines[i];
        bool is_there = found->values[i].data != NULL;
        if (line->is_optional && is_there != gw_entry_line_stands(entry, line))
            return false;
        bool is_zcdp = is_there && found->values[i].size > 0 && found->values[i].data[0] == 'z';
        const void *field = (const char *)entry + line->offset;
        if (is_there && line->type == GW_ENTRY_VALUE_ACCOUNTING && is_zcdp != (*(const uint64_t *)field != 0))
            return false;
    }
    return true;
}

static bool decode_lines(entry_cursor *cursor, gw_entry *entry) {
    if (!decode_head(cursor, entry))
        return false;
    const gw_entry_grammar *kind = &gw_entry_grammars[entry->kind];
    line_values found = {0};
    GW_ASSERT(kind->line_count <= LINES_MAX);
    for (size_t i = 0; i < kind->line_count; i++) {
        const gw_entry_line *line = &kind->lines[i];
        if (line->is_optional && !cursor_has(cursor, line))
            continue;
        if (!cursor_value(cursor, line->name, line->name_size, &found.values[i]) ||
            !parse_value(found.values[i], line, entry))
            return false;
    }
    if (kind->has_signers) {
        if (!decode_signers(cursor, &entry->by))
            return false;
    } else {
        cursor->line++;
        if (cursor->at != cursor->end)
            return false;
    }
    return lines_agree(kind, &found, entry);
}

static gw_status decode_problem(gw_problem *ret_problem, size_t line) {
    gw_status status = gw_problem_set(ret_problem, GW_CORRUPT, "bad_entry", "A log entry cannot be read.", "", "");
    gw_problem_why(ret_problem, "Line %zu is not what the grammar of its kind says.", line);
    return status;
}

gw_status gw_entry_decode(gw_bytes bytes, gw_entry *ret, gw_problem *ret_problem) {
    if (bytes.size == 0 || bytes.size > GW_ENTRY_BYTES_MAX)
        return decode_problem(ret_problem, 1);
    gw_entry entry;
    memset(&entry, 0, sizeof(entry)); // all of the union: texts end where their zeros begin
    entry_cursor cursor = {.at = (const char *)bytes.data, .end = (const char *)bytes.data + bytes.size};
    if (!decode_lines(&cursor, &entry))
        return decode_problem(ret_problem, cursor.line);
    *ret = entry;
    return GW_OK;
}
