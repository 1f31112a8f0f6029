// SPDX-License-Identifier: Apache-2.0
// One function per action, in a table with the role it needs and the fields it takes.
#include "service/admin/changes_inner.h"

#include "service/admin/load.h"
#include "service/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELTA_ATTO_MAX 1000000000000000ULL // 0.001, as in policies

const char *gw_change_text(gw_change *c, const char *name) {
    return gw_json_read_string(&c->reader, c->body, name);
}

gw_status gw_change_invalid(gw_change *c, const char *code, const char *what, const char *why, const char *mend) {
    return gw_problem_set(c->problem, GW_INVALID, code, what, why, mend);
}

gw_status gw_change_append(gw_change *c, gw_store_op *op, const char *signer) {
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
    if (op->result != GW_OK && strcmp(op->code, GW_LEDGER_CLOCK_JUMPED) == 0)
        return gw_problem_set(c->problem, op->result, op->code, "Nothing is entered now.",
                              "The service's clock jumped ahead, which would open budgets before their time.",
                              "Set the clock right, or, where it is right: godwit clock confirm");
    if (op->result == GW_UNAVAILABLE && strcmp(op->code, "no_quorum") == 0 && op->entry.kind != GW_ENTRY_WITNESSES)
        return gw_problem_set(c->problem, GW_RETRY, "no_quorum",
                              "The change is in the log, and the log's witnesses have not vouched for it yet.",
                              "Too few of them answer. It is in force.", "Look with godwit audit log.");
    // Witnesses that no longer answer must be replaceable: their own word is not waited for.
    if (op->result != GW_OK && (op->result != GW_UNAVAILABLE || op->seq == GW_NO_SEQ))
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

bool gw_change_read_id(gw_change *c, const char *name, char ret[GW_ID_HEX]) {
    uint8_t bytes[GW_ID_SIZE];
    const char *text = gw_change_text(c, name);
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
static gw_status keeps_an_operator(gw_change *c, const char *principal, unsigned roles) {
    gw_store_principal now = {0};
    gw_store_reader *reader = gw_query_reader(c->worker);
    if ((roles & GW_ROLE_OPERATOR) || gw_store_principal_find(reader, principal, &now) != GW_OK ||
        !(now.roles & GW_ROLE_OPERATOR))
        return GW_OK;
    other_operators others = {.besides = principal};
    if (gw_store_principals(reader, other_operators_count, &others) == GW_OK && others.count > 0)
        return GW_OK;
    return gw_change_invalid(c, "last_operator", "This is the last operator.",
                             "Without one nobody could be entered or revoked any more.",
                             "Give another principal the role operator and a key first.");
}

static gw_status change_principal(gw_change *c, const char *action, bool with_roles) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_PRINCIPAL}};
    if (!gw_change_read_id(c, "principal", op.entry.principal.principal))
        return c->reader.status;
    snprintf(op.entry.principal.action, sizeof op.entry.principal.action, "%s", action);
    const char *roles = with_roles ? gw_change_text(c, "roles") : "";
    if (!roles)
        return c->reader.status;
    op.entry.principal.roles = with_roles ? gw_roles_parse(roles) : 0;
    if (with_roles && op.entry.principal.roles == 0)
        return gw_change_invalid(c, "bad_role", "This is not a list of roles.",
                                 "Roles are researcher, owner, auditor, operator, gateway.",
                                 "Write them with commas: researcher,auditor");
    gw_status status = keeps_an_operator(c, op.entry.principal.principal, op.entry.principal.roles);
    return status == GW_OK ? gw_change_append(c, &op, NULL) : status;
}
static gw_status change_principal_add(gw_change *c) {
    return change_principal(c, "add", true);
}
static gw_status change_principal_grant(gw_change *c) {
    return change_principal(c, "grant", true);
}
static gw_status change_principal_revoke(gw_change *c) {
    return change_principal(c, "revoke", false);
}

static gw_status change_key(gw_change *c, const char *action, bool with_times) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_KEY}};
    gw_public_key key;
    if (!gw_change_read_id(c, "principal", op.entry.key.principal))
        return c->reader.status;
    const char *text = gw_change_text(c, "key");
    if (!text)
        return c->reader.status;
    if (!gw_unhex(text, strlen(text), key.bytes, sizeof key.bytes) || !gw_public_key_is_valid(key))
        return gw_change_invalid(c, "bad_key", "This is not a public key.", "A key is 64 hexadecimal digits.",
                                 "godwit keys new prints it.");
    memcpy(op.entry.key.key, text, sizeof op.entry.key.key);
    snprintf(op.entry.key.action, sizeof op.entry.key.action, "%s", action);
    snprintf(op.entry.key.key_kind, sizeof op.entry.key.key_kind, "sign");
    if (with_times) {
        op.entry.key.not_before = gw_json_read_integer(&c->reader, c->body, "not_before", 0, INT64_C(253402300799));
        op.entry.key.not_after = gw_json_read_integer(&c->reader, c->body, "not_after", 0, INT64_C(253402300799));
    }
    return c->reader.status != GW_OK ? c->reader.status : gw_change_append(c, &op, NULL);
}
static gw_status change_key_add(gw_change *c) {
    return change_key(c, "add", true);
}
static gw_status change_key_revoke(gw_change *c) {
    return change_key(c, "revoke", false);
}

// ---- populations

static gw_delta read_delta(gw_change *c, const char *name) {
    gw_delta delta = {0};
    const char *text = gw_json_has(c->body, name) ? gw_change_text(c, name) : NULL;
    if (text != NULL && (gw_delta_parse(text, &delta) != GW_OK || delta.atto == 0 || delta.atto > DELTA_ATTO_MAX))
        gw_json_fail(&c->reader, gw_json_member(c->body, name), "policy_delta", "This is not a delta.",
                     "Write \"1e-9\": far below one over the number of people.",
                     "\"%s\" must be above 0 and at most 0.001, with at most 18 places.", name);
    return delta;
}

static gw_status change_population_add(gw_change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_POPULATION}};
    const char *name = gw_change_text(c, "population");
    gw_epsilon total = gw_json_read_epsilon(&c->reader, c->body, "total");
    int64_t days = gw_json_read_integer(&c->reader, c->body, "window_days", 0, 3660);
    gw_epsilon window = {0};
    if (days > 0)
        window = gw_json_read_epsilon(&c->reader, c->body, "window_total");
    gw_delta delta = read_delta(c, "delta"), selection = read_delta(c, "selection_delta");
    if (c->reader.status != GW_OK)
        return c->reader.status;
    if (!gw_name_is_valid(name) || !strchr(name, '/'))
        return gw_change_invalid(c, "bad_name", "This is not a population's name.",
                                 "It is written like nso.example/residents.", "");
    if (total.micro == 0 || (days > 0 && window.micro == 0))
        return gw_change_invalid(c, "policy_budget", "A budget of zero allows nothing.",
                                 "total (and window_total, with window_days) must be above 0.", "");
    snprintf(op.entry.population.population, GW_DATASET_MAX, "%s", name);
    op.entry.population.total = total.micro;
    op.entry.population.window_days = (uint64_t)days;
    op.entry.population.window_total = window.micro;
    op.entry.population.delta = delta.atto;
    op.entry.population.selection_delta = selection.atto;
    return gw_change_append(c, &op, NULL);
}

// ---- data

static gw_status change_data_activate(gw_change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_DATA}};
    const char *dataset = gw_change_text(c, "dataset"), *seal = gw_change_text(c, "seal");
    if (!dataset || !seal || !gw_change_read_id(c, "version", op.entry.data.version))
        return c->reader.status;
    if (!gw_unhex(seal, strlen(seal), op.entry.data.seal.bytes, GW_HASH_SIZE))
        return gw_change_invalid(c, "bad_seal", "This is not a seal.", "A seal is 64 hexadecimal digits.",
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
        return gw_change_invalid(c, "no_snapshot", "There is no such data version.",
                                 "Its file is not in the state folder.", "godwit load");
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
        return gw_change_invalid(c, "data_tampered", "This data version is not the file that was loaded.",
                                 "Its bytes do not have the seal that this request states.", "godwit load");
    if (!is_same)
        return gw_change_invalid(c, "data_layout",
                                 "This data version was loaded under another description of the tables.",
                                 "The policy changed after the load began.", "godwit load");
    return gw_change_append(c, &op, NULL);
}

// ---- incidents

static gw_status change_incident(gw_change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_INCIDENT}};
    gw_incident incident;
    char list[256];
    const char *code = gw_change_text(c, "code");
    if (!code)
        return c->reader.status;
    gw_incident_list(list, sizeof list, ", ");
    if (!gw_incident_find(code, &incident)) {
        gw_change_invalid(c, "unknown_incident", "There is no such kind of incident.", "", "");
        gw_problem_why(c->problem, "The log knows %s.", list);
        return GW_INVALID;
    }
    snprintf(op.entry.incident.code, sizeof op.entry.incident.code, "%s", gw_incident_code(incident));
    return gw_change_append(c, &op, NULL);
}

// ---- releases

static const char *read_release(gw_change *c) {
    const char *id = gw_change_text(c, "release");
    if (id != NULL && (strncmp(id, "GW-", 3) != 0 || strlen(id) >= GW_RELEASE_ID_MAX || !gw_name_is_valid(id))) {
        gw_json_fail(&c->reader, gw_json_member(c->body, "release"), "bad_release", "This is not a release's id.",
                     "godwit release ls shows them.", "An id is written like GW-2026-000143.");
        return NULL;
    }
    return id;
}

static gw_status change_release_embargo(gw_change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_EMBARGO}};
    const char *id = read_release(c);
    op.entry.embargo.until = gw_json_read_integer(&c->reader, c->body, "until", 0, INT64_C(253402300799));
    if (c->reader.status != GW_OK)
        return c->reader.status;
    snprintf(op.entry.embargo.release, GW_RELEASE_ID_MAX, "%s", id);
    return gw_change_append(c, &op, NULL);
}

static gw_status change_release_withdraw(gw_change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_WITHDRAW}};
    const char *id = read_release(c);
    if (id == NULL)
        return c->reader.status;
    snprintf(op.entry.withdraw.release, GW_RELEASE_ID_MAX, "%s", id);
    return gw_change_append(c, &op, NULL);
}

// ---- the clock

static gw_status change_clock_confirm(gw_change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_CLOCK}};
    return gw_change_append(c, &op, NULL);
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

static gw_status change_principals(gw_change *c) {
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

// ---- the log's key

static gw_status change_keyrot(gw_change *c) {
    gw_store_op op = {.entry = {.kind = GW_ENTRY_KEYROT}};
    gw_note_key old_key, new_key;
    gw_status status = gw_ledger_key_next(c->changes->ledger, &old_key, &new_key, c->problem);
    if (status != GW_OK)
        return status;
    gw_note_key_format(&old_key, op.entry.keyrot.old_key);
    gw_note_key_format(&new_key, op.entry.keyrot.new_key);
    status = gw_change_append(c, &op, NULL);
    return status == GW_OK ? gw_ledger_key_keep(c->changes->ledger, c->problem) : status;
}

static gw_status change_keyrot_finish(gw_change *c) {
    gw_status status = gw_ledger_key_retire(c->changes->ledger, c->problem);
    if (status != GW_OK)
        return status;
    gw_buffer_text(c->out, "{\"v\":1");
    gw_json_write_member(c->out, "action", "keyrot_finish");
    gw_buffer_text(c->out, "}");
    return GW_OK;
}

// ---- the table

typedef struct {
    const char *action;
    unsigned role;
    gw_status (*run)(gw_change *c);
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
    {"policy_activate", GW_ROLE_OWNER, gw_change_policy_activate, {"policy", "signature", "by", "key"}, false},
    {"witnesses_set", GW_ROLE_OPERATOR, gw_change_witnesses_set, {"file"}, false},
    {"data_activate", GW_ROLE_OWNER, change_data_activate, {"dataset", "version", "seal"}, false},
    {"incident", GW_ROLE_OPERATOR, change_incident, {"code"}, false},
    {"release_embargo", GW_ROLE_OWNER, change_release_embargo, {"release", "until"}, false},
    {"release_withdraw", GW_ROLE_OWNER, change_release_withdraw, {"release"}, false},
    {"keyrot", GW_ROLE_OPERATOR, change_keyrot, {NULL}, false},
    {"keyrot_finish", GW_ROLE_OPERATOR, change_keyrot_finish, {NULL}, false},
    {"clock_confirm", GW_ROLE_OPERATOR, change_clock_confirm, {NULL}, false},
    {"principals", GW_ROLE_OPERATOR, change_principals, {NULL}, true},
    {"status", GW_ROLE_OPERATOR, gw_change_status, {NULL}, true},
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

static gw_status unknown_action(gw_change *c, const char *name) {
    const char *names[ACTION_COUNT];
    for (size_t i = 0; i < ACTION_COUNT; i++)
        names[i] = actions[i].action;
    const char *nearest = gw_nearest(name, names, ACTION_COUNT);
    gw_change_invalid(c, "unknown_action", "There is no such change.", "", "");
    if (nearest)
        gw_problem_mend(c->problem, "Did you mean \"%s\"?", nearest);
    return GW_INVALID;
}

gw_status gw_changes_handle(void *state, gw_query_worker *worker, const gw_identity *who, const gw_json *json,
                            const gw_json_node *body, gw_buffer *ret_document, gw_problem *ret_problem) {
    gw_change c = {
        .changes = state, .worker = worker, .who = who, .body = body, .out = ret_document, .problem = ret_problem};
    const gw_json_node *name = gw_json_member(body, "action");
    if (!name || gw_json_type_of(name) != GW_JSON_STRING)
        return gw_change_invalid(&c, "missing_field", "This change does not say what it is.",
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
