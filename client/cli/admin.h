// SPDX-License-Identifier: Apache-2.0
// Changes by owners and operators: one body, one entry in the log, one line that says so.
// Depends on: client/cli/ask.h.
#pragma once
#include "client/cli/ask.h"

// Starts {"v":1,"kind":"admin","action":…; the caller adds members and gw_admin_send closes the brace.
void gw_admin_begin(gw_buffer *body, const char *action);
// Sends it over an open session; `ret_document` (may be NULL) takes the reply.
GW_MUST_CHECK gw_status gw_admin_send(gw_cli *cli, gw_session *session, gw_buffer *body, gw_json **ret_document,
                                      gw_problem *ret_problem);
// Sends, says "OK    <what> · log entry 12" and ends `body`: a command's last act.
gw_exit_code gw_admin_finish(gw_cli *cli, gw_buffer *body, const char *what);
