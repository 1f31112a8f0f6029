// SPDX-License-Identifier: Apache-2.0
// CSV lines. A field is quoted when it holds a comma, a quote, a line break, or a space at an end.
#include "service/format/csv.h"
#include "service/format/fields.h"
#include <string.h>

static bool field_needs_quotes(const char *field) {
    size_t size = strlen(field);
    return strpbrk(field, ",\"\r\n") != NULL || (size > 0 && (field[0] == ' ' || field[size - 1] == ' '));
}

static void field_append(gw_buffer *buffer, const char *field) {
    if (!field_needs_quotes(field)) {
        gw_buffer_text(buffer, field);
        return;
    }
    gw_buffer_text(buffer, "\"");
    for (const char *c = field; *c != '\0'; c++) {
        if (*c == '"')
            gw_buffer_text(buffer, "\"");
        gw_buffer_append(buffer, c, 1);
    }
    gw_buffer_text(buffer, "\"");
}

static void row_append(gw_buffer *buffer, const char *const *fields, size_t count, const char *end) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            gw_buffer_text(buffer, ",");
        if (fields[i] != NULL)
            field_append(buffer, fields[i]);
    }
    gw_buffer_text(buffer, end);
}

void gw_csv_row(gw_buffer *buffer, const char *const *fields, size_t count) {
    row_append(buffer, fields, count, "\n");
}

void gw_csv_row_crlf(gw_buffer *buffer, const char *const *fields, size_t count) {
    row_append(buffer, fields, count, "\r\n");
}

void gw_format_csv(const gw_answer *answer, const gw_asked *asked, gw_buffer *buffer) {
    gw_fields fields;
    const char *row[GW_BY_MAX + GW_FIELDS_MAX];
    gw_fields_init(&fields, answer, asked);
    size_t count = answer->by_count + fields.count;
    for (size_t k = 0; k < answer->by_count; k++)
        row[k] = fields.keys[k];
    for (size_t i = 0; i < fields.count; i++)
        row[answer->by_count + i] = fields.items[i].name;
    gw_csv_row(buffer, row, count);
    for (size_t cell = 0; cell < answer->cell_count; cell++) {
        gw_fields_set_cell(&fields, &answer->cells[cell]);
        for (size_t k = 0; k < answer->by_count; k++)
            row[k] = answer->cells[cell].key[k];
        for (size_t i = 0; i < fields.count; i++)
            row[answer->by_count + i] = fields.items[i].value;
        gw_csv_row(buffer, row, count);
    }
    gw_fields_done(&fields);
}
