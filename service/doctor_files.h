// SPDX-License-Identifier: Apache-2.0
// What doctor says of owners and modes: keys, data and ledger are for their owner alone.
// Thread safety: one thread.   Depends on: config.h, doctor_report.h.
#pragma once
#include "service/config.h"
#include "service/doctor_report.h"

void gw_doctor_files(const gw_config *config, gw_doctor_report *report);
