// SPDX-License-Identifier: Apache-2.0
// An entry's own text is lines of "name value" in a fixed order: rows are made of those, so that no line of a kind can
// be forgotten here. The table says under which column a line stands and what its value is.
#include "client/cli/entry_rows.h"
#include "client/cli/entry_words.h"
#include "privacy/accounting/delta.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/csv.h"
#include "service/wire/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 1024u
#define COLUMNS_MAX 80u

typedef enum { AS_TEXT, AS_NUMBER, AS_AMOUNT, AS_DELTA, AS_TIME } column_type;
typedef struct {
    const char *column;
    const char *kind; // NULL: a line of that name of any kind without a row of its own
    const char *line;
    column_type type;
} column_rule;

static const column_rule columns[] = {
    {"seq", NULL, "seq", AS_NUMBER},
    {"time", NULL, "time", AS_TIME},
    {"kind", NULL, "kind", AS_TEXT},
    {"dataset", NULL, "dataset", AS_TEXT},
    {"population", NULL, "population", AS_TEXT},
    {"principal", NULL, "principal", AS_TEXT},
    {"by", NULL, "by", AS_TEXT},
    {"release", NULL, "release", AS_TEXT},
    {"charge", NULL, "charge", AS_NUMBER},
    {"cost", NULL, "cost", AS_AMOUNT},
    {"cost_delta", "charge", "delta", AS_DELTA},
    {"rho", NULL, "rho", AS_NUMBER},
    {"spent_dataset", NULL, "spent-dataset", AS_AMOUNT},
    {"spent_population", NULL, "spent-population", AS_AMOUNT},
    {"spent_principal", NULL, "spent-principal", AS_AMOUNT},
    {"spent_window", NULL, "spent-window", AS_AMOUNT},
    {"spent_rho_dataset", NULL, "spent-rho-dataset", AS_NUMBER},
    {"spent_rho_population", NULL, "spent-rho-population", AS_NUMBER},
    {"spent_delta_dataset", NULL, "spent-delta-dataset", AS_DELTA},
    {"spent_delta_population", NULL, "spent-delta-population", AS_DELTA},
    {"window", NULL, "window", AS_NUMBER},
    {"policy", NULL, "policy", AS_NUMBER},
    {"data", NULL, "data", AS_TEXT},
    {"request", NULL, "request", AS_TEXT},
    {"question", NULL, "question", AS_TEXT},
    {"idem", NULL, "idem", AS_TEXT},
    {"answer", NULL, "answer", AS_TEXT},
    {"visible", NULL, "visible", AS_TIME},
    {"why", NULL, "why", AS_TEXT},
    {"action", NULL, "action", AS_TEXT},
    {"roles", NULL, "roles", AS_TEXT},
    {"key_kind", "key", "kind", AS_TEXT},
    {"key", NULL, "key", AS_TEXT},
    {"not_before", NULL, "not-before", AS_TIME},
    {"not_after", NULL, "not-after", AS_TIME},
    {"policy_version", "policy", "version", AS_NUMBER},
    {"file", NULL, "file", AS_TEXT},
    {"accounting", NULL, "accounting", AS_TEXT},
    {"total", NULL, "total", AS_AMOUNT},
    {"principal_total", NULL, "principal-total", AS_AMOUNT},
    {"window_days", NULL, "window-days", AS_NUMBER},
    {"window_total", NULL, "window-total", AS_AMOUNT},
    {"question_min", NULL, "question-min", AS_AMOUNT},
    {"question_max", NULL, "question-max", AS_AMOUNT},
    {"delta", NULL, "delta", AS_DELTA},
    {"selection_delta", NULL, "selection-delta", AS_DELTA},
    {"supersedes", NULL, "supersedes", AS_TEXT},
    {"data_version", "data", "version", AS_TEXT},
    {"seal", NULL, "seal", AS_TEXT},
    {"from", "refusals", "from", AS_TIME},
    {"to", NULL, "to", AS_TIME},
    {"counts", NULL, "counts", AS_TEXT},
    {"code", NULL, "code", AS_TEXT},
    {"until", NULL, "until", AS_TIME},
    {"recovered", "restore", "from", AS_NUMBER},
    {"lost", NULL, "lost", AS_NUMBER},
    {"origin", NULL, "origin", AS_TEXT},
    {"log_key", NULL, "log-key", AS_TEXT},
    {"witnesses", NULL, "witnesses", AS_TEXT},
    {"old_key", NULL, "old", AS_TEXT},
    {"new_key", NULL, "new", AS_TEXT},
    {"sure", NULL, "sure", AS_TIME},
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))
_Static_assert(COLUMN_COUNT <= COLUMNS_MAX, "a row has room for every column");

typedef struct {
    char values[COLUMN_COUNT][VALUE_MAX];
    bool has[COLUMN_COUNT];
} entry_row;

static size_t column_of(const char *kind, const char *line, size_t line_size) {
    size_t any = COLUMN_COUNT;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (strlen(columns[i].line) != line_size || memcmp(columns[i].line, line, line_size) != 0)
            continue;
        if (columns[i].kind == NULL)
            any = i;
        else if (strcmp(columns[i].kind, kind) == 0)
            return i;
    }
    return any;
}

static void value_write(column_type type, const char *value, size_t size, char ret[VALUE_MAX]) {
    char text[VALUE_MAX];
    gw_ignore(snprintf(text, sizeof(text), "%.*s", (int)size, value)); // no line of an entry is longer
    if (type == AS_TEXT || type == AS_NUMBER)
        memcpy(ret, text, strlen(text) + 1);
    else if (type == AS_AMOUNT)
        gw_micro_format(strtoull(text, NULL, 10), ret);
    else if (type == AS_DELTA)
        gw_delta_format((gw_delta){strtoull(text, NULL, 10)}, ret);
    else
        gw_stamp_format((int64_t)strtoll(text, NULL, 10), ret);
}

static void value_add(entry_row *row, size_t column, const char *value, size_t size) {
    size_t used = row->has[column] ? strlen(row->values[column]) : 0;
    if (used > 0 && used + 1 + size < VALUE_MAX) { // a second signer
        row->values[column][used] = ' ';
        memcpy(row->values[column] + used + 1, value, size);
        row->values[column][used + 1 + size] = '\0';
    } else {
        value_write(columns[column].type, value, size, row->values[column]);
    }
    row->has[column] = true;
}

static void row_fill(const gw_entry *entry, entry_row *row) {
    memset(row->has, 0, sizeof(row->has)); // what was never set is never read
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, GW_ENTRY_BYTES_MAX);
    gw_entry_encode(entry, &text);
    const char *kind = gw_entry_kind_name(entry->kind);
    size_t kind_column = column_of("", "kind", 4);
    value_add(row, kind_column, kind, strlen(kind));
    const char *line = strchr(gw_buffer_string(&text), '\n'); // behind "godwit/v1 kind"
    while (line != NULL && line[1] != '\0') {
        line++;
        const char *end = strchr(line, '\n'), *space = strchr(line, ' ');
        GW_ASSERT(end != NULL && space != NULL && space < end); // each line is a name and its value
        size_t column = column_of(kind, line, (size_t)(space - line));
        GW_ASSERT(column < COLUMN_COUNT); // a test encodes every kind
        value_add(row, column, space + 1, (size_t)(end - space - 1));
        line = end;
    }
}

void gw_entry_columns(gw_buffer *csv) {
    const char *names[COLUMN_COUNT];
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        names[i] = columns[i].column;
    gw_csv_row(csv, names, COLUMN_COUNT);
}

void gw_entry_row(const gw_entry *entry, gw_buffer *csv) {
    const char *cells[COLUMN_COUNT];
    entry_row row;
    row_fill(entry, &row);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (row.has[i] && strchr("=+-@", row.values[i][0]) != NULL && row.values[i][0] != '\0') {
            memmove(row.values[i] + 1, row.values[i], strlen(row.values[i]) + 1);
            row.values[i][0] = '\'';
        }
        cells[i] = row.has[i] ? row.values[i] : NULL;
    }
    gw_csv_row(csv, cells, COLUMN_COUNT);
}

void gw_entry_object(const gw_entry *entry, gw_buffer *json) {
    entry_row row;
    row_fill(entry, &row);
    gw_buffer_text(json, "{");
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (!row.has[i])
            continue;
        if (columns[i].type == AS_NUMBER && strlen(row.values[i]) <= 15) { // what every reader of JSON keeps exact
            gw_json_write_name(json, columns[i].column);
            gw_buffer_text(json, row.values[i]);
        } else { // a time that is not set is null
            gw_json_write_member(json, columns[i].column, row.values[i][0] == '\0' ? NULL : row.values[i]);
        }
    }
    gw_buffer_text(json, "}");
}
