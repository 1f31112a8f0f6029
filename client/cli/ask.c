// SPDX-License-Identifier: Apache-2.0
// Asking. A refusal's status follows from its code, so that exit codes do not depend on what the wire leaves out.
#include "client/cli/ask.h"
#include "client/cli/progress.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

#define ATTEMPTS 3u // the same request id each time, so a lost reply costs nothing twice

gw_status gw_session_open(gw_cli *cli, gw_session *ret, gw_problem *ret_problem) {
    *ret = (gw_session){0};
    gw_status status = gw_profiles_load(cli, &ret->profile, ret_problem);
    if (status != GW_OK)
        return status;
    status = gw_client_open(&ret->profile, &ret->client, ret_problem);
    return status;
}

void gw_session_close(gw_session *session) {
    gw_client_close(session->client);
    session->client = NULL;
}

// "request, line 1, column 23: …" is a place in what this program wrote; who typed a command has no use for it.
static void place_drop(gw_problem *problem) {
    static const char place[] = "request, line ";
    const char *rest = strncmp(problem->why, place, sizeof(place) - 1) == 0 ? strstr(problem->why, ": ") : NULL;
    if (rest != NULL)
        memmove(problem->why, rest + 2, strlen(rest + 2) + 1);
}

// What the operator finds in the service's log.
static void request_name(gw_bytes sent, char ret_name[GW_REQUEST_SHORT + 1]) {
    gw_request_message request;
    char hex[GW_HASH_HEX];
    if (gw_request_message_decode(sent, &request, NULL) != GW_OK)
        return;
    gw_hash hash = gw_sha256(request.signed_bytes);
    gw_hex((gw_bytes){hash.bytes, sizeof(hash.bytes)}, hex);
    gw_ignore(snprintf(ret_name, GW_REQUEST_SHORT + 1, "%.*s", GW_REQUEST_SHORT, hex)); // cut on purpose
}

static gw_status refusal(const gw_client_reply *reply, gw_problem *ret_problem) {
    *ret_problem = reply->problem;
    place_drop(ret_problem);
    request_name(reply->request, ret_problem->request);
    if (reply->status == GW_REPLY_BUSY)
        ret_problem->status = GW_BUSY;
    else if (reply->status == GW_REPLY_RETRY)
        ret_problem->status = GW_RETRY;
    else if (ret_problem->status == GW_OK || ret_problem->status == GW_CORRUPT)
        ret_problem->status = GW_DENIED; // a verified refusal is no corruption, whatever it says
    return ret_problem->status;
}

gw_status gw_ask(gw_cli *cli, gw_session *session, gw_bytes body, const char *idem, gw_client_reply *ret_reply,
                 gw_problem *ret_problem) {
    gw_progress *progress = gw_progress_begin(cli, "asking ...");
    gw_status status =
        gw_client_call(session->client, body, idem, ATTEMPTS, cli->timeout_ms / (int)ATTEMPTS, ret_reply, ret_problem);
    gw_progress_end(progress);
    if (status != GW_OK)
        return status;
    return ret_reply->status == GW_REPLY_OK ? GW_OK : refusal(ret_reply, ret_problem);
}

gw_status gw_ask_document(gw_cli *cli, gw_session *session, gw_bytes body, gw_client_reply *ret_reply,
                          gw_json **ret_document, gw_problem *ret_problem) {
    gw_status status = gw_ask(cli, session, body, NULL, ret_reply, ret_problem);
    return status == GW_OK ? gw_json_parse(ret_reply->answer, GW_JSON_REPLY, ret_document, ret_problem) : status;
}

gw_status gw_ask_once(gw_cli *cli, const char *body, gw_json **ret_document, gw_problem *ret_problem) {
    GW_CLEANUP(gw_session_close) gw_session session;
    gw_client_reply reply;
    gw_status status = gw_session_open(cli, &session, ret_problem);
    if (status == GW_OK)
        status = gw_ask_document(cli, &session, gw_bytes_of(body), &reply, ret_document, ret_problem);
    return status;
}

void gw_say_answer(gw_cli *cli, gw_bytes answer) {
    while (answer.size > 0 && (answer.data[answer.size - 1] == ' ' || answer.data[answer.size - 1] == '\n'))
        answer.size--;
    gw_say_bytes(cli, answer);
    gw_say_bytes(cli, gw_bytes_of("\n"));
}
