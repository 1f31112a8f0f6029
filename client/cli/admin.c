// SPDX-License-Identifier: Apache-2.0
// Sending a change.
#include "client/cli/admin.h"
#include "client/cli/doc.h"
#include "service/base/cleanup.h"

GW_DEFINE_FREEP(gw_json, gw_json_free)

void gw_admin_begin(gw_buffer *body, const char *action) {
    gw_buffer_text(body, "{\"v\":1");
    gw_json_write_member(body, "kind", "admin");
    gw_json_write_member(body, "action", action);
}

gw_status gw_admin_send(gw_cli *cli, gw_session *session, gw_buffer *body, gw_json **ret_document,
                        gw_problem *ret_problem) {
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    gw_client_reply reply;
    gw_buffer_text(body, "}");
    if (body->status != GW_OK)
        return gw_problem_set(ret_problem, body->status, "too_big", "The request is too big.", "", "");
    gw_status status = gw_ask_document(cli, session, gw_buffer_bytes(body), &reply, &document, ret_problem);
    if (status == GW_OK && ret_document != NULL)
        *ret_document = gw_take(&document);
    return status;
}

gw_exit_code gw_admin_finish(gw_cli *cli, gw_buffer *body, const char *what) {
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    gw_problem problem;
    gw_status status = gw_session_open(cli, &session, &problem);
    if (status == GW_OK)
        status = gw_admin_send(cli, &session, body, &document, &problem);
    gw_buffer_done(body);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    gw_say_verdict(cli, "OK", "%s · log entry %lld", what,
                   (long long)gw_doc_integer(gw_json_root(document), "seq", -1));
    const gw_json_node *changes = gw_json_member(gw_json_root(document), "changes");
    bool is_list = changes != NULL && gw_json_type_of(changes) == GW_JSON_ARRAY;
    for (const gw_json_node *one = is_list ? gw_json_first(changes) : NULL; one != NULL; one = gw_json_next(one))
        if (gw_json_type_of(one) == GW_JSON_STRING)
            gw_say_verdict(cli, "NOTE", "changes %s", gw_json_string(one)); // what a signer may have overlooked
    return GW_EXIT_DONE;
}
