// SPDX-License-Identifier: Apache-2.0
// Steps and what a crash leaves: (1) a hidden working folder, locked while in use, is made in the dataset's folder; (2)
// the child makes the snapshot in it, and removes it all when we die, until it is stopped after (4); (3) the file is
// made read-only, synced, sealed; (4) renamed to its version's name, the count of its rows beside it, and the folder
// synced. Before (4) there is at most a working folder, which the next load sweeps away; after it the snapshot is
// complete, but unknown to anyone until the log has a data entry for it.
#include "service/admin/load_plan.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/engine/child.h"
#include "service/format/text.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define WORK_PREFIX ".load-"
#define GREETING_MS 20000
#define GOODBYE_MS 5000
#define PLAN_MEMORY_MAX (64u << 20)

GW_DEFINE_FREEP(gw_arena, gw_arena_free)

// ---- the working folder

typedef struct {
    char path[GW_ENGINE_PATH_MAX];
    int lock; // a descriptor of the folder, flock'ed while the load lives
} work_folder;

static void work_folder_done(work_folder *work) {
    if (work->path[0] != '\0')
        gw_engine_folder_remove(work->path);
    if (work->lock >= 0)
        close(work->lock);
}

// Removes what loads left that were killed with their child, or by a power cut: whatever no one holds locked.
static void sweep(const char *folder) {
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[GW_ENGINE_PATH_MAX];
        if (strncmp(entry->d_name, WORK_PREFIX, strlen(WORK_PREFIX)) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        GW_CLEANUP(gw_closep) int lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
            gw_engine_folder_remove(path);
    }
    closedir(entries);
}

static gw_status work_folder_make(const char *folder, const char *version, work_folder *work, gw_problem *ret_problem) {
    gw_status status = gw_folder_make(folder, 0700, ret_problem);
    if (status != GW_OK)
        return status;
    sweep(folder);
    int length = snprintf(work->path, sizeof(work->path), "%s/" WORK_PREFIX "%s", folder, version);
    if (length < 0 || (size_t)length + sizeof(GW_LOAD_SNAPSHOT) + 16 > sizeof(work->path)) {
        work->path[0] = '\0';
        return gw_problem_set(ret_problem, GW_INVALID, "load_failed", "The data folder's path is too long.", "", "");
    }
    status = gw_folder_make(work->path, 0700, ret_problem);
    if (status != GW_OK)
        return status;
    work->lock = open(work->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (work->lock < 0 || flock(work->lock, LOCK_EX | LOCK_NB) != 0) // a sweep got in between: it is gone
        return gw_problem_set(ret_problem, GW_BUSY, "load_busy", "Another load is starting in the same folder.", "",
                              "run the same command again");
    return GW_OK;
}

// ---- the child

typedef struct {
    const gw_load_options *options;
    gw_load_report *report;
    gw_problem *problem;
} load_talk;

static void child_done(gw_process *child) {
    gw_process_stop(child, GOODBYE_MS);
}

static gw_status fail(gw_problem *ret_problem, const char *code, const char *what, const char *why) {
    return gw_problem_set(ret_problem, GW_UNAVAILABLE, code, what, why, "");
}

static void talk_progress(const load_talk *talk, const gw_buffer *payload) {
    gw_unpack unpack = {.rest = gw_buffer_bytes(payload)};
    double fraction = (double)gw_unpack_u64(&unpack) / 1e6;
    const char *phase = gw_unpack_text(&unpack);
    if (phase != NULL && talk->options->progress != NULL)
        talk->options->progress(talk->options->state, fraction, phase);
}

static gw_status talk_outcome(const load_talk *talk, gw_engine_word word) {
    if (word == GW_WORD_SOURCE)
        return gw_problem_set(
            talk->problem, GW_INVALID, "load_source", talk->report->what, talk->report->why,
            talk->report->mend[0] != '\0'
                ? talk->report->mend
                : "compare the file with the policy: names of columns, fields between commas, UTF-8 or Parquet");
    if (word != GW_WORD_OK) {
        gw_status status = fail(talk->problem, "load_failed", "The snapshot could not be made.", "");
        gw_problem_why(talk->problem, "The engine stopped at: %s.%s", gw_engine_word_name(word),
                       word == GW_WORD_WRITE ? " Is there room on the disk?" : "");
        return status;
    }
    if (gw_load_is_refused(talk->report))
        return gw_problem_set(talk->problem, GW_INVALID, "load_refused", "Nothing was loaded.",
                              "The source holds rows that do not fit the policy, and how to treat them was not said.",
                              "correct the source, or name a treatment for each kind: --treat KIND=drop-row, or of one "
                              "column: --treat COLUMN:KIND=drop-row");
    return GW_OK;
}

// Progress frames until the report comes. A load takes as long as it takes: its owner is watching.
static gw_status talk_run(const load_talk *talk, gw_process *child) {
    for (;;) {
        GW_CLEANUP(gw_buffer_done) gw_buffer payload;
        gw_buffer_init(&payload, GW_FRAME_SIZE_MAX);
        gw_frame frame;
        if (gw_frame_receive(child->descriptor, &payload, -1, &frame) != GW_OK)
            return fail(talk->problem, "load_failed", "The snapshot could not be made.", "The engine died.");
        if (frame.kind == GW_FRAME_PROGRESS) {
            talk_progress(talk, &payload);
            continue;
        }
        if (frame.kind != GW_FRAME_REPORT || gw_load_report_unpack(gw_buffer_bytes(&payload), talk->report) != GW_OK)
            return fail(talk->problem, "load_failed", "The snapshot could not be made.",
                        "The engine said something unexpected.");
        return talk_outcome(talk, (gw_engine_word)frame.word);
    }
}

// The child stays until it is stopped: whenever we die before, it removes what it has made.
static gw_status run_child(const gw_load_options *options, const gw_load_plan *plan, gw_process *child,
                           gw_load_report *report, gw_problem *ret_problem) {
    const char *arguments[] = {"godwit-engine", "load", NULL};
    GW_CLEANUP(gw_buffer_done) gw_buffer payload;
    gw_buffer_init(&payload, GW_FRAME_SIZE_MAX);
    gw_load_plan_pack(plan, &payload);
    if (payload.status != GW_OK)
        return gw_problem_set(ret_problem, GW_LIMIT, "load_tables", "The policy is too large to load.", "", "");
    gw_frame request = {.kind = GW_FRAME_LOAD, .sequence = 1, .size = payload.size};
    if (gw_process_start(options->program, arguments, child) != GW_OK ||
        gw_engine_child_greet(child, gw_engine_now_ms() + GREETING_MS) != GW_OK ||
        gw_frame_send(child->descriptor, &request, payload.data, gw_engine_now_ms() + GREETING_MS) != GW_OK)
        return fail(ret_problem, "engine_missing", "The engine does not start.",
                    "godwit-engine cannot be run, or is of another build.");
    load_talk talk = {.options = options, .report = report, .problem = ret_problem};
    return talk_run(&talk, child);
}

// ---- how many rows

#define ROWS_FILE_MAX 16384u // bytes of a .rows file: a line "<table> <rows>" for each table

static void rows_line_read(const char *line, const gw_policy *policy, gw_load_rows *rows) {
    const char *space = strchr(line, ' ');
    char *end = NULL;
    if (space == NULL || space[1] < '0' || space[1] > '9')
        return;
    unsigned long long count = strtoull(space + 1, &end, 10);
    for (size_t i = 0; i < policy->table_count && i < GW_LOAD_TABLES_MAX; i++)
        if (*end == '\n' && strlen(policy->tables[i].name) == (size_t)(space - line) &&
            memcmp(policy->tables[i].name, line, (size_t)(space - line)) == 0) {
            rows->is_known[i] = true;
            rows->rows[i] = count;
        }
}

void gw_load_rows_read(const char *folder, const char *version, const gw_policy *policy, gw_load_rows *ret) {
    char path[GW_ENGINE_PATH_MAX + 64], text[ROWS_FILE_MAX];
    struct stat facts;
    *ret = (gw_load_rows){0};
    snprintf(path, sizeof(path), "%s/%s.rows", folder, version);
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != geteuid() ||
        (facts.st_mode & 077) != 0)
        return;
    ssize_t size = read(descriptor, text, sizeof(text) - 1);
    text[size > 0 ? size : 0] = '\0';
    for (const char *line = text; line != NULL && *line != '\0';) {
        rows_line_read(line, policy, ret);
        const char *end = strchr(line, '\n');
        line = end != NULL ? end + 1 : NULL;
    }
    gw_wipe(text, sizeof(text));
}

static gw_status rows_write(const gw_load_options *options, const char *path, const gw_load_report *report,
                            gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, ROWS_FILE_MAX);
    for (size_t i = 0; i < options->policy->table_count; i++)
        gw_buffer_format(&text, "%s %llu\n", options->policy->tables[i].name,
                         (unsigned long long)report->tables[i].rows_kept);
    return gw_file_replace(path, gw_buffer_bytes(&text), 0600, ret_problem);
}

static void rows_before(const gw_load_options *options, gw_load_rows *ret) {
    *ret = (gw_load_rows){0};
    if (options->version != NULL)
        gw_load_rows_read(options->folder, options->version, options->policy, ret);
}

// A load that goes wrong upstream is most often an empty or a cut file. No number is told here: the report has them.
static gw_status rows_check(const gw_load_options *options, const gw_load_report *report, gw_problem *ret_problem) {
    gw_load_rows before;
    rows_before(options, &before);
    for (size_t i = 0; i < options->policy->table_count; i++) {
        const char *table = options->policy->tables[i].name;
        uint64_t rows = report->tables[i].rows_kept;
        if (rows == 0 && !options->is_empty_allowed) {
            gw_status status = gw_problem_set(ret_problem, GW_INVALID, "load_empty", "Nothing was loaded.", "",
                                              "--allow-empty, where the register is meant to be empty");
            gw_problem_why(ret_problem,
                           report->tables[i].rows_read == 0 ? "The source of %s has no rows."
                                                            : "No row of the source of %s is left to be kept.",
                           table);
            return status;
        }
        if (before.is_known[i] && rows < before.rows[i] - before.rows[i] / 2 && !options->is_shrunk_allowed &&
            !(rows == 0 && options->is_empty_allowed)) {
            gw_status status = gw_problem_set(ret_problem, GW_INVALID, "load_shrunk", "Nothing was loaded.", "",
                                              "--allow-shrink, where that many rows are meant to go");
            gw_problem_why(ret_problem, "%s would have less than half of the rows of the version in force.", table);
            return status;
        }
    }
    return GW_OK;
}

void gw_load_rows_text(const gw_load_report *report, const gw_load_options *options, gw_buffer *buffer) {
    gw_load_rows before;
    rows_before(options, &before);
    for (size_t i = 0; i < options->policy->table_count; i++) {
        char number[32];
        if (options->policy->table_count > 1)
            gw_buffer_format(buffer, "%s  ", options->policy->tables[i].name);
        if (before.is_known[i]) {
            snprintf(number, sizeof(number), "%llu", (unsigned long long)before.rows[i]);
            gw_buffer_text(buffer, "before: ");
            gw_text_thousands(buffer, number);
            gw_buffer_text(buffer, " rows, ");
        }
        snprintf(number, sizeof(number), "%llu", (unsigned long long)report->tables[i].rows_kept);
        gw_buffer_text(buffer, "now: ");
        gw_text_thousands(buffer, number);
        gw_buffer_text(buffer, before.is_known[i] ? "\n" : " rows\n");
    }
}

// ---- sealing and publishing

gw_status gw_load_seal(const char *path, gw_bytes seal_key, gw_hash *ret_seal, gw_problem *ret_problem) {
    struct stat facts;
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 || fstat(descriptor, &facts) != 0 || facts.st_size <= 0) {
        gw_status status =
            gw_problem_set(ret_problem, GW_IO, "file_unreadable", "The snapshot cannot be read.", "", "");
        gw_problem_why(ret_problem, "%s cannot be opened, or is empty.", path);
        return status;
    }
    size_t size = (size_t)facts.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return gw_problem_set(ret_problem, GW_IO, "file_unreadable", "The snapshot cannot be read.", "", "");
    *ret_seal = gw_hmac_sha256(seal_key, (gw_bytes){bytes, size});
    munmap(bytes, size);
    return GW_OK;
}

static bool make_durable(const char *path) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return descriptor >= 0 && fchmod(descriptor, 0400) == 0 && fsync(descriptor) == 0;
}

static gw_status publish(const gw_load_options *options, const work_folder *work, const gw_load_report *report,
                         gw_loaded *loaded, gw_problem *ret_problem) {
    char made[GW_ENGINE_PATH_MAX + 32], final[GW_ENGINE_PATH_MAX];
    char counted[GW_ENGINE_PATH_MAX + 32], rows[GW_ENGINE_PATH_MAX];
    snprintf(made, sizeof(made), "%s/" GW_LOAD_SNAPSHOT, work->path);
    snprintf(final, sizeof(final), "%.4000s/%s.duckdb", options->folder, loaded->version);
    if (options->progress != NULL)
        options->progress(options->state, 0.95, "sealing");
    if (!make_durable(made))
        return fail(ret_problem, "load_failed", "The snapshot could not be made.", "It could not be synced to disk.");
    gw_status status = gw_load_seal(made, options->seal_key, &loaded->seal, ret_problem);
    if (status != GW_OK)
        return status;
    snprintf(counted, sizeof(counted), "%s/rows", work->path);
    snprintf(rows, sizeof(rows), "%.4000s/%s.rows", options->folder, loaded->version);
    status = rows_write(options, counted, report, ret_problem);
    if (status != GW_OK)
        return status;
    if (rename(made, final) != 0)
        return fail(ret_problem, "load_failed", "The snapshot could not be made.", "It could not be renamed.");
    if (rename(counted, rows) != 0 || gw_folder_sync(options->folder) != GW_OK) {
        unlink(final);
        unlink(rows);
        return fail(ret_problem, "load_failed", "The snapshot could not be made.", "Its folder could not be synced.");
    }
    return GW_OK;
}

gw_status gw_load_run(const gw_load_options *options, gw_loaded *ret_loaded, gw_load_report *ret_report,
                      gw_problem *ret_problem) {
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(PLAN_MEMORY_MAX);
    GW_CLEANUP(work_folder_done) work_folder work = {.lock = -1};
    GW_CLEANUP(child_done) gw_process child = GW_PROCESS_NONE; // ends before its folder is removed
    gw_loaded loaded = {0};
    gw_load_plan plan;
    *ret_report = (gw_load_report){0};
    if (arena == NULL)
        return GW_NO_MEMORY;
    gw_random_id(loaded.version);
    gw_status status = work_folder_make(options->folder, loaded.version, &work, ret_problem);
    if (status == GW_OK)
        status = gw_load_plan_build(options, work.path, arena, &plan, ret_problem);
    if (status == GW_OK)
        status = run_child(options, &plan, &child, ret_report, ret_problem);
    if (status == GW_OK)
        status = rows_check(options, ret_report, ret_problem);
    if (status == GW_OK)
        status = publish(options, &work, ret_report, &loaded, ret_problem);
    if (status != GW_OK)
        return status;
    if (options->progress != NULL)
        options->progress(options->state, 1.0, "done");
    *ret_loaded = loaded;
    return GW_OK;
}
