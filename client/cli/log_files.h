// SPDX-License-Identifier: Apache-2.0
// The entries of a log/ folder, read in order from its entry bundles (C2SP tlog-tiles). Reading is not checking: for
// showing what a log says; `audit verify` says whether it may be believed. What is missing or cannot be read is
// GW_NOT_FOUND or GW_IO: nobody can check it. What is too short, too long or no entry is GW_CORRUPT, with its number.
// Thread safety: one thread.   Depends on: service/audit/{entry,tile}.h.
#pragma once
#include "service/audit/entry.h"

typedef struct {
    const char *folder;
    uint64_t size;                                    // of the log: it tells how wide the last files are
    uint64_t first, end;                              // entries [first, end), at most all; end 0: up to the size
    bool (*each)(void *state, const gw_entry *entry); // false stops
    void *state;
} gw_log_reading;
// Codes: those of files, bad_bundle, bad_entry.
GW_MUST_CHECK gw_status gw_log_files_scan(const gw_log_reading *reading, gw_problem *ret_problem);
// Entries from `first` to the size that the folder's checkpoint states. Codes also: bad_checkpoint.
GW_MUST_CHECK gw_status gw_log_files_read(const char *folder, uint64_t first,
                                          bool (*each)(void *state, const gw_entry *entry), void *state,
                                          gw_problem *ret_problem);
// The size its checkpoint states, unverified.
GW_MUST_CHECK gw_status gw_log_files_size(const char *folder, uint64_t *ret_size, gw_problem *ret_problem);
// The whole checkpoint as it stands. `note` is appended to.
GW_MUST_CHECK gw_status gw_log_files_note(const char *folder, gw_buffer *note, gw_problem *ret_problem);
// --log, else ./log, ./state/log, or the folder itself where it has a checkpoint. Code: log_missing.
GW_MUST_CHECK gw_status gw_log_files_find(const char *named, char path[4096], gw_problem *ret_problem);
// folder/name; false where it is too long.
bool gw_log_files_path(const char *folder, const char *name, char path[4096]);
// A published file of the width it has at some size, or a wider one that took its place. Appends to `buffer`.
GW_MUST_CHECK gw_status gw_log_files_load(const char *folder, const char *partial, const char *full, gw_buffer *buffer,
                                          gw_problem *ret_problem);
