// SPDX-License-Identifier: Apache-2.0
// The engine as the daemon uses it: exact aggregates, children that die, deadlines, and statements that no one should
// send.
#include "tests/unit/engine/engine_fixture.h"
#include "service/engine/child.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const char people[] = "id,sex,age,income\n"
                             "a,1,30,100\n"
                             "b,2,40,200.5\n"
                             "c,2,,-100\n"
                             "d,,50,\n"
                             "e,F,120,200000\n";
#define BY_SEX "SELECT CAST(sex AS BIGINT), count(*), sum(income) FROM persons GROUP BY 1"

typedef struct {
    test_dataset fixture;
    gw_engine *engine;
    atomic_bool is_told;
} engine_world;

static int world_start(void **state) {
    engine_world *world = calloc(1, sizeof(*world));
    fixture_init(&world->fixture, POLICY_PEOPLE);
    assert_int_equal(fixture_load_text(&world->fixture, people), GW_OK);
    world->engine = fixture_engine(&world->fixture, 1);
    *state = world;
    return 0;
}

static int world_end(void **state) {
    engine_world *world = *state;
    gw_engine_close(world->engine);
    fixture_done(&world->fixture);
    free(world);
    return 0;
}

static void expect_by_sex(engine_world *world) {
    gw_exact_table *table = NULL;
    assert_int_equal(fixture_measure(&world->fixture, world->engine, BY_SEX, 3, 2, &table), GW_OK);
    const int64_t expected[] = {3, 601 + 0 + 400200, 1, 400, 1, 0}; // F, M, _U; income in half euros above -100
    for (size_t i = 0; i < 6; i++)
        assert_int_equal((int64_t)table->values[i], expected[i]);
    gw_exact_table_free(table);
}

static void expect_unavailable(engine_world *world, const char *sql, size_t cell_count, size_t part_count) {
    gw_exact_table *table = NULL;
    gw_status status = fixture_measure(&world->fixture, world->engine, sql, cell_count, part_count, &table);
    if (status != GW_UNAVAILABLE)
        fail_msg("was not refused: %s", sql);
    assert_null(table);
}

static void aggregates_are_exact_and_absent_cells_are_zero(void **state) {
    engine_world *world = *state;
    expect_by_sex(world);
    gw_exact_table *table = NULL;
    assert_int_equal(
        fixture_measure(&world->fixture, world->engine,
                        "SELECT CAST(age AS BIGINT), count(*) FROM persons WHERE age IS NOT NULL GROUP BY 1", 121, 1,
                        &table),
        GW_OK);
    for (size_t i = 0; i < 121; i++)
        assert_int_equal((int64_t)table->values[i], i == 30 || i == 40 || i == 50 || i == 120);
    gw_exact_table_free(table);
}

static void parameters_are_bound_in_order(void **state) {
    engine_world *world = *state;
    char snapshot[512];
    fixture_snapshot(&world->fixture, snapshot);
    for (int64_t low = 20; low < 60; low += 10) { // the same prepared statement with other values
        int64_t params[] = {low, low + 9, INT64_MAX};
        gw_engine_statement statement = {
            .snapshot = snapshot,
            .sql = "SELECT 0, count(*) FILTER (WHERE age BETWEEN ? AND ?), max(CAST(? AS BIGINT)) FROM persons",
            .params = params,
            .param_count = 3,
            .cell_count = 1,
            .part_count = 2,
            .deadline_ms = 20000};
        gw_exact_table *table = NULL;
        assert_int_equal(gw_engine_measure(world->engine, &statement, &table), GW_OK);
        assert_int_equal((int64_t)table->values[0], low >= 30 && low < 60);
        assert_true(table->values[1] == INT64_MAX);
        gw_exact_table_free(table);
    }
}

static void wide_sums_keep_all_bits(void **state) {
    engine_world *world = *state;
    gw_exact_table *table = NULL;
    assert_int_equal(fixture_measure(&world->fixture, world->engine,
                                     "SELECT 0, sum(9223372036854775807), sum(-9223372036854775807) FROM persons", 1, 2,
                                     &table),
                     GW_OK);
    assert_true(table->values[0] == (gw_int128)INT64_MAX * 5);
    assert_true(table->values[1] == (gw_int128)-INT64_MAX * 5);
    gw_exact_table_free(table);
}

static void result_of_another_shape_is_refused(void **state) {
    engine_world *world = *state;
    const char *const shapes[] = {
        "SELECT 0",                          // too few columns
        "SELECT 0, 1, 2",                    // too many
        "SELECT 3, 1",                       // a cell past the last
        "SELECT -1, 1",                      // before the first
        "SELECT NULL, 1",                    // none
        "SELECT 0, 1 UNION ALL SELECT 0, 1", // twice
        "SELECT 0, 1.5::DOUBLE",             // not an integer
        "SELECT 0, 'x'",                     // nor this
        "SELECT '0', 1",
        "SELECT 0, ?", // a parameter that was not given
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        expect_unavailable(world, shapes[i], 3, 1);
    expect_by_sex(world);
    assert_int_equal(gw_engine_restarts(world->engine), 0);
}

static void statement_can_reach_nothing_but_its_snapshot(void **state) {
    engine_world *world = *state;
    char leak[512], sql[2048], snapshot[512];
    fixture_path(&world->fixture, "leak", leak);
    fixture_snapshot(&world->fixture, snapshot);
    const char *const hostile[] = {
        "COPY persons TO '%s'",
        "COPY (SELECT 0, 1) TO '%s' (FORMAT csv)",
        "EXPORT DATABASE '%s'",
        "ATTACH '%s' AS other",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET temp_directory = '%s'",
        "PRAGMA database_list",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE TABLE t AS SELECT 1",
        "INSERT INTO persons SELECT * FROM persons",
        "DELETE FROM persons",
        "UPDATE persons SET age = 1",
        "DROP TABLE persons",
        "CHECKPOINT",
        "SELECT 0, count(*) FROM read_csv('/etc/passwd')",
        "SELECT 0, count(*) FROM read_text('/etc/passwd')",
        "SELECT 0, count(*) FROM read_blob('/proc/self/environ')",
        "SELECT 0, count(*) FROM '/etc/passwd'",
        "SELECT 0, count(*) FROM glob('/etc/*')",
        "SELECT 0, count(*) FROM read_parquet('https://example.org/x.parquet')",
        "SELECT 0, 1; COPY persons TO '%s'",
        "EXPLAIN ANALYZE SELECT 0, 1",
        "SELECT 0, 1; SELECT 0, 2",
        "VACUUM",
    };
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        snprintf(sql, sizeof(sql), hostile[i], leak);
        expect_unavailable(world, sql, 1, 1);
        assert_int_equal(access(leak, F_OK), -1);
    }
    expect_by_sex(world);
}

static void snapshot_is_read_only_on_disk(void **state) {
    engine_world *world = *state;
    char snapshot[512];
    struct stat before, after;
    fixture_snapshot(&world->fixture, snapshot);
    assert_int_equal(stat(snapshot, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0400);
    expect_by_sex(world);
    assert_int_equal(stat(snapshot, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(fixture_data_count(&world->fixture),
                     2); // the owner's count of rows; no journal, no spill beside them
}

static void missing_snapshot_is_unavailable(void **state) {
    engine_world *world = *state;
    gw_engine_statement statement = {.snapshot = "/nonexistent/x.duckdb",
                                     .sql = "SELECT 0, 1",
                                     .cell_count = 1,
                                     .part_count = 1,
                                     .deadline_ms = 20000};
    gw_exact_table *table = NULL;
    assert_int_equal(gw_engine_measure(world->engine, &statement, &table), GW_UNAVAILABLE);
    expect_by_sex(world);
}

// A statement that would run for minutes.
#define ENDLESS "SELECT 0, count(*) FROM range(1000000000) a, range(1000000) b WHERE hash(a.range) = hash(b.range)"

static void deadline_kills_the_child_and_costs_one_answer(void **state) {
    engine_world *world = *state;
    char snapshot[512];
    int before, after;
    fixture_snapshot(&world->fixture, snapshot);
    assert_int_equal(gw_engine_pids(world->engine, &before, 1), 1);
    gw_engine_statement statement = {
        .snapshot = snapshot, .sql = ENDLESS, .cell_count = 1, .part_count = 1, .deadline_ms = 100};
    gw_exact_table *table = NULL;
    int64_t start = gw_engine_now_ms();
    assert_int_equal(gw_engine_measure(world->engine, &statement, &table), GW_UNAVAILABLE);
    int64_t taken = gw_engine_now_ms() - start;
    assert_true(taken >= 100 && taken < 5000);
    assert_int_equal(gw_engine_restarts(world->engine), 1);
    assert_int_equal(gw_engine_pids(world->engine, &after, 1), 1);
    assert_int_not_equal(before, after);
    assert_int_equal(kill(before, 0), -1); // and reaped
    expect_by_sex(world);
}

typedef struct {
    engine_world *world;
    gw_status status;
} endless_asker;

static void *ask_endless(void *argument) {
    endless_asker *asker = argument;
    char snapshot[512];
    fixture_snapshot(&asker->world->fixture, snapshot);
    gw_engine_statement statement = {
        .snapshot = snapshot, .sql = ENDLESS, .cell_count = 1, .part_count = 1, .deadline_ms = 60000};
    gw_exact_table *table = NULL;
    asker->status = gw_engine_measure(asker->world->engine, &statement, &table);
    return NULL;
}

// Waits until the process has used processor time beyond its start: it is then in the statement.
static void wait_until_busy(int pid) {
    unsigned long long first = 0;
    for (int i = 0; i < 100000000; i++) {
        char path[64], text[1024] = "";
        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(text, sizeof(text), file));
        fclose(file);
        unsigned long long ticks = 0;
        assert_int_equal(sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu", &ticks), 1);
        if (first == 0)
            first = ticks + 1;
        if (ticks > first + 5)
            return;
    }
    fail_msg("the child never became busy");
}

static void child_killed_in_a_statement_costs_one_answer(void **state) {
    engine_world *world = *state;
    endless_asker asker = {.world = world};
    pthread_t thread;
    int pid;
    assert_int_equal(gw_engine_pids(world->engine, &pid, 1), 1);
    assert_int_equal(pthread_create(&thread, NULL, ask_endless, &asker), 0);
    wait_until_busy(pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(asker.status, GW_UNAVAILABLE);
    expect_by_sex(world);
    assert_int_equal(gw_engine_restarts(world->engine), 1);
}

static void child_found_dead_costs_nothing(void **state) {
    engine_world *world = *state;
    int pid;
    siginfo_t facts;
    assert_int_equal(gw_engine_pids(world->engine, &pid, 1), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &facts, WEXITED | WNOWAIT), 0); // dead for certain, not yet reaped
    expect_by_sex(world);
    assert_int_equal(gw_engine_restarts(world->engine), 1);
}

static void *ask_by_sex(void *argument) {
    for (int i = 0; i < 50; i++)
        expect_by_sex(argument);
    return NULL;
}

static void threads_share_the_children(void **state) {
    engine_world *world = *state;
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_by_sex, world), 0);
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(gw_engine_restarts(world->engine), 0);
}

static gw_engine_options limits(const engine_world *world, unsigned children) {
    return (gw_engine_options){
        .program = world->fixture.program, .children = children, .threads = 1, .memory_bytes = 128u << 20};
}

static void *ask_until_told(void *argument) {
    engine_world *world = argument;
    while (!atomic_load(&world->is_told))
        expect_by_sex(world);
    return NULL;
}

static void reload_replaces_every_child_and_loses_no_answer(void **state) {
    engine_world *world = *state;
    pthread_t threads[4];
    int before, after[3];
    assert_int_equal(gw_engine_pids(world->engine, &before, 1), 1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_until_told, world), 0);
    for (unsigned round = 0; round < 4; round++) {
        gw_engine_options options = limits(world, round % 2 == 0 ? 3 : 1);
        assert_int_equal(gw_engine_reload(world->engine, &options, NULL), GW_OK);
        assert_int_equal(gw_engine_pids(world->engine, after, 3), options.children);
        for (unsigned i = 0; i < options.children; i++)
            assert_int_not_equal(after[i], before);
        before = after[0];
    }
    atomic_store(&world->is_told, true);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(gw_engine_restarts(world->engine), 0); // none died of it
}

static void reload_that_cannot_start_children_keeps_the_old_ones(void **state) {
    engine_world *world = *state;
    int before, after;
    gw_problem problem = {0};
    gw_engine_options options = limits(world, 17);
    assert_int_equal(gw_engine_pids(world->engine, &before, 1), 1);
    assert_int_equal(gw_engine_reload(world->engine, &options, &problem), GW_INVALID);
    assert_string_equal(problem.code, "engine_options");
    options = limits(world, 2);
    options.memory_bytes = (1ull << 50) + 1; // more than a child takes: it ends before it greets
    assert_int_equal(gw_engine_reload(world->engine, &options, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "engine_missing");
    assert_int_equal(gw_engine_pids(world->engine, &after, 1), 1);
    assert_int_equal(after, before);
    expect_by_sex(world);
}

static void more_statements_and_snapshots_than_are_kept_still_answer(void **state) {
    engine_world *world = *state;
    char snapshot[512], copy[512], command[2048];
    fixture_snapshot(&world->fixture, snapshot);
    for (int i = 0; i < 200; i++) {
        char sql[128];
        snprintf(sql, sizeof(sql), "SELECT 0, count(*) + %d FROM persons", i);
        gw_exact_table *table = NULL;
        assert_int_equal(fixture_measure(&world->fixture, world->engine, sql, 1, 1, &table), GW_OK);
        assert_int_equal((int64_t)table->values[0], 5 + i);
        gw_exact_table_free(table);
    }
    for (int i = 0; i < 10; i++) {
        snprintf(copy, sizeof(copy), "%.200s/copy-%d.duckdb", world->fixture.folder, i % 6);
        snprintf(command, sizeof(command), "cp -n '%s' '%s'", snapshot, copy);
        assert_int_equal(system(command), 0);
        gw_engine_statement statement = {.snapshot = copy,
                                         .sql = "SELECT 0, count(*) FROM persons",
                                         .cell_count = 1,
                                         .part_count = 1,
                                         .deadline_ms = 20000};
        gw_exact_table *table = NULL;
        assert_int_equal(gw_engine_measure(world->engine, &statement, &table), GW_OK);
        gw_exact_table_free(table);
    }
}

static void engine_that_is_missing_is_told(void **state) {
    (void)state;
    gw_engine_options options = {
        .program = "/nonexistent/godwit-engine", .children = 1, .threads = 1, .memory_bytes = 1 << 20};
    gw_engine *engine = NULL;
    gw_problem problem = {0};
    assert_int_equal(gw_engine_open(&options, &engine, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "engine_missing");
    options.program = "/bin/true"; // runs, but says nothing
    assert_int_equal(gw_engine_open(&options, &engine, &problem), GW_UNAVAILABLE);
    options.children = 0;
    assert_int_equal(gw_engine_open(&options, &engine, &problem), GW_INVALID);
}

// The reply's bytes on the pipe: as many for an answer as for a refusal, and nothing but zeros in the latter.
static size_t raw_reply(gw_process *child, const char *snapshot, const char *sql, gw_frame *ret_frame,
                        gw_buffer *payload) {
    gw_engine_statement statement = {.snapshot = snapshot, .sql = sql, .cell_count = 7, .part_count = 2};
    gw_buffer request;
    gw_buffer_init(&request, 1u << 20);
    gw_statement_pack(&statement, &request);
    gw_frame frame = {.kind = GW_FRAME_MEASURE, .sequence = 3, .size = request.size};
    assert_int_equal(gw_frame_send(child->descriptor, &frame, request.data, -1), GW_OK);
    assert_int_equal(gw_frame_receive(child->descriptor, payload, -1, ret_frame), GW_OK);
    gw_buffer_done(&request);
    return payload->size;
}

static void reply_is_as_long_whatever_happened(void **state) {
    engine_world *world = *state;
    char snapshot[512];
    fixture_snapshot(&world->fixture, snapshot);
    const char *const arguments[] = {"godwit-engine", "serve", "1", "268435456", NULL};
    const char *const statements[] = {"SELECT CAST(sex AS BIGINT), 1, 1 FROM persons GROUP BY 1",
                                      "SELECT 0, 1, 2 WHERE false", "SELECT nonsense",
                                      "SELECT 0, 1, CAST(error('boom') AS BIGINT) FROM persons",
                                      "SELECT cell, 9, 9 FROM (VALUES (0), (99)) AS t(cell)"};
    gw_process child = GW_PROCESS_NONE;
    assert_int_equal(gw_process_start(world->fixture.program, arguments, &child), GW_OK);
    assert_int_equal(gw_engine_child_greet(&child, gw_engine_now_ms() + 20000), GW_OK);
    for (size_t i = 0; i < 5; i++) {
        gw_frame frame;
        gw_buffer payload;
        gw_buffer_init(&payload, 1u << 20);
        assert_int_equal(raw_reply(&child, snapshot, statements[i], &frame, &payload), 7 * 2 * 16);
        assert_int_equal(frame.word == GW_WORD_OK, i < 2);
        for (size_t j = 0; frame.word != GW_WORD_OK && j < payload.size; j++)
            assert_int_equal(payload.data[j], 0);
        gw_buffer_done(&payload);
    }
    gw_process_stop(&child, 5000);
}

// A sort of more than the memory given: without a place to spill it fails, rather than write data to a disk.
static void statement_past_its_memory_fails_and_spills_nothing(void **state) {
    engine_world *world = *state;
    char snapshot[512];
    fixture_snapshot(&world->fixture, snapshot);
    gw_engine_options options = {
        .program = world->fixture.program, .children = 1, .threads = 1, .memory_bytes = 32u << 20};
    gw_engine *engine = NULL;
    gw_problem problem;
    assert_int_equal(gw_engine_open(&options, &engine, &problem), GW_OK);
    gw_engine_statement statement = {
        .snapshot = snapshot,
        .sql = "SELECT 0, count(*) FROM (SELECT row_number() OVER (ORDER BY hash(a.range)) AS n FROM range(4000000) a) "
               "WHERE n > 0",
        .cell_count = 1,
        .part_count = 1,
        .deadline_ms = 60000};
    gw_exact_table *table = NULL;
    assert_int_equal(gw_engine_measure(engine, &statement, &table), GW_UNAVAILABLE);
    assert_int_equal(gw_engine_restarts(engine), 0); // failed, not died
    statement.sql = "SELECT 0, count(*) FROM persons";
    assert_int_equal(gw_engine_measure(engine, &statement, &table), GW_OK);
    gw_exact_table_free(table);
    gw_engine_close(engine);
}

// What a child has open and may do, as the kernel tells it.
static void child_holds_nothing_but_its_socket(void **state) {
    engine_world *world = *state;
    char path[64], text[4096] = "";
    int pid;
    assert_int_equal(gw_engine_pids(world->engine, &pid, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/environ", pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof(text), file), 0);
    fclose(file);
    snprintf(path, sizeof(path), "/proc/%d/limits", pid);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    char *core = strstr(text, "Max core file size");
    assert_non_null(core);
    assert_int_equal(strtol(core + strlen("Max core file size"), NULL, 10), 0);
    for (int descriptor = 4; descriptor < 64; descriptor++) { // before any snapshot is open
        char target[64];
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, descriptor);
        assert_int_equal(readlink(path, target, sizeof(target)), -1);
        assert_int_equal(errno, ENOENT);
    }
}

int main(void) {
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
    struct rlimit core = {1u << 20, 1u << 20};
    setrlimit(RLIMIT_CORE, &core); // so that a child that gave it up can be told from one that had none
    const struct CMUnitTest tests[] = {
        WORLD_TEST(aggregates_are_exact_and_absent_cells_are_zero),
        WORLD_TEST(parameters_are_bound_in_order),
        WORLD_TEST(wide_sums_keep_all_bits),
        WORLD_TEST(result_of_another_shape_is_refused),
        WORLD_TEST(statement_can_reach_nothing_but_its_snapshot),
        WORLD_TEST(snapshot_is_read_only_on_disk),
        WORLD_TEST(missing_snapshot_is_unavailable),
        WORLD_TEST(deadline_kills_the_child_and_costs_one_answer),
        WORLD_TEST(child_killed_in_a_statement_costs_one_answer),
        WORLD_TEST(child_found_dead_costs_nothing),
        WORLD_TEST(threads_share_the_children),
        WORLD_TEST(more_statements_and_snapshots_than_are_kept_still_answer),
        WORLD_TEST(reply_is_as_long_whatever_happened),
        WORLD_TEST(statement_past_its_memory_fails_and_spills_nothing),
        WORLD_TEST(child_holds_nothing_but_its_socket),
        WORLD_TEST(reload_replaces_every_child_and_loses_no_answer),
        WORLD_TEST(reload_that_cannot_start_children_keeps_the_old_ones),
        cmocka_unit_test(engine_that_is_missing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
