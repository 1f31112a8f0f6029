// SPDX-License-Identifier: Apache-2.0
// All randomness first, for as many keys as there may be; then one pass that does the same for every slot; then what is
// shown, and nothing else, is copied and put in order (selection.md).
#include "privacy/mechanism/selection.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t value;
    const char *text; // in the released keys' own memory
} shown_key;

struct gw_released_keys {
    gw_selection_price price;
    size_t count;
    char *texts;
    shown_key *keys;
};

// Turns each draw T into count + centre - T, or 0 where the key stays hidden. T is at least 1, so that a slot without
// persons is hidden whatever was drawn; the centre is at least 1, so that no shown key has a value of 0. No branch and
// no address depends on a count. False where a count is past what can be.
static bool draws_decide(const gw_exact_keys *exact, uint64_t centre, uint64_t *draws, size_t *ret_shown) {
    uint64_t bits = 0;
    size_t shown = 0;
    for (size_t i = 0; i < exact->slot_count; i++) {
        uint64_t count = exact->counts[i], drawn = draws[i];
        uint64_t is_shown = ((count - drawn) >> 63) ^ 1; // both are below 2^62
        bits |= count;
        draws[i] = (count + centre - drawn) & (0 - is_shown);
        shown += (size_t)is_shown;
    }
    *ret_shown = shown;
    return bits <= GW_KEY_COUNT_MAX;
}

static gw_released_keys *keys_new(size_t count, size_t text_size) {
    gw_released_keys *keys = calloc(1, sizeof(*keys));
    if (keys == NULL)
        return NULL;
    keys->texts = calloc(count + 1, text_size);
    keys->keys = calloc(count + 1, sizeof(*keys->keys));
    if (keys->texts != NULL && keys->keys != NULL)
        return keys;
    gw_released_keys_free(keys);
    return NULL;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(((const shown_key *)a)->text, ((const shown_key *)b)->text);
}

// Where the data had a key is forgotten: keys are put in the order of their bytes.
static void keys_take(gw_released_keys *keys, const gw_exact_keys *exact, const uint64_t *values) {
    for (size_t i = 0; i < exact->slot_count; i++) {
        if (values[i] == 0)
            continue;
        char *text = keys->texts + keys->count * exact->text_size;
        memcpy(text, gw_exact_keys_text(exact, i), exact->text_size - 1);
        keys->keys[keys->count++] = (shown_key){.value = values[i], .text = text};
    }
    qsort(keys->keys, keys->count, sizeof(*keys->keys), compare_texts);
}

gw_status gw_selection_release(const gw_exact_keys *exact, const gw_selection_law *law, gw_random_source source,
                               gw_released_keys **ret_keys) {
    uint64_t *draws = calloc(exact->slot_count, sizeof(*draws));
    gw_released_keys *keys = NULL;
    size_t shown = 0;
    gw_status status = draws == NULL ? GW_NO_MEMORY : gw_selection_law_fill(law, source, draws, exact->slot_count);
    if (status == GW_OK && !draws_decide(exact, gw_selection_law_centre(law), draws, &shown))
        status = GW_INVALID;
    if (status == GW_OK && (keys = keys_new(shown, exact->text_size)) == NULL)
        status = GW_NO_MEMORY;
    if (status == GW_OK) {
        keys->price = gw_selection_law_price(law);
        keys_take(keys, exact, draws);
        *ret_keys = keys;
    }
    if (draws != NULL)
        explicit_bzero(draws, exact->slot_count * sizeof(*draws));
    free(draws);
    return status;
}

size_t gw_released_keys_count(const gw_released_keys *keys) {
    return keys->count;
}

const char *gw_released_keys_text(const gw_released_keys *keys, size_t key) {
    return keys->keys[key].text;
}

uint64_t gw_released_keys_value(const gw_released_keys *keys, size_t key) {
    return keys->keys[key].value;
}

gw_selection_price gw_released_keys_price(const gw_released_keys *keys) {
    return keys->price;
}

void gw_released_keys_free(gw_released_keys *keys) {
    if (keys == NULL)
        return;
    free(keys->texts); // holds nothing that may not be published
    free(keys->keys);
    free(keys);
}
