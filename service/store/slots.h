// SPDX-License-Identifier: Apache-2.0
// A small record that is replaced often and must never be lost: two slots of 512 bytes written in turn, each with a
// checksum and a signature, so that a torn write spoils at most the newer one. The greater valid epoch is in force.
// Thread safety: one owner.   Depends on: base/crypto.h, store/durable.h.
#pragma once
#include "service/base/crypto.h"
#include <stdint.h>

#define GW_SLOT_SIZE 512
#define GW_SLOT_MAGIC_SIZE 8
#define GW_SLOT_BODY_MAX (GW_SLOT_SIZE - GW_HASH_SIZE - GW_SIGNATURE_SIZE)

// What one kind of record looks like. The body begins with the magic; SHA-256 of the body, the signature of both, and
// zeros follow it.
typedef struct {
    const char *magic;
    size_t body_size;
    size_t epoch_at; // 8 bytes of the body, big-endian; the slot of an epoch is its lowest bit
} gw_slots_form;

// Makes the file with this body alone; whole or absent.
GW_MUST_CHECK gw_status gw_slots_create(const char *path, const gw_slots_form *form, const uint8_t *body,
                                        const gw_secret_key *key, gw_problem *ret_problem);
// Opens the file and reads the body in force, signed by one of `keys`. GW_NOT_FOUND: no file. GW_IO: it cannot be read.
// GW_CORRUPT: no slot is whole.
GW_MUST_CHECK gw_status gw_slots_open(const char *path, const gw_slots_form *form, const gw_public_key *keys,
                                      size_t key_count, int *ret_descriptor, uint8_t *ret_body);
// The same for a look alone, also beside its writer: then it may be GW_CORRUPT for a moment.
GW_MUST_CHECK gw_status gw_slots_read(const char *path, const gw_slots_form *form, const gw_public_key *keys,
                                      size_t key_count, uint8_t *ret_body);
// Writes the body into the slot of its epoch; synced when it returns GW_OK. Anything else: the outcome is unknown, and
// no later call is made.
GW_MUST_CHECK gw_status gw_slots_write(int descriptor, const gw_slots_form *form, const uint8_t *body,
                                       const gw_secret_key *key);

void gw_slot_put_u64(uint8_t *at, uint64_t value);
uint64_t gw_slot_get_u64(const uint8_t *at);
