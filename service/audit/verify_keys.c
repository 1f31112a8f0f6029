// SPDX-License-Identifier: Apache-2.0
// From a key that is trusted to the one that signs today: beside the log lies, for each keyrot entry, a checkpoint that
// covers it and that the old key and the new one signed. The old key vouches for a tree that holds the entry, and the
// entry names the new key. The trees must be beginnings of the one that is checked.
#include "service/audit/verify_inner.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX 1024u // of one log's key; more are not looked at
#define NOTE_MAX 16384u

typedef struct {
    uint64_t seq;
    gw_buffer note;
} key_change;

struct gw_verify_keys {
    key_change *changes;
    gw_audit_root *roots; // of the same indexes
    size_t count;
};

static bool seq_parse(const char *name, uint64_t *ret) {
    char *end = NULL;
    *ret = strtoull(name, &end, 10);
    return name[0] >= '1' && name[0] <= '9' && *end == '\0' && strlen(name) < 20;
}

static bool change_add(gw_verify_keys *keys, const char *folder, const char *name, uint64_t seq) {
    char path[64];
    gw_checkpoint checkpoint;
    key_change *changes = realloc(keys->changes, (keys->count + 1) * sizeof(*changes));
    if (changes == NULL)
        return false;
    keys->changes = changes;
    gw_audit_root *roots = realloc(keys->roots, (keys->count + 1) * sizeof(*roots));
    if (roots == NULL)
        return false;
    keys->roots = roots;
    key_change *change = &changes[keys->count];
    change->seq = seq;
    gw_buffer_init(&change->note, NOTE_MAX);
    snprintf(path, sizeof(path), GW_KEYROT_FOLDER "/%.24s", name);
    if (gw_verify_file_load(folder, path, &change->note, NULL) != GW_OK ||
        gw_checkpoint_peek(gw_buffer_bytes(&change->note), &checkpoint, NULL) != GW_OK) {
        gw_buffer_done(&change->note); // shows nothing; it may not be needed
        return true;
    }
    roots[keys->count++] = (gw_audit_root){.size = checkpoint.size};
    return true;
}

gw_verify_keys *gw_verify_keys_new(const char *folder) {
    gw_verify_keys *keys = calloc(1, sizeof(*keys));
    char path[GW_VERIFY_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/" GW_KEYROT_FOLDER, folder);
    DIR *listing = keys == NULL ? NULL : opendir(path);
    struct dirent *item;
    bool is_read = keys != NULL;
    while (is_read && listing != NULL && keys->count < CHANGES_MAX && (item = readdir(listing)) != NULL) {
        uint64_t seq;
        if (seq_parse(item->d_name, &seq))
            is_read = change_add(keys, folder, item->d_name, seq);
    }
    if (listing != NULL)
        closedir(listing);
    if (is_read)
        return keys;
    gw_verify_keys_free(keys);
    return NULL;
}

gw_audit_root *gw_verify_keys_roots(gw_verify_keys *keys, size_t *ret_count) {
    *ret_count = keys->count;
    return keys->roots;
}

// Does the checkpoint beside this keyrot entry carry the trust from one key to the next?
static bool change_holds(const gw_verify_keys *keys, uint64_t seq, const gw_note_key *from, const gw_note_key *to) {
    for (size_t i = 0; i < keys->count; i++) {
        gw_checkpoint by_old, by_new;
        gw_bytes note = gw_buffer_bytes(&keys->changes[i].note);
        if (keys->changes[i].seq != seq || gw_checkpoint_open(note, from, &by_old, NULL) != GW_OK ||
            gw_checkpoint_open(note, to, &by_new, NULL) != GW_OK)
            continue;
        const gw_audit_root *hashed = &keys->roots[i];
        return by_old.size > seq && hashed->is_known && hashed->size == by_old.size &&
               gw_hash_equal(hashed->root, by_old.root);
    }
    return false;
}

gw_status gw_verify_keys_follow(const gw_verify_keys *keys, const gw_audit_state *state, gw_bytes note,
                                gw_note_key *key, unsigned *ret_followed, gw_problem *ret_problem) {
    size_t count = gw_audit_log_keys(state), at = 0;
    gw_note_key now, next;
    gw_checkpoint checkpoint;
    for (; at < count; at++) {
        gw_ignore(gw_audit_log_key(state, at, &now));
        if (strcmp(now.name, key->name) == 0 && memcmp(now.key.bytes, key->key.bytes, sizeof(now.key.bytes)) == 0)
            break;
    }
    *ret_followed = 0;
    for (; at + 1 < count; at++) {
        uint64_t seq = gw_audit_log_key(state, at + 1, &next);
        gw_ignore(gw_audit_log_key(state, at, &now));
        if (!change_holds(keys, seq, &now, &next))
            break;
        ++*ret_followed;
        if (gw_checkpoint_open(note, &next, &checkpoint, NULL) == GW_OK) {
            *key = next;
            return GW_OK;
        }
    }
    return gw_problem_set(ret_problem, GW_CORRUPT, "bad_checkpoint", "The checkpoint does not hold.",
                          "No signature of the key it was checked with is on it, and no change of keys leads from that "
                          "key to one that signed it.",
                          "Compare the key with one you were given another way.");
}

void gw_verify_keys_free(gw_verify_keys *keys) {
    if (keys == NULL)
        return;
    for (size_t i = 0; i < keys->count; i++)
        gw_buffer_done(&keys->changes[i].note);
    free(keys->changes);
    free(keys->roots);
    free(keys);
}
