// SPDX-License-Identifier: Apache-2.0
// Made under another name; it gets its own when it is whole, in one file without a journal.
#include "service/recovery/rebuild.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/recovery/log_folder.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4200

GW_DEFINE_FREEP(gw_store, gw_store_close)

static gw_status genesis_take(void *state, uint64_t seq, gw_bytes bytes) {
    gw_entry *genesis = state;
    return seq == 0 && gw_entry_decode(bytes, genesis, NULL) == GW_OK ? GW_OK : GW_CORRUPT;
}

gw_status gw_rebuild_begin(const char *folder, const char *path, gw_problem *ret_problem) {
    gw_checkpoint checkpoint = {.size = 0};
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    char path_of_note[PATH_SIZE];
    gw_entry genesis = {.kind = GW_ENTRY_ABANDON};
    gw_buffer_init(&note, 1u << 20);
    snprintf(path_of_note, sizeof(path_of_note), "%.4096s/checkpoint", folder);
    gw_status status = gw_file_read(path_of_note, &note, ret_problem);
    if (status == GW_OK)
        status = gw_checkpoint_peek(gw_buffer_bytes(&note), &checkpoint, ret_problem);
    if (status == GW_OK && checkpoint.size == 0)
        status = gw_problem_set(ret_problem, GW_INVALID, "log_empty", "The log has no entries.", "", "");
    uint64_t size = checkpoint.size; // tells how wide the first bundle is
    if (status == GW_OK)
        status = log_folder_scan(folder, 0, size > 256 ? 256 : size, genesis_take, &genesis, ret_problem);
    if (genesis.kind == GW_ENTRY_GENESIS) // the scan ends after it
        return gw_store_create(path, &genesis, ret_problem);
    return status == GW_OK || status == GW_CORRUPT
               ? gw_problem_set(ret_problem, GW_CORRUPT, "bad_genesis", "The log's first entry cannot be read.", "", "")
               : status;
}

static void leftovers_remove(const char *path) {
    static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
    char name[PATH_SIZE + 16];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        unlink(name);
    }
}

static gw_status play(const rebuild_options *options, const char *path, rebuild_report *report,
                      gw_problem *ret_problem) {
    GW_CLEANUP(gw_store_freep) gw_store *store = NULL;
    gw_status status = gw_rebuild_begin(options->sources.log, path, ret_problem);
    if (status == GW_OK)
        status = gw_store_open(path, &store, ret_problem);
    if (status == GW_OK)
        status = replay_log(store, &options->sources, report->verdict.size, &report->replay, ret_problem);
    if (status != GW_OK)
        return status;
    report->root = gw_store_root(store);
    if (gw_hash_equal(report->root, report->verdict.checkpoint.root))
        return GW_OK;
    return gw_problem_set(ret_problem, GW_CORRUPT, "bad_root", "The entries do not have the root that was signed.",
                          "The log was changed while it was read.", "");
}

static gw_status log_verify(const rebuild_options *options, gw_audit_verdict *ret, gw_problem *ret_problem) {
    gw_audit_options audit = {.log_key = options->log_key};
    gw_status status = gw_audit_verify(options->sources.log, &audit, NULL, ret);
    if (status == GW_OK && !ret->is_sound)
        status = GW_CORRUPT;
    if (status == GW_OK)
        return GW_OK;
    *ret_problem = ret->problem;
    if (status == GW_CORRUPT && ret->first_bad != UINT64_MAX)
        gw_problem_why(ret_problem, "Entry %llu is the first that is wrong.", (unsigned long long)ret->first_bad);
    return status;
}

gw_status gw_rebuild(const rebuild_options *options, rebuild_report *ret, gw_problem *ret_problem) {
    char part[PATH_SIZE];
    *ret = (rebuild_report){0};
    if (access(options->out, F_OK) == 0)
        return gw_problem_set(ret_problem, GW_CONFLICT, "store_exists", "There is a file already.",
                              "A ledger is never made over another.", "--out OTHER.db");
    if (snprintf(part, sizeof(part), "%s.part", options->out) >= (int)sizeof(part) - 16)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_path", "The path is too long.", "", "");
    gw_status status = log_verify(options, &ret->verdict, ret_problem);
    if (status != GW_OK)
        return status;
    leftovers_remove(part);
    status = play(options, part, ret, ret_problem);
    if (status == GW_OK)
        status = gw_store_copy(part, options->out, ret_problem);
    leftovers_remove(part);
    return status;
}
