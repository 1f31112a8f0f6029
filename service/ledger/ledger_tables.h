// SPDX-License-Identifier: Apache-2.0
// The tables that say who may do what, what is in force and what is spent, held against what the entries fold to: row
// by row, and no row more or less. Charges are ledger_charges'. Inside this room only.
// Thread safety: one thread.   Depends on: store/store.h, audit/verify.h.
#pragma once
#include "service/audit/verify.h"
#include "service/store/store.h"

// `counts`: entries of each kind. GW_CORRUPT, code ledger_tampered: names the row.
GW_MUST_CHECK gw_status ledger_tables_check(gw_store_reader *reader, const gw_audit_state *state,
                                            const uint64_t counts[GW_ENTRY_KINDS], gw_problem *ret_problem);
