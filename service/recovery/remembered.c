// SPDX-License-Identifier: Apache-2.0
// The mark is replaced whole, under its name, so that a crash leaves the old one or the new one.
#include "service/recovery/remembered.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/signer/client.h"
#include "service/signer/signer.h"
#include "service/store/hwm.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4352u
#define SEEN_BYTES_MAX (1u << 20)

GW_DEFINE_FREEP(gw_hwm, gw_hwm_close)
GW_DEFINE_FREEP(gw_signer, gw_signer_close)
GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)

static gw_status tree_add(remembered *list, const char *where, uint64_t size, gw_hash root, bool is_of_machine,
                          gw_problem *ret_problem) {
    if (list->count == REMEMBERED_MAX)
        return gw_problem_set(ret_problem, GW_LIMIT, "too_many", "There are too many saved checkpoints.", "",
                              "Name the newest ones.");
    remembered_tree *tree = &list->trees[list->count++];
    *tree = (remembered_tree){.size = size, .root = root, .is_of_machine = is_of_machine};
    snprintf(tree->where, sizeof(tree->where), "%s", where);
    return GW_OK;
}

// ---- the mark

static void mark_key_path(const remembered_machine *machine, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%.4200s/mark.key", machine->keys_folder);
}

// The key of the mark; made, and with `is_kept` written, where a ledger has none of its own yet.
static gw_status mark_key(const remembered_machine *machine, bool is_kept, gw_secret_key **ret,
                          gw_problem *ret_problem) {
    char path[PATH_SIZE];
    mark_key_path(machine, path);
    if (access(path, F_OK) == 0)
        return gw_key_file_read(path, ret, ret_problem);
    gw_status status = gw_key_generate(ret);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "key", "A key could not be made.",
                              "The kernel gave no randomness or no locked memory.", "");
    return is_kept ? gw_key_file_write(path, *ret, ret_problem) : GW_OK;
}

// GW_NOT_FOUND: there is none that can be read. The log's key signed marks that had no key of their own.
static gw_status mark_read(const remembered_machine *machine, const gw_secret_key *key, const gw_public_key *log_key,
                           gw_hwm_mark *ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_hwm_freep) gw_hwm *hwm = NULL;
    if (gw_hwm_open(machine->hwm_path, key, log_key, &hwm, ret, NULL) != GW_OK)
        return GW_NOT_FOUND;
    if (!gw_hash_equal(ret->instance, machine->instance))
        return gw_problem_set(ret_problem, GW_CORRUPT, "hwm_foreign", "The high-water mark belongs to another ledger.",
                              "", "Take it out of the way, if you know how it came there.");
    return GW_OK;
}

// ---- what is known

static bool is_apart(const remembered_machine *machine) {
    return machine->signer != NULL && machine->signer[0] != '\0';
}

static gw_status signer_ask(const remembered_machine *machine, gw_note_key *ret_key, gw_checkpoint *ret,
                            gw_problem *ret_problem) {
    gw_signer_client_options options = {.origin = machine->origin, .socket = machine->signer};
    gw_tree_signer asked;
    gw_status status = gw_signer_client(&options, &asked, ret_problem);
    if (status != GW_OK)
        return status;
    status = asked.newest(asked.state, ret_key, ret, ret_problem);
    asked.close(asked.state);
    return status;
}

// While no daemon runs its signer's folder is nobody's else.
static gw_status signer_read(const remembered_machine *machine, gw_note_key *ret_key, gw_checkpoint *ret,
                             gw_problem *ret_problem) {
    GW_CLEANUP(gw_signer_freep) gw_signer *signer = NULL;
    if (is_apart(machine))
        return signer_ask(machine, ret_key, ret, ret_problem);
    gw_status status = gw_signer_open(machine->keys_folder, machine->origin, &signer, ret_problem);
    if (status == GW_OK)
        gw_signer_newest(signer, ret_key, ret);
    return status;
}

gw_status remembered_log_key(const remembered_machine *machine, gw_note_key *ret, gw_problem *ret_problem) {
    gw_checkpoint newest;
    return signer_read(machine, ret, &newest, ret_problem);
}

gw_status remembered_machine_read(const remembered_machine *machine, remembered *list, gw_problem *ret_problem) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    gw_hwm_mark mark;
    gw_note_key log_key;
    gw_checkpoint newest;
    gw_status status = signer_read(machine, &log_key, &newest, ret_problem);
    if (status == GW_OK && newest.size > 0)
        status = tree_add(list, "the signer", newest.size, newest.root, true, ret_problem);
    if (status == GW_OK)
        status = mark_key(machine, false, &key, ret_problem);
    if (status != GW_OK)
        return status;
    status = mark_read(machine, key, &log_key.key, &mark, ret_problem);
    if (status != GW_OK)
        return status == GW_NOT_FOUND ? GW_OK : status;
    list->time = mark.time > list->time ? mark.time : list->time;
    return tree_add(list, "the high-water mark", mark.size, mark.root, true, ret_problem);
}

// A receipt and a proof end with the signed checkpoint: the note begins with the last line that is the origin.
static gw_bytes note_of(gw_bytes text, const char *origin) {
    char line[160];
    int size = snprintf(line, sizeof(line), "%s\n", origin);
    for (size_t at = text.size; at-- > 0;)
        if ((at == 0 || text.data[at - 1] == '\n') && text.size - at > (size_t)size &&
            memcmp(text.data + at, line, (size_t)size) == 0)
            return (gw_bytes){text.data + at, text.size - at};
    return text;
}

gw_status remembered_seen_read(const char *path, const gw_note_key *log_key, remembered *list,
                               gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_checkpoint checkpoint;
    gw_buffer_init(&text, SEEN_BYTES_MAX);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status == GW_OK)
        status = gw_checkpoint_open(note_of(gw_buffer_bytes(&text), log_key->name), log_key, &checkpoint, ret_problem);
    return status == GW_OK ? tree_add(list, path, checkpoint.size, checkpoint.root, false, ret_problem) : status;
}

static bool is_beginning(gw_merkle_source tree, uint64_t size, uint64_t mark_size, gw_hash mark_root) {
    gw_hash root;
    return mark_size <= size && gw_merkle_root(tree, mark_size, &root) == GW_OK && gw_hash_equal(root, mark_root);
}

// Somebody remembers a tree that the ledger does not begin with: may it be forgotten?
static gw_status forget_check(const statement *told, const char *who, uint64_t size, gw_hash root,
                              gw_problem *ret_problem) {
    if (statement_is_over(told, size, root))
        return GW_OK;
    gw_ignore(gw_problem_set(ret_problem, GW_CORRUPT, "rolled_back", "",
                             "The statement was signed for another loss than this one.", "godwitd restore"));
    gw_problem_what(ret_problem, "%s stands at %llu entries, of which no signed statement speaks.", who,
                    (unsigned long long)size);
    return GW_CORRUPT;
}

static gw_status mark_replace(const remembered_machine *machine, const gw_hwm_mark *mark, const gw_secret_key *key,
                              gw_problem *ret_problem) {
    GW_CLEANUP(gw_hwm_freep) gw_hwm *hwm = NULL;
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%.4200s.restored", machine->hwm_path);
    unlink(path); // of an attempt that was broken off
    gw_status status = gw_hwm_create(path, mark, key, &hwm, ret_problem);
    if (status == GW_OK && (rename(path, machine->hwm_path) != 0 || gw_file_sync_folder_of(machine->hwm_path) != GW_OK))
        status = gw_problem_set(ret_problem, GW_IO, "hwm_unwritable", "The high-water mark cannot be written.", "", "");
    return status;
}

static gw_status mark_reset(const remembered_machine *machine, gw_merkle_source tree, uint64_t size,
                            const gw_public_key *log_key, const statement *told, gw_problem *ret_problem) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    gw_hwm_mark mark = {.epoch = 0};
    gw_status status = mark_key(machine, true, &key, ret_problem);
    if (status == GW_OK)
        status = mark_read(machine, key, log_key, &mark, ret_problem);
    if (status != GW_OK && status != GW_NOT_FOUND)
        return status;
    if (status == GW_OK && is_beginning(tree, size, mark.size, mark.root))
        return GW_OK;
    if (status == GW_OK)
        status = forget_check(told, "The high-water mark", mark.size, mark.root, ret_problem);
    if (status != GW_OK && status != GW_NOT_FOUND)
        return status;
    gw_hwm_mark made = {.instance = machine->instance,
                        .epoch = mark.epoch + 1,
                        .size = told->from,
                        .root = told->root,
                        .time = told->time};
    return mark_replace(machine, &made, key, ret_problem);
}

// Its operator sets it back, not this command: that is what it is apart for.
static gw_status apart_tell(const gw_checkpoint *over, const gw_checkpoint *back, gw_problem *ret_problem) {
    char old[GW_HASH_HEX], new[GW_HASH_HEX];
    gw_hex((gw_bytes){over->root.bytes, GW_HASH_SIZE}, old);
    gw_hex((gw_bytes){back->root.bytes, GW_HASH_SIZE}, new);
    gw_ignore(gw_problem_set(ret_problem, GW_UNAVAILABLE, "signer_apart",
                             "The ledger is restored; the signer must be set back by its own operator.", "", ""));
    gw_problem_why(ret_problem,
                   "It signed a tree that is lost. Show its operator the signed statement, restore.json. Stopped, it "
                   "takes: godwit-signer reset --dir DIR --origin %.128s --over %llu:%s --back %llu:%s",
                   back->origin, (unsigned long long)over->size, old, (unsigned long long)back->size, new);
    gw_problem_mend(ret_problem, "Then start the signer, and run this again.");
    return GW_UNAVAILABLE;
}

static gw_status signer_write(const remembered_machine *machine, const gw_checkpoint *over, const gw_checkpoint *back,
                              gw_problem *ret_problem) {
    GW_CLEANUP(gw_signer_freep) gw_signer *signer = NULL;
    if (is_apart(machine))
        return apart_tell(over, back, ret_problem);
    gw_status status = gw_signer_open(machine->keys_folder, machine->origin, &signer, ret_problem);
    return status == GW_OK ? gw_signer_reset(signer, over, back, ret_problem) : status;
}

static gw_status signer_reset(const remembered_machine *machine, gw_merkle_source tree, uint64_t size,
                              const gw_checkpoint *newest, const statement *told, gw_problem *ret_problem) {
    gw_checkpoint back = {.size = told->from, .root = told->root};
    memcpy(back.origin, told->origin, sizeof(back.origin));
    if (newest->size != 0 && is_beginning(tree, size, newest->size, newest->root))
        return GW_OK;
    // A signer that remembers nothing, because its keys came back without it, begins at the recovered tree.
    gw_status status =
        newest->size == 0 ? GW_OK : forget_check(told, "The signer", newest->size, newest->root, ret_problem);
    return status == GW_OK ? signer_write(machine, newest, &back, ret_problem) : status;
}

gw_status remembered_reset(const remembered_machine *machine, gw_merkle_source tree, uint64_t size,
                           const statement *told, gw_problem *ret_problem) {
    gw_note_key log_key;
    gw_checkpoint newest;
    gw_status status = signer_read(machine, &log_key, &newest, ret_problem);
    if (status == GW_OK)
        status = mark_reset(machine, tree, size, &log_key.key, told, ret_problem);
    return status == GW_OK ? signer_reset(machine, tree, size, &newest, told, ret_problem) : status;
}
