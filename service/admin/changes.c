// SPDX-License-Identifier: Apache-2.0
// One function per action, in a table with the role it needs and the fields it takes.
#include "service/admin/changes.h"

#include "service/admin/load.h"
#include "service/base/file.h"
#include "service/base/log.h"
#include "service/query/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELTA_ATTO_MAX 1000000000000000ULL // 0.001, as in policies

typedef struct {
    gw_changes *changes;
    gw_query_worker *worker;
    const gw_identity *who;
    const gw_json_node *body;
    gw_json_reader reader;
    gw_buffer *out;
    gw_problem *problem;
    const char *differences; // policies: JSON strings of what a new version changes, with commas; NULL: nothing to say
} change;

static const char *text_of(change *c, const char *name) {
    return gw_json_read_string(&c->reader, c->body, name);
}

static gw_status invalid(change *c, const char *code, const char *what, const char *why, const char *mend) {
    return gw_problem_set(c->problem, GW_INVALID, code, what, why, mend);
}

// Submits one entry signed by the asker, and writes {"v":1,"action":…,"seq":…}.
static gw_status append(change *c, gw_store_op *op, const char *signer) {
    op->kind = GW_STORE_APPEND;
    op->entry.by.count = 1;
    snprintf(op->entry.by.ids[0], GW_ID_HEX, "%s", signer ? signer : c->who->principal);
    if (signer && strcmp(signer, c->who->principal) != 0) {
        op->entry.by.count = 2;
        snprintf(op->entry.by.ids[1], GW_ID_HEX, "%s", c->who->principal);
    }
    gw_status status = gw_ledger_submit(c->changes->ledger, op);
    if (status != GW_OK)
        return gw_problem_set(c->problem, status == GW_RETRY ? GW_RETRY : GW_BUSY,
                              status == GW_RETRY ? "retry" : "busy", "The change was not confirmed.",
                              "The ledger could not confirm its write.", "Look with godwit audit log, then try again.");
    if (op->result != GW_OK)
        return gw_problem_set(c->problem, op->result, op->code, "The change was not accepted.",
                              op->result == GW_CONFLICT ? "It is there already, or stands for something else."
                                                        : "What it refers to is not there or not in force.",
                              "godwit audit log shows what is in force.");
    gw_buffer_text(c->out, "{\"v\":1");
    gw_json_write_member(c->out, "action", gw_json_string(gw_json_member(c->body, "action")));
    gw_json_write_integer(c->out, "seq", (int64_t)op->seq);
    if (c->differences) {
        gw_json_write_name(c->out, "changes");
        gw_buffer_format(c->out, "[%s]", c->differences);
    }
    gw_buffer_text(c->out, "}");
    return GW_OK;
}

static bool read_id(change *c, const char *name, char ret[GW_ID_HEX]) {
    uint8_t bytes[GW_ID_SIZE];
    const char *text = text_of(c, name);
    if (!text)
        return false;
    if (!gw_unhex(text, strlen(text), bytes, sizeof bytes)) {
        gw_json_fail(&c->reader, gw_json_member(c->body, name), "bad_id", "This is not a principal's id.",
                     "godwit principal ls shows them.", "An id is 32 hexadecimal digits.");
        return false;
    }
    memcpy(ret, text, GW_ID_HEX);
    return true;
}

// ---- principals and keys

typedef struct {
    const char *besides;
    size_t count;
} other_operators;

static void other_operators_count(void *state, const char *principal, unsigned roles, size_t live_keys) {
    other_operators *others = state;
    others->count += (roles & GW_ROLE_OPERATOR) && live_keys > 0 && strcmp(principal, others->besides) != 0;
}

// Without an operator nobody can ever be entered again, another operator neither.
static gw_status keeps_an_operator(change *c, const char *principal, unsigned roles) {
    gw_store_principal now = {0};
    gw_store_reader *reader = gw_query_reader(c->worker);
    if ((roles & GW_ROLE_OPERATOR) || gw_store_principal_find(reader, principal, &now) != GW_OK ||
        !(now.roles & GW_ROLE_OPERATOR))
        return GW_OK;
    other_operators others = {.besides = principal};
    if (gw_store_principals(reader, other_operators_count, &others) == GW_OK && others.count > 0)
        return GW_OK;
    return invalid(c, "last_operator", "This is the last operator.",
                   "Without one nobody could be entered or revoked any more.",
                   "Give another principal the role operator and a key first.");
}

static gw_status change_principal(change *c, const char *action, bool with_roles) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_PRINCIPAL}};
    if (!read_id(c, "principal", op.entry.principal.principal))
        return c->reader.status;
    snprintf(op.entry.principal.action, sizeof op.entry.principal.action, "%s", action);
    const char *roles = with_roles ? text_of(c, "roles") : "";
    if (!roles)
        return c->reader.status;
    op.entry.principal.roles = with_roles ? gw_roles_parse(roles) : 0;
    if (with_roles && op.entry.principal.roles == 0)
        return invalid(c, "bad_role", "This is not a list of roles.",
                       "Roles are researcher, owner, auditor, operator, gateway.",
                       "Write them with commas: researcher,auditor");
    gw_status status = keeps_an_operator(c, op.entry.principal.principal, op.entry.principal.roles);
    return status == GW_OK ? append(c, &op, NULL) : status;
}
static gw_status change_principal_add(change *c) {
    return change_principal(c, "add", true);
}
static gw_status change_principal_grant(change *c) {
    return change_principal(c, "grant", true);
}
static gw_status change_principal_revoke(change *c) {
    return change_principal(c, "revoke", false);
}

static gw_status change_key(change *c, const char *action, bool with_times) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_KEY}};
    gw_public_key key;
    if (!read_id(c, "principal", op.entry.key.principal))
        return c->reader.status;
    const char *text = text_of(c, "key");
    if (!text)
        return c->reader.status;
    if (!gw_unhex(text, strlen(text), key.bytes, sizeof key.bytes) || !gw_public_key_is_valid(key))
        return invalid(c, "bad_key", "This is not a public key.", "A key is 64 hexadecimal digits.",
                       "godwit keys new prints it.");
    memcpy(op.entry.key.key, text, sizeof op.entry.key.key);
    snprintf(op.entry.key.action, sizeof op.entry.key.action, "%s", action);
    snprintf(op.entry.key.key_kind, sizeof op.entry.key.key_kind, "sign");
    if (with_times) {
        op.entry.key.not_before = gw_json_read_integer(&c->reader, c->body, "not_before", 0, INT64_C(253402300799));
        op.entry.key.not_after = gw_json_read_integer(&c->reader, c->body, "not_after", 0, INT64_C(253402300799));
    }
    return c->reader.status != GW_OK ? c->reader.status : append(c, &op, NULL);
}
static gw_status change_key_add(change *c) {
    return change_key(c, "add", true);
}
static gw_status change_key_revoke(change *c) {
    return change_key(c, "revoke", false);
}

// ---- populations

static gw_delta read_delta(change *c, const char *name) {
    gw_delta delta = {0};
    const char *text = gw_json_has(c->body, name) ? text_of(c, name) : NULL;
    if (text != NULL && (gw_delta_parse(text, &delta) != GW_OK || delta.atto == 0 || delta.atto > DELTA_ATTO_MAX))
        gw_json_fail(&c->reader, gw_json_member(c->body, name), "policy_delta", "This is not a delta.",
                     "Write \"1e-9\": far below one over the number of people.",
                     "\"%s\" must be above 0 and at most 0.001, with at most 18 places.", name);
    return delta;
}

static gw_status change_population_add(change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_POPULATION}};
    const char *name = text_of(c, "population");
    gw_epsilon total = gw_json_read_epsilon(&c->reader, c->body, "total");
    int64_t days = gw_json_read_integer(&c->reader, c->body, "window_days", 0, 3660);
    gw_epsilon window = {0};
    if (days > 0)
        window = gw_json_read_epsilon(&c->reader, c->body, "window_total");
    gw_delta delta = read_delta(c, "delta"), selection = read_delta(c, "selection_delta");
    if (c->reader.status != GW_OK)
        return c->reader.status;
    if (!gw_name_is_valid(name) || !strchr(name, '/'))
        return invalid(c, "bad_name", "This is not a population's name.", "It is written like nso.example/residents.",
                       "");
    if (total.micro == 0 || (days > 0 && window.micro == 0))
        return invalid(c, "policy_budget", "A budget of zero allows nothing.",
                       "total (and window_total, with window_days) must be above 0.", "");
    snprintf(op.entry.population.population, GW_DATASET_MAX, "%s", name);
    op.entry.population.total = total.micro;
    op.entry.population.window_days = (uint64_t)days;
    op.entry.population.window_total = window.micro;
    op.entry.population.delta = delta.atto;
    op.entry.population.selection_delta = selection.atto;
    return append(c, &op, NULL);
}

// ---- policies

static gw_status policy_check_signature(change *c, const char *text, const char *signer, int64_t now) {
    gw_signature signature;
    gw_public_key key;
    const char *signature_hex = text_of(c, "signature"), *key_hex = text_of(c, "key");
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

static gw_status policy_check_succession(change *c, const gw_policy *policy, gw_store_policy *ret_current,
                                         bool *ret_has_current) {
    gw_status status = gw_store_policy_current(gw_query_reader(c->worker), policy->dataset, ret_current, NULL);
    *ret_has_current = status == GW_OK;
    if (status == GW_NOT_FOUND)
        return GW_OK;
    if (status != GW_OK)
        return gw_problem_set(c->problem, status, "internal", "The policy in force could not be read.", "",
                              "Ask the operator.");
    if (policy->version <= ret_current->version) {
        invalid(c, "policy_version", "A newer version of this policy is in force.", "", "");
        gw_problem_why(c->problem, "Version %llu is in force; the file says %llu.",
                       (unsigned long long)ret_current->version, (unsigned long long)policy->version);
        gw_problem_mend(c->problem, "Set \"version\" to %llu, sign it again and activate it.",
                        (unsigned long long)ret_current->version + 1);
        return GW_INVALID;
    }
    if (strcmp(policy->population, ret_current->population) != 0)
        return invalid(c, "policy_population", "A dataset's population cannot change.",
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

static void difference(gw_buffer *out, const char *name, uint64_t before, uint64_t now) {
    char old_text[GW_EPSILON_TEXT], new_text[GW_EPSILON_TEXT], line[128];
    if (before == now)
        return;
    gw_epsilon_format((gw_epsilon){before}, old_text);
    gw_epsilon_format((gw_epsilon){now}, new_text);
    snprintf(line, sizeof line, "%s %s -> %s", name, before ? old_text : "none", now ? new_text : "none");
    gw_buffer_text(out, out->size ? "," : "");
    gw_json_write_string(out, line);
}

static void difference_line(gw_buffer *out, const char *line) {
    gw_buffer_text(out, out->size ? "," : "");
    gw_json_write_string(out, line);
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
static void population_note(change *c, const gw_policy *policy, gw_buffer *out) {
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
static void differences_write(change *c, const gw_policy *policy, gw_buffer *out) {
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
static void policy_copy(change *c, const gw_policy *policy, const char *text) {
    char hex[GW_HASH_HEX], path[4300];
    gw_hex((gw_bytes){policy->file.bytes, GW_HASH_SIZE}, hex);
    snprintf(path, sizeof path, "%.4096s/policies/%s.json", c->changes->state_folder, hex);
    gw_problem problem = {0};
    if (gw_file_replace(path, gw_bytes_of(text), 0600, &problem) != GW_OK)
        gw_log(GW_LOG_WARN, "policy_not_copied", "code", problem.code, NULL);
}

static gw_status change_policy_activate(change *c) {
    char signer[GW_ID_HEX];
    const char *text = text_of(c, "policy");
    if (!text || !read_id(c, "by", signer))
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
        status = append(c, &op, signer);
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

// ---- data

static gw_status change_data_activate(change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_DATA}};
    const char *dataset = text_of(c, "dataset"), *seal = text_of(c, "seal");
    if (!dataset || !seal || !read_id(c, "version", op.entry.data.version))
        return c->reader.status;
    if (!gw_unhex(seal, strlen(seal), op.entry.data.seal.bytes, GW_HASH_SIZE))
        return invalid(c, "bad_seal", "This is not a seal.", "A seal is 64 hexadecimal digits.",
                       "godwit load makes it.");
    gw_policy_in_force in_force;
    gw_status status = gw_query_policy(c->worker, dataset, &in_force, c->problem);
    if (status != GW_OK)
        return status;
    snprintf(op.entry.data.dataset, GW_DATASET_MAX, "%s", in_force.policy->dataset);
    char path[4096], hex[GW_HASH_HEX];
    gw_query_snapshot_path(c->changes->queries, in_force.policy->dataset, op.entry.data.version, ".duckdb", path,
                           sizeof path);
    if (access(path, R_OK) != 0)
        return invalid(c, "no_snapshot", "There is no such data version.", "Its file is not in the state folder.",
                       "godwit load");
    gw_hex((gw_bytes){in_force.layout.bytes, GW_HASH_SIZE}, hex);
    gw_query_snapshot_path(c->changes->queries, in_force.policy->dataset, op.entry.data.version, ".layout", path,
                           sizeof path);
    // Written by the load from the policy it read. Writing it here would declare any snapshot to fit the policy in
    // force.
    gw_buffer text;
    gw_buffer_init(&text, 256);
    bool is_same = gw_file_read(path, &text, NULL) == GW_OK && text.size == GW_HASH_HEX &&
                   memcmp(text.data, hex, GW_HASH_HEX - 1) == 0;
    gw_buffer_done(&text);
    gw_hash sealed;
    gw_query_snapshot_path(c->changes->queries, in_force.policy->dataset, op.entry.data.version, ".duckdb", path,
                           sizeof path);
    status = gw_load_seal(path, c->changes->seal_secret, &sealed, c->problem);
    if (status != GW_OK)
        return status;
    if (!gw_hash_equal(sealed, op.entry.data.seal))
        return invalid(c, "data_tampered", "This data version is not the file that was loaded.",
                       "Its bytes do not have the seal that this request states.", "godwit load");
    if (!is_same)
        return invalid(c, "data_layout", "This data version was loaded under another description of the tables.",
                       "The policy changed after the load began.", "godwit load");
    return append(c, &op, NULL);
}

// ---- lists and state

typedef struct {
    gw_buffer *out;
    const char *comma;
} each_principal;

static void each_principal_write(void *state, const char *principal, unsigned roles, size_t live_keys) {
    each_principal *each = state;
    char text[80];
    gw_roles_format(roles, text);
    gw_buffer_text(each->out, each->comma);
    gw_buffer_text(each->out, "{");
    gw_json_write_member(each->out, "principal", principal);
    gw_json_write_member(each->out, "roles", text);
    gw_json_write_integer(each->out, "keys", (int64_t)live_keys);
    gw_buffer_text(each->out, "}");
    each->comma = ",";
}

static gw_status change_principals(change *c) {
    gw_buffer_text(c->out, "{\"v\":1");
    gw_json_write_member(c->out, "action", "principals");
    gw_json_write_name(c->out, "principals");
    gw_buffer_text(c->out, "[");
    each_principal each = {c->out, ""};
    gw_status status = gw_store_principals(gw_query_reader(c->worker), each_principal_write, &each);
    gw_buffer_text(c->out, "]}");
    return status == GW_OK
               ? GW_OK
               : gw_problem_set(c->problem, status, "internal", "The principals could not be read.", "", "");
}

static void count_one(void *state, const gw_store_policy *policy) {
    (void)policy;
    ++*(int64_t *)state;
}

static gw_status change_status(change *c) {
    int64_t datasets = 0;
    gw_status status = gw_store_datasets(gw_query_reader(c->worker), count_one, &datasets);
    if (status != GW_OK)
        return gw_problem_set(c->problem, status, "internal", "The state could not be read.", "", "");
    gw_checkpoint checkpoint;
    gw_buffer note;
    gw_buffer_init(&note, 4096);
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
    gw_json_write_integer(c->out, "uptime", (clock.boot_ms(clock.state) - c->changes->started) / 1000);
    gw_buffer_text(c->out, "}");
    return GW_OK;
}

// ---- the table

typedef struct {
    const char *action;
    unsigned role;
    gw_status (*run)(change *c);
    const char *fields[6]; // beside v, kind, action
    bool is_reading;
} action;

static const action actions[] = {
    {"principal_add", GW_ROLE_OPERATOR, change_principal_add, {"principal", "roles"}, false},
    {"principal_grant", GW_ROLE_OPERATOR, change_principal_grant, {"principal", "roles"}, false},
    {"principal_revoke", GW_ROLE_OPERATOR, change_principal_revoke, {"principal"}, false},
    {"key_add", GW_ROLE_OPERATOR, change_key_add, {"principal", "key", "not_before", "not_after"}, false},
    {"key_revoke", GW_ROLE_OPERATOR, change_key_revoke, {"principal", "key"}, false},
    {"population_add",
     GW_ROLE_OPERATOR,
     change_population_add,
     {"population", "total", "window_days", "window_total", "delta", "selection_delta"},
     false},
    {"policy_activate", GW_ROLE_OWNER, change_policy_activate, {"policy", "signature", "by", "key"}, false},
    {"data_activate", GW_ROLE_OWNER, change_data_activate, {"dataset", "version", "seal"}, false},
    {"principals", GW_ROLE_OPERATOR, change_principals, {NULL}, true},
    {"status", GW_ROLE_OPERATOR, change_status, {NULL}, true},
};
#define ACTION_COUNT (sizeof actions / sizeof actions[0])

static const action *action_find(const char *name) {
    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (strcmp(actions[i].action, name) == 0)
            return &actions[i];
    return NULL;
}

bool gw_changes_is_reading(const gw_json_node *body) {
    const gw_json_node *name = gw_json_member(body, "action");
    const action *found = name && gw_json_type_of(name) == GW_JSON_STRING ? action_find(gw_json_string(name)) : NULL;
    return found && found->is_reading;
}

static gw_status unknown_action(change *c, const char *name) {
    const char *names[ACTION_COUNT];
    for (size_t i = 0; i < ACTION_COUNT; i++)
        names[i] = actions[i].action;
    const char *nearest = gw_nearest(name, names, ACTION_COUNT);
    invalid(c, "unknown_action", "There is no such change.", "", "");
    if (nearest)
        gw_problem_mend(c->problem, "Did you mean \"%s\"?", nearest);
    return GW_INVALID;
}

gw_status gw_changes_handle(void *state, gw_query_worker *worker, const gw_identity *who, const gw_json *json,
                            const gw_json_node *body, gw_buffer *ret_document, gw_problem *ret_problem) {
    change c = {
        .changes = state, .worker = worker, .who = who, .body = body, .out = ret_document, .problem = ret_problem};
    const gw_json_node *name = gw_json_member(body, "action");
    if (!name || gw_json_type_of(name) != GW_JSON_STRING)
        return invalid(&c, "missing_field", "This change does not say what it is.",
                       "It needs the text field \"action\".", "");
    const action *found = action_find(gw_json_string(name));
    if (!found)
        return unknown_action(&c, gw_json_string(name));
    if (!(who->roles & found->role)) {
        char role[80];
        gw_roles_format(found->role, role);
        gw_problem_set(ret_problem, GW_DENIED, "denied_role", "Your roles do not allow this change.", "",
                       "godwit whoami");
        gw_problem_why(ret_problem, "%s needs the role %s.", found->action, role);
        return GW_DENIED;
    }
    const char *allowed[10] = {"v", "kind", "action"};
    for (size_t i = 0; i < 6 && found->fields[i]; i++)
        allowed[3 + i] = found->fields[i];
    gw_json_reader_init(&c.reader, json);
    gw_status status = gw_json_expect_object(&c.reader, body, allowed) ? found->run(&c) : c.reader.status;
    if (c.reader.status != GW_OK) {
        *ret_problem = c.reader.problem;
        return c.reader.status;
    }
    return status;
}
