// SPDX-License-Identifier: Apache-2.0
// One walk over the entries; each row is looked up as the service will look it up, by its key.
#include "service/ledger/ledger_rows.h"
#include "service/ledger/ledger_tampered.h"

typedef struct {
    gw_store_reader *reader;
    gw_merkle_source tree;
    gw_merkle_edge edge;
    bool is_whole; // the walk began with the first entry
    bool is_right; // of the tree's nodes so far
    gw_problem *problem;
} walk;

static void node_closed(void *state, unsigned level, uint64_t index, gw_hash hash) {
    walk *all = state;
    gw_hash stored;
    all->is_right =
        all->is_right && all->tree.node(all->tree.state, level, index, &stored) == GW_OK && gw_hash_equal(stored, hash);
}

static gw_status entry_check(void *state, uint64_t seq, gw_bytes bytes) {
    walk *all = state;
    gw_entry entry;
    gw_status status = gw_entry_decode(bytes, &entry, all->problem);
    if (status != GW_OK)
        return status;
    if (all->is_whole)
        gw_merkle_edge_append(&all->edge, gw_merkle_leaf(bytes), node_closed, all);
    if (!all->is_right)
        return ledger_tampered(all->problem, "Entry %llu: a node of the tree above it has another hash.",
                               (unsigned long long)seq);
    if (entry.kind != GW_ENTRY_CHARGE)
        return GW_OK;
    gw_store_charge row;
    status = gw_store_charge_by_idem(all->reader, entry.charge.principal, entry.charge.idem, &row);
    if (status != GW_OK || row.seq != seq) // the row is there: ledger_replay saw it
        return ledger_tampered(all->problem, "Entry %llu: its charge is not found by its request.",
                               (unsigned long long)seq);
    return GW_OK;
}

gw_status ledger_rows_check(gw_store_reader *reader, uint64_t size, gw_problem *ret_problem) {
    gw_problem problem = {0};
    walk all = {.reader = reader,
                .tree = gw_store_tree(reader),
                .is_whole = size <= LEDGER_ROWS_WHOLE_MAX,
                .is_right = true,
                .problem = &problem};
    gw_status status = all.is_whole ? gw_store_pages_check(reader, &problem) : GW_OK;
    uint64_t from = all.is_whole ? 0 : size - LEDGER_ROWS_WHOLE_MAX;
    if (status == GW_OK)
        status = gw_store_scan(reader, from, size, entry_check, &all);
    if (status != GW_OK && problem.code[0] == '\0')
        status = gw_problem_set(&problem, status, status == GW_CORRUPT ? "store_corrupt" : "store_read",
                                "The ledger's entries cannot be read.", "",
                                "Restore the newest backup and run `godwitd doctor`; do not delete files.");
    if (status != GW_OK && ret_problem != NULL)
        *ret_problem = problem;
    return status;
}
