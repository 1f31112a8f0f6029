// SPDX-License-Identifier: Apache-2.0
// The script, and processes for it.
#include "tests/faults/script.h"
#include "service/audit/publish.h"
#include "service/base/check.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN_SECONDS_MAX 60
#define PUBLISH_POLLS_MAX 4000

typedef struct {
    const script *run;
    gw_ledger *ledger;
    gw_publisher *publisher;
} session;

static shim_place at(const script *run, shim_place place) {
    return run->hooks.at == NULL ? SHIM_PLACE_OTHER : run->hooks.at(place);
}

static void marked(const script *run) {
    if (run->hooks.mark != NULL)
        run->hooks.mark(atomic_load(&run->acks->count));
}

// From the writer's thread, between signing and waking.
static void on_checkpoint(void *state, const gw_checkpoint *checkpoint, gw_bytes note) {
    session *one = state;
    shim_place before = at(one->run, SHIM_PLACE_SIGN);
    if (one->run->hooks.point != NULL)
        one->run->hooks.point();
    if (one->publisher != NULL)
        gw_publisher_notify(one->publisher, checkpoint, note);
    at(one->run, before);
}

// Until the newest checkpoint stands in the folder, or its publication has failed.
static void published(session *one) {
    if (one->publisher == NULL)
        return;
    shim_place before = at(one->run, SHIM_PLACE_PUBLISH);
    gw_checkpoint checkpoint;
    gw_ledger_checkpoint(one->ledger, &checkpoint, NULL);
    for (unsigned i = 0; i < PUBLISH_POLLS_MAX; i++) {
        uint64_t size = 0;
        if (gw_publisher_state(one->publisher, &size, NULL) != GW_OK || size >= checkpoint.size)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    at(one->run, before);
}

static uint64_t reserve(session *one, uint64_t number) {
    uint64_t idem = one->run->idem + number;
    gw_store_op op = fixture_reserve(&one->run->state->fixture, FIXTURE_RESEARCHER, idem, 1 + idem % 7);
    at(one->run, SHIM_PLACE_RESERVE);
    bool is_told = fault_submit(one->ledger, one->run->acks, &op, FIXTURE_RESEARCHER, idem, 0) == GW_OK &&
                   (op.result == GW_OK || op.result == GW_CONFLICT);
    marked(one->run);
    return is_told ? op.seq : 0;
}

static void end(session *one, uint64_t charge, gw_store_op_kind kind, uint64_t answer) {
    if (charge == 0)
        return;
    char text[FAULT_ANSWER_MAX];
    fault_answer_text(answer, text);
    gw_store_op op = kind == GW_STORE_RESUME    ? fixture_resume(charge)
                     : kind == GW_STORE_ABANDON ? fixture_abandon(charge)
                                                : fixture_seal(charge, text);
    at(one->run, SHIM_PLACE_SEAL);
    gw_status status = fault_submit(one->ledger, one->run->acks, &op, FIXTURE_RESEARCHER, 0, answer);
    (void)status; // what was acknowledged is noted; the rest is the oracle's
    marked(one->run);
}

static bool session_begin(session *one, bool is_recovery) {
    gw_problem problem = {0};
    at(one->run, is_recovery ? SHIM_PLACE_RECOVERY : SHIM_PLACE_START);
    if (fault_ledger_open(one->run->state, one->run->free_bytes_min, &one->ledger, &problem) != GW_OK)
        return false;
    at(one->run, SHIM_PLACE_PUBLISH);
    const fault_state *state = one->run->state;
    if (gw_publisher_open(state->fixture.database, state->log, state->questions, &one->publisher, &problem) != GW_OK)
        one->publisher = NULL; // the ledger serves on without it
    gw_ledger_on_checkpoint(one->ledger, on_checkpoint, one);
    published(one);
    return true;
}

static void session_end(session *one) {
    at(one->run, SHIM_PLACE_PUBLISH);
    gw_ledger_on_checkpoint(one->ledger, NULL, NULL);
    gw_publisher_close(one->publisher); // publishes what is wanted
    at(one->run, SHIM_PLACE_CLOSE);
    gw_ledger_close(one->ledger);
    *one = (session){.run = one->run};
}

script_end script_run(const script *run) {
    session one = {.run = run};
    if (!session_begin(&one, run->is_left_by_a_fault))
        return SCRIPT_REFUSED;
    uint64_t first = reserve(&one, 1);
    end(&one, first, GW_STORE_SEAL, run->idem + 1);
    uint64_t second = reserve(&one, 2);
    end(&one, second, GW_STORE_RESUME, 0);
    end(&one, second, GW_STORE_ABANDON, 0);
    uint64_t third = reserve(&one, 3);
    session_end(&one);
    if (run->is_short)
        return SCRIPT_DONE;
    if (!session_begin(&one, false))
        return SCRIPT_REFUSED;
    reserve(&one, 1);                                  // sent again
    end(&one, third, GW_STORE_SEAL, run->idem + 3);    // after a restart
    end(&one, third, GW_STORE_SEAL, run->idem + 1000); // a second draw: the first stays
    uint64_t fourth = reserve(&one, 4);
    end(&one, fourth, GW_STORE_SEAL, run->idem + 4);
    session_end(&one);
    return SCRIPT_DONE;
}

// ---- processes

const char *run_end_name(run_end end) {
    static const char *const names[RUN_ENDS] = {"done", "refused", "unknown", "killed", "crashed", "hung"};
    return names[end];
}

run_end run_end_of(int status) {
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGKILL ? RUN_KILLED : WTERMSIG(status) == SIGALRM ? RUN_HUNG : RUN_CRASHED;
    switch (WEXITSTATUS(status)) {
    case SCRIPT_DONE:
        return RUN_DONE;
    case SCRIPT_REFUSED:
        return RUN_REFUSED;
    case SCRIPT_EXIT_UNKNOWN:
        return RUN_UNKNOWN;
    default:
        return RUN_CRASHED;
    }
}

run_end run_wait(pid_t child) {
    int status = 0;
    pid_t waited = waitpid(child, &status, 0);
    GW_ASSERT(waited == child);
    return run_end_of(status);
}

run_end run_forked(int (*call)(void *state), void *state) {
    fflush(NULL);
    pid_t child = fork();
    GW_ASSERT(child >= 0);
    if (child == 0) {
        alarm(RUN_SECONDS_MAX);
        _exit(call(state));
    }
    return run_wait(child);
}

// ---- arguments

campaign_arguments campaign_read(int count, char **arguments, unsigned long count_default) {
    campaign_seconds();
    return (campaign_arguments){
        .count = count > 1 ? strtoul(arguments[1], NULL, 10) : count_default,
        .seed = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 1,
    };
}

unsigned campaign_random(unsigned *random, unsigned below) {
    unsigned high = (unsigned)rand_r(random), low = (unsigned)rand_r(random);
    return ((high << 15) ^ low) % below;
}

double campaign_seconds(void) {
    static struct timespec begin;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (begin.tv_sec == 0)
        begin = now;
    return (double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9;
}
