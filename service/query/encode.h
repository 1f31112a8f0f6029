// SPDX-License-Identifier: Apache-2.0
// The answer to a plan: what is public about it, said once for answers and for their dummies. Nobody outside this room
// includes it.
// Thread safety: pure.   Depends on: plan.h, laws.h, wire/decimal.h.
#pragma once
#include "privacy/mechanism/selection.h"
#include "privacy/released.h"
#include "service/query/laws.h"
#include "service/query/plan.h"
#include "service/wire/decimal.h"

typedef struct {
    const gw_plan *plan;
    const gw_laws *laws; // of the plan's noise
    const char *data_version, *release;
    gw_hash question;
    const char *notice; // of a dummy; NULL: the policy's own
    bool is_dummy;
} gw_plan_answer;

// Appends the answer's bytes. `salt`: 32 fresh random bytes. Fails like gw_release_encode.
GW_MUST_CHECK gw_status gw_plan_encode(const gw_plan_answer *answer, const gw_released_table *table, gw_hash salt,
                                       gw_buffer *ret_document);
// The same for unknown keys.
GW_MUST_CHECK gw_status gw_plan_encode_keys(const gw_plan_answer *answer, const gw_released_keys *keys, gw_hash salt,
                                            gw_buffer *ret_document);
// The most bytes an answer to the plan has, by the public sizes.
size_t gw_plan_answer_bytes(const gw_plan *plan);
// What bounding did and what that can do to the figures: from the policy alone, one sentence or two; none where a
// person is one row that counts once.
#define GW_PLAN_NOTE_MAX 2048u
void gw_plan_bounds_note(const gw_plan *plan, gw_buffer *ret_text);
// The most that one person's values add up to where a total is bounded: in the unit of `of`, without weights.
void gw_plan_person_total(const gw_plan *plan, char text[GW_DECIMAL_TEXT]);
// Whether any value the statement looks at moves with other people's records: such effects are not protected, and the
// answer's note says so.
bool gw_plan_depends_on_household(const gw_plan *plan);
