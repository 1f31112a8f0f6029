// SPDX-License-Identifier: Apache-2.0
// The high-water mark: the newest tree that was acknowledged, kept outside the database, so that a database that lost
// commits or was replaced by an old copy is found out. Two slots written in turn (slots.h), signed with a key of its
// own: nobody without it can lower the mark. Thread safety: one owner. Depends on: base/crypto.h, store/slots.h.
#pragma once
#include "service/store/slots.h"

#define GW_HWM_SLOT_SIZE GW_SLOT_SIZE

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
// GW_NOT_FOUND: no file. GW_CORRUPT, code hwm_corrupt: no slot is whole, or signed by another key. A mark that `older`
// signed is taken too (NULL: none): before marks had a key of their own, the log's key signed them.
GW_MUST_CHECK gw_status gw_hwm_open(const char *path, const gw_secret_key *key, const gw_public_key *older,
                                    gw_hwm **ret, gw_hwm_mark *ret_mark, gw_problem *ret_problem);
// Synced when it returns GW_OK. Anything else: the outcome is unknown, and no later call is made.
GW_MUST_CHECK gw_status gw_hwm_advance(gw_hwm *hwm, uint64_t size, gw_hash root, int64_t time);
void gw_hwm_close(gw_hwm *hwm); // accepts NULL
