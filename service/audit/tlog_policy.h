// SPDX-License-Identifier: Apache-2.0
// C2SP tlog-policy: whom somebody trusts. Logs whose checkpoints count, witnesses, and the quorum of them that must
// have cosigned. One file serves the auditor, a researcher's check of receipts, and the service that asks the
// witnesses.
//   log <vkey> [url]     witness <name> <vkey> [url]     group <name> <k|all|any> <member>…     quorum <name|none>
// Thread safety: a policy is read-only once made.   Depends on: cosignature.h.
#pragma once
#include "service/audit/cosignature.h"

#define GW_TLOG_POLICY_FILE_MAX 65536u
#define GW_TLOG_POLICY_LOGS_MAX 32u
#define GW_TLOG_POLICY_WITNESSES_MAX 32u
#define GW_TLOG_POLICY_URL_MAX 512u

typedef struct gw_tlog_policy gw_tlog_policy;
typedef struct {
    gw_note_key key;
    char url[GW_TLOG_POLICY_URL_MAX]; // "" where none is given
} gw_trusted_log;
typedef struct {
    char name[128]; // within the file; the key has a name of its own
    gw_note_key key;
    char url[GW_TLOG_POLICY_URL_MAX]; // submission prefix
} gw_trusted_witness;

// Code: bad_tlog_policy, with the line's number and what is wrong with it.
GW_MUST_CHECK gw_status gw_tlog_policy_parse(gw_bytes text, gw_tlog_policy **ret, gw_problem *ret_problem);
// The same from a file; also file_missing, file_unreadable, file_too_big.
GW_MUST_CHECK gw_status gw_tlog_policy_read(const char *path, gw_tlog_policy **ret, gw_problem *ret_problem);
void gw_tlog_policy_free(gw_tlog_policy *policy); // accepts NULL

size_t gw_tlog_policy_log_count(const gw_tlog_policy *policy);
const gw_trusted_log *gw_tlog_policy_log(const gw_tlog_policy *policy, size_t index);
size_t gw_tlog_policy_witness_count(const gw_tlog_policy *policy);
const gw_trusted_witness *gw_tlog_policy_witness(const gw_tlog_policy *policy, size_t index);
gw_hash gw_tlog_policy_hash(const gw_tlog_policy *policy);       // SHA-256 of the file: the log's `witnesses` entry
const char *gw_tlog_policy_quorum(const gw_tlog_policy *policy); // its name, "none" where nobody is asked
bool gw_tlog_policy_is_quorate(const gw_tlog_policy *policy, const bool has_witnessed[GW_TLOG_POLICY_WITNESSES_MAX]);

// A signed checkpoint held against a policy.
typedef struct {
    gw_checkpoint checkpoint;
    size_t log; // whose signature it carries: index into the policy's logs; SIZE_MAX where the policy names no logs
    bool is_quorate;
    gw_cosignature witnesses[GW_TLOG_POLICY_WITNESSES_MAX];
    uint64_t times[GW_TLOG_POLICY_WITNESSES_MAX]; // of the good ones
} gw_tlog_verdict;
// GW_OK: a log of the policy signed it and the quorum cosigned it. GW_CORRUPT, code bad_checkpoint: malformed, not
// signed by a log of the policy, or a known key's line does not hold. GW_UNAVAILABLE, code no_quorum: everything holds,
// but too few cosigned; `why` names who is missing. The verdict is filled with GW_OK and with GW_UNAVAILABLE.
// `log_key`: the key to use where the policy names no log (NULL: such a policy is refused, code no_log).
GW_MUST_CHECK gw_status gw_tlog_policy_check(const gw_tlog_policy *policy, gw_bytes note, const gw_note_key *log_key,
                                             gw_tlog_verdict *ret_verdict, gw_problem *ret_problem);
