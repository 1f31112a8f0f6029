// SPDX-License-Identifier: Apache-2.0
// Whom an auditor believes: a log's key, and, with a tlog-policy, witnesses of whom a quorum must have cosigned.
// Thread safety: one owner.   Depends on: service/audit/tlog_policy.h.
#pragma once
#include "client/cli/cli.h"
#include "service/audit/tlog_policy.h"

typedef struct {
    bool has_key; // false: only the log's own key is at hand
    gw_note_key key;
    gw_tlog_policy *policy; // NULL: nobody else's word is asked for
} gw_log_trust;
#define GW_OPTION_LOG_KEY(type)                                                                                        \
    {                                                                                                                  \
        "log-key", 0, GW_OPTION_TEXT, offsetof(type, log_key), "VKEY",                                                 \
            "the key you trust, got from elsewhere (that of the policy, or of the profile)"                            \
    }
#define GW_OPTION_POLICY(type)                                                                                         \
    {                                                                                                                  \
        "policy", 0, GW_OPTION_TEXT, offsetof(type, policy), "FILE",                                                   \
            "a tlog-policy: the log's key, and the witnesses of whom a quorum must have signed too"                    \
    }

// The key is `named_key`, else the policy's that signed the checkpoint `note`, else the policy's of its name (its only
// one, where `note` is empty), else that of the profile. `policy_path` NULL: no policy. Codes: bad_vkey, those of tlog
// policies and of files, log_unknown (GW_INVALID: the policy names other logs).
GW_MUST_CHECK gw_status gw_log_trust_find(const gw_cli *cli, const char *named_key, const char *policy_path,
                                          gw_bytes note, gw_log_trust *ret, gw_problem *ret_problem);
void gw_log_trust_done(gw_log_trust *trust);

// Who vouches for a checkpoint, in words: "OK  2 of 3 witnesses …"; GW_EXIT_DONE, GW_EXIT_FOUND where there are too
// few, GW_EXIT_TAMPERED where a line does not hold. Says nothing where the output is for programs.
// `is_demanded`: by the reader, so that it fails; otherwise it is told, and decides nothing.
gw_exit_code gw_log_quorum_say(gw_cli *cli, const gw_tlog_policy *policy, bool is_demanded, const char *whose,
                               gw_bytes note, const gw_note_key *key);
// The same as a JSON object.
void gw_log_quorum_json(const gw_tlog_policy *policy, gw_bytes note, const gw_note_key *key, gw_buffer *json);
// The quorum file that the log published under this hash: log/witnesses/<sha256>. False: none, or not of this hash.
bool gw_log_quorum_file(const char *folder, gw_hash file, gw_tlog_policy **ret);
