// SPDX-License-Identifier: Apache-2.0
// What an answer must be before it goes into a drafted policy, so that the result passes policy check. Each is a
// gw_answer_check; the comment says what its state is.
// Thread safety: pure but for the arena.   Depends on: client/cli/policy_answers.h, client/cli/policy_draft.h.
#pragma once
#include "client/cli/policy_answers.h"
#include "client/cli/policy_draft.h"

typedef struct {
    const char *const *words;
    size_t count;
    const char *reason;
} gw_word_set;
typedef struct {
    gw_arena *arena;
    const char *list;
} gw_recode_state;

bool gw_check_owned(const void *state, const char *value, char reason[GW_REASON_MAX]);  // no state: owner/name
bool gw_check_column(const void *state, const char *value, char reason[GW_REASON_MAX]); // gw_source: one of its columns
bool gw_check_count(const void *state, const char *value, char reason[GW_REASON_MAX]);  // long: 1 to this
bool gw_check_amount(const void *state, const char *value, char reason[GW_REASON_MAX]); // no state: an epsilon
bool gw_check_word(const void *state, const char *value, char reason[GW_REASON_MAX]);   // gw_word_set: one of them
bool gw_check_words(const void *state, const char *value, char reason[GW_REASON_MAX]); // gw_word_set: some, with commas
bool gw_check_concept(const void *state, const char *value, char reason[GW_REASON_MAX]); // no state
bool gw_check_list(const void *state, const char *value,
                   char reason[GW_REASON_MAX]); // gw_arena: a list of the installation
bool gw_check_codes(const void *state, const char *value, char reason[GW_REASON_MAX]);  // gw_arena: A=Name of A, B
bool gw_check_recode(const void *state, const char *value, char reason[GW_REASON_MAX]); // gw_recode_state: 1=M, 2=F
bool gw_check_number(const void *state, const char *value,
                     char reason[GW_REASON_MAX]); // gw_draft_column: above its min
bool gw_check_total(const void *state, const char *value,
                    char reason[GW_REASON_MAX]); // the gw_draft_column: a multiple of its grid
bool gw_check_grid(const void *state, const char *value,
                   char reason[GW_REASON_MAX]); // gw_draft_column: divides its range
bool gw_check_bands(const void *state, const char *value,
                    char reason[GW_REASON_MAX]); // gw_draft_column: rising, inside, on the grid
bool gw_check_period(const void *state, const char *value, char reason[GW_REASON_MAX]); // the kind of period
