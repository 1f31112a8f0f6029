// SPDX-License-Identifier: Apache-2.0
// A canonical question's text back into a question: what was charged can be taken up again from the ledger alone. Only
// a hint: the caller plans the question and holds the canonical text of the plan against the hash that was charged.
// Thread safety: pure.   Depends on: wire/question.h.
#pragma once
#include "service/wire/question.h"

#define GW_CANONICAL_BYTES_MAX (1u << 20)

// `ret_json` owns the question's texts; the caller frees it, also on failure.
GW_MUST_CHECK gw_status gw_canonical_read(gw_bytes text, gw_arena *arena, gw_json **ret_json, gw_question *ret_question,
                                          gw_problem *ret_problem);
