// SPDX-License-Identifier: Apache-2.0
// One question over 10 million rows by 3 concepts, through the whole service, beside the identical statement run bare
// on the same file with as many threads; and what daemon and engine together keep in memory. Argument: rows.
#include "tests/bench/bench.h"
#include "tests/support/daemon.h"
#include "tests/support/duck.h"
#include "tests/support/statement.h"

#define ROUNDS 15
#define THREADS "2"
#define QUESTION                                                                                                       \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"by\":[\"sex\",\"age:work\",\"activity\"],\"epsilon\":\"0.1%05u\"}"

static void write_people(const char *path, uint64_t rows) {
    duck memory;
    char sql[2048];
    duck_open(&memory, NULL, 2);
    snprintf(sql, sizeof sql,
             "COPY (SELECT 'p' || lpad(i::VARCHAR, 9, '0') AS person_id, CASE WHEN hash(i) %% 2 = 0 THEN 'F' ELSE 'M' "
             "END AS sex,"
             " (hash(i + 1) %% 100)::INTEGER AS age, CASE WHEN hash(i + 2) %% 100 < 62 THEN 'EMP' WHEN hash(i + 2) %% "
             "100 < 70"
             " THEN 'UNE' ELSE 'INAC' END AS status, (hash(i + 3) %% 81)::INTEGER AS hours FROM range(%" PRIu64
             ") AS people(i)) TO '%s' (FORMAT parquet)",
             rows, path);
    duck_run(&memory, sql);
    duck_close(&memory);
}

static void load_people(test_daemon *daemon, uint64_t rows, gw_buffer *policy) {
    char path[TEST_PATH_MAX + 32];
    test_daemon_init(daemon);
    daemon->serve_flags[0] = "--engine-threads";
    daemon->serve_flags[1] = THREADS;
    test_daemon_start(daemon);
    test_daemon_population(daemon, TEST_POPULATION, "1000000");
    gw_buffer_init(policy, 65536);
    test_people_policy(1, (test_budget){"1000000", NULL, "0.01", "10"}, policy);
    test_daemon_policy(daemon, gw_buffer_string(policy));
    snprintf(path, sizeof path, "%s/people.parquet", daemon->folder);
    uint64_t begin = bench_now_ns();
    write_people(path, rows);
    bench_line("made, seconds", (double)(bench_now_ns() - begin) / 1e9, "s", 0);
    begin = bench_now_ns();
    test_daemon_load(daemon, TEST_DATASET, path);
    bench_line("godwit load, validated, seconds", (double)(bench_now_ns() - begin) / 1e9, "s", 0);
}

static double ask_ms(test_asker *asker, unsigned round) {
    char body[512];
    snprintf(body, sizeof body, QUESTION, round + 1);
    const uint64_t begin = bench_now_ns();
    if (!test_ask(asker, body, NULL)) {
        fprintf(stderr, "refused: %s %s\n", asker->problem.what, asker->problem.why);
        exit(EXIT_FAILURE);
    }
    return (double)(bench_now_ns() - begin) / 1e6;
}

static double memory_mib(const test_daemon *daemon, const char *field) {
    pid_t engines[16];
    const size_t count = test_daemon_engines(daemon, engines, 16);
    double mib = bench_memory_mib((int)daemon->pid, field);
    for (size_t i = 0; i < count; i++)
        mib += bench_memory_mib((int)engines[i], field);
    return mib;
}

int main(int argc, char **argv) {
    const uint64_t rows = bench_argument(argc, argv, 10000000);
    static bench_samples service, bare;
    test_daemon daemon;
    gw_buffer policy;
    gw_profile profile;
    bench_title("bench_query: a question by 3 concepts (sex, age:work, activity)");
    load_people(&daemon, rows, &policy);
    test_daemon_principal(&daemon, "researcher", &profile);
    char snapshot[TEST_PATH_MAX];
    char share[TEST_PATH_MAX];
    char body[512];
    test_daemon_snapshot(&daemon, TEST_DATASET, snapshot);
    snprintf(share, sizeof share, "%s/policies", test_source_folder());
    snprintf(body, sizeof body, QUESTION, 0u);
    test_statement statement;
    test_statement_make(gw_buffer_string(&policy), share, body, &statement);
    duck file;
    duck_open(&file, snapshot, 2);
    duckdb_prepared_statement prepared = duck_prepare(&file, gw_buffer_string(&statement.sql.text));
    test_asker asker;
    test_asker_open(&asker, &profile);
    duck_execute(prepared, statement.sql.params, statement.sql.param_count); // both sides start warm
    ask_ms(&asker, 0);
    ask_ms(&asker, 1); // the other child
    for (unsigned round = 0; round < ROUNDS; round++) {
        const uint64_t begin = bench_now_ns();
        duck_execute(prepared, statement.sql.params, statement.sql.param_count);
        bench_add(&bare, (double)(bench_now_ns() - begin) / 1e6);
        bench_add(&service, ask_ms(&asker, round + 2));
    }
    const double bare_ms = bench_median(&bare);
    const double service_ms = bench_median(&service);
    bench_line("bare statement, " THREADS " threads, median", bare_ms, "ms", 0);
    bench_line("question through the service, median", service_ms, "ms", service_ms / bare_ms);
    bench_line("allowed: 1.15 x bare + 10 ms", 1.15 * bare_ms + 10, "ms", 0);
    bench_line("question / allowed", service_ms / (1.15 * bare_ms + 10), "", 0);
    bench_line("daemon and engine, resident, peak", memory_mib(&daemon, "VmHWM"), "MiB", 0);
    bench_line("daemon and engine, resident, now", memory_mib(&daemon, "VmRSS"), "MiB", 0);
    duckdb_destroy_prepare(&prepared);
    duck_close(&file);
    test_asker_close(&asker);
    test_statement_done(&statement);
    gw_buffer_done(&policy);
    test_daemon_done(&daemon);
    return 0;
}
