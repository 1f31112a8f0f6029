// SPDX-License-Identifier: Apache-2.0
// What may have been spent by charges that nobody can name any more: a ledger came back without its last entries.
// The bound counts as spent, so that what was lost is never given back. Proof: lost.md.
// Thread safety: pure.   Depends on: accounting/zcdp.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/accounting/zcdp.h"

GW_C_BEGIN

// At most this much was spent of one budget by `lost` entries, each at most one charge of at most `question_max`
// micro-epsilon (0: no maximum), each admitted by `total` (total.rho 0: pure accounting) after `spent`. Never 0 in one
// measure alone. Saturates: micro at INT64_MAX - spent.micro, rho at GW_RHO_MAX.
gw_loss gw_lost_bound(uint64_t lost, uint64_t question_max, gw_loss total, gw_loss spent);
// The same of deltas of selections, which no question bounds: all that was left, where anything can have been charged.
uint64_t gw_lost_selection(gw_loss bound, uint64_t total, uint64_t spent);

GW_C_END
