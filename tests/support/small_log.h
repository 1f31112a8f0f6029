// SPDX-License-Identifier: Apache-2.0
// A small published log for tests: a real store, charges and their outcomes, the real publisher. Every question has a
// text of its own. In a temporary folder, with the fixture's key.
// Thread safety: one thread.   Depends on: the ledger's fixture.
#pragma once
#include "service/audit/note.h"
#include "tests/unit/store/ledger_fixture.h"

typedef struct {
    ledger_fixture ledger;
    char log[96], questions[96];
    uint64_t size;
    gw_note_key key;
    gw_store *store;
} small_log;

void small_log_make(small_log *it, uint64_t charges); // twice as many entries, and a handful before them
void small_log_grow(small_log *it, uint64_t charges); // and publishes again
// One charge of `micro` for this question and its answer, and publishes.
void small_log_ask(small_log *it, const char *text, uint64_t micro, const char *answer);
void small_log_remove(small_log *it);
// The receipt of an answer: that of the first release from entry `from` on. Its index.
uint64_t small_log_receipt(const small_log *it, uint64_t from, gw_buffer *ret_receipt);
#define SMALL_LOG_ANSWER "an answer of the fixture"
