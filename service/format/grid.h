// SPDX-License-Identifier: Apache-2.0
// Rows and columns of short texts, laid out within a width or in Markdown; the same rows for programs.
// No line is wider than asked: bars shrink, long cells wrap, labels before figures; where words would have to be
// broken, each row is a block of lines instead. Thread safety: one owner.   Depends on: format/text.h, base.
#pragma once
#include "service/base/buffer.h"

typedef enum {
    GW_ALIGN_LEFT,
    GW_ALIGN_RIGHT,
    GW_ALIGN_BAR, // bars of one sign: shortened before anything wraps, all of them alike, or left out
} gw_align;
typedef struct {
    const char *name;   // for programs: "cost"
    const char *header; // for people: "COST"
    gw_align align;
    bool is_label; // wraps first when the table is too wide
} gw_grid_column;

typedef struct gw_grid gw_grid;
gw_grid *gw_grid_new(const gw_grid_column *columns, size_t count); // copies; NULL without memory
void gw_grid_free(gw_grid *grid);                                  // accepts NULL
// Adds a row of as many cells as columns; NULL is an empty cell (JSON null). A failure sticks: the writers then put the
// status into their buffer, so that no shortened table passes for a whole one.
void gw_grid_add(gw_grid *grid, const char *const *cells);
size_t gw_grid_rows(const gw_grid *grid);

void gw_grid_text(const gw_grid *grid, unsigned width, gw_buffer *buffer);
void gw_grid_csv(const gw_grid *grid, gw_buffer *buffer);
void gw_grid_json(const gw_grid *grid, gw_buffer *buffer);   // an array of objects of strings, one line
void gw_grid_ndjson(const gw_grid *grid, gw_buffer *buffer); // an object of strings per line
void gw_grid_md(const gw_grid *grid, gw_buffer *buffer);     // headers, or names where there are none
