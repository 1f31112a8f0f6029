// SPDX-License-Identifier: Apache-2.0
// Asks the daemon as a client does, over a connection of its own, and tells the supervisor only when it answered.
// nng's one thread that closes connections can get stuck on a connection that ends in the middle of a message; a daemon
// in which that happened still runs, takes no new connections, and would never be found out by looking at its own
// threads. The supervisor ends a daemon that was silent for too long, and starts it again.
// Thread safety: start and stop from one thread.   Depends on: bus/ask.h, notify.h.
#pragma once
#include "service/base/problem.h"

#include <stdint.h>

typedef struct gw_watchdog gw_watchdog;
typedef struct {
    const char *url, *origin; // copied
    int64_t patience_ms;      // the supervisor's; it is told at least twice in that time
    // How many requests were answered so far. A ping that finds the queue full counts where this grows.
    uint64_t (*progress)(void *state);
    void *state;
} gw_watchdog_options;

GW_MUST_CHECK gw_status gw_watchdog_start(const gw_watchdog_options *options, gw_watchdog **ret,
                                          gw_problem *ret_problem);
void gw_watchdog_stop(gw_watchdog *watchdog); // waits 5 seconds at most; accepts NULL
