// SPDX-License-Identifier: Apache-2.0
// Charges and their seals per second from 64 callers through the ledger, with the signer as a process of its own,
// beside bare SQLite (WAL, synchronous=FULL) that one thread feeds with the same rows in as many commits. Rounds of
// both take turns; the line of each is its median. Arguments: charges in a round, rounds. Files lie in TMPDIR, or /tmp.
#include "service/ledger/ledger.h"
#include "service/signer/client.h"
#include "tests/bench/bench.h"
#include "tests/unit/store/ledger_fixture.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#define CALLERS 64
#define ROUNDS_MAX 64

static void must(bool is_right, const char *what) {
    if (is_right)
        return;
    fprintf(stderr, "bench_ledger: %s\n", what);
    exit(EXIT_FAILURE);
}

// ---- the ledger

typedef struct {
    ledger_fixture fixture;
    gw_ledger *ledger;
    _Atomic uint64_t commits; // the writer looks at the clock once for each
    uint64_t seq_first;       // of what the callers wrote
} ledger_run;

static int64_t clock_unix(void *state) {
    ((ledger_run *)state)->commits++;
    return FIXTURE_NOW;
}

static int64_t clock_boot(void *state) {
    (void)state;
    return 1000;
}

static gw_status submit(void *state, gw_store_op *op) {
    return gw_ledger_submit(((ledger_run *)state)->ledger, op);
}

typedef struct {
    ledger_run *run;
    uint64_t idem, count;
    bench_samples *seal_ms; // of one caller; NULL: not noted
} caller;

static void *caller_run(void *state) {
    caller *one = state;
    char answer[64];
    for (uint64_t i = 0; i < one->count; i++) {
        gw_store_op charge = fixture_reserve(&one->run->fixture, FIXTURE_RESEARCHER, one->idem + i, 1);
        must(submit(one->run, &charge) == GW_OK && charge.result == GW_OK, "a charge was refused");
        snprintf(answer, sizeof(answer), "answer to charge %llu", (unsigned long long)charge.seq);
        gw_store_op seal = fixture_seal(charge.seq, answer);
        uint64_t start = bench_now_ns();
        must(submit(one->run, &seal) == GW_OK && seal.result == GW_OK, "a seal was refused");
        if (one->seal_ms != NULL)
            bench_add(one->seal_ms, (double)(bench_now_ns() - start) / 1e6);
    }
    return NULL;
}

static void ledger_open(ledger_run *run) {
    char keys[128], program[4096];
    const char *bin = getenv("GW_BIN");
    fixture_create(&run->fixture);
    gw_tree_signer made = fixture_signer(run->fixture.folder); // its key
    made.close(made.state);
    snprintf(keys, sizeof(keys), "%s/keys", run->fixture.folder);
    snprintf(program, sizeof(program), "%s/godwit-signer", bin == NULL ? ".build/release/bin" : bin);
    gw_signer_client_options signer = {.origin = FIXTURE_ORIGIN, .program = program, .folder = keys};
    gw_ledger_options options = {.state_folder = run->fixture.folder,
                                 .clock = {.unix_seconds = clock_unix, .boot_ms = clock_boot, .state = run},
                                 .free_bytes_min = 1};
    gw_problem problem = {0};
    gw_status status = gw_signer_client(&signer, &options.signer, &problem);
    if (status == GW_OK)
        status = gw_ledger_open(&options, &run->ledger, &problem);
    if (status != GW_OK)
        fprintf(stderr, "%s: %s %s\n", problem.code, problem.what, problem.why);
    must(status == GW_OK, "the ledger does not open");
    fixture_settle(&run->fixture, &fixture_budget_large, submit, run);
    gw_checkpoint checkpoint;
    gw_ledger_checkpoint(run->ledger, &checkpoint, NULL);
    run->seq_first = checkpoint.size;
}

// Seconds for `charges` charges and as many seals.
static double ledger_measure(ledger_run *run, uint64_t charges, bench_samples *seal_ms) {
    pthread_t threads[CALLERS];
    caller callers[CALLERS];
    run->commits = 0;
    uint64_t start = bench_now_ns();
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (caller){
            .run = run, .idem = 1000000u * (i + 1), .count = charges / CALLERS, .seal_ms = i == 0 ? seal_ms : NULL};
        must(pthread_create(&threads[i], NULL, caller_run, &callers[i]) == 0, "no thread");
    }
    for (unsigned i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    return (double)(bench_now_ns() - start) / 1e9;
}

// ---- bare SQLite

// The tables with their keys, CHECKs and indexes; without triggers and references, which are the ledger's own.
static const char bare_tables[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=2000;"
    "CREATE TABLE entry(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, bytes BLOB NOT NULL, leaf BLOB NOT NULL) "
    "STRICT;"
    "CREATE TABLE node(level INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(level, "
    "number)) "
    "STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE budget(kind INTEGER, owner INTEGER, spent INTEGER, PRIMARY KEY(kind, owner)) STRICT, WITHOUT ROWID;"
    "INSERT INTO budget VALUES (1, 1, 0), (2, 1, 0), (3, 1, 0);"
    "CREATE TABLE charge(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, principal BLOB NOT NULL, idem BLOB NOT NULL,"
    " dataset INTEGER NOT NULL, question BLOB NOT NULL, salt BLOB NOT NULL, cost INTEGER NOT NULL, state INTEGER NOT"
    " NULL, attempts INTEGER NOT NULL, release TEXT NOT NULL, UNIQUE(principal, idem)) STRICT;"
    "CREATE INDEX charge_principal ON charge(principal, seq);"
    "CREATE TABLE release(charge INTEGER PRIMARY KEY, seq INTEGER NOT NULL, question BLOB NOT NULL, visible INTEGER NOT"
    " NULL, answer BLOB NOT NULL) STRICT;"
    "CREATE INDEX release_question ON release(question, seq);";

enum { ENTRY, NODE, CHARGE, RELEASE, FINISH, SPEND, STATEMENTS };
static const char *const bare_statements[STATEMENTS] = {
    "INSERT INTO entry VALUES(?1, ?2, ?3, ?4)",
    "INSERT INTO node VALUES(?1, ?2, ?3)",
    "INSERT INTO charge VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 1, ?9)",
    "INSERT INTO release VALUES(?1, ?2, ?3, ?4, ?5)",
    "UPDATE charge SET state = 1 WHERE seq = ?1",
    "UPDATE budget SET spent = ?2 WHERE kind = ?1 AND owner = 1",
};

typedef struct {
    sqlite3 *from, *to;
    sqlite3_stmt *entries, *charges, *releases, *nodes;
    sqlite3_stmt *into[STATEMENTS];
} bare_run;

static sqlite3_stmt *statement(sqlite3 *db, const char *sql) {
    sqlite3_stmt *made = NULL;
    must(sqlite3_prepare_v2(db, sql, -1, &made, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    return made;
}

// One row of `from` into the statement, column by column.
static void row_copy(bare_run *run, sqlite3_stmt *from, int into) {
    sqlite3_stmt *to = run->into[into];
    for (int i = 0; i < sqlite3_column_count(from) && i < sqlite3_bind_parameter_count(to); i++)
        sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
    must(sqlite3_step(to) == SQLITE_DONE, sqlite3_errmsg(run->to));
    sqlite3_reset(to);
}

static void exec(sqlite3 *db, const char *sql) {
    must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

static void seq_run(bare_run *run, int into, int64_t first, int64_t second) {
    sqlite3_bind_int64(run->into[into], 1, first);
    if (sqlite3_bind_parameter_count(run->into[into]) > 1)
        sqlite3_bind_int64(run->into[into], 2, second);
    must(sqlite3_step(run->into[into]) == SQLITE_DONE, sqlite3_errmsg(run->to));
    sqlite3_reset(run->into[into]);
}

// What one entry brought with it: its row, the nodes that it closed, the charge or the release.
static void entry_copy(bare_run *run, int64_t seq) {
    row_copy(run, run->entries, ENTRY);
    for (int level = 1; ((seq + 1) & (((int64_t)1 << level) - 1)) == 0; level++) {
        sqlite3_bind_int64(run->nodes, 1, level);
        sqlite3_bind_int64(run->nodes, 2, ((seq + 1) >> level) - 1);
        must(sqlite3_step(run->nodes) == SQLITE_ROW, "a node is missing");
        row_copy(run, run->nodes, NODE);
        sqlite3_reset(run->nodes);
    }
    sqlite3_bind_int64(run->charges, 1, seq);
    if (sqlite3_step(run->charges) == SQLITE_ROW)
        row_copy(run, run->charges, CHARGE);
    sqlite3_reset(run->charges);
    sqlite3_bind_int64(run->releases, 1, seq);
    if (sqlite3_step(run->releases) == SQLITE_ROW) {
        row_copy(run, run->releases, RELEASE);
        seq_run(run, FINISH, sqlite3_column_int64(run->releases, 0), 0);
    }
    sqlite3_reset(run->releases);
}

static void bare_open(const ledger_run *from, bare_run *run) {
    char path[160];
    must(sqlite3_open_v2(from->fixture.database, &run->from, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK, "the ledger");
    snprintf(path, sizeof(path), "%s/bare.db", from->fixture.folder);
    must(sqlite3_open(path, &run->to) == SQLITE_OK, "bare.db");
    exec(run->to, bare_tables);
    exec(run->from, "BEGIN"); // the rows are read in one view, from memory
    run->entries = statement(run->from, "SELECT seq, time, bytes, leaf FROM entry WHERE seq >= ?1 ORDER BY seq");
    run->nodes = statement(run->from, "SELECT level, number, hash FROM node WHERE level = ?1 AND number = ?2");
    run->charges = statement(run->from, "SELECT seq, time, principal, idem, dataset, question, salt, cost, release"
                                        " FROM charge WHERE seq = ?1");
    run->releases = statement(run->from, "SELECT charge, seq, question, visible, answer FROM release WHERE seq = ?1");
    for (int i = 0; i < STATEMENTS; i++)
        run->into[i] = statement(run->to, bare_statements[i]);
}

static void bare_close(bare_run *run) {
    sqlite3_finalize(run->entries);
    sqlite3_finalize(run->nodes);
    sqlite3_finalize(run->charges);
    sqlite3_finalize(run->releases);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(run->into[i]);
    sqlite3_close(run->from);
    sqlite3_close(run->to);
}

// Seconds for the same rows in as many commits. Reading them is not counted: it is measured alone and taken off.
static double bare_pass(bare_run *run, const ledger_run *from, uint64_t entries, bool is_writing) {
    uint64_t start = bench_now_ns(), done = 0;
    sqlite3_reset(run->entries);
    sqlite3_bind_int64(run->entries, 1, (int64_t)from->seq_first);
    for (uint64_t commit = 1; commit <= from->commits; commit++) {
        uint64_t end = entries * commit / from->commits;
        if (is_writing)
            exec(run->to, "BEGIN IMMEDIATE");
        for (; done < end; done++) {
            must(sqlite3_step(run->entries) == SQLITE_ROW, "an entry is missing");
            int64_t seq = sqlite3_column_int64(run->entries, 0);
            if (is_writing) {
                entry_copy(run, seq);
                continue;
            }
            sqlite3_stmt *const reads[] = {run->charges, run->releases};
            for (size_t i = 0; i < 2; i++) {
                sqlite3_bind_int64(reads[i], 1, seq);
                sqlite3_step(reads[i]);
                sqlite3_reset(reads[i]);
            }
        }
        if (!is_writing)
            continue;
        for (int kind = 1; kind <= 3; kind++)
            seq_run(run, SPEND, kind, (int64_t)done);
        exec(run->to, "COMMIT");
    }
    return (double)(bench_now_ns() - start) / 1e9;
}

static double bare_measure(const ledger_run *from, uint64_t entries) {
    bare_run run = {0};
    bare_open(from, &run);
    double reading = bare_pass(&run, from, entries, false); // and warms what is read
    reading = bare_pass(&run, from, entries, false);
    double seconds = bare_pass(&run, from, entries, true) - reading;
    bare_close(&run);
    return seconds;
}

int main(int argc, char **argv) {
    uint64_t charges = bench_argument(argc, argv, 6400) / CALLERS * CALLERS;
    uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 7;
    static bench_samples ledger, bare, ratio, batch, seal_ms;
    setenv("TMPDIR", "/tmp", 0);
    must(gw_crypto_init() == GW_OK && charges > 0 && rounds <= ROUNDS_MAX, "arguments: charges, rounds");
    bench_title("charges and seals from 64 callers, beside bare SQLite with the same rows and commits");
    for (uint64_t i = 0; i < rounds; i++) {
        ledger_run run = {.commits = 0};
        ledger_open(&run);
        double seconds = ledger_measure(&run, charges, &seal_ms);
        double bare_seconds = bare_measure(&run, 2 * charges);
        bench_add(&ledger, (double)charges / seconds);
        bench_add(&bare, (double)charges / bare_seconds);
        bench_add(&ratio, bare_seconds / seconds);
        bench_add(&batch, 2.0 * (double)charges / (double)run.commits);
        gw_ledger_close(run.ledger);
        fixture_remove(&run.fixture);
    }
    bench_line("bare SQLite, charge + seal", bench_median(&bare), "pairs/s", 0);
    bench_line("ledger, charge + seal (median of ratios)", bench_median(&ledger), "pairs/s", bench_median(&ratio));
    bench_line("operations in a commit", bench_median(&batch), "ops", 0);
    bench_line("a caller's seal, p50", bench_median(&seal_ms), "ms", 0);
    bench_line("a caller's seal, p99", bench_percentile(&seal_ms, 99), "ms", 0);
    return 0;
}
