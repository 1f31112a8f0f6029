// SPDX-License-Identifier: Apache-2.0
// Between the setting, the log's entry and the ledger: one file of witnesses, held against its hash.
#include "service/vouch.h"

#include "service/base/cleanup.h"
#include "service/base/file.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define FILE_MODE 0644
#define FOLDER_MODE 0755

struct gw_vouching {
    gw_witnesses *witnesses;
    bool is_strict;
    gw_buffer text;        // of the file
    pthread_mutex_t mutex; // guards the following
    gw_vouched state;
    gw_problem problem;
};

GW_DEFINE_FREEP(gw_tlog_policy, gw_tlog_policy_free)

// ---- the file

gw_status gw_vouching_read(const char *path, gw_buffer *ret_text, gw_hash *ret_file, gw_problem *ret_problem) {
    GW_CLEANUP(gw_tlog_policy_freep) gw_tlog_policy *policy = NULL;
    gw_status status = gw_file_read(path, ret_text, ret_problem);
    if (status == GW_OK)
        status = gw_tlog_policy_parse(gw_buffer_bytes(ret_text), &policy, ret_problem);
    if (status != GW_OK)
        return status;
    *ret_file = gw_tlog_policy_hash(policy);
    gw_witnesses *witnesses = NULL;
    status = gw_witnesses_new(gw_take(&policy), (gw_http){.state = NULL}, 0, &witnesses, ret_problem);
    gw_witnesses_free(witnesses);
    return status;
}

gw_status gw_vouching_publish(const gw_config *config, gw_bytes text, gw_problem *ret_problem) {
    char path[4352], hex[GW_HASH_HEX];
    gw_hash file = gw_sha256(text);
    gw_hex((gw_bytes){file.bytes, GW_HASH_SIZE}, hex);
    snprintf(path, sizeof path, "%s/log/witnesses", config->folder);
    gw_status status = gw_folder_make(path, FOLDER_MODE, ret_problem);
    snprintf(path, sizeof path, "%s/log/witnesses/%s", config->folder, hex);
    if (status != GW_OK || access(path, F_OK) == 0)
        return status;
    return gw_file_replace(path, text, FILE_MODE, ret_problem);
}

static gw_status differ(const gw_config *config, const char *in_force, gw_problem *ret_problem) {
    gw_problem_fill(ret_problem, GW_INVALID, "witnesses_differ",
                    "The file of witnesses is not the one that the log has in force.", "", "");
    gw_problem_why(ret_problem, "The log names %s; the setting witnesses is %s%.300s.", in_force,
                   config->witnesses[0] == '\0' ? "empty" : "another file: ", config->witnesses);
    gw_problem_mend(ret_problem, "Put that file back (log/witnesses/ has a copy), or have this one in force: godwitd "
                                 "witnesses FILE");
    return GW_INVALID;
}

gw_status gw_vouching_check(const gw_vouching *vouching, const gw_config *config, gw_store_reader *reader,
                            gw_problem *ret_problem) {
    gw_hash in_force, configured;
    gw_status status = gw_store_witnesses(reader, &in_force);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "store_corrupt", "The ledger's first entry cannot be read.", "", "");
    gw_bytes text = vouching == NULL ? (gw_bytes){NULL, 0} : gw_buffer_bytes(&vouching->text);
    configured = gw_sha256(text); // none: the hash of nothing, as in the first entry
    char hex[GW_HASH_HEX];
    gw_hex((gw_bytes){in_force.bytes, GW_HASH_SIZE}, hex);
    if (!gw_hash_equal(in_force, configured))
        return differ(config, hex, ret_problem);
    return vouching == NULL ? GW_OK : gw_vouching_publish(config, text, ret_problem);
}

// ---- open and close

static void vouching_init(gw_vouching *vouching, bool is_strict) {
    *vouching = (gw_vouching){.is_strict = is_strict, .state = GW_NOT_VOUCHED};
    gw_problem_fill(&vouching->problem, GW_UNAVAILABLE, "no_quorum", "The witnesses have not been asked yet.", "", "");
    gw_buffer_init(&vouching->text, GW_TLOG_POLICY_FILE_MAX);
    pthread_mutex_init(&vouching->mutex, NULL);
}

static gw_status open_witnesses(gw_vouching *vouching, const gw_config *config, gw_problem *ret_problem) {
    GW_CLEANUP(gw_tlog_policy_freep) gw_tlog_policy *policy = NULL;
    gw_http http;
    gw_status status = gw_file_read(config->witnesses, &vouching->text, ret_problem);
    if (status == GW_OK)
        status = gw_tlog_policy_parse(gw_buffer_bytes(&vouching->text), &policy, ret_problem);
    if (status == GW_OK)
        status = gw_http_curl(&http, ret_problem);
    if (status != GW_OK)
        return status;
    return gw_witnesses_new(gw_take(&policy), http, (unsigned)config->witness_timeout_ms, &vouching->witnesses,
                            ret_problem);
}

gw_status gw_vouching_open(const gw_config *config, gw_vouching **ret, gw_problem *ret_problem) {
    *ret = NULL;
    if (config->witnesses[0] == '\0')
        return GW_OK;
    gw_vouching *vouching = malloc(sizeof *vouching);
    if (vouching == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    vouching_init(vouching, config->witness_strict != 0);
    gw_status status = open_witnesses(vouching, config, ret_problem);
    if (status != GW_OK) {
        gw_vouching_close(vouching);
        return status;
    }
    *ret = vouching;
    return GW_OK;
}

void gw_vouching_close(gw_vouching *vouching) {
    if (vouching == NULL)
        return;
    gw_witnesses_free(vouching->witnesses);
    gw_buffer_done(&vouching->text);
    pthread_mutex_destroy(&vouching->mutex);
    free(vouching);
}

// ---- asked

static void outcome_set(gw_vouching *vouching, gw_status status, const gw_problem *problem) {
    pthread_mutex_lock(&vouching->mutex);
    if (vouching->state != GW_SET_BACK) { // for good
        vouching->state = status == GW_OK ? GW_VOUCHED : status == GW_CORRUPT ? GW_SET_BACK : GW_NOT_VOUCHED;
        vouching->problem = *problem;
    }
    pthread_mutex_unlock(&vouching->mutex);
}

static gw_status witness_cosign(void *state, const gw_checkpoint *checkpoint, gw_merkle_source tree, gw_buffer *note,
                                gw_problem *ret_problem) {
    gw_vouching *vouching = state;
    gw_problem problem = {0};
    gw_status status = gw_witnesses_cosign(vouching->witnesses, checkpoint, tree, note, &problem);
    outcome_set(vouching, status, &problem);
    if (status != GW_OK && ret_problem != NULL)
        *ret_problem = problem;
    return status;
}

gw_tree_witness gw_vouching_witness(gw_vouching *vouching) {
    if (vouching == NULL)
        return (gw_tree_witness){.state = NULL};
    return (gw_tree_witness){.state = vouching, .cosign = witness_cosign, .is_strict = vouching->is_strict};
}

gw_vouched gw_vouching_state(gw_vouching *vouching, gw_problem *ret_problem) {
    if (vouching == NULL)
        return GW_VOUCHED;
    pthread_mutex_lock(&vouching->mutex);
    gw_vouched state = vouching->state;
    if (state != GW_VOUCHED)
        *ret_problem = vouching->problem;
    pthread_mutex_unlock(&vouching->mutex);
    return state;
}
