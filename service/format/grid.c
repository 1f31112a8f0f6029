// SPDX-License-Identifier: Apache-2.0
// Layout of a grid. Columns start at their natural width; while the line is too long the widest label column gives a
// column, down to its longest word; then the other columns; and only then words are broken.
#include "service/format/grid.h"
#include "service/base/arena.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/csv.h"
#include "service/format/text.h"
#include "service/wire/json.h"
#include <string.h>

#define GRID_COLUMNS_MAX 16u
#define GRID_BYTES_MAX 67108864u // an answer of 10^5 cells has about 10 MB of text
#define COLUMN_WIDTH_MIN 4u
#define GAP 2u

struct gw_grid {
    gw_arena *arena;
    gw_grid_column columns[GRID_COLUMNS_MAX];
    size_t column_count;
    const char ***rows;
    size_t row_count, row_capacity;
    gw_status status;
};

static const char *copy(gw_grid *grid, const char *text) {
    const char *copied = text == NULL ? NULL : gw_arena_string(grid->arena, text);
    if (text != NULL && copied == NULL)
        grid->status = GW_LIMIT;
    return copied;
}

gw_grid *gw_grid_new(const gw_grid_column *columns, size_t count) {
    GW_ASSERT(count > 0 && count <= GRID_COLUMNS_MAX);
    gw_grid *grid = calloc(1, sizeof(*grid));
    if (grid == NULL || (grid->arena = gw_arena_new(GRID_BYTES_MAX)) == NULL) {
        free(grid);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        grid->columns[i] = columns[i];
        grid->columns[i].name = copy(grid, columns[i].name);
        grid->columns[i].header = copy(grid, columns[i].header);
    }
    grid->column_count = count;
    return grid;
}

void gw_grid_free(gw_grid *grid) {
    if (grid == NULL)
        return;
    gw_arena_free(grid->arena);
    free(grid->rows);
    free(grid);
}

static bool rows_grow(gw_grid *grid) {
    if (grid->row_count < grid->row_capacity)
        return true;
    size_t capacity = grid->row_capacity == 0 ? 32 : grid->row_capacity * 2;
    const char ***rows = reallocarray(grid->rows, capacity, sizeof(*rows));
    if (rows == NULL)
        return false;
    grid->rows = rows;
    grid->row_capacity = capacity;
    return true;
}

void gw_grid_add(gw_grid *grid, const char *const *cells) {
    const char **row = gw_arena_array(grid->arena, grid->column_count, sizeof(*row));
    if (row == NULL || !rows_grow(grid)) {
        grid->status = GW_LIMIT;
        return;
    }
    for (size_t i = 0; i < grid->column_count; i++)
        row[i] = copy(grid, cells[i]);
    grid->rows[grid->row_count++] = row;
}

size_t gw_grid_rows(const gw_grid *grid) {
    return grid->row_count;
}

static unsigned longest_word(const char *text) {
    unsigned longest = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " \n");
        unsigned width = gw_text_width(text, size);
        longest = width > longest ? width : longest;
        text += size;
        text += strspn(text, " \n");
    }
    return longest;
}

static void sizes_raise(const char *text, unsigned *width, unsigned *word) {
    if (text == NULL)
        return;
    unsigned text_width = gw_text_width(text, strlen(text));
    unsigned text_word = longest_word(text);
    *width = text_width > *width ? text_width : *width;
    *word = text_word > *word ? text_word : *word;
}

static void sizes_natural(const gw_grid *grid, unsigned widths[], unsigned words[]) {
    for (size_t column = 0; column < grid->column_count; column++) {
        widths[column] = words[column] = 1;
        sizes_raise(grid->columns[column].header, &widths[column], &words[column]);
        for (size_t row = 0; row < grid->row_count; row++)
            sizes_raise(grid->rows[row][column], &widths[column], &words[column]);
    }
}

static unsigned line_width(const gw_grid *grid, const unsigned widths[]) {
    unsigned total = 1;
    for (size_t column = 0; column < grid->column_count; column++)
        total += widths[column] + (column == 0 ? 0 : GAP);
    return total;
}

// Takes one column of width from the widest column allowed to give; false when none can.
static bool shrink_one(const gw_grid *grid, bool labels_only, const unsigned floors[], unsigned widths[]) {
    size_t widest = SIZE_MAX;
    for (size_t column = 0; column < grid->column_count; column++) {
        if ((labels_only && !grid->columns[column].is_label) || widths[column] <= floors[column])
            continue;
        if (widest == SIZE_MAX || widths[column] > widths[widest])
            widest = column;
    }
    if (widest == SIZE_MAX)
        return false;
    widths[widest]--;
    return true;
}

static void sizes_fit(const gw_grid *grid, unsigned width, unsigned widths[]) {
    unsigned words[GRID_COLUMNS_MAX], least[GRID_COLUMNS_MAX];
    sizes_natural(grid, widths, words);
    for (size_t column = 0; column < grid->column_count; column++)
        least[column] = words[column] < COLUMN_WIDTH_MIN ? words[column] : COLUMN_WIDTH_MIN;
    const struct {
        bool labels_only;
        const unsigned *floors;
    } stages[] = {{true, words}, {false, words}, {true, least}, {false, least}};
    for (size_t stage = 0; stage < sizeof(stages) / sizeof(stages[0]); stage++)
        while (line_width(grid, widths) > width &&
               shrink_one(grid, stages[stage].labels_only, stages[stage].floors, widths))
            continue;
}

static void pad(gw_buffer *buffer, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        gw_buffer_append(buffer, " ", 1);
}

static void strip_line(gw_buffer *buffer, size_t start) {
    while (buffer->size > start && buffer->data[buffer->size - 1] == ' ')
        buffer->data[--buffer->size] = '\0';
}

// One row: as many lines as its highest cell has.
static void row_text(const gw_grid *grid, const char *const *cells, const unsigned widths[], gw_buffer *buffer) {
    gw_text_lines lines[GRID_COLUMNS_MAX];
    for (size_t column = 0; column < grid->column_count; column++)
        lines[column] = (gw_text_lines){.rest = cells[column] == NULL ? "" : cells[column]};
    for (bool is_more = true; is_more && buffer->status == GW_OK;) {
        size_t start = buffer->size;
        is_more = false;
        gw_buffer_append(buffer, " ", 1);
        for (size_t column = 0; column < grid->column_count; column++) {
            bool has_line = gw_text_line_next(&lines[column], widths[column]);
            size_t size = has_line ? lines[column].size : 0;
            unsigned used = has_line ? gw_text_width(lines[column].line, size) : 0;
            unsigned rest = widths[column] > used ? widths[column] - used : 0;
            bool is_right = grid->columns[column].align == GW_ALIGN_RIGHT;
            pad(buffer, (column == 0 ? 0 : GAP) + (is_right ? rest : 0));
            if (size > 0)
                gw_buffer_append(buffer, lines[column].line, size);
            pad(buffer, is_right ? 0 : rest);
            is_more |= lines[column].rest != NULL;
        }
        strip_line(buffer, start);
        gw_buffer_append(buffer, "\n", 1);
    }
}

static bool grid_is_whole(const gw_grid *grid, gw_buffer *buffer) {
    if (grid->status != GW_OK && buffer->status == GW_OK)
        buffer->status = grid->status;
    return grid->status == GW_OK;
}

void gw_grid_text(const gw_grid *grid, unsigned width, gw_buffer *buffer) {
    if (!grid_is_whole(grid, buffer))
        return;
    unsigned widths[GRID_COLUMNS_MAX];
    const char *headers[GRID_COLUMNS_MAX];
    sizes_fit(grid, width, widths);
    for (size_t column = 0; column < grid->column_count; column++)
        headers[column] = grid->columns[column].header;
    row_text(grid, headers, widths, buffer);
    for (size_t row = 0; row < grid->row_count; row++)
        row_text(grid, grid->rows[row], widths, buffer);
}

void gw_grid_csv(const gw_grid *grid, gw_buffer *buffer) {
    if (!grid_is_whole(grid, buffer))
        return;
    const char *names[GRID_COLUMNS_MAX];
    for (size_t column = 0; column < grid->column_count; column++)
        names[column] = grid->columns[column].name;
    gw_csv_row(buffer, names, grid->column_count);
    for (size_t row = 0; row < grid->row_count; row++)
        gw_csv_row(buffer, grid->rows[row], grid->column_count);
}

static void row_object(const gw_grid *grid, const char *const *cells, gw_buffer *buffer) {
    gw_buffer_text(buffer, "{");
    for (size_t column = 0; column < grid->column_count; column++)
        gw_json_write_member(buffer, grid->columns[column].name, cells[column]);
    gw_buffer_text(buffer, "}");
}

void gw_grid_json(const gw_grid *grid, gw_buffer *buffer) {
    if (!grid_is_whole(grid, buffer))
        return;
    gw_buffer_text(buffer, "[");
    for (size_t row = 0; row < grid->row_count; row++) {
        gw_buffer_text(buffer, row == 0 ? "" : ",");
        row_object(grid, grid->rows[row], buffer);
    }
    gw_buffer_text(buffer, "]\n");
}

void gw_grid_ndjson(const gw_grid *grid, gw_buffer *buffer) {
    if (!grid_is_whole(grid, buffer))
        return;
    for (size_t row = 0; row < grid->row_count; row++) {
        row_object(grid, grid->rows[row], buffer);
        gw_buffer_text(buffer, "\n");
    }
}

static void row_md(const gw_grid *grid, const char *const *cells, gw_buffer *buffer) {
    for (size_t column = 0; column < grid->column_count; column++) {
        gw_buffer_text(buffer, column == 0 ? "| " : " | ");
        gw_text_md(buffer, cells[column] == NULL ? "" : cells[column]);
    }
    gw_buffer_text(buffer, " |\n");
}

void gw_grid_md(const gw_grid *grid, gw_buffer *buffer) {
    if (!grid_is_whole(grid, buffer))
        return;
    const char *headers[GRID_COLUMNS_MAX];
    for (size_t column = 0; column < grid->column_count; column++) {
        const char *header = grid->columns[column].header;
        headers[column] = header == NULL || header[0] == '\0' ? grid->columns[column].name : header;
    }
    row_md(grid, headers, buffer);
    for (size_t column = 0; column < grid->column_count; column++) {
        gw_buffer_text(buffer, column == 0 ? "| " : " | ");
        gw_buffer_text(buffer, grid->columns[column].align == GW_ALIGN_RIGHT ? "---:" : "---");
    }
    gw_buffer_text(buffer, " |\n");
    for (size_t row = 0; row < grid->row_count; row++)
        row_md(grid, grid->rows[row], buffer);
}
