// SPDX-License-Identifier: Apache-2.0
// The same from outside: strace fails a sample of the scripted run's system calls in the kernel's stead, which no layer
// in the process can miss. A call that is injected but not traced is silently left alone, so every trace must say
// INJECTED.   fault_strace [failures] [seed]       Ends with 77 where nobody may be traced.
#include "service/base/check.h"
#include "tests/faults/script.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILURES_DEFAULT 12
#define ACKS_MAX 256
#define SKIPPED 77

typedef struct {
    const char *calls, *error;
    unsigned when_max; // about as many as the run makes
} injection;
static const injection injections[] = {
    {"fdatasync", "EIO", 16},   {"fsync", "EIO", 24},    {"pwrite64", "ENOSPC", 120},
    {"pwrite64", "EIO", 120},   {"write", "EDQUOT", 12}, {"rename,renameat,renameat2", "EIO", 8},
    {"ftruncate", "EIO", 2},    {"flock", "EINTR", 2},   {"pread64", "EIO", 60},
    {"fallocate", "ENOSPC", 2},
};
#define INJECTIONS (sizeof(injections) / sizeof(injections[0]))

typedef struct {
    fault_state template, state;
    fault_acks *acks;
    char acks_path[160], trace_path[160], policy[24], program[4096];
    unsigned random;
    unsigned long injected, missed, lost, ends[RUN_ENDS];
} campaign;

// ---- the traced process: this program again

static int run_traced(char **arguments) {
    fault_state state = {0};
    if (gw_crypto_init() != GW_OK)
        return 1;
    fault_state_at(&(fault_state){0}, arguments[2], &state);
    state.fixture.policy = strtoull(arguments[4], NULL, 10);
    snprintf(state.fixture.data, sizeof(state.fixture.data), "%s", arguments[5]);
    script run = {.state = &state, .acks = fault_acks_file(arguments[3], ACKS_MAX), .idem = 100};
    return (int)script_run(&run);
}

// ---- the tracer

static int strace_run(campaign *all, const injection *what, unsigned when) {
    char inject[128], trace[80];
    snprintf(trace, sizeof(trace), "trace=%s", what->calls);
    snprintf(inject, sizeof(inject), "inject=%s:error=%s:when=%u", what->calls, what->error, when);
    fflush(NULL);
    pid_t child = fork();
    GW_ASSERT(child >= 0);
    if (child == 0) {
        int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nothing, STDERR_FILENO);
        execlp("strace", "strace", "-f", "-qq", "-o", all->trace_path, "-e", trace, "-e", inject, all->program, "--run",
               all->state.fixture.folder, all->acks_path, all->policy, all->state.fixture.data, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

static bool is_injected(const char *path) {
    char line[1024];
    bool is_there = false;
    FILE *trace = fopen(path, "re");
    while (trace != NULL && !is_there && fgets(line, sizeof(line), trace) != NULL)
        is_there = strstr(line, "(INJECTED)") != NULL;
    if (trace != NULL)
        fclose(trace);
    return is_there;
}

static void inject_once(campaign *all, const injection *what) {
    char text[128];
    unsigned when = 1 + campaign_random(&all->random, what->when_max);
    fault_state_copy(&all->template, &all->state);
    memset(all->acks->all, 0, ACKS_MAX * sizeof(all->acks->all[0]));
    atomic_store(&all->acks->count, 0);
    int status = strace_run(all, what, when);
    run_end end = run_end_of(status);
    bool is_done = is_injected(all->trace_path);
    all->injected += is_done;
    all->missed += !is_done;
    all->ends[end]++;
    snprintf(text, sizeof(text), "LOST: %s %u, %s (the run was %s)", what->calls, when, what->error, run_end_name(end));
    oracle_report report;
    bool is_right = oracle_check(&all->state, all->acks, ORACLE_GOES_ON, text, &report);
    if (report.is_refused || end == RUN_CRASHED)
        fprintf(stderr, "%s %s\n", text, report.code);
    all->lost += !is_right || report.is_refused || end == RUN_CRASHED;
}

// In its own words: "Operation not permitted", or there is no strace.
static bool may_trace(void) {
    return system("strace -o /dev/null -e trace=none true >/dev/null 2>&1") == 0; // NOLINT(cert-env33-c): fixed words
}

int main(int count, char **arguments) {
    if (count == 6 && strcmp(arguments[1], "--run") == 0)
        return run_traced(arguments);
    campaign_arguments given = campaign_read(count, arguments, FAILURES_DEFAULT);
    if (!may_trace()) {
        printf("skipped: no process may be traced here\n");
        return SKIPPED;
    }
    campaign all = {.random = given.seed};
    fault_state_new(&all.template, NULL, false);
    fault_state_clone(&all.template, &all.state);
    snprintf(all.acks_path, sizeof(all.acks_path), "%s.acks", all.state.fixture.folder);
    snprintf(all.trace_path, sizeof(all.trace_path), "%s.trace", all.state.fixture.folder);
    snprintf(all.policy, sizeof(all.policy), "%llu", (unsigned long long)all.state.fixture.policy);
    ssize_t size = readlink("/proc/self/exe", all.program, sizeof(all.program) - 1);
    GW_ASSERT(size > 0);
    all.acks = fault_acks_file(all.acks_path, ACKS_MAX);
    for (unsigned long i = 0; all.injected < given.count && i < given.count * 3; i++)
        inject_once(&all, &injections[i % INJECTIONS]);
    printf("%lu calls failed by strace, %lu runs made fewer:", all.injected, all.missed);
    for (int end = 0; end < RUN_ENDS; end++)
        printf(" %lu %s,", all.ends[end], run_end_name((run_end)end));
    printf(" %lu lost (%.0f s)\n", all.lost, campaign_seconds());
    fault_acks_free(all.acks);
    unlink(all.acks_path);
    unlink(all.trace_path);
    if (all.lost == 0) {
        fault_state_remove(&all.template);
        fault_state_remove(&all.state);
    }
    return all.lost == 0 && all.injected >= given.count ? 0 : 1;
}
