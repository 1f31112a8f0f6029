// SPDX-License-Identifier: Apache-2.0
// A process of ours as its parent sees it: started on a socketpair with an empty environment and no other open file, in
// a process group of its own so that a terminal's interrupt reaches it only through its parent.
// Thread safety: one user per process; starting is safe from any thread.   Depends on: privacy/status.h.
#pragma once
#include "privacy/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define GW_PROCESS_DESCRIPTOR 3 // the child's end of the socket

typedef struct {
    pid_t pid;      // 0 = none
    int descriptor; // the parent's end; -1 = none
} gw_process;

#define GW_PROCESS_NONE ((gw_process){.pid = 0, .descriptor = -1})

// `arguments` are those of main, argv[0] included, ended by NULL. GW_UNAVAILABLE when the program cannot be started.
GW_MUST_CHECK gw_status gw_process_start(const char *program, const char *const arguments[], gw_process *ret_process);
// Hangs up, gives it `patience_ms` to end by itself, kills it otherwise, reaps it. Leaves NONE.
void gw_process_stop(gw_process *process, int64_t patience_ms);
