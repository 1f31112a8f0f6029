// SPDX-License-Identifier: Apache-2.0
// What makes a committed tree one that may be told of: the high-water mark on disk, the signature of a signer that was
// shown the way from its newest tree, the witnesses' cosignatures. Inside this room only.
// Thread safety: one thread at a time.   Depends on: audit/signing.h, store/{store,hwm}.h.
#pragma once
#include "service/audit/signing.h"
#include "service/store/hwm.h"
#include "service/store/store.h"

typedef struct {
    gw_tree_signer signer;
    gw_tree_witness witness;
    gw_hwm *hwm;     // borrowed
    uint64_t marked; // where the mark stands
    gw_store_reader *reader;
    gw_checkpoint newest; // that the signer signed
} ledger_seals;

typedef struct {
    uint64_t size;
    gw_hash root;
    int64_t time;
} ledger_tree;

// The mark moves to the tree, if it is not there. Anything but GW_OK: the outcome is unknown.
GW_MUST_CHECK gw_status ledger_seal_mark(ledger_seals *seals, const ledger_tree *tree);
// Signs the tree; the note replaces what the buffer holds. Problems are those of gw_tree_signer.sign.
GW_MUST_CHECK gw_status ledger_seal_sign(ledger_seals *seals, const ledger_tree *tree, gw_buffer *ret_note,
                                         gw_problem *ret_problem);
// Asks the witnesses. GW_OK: the quorum is there, or nobody asks for one. GW_UNAVAILABLE: it is not. GW_CORRUPT: a
// witness knows another history.
GW_MUST_CHECK gw_status ledger_seal_witness(ledger_seals *seals, gw_buffer *note, gw_problem *ret_problem);
void ledger_seals_close(ledger_seals *seals); // signer, witness and reader
