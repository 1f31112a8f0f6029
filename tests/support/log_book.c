// SPDX-License-Identifier: Apache-2.0
// Entries in memory; balances by going over all of them again, which is enough for small logs.
#include "tests/support/log_book.h"
#include "privacy/accounting/zcdp.h"
#include "service/audit/merkle.h"
#include "service/audit/tile.h"
#include "service/base/file.h"
#include "tests/support/unit.h"

#define SEED_RESEARCHER 0x33
#define EPSILON 1000000u

void log_book_init(log_book *book) {
    *book = (log_book){.time = BOOK_START, .seed = 0x42};
    book->entries = calloc(BOOK_ENTRIES_MAX, sizeof(*book->entries));
    assert_non_null(book->entries);
    assert_int_equal(gw_crypto_init(), GW_OK);
}

void log_book_done(log_book *book) {
    free(book->entries);
    *book = (log_book){0};
}

void log_book_id(unsigned number, char ret[GW_ID_HEX]) {
    snprintf(ret, GW_ID_HEX, "%08x%024x", number * 0x11111111u, number);
}

static gw_secret_key *key_of(uint8_t byte) {
    uint8_t seed[GW_SEED_SIZE];
    gw_secret_key *key = NULL;
    memset(seed, byte, sizeof(seed));
    assert_int_equal(gw_key_from_seed(seed, &key), GW_OK);
    return key;
}

gw_secret_key *log_book_key(const log_book *book) {
    return key_of(book->seed);
}

gw_secret_key *log_book_researcher_key(void) {
    return key_of(SEED_RESEARCHER);
}

gw_note_key log_book_note_key(const log_book *book) {
    gw_secret_key *key = log_book_key(book);
    gw_note_key made;
    assert_int_equal(gw_note_key_new(BOOK_ORIGIN, gw_key_public(key), &made), GW_OK);
    gw_secret_key_free(key);
    return made;
}

void log_book_vkey(const log_book *book, char ret[GW_VKEY_MAX]) {
    gw_note_key key = log_book_note_key(book);
    gw_note_key_format(&key, ret);
}

gw_entry log_book_signed(gw_entry entry, unsigned by, unsigned second) {
    if (by != 0)
        log_book_id(by, entry.by.ids[entry.by.count++]);
    if (second != 0)
        log_book_id(second, entry.by.ids[entry.by.count++]);
    return entry;
}

// The newest policy, or NULL.
static const gw_entry *policy_of(const log_book *book) {
    const gw_entry *policy = NULL;
    for (size_t i = 0; i < book->count; i++)
        if (book->entries[i].kind == GW_ENTRY_POLICY)
            policy = &book->entries[i];
    return policy;
}

static void charge_sum(const log_book *book, gw_entry *entry) {
    uint64_t cost = entry->charge.cost;
    const gw_entry *policy = policy_of(book);
    uint64_t days = policy == NULL ? 0 : policy->policy.window_days;
    entry->charge.window = days == 0 ? 0 : (uint64_t)entry->time / (days * 86400);
    entry->charge.spent_dataset = entry->charge.spent_population = entry->charge.spent_principal = cost;
    entry->charge.spent_window = days == 0 ? 0 : cost;
    entry->charge.rho = book->delta == 0 ? 0 : gw_rho_of((gw_epsilon){cost});
    entry->charge.spent_rho_dataset = entry->charge.rho;
    entry->charge.spent_delta_dataset = entry->charge.delta;
    for (size_t i = 0; i < book->count; i++) {
        const gw_entry *other = &book->entries[i];
        if (other->kind != GW_ENTRY_CHARGE)
            continue;
        entry->charge.spent_rho_dataset += other->charge.rho;
        entry->charge.spent_delta_dataset += other->charge.delta;
        entry->charge.spent_dataset += other->charge.cost;
        entry->charge.spent_population += other->charge.cost;
        if (strcmp(other->charge.principal, entry->charge.principal) == 0)
            entry->charge.spent_principal += other->charge.cost;
        if (days != 0 && (uint64_t)other->time / (days * 86400) == entry->charge.window)
            entry->charge.spent_window += other->charge.cost;
    }
    entry->charge.spent_rho_population = entry->charge.spent_rho_dataset; // one dataset is all there is
    entry->charge.spent_delta_population = entry->charge.spent_delta_dataset;
}

uint64_t log_book_add(log_book *book, gw_entry entry) {
    assert_true(book->count < BOOK_ENTRIES_MAX);
    entry.seq = book->count;
    entry.time = book->time;
    if (entry.kind == GW_ENTRY_CHARGE)
        charge_sum(book, &entry);
    book->entries[book->count++] = entry;
    book->time += 60;
    return entry.seq;
}

uint64_t log_book_charge(log_book *book, unsigned principal, uint64_t micro) {
    return log_book_selection(book, principal, micro, 0);
}

uint64_t log_book_selection(log_book *book, unsigned principal, uint64_t micro, uint64_t delta) {
    gw_entry entry = {.kind = GW_ENTRY_CHARGE};
    strcpy(entry.charge.dataset, BOOK_DATASET);
    strcpy(entry.charge.population, BOOK_POPULATION);
    entry.charge.policy = policy_of(book)->seq;
    log_book_id(9, entry.charge.data);
    log_book_id(principal, entry.charge.principal);
    log_book_id(100 + (unsigned)book->count, entry.charge.idem);
    entry.charge.request = gw_sha256(gw_bytes_of("request"));
    entry.charge.question = gw_sha256(gw_bytes_of("{\"statistic\":\"count\",\"by\":[\"sex\"]}"));
    entry.charge.cost = micro;
    entry.charge.delta = delta;
    return log_book_add(book, entry);
}

uint64_t log_book_release(log_book *book, uint64_t charge, const char *release) {
    gw_entry entry = {.kind = GW_ENTRY_RELEASE};
    entry.release.charge = charge;
    snprintf(entry.release.release, sizeof(entry.release.release), "%s", release);
    entry.release.answer = gw_sha256(gw_bytes_of("answer"));
    entry.release.visible = book->time;
    return log_book_add(book, entry);
}

static gw_entry principal(unsigned number, const char *action, unsigned roles) {
    gw_entry entry = {.kind = GW_ENTRY_PRINCIPAL};
    log_book_id(number, entry.principal.principal);
    snprintf(entry.principal.action, sizeof(entry.principal.action), "%s", action);
    entry.principal.roles = roles;
    return log_book_signed(entry, BOOK_OWNER, 0);
}

static gw_entry key_entry(unsigned number, const char *action, gw_public_key key) {
    gw_entry entry = {.kind = GW_ENTRY_KEY};
    log_book_id(number, entry.key.principal);
    snprintf(entry.key.action, sizeof(entry.key.action), "%s", action);
    strcpy(entry.key.key_kind, "sign");
    gw_hex((gw_bytes){.data = key.bytes, .size = GW_PUBLIC_KEY_SIZE}, entry.key.key);
    return log_book_signed(entry, BOOK_OWNER, 0);
}

uint64_t log_book_policy(log_book *book, uint64_t version, uint64_t total) {
    gw_entry entry = {.kind = GW_ENTRY_POLICY};
    const gw_entry *before = policy_of(book);
    strcpy(entry.policy.dataset, BOOK_DATASET);
    strcpy(entry.policy.population, BOOK_POPULATION);
    entry.policy.version = version;
    entry.policy.total = total;
    entry.policy.principal_total = 2 * EPSILON;
    entry.policy.window_days = 365;
    entry.policy.window_total = 4 * EPSILON;
    entry.policy.question_min = EPSILON / 100;
    entry.policy.question_max = EPSILON / 2;
    entry.policy.delta = book->delta;
    entry.policy.selection_delta = book->selection_delta;
    entry.policy.supersedes = before == NULL ? GW_NO_SEQ : before->seq;
    return log_book_add(book, log_book_signed(entry, BOOK_OWNER, before == NULL ? 0 : BOOK_OPERATOR));
}

void log_book_settle(log_book *book) {
    static const unsigned roles[] = {GW_ROLE_OWNER, GW_ROLE_OPERATOR, GW_ROLE_RESEARCHER, GW_ROLE_RESEARCHER};
    gw_entry genesis = {.kind = GW_ENTRY_GENESIS};
    strcpy(genesis.genesis.origin, BOOK_ORIGIN);
    log_book_vkey(book, genesis.genesis.log_key);
    log_book_add(book, genesis);
    for (unsigned i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        log_book_add(book, principal(i + 1, "add", roles[i]));
    gw_secret_key *key = log_book_researcher_key();
    log_book_add(book, key_entry(BOOK_RESEARCHER, "add", gw_key_public(key)));
    gw_secret_key_free(key);
    gw_entry population = {.kind = GW_ENTRY_POPULATION};
    strcpy(population.population.population, BOOK_POPULATION);
    population.population.total = 20 * EPSILON;
    population.population.delta = book->delta;
    population.population.selection_delta = book->selection_delta;
    log_book_add(book, log_book_signed(population, BOOK_OWNER, BOOK_OPERATOR));
    log_book_policy(book, 1, 10 * EPSILON);
    gw_entry data = {.kind = GW_ENTRY_DATA};
    strcpy(data.data.dataset, BOOK_DATASET);
    log_book_id(9, data.data.version);
    data.data.seal = gw_sha256(gw_bytes_of("seal"));
    log_book_add(book, log_book_signed(data, BOOK_OWNER, 0));
}

static void refused(log_book *book, unsigned number, const char *counts) {
    gw_entry entry = {.kind = GW_ENTRY_REFUSALS};
    log_book_id(number, entry.refusals.principal);
    entry.refusals.from = book->time - 3600;
    entry.refusals.to = book->time;
    snprintf(entry.refusals.counts, sizeof(entry.refusals.counts), "%s", counts);
    log_book_add(book, entry);
}

void log_book_live(log_book *book) {
    log_book_settle(book);
    char release[GW_RELEASE_ID_MAX];
    for (unsigned i = 1; i <= 6; i++) {
        snprintf(release, sizeof(release), "GW-2026-%06u", i);
        uint64_t charge = log_book_charge(book, i % 3 == 0 ? BOOK_STUDENT : BOOK_RESEARCHER, EPSILON / 20);
        log_book_release(book, charge, release);
    }
    gw_entry abandon = {.kind = GW_ENTRY_ABANDON};
    abandon.abandon.charge = log_book_charge(book, BOOK_STUDENT, EPSILON / 10);
    strcpy(abandon.abandon.why, "deadline");
    log_book_add(book, abandon);
    book->time += 3 * 86400; // Thursday
    refused(book, BOOK_STUDENT, "bad_signature=1 budget_principal=3");
    log_book_policy(book, 2, 12 * EPSILON);
    book->time += 2 * 86400; // Saturday
    log_book_charge(book, BOOK_RESEARCHER, EPSILON / 4);
    refused(book, BOOK_RESEARCHER, "budget_principal=2");
    gw_public_key other = {{7}};
    log_book_add(book, key_entry(BOOK_STUDENT, "add", other));
    log_book_add(book, key_entry(BOOK_STUDENT, "revoke", other));
    gw_entry incident = {.kind = GW_ENTRY_INCIDENT};
    strcpy(incident.incident.code, "clock_jump");
    log_book_add(book, incident);
}

// ---- as files

typedef struct {
    gw_hash *hashes[4]; // of levels 0, 8, 16 of the tree
    size_t counts[4];
    gw_merkle_edge edge;
} book_tree;

static void node_keep(void *state, unsigned level, uint64_t index, gw_hash hash) {
    book_tree *tree = state;
    if (level % 8 != 0 || level / 8 >= 4)
        return;
    assert_int_equal(index, tree->counts[level / 8]);
    tree->hashes[level / 8][tree->counts[level / 8]++] = hash;
}

static void tree_make(const log_book *book, size_t size, book_tree *ret) {
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; i < 4; i++)
        ret->hashes[i] = calloc(BOOK_ENTRIES_MAX, sizeof(gw_hash));
    for (size_t i = 0; i < size; i++) {
        gw_buffer text;
        gw_buffer_init(&text, GW_ENTRY_BYTES_MAX);
        gw_entry_encode(&book->entries[i], &text);
        gw_merkle_edge_append(&ret->edge, gw_merkle_leaf(gw_buffer_bytes(&text)), node_keep, ret);
        gw_buffer_done(&text);
    }
}

static void tree_done(book_tree *tree) {
    for (size_t i = 0; i < 4; i++)
        free(tree->hashes[i]);
}

gw_checkpoint log_book_checkpoint(const log_book *book, size_t size) {
    book_tree tree;
    tree_make(book, size, &tree);
    gw_checkpoint checkpoint = {.origin = BOOK_ORIGIN, .size = size, .root = gw_merkle_edge_root(&tree.edge)};
    tree_done(&tree);
    return checkpoint;
}

void log_book_note(const log_book *book, size_t size, gw_buffer *note) {
    gw_checkpoint checkpoint = log_book_checkpoint(book, size);
    gw_secret_key *key = log_book_key(book);
    gw_checkpoint_sign(&checkpoint, key, note);
    gw_secret_key_free(key);
    assert_int_equal(note->status, GW_OK);
}

static void file_write(const char *folder, const char *name, gw_bytes bytes) {
    char path[512], parent[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(gw_folder_make(parent, 0755, NULL), GW_OK);
    FILE *file = fopen(path, "we"); // a test's folder needs no syncs
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

void log_book_publish(const log_book *book, size_t size, const char *folder) {
    book_tree tree;
    char name[GW_TILE_PATH_MAX];
    gw_buffer bytes;
    tree_make(book, size, &tree);
    gw_buffer_init(&bytes, GW_BUNDLE_BYTES_MAX);
    for (unsigned level = 0; level < 4; level++)
        for (uint64_t number = 0; gw_tile_width(size, level, number) > 0; number++) {
            unsigned width = gw_tile_width(size, level, number);
            gw_tile_path(level, number, width, name);
            const gw_hash *hashes = tree.hashes[level] + number * GW_TILE_WIDTH;
            file_write(folder, name, (gw_bytes){.data = hashes->bytes, .size = width * sizeof(gw_hash)});
        }
    for (uint64_t number = 0; gw_tile_width(size, 0, number) > 0; number++) {
        unsigned width = gw_tile_width(size, 0, number);
        for (unsigned i = 0; i < width; i++) {
            gw_buffer text;
            gw_buffer_init(&text, GW_ENTRY_BYTES_MAX);
            gw_entry_encode(&book->entries[number * GW_TILE_WIDTH + i], &text);
            gw_bundle_append(&bytes, gw_buffer_bytes(&text));
            gw_buffer_done(&text);
        }
        gw_bundle_path(number, width, name);
        file_write(folder, name, gw_buffer_bytes(&bytes));
        bytes.size = 0;
    }
    log_book_note(book, size, &bytes);
    file_write(folder, "checkpoint", gw_buffer_bytes(&bytes));
    gw_buffer_done(&bytes);
    tree_done(&tree);
}
