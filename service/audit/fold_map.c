// SPDX-License-Identifier: Apache-2.0
// Lists that grow, and the one hash map that serves all lookups of the fold: its keys are tags of what is looked up,
// its values are places in the lists. Half of what a check of a long log holds in memory is here, so slots are small.
#include "service/audit/fold_inner.h"
#include "service/base/check.h"
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

// Linear probing; at most four of five slots are used.
static gw_fold_map_slot *map_slot_of(const gw_fold_map *map, gw_tag key) {
    size_t at;
    memcpy(&at, key.bytes, sizeof(at));
    at &= map->capacity - 1;
    while (map->slots[at].place_next != 0 && memcmp(map->slots[at].key.bytes, key.bytes, GW_TAG_SIZE) != 0)
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

size_t gw_fold_find(const gw_fold_map *map, gw_tag key) {
    if (map->capacity == 0)
        return GW_FOLD_NONE;
    size_t place_next = map_slot_of(map, key)->place_next;
    return place_next == 0 ? GW_FOLD_NONE : place_next - 1;
}

bool gw_fold_map_room(gw_fold_map *old) {
    if ((old->count + 1) * 5 <= old->capacity * 4)
        return true;
    gw_fold_map grown = {.capacity = old->capacity == 0 ? 64 : old->capacity * 2, .count = old->count};
    grown.slots = calloc(grown.capacity, sizeof(grown.slots[0]));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < old->capacity; i++)
        if (old->slots[i].place_next != 0)
            *map_slot_of(&grown, old->slots[i].key) = old->slots[i];
    free(old->slots);
    *old = grown;
    return true;
}

void gw_fold_map_put(gw_fold_map *map, gw_tag key, size_t place) {
    gw_fold_map_slot *slot = map_slot_of(map, key);
    GW_ASSERT(slot->place_next == 0);
    *slot = (gw_fold_map_slot){.key = key, .place_next = place + 1};
    map->count++;
}

gw_tag gw_fold_key(char kind, const char *first, const char *second) {
    uint8_t text[2 * GW_DATASET_MAX + 600];
    size_t first_size = strlen(first), second_size = strlen(second);
    GW_ASSERT(first_size < sizeof(text)); // names have at most 128 bytes, keys 255
    GW_ASSERT(second_size < sizeof(text));
    GW_ASSERT(2 + first_size + second_size <= sizeof(text));
    text[0] = (uint8_t)kind;
    memcpy(text + 1, first, first_size);
    text[1 + first_size] = '\n'; // in no name
    memcpy(text + 2 + first_size, second, second_size);
    return gw_tag_of((gw_bytes){.data = text, .size = 2 + first_size + second_size});
}
