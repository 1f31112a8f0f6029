// SPDX-License-Identifier: Apache-2.0
// Tells the supervisor how the daemon is, by the protocol of sd_notify(3): datagrams to the socket that NOTIFY_SOCKET
// names. Without that variable nothing happens. Thread safety: safe.   Depends on: nothing.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// "READY=1", "STOPPING=1", "WATCHDOG=1", or several lines. False: nobody listens.
bool gw_notify(const char *text);
// RELOADING=1 with the monotonic clock's time, which lets the supervisor tell this reload from an earlier one.
bool gw_notify_reloading(void);
// The supervisor's patience in milliseconds, from WATCHDOG_USEC and WATCHDOG_PID; 0: it does not watch this process.
int64_t gw_notify_watchdog_ms(void);
