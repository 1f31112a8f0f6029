// SPDX-License-Identifier: Apache-2.0
// Memory of exact keys: bounded when made, wiped when freed.
#include "privacy/exact_keys.h"
#include <stdlib.h>
#include <string.h>

gw_status gw_exact_keys_new(size_t slot_count, size_t key_bytes, gw_exact_keys **ret_keys) {
    if (slot_count == 0 || slot_count > GW_KEYS_MAX || key_bytes == 0 || key_bytes > GW_KEY_BYTES_MAX)
        return GW_LIMIT;
    gw_exact_keys *keys = calloc(1, sizeof(*keys));
    if (keys == NULL)
        return GW_NO_MEMORY;
    keys->slot_count = slot_count;
    keys->text_size = key_bytes + 1;
    keys->counts = calloc(1, gw_exact_keys_bytes(keys));
    if (keys->counts == NULL) {
        free(keys);
        return GW_NO_MEMORY;
    }
    keys->texts = (char *)(keys->counts + slot_count);
    *ret_keys = keys;
    return GW_OK;
}

size_t gw_exact_keys_bytes(const gw_exact_keys *keys) {
    return keys->slot_count * (sizeof(*keys->counts) + keys->text_size); // the maxima keep it below 2^24
}

char *gw_exact_keys_text(const gw_exact_keys *keys, size_t slot) {
    return keys->texts + slot * keys->text_size;
}

void gw_exact_keys_free(gw_exact_keys *keys) {
    if (keys == NULL)
        return;
    explicit_bzero(keys->counts, gw_exact_keys_bytes(keys));
    free(keys->counts);
    free(keys);
}
