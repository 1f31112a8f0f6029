// SPDX-License-Identifier: Apache-2.0
// Strict text lines "name value\n", read in a fixed order with a sticky failure: the first wrong line is kept, later
// reads do nothing and return empty values. Every text that is accepted is the only spelling of what it says.
// Thread safety: one owner.   Depends on: base.
#pragma once
#include "service/base/buffer.h"
#include "service/base/crypto.h"
#include "service/base/problem.h"

#define GW_LINE_MAX 512u // bytes of one line, its \n included; the longest of ours has 140

typedef struct {
    gw_bytes rest;    // not yet read
    unsigned line;    // number of the line last read, from 1
    const char *name; // of the first wrong line
    const char *why;  // NULL while everything was right
} gw_lines;

void gw_lines_init(gw_lines *lines, gw_bytes text);
void gw_lines_fail(gw_lines *lines, const char *name, const char *why); // keeps the first

// The next line, exactly `text`.
void gw_lines_expect(gw_lines *lines, const char *text);
// Whether the next line begins with "name " (or is `name`), without reading it.
bool gw_lines_is_next(const gw_lines *lines, const char *name);
// The value of the next line, which must be "name value". Printable ASCII; empty after a failure.
gw_bytes gw_lines_value(gw_lines *lines, const char *name);
// The next line whole; may be empty.
gw_bytes gw_lines_next(gw_lines *lines, const char *name);
// `count` bytes that follow the lines; fails unless that many are left.
gw_bytes gw_lines_bytes(gw_lines *lines, const char *name, uint64_t count);
// Nothing may follow.
void gw_lines_end(gw_lines *lines);

// What a value says; `name` is the line's, for the failure.
void gw_lines_split(gw_lines *lines, const char *name, gw_bytes value, gw_bytes *ret_first, gw_bytes *ret_second);
uint64_t gw_lines_number(gw_lines *lines, const char *name, gw_bytes value, uint64_t max); // plain decimal
void gw_lines_hex(gw_lines *lines, const char *name, gw_bytes value, uint8_t *ret, size_t size);
void gw_lines_hex_text(gw_lines *lines, const char *name, gw_bytes value, char *ret,
                       size_t digits); // kept as text, with NUL
void gw_lines_word(gw_lines *lines, const char *name, gw_bytes value, char *ret,
                   size_t size); // no space; fits with NUL
gw_hash gw_lines_base64_hash(gw_lines *lines, const char *name, gw_bytes value);

// GW_OK, or the first failure told as a problem of `code`: line number, name of the line, what is expected. No values.
GW_MUST_CHECK gw_status gw_lines_check(const gw_lines *lines, const char *code, const char *what,
                                       gw_problem *ret_problem);
