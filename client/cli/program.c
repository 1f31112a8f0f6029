// SPDX-License-Identifier: Apache-2.0
// Starting programs. A child that can't be started says so through its exit code 127.
#include "client/cli/program.h"
#include "service/base/check.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool own_folder(char path[PATH_MAX]) {
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (size <= 0)
        return false;
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

static bool beside(const char *name, char path[4096]) {
    char folder[PATH_MAX];
    return own_folder(folder) && snprintf(path, 4096, "%s/%s", folder, name) < 4096;
}

void gw_program_find(const char *name, char path[4096]) {
    if (!beside(name, path) || access(path, X_OK) != 0)
        gw_ignore(snprintf(path, 4096, "%s", name)); // names are short
}

static bool folder_real(const char *folder, char path[4096]) {
    struct stat info;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return false;
    char *real = realpath(folder, NULL);
    bool fits = real != NULL && snprintf(path, 4096, "%s", real) < 4096;
    free(real);
    return fits;
}

bool gw_program_share(const char *named, char path[4096]) {
    char joined[4096];
    const char *folder = named != NULL ? named : getenv("GODWIT_SHARE");
    if (folder != NULL)
        return folder_real(folder, path);
    return beside("../share/godwit", joined) && folder_real(joined, path);
}

gw_exit_code gw_program_become(gw_cli *cli, const char *name, char *const argv[]) {
    char path[4096];
    gw_problem problem;
    gw_program_find(name, path);
    gw_ignore(fflush(cli->out)); // nothing was said yet by the commands that come here
    execvp(path, argv);
    gw_ignore(gw_problem_set(&problem, GW_UNAVAILABLE, "program_missing", "", "", "")); // returns what it is given
    gw_problem_what(&problem, "The program %s can't be started.", name);
    gw_problem_why(&problem, "The system says: %s. This command needs the service's programs on this machine.",
                   strerror(errno));
    gw_problem_mend(&problem, "Install godwit's service beside this command, or run it on the service's machine.");
    return gw_fail(cli, &problem);
}

// Between fork and exec: only calls that are safe there.
static bool child_prepare(gw_program_streams streams) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (streams.is_detached) {
        int nothing = open("/dev/null", O_RDONLY);
        if (setsid() < 0 || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
            return false;
    }
    return streams.out < 0 || (dup2(streams.out, STDOUT_FILENO) >= 0 && dup2(streams.out, STDERR_FILENO) >= 0);
}

pid_t gw_program_start(const char *name, char *const argv[], gw_program_streams streams) {
    char path[4096];
    gw_program_find(name, path);
    pid_t child = fork();
    if (child != 0)
        return child;
    if (child_prepare(streams))
        execvp(path, argv);
    _exit(127);
}

int gw_program_exit_code(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}
