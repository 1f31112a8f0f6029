// SPDX-License-Identifier: Apache-2.0
// Is the service there, and how is it? An operator is told more.
#include "client/cli/ask.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/wording.h"
#include "service/base/cleanup.h"
#include <string.h>

GW_DEFINE_FREEP(gw_json, gw_json_free)

static void details_say(gw_cli *cli, const gw_json_node *status) {
    gw_say_field(cli, "Datasets", "%lld", (long long)gw_doc_integer(status, "datasets", 0));
    gw_say_field(cli, "Engine", "%lld processes, %lld restarts",
                 (long long)gw_doc_integer(status, "engine_children", 0),
                 (long long)gw_doc_integer(status, "engine_restarts", 0));
    const char *clock = gw_doc_text(status, "clock", "right");
    long long lag = (long long)gw_doc_integer(status, "clock_lag", 0);
    if (strcmp(clock, "right") != 0)
        gw_say_field(cli, "Clock", "%s: godwit doctor --dir says more", clock);
    else if (lag > 120)
        gw_say_field(cli, "Clock", "right; %lld min of it not confirmed since the last start", lag / 60);
    const char *quorum = gw_doc_text(status, "witness_quorum", "");
    if (quorum[0] != '\0')
        gw_say_field(cli, "Witnesses", "%.40s: %lld of %lld entries cosigned", quorum,
                     (long long)gw_doc_integer(status, "witnessed", 0),
                     (long long)gw_doc_integer(status, "committed", 0));
    int64_t uptime = gw_doc_integer(status, "uptime", 0);
    gw_say_field(cli, "Up", "%lld h %lld min", (long long)(uptime / 3600), (long long)(uptime / 60 % 60));
    gw_say_field(cli, "Log root", "%s", gw_doc_text(status, "root", "-"));
}

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_json_freep) gw_json *ping = NULL;
    GW_CLEANUP(gw_json_freep) gw_json *details = NULL;
    gw_client_reply reply;
    gw_problem problem;
    if (gw_session_open(cli, &session, &problem) != GW_OK ||
        gw_ask_document(cli, &session, gw_bytes_of("{\"v\":1,\"kind\":\"ping\"}"), &reply, &ping, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    const gw_json_node *root = gw_json_root(ping);
    bool is_operator = strstr(gw_doc_text(root, "roles", ""), "operator") != NULL;
    if (cli->output == GW_OUTPUT_JSON && !is_operator) {
        gw_say_answer(cli, reply.answer);
        return GW_EXIT_DONE;
    }
    if (is_operator && gw_ask_document(cli, &session, gw_bytes_of("{\"v\":1,\"kind\":\"admin\",\"action\":\"status\"}"),
                                       &reply, &details, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->output == GW_OUTPUT_JSON) {
        gw_say_answer(cli, reply.answer);
        return GW_EXIT_DONE;
    }
    char time[GW_TIME_TEXT];
    gw_time_format(gw_doc_integer(root, "time", 0), time);
    gw_say_verdict(cli, "OK", "%s answers at %s", gw_doc_text(root, "origin", "?"), session.profile.url);
    gw_say_field(cli, "Version", "%s", gw_doc_text(root, "version", "?"));
    gw_say_field(cli, "Log", "%lld entries", (long long)gw_doc_integer(root, "log_size", 0));
    gw_say_field(cli, "Its time", "%s UTC", time);
    gw_say_field(cli, "You", "%s", gw_doc_text(root, "roles", "a visitor"));
    if (details != NULL)
        details_say(cli, gw_json_root(details));
    return GW_EXIT_DONE;
}

const gw_command gw_command_status = {
    .name = "status",
    .group = "Start",
    .arguments = "",
    .summary = "is the service there, and how is it",
    .examples = "godwit status\ngodwit status --config state/profiles/admin.json\n",
    .run = run,
};
