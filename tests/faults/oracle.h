// SPDX-License-Identifier: Apache-2.0
// What must hold of a state folder after whatever happened to it, given everything that was ever acknowledged: every
// acknowledged charge, attempt, abandon and answer is there, with the same bytes; spent is the sum of the costs and was
// never above the total in force; a request has one charge; the tree follows from the entries; the high-water mark lies
// between what was acknowledged and what is stored; the published log verifies, as it was left and once completed; and
// the ledger goes on.
// Thread safety: acknowledgments may be noted from any thread; the rest from one.   Depends on: state.h, ledger, audit.
#pragma once
#include "tests/faults/state.h"
#include <stdatomic.h>

typedef enum { FAULT_RESERVE = 1, FAULT_RESUME, FAULT_SEAL, FAULT_ABANDON } fault_ack_kind;
typedef struct {
    _Atomic uint32_t kind; // 0: not told yet; set last
    uint32_t principal;    // the fixture's number
    uint64_t idem;         // RESERVE
    uint64_t charge, cost;
    uint64_t seq;    // of the entry that came of it
    uint64_t answer; // SEAL: the answer's bytes are made from it
} fault_ack;

// In shared memory: survives whoever noted it.
typedef struct {
    size_t max;
    _Atomic size_t count;
    _Atomic unsigned long refused_full; // charges refused for want of space
    fault_ack all[];
} fault_acks;

fault_acks *fault_acks_new(size_t max);
fault_acks *fault_acks_file(const char *path, size_t max); // in a file, for a process that is not a child
void fault_acks_free(fault_acks *acks);
// Does one operation at the ledger and notes what was acknowledged. The status is that of gw_ledger_submit.
gw_status fault_submit(gw_ledger *ledger, fault_acks *acks, gw_store_op *op, uint32_t principal, uint64_t idem,
                       uint64_t answer);
#define FAULT_ANSWER_MAX 64
void fault_answer_text(uint64_t answer, char ret[FAULT_ANSWER_MAX]);

typedef enum {
    ORACLE_MARK_MAY_LAG = 1,       // the mark or the signer was damaged: its older slot may be in force
    ORACLE_GOES_ON = 2,            // and a new request is charged, answered, and known again
    ORACLE_IS_QUIET = 4,           // for controls that must fail
    ORACLE_MAY_REFUSE_ANSWERS = 8, // a damaged answer is refused when it is asked for
} oracle_flags;

typedef struct {
    bool is_refused; // the ledger did not open
    char code[48];   // why
    unsigned faults; // claims that do not hold; each is printed, with `what`, unless quiet
    char first[96];
    uint64_t size;
    gw_hash root;
    uint64_t charges;
    uint64_t answers_refused;
} oracle_report;

// In a process of its own, so that a crash is a fault too. True: refused, or nothing wrong.
bool oracle_check(const fault_state *state, fault_acks *acks, unsigned flags, const char *what,
                  oracle_report *ret_report);
