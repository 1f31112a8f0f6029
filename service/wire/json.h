// SPDX-License-Identifier: Apache-2.0
// JSON from people we do not trust, read strictly, and JSON written. The only file that includes cJSON is json.c.
// Bytes are scanned before they are parsed: bounded size, valid UTF-8, no byte below 0x20 in strings, no \u0000, no
// byte order mark, bounded depth, no duplicate member, integers only (|x| <= 2^53 - 1), nothing after the end.
// Every problem names file (or "request"), line and column.
// Thread safety: a gw_json is immutable after parse.   Depends on: base.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

typedef struct gw_json gw_json;           // a document; owns its nodes
typedef struct gw_json_node gw_json_node; // borrowed from its document

typedef struct {
    const char *name;    // how the text is called in problems: a file name, "request"
    size_t size_max;     // bytes
    size_t depth_max;    // nesting
    bool allow_comments; // // and /* */ outside strings, for files that people write
} gw_json_limits;
#define GW_JSON_REQUEST ((gw_json_limits){.name = "request", .size_max = 65536, .depth_max = 8})
#define GW_JSON_FILE(file_name)                                                                                        \
    ((gw_json_limits){.name = (file_name), .size_max = 1048576, .depth_max = 12, .allow_comments = true})
#define GW_JSON_REPLY ((gw_json_limits){.name = "reply", .size_max = 268435456, .depth_max = 12})

// Problem codes: json_too_big, json_encoding, json_syntax, json_depth, json_duplicate, json_number.
GW_MUST_CHECK gw_status gw_json_parse(gw_bytes text, gw_json_limits limits, gw_json **ret, gw_problem *ret_problem);
void gw_json_free(gw_json *json); // accepts NULL

typedef enum {
    GW_JSON_NULL,
    GW_JSON_BOOL,
    GW_JSON_INTEGER,
    GW_JSON_STRING,
    GW_JSON_ARRAY,
    GW_JSON_OBJECT
} gw_json_type;
const gw_json_node *gw_json_root(const gw_json *json);
gw_json_type gw_json_type_of(const gw_json_node *node);
size_t gw_json_count(const gw_json_node *node);                                   // elements or members; O(1) amortised
const gw_json_node *gw_json_first(const gw_json_node *node);                      // first element or member, or NULL
const gw_json_node *gw_json_next(const gw_json_node *node);                       // its next sibling, or NULL
const char *gw_json_name(const gw_json_node *node);                               // a member's name
const gw_json_node *gw_json_member(const gw_json_node *object, const char *name); // NULL where absent; case matters
const char *gw_json_string(const gw_json_node *node);                             // asserts the type
int64_t gw_json_integer(const gw_json_node *node);
bool gw_json_bool(const gw_json_node *node);
void gw_json_where(const gw_json *json, const gw_json_node *node, size_t *ret_line, size_t *ret_column); // from 1

// A reader with a sticky problem: the first wrong thing is kept, later reads return NULL / 0 / false.
typedef struct {
    const gw_json *json;
    gw_status status;
    gw_problem problem;
} gw_json_reader;
void gw_json_reader_init(gw_json_reader *reader, const gw_json *json);
// Checks that `node` is an object with members only from `allowed` (NULL-ended); says "Did you mean" for an unknown
// one. Codes: wrong_type, unknown_field.
bool gw_json_expect_object(gw_json_reader *reader, const gw_json_node *node, const char *const allowed[]);
// Required members: codes missing_field, wrong_type, out_of_range. The returned text lives as long as the document.
const char *gw_json_read_string(gw_json_reader *reader, const gw_json_node *object, const char *name);
int64_t gw_json_read_integer(gw_json_reader *reader, const gw_json_node *object, const char *name, int64_t min,
                             int64_t max);
bool gw_json_read_bool(gw_json_reader *reader, const gw_json_node *object, const char *name);
const gw_json_node *gw_json_read_array(gw_json_reader *reader, const gw_json_node *object, const char *name);
const gw_json_node *gw_json_read_object(gw_json_reader *reader, const gw_json_node *object, const char *name);
// An amount of epsilon: a decimal string, never a JSON number. Codes also: bad_epsilon.
gw_epsilon gw_json_read_epsilon(gw_json_reader *reader, const gw_json_node *object, const char *name);
bool gw_json_has(const gw_json_node *object, const char *name); // present (null counts as present)
// Members that are needed and absent are listed all at once. Code: missing_field.
bool gw_json_require(gw_json_reader *reader, const gw_json_node *object, const char *const required[]);
// Records a problem at `node` (NULL: the document), with line and column put before `why`. Keeps the first.
void gw_json_fail(gw_json_reader *reader, const gw_json_node *node, const char *code, const char *what,
                  const char *mend, const char *why_format, ...) __attribute__((format(printf, 6, 7)));

// A text from outside, as it may be shown in a problem: printable ASCII, the rest as '?', cut with "..".
#define GW_SHOWN_MAX 80
const char *gw_json_shown(const char *text, char shown[GW_SHOWN_MAX]);

// Well-formed UTF-8 without overlong forms or surrogates, for texts that come from files of other formats.
bool gw_utf8_is_valid(gw_bytes text);

// Writing: a JSON string with quotes and escapes (bytes that are not UTF-8 become U+FFFD).
void gw_json_write_string(gw_buffer *buffer, const char *text);
// "name":  — with a comma before it unless the buffer ends in '{' or '['.
void gw_json_write_name(gw_buffer *buffer, const char *name);
void gw_json_write_member(gw_buffer *buffer, const char *name, const char *text); // text NULL writes null
void gw_json_write_integer(gw_buffer *buffer, const char *name, int64_t value);
void gw_json_write_epsilon(gw_buffer *buffer, const char *name, gw_epsilon epsilon);
// The refusal document of a problem: {"v":1,"code":…,"what":…,"why":…,"mend":…[,"budget":…,"needed":…,"remaining":…,
// "renews":…],"charged":…}
void gw_problem_encode(const gw_problem *problem, gw_buffer *buffer);
GW_MUST_CHECK gw_status gw_problem_decode(gw_bytes text, gw_problem *ret_problem);
