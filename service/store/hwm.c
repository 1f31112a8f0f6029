// SPDX-License-Identifier: Apache-2.0
// Slot layout, numbers big-endian: magic 8, instance 32, epoch 8, size 8, root 32, time 8, SHA-256 of all that 32,
// Ed25519 signature of everything before it 64, zeros to 512. The slot of an epoch is its lowest bit.
#include "service/store/hwm.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/store/durable.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC "gwhwm/1\n"
#define AT_INSTANCE 8
#define AT_EPOCH 40
#define AT_SIZE 48
#define AT_ROOT 56
#define AT_TIME 88
#define AT_CHECKSUM 96
#define AT_SIGNATURE 128
#define AT_END 192
_Static_assert(AT_END <= GW_HWM_SLOT_SIZE, "a mark fits its slot, a slot fits a sector");

struct gw_hwm {
    int descriptor;
    const gw_secret_key *key;
    gw_hwm_mark mark;
};

static void put_u64(uint8_t *at, uint64_t value) {
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *at) {
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static void slot_encode(const gw_hwm_mark *mark, const gw_secret_key *key, uint8_t slot[GW_HWM_SLOT_SIZE]) {
    memset(slot, 0, GW_HWM_SLOT_SIZE);
    memcpy(slot, MAGIC, AT_INSTANCE);
    memcpy(slot + AT_INSTANCE, mark->instance.bytes, GW_HASH_SIZE);
    put_u64(slot + AT_EPOCH, mark->epoch);
    put_u64(slot + AT_SIZE, mark->size);
    memcpy(slot + AT_ROOT, mark->root.bytes, GW_HASH_SIZE);
    put_u64(slot + AT_TIME, (uint64_t)mark->time);
    gw_hash checksum = gw_sha256((gw_bytes){.data = slot, .size = AT_CHECKSUM});
    memcpy(slot + AT_CHECKSUM, checksum.bytes, GW_HASH_SIZE);
    gw_signature signature = gw_sign(key, (gw_bytes){.data = slot, .size = AT_SIGNATURE});
    memcpy(slot + AT_SIGNATURE, signature.bytes, GW_SIGNATURE_SIZE);
}

static bool slot_decode(const uint8_t slot[GW_HWM_SLOT_SIZE], const gw_secret_key *key, gw_hwm_mark *ret) {
    gw_hash checksum = gw_sha256((gw_bytes){.data = slot, .size = AT_CHECKSUM});
    gw_signature signature;
    memcpy(signature.bytes, slot + AT_SIGNATURE, GW_SIGNATURE_SIZE);
    if (memcmp(slot, MAGIC, AT_INSTANCE) != 0 || memcmp(slot + AT_CHECKSUM, checksum.bytes, GW_HASH_SIZE) != 0 ||
        !gw_verify_signature(gw_key_public(key), (gw_bytes){.data = slot, .size = AT_SIGNATURE}, signature))
        return false;
    memcpy(ret->instance.bytes, slot + AT_INSTANCE, GW_HASH_SIZE);
    ret->epoch = get_u64(slot + AT_EPOCH);
    ret->size = get_u64(slot + AT_SIZE);
    memcpy(ret->root.bytes, slot + AT_ROOT, GW_HASH_SIZE);
    ret->time = (int64_t)get_u64(slot + AT_TIME);
    return true;
}

static gw_hwm *hwm_new(int descriptor, const gw_secret_key *key, const gw_hwm_mark *mark) {
    gw_hwm *hwm = calloc(1, sizeof(*hwm));
    if (hwm != NULL)
        *hwm = (gw_hwm){.descriptor = descriptor, .key = key, .mark = *mark};
    return hwm;
}

gw_status gw_hwm_create(const char *path, const gw_hwm_mark *mark, const gw_secret_key *key, gw_hwm **ret,
                        gw_problem *ret_problem) {
    struct stat facts;
    if (lstat(path, &facts) == 0)
        return gw_problem_set(ret_problem, GW_CONFLICT, "hwm_exists", "There is a high-water mark already.", "", "");
    uint8_t slots[2 * GW_HWM_SLOT_SIZE] = {0};
    slot_encode(mark, key, slots + (mark->epoch & 1) * GW_HWM_SLOT_SIZE);
    // Whole or absent: a crash here leaves no half file under the name.
    gw_status status = gw_file_replace(path, (gw_bytes){.data = slots, .size = sizeof(slots)}, 0600, ret_problem);
    if (status != GW_OK)
        return status;
    gw_hwm_mark read;
    return gw_hwm_open(path, key, ret, &read, ret_problem);
}

gw_status gw_hwm_open(const char *path, const gw_secret_key *key, gw_hwm **ret, gw_hwm_mark *ret_mark,
                      gw_problem *ret_problem) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 && errno == ENOENT)
        return gw_problem_set(ret_problem, GW_NOT_FOUND, "hwm_missing", "The high-water mark is missing.",
                              "Without it an old copy of the ledger cannot be told from the newest.", "");
    uint8_t slots[2 * GW_HWM_SLOT_SIZE];
    if (descriptor < 0 || pread(descriptor, slots, sizeof(slots), 0) != (ssize_t)sizeof(slots))
        return gw_problem_set(ret_problem, GW_CORRUPT, "hwm_corrupt", "The high-water mark cannot be read.", "", "");
    gw_hwm_mark marks[2];
    bool is_whole[2];
    for (size_t i = 0; i < 2; i++)
        is_whole[i] = slot_decode(slots + i * GW_HWM_SLOT_SIZE, key, &marks[i]) && (marks[i].epoch & 1) == i;
    if (!is_whole[0] && !is_whole[1])
        return gw_problem_set(ret_problem, GW_CORRUPT, "hwm_corrupt", "The high-water mark is damaged.",
                              "Neither of its two slots is whole and signed by this log's key.", "");
    size_t newest = !is_whole[0] || (is_whole[1] && marks[1].epoch > marks[0].epoch) ? 1 : 0;
    gw_hwm *hwm = hwm_new(descriptor, key, &marks[newest]);
    if (hwm == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    descriptor = -1;
    *ret = hwm;
    *ret_mark = hwm->mark;
    return GW_OK;
}

gw_status gw_hwm_advance(gw_hwm *hwm, uint64_t size, gw_hash root, int64_t time) {
    GW_ASSERT(size >= hwm->mark.size);
    gw_hwm_mark mark = {
        .instance = hwm->mark.instance, .epoch = hwm->mark.epoch + 1, .size = size, .root = root, .time = time};
    uint8_t slot[GW_HWM_SLOT_SIZE];
    slot_encode(&mark, hwm->key, slot);
    gw_status status = gw_durable_write_at(hwm->descriptor, slot, sizeof(slot), (mark.epoch & 1) * GW_HWM_SLOT_SIZE);
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
