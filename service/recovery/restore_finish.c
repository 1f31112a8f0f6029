// SPDX-License-Identifier: Apache-2.0
// The end of a restore, every step of which may be done twice. What tells that one is under way is the statement, with
// its signatures, and a ledger whose entry is the one it speaks of; nothing else lets the machine forget a tree.
#include "service/audit/entry.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/recovery/remembered.h"
#include "service/recovery/restore_inner.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

void restore_path(char path[RESTORE_PATH], const char *folder, const char *name) {
    snprintf(path, RESTORE_PATH, "%.4000s/%s", folder, name);
}

// ---- the ledger's file

static gw_status swap_failed(gw_problem *ret_problem, const char *what) {
    return gw_problem_set(ret_problem, GW_IO, "restore_swap", what, "The state folder cannot be written.",
                          "Look for room and rights, then run this again.");
}

// A second name for what is there; it is not moved, so that a crash leaves it in its place.
static gw_status keep_old(const char *path, const char *ending, uint64_t from, gw_problem *ret_problem) {
    char old[RESTORE_PATH + 16], kept[RESTORE_PATH + 64];
    snprintf(old, sizeof(old), "%s%s", path, ending);
    snprintf(kept, sizeof(kept), "%s.before-%llu%s", path, (unsigned long long)from, ending);
    if (access(old, F_OK) != 0)
        return GW_OK;
    unlink(kept);
    return link(old, kept) == 0 ? GW_OK : swap_failed(ret_problem, "The ledger that is there cannot be kept.");
}

gw_status restore_swap(const char *state_folder, const char *work, uint64_t from, gw_problem *ret_problem) {
    char path[RESTORE_PATH], made[RESTORE_PATH], journal[RESTORE_PATH + 16];
    restore_path(path, state_folder, "godwit.db");
    restore_path(made, state_folder, "godwit.db.restored");
    unlink(made);
    gw_status status = gw_store_copy(work, made, ret_problem);
    // The journal belongs to the old file: it goes into it, for a new file it would be played back into is another one.
    if (status == GW_OK && access(path, F_OK) == 0 && gw_store_settle(path, NULL) != GW_OK)
        status = keep_old(path, "-wal", from, ret_problem); // a ledger that cannot be opened: kept as it is
    if (status == GW_OK)
        status = keep_old(path, "", from, ret_problem);
    if (status != GW_OK)
        return status;
    static const char *const endings[] = {"-wal", "-shm"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(journal, sizeof(journal), "%s%s", path, endings[i]);
        unlink(journal);
    }
    if (gw_folder_sync(state_folder) != GW_OK || rename(made, path) != 0 || gw_folder_sync(state_folder) != GW_OK)
        return swap_failed(ret_problem, "The recovered ledger cannot take its place.");
    return GW_OK;
}

// ---- is one under way?

typedef struct {
    const restore_options *options;
    gw_store_reader *reader;
    statement told;
    gw_buffer text;
    uint64_t size;
    gw_problem *problem;
} finish_run;

// Does the ledger go on from the recovered tree with the very entry that two signed?
static bool is_restored(const finish_run *run) {
    GW_CLEANUP(gw_buffer_done) gw_buffer bytes;
    gw_entry entry;
    gw_hash root;
    gw_buffer_init(&bytes, GW_ENTRY_BYTES_MAX);
    return run->size > run->told.from && gw_merkle_root(gw_store_tree(run->reader), run->told.from, &root) == GW_OK &&
           gw_hash_equal(root, run->told.root) && gw_store_entry(run->reader, run->told.from, &bytes) == GW_OK &&
           gw_entry_decode(gw_buffer_bytes(&bytes), &entry, NULL) == GW_OK && entry.kind == GW_ENTRY_RESTORE &&
           entry.restore.lost == run->told.lost && entry.time == run->told.time;
}

// False: there is nothing to finish.
static gw_status finish_begin(finish_run *run, bool *ret_is_under_way) {
    char path[RESTORE_PATH], database[RESTORE_PATH];
    int64_t time;
    gw_signers signers;
    *ret_is_under_way = false;
    restore_path(path, run->options->state_folder, RESTORE_STATEMENT);
    restore_path(database, run->options->state_folder, "godwit.db");
    if (access(path, F_OK) != 0 || access(database, F_OK) != 0)
        return GW_OK;
    if (gw_file_read(path, &run->text, NULL) != GW_OK ||
        statement_decode(gw_buffer_bytes(&run->text), path, &run->told, NULL) != GW_OK ||
        strcmp(run->told.origin, run->options->origin) != 0)
        return GW_OK; // gw_restore writes it anew
    if (gw_store_reader_open(database, &run->reader, NULL) != GW_OK ||
        gw_store_last(run->reader, &run->size, &time) != GW_OK || !is_restored(run))
        return GW_OK; // it waits for signatures; the ledger is still the old one
    gw_status status =
        statement_signers(path, gw_buffer_bytes(&run->text), run->told.time, run->reader, &signers, run->problem);
    *ret_is_under_way = status == GW_OK && signers.count >= 2;
    return status;
}

// ---- the steps

// A published log that is not the beginning of the ledger is moved aside: the publisher takes files that are there for
// its own.
static gw_status log_clear(const finish_run *run) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    char folder[RESTORE_PATH], checkpoint[RESTORE_PATH], aside[RESTORE_PATH + 32];
    gw_checkpoint published;
    gw_hash root;
    gw_buffer_init(&note, 65536);
    restore_path(folder, run->options->state_folder, "log");
    restore_path(checkpoint, run->options->state_folder, "log/checkpoint");
    bool is_fit = gw_file_read(checkpoint, &note, NULL) == GW_OK &&
                  gw_checkpoint_peek(gw_buffer_bytes(&note), &published, NULL) == GW_OK &&
                  published.size <= run->told.from &&
                  gw_merkle_root(gw_store_tree(run->reader), published.size, &root) == GW_OK &&
                  gw_hash_equal(root, published.root);
    if (is_fit && run->told.lost == 0)
        return GW_OK;
    snprintf(aside, sizeof(aside), "%s.before-%llu", folder, (unsigned long long)run->told.from);
    struct stat facts;
    if (stat(folder, &facts) == 0 && stat(aside, &facts) != 0 && rename(folder, aside) != 0)
        return swap_failed(run->problem, "The old log cannot be moved aside.");
    return gw_folder_make(folder, 0755, run->problem);
}

static gw_status policy_write(void *state, gw_hash file, bool is_in_force, gw_bytes text) {
    const finish_run *run = state;
    char hex[GW_HASH_HEX], name[GW_HASH_HEX + 16], path[RESTORE_PATH];
    (void)is_in_force;
    gw_hex((gw_bytes){file.bytes, GW_HASH_SIZE}, hex);
    snprintf(name, sizeof(name), "policies/%s.json", hex);
    restore_path(path, run->options->state_folder, name);
    return text.size == 0 || access(path, F_OK) == 0 ? GW_OK : gw_file_replace(path, text, 0600, run->problem);
}

static gw_status policies_write(finish_run *run) {
    char path[RESTORE_PATH];
    restore_path(path, run->options->state_folder, "policies");
    gw_status status = gw_folder_make(path, 0700, run->problem);
    return status == GW_OK ? gw_store_policies(run->reader, policy_write, run) : status;
}

static gw_status machine_reset(finish_run *run) {
    char keys[RESTORE_PATH];
    gw_merkle_source tree = gw_store_tree(run->reader);
    restore_path(keys, run->options->state_folder, "keys");
    remembered_machine machine = {.hwm_path = run->options->hwm_path,
                                  .keys_folder = keys,
                                  .origin = run->options->origin,
                                  .signer = run->options->signer};
    gw_status status = tree.node(tree.state, 0, 0, &machine.instance);
    return status == GW_OK ? remembered_reset(&machine, tree, run->size, &run->told, run->problem) : status;
}

// Last: from here on nothing is under way any more.
static gw_status statement_archive(finish_run *run) {
    char path[RESTORE_PATH], folder[RESTORE_PATH], kept[RESTORE_PATH], name[64];
    restore_path(folder, run->options->state_folder, "restored");
    gw_status status = gw_folder_make(folder, 0700, run->problem);
    snprintf(name, sizeof(name), "restored/%llu.json", (unsigned long long)run->told.from);
    restore_path(kept, run->options->state_folder, name);
    restore_path(path, run->options->state_folder, RESTORE_STATEMENT);
    if (status == GW_OK)
        status = gw_file_replace(kept, gw_buffer_bytes(&run->text), 0600, run->problem);
    if (status == GW_OK && unlink(path) != 0)
        status = swap_failed(run->problem, "The statement cannot be put away.");
    if (status == GW_OK)
        status = statement_signatures_remove(path, run->problem);
    return status == GW_OK && gw_folder_sync(run->options->state_folder) != GW_OK
               ? swap_failed(run->problem, "The state folder cannot be synced.")
               : status;
}

gw_status gw_restore_finish(const restore_options *options, gw_problem *ret_problem) {
    finish_run run = {.options = options, .problem = ret_problem};
    bool is_under_way;
    gw_buffer_init(&run.text, 65536);
    gw_status status = finish_begin(&run, &is_under_way);
    if (status == GW_OK && is_under_way) {
        status = machine_reset(&run);
        if (status == GW_OK)
            status = log_clear(&run);
        if (status == GW_OK)
            status = policies_write(&run);
        if (status == GW_OK)
            status = statement_archive(&run);
    }
    gw_store_reader_close(run.reader);
    gw_buffer_done(&run.text);
    return status;
}
