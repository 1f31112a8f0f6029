// SPDX-License-Identifier: Apache-2.0
// Keys in the order in which they come: which slot a key is in means nothing to the mechanism.
#include "service/engine/duckdb_keys.h"
#include <string.h>

static bool key_copy(duckdb_string_t *text, int64_t count, gw_exact_keys *keys, size_t slot) {
    size_t size = duckdb_string_t_length(*text);
    const char *data = duckdb_string_t_data(text);
    if (slot >= keys->slot_count || size == 0 || size >= keys->text_size || memchr(data, '\0', size) != NULL ||
        count < 1)
        return false;
    memcpy(gw_exact_keys_text(keys, slot), data, size);
    keys->counts[slot] = (uint64_t)count;
    return true;
}

static bool chunk_copy(duckdb_data_chunk chunk, gw_exact_keys *keys, size_t *slot) {
    duckdb_vector texts = duckdb_data_chunk_get_vector(chunk, 0), counts = duckdb_data_chunk_get_vector(chunk, 1);
    uint64_t *has_text = duckdb_vector_get_validity(texts), *has_count = duckdb_vector_get_validity(counts);
    duckdb_string_t *text = duckdb_vector_get_data(texts);
    const int64_t *count = duckdb_vector_get_data(counts);
    for (size_t row = 0; row < duckdb_data_chunk_get_size(chunk); row++)
        if (!duckdb_validity_row_is_valid(has_text, row) || !duckdb_validity_row_is_valid(has_count, row) ||
            !key_copy(&text[row], count[row], keys, (*slot)++))
            return false;
    return true;
}

gw_engine_word gw_duckdb_copy_keys(duckdb_result *result, gw_exact_keys *keys) {
    size_t slot = 0;
    bool is_well = duckdb_column_count(result) == 2 && duckdb_column_type(result, 0) == DUCKDB_TYPE_VARCHAR &&
                   duckdb_column_type(result, 1) == DUCKDB_TYPE_BIGINT;
    for (duckdb_data_chunk chunk; is_well && (chunk = duckdb_fetch_chunk(*result)) != NULL;) {
        is_well = chunk_copy(chunk, keys, &slot);
        duckdb_destroy_data_chunk(&chunk);
    }
    return is_well ? GW_WORD_OK : GW_WORD_SHAPE;
}
