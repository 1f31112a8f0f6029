// SPDX-License-Identifier: Apache-2.0
// The body of a slot, numbers big-endian: magic 8, instance 32, epoch 8, size 8, root 32, time 8.
#include "service/store/hwm.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>
#include <sys/stat.h>

#define AT_INSTANCE 8
#define AT_EPOCH 40
#define AT_SIZE 48
#define AT_ROOT 56
#define AT_TIME 88
#define AT_END 96
_Static_assert(AT_END <= GW_SLOT_BODY_MAX, "a mark fits its slot, a slot fits a sector");

static const gw_slots_form mark_form = {.magic = "gwhwm/1\n", .body_size = AT_END, .epoch_at = AT_EPOCH};

struct gw_hwm {
    int descriptor;
    const gw_secret_key *key;
    gw_hwm_mark mark;
};

static void mark_encode(const gw_hwm_mark *mark, uint8_t body[AT_END]) {
    memcpy(body, mark_form.magic, AT_INSTANCE);
    memcpy(body + AT_INSTANCE, mark->instance.bytes, GW_HASH_SIZE);
    gw_slot_put_u64(body + AT_EPOCH, mark->epoch);
    gw_slot_put_u64(body + AT_SIZE, mark->size);
    memcpy(body + AT_ROOT, mark->root.bytes, GW_HASH_SIZE);
    gw_slot_put_u64(body + AT_TIME, (uint64_t)mark->time);
}

static gw_hwm_mark mark_decode(const uint8_t body[AT_END]) {
    gw_hwm_mark mark = {.epoch = gw_slot_get_u64(body + AT_EPOCH),
                        .size = gw_slot_get_u64(body + AT_SIZE),
                        .time = (int64_t)gw_slot_get_u64(body + AT_TIME)};
    memcpy(mark.instance.bytes, body + AT_INSTANCE, GW_HASH_SIZE);
    memcpy(mark.root.bytes, body + AT_ROOT, GW_HASH_SIZE);
    return mark;
}

gw_status gw_hwm_create(const char *path, const gw_hwm_mark *mark, const gw_secret_key *key, gw_hwm **ret,
                        gw_problem *ret_problem) {
    struct stat facts;
    if (lstat(path, &facts) == 0)
        return gw_problem_set(ret_problem, GW_CONFLICT, "hwm_exists", "There is a high-water mark already.", "", "");
    uint8_t body[AT_END];
    mark_encode(mark, body);
    gw_status status = gw_slots_create(path, &mark_form, body, key, ret_problem);
    if (status != GW_OK)
        return status;
    gw_hwm_mark read;
    return gw_hwm_open(path, key, NULL, ret, &read, ret_problem);
}

gw_status gw_hwm_open(const char *path, const gw_secret_key *key, const gw_public_key *older, gw_hwm **ret,
                      gw_hwm_mark *ret_mark, gw_problem *ret_problem) {
    gw_public_key keys[2] = {gw_key_public(key)};
    if (older != NULL)
        keys[1] = *older;
    uint8_t body[AT_END];
    GW_CLEANUP(gw_closep) int descriptor = -1;
    gw_status status = gw_slots_open(path, &mark_form, keys, older == NULL ? 1 : 2, &descriptor, body);
    if (status == GW_NOT_FOUND)
        return gw_problem_set(ret_problem, GW_NOT_FOUND, "hwm_missing", "The high-water mark is missing.",
                              "Without it an old copy of the ledger cannot be told from the newest.", "");
    if (status == GW_IO)
        return gw_problem_set(ret_problem, GW_CORRUPT, "hwm_corrupt", "The high-water mark cannot be read.", "", "");
    if (status != GW_OK)
        return gw_problem_set(ret_problem, GW_CORRUPT, "hwm_corrupt", "The high-water mark is damaged.",
                              "Neither of its two slots is whole and signed by this ledger's mark key.", "");
    gw_hwm *hwm = calloc(1, sizeof(*hwm));
    if (hwm == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    *hwm = (gw_hwm){.descriptor = descriptor, .key = key, .mark = mark_decode(body)};
    descriptor = -1;
    *ret = hwm;
    *ret_mark = hwm->mark;
    return GW_OK;
}

gw_status gw_hwm_advance(gw_hwm *hwm, uint64_t size, gw_hash root, int64_t time) {
    GW_ASSERT(size >= hwm->mark.size);
    gw_hwm_mark mark = {
        .instance = hwm->mark.instance, .epoch = hwm->mark.epoch + 1, .size = size, .root = root, .time = time};
    uint8_t body[AT_END];
    mark_encode(&mark, body);
    gw_status status = gw_slots_write(hwm->descriptor, &mark_form, body, hwm->key);
    if (status == GW_OK)
        hwm->mark = mark;
    return status;
}

void gw_hwm_close(gw_hwm *hwm) {
    if (hwm == NULL)
        return;
    close(hwm->descriptor);
    free(hwm);
}
