// SPDX-License-Identifier: Apache-2.0
// How the service is, told to an operator.
#include "service/admin/changes_inner.h"

#include "service/audit/tlog_policy.h"
#include "service/base/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

GW_DEFINE_FREEP(gw_tlog_policy, gw_tlog_policy_free)

static void count_one(void *state, const gw_store_policy *policy) {
    (void)policy;
    ++*(int64_t *)state;
}

// The quorum's name where witnesses are asked, and how far they vouch: of `committed` entries the first `witnessed`.
static void witnesses_write(gw_change *c) {
    GW_CLEANUP(gw_tlog_policy_freep) gw_tlog_policy *policy = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    char path[4352], hex[GW_HASH_HEX];
    gw_hash in_force;
    uint64_t size;
    int64_t time;
    gw_checkpoint vouched;
    if (gw_store_witnesses(gw_query_reader(c->worker), &in_force) != GW_OK ||
        gw_store_last(gw_query_reader(c->worker), &size, &time) != GW_OK)
        return;
    gw_hex((gw_bytes){in_force.bytes, GW_HASH_SIZE}, hex);
    snprintf(path, sizeof path, "%s/log/witnesses/%s", c->changes->state_folder, hex);
    if (access(path, F_OK) != 0 || gw_tlog_policy_read(path, &policy, NULL) != GW_OK ||
        strcmp(gw_tlog_policy_quorum(policy), "none") == 0)
        return;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_ledger_vouched(c->changes->ledger, &vouched, &note);
    gw_json_write_member(c->out, "witness_quorum", gw_tlog_policy_quorum(policy));
    gw_json_write_integer(c->out, "witnessed", (int64_t)vouched.size);
    gw_json_write_integer(c->out, "committed", (int64_t)size);
}

gw_status gw_change_status(gw_change *c) {
    int64_t datasets = 0;
    gw_status status = gw_store_datasets(gw_query_reader(c->worker), count_one, &datasets);
    if (status != GW_OK)
        return gw_problem_set(c->problem, status, "internal", "The state could not be read.", "", "");
    gw_checkpoint checkpoint;
    gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_ledger_checkpoint(c->changes->ledger, &checkpoint, &note);
    gw_buffer_done(&note);
    char root[GW_HASH_HEX];
    gw_hex((gw_bytes){checkpoint.root.bytes, GW_HASH_SIZE}, root);
    int pids[16];
    gw_clock clock = gw_clock_system();
    gw_buffer_text(c->out, "{\"v\":1");
    gw_json_write_member(c->out, "action", "status");
    gw_json_write_member(c->out, "origin", c->changes->origin);
    gw_json_write_member(c->out, "version", GW_VERSION);
    gw_json_write_integer(c->out, "log_size", (int64_t)checkpoint.size);
    gw_json_write_member(c->out, "root", root);
    gw_json_write_integer(c->out, "datasets", datasets);
    gw_json_write_integer(c->out, "engine_children",
                          c->changes->engine ? (int64_t)gw_engine_pids(c->changes->engine, pids, 16) : 0);
    gw_json_write_integer(c->out, "engine_restarts",
                          c->changes->engine ? (int64_t)gw_engine_restarts(c->changes->engine) : 0);
    gw_ledger_clock time = gw_ledger_clock_now(c->changes->ledger);
    gw_json_write_member(c->out, "clock", gw_clock_state_name(time.state));
    gw_json_write_integer(c->out, "clock_lag", time.wall > time.sure ? time.wall - time.sure : 0);
    gw_json_write_integer(c->out, "uptime", (clock.boot_ms(clock.state) - c->changes->started) / 1000);
    witnesses_write(c);
    gw_buffer_text(c->out, "}");
    return GW_OK;
}
