// SPDX-License-Identifier: Apache-2.0
// A ledger that is older than what was acknowledged would give spent budget back. The mark holds the newest
// acknowledged tree: the database must reach it, and its tree of that size must have that root. Fails closed.
#include "service/ledger/ledger_recover.h"
#include "service/audit/note.h"
#include "service/ledger/ledger_replay.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

static gw_status key_check(gw_store_reader *reader, const gw_secret_key *log_key, char ret_origin[128],
                           gw_problem *ret_problem) {
    char vkey[256];
    gw_note_key key;
    gw_status status = gw_store_origin(reader, ret_origin, vkey);
    if (status == GW_OK)
        status = gw_note_key_parse(vkey, &key, NULL);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, GW_CORRUPT, "store_corrupt", "The ledger's first entry cannot be read.", "",
                              "");
    gw_public_key public_key = gw_key_public(log_key);
    if (memcmp(key.key.bytes, public_key.bytes, sizeof(key.key.bytes)) != 0 || strcmp(key.name, ret_origin) != 0)
        return gw_problem_set(ret_problem, GW_INVALID, "wrong_log_key", "This is not the log's key.",
                              "The ledger's first entry names another one.", "");
    return GW_OK;
}

static gw_status rolled_back(gw_problem *ret_problem, uint64_t size, uint64_t mark, const char *why) {
    gw_status status = gw_problem_set(ret_problem, GW_CORRUPT, "rolled_back", "", "",
                                      "Restore the newest ledger; what cannot be recovered counts as spent.");
    gw_problem_what(ret_problem, "The ledger holds %llu entries, the high-water mark stands at %llu.",
                    (unsigned long long)size, (unsigned long long)mark);
    gw_problem_why(ret_problem, "%s", why);
    return status;
}

static gw_status mark_check(gw_store_reader *reader, uint64_t size, const gw_hwm_mark *mark, gw_hash instance,
                            gw_problem *ret_problem) {
    if (!gw_hash_equal(mark->instance, instance))
        return gw_problem_set(ret_problem, GW_CORRUPT, "hwm_foreign", "The high-water mark belongs to another ledger.",
                              "", "");
    if (size < mark->size)
        return rolled_back(ret_problem, size, mark->size, "Entries that were acknowledged are gone.");
    gw_hash root;
    gw_status status = gw_merkle_root(gw_store_tree(reader), mark->size, &root);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, GW_CORRUPT, "store_corrupt", "The ledger's tree cannot be read.", "", "");
    if (!gw_hash_equal(root, mark->root))
        return rolled_back(ret_problem, size, mark->size,
                           "The entries up to the mark are not those that were acknowledged.");
    return GW_OK;
}

// The mark of a ledger that was just made, or the one that is there.
static gw_status mark_open(const char *hwm_path, const gw_secret_key *log_key, gw_hwm_mark first, gw_hwm **ret,
                           gw_hwm_mark *ret_mark, gw_problem *ret_problem) {
    gw_problem problem = {0};
    gw_status status = gw_hwm_open(hwm_path, log_key, ret, ret_mark, &problem);
    if (status == GW_NOT_FOUND &&
        first.size != 1) // only genesis may stand alone: nothing is acknowledged before a mark
        status = problem.status = GW_CORRUPT;
    if (status != GW_NOT_FOUND) {
        if (status != GW_OK && ret_problem != NULL)
            *ret_problem = problem;
        return status;
    }
    *ret_mark = first;
    return gw_hwm_create(hwm_path, &first, log_key, ret, ret_problem);
}

static gw_status ground_check(const char *database, const char *hwm_path, const gw_secret_key *log_key, int64_t now,
                              ledger_ground *ground, gw_problem *ret_problem) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    gw_status status = gw_store_reader_open(database, &reader, ret_problem);
    if (status == GW_OK)
        status = key_check(reader, log_key, ground->origin, ret_problem);
    if (status != GW_OK)
        return status;
    gw_merkle_source tree = gw_store_tree(reader);
    gw_hwm_mark first = {
        .epoch = 1, .size = gw_store_size(ground->store), .root = gw_store_root(ground->store), .time = now};
    if (tree.node(tree.state, 0, 0, &first.instance) != GW_OK)
        return gw_problem_set(ret_problem, GW_CORRUPT, "store_corrupt", "The ledger's tree cannot be read.", "", "");
    gw_hwm_mark mark;
    status = mark_open(hwm_path, log_key, first, &ground->hwm, &mark, ret_problem);
    if (status == GW_OK)
        status = mark_check(reader, first.size, &mark, first.instance, ret_problem);
    if (status == GW_OK)
        status = ledger_replay_check(reader, first.size, first.root, now, ret_problem);
    if (status != GW_OK || mark.size == first.size)
        return status;
    // Committed but perhaps never acknowledged: it counts, and is marked before it is signed.
    status = gw_hwm_advance(ground->hwm, first.size, first.root, now);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "hwm_unwritable", "The high-water mark cannot be written.", "", "");
    return GW_OK;
}

gw_status ledger_recover(const char *database, const char *hwm_path, const gw_secret_key *log_key, int64_t now,
                         ledger_ground *ret, gw_problem *ret_problem) {
    ledger_ground ground = {0};
    gw_status status = gw_store_open(database, &ground.store, ret_problem);
    if (status == GW_OK)
        status = ground_check(database, hwm_path, log_key, now, &ground, ret_problem);
    if (status != GW_OK) {
        gw_hwm_close(ground.hwm);
        gw_store_close(ground.store);
        return status;
    }
    *ret = ground;
    return GW_OK;
}
