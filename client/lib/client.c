// SPDX-License-Identifier: Apache-2.0
// The client's rules: what is sent, when it is sent again, and what of a reply is believed. Nothing is: a reply is used
// only after its signature, the hash of the request it answers, and its receipt have been checked.
#include "client/lib/client.h"
#include "client/lib/seen.h"
#include "client/lib/transport.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/clock.h"
#include "service/wire/json.h"
#include "service/wire/receipt.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECT_MS_MAX 5000
#define BACKOFF_MS_FIRST 20u
#define BACKOFF_MS_MAX 1000u
#define PROOF_ATTEMPTS 5u // a busy service must not miss the proof against it

struct gw_client {
    gw_profile profile;
    gw_note_key log_key;
    gw_secret_key *key; // NULL: a visitor
    gw_transport *transport;
    gw_buffer message; // the request as sent
    gw_seen seen;      // the newest checkpoint of this log that this profile knows
};

GW_DEFINE_FREEP(gw_client, gw_client_close)
GW_DEFINE_FREEP(gw_json, gw_json_free)

// ---- opening

static gw_status unreachable(const gw_client *client, gw_status status, gw_problem *ret_problem) {
    const char *url = client->profile.url;
    const char *slash = strrchr(url, '/');
    gw_ignore(gw_problem_set(ret_problem, GW_UNAVAILABLE, "unreachable", "", "", "")); // returns what it was given
    gw_problem_what(ret_problem, "The service at %s does not answer.", url);
    gw_problem_why(ret_problem, status == GW_RETRY ? "It was asked, and no reply came in time. Asking again with the "
                                                     "same request id costs nothing more."
                                                   : "No connection could be made in time.");
    if (strncmp(url, "ipc:///", 7) == 0 && slash > url + 6) // its socket lies in its state folder
        gw_problem_mend(ret_problem, "Start it: godwit serve --dir %.*s", (int)(slash - url) - 6, url + 6);
    else
        gw_problem_mend(ret_problem, "Start it where it lives: godwit serve --dir DIR --listen %s", url);
    return GW_UNAVAILABLE;
}

static gw_status open_keys(gw_client *client, gw_problem *ret_problem) {
    gw_status status = gw_note_key_parse(client->profile.log_key, &client->log_key, ret_problem);
    if (status != GW_OK || client->profile.principal[0] == '\0')
        return status;
    char path[4096];
    if (!gw_profile_key_file(&client->profile, path))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_profile", "The path of the key file is too long.", "", "");
    return gw_key_file_read(path, &client->key, ret_problem);
}

static gw_status open_transport(gw_client *client, gw_problem *ret_problem) {
    gw_status status = gw_transport_open(client->profile.url, CONNECT_MS_MAX, GW_REPLY_BYTES_MAX, &client->transport);
    if (status == GW_INVALID)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_profile", "The profile's address cannot be used.",
                              "An address begins with ipc:// or tcp://.", "");
    if (status != GW_OK)
        return unreachable(client, status, ret_problem);
    return GW_OK;
}

gw_status gw_client_open(const gw_profile *profile, gw_client **ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_client_freep) gw_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    client->profile = *profile;
    gw_buffer_init(&client->message, GW_REQUEST_BYTES_MAX);
    gw_status status = open_keys(client, ret_problem);
    if (status == GW_OK)
        status = gw_seen_open(&client->seen, &client->profile, &client->log_key, ret_problem);
    if (status == GW_OK)
        status = open_transport(client, ret_problem);
    if (status == GW_OK)
        *ret = gw_take(&client);
    return status;
}

void gw_client_close(gw_client *client) {
    if (client == NULL)
        return;
    gw_transport_close(client->transport);
    gw_secret_key_free(client->key);
    gw_buffer_done(&client->message);
    gw_seen_close(&client->seen);
    free(client);
}

// ---- what of a reply is believed

static gw_status bad_reply(gw_problem *ret_problem, const char *why) {
    return gw_problem_set(ret_problem, GW_CORRUPT, "bad_reply", "The reply is not one of this service.", why,
                          "Compare reply_key and url of the profile with what the operator published.");
}

static bool is_zero(gw_hash hash) {
    return gw_hash_equal(hash, (gw_hash){0});
}

static gw_status check_signature(const gw_client *client, const gw_reply_message *reply, gw_hash request,
                                 gw_problem *ret_problem) {
    if (!gw_verify_signature(client->profile.reply_key, reply->signed_bytes, reply->signature))
        return bad_reply(ret_problem, "Its signature does not verify with the profile's reply key.");
    // A service that could not read the request cannot name it: such a reply may say no, never yes.
    bool is_nameless_refusal = is_zero(reply->request) && reply->status != GW_REPLY_OK && reply->receipt.size == 0;
    if (!is_nameless_refusal && !gw_hash_equal(reply->request, request))
        return bad_reply(ret_problem, "It answers another request.");
    return GW_OK;
}

// The request is not handed on: a repeated answer carries the receipt of whoever asked first.
static gw_status check_receipt(gw_client *client, const gw_reply_message *reply, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer scratch;
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    gw_receipt receipt;
    gw_entry charge, release;
    if (gw_receipt_decode(reply->receipt, &scratch, &receipt, ret_problem) != GW_OK ||
        gw_audit_receipt(reply->receipt, reply->answer, (gw_bytes){0}, &client->log_key, &charge, &release,
                         ret_problem) != GW_OK)
        return GW_CORRUPT;
    // Held against what was sent along: what another process learns meanwhile is no reproach.
    return gw_seen_check(&client->seen, receipt.checkpoint, reply->account, ret_problem);
}

static gw_status check_reply(gw_client *client, gw_bytes bytes, gw_hash request, gw_client_reply *ret_reply,
                             gw_problem *ret_problem) {
    gw_reply_message reply;
    if (gw_reply_message_decode(bytes, &reply, ret_problem) != GW_OK)
        return bad_reply(ret_problem, "It does not follow godwit/1.");
    gw_status status = check_signature(client, &reply, request, ret_problem);
    if (status == GW_OK && reply.receipt.size != 0)
        status = check_receipt(client, &reply, ret_problem);
    if (status != GW_OK)
        return status;
    *ret_reply = (gw_client_reply){.status = reply.status,
                                   .answer = reply.answer,
                                   .receipt = reply.receipt,
                                   .account = reply.account,
                                   .request = gw_buffer_bytes(&client->message)};
    if (reply.status != GW_REPLY_OK && gw_problem_decode(reply.answer, &ret_reply->problem) != GW_OK)
        return bad_reply(ret_problem, "Its refusal cannot be read.");
    return GW_OK;
}

// ---- asking

// Waits a little longer each time, and not in step with other clients.
static void back_off(unsigned attempt) {
    uint16_t chance = 0;
    unsigned wait_ms = BACKOFF_MS_FIRST << (attempt < 6 ? attempt : 6);
    wait_ms = wait_ms < BACKOFF_MS_MAX ? wait_ms : BACKOFF_MS_MAX;
    if (gw_random_bytes(&chance, sizeof(chance)))
        wait_ms += wait_ms * chance / UINT16_MAX;
    struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = (long)(wait_ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

static gw_status write_message(gw_client *client, gw_bytes body, const char *idem, bool with_seen,
                               gw_problem *ret_problem) {
    gw_clock clock = gw_clock_system();
    uint8_t id[GW_ID_SIZE];
    gw_request_message message = {.time = clock.unix_seconds(clock.state),
                                  .has_seen = with_seen && client->seen.is_known,
                                  .seen_size = client->seen.checkpoint.size,
                                  .seen_root = client->seen.checkpoint.root,
                                  .body = body};
    if (idem == NULL)
        gw_random_id(message.idem);
    else if (gw_unhex(idem, strlen(idem), id, sizeof(id)))
        snprintf(message.idem, sizeof(message.idem), "%s", idem);
    else
        return gw_problem_set(ret_problem, GW_INVALID, "bad_idem", "The request id cannot be used.",
                              "It has 32 lower-case hexadecimal digits.", "");
    snprintf(message.origin, sizeof(message.origin), "%s", client->profile.origin);
    snprintf(message.principal, sizeof(message.principal), "%s", client->profile.principal);
    gw_buffer_done(&client->message);
    gw_request_message_encode(&message, client->key, &client->message);
    if (client->message.status != GW_OK)
        return gw_problem_set(ret_problem, GW_LIMIT, "request_too_big", "The request is too big.",
                              "A message has at most 1048576 bytes.", "");
    return GW_OK;
}

// The hash by which a reply names our request.
static gw_status hash_signed_bytes(gw_bytes bytes, gw_hash *ret, gw_problem *ret_problem) {
    gw_request_message message;
    gw_status status = gw_request_message_decode(bytes, &message, ret_problem); // we send only what we would accept
    if (status == GW_OK)
        *ret = gw_sha256(message.signed_bytes);
    return status;
}

typedef struct {
    unsigned attempts;
    int timeout_ms;
    bool with_seen;
} client_patience;

static gw_status ask(gw_client *client, gw_bytes body, const char *idem, client_patience patience,
                     gw_client_reply *ret_reply, gw_problem *ret_problem) {
    gw_hash request;
    gw_status status = write_message(client, body, idem, patience.with_seen, ret_problem);
    if (status == GW_OK)
        status = hash_signed_bytes(gw_buffer_bytes(&client->message), &request, ret_problem);
    if (status != GW_OK)
        return status;
    for (unsigned attempt = 1;; attempt++) {
        gw_client_reply reply;
        gw_bytes bytes;
        status =
            gw_transport_exchange(client->transport, gw_buffer_bytes(&client->message), patience.timeout_ms, &bytes);
        bool is_answered = status == GW_OK;
        if (is_answered)
            status = check_reply(client, bytes, request, &reply, ret_problem);
        if (is_answered && status != GW_OK)
            return status;
        bool is_final = is_answered && reply.status != GW_REPLY_RETRY && reply.status != GW_REPLY_BUSY;
        if (is_answered && (is_final || attempt >= patience.attempts)) {
            *ret_reply = reply;
            return GW_OK;
        }
        if (attempt >= patience.attempts)
            return unreachable(client, status, ret_problem);
        back_off(attempt - 1);
    }
}

// Of a refusal's account: the service's own newest note, where it says one.
static gw_bytes own_note(const gw_client_reply *reply, gw_json **ret_json) {
    if (gw_json_parse(reply->account, GW_JSON_REPLY, ret_json, NULL) != GW_OK ||
        gw_json_type_of(gw_json_root(*ret_json)) != GW_JSON_OBJECT)
        return (gw_bytes){0};
    const gw_json_node *note = gw_json_member(gw_json_root(*ret_json), "checkpoint");
    return note != NULL && gw_json_type_of(note) == GW_JSON_STRING ? gw_bytes_of(gw_json_string(note)) : (gw_bytes){0};
}

// The service asks to see what it does not know. It gets the signed note, which it cannot deny, and whatever it says
// then: its log is not what it was.
static gw_status prove(gw_client *client, int timeout_ms, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer body;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_client_reply reply = {.status = GW_REPLY_REFUSED};
    gw_buffer_init(&body, GW_REQUEST_BYTES_MAX);
    gw_buffer_text(&body, "{");
    gw_json_write_integer(&body, "v", 1);
    gw_json_write_member(&body, "kind", "checkpoint");
    gw_json_write_member(&body, "note", gw_buffer_string(&client->seen.note));
    gw_buffer_text(&body, "}");
    client_patience patience = {.attempts = PROOF_ATTEMPTS, .timeout_ms = timeout_ms, .with_seen = false};
    bool is_told =
        body.status == GW_OK && ask(client, gw_buffer_bytes(&body), NULL, patience, &reply, ret_problem) == GW_OK;
    if (is_told && reply.status == GW_REPLY_OK)
        return bad_reply(ret_problem, "It refused a checkpoint of its log, and then said that it has it.");
    return gw_seen_contradicted(&client->seen, is_told ? own_note(&reply, &json) : (gw_bytes){0}, ret_problem);
}

gw_status gw_client_call(gw_client *client, gw_bytes body, const char *idem, unsigned attempts, int timeout_ms,
                         gw_client_reply *ret_reply, gw_problem *ret_problem) {
    client_patience patience = {.attempts = attempts, .timeout_ms = timeout_ms, .with_seen = true};
    gw_status status = ask(client, body, idem, patience, ret_reply, ret_problem);
    bool is_ahead = status == GW_OK && ret_reply->status == GW_REPLY_REFUSED && client->seen.is_known &&
                    strcmp(ret_reply->problem.code, "checkpoint_ahead") == 0;
    return is_ahead ? prove(client, timeout_ms, ret_problem) : status;
}

gw_status gw_client_exchange(gw_client *client, gw_bytes message, int timeout_ms, gw_bytes *ret_reply,
                             gw_problem *ret_problem) {
    gw_status status = gw_transport_exchange(client->transport, message, timeout_ms, ret_reply);
    return status == GW_OK ? GW_OK : unreachable(client, status, ret_problem);
}
