// SPDX-License-Identifier: Apache-2.0
// The scripted run: two sessions of a ledger and its publisher, with charges that are sealed, resumed, abandoned, sent
// again and left open, one after the other, so that every run makes the same calls in the same order. And the process
// it runs in. Thread safety: none.   Depends on: oracle.h; shim.h for its words alone (the shim itself only where hooks
// name it).
#pragma once
#include "tests/faults/oracle.h"
#include "tests/faults/shim.h"
#include <sys/types.h>

// What a run tells the shim; all may be NULL.
typedef struct {
    shim_place (*at)(shim_place place);
    void (*point)(void);
    void (*mark)(uint64_t acknowledged);
} script_hooks;

typedef struct {
    const fault_state *state;
    fault_acks *acks;
    script_hooks hooks;
    uint64_t idem;           // of the first request
    bool is_left_by_a_fault; // its start is a recovery
    bool is_short;           // the first session alone
    uint64_t free_bytes_min;
} script;

// Both sessions. An unknown outcome ends the process with 70, as it ends the daemon.
typedef enum { SCRIPT_DONE = 0, SCRIPT_REFUSED = 3 } script_end;
#define SCRIPT_EXIT_UNKNOWN 70
script_end script_run(const script *run);

// How a process ended.
typedef enum { RUN_DONE, RUN_REFUSED, RUN_UNKNOWN, RUN_KILLED, RUN_CRASHED, RUN_HUNG, RUN_ENDS } run_end;
const char *run_end_name(run_end end);
run_end run_end_of(int status); // as waitpid tells it
run_end run_wait(pid_t child);
// Forks; the child calls `call` and exits with what it returns. At most a minute.
run_end run_forked(int (*call)(void *state), void *state);

// Numbers for arguments: program [count] [seed].
typedef struct {
    unsigned long count;
    unsigned seed;
} campaign_arguments;
campaign_arguments campaign_read(int count, char **arguments, unsigned long count_default);
unsigned campaign_random(unsigned *random, unsigned below);
double campaign_seconds(void); // since the program's start
