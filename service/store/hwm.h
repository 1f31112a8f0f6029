// SPDX-License-Identifier: Apache-2.0
// The high-water mark: the newest tree that was acknowledged, kept outside the database, so that a database that lost
// commits or was replaced by an old copy is found out. Two slots of 512 bytes written in turn: a torn write spoils at
// most the newer one. Signed with the log key: nobody without it can lower the mark. Thread safety: one owner. Depends
// on: base/crypto.h, store/durable.h.
#pragma once
#include "service/base/crypto.h"
#include <stdint.h>

#define GW_HWM_SLOT_SIZE 512

typedef struct gw_hwm gw_hwm;
typedef struct {
    gw_hash instance; // leaf hash of the genesis entry: a mark of another ledger is refused
    uint64_t epoch;   // counts writes; the greater valid one is in force
    uint64_t size;
    gw_hash root;
    int64_t time;
} gw_hwm_mark;

// Makes the file with a first mark; GW_CONFLICT when there is one. Borrows `key` until close.
GW_MUST_CHECK gw_status gw_hwm_create(const char *path, const gw_hwm_mark *mark, const gw_secret_key *key, gw_hwm **ret,
                                      gw_problem *ret_problem);
// GW_NOT_FOUND: no file. GW_CORRUPT, code hwm_corrupt: no slot is whole, or signed by another key.
GW_MUST_CHECK gw_status gw_hwm_open(const char *path, const gw_secret_key *key, gw_hwm **ret, gw_hwm_mark *ret_mark,
                                    gw_problem *ret_problem);
// Synced when it returns GW_OK. Anything else: the outcome is unknown, and no later call is made.
GW_MUST_CHECK gw_status gw_hwm_advance(gw_hwm *hwm, uint64_t size, gw_hash root, int64_t time);
void gw_hwm_close(gw_hwm *hwm); // accepts NULL
