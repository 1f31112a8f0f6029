// SPDX-License-Identifier: Apache-2.0
// What the ledger asks of the disk beneath it: one daemon, a local filesystem, room to go on, and room kept aside.
// Thread safety: safe.   Depends on: base/problem.h.
#pragma once
#include "service/base/problem.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Takes an flock on `path` (made when absent) for the life of the descriptor. GW_BUSY, code locked: another process has
// it.
GW_MUST_CHECK gw_status gw_durable_lock(const char *path, int *ret_descriptor, gw_problem *ret_problem);
// The process that holds that lock now; GW_NOT_FOUND where none does. It wrote its number into the file.
GW_MUST_CHECK gw_status gw_durable_lock_holder(const char *path, pid_t *ret_pid);
// Refuses network filesystems (code network_filesystem): their locks and syncs promise less than they say.
GW_MUST_CHECK gw_status gw_durable_check_local(const char *folder, gw_problem *ret_problem);
// Its kind as the kernel names it ("ext4"), "" where that cannot be found out. `ret_lasts`: false where it is in memory
// alone.
void gw_durable_filesystem(const char *folder, char ret_kind[32], bool *ret_lasts);
// Bytes that an unprivileged process may still write there.
GW_MUST_CHECK gw_status gw_durable_free_bytes(const char *folder, uint64_t *ret_bytes);
// A file of real blocks, given up when the disk is full so that recovery has room.
#define GW_BALLAST_BYTES (4u << 20)
GW_MUST_CHECK gw_status gw_durable_ballast_keep(const char *path);
void gw_durable_ballast_drop(const char *path);
// Writes all bytes at `offset` and syncs the data. Any failure leaves the outcome unknown: don't try again.
GW_MUST_CHECK gw_status gw_durable_write_at(int descriptor, const void *bytes, size_t size, uint64_t offset);
