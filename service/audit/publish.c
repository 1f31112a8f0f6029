// SPDX-License-Identifier: Apache-2.0
// Publication in cycles: each takes the newest checkpoint, writes the files its tree adds, then the checkpoint. Files
// are replaced whole and synced before the checkpoint names them. A partial tile has its width in its name, so an older
// checkpoint's files are never overwritten; they are removed once a newer checkpoint stands, so that no file lies there
// that no check reads.
#include "service/audit/publish.h"
#include "service/audit/question_files.h"
#include "service/audit/tile.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOTE_MAX 16384
#define REST_MS 250 // between cycles: syncs of these files compete with the ledger's own
#define PATH_SIZE 4352u
#define FOLDER_MODE 0755
#define FILE_MODE 0644

struct gw_publisher {
    gw_store_reader *reader;
    char *log_folder;
    pthread_t thread;

    pthread_mutex_t mutex; // guards the following, up to the next comment
    pthread_cond_t changed;
    gw_checkpoint wanted;
    gw_buffer wanted_note;
    bool has_wanted, is_closing;
    uint64_t published; // size of the checkpoint in the folder, 0 while none was written
    gw_status status;   // of the last cycle
    gw_problem problem;

    // The writer thread's own.
    uint64_t files_size;          // tree whose files are known to be there
    bool is_anew;                 // what is there is written over
    gw_question_files *questions; // NULL: not published
};

// ---- files

static gw_status file_write(const gw_publisher *publisher, const char *name, gw_bytes bytes, gw_problem *problem) {
    char path[PATH_SIZE], folder[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", publisher->log_folder, name);
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
    struct stat facts;
    gw_status status = stat(folder, &facts) == 0 ? GW_OK : gw_folder_make(folder, FOLDER_MODE, problem);
    return status == GW_OK ? gw_file_replace(path, bytes, FILE_MODE, problem) : status;
}

static bool file_is_there(const gw_publisher *publisher, const char *name, uint64_t size_min) {
    char path[PATH_SIZE];
    struct stat facts;
    if (publisher->is_anew)
        return false;
    snprintf(path, sizeof(path), "%s/%s", publisher->log_folder, name);
    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && (uint64_t)facts.st_size >= size_min;
}

static void file_remove(const gw_publisher *publisher, const char *name) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", publisher->log_folder, name);
    unlink(path);
}

static gw_status read_problem(gw_problem *problem, gw_status status) {
    return gw_problem_set(problem, status, "publish_read", "The log's entries cannot be read from the ledger.", "", "");
}

static gw_status tile_write(gw_publisher *publisher, unsigned level, uint64_t number, unsigned width,
                            gw_problem *problem) {
    char name[GW_TILE_PATH_MAX];
    gw_tile_path(level, number, width, name);
    if (file_is_there(publisher, name, (uint64_t)width * GW_HASH_SIZE))
        return GW_OK;
    gw_merkle_source tree = gw_store_tree(publisher->reader);
    uint8_t bytes[GW_TILE_WIDTH * GW_HASH_SIZE];
    for (unsigned i = 0; i < width; i++) {
        gw_hash hash;
        gw_status status = tree.node(tree.state, 8 * level, number * GW_TILE_WIDTH + i, &hash);
        if (status != GW_OK)
            return read_problem(problem, status);
        memcpy(bytes + (size_t)i * GW_HASH_SIZE, hash.bytes, GW_HASH_SIZE);
    }
    return file_write(publisher, name, (gw_bytes){.data = bytes, .size = (size_t)width * GW_HASH_SIZE}, problem);
}

static gw_status bundle_add(void *state, uint64_t seq, gw_bytes entry) {
    (void)seq; // in order
    gw_buffer *bundle = state;
    gw_bundle_append(bundle, entry);
    return bundle->status;
}

static gw_status bundle_write(gw_publisher *publisher, uint64_t number, unsigned width, gw_problem *problem) {
    char name[GW_TILE_PATH_MAX];
    gw_bundle_path(number, width, name);
    if (file_is_there(publisher, name, (uint64_t)width * 3)) // no entry is empty
        return GW_OK;
    GW_CLEANUP(gw_buffer_done) gw_buffer bundle;
    gw_buffer_init(&bundle, GW_BUNDLE_BYTES_MAX);
    uint64_t first = number * GW_TILE_WIDTH;
    gw_status status = gw_store_scan(publisher->reader, first, first + width, bundle_add, &bundle);
    if (status != GW_OK)
        return read_problem(problem, status);
    return file_write(publisher, name, gw_buffer_bytes(&bundle), problem);
}

// ---- a cycle

// Files of one level that a tree of `size` has and one of `files_size` had not.
static gw_status level_write(gw_publisher *publisher, unsigned level, uint64_t size, gw_problem *problem) {
    uint64_t number = (publisher->files_size >> (8 * level)) / GW_TILE_WIDTH;
    unsigned width;
    gw_status status = GW_OK;
    for (; status == GW_OK && (width = gw_tile_width(size, level, number)) != 0; number++) {
        if (level == 0)
            status = bundle_write(publisher, number, width, problem);
        if (status == GW_OK)
            status = tile_write(publisher, level, number, width, problem);
    }
    return status;
}

typedef struct {
    gw_publisher *publisher;
    uint64_t size;
    gw_problem *problem;
} question_cycle;

static gw_status question_write(void *state, uint64_t charge_seq, gw_hash question, gw_bytes text) {
    (void)question; // the text's own hash
    question_cycle *cycle = state;
    if (charge_seq >= cycle->size)
        return GW_OK;
    return gw_question_files_add(cycle->publisher->questions, charge_seq, text, cycle->problem);
}

static gw_status questions_write(gw_publisher *publisher, uint64_t size, gw_problem *problem) {
    if (publisher->questions == NULL)
        return GW_OK;
    question_cycle cycle = {.publisher = publisher, .size = size, .problem = problem};
    uint64_t next = gw_question_files_next(publisher->questions);
    gw_status status = gw_store_questions(publisher->reader, next, question_write, &cycle);
    status = gw_question_files_end(publisher->questions, size, status, problem);
    if (status != GW_OK && problem->code[0] == '\0')
        gw_ignore(read_problem(problem, status)); // returns what it was given
    return status;
}

// Partial files that only the older checkpoint needed.
static void partials_remove(const gw_publisher *publisher, uint64_t old_size, uint64_t size) {
    char name[GW_TILE_PATH_MAX];
    for (unsigned level = 0; level < GW_TILE_LEVELS; level++) {
        uint64_t number = (old_size >> (8 * level)) / GW_TILE_WIDTH;
        unsigned width = gw_tile_width(old_size, level, number);
        if (width == 0 || width == gw_tile_width(size, level, number))
            continue;
        gw_tile_path(level, number, width, name);
        file_remove(publisher, name);
        if (level != 0)
            continue;
        gw_bundle_path(number, width, name);
        file_remove(publisher, name);
    }
}

// Files of one tile or bundle of other widths than the checkpoint's.
static void partials_sweep(const gw_publisher *publisher, const char *full, unsigned width) {
    char path[PATH_SIZE], keep[12];
    snprintf(keep, sizeof(keep), "%u", width);
    snprintf(path, sizeof(path), "%s/%s.p", publisher->log_folder, full);
    DIR *folder = opendir(path);
    struct dirent *item;
    while (folder != NULL && (item = readdir(folder)) != NULL)
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0 && strcmp(item->d_name, keep) != 0)
            unlinkat(dirfd(folder), item->d_name, 0);
    if (folder == NULL)
        return;
    closedir(folder);
    rmdir(path); // where it is empty
}

// Once in a life: what an earlier life left when it ended between two checkpoints, or after its last.
static void partials_sweep_all(const gw_publisher *publisher, uint64_t size) {
    char full[GW_TILE_PATH_MAX];
    for (unsigned level = 0; level < GW_TILE_LEVELS; level++)
        for (uint64_t number = 0; number <= (size >> (8 * level)) / GW_TILE_WIDTH; number++) {
            unsigned width = gw_tile_width(size, level, number);
            gw_tile_path(level, number, GW_TILE_WIDTH, full);
            partials_sweep(publisher, full, width);
            if (level > 0)
                continue;
            gw_bundle_path(number, GW_TILE_WIDTH, full);
            partials_sweep(publisher, full, width);
        }
}

static gw_status keyrot_write(void *state, uint64_t seq, gw_bytes note) {
    question_cycle *cycle = state;
    char name[GW_TILE_PATH_MAX];
    snprintf(name, sizeof(name), GW_KEYROT_FOLDER "/%llu", (unsigned long long)seq);
    if (file_is_there(cycle->publisher, name, note.size))
        return GW_OK;
    return file_write(cycle->publisher, name, note, cycle->problem);
}

// Checkpoints signed by an old key and the one that took its place.
static gw_status keyrots_write(gw_publisher *publisher, gw_problem *problem) {
    question_cycle cycle = {.publisher = publisher, .problem = problem};
    gw_status status = gw_store_keyrots(publisher->reader, keyrot_write, &cycle);
    return status != GW_OK && problem->code[0] == '\0' ? read_problem(problem, status) : status;
}

// A crash before the checkpoint leaves files nobody names yet; after it, files nobody needs any more.
static gw_status cycle_run(gw_publisher *publisher, uint64_t published, const gw_checkpoint *checkpoint, gw_bytes note,
                           gw_problem *problem) {
    gw_status status = GW_OK;
    for (unsigned level = 0; status == GW_OK && level < GW_TILE_LEVELS; level++)
        status = level_write(publisher, level, checkpoint->size, problem);
    if (status == GW_OK)
        status = questions_write(publisher, checkpoint->size, problem);
    if (status == GW_OK)
        status = keyrots_write(publisher, problem);
    if (status == GW_OK)
        status = file_write(publisher, "checkpoint", note, problem);
    if (status != GW_OK)
        return status;
    if (published == 0)
        partials_sweep_all(publisher, checkpoint->size);
    else if (published < checkpoint->size)
        partials_remove(publisher, published, checkpoint->size);
    publisher->files_size = checkpoint->size;
    return GW_OK;
}

// ---- the thread

// With the mutex held: lets go of it for the length of the cycle.
static void publish_wanted(gw_publisher *publisher) {
    gw_checkpoint checkpoint = publisher->wanted;
    uint64_t published = publisher->published;
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_buffer_init(&note, NOTE_MAX);
    gw_buffer_append(&note, publisher->wanted_note.data, publisher->wanted_note.size);
    gw_status status = publisher->wanted_note.status; // half a note is none
    publisher->has_wanted = false;
    pthread_mutex_unlock(&publisher->mutex);
    gw_problem problem = {.status = GW_OK};
    if (status == GW_OK)
        status = note.status;
    if (status != GW_OK)
        gw_ignore(gw_problem_set(&problem, status, "no_memory", "There is no memory.", "", "")); // returns `status`
    if (status == GW_OK)
        status = cycle_run(publisher, published, &checkpoint, gw_buffer_bytes(&note), &problem);
    pthread_mutex_lock(&publisher->mutex);
    publisher->status = status;
    publisher->problem = problem;
    if (status == GW_OK)
        publisher->published = checkpoint.size;
}

static void rest(gw_publisher *publisher) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += REST_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!publisher->is_closing && pthread_cond_timedwait(&publisher->changed, &publisher->mutex, &until) == 0)
        continue;
}

static void *publisher_run(void *state) {
    gw_publisher *publisher = state;
    pthread_mutex_lock(&publisher->mutex);
    for (;;) {
        while (!publisher->has_wanted && !publisher->is_closing)
            pthread_cond_wait(&publisher->changed, &publisher->mutex);
        if (!publisher->has_wanted)
            break;
        publish_wanted(publisher);
        rest(publisher);
    }
    pthread_mutex_unlock(&publisher->mutex);
    return NULL;
}

// ---- open, notify, close

static gw_publisher *publisher_new(void) {
    gw_publisher *publisher = calloc(1, sizeof(*publisher));
    if (publisher == NULL)
        return NULL;
    pthread_mutex_init(&publisher->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&publisher->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    gw_buffer_init(&publisher->wanted_note, NOTE_MAX);
    return publisher;
}

static void publisher_free(gw_publisher *publisher) {
    gw_store_reader_close(publisher->reader);
    gw_buffer_done(&publisher->wanted_note);
    pthread_cond_destroy(&publisher->changed);
    pthread_mutex_destroy(&publisher->mutex);
    free(publisher->log_folder);
    gw_question_files_free(publisher->questions);
    free(publisher);
}

static gw_status open_folders(gw_publisher *publisher, const char *database, const char *log_folder,
                              const char *questions_folder, gw_problem *ret_problem) {
    if (strlen(log_folder) + GW_TILE_PATH_MAX >= PATH_SIZE - 16 ||
        (questions_folder != NULL && strlen(questions_folder) + GW_HASH_HEX >= PATH_SIZE - 16))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_path", "The log folder's path is too long.", "", "");
    publisher->log_folder = strdup(log_folder);
    publisher->questions = questions_folder == NULL ? NULL : gw_question_files_new(questions_folder);
    if (publisher->log_folder == NULL || (questions_folder != NULL && publisher->questions == NULL))
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    gw_status status = gw_folder_make(log_folder, FOLDER_MODE, ret_problem);
    if (status == GW_OK && questions_folder != NULL)
        status = gw_folder_make(questions_folder, FOLDER_MODE, ret_problem);
    if (status == GW_OK)
        status = gw_store_reader_open(database, &publisher->reader, ret_problem);
    return status;
}

static gw_status open_parts(gw_publisher *publisher, const char *database, const char *log_folder,
                            const char *questions_folder, gw_problem *ret_problem) {
    gw_status status = open_folders(publisher, database, log_folder, questions_folder, ret_problem);
    if (status != GW_OK)
        return status;
    if (pthread_create(&publisher->thread, NULL, publisher_run, publisher) != 0)
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "no_thread", "The publisher cannot be started.", "", "");
    return GW_OK;
}

gw_status gw_publisher_open(const char *database, const char *log_folder, const char *questions_folder,
                            gw_publisher **ret, gw_problem *ret_problem) {
    gw_publisher *publisher = publisher_new();
    if (publisher == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    // Nothing is known to be there: the first cycle looks at every file and writes those that are missing.
    gw_status status = open_parts(publisher, database, log_folder, questions_folder, ret_problem);
    if (status != GW_OK) {
        publisher_free(publisher);
        return status;
    }
    *ret = publisher;
    return GW_OK;
}

void gw_publisher_notify(gw_publisher *publisher, const gw_checkpoint *checkpoint, gw_bytes note) {
    pthread_mutex_lock(&publisher->mutex);
    if (checkpoint->size >= publisher->wanted.size) {
        publisher->wanted = *checkpoint;
        publisher->wanted_note.size = 0;
        publisher->wanted_note.status = GW_OK; // what found no memory before may find it now
        gw_buffer_append(&publisher->wanted_note, note.data, note.size);
        publisher->has_wanted = true;
        pthread_cond_signal(&publisher->changed);
    }
    pthread_mutex_unlock(&publisher->mutex);
}

gw_status gw_publisher_state(gw_publisher *publisher, uint64_t *ret_size, gw_problem *ret_problem) {
    pthread_mutex_lock(&publisher->mutex);
    gw_status status = publisher->status;
    *ret_size = publisher->published;
    if (status != GW_OK && ret_problem != NULL)
        *ret_problem = publisher->problem;
    pthread_mutex_unlock(&publisher->mutex);
    return status;
}

void gw_publisher_close(gw_publisher *publisher) {
    if (publisher == NULL)
        return;
    pthread_mutex_lock(&publisher->mutex);
    publisher->is_closing = true;
    pthread_cond_signal(&publisher->changed);
    pthread_mutex_unlock(&publisher->mutex);
    pthread_join(publisher->thread, NULL);
    publisher_free(publisher);
}

// ---- all of it, once

static gw_status anew_check(gw_publisher *publisher, const gw_checkpoint *checkpoint, gw_problem *problem) {
    gw_hash root;
    gw_status status = gw_merkle_root(gw_store_tree(publisher->reader), checkpoint->size, &root);
    if (status == GW_OK && gw_hash_equal(root, checkpoint->root))
        return GW_OK;
    return gw_problem_set(problem, GW_CORRUPT, "publish_other", "The ledger does not have the tree of this checkpoint.",
                          "One of the two was set back, or is of another log.", "godwitd doctor");
}

gw_status gw_publish_anew(const char *database, const char *log_folder, const char *questions_folder, gw_bytes note,
                          gw_problem *ret_problem) {
    gw_publisher publisher = {.is_anew = true};
    gw_checkpoint checkpoint;
    gw_status status = gw_checkpoint_peek(note, &checkpoint, ret_problem);
    if (status == GW_OK)
        status = open_folders(&publisher, database, log_folder, questions_folder, ret_problem);
    if (status == GW_OK)
        status = anew_check(&publisher, &checkpoint, ret_problem);
    if (status == GW_OK)
        status = cycle_run(&publisher, 0, &checkpoint, note, ret_problem);
    gw_store_reader_close(publisher.reader);
    gw_question_files_free(publisher.questions);
    free(publisher.log_folder);
    return status;
}
