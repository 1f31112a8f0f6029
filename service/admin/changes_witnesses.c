// SPDX-License-Identifier: Apache-2.0
// Another file of witnesses. It lies in the published log before the entry names it, so that whoever reads the entry
// can read the file.
#include "service/admin/changes_inner.h"

#include "service/audit/tlog_policy.h"
#include "service/base/cleanup.h"

#include <stdio.h>
#include <string.h>

GW_DEFINE_FREEP(gw_tlog_policy, gw_tlog_policy_free)

gw_status gw_change_witnesses_set(gw_change *c) {
    GW_CLEANUP(gw_tlog_policy_freep) gw_tlog_policy *policy = NULL;
    gw_store_op op = {.seq = GW_NO_SEQ, .entry = {.kind = GW_ENTRY_WITNESSES}};
    const char *text = gw_change_text(c, "file");
    char path[4352];
    gw_hash in_force;
    if (!text)
        return c->reader.status;
    if (!gw_unhex(text, strlen(text), op.entry.witnesses.file.bytes, GW_HASH_SIZE))
        return gw_change_invalid(c, "bad_file", "This is not a file's hash.", "It is 64 hexadecimal digits.",
                                 "godwitd witnesses FILE");
    snprintf(path, sizeof path, "%s/log/witnesses/%s", c->changes->state_folder, text);
    gw_status status = gw_tlog_policy_read(path, &policy, c->problem);
    if (status != GW_OK)
        return status;
    if (!gw_hash_equal(gw_tlog_policy_hash(policy), op.entry.witnesses.file))
        return gw_change_invalid(c, "bad_file", "The published file of witnesses is not the one that is named.",
                                 "Its bytes have another hash.", "godwitd witnesses FILE");
    if (gw_store_witnesses(gw_query_reader(c->worker), &in_force) == GW_OK &&
        gw_hash_equal(in_force, op.entry.witnesses.file))
        return gw_problem_set(c->problem, GW_CONFLICT, "witnesses_same", "This file is in force already.", "", "");
    return gw_change_append(c, &op, NULL);
}
