// SPDX-License-Identifier: Apache-2.0
// The scan that comes before the parser: it alone decides what is acceptable JSON, and notes where every value stands.
// Private to wire/json*.c.   Thread safety: pure.   Depends on: json.h.
#pragma once
#include "service/wire/json.h"

// One value, in document order. A value's first element is the next node; its next sibling is `span` nodes on.
struct gw_json_node {
    const char *name; // members: set when the parsed document is bound to the scan
    union {
        const char *string; // set when bound
        int64_t integer;
        bool boolean;
    } value;
    uint32_t offset;      // of the value's first byte
    uint32_t name_offset; // members: of the name's first quote
    uint32_t span;        // nodes of this subtree, itself included
    uint32_t count;       // elements or members
    uint8_t type;         // gw_json_type
    bool is_member;
    bool is_last; // no sibling follows
};

// What is wrong, and where; texts are constants.
typedef struct {
    const char *code;
    const char *why;
    const char *mend;
    size_t offset;
} gw_json_fault;

// Blanks comments in `text` (same length, same lines) where they are allowed, checks every byte, and lists the values.
// `text` is followed by a NUL. The caller frees the nodes. GW_INVALID fills `ret_fault`; GW_NO_MEMORY does not.
GW_MUST_CHECK gw_status gw_json_scan(char *text, size_t size, const gw_json_limits *limits, gw_json_node **ret_nodes,
                                     size_t *ret_count, gw_json_fault *ret_fault);
// Line and column (in characters) of an offset, from 1.
void gw_json_position(const char *text, size_t offset, size_t *ret_line, size_t *ret_column);
// Bytes of the UTF-8 character that starts here (1 to 4), or 0 where there is none: overlong forms, surrogates, values
// past U+10FFFF and cut characters are none.
size_t gw_utf8_size(const uint8_t *bytes, size_t size);
