// SPDX-License-Identifier: Apache-2.0
// A statement is one line of JSON that says the same thing in one way only: it is read strictly, written again and
// compared.
#include "service/recovery/statement.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4352u
#define STATEMENT_BYTES_MAX 16384u
#define SIGNATURE_BYTES_MAX 4096u
#define KEYS_MAX 8
#define SIGNER_ROLES (GW_ROLE_OWNER | GW_ROLE_OPERATOR)

GW_DEFINE_FREEP(gw_json, gw_json_free)

// ---- words

static void write_root(gw_buffer *text, gw_hash root) {
    char hex[GW_HASH_HEX];
    gw_hex((gw_bytes){root.bytes, GW_HASH_SIZE}, hex);
    gw_json_write_member(text, "root", hex);
}

void statement_encode(const statement *told, gw_buffer *text) {
    gw_buffer_text(text, "{");
    gw_json_write_integer(text, "godwit_restore", 1);
    gw_json_write_member(text, "origin", told->origin);
    gw_json_write_integer(text, "from", (int64_t)told->from);
    write_root(text, told->root);
    gw_json_write_integer(text, "lost", (int64_t)told->lost);
    gw_json_write_integer(text, "time", told->time);
    gw_json_write_name(text, "over");
    gw_buffer_text(text, "[");
    for (size_t i = 0; i < told->over_count; i++) {
        gw_buffer_text(text, i == 0 ? "{" : ",{");
        gw_json_write_integer(text, "size", (int64_t)told->over[i].size);
        write_root(text, told->over[i].root);
        gw_buffer_text(text, "}");
    }
    gw_buffer_text(text, "]}\n");
}

#define NUMBER_MAX ((INT64_C(1) << 53) - 1)

static void read_root(gw_json_reader *reader, const gw_json_node *object, gw_hash *ret) {
    const char *hex = gw_json_read_string(reader, object, "root");
    if (hex != NULL && !gw_unhex(hex, strlen(hex), ret->bytes, GW_HASH_SIZE))
        gw_json_fail(reader, gw_json_member(object, "root"), "bad_hash", "This is not a root.", "",
                     "A root is 64 hexadecimal digits.");
}

static void read_over(gw_json_reader *reader, const gw_json_node *root, statement *told) {
    static const char *const fields[] = {"size", "root", NULL};
    const gw_json_node *list = gw_json_read_array(reader, root, "over");
    if (list != NULL && gw_json_count(list) > STATEMENT_OVER_MAX)
        gw_json_fail(reader, list, "too_many", "There are too many trees.", "", "At most %d.", STATEMENT_OVER_MAX);
    for (const gw_json_node *item = list == NULL ? NULL : gw_json_first(list);
         item != NULL && reader->status == GW_OK && gw_json_expect_object(reader, item, fields);
         item = gw_json_next(item)) {
        statement_tree *tree = &told->over[told->over_count++];
        tree->size = (uint64_t)gw_json_read_integer(reader, item, "size", 1, NUMBER_MAX);
        read_root(reader, item, &tree->root);
    }
}

static bool is_as_written(const statement *told, gw_bytes text) {
    GW_CLEANUP(gw_buffer_done) gw_buffer again;
    gw_buffer_init(&again, STATEMENT_BYTES_MAX);
    statement_encode(told, &again);
    return again.status == GW_OK && again.size == text.size && memcmp(again.data, text.data, text.size) == 0;
}

gw_status statement_decode(gw_bytes text, const char *path, statement *ret, gw_problem *ret_problem) {
    static const char *const fields[] = {"godwit_restore", "origin", "from", "root", "lost", "time", "over", NULL};
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_json_reader reader;
    statement told = {.from = 0};
    gw_status status = gw_json_parse(text, GW_JSON_FILE(path), &json, ret_problem);
    if (status != GW_OK)
        return status;
    gw_json_reader_init(&reader, json);
    const gw_json_node *root = gw_json_root(json);
    if (gw_json_expect_object(&reader, root, fields)) {
        (void)gw_json_read_integer(&reader, root, "godwit_restore", 1, 1); // another number is refused by the reader
        const char *origin = gw_json_read_string(&reader, root, "origin");
        snprintf(told.origin, sizeof(told.origin), "%s", origin == NULL ? "" : origin);
        told.from = (uint64_t)gw_json_read_integer(&reader, root, "from", 1, NUMBER_MAX);
        read_root(&reader, root, &told.root);
        told.lost = (uint64_t)gw_json_read_integer(&reader, root, "lost", 0, NUMBER_MAX);
        told.time = gw_json_read_integer(&reader, root, "time", 0, NUMBER_MAX);
        read_over(&reader, root, &told);
    }
    if (reader.status != GW_OK) {
        *ret_problem = reader.problem;
        return reader.status;
    }
    if (!is_as_written(&told, text))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_statement", "This is not a statement as it was written.",
                              "", "Run godwitd restore again; it writes the statement anew.");
    *ret = told;
    return GW_OK;
}

bool statement_is_over(const statement *told, uint64_t size, gw_hash root) {
    for (size_t i = 0; i < told->over_count; i++)
        if (told->over[i].size == size && gw_hash_equal(told->over[i].root, root))
            return true;
    return false;
}

bool statement_is_same(const statement *a, const statement *b) {
    if (strcmp(a->origin, b->origin) != 0 || a->from != b->from || a->lost != b->lost ||
        !gw_hash_equal(a->root, b->root) || a->over_count != b->over_count)
        return false;
    for (size_t i = 0; i < a->over_count; i++)
        if (!statement_is_over(b, a->over[i].size, a->over[i].root))
            return false;
    return true;
}

// ---- signatures

typedef struct {
    char by[GW_ID_HEX];
    gw_public_key key;
    gw_signature signature;
} detached;

static gw_status signature_read(const char *path, detached *ret, gw_problem *ret_problem) {
    static const char *const fields[] = {"by", "key", "signature", NULL};
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_json_reader reader;
    uint8_t id[GW_ID_SIZE];
    gw_buffer_init(&text, SIGNATURE_BYTES_MAX);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(path), &json, ret_problem);
    if (status != GW_OK)
        return status;
    gw_json_reader_init(&reader, json);
    const gw_json_node *root = gw_json_root(json);
    bool is_whole = gw_json_expect_object(&reader, root, fields);
    const char *by = is_whole ? gw_json_read_string(&reader, root, "by") : NULL;
    const char *key = is_whole ? gw_json_read_string(&reader, root, "key") : NULL;
    const char *signature = is_whole ? gw_json_read_string(&reader, root, "signature") : NULL;
    if (reader.status != GW_OK || by == NULL || key == NULL || signature == NULL) {
        *ret_problem = reader.problem;
        return reader.status;
    }
    if (!gw_unhex(by, strlen(by), id, sizeof(id)) || !gw_unhex(key, strlen(key), ret->key.bytes, GW_PUBLIC_KEY_SIZE) ||
        !gw_unhex(signature, strlen(signature), ret->signature.bytes, GW_SIGNATURE_SIZE))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_signature", "This is not a signature file.", "", "");
    memcpy(ret->by, by, GW_ID_HEX);
    return GW_OK;
}

// A live signing key of somebody who is owner or operator in this ledger.
static bool signature_holds(const detached *signature, gw_bytes text, int64_t time, gw_store_reader *reader) {
    gw_store_principal signer;
    gw_store_key keys[KEYS_MAX];
    char key_id[GW_KEY_ID_HEX];
    size_t count = 0;
    bool is_live = false;
    gw_key_id(signature->key, key_id);
    if (gw_store_principal_find(reader, signature->by, &signer) != GW_OK || (signer.roles & SIGNER_ROLES) == 0 ||
        gw_store_keys_find(reader, signature->by, key_id, keys, KEYS_MAX, &count) != GW_OK)
        return false;
    for (size_t i = 0; i < count; i++)
        is_live |= memcmp(keys[i].key.bytes, signature->key.bytes, GW_PUBLIC_KEY_SIZE) == 0 && !keys[i].is_revoked &&
                   keys[i].not_before <= time && (keys[i].not_after == 0 || time <= keys[i].not_after);
    return is_live && gw_verify_signature(signature->key, text, signature->signature);
}

static int id_compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static gw_status signer_add(const char *path, gw_bytes text, int64_t time, gw_store_reader *reader, gw_signers *signers,
                            gw_problem *ret_problem) {
    detached signature;
    gw_status status = signature_read(path, &signature, ret_problem);
    if (status != GW_OK)
        return status;
    if (!signature_holds(&signature, text, time, reader)) {
        gw_ignore(gw_problem_set(ret_problem, GW_DENIED, "bad_signature", "", "",
                                 "Remove that file; sign the statement as it is now: godwit sign."));
        gw_problem_what(ret_problem, "The signature in %.200s does not hold.", path);
        gw_problem_why(ret_problem, "It is not of these words, or its key does not belong to an owner or operator of "
                                    "the recovered ledger.");
        return GW_DENIED;
    }
    for (size_t i = 0; i < signers->count; i++)
        if (strcmp(signers->ids[i], signature.by) == 0)
            return GW_OK; // signed twice is signed once
    if (signers->count < GW_SIGNERS_MAX)
        memcpy(signers->ids[signers->count++], signature.by, GW_ID_HEX);
    return GW_OK;
}

// Calls `each` with every "<path>.<name>.sig".
static gw_status signatures_each(const char *path, gw_status (*each)(void *state, const char *signature), void *state) {
    char folder[PATH_SIZE], prefix[256], found[PATH_SIZE];
    struct dirent *item;
    gw_status status = GW_OK;
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
    int size = snprintf(prefix, sizeof(prefix), "%.200s.", slash == NULL ? path : slash + 1);
    DIR *listed = opendir(folder);
    if (listed == NULL)
        return GW_IO;
    while (status == GW_OK && (item = readdir(listed)) != NULL) {
        size_t length = strlen(item->d_name);
        if (strncmp(item->d_name, prefix, (size_t)size) != 0 || length < (size_t)size + 4 ||
            strcmp(item->d_name + length - 4, ".sig") != 0)
            continue;
        snprintf(found, sizeof(found), "%.4000s/%s", folder, item->d_name);
        status = each(state, found);
    }
    closedir(listed);
    return status;
}

typedef struct {
    gw_bytes text;
    int64_t time;
    gw_store_reader *reader;
    gw_signers signers;
    gw_problem *problem;
} signers_run;

static gw_status signers_one(void *state, const char *signature) {
    signers_run *run = state;
    return signer_add(signature, run->text, run->time, run->reader, &run->signers, run->problem);
}

gw_status statement_signers(const char *path, gw_bytes text, int64_t time, gw_store_reader *reader, gw_signers *ret,
                            gw_problem *ret_problem) {
    signers_run run = {.text = text, .time = time, .reader = reader, .problem = ret_problem};
    gw_status status = signatures_each(path, signers_one, &run);
    qsort(run.signers.ids, run.signers.count, sizeof(run.signers.ids[0]), id_compare);
    if (status == GW_OK)
        *ret = run.signers;
    return status;
}

static gw_status remove_one(void *state, const char *signature) {
    (void)state;
    return unlink(signature) == 0 ? GW_OK : GW_IO;
}

gw_status statement_signatures_remove(const char *path, gw_problem *ret_problem) {
    gw_status status = signatures_each(path, remove_one, NULL);
    return status == GW_OK ? GW_OK
                           : gw_problem_set(ret_problem, status, "file_unwritable",
                                            "Signatures of an earlier statement cannot be removed.", "", "");
}
