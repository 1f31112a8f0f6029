// SPDX-License-Identifier: Apache-2.0
// The path of a question without daemon and engine: a ledger with a clock that tests move, two registers of one
// population with real policies, two researchers and one who may ask nothing. Messages go in and replies come out as
// they do on the bus. Thread safety: one thread.   Depends on: query/query.h, tests/unit/store/ledger_fixture.h.
#pragma once
#include "service/query/query.h"
#include "tests/unit/store/ledger_fixture.h"

#define ASKING_REGISTER FIXTURE_DATASET
#define ASKING_SURVEY "nso.example/survey"
#define ASKING_ANNA 10
#define ASKING_BELA 11
#define ASKING_GUEST 12 // known, without a role that may ask
#define ASKING_NOBODY 0 // not signed

typedef struct {
    ledger_fixture ledger_fixture;
    int64_t now;
    gw_ledger *ledger;
    gw_catalogue *catalogue;
    gw_secret_key *reply_key;
    gw_queries *queries;
    gw_query_worker *worker;
    unsigned requests;
    bool has_seen; // requests say what they have seen of the log
    uint64_t seen_size;
    gw_hash seen_root;
    const char *accounting; // of the policies to come: what stands after "kind"; NULL: pure
    uint64_t policy_version[2];
    uint64_t policy_seq[2]; // of register and survey
    char data[2][GW_ID_HEX];
    // The last request and reply:
    char idem[GW_ID_HEX];
    gw_buffer request, reply_bytes;
    gw_reply_message reply;
    gw_json *document;  // the answer's bytes, parsed; NULL for a refusal
    gw_problem problem; // of a refusal
} asking;

void asking_begin(asking *made);
void asking_end(asking *made);
// The daemon stops and starts: what is only in memory is gone.
void asking_restart(asking *made);
// A new policy version for register (0) or survey (1), with this lifetime in decimal text.
void asking_policy(asking *made, size_t dataset, const char *lifetime);
// A new data version, named by a small number.
void asking_data(asking *made, size_t dataset, uint64_t number);
// Signs `body` as `who`, hands it in, decodes the reply. True: answered.
bool asking_send(asking *made, unsigned who, const char *body);
// The last request's bytes again, unchanged.
bool asking_send_again(asking *made);
// The last request as it would have been charged and answered by a running service. Returns the charge's seq.
uint64_t asking_charge_last(asking *made, unsigned who, const gw_hash *question, gw_bytes text, uint64_t cost,
                            const char *answer);
const char *asking_text(const asking *made, const char *member);
