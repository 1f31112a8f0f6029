// SPDX-License-Identifier: Apache-2.0
// The entries of a published log, in order, from its bundles. Reading is not checking: who needs to believe them has
// verified the folder before, and compares the root afterwards.
// Thread safety: one thread.   Depends on: audit/tile.h, store/store.h (its callback).
#pragma once
#include "service/store/store.h"

// Calls `each` for entries [from, size) of a log that has `size`. What is borrowed by the callback stays where it is
// until the next bundle of 256 begins. Codes: those of reading files; bad_bundle (GW_CORRUPT).
GW_MUST_CHECK gw_status log_folder_scan(const char *folder, uint64_t from, uint64_t size, gw_store_entry_each each,
                                        void *state, gw_problem *ret_problem);
