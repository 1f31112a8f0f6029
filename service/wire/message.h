// SPDX-License-Identifier: Apache-2.0
// The envelope on the bus, `godwit/1`: a signed request and a signed reply, as lines of text and then bytes.
// The signature covers every byte before its own line. Grammar:
//   godwit/1 request            godwit/1 reply
//   origin <log origin>         request <sha256 of the request's bytes before its auth line>
//   principal <32 hex>          status ok | refused | retry | busy
//   key <8 hex>                 answer <length> <sha256>
//   time <unix seconds>         receipt <length> <sha256>
//   idem <32 hex>               account <length> <sha256>
//   seen <size> <root base64>   sig <128 hex>
//   body <length> <sha256>      (blank line), then answer, receipt and account bytes
//   auth sig <128 hex> | token <text> | none
//   (blank line), then body bytes
// `seen` is optional: the newest checkpoint that the sender holds. A reply with a receipt then proves in its account,
// as "consistency":[<base64 hash>,…] (RFC 6962), that the receipt's checkpoint follows it; a service that does not hold
// it refuses (checkpoint_ahead), and is sent the signed note: {"v":1,"kind":"checkpoint","note":"…"}, without `seen`.
// With `auth none`, principal is 32 zeros and key 8 zeros.
// Thread safety: pure.   Depends on: base.
#pragma once
#include "service/base/buffer.h"
#include "service/base/crypto.h"
#include "service/base/problem.h"

#define GW_REQUEST_BYTES_MAX 1048576u // what a daemon receives at most, and what a client sends at most
#define GW_REPLY_BYTES_MAX 268435456u
#define GW_ORIGIN_MAX 128
#define GW_REQUEST_SHORT 8 // hex digits of the request's hash that people compare: in errors and in the log
#define GW_SKEW_SECONDS_MAX 300

typedef enum { GW_AUTH_NONE, GW_AUTH_SIGNATURE, GW_AUTH_TOKEN } gw_auth_kind;

typedef struct {
    char origin[GW_ORIGIN_MAX];
    char principal[GW_ID_HEX];
    char key[GW_KEY_ID_HEX];
    int64_t time;
    char idem[GW_ID_HEX];
    bool has_seen;
    uint64_t seen_size;
    gw_hash seen_root;
    gw_auth_kind auth;
    gw_signature signature;
    char token[129];
    gw_bytes body;         // borrowed from the message
    gw_bytes signed_bytes; // every byte before the auth line, borrowed
} gw_request_message;

// Checks the grammar, the lengths and the body's hash; does NOT check the signature (see auth). Code: bad_message.
GW_MUST_CHECK gw_status gw_request_message_decode(gw_bytes bytes, gw_request_message *ret, gw_problem *ret_problem);
// Encodes and, when `key` is given, signs. `message` supplies origin … seen, body; key id and signature are filled from
// `key`.
void gw_request_message_encode(const gw_request_message *message, const gw_secret_key *key, gw_buffer *buffer);

typedef enum { GW_REPLY_OK, GW_REPLY_REFUSED, GW_REPLY_RETRY, GW_REPLY_BUSY } gw_reply_status;
typedef struct {
    gw_hash request; // SHA-256 of the request's signed_bytes; zeros where the request could not be read
    gw_reply_status status;
    gw_bytes answer;  // ok: the answer document; otherwise the refusal document
    gw_bytes receipt; // may be empty
    gw_bytes account; // what depends on the asker (JSON): principal, cost, balances; may be empty
    gw_signature signature;
    gw_bytes signed_bytes;
} gw_reply_message;
GW_MUST_CHECK gw_status gw_reply_message_decode(gw_bytes bytes, gw_reply_message *ret, gw_problem *ret_problem);
void gw_reply_message_encode(const gw_reply_message *reply, const gw_secret_key *key, gw_buffer *buffer);
