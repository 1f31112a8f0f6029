// SPDX-License-Identifier: Apache-2.0
// The fixture's ids, entries and folder.
#include "tests/unit/store/ledger_fixture.h"
#include "service/audit/note.h"
#include "service/base/check.h"
#include "service/base/file.h"
#include "service/signer/signer.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY_TEXT "{\"godwit_policy\":1}"
#define QUESTION_TEXT "{\"question\":\"of the fixture\"}"

const fixture_budget fixture_budget_large = {
    .total = 1000000 * FIXTURE_EPSILON,
    .population_total = 1000000 * FIXTURE_EPSILON,
};

void fixture_id(uint64_t number, char ret[GW_ID_HEX]) {
    snprintf(ret, GW_ID_HEX, "%032llx", (unsigned long long)number);
}

gw_hash fixture_hash(const char *text) {
    return gw_sha256(gw_bytes_of(text));
}

gw_secret_key *fixture_key(void) {
    uint8_t seed[GW_SEED_SIZE];
    memset(seed, 0x42, sizeof(seed));
    gw_secret_key *key = NULL;
    gw_status status = gw_key_from_seed(seed, &key);
    GW_ASSERT(status == GW_OK);
    return key;
}

gw_entry fixture_genesis(void) {
    gw_entry entry = {.kind = GW_ENTRY_GENESIS, .time = FIXTURE_NOW - 100};
    gw_secret_key *key = fixture_key();
    gw_note_key note_key;
    gw_status status = gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(key), &note_key);
    GW_ASSERT(status == GW_OK);
    snprintf(entry.genesis.origin, sizeof(entry.genesis.origin), "%s", FIXTURE_ORIGIN);
    gw_note_key_format(&note_key, entry.genesis.log_key);
    gw_secret_key_free(key);
    return entry;
}

void fixture_folder(ledger_fixture *fixture) {
    gw_status status = gw_crypto_init();
    GW_ASSERT(status == GW_OK);
    memset(fixture, 0, sizeof(*fixture));
    const char *base = getenv("TMPDIR");
    if (base == NULL) // memory where there is some: these tests are not about the disk
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(fixture->folder, sizeof(fixture->folder), "%.40s/godwit-XXXXXX", base);
    char *made = mkdtemp(fixture->folder);
    GW_ASSERT(made != NULL);
    snprintf(fixture->database, sizeof(fixture->database), "%s/godwit.db", fixture->folder);
}

void fixture_create(ledger_fixture *fixture) {
    fixture_folder(fixture);
    gw_entry genesis = fixture_genesis();
    gw_status status = gw_store_create(fixture->database, &genesis, NULL);
    GW_ASSERT(status == GW_OK);
}

gw_status fixture_signer_open(const char *folder, gw_tree_signer *ret, gw_problem *ret_problem) {
    char keys[4096], path[4160];
    snprintf(keys, sizeof(keys), "%s/keys", folder);
    snprintf(path, sizeof(path), "%s/" GW_SIGNER_KEY, keys);
    gw_signer *signer = NULL;
    gw_status status = gw_folder_make(keys, 0700, ret_problem);
    if (status == GW_OK && access(path, F_OK) != 0) {
        gw_secret_key *key = fixture_key();
        status = gw_key_file_write(path, key, ret_problem);
        gw_secret_key_free(key);
    }
    if (status == GW_OK)
        status = gw_signer_open(keys, FIXTURE_ORIGIN, &signer, ret_problem);
    if (status == GW_OK)
        *ret = gw_signer_local(signer);
    return status;
}

gw_tree_signer fixture_signer(const char *folder) {
    gw_problem problem = {0};
    gw_tree_signer signer = {0};
    gw_status status = fixture_signer_open(folder, &signer, &problem);
    if (status != GW_OK)
        fprintf(stderr, "fixture_signer: %s: %s %s\n", problem.code, problem.what, problem.why);
    GW_ASSERT(status == GW_OK);
    return signer;
}

static void folder_remove(const char *path) {
    DIR *folder = opendir(path);
    struct dirent *item;
    while (folder != NULL && (item = readdir(folder)) != NULL) {
        char inner[4096];
        struct stat facts;
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof(inner), "%s/%s", path, item->d_name);
        if (lstat(inner, &facts) == 0 && S_ISDIR(facts.st_mode))
            folder_remove(inner);
        else
            unlink(inner);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(path);
}

void fixture_remove(ledger_fixture *fixture) {
    folder_remove(fixture->folder);
}

static void by_one(gw_entry *entry, uint64_t by) {
    entry->by.count = 1;
    fixture_id(by, entry->by.ids[0]);
}

gw_store_op fixture_principal(uint64_t number, unsigned roles, uint64_t by) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_PRINCIPAL};
    fixture_id(number, op.entry.principal.principal);
    snprintf(op.entry.principal.action, sizeof(op.entry.principal.action), "add");
    op.entry.principal.roles = roles;
    by_one(&op.entry, by);
    return op;
}

gw_store_op fixture_population(const fixture_budget *budget) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_POPULATION};
    snprintf(op.entry.population.population, GW_DATASET_MAX, "%s", FIXTURE_POPULATION);
    op.entry.population.total = budget->population_total;
    op.entry.population.window_days = budget->population_window_days;
    op.entry.population.window_total = budget->population_window_total;
    op.entry.population.delta = budget->population_delta;
    op.entry.population.selection_delta = budget->population_selection_delta;
    by_one(&op.entry, FIXTURE_OWNER);
    return op;
}

gw_store_op fixture_policy(const ledger_fixture *fixture, const fixture_budget *budget) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_POLICY, .file_bytes = gw_bytes_of(POLICY_TEXT)};
    snprintf(op.entry.policy.dataset, GW_DATASET_MAX, "%s", FIXTURE_DATASET);
    snprintf(op.entry.policy.population, GW_DATASET_MAX, "%s", FIXTURE_POPULATION);
    op.entry.policy.version = fixture->version + 1;
    op.entry.policy.file = fixture_hash(POLICY_TEXT);
    op.entry.policy.total = budget->total;
    op.entry.policy.principal_total = budget->principal_total;
    op.entry.policy.window_days = budget->window_days;
    op.entry.policy.window_total = budget->window_total;
    op.entry.policy.question_min = budget->question_min;
    op.entry.policy.question_max = budget->question_max;
    op.entry.policy.delta = budget->delta;
    op.entry.policy.selection_delta = budget->selection_delta;
    op.entry.policy.supersedes = fixture->policy == 0 ? GW_NO_SEQ : fixture->policy;
    by_one(&op.entry, FIXTURE_OWNER);
    return op;
}

gw_store_op fixture_data(uint64_t number) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_DATA};
    snprintf(op.entry.data.dataset, GW_DATASET_MAX, "%s", FIXTURE_DATASET);
    fixture_id(number, op.entry.data.version);
    op.entry.data.seal = fixture_hash("seal");
    by_one(&op.entry, FIXTURE_OWNER);
    return op;
}

gw_store_op fixture_reserve(const ledger_fixture *fixture, uint64_t principal, uint64_t idem, uint64_t cost) {
    gw_store_op op = {
        .kind = GW_STORE_RESERVE, .entry.kind = GW_ENTRY_CHARGE, .question_text = gw_bytes_of(QUESTION_TEXT)};
    snprintf(op.entry.charge.dataset, GW_DATASET_MAX, "%s", FIXTURE_DATASET);
    snprintf(op.entry.charge.population, GW_DATASET_MAX, "%s", FIXTURE_POPULATION);
    op.entry.charge.policy = fixture->policy;
    memcpy(op.entry.charge.data, fixture->data, sizeof(op.entry.charge.data));
    fixture_id(principal, op.entry.charge.principal);
    fixture_id(idem, op.entry.charge.idem);
    op.salt = fixture_hash("salt");
    op.entry.charge.request = fixture_hash("request");
    op.entry.charge.question = fixture_hash(QUESTION_TEXT);
    op.entry.charge.cost = cost;
    return op;
}

gw_store_op fixture_seal(uint64_t charge, const char *answer) {
    gw_store_op op = {.kind = GW_STORE_SEAL, .entry.kind = GW_ENTRY_RELEASE, .charge_seq = charge};
    op.answer = gw_bytes_of(answer);
    op.entry.release.charge = charge;
    op.entry.release.answer = gw_sha256(op.answer);
    op.entry.release.visible = FIXTURE_NOW;
    return op;
}

gw_store_op fixture_abandon(uint64_t charge) {
    gw_store_op op = {.kind = GW_STORE_ABANDON, .entry.kind = GW_ENTRY_ABANDON, .charge_seq = charge};
    snprintf(op.entry.abandon.why, sizeof(op.entry.abandon.why), "engine_failed");
    return op;
}

gw_store_op fixture_resume(uint64_t charge) {
    return (gw_store_op){.kind = GW_STORE_RESUME, .charge_seq = charge};
}

static void submit_ok(fixture_submit submit, void *state, gw_store_op *op) {
    gw_status status = submit(state, op);
    GW_ASSERT(status == GW_OK);
    GW_ASSERT(op->result == GW_OK);
}

void fixture_rebudget(ledger_fixture *fixture, const fixture_budget *budget, fixture_submit submit, void *state) {
    gw_store_op op = fixture_population(budget);
    submit_ok(submit, state, &op);
    op = fixture_policy(fixture, budget);
    submit_ok(submit, state, &op);
    fixture->policy = op.seq;
    fixture->version++;
}

void fixture_settle(ledger_fixture *fixture, const fixture_budget *budget, fixture_submit submit, void *state) {
    gw_store_op op = fixture_principal(FIXTURE_OWNER, GW_ROLE_OWNER, FIXTURE_OWNER);
    submit_ok(submit, state, &op);
    op = fixture_principal(FIXTURE_RESEARCHER, GW_ROLE_RESEARCHER, FIXTURE_OWNER);
    submit_ok(submit, state, &op);
    fixture_rebudget(fixture, budget, submit, state);
    op = fixture_data(0xda7a);
    submit_ok(submit, state, &op);
    fixture_id(0xda7a, fixture->data);
}

gw_status fixture_commit(void *store, gw_store_op *op) {
    return gw_store_commit(store, &op, 1, FIXTURE_NOW);
}
