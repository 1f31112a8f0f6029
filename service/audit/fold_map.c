// SPDX-License-Identifier: Apache-2.0
// Lists that grow, and the one hash map that serves all lookups of the fold: its keys are SHA-256 of what is looked up,
// its values are places in the lists.
#include "service/audit/fold_inner.h"
#include "service/base/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool gw_fold_list_grow(void **items, size_t *capacity, size_t count, size_t item_size) {
    if (count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = reallocarray(*items, wanted, item_size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

static gw_fold_map_slot *map_slot_of(const gw_fold_map *map, gw_hash key) {
    size_t at;
    memcpy(&at, key.bytes, sizeof(at));
    at &= map->capacity - 1;
    while (map->slots[at].is_used && memcmp(map->slots[at].key.bytes, key.bytes, GW_HASH_SIZE) != 0)
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

size_t gw_fold_find(const gw_fold_map *map, gw_hash key) {
    if (map->capacity == 0)
        return GW_FOLD_NONE;
    const gw_fold_map_slot *slot = map_slot_of(map, key);
    return slot->is_used ? slot->place : GW_FOLD_NONE;
}

bool gw_fold_map_room(gw_fold_map *old) {
    if ((old->count + 1) * 3 <= old->capacity * 2)
        return true;
    gw_fold_map grown = {.capacity = old->capacity == 0 ? 64 : old->capacity * 2, .count = old->count};
    grown.slots = calloc(grown.capacity, sizeof(grown.slots[0]));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < old->capacity; i++)
        if (old->slots[i].is_used)
            *map_slot_of(&grown, old->slots[i].key) = old->slots[i];
    free(old->slots);
    *old = grown;
    return true;
}

void gw_fold_map_put(gw_fold_map *map, gw_hash key, size_t place) {
    gw_fold_map_slot *slot = map_slot_of(map, key);
    GW_ASSERT(!slot->is_used);
    *slot = (gw_fold_map_slot){.key = key, .place = place, .is_used = true};
    map->count++;
}

gw_hash gw_fold_key(char kind, const char *first, const char *second) {
    char text[2 * GW_DATASET_MAX + 600];
    int size = snprintf(text, sizeof(text), "%c%s\n%s", kind, first, second);
    GW_ASSERT(size > 0);
    GW_ASSERT((size_t)size < sizeof(text)); // names have at most 128 bytes
    return gw_sha256(gw_bytes_of(text));
}
