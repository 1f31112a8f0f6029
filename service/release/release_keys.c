// SPDX-License-Identifier: Apache-2.0
// Encodes unknown keys. A key is somebody's text, and is escaped; its figures are whole numbers.
#include "service/release/release_inner.h"

#include "service/format/cell_figures.h"
#include "service/wire/json.h"

#define COUNT_DIGITS_MAX 20u // of 64 bits

static void encode_selection(const gw_release_shape *shape, gw_buffer *out) {
    char delta[GW_DELTA_TEXT];
    gw_delta_format(shape->delta, delta);
    gw_json_write_name(out, "selection");
    gw_buffer_text(out, "{");
    gw_json_write_epsilon(out, "epsilon", shape->noise.epsilon);
    gw_json_write_member(out, "delta", delta);
    gw_buffer_text(out, "}");
}

static void encode_key(const gw_keys_figures *figures, const char *text, uint64_t value, gw_buffer *out) {
    gw_cell_figures cell;
    gw_figures_of_key(figures, value, GW_LEVEL_95, &cell);
    gw_buffer_text(out, "{\"key\":[");
    gw_json_write_string(out, text);
    gw_buffer_format(out,
                     "],\"parts\":[\"%s\"],\"estimate\":\"%s\",\"lower\":\"%s\",\"upper\":\"%s\",\"se\":\"%s\","
                     "\"flag\":\"%s\"}",
                     cell.estimate, cell.estimate, cell.lower, cell.upper, cell.se, cell.is_uncertain ? "u" : "");
}

// A key of the greatest length with a sign to escape in every byte, and six numbers of the most digits.
static size_t cells_bytes_max(const gw_release_shape *shape, size_t key_count) {
    return key_count * (GW_RELEASE_CELL_BYTES + 2 * shape->key_bytes_max + 2 + 6 * COUNT_DIGITS_MAX);
}

size_t gw_release_keys_bytes_max(const gw_release_shape *shape, size_t key_count) {
    return GW_RELEASE_HEAD_BYTES_MAX + cells_bytes_max(shape, key_count);
}

gw_status gw_release_encode_keys(const gw_release_shape *shape, const gw_keys_figures *figures,
                                 const gw_released_keys *keys, gw_hash salt, gw_buffer *ret_answer) {
    size_t count = gw_released_keys_count(keys);
    gw_release_write_head(shape, salt, ret_answer);
    encode_selection(shape, ret_answer);
    size_t start = ret_answer->size;
    gw_json_write_name(ret_answer, "cells");
    gw_buffer_text(ret_answer, "[");
    for (size_t i = 0; i < count; i++) {
        gw_buffer_text(ret_answer, i ? "," : "");
        encode_key(figures, gw_released_keys_text(keys, i), gw_released_keys_value(keys, i), ret_answer);
    }
    gw_buffer_text(ret_answer, "]}");
    gw_release_pad(ret_answer, start + cells_bytes_max(shape, count) + 16);
    return ret_answer->status;
}
