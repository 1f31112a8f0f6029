// SPDX-License-Identifier: Apache-2.0
// Locks, free space, the kind of filesystem, and a synced write at a place.
#include "service/store/durable.h"
#include "service/base/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

static gw_status lock_problem(gw_problem *ret_problem, int error) {
    char reason[128];
    return gw_problem_set(ret_problem, GW_IO, "lock_file", "The lock file cannot be used.",
                          strerror_r(error, reason, sizeof(reason)), "");
}

gw_status gw_durable_lock(const char *path, int *ret_descriptor, gw_problem *ret_problem) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return lock_problem(ret_problem, errno);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return lock_problem(ret_problem, errno);
        return gw_problem_set(ret_problem, GW_BUSY, "locked", "Another godwitd uses this state folder.",
                              "Two writers would spend one budget twice.", "godwit status");
    }
    // For people and for gw_durable_lock_holder: the lock itself is the kernel's.
    char text[32];
    int size = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text, (size_t)size, 0) != size)
        return lock_problem(ret_problem, errno);
    *ret_descriptor = descriptor;
    descriptor = -1;
    return GW_OK;
}

gw_status gw_durable_lock_holder(const char *path, pid_t *ret_pid) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[32] = "", *end;
    if (descriptor < 0 || flock(descriptor, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return GW_NOT_FOUND;
    ssize_t size = pread(descriptor, text, sizeof(text) - 1, 0);
    long pid = size > 0 ? strtol(text, &end, 10) : 0;
    if (pid <= 1 || *end != '\n')
        return GW_NOT_FOUND;
    *ret_pid = (pid_t)pid;
    return GW_OK;
}

// Filesystems on other machines, or whose syncs end in another process.
static const unsigned long network_magics[] = {
    NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, AFS_SUPER_MAGIC,
    CODA_SUPER_MAGIC, V9FS_MAGIC,      CEPH_SUPER_MAGIC, FUSE_SUPER_MAGIC, NCP_SUPER_MAGIC,
    0x0BD00BD0, // Lustre
    0x01161970, // GFS2
    0x47504653, // GPFS
};

gw_status gw_durable_check_local(const char *folder, gw_problem *ret_problem) {
    struct statfs facts;
    if (statfs(folder, &facts) != 0)
        return gw_problem_set(ret_problem, GW_IO, "state_folder", "The state folder cannot be read.", "", "");
    for (size_t i = 0; i < sizeof(network_magics) / sizeof(network_magics[0]); i++)
        if ((unsigned long)facts.f_type == network_magics[i])
            return gw_problem_set(ret_problem, GW_UNAVAILABLE, "network_filesystem",
                                  "The state folder is on a network or user-space filesystem.",
                                  "Its locks and syncs promise less than the ledger needs.",
                                  "Put the state folder on a local disk.");
    return GW_OK;
}

// A line of mountinfo: id, parent, device, root, place, options, …, "-", kind, …
static bool mount_kind(const char *line, unsigned long long id, char ret_kind[32]) {
    const char *dash = strstr(line, " - ");
    return dash != NULL && strtoull(line, NULL, 10) == id && sscanf(dash + 3, "%31s", ret_kind) == 1;
}

void gw_durable_filesystem(const char *folder, char ret_kind[32], bool *ret_lasts) {
    struct statfs facts;
    struct statx mount;
    char line[8192];
    ret_kind[0] = '\0';
    *ret_lasts = statfs(folder, &facts) != 0 ||
                 ((unsigned long)facts.f_type != TMPFS_MAGIC && (unsigned long)facts.f_type != RAMFS_MAGIC);
    if (statx(AT_FDCWD, folder, 0, STATX_MNT_ID, &mount) != 0 || (mount.stx_mask & STATX_MNT_ID) == 0)
        return; // an old kernel
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (mount_kind(line, mount.stx_mnt_id, ret_kind))
            break;
    if (file != NULL)
        fclose(file);
}

gw_status gw_durable_free_bytes(const char *folder, uint64_t *ret_bytes) {
    struct statvfs facts;
    if (statvfs(folder, &facts) != 0)
        return GW_IO;
    *ret_bytes = (uint64_t)facts.f_bavail * facts.f_frsize;
    return GW_OK;
}

gw_status gw_durable_ballast_keep(const char *path) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0 || posix_fallocate(descriptor, 0, GW_BALLAST_BYTES) != 0)
        return GW_IO;
    return GW_OK;
}

void gw_durable_ballast_drop(const char *path) {
    unlink(path);
}

gw_status gw_durable_write_at(int descriptor, const void *bytes, size_t size, uint64_t offset) {
    const char *rest = bytes;
    while (size > 0) {
        ssize_t count = pwrite(descriptor, rest, size, (off_t)offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return GW_IO;
        rest += count;
        size -= (size_t)count;
        offset += (uint64_t)count;
    }
    return fdatasync(descriptor) == 0 ? GW_OK : GW_IO;
}
