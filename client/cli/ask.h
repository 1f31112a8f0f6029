// SPDX-License-Identifier: Apache-2.0
// One conversation with the service of a profile: bodies out, verified replies in, refusals as problems.
// Thread safety: one thread.   Depends on: client/lib/client.h, client/cli/{cli,profiles}.h.
#pragma once
#include "client/cli/profiles.h"
#include "service/wire/json.h"

typedef struct {
    gw_profile profile;
    gw_client *client;
} gw_session;

GW_MUST_CHECK gw_status gw_session_open(gw_cli *cli, gw_session *ret, gw_problem *ret_problem);
void gw_session_close(gw_session *session); // accepts a zeroed one

// GW_OK only where the service did what was asked; otherwise the problem is its refusal, or why there is no reply.
// `idem` may be NULL. The reply is borrowed until the next call.
GW_MUST_CHECK gw_status gw_ask(gw_cli *cli, gw_session *session, gw_bytes body, const char *idem,
                               gw_client_reply *ret_reply, gw_problem *ret_problem);
// The same, with the answer parsed.
GW_MUST_CHECK gw_status gw_ask_document(gw_cli *cli, gw_session *session, gw_bytes body, gw_client_reply *ret_reply,
                                        gw_json **ret_document, gw_problem *ret_problem);
// Opens, asks, closes: for commands of one question. `body` is JSON text.
GW_MUST_CHECK gw_status gw_ask_once(gw_cli *cli, const char *body, gw_json **ret_document, gw_problem *ret_problem);
// The reply's answer as it came, without its padding, and a newline: -o json.
void gw_say_answer(gw_cli *cli, gw_bytes answer);
