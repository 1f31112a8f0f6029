// SPDX-License-Identifier: Apache-2.0
// Everything but the engine is the real thing.
#include "tests/unit/query/asking_fixture.h"
#include "service/base/check.h"
#include "service/query/plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[2] = {ASKING_REGISTER, ASKING_SURVEY};
static const char policy_form[] =
    "{\"godwit_policy\":1,\"dataset\":\"%s\",\"population\":\"" FIXTURE_POPULATION "\",\"version\":%llu,"
    "\"notice\":{\"en\":\"SYNTHETIC: made up.\"},\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},"
    "\"tables\":{\"persons\":{\"unit\":\"id\",\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
    "\"cob\":{\"concept\":\"c_birth\",\"type\":\"code\",\"codelist\":\"CL_BIRTH\",\"missing\":\"_U\"},"
    "\"status\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"_U\"},"
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\",\"bandings\":{\"work\":"
    "{\"Y_LT20\":[0,19],\"Y20T64\":[20,64],\"Y_GE65\":[65,120]}}},"
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"100000\","
    "\"grid\":\"1\",\"missing\":\"drop\",\"depends_on\":\"household\"}}},"
    "\"permits\":{\"unit\":\"id\",\"rows_per_person_max\":4,\"inherit\":[\"c_birth\"],\"columns\":{"
    "\"why\":{\"concept\":\"reason\",\"type\":\"code\",\"codelist\":\"CL_REASON\",\"missing\":\"_U\"},"
    "\"granted\":{\"concept\":\"granted_on\",\"type\":\"date\",\"period\":\"month\",\"first\":\"2021-01\",\"last\":"
    "\"2024-12\",\"missing\":\"_U\"},"
    "\"fee\":{\"concept\":\"fee\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"500\",\"grid\":\"0.5\","
    "\"missing\":\"drop\",\"person_total_max\":\"800\"},"
    "\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"40\",\"grid\":\"0.1\",\"mean\":\"8\","
    "\"depends_on\":\"household\"}}}},"
    "\"budget\":{\"lifetime\":\"%s\",\"per_principal\":\"2\",\"window\":{\"days\":365,\"epsilon\":\"3\"},"
    "\"question_min\":\"0.01\",\"question_max\":\"0.5\"},\"accounting\":{\"kind\":%s},"
    "\"planning\":{\"cell_persons\":1500,\"size_bucket\":1000000},\"grants\":[{\"role\":\"researcher\","
    "\"tables\":[\"persons\",\"permits\"],\"statistics\":[\"count\",\"rate\",\"mean\",\"share\",\"sum\",\"net\","
    "\"quantile\",\"poverty\","
    "\"gini\",\"quintile_ratio\",\"series\",\"ratio\"]}]}";

static int64_t clock_unix(void *state) {
    return ((asking *)state)->now;
}
static int64_t clock_boot(void *state) {
    return ((asking *)state)->now * 1000;
}

static void must(gw_status status, const gw_problem *problem) {
    if (status != GW_OK)
        fprintf(stderr, "%s: %s %s\n", problem->code, problem->what, problem->why);
    GW_ASSERT(status == GW_OK);
}

static gw_secret_key *key_of(unsigned who) {
    uint8_t seed[GW_SEED_SIZE];
    memset(seed, (int)who, sizeof seed);
    gw_secret_key *key = NULL;
    must(gw_key_from_seed(seed, &key), &(gw_problem){.code = "key"});
    return key;
}

static void open_all(asking *made) {
    gw_problem problem = {0};
    gw_ledger_options ledger = {.state_folder = made->ledger_fixture.folder,
                                .clock = {.unix_seconds = clock_unix, .boot_ms = clock_boot, .state = made},
                                .signer = fixture_signer(made->ledger_fixture.folder)};
    must(gw_ledger_open(&ledger, &made->ledger, &problem), &problem);
    static char codelists[4096]; // borrowed by the queries
    snprintf(codelists, sizeof codelists, "%s/policies/codelists", getenv("GW_SOURCE"));
    gw_query_options options = {.ledger = made->ledger,
                                .catalogue = made->catalogue,
                                .reply_key = made->reply_key,
                                .state_folder = made->ledger_fixture.folder,
                                .codelist_folder = codelists,
                                .origin = FIXTURE_ORIGIN};
    must(gw_queries_new(&options, &made->queries, &problem), &problem);
    must(gw_query_worker_new(made->queries, &made->worker, &problem), &problem);
}

static void close_all(asking *made) {
    gw_query_worker_free(made->worker);
    gw_queries_free(made->queries);
    gw_ledger_close(made->ledger);
}

static void submit(asking *made, gw_store_op *op) {
    gw_status status = gw_ledger_submit(made->ledger, op);
    if (status != GW_OK || op->result != GW_OK)
        fprintf(stderr, "submit: %d, %d %s\n", (int)status, (int)op->result, op->code);
    GW_ASSERT(status == GW_OK);
    GW_ASSERT(op->result == GW_OK);
}

static void add_principal(asking *made, unsigned who, unsigned roles) {
    gw_store_op op = fixture_principal(who, roles, FIXTURE_OWNER);
    submit(made, &op);
    gw_secret_key *key = key_of(who);
    gw_public_key public_key = gw_key_public(key);
    gw_store_op add = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_KEY};
    fixture_id(who, add.entry.key.principal);
    snprintf(add.entry.key.action, sizeof add.entry.key.action, "add");
    snprintf(add.entry.key.key_kind, sizeof add.entry.key.key_kind, "sign");
    gw_hex((gw_bytes){public_key.bytes, sizeof public_key.bytes}, add.entry.key.key);
    add.entry.by = op.entry.by;
    submit(made, &add);
    gw_secret_key_free(key);
}

static void policy_text(const asking *made, size_t dataset, const char *lifetime, char *text, size_t size) {
    snprintf(text, size, policy_form, names[dataset], (unsigned long long)made->policy_version[dataset], lifetime,
             made->accounting == NULL ? "\"pure\"" : made->accounting);
}

void asking_policy(asking *made, size_t dataset, const char *lifetime) {
    char text[8192], folder[4096];
    gw_problem problem = {0};
    gw_policy *policy = NULL;
    made->policy_version[dataset]++;
    policy_text(made, dataset, lifetime, text, sizeof text);
    snprintf(folder, sizeof folder, "%s/policies/codelists", getenv("GW_SOURCE"));
    must(gw_policy_load(gw_bytes_of(text), "test", folder, &policy, &problem), &problem);
    const fixture_budget budget = {.total = policy->lifetime.micro,
                                   .principal_total = policy->per_principal.micro,
                                   .window_days = policy->window_days,
                                   .window_total = policy->window_total.micro,
                                   .question_min = policy->question_min.micro,
                                   .question_max = policy->question_max.micro,
                                   .delta = policy->delta.atto,
                                   .selection_delta = policy->selection_delta.atto};
    gw_store_op op = fixture_policy(&made->ledger_fixture, &budget);
    snprintf(op.entry.policy.dataset, GW_DATASET_MAX, "%s", names[dataset]);
    op.entry.policy.version = made->policy_version[dataset];
    op.entry.policy.supersedes = made->policy_version[dataset] == 1 ? GW_NO_SEQ : made->policy_seq[dataset];
    op.file_bytes = gw_bytes_of(text);
    op.entry.policy.file = gw_sha256(op.file_bytes);
    submit(made, &op);
    made->policy_seq[dataset] = op.seq;
    gw_policy_free(policy);
}

static void folder_make(const char *form, const char *root, const char *name) {
    char path[512];
    snprintf(path, sizeof path, form, root, name);
    GW_ASSERT(mkdir(path, 0700) == 0 || access(path, W_OK) == 0);
}

// The data's layout as the loader leaves it, and its entry. No data: nothing here may read it.
void asking_data(asking *made, size_t dataset, uint64_t number) {
    gw_store_op op = fixture_data(number);
    snprintf(op.entry.data.dataset, GW_DATASET_MAX, "%s", names[dataset]);
    submit(made, &op);
    fixture_id(number, made->data[dataset]);
    const char *root = made->ledger_fixture.folder;
    folder_make("%s/data%s", root, "");
    folder_make("%s/data/%s", root, "nso.example");
    folder_make("%s/data/%s", root, names[dataset]);
    gw_policy_in_force in_force;
    gw_problem problem = {0};
    must(gw_query_policy(made->worker, names[dataset], &in_force, &problem), &problem);
    char path[512], hex[GW_HASH_HEX];
    gw_query_snapshot_path(made->queries, names[dataset], made->data[dataset], ".layout", path, sizeof path);
    gw_hex((gw_bytes){in_force.layout.bytes, GW_HASH_SIZE}, hex);
    FILE *file = fopen(path, "w");
    GW_ASSERT(file != NULL);
    fprintf(file, "%s\n", hex);
    fclose(file);
}

void asking_begin(asking *made) {
    char folder[4096];
    gw_problem problem = {0};
    *made = (asking){.now = FIXTURE_NOW};
    fixture_create(&made->ledger_fixture);
    snprintf(folder, sizeof folder, "%s/policies/indicators", getenv("GW_SOURCE"));
    must(gw_catalogue_load(folder, &made->catalogue, &problem), &problem);
    made->reply_key = key_of(99);
    gw_buffer_init(&made->request, 1 << 20);
    gw_buffer_init(&made->reply_bytes, 64 << 20);
    open_all(made);
    gw_store_op op = fixture_principal(FIXTURE_OWNER, GW_ROLE_OWNER, FIXTURE_OWNER);
    submit(made, &op);
    op = fixture_population(&(fixture_budget){.population_total = 4 * FIXTURE_EPSILON});
    submit(made, &op);
    add_principal(made, ASKING_ANNA, GW_ROLE_RESEARCHER);
    add_principal(made, ASKING_BELA, GW_ROLE_RESEARCHER);
    add_principal(made, ASKING_GUEST, GW_ROLE_AUDITOR);
    for (size_t i = 0; i < 2; i++) {
        asking_policy(made, i, "3");
        asking_data(made, i, 0xda7a + i);
    }
}

void asking_end(asking *made) {
    close_all(made);
    gw_catalogue_free(made->catalogue);
    gw_secret_key_free(made->reply_key);
    gw_json_free(made->document);
    gw_buffer_done(&made->request);
    gw_buffer_done(&made->reply_bytes);
    fixture_remove(&made->ledger_fixture);
}

void asking_restart(asking *made) {
    close_all(made);
    open_all(made);
}

static void sign(asking *made, unsigned who, const char *body) {
    gw_request_message message = {.time = made->now,
                                  .body = gw_bytes_of(body),
                                  .has_seen = made->has_seen,
                                  .seen_size = made->seen_size,
                                  .seen_root = made->seen_root};
    snprintf(message.origin, sizeof message.origin, "%s", FIXTURE_ORIGIN);
    fixture_id(who, message.principal);
    fixture_id(0x1de000 + ++made->requests, message.idem);
    memcpy(made->idem, message.idem, sizeof made->idem);
    gw_buffer_done(&made->request);
    if (who == ASKING_NOBODY) {
        gw_request_message_encode(&message, NULL, &made->request);
        return;
    }
    gw_secret_key *key = key_of(who);
    gw_request_message_encode(&message, key, &made->request);
    gw_secret_key_free(key);
}

bool asking_send_again(asking *made) {
    gw_json_free(made->document);
    made->document = NULL;
    made->problem = (gw_problem){0};
    gw_buffer_done(&made->reply_bytes);
    gw_query_handle(made->worker, gw_buffer_bytes(&made->request), &made->reply_bytes);
    must(gw_reply_message_decode(gw_buffer_bytes(&made->reply_bytes), &made->reply, &made->problem), &made->problem);
    if (made->reply.status == GW_REPLY_OK) {
        gw_problem problem = {0};
        must(gw_json_parse(made->reply.answer, GW_JSON_REPLY, &made->document, &problem), &problem);
        return true;
    }
    must(gw_problem_decode(made->reply.answer, &made->problem), &made->problem);
    return false;
}

bool asking_send(asking *made, unsigned who, const char *body) {
    sign(made, who, body);
    return asking_send_again(made);
}

uint64_t asking_charge_last(asking *made, unsigned who, const gw_hash *question, gw_bytes text, uint64_t cost,
                            const char *answer) {
    gw_request_message message;
    gw_problem problem = {0};
    must(gw_request_message_decode(gw_buffer_bytes(&made->request), &message, &problem), &problem);
    gw_store_op op = fixture_reserve(&made->ledger_fixture, who, 0, cost);
    memcpy(op.entry.charge.idem, made->idem, GW_ID_HEX);
    op.entry.charge.policy = made->policy_seq[0];
    memcpy(op.entry.charge.data, made->data[0], GW_ID_HEX);
    op.entry.charge.request = gw_sha256_two((gw_bytes){op.salt.bytes, GW_HASH_SIZE}, message.signed_bytes);
    op.entry.charge.question = *question;
    op.question_text = text;
    submit(made, &op);
    uint64_t seq = op.seq;
    if (answer) {
        gw_store_op seal = fixture_seal(seq, answer);
        snprintf(seal.entry.release.release, GW_RELEASE_ID_MAX, "%s", op.release);
        submit(made, &seal);
    }
    return seq;
}

const char *asking_text(const asking *made, const char *member) {
    const gw_json_node *node = made->document ? gw_json_member(gw_json_root(made->document), member) : NULL;
    return node && gw_json_type_of(node) == GW_JSON_STRING ? gw_json_string(node) : "";
}
