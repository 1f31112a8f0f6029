// SPDX-License-Identifier: Apache-2.0
// The staging database of a load: one table per table of the plan, rows appended as numbers, with the person's keyed
// hash and the row's number in the source. What needs all rows at once is asked of it: persons with too many rows, the
// order of the snapshot, columns inherited from another table. Thread safety: one user.   Depends on: load.h,
// keyed_hash.h, DuckDB.
#pragma once
#include "service/engine/keyed_hash.h"
#include "service/engine/load.h"

typedef struct gw_stage gw_stage;

GW_MUST_CHECK gw_status gw_stage_open(const gw_load_plan *plan, gw_stage **ret);
void gw_stage_close(gw_stage *stage); // accepts NULL

// Appending, one table at a time: begin, rows, end.
GW_MUST_CHECK gw_status gw_stage_begin(gw_stage *stage, size_t table);
#define GW_STAGE_MISSING UINT64_MAX
// `values` holds one value per column of the table, and `texts` what stands in columns of texts. `pick` orders a
// person's rows when some must go.
GW_MUST_CHECK gw_status gw_stage_append(gw_stage *stage, const uint64_t *values, const gw_bytes *texts,
                                        gw_keyed_hash person, uint64_t pick, uint64_t row);
GW_MUST_CHECK gw_status gw_stage_end(gw_stage *stage);

// Whether a column of texts has more different values than its policy allows; `ret_column` is the first such column,
// or column_count.
GW_MUST_CHECK gw_status gw_stage_check_keys(gw_stage *stage, size_t table, size_t *ret_column);

// Marks the rows past the policy's maximum per person: which those are is decided by `pick` where they will be dropped,
// else by the order of the source. Adds them to the report.
GW_MUST_CHECK gw_status gw_stage_check_persons(gw_stage *stage, size_t table, gw_load_report *report);

// Told before each table, with how much of the writing is done.
typedef struct {
    void (*tell)(void *state, size_t table, double fraction);
    void *state;
} gw_stage_progress;
// Writes the snapshot of all tables. The report gets the rows kept, and the persons that another table does not know.
GW_MUST_CHECK gw_status gw_stage_write(gw_stage *stage, gw_stage_progress progress, gw_load_report *report);
