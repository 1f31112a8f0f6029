// SPDX-License-Identifier: Apache-2.0
// A ledger that is older than what was acknowledged would give spent budget back. The mark and the signer each hold the
// newest tree they know: the database must reach both, and its trees of those sizes must have those roots. Either alone
// finds a ledger that was set back. Fails closed.
#include "service/ledger/ledger_recover.h"
#include "service/base/cleanup.h"
#include "service/ledger/ledger_replay.h"
#include "service/ledger/ledger_rows.h"
#include <string.h>

typedef struct {
    const char *who; // "the high-water mark stands at"
    uint64_t size;
    gw_hash root;
} known_tree;

typedef struct {
    const ledger_recover_options *options;
    gw_store_reader *reader;
    uint64_t size; // committed
    gw_problem *problem;
} comparison;

static gw_status corrupt(gw_problem *ret_problem, const char *what) {
    return gw_problem_set(ret_problem, GW_CORRUPT, "store_corrupt", what, "", "");
}

static gw_status rolled_back(const comparison *with, const known_tree *known, const char *why) {
    gw_status status = gw_problem_set(with->problem, GW_CORRUPT, "rolled_back", "", why, "");
    gw_problem_what(with->problem, "The ledger holds %llu entries, %s %llu.", (unsigned long long)with->size,
                    known->who, (unsigned long long)known->size);
    gw_problem_mend(with->problem,
                    "godwitd restore --dir %.200s --log FOLDER   (what cannot be recovered counts as spent)",
                    with->options->state_folder);
    return status;
}

// The database reaches what is known, and has that tree inside.
static gw_status tree_compare(const comparison *with, const known_tree *known) {
    if (with->size < known->size)
        return rolled_back(with, known, "Entries that were acknowledged are gone.");
    gw_hash root;
    if (gw_merkle_root(gw_store_tree(with->reader), known->size, &root) != GW_OK)
        return corrupt(with->problem, "The ledger's tree cannot be read.");
    if (!gw_hash_equal(root, known->root))
        return rolled_back(with, known, "The entries up to there are not those that were acknowledged.");
    return GW_OK;
}

static gw_status mark_compare(const comparison *with, const gw_hwm_mark *mark, gw_hash instance) {
    if (!gw_hash_equal(mark->instance, instance))
        return gw_problem_set(with->problem, GW_CORRUPT, "hwm_foreign",
                              "The high-water mark belongs to another ledger.", "", "");
    known_tree known = {.who = "the high-water mark stands at", .size = mark->size, .root = mark->root};
    return tree_compare(with, &known);
}

// The log's key in force must be one that the signer signs with.
static gw_status key_check(const gw_tree_signer *signer, const gw_note_key *log_key, const gw_note_key *signer_key,
                           gw_problem *ret_problem) {
    bool is_one = signer->has_key != NULL
                      ? signer->has_key(signer->state, log_key)
                      : memcmp(signer_key->key.bytes, log_key->key.bytes, sizeof(log_key->key.bytes)) == 0;
    if (!is_one)
        return gw_problem_set(ret_problem, GW_INVALID, "wrong_log_key", "This is not the log's key.",
                              "The ledger names another one.", "Give the signer the key of this log.");
    return GW_OK;
}

static gw_status signer_compare(const comparison *with, ledger_seals *seals, const gw_note_key *log_key,
                                bool is_mark_older) {
    gw_note_key key;
    gw_checkpoint newest;
    gw_status status = seals->signer.newest(seals->signer.state, &key, &newest, with->problem);
    if (status == GW_OK)
        status = key_check(&seals->signer, log_key, &key, with->problem);
    if (status != GW_OK)
        return status;
    // Where a signature was ever given the signer knows of it: genesis alone is signed by nobody yet, and a ledger
    // without a mark key was made before signers remembered.
    if (newest.size == 0 && with->size > 1 && !is_mark_older)
        return gw_problem_set(with->problem, GW_CORRUPT, "signer_missing", "The signer has forgotten what it signed.",
                              "Without its newest tree an old copy of the ledger cannot be told from the newest.",
                              "Put the signer's file log.newest back beside its key.");
    known_tree known = {.who = "the signer has signed", .size = newest.size, .root = newest.root};
    if (newest.size > 0)
        status = tree_compare(with, &known);
    seals->newest = newest;
    memset(seals->newest.origin, 0, sizeof(seals->newest.origin));
    memcpy(seals->newest.origin, log_key->name, strlen(log_key->name));
    return status;
}

static gw_status log_key_read(gw_store_reader *reader, gw_note_key *ret, gw_problem *ret_problem) {
    char vkey[GW_VKEY_MAX], origin[128];
    uint64_t seq;
    bool is_kept;
    gw_status status = gw_store_origin(reader, origin, vkey);
    if (status == GW_OK)
        status = gw_store_log_key(reader, vkey, &seq, &is_kept); // in force, and perhaps not the first
    if (status == GW_OK)
        status = gw_note_key_parse(vkey, ret, NULL);
    if (status != GW_OK || strcmp(ret->name, origin) != 0)
        return corrupt(ret_problem, "The ledger's first entry cannot be read.");
    return GW_OK;
}

static gw_status ground_check(const ledger_recover_options *options, ledger_seals *seals, ledger_ground *ground,
                              gw_problem *ret_problem) {
    gw_note_key log_key;
    gw_status status = gw_store_reader_open(options->database, &seals->reader, ret_problem);
    if (status == GW_OK)
        status = log_key_read(seals->reader, &log_key, ret_problem);
    if (status != GW_OK)
        return status;
    gw_merkle_source tree = gw_store_tree(seals->reader);
    ledger_tree committed = {
        .size = gw_store_size(ground->store), .root = gw_store_root(ground->store), .time = options->now};
    ledger_mark_options mark = {
        .path = options->hwm_path,
        .key_path = options->mark_key_path,
        .log_key = &log_key.key,
        .first = {.epoch = 1, .size = committed.size, .root = committed.root, .time = options->now}};
    if (tree.node(tree.state, 0, 0, &mark.first.instance) != GW_OK)
        return corrupt(ret_problem, "The ledger's tree cannot be read.");
    status = ledger_mark_open(&mark, &ground->mark, ret_problem);
    comparison with = {.options = options, .reader = seals->reader, .size = committed.size, .problem = ret_problem};
    if (status == GW_OK)
        status = mark_compare(&with, &ground->mark.mark, mark.first.instance);
    if (status == GW_OK)
        status = signer_compare(&with, seals, &log_key, ground->mark.is_key_new);
    if (status == GW_OK)
        status = ledger_replay_check(seals->reader, committed.size, committed.root, ret_problem);
    if (status == GW_OK)
        status = ledger_rows_check(seals->reader, committed.size, ret_problem);
    seals->hwm = ground->mark.hwm;
    seals->marked = ground->mark.is_key_new ? 0 : ground->mark.mark.size;
    // Committed but perhaps never acknowledged: it counts, and is marked before it is signed.
    if (status == GW_OK && ledger_seal_mark(seals, &committed) != GW_OK)
        return gw_problem_set(ret_problem, GW_IO, "hwm_unwritable", "The high-water mark cannot be written.", "", "");
    return status;
}

gw_status ledger_recover(const ledger_recover_options *options, ledger_seals *seals, ledger_ground *ret,
                         gw_problem *ret_problem) {
    ledger_ground ground = {0};
    gw_status status = gw_store_open(options->database, &ground.store, ret_problem);
    if (status == GW_OK)
        status = ground_check(options, seals, &ground, ret_problem);
    if (status != GW_OK) {
        ledger_mark_close(&ground.mark);
        gw_store_close(ground.store);
        return status;
    }
    *ret = ground;
    return GW_OK;
}
