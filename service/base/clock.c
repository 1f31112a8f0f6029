// SPDX-License-Identifier: Apache-2.0
// The system's clocks.
#include "service/base/clock.h"
#include "service/base/check.h"
#include <stddef.h>
#include <time.h>

static struct timespec clock_read(clockid_t id) {
    struct timespec now;
    int result = clock_gettime(id, &now);
    GW_ASSERT(result == 0);
    return now;
}

static int64_t system_unix_seconds(void *state) {
    (void)state;
    return clock_read(CLOCK_REALTIME).tv_sec;
}

static int64_t system_boot_ms(void *state) {
    (void)state;
    struct timespec now = clock_read(CLOCK_BOOTTIME);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

gw_clock gw_clock_system(void) {
    return (gw_clock){.unix_seconds = system_unix_seconds, .boot_ms = system_boot_ms, .state = NULL};
}
