// SPDX-License-Identifier: Apache-2.0
// The body of a slot of log.newest, numbers big-endian: magic 8, epoch 8, size 8, root 32, origin 128. Written and
// synced before the note is handed out: a crash in between leaves a newest tree without a note, and the same tree is
// signed again when it is asked for.
#include "service/signer/signer.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/store/slots.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define AT_EPOCH 8
#define AT_SIZE 16
#define AT_ROOT 24
#define AT_ORIGIN 56
#define AT_END 184
#define ORIGIN_SIZE (AT_END - AT_ORIGIN)
_Static_assert(AT_END <= GW_SLOT_BODY_MAX, "a tree fits its slot, a slot fits a sector");
_Static_assert(ORIGIN_SIZE == sizeof(((gw_checkpoint *)0)->origin), "an origin fits its place");

#define NOTE_MAX 2048
#define PATH_SIZE 4200
#define LOCK_TRIES 50 // of 20 ms: a signer whose daemon was killed a moment ago is about to end
#define LOOK_TRIES 3  // a signer at work may write, or change its key, while it is looked at

static const gw_slots_form newest_form = {.magic = "gwsgn/1\n", .body_size = AT_END, .epoch_at = AT_EPOCH};

GW_DEFINE_FREEP(gw_signer, gw_signer_close)

struct gw_signer {
    char folder[4096];
    gw_secret_key *keys[2]; // in force, and to come (NULL: no rotation under way)
    gw_note_key names[2];
    int lock;       // of the folder
    int descriptor; // of log.newest; -1 until the first signature
    uint64_t epoch;
    gw_checkpoint newest;
    bool is_broken; // a write failed: what is on disk is unknown, and nothing is signed any more
};

static void path_of(const gw_signer *signer, const char *name, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s", signer->folder, name);
}

static size_t key_count(const gw_signer *signer) {
    return signer->keys[1] == NULL ? 1 : 2;
}

// ---- the newest tree on disk

static void newest_encode(const gw_checkpoint *checkpoint, uint64_t epoch, uint8_t body[AT_END]) {
    memcpy(body, newest_form.magic, AT_EPOCH);
    gw_slot_put_u64(body + AT_EPOCH, epoch);
    gw_slot_put_u64(body + AT_SIZE, checkpoint->size);
    memcpy(body + AT_ROOT, checkpoint->root.bytes, GW_HASH_SIZE);
    memcpy(body + AT_ORIGIN, checkpoint->origin, ORIGIN_SIZE);
}

static gw_status newest_open(gw_signer *signer, bool is_look, gw_problem *ret_problem) {
    char path[PATH_SIZE];
    uint8_t body[AT_END];
    gw_public_key keys[2] = {signer->names[0].key, signer->names[1].key};
    path_of(signer, GW_SIGNER_NEWEST, path);
    gw_status status = is_look ? gw_slots_read(path, &newest_form, keys, key_count(signer), body)
                               : gw_slots_open(path, &newest_form, keys, key_count(signer), &signer->descriptor, body);
    if (status == GW_NOT_FOUND) { // nothing was signed yet
        signer->newest.root = gw_merkle_empty();
        return GW_OK;
    }
    if (status != GW_OK) {
        status = gw_problem_set(ret_problem, GW_CORRUPT, "signer_corrupt", "", "",
                                "Put the file back from the signer's own copy; never begin a new one for this log.");
        gw_problem_what(ret_problem, "%.200s is damaged.", path);
        gw_problem_why(ret_problem, "Neither of its two slots is whole and signed by the log's key.");
        return status;
    }
    if (body[AT_END - 1] != '\0' || strcmp((const char *)body + AT_ORIGIN, signer->newest.origin) != 0)
        return gw_problem_set(ret_problem, GW_CORRUPT, "signer_foreign", "This signer signs another log.",
                              "Its newest tree was signed under another origin.", "");
    signer->epoch = gw_slot_get_u64(body + AT_EPOCH);
    signer->newest.size = gw_slot_get_u64(body + AT_SIZE);
    memcpy(signer->newest.root.bytes, body + AT_ROOT, GW_HASH_SIZE);
    return GW_OK;
}

static gw_status unknown(gw_signer *signer, gw_problem *ret_problem) {
    signer->is_broken = true;
    return gw_problem_set(ret_problem, GW_RETRY, "signer_unknown", "The signer could not keep what it signs.",
                          "Its file could not be written; nothing is signed until it starts again.", "");
}

// A crash inside leaves the slot of the epoch before whole.
static gw_status newest_write(gw_signer *signer, const gw_checkpoint *checkpoint, const gw_secret_key *key,
                              gw_problem *ret_problem) {
    uint8_t body[AT_END];
    gw_status status;
    newest_encode(checkpoint, signer->epoch + 1, body);
    if (signer->descriptor < 0) {
        char path[PATH_SIZE];
        uint8_t read[AT_END];
        gw_public_key keys[1] = {gw_key_public(key)};
        path_of(signer, GW_SIGNER_NEWEST, path);
        status = gw_slots_create(path, &newest_form, body, key, NULL);
        if (status == GW_OK)
            status = gw_slots_open(path, &newest_form, keys, 1, &signer->descriptor, read);
    } else {
        status = gw_slots_write(signer->descriptor, &newest_form, body, key);
    }
    if (status != GW_OK)
        return unknown(signer, ret_problem);
    signer->epoch++;
    signer->newest = *checkpoint;
    return GW_OK;
}

// ---- keys

static gw_status key_open(gw_signer *signer, size_t at, const char *name, gw_problem *ret_problem) {
    char path[PATH_SIZE];
    path_of(signer, name, path);
    gw_status status = gw_key_file_read(path, &signer->keys[at], ret_problem);
    if (status != GW_OK)
        return status;
    if (gw_note_key_new(signer->newest.origin, gw_key_public(signer->keys[at]), &signer->names[at]) != GW_OK)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_name", "This origin cannot be used.",
                              "Spaces and + are not allowed in it.", "Write it like nso.example/godwit");
    return GW_OK;
}

static gw_status keys_open(gw_signer *signer, gw_problem *ret_problem) {
    char path[PATH_SIZE];
    struct stat facts;
    gw_status status = key_open(signer, 0, GW_SIGNER_KEY, ret_problem);
    path_of(signer, GW_SIGNER_NEXT_KEY, path);
    return status == GW_OK && lstat(path, &facts) == 0 ? key_open(signer, 1, GW_SIGNER_NEXT_KEY, ret_problem) : status;
}

// Two that each remember their own newest tree would sign two histories.
static gw_status folder_lock(gw_signer *signer, gw_problem *ret_problem) {
    const struct timespec pause = {.tv_nsec = 20000000};
    signer->lock = open(signer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; signer->lock >= 0; i++) {
        if (flock(signer->lock, LOCK_EX | LOCK_NB) == 0)
            return GW_OK;
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK && i >= LOCK_TRIES)
            return gw_problem_set(ret_problem, GW_BUSY, "signer_locked", "Another signer uses this folder.",
                                  "Two of them would sign two histories.", "End the other godwitd or godwit-signer.");
        if (errno != EWOULDBLOCK)
            break;
        nanosleep(&pause, NULL);
    }
    gw_status status = gw_problem_set(ret_problem, GW_IO, "signer_folder", "", "", "");
    gw_problem_what(ret_problem, "The signer's folder cannot be used: %.200s", signer->folder);
    return status;
}

static gw_status open_as(const char *folder, const char *origin, bool is_look, gw_signer **ret,
                         gw_problem *ret_problem) {
    GW_CLEANUP(gw_signer_freep) gw_signer *signer = calloc(1, sizeof(*signer));
    if (signer == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    signer->descriptor = signer->lock = -1;
    int size = snprintf(signer->folder, sizeof(signer->folder), "%s", folder);
    if (size < 0 || (size_t)size >= sizeof(signer->folder) || strlen(origin) >= ORIGIN_SIZE)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_name", "The signer's folder or origin is too long.", "",
                              "");
    memcpy(signer->newest.origin, origin, strlen(origin));
    gw_status status = is_look ? GW_OK : folder_lock(signer, ret_problem);
    if (status == GW_OK)
        status = keys_open(signer, ret_problem);
    if (status == GW_OK)
        status = newest_open(signer, is_look, ret_problem);
    if (status == GW_OK)
        *ret = gw_take(&signer);
    return status;
}

gw_status gw_signer_open(const char *folder, const char *origin, gw_signer **ret, gw_problem *ret_problem) {
    return open_as(folder, origin, false, ret, ret_problem);
}

gw_status gw_signer_look(const char *folder, const char *origin, gw_note_key *ret_key, gw_checkpoint *ret,
                         gw_problem *ret_problem) {
    gw_status status = GW_CORRUPT;
    for (unsigned i = 0; i < LOOK_TRIES && (status == GW_CORRUPT || status == GW_NOT_FOUND); i++) {
        GW_CLEANUP(gw_signer_freep) gw_signer *signer = NULL;
        status = open_as(folder, origin, true, &signer, ret_problem);
        if (status == GW_OK)
            gw_signer_newest(signer, ret_key, ret);
    }
    return status;
}

void gw_signer_close(gw_signer *signer) {
    if (signer == NULL)
        return;
    gw_closep(&signer->descriptor);
    gw_secret_key_free(signer->keys[0]);
    gw_secret_key_free(signer->keys[1]);
    gw_closep(&signer->lock); // last: the next one reads what stands now
    free(signer);
}

void gw_signer_newest(const gw_signer *signer, gw_note_key *ret_key, gw_checkpoint *ret) {
    *ret_key = signer->names[0];
    *ret = signer->newest;
}

size_t gw_signer_keys(const gw_signer *signer, gw_note_key ret[2]) {
    size_t count = key_count(signer);
    memcpy(ret, signer->names, count * sizeof(ret[0]));
    return count;
}

bool gw_signer_has_key(const gw_signer *signer, const gw_note_key *key) {
    for (size_t i = 0; i < key_count(signer); i++)
        if (strcmp(key->name, signer->names[i].name) == 0 &&
            memcmp(key->key.bytes, signer->names[i].key.bytes, sizeof(key->key.bytes)) == 0)
            return true;
    return false;
}

// ---- signing

static gw_status ahead(const gw_signer *signer, const gw_checkpoint *checkpoint, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_CORRUPT, "signer_ahead", "", "", "");
    gw_problem_what(ret_problem, "The signer does not go back: it has signed a tree of %llu entries.",
                    (unsigned long long)signer->newest.size);
    gw_problem_why(ret_problem,
                   checkpoint->size == signer->newest.size ? "It was asked to sign another tree of %llu entries."
                                                           : "It was asked to sign a tree of %llu.",
                   (unsigned long long)checkpoint->size);
    return status;
}

// May this tree follow the newest one?
static gw_status tree_check(const gw_signer *signer, const gw_checkpoint *checkpoint, const gw_merkle_proof *proof,
                            gw_problem *ret_problem) {
    const gw_checkpoint *newest = &signer->newest;
    if (strcmp(checkpoint->origin, newest->origin) != 0)
        return gw_problem_set(ret_problem, GW_CORRUPT, "signer_foreign", "This signer signs another log.",
                              "The tree's origin is not the one it holds its key for.", "");
    if (checkpoint->size < newest->size)
        return ahead(signer, checkpoint, ret_problem);
    if (checkpoint->size == newest->size)
        return gw_hash_equal(checkpoint->root, newest->root) ? GW_OK : ahead(signer, checkpoint, ret_problem);
    if (!gw_merkle_consistency_holds(newest->size, newest->root, checkpoint->size, checkpoint->root, proof))
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_proof", "The tree is not shown to extend the newest one.",
                              "Its consistency proof does not hold.", "");
    return GW_OK;
}

// The signature lines of `note`, which has a text of three lines without an empty one.
static void signatures_append(const gw_buffer *note, gw_buffer *ret_note) {
    const char *text = gw_buffer_string(note);
    const char *lines = strstr(text, "\n\n");
    GW_ASSERT(lines != NULL);
    gw_buffer_text(ret_note, lines + 2);
}

static gw_status note_write(const gw_signer *signer, const gw_checkpoint *checkpoint, gw_buffer *ret_note) {
    gw_checkpoint_sign(checkpoint, signer->keys[0], ret_note);
    if (signer->keys[1] != NULL) {
        GW_CLEANUP(gw_buffer_done) gw_buffer also;
        gw_buffer_init(&also, NOTE_MAX);
        gw_checkpoint_sign(checkpoint, signer->keys[1], &also);
        if (also.status != GW_OK)
            return also.status;
        signatures_append(&also, ret_note);
    }
    return ret_note->status;
}

gw_status gw_signer_sign(gw_signer *signer, const gw_checkpoint *checkpoint, const gw_merkle_proof *proof,
                         gw_buffer *ret_note, gw_problem *ret_problem) {
    if (signer->is_broken)
        return unknown(signer, ret_problem);
    gw_status status = tree_check(signer, checkpoint, proof, ret_problem);
    if (status == GW_OK && (signer->descriptor < 0 || checkpoint->size != signer->newest.size))
        status = newest_write(signer, checkpoint, signer->keys[0], ret_problem);
    if (status != GW_OK)
        return status;
    status = note_write(signer, checkpoint, ret_note);
    return status == GW_OK
               ? GW_OK
               : gw_problem_set(ret_problem, status, "no_memory", "There is no memory for a signature.", "", "");
}

// ---- another key

gw_status gw_signer_rotate(gw_signer *signer, gw_note_key *ret_old, gw_note_key *ret_new, gw_problem *ret_problem) {
    if (signer->keys[1] == NULL) {
        gw_secret_key *made = NULL; // the file is the key: it is read back
        char path[PATH_SIZE];
        path_of(signer, GW_SIGNER_NEXT_KEY, path);
        gw_status status = gw_key_generate(&made);
        if (status != GW_OK)
            return gw_problem_set(ret_problem, status, "key", "A key could not be made.",
                                  "The kernel gave no randomness or no locked memory.", "");
        status = gw_key_file_write(path, made, ret_problem);
        gw_secret_key_free(made);
        if (status == GW_OK)
            status = key_open(signer, 1, GW_SIGNER_NEXT_KEY, ret_problem);
        if (status != GW_OK)
            return status;
    }
    *ret_old = signer->names[0];
    *ret_new = signer->names[1];
    return GW_OK;
}

// The newest tree goes under the new key first: a crash before the rename leaves both keys and a slot that either may
// have signed.
gw_status gw_signer_finish(gw_signer *signer, gw_problem *ret_problem) {
    char old_path[PATH_SIZE], next_path[PATH_SIZE];
    if (signer->is_broken)
        return unknown(signer, ret_problem);
    if (signer->keys[1] == NULL)
        return gw_problem_set(ret_problem, GW_CONFLICT, "no_rotation", "There is no other log key to change to.", "",
                              "godwitd keyrot makes one.");
    gw_status status = newest_write(signer, &signer->newest, signer->keys[1], ret_problem);
    if (status != GW_OK)
        return status;
    path_of(signer, GW_SIGNER_KEY, old_path);
    path_of(signer, GW_SIGNER_NEXT_KEY, next_path);
    if (rename(next_path, old_path) != 0 || gw_file_sync_folder_of(old_path) != GW_OK)
        return unknown(signer, ret_problem);
    gw_secret_key_free(signer->keys[0]);
    signer->keys[0] = gw_take(&signer->keys[1]);
    signer->names[0] = signer->names[1];
    return GW_OK;
}

// ---- back, after a restore

static bool is_tree(const gw_checkpoint *a, const gw_checkpoint *b) {
    return a->size == b->size && gw_hash_equal(a->root, b->root);
}

gw_status gw_signer_reset(gw_signer *signer, const gw_checkpoint *over, const gw_checkpoint *back,
                          gw_problem *ret_problem) {
    if (signer->is_broken)
        return unknown(signer, ret_problem);
    if (strcmp(back->origin, signer->newest.origin) != 0)
        return gw_problem_set(ret_problem, GW_CORRUPT, "signer_foreign", "This signer signs another log.", "", "");
    if (is_tree(&signer->newest, back))
        return GW_OK;
    if (!is_tree(&signer->newest, over))
        return gw_problem_set(ret_problem, GW_CONFLICT, "signer_other", "The signer's newest tree is another one.",
                              "It goes back only from the tree that a signed statement names.", "godwitd restore");
    return newest_write(signer, back, signer->keys[0], ret_problem);
}

// ---- in this process

static gw_status local_newest(void *state, gw_note_key *ret_key, gw_checkpoint *ret, gw_problem *ret_problem) {
    (void)ret_problem;
    gw_signer_newest(state, ret_key, ret);
    return GW_OK;
}

static gw_status local_sign(void *state, const gw_checkpoint *checkpoint, const gw_merkle_proof *proof,
                            gw_buffer *ret_note, gw_problem *ret_problem) {
    return gw_signer_sign(state, checkpoint, proof, ret_note, ret_problem);
}

static bool local_has_key(void *state, const gw_note_key *key) {
    return gw_signer_has_key(state, key);
}

static gw_status local_rotate(void *state, gw_note_key *ret_old, gw_note_key *ret_new, gw_problem *ret_problem) {
    return gw_signer_rotate(state, ret_old, ret_new, ret_problem);
}

static gw_status local_finish(void *state, gw_problem *ret_problem) {
    return gw_signer_finish(state, ret_problem);
}

static void local_close(void *state) {
    gw_signer_close(state);
}

gw_tree_signer gw_signer_local(gw_signer *signer) {
    return (gw_tree_signer){.state = signer,
                            .newest = local_newest,
                            .sign = local_sign,
                            .close = local_close,
                            .has_key = local_has_key,
                            .rotate = local_rotate,
                            .finish = local_finish};
}
