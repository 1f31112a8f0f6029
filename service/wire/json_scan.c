// SPDX-License-Identifier: Apache-2.0
// A strict scan by RFC 8259 less what we do not want: no byte order mark, no NUL, integers only, bounded depth. The
// parser that follows is lenient in a dozen ways; nothing reaches it that this file has not walked.
#include "service/wire/json_scan.h"
#include "service/base/check.h"
#include <stdlib.h>
#include <string.h>

#define INTEGER_MAX 9007199254740991 // 2^53 - 1: above it, other people's parsers lose digits
#define DEPTH_LIMIT 64               // bounds our own recursion, whatever the caller asks for
#define NODES_START 64u

typedef struct {
    const char *text;
    size_t size;
    size_t at;
    size_t depth_max;
    gw_json_node *nodes;
    size_t node_count;
    size_t node_capacity;
    gw_status status;
    gw_json_fault *fault;
} scan;

static bool scan_value(scan *s, size_t depth);

static bool scan_fail(scan *s, size_t offset, const char *code, const char *why, const char *mend) {
    s->status = GW_INVALID;
    *s->fault = (gw_json_fault){.code = code, .why = why, .mend = mend, .offset = offset};
    return false;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

size_t gw_utf8_size(const uint8_t *bytes, size_t size) {
    if (size == 0)
        return 0;
    uint8_t lead = bytes[0];
    if (lead < 0x80)
        return 1;
    size_t count = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || size < count)
        return 0;
    // The second byte's range rules out overlong forms, surrogates and values past U+10FFFF (Unicode, table 3-7).
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < count; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return count;
}

bool gw_utf8_is_valid(gw_bytes text) {
    size_t at = 0;
    size_t count = 1;
    for (; at < text.size && count != 0; at += count)
        count = gw_utf8_size(text.data + at, text.size - at);
    return count != 0;
}

void gw_json_position(const char *text, size_t offset, size_t *ret_line, size_t *ret_column) {
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((uint8_t)text[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

static bool scan_encoding(scan *s) {
    const uint8_t *bytes = (const uint8_t *)s->text;
    if (s->size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        return scan_fail(s, 0, "json_encoding", "The text starts with a byte order mark.",
                         "Save the file as UTF-8 without a byte order mark.");
    for (size_t i = 0, count; i < s->size; i += count) {
        count = gw_utf8_size(bytes + i, s->size - i);
        if (count == 0)
            return scan_fail(s, i, "json_encoding", "This byte is not valid UTF-8.", "Save the text as UTF-8.");
        if (bytes[i] == 0)
            return scan_fail(s, i, "json_encoding", "There is a NUL byte here.", "Remove the NUL byte.");
    }
    return true;
}

// The offset after a string that starts at `at`, or the end of the text where it is not closed.
static size_t skip_string(const char *text, size_t size, size_t at) {
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at < size ? at + 1 : size;
}

// Blanks one comment that starts at `at`; returns the offset after it, or 0 where it is not closed.
static size_t blank_comment(char *text, size_t size, size_t at) {
    bool is_line = text[at + 1] == '/';
    text[at] = text[at + 1] = ' ';
    for (at += 2; at < size; at++) {
        if (is_line && text[at] == '\n')
            return at;
        if (!is_line && text[at] == '*' && text[at + 1] == '/') {
            text[at] = text[at + 1] = ' ';
            return at + 2;
        }
        // Line ends stay, so that lines keep their numbers; a character's later bytes stay blank but keep their count,
        // which moves columns only inside the comment's own line.
        if (text[at] != '\n' && text[at] != '\r')
            text[at] = ' ';
    }
    return is_line ? size : 0;
}

static bool scan_comments(scan *s, char *text) {
    for (size_t at = 0; at < s->size;) {
        if (text[at] == '"') {
            at = skip_string(text, s->size, at);
        } else if (text[at] == '/' && (text[at + 1] == '/' || text[at + 1] == '*')) {
            size_t start = at;
            at = blank_comment(text, s->size, at);
            if (at == 0)
                return scan_fail(s, start, "json_syntax", "A comment starts here and is not closed.",
                                 "Close it with */.");
        } else {
            at++;
        }
    }
    return true;
}

static void scan_space(scan *s) {
    while (s->at < s->size &&
           (s->text[s->at] == ' ' || s->text[s->at] == '\t' || s->text[s->at] == '\n' || s->text[s->at] == '\r'))
        s->at++;
}

// Four hex digits after "\u", as a number, or -1.
static int scan_hex4(const scan *s, size_t at) {
    if (s->size - at < 4)
        return -1;
    int value = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = s->text[i];
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

// At "\u": checks the escape, or both of a surrogate pair, and steps over it.
static bool scan_unicode_escape(scan *s) {
    size_t start = s->at;
    int unit = scan_hex4(s, s->at + 2);
    if (unit < 0)
        return scan_fail(s, start, "json_syntax", "\\u needs four hex digits.", "Write the character itself.");
    if (unit == 0)
        return scan_fail(s, start, "json_encoding", "\\u0000 is not accepted: many programs would cut the text there.",
                         "Remove it.");
    s->at += 6;
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    bool has_pair = unit < 0xDC00 && s->size - s->at >= 2 && s->text[s->at] == '\\' && s->text[s->at + 1] == 'u';
    int low = has_pair ? scan_hex4(s, s->at + 2) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return scan_fail(s, start, "json_encoding", "Half of a surrogate pair is no character.",
                         "Write the character itself.");
    s->at += 6;
    return true;
}

static bool scan_escape(scan *s) {
    char c = s->at + 1 < s->size ? s->text[s->at + 1] : '\0';
    if (c == 'u')
        return scan_unicode_escape(s);
    if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
        return scan_fail(s, s->at, "json_syntax", "This escape does not exist in JSON.",
                         "Use \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\uXXXX.");
    s->at += 2;
    return true;
}

static bool scan_string(scan *s) {
    size_t start = s->at;
    for (s->at++; s->at < s->size && s->text[s->at] != '"';) {
        if (s->text[s->at] == '\\') {
            if (!scan_escape(s))
                return false;
        } else if ((uint8_t)s->text[s->at] < 0x20) {
            return scan_fail(s, s->at, "json_syntax", "A control character or a line end stands inside a string.",
                             "Close the string before the line ends, or write the character as \\n or \\t.");
        } else {
            s->at++;
        }
    }
    if (s->at >= s->size)
        return scan_fail(s, start, "json_syntax", "A string starts here and is not closed.", "Close it with \".");
    s->at++;
    return true;
}

static bool scan_number(scan *s, gw_json_node *node) {
    static const char mend[] = "Write whole numbers between -9007199254740991 and 9007199254740991 as they are, and "
                               "everything else as a decimal string, like \"0.05\".";
    size_t start = s->at;
    bool is_negative = s->text[s->at] == '-';
    s->at += is_negative;
    size_t digits = s->at;
    int64_t value = 0;
    for (; s->at < s->size && is_digit(s->text[s->at]); s->at++) {
        value = value * 10 + (s->text[s->at] - '0');
        if (value > INTEGER_MAX)
            return scan_fail(s, start, "json_number", "This number is too big to survive every program unchanged.",
                             mend);
    }
    if (s->at == digits)
        return scan_fail(s, start, "json_syntax", "A minus sign without a number.", mend);
    if (s->text[digits] == '0' && s->at - digits > 1)
        return scan_fail(s, start, "json_number", "This number has a leading zero.", mend);
    if (s->at < s->size && (s->text[s->at] == '.' || s->text[s->at] == 'e' || s->text[s->at] == 'E'))
        return scan_fail(s, start, "json_number", "Numbers with a fraction or an exponent are not accepted here.",
                         mend);
    if (is_negative && value == 0)
        return scan_fail(s, start, "json_number", "Minus zero is not a number here.", mend);
    node->type = GW_JSON_INTEGER;
    node->value.integer = is_negative ? -value : value;
    return true;
}

static bool scan_word(scan *s, const char *word) {
    size_t size = strlen(word);
    if (s->size - s->at < size || memcmp(s->text + s->at, word, size) != 0)
        return false;
    s->at += size;
    return true;
}

// A new node for the value at s->at; NULL without memory. Valid until the next one is added.
static gw_json_node *scan_add_node(scan *s) {
    if (s->node_count == s->node_capacity) {
        size_t capacity = s->node_capacity == 0 ? NODES_START : s->node_capacity * 2;
        gw_json_node *nodes = reallocarray(s->nodes, capacity, sizeof(*nodes));
        if (nodes == NULL) {
            s->status = GW_NO_MEMORY;
            return NULL;
        }
        s->nodes = nodes;
        s->node_capacity = capacity;
    }
    gw_json_node *node = &s->nodes[s->node_count++];
    *node = (gw_json_node){.offset = (uint32_t)s->at, .span = 1, .is_last = true};
    return node;
}

// At the name of a member: steps over name and colon.
static bool scan_name(scan *s, size_t *ret_offset) {
    *ret_offset = s->at;
    if (s->at >= s->size || s->text[s->at] != '"')
        return scan_fail(s, s->at, "json_syntax", "A member's name in double quotes is expected here.",
                         "Write \"name\": value, and no comma after the last member.");
    if (!scan_string(s))
        return false;
    scan_space(s);
    if (s->at >= s->size || s->text[s->at] != ':')
        return scan_fail(s, s->at, "json_syntax", "A colon is expected after a member's name.",
                         "Write \"name\": value.");
    s->at++;
    scan_space(s);
    return true;
}

// At the opening bracket of node `index`.
static bool scan_container(scan *s, size_t index, bool is_object, size_t depth) {
    char close = is_object ? '}' : ']';
    if (depth > s->depth_max)
        return scan_fail(s, s->at, "json_depth", "The text is nested too deeply.", "Flatten it.");
    s->at++;
    scan_space(s);
    if (s->at < s->size && s->text[s->at] == close) {
        s->at++;
        return true;
    }
    for (;;) {
        size_t name_offset = 0;
        if (is_object && !scan_name(s, &name_offset))
            return false;
        size_t child = s->node_count;
        if (!scan_value(s, depth))
            return false;
        s->nodes[child].is_member = is_object;
        s->nodes[child].name_offset = (uint32_t)name_offset;
        s->nodes[index].count++;
        scan_space(s);
        char c = s->at < s->size ? s->text[s->at] : '\0';
        if (c != ',' && c != close)
            return scan_fail(s, s->at, "json_syntax",
                             is_object ? "A comma or } is expected here." : "A comma or ] is expected here.",
                             "Check the commas and brackets around this place.");
        s->at++;
        if (c == close)
            return true;
        s->nodes[child].is_last = false;
        scan_space(s);
    }
}

static bool scan_value(scan *s, size_t depth) {
    if (s->at >= s->size)
        return scan_fail(s, s->at, "json_syntax", "The text ends where a value is expected.", "Complete the text.");
    size_t index = s->node_count;
    gw_json_node *node = scan_add_node(s);
    if (node == NULL)
        return false;
    char c = s->text[s->at];
    bool is_good = true;
    if (c == '{' || c == '[') {
        node->type = c == '{' ? GW_JSON_OBJECT : GW_JSON_ARRAY;
        is_good = scan_container(s, index, c == '{', depth + 1);
    } else if (c == '"') {
        node->type = GW_JSON_STRING;
        is_good = scan_string(s);
    } else if (c == '-' || is_digit(c)) {
        is_good = scan_number(s, node);
    } else if (scan_word(s, "true")) {
        node->type = GW_JSON_BOOL;
        node->value.boolean = true;
    } else if (scan_word(s, "false")) {
        node->type = GW_JSON_BOOL;
    } else if (scan_word(s, "null")) {
        node->type = GW_JSON_NULL;
    } else {
        is_good = scan_fail(s, s->at, "json_syntax",
                            "A value is expected here: an object, array, string, number, true, "
                            "false or null.",
                            "Check the commas, quotes and brackets around this place.");
    }
    if (is_good)
        s->nodes[index].span = (uint32_t)(s->node_count - index);
    return is_good;
}

static bool scan_document(scan *s) {
    scan_space(s);
    if (!scan_value(s, 0))
        return false;
    scan_space(s);
    if (s->at < s->size)
        return scan_fail(s, s->at, "json_syntax", "Something follows after the end of the document.", "Remove it.");
    return true;
}

gw_status gw_json_scan(char *text, size_t size, const gw_json_limits *limits, gw_json_node **ret_nodes,
                       size_t *ret_count, gw_json_fault *ret_fault) {
    GW_ASSERT(size < UINT32_MAX);  // offsets and counts are kept in 32 bits
    GW_ASSERT(text[size] == '\0'); // one byte of look-ahead is always readable
    scan s = {.text = text,
              .size = size,
              .depth_max = limits->depth_max < DEPTH_LIMIT ? limits->depth_max : DEPTH_LIMIT,
              .fault = ret_fault};
    if (!scan_encoding(&s) || (limits->allow_comments && !scan_comments(&s, text)) || !scan_document(&s)) {
        free(s.nodes);
        return s.status;
    }
    *ret_nodes = s.nodes;
    *ret_count = s.node_count;
    return GW_OK;
}
