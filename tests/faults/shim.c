// SPDX-License-Identifier: Apache-2.0
// libc's calls on files, sockets and memory, each in the same three steps: is it one of ours, what does the plan say,
// then the kernel's own call. The kernel is asked directly, so that nothing of libc is needed to find libc.
#include "tests/faults/shim_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DESCRIPTORS 4096

typedef enum { FOREIGN, OURS, PUBLISHED, SIGNERS, SOCKET } owner;
static _Atomic uint8_t owners[DESCRIPTORS];

static owner owner_of(int descriptor) {
    return descriptor >= 0 && descriptor < DESCRIPTORS ? (owner)owners[descriptor] : FOREIGN;
}

static void owner_set(int descriptor, owner whose) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS)
        owners[descriptor] = (uint8_t)whose;
}

// Files below the folder; those of log/ and questions/ are the publisher's, those of keys/ the signer's.
static owner owner_of_path(const char *path) {
    const char *folder = shim_folder();
    size_t size = folder == NULL ? 0 : strlen(folder);
    if (size == 0 || strncmp(path, folder, size) != 0 || (path[size] != '/' && path[size] != '\0'))
        return FOREIGN;
    const char *rest = path + size;
    if (strncmp(rest, "/keys", 5) == 0)
        return SIGNERS;
    return strncmp(rest, "/log", 4) == 0 || strncmp(rest, "/questions", 10) == 0 ? PUBLISHED : OURS;
}

static shim_visit begin(shim_call call, owner whose) {
    if (whose == SOCKET)
        call = call == SHIM_READ ? SHIM_RECEIVE : call == SHIM_WRITE ? SHIM_SEND : call;
    return shim_begin(call, whose != FOREIGN,
                      whose == PUBLISHED ? SHIM_PLACE_PUBLISH
                      : whose == SIGNERS ? SHIM_PLACE_SIGN
                                         : SHIM_PLACE_OTHER);
}

shim_visit shim_begin_on(shim_call call, int descriptor) {
    owner whose = owner_of(descriptor);
    bool is_word = call == SHIM_SEND || call == SHIM_RECEIVE;
    return begin(call, is_word && whose == FOREIGN && shim_is_preloaded() ? SIGNERS : whose);
}

void shim_socket(int descriptor) {
    owner_set(descriptor, SOCKET);
}

// What the caller hears: the kernel's answer, or the plan's.
long shim_finish(const shim_visit *visit, long result) {
    shim_end(visit);
    if (visit->verdict != SHIM_FAIL && visit->verdict != SHIM_FAIL_DONE)
        return result;
    errno = visit->error;
    return -1;
}

// ---- opening and closing

static int open_any(const char *path, int flags, mode_t mode) {
    owner whose = owner_of_path(path);
    if (whose == FOREIGN) {
        int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
        owner_set(descriptor, FOREIGN);
        return descriptor;
    }
    shim_visit visit = begin(SHIM_OPEN, whose);
    if (visit.verdict == SHIM_FAIL || visit.verdict == SHIM_FAIL_DONE) { // an open that failed left no descriptor
        errno = visit.error;
        return -1;
    }
    shim_record_lock();
    bool is_new = (flags & O_CREAT) != 0 && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), error = errno;
    owner_set(descriptor, whose);
    if (descriptor >= 0)
        shim_record_paths(SHIM_EVENT_OPEN, descriptor, is_new ? 1 : (flags & O_TRUNC) != 0 ? 2 : 0, path, NULL);
    shim_record_unlock();
    errno = error;
    shim_end(&visit);
    return descriptor;
}

int open64(const char *path, int flags, ...);
int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_any(path, flags, mode);
}

int close(int descriptor) {
    owner whose = owner_of(descriptor);
    shim_visit visit = begin(SHIM_CLOSE, whose);
    if (visit.verdict == SHIM_FAIL) // the kernel lets go of it whatever it says
        visit.verdict = SHIM_FAIL_DONE;
    shim_record_lock();
    owner_set(descriptor, FOREIGN);
    if (whose != FOREIGN)
        shim_record_add(SHIM_EVENT_CLOSE, descriptor, 0, NULL, 0);
    long result = syscall(SYS_close, descriptor);
    shim_record_unlock();
    return (int)shim_finish(&visit, result);
}

// ---- reading and writing

static size_t shorter(const shim_visit *visit, size_t size) {
    return visit->verdict == SHIM_FAIL_SHORT && size > 1    ? size - 1
           : visit->verdict == SHIM_KILL_WITHIN && size > 1 ? size / 2
                                                            : size;
}

ssize_t read(int descriptor, void *bytes, size_t size) {
    shim_visit visit = begin(SHIM_READ, owner_of(descriptor));
    return DO(visit, SYS_read, descriptor, bytes, shorter(&visit, size));
}

static ssize_t pread_any(int descriptor, void *bytes, size_t size, off_t offset) {
    shim_visit visit = begin(SHIM_READ, owner_of(descriptor));
    return DO(visit, SYS_pread64, descriptor, bytes, shorter(&visit, size), offset);
}

ssize_t pread64(int descriptor, void *bytes, size_t size, off_t offset);
ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset) {
    return pread_any(descriptor, bytes, size, offset);
}

ssize_t pread64(int descriptor, void *bytes, size_t size, off_t offset) {
    return pread_any(descriptor, bytes, size, offset);
}

// By how much a write makes the file longer: only that takes room.
static int64_t growth(int descriptor, off_t offset, int64_t size) {
    struct stat facts;
    off_t at = offset >= 0 ? offset : (off_t)syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
    if (syscall(SYS_fstat, descriptor, &facts) != 0 || at + size <= facts.st_size)
        return 0;
    return at >= facts.st_size ? size : at + size - facts.st_size;
}

// `offset` -1: where the file stands.
static ssize_t write_any(int descriptor, const void *bytes, size_t size, off_t offset) {
    owner whose = owner_of(descriptor);
    shim_visit visit = begin(SHIM_WRITE, whose);
    if (visit.verdict == SHIM_FAIL)
        return shim_finish(&visit, -1);
    size_t count = shorter(&visit, size);
    int64_t more = whose == FOREIGN || whose == SOCKET ? 0 : growth(descriptor, offset, (int64_t)count);
    int64_t room = more > 0 ? shim_room(more) : -1;
    if (room >= 0)
        count -= (size_t)(more - room);
    if (room >= 0 && count == 0) {
        errno = ENOSPC;
        return -1;
    }
    shim_record_lock();
    if (whose != FOREIGN && whose != SOCKET && shim_records()) {
        off_t at = offset >= 0 ? offset : (off_t)syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
        shim_record_add(SHIM_EVENT_WRITE, descriptor, (uint64_t)at, bytes, count);
    }
    long result = offset >= 0 ? syscall(SYS_pwrite64, descriptor, bytes, count, offset)
                              : syscall(SYS_write, descriptor, bytes, count);
    shim_record_unlock();
    return shim_finish(&visit, result);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    return write_any(descriptor, bytes, size, -1);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t offset);
ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
    return write_any(descriptor, bytes, size, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t offset) {
    return write_any(descriptor, bytes, size, offset);
}

static int sync_any(shim_call call, long number, int descriptor) {
    owner whose = owner_of(descriptor);
    shim_visit visit = begin(call, whose);
    if (visit.verdict == SHIM_FAIL)
        return (int)shim_finish(&visit, -1);
    shim_record_lock();
    bool is_done = !shim_swallows();
    long result =
        is_done && !shim_records() ? syscall(number, descriptor) : 0; // a recorded disk is a model: no waiting
    if (is_done && whose != FOREIGN)
        shim_record_add(SHIM_EVENT_SYNC, descriptor, 0, NULL, 0);
    shim_record_unlock();
    return (int)shim_finish(&visit, result);
}

int fsync(int descriptor) {
    return sync_any(SHIM_FSYNC, SYS_fsync, descriptor);
}

int fdatasync(int descriptor) {
    return sync_any(SHIM_FDATASYNC, SYS_fdatasync, descriptor);
}

static int truncate_any(int descriptor, off_t size) {
    owner whose = owner_of(descriptor);
    shim_visit visit = begin(SHIM_TRUNCATE, whose);
    if (visit.verdict == SHIM_FAIL)
        return (int)shim_finish(&visit, -1);
    struct stat facts;
    if (whose != FOREIGN && syscall(SYS_fstat, descriptor, &facts) == 0 && facts.st_size > size)
        shim_room_back(facts.st_size - size);
    shim_record_lock();
    long result = syscall(SYS_ftruncate, descriptor, size);
    if (whose != FOREIGN)
        shim_record_add(SHIM_EVENT_TRUNCATE, descriptor, (uint64_t)size, NULL, 0);
    shim_record_unlock();
    return (int)shim_finish(&visit, result);
}

int ftruncate64(int descriptor, off_t size);
int ftruncate(int descriptor, off_t size) {
    return truncate_any(descriptor, size);
}

int ftruncate64(int descriptor, off_t size) {
    return truncate_any(descriptor, size);
}

// Returns the error instead of setting it. The disk's record takes it for a longer file.
int posix_fallocate(int descriptor, off_t offset, off_t size) {
    owner whose = owner_of(descriptor);
    shim_visit visit = begin(SHIM_ALLOCATE, whose);
    struct stat facts;
    int64_t more = 0;
    if (whose != FOREIGN && syscall(SYS_fstat, descriptor, &facts) == 0 && offset + size > facts.st_size)
        more = offset + size - facts.st_size;
    if (visit.verdict == SHIM_FAIL)
        return visit.error;
    int64_t room = more > 0 ? shim_room(more) : -1;
    if (room >= 0 && room < more)
        return ENOSPC;
    shim_record_lock();
    long result = more == 0 && whose != FOREIGN ? 0 : syscall(SYS_fallocate, descriptor, 0, offset, size);
    if (more > 0)
        shim_record_add(SHIM_EVENT_TRUNCATE, descriptor, (uint64_t)(offset + size), NULL, 0);
    shim_record_unlock();
    shim_end(&visit);
    return visit.verdict == SHIM_FAIL_DONE ? visit.error : result == 0 ? 0 : errno;
}

// ---- names

static int names_any(shim_call call, shim_event_kind kind, const char *path, const char *more, long number) {
    owner whose = owner_of_path(path);
    shim_visit visit = begin(call, whose);
    if (visit.verdict == SHIM_FAIL)
        return (int)shim_finish(&visit, -1);
    shim_record_lock();
    long result = number == SYS_renameat ? syscall(number, AT_FDCWD, path, AT_FDCWD, more)
                  : number == SYS_linkat ? syscall(number, AT_FDCWD, path, AT_FDCWD, more, 0)
                                         : syscall(number, AT_FDCWD, path, 0);
    if (result == 0 && whose != FOREIGN)
        shim_record_paths(kind, -1, 0, path, more);
    int error = errno;
    shim_record_unlock();
    errno = error;
    return (int)shim_finish(&visit, result);
}

int rename(const char *path, const char *more) {
    return names_any(SHIM_RENAME, SHIM_EVENT_RENAME, path, more, SYS_renameat);
}

int link(const char *path, const char *more) {
    return names_any(SHIM_RENAME, SHIM_EVENT_LINK, path, more, SYS_linkat);
}

int unlink(const char *path) {
    struct stat facts;
    if (owner_of_path(path) != FOREIGN && syscall(SYS_newfstatat, AT_FDCWD, path, &facts, 0) == 0)
        shim_room_back(facts.st_nlink == 1 ? facts.st_size : 0);
    return names_any(SHIM_UNLINK, SHIM_EVENT_UNLINK, path, NULL, SYS_unlinkat);
}

int mkdir(const char *path, mode_t mode) {
    owner whose = owner_of_path(path);
    shim_visit visit = begin(SHIM_MKDIR, whose);
    if (visit.verdict == SHIM_FAIL)
        return (int)shim_finish(&visit, -1);
    shim_record_lock();
    long result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    int error = errno;
    if (result == 0 && whose != FOREIGN)
        shim_record_paths(SHIM_EVENT_FOLDER, -1, 0, path, NULL);
    shim_record_unlock();
    errno = error;
    return (int)shim_finish(&visit, result);
}

static int stat_any(const char *path, void *facts, int flags) {
    shim_visit visit = begin(SHIM_STAT, owner_of_path(path));
    return (int)DO(visit, SYS_newfstatat, AT_FDCWD, path, facts, flags);
}

int stat(const char *path, struct stat *facts) {
    return stat_any(path, facts, 0);
}

int stat64(const char *path, struct stat64 *facts) {
    return stat_any(path, facts, 0);
}

int lstat(const char *path, struct stat *facts) {
    return stat_any(path, facts, AT_SYMLINK_NOFOLLOW);
}

int lstat64(const char *path, struct stat64 *facts) {
    return stat_any(path, facts, AT_SYMLINK_NOFOLLOW);
}

static int fstat_any(int descriptor, void *facts) {
    shim_visit visit = begin(SHIM_STAT, owner_of(descriptor));
    return (int)DO(visit, SYS_fstat, descriptor, facts);
}

int fstat(int descriptor, struct stat *facts) {
    return fstat_any(descriptor, facts);
}

int fstat64(int descriptor, struct stat64 *facts) {
    return fstat_any(descriptor, facts);
}

// With a disk of so many bytes: what is left of them.
int statvfs(const char *path, struct statvfs *facts) {
    shim_visit visit = begin(SHIM_STAT, owner_of_path(path));
    struct statfs kernel;
    long result = DO(visit, SYS_statfs, path, &kernel);
    if (result != 0)
        return -1;
    memset(facts, 0, sizeof(*facts));
    facts->f_bsize = facts->f_frsize = (unsigned long)kernel.f_bsize;
    facts->f_blocks = (fsblkcnt_t)kernel.f_blocks;
    facts->f_bfree = (fsblkcnt_t)kernel.f_bfree;
    facts->f_bavail = (fsblkcnt_t)kernel.f_bavail;
    int64_t room = owner_of_path(path) == FOREIGN ? -1 : shim_room_left();
    if (room >= 0) {
        facts->f_frsize = 1;
        facts->f_bavail = (fsblkcnt_t)room;
    }
    return 0;
}
