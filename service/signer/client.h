// SPDX-License-Identifier: Apache-2.0
// The daemon's side: a gw_tree_signer whose key is in another process, a child of this one or a service of its own that
// listens on a local socket. Nothing is started or connected before the first call.
// Thread safety: one thread at a time.   Depends on: audit/signing.h, signer/codec.h, base/process.h.
#pragma once
#include "service/audit/signing.h"

typedef struct {
    const char *origin;           // of the log
    const char *socket;           // where a signer listens; NULL or "": a child
    const char *program, *folder; // of the child, and where its keys are
} gw_signer_client_options;

// Copies the options. Codes of calls: signer_unavailable (it cannot be started or reached), those of signer.h, and
// signer_unknown (GW_RETRY: it was lost while it was asked, or before; what it did is not known).
GW_MUST_CHECK gw_status gw_signer_client(const gw_signer_client_options *options, gw_tree_signer *ret,
                                         gw_problem *ret_problem);
