// SPDX-License-Identifier: Apache-2.0
// The system's clocks.
#include "service/base/clock.h"
#include "service/base/check.h"
#include "service/base/crypto.h"
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

// As the kernel writes it: 36 characters, four of them hyphens.
static void system_boot_id(void *state, uint8_t ret[GW_BOOT_ID_SIZE]) {
    (void)state;
    char text[37] = "", hex[2 * GW_BOOT_ID_SIZE + 1];
    size_t size = 0;
    memset(ret, 0, GW_BOOT_ID_SIZE);
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ssize_t count = read(file, text, sizeof(text) - 1);
    close(file);
    for (ssize_t i = 0; i < count && size < sizeof(hex) - 1; i++)
        if (text[i] != '-')
            hex[size++] = text[i];
    if (!gw_unhex(hex, size, ret, GW_BOOT_ID_SIZE))
        memset(ret, 0, GW_BOOT_ID_SIZE);
}

gw_clock gw_clock_system(void) {
    return (gw_clock){
        .unix_seconds = system_unix_seconds, .boot_ms = system_boot_ms, .boot_id = system_boot_id, .state = NULL};
}
