// SPDX-License-Identifier: Apache-2.0
// What the files of changes share; nobody else includes it.
// Thread safety: as gw_query_handle.   Depends on: changes.h.
#pragma once
#include "service/admin/changes.h"

typedef struct {
    gw_changes *changes;
    gw_query_worker *worker;
    const gw_identity *who;
    const gw_json_node *body;
    gw_json_reader reader;
    gw_buffer *out;
    gw_problem *problem;
    const char *differences; // policies: JSON strings of what a new version changes, with commas; NULL: nothing to say
} gw_change;

const char *gw_change_text(gw_change *c, const char *name); // a text field, NULL after a problem
bool gw_change_read_id(gw_change *c, const char *name, char ret[GW_ID_HEX]);
gw_status gw_change_invalid(gw_change *c, const char *code, const char *what, const char *why, const char *mend);
// Submits one entry signed by the asker, and by `signer` where that is somebody else (may be NULL), and writes
// {"v":1,"action":…,"seq":…}.
gw_status gw_change_append(gw_change *c, gw_store_op *op, const char *signer);

// How the service is.
gw_status gw_change_status(gw_change *c);
// A file of trusted witnesses, which lies published beside the log, comes into force.
gw_status gw_change_witnesses_set(gw_change *c);
// A policy that an owner signed comes into force.
gw_status gw_change_policy_activate(gw_change *c);
