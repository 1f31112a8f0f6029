// SPDX-License-Identifier: Apache-2.0
// Checking who asks. One refusal for every reason, and one signature checked at least, so that neither words nor time
// tell whether a principal or a key exists.
#include "service/auth/identity.h"
#include "service/base/check.h"
#include <string.h>

#define KEYS_MAX 8 // of one principal with the same first 8 digits: an accident would be one in 2^32

static gw_status unauthenticated(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_UNAUTHENTICATED, "unauthenticated", "You are not known here.",
                          "The origin, the principal, the key or the signature of the request is not one this service "
                          "accepts, or the key is outside its time or revoked. Which of these is not told.",
                          "godwit whoami   (and ask the operator whether your key is registered)");
}

static gw_status store_failed(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_UNAVAILABLE, "unavailable", "The service cannot check who you are now.",
                          "Its store does not answer. Nothing was charged.",
                          "Ask again later with the same request id.");
}

static bool key_is_valid(const gw_store_key *key, int64_t now) {
    return !key->is_revoked && (key->not_before == 0 || now >= key->not_before) &&
           (key->not_after == 0 || now <= key->not_after);
}

// Whether one of the keys signed the message. Judges validity last, so that an expired key costs the same time.
static bool keys_verify(const gw_store_key *keys, size_t count, const gw_request_message *message, int64_t now) {
    bool is_verified = false;
    for (size_t i = 0; i < count; i++) {
        bool is_signed = gw_verify_signature(keys[i].key, message->signed_bytes, message->signature);
        is_verified = is_verified || (is_signed && key_is_valid(&keys[i], now));
    }
    if (count == 0) {
        // Ed25519's base point: a well-formed key that takes as long to check as a registered one.
        gw_public_key nobody;
        memset(nobody.bytes, 0x66, sizeof(nobody.bytes));
        nobody.bytes[0] = 0x58;
        (void)gw_verify_signature(nobody, message->signed_bytes, message->signature);
    }
    return is_verified;
}

static gw_status check_signature(gw_store_reader *reader, const gw_request_message *message, int64_t now,
                                 gw_identity *ret, gw_problem *ret_problem) {
    gw_store_key keys[KEYS_MAX];
    size_t count = 0;
    gw_store_principal principal = {0};
    gw_status keys_status = gw_store_keys_find(reader, message->principal, message->key, keys, KEYS_MAX, &count);
    gw_status principal_status = gw_store_principal_find(reader, message->principal, &principal);
    if ((keys_status != GW_OK && keys_status != GW_NOT_FOUND) ||
        (principal_status != GW_OK && principal_status != GW_NOT_FOUND))
        return store_failed(ret_problem);
    if (keys_status == GW_NOT_FOUND)
        count = 0;
    GW_ASSERT(count <= KEYS_MAX);
    bool is_signed = keys_verify(keys, count, message, now);
    if (!is_signed || principal_status != GW_OK || principal.roles == 0)
        return unauthenticated(ret_problem);
    *ret = (gw_identity){.roles = principal.roles, .is_known = true};
    memcpy(ret->principal, message->principal, sizeof(ret->principal));
    return GW_OK;
}

gw_status gw_identity_check(gw_store_reader *reader, const char *origin, const gw_request_message *message, int64_t now,
                            gw_identity *ret, gw_problem *ret_problem) {
    // A request signed for another service means nothing here.
    if (strcmp(origin, message->origin) != 0)
        return unauthenticated(ret_problem);
    switch (message->auth) {
    case GW_AUTH_NONE:
        *ret = (gw_identity){0};
        memset(ret->principal, '0', sizeof(ret->principal) - 1);
        return GW_OK;
    case GW_AUTH_TOKEN:
        return gw_problem_set(ret_problem, GW_UNAUTHENTICATED, "token_unsupported", "Tokens are not accepted here.",
                              "A token is accepted only from a gateway, and this service has none.",
                              "Use a profile with a key.");
    case GW_AUTH_SIGNATURE:
        return check_signature(reader, message, now, ret, ret_problem);
    }
    return unauthenticated(ret_problem);
}

bool gw_identity_is_fresh(const gw_request_message *message, int64_t now) {
    // message->time is not negative (its grammar), so neither difference can overflow.
    return now >= 0 && (message->time > now ? message->time - now : now - message->time) <= GW_SKEW_SECONDS_MAX;
}
