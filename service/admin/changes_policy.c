// SPDX-License-Identifier: Apache-2.0
// A policy comes into force: an owner signed its bytes, it follows the one before, and its signer is told what changes.
#include "service/admin/changes_inner.h"

#include "service/base/file.h"
#include "service/base/log.h"
#include "service/query/plan.h"

#include <stdio.h>
#include <string.h>

static gw_status policy_check_signature(gw_change *c, const char *text, const char *signer, int64_t now) {
    gw_signature signature;
    gw_public_key key;
    const char *signature_hex = gw_change_text(c, "signature"), *key_hex = gw_change_text(c, "key");
    if (c->reader.status != GW_OK)
        return c->reader.status;
    bool is_read = gw_unhex(signature_hex, strlen(signature_hex), signature.bytes, sizeof signature.bytes) &&
                   gw_unhex(key_hex, strlen(key_hex), key.bytes, sizeof key.bytes);
    gw_store_key keys[8];
    size_t count = 0;
    char key_id[GW_KEY_ID_HEX];
    gw_store_principal owner = {0};
    if (is_read) {
        gw_key_id(key, key_id);
        gw_store_reader *reader = gw_query_reader(c->worker);
        if (gw_store_keys_find(reader, signer, key_id, keys, 8, &count) != GW_OK ||
            gw_store_principal_find(reader, signer, &owner) != GW_OK)
            count = 0;
    }
    bool is_known = false;
    for (size_t i = 0; i < count && i < 8; i++)
        is_known |= memcmp(keys[i].key.bytes, key.bytes, sizeof key.bytes) == 0 && !keys[i].is_revoked &&
                    keys[i].not_before <= now && (keys[i].not_after == 0 || now <= keys[i].not_after);
    if (!is_known || !(owner.roles & GW_ROLE_OWNER) || !gw_verify_signature(key, gw_bytes_of(text), signature))
        return gw_problem_set(c->problem, GW_DENIED, "bad_signature", "This policy is not signed by an owner.",
                              "The signature does not fit the file's bytes, or its key does not belong to a principal "
                              "with the role owner.",
                              "godwit policy sign FILE --as owner");
    return GW_OK;
}

static gw_status policy_check_succession(gw_change *c, const gw_policy *policy, gw_store_policy *ret_current,
                                         bool *ret_has_current) {
    gw_status status = gw_store_policy_current(gw_query_reader(c->worker), policy->dataset, ret_current, NULL);
    *ret_has_current = status == GW_OK;
    if (status == GW_NOT_FOUND)
        return GW_OK;
    if (status != GW_OK)
        return gw_problem_set(c->problem, status, "internal", "The policy in force could not be read.", "",
                              "Ask the operator.");
    if (policy->version <= ret_current->version) {
        gw_change_invalid(c, "policy_version", "A newer version of this policy is in force.", "", "");
        gw_problem_why(c->problem, "Version %llu is in force; the file says %llu.",
                       (unsigned long long)ret_current->version, (unsigned long long)policy->version);
        gw_problem_mend(c->problem, "Set \"version\" to %llu, sign it again and activate it.",
                        (unsigned long long)ret_current->version + 1);
        return GW_INVALID;
    }
    if (strcmp(policy->population, ret_current->population) != 0)
        return gw_change_invalid(c, "policy_population", "A dataset's population cannot change.",
                                 "What was spent on these people would be spent anew under another name.",
                                 "Keep \"population\" as it was.");
    return GW_OK;
}

static void policy_entry(const gw_policy *policy, gw_entry *entry) {
    entry->kind = GW_ENTRY_POLICY;
    snprintf(entry->policy.dataset, GW_DATASET_MAX, "%s", policy->dataset);
    snprintf(entry->policy.population, GW_DATASET_MAX, "%s", policy->population);
    entry->policy.version = policy->version;
    entry->policy.file = policy->file;
    entry->policy.total = policy->lifetime.micro;
    entry->policy.principal_total = policy->per_principal.micro;
    entry->policy.window_days = policy->window_days;
    entry->policy.window_total = policy->window_total.micro;
    entry->policy.question_min = policy->question_min.micro;
    entry->policy.question_max = policy->question_max.micro;
    entry->policy.delta = policy->delta.atto;
    entry->policy.selection_delta = policy->selection_delta.atto;
}

static void difference_line(gw_buffer *out, const char *line) {
    gw_buffer_text(out, out->size ? "," : "");
    gw_json_write_string(out, line);
}

static void difference(gw_buffer *out, const char *name, uint64_t before, uint64_t now) {
    char old_text[GW_EPSILON_TEXT], new_text[GW_EPSILON_TEXT], line[128];
    if (before == now)
        return;
    gw_epsilon_format((gw_epsilon){before}, old_text);
    gw_epsilon_format((gw_epsilon){now}, new_text);
    snprintf(line, sizeof line, "%s %s -> %s", name, before ? old_text : "none", now ? new_text : "none");
    difference_line(out, line);
}

static void difference_delta(gw_buffer *out, const char *name, gw_delta before, gw_delta now) {
    char old_text[GW_DELTA_TEXT], new_text[GW_DELTA_TEXT], line[128];
    if (before.atto == now.atto)
        return;
    gw_delta_format(before, old_text);
    gw_delta_format(now, new_text);
    snprintf(line, sizeof line, "%s %s -> %s", name, before.atto ? old_text : "none", now.atto ? new_text : "none");
    difference_line(out, line);
}

// The people have a budget of their own: one that adds epsilons up, or grants no delta, ends before the dataset's.
static void population_note(gw_change *c, const gw_policy *policy, gw_buffer *out) {
    gw_delta delta = {0}, selection = {0};
    char line[320];
    if (gw_store_population_deltas(gw_query_reader(c->worker), policy->population, &delta.atto, &selection.atto) !=
        GW_OK)
        return;
    if (policy->delta.atto != 0 && delta.atto == 0) {
        snprintf(line, sizeof line,
                 "nothing of its people's budget: %.128s still counts epsilon alone and may end first; godwit "
                 "population add … --delta 1e-9",
                 policy->population);
        difference_line(out, line);
    }
    if (policy->selection_delta.atto != 0 && selection.atto == 0) {
        snprintf(line, sizeof line,
                 "nothing of its people's budget: %.128s grants no delta to unknown keys, so none can be asked; "
                 "godwit population add … --selection-delta 1e-9",
                 policy->population);
        difference_line(out, line);
    }
}

// What the signer may have overlooked: every amount that is not what it was.
static void differences_write(gw_change *c, const gw_policy *policy, gw_buffer *out) {
    gw_policy_in_force before;
    if (gw_query_policy(c->worker, policy->dataset, &before, NULL) != GW_OK)
        return;
    difference(out, "lifetime", before.policy->lifetime.micro, policy->lifetime.micro);
    difference(out, "per_principal", before.policy->per_principal.micro, policy->per_principal.micro);
    difference(out, "window epsilon", before.policy->window_total.micro, policy->window_total.micro);
    difference(out, "window days", before.policy->window_days * UINT64_C(1000000),
               policy->window_days * UINT64_C(1000000));
    difference(out, "question_min", before.policy->question_min.micro, policy->question_min.micro);
    difference(out, "question_max", before.policy->question_max.micro, policy->question_max.micro);
    difference_delta(out, "delta", before.policy->delta, policy->delta);
    difference_delta(out, "selection_delta", before.policy->selection_delta, policy->selection_delta);
    gw_hash layout = gw_plan_layout(policy);
    if (!gw_hash_equal(layout, before.layout))
        difference_line(out, "the tables: the data must be loaded again before it answers");
}

// A copy for people, named by the hash that the log has; the ledger's own is the one that counts.
static void policy_copy(gw_change *c, const gw_policy *policy, const char *text) {
    char hex[GW_HASH_HEX], path[4300];
    gw_hex((gw_bytes){policy->file.bytes, GW_HASH_SIZE}, hex);
    snprintf(path, sizeof path, "%.4096s/policies/%s.json", c->changes->state_folder, hex);
    gw_problem problem = {0};
    if (gw_file_replace(path, gw_bytes_of(text), 0600, &problem) != GW_OK)
        gw_log(GW_LOG_WARN, "policy_not_copied", "code", problem.code, NULL);
}

gw_status gw_change_policy_activate(gw_change *c) {
    char signer[GW_ID_HEX];
    const char *text = gw_change_text(c, "policy");
    if (!text || !gw_change_read_id(c, "by", signer))
        return c->reader.status;
    gw_status status = policy_check_signature(c, text, signer, gw_ledger_now(c->changes->ledger));
    if (status != GW_OK)
        return status;
    gw_policy *policy = NULL;
    status = gw_policy_load(gw_bytes_of(text), "policy", c->changes->codelist_folder, &policy, c->problem);
    if (status != GW_OK)
        return status;
    gw_store_policy current;
    bool has_current;
    status = policy_check_succession(c, policy, &current, &has_current);
    if (status == GW_OK) {
        gw_store_op op = {.file_bytes = gw_bytes_of(text)};
        policy_entry(policy, &op.entry);
        op.entry.policy.supersedes = has_current ? current.seq : GW_NO_SEQ;
        gw_buffer differences;
        gw_buffer_init(&differences, 8192);
        if (has_current)
            differences_write(c, policy, &differences);
        population_note(c, policy, &differences);
        c->differences = has_current || differences.size > 0 ? gw_buffer_string(&differences) : NULL;
        status = gw_change_append(c, &op, signer);
        c->differences = NULL;
        gw_buffer_done(&differences);
        if (status == GW_OK)
            policy_copy(c, policy, text);
        if (status == GW_NOT_FOUND || (status == GW_INVALID && strcmp(c->problem->code, "unknown_population") == 0)) {
            gw_problem_set(c->problem, GW_INVALID, "unknown_population",
                           "The people behind this dataset have no budget yet.", "", "");
            gw_problem_why(c->problem, "The population %s is not in the log.", policy->population);
            gw_problem_mend(c->problem, "godwit population add %s --total 20", policy->population);
            status = GW_INVALID;
        }
    }
    gw_policy_free(policy);
    return status;
}
