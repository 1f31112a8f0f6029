// SPDX-License-Identifier: Apache-2.0
// Before it serves, a ledger is held against its own entries: every entry hashed into the tree and folded by the
// auditor's code, and every row that the service will go by compared with what the entries come to. For this room and
// recovery/. Thread safety: one thread.   Depends on: store/store.h, audit/verify.h.
#pragma once
#include "service/store/store.h"

// GW_CORRUPT, code ledger_tampered: an entry or a row is not what the entries before it allow; names it.
GW_MUST_CHECK gw_status ledger_replay_check(gw_store_reader *reader, uint64_t size, gw_hash root,
                                            gw_problem *ret_problem);
