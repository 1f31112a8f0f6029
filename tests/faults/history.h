// SPDX-License-Identifier: Apache-2.0
// A ledger with a past: charges, answers, two clean stops and a kill that leaves a journal to be played back.
// Everything in it is covered by its high-water mark, so that nothing of it may ever be missing. Thread safety: none.
// Depends on: script.h.
#pragma once
#include "tests/faults/script.h"

#define HISTORY_STEPS 24

typedef struct {
    fault_state state; // as the kill left it
    fault_acks *acks;
    oracle_report whole;              // what the oracle found there
    fault_state steps[HISTORY_STEPS]; // as it was after each operation before; empty unless asked for
} history;

void history_make(history *ret, bool with_steps);
void history_done(history *past);
