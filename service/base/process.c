// SPDX-License-Identifier: Apache-2.0
// Spawning and ending our own processes. A child dies with its parent because its socket hangs up, and it watches that:
// a parent-death signal would follow the thread that spawned it, and restarts happen on worker threads that come and
// go.
#include "service/base/process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int child_actions(posix_spawn_file_actions_t *actions, int descriptor) {
    // Not the same number twice: dup2 onto itself would keep close-on-exec in other libcs than glibc.
    int failed = posix_spawn_file_actions_adddup2(actions, descriptor, GW_PROCESS_DESCRIPTOR);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    return failed;
}

static int child_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    if (failed == 0)
        failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (failed == 0)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    if (failed == 0)
        failed = posix_spawnattr_setflags(attributes,
                                          POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return failed;
}

static int child_spawn(const char *program, const char *const arguments[], int descriptor, pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *const environment[] = {NULL};
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        failed = child_actions(&actions, descriptor);
        if (failed == 0)
            failed = child_attributes(&attributes);
        if (failed == 0)
            failed =
                posix_spawn(ret_pid, program, &actions, &attributes, (char *const *)(uintptr_t)arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

gw_status gw_process_start(const char *program, const char *const arguments[], gw_process *ret_process) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return GW_UNAVAILABLE;
    pid_t pid = 0;
    int failed = child_spawn(program, arguments, pair[1], &pid);
    close(pair[1]);
    if (failed != 0) {
        close(pair[0]);
        return GW_UNAVAILABLE;
    }
    *ret_process = (gw_process){.pid = pid, .descriptor = pair[0]};
    return GW_OK;
}

// Waits for the process to end through a descriptor of it, so no signal handler and no sleeping loop is needed.
static bool child_ends_within(pid_t pid, int64_t patience_ms) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    if (descriptor < 0)
        return false;
    struct pollfd poll_one = {.fd = descriptor, .events = POLLIN};
    int count = poll(&poll_one, 1, (int)patience_ms);
    close(descriptor);
    return count == 1;
}

void gw_process_stop(gw_process *process, int64_t patience_ms) {
    if (process->descriptor >= 0)
        close(process->descriptor);
    if (process->pid > 0) {
        if (patience_ms <= 0 || !child_ends_within(process->pid, patience_ms))
            kill(process->pid, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    *process = GW_PROCESS_NONE;
}
