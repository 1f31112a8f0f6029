// SPDX-License-Identifier: Apache-2.0
// A demo's folder. The process that serves it is known by id and start time, so that no other one is ever signalled.
#include "client/cli/demo_folder.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define MARKER ".godwit-demo"
#define DAEMON_FILE "daemon.pid"
#define TREE_DEPTH 16 // folders open at once
#define STOP_TRIES 200
#define STOP_PAUSE_NS 50000000L

typedef struct {
    long pid;
    unsigned long long started; // clock ticks since boot
} process;

// Field 22 of /proc/PID/stat; the name before it may hold anything but ends at the last ')'.
static bool process_started(long pid, unsigned long long *ret_started) {
    char path[64];
    GW_CLEANUP(gw_buffer_done) gw_buffer stat;
    gw_problem problem;
    gw_buffer_init(&stat, 4096);
    gw_ignore(snprintf(path, sizeof(path), "/proc/%ld/stat", pid)); // it fits
    if (gw_file_read(path, &stat, &problem) != GW_OK)
        return false;
    const char *at = strrchr(gw_buffer_string(&stat), ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return false;
    *ret_started = strtoull(at + 1, NULL, 10);
    return true;
}

static bool is_same_process(const process *noted) {
    unsigned long long started;
    return process_started(noted->pid, &started) && started == noted->started;
}

// The demo's own daemon, if it still runs: asked to drain, then ended.
static void daemon_stop(const char *folder) {
    char path[4096 + 32];
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_problem problem;
    process daemon;
    gw_buffer_init(&text, 256);
    gw_ignore(snprintf(path, sizeof(path), "%s/" DAEMON_FILE, folder)); // room was checked by the caller
    if (gw_file_read(path, &text, &problem) != GW_OK ||
        sscanf(gw_buffer_string(&text), "%ld %llu", &daemon.pid, &daemon.started) != 2 || daemon.pid <= 1)
        return;
    const struct timespec pause = {0, STOP_PAUSE_NS};
    for (int i = 0; i < STOP_TRIES && is_same_process(&daemon); i++) {
        kill((pid_t)daemon.pid, i == STOP_TRIES - 1 ? SIGKILL : i == 0 ? SIGTERM : 0);
        nanosleep(&pause, NULL);
    }
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info, (void)type, (void)where;
    return remove(path);
}

static bool is_empty(const char *path) {
    DIR *listing = opendir(path);
    if (listing == NULL)
        return false;
    bool has_entry = false;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        has_entry |= strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return !has_entry;
}

static gw_status not_a_demo(const char *path, gw_problem *ret_problem) {
    gw_status status =
        gw_problem_set(ret_problem, GW_CONFLICT, "not_a_demo", "",
                       "It was not made by godwit demo, so I leave it alone.", "godwit demo --dir another-folder");
    gw_problem_what(ret_problem, "There is something else in %.200s.", path);
    return status;
}

// A service holds its lock as long as it lives. One that is still there after the demo's own was stopped was started by
// somebody, and has its state in here.
static bool is_served(const char *path) {
    char lock[4096 + 32];
    gw_ignore(snprintf(lock, sizeof(lock), "%s/state/lock", path)); // room was checked by the caller
    GW_CLEANUP(gw_closep) int descriptor = open(lock, O_RDONLY | O_CLOEXEC);
    return descriptor >= 0 && flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

static gw_status still_served(const char *path, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_CONFLICT, "demo_in_use", "",
                                      "It was not started by the demo, so I leave it and its folder alone.", "");
    gw_problem_what(ret_problem, "A service runs on the old demo in %.200s.", path);
    gw_problem_mend(ret_problem, "Stop that godwit serve first, or: godwit demo --dir another-folder");
    return status;
}

static gw_status old_remove(const char *path, gw_problem *ret_problem) {
    char marker[4096 + 32];
    if (access(path, F_OK) != 0 || is_empty(path))
        return GW_OK;
    gw_ignore(snprintf(marker, sizeof(marker), "%s/" MARKER, path)); // room was checked by the caller
    if (access(marker, F_OK) != 0)
        return not_a_demo(path, ret_problem);
    daemon_stop(path);
    if (is_served(path))
        return still_served(path, ret_problem);
    if (nftw(path, remove_one, TREE_DEPTH, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0)
        return GW_OK;
    gw_status status = gw_problem_set(ret_problem, GW_IO, "file_unwritable", "The old demo can't be removed.", "", "");
    gw_problem_why(ret_problem, "The system says: %s.", strerror(errno));
    gw_problem_mend(ret_problem, "rm -rf %s", path);
    return status;
}

gw_status gw_demo_folder_enter(const char *path, gw_problem *ret_problem) {
    if (strlen(path) >= 4000)
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of the folder is too long.", "",
                              "--dir DIR");
    gw_status status = old_remove(path, ret_problem);
    if (status == GW_OK)
        status = gw_folder_make(path, 0700, ret_problem);
    if (status == GW_OK && chdir(path) != 0) {
        status = gw_problem_set(ret_problem, GW_IO, "file_unwritable", "", "", "");
        gw_problem_what(ret_problem, "I can't go into %.200s.", path);
        gw_problem_why(ret_problem, "The system says: %s.", strerror(errno));
    }
    if (status == GW_OK)
        status = gw_file_replace(MARKER, gw_bytes_of("made by godwit demo; the next one may remove this folder\n"),
                                 0644, ret_problem);
    return status;
}

gw_status gw_demo_folder_note(pid_t daemon, gw_problem *ret_problem) {
    char text[64];
    process noted = {.pid = daemon};
    if (!process_started(daemon, &noted.started))
        return GW_OK; // it ended already, and the first question will say so
    gw_ignore(snprintf(text, sizeof(text), "%ld %llu\n", noted.pid, noted.started)); // it fits
    return gw_file_replace(DAEMON_FILE, gw_bytes_of(text), 0644, ret_problem);
}
