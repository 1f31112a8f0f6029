// SPDX-License-Identifier: Apache-2.0
// One godwit-engine process as its parent sees it: started on a socketpair with an empty environment and no other open
// file, in a process group of its own so that a terminal's interrupt reaches it only through its parent.
// Thread safety: one user per child; starting is safe from any thread.   Depends on: codec.h.
#pragma once
#include "service/engine/codec.h"
#include <sys/types.h>

typedef struct {
    pid_t pid;      // 0 = none
    int descriptor; // the parent's end; -1 = none
} gw_engine_child;

#define GW_ENGINE_CHILD_NONE ((gw_engine_child){.pid = 0, .descriptor = -1})

// `arguments` are those of main, argv[0] included, ended by NULL. GW_UNAVAILABLE when the program cannot be started.
GW_MUST_CHECK gw_status gw_engine_child_start(const char *program, const char *const arguments[],
                                              gw_engine_child *ret_child);
// Waits for the child's first frame. GW_UNAVAILABLE when it is of another build, or silent until the deadline.
GW_MUST_CHECK gw_status gw_engine_child_greet(gw_engine_child *child, int64_t deadline_ms);
// Hangs up, gives it `patience_ms` to end by itself, kills it otherwise, reaps it. Leaves NONE.
void gw_engine_child_stop(gw_engine_child *child, int64_t patience_ms);
