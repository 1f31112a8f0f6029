// SPDX-License-Identifier: Apache-2.0
// What it costs to trust nobody: the auditor's check of a published log (time, and memory of a process that does
// nothing else), the start-up check of a store of the same entries, and the check of one receipt. The log is one that a
// real store and the real publisher wrote: charges and their outcomes of 2,000 principals on 8 datasets of 2
// populations, with windows. Baselines of the same run: SHA-256 of the same files; a bare scan of the same rows; one
// signature. Argument: entries.
#include "service/audit/publish.h"
#include "service/audit/tile.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/file.h"
#include "service/ledger/ledger_replay.h"
#include "service/ledger/ledger_rows.h"
#include "service/wire/receipt.h"
#include "tests/bench/bench.h"
#include "tests/unit/store/ledger_fixture.h"
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

#define PRINCIPALS 2000u
#define DATASETS 8u
#define POPULATIONS 2u
#define BATCH 64u
#define QUESTION_SIZE 320
#define RECEIPTS 200u
#define ABANDONED_EVERY 37u

static void must(gw_status status, const char *what) {
    if (status == GW_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, gw_status_name(status));
    exit(EXIT_FAILURE);
}

static double seconds_since(uint64_t begin) {
    return (double)(bench_now_ns() - begin) / 1e9;
}

// ---- the log

typedef struct {
    ledger_fixture ledger;
    gw_store *store;
    uint64_t policies[DATASETS]; // seqs
    char data[DATASETS][GW_ID_HEX];
    gw_store_op ops[BATCH];
    gw_store_op *pointers[BATCH];
    char questions[BATCH][QUESTION_SIZE];
    uint64_t charges[BATCH]; // seqs of the batch
    uint64_t made;
} world;

static void commit(world *it, size_t count) {
    must(gw_store_commit(it->store, it->pointers, count, FIXTURE_NOW + (int64_t)(it->made / 100)), "commit");
    for (size_t i = 0; i < count; i++)
        must(it->ops[i].result, it->ops[i].code);
}

static uint64_t commit_one(world *it, gw_store_op op) {
    it->ops[0] = op;
    commit(it, 1);
    return it->ops[0].seq;
}

static void population_name(uint64_t number, char ret[GW_DATASET_MAX]) {
    snprintf(ret, GW_DATASET_MAX, "nso.example/residents-%" PRIu64, number);
}

static void dataset_name(uint64_t number, char ret[GW_DATASET_MAX]) {
    snprintf(ret, GW_DATASET_MAX, "nso.example/register-%" PRIu64, number);
}

static void settle(world *it) {
    const fixture_budget budget = {.total = UINT64_C(1) << 60,
                                   .principal_total = UINT64_C(1) << 58,
                                   .window_days = 30,
                                   .window_total = UINT64_C(1) << 59,
                                   .population_total = UINT64_C(1) << 61,
                                   .population_window_days = 365,
                                   .population_window_total = UINT64_C(1) << 60};
    commit_one(it, fixture_principal(FIXTURE_OWNER, GW_ROLE_OWNER, FIXTURE_OWNER));
    for (uint64_t i = 0; i < PRINCIPALS; i++)
        commit_one(it, fixture_principal(FIXTURE_RESEARCHER + i, GW_ROLE_RESEARCHER, FIXTURE_OWNER));
    for (uint64_t i = 0; i < POPULATIONS; i++) {
        gw_store_op op = fixture_population(&budget);
        population_name(i, op.entry.population.population);
        commit_one(it, op);
    }
    for (uint64_t i = 0; i < DATASETS; i++) {
        gw_store_op op = fixture_policy(&it->ledger, &budget);
        op.entry.policy.version = 1;
        op.entry.policy.supersedes = GW_NO_SEQ;
        dataset_name(i, op.entry.policy.dataset);
        population_name(i % POPULATIONS, op.entry.policy.population);
        it->policies[i] = commit_one(it, op);
        op = fixture_data(100 + i);
        dataset_name(i, op.entry.data.dataset);
        snprintf(it->data[i], GW_ID_HEX, "%s", op.entry.data.version);
        commit_one(it, op);
    }
}

static void charge_make(world *it, size_t at) {
    const uint64_t number = it->made++, dataset = number % DATASETS;
    gw_store_op op =
        fixture_reserve(&it->ledger, FIXTURE_RESEARCHER + (number / DATASETS) * 7919 % PRINCIPALS, 0, 50000);
    gw_hash idem = gw_sha256((gw_bytes){.data = (const uint8_t *)&number, .size = sizeof(number)});
    gw_hex((gw_bytes){.data = idem.bytes, .size = GW_ID_SIZE}, op.entry.charge.idem);
    op.entry.charge.request = idem;
    dataset_name(dataset, op.entry.charge.dataset);
    population_name(dataset % POPULATIONS, op.entry.charge.population);
    op.entry.charge.policy = it->policies[dataset];
    memcpy(op.entry.charge.data, it->data[dataset], GW_ID_HEX);
    snprintf(it->questions[at], QUESTION_SIZE,
             "{\"dataset\":\"nso.example/register-%" PRIu64 "\",\"measure\":{\"statistic\":\"count\"},\"where\":"
             "[{\"concept\":\"age\",\"between\":[20,64]}],\"by\":[\"c_birth\",\"sex\"],\"number\":"
             "%" PRIu64 ",\"epsilon\":\"0.05\"}",
             dataset, number / 3);
    op.question_text = gw_bytes_of(it->questions[at]);
    op.entry.charge.question = gw_sha256(op.question_text);
    it->ops[at] = op;
}

static void pairs_append(world *it, size_t count) {
    for (size_t i = 0; i < count; i++)
        charge_make(it, i);
    commit(it, count);
    for (size_t i = 0; i < count; i++)
        it->charges[i] = it->ops[i].seq;
    for (size_t i = 0; i < count; i++)
        it->ops[i] = it->charges[i] % ABANDONED_EVERY == 0 ? fixture_abandon(it->charges[i])
                                                           : fixture_seal(it->charges[i], "an answer of the fixture");
    commit(it, count);
}

static void log_make(world *it, uint64_t entries) {
    for (size_t i = 0; i < BATCH; i++)
        it->pointers[i] = &it->ops[i];
    fixture_create(&it->ledger);
    must(gw_store_open(it->ledger.database, &it->store, NULL), "open");
    settle(it);
    const uint64_t begin = bench_now_ns();
    uint64_t size;
    while ((size = gw_store_size(it->store)) < entries) {
        const uint64_t pairs = (entries - size + 1) / 2;
        pairs_append(it, pairs < BATCH ? (size_t)pairs : BATCH);
    }
    bench_line("entries written by the store", (double)size / seconds_since(begin), "/s", 0);
}

// The signed checkpoint of what the store holds.
static void checkpoint_sign(const gw_store *store, gw_checkpoint *ret, gw_buffer *ret_note) {
    *ret = (gw_checkpoint){.origin = FIXTURE_ORIGIN, .size = gw_store_size(store), .root = gw_store_root(store)};
    gw_secret_key *key = fixture_key();
    gw_buffer_init(ret_note, 1024);
    gw_checkpoint_sign(ret, key, ret_note);
    gw_secret_key_free(key);
}

static void publish(const world *it, const char *log, const char *questions) {
    gw_publisher *publisher = NULL;
    gw_checkpoint checkpoint;
    gw_buffer note;
    checkpoint_sign(it->store, &checkpoint, &note);
    const uint64_t begin = bench_now_ns();
    must(gw_publisher_open(it->ledger.database, log, questions, &publisher, NULL), "publisher");
    gw_publisher_notify(publisher, &checkpoint, gw_buffer_bytes(&note));
    gw_publisher_close(publisher);
    bench_line("entries published", (double)checkpoint.size / seconds_since(begin), "/s", 0);
    gw_buffer_done(&note);
}

// ---- the auditor's check, in a process of its own

static gw_note_key log_key(void) {
    gw_note_key key;
    gw_secret_key *secret = fixture_key();
    must(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(secret), &key), "key");
    gw_secret_key_free(secret);
    return key;
}

// Reads and hashes what the check reads and hashes, and nothing else.
static double files_hash(const char *log, uint64_t size, double *ret_mib) {
    gw_buffer bytes;
    gw_buffer_init(&bytes, GW_BUNDLE_BYTES_MAX);
    gw_sha256_stream *stream = gw_sha256_stream_new();
    const uint64_t begin = bench_now_ns();
    for (uint64_t number = 0; number * GW_TILE_WIDTH < size; number++) {
        const unsigned width = gw_tile_width(size, 0, number);
        char names[2][GW_TILE_PATH_MAX], path[256];
        gw_bundle_path(number, width, names[0]);
        gw_tile_path(0, number, width, names[1]);
        for (size_t i = 0; i < 2; i++) {
            snprintf(path, sizeof(path), "%s/%s", log, names[i]);
            bytes.size = 0;
            must(gw_file_read(path, &bytes, NULL), path);
            *ret_mib += (double)bytes.size / 1048576.0;
            gw_sha256_stream_add(stream, gw_buffer_bytes(&bytes));
        }
    }
    (void)gw_sha256_stream_end(stream);
    const double seconds = seconds_since(begin);
    gw_sha256_stream_free(stream);
    gw_buffer_done(&bytes);
    return seconds;
}

static double verify_once(const char *log, const char *questions, gw_audit_verdict *ret) {
    const gw_note_key key = log_key();
    gw_audit_options options = {.log_key = &key, .questions_folder = questions};
    const uint64_t begin = bench_now_ns();
    must(gw_audit_verify(log, &options, NULL, ret), "verify");
    if (ret->is_sound)
        return seconds_since(begin);
    fprintf(stderr, "entry %" PRIu64 ": %s\n", ret->first_bad, ret->problem.what);
    exit(EXIT_FAILURE);
}

static int verify_alone(const char *log, const char *questions) {
    must(gw_crypto_init(), "crypto");
    gw_audit_verdict verdict;
    double mib = 0;
    const double seconds = verify_once(log, NULL, &verdict), memory = bench_memory_mib(getpid(), "VmHWM");
    const double with_texts = verify_once(log, questions, &verdict);
    const double memory_with_texts = bench_memory_mib(getpid(), "VmHWM");
    const double bare = files_hash(log, verdict.size, &mib);
    bench_line("entries of the log", (double)verdict.size, "", 0);
    bench_line("bytes of the log", mib, "MiB", 0);
    bench_line("read and hash the same files, bare", bare, "s", 0);
    bench_line("audit verify", seconds, "s", seconds / bare);
    bench_line("audit verify, memory", memory, "MiB", 0);
    bench_line("audit verify with texts of questions", with_texts, "s", with_texts / bare);
    bench_line("audit verify with texts, memory", memory_with_texts, "MiB", 0);
    bench_line("texts of questions", (double)verdict.questions, "", 0);
    return EXIT_SUCCESS;
}

// In a process of its own, so that its memory is its own.
static void run_alone(const char *program, const char *what, const char *first, const char *second) {
    const pid_t pid = fork();
    if (pid == 0) {
        execl(program, program, what, first, second, (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        exit(EXIT_FAILURE);
}

// ---- start-up

static gw_status row_count(void *state, uint64_t seq, gw_bytes entry) {
    (void)seq;
    *(uint64_t *)state += entry.size;
    return GW_OK;
}

static int start_alone(const char *database) {
    must(gw_crypto_init(), "crypto");
    gw_store *store = NULL;
    gw_store_reader *reader = NULL;
    uint64_t bytes = 0;
    uint64_t begin = bench_now_ns();
    must(gw_store_reader_open(database, &reader, NULL), "reader");
    must(gw_store_scan(reader, 0, INT64_MAX, row_count, &bytes), "scan");
    const double bare = seconds_since(begin);
    gw_store_reader_close(reader);
    begin = bench_now_ns();
    const clock_t begin_processor = clock();
    must(gw_store_open(database, &store, NULL), "open");
    must(gw_store_reader_open(database, &reader, NULL), "reader");
    must(ledger_replay_check(reader, gw_store_size(store), gw_store_root(store), NULL), "replay");
    const double replay = seconds_since(begin);
    must(ledger_rows_check(reader, gw_store_size(store), NULL), "rows");
    const double seconds = seconds_since(begin), processor = (double)(clock() - begin_processor) / CLOCKS_PER_SEC;
    bench_line("of it, open and replay", replay, "s", replay / bare);
    gw_store_reader_close(reader);
    gw_store_close(store);
    bench_line("scan of the same rows, bare", bare, "s", 0);
    bench_line("start-up check", seconds, "s", seconds / bare);
    bench_line("start-up check, processor time of both threads", processor, "s", processor / bare);
    bench_line("start-up check, memory", bench_memory_mib(getpid(), "VmHWM"), "MiB", 0);
    return EXIT_SUCCESS;
}

// ---- one receipt

static void receipt_make(const world *it, gw_buffer *ret) {
    gw_store_reader *reader = NULL;
    gw_checkpoint checkpoint;
    gw_buffer note, entries[2];
    gw_merkle_proof proofs[2];
    gw_entry release;
    uint64_t index = gw_store_size(it->store) / 2;
    checkpoint_sign(it->store, &checkpoint, &note);
    must(gw_store_reader_open(it->ledger.database, &reader, NULL), "reader");
    for (;; index++) { // the next answer from the middle of the log
        gw_buffer_init(&entries[0], GW_ENTRY_BYTES_MAX);
        must(gw_store_entry(reader, index, &entries[0]), "entry");
        must(gw_entry_decode(gw_buffer_bytes(&entries[0]), &release, NULL), "decode");
        if (release.kind == GW_ENTRY_RELEASE)
            break;
        gw_buffer_done(&entries[0]);
    }
    gw_buffer_init(&entries[1], GW_ENTRY_BYTES_MAX);
    must(gw_store_entry(reader, release.release.charge, &entries[1]), "entry");
    must(gw_merkle_inclusion(gw_store_tree(reader), index, checkpoint.size, &proofs[0]), "proof");
    must(gw_merkle_inclusion(gw_store_tree(reader), release.release.charge, checkpoint.size, &proofs[1]), "proof");
    gw_receipt receipt = {.release_index = index,
                          .charge_index = release.release.charge,
                          .release_entry = gw_buffer_bytes(&entries[0]),
                          .charge_entry = gw_buffer_bytes(&entries[1]),
                          .release_proof_count = proofs[0].count,
                          .charge_proof_count = proofs[1].count,
                          .checkpoint = gw_buffer_bytes(&note)};
    memcpy(receipt.release_proof, proofs[0].hashes, sizeof(proofs[0].hashes));
    memcpy(receipt.charge_proof, proofs[1].hashes, sizeof(proofs[1].hashes));
    gw_receipt_encode(&receipt, ret);
    gw_store_reader_close(reader);
    gw_buffer_done(&entries[0]);
    gw_buffer_done(&entries[1]);
    gw_buffer_done(&note);
}

static void receipts(const world *it) {
    static bench_samples samples, bare;
    gw_buffer receipt;
    gw_problem problem;
    gw_buffer_init(&receipt, GW_RECEIPT_MAX);
    receipt_make(it, &receipt);
    const gw_note_key key = log_key();
    gw_secret_key *secret = fixture_key();
    const gw_bytes message =
        gw_bytes_of("as long as a checkpoint's three lines are, about a hundred bytes of text in all");
    const gw_signature signature = gw_sign(secret, message);
    gw_secret_key_free(secret);
    for (unsigned i = 0; i < RECEIPTS; i++) {
        uint64_t begin = bench_now_ns();
        must(gw_audit_receipt(gw_buffer_bytes(&receipt), gw_bytes_of("an answer of the fixture"), (gw_bytes){0}, &key,
                              NULL, NULL, &problem),
             "receipt");
        bench_add(&samples, (double)(bench_now_ns() - begin) / 1e6);
        begin = bench_now_ns();
        GW_ASSERT(gw_verify_signature(key.key, message, signature));
        bench_add(&bare, (double)(bench_now_ns() - begin) / 1e6);
    }
    bench_line("one signature verified, bare", bench_median(&bare), "ms", 0);
    bench_line("receipt check", bench_median(&samples), "ms", bench_median(&samples) / bench_median(&bare));
    gw_buffer_done(&receipt);
}

int main(int argc, char **argv) {
    static world it;
    char log[128], questions[128], program[4096] = "";
    if (argc == 4 && strcmp(argv[1], "verify") == 0)
        return verify_alone(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "start") == 0)
        return start_alone(argv[2]);
    bench_title("audit: a whole log, a start, a receipt");
    log_make(&it, bench_argument(argc, argv, 1000000));
    snprintf(log, sizeof(log), "%s/log", it.ledger.folder);
    snprintf(questions, sizeof(questions), "%s/questions", it.ledger.folder);
    publish(&it, log, questions);
    receipts(&it);
    gw_store_close(it.store);
    GW_ASSERT(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
    run_alone(program, "verify", log, questions);
    run_alone(program, "start", it.ledger.database, NULL);
    if (getenv("GW_BENCH_KEEP") == NULL) // to look at it with a profiler
        fixture_remove(&it.ledger);
    else
        printf("# kept: %s\n", it.ledger.folder);
    return EXIT_SUCCESS;
}
