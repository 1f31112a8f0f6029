// SPDX-License-Identifier: Apache-2.0
// What two owners or operators sign before a ledger is restored, word for word:
// {"godwit_restore":1,"origin":…,"from":…,"root":…,"lost":…,"time":…,"over":[{"size":…,"root":…},…]}
// `from` entries with this root were recovered; `lost` are known to have followed them; `over` are the trees that this
// machine remembers beyond them, and that may be forgotten once this is signed: no others. Signatures lie beside it, in
// <file>.<name>.sig: {"by":…,"key":…,"signature":…}, over the file's bytes.
// Thread safety: one thread.   Depends on: store/store.h, wire/json.h.
#pragma once
#include "service/audit/note.h"
#include "service/store/store.h"

#define STATEMENT_OVER_MAX 8

typedef struct {
    uint64_t size;
    gw_hash root;
} statement_tree;

typedef struct {
    char origin[128];
    uint64_t from, lost;
    gw_hash root;
    int64_t time;
    statement_tree over[STATEMENT_OVER_MAX];
    size_t over_count;
} statement;

void statement_encode(const statement *told, gw_buffer *text);
GW_MUST_CHECK gw_status statement_decode(gw_bytes text, const char *path, statement *ret, gw_problem *ret_problem);
// Everything but the time.
bool statement_is_same(const statement *a, const statement *b);
// Is this tree one that may be forgotten?
bool statement_is_over(const statement *told, uint64_t size, gw_hash root);

// Every signature beside the file, checked against the keys and roles of the ledger that `reader` sees; each signer
// once, in order of their ids. GW_DENIED, code bad_signature, naming the file: one does not hold.
GW_MUST_CHECK gw_status statement_signers(const char *path, gw_bytes text, int64_t time, gw_store_reader *reader,
                                          gw_signers *ret, gw_problem *ret_problem);
// Removes the signatures beside the file: they were of other words.
GW_MUST_CHECK gw_status statement_signatures_remove(const char *path, gw_problem *ret_problem);
