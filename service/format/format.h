// SPDX-License-Identifier: Apache-2.0
// The formats: one table, by which every door finds the writer of a format by its name ("json-stat") and a file its
// extension. Whatever is added here is known everywhere.
// Thread safety: pure.   Depends on: format/figures.h, format/grid.h.
#pragma once
#include "service/format/figures.h"

// An answer and all that a format may say of it. The bytes are those that were sealed and that the receipt is about.
typedef struct {
    const gw_answer *answer;
    gw_bytes bytes;
    const gw_asked *asked;
    const gw_labels *labels; // NULL: codes
    unsigned width;          // of a terminal's line
} gw_shown;

// What a command lays out for a format: words for people, rows for programs, or a reply's document as it came.
typedef enum { GW_LAYOUT_PEOPLE, GW_LAYOUT_ROWS, GW_LAYOUT_DOCUMENT } gw_layout;

typedef struct {
    const char *name, *extension;
    gw_layout layout;
    bool has_labels; // it says more with `labels` and the catalogue's half of `asked`
    void (*answer)(const gw_shown *shown, gw_buffer *buffer);
    void (*grid)(const gw_grid *grid, unsigned width,
                 gw_buffer *buffer); // NULL: it holds the figures of an answer only
} gw_format;

size_t gw_format_count(void);
const gw_format *gw_format_at(size_t index);
const gw_format *gw_format_find(const char *name); // NULL where there is none
