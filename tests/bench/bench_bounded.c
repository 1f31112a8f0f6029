// SPDX-License-Identifier: Apache-2.0
// Tables with many rows per person: 10 million permits of 8 million persons, of whom three rows each may count. The
// bounded statement beside equivalent SQL written by hand, and an origin-destination table of 100,000 cells from the
// asker's message to the decoded answer. Argument: persons.
#include "tests/bench/bench.h"
#include "tests/support/daemon.h"
#include "tests/support/duck.h"
#include "tests/support/statement.h"

#define ROUNDS 7
#define THREADS "2"
#define PLACES 316u // 316 x 316 = 99,856 cells
#define DATASET "test.example/permits"
#define FILTERED "\"where\":[{\"concept\":\"month\",\"between\":[3,10]}],\"by\":[\"reason\"]"
#define FLOWS "\"by\":[\"origin\",\"target\"]"

// What somebody who knows the snapshot would write for FILTERED, kept as the fastest is found.
static const char *const by_hand[] = {
    "SELECT reason, count(*) FROM (SELECT reason, row_number() OVER (PARTITION BY _person ORDER BY _order) AS n FROM "
    "permits WHERE month BETWEEN 2 AND 9) WHERE n <= 3 GROUP BY reason",
    "SELECT reason, sum(n) FROM (SELECT reason, count(*) AS n FROM permits WHERE month BETWEEN 2 AND 9 AND _rows <= 3 "
    "GROUP BY reason UNION ALL SELECT reason, count(*) FROM (SELECT reason, row_number() OVER (PARTITION BY _person "
    "ORDER BY _order) AS n FROM permits WHERE month BETWEEN 2 AND 9 AND _rows > 3) WHERE n <= 3 GROUP BY reason) GROUP "
    "BY reason",
    "SELECT reason, sum(n) FROM (SELECT reason, count(*) AS n FROM permits WHERE month BETWEEN 2 AND 9 AND _rows <= 3 "
    "GROUP BY reason UNION ALL SELECT reason, count(*) FROM (SELECT unnest(min(_order * 16 + reason, 3)) % 16 AS "
    "reason FROM permits WHERE month BETWEEN 2 AND 9 AND _rows > 3 GROUP BY _person) GROUP BY reason) GROUP BY reason",
};
#define BY_HAND (sizeof by_hand / sizeof by_hand[0])

// 70 in 80 persons have one row, 6 two, 2 three, 2 six: ten rows of eight persons.
static void write_permits(const char *path, uint64_t persons) {
    duck memory;
    char sql[2048];
    duck_open(&memory, NULL, 2);
    snprintf(sql, sizeof sql,
             "COPY (SELECT 'p' || lpad(p::VARCHAR, 9, '0') AS person_id, 'W' || hash(p, o) %% 4 AS reason, "
             "(1 + hash(p, o, 1) %% 12)::INTEGER AS month, 'R' || lpad((hash(p, o, 2) %% %u)::VARCHAR, 3, '0') AS "
             "origin, 'R' || lpad((hash(p, o, 3) %% %u)::VARCHAR, 3, '0') AS target FROM (SELECT p, unnest(range(CASE "
             "WHEN p %% 80 < 70 THEN 1 WHEN p %% 80 < 76 THEN 2 WHEN p %% 80 < 78 THEN 3 ELSE 6 END)) AS o FROM "
             "range(%" PRIu64 ") AS people(p))) TO '%s' (FORMAT parquet)",
             PLACES, PLACES, persons, path);
    duck_run(&memory, sql);
    duck_close(&memory);
}

static void places(gw_buffer *policy, const char *name) {
    gw_buffer_format(policy, "\"%s\":{\"concept\":\"%s\",\"label\":{\"en\":\"Place\"},\"type\":\"code\",\"codes\":{",
                     name, name);
    for (unsigned i = 0; i < PLACES; i++)
        gw_buffer_format(policy, "%s\"R%03u\":\"Place %u\"", i ? "," : "", i, i);
    gw_buffer_text(policy, "},\"missing\":\"drop\"}");
}

static void policy_write(gw_buffer *policy) {
    gw_buffer_text(
        policy,
        "{\"godwit_policy\":1,\"dataset\":\"" DATASET "\",\"population\":\"" TEST_POPULATION "\",\"version\":1,"
        "\"title\":{\"en\":\"Permits made up for a benchmark\"},"
        "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"permits\":{\"unit\":"
        "\"person_id\",\"rows_per_person_max\":12,\"rows_per_person_kept\":3,\"columns\":{"
        "\"reason\":{\"concept\":\"reason\",\"label\":{\"en\":\"Reason\"},\"type\":\"code\",\"codes\":{\"W0\":\"Zero\","
        "\"W1\":\"One\",\"W2\":\"Two\",\"W3\":\"Three\"},\"missing\":\"drop\"},"
        "\"month\":{\"concept\":\"month\",\"label\":{\"en\":\"Month\"},\"type\":\"integer\",\"min\":1,\"max\":12,"
        "\"missing\":\"drop\"},");
    places(policy, "origin");
    gw_buffer_text(policy, ",");
    places(policy, "target");
    gw_buffer_text(policy,
                   "}}},\"budget\":{\"lifetime\":\"1000000\",\"question_min\":\"0.01\",\"question_max\":\"10\"},"
                   "\"accounting\":{\"kind\":\"pure\"},\"planning\":{\"cell_persons\":100,\"size_bucket\":10000000},"
                   "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"permits\"],\"statistics\":[\"count\"]}]}");
}

static void body_write(char body[512], const char *rest, unsigned round) {
    snprintf(body, 512,
             "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" DATASET "\",\"measure\":{\"statistic\":\"count\"},%s,"
             "\"epsilon\":\"0.1%05u\"}",
             rest, round + 1);
}

static double ask_ms(test_asker *asker, const char *rest, unsigned round) {
    char body[512];
    body_write(body, rest, round);
    const uint64_t begin = bench_now_ns();
    if (!test_ask_query(asker, body, NULL)) {
        fprintf(stderr, "refused: %s %s\n", asker->problem.what, asker->problem.why);
        exit(EXIT_FAILURE);
    }
    return (double)(bench_now_ns() - begin) / 1e6;
}

static double bare_ms(duckdb_prepared_statement prepared, const gw_sql *sql) {
    const uint64_t begin = bench_now_ns();
    duck_execute(prepared, sql ? sql->params : NULL, sql ? sql->param_count : 0);
    return (double)(bench_now_ns() - begin) / 1e6;
}

static void load_permits(test_daemon *daemon, uint64_t persons, gw_buffer *policy) {
    char path[TEST_PATH_MAX + 32];
    test_daemon_init(daemon);
    daemon->serve_flags[0] = "--engine-threads";
    daemon->serve_flags[1] = THREADS;
    test_daemon_start(daemon);
    test_daemon_population(daemon, TEST_POPULATION, "1000000");
    gw_buffer_init(policy, 1u << 20);
    policy_write(policy);
    test_daemon_policy(daemon, gw_buffer_string(policy));
    snprintf(path, sizeof path, "%s/permits.parquet", daemon->folder);
    write_permits(path, persons);
    const uint64_t begin = bench_now_ns();
    test_daemon_load(daemon, DATASET, path);
    bench_line("godwit load, validated, seconds", (double)(bench_now_ns() - begin) / 1e9, "s", 0);
}

static void case_kept_rows(duck *file, const char *policy, const char *share, test_asker *asker) {
    static bench_samples hand[BY_HAND], bare, service;
    char body[512];
    test_statement statement;
    body_write(body, FILTERED, 0);
    test_statement_make(policy, share, body, &statement);
    duckdb_prepared_statement prepared = duck_prepare(file, gw_buffer_string(&statement.sql.text));
    duckdb_prepared_statement others[BY_HAND];
    bare_ms(prepared, &statement.sql); // both sides start warm
    ask_ms(asker, FILTERED, 0);
    ask_ms(asker, FILTERED, 1); // the other child
    for (size_t i = 0; i < BY_HAND; i++)
        others[i] = duck_prepare(file, by_hand[i]);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < BY_HAND; i++)
            bench_add(&hand[i], bare_ms(others[i], NULL));
        bench_add(&bare, bare_ms(prepared, &statement.sql));
        bench_add(&service, ask_ms(asker, FILTERED, round + 2));
    }
    double best = bench_median(&hand[0]);
    for (size_t i = 0; i < BY_HAND; i++) {
        char name[64];
        snprintf(name, sizeof name, "keep 3, by hand (%zu), median", i + 1);
        bench_line(name, bench_median(&hand[i]), "ms", 0);
        best = bench_median(&hand[i]) < best ? bench_median(&hand[i]) : best;
        duckdb_destroy_prepare(&others[i]);
    }
    bench_line("keep 3, the service's statement, median", bench_median(&bare), "ms", bench_median(&bare) / best);
    bench_line("keep 3, question through the service", bench_median(&service), "ms", bench_median(&service) / best);
    bench_line("question / allowed (1.15 x by hand + 10)", bench_median(&service) / (1.15 * best + 10), "", 0);
    duckdb_destroy_prepare(&prepared);
    test_statement_done(&statement);
}

static void case_flows(duck *file, const char *policy, const char *share, test_asker *asker) {
    static bench_samples bare, service, decode;
    char body[512];
    test_statement statement;
    body_write(body, FLOWS, 0);
    test_statement_make(policy, share, body, &statement);
    duckdb_prepared_statement prepared = duck_prepare(file, gw_buffer_string(&statement.sql.text));
    ask_ms(asker, FLOWS, 0);
    ask_ms(asker, FLOWS, 1);
    bench_line("flows, cells", (double)asker->answer.cell_count, "", 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        bench_add(&bare, bare_ms(prepared, &statement.sql));
        bench_add(&service, ask_ms(asker, FLOWS, round + 2));
        gw_arena *arena = gw_arena_new((size_t)1 << 26);
        gw_answer answer;
        const uint64_t begin = bench_now_ns();
        if (gw_answer_decode(asker->reply.answer, arena, &answer, &asker->problem) != GW_OK)
            exit(EXIT_FAILURE);
        bench_add(&decode, (double)(bench_now_ns() - begin) / 1e6);
        gw_arena_free(arena);
    }
    bench_line("flows, bare statement, median", bench_median(&bare), "ms", 0);
    bench_line("flows, asker's decoding alone, median", bench_median(&decode), "ms", 0);
    bench_line("flows, end to end and decoded, median", bench_median(&service), "ms", 0);
    duckdb_destroy_prepare(&prepared);
    test_statement_done(&statement);
}

int main(int argc, char **argv) {
    const uint64_t persons = bench_argument(argc, argv, 8000000);
    test_daemon daemon;
    gw_buffer policy;
    gw_profile profile;
    char snapshot[TEST_PATH_MAX], share[TEST_PATH_MAX];
    bench_title("bench_bounded: many rows per person, three of them kept");
    load_permits(&daemon, persons, &policy);
    test_daemon_principal(&daemon, "researcher", &profile);
    test_daemon_snapshot(&daemon, DATASET, snapshot);
    snprintf(share, sizeof share, "%s/policies", test_source_folder());
    duck file;
    duck_open(&file, snapshot, 2);
    test_asker asker;
    test_asker_open(&asker, &profile);
    case_kept_rows(&file, gw_buffer_string(&policy), share, &asker);
    case_flows(&file, gw_buffer_string(&policy), share, &asker);
    test_asker_close(&asker);
    duck_close(&file);
    gw_buffer_done(&policy);
    test_daemon_done(&daemon);
    return 0;
}
