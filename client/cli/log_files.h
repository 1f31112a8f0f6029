// SPDX-License-Identifier: Apache-2.0
// The entries of a log/ folder, read in order from its entry bundles (C2SP tlog-tiles). Reading is not checking: for
// showing what a log says; `audit verify` says whether it may be believed.
// Thread safety: one thread.   Depends on: service/audit/{entry,note}.h.
#pragma once
#include "service/audit/entry.h"

// Calls `each` for entries [first, size), where size is what the folder's checkpoint states; stops when it returns
// false. Codes: log_missing, log_unreadable, and those of gw_entry_decode.
GW_MUST_CHECK gw_status gw_log_files_read(const char *folder, uint64_t first,
                                          bool (*each)(void *state, const gw_entry *entry), void *state,
                                          gw_problem *ret_problem);
// The size its checkpoint states, unverified.
GW_MUST_CHECK gw_status gw_log_files_size(const char *folder, uint64_t *ret_size, gw_problem *ret_problem);
// --log, else ./log, ./state/log, or the folder itself where it has a checkpoint. Code: log_missing.
GW_MUST_CHECK gw_status gw_log_files_find(const char *named, char path[4096], gw_problem *ret_problem);
