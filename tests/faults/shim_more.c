// SPDX-License-Identifier: Apache-2.0
// The rest of libc that the shim stands before: locks, mappings, sockets, memory.
#include "tests/faults/shim_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// ---- locks

static int fcntl_any(int descriptor, int command, void *argument) {
    bool is_lock = command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK;
    shim_visit visit = {.call = SHIM_LOCK};
    if (is_lock)
        visit = shim_begin_on(SHIM_LOCK, descriptor);
    return (int)DO(visit, SYS_fcntl, descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...);
int fcntl(int descriptor, int command, ...) {
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return fcntl_any(descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...) {
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return fcntl_any(descriptor, command, argument);
}

int flock(int descriptor, int operation) {
    shim_visit visit = shim_begin_on(SHIM_LOCK, descriptor);
    return (int)DO(visit, SYS_flock, descriptor, operation);
}

// SQLite counts its waits for a lock instead of looking at a clock: where locks fail they may as well be short.
int usleep(useconds_t microseconds) {
    if (shim_hurries())
        return 0;
    struct timespec wait = {.tv_sec = microseconds / 1000000, .tv_nsec = (long)(microseconds % 1000000) * 1000};
    return (int)syscall(SYS_nanosleep, &wait, NULL);
}

// ---- mappings of files

static void *mmap_any(void *at, size_t size, int protection, int flags, int descriptor, off_t offset) {
    shim_visit visit = shim_begin_on(SHIM_MMAP, descriptor);
    if (visit.verdict == SHIM_FAIL || visit.verdict == SHIM_FAIL_DONE) {
        errno = visit.error;
        return MAP_FAILED;
    }
    long result = syscall(SYS_mmap, at, size, protection, flags, descriptor, offset);
    shim_end(&visit);
    return (void *)result;
}

void *mmap64(void *at, size_t size, int protection, int flags, int descriptor, off_t offset);
void *mmap(void *at, size_t size, int protection, int flags, int descriptor, off_t offset) {
    return mmap_any(at, size, protection, flags, descriptor, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int descriptor, off_t offset) {
    return mmap_any(at, size, protection, flags, descriptor, offset);
}

// ---- sockets: only descriptors that a process made itself are known as such

int socket(int domain, int type, int protocol) {
    int descriptor = (int)syscall(SYS_socket, domain, type, protocol);
    shim_socket(descriptor);
    return descriptor;
}

int socketpair(int domain, int type, int protocol, int descriptors[2]) {
    int result = (int)syscall(SYS_socketpair, domain, type, protocol, descriptors);
    if (result == 0) {
        shim_socket(descriptors[0]);
        shim_socket(descriptors[1]);
    }
    return result;
}

ssize_t send(int descriptor, const void *bytes, size_t size, int flags) {
    shim_visit visit = shim_begin_on(SHIM_SEND, descriptor);
    return DO(visit, SYS_sendto, descriptor, bytes, size, flags, NULL, 0);
}

ssize_t recv(int descriptor, void *bytes, size_t size, int flags) {
    shim_visit visit = shim_begin_on(SHIM_RECEIVE, descriptor);
    return DO(visit, SYS_recvfrom, descriptor, bytes, size, flags, NULL, NULL);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    shim_visit visit = shim_begin_on(SHIM_SEND, descriptor);
    return DO(visit, SYS_sendmsg, descriptor, message, flags);
}

ssize_t recvmsg(int descriptor, struct msghdr *message, int flags) {
    shim_visit visit = shim_begin_on(SHIM_RECEIVE, descriptor);
    return DO(visit, SYS_recvmsg, descriptor, message, flags);
}

// ---- memory: glibc's own names below the ones that programs may replace

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool memory_is_there(void) {
    shim_visit visit = shim_begin(SHIM_MALLOC, true, SHIM_PLACE_OTHER);
    if (visit.verdict == SHIM_NOTHING)
        return true;
    shim_end(&visit);
    errno = ENOMEM;
    return false;
}

void *malloc(size_t size) {
    return memory_is_there() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t count, size_t size) {
    return memory_is_there() ? __libc_calloc(count, size) : NULL;
}

void *realloc(void *old, size_t size) {
    return memory_is_there() ? __libc_realloc(old, size) : NULL;
}
