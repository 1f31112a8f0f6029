// SPDX-License-Identifier: Apache-2.0
// CSV lines. A field is quoted when it holds a comma, a quote, a line break, or a space at an end.
#include "service/format/csv.h"
#include "service/base/check.h"
#include <string.h>

#define TAIL_MAX 14u

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

void gw_csv_row(gw_buffer *buffer, const char *const *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            gw_buffer_text(buffer, ",");
        if (fields[i] != NULL)
            field_append(buffer, fields[i]);
    }
    gw_buffer_text(buffer, "\n");
}

static void row_append(gw_buffer *buffer, const char *const *keys, size_t key_count, const char *const *tail,
                       size_t tail_count) {
    const char *fields[GW_BY_MAX + TAIL_MAX];
    GW_ASSERT(key_count <= GW_BY_MAX && tail_count <= TAIL_MAX);
    for (size_t i = 0; i < key_count; i++)
        fields[i] = keys[i];
    for (size_t i = 0; i < tail_count; i++)
        fields[key_count + i] = tail[i];
    gw_csv_row(buffer, fields, key_count + tail_count);
}

void gw_format_csv(const gw_answer *answer, const gw_asked *asked, gw_buffer *buffer) {
    static const char *const names[TAIL_MAX] = {"estimate", "lower",     "upper",   "se",        "flag",
                                                "unit",     "statistic", "dataset", "indicator", "release",
                                                "of",       "where",     "epsilon", "notice"};
    size_t tail_count = answer->notice != NULL && answer->notice[0] != '\0' ? TAIL_MAX : TAIL_MAX - 1;
    char epsilon[GW_EPSILON_TEXT];
    gw_epsilon_format(answer->noise.epsilon, epsilon);
    row_append(buffer, answer->by, answer->by_count, names, tail_count);
    for (size_t i = 0; i < answer->cell_count; i++) {
        const gw_answer_cell *cell = &answer->cells[i];
        const char *tail[TAIL_MAX] = {cell->estimate,    cell->lower,     cell->upper,       cell->se,
                                      cell->flag,        answer->unit,    answer->statistic, answer->dataset,
                                      answer->indicator, answer->release, answer->of,        asked->where,
                                      epsilon,           answer->notice};
        row_append(buffer, cell->key, answer->by_count, tail, tail_count);
    }
}
