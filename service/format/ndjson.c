// SPDX-License-Identifier: Apache-2.0
// One line, one cell: a file can be cut, joined and read as it comes.
#include "service/format/ndjson.h"
#include "service/format/fields.h"
#include "service/wire/json.h"

void gw_format_ndjson(const gw_answer *answer, const gw_asked *asked, gw_buffer *buffer) {
    gw_fields fields;
    gw_fields_init(&fields, answer, asked);
    for (size_t cell = 0; cell < answer->cell_count; cell++) {
        gw_fields_set_cell(&fields, &answer->cells[cell]);
        gw_buffer_text(buffer, "{");
        for (size_t k = 0; k < answer->by_count; k++)
            gw_json_write_member(buffer, fields.keys[k], answer->cells[cell].key[k]);
        for (size_t i = 0; i < fields.count; i++) {
            const gw_field *field = &fields.items[i];
            if (!field->is_truth) {
                gw_json_write_member(buffer, field->name, field->value);
                continue;
            }
            gw_json_write_name(buffer, field->name);
            gw_buffer_text(buffer, field->value);
        }
        gw_buffer_text(buffer, "}\n");
    }
    gw_fields_done(&fields);
}
