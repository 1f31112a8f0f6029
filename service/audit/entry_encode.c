// SPDX-License-Identifier: Apache-2.0
// Entries written as the grammar says: each value has one text.
#include "service/audit/entry_inner.h"
#include "service/base/check.h"
#include <string.h>

#define U64_TEXT 21 // digits of 2^64 - 1, and NUL

static void append_u64(gw_buffer *buffer, uint64_t value) {
    char text[U64_TEXT];
    size_t start = sizeof(text);
    do {
        text[--start] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    gw_buffer_append(buffer, text + start, sizeof(text) - start);
}

static void append_hash(gw_buffer *buffer, const gw_hash *hash) {
    char text[GW_HASH_HEX];
    gw_hex((gw_bytes){.data = hash->bytes, .size = sizeof(hash->bytes)}, text);
    gw_buffer_append(buffer, text, sizeof(text) - 1);
}

static void append_value(gw_buffer *buffer, const gw_entry *entry, const gw_entry_line *line) {
    const void *field = (const char *)entry + line->offset;
    char roles[80];
    switch (line->type) {
    case GW_ENTRY_VALUE_NAME:
    case GW_ENTRY_VALUE_LINE:
    case GW_ENTRY_VALUE_COUNTS:
    case GW_ENTRY_VALUE_WORD:
    case GW_ENTRY_VALUE_ID:
    case GW_ENTRY_VALUE_HEX:
        gw_buffer_append(buffer, field, strnlen(field, line->size));
        return;
    case GW_ENTRY_VALUE_HASH:
        append_hash(buffer, field);
        return;
    case GW_ENTRY_VALUE_SEQ:
        if (*(const uint64_t *)field == GW_NO_SEQ) {
            gw_buffer_text(buffer, "none");
            return;
        }
        append_u64(buffer, *(const uint64_t *)field);
        return;
    case GW_ENTRY_VALUE_U64:
        append_u64(buffer, *(const uint64_t *)field);
        return;
    case GW_ENTRY_VALUE_TIME:
        append_u64(buffer, (uint64_t) * (const int64_t *)field); // a negative time fails to decode
        return;
    case GW_ENTRY_VALUE_ROLES:
        gw_roles_format(*(const unsigned *)field, roles);
        gw_buffer_text(buffer, roles);
        return;
    case GW_ENTRY_VALUE_ACCOUNTING:
        gw_buffer_text(buffer, *(const uint64_t *)field == 0 ? "pure" : "zcdp");
        return;
    }
}

void gw_entry_encode(const gw_entry *entry, gw_buffer *buffer) {
    GW_ASSERT((size_t)entry->kind < GW_ENTRY_KINDS);
    const gw_entry_grammar *kind = &gw_entry_grammars[entry->kind];
    gw_buffer_text(buffer, GW_ENTRY_HEAD);
    gw_buffer_text(buffer, kind->name);
    gw_buffer_text(buffer, "\nseq ");
    append_u64(buffer, entry->seq);
    gw_buffer_text(buffer, "\ntime ");
    append_u64(buffer, (uint64_t)entry->time);
    gw_buffer_text(buffer, "\n");
    for (size_t i = 0; i < kind->line_count; i++) {
        if (!gw_entry_line_stands(entry, &kind->lines[i]))
            continue;
        gw_buffer_text(buffer, kind->lines[i].name);
        gw_buffer_text(buffer, " ");
        append_value(buffer, entry, &kind->lines[i]);
        gw_buffer_text(buffer, "\n");
    }
    for (size_t i = 0; kind->has_signers && i < entry->by.count && i < GW_SIGNERS_MAX; i++) {
        gw_buffer_text(buffer, "by ");
        gw_buffer_append(buffer, entry->by.ids[i], strnlen(entry->by.ids[i], GW_ID_HEX));
        gw_buffer_text(buffer, "\n");
    }
}
