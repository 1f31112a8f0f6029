// SPDX-License-Identifier: Apache-2.0
// `godwitd restore`: the legitimate way back after a lost or an old ledger.
// Thread safety: one thread.   Depends on: recovery/restore.h, service.h.
#pragma once
#include "service/config.h"

int gw_restore_command(int argc, char **argv);
extern const char gw_restore_help[];
// Completes a restore that was broken off after its ledger took its place; does nothing otherwise, and where a daemon
// holds the folder. Before every start.
GW_MUST_CHECK gw_status gw_restore_resume(const gw_config *config, gw_problem *ret_problem);
