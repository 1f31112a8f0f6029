// SPDX-License-Identifier: Apache-2.0
// What the files of a restore share: where it lies, and how the copy takes the ledger's place.
// Thread safety: one thread.   Depends on: restore.h.
#pragma once
#include "service/recovery/restore.h"

#define RESTORE_PATH 4352

void restore_path(char path[RESTORE_PATH], const char *folder, const char *name);
// The ledger that was there stays beside as godwit.db.before-<from>. Before the rename the old ledger stands, whole;
// after it the new one.
GW_MUST_CHECK gw_status restore_swap(const char *state_folder, const char *work, uint64_t from,
                                     gw_problem *ret_problem);
