// SPDX-License-Identifier: Apache-2.0
// One datagram per message. A path that begins with @ is in the abstract name space.
#include "service/notify.h"

#include "service/base/cleanup.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

bool gw_notify(const char *text) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path ? strlen(path) : 0;
    if (size < 2 || size >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return false;
    memcpy(address.sun_path, path, size);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    GW_CLEANUP(gw_closep) int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return false;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    size_t text_size = strlen(text);
    ssize_t sent;
    do
        sent = sendto(descriptor, text, text_size, MSG_NOSIGNAL, (const struct sockaddr *)&address, length);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)text_size;
}

bool gw_notify_reloading(void) {
    struct timespec now;
    char text[64];
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + (long long)now.tv_nsec / 1000);
    return gw_notify(text);
}

static bool read_number(const char *name, long long *ret) {
    const char *text = getenv(name);
    char *end = NULL;
    if (!text)
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *ret > 0;
}

int64_t gw_notify_watchdog_ms(void) {
    long long microseconds, pid;
    if (!read_number("WATCHDOG_USEC", &microseconds))
        return 0;
    if (getenv("WATCHDOG_PID") && (!read_number("WATCHDOG_PID", &pid) || pid != (long long)getpid()))
        return 0;
    return microseconds / 1000;
}
