// SPDX-License-Identifier: Apache-2.0
// What doctor looks at beside the ledger itself: restores that wait, who could sign one, the clock, where the
// high-water mark lies, room kept aside, and that every file of the published log is there. Changes nothing. Thread
// safety: one thread.   Depends on: config.h, doctor_report.h, ledger/ledger.h, audit/tile.h.
#pragma once
#include "service/config.h"
#include "service/doctor_report.h"
#include "service/store/store.h"

// `reader`, `size`, `time_last`: of the database as it was read.
void gw_doctor_state(const gw_config *config, gw_store_reader *reader, uint64_t size, int64_t time_last,
                     gw_doctor_report *report);
