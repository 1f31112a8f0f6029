// SPDX-License-Identifier: Apache-2.0
// The rules of add-checkpoint in the order that the protocol gives them. A log's memory is the checkpoint file alone:
// empty before the first cosignature, then the note with the log's signature and ours, which is checked whenever it is
// read. A file that is gone or does not hold stops the witness from cosigning: forgetting would be vouching for
// anything.
#include "service/witness/witness.h"
#include "service/audit/tlog_policy.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/witness/add_body.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define PLAIN "text/plain; charset=utf-8"
#define KEYS_MAX 8u // of one log
#define ID_HEX (GW_HASH_HEX - 1)
#define PATH_BYTES 4352u

struct gw_witness {
    char *folder;
    gw_secret_key *secret;
    gw_note_key key;
    gw_clock clock;
};

GW_DEFINE_FREEP(gw_tlog_policy, gw_tlog_policy_free)
GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)

static void log_path(const gw_witness *witness, const char *id, const char *name, char path[PATH_BYTES]) {
    snprintf(path, PATH_BYTES, "%s/logs/%s%s%s", witness->folder, id, name[0] == '\0' ? "" : "/", name);
}

static void id_of(const char *origin, char id[GW_HASH_HEX]) {
    gw_hash hash = gw_sha256(gw_bytes_of(origin));
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, id);
}

// ---- made and opened

static gw_status bad_name(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_INVALID, "bad_name", "This name cannot be used.",
                          "Spaces and + are not allowed in it, and it has at most 127 bytes.",
                          "Write it like witness.nso.example/w1");
}

gw_status gw_witness_init(const char *folder, const char *name, gw_problem *ret_problem) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *secret = NULL;
    char path[PATH_BYTES], line[136];
    struct stat facts;
    gw_note_key key;
    if (strlen(folder) > PATH_MAX - 256)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_path", "The folder's path is too long.", "", "");
    snprintf(path, sizeof(path), "%s/witness.key", folder);
    if (stat(path, &facts) == 0) {
        gw_problem_fill(ret_problem, GW_CONFLICT, "witness_exists", "This folder holds a witness already.", "",
                        "Choose another --dir.");
        gw_problem_why(ret_problem, "%.500s exists; what a witness has seen is never made anew.", path);
        return GW_CONFLICT;
    }
    if (gw_key_generate(&secret) != GW_OK)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "key", "A key could not be made.",
                              "The kernel gave no randomness or no locked memory.", "");
    if (gw_note_key_make(name, GW_NOTE_KEY_COSIGNER, gw_key_public(secret), &key) != GW_OK)
        return bad_name(ret_problem);
    snprintf(path, sizeof(path), "%s/logs", folder);
    gw_status status = gw_folder_make(path, 0755, ret_problem);
    snprintf(path, sizeof(path), "%s/name", folder);
    int length = snprintf(line, sizeof(line), "%s\n", name);
    if (status == GW_OK)
        status = gw_file_replace(path, (gw_bytes){(const uint8_t *)line, (size_t)length}, 0644, ret_problem);
    snprintf(path, sizeof(path), "%s/witness.key", folder); // last: with it the folder is a witness's
    return status == GW_OK ? gw_key_file_write(path, secret, ret_problem) : status;
}

static gw_status open_name(gw_witness *witness, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    char path[PATH_BYTES], name[128] = "";
    gw_buffer_init(&text, sizeof(name));
    snprintf(path, sizeof(path), "%s/name", witness->folder);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status != GW_OK)
        return status;
    if (text.size < 2 || text.data[text.size - 1] != '\n')
        return bad_name(ret_problem);
    memcpy(name, text.data, text.size - 1);
    if (gw_note_key_make(name, GW_NOTE_KEY_COSIGNER, gw_key_public(witness->secret), &witness->key) != GW_OK)
        return bad_name(ret_problem);
    return GW_OK;
}

gw_status gw_witness_open(const char *folder, gw_clock clock, gw_witness **ret, gw_problem *ret_problem) {
    char path[PATH_BYTES];
    struct stat facts;
    if (strlen(folder) > PATH_MAX - 256)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_path", "The folder's path is too long.", "", "");
    snprintf(path, sizeof(path), "%s/witness.key", folder);
    if (stat(path, &facts) != 0 && errno == ENOENT) {
        gw_problem_fill(ret_problem, GW_NOT_FOUND, "no_witness", "There is no witness here.", "", "");
        gw_problem_why(ret_problem, "%.500s does not exist.", path);
        gw_problem_mend(ret_problem, "godwit-witness init --dir %.200s --name witness.nso.example/w1", folder);
        return GW_NOT_FOUND;
    }
    gw_witness *witness = calloc(1, sizeof(*witness));
    if (witness == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    witness->clock = clock;
    witness->folder = strdup(folder);
    gw_status status = witness->folder == NULL ? GW_NO_MEMORY : gw_key_file_read(path, &witness->secret, ret_problem);
    if (status == GW_OK)
        status = open_name(witness, ret_problem);
    if (status != GW_OK) {
        gw_witness_close(witness);
        return status;
    }
    *ret = witness;
    return GW_OK;
}

void gw_witness_close(gw_witness *witness) {
    if (witness == NULL)
        return;
    gw_secret_key_free(witness->secret);
    free(witness->folder);
    free(witness);
}

void gw_witness_key(const gw_witness *witness, gw_note_key *ret) {
    *ret = witness->key;
}

// ---- one log's memory

typedef struct {
    char id[GW_HASH_HEX];
    int lock;
    gw_tlog_policy *keys; // log lines
    gw_checkpoint seen;   // of size 0 before the first
    uint64_t time;
} memory;

static void memory_done(memory *log) {
    gw_tlog_policy_free(log->keys);
    gw_closep(&log->lock);
}

static gw_status corrupt(const memory *log, const char *what, gw_problem *ret_problem) {
    gw_problem_fill(ret_problem, GW_CORRUPT, "witness_corrupt", "What was seen of a log cannot be trusted.", "",
                    "Put the newest copy of the file back. Without one: godwit-witness reset ORIGIN, and say so.");
    gw_problem_why(ret_problem, "logs/%s: %s", log->id, what);
    return GW_CORRUPT;
}

// GW_NOT_FOUND: no such log.
static gw_status memory_lock(const gw_witness *witness, const char *id, memory *ret, gw_problem *ret_problem) {
    char path[PATH_BYTES];
    *ret = (memory){.lock = -1};
    snprintf(ret->id, sizeof(ret->id), "%s", id);
    log_path(witness, id, "lock", path);
    // Made with the log: a stranger's origin makes no files.
    ret->lock = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (ret->lock < 0 && errno == ENOENT)
        return gw_problem_set(ret_problem, GW_NOT_FOUND, "unknown_log", "This log is not known here.", "",
                              "godwit-witness add-log VKEY");
    if (ret->lock < 0)
        return corrupt(ret, "its lock cannot be opened.", ret_problem);
    while (flock(ret->lock, LOCK_EX) != 0)
        if (errno != EINTR)
            return corrupt(ret, "its lock cannot be taken.", ret_problem);
    return GW_OK;
}

static gw_status memory_read_seen(const gw_witness *witness, memory *log, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    char path[PATH_BYTES];
    gw_buffer_init(&note, GW_ADD_BODY_MAX);
    log_path(witness, log->id, "checkpoint", path);
    if (gw_file_read(path, &note, NULL) != GW_OK)
        return corrupt(log, "its checkpoint cannot be read.", ret_problem);
    log->seen = (gw_checkpoint){.root = gw_merkle_empty()};
    if (note.size == 0)
        return GW_OK;
    gw_tlog_verdict verdict;
    gw_note_parts parts;
    if (gw_tlog_policy_check(log->keys, gw_buffer_bytes(&note), NULL, &verdict, NULL) != GW_OK ||
        gw_note_split(gw_buffer_bytes(&note), &parts, NULL) != GW_OK ||
        gw_cosignature_find(&parts, &witness->key, &log->time) != GW_COSIGNATURE_GOOD)
        return corrupt(log, "its checkpoint does not carry the log's signature and ours.", ret_problem);
    log->seen = verdict.checkpoint;
    return GW_OK;
}

// The caller ends with memory_done, also when it fails.
static gw_status memory_open(const gw_witness *witness, const char *id, memory *ret, gw_problem *ret_problem) {
    char path[PATH_BYTES], origin_id[GW_HASH_HEX] = "";
    gw_status status = memory_lock(witness, id, ret, ret_problem);
    if (status != GW_OK)
        return status;
    log_path(witness, id, "log", path);
    if (gw_tlog_policy_read(path, &ret->keys, NULL) == GW_OK && gw_tlog_policy_log_count(ret->keys) > 0)
        id_of(gw_tlog_policy_log(ret->keys, 0)->key.name, origin_id);
    return strcmp(origin_id, id) == 0 ? memory_read_seen(witness, ret, ret_problem)
                                      : corrupt(ret, "its keys cannot be read.", ret_problem);
}

// ---- the operator's commands

static gw_status keys_write(const gw_witness *witness, const char *id, const gw_note_key *keys, size_t count,
                            gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    char path[PATH_BYTES], vkey[GW_VKEY_MAX];
    gw_buffer_init(&text, GW_TLOG_POLICY_FILE_MAX);
    for (size_t i = 0; i < count; i++) {
        gw_note_key_format(&keys[i], vkey);
        gw_buffer_format(&text, "log %s\n", vkey);
    }
    gw_buffer_text(&text, "quorum none\n"); // a policy file of who may sign
    log_path(witness, id, "log", path);
    return gw_file_replace(path, gw_buffer_bytes(&text), 0644, ret_problem);
}

// What was seen is never made anew: its lock may have been lost, or another add-log may be a moment ahead.
static gw_status seen_make(const char *path, gw_problem *ret_problem) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0 && errno == EEXIST)
        return GW_OK;
    if (descriptor < 0 || fchmod(descriptor, 0644) != 0 || fsync(descriptor) != 0 ||
        gw_file_sync_folder_of(path) != GW_OK)
        return gw_problem_set(ret_problem, GW_IO, "file_unwritable", "The log's file of what was seen cannot be made.",
                              "", "");
    return GW_OK;
}

// In this order, so that a crash leaves a log that is not known yet: it is known once its lock is there.
static gw_status log_make(const gw_witness *witness, const char *id, const gw_note_key *key, gw_problem *ret_problem) {
    char path[PATH_BYTES];
    log_path(witness, id, "", path);
    gw_status status = gw_folder_make(path, 0755, ret_problem);
    if (status == GW_OK)
        status = keys_write(witness, id, key, 1, ret_problem);
    log_path(witness, id, "checkpoint", path);
    if (status == GW_OK)
        status = seen_make(path, ret_problem);
    log_path(witness, id, "lock", path);
    return status == GW_OK ? gw_file_replace(path, (gw_bytes){NULL, 0}, 0600, ret_problem) : status;
}

gw_status gw_witness_add_log(gw_witness *witness, const char *vkey, gw_problem *ret_problem) {
    gw_note_key keys[KEYS_MAX + 1];
    char id[GW_HASH_HEX];
    gw_status status = gw_note_key_parse(vkey, &keys[0], ret_problem);
    if (status != GW_OK)
        return status;
    id_of(keys[0].name, id);
    GW_CLEANUP(memory_done) memory log;
    gw_problem problem = {0};
    status = memory_open(witness, id, &log, &problem);
    if (status == GW_NOT_FOUND)
        return log_make(witness, id, &keys[0], ret_problem);
    if (status != GW_OK) {
        if (ret_problem != NULL)
            *ret_problem = problem;
        return status;
    }
    size_t count = gw_tlog_policy_log_count(log.keys);
    gw_note_key added = keys[0];
    for (size_t i = 0; i < count && i < KEYS_MAX; i++) {
        keys[i] = gw_tlog_policy_log(log.keys, i)->key;
        if (memcmp(keys[i].key.bytes, added.key.bytes, GW_PUBLIC_KEY_SIZE) == 0)
            return gw_problem_set(ret_problem, GW_CONFLICT, "log_known", "This key of this log is known already.", "",
                                  "godwit-witness ls");
    }
    if (count >= KEYS_MAX)
        return gw_problem_set(ret_problem, GW_LIMIT, "log_keys", "This log has too many keys.", "At most 8.", "");
    keys[count] = added;
    return keys_write(witness, id, keys, count + 1, ret_problem);
}

gw_status gw_witness_reset(gw_witness *witness, const char *origin, gw_problem *ret_problem) {
    char id[GW_HASH_HEX], path[PATH_BYTES], kept[PATH_BYTES];
    id_of(origin, id);
    GW_CLEANUP(memory_done) memory log; // its files may be what is wrong: only the lock is needed
    gw_status status = memory_lock(witness, id, &log, ret_problem);
    if (status != GW_OK)
        return status;
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_buffer_init(&note, GW_ADD_BODY_MAX);
    log_path(witness, id, "checkpoint", path);
    log_path(witness, id, "checkpoint.before-reset", kept); // what it vouched for stays provable
    if (gw_file_read(path, &note, NULL) == GW_OK && note.size > 0)
        status = gw_file_replace(kept, gw_buffer_bytes(&note), 0644, ret_problem);
    return status == GW_OK ? gw_file_replace(path, (gw_bytes){NULL, 0}, 0644, ret_problem) : status;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_id(const struct dirent *entry) {
    return strlen(entry->d_name) == ID_HEX && strspn(entry->d_name, "0123456789abcdef") == ID_HEX;
}

static gw_status log_tell(gw_witness *witness, const char *id, void (*each)(void *, const gw_witness_log *),
                          void *state, gw_problem *ret_problem) {
    GW_CLEANUP(memory_done) memory log;
    gw_status status = memory_open(witness, id, &log, ret_problem);
    if (status != GW_OK)
        return status == GW_NOT_FOUND ? GW_OK : status; // add-log was cut short: not known yet
    char path[PATH_BYTES];
    struct stat facts;
    gw_witness_log told = {.size = log.seen.size, .root = log.seen.root, .time = (int64_t)log.time};
    memcpy(told.origin, gw_tlog_policy_log(log.keys, 0)->key.name, sizeof(told.origin));
    told.id = gw_sha256(gw_bytes_of(told.origin));
    log_path(witness, id, "refused", path);
    told.has_refused = stat(path, &facts) == 0;
    each(state, &told);
    return GW_OK;
}

gw_status gw_witness_logs(gw_witness *witness, void (*each)(void *state, const gw_witness_log *log), void *state,
                          gw_problem *ret_problem) {
    char path[PATH_BYTES];
    struct dirent **entries = NULL;
    snprintf(path, sizeof(path), "%s/logs", witness->folder);
    int count = scandir(path, &entries, is_id, by_name);
    if (count < 0)
        return gw_problem_set(ret_problem, GW_IO, "file_unreadable", "The folder of logs cannot be read.", "", "");
    gw_status status = GW_OK;
    for (int i = 0; i < count; i++) {
        if (status == GW_OK)
            status = log_tell(witness, entries[i]->d_name, each, state, ret_problem);
        free(entries[i]);
    }
    free(entries);
    return status;
}

// ---- add-checkpoint

static void refuse(gw_witness_reply *reply, unsigned status, const char *why) {
    reply->status = status;
    reply->why = why;
    reply->content_type = PLAIN;
    gw_buffer_done(&reply->body);
    gw_buffer_format(&reply->body, "%s\n", why);
}

static void reply_size(gw_witness_reply *reply, uint64_t size) {
    reply->status = 409;
    reply->why = "it proves from another size than the one that was cosigned";
    reply->content_type = "text/x.tlog.size";
    gw_buffer_format(&reply->body, "%llu\n", (unsigned long long)size);
}

// The first one stays: with what was cosigned it proves that the log showed two histories.
static void keep_refused(const gw_witness *witness, const memory *log, gw_bytes note) {
    char path[PATH_BYTES];
    struct stat facts;
    log_path(witness, log->id, "refused", path);
    if (stat(path, &facts) != 0)
        gw_ignore(gw_file_replace(path, note, 0644, NULL)); // evidence is a courtesy; the refusal stands without it
}

// A crash before the replacement: nothing was promised. After it: the log asks again, with the size we now know.
static void cosign(const gw_witness *witness, const memory *log, gw_bytes note, gw_witness_reply *reply) {
    gw_note_parts parts;
    gw_status status = gw_note_split(note, &parts, NULL);
    GW_ASSERT(status == GW_OK); // the log's signature was read from it
    int64_t now = witness->clock.unix_seconds(witness->clock.state);
    uint64_t time = now > 0 && (uint64_t)now > log->time ? (uint64_t)now : log->time;
    gw_cosignature_sign(witness->key.name, witness->secret, parts.text, time == 0 ? 1 : time, &reply->body);
    // Kept: the text, the log's signatures, ours. Other people's lines are not ours to vouch for.
    GW_CLEANUP(gw_buffer_done) gw_buffer kept;
    gw_buffer_init(&kept, GW_ADD_BODY_MAX);
    gw_buffer_append(&kept, parts.text.data, parts.text.size);
    gw_buffer_text(&kept, "\n");
    gw_note_signature line;
    while (gw_note_next(&parts.signatures, &line) == GW_OK)
        for (size_t i = 0; i < gw_tlog_policy_log_count(log->keys); i++)
            if (gw_note_is_of(&line, &gw_tlog_policy_log(log->keys, i)->key)) {
                gw_buffer_append(&kept, line.line.data, line.line.size);
                break;
            }
    gw_buffer_append(&kept, reply->body.data, reply->body.size);
    char path[PATH_BYTES];
    log_path(witness, log->id, "checkpoint", path);
    if (kept.status != GW_OK || gw_file_replace(path, gw_buffer_bytes(&kept), 0644, NULL) != GW_OK) {
        refuse(reply, 500, "the checkpoint cannot be kept");
        return;
    }
    reply->status = 200;
    reply->content_type = PLAIN;
}

static void decide(const gw_witness *witness, const memory *log, const gw_add_body *add, gw_witness_reply *reply) {
    gw_tlog_verdict verdict;
    if (gw_tlog_policy_check(log->keys, add->note, NULL, &verdict, NULL) != GW_OK) {
        refuse(reply, 403, "no signature of a key that is known for this log");
        return;
    }
    const gw_checkpoint *now = &verdict.checkpoint;
    if (add->old_size > now->size) {
        refuse(reply, 400, "the old size is larger than the checkpoint's");
        return;
    }
    if (add->old_size != log->seen.size) {
        reply_size(reply, log->seen.size);
        return;
    }
    // An empty tree can only follow nothing, whose root it must have.
    if (gw_merkle_consistency_holds(log->seen.size, log->seen.root, now->size, now->root, &add->proof)) {
        cosign(witness, log, add->note, reply);
        return;
    }
    refuse(reply, 422, "it is not proved to continue the tree that was cosigned");
    keep_refused(witness, log, add->note);
}

static void reply_init(gw_witness_reply *reply) {
    *reply = (gw_witness_reply){.status = 500, .content_type = PLAIN, .why = ""};
    gw_buffer_init(&reply->body, GW_ADD_BODY_MAX);
}

void gw_witness_add(gw_witness *witness, gw_bytes body, gw_witness_reply *ret) {
    gw_add_body add;
    gw_checkpoint checkpoint;
    gw_note_parts parts;
    char id[GW_HASH_HEX];
    reply_init(ret);
    if (body.size > GW_ADD_BODY_MAX || !gw_add_body_read(body, &add) ||
        gw_checkpoint_peek(add.note, &checkpoint, NULL) != GW_OK || gw_note_split(add.note, &parts, NULL) != GW_OK) {
        refuse(ret, 400, "the request is not an add-checkpoint body");
        return;
    }
    id_of(checkpoint.origin, id);
    memcpy(ret->origin, checkpoint.origin, sizeof(ret->origin));
    GW_CLEANUP(memory_done) memory log;
    gw_status status = memory_open(witness, id, &log, NULL);
    if (status == GW_NOT_FOUND)
        refuse(ret, 404, "this log is not known");
    else if (status != GW_OK)
        refuse(ret, 500, "what was seen of this log cannot be trusted");
    else
        decide(witness, &log, &add, ret);
}

// ---- monitors

void gw_witness_checkpoint(gw_witness *witness, const char *id, size_t id_size, gw_witness_reply *ret) {
    uint8_t bytes[GW_HASH_SIZE];
    char name[GW_HASH_HEX], path[PATH_BYTES];
    reply_init(ret);
    if (id_size != ID_HEX || !gw_unhex(id, id_size, bytes, sizeof(bytes))) {
        refuse(ret, 404, "there is no such log");
        return;
    }
    memcpy(name, id, ID_HEX);
    name[ID_HEX] = '\0';
    log_path(witness, name, "checkpoint", path);
    if (gw_file_read(path, &ret->body, NULL) != GW_OK || ret->body.size == 0) { // replaced whole: no lock is needed
        refuse(ret, 404, "no checkpoint of this log was cosigned");
        return;
    }
    ret->status = 200;
}
