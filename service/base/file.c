// SPDX-License-Identifier: Apache-2.0
// Careful files. A replacement is: new file beside the old, synced; renamed over it; folder synced. A crash at any step
// leaves the old or the new bytes under the name, and at worst a stale `.new` beside it that the next write overwrites.
#include "service/base/file.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define READ_SIZE 65536u

static gw_status file_problem(gw_problem *problem, const char *code, const char *what, const char *path, int error) {
    gw_ignore(gw_problem_set(problem, GW_IO, code, "", "", "")); // returns what it was given
    char reason[128];
    gw_problem_what(problem, "%s: %s", what, path);
    gw_problem_why(problem, "The system says: %s.", strerror_r(error, reason, sizeof(reason)));
    return GW_IO;
}

static gw_status read_open(const char *path, gw_problem *ret_problem, int *ret_descriptor) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        int error = errno;
        gw_ignore(file_problem(ret_problem, "file_missing", "There is no such file", path, error));
        if (ret_problem != NULL)
            ret_problem->status = GW_NOT_FOUND;
        return GW_NOT_FOUND;
    }
    if (descriptor < 0)
        return file_problem(ret_problem, "file_unreadable", "The file cannot be opened", path, errno);
    *ret_descriptor = descriptor;
    return GW_OK;
}

// Forgets what a failed read appended: on failure nothing has changed.
static void read_undo(gw_buffer *buffer, size_t size) {
    if (buffer->data == NULL)
        return;
    explicit_bzero(buffer->data + size, buffer->size - size);
    buffer->size = size;
}

static gw_status read_all(int descriptor, const char *path, gw_buffer *buffer, gw_problem *ret_problem) {
    size_t start = buffer->size;
    uint8_t block[READ_SIZE];
    ssize_t count;
    gw_status status = GW_OK;
    while (status == GW_OK && (count = read(descriptor, block, sizeof(block))) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            status = file_problem(ret_problem, "file_unreadable", "The file cannot be read", path, errno);
        } else if ((size_t)count > buffer->size_max - buffer->size) {
            status = gw_problem_set(ret_problem, GW_LIMIT, "file_too_big", "", "", "");
            gw_problem_what(ret_problem, "The file is too big: %s", path);
            gw_problem_why(ret_problem, "At most %zu bytes are read here.", buffer->size_max - start);
        } else {
            gw_buffer_append(buffer, block, (size_t)count);
            status = buffer->status;
        }
    }
    explicit_bzero(block, sizeof(block));
    if (status != GW_OK)
        read_undo(buffer, start);
    return status;
}

gw_status gw_file_read(const char *path, gw_buffer *buffer, gw_problem *ret_problem) {
    if (buffer->status != GW_OK)
        return buffer->status;
    GW_CLEANUP(gw_closep) int descriptor = -1;
    gw_status status = read_open(path, ret_problem, &descriptor);
    if (status != GW_OK)
        return status;
    gw_buffer_append(buffer, "", 0); // an empty file still gives an empty string
    return read_all(descriptor, path, buffer, ret_problem);
}

static bool write_all(int descriptor, gw_bytes bytes) {
    for (size_t done = 0; done < bytes.size;) {
        ssize_t count = write(descriptor, bytes.data + done, bytes.size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

// The folder that holds `path`, without following `path` itself.
static bool folder_of(const char *path, char folder[PATH_MAX]) {
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    if (size >= PATH_MAX)
        return false;
    memcpy(folder, slash == NULL ? "." : path, size);
    folder[size] = '\0';
    return true;
}

gw_status gw_folder_sync(const char *path) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0)
        return GW_IO;
    return GW_OK;
}

gw_status gw_file_sync_folder_of(const char *path) {
    char folder[PATH_MAX];
    if (!folder_of(path, folder))
        return GW_IO;
    return gw_folder_sync(folder);
}

// Writes and syncs the file beside; on failure removes it again.
static bool replace_write(const char *path, gw_bytes bytes, unsigned mode) {
    GW_CLEANUP(gw_closep)
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
    if (descriptor < 0)
        return false;
    // fchmod because a stale file keeps its old mode and umask narrows a new one.
    if (fchmod(descriptor, (mode_t)mode) == 0 && write_all(descriptor, bytes) && fsync(descriptor) == 0)
        return true;
    int error = errno;
    unlink(path);
    errno = error;
    return false;
}

gw_status gw_file_replace(const char *path, gw_bytes bytes, unsigned mode, gw_problem *ret_problem) {
    char path_new[PATH_MAX];
    int length = snprintf(path_new, sizeof(path_new), "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof(path_new))
        return file_problem(ret_problem, "file_unwritable", "The path is too long", path, ENAMETOOLONG);
    if (!replace_write(path_new, bytes, mode))
        return file_problem(ret_problem, "file_unwritable", "The file cannot be written", path, errno);
    // A crash up to here leaves the old bytes; after the rename either, until the folder is synced.
    if (rename(path_new, path) != 0) {
        int error = errno;
        unlink(path_new);
        return file_problem(ret_problem, "file_unwritable", "The file cannot be replaced", path, error);
    }
    if (gw_file_sync_folder_of(path) != GW_OK)
        return file_problem(ret_problem, "file_unsynced", "The file is written but perhaps not durable", path, errno);
    return GW_OK;
}

static bool is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

// Makes one folder durable in its parent; an existing one is fine.
static bool folder_make_one(const char *path, unsigned mode) {
    if (mkdir(path, (mode_t)mode) == 0)
        return gw_file_sync_folder_of(path) == GW_OK;
    int error = errno;
    if (is_folder(path)) // EEXIST, or EROFS and the like on the way to an existing one
        return true;
    errno = error == EEXIST ? ENOTDIR : error;
    return false;
}

gw_status gw_folder_make(const char *path, unsigned mode, gw_problem *ret_problem) {
    char partial[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof(partial))
        return file_problem(ret_problem, "folder_unwritable", "The path is empty or too long", path, ENAMETOOLONG);
    memcpy(partial, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        partial[i] = '\0';
        if (partial[i - 1] != '/' && partial[i - 1] != '\0' && !folder_make_one(partial, mode))
            return file_problem(ret_problem, "folder_unwritable", "The folder cannot be made", partial, errno);
        if (i < size)
            partial[i] = '/';
    }
    return GW_OK;
}
