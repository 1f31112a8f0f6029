// SPDX-License-Identifier: Apache-2.0
// A quote is doubled, as the standard has it; nothing else has a meaning between quotes.
#include "service/engine/sql_text.h"

static void quoted(gw_buffer *sql, const char *text, char quote) {
    gw_buffer_append(sql, &quote, 1);
    for (const char *c = text; *c != '\0'; c++) {
        gw_buffer_append(sql, c, 1);
        if (*c == quote)
            gw_buffer_append(sql, c, 1);
    }
    gw_buffer_append(sql, &quote, 1);
}

void gw_engine_identifier(gw_buffer *sql, const char *name) {
    quoted(sql, name, '"');
}

void gw_engine_literal(gw_buffer *sql, const char *text) {
    quoted(sql, text, '\'');
}
