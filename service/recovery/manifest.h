// SPDX-License-Identifier: Apache-2.0
// What a backup holds: {"godwit_backup":1,"origin":…,"size":…,"root":…,"time":…,"program":…,"files":[{"path":…,
// "bytes":…,"sha256":…},…]}, paths in order, none outside the folder. Inside this room only.
// Thread safety: one thread.   Depends on: backup.h.
#pragma once
#include "service/recovery/backup.h"

// Hashes and syncs every file below `folder` and writes manifest.json there. Fills files and bytes.
GW_MUST_CHECK gw_status manifest_write(const char *folder, backup_report *report, gw_problem *ret_problem);
// Reads manifest.json and every file it names. A file that it does not name is refused too.
GW_MUST_CHECK gw_status manifest_check(const char *folder, backup_report *ret, gw_problem *ret_problem);
