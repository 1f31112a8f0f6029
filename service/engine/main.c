// SPDX-License-Identifier: Apache-2.0
// godwit-engine: the only program that touches microdata. It is started by godwitd on a socketpair, holds no key and no
// ledger, and can be killed at any time. Modes: serve (statements on snapshots), load (a source file becomes a
// snapshot); and, on a terminal, generate (a trusted script makes a synthetic
// register) and columns (what a Parquet file calls its columns).
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/crypto.h"
#include "service/engine/codec.h"
#include "service/engine/duckdb.h"
#include "service/engine/duckdb_columns.h"
#include "service/engine/duckdb_generate.h"
#include "service/engine/duckdb_load.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#define PLAN_MEMORY_MAX (64u << 20)

GW_DEFINE_FREEP(gw_arena, gw_arena_free)
GW_DEFINE_FREEP(gw_duckdb, gw_duckdb_free)
GW_DEFINE_FREEP(gw_exact_table, gw_exact_table_free)
GW_DEFINE_FREEP(gw_exact_keys, gw_exact_keys_free)

// No memory image of ours reaches a disk or a debugger, no descriptor but the socket is open, and nothing a library
// prints reaches a log (a sanitized build keeps stderr for its reports).
static bool harden(void) {
    struct rlimit no_core = {0, 0};
    umask(077);
    if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return false;
    if (close_range(GW_ENGINE_DESCRIPTOR + 1, ~0U, 0) != 0)
        return false;
#ifndef IS_SANITIZED
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
        return false;
    close(nowhere);
#endif
    return true;
}

typedef struct {
    void (*before_exit)(void *state); // what must not outlive the parent; NULL = nothing
    void *state;
} hang_up;

// The parent's death closes its end of the socket; then nobody wants what this process is doing.
static void *hang_up_watch(void *argument) {
    const hang_up *watch = argument;
    struct pollfd poll_one = {.fd = GW_ENGINE_DESCRIPTOR, .events = POLLRDHUP};
    while (poll(&poll_one, 1, -1) != 1)
        ;
    if (watch->before_exit != NULL)
        watch->before_exit(watch->state);
    _exit(0);
}

static bool hang_up_start(hang_up *watch) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, hang_up_watch, watch) != 0)
        return false;
    pthread_detach(thread);
    return true;
}

static bool is_started_by_parent(void) {
    struct stat facts;
    return fstat(GW_ENGINE_DESCRIPTOR, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

static bool greet(void) {
    gw_frame hello = {.kind = GW_FRAME_HELLO, .word = GW_ENGINE_CODEC_VERSION};
    return gw_frame_send(GW_ENGINE_DESCRIPTOR, &hello, NULL, -1) == GW_OK;
}

// The reply is as long as the statement declared, whatever happened to it; and empty where it failed.
static gw_status serve_reply(const gw_frame *request, gw_frame_kind kind, gw_engine_word word, void *memory,
                             size_t size) {
    gw_frame reply = {.kind = kind, .word = word, .sequence = request->sequence, .size = size};
    if (word != GW_WORD_OK)
        gw_wipe(memory, size);
    return gw_frame_send(GW_ENGINE_DESCRIPTOR, &reply, memory, -1);
}

static gw_status serve_table(gw_duckdb *duckdb, const gw_frame *request, const gw_engine_statement *statement) {
    GW_CLEANUP(gw_exact_table_freep) gw_exact_table *table = NULL;
    gw_status status = gw_exact_table_new(statement->cell_count, statement->part_count, &table);
    if (status != GW_OK)
        return status;
    gw_engine_word word = gw_duckdb_measure(duckdb, statement, table);
    return serve_reply(request, GW_FRAME_TABLE, word, table->values,
                       table->cell_count * table->part_count * sizeof(gw_int128));
}

static gw_status serve_keys(gw_duckdb *duckdb, const gw_frame *request, const gw_engine_statement *statement) {
    GW_CLEANUP(gw_exact_keys_freep) gw_exact_keys *keys = NULL;
    gw_status status = gw_exact_keys_new(statement->cell_count, statement->key_bytes, &keys);
    if (status != GW_OK)
        return status;
    gw_engine_word word = gw_duckdb_measure_keys(duckdb, statement, keys);
    return serve_reply(request, GW_FRAME_KEYS, word, keys->counts, gw_exact_keys_bytes(keys));
}

static gw_status serve_one(gw_duckdb *duckdb, int64_t *params) {
    GW_CLEANUP(gw_buffer_done) gw_buffer payload;
    gw_buffer_init(&payload, GW_FRAME_SIZE_MAX);
    gw_frame request;
    gw_engine_statement statement;
    gw_status status = gw_frame_receive(GW_ENGINE_DESCRIPTOR, &payload, -1, &request);
    if (status == GW_OK && request.kind != GW_FRAME_MEASURE)
        status = GW_CORRUPT;
    if (status == GW_OK)
        status = gw_statement_unpack(gw_buffer_bytes(&payload), params, &statement);
    if (status != GW_OK)
        return status; // a parent that speaks otherwise is not ours; ending shows it
    return statement.key_bytes > 0 ? serve_keys(duckdb, &request, &statement)
                                   : serve_table(duckdb, &request, &statement);
}

static bool number_read(const char *text, unsigned long long max, unsigned long long *ret_number) {
    char *end = NULL;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *ret_number >= 1 && *ret_number <= max;
}

static int serve(const char *threads, const char *memory) {
    unsigned long long thread_count, memory_bytes;
    hang_up watch = {0};
    if (!number_read(threads, 256, &thread_count) || !number_read(memory, 1ULL << 50, &memory_bytes) || !harden() ||
        !hang_up_start(&watch) || !greet())
        return 2;
    gw_duckdb_options options = {.threads = (unsigned)thread_count, .memory_bytes = memory_bytes};
    GW_CLEANUP(gw_duckdb_freep) gw_duckdb *duckdb = NULL;
    GW_CLEANUP(gw_freep) int64_t *params = calloc(GW_ENGINE_PARAMS_MAX, sizeof(*params));
    if (params == NULL || gw_duckdb_new(&options, &duckdb) != GW_OK)
        return 2;
    while (serve_one(duckdb, params) == GW_OK)
        ;
    _exit(0); // a pool of caches has nothing to save, and the daemon may be waiting for us to end
}

static void load_tell(void *state, double fraction, const char *phase) {
    GW_CLEANUP(gw_buffer_done) gw_buffer payload;
    gw_buffer_init(&payload, 4096);
    gw_pack_u64(&payload, (uint64_t)(fraction * 1e6));
    gw_pack_text(&payload, phase);
    gw_frame progress = {.kind = GW_FRAME_PROGRESS, .sequence = *(uint64_t *)state, .size = payload.size};
    gw_ignore(gw_frame_send(GW_ENGINE_DESCRIPTOR, &progress, payload.data, -1)); // the report will fail too
}

static void load_forget(void *state) {
    gw_engine_folder_remove(state);
}

static int load(void) {
    GW_CLEANUP(gw_buffer_done) gw_buffer payload;
    GW_CLEANUP(gw_buffer_done) gw_buffer reply;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(PLAN_MEMORY_MAX);
    gw_buffer_init(&payload, GW_FRAME_SIZE_MAX);
    gw_buffer_init(&reply, GW_FRAME_SIZE_MAX);
    gw_frame request;
    gw_load_plan plan;
    hang_up watch = {.before_exit = load_forget};
    if (arena == NULL || !harden() || !greet() ||
        gw_frame_receive(GW_ENGINE_DESCRIPTOR, &payload, -1, &request) != GW_OK || request.kind != GW_FRAME_LOAD ||
        gw_load_plan_unpack(gw_buffer_bytes(&payload), arena, &plan) != GW_OK)
        return 2;
    watch.state = (void *)(uintptr_t)plan.folder;
    if (!hang_up_start(&watch))
        return 2;
    GW_CLEANUP(gw_freep) gw_load_report *report = calloc(1, sizeof(*report));
    if (report == NULL)
        return 2;
    gw_load_progress progress = {.tell = load_tell, .state = &request.sequence};
    gw_engine_word word = gw_duckdb_load(&plan, progress, report);
    gw_load_report_pack(report, &reply);
    gw_frame frame = {.kind = GW_FRAME_REPORT, .word = word, .sequence = request.sequence, .size = reply.size};
    gw_ignore(gw_frame_send(GW_ENGINE_DESCRIPTOR, &frame, reply.data, -1)); // if it fails, the watch ends us
    // The folder is ours until the parent has taken the snapshot out of it and hangs up; then the watch removes it.
    for (;;)
        pause();
}

static int generate(const char *script, const char *output) {
    gw_problem problem = {0};
    if (gw_duckdb_generate(script, output, &problem) == GW_OK)
        return 0;
    fprintf(stderr, "%s %s\n", problem.what, problem.why);
    return 1;
}

static int columns(const char *path) {
    GW_CLEANUP(gw_buffer_done) gw_buffer lines;
    gw_problem problem = {0};
    gw_buffer_init(&lines, 1u << 20);
    gw_status status = gw_duckdb_columns(path, &lines, &problem);
    fprintf(status == GW_OK ? stdout : stderr, "%s%s", status == GW_OK ? gw_buffer_string(&lines) : problem.why,
            status == GW_OK ? "" : "\n");
    return status == GW_OK ? 0 : 1;
}

int main(int argument_count, char *arguments[]) {
    if (gw_crypto_init() != GW_OK)
        return 2;
    if (argument_count == 4 && strcmp(arguments[1], "serve") == 0 && is_started_by_parent())
        return serve(arguments[2], arguments[3]);
    if (argument_count == 2 && strcmp(arguments[1], "load") == 0 && is_started_by_parent())
        return load();
    if (argument_count == 4 && strcmp(arguments[1], "generate") == 0)
        return generate(arguments[2], arguments[3]);
    if (argument_count == 3 && strcmp(arguments[1], "columns") == 0)
        return columns(arguments[2]);
    fprintf(stderr, "godwit-engine is started by godwitd. By hand it makes synthetic data, and names the columns\n"
                    "of a Parquet file:\n"
                    "  godwit-engine generate SCRIPT.sql FOLDER\n"
                    "  godwit-engine columns FILE.parquet\n");
    return 2;
}
