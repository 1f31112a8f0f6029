// SPDX-License-Identifier: Apache-2.0
// Files the careful way: whole reads with a bound, and writes that are on disk (file and directory) before they return.
// Thread safety: safe.   Depends on: buffer.h, problem.h.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

// Appends the whole file to `buffer` (bounded by its maximum). Problem codes: file_missing, file_unreadable,
// file_too_big.
GW_MUST_CHECK gw_status gw_file_read(const char *path, gw_buffer *buffer, gw_problem *ret_problem);
// Writes path.new, fsyncs it, renames it over `path`, fsyncs the folder.
GW_MUST_CHECK gw_status gw_file_replace(const char *path, gw_bytes bytes, unsigned mode, gw_problem *ret_problem);
// mkdir -p; existing folders are fine.
GW_MUST_CHECK gw_status gw_folder_make(const char *path, unsigned mode, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_folder_sync(const char *path);
GW_MUST_CHECK gw_status gw_file_sync_folder_of(const char *path); // syncs the folder that holds the file
