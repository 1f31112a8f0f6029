// SPDX-License-Identifier: Apache-2.0
// The trees of this log that are known to have existed: what this machine remembers (the high-water mark,
// the signer's newest tree), and signed checkpoints that clients, auditors or witnesses saved. Inside this room only.
// Thread safety: one thread.   Depends on: statement.h, store/hwm.h, signer/signer.h.
#pragma once
#include "service/recovery/statement.h"

#define REMEMBERED_MAX 16

typedef struct {
    char where[256]; // for people: "the high-water mark", a file's name
    uint64_t size;
    gw_hash root;
    bool is_of_machine;
} remembered_tree;

typedef struct {
    remembered_tree trees[REMEMBERED_MAX];
    size_t count;
    int64_t time; // no statement is made before what the mark has seen
} remembered;

typedef struct {
    const char *hwm_path;
    const char *keys_folder; // of the mark and of the signer
    const char *signer;      // a signer of its own listens here; NULL or "": there is none
    const char *origin;
    gw_hash instance; // leaf hash of the genesis entry
} remembered_machine;

// The log's key in force, of the machine's signer.
GW_MUST_CHECK gw_status remembered_log_key(const remembered_machine *machine, gw_note_key *ret,
                                           gw_problem *ret_problem);
// What the machine remembers; a mark that is missing or damaged remembers nothing. Codes: hwm_foreign, and
// those of opening the signer.
GW_MUST_CHECK gw_status remembered_machine_read(const remembered_machine *machine, remembered *list,
                                                gw_problem *ret_problem);
// A saved checkpoint, or anything that ends in one (a receipt, a proof), signed by `log_key`. Codes: bad_checkpoint.
GW_MUST_CHECK gw_status remembered_seen_read(const char *path, const gw_note_key *log_key, remembered *list,
                                             gw_problem *ret_problem);
// The machine forgets trees that are not the beginning of the ledger, where the statement names them; it remembers the
// recovered tree instead. Asked again, it does nothing. GW_CORRUPT, code rolled_back: one that no statement names.
// GW_UNAVAILABLE, code signer_apart: a signer of its own is set back by its own operator; says how.
GW_MUST_CHECK gw_status remembered_reset(const remembered_machine *machine, gw_merkle_source tree, uint64_t size,
                                         const statement *told, gw_problem *ret_problem);
