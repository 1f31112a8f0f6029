// SPDX-License-Identifier: Apache-2.0
// Answers as they were saved, and groups of their cells: read from files, picked by keys like "c_birth=NAT,sex=F",
// added up into the parts that ranges are worked out from. No service is asked.
// Thread safety: pure but for reading files.   Depends on: privacy/combine.h, wire/answer.h.
#pragma once
#include "client/cli/cli.h"
#include "privacy/combine.h"
#include "privacy/cost.h"
#include "privacy/derive/moments.h"
#include "service/wire/answer.h"

typedef struct {
    const char *path; // in the arena
    gw_answer answer;
    gw_statistic statistic;
    double step;           // of counts, sums and nets, in the unit of the answer
    double minimum, range; // of rates, shares and means; range: of variances and standard deviations, and a step over a
                           // step of ratios of sums
} gw_saved;

typedef enum {
    GW_SAVED_PROVEN,     // the receipt beside it holds
    GW_SAVED_NO_RECEIPT, // none lies beside it
    GW_SAVED_NO_KEY,     // one does, but no key is known to believe it under
    GW_SAVED_DUMMY,      // made from the policy alone: there is nothing to prove
} gw_saved_proof;

// `name`: a file, or a release whose RELEASE.answer.json is in this folder. A receipt beside it is checked: one that
// does not hold is GW_CORRUPT. Codes: several_tables, not_comparable, file_missing, file_unreadable, not_an_answer, and
// those of receipts.
GW_MUST_CHECK gw_status gw_saved_read(const gw_cli *cli, const char *name, gw_arena *arena, gw_saved *ret,
                                      gw_saved_proof *ret_proof, gw_problem *ret_problem);

// Some cells of one answer.
typedef struct {
    const gw_saved *saved;
    const char *key; // as it was typed
    bool *is_in;     // one per cell
    size_t cell_count;
} gw_saved_group;
// "all", or concepts of the breakdown with a code each; concepts left out are pooled.
// Codes: bad_key, unknown_concept, unknown_code (each with "Did you mean"), option_twice.
GW_MUST_CHECK gw_status gw_saved_pick(const gw_saved *saved, const char *key, gw_arena *arena, gw_saved_group *ret,
                                      gw_problem *ret_problem);
// The place of a concept in the breakdown. Code: unknown_concept.
GW_MUST_CHECK gw_status gw_saved_axis(const gw_saved *saved, const char *concept, size_t *ret, gw_problem *ret_problem);
// Two answers of one release are one draw of noise.
bool gw_saved_is_same(const gw_saved *a, const gw_saved *b);
bool gw_saved_overlap(const gw_saved_group *a, const gw_saved_group *b);

// Part `part` summed over the group's cells; and a share's other side: all cells that are in neither (`b` may be NULL).
gw_combine_part gw_saved_sum(const gw_saved_group *group, size_t part);
gw_combine_part gw_saved_rest(const gw_saved_group *a, const gw_saved_group *b);
// Rates, means: from both parts. Shares: against all other cells.
gw_combine_ratio gw_saved_ratio(const gw_saved_group *group);
// Variances, standard deviations: from all three.
gw_moments gw_saved_moments(const gw_saved_group *group);
bool gw_saved_is_spread(const gw_saved *saved);
bool gw_saved_is_ratio(const gw_saved *saved);
