// SPDX-License-Identifier: Apache-2.0
// The log's key and the newest tree it signed. A tree is signed only when it is shown to extend the newest one, and
// remembered on disk before its signature leaves: whoever holds this ledger's database, or an old copy of it, cannot
// have two histories signed. Same rules in the process of its own (main.c) and beside the caller (gw_signer_local).
// Thread safety: one thread at a time.   Depends on: audit/{merkle,note,signing}, store/slots.h, base.
#pragma once
#include "service/audit/signing.h"

// In the signer's folder. log.key is the key in force; log.next.key takes its place when a rotation is finished;
// log.newest is the newest tree, in two slots (store/slots.h).
#define GW_SIGNER_KEY "log.key"
#define GW_SIGNER_NEXT_KEY "log.next.key"
#define GW_SIGNER_NEWEST "log.newest"

typedef struct gw_signer gw_signer;

// Locks the folder until it is closed, and reads the keys and the newest tree. `origin` is the name under which the
// keys sign. Codes beside those of key files: signer_locked (GW_BUSY: another one has the folder), signer_folder,
// bad_name, signer_corrupt (GW_CORRUPT: log.newest has no whole slot signed by these keys), signer_foreign (GW_CORRUPT:
// it is of another log).
GW_MUST_CHECK gw_status gw_signer_open(const char *folder, const char *origin, gw_signer **ret,
                                       gw_problem *ret_problem);
void gw_signer_close(gw_signer *signer); // accepts NULL
// A look from outside, also beside the signer that has the folder: no lock, nothing to write with. Codes: as above.
GW_MUST_CHECK gw_status gw_signer_look(const char *folder, const char *origin, gw_note_key *ret_key, gw_checkpoint *ret,
                                       gw_problem *ret_problem);

// See signing.h: what these promise is what a gw_tree_signer promises.
void gw_signer_newest(const gw_signer *signer, gw_note_key *ret_key, gw_checkpoint *ret);
// The keys that sign: the one in force, and the one to come where a rotation is under way.
size_t gw_signer_keys(const gw_signer *signer, gw_note_key ret[2]);
bool gw_signer_has_key(const gw_signer *signer, const gw_note_key *key);
// Codes: signer_ahead (GW_CORRUPT: a smaller tree, or another root of the newest size), bad_proof (GW_CORRUPT),
// signer_foreign (GW_CORRUPT: another origin), signer_unknown (GW_RETRY: the newest tree could not be written; nothing
// is signed any more).
GW_MUST_CHECK gw_status gw_signer_sign(gw_signer *signer, const gw_checkpoint *checkpoint, const gw_merkle_proof *proof,
                                       gw_buffer *ret_note, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_signer_rotate(gw_signer *signer, gw_note_key *ret_old, gw_note_key *ret_new,
                                         gw_problem *ret_problem);
// Codes: no_rotation (GW_CONFLICT: there is no key to come), signer_unknown.
GW_MUST_CHECK gw_status gw_signer_finish(gw_signer *signer, gw_problem *ret_problem);

// Takes `back` for the newest tree, where that is exactly `over`: the end of a restore that two owners or operators
// signed (recovery/restore.h), and of nothing else. GW_OK where it is `back` already. GW_CONFLICT, code signer_other:
// the newest is another tree. Not while another signer has this folder open.
GW_MUST_CHECK gw_status gw_signer_reset(gw_signer *signer, const gw_checkpoint *over, const gw_checkpoint *back,
                                        gw_problem *ret_problem);

// A tree signer in this process; takes `signer`.
gw_tree_signer gw_signer_local(gw_signer *signer);
