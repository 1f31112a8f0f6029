// SPDX-License-Identifier: Apache-2.0
// Layout of a grid. Columns start at their natural width; while the line is too long the widest label column gives a
// column, down to its longest word; then the other columns; then words are broken where they have parts (before '/',
// after
// '_'). Where not even that is enough, each row becomes a block of lines, a column of the grid each.
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

// The widest piece between characters of `breaks`: a '/' begins a part of a word, a '_' ends one.
static unsigned longest_piece(const char *text, const char *breaks) {
    unsigned longest = 0;
    while (*text != '\0') {
        size_t size = text[0] == '/' ? 1 + strcspn(text + 1, breaks) : strcspn(text, breaks);
        size += text[size] == '_';
        unsigned width = gw_text_width(text, size);
        longest = width > longest ? width : longest;
        text += size;
        text += strspn(text, " \n");
    }
    return longest;
}

typedef struct {
    unsigned natural[GRID_COLUMNS_MAX], words[GRID_COLUMNS_MAX], parts[GRID_COLUMNS_MAX];
} grid_sizes;

static void raise_to(unsigned *size, unsigned value) {
    *size = value > *size ? value : *size;
}

static void sizes_raise(const char *text, size_t column, grid_sizes *sizes) {
    if (text == NULL)
        return;
    raise_to(&sizes->natural[column], gw_text_width(text, strlen(text)));
    raise_to(&sizes->words[column], longest_piece(text, " \n"));
    raise_to(&sizes->parts[column], longest_piece(text, " \n/_"));
}

static void sizes_measure(const gw_grid *grid, grid_sizes *sizes) {
    for (size_t column = 0; column < grid->column_count; column++) {
        sizes->natural[column] = sizes->words[column] = sizes->parts[column] = 1;
        sizes_raise(grid->columns[column].header, column, sizes);
        for (size_t row = 0; row < grid->row_count; row++)
            sizes_raise(grid->rows[row][column], column, sizes);
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

#define BAR_LEAST 8u // shorter ones tell nothing

// Bars give way first: shorter, or none at all.
static void bars_shrink(const gw_grid *grid, unsigned width, unsigned widths[], grid_sizes *sizes) {
    for (size_t column = 0; column < grid->column_count; column++) {
        if (grid->columns[column].align != GW_ALIGN_BAR)
            continue;
        while (line_width(grid, widths) > width && widths[column] > BAR_LEAST)
            widths[column]--;
        if (line_width(grid, widths) > width)
            widths[column] = 0;
        sizes->words[column] = sizes->parts[column] = widths[column];
    }
}

// How much of a bar stands in a column that is `width` wide where the longest is `longest`.
static size_t bar_bytes(const char *bar, unsigned longest, unsigned width) {
    size_t signs = 0, bytes = 0;
    for (const char *c = bar; *c != '\0'; c++)
        signs += ((unsigned char)*c & 0xC0) != 0x80;
    size_t kept = longest <= width ? signs : (signs * width + longest / 2) / longest;
    for (; bar[bytes] != '\0'; bytes++)
        if (((unsigned char)bar[bytes] & 0xC0) != 0x80 && kept-- == 0)
            break;
    return bytes;
}

static unsigned longest_cell(const gw_grid *grid, size_t column) {
    unsigned longest = 0;
    for (size_t row = 0; row < grid->row_count; row++)
        if (grid->rows[row][column] != NULL)
            raise_to(&longest, gw_text_width(grid->rows[row][column], strlen(grid->rows[row][column])));
    return longest;
}

// False where rows don't fit the width whatever is broken where it may be.
static bool sizes_fit(const gw_grid *grid, unsigned width, unsigned widths[]) {
    grid_sizes sizes = {0};
    sizes_measure(grid, &sizes);
    memcpy(widths, sizes.natural, sizeof(sizes.natural));
    bars_shrink(grid, width, widths, &sizes);
    const struct {
        bool labels_only;
        const unsigned *floors;
    } stages[] = {{true, sizes.words}, {false, sizes.words}, {true, sizes.parts}, {false, sizes.parts}};
    for (size_t stage = 0; stage < sizeof(stages) / sizeof(stages[0]); stage++)
        while (line_width(grid, widths) > width &&
               shrink_one(grid, stages[stage].labels_only, stages[stage].floors, widths))
            continue;
    return line_width(grid, widths) <= width;
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
            bool is_bar = grid->columns[column].align == GW_ALIGN_BAR;
            bool has_line = !is_bar && gw_text_line_next(&lines[column], widths[column]);
            size_t size = has_line ? lines[column].size : 0;
            if (is_bar && lines[column].rest != NULL) { // one line, whatever the width
                lines[column].line = lines[column].rest;
                size = bar_bytes(lines[column].line, longest_cell(grid, column), widths[column]);
                lines[column].rest = NULL;
                has_line = true;
            }
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

// A row as a block: header and cell on a line of their own, empty cells left out, an empty line between rows. A cell
// without a header belongs to the one above it.
static void blocks_text(const gw_grid *grid, unsigned width, gw_buffer *buffer) {
    unsigned left = 0;
    for (size_t column = 0; column < grid->column_count; column++)
        raise_to(&left, gw_text_width(grid->columns[column].header, strlen(grid->columns[column].header)));
    left = 1 + left + GAP;
    if (left > width / 2)
        left = width / 2;
    for (size_t row = 0; row < grid->row_count; row++) {
        gw_buffer_text(buffer, row == 0 ? "" : "\n");
        for (size_t column = 0; column < grid->column_count && buffer->status == GW_OK; column++) {
            const char *cell = grid->rows[row][column], *header = grid->columns[column].header;
            if (cell == NULL || cell[0] == '\0')
                continue;
            if (grid->columns[column].align == GW_ALIGN_BAR) {
                pad(buffer, left);
                gw_buffer_append(buffer, cell, bar_bytes(cell, longest_cell(grid, column), width - left));
                gw_buffer_text(buffer, "\n");
                continue;
            }
            unsigned used = 1 + gw_text_width(header, strlen(header));
            bool is_alone = used + GAP > left;
            gw_buffer_text(buffer, " ");
            if (is_alone)
                gw_text_wrap(buffer, header, width, 1, 1);
            else
                gw_buffer_text(buffer, header);
            pad(buffer, is_alone ? left : left - used);
            gw_text_wrap(buffer, cell, width, left, left);
        }
    }
}

void gw_grid_text(const gw_grid *grid, unsigned width, gw_buffer *buffer) {
    if (!grid_is_whole(grid, buffer))
        return;
    unsigned widths[GRID_COLUMNS_MAX];
    const char *headers[GRID_COLUMNS_MAX];
    if (!sizes_fit(grid, width, widths)) {
        blocks_text(grid, width, buffer);
        return;
    }
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
