// SPDX-License-Identifier: Apache-2.0
// One walk over the entries; each row is looked up as the service will look it up, by its key.
#include "service/ledger/ledger_rows.h"
#include <string.h>

typedef struct {
    gw_store_reader *reader;
    gw_merkle_source tree;
    gw_merkle_edge edge;
    bool is_whole;              // the walk began with the first entry
    bool is_right;              // of the tree's nodes so far
    uint64_t sealed, abandoned; // rows in that state, less the entries that say so
    gw_problem *problem;
} walk;

static gw_status wrong(const walk *all, uint64_t seq, const char *what) {
    gw_status status = gw_problem_set(
        all->problem, GW_CORRUPT, "ledger_tampered", "A row of the ledger is not what its entry says.", "",
        "Do not serve from it. Restore the newest sound state, or ask an auditor: godwit audit verify.");
    gw_problem_why(all->problem, "Entry %llu: %s.", (unsigned long long)seq, what);
    return status;
}

static void node_closed(void *state, unsigned level, uint64_t index, gw_hash hash) {
    walk *all = state;
    gw_hash stored;
    all->is_right =
        all->is_right && all->tree.node(all->tree.state, level, index, &stored) == GW_OK && gw_hash_equal(stored, hash);
}

static gw_status charge_check(walk *all, const gw_entry *entry) {
    gw_store_charge row;
    gw_status status = gw_store_charge_by_idem(all->reader, entry->charge.principal, entry->charge.idem, &row);
    if (status != GW_OK || row.seq != entry->seq) // what the request asked for is read from the entry itself
        return wrong(all, entry->seq, "its charge is not found by its request");
    if ((row.state == GW_CHARGE_SEALED) != (row.release_seq != GW_NO_SEQ))
        return wrong(all, entry->seq, "its charge is sealed without an answer");
    all->sealed += row.state == GW_CHARGE_SEALED;
    all->abandoned += row.state == GW_CHARGE_ABANDONED;
    return GW_OK;
}

static gw_status end_check(walk *all, const gw_entry *entry, uint64_t charge, gw_charge_state state) {
    gw_store_charge row;
    if (gw_store_charge_by_seq(all->reader, charge, &row) != GW_OK || row.state != state)
        return wrong(all, entry->seq, "its charge is not in that state");
    if (state == GW_CHARGE_SEALED &&
        (row.release_seq != entry->seq || strcmp(row.release, entry->release.release) != 0))
        return wrong(all, entry->seq, "its release is another one");
    return GW_OK;
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
        return wrong(all, seq, "a node of the tree above it has another hash");
    switch (entry.kind) {
    case GW_ENTRY_CHARGE:
        return charge_check(all, &entry);
    case GW_ENTRY_RELEASE:
        all->sealed--;
        return end_check(all, &entry, entry.release.charge, GW_CHARGE_SEALED);
    case GW_ENTRY_ABANDON:
        all->abandoned--;
        return end_check(all, &entry, entry.abandon.charge, GW_CHARGE_ABANDONED);
    case GW_ENTRY_GENESIS:
    case GW_ENTRY_PRINCIPAL:
    case GW_ENTRY_KEY:
    case GW_ENTRY_POPULATION:
    case GW_ENTRY_POLICY:
    case GW_ENTRY_DATA:
    case GW_ENTRY_REFUSALS:
    case GW_ENTRY_INCIDENT:
    case GW_ENTRY_EMBARGO:
    case GW_ENTRY_WITHDRAW:
    case GW_ENTRY_WITNESSES:
    case GW_ENTRY_KEYROT:
    case GW_ENTRY_RESTORE:
    case GW_ENTRY_CLOCK:
        break;
    }
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
    // Every sealed or abandoned row has its entry, and the other way round.
    if (status == GW_OK && all.is_whole && (all.sealed != 0 || all.abandoned != 0))
        status = wrong(&all, size, "charges have ended without one");
    if (status != GW_OK && problem.code[0] == '\0')
        status = gw_problem_set(&problem, status, status == GW_CORRUPT ? "store_corrupt" : "store_read",
                                "The ledger's entries cannot be read.", "",
                                "Restore the newest backup and run `godwitd doctor`; do not delete files.");
    if (status != GW_OK && ret_problem != NULL)
        *ret_problem = problem;
    return status;
}
