// SPDX-License-Identifier: Apache-2.0
// A log's side of witnessing: every witness of a quorum policy is asked at once to cosign a checkpoint, and nothing
// that one says is believed before it is verified. What each has seen last is remembered, so that one round trip
// suffices. A witness that has seen a larger tree, or another one, tells that this ledger was set back: that is never
// passed over. Thread safety: cosign from one thread at a time; state from any.   Depends on:
// audit/{signing,tlog_policy}, http.h.
#pragma once
#include "service/audit/signing.h"
#include "service/audit/tlog_policy.h"
#include "service/witness/http.h"

typedef struct gw_witnesses gw_witnesses;

// Takes policy and http, also when it fails. Codes: witness_url (an address that cannot be asked, or so few addresses
// that the quorum can never be reached), no_memory.
GW_MUST_CHECK gw_status gw_witnesses_new(gw_tlog_policy *policy, gw_http http, unsigned timeout_ms, gw_witnesses **ret,
                                         gw_problem *ret_problem);
void gw_witnesses_free(gw_witnesses *witnesses); // accepts NULL

// As gw_tree_witness.cosign; `note` carries the log's signature. Who has cosigned it already is not asked again.
GW_MUST_CHECK gw_status gw_witnesses_cosign(gw_witnesses *witnesses, const gw_checkpoint *checkpoint,
                                            gw_merkle_source tree, gw_buffer *note, gw_problem *ret_problem);
// The same as the ledger sees it. Borrows the witnesses: `close` is NULL.
gw_tree_witness gw_witnesses_tree(gw_witnesses *witnesses, bool is_strict);

// How the last question to a witness went.
typedef struct {
    const char *name;  // within the policy file
    const char *url;   // "" where it has none: it is not asked
    const char *code;  // "ok", "not_asked", "unreachable", "unknown_log", "log_key", "refused", "busy", "bad_answer",
                       // "rolled_back"
    char failure[128]; // more of it, in words; ""
    uint64_t size;     // it has cosigned last, as far as it told; 0 where nothing is known
} gw_witness_state;
size_t gw_witnesses_count(const gw_witnesses *witnesses);
void gw_witnesses_state(gw_witnesses *witnesses, size_t index, gw_witness_state *ret);
const gw_tlog_policy *gw_witnesses_policy(const gw_witnesses *witnesses);
