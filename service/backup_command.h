// SPDX-License-Identifier: Apache-2.0
// `godwitd backup`: takes a backup beside a running daemon, or checks one.
// Thread safety: one thread.   Depends on: recovery/backup.h.
#pragma once

int gw_backup_command(int argc, char **argv);
extern const char gw_backup_help[];
