// SPDX-License-Identifier: Apache-2.0
// The past is made in a process of its own, which ends by SIGKILL; snapshots are taken between its operations, while
// nothing is being written.
#include "tests/faults/history.h"
#include "service/base/check.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ACKS_MAX 4096

// So many that SQLite begins its journal anew: from then on an older database lacks what only the journal had.
#define FILLERS 260

static void snapshot(history *past, size_t step) {
    if (past->steps[step].fixture.folder[0] != '\0')
        fault_state_copy(&past->state, &past->steps[step]);
}

// A charge and its answer; every third stays open until the next.
static void step_run(history *past, gw_ledger *ledger, size_t step) {
    uint64_t idem = 5000 + step;
    char text[FAULT_ANSWER_MAX];
    fault_answer_text(idem, text);
    gw_store_op op = fixture_reserve(&past->state.fixture, FIXTURE_RESEARCHER, idem, 1 + idem % 7);
    gw_status status = fault_submit(ledger, past->acks, &op, FIXTURE_RESEARCHER, idem, 0);
    GW_ASSERT(status == GW_OK);
    if (step % 3 == 0 && step != HISTORY_STEPS - 1)
        return;
    gw_store_op seal = fixture_seal(op.seq, text);
    status = fault_submit(ledger, past->acks, &seal, FIXTURE_RESEARCHER, 0, idem);
    GW_ASSERT(status == GW_OK);
}

static int past_run(void *argument) {
    history *past = argument;
    script run = {.state = &past->state, .acks = past->acks, .idem = 100};
    if (script_run(&run) != SCRIPT_DONE)
        return SCRIPT_REFUSED;
    gw_ledger *ledger = NULL;
    gw_status status = fault_ledger_open(&past->state, 0, &ledger, NULL);
    for (size_t i = 0; status == GW_OK && i < HISTORY_STEPS; i++) {
        snapshot(past, i);
        step_run(past, ledger, i);
        if (i != HISTORY_STEPS / 2)
            continue;
        for (size_t k = 0; past->steps[0].fixture.folder[0] != '\0' && k < FILLERS; k++)
            step_run(past, ledger, HISTORY_STEPS + k);
        gw_ledger_close(ledger); // the journal goes into the database
        status = fault_ledger_open(&past->state, 0, &ledger, NULL);
    }
    raise(SIGKILL);
    return SCRIPT_REFUSED;
}

void history_make(history *ret, bool with_steps) {
    *ret = (history){.acks = fault_acks_new(ACKS_MAX)};
    fault_state template;
    fault_state_new(&template, NULL, false);
    fault_state_clone(&template, &ret->state);
    for (size_t i = 0; with_steps && i < HISTORY_STEPS; i++)
        fault_state_clone(&template, &ret->steps[i]);
    fault_state_remove(&template);
    run_end end = run_forked(past_run, ret);
    GW_ASSERT(end == RUN_KILLED);
    fault_state copy;
    fault_state_clone(&ret->state, &copy);
    bool is_right = oracle_check(&copy, ret->acks, 0, "the past", &ret->whole);
    GW_ASSERT(is_right);
    GW_ASSERT(!ret->whole.is_refused);
    fault_state_remove(&copy);
}

void history_done(history *past) {
    fault_state_remove(&past->state);
    for (size_t i = 0; i < HISTORY_STEPS; i++)
        if (past->steps[i].fixture.folder[0] != '\0')
            fault_state_remove(&past->steps[i]);
    fault_acks_free(past->acks);
}
