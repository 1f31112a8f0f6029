// SPDX-License-Identifier: Apache-2.0
// Trust from the command line, a file, or a profile; and what the witnesses of a checkpoint amount to.
#include "client/cli/log_trust.h"
#include "client/cli/log_files.h"
#include "client/cli/log_key.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <string.h>

// A log whose key changed has two lines of one name: the one that signed is meant.
static gw_status key_of_policy(const gw_tlog_policy *policy, gw_bytes note, gw_log_trust *ret,
                               gw_problem *ret_problem) {
    size_t count = gw_tlog_policy_log_count(policy);
    gw_tlog_verdict verdict;
    gw_checkpoint checkpoint;
    gw_status signed_status = gw_tlog_policy_check(policy, note, NULL, &verdict, NULL);
    if ((signed_status == GW_OK || signed_status == GW_UNAVAILABLE) && verdict.log < count) {
        ret->key = gw_tlog_policy_log(policy, verdict.log)->key;
        ret->has_key = true;
        return GW_OK;
    }
    const char *origin = gw_checkpoint_peek(note, &checkpoint, NULL) == GW_OK ? checkpoint.origin : "";
    for (size_t i = 0; i < count; i++) {
        const gw_trusted_log *log = gw_tlog_policy_log(policy, i);
        if (strcmp(log->key.name, origin) != 0 && !(count == 1 && origin[0] == '\0'))
            continue;
        ret->key = log->key;
        ret->has_key = true;
        return GW_OK;
    }
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "log_unknown", "", "",
                                      "A line \"log VKEY\" in the policy, got from whoever runs the log.");
    gw_problem_what(ret_problem, "The policy does not name the log %.128s.", origin);
    return status;
}

gw_status gw_log_trust_find(const gw_cli *cli, const char *named_key, const char *policy_path, gw_bytes note,
                            gw_log_trust *ret, gw_problem *ret_problem) {
    gw_log_trust trust = {.has_key = false};
    gw_status status = GW_OK;
    if (policy_path != NULL)
        status = gw_tlog_policy_read(policy_path, &trust.policy, ret_problem);
    if (status == GW_OK && named_key == NULL && trust.policy != NULL && gw_tlog_policy_log_count(trust.policy) > 0)
        status = key_of_policy(trust.policy, note, &trust, ret_problem);
    else if (status == GW_OK)
        status = gw_log_key_find(cli, named_key, note, &trust.key, &trust.has_key, ret_problem);
    if (status != GW_OK)
        gw_tlog_policy_free(trust.policy);
    else
        *ret = trust;
    return status;
}

void gw_log_trust_done(gw_log_trust *trust) {
    gw_tlog_policy_free(trust->policy);
    *trust = (gw_log_trust){.has_key = false};
}

// ---- witnesses

static size_t witnesses_name(const gw_tlog_policy *policy, const gw_tlog_verdict *verdict, gw_buffer *names) {
    size_t count = 0;
    for (size_t i = 0; i < gw_tlog_policy_witness_count(policy); i++) {
        char time[GW_TIME_TEXT];
        if (verdict->witnesses[i] != GW_COSIGNATURE_GOOD)
            continue;
        gw_time_format((int64_t)verdict->times[i], time);
        gw_buffer_format(names, "%s%s (%s)", count++ == 0 ? "" : ", ", gw_tlog_policy_witness(policy, i)->name, time);
    }
    return count;
}

gw_exit_code gw_log_quorum_say(gw_cli *cli, const gw_tlog_policy *policy, bool is_demanded, const char *whose,
                               gw_bytes note, const gw_note_key *key) {
    gw_tlog_verdict verdict;
    gw_problem problem;
    gw_buffer names;
    size_t all = gw_tlog_policy_witness_count(policy);
    gw_status status = gw_tlog_policy_check(policy, note, key, &verdict, &problem);
    bool is_for_people = cli->output == GW_OUTPUT_TABLE;
    if (status != GW_OK && status != GW_UNAVAILABLE) {
        if (is_for_people)
            gw_say_verdict(cli, is_demanded ? "FAIL" : "WARN", "%s: %s %s", whose, problem.what, problem.why);
        return GW_EXIT_TAMPERED;
    }
    gw_buffer_init(&names, 8192);
    size_t count = witnesses_name(policy, &verdict, &names);
    if (is_for_people && strcmp(gw_tlog_policy_quorum(policy), "none") == 0)
        gw_say_verdict(cli, "NOTE", "%s: asks for no witnesses", whose);
    else if (is_for_people && status == GW_OK)
        gw_say_verdict(cli, "OK", "%s: its quorum is reached, %zu of %zu witnesses cosigned: %s", whose, count, all,
                       gw_buffer_string(&names));
    else if (is_for_people)
        gw_say_verdict(cli, is_demanded ? "FAIL" : "NOTE",
                       "%s: too few witnesses cosigned this checkpoint, %zu of %zu%s%s. %s", whose, count, all,
                       count == 0 ? "" : ": ", gw_buffer_string(&names), problem.why);
    gw_buffer_done(&names);
    return status == GW_OK ? GW_EXIT_DONE : GW_EXIT_FOUND;
}

void gw_log_quorum_json(const gw_tlog_policy *policy, gw_bytes note, const gw_note_key *key, gw_buffer *json) {
    gw_tlog_verdict verdict;
    gw_problem problem;
    char hash[GW_HASH_HEX];
    gw_status status = gw_tlog_policy_check(policy, note, key, &verdict, &problem);
    gw_hash file = gw_tlog_policy_hash(policy);
    gw_hex((gw_bytes){.data = file.bytes, .size = GW_HASH_SIZE}, hash);
    gw_buffer_text(json, "{");
    gw_json_write_member(json, "policy", hash);
    gw_json_write_member(json, "quorum", gw_tlog_policy_quorum(policy));
    gw_json_write_name(json, "is_quorate");
    gw_buffer_text(json, status == GW_OK ? "true" : "false");
    if (status != GW_OK)
        gw_json_write_member(json, "code", problem.code);
    gw_json_write_name(json, "witnesses");
    gw_buffer_text(json, "[");
    bool is_read = status == GW_OK || status == GW_UNAVAILABLE;
    for (size_t i = 0; is_read && i < gw_tlog_policy_witness_count(policy); i++) {
        gw_buffer_text(json, i == 0 ? "{" : ",{");
        gw_json_write_member(json, "name", gw_tlog_policy_witness(policy, i)->name);
        bool is_good = verdict.witnesses[i] == GW_COSIGNATURE_GOOD;
        gw_json_write_name(json, "has_cosigned");
        gw_buffer_text(json, is_good ? "true" : "false");
        if (is_good)
            gw_json_write_integer(json, "time", (int64_t)verdict.times[i]);
        gw_buffer_text(json, "}");
    }
    gw_buffer_text(json, "]}");
}

bool gw_log_quorum_file(const char *folder, gw_hash file, gw_tlog_policy **ret) {
    char name[16 + GW_HASH_HEX], hash[GW_HASH_HEX], path[4096];
    gw_problem none;
    gw_hex((gw_bytes){.data = file.bytes, .size = GW_HASH_SIZE}, hash);
    gw_ignore(snprintf(name, sizeof(name), "witnesses/%s", hash)); // it fits
    if (!gw_log_files_path(folder, name, path) || gw_tlog_policy_read(path, ret, &none) != GW_OK)
        return false;
    if (gw_hash_equal(gw_tlog_policy_hash(*ret), file))
        return true;
    gw_tlog_policy_free(*ret);
    *ret = NULL;
    return false;
}
