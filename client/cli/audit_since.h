// SPDX-License-Identifier: Apache-2.0
// A signed checkpoint that was kept, held against the log as it is now: is what was there still its beginning?
// Thread safety: one owner.   Depends on: client/cli/{audit_facts,log_conflict}.h, service/audit/verify.h.
#pragma once
#include "client/cli/audit_facts.h"
#include "client/cli/cli.h"
#include "client/cli/log_conflict.h"
#include "service/audit/verify.h"

typedef enum {
    GW_SINCE_SAME,
    GW_SINCE_GROWN,
    GW_SINCE_SHORTER,   // the log has fewer entries than it had
    GW_SINCE_REWRITTEN, // as many or more, with another beginning
    GW_SINCE_RESTORED,  // one of these two, and a restore entry says so
    GW_SINCE_FOREIGN,   // kept of another log, or not signed under its key
} gw_since_verdict;

typedef struct {
    gw_buffer note; // as it was kept
    gw_note_key key;
    gw_checkpoint checkpoint;
    gw_audit_root root; // filled by the verifier
    gw_since_verdict verdict;
    gw_problem problem;     // of a foreign one
    const gw_fact *restore; // of a restored one
    char proof_path[4096];  // written; "" where there is none
} gw_since;

void gw_since_init(gw_since *since);
void gw_since_done(gw_since *since);
// Reads the file. Whether it is signed is judged later, when the log's keys are known.
GW_MUST_CHECK gw_status gw_since_read(const char *path, gw_since *since, gw_problem *ret_problem);
// Judges it against a log that was found sound. `key` is the one that was believed; keys that the log says followed it
// or came before are believed too. Writes a proof to `proof_path` where there is something to prove.
void gw_since_judge(gw_since *since, const char *folder, gw_bytes note, const gw_note_key *key,
                    const gw_audit_verdict *verdict, const gw_facts *facts, const char *proof_path);
gw_exit_code gw_since_exit(const gw_since *since);
void gw_since_say(gw_cli *cli, const gw_since *since, const gw_audit_verdict *verdict);
void gw_since_json(const gw_since *since, gw_buffer *json); // an object
