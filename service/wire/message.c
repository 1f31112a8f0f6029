// SPDX-License-Identifier: Apache-2.0
// The envelope's grammar, written and read. Field order, digits and lengths are fixed, so a message that decodes is
// the only spelling of what it says, and encoding it again gives the same bytes.
#include "service/wire/message.h"
#include "service/base/check.h"
#include "service/wire/lines.h"
#include <inttypes.h>
#include <string.h>

#define NOBODY_PRINCIPAL "00000000000000000000000000000000"
#define NOBODY_KEY "00000000"

_Static_assert(sizeof(NOBODY_PRINCIPAL) == GW_ID_HEX, "a visitor's principal has the shape of any other");
_Static_assert(sizeof(NOBODY_KEY) == GW_KEY_ID_HEX, "a visitor's key id has the shape of any other");

static const char *const reply_status_names[] = {
    [GW_REPLY_OK] = "ok", [GW_REPLY_REFUSED] = "refused", [GW_REPLY_RETRY] = "retry", [GW_REPLY_BUSY] = "busy"};
#define REPLY_STATUS_COUNT (sizeof(reply_status_names) / sizeof(reply_status_names[0]))

// ---- what both kinds share

static gw_bytes bytes_between(gw_bytes whole, gw_bytes rest) {
    return (gw_bytes){.data = whole.data, .size = whole.size - rest.size};
}

static void append_hex(gw_buffer *buffer, const char *name, gw_bytes bytes) {
    char text[2 * GW_SIGNATURE_SIZE + 1];
    GW_ASSERT(bytes.size <= GW_SIGNATURE_SIZE);
    gw_hex(bytes, text);
    gw_buffer_format(buffer, "%s %s\n", name, text);
}

static void append_length_and_hash(gw_buffer *buffer, const char *name, gw_bytes bytes) {
    char text[GW_HASH_HEX];
    gw_hash hash = gw_sha256(bytes);
    gw_hex((gw_bytes){.data = hash.bytes, .size = sizeof(hash.bytes)}, text);
    gw_buffer_format(buffer, "%s %zu %s\n", name, bytes.size, text);
}

// Signs what the buffer holds from `start` on. Nothing to sign when the buffer has failed already.
static gw_signature sign_from(const gw_secret_key *key, const gw_buffer *buffer, size_t start) {
    if (buffer->status != GW_OK)
        return (gw_signature){0};
    return gw_sign(key, (gw_bytes){.data = buffer->data + start, .size = buffer->size - start});
}

// "<length> <sha256 hex>" of bytes that come later.
static uint64_t read_length_and_hash(gw_lines *lines, const char *name, uint64_t length_max, gw_hash *ret_hash) {
    gw_bytes length, hash;
    gw_lines_split(lines, name, gw_lines_value(lines, name), &length, &hash);
    gw_lines_hex(lines, name, hash, ret_hash->bytes, sizeof(ret_hash->bytes));
    return gw_lines_number(lines, name, length, length_max);
}

static void check_hash(gw_lines *lines, const char *name, gw_bytes bytes, gw_hash hash) {
    if (lines->why == NULL && !gw_hash_equal(gw_sha256(bytes), hash))
        gw_lines_fail(lines, name, "the bytes that follow do not have the hash that is announced");
}

static gw_status message_too_big(gw_problem *ret_problem, size_t size_max) {
    gw_ignore(gw_problem_set(ret_problem, GW_INVALID, "bad_message", "The message is too big.", "", ""));
    gw_problem_why(ret_problem, "At most %zu bytes are read.", size_max);
    return GW_INVALID;
}

// ---- requests

static void request_read_seen(gw_lines *lines, gw_request_message *message) {
    if (!gw_lines_is_next(lines, "seen"))
        return;
    gw_bytes size, root;
    gw_lines_split(lines, "seen", gw_lines_value(lines, "seen"), &size, &root);
    message->has_seen = true;
    message->seen_size = gw_lines_number(lines, "seen", size, UINT64_MAX);
    message->seen_root = gw_lines_base64_hash(lines, "seen", root);
}

static void request_read_none(gw_lines *lines, const gw_request_message *message) {
    if (strcmp(message->principal, NOBODY_PRINCIPAL) != 0 || strcmp(message->key, NOBODY_KEY) != 0)
        gw_lines_fail(lines, "auth", "without authentication, principal and key are all zeros");
}

static void request_read_auth(gw_lines *lines, gw_request_message *message) {
    gw_bytes value = gw_lines_value(lines, "auth");
    if (lines->why != NULL)
        return;
    if (gw_bytes_equal(value, gw_bytes_of("none"))) {
        message->auth = GW_AUTH_NONE;
        request_read_none(lines, message);
        return;
    }
    gw_bytes kind, proof;
    gw_lines_split(lines, "auth", value, &kind, &proof);
    if (gw_bytes_equal(kind, gw_bytes_of("sig"))) {
        message->auth = GW_AUTH_SIGNATURE;
        gw_lines_hex(lines, "auth", proof, message->signature.bytes, sizeof(message->signature.bytes));
    } else if (gw_bytes_equal(kind, gw_bytes_of("token"))) {
        message->auth = GW_AUTH_TOKEN;
        gw_lines_word(lines, "auth", proof, message->token, sizeof(message->token));
    } else {
        gw_lines_fail(lines, "auth", "sig, token or none is expected");
    }
}

static void request_read(gw_lines *lines, gw_bytes bytes, gw_request_message *message) {
    gw_hash body_hash = {0};
    gw_lines_expect(lines, "godwit/1 request");
    gw_lines_word(lines, "origin", gw_lines_value(lines, "origin"), message->origin, sizeof(message->origin));
    gw_lines_hex_text(lines, "principal", gw_lines_value(lines, "principal"), message->principal, GW_ID_HEX - 1);
    gw_lines_hex_text(lines, "key", gw_lines_value(lines, "key"), message->key, GW_KEY_ID_HEX - 1);
    message->time = (int64_t)gw_lines_number(lines, "time", gw_lines_value(lines, "time"), INT64_MAX);
    gw_lines_hex_text(lines, "idem", gw_lines_value(lines, "idem"), message->idem, GW_ID_HEX - 1);
    request_read_seen(lines, message);
    uint64_t body_size = read_length_and_hash(lines, "body", GW_REQUEST_BYTES_MAX, &body_hash);
    message->signed_bytes = bytes_between(bytes, lines->rest);
    request_read_auth(lines, message);
    gw_lines_expect(lines, "");
    message->body = gw_lines_bytes(lines, "body", body_size);
    gw_lines_end(lines);
    check_hash(lines, "body", message->body, body_hash);
}

gw_status gw_request_message_decode(gw_bytes bytes, gw_request_message *ret, gw_problem *ret_problem) {
    if (bytes.size > GW_REQUEST_BYTES_MAX)
        return message_too_big(ret_problem, GW_REQUEST_BYTES_MAX);
    gw_request_message message = {0};
    gw_lines lines;
    gw_lines_init(&lines, bytes);
    request_read(&lines, bytes, &message);
    gw_status status = gw_lines_check(&lines, "bad_message", "The message does not follow godwit/1.", ret_problem);
    if (status == GW_OK)
        *ret = message;
    return status;
}

static void request_append_seen(const gw_request_message *message, gw_buffer *buffer) {
    if (!message->has_seen)
        return;
    gw_buffer_format(buffer, "seen %" PRIu64 " ", message->seen_size);
    gw_base64_append(buffer, (gw_bytes){.data = message->seen_root.bytes, .size = sizeof(message->seen_root.bytes)});
    gw_buffer_text(buffer, "\n");
}

static void request_append_auth(const gw_request_message *message, gw_buffer *buffer) {
    switch (message->auth) {
    case GW_AUTH_NONE:
        gw_buffer_text(buffer, "auth none\n");
        break;
    case GW_AUTH_SIGNATURE:
        append_hex(buffer, "auth sig",
                   (gw_bytes){.data = message->signature.bytes, .size = sizeof(message->signature.bytes)});
        break;
    case GW_AUTH_TOKEN:
        gw_buffer_format(buffer, "auth token %s\n", message->token);
        break;
    }
}

// The lines before `auth`: what is signed.
static void request_append_signed(const gw_request_message *message, gw_buffer *buffer) {
    bool is_nobody = message->auth == GW_AUTH_NONE;
    gw_buffer_format(buffer, "godwit/1 request\norigin %s\nprincipal %s\nkey %s\ntime %" PRId64 "\nidem %s\n",
                     message->origin, is_nobody ? NOBODY_PRINCIPAL : message->principal,
                     is_nobody ? NOBODY_KEY : message->key, message->time, message->idem);
    request_append_seen(message, buffer);
    append_length_and_hash(buffer, "body", message->body);
}

void gw_request_message_encode(const gw_request_message *message, const gw_secret_key *key, gw_buffer *buffer) {
    GW_ASSERT(message->time >= 0);
    gw_request_message sent = *message;
    size_t start = buffer->size;
    if (key != NULL) {
        sent.auth = GW_AUTH_SIGNATURE;
        gw_key_id(gw_key_public(key), sent.key);
    }
    request_append_signed(&sent, buffer);
    if (key != NULL)
        sent.signature = sign_from(key, buffer, start);
    request_append_auth(&sent, buffer);
    gw_buffer_text(buffer, "\n");
    gw_buffer_append(buffer, sent.body.data, sent.body.size);
}

// ---- replies

static gw_reply_status reply_read_status(gw_lines *lines) {
    gw_bytes value = gw_lines_value(lines, "status");
    for (size_t i = 0; i < REPLY_STATUS_COUNT; i++)
        if (gw_bytes_equal(value, gw_bytes_of(reply_status_names[i])))
            return (gw_reply_status)i;
    gw_lines_fail(lines, "status", "ok, refused, retry or busy is expected");
    return GW_REPLY_REFUSED;
}

static void reply_read(gw_lines *lines, gw_bytes bytes, gw_reply_message *reply) {
    gw_hash answer_hash = {0}, receipt_hash = {0}, account_hash = {0};
    gw_lines_expect(lines, "godwit/1 reply");
    gw_lines_hex(lines, "request", gw_lines_value(lines, "request"), reply->request.bytes, GW_HASH_SIZE);
    reply->status = reply_read_status(lines);
    uint64_t answer_size = read_length_and_hash(lines, "answer", GW_REPLY_BYTES_MAX, &answer_hash);
    uint64_t receipt_size = read_length_and_hash(lines, "receipt", GW_REPLY_BYTES_MAX, &receipt_hash);
    uint64_t account_size = read_length_and_hash(lines, "account", GW_REPLY_BYTES_MAX, &account_hash);
    reply->signed_bytes = bytes_between(bytes, lines->rest);
    gw_lines_hex(lines, "sig", gw_lines_value(lines, "sig"), reply->signature.bytes, sizeof(reply->signature.bytes));
    gw_lines_expect(lines, "");
    reply->answer = gw_lines_bytes(lines, "answer", answer_size);
    reply->receipt = gw_lines_bytes(lines, "receipt", receipt_size);
    reply->account = gw_lines_bytes(lines, "account", account_size);
    gw_lines_end(lines);
    check_hash(lines, "answer", reply->answer, answer_hash);
    check_hash(lines, "receipt", reply->receipt, receipt_hash);
    check_hash(lines, "account", reply->account, account_hash);
}

gw_status gw_reply_message_decode(gw_bytes bytes, gw_reply_message *ret, gw_problem *ret_problem) {
    if (bytes.size > GW_REPLY_BYTES_MAX)
        return message_too_big(ret_problem, GW_REPLY_BYTES_MAX);
    gw_reply_message reply = {0};
    gw_lines lines;
    gw_lines_init(&lines, bytes);
    reply_read(&lines, bytes, &reply);
    gw_status status = gw_lines_check(&lines, "bad_message", "The reply does not follow godwit/1.", ret_problem);
    if (status == GW_OK)
        *ret = reply;
    return status;
}

void gw_reply_message_encode(const gw_reply_message *reply, const gw_secret_key *key, gw_buffer *buffer) {
    size_t start = buffer->size;
    gw_buffer_text(buffer, "godwit/1 reply\n");
    append_hex(buffer, "request", (gw_bytes){.data = reply->request.bytes, .size = sizeof(reply->request.bytes)});
    gw_buffer_format(buffer, "status %s\n", reply_status_names[reply->status]);
    append_length_and_hash(buffer, "answer", reply->answer);
    append_length_and_hash(buffer, "receipt", reply->receipt);
    append_length_and_hash(buffer, "account", reply->account);
    gw_signature signature = key != NULL ? sign_from(key, buffer, start) : reply->signature;
    append_hex(buffer, "sig", (gw_bytes){.data = signature.bytes, .size = sizeof(signature.bytes)});
    gw_buffer_text(buffer, "\n");
    gw_buffer_append(buffer, reply->answer.data, reply->answer.size);
    gw_buffer_append(buffer, reply->receipt.data, reply->receipt.size);
    gw_buffer_append(buffer, reply->account.data, reply->account.size);
}
