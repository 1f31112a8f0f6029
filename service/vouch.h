// SPDX-License-Identifier: Apache-2.0
// The service's witnesses: which file of them is in force, when they are asked, and what comes of it. Strict: the
// ledger waits for their quorum before anything leaves, and where it was missing they are asked again until it is
// there. Otherwise they are asked behind the answers' back, and what is published, and later receipts, carry what was
// got. A witness that has seen more of this log than there is ends the service: the state was set back. Thread safety:
// each call from one thread; a thread of its own inside.   Depends on: witness/ask.h, ledger.h, publish.h.
#pragma once
#include "service/config.h"
#include "service/store/store.h"
#include "service/witness/ask.h"

typedef struct gw_vouching gw_vouching;

// `*ret` stays NULL where no witnesses are configured. Codes: those of the file, witness_url.
GW_MUST_CHECK gw_status gw_vouching_open(const gw_config *config, gw_vouching **ret, gw_problem *ret_problem);
// For the ledger, which borrows it; none for NULL.
gw_tree_witness gw_vouching_witness(gw_vouching *vouching);
// The file that is configured must be the one that the log has in force (code witnesses_differ), and lies published
// beside the log from here on. NULL: none is configured.
GW_MUST_CHECK gw_status gw_vouching_check(const gw_vouching *vouching, const gw_config *config, gw_store_reader *reader,
                                          gw_problem *ret_problem);
// After the ledger is closed. Accepts NULL.
void gw_vouching_close(gw_vouching *vouching);

typedef enum {
    GW_VOUCHED,     // the quorum stands behind the newest checkpoint that was shown to it
    GW_NOT_VOUCHED, // too few of it have answered; they are asked again
    GW_SET_BACK,    // a witness has seen another history
} gw_vouched;
// `ret_problem` tells more where it is not the first.
gw_vouched gw_vouching_state(gw_vouching *vouching, gw_problem *ret_problem);

// A file of witnesses as somebody would put it in force: read, and its addresses looked at. Codes: those of the file,
// witness_url.
GW_MUST_CHECK gw_status gw_vouching_read(const char *path, gw_buffer *ret_text, gw_hash *ret_file,
                                         gw_problem *ret_problem);
// Keeps a copy as log/witnesses/<sha256>, so that old proofs can be judged by the file of their time.
GW_MUST_CHECK gw_status gw_vouching_publish(const gw_config *config, gw_bytes text, gw_problem *ret_problem);
