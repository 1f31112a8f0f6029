// SPDX-License-Identifier: Apache-2.0
// Time as a parameter: wall seconds and a clock that only goes forward. Tests hand in a fake.
// Thread safety: as the implementation; the system clock is safe.   Depends on: nothing.
#pragma once
#include <stdint.h>

#define GW_BOOT_ID_SIZE 16

typedef struct gw_clock {
    int64_t (*unix_seconds)(void *state);
    int64_t (*boot_ms)(void *state); // milliseconds since boot, suspended time included
    // Which boot that is; zeros where nobody knows. May be NULL.
    void (*boot_id)(void *state, uint8_t ret[GW_BOOT_ID_SIZE]);
    void *state;
} gw_clock;

gw_clock gw_clock_system(void);
