// SPDX-License-Identifier: Apache-2.0
// The C client: signs a request, sends it over nng (which never sends it again by itself), verifies the reply:
// signature of the service's reply key, hash of the request it answers, the receipt's proof, and that the receipt's
// checkpoint follows the newest one this profile has seen. A service that knows less than that is sent the signed
// proof. Thread safety: one gw_client per thread; call gw_crypto_init first. Depends on: service/{base,wire},
// service/audit/{entry,merkle,note,verify}.
#pragma once
#include "service/base/buffer.h"
#include "service/base/crypto.h"
#include "service/base/problem.h"
#include "service/wire/message.h"

// A profile: who I am and whom I ask. JSON file:
// {"godwit_profile":1,"url":"ipc:///…","origin":"nso.example/godwit","log_key":"<vkey>","reply_key":"<64 hex>",
//  "principal":"<32 hex>","key":"<path of the key file, relative to the profile's folder>"}
// principal and key may be absent (a visitor), and so may "log_key_before": the key of the log before it was changed,
// under which what was kept from then is believed on, and nothing that the service says now. Beside it,
// `<profile>.seen` keeps the newest signed checkpoint.
typedef struct {
    char path[4096]; // of the profile's own file; filled by load
    char url[512];
    char origin[GW_ORIGIN_MAX];
    char log_key[256], log_key_before[256]; // the latter "" where there is none
    gw_public_key reply_key;
    char principal[GW_ID_HEX];
    char key_path[4096]; // as the file writes it; gw_profile_key_file resolves it
} gw_profile;
// Codes: file_missing and the like, json_…, bad_profile.
GW_MUST_CHECK gw_status gw_profile_load(const char *path, gw_profile *ret, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_profile_save(const char *path, const gw_profile *profile, gw_problem *ret_problem);
// Where the profile's key file is. False where the path is too long.
bool gw_profile_key_file(const gw_profile *profile, char ret_path[4096]);

typedef struct gw_client gw_client;
// Codes: unreachable (GW_UNAVAILABLE), bad_profile, those of key files, bad_seen (the remembered checkpoint is
// damaged).
GW_MUST_CHECK gw_status gw_client_open(const gw_profile *profile, gw_client **ret, gw_problem *ret_problem);
void gw_client_close(gw_client *client);

typedef struct {
    gw_reply_status status;
    gw_bytes answer, receipt, account; // borrowed until the next call or close
    gw_bytes request;                  // the request message as sent, for the receipt check
    gw_problem problem;                // decoded, where status is not ok
} gw_client_reply;

// `idem` NULL: a new random id (32 hex otherwise). Sends the same bytes again after retry, busy or a lost connection,
// at most `attempts` times in all, each within `timeout_ms`. GW_OK: a verified reply of any status. GW_UNAVAILABLE:
// unreachable or timed out. GW_CORRUPT: the reply does not verify; codes bad_reply, bad_receipt, bad_checkpoint,
// rolled_back (the log is smaller than it was, or not proven to be the same grown on).
GW_MUST_CHECK gw_status gw_client_call(gw_client *client, gw_bytes body, const char *idem, unsigned attempts,
                                       int timeout_ms, gw_client_reply *ret_reply, gw_problem *ret_problem);
// Raw: sends `message` as it is and returns the reply's bytes, unverified (tests, foreign tools).
GW_MUST_CHECK gw_status gw_client_exchange(gw_client *client, gw_bytes message, int timeout_ms, gw_bytes *ret_reply,
                                           gw_problem *ret_problem);
