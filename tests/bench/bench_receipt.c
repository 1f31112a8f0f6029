// SPDX-License-Identifier: Apache-2.0
// One receipt with its answer and its request, checked as `godwit audit receipt` checks it, in a tree of 1,000,000
// entries; beside the one Ed25519 signature that no check of it can do without.
#include "service/audit/merkle.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/wire/message.h"
#include "service/wire/receipt.h"
#include "tests/bench/bench.h"

#define ENTRIES_STANDARD 1000000u
#define ROUNDS 2000u
#define LEVELS 40u
#define ORIGIN "stats.example/ledger1"

typedef struct {
    gw_hash *levels[LEVELS]; // of whole subtrees
} bench_tree;

static gw_status node(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    *ret = ((bench_tree *)state)->levels[level][index];
    return GW_OK;
}

static gw_entry charge_entry(gw_hash request) {
    gw_entry entry = {.kind = GW_ENTRY_CHARGE, .time = 1790000000};
    strcpy(entry.charge.dataset, "stats.example/register");
    strcpy(entry.charge.population, "stats.example/residents");
    memset(entry.charge.data, '1', GW_ID_HEX - 1);
    memset(entry.charge.principal, '2', GW_ID_HEX - 1);
    memset(entry.charge.idem, '3', GW_ID_HEX - 1);
    entry.charge.request = request;
    entry.charge.cost = 50000;
    return entry;
}

static void entry_text(gw_entry *entry, uint64_t seq, gw_buffer *text) {
    entry->seq = seq;
    gw_buffer_init(text, GW_ENTRY_BYTES_MAX);
    gw_entry_encode(entry, text);
}

static void tree_make(bench_tree *tree, uint64_t size, uint64_t charge, gw_bytes charge_bytes, gw_bytes release_bytes) {
    for (unsigned level = 0; level < LEVELS && size >> level > 0; level++) {
        tree->levels[level] = calloc(size >> level, sizeof(gw_hash));
        GW_ASSERT(tree->levels[level] != NULL);
        for (uint64_t i = 0; i < size >> level; i++) {
            gw_bytes name = {.data = (const uint8_t *)&i, .size = sizeof(i)};
            if (level > 0)
                tree->levels[level][i] =
                    gw_merkle_node(tree->levels[level - 1][2 * i], tree->levels[level - 1][2 * i + 1]);
            else
                tree->levels[0][i] = gw_merkle_leaf(i == charge       ? charge_bytes
                                                    : i == charge + 1 ? release_bytes
                                                                      : name);
        }
    }
}

static void proof_of(bench_tree *tree, uint64_t index, uint64_t size, gw_hash hashes[64], size_t *ret_count) {
    gw_merkle_proof proof;
    gw_status status = gw_merkle_inclusion((gw_merkle_source){node, tree}, index, size, &proof);
    GW_ASSERT(status == GW_OK);
    memcpy(hashes, proof.hashes, proof.count * sizeof(hashes[0]));
    *ret_count = proof.count;
}

int main(int argc, char **argv) {
    uint64_t size = bench_argument(argc, argv, ENTRIES_STANDARD), charge_seq = size / 3;
    gw_status status = gw_crypto_init();
    uint8_t seed[GW_SEED_SIZE] = {0x42};
    gw_secret_key *key = NULL;
    gw_note_key note_key;
    static bench_tree tree;
    static bench_samples checks, signatures;
    gw_buffer request, charge_text, release_text, note, receipt_bytes;
    GW_ASSERT(status == GW_OK && gw_key_from_seed(seed, &key) == GW_OK);
    GW_ASSERT(gw_note_key_new(ORIGIN, gw_key_public(key), &note_key) == GW_OK);
    gw_request_message message = {.origin = ORIGIN, .auth = GW_AUTH_SIGNATURE, .body = gw_bytes_of("{\"v\":1}")};
    memset(message.principal, '2', GW_ID_HEX - 1);
    memset(message.idem, '3', GW_ID_HEX - 1);
    gw_buffer_init(&request, 4096);
    gw_request_message_encode(&message, key, &request);
    GW_ASSERT(gw_request_message_decode(gw_buffer_bytes(&request), &message, NULL) == GW_OK);
    gw_hash salt = {{7}};
    gw_entry charge =
        charge_entry(gw_sha256_two((gw_bytes){.data = salt.bytes, .size = GW_HASH_SIZE}, message.signed_bytes));
    gw_entry release = {.kind = GW_ENTRY_RELEASE, .time = 1790000001};
    gw_bytes answer = gw_bytes_of("{\"v\":1,\"cells\":[]}");
    release.release.charge = charge_seq;
    strcpy(release.release.release, "GW-2026-000001");
    release.release.answer = gw_sha256(answer);
    entry_text(&charge, charge_seq, &charge_text);
    entry_text(&release, charge_seq + 1, &release_text);
    tree_make(&tree, size, charge_seq, gw_buffer_bytes(&charge_text), gw_buffer_bytes(&release_text));
    gw_checkpoint checkpoint = {.origin = ORIGIN, .size = size};
    GW_ASSERT(gw_merkle_root((gw_merkle_source){node, &tree}, size, &checkpoint.root) == GW_OK);
    gw_buffer_init(&note, 4096);
    gw_checkpoint_sign(&checkpoint, key, &note);
    gw_receipt receipt = {.salt = salt,
                          .charge_index = charge_seq,
                          .release_index = charge_seq + 1,
                          .charge_entry = gw_buffer_bytes(&charge_text),
                          .release_entry = gw_buffer_bytes(&release_text),
                          .checkpoint = gw_buffer_bytes(&note)};
    proof_of(&tree, charge_seq, size, receipt.charge_proof, &receipt.charge_proof_count);
    proof_of(&tree, charge_seq + 1, size, receipt.release_proof, &receipt.release_proof_count);
    gw_buffer_init(&receipt_bytes, GW_RECEIPT_MAX);
    gw_receipt_encode(&receipt, &receipt_bytes);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = bench_now_ns();
        status = gw_audit_receipt(gw_buffer_bytes(&receipt_bytes), answer, gw_buffer_bytes(&request), &note_key, NULL,
                                  NULL, NULL);
        bench_add(&checks, (double)(bench_now_ns() - start) / 1e6);
        GW_ASSERT(status == GW_OK);
        gw_signature signature = message.signature;
        start = bench_now_ns();
        bool holds = gw_verify_signature(gw_key_public(key), message.signed_bytes, signature);
        bench_add(&signatures, (double)(bench_now_ns() - start) / 1e6);
        GW_ASSERT(holds);
    }
    bench_title("a receipt, its answer and its request checked offline");
    bench_line("one Ed25519 signature", bench_median(&signatures), "ms", 0);
    bench_line("receipt, median", bench_median(&checks), "ms", bench_median(&checks) / bench_median(&signatures));
    bench_line("receipt, 99 of 100 within", bench_percentile(&checks, 99), "ms", 0);
    gw_buffer_done(&request);
    gw_buffer_done(&charge_text);
    gw_buffer_done(&release_text);
    gw_buffer_done(&note);
    gw_buffer_done(&receipt_bytes);
    gw_secret_key_free(key);
    for (unsigned level = 0; level < LEVELS; level++)
        free(tree.levels[level]);
    return 0;
}
