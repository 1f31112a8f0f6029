// SPDX-License-Identifier: Apache-2.0
// The table of formats.
#include "service/format/format.h"
#include "service/base/check.h"
#include "service/format/csv.h"
#include "service/format/json_stat.h"
#include "service/format/md.h"
#include "service/format/ndjson.h"
#include "service/format/sdmx_csv.h"
#include "service/format/table.h"
#include <string.h>

// Tables that nobody asked for are the document's: they stand last, and are left out elsewhere.
static gw_answer asked_only(const gw_answer *answer) {
    gw_answer asked = *answer;
    while (asked.block_count > 0 && !asked.blocks[asked.block_count - 1].is_asked)
        asked.cell_count -= asked.blocks[--asked.block_count].cell_count;
    return asked;
}

static void answer_table(const gw_shown *shown, gw_buffer *buffer) {
    const gw_answer answer = asked_only(shown->answer);
    gw_format_table(&answer, shown->asked, shown->labels, shown->width, buffer);
}

static void answer_csv(const gw_shown *shown, gw_buffer *buffer) {
    const gw_answer answer = asked_only(shown->answer);
    gw_format_csv(&answer, shown->asked, buffer);
}

// The service pads replies, so that their length tells nothing; the padding is no part of the document.
static void answer_json(const gw_shown *shown, gw_buffer *buffer) {
    size_t size = shown->bytes.size;
    while (size > 0 && (shown->bytes.data[size - 1] == ' ' || shown->bytes.data[size - 1] == '\n'))
        size--;
    gw_buffer_append(buffer, shown->bytes.data, size);
    gw_buffer_text(buffer, "\n");
}

static void answer_ndjson(const gw_shown *shown, gw_buffer *buffer) {
    const gw_answer answer = asked_only(shown->answer);
    gw_format_ndjson(&answer, shown->asked, buffer);
}

static void answer_json_stat(const gw_shown *shown, gw_buffer *buffer) {
    const gw_answer answer = asked_only(shown->answer);
    gw_format_json_stat(&answer, shown->asked, shown->labels, buffer);
}

static void answer_sdmx_csv(const gw_shown *shown, gw_buffer *buffer) {
    const gw_answer answer = asked_only(shown->answer);
    gw_format_sdmx_csv(&answer, shown->asked, buffer);
}

static void answer_md(const gw_shown *shown, gw_buffer *buffer) {
    const gw_answer answer = asked_only(shown->answer);
    gw_format_md(&answer, shown->asked, shown->labels, buffer);
}

static void grid_csv(const gw_grid *grid, unsigned width, gw_buffer *buffer) {
    (void)width;
    gw_grid_csv(grid, buffer);
}

static void grid_json(const gw_grid *grid, unsigned width, gw_buffer *buffer) {
    (void)width;
    gw_grid_json(grid, buffer);
}

static void grid_ndjson(const gw_grid *grid, unsigned width, gw_buffer *buffer) {
    (void)width;
    gw_grid_ndjson(grid, buffer);
}

static void grid_md(const gw_grid *grid, unsigned width, gw_buffer *buffer) {
    (void)width;
    gw_grid_md(grid, buffer);
}

static const gw_format formats[] = {
    {"table", ".txt", GW_LAYOUT_PEOPLE, true, answer_table, gw_grid_text},
    {"csv", ".csv", GW_LAYOUT_ROWS, false, answer_csv, grid_csv},
    {"json", ".json", GW_LAYOUT_DOCUMENT, false, answer_json, grid_json},
    {"ndjson", ".ndjson", GW_LAYOUT_ROWS, false, answer_ndjson, grid_ndjson},
    {"json-stat", ".json-stat.json", GW_LAYOUT_ROWS, true, answer_json_stat, NULL},
    {"sdmx-csv", ".sdmx.csv", GW_LAYOUT_ROWS, true, answer_sdmx_csv, NULL},
    {"md", ".md", GW_LAYOUT_ROWS, true, answer_md, grid_md},
};

size_t gw_format_count(void) {
    return sizeof(formats) / sizeof(formats[0]);
}

const gw_format *gw_format_at(size_t index) {
    GW_ASSERT(index < gw_format_count());
    return &formats[index];
}

const gw_format *gw_format_find(const char *name) {
    for (size_t i = 0; i < gw_format_count(); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
