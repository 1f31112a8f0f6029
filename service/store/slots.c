// SPDX-License-Identifier: Apache-2.0
// Checksum and signature are both there: the first finds a torn write where no key is at hand, the second a hand that
// wrote an older record anew.
#include "service/store/slots.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/store/durable.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

void gw_slot_put_u64(uint8_t *at, uint64_t value) {
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (56 - 8 * i));
}

uint64_t gw_slot_get_u64(const uint8_t *at) {
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static uint64_t epoch_of(const gw_slots_form *form, const uint8_t *body) {
    return gw_slot_get_u64(body + form->epoch_at);
}

static void slot_encode(const gw_slots_form *form, const uint8_t *body, const gw_secret_key *key,
                        uint8_t slot[GW_SLOT_SIZE]) {
    GW_ASSERT(form->body_size <= GW_SLOT_BODY_MAX);
    GW_ASSERT(memcmp(body, form->magic, GW_SLOT_MAGIC_SIZE) == 0);
    memset(slot, 0, GW_SLOT_SIZE);
    memcpy(slot, body, form->body_size);
    gw_hash checksum = gw_sha256((gw_bytes){.data = slot, .size = form->body_size});
    memcpy(slot + form->body_size, checksum.bytes, GW_HASH_SIZE);
    size_t signed_size = form->body_size + GW_HASH_SIZE;
    gw_signature signature = gw_sign(key, (gw_bytes){.data = slot, .size = signed_size});
    memcpy(slot + signed_size, signature.bytes, GW_SIGNATURE_SIZE);
}

static bool slot_is_whole(const gw_slots_form *form, const uint8_t slot[GW_SLOT_SIZE], const gw_public_key *keys,
                          size_t key_count) {
    gw_hash checksum = gw_sha256((gw_bytes){.data = slot, .size = form->body_size});
    if (memcmp(slot, form->magic, GW_SLOT_MAGIC_SIZE) != 0 ||
        memcmp(slot + form->body_size, checksum.bytes, GW_HASH_SIZE) != 0)
        return false;
    gw_bytes signed_bytes = {.data = slot, .size = form->body_size + GW_HASH_SIZE};
    gw_signature signature;
    memcpy(signature.bytes, slot + signed_bytes.size, GW_SIGNATURE_SIZE);
    for (size_t i = 0; i < key_count; i++)
        if (gw_verify_signature(keys[i], signed_bytes, signature))
            return true;
    return false;
}

gw_status gw_slots_create(const char *path, const gw_slots_form *form, const uint8_t *body, const gw_secret_key *key,
                          gw_problem *ret_problem) {
    uint8_t slots[2 * GW_SLOT_SIZE] = {0};
    slot_encode(form, body, key, slots + (epoch_of(form, body) & 1) * GW_SLOT_SIZE);
    // Whole or absent: a crash here leaves no half file under the name.
    return gw_file_replace(path, (gw_bytes){.data = slots, .size = sizeof(slots)}, 0600, ret_problem);
}

static gw_status slots_open(const char *path, int access, const gw_slots_form *form, const gw_public_key *keys,
                            size_t key_count, int *ret_descriptor, uint8_t *ret_body) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, access | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 && errno == ENOENT)
        return GW_NOT_FOUND;
    uint8_t slots[2 * GW_SLOT_SIZE];
    if (descriptor < 0 || pread(descriptor, slots, sizeof(slots), 0) != (ssize_t)sizeof(slots))
        return GW_IO;
    const uint8_t *newest = NULL;
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *slot = slots + i * GW_SLOT_SIZE;
        if (slot_is_whole(form, slot, keys, key_count) && (epoch_of(form, slot) & 1) == i &&
            (newest == NULL || epoch_of(form, slot) > epoch_of(form, newest)))
            newest = slot;
    }
    if (newest == NULL)
        return GW_CORRUPT;
    memcpy(ret_body, newest, form->body_size);
    *ret_descriptor = descriptor;
    descriptor = -1;
    return GW_OK;
}

gw_status gw_slots_open(const char *path, const gw_slots_form *form, const gw_public_key *keys, size_t key_count,
                        int *ret_descriptor, uint8_t *ret_body) {
    return slots_open(path, O_RDWR, form, keys, key_count, ret_descriptor, ret_body);
}

gw_status gw_slots_read(const char *path, const gw_slots_form *form, const gw_public_key *keys, size_t key_count,
                        uint8_t *ret_body) {
    GW_CLEANUP(gw_closep) int descriptor = -1;
    return slots_open(path, O_RDONLY, form, keys, key_count, &descriptor, ret_body);
}

gw_status gw_slots_write(int descriptor, const gw_slots_form *form, const uint8_t *body, const gw_secret_key *key) {
    uint8_t slot[GW_SLOT_SIZE];
    slot_encode(form, body, key, slot);
    return gw_durable_write_at(descriptor, slot, sizeof(slot), (epoch_of(form, body) & 1) * GW_SLOT_SIZE);
}
