// SPDX-License-Identifier: Apache-2.0
// A mark without its key can neither be made nor lowered. A ledger that never had a mark key gets one at its first
// start: one mark under the new key (the other slot stays the log key's), signature, key file, in this order, each of
// them on disk before the next.
#include "service/ledger/ledger_mark.h"
#include "service/base/file.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gw_status key_open(const char *path, ledger_mark *mark, gw_problem *ret_problem) {
    struct stat facts;
    if (lstat(path, &facts) == 0)
        return gw_key_file_read(path, &mark->key, ret_problem);
    mark->is_key_new = true;
    if (gw_key_generate(&mark->key) != GW_OK)
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "key", "A key could not be made.",
                              "The kernel gave no randomness or no locked memory.", "");
    return GW_OK;
}

static gw_status mark_open(const ledger_mark_options *options, ledger_mark *mark, gw_problem *ret_problem) {
    gw_problem problem = {0};
    gw_status status = gw_hwm_open(options->path, mark->key, mark->is_key_new ? options->log_key : NULL, &mark->hwm,
                                   &mark->mark, &problem);
    // Only genesis may stand alone: nothing is acknowledged before a mark.
    bool may_begin = options->first.size == 1;
    if (status == GW_NOT_FOUND && !may_begin)
        status = problem.status = GW_CORRUPT;
    // A crash between the first mark and its key's file left a mark that nobody can read.
    if (status == GW_CORRUPT && may_begin && mark->is_key_new && unlink(options->path) == 0)
        status = GW_NOT_FOUND;
    if (status != GW_NOT_FOUND) {
        if (status != GW_OK && ret_problem != NULL)
            *ret_problem = problem;
        return status;
    }
    mark->mark = options->first;
    return gw_hwm_create(options->path, &options->first, mark->key, &mark->hwm, ret_problem);
}

gw_status ledger_mark_open(const ledger_mark_options *options, ledger_mark *ret, gw_problem *ret_problem) {
    ledger_mark mark = {0};
    gw_status status = key_open(options->key_path, &mark, ret_problem);
    if (status == GW_OK)
        status = mark_open(options, &mark, ret_problem);
    if (status != GW_OK) {
        ledger_mark_close(&mark);
        return status;
    }
    *ret = mark;
    return GW_OK;
}

gw_status ledger_mark_keep(ledger_mark *mark, const char *key_path, gw_problem *ret_problem) {
    if (!mark->is_key_new)
        return GW_OK;
    char folder[4200];
    snprintf(folder, sizeof(folder), "%s", key_path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    gw_status status = slash == NULL ? GW_OK : gw_folder_make(folder, 0700, ret_problem);
    if (status == GW_OK)
        status = gw_key_file_write(key_path, mark->key, ret_problem);
    mark->is_key_new = status != GW_OK;
    return status;
}

void ledger_mark_close(ledger_mark *mark) {
    gw_hwm_close(mark->hwm);
    gw_secret_key_free(mark->key);
    *mark = (ledger_mark){0};
}
