// SPDX-License-Identifier: Apache-2.0
// What every cell says in the flat formats, csv and ndjson, behind its codes: its figures, and whom and what they are
// about, so that a line that is passed on alone still says it. One list, so that both speak alike.
// Thread safety: pure.   Depends on: format/{figures,particulars}.h.
#pragma once
#include "service/format/figures.h"
#include "service/format/particulars.h"

#define GW_FIELDS_MAX 36u
#define GW_FIELD_NAME_MAX (GW_NAME_MAX + 8u)
typedef struct {
    const char *name;
    const char *value; // NULL: none
    bool is_truth;     // "true" or "false"
} gw_field;
typedef struct {
    gw_field items[GW_FIELDS_MAX];
    size_t count;
    size_t adjusted_at;                      // place of the whole numbers of several tables; 0: there are none
    char keys[GW_BY_MAX][GW_FIELD_NAME_MAX]; // names of the codes' columns: the concepts
    char epsilon[GW_EPSILON_TEXT], bounds[GW_BOUNDS_TEXT];
    gw_particulars particulars;
    gw_buffer notice;
} gw_fields;

// estimate, lower, upper, se, flag, unit, statistic, dataset, indicator, release, of, where, epsilon, per, weighted,
// bounds; the statistic's particulars; `level` where it is not 0.95; then `dummy` where the figures are not real, and
// `notice` where there is one. A concept with one of these names becomes "by_" and its name. Borrows `answer` and
// `asked`; free with gw_fields_done.
void gw_fields_init(gw_fields *fields, const gw_answer *answer, const gw_asked *asked);
void gw_fields_done(gw_fields *fields);
void gw_fields_set_cell(gw_fields *fields, const gw_answer_cell *cell); // borrows
