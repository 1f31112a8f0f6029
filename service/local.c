// SPDX-License-Identifier: Apache-2.0
// The operator's local commands. They sign like anybody else: a change made here is in the log with who made it.
#include "service/local.h"

#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/bus/ask.h"
#include "service/vouch.h"
#include "service/wire/message.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PATH_BYTES 4200
#define REPLY_TIMEOUT_MS 60000

GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)
GW_DEFINE_FREEP(gw_json, gw_json_free)

static void path_of(const gw_config *config, const char *name, char path[PATH_BYTES]) {
    snprintf(path, PATH_BYTES, "%s/%s", config->folder, name);
}

// ---- init

static gw_status key_make(const gw_config *config, const char *name, gw_secret_key **ret, gw_problem *problem) {
    char path[PATH_BYTES];
    path_of(config, name, path);
    gw_status status = gw_key_generate(ret);
    if (status != GW_OK)
        return gw_problem_set(problem, status, "key", "A key could not be made.",
                              "The kernel gave no randomness or no locked memory.", "");
    return gw_key_file_write(path, *ret, problem);
}

static gw_status folders_make(const gw_config *config, gw_problem *problem) {
    static const char *const folders[] = {"", "keys", "profiles", "log", "questions", "policies", "data"};
    gw_status status = GW_OK;
    for (size_t i = 0; status == GW_OK && i < sizeof folders / sizeof folders[0]; i++) {
        char path[PATH_BYTES];
        path_of(config, folders[i], path);
        // The log and the questions are public; everything else is the operator's.
        bool is_public = strcmp(folders[i], "log") == 0 || strcmp(folders[i], "questions") == 0;
        status = gw_folder_make(path, is_public ? 0755 : 0700, problem);
    }
    return status;
}

static gw_status profile_write(const gw_config *config, const gw_note_key *log_key, const gw_secret_key *reply_key,
                               gw_problem *problem) {
    char vkey[GW_VKEY_MAX], reply_hex[65], path[PATH_BYTES];
    gw_public_key reply_public = gw_key_public(reply_key);
    gw_note_key_format(log_key, vkey);
    gw_hex((gw_bytes){reply_public.bytes, sizeof reply_public.bytes}, reply_hex);
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_buffer_text(&text, "{");
    gw_json_write_integer(&text, "godwit_profile", 1);
    gw_json_write_member(&text, "url", config->listen[0]);
    gw_json_write_member(&text, "origin", config->origin);
    gw_json_write_member(&text, "log_key", vkey);
    gw_json_write_member(&text, "reply_key", reply_hex);
    gw_json_write_member(&text, "principal", config->admin);
    gw_json_write_member(&text, "key", "admin.key");
    gw_buffer_text(&text, "}\n");
    path_of(config, "profiles/admin.json", path);
    gw_status status = gw_file_replace(path, gw_buffer_bytes(&text), 0600, problem);
    gw_buffer_done(&text);
    return status;
}

// The key that will sign the log: made here for a signer that we start, or that of the signer which listens.
static gw_status log_key_find(const gw_config *config, gw_note_key *ret, gw_problem *problem) {
    gw_secret_key *made = NULL;
    gw_status status = config->signer[0] ? GW_OK : key_make(config, "keys/log.key", &made, problem);
    gw_secret_key_free(made);
    gw_tree_signer signer;
    gw_checkpoint newest;
    if (status == GW_OK)
        status = gw_service_signer(config, &signer, problem);
    if (status != GW_OK)
        return status;
    status = signer.newest(signer.state, ret, &newest, problem);
    signer.close(signer.state);
    if (status == GW_OK && newest.size > 0)
        return gw_problem_set(problem, GW_CONFLICT, "signer_used", "This signer has signed a log already.",
                              "One signer signs one log for ever.", "Give the new log a signer with an empty folder.");
    return status;
}

// The first two entries after genesis: who may make all further ones.
static gw_status bootstrap(const gw_config *config, gw_public_key admin, gw_problem *problem) {
    gw_ledger_options options = {
        .state_folder = config->folder, .hwm_path = config->hwm[0] ? config->hwm : NULL, .clock = gw_clock_system()};
    gw_ledger *ledger = NULL;
    gw_status status = gw_service_signer(config, &options.signer, problem);
    if (status == GW_OK)
        status = gw_ledger_open(&options, &ledger, problem);
    if (status != GW_OK)
        return status;
    gw_store_op principal = {.kind = GW_STORE_APPEND, .entry = {.kind = GW_ENTRY_PRINCIPAL, .by = {.count = 1}}};
    gw_store_op key = {.kind = GW_STORE_APPEND, .entry = {.kind = GW_ENTRY_KEY, .by = {.count = 1}}};
    snprintf(principal.entry.by.ids[0], GW_ID_HEX, "%s", config->admin);
    snprintf(principal.entry.principal.principal, GW_ID_HEX, "%s", config->admin);
    strcpy(principal.entry.principal.action, "add");
    principal.entry.principal.roles = GW_ROLE_OWNER | GW_ROLE_OPERATOR;
    snprintf(key.entry.by.ids[0], GW_ID_HEX, "%s", config->admin);
    snprintf(key.entry.key.principal, GW_ID_HEX, "%s", config->admin);
    strcpy(key.entry.key.action, "add");
    strcpy(key.entry.key.key_kind, "sign");
    gw_hex((gw_bytes){admin.bytes, sizeof admin.bytes}, key.entry.key.key);
    status = gw_ledger_submit(ledger, &principal);
    if (status == GW_OK)
        status = principal.result;
    if (status == GW_OK)
        status = gw_ledger_submit(ledger, &key);
    if (status == GW_OK)
        status = key.result;
    gw_ledger_close(ledger);
    if (status != GW_OK)
        return gw_problem_set(problem, status, "init", "The first entries could not be written.", "",
                              "Remove the folder and try again.");
    return GW_OK;
}

// The first entry names the file of witnesses, and a copy of it lies published; without one, the hash of nothing.
static gw_status genesis_witnesses(const gw_config *config, gw_hash *ret, gw_problem *problem) {
    *ret = gw_sha256((gw_bytes){NULL, 0});
    if (config->witnesses[0] == '\0')
        return GW_OK;
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, GW_TLOG_POLICY_FILE_MAX);
    gw_status status = gw_vouching_read(config->witnesses, &text, ret, problem);
    return status == GW_OK ? gw_vouching_publish(config, gw_buffer_bytes(&text), problem) : status;
}

static gw_status genesis_write(const gw_config *config, const gw_note_key *log_key, gw_problem *problem) {
    gw_entry genesis = {.kind = GW_ENTRY_GENESIS, .time = (int64_t)time(NULL)};
    char path[PATH_BYTES];
    snprintf(genesis.genesis.origin, sizeof genesis.genesis.origin, "%s", config->origin);
    gw_note_key_format(log_key, genesis.genesis.log_key);
    gw_status status = genesis_witnesses(config, &genesis.genesis.witnesses, problem);
    path_of(config, "godwit.db", path);
    return status == GW_OK ? gw_store_create(path, &genesis, problem) : status;
}

gw_status gw_local_init(gw_config *config, gw_problem *ret_problem) {
    char path[PATH_BYTES];
    struct stat found;
    path_of(config, "config.json", path);
    if (stat(path, &found) == 0) {
        gw_problem_set(ret_problem, GW_CONFLICT, "state_exists", "This folder holds a service already.", "",
                       "Choose another --dir.");
        gw_problem_why(ret_problem, "%s exists; a ledger is never made anew over an old one.", path);
        return GW_CONFLICT;
    }
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *reply_key = NULL;
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *seal_key = NULL;
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *admin_key = NULL;
    gw_note_key note_key;
    gw_status status = folders_make(config, ret_problem);
    if (status == GW_OK)
        status = log_key_find(config, &note_key, ret_problem);
    if (status == GW_OK)
        status = key_make(config, "keys/reply.key", &reply_key, ret_problem);
    if (status == GW_OK)
        status = key_make(config, "keys/seal.key", &seal_key, ret_problem);
    if (status == GW_OK)
        status = key_make(config, "profiles/admin.key", &admin_key, ret_problem);
    if (status != GW_OK)
        return status;
    gw_random_id(config->admin);
    gw_public_key admin = gw_key_public(admin_key);
    status = profile_write(config, &note_key, reply_key, ret_problem);
    if (status == GW_OK)
        status = genesis_write(config, &note_key, ret_problem);
    if (status == GW_OK)
        status = bootstrap(config, admin, ret_problem);
    if (status == GW_OK)
        status = gw_config_save(config, ret_problem);
    return status;
}

// The operator's profile written to `path`, with one of its members changed.
static gw_status profile_copy(const gw_config *config, const char *path, const char *member, const char *value,
                              gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    GW_CLEANUP(gw_buffer_done) gw_buffer copy;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    char from[PATH_BYTES];
    gw_buffer_init(&text, 65536);
    gw_buffer_init(&copy, 65536);
    path_of(config, "profiles/admin.json", from);
    gw_status status = gw_file_read(from, &text, ret_problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(from), &json, ret_problem);
    if (status != GW_OK)
        return status;
    gw_buffer_text(&copy, "{");
    for (const gw_json_node *one = gw_json_first(gw_json_root(json)); one != NULL; one = gw_json_next(one)) {
        if (gw_json_type_of(one) == GW_JSON_INTEGER)
            gw_json_write_integer(&copy, gw_json_name(one), gw_json_integer(one));
        else
            gw_json_write_member(&copy, gw_json_name(one),
                                 strcmp(gw_json_name(one), member) == 0 ? value : gw_json_string(one));
    }
    gw_buffer_text(&copy, "}\n");
    return gw_file_replace(path, gw_buffer_bytes(&copy), 0600, ret_problem);
}

gw_status gw_local_profile_at(const gw_config *config, const char *path, gw_problem *ret_problem) {
    char key[PATH_BYTES];
    path_of(config, "profiles/admin.key", key);
    return profile_copy(config, path, "key", key, ret_problem);
}

gw_status gw_local_profile_log_key(const gw_config *config, char ret_log_key[256], gw_problem *ret_problem) {
    char path[PATH_BYTES];
    gw_store_reader *reader = NULL;
    uint64_t seq;
    bool is_kept;
    path_of(config, "godwit.db", path);
    gw_status status = gw_store_reader_open(path, &reader, ret_problem);
    if (status != GW_OK)
        return status;
    status = gw_store_log_key(reader, ret_log_key, &seq, &is_kept);
    gw_store_reader_close(reader);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "store_corrupt", "The log's key cannot be read.", "", "");
    path_of(config, "profiles/admin.json", path);
    return profile_copy(config, path, "log_key", ret_log_key, ret_problem);
}

// ---- one change

static gw_status reply_read(const gw_config *config, gw_bytes bytes, gw_buffer *document, gw_problem *problem) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    char path[PATH_BYTES];
    gw_reply_message reply;
    gw_service_key_path(config, "reply", path, sizeof path);
    gw_status status = gw_key_file_read(path, &key, problem);
    if (status == GW_OK)
        status = gw_reply_message_decode(bytes, &reply, problem);
    if (status != GW_OK)
        return status;
    if (!gw_verify_signature(gw_key_public(key), reply.signed_bytes, reply.signature))
        return gw_problem_set(problem, GW_CORRUPT, "bad_reply", "The reply is not signed by this service.",
                              "Another program answers on its address.", "Look who listens there.");
    if (reply.status == GW_REPLY_OK) {
        gw_buffer_append(document, reply.answer.data, reply.answer.size);
        return document->status;
    }
    gw_problem decoded = {0};
    status = gw_problem_decode(reply.answer, &decoded);
    if (status != GW_OK)
        return gw_problem_set(problem, status, "bad_reply", "The reply cannot be read.", "", "");
    *problem = decoded;
    if (problem->status == GW_OK)
        problem->status = GW_INVALID;
    return problem->status;
}

static gw_status request_sign(const gw_config *config, gw_bytes body, gw_buffer *request, gw_problem *problem) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    char path[PATH_BYTES];
    path_of(config, "profiles/admin.key", path);
    gw_status status = gw_key_file_read(path, &key, problem);
    if (status != GW_OK)
        return status;
    gw_request_message message = {.time = (int64_t)time(NULL), .auth = GW_AUTH_SIGNATURE, .body = body};
    snprintf(message.origin, sizeof message.origin, "%s", config->origin);
    snprintf(message.principal, sizeof message.principal, "%s", config->admin);
    gw_random_id(message.idem);
    gw_request_message_encode(&message, key, request);
    return request->status;
}

static gw_status answer_here(const gw_config *config, gw_bytes request, gw_buffer *reply, gw_problem *problem) {
    gw_service *service = NULL;
    gw_service_options options = {.is_serving = false};
    // While this command holds the lock, `godwitd reload` takes it for the daemon; there is nothing to reload here.
    void (*before)(int) = signal(SIGHUP, SIG_IGN);
    gw_status status = gw_service_open(config, &options, &service, problem);
    if (status == GW_OK) {
        gw_service_handle(service, request, reply);
        gw_service_close(service);
        status = reply->status;
    }
    signal(SIGHUP, before);
    return status;
}

gw_status gw_local_change(const gw_config *config, gw_bytes body, gw_buffer *ret_document, gw_problem *ret_problem) {
    gw_buffer request, reply;
    gw_buffer_init(&request, GW_REQUEST_BYTES_MAX);
    gw_buffer_init(&reply, GW_REQUEST_BYTES_MAX);
    gw_status status = request_sign(config, body, &request, ret_problem);
    if (status == GW_OK) {
        status = answer_here(config, gw_buffer_bytes(&request), &reply, ret_problem);
        // A daemon holds the folder: it gets the same signed bytes.
        if (status == GW_BUSY)
            status = gw_bus_ask(config->listen[0], gw_buffer_bytes(&request), REPLY_TIMEOUT_MS, &reply, ret_problem);
    }
    if (status == GW_OK)
        status = reply_read(config, gw_buffer_bytes(&reply), ret_document, ret_problem);
    gw_buffer_done(&request);
    gw_buffer_done(&reply);
    return status;
}
