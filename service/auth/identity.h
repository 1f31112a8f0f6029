// SPDX-License-Identifier: Apache-2.0
// Who is asking: a message's signature checked against the keys in the log -> principal and roles.
// Every failure looks the same outside (code unauthenticated), so that nobody can probe which principals exist.
// Thread safety: one reader per thread.   Depends on: store/store.h, wire/message.h.
#pragma once
#include "service/store/store.h"
#include "service/wire/message.h"

typedef struct {
    char principal[GW_ID_HEX]; // 32 zeros for nobody
    unsigned roles;            // 0 for nobody: public facts and visible releases only
    bool is_known;
} gw_identity;

// Checks origin, signature, key validity at `now`, revocation. The clock skew (|time - now| <= 300 s) is not judged
// here: it applies only to new ids (see gw_identity_is_fresh). Tokens are refused until a gateway exists (code
// token_unsupported).
GW_MUST_CHECK gw_status gw_identity_check(gw_store_reader *reader, const char *origin,
                                          const gw_request_message *message, int64_t now, gw_identity *ret,
                                          gw_problem *ret_problem);
bool gw_identity_is_fresh(const gw_request_message *message, int64_t now);
