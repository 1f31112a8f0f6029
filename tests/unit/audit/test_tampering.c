// SPDX-License-Identifier: Apache-2.0
// A published log changed in every way a file can be: each byte of each file flipped, files cut, extended, emptied,
// deleted, unreadable and exchanged. Each change is found, at the first entry it touches; what is gone is never called
// tampered. A short log by every byte; one with full tiles and a second level by a slice, or with the argument "all" by
// every byte too.
#include "service/audit/tile.h"
#include "service/audit/verify.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "tests/support/log_book.h"
#include "tests/support/seeded_random.h"
#include "tests/support/small_log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHARGES_SHORT 12
#define CHARGES_LONG 132 // 269 entries: a full tile, a partial one, and a tile of level 1
#define FILES_MAX 16
#define SLICE_STEP 311

typedef enum { FILE_CHECKPOINT, FILE_BUNDLE, FILE_TILE, FILE_QUESTIONS } file_kind;

typedef struct {
    char path[256];
    file_kind kind;
    unsigned level;
    uint64_t number;
    gw_buffer bytes; // as published
} log_file;

typedef struct {
    small_log log;
    log_file files[FILES_MAX];
    size_t count;
    seeded_random random;
} world;

static world short_log, long_log;
static bool is_whole;

// ---- the files

static void file_add(world *it, const char *folder, const char *name, log_file like) {
    assert_true(it->count < FILES_MAX);
    log_file *file = &it->files[it->count++];
    *file = like;
    snprintf(file->path, sizeof(file->path), "%s/%s", folder, name);
    gw_buffer_init(&file->bytes, GW_BUNDLE_BYTES_MAX);
    assert_int_equal(gw_file_read(file->path, &file->bytes, NULL), GW_OK);
}

static void files_find(world *it) {
    char name[GW_TILE_PATH_MAX];
    file_add(it, it->log.log, "checkpoint", (log_file){.kind = FILE_CHECKPOINT});
    for (unsigned level = 0; level < GW_TILE_LEVELS; level++) {
        unsigned width;
        for (uint64_t number = 0; (width = gw_tile_width(it->log.size, level, number)) != 0; number++) {
            gw_tile_path(level, number, width, name);
            file_add(it, it->log.log, name, (log_file){.kind = FILE_TILE, .level = level, .number = number});
            if (level > 0)
                continue;
            gw_bundle_path(number, width, name);
            file_add(it, it->log.log, name, (log_file){.kind = FILE_BUNDLE, .number = number});
        }
    }
    file_add(it, it->log.questions, "000.jsonl", (log_file){.kind = FILE_QUESTIONS});
}

static int setup(void **state) {
    (void)state;
    small_log_make(&short_log.log, CHARGES_SHORT);
    small_log_make(&long_log.log, CHARGES_LONG / 2);
    small_log_grow(&long_log.log, CHARGES_LONG / 2); // an older checkpoint stood in between
    files_find(&short_log);
    files_find(&long_log);
    short_log.random.state = long_log.random.state = 20260921;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    world *const worlds[] = {&short_log, &long_log};
    for (size_t i = 0; i < 2; i++) {
        small_log_remove(&worlds[i]->log);
        for (size_t k = 0; k < worlds[i]->count; k++)
            gw_buffer_done(&worlds[i]->files[k].bytes);
    }
    return 0;
}

static void file_write(const log_file *file, gw_bytes bytes) {
    int descriptor = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    assert_true(write(descriptor, bytes.data, bytes.size) == (ssize_t)bytes.size);
    close(descriptor);
}

static void file_restore(const log_file *file) {
    file_write(file, gw_buffer_bytes(&file->bytes));
}

// ---- what a change touches

static uint64_t bundle_entry(const log_file *file, size_t offset) {
    gw_bytes rest = gw_buffer_bytes(&file->bytes), entry;
    uint64_t index = file->number * GW_TILE_WIDTH;
    while (gw_bundle_next(&rest, &entry)) {
        if (offset < (size_t)(rest.data - file->bytes.data))
            return index;
        index++;
    }
    return index - 1; // after the last one
}

static uint64_t tile_entry(const log_file *file, size_t offset) {
    size_t last = file->bytes.size / GW_HASH_SIZE - 1, hash = offset / GW_HASH_SIZE;
    return (file->number * GW_TILE_WIDTH + (hash < last ? hash : last)) << (8 * file->level);
}

// The charge whose text is at this place: the texts are those of all charges, in their order.
static uint64_t question_entry(const world *it, const log_file *file, size_t offset) {
    size_t lines = 0;
    for (size_t i = 0; i < offset && i < file->bytes.size; i++)
        lines += file->bytes.data[i] == '\n';
    for (size_t i = 0; i < it->count; i++) {
        gw_bytes rest = gw_buffer_bytes(&it->files[i].bytes), bytes;
        while (it->files[i].kind == FILE_BUNDLE && gw_bundle_next(&rest, &bytes)) {
            gw_entry entry;
            assert_int_equal(gw_entry_decode(bytes, &entry, NULL), GW_OK);
            if (entry.kind == GW_ENTRY_CHARGE && lines-- == 0)
                return entry.seq;
        }
    }
    fail_msg("there is no charge for a text at %zu", offset);
    return 0;
}

static uint64_t touched(const world *it, const log_file *file, size_t offset) {
    switch (file->kind) {
    case FILE_CHECKPOINT:
        return UINT64_MAX;
    case FILE_BUNDLE:
        return bundle_entry(file, offset);
    case FILE_TILE:
        return tile_entry(file, offset);
    case FILE_QUESTIONS:
        return question_entry(it, file, offset);
    }
    return 0;
}

// ---- checks

static gw_status verify(const world *it, gw_audit_verdict *verdict) {
    gw_audit_options options = {.log_key = &it->log.key, .questions_folder = it->log.questions};
    return gw_audit_verify(it->log.log, &options, NULL, verdict);
}

static void assert_sound(const world *it) {
    gw_audit_verdict verdict;
    assert_int_equal(verify(it, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_int_equal(verdict.questions, verdict.charges);
    assert_int_equal(verdict.questions_missing, 0);
}

static void assert_tampered(const world *it, const log_file *file, size_t offset, uint64_t index) {
    gw_audit_verdict verdict;
    gw_status status = verify(it, &verdict);
    if (status != GW_OK || verdict.is_sound || !verdict.is_complete == verdict.is_sound || verdict.first_bad != index)
        fail_msg("%s at %zu: status %s, sound %d, first bad %" PRId64 " and not %" PRId64 ": %s", file->path, offset,
                 gw_status_name(status), verdict.is_sound, (int64_t)verdict.first_bad, (int64_t)index,
                 verdict.problem.what);
}

// Bytes from `from` on, every `step`-th, one at a time. Each of the eight bits takes its turn, and patterns of several.
static void flip_each(world *it, const log_file *file, size_t from, size_t step) {
    int descriptor = open(file->path, O_WRONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    for (size_t at = from; at < file->bytes.size; at += step) {
        uint64_t word = seeded_next(&it->random);
        uint8_t pattern = (word & 1) != 0 ? (uint8_t)(1u << (word >> 1) % 8) : (uint8_t)(1 + (word >> 1) % 255);
        uint8_t byte = file->bytes.data[at] ^ pattern;
        assert_true(pwrite(descriptor, &byte, 1, (off_t)at) == 1);
        assert_tampered(it, file, at, touched(it, file, at));
        assert_true(pwrite(descriptor, &file->bytes.data[at], 1, (off_t)at) == 1);
    }
    close(descriptor);
}

static void every_flipped_byte_of_a_short_log_is_named(void **state) {
    (void)state;
    for (size_t i = 0; i < short_log.count; i++)
        flip_each(&short_log, &short_log.files[i], 0, 1);
    assert_sound(&short_log);
}

static void flipped_bytes_of_full_tiles_and_levels_above_are_named(void **state) {
    (void)state;
    for (size_t i = 0; i < long_log.count; i++) {
        bool is_small = long_log.files[i].level > 0;
        size_t step = is_whole || is_small ? 1 : SLICE_STEP;
        flip_each(&long_log, &long_log.files[i], (size_t)(seeded_next(&long_log.random) % step), step);
    }
    assert_sound(&long_log);
}

// ---- files cut, extended, gone, exchanged

static void cut(world *it, const log_file *file, size_t size) {
    file_write(file, (gw_bytes){.data = file->bytes.data, .size = size});
    bool is_at_line = file->kind == FILE_QUESTIONS && (size == 0 || file->bytes.data[size - 1] == '\n');
    if (!is_at_line) {
        assert_tampered(it, file, size, touched(it, file, size));
        return;
    }
    gw_audit_verdict verdict; // texts that are not there are counted, and nothing is claimed
    assert_int_equal(verify(it, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_true(verdict.questions_missing > 0);
    assert_int_equal(verdict.questions + verdict.questions_missing, verdict.charges);
}

static void a_cut_file_is_named_where_it_ends(void **state) {
    (void)state;
    for (size_t i = 0; i < long_log.count; i++) {
        const log_file *file = &long_log.files[i];
        for (unsigned k = 0; k < 8; k++)
            cut(&long_log, file, (size_t)(seeded_next(&long_log.random) % file->bytes.size));
        cut(&long_log, file, 0);
        cut(&long_log, file, file->bytes.size - 1);
        file_restore(file);
    }
    assert_sound(&long_log);
}

static void an_extended_file_is_named_at_its_last_entry(void **state) {
    (void)state;
    static const size_t more[] = {1, 2, GW_HASH_SIZE, 300};
    for (size_t i = 0; i < long_log.count; i++) {
        const log_file *file = &long_log.files[i];
        for (size_t k = 0; k < sizeof(more) / sizeof(more[0]) && file->kind != FILE_QUESTIONS; k++) {
            GW_CLEANUP(gw_buffer_done) gw_buffer longer;
            gw_buffer_init(&longer, SIZE_MAX);
            gw_buffer_append(&longer, file->bytes.data, file->bytes.size);
            for (size_t n = 0; n < more[k]; n++) // what could pass for one more entry as well
                gw_buffer_append(&longer, &(uint8_t){n == 1 ? (uint8_t)(more[k] - 2) : 0}, 1);
            file_write(file, gw_buffer_bytes(&longer));
            assert_tampered(&long_log, file, file->bytes.size, touched(&long_log, file, file->bytes.size));
        }
        file_restore(file);
    }
    assert_sound(&long_log);
}

// Lines that follow the newest charge's belong to charges that a later checkpoint will cover.
static void texts_of_later_charges_are_no_tampering(void **state) {
    (void)state;
    const log_file *file = &long_log.files[long_log.count - 1];
    assert_int_equal(file->kind, FILE_QUESTIONS);
    FILE *stream = fopen(file->path, "ab");
    assert_non_null(stream);
    fputs("{\"question\":\"of a charge to come\"}\n{\"question\":\"half wri", stream);
    fclose(stream);
    assert_sound(&long_log);
    file_restore(file);
}

// Whoever reads a log while it is published holds a checkpoint whose narrow files are gone: wider ones took their
// place.
static void a_log_that_goes_on_meanwhile_is_checked_all_the_same(void **state) {
    (void)state;
    world moving = {.count = 0};
    gw_audit_verdict verdict;
    gw_buffer older;
    char path[256];
    small_log_make(&moving.log, CHARGES_SHORT);
    uint64_t size = moving.log.size;
    snprintf(path, sizeof(path), "%s/checkpoint", moving.log.log);
    gw_buffer_init(&older, 65536);
    assert_int_equal(gw_file_read(path, &older, NULL), GW_OK);
    small_log_grow(&moving.log, 2);
    files_find(&moving);
    file_write(&moving.files[0], gw_buffer_bytes(&older)); // as it was read before
    gw_audit_options options = {.log_key = &moving.log.key, .questions_folder = moving.log.questions};
    assert_int_equal(gw_audit_verify(moving.log.log, &options, NULL, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_true(verdict.size == size && moving.log.size > size);
    for (size_t i = 1; i < moving.count - 1; i++) { // not less is demanded of them
        const log_file *file = &moving.files[i];
        const gw_bytes shorter = {.data = file->bytes.data, .size = file->bytes.size - 1};
        file_write(file, shorter);
        assert_int_equal(gw_audit_verify(moving.log.log, &options, NULL, &verdict), GW_OK);
        assert_false(verdict.is_sound);
        assert_int_equal(unlink(file->path), 0);
        assert_int_equal(gw_audit_verify(moving.log.log, &options, NULL, &verdict), GW_NOT_FOUND);
        file_restore(file);
    }
    gw_buffer_done(&older);
    for (size_t i = 0; i < moving.count; i++)
        gw_buffer_done(&moving.files[i].bytes);
    small_log_remove(&moving.log);
}

static void a_missing_or_unreadable_file_cannot_be_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < long_log.count; i++) {
        const log_file *file = &long_log.files[i];
        gw_audit_verdict verdict;
        assert_int_equal(unlink(file->path), 0);
        gw_status status = verify(&long_log, &verdict);
        if (file->kind == FILE_QUESTIONS) {
            assert_int_equal(status, GW_OK);
            assert_true(verdict.is_sound);
            assert_int_equal(verdict.questions_missing, verdict.charges);
        } else {
            assert_int_equal(status, GW_NOT_FOUND);
            assert_false(verdict.is_complete);
            assert_string_equal(verdict.problem.code, "file_missing");
        }
        assert_int_equal(mkdir(file->path, 0700), 0); // opens, and cannot be read, for root too
        assert_int_equal(verify(&long_log, &verdict), GW_IO);
        assert_false(verdict.is_complete);
        assert_int_equal(rmdir(file->path), 0);
        file_restore(file);
    }
    assert_sound(&long_log);
}

static void exchanged_files_are_named(void **state) {
    (void)state;
    for (size_t i = 0; i < long_log.count; i++)
        for (size_t k = i + 1; k < long_log.count; k++) {
            const log_file *a = &long_log.files[i], *b = &long_log.files[k];
            gw_audit_verdict verdict;
            file_write(a, gw_buffer_bytes(&b->bytes));
            file_write(b, gw_buffer_bytes(&a->bytes));
            assert_int_equal(verify(&long_log, &verdict), GW_OK);
            assert_false(verdict.is_sound);
            if (a->kind == b->kind && a->kind != FILE_CHECKPOINT && a->level == b->level)
                assert_int_equal(verdict.first_bad, touched(&long_log, a->number < b->number ? a : b, 0));
            file_restore(a);
            file_restore(b);
        }
    assert_sound(&long_log);
}

// Two entries of one bundle in each other's place, each with its own bytes.
static void exchanged_entries_are_named(void **state) {
    (void)state;
    for (size_t i = 0; i < short_log.count; i++) {
        const log_file *file = &short_log.files[i];
        if (file->kind != FILE_BUNDLE)
            continue;
        gw_bytes rest = gw_buffer_bytes(&file->bytes), entry;
        const uint8_t *begins[3] = {rest.data};
        for (size_t k = 0; k < 10; k++) { // entries 9 and 10
            assert_true(gw_bundle_next(&rest, &entry));
            begins[0] = k == 8 ? rest.data : begins[0];
        }
        begins[1] = rest.data;
        assert_true(gw_bundle_next(&rest, &entry));
        begins[2] = rest.data;
        GW_CLEANUP(gw_buffer_done) gw_buffer changed;
        gw_buffer_init(&changed, GW_BUNDLE_BYTES_MAX);
        gw_buffer_append(&changed, file->bytes.data, (size_t)(begins[0] - file->bytes.data));
        gw_buffer_append(&changed, begins[1], (size_t)(begins[2] - begins[1]));
        gw_buffer_append(&changed, begins[0], (size_t)(begins[1] - begins[0]));
        gw_buffer_append(&changed, begins[2], (size_t)(file->bytes.data + file->bytes.size - begins[2]));
        assert_int_equal(changed.size, file->bytes.size);
        file_write(file, gw_buffer_bytes(&changed));
        assert_tampered(&short_log, file, 0, 9);
        file_restore(file);
    }
    assert_sound(&short_log);
}

// ---- texts of questions

static void a_missing_line_is_counted_and_the_next_change_still_named(void **state) {
    (void)state;
    const log_file *file = &long_log.files[long_log.count - 1];
    const char *text = gw_buffer_string(&file->bytes), *line = text;
    for (int i = 0; i < 20; i++)
        line = strchr(line, '\n') + 1;
    const char *next = strchr(line, '\n') + 1;
    GW_CLEANUP(gw_buffer_done) gw_buffer changed;
    gw_buffer_init(&changed, SIZE_MAX);
    gw_buffer_append(&changed, text, (size_t)(line - text));
    gw_buffer_append(&changed, next, file->bytes.size - (size_t)(next - text));
    file_write(file, gw_buffer_bytes(&changed));
    gw_audit_verdict verdict;
    assert_int_equal(verify(&long_log, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_int_equal(verdict.questions_missing, 1);
    size_t at = (size_t)(line - text) + 1000; // in a later line
    changed.data[at] ^= 4;
    file_write(file, gw_buffer_bytes(&changed));
    assert_tampered(&long_log, file, at, touched(&long_log, file, at + (size_t)(next - line)));
    file_restore(file);
    assert_sound(&long_log);
}

// A charge whose text is lost, and behind it the text of a charge to come: whose it is, only the next checkpoint tells.
static void put_newer_checkpoint(void *state, uint64_t done, uint64_t size) {
    const gw_bytes *newer = state;
    if (done == size)
        file_write(&short_log.files[0], *newer);
}

static void texts_of_a_log_that_goes_on_accuse_nobody(void **state) {
    (void)state;
    const log_file *file = &short_log.files[short_log.count - 1];
    const char *text = gw_buffer_string(&file->bytes), *last = text + file->bytes.size - 1;
    while (last > text && last[-1] != '\n')
        last--;
    GW_CLEANUP(gw_buffer_done) gw_buffer changed;
    GW_CLEANUP(gw_buffer_done) gw_buffer newer;
    gw_buffer_init(&changed, SIZE_MAX);
    gw_buffer_init(&newer, 65536);
    gw_buffer_append(&changed, text, (size_t)(last - text));
    gw_buffer_text(&changed, "{\"question\":\"of a charge to come\"}\n");
    file_write(file, gw_buffer_bytes(&changed));
    assert_tampered(&short_log, file, (size_t)(last - text), touched(&short_log, file, (size_t)(last - text)));
    gw_checkpoint later = {.size = short_log.log.size + 1};
    snprintf(later.origin, sizeof(later.origin), "%s", short_log.log.key.name);
    gw_checkpoint_text(&later, &newer);
    gw_buffer_format(&newer, "\n\u2014 %s AAAAAAA=\n", later.origin);
    gw_bytes note = gw_buffer_bytes(&newer);
    gw_audit_options options = {.log_key = &short_log.log.key,
                                .questions_folder = short_log.log.questions,
                                .progress = put_newer_checkpoint,
                                .progress_state = &note};
    gw_audit_verdict verdict;
    assert_int_equal(gw_audit_verify(short_log.log.log, &options, NULL, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_int_equal(verdict.questions_missing, 1);
    file_restore(&short_log.files[0]);
    file_restore(file);
    assert_sound(&short_log);
}

// A text that has its hash, as it should: what its owner charged for it is another matter.
static void assert_priced(const char *format, uint64_t micro, uint64_t micro_again, const char *code) {
    world priced = {.count = 0};
    gw_audit_verdict verdict;
    char text[300];
    small_log_make(&priced.log, 1);
    snprintf(text, sizeof(text), format, FIXTURE_DATASET, priced.log.ledger.data);
    uint64_t first = priced.log.size;
    small_log_ask(&priced.log, text, micro, SMALL_LOG_ANSWER);
    small_log_ask(&priced.log, text, micro_again, SMALL_LOG_ANSWER);
    gw_audit_options options = {.log_key = &priced.log.key, .questions_folder = priced.log.questions};
    assert_int_equal(gw_audit_verify(priced.log.log, &options, NULL, &verdict), GW_OK);
    assert_int_equal(verdict.is_sound, code == NULL);
    if (code != NULL) {
        assert_string_equal(verdict.problem.code, code);
        assert_int_equal(verdict.first_bad, first + (micro != micro_again ? 2 : 0));
    }
    small_log_remove(&priced.log);
}

static void a_question_is_charged_what_its_text_costs(void **state) {
    (void)state;
    static const char whole[] = "{\"v\":1,\"dataset\":\"%s\",\"data\":\"%s\",\"by\":[],\"epsilon\":\"0.000002\"}";
    static const char other[] = "{\"v\":1,\"dataset\":\"other\",\"also\":[\"%s\",\"%s\"],\"epsilon\":\"0.000002\"}";
    static const char inner[] =
        "{\"v\":1,\"dataset\":\"%s\",\"data\":\"%s\",\"of\":{\"x\":1,\"epsilon\":\"9\"},\"epsilon\":\"0.000002\"}";
    assert_priced(whole, 2, 2, NULL);
    assert_priced(inner, 2, 2, NULL);
    assert_priced(whole, 1, 1, "bad_price");
    assert_priced(whole, 3, 3, "bad_price");
    assert_priced(whole, 2, 1, "bad_price"); // its text stands with the first
    assert_priced(other, 2, 2, "bad_price");
}

// Charged for a cheap question, answered a dear one: the hashes of answer and charge are both in the log.
static void an_answer_to_another_question_is_found_by_its_receipt(void **state) {
    (void)state;
    static const char question[] = "{\"question\":\"a cheap one\"}";
    char hex[GW_HASH_HEX], answer[160];
    gw_hash hash = gw_sha256(gw_bytes_of(question));
    gw_hex((gw_bytes){hash.bytes, sizeof(hash.bytes)}, hex);
    for (unsigned i = 0; i < 3; i++) {
        world asked = {.count = 0};
        GW_CLEANUP(gw_buffer_done) gw_buffer receipt;
        gw_problem problem = {0};
        gw_buffer_init(&receipt, 1u << 20);
        hex[63] = (char)(i == 1 ? hex[63] ^ 1 : hex[63]);
        snprintf(answer, sizeof(answer), "{\"v\":1,\"question\":\"%.*s\"}", i == 2 ? 63 : 64, hex);
        small_log_make(&asked.log, 1);
        uint64_t first = asked.log.size;
        small_log_ask(&asked.log, question, 1, answer);
        small_log_receipt(&asked.log, first, &receipt);
        gw_status status = gw_audit_receipt(gw_buffer_bytes(&receipt), gw_bytes_of(answer), (gw_bytes){0},
                                            &asked.log.key, NULL, NULL, &problem);
        assert_int_equal(status, i == 0 ? GW_OK : GW_CORRUPT);
        if (i > 0)
            assert_string_equal(problem.code, "bad_question");
        small_log_remove(&asked.log);
        hex[63] = (char)(i == 1 ? hex[63] ^ 1 : hex[63]);
    }
}

static size_t line_of(const log_file *file, size_t number, size_t *ret_size) {
    const char *text = gw_buffer_string(&file->bytes), *line = text;
    while (number-- > 0)
        line = strchr(line, '\n') + 1;
    *ret_size = (size_t)(strchr(line, '\n') + 1 - line);
    return (size_t)(line - text);
}

// The texts of two charges in each other's place, or one of them in both: the first that has another's is named.
static void exchanged_texts_are_named(void **state) {
    (void)state;
    const log_file *file = &long_log.files[long_log.count - 1];
    static const size_t pairs[][2] = {
        {0, 1}, {2, 7}, {20, 100}, {CHARGES_LONG - 2, CHARGES_LONG - 1}, {0, CHARGES_LONG - 1}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        for (int is_copy = 0; is_copy < 3; is_copy++) {
            size_t sizes[2], ats[2];
            for (int k = 0; k < 2; k++)
                ats[k] = line_of(file, pairs[i][k], &sizes[k]);
            int first = is_copy == 2 ? 0 : 1, second = is_copy == 1 ? 1 : 0; // which text stands at which place
            GW_CLEANUP(gw_buffer_done) gw_buffer changed;
            gw_buffer_init(&changed, SIZE_MAX);
            gw_buffer_append(&changed, file->bytes.data, ats[0]);
            gw_buffer_append(&changed, file->bytes.data + ats[first], sizes[first]);
            gw_buffer_append(&changed, file->bytes.data + ats[0] + sizes[0], ats[1] - ats[0] - sizes[0]);
            gw_buffer_append(&changed, file->bytes.data + ats[second], sizes[second]);
            gw_buffer_append(&changed, file->bytes.data + ats[1] + sizes[1], file->bytes.size - ats[1] - sizes[1]);
            file_write(file, gw_buffer_bytes(&changed));
            assert_tampered(&long_log, file, ats[0], question_entry(&long_log, file, ats[is_copy == 2 ? 1 : 0]));
        }
    file_restore(file);
    assert_sound(&long_log);
}

// ---- lies that were hashed and signed

// Hashing runs ahead of the fold, so it has seen trees that hold the lie: none of their roots is told.
static void a_signed_lie_is_named_and_no_later_tree_is_told(void **state) {
    (void)state;
    log_book book;
    char folder[160];
    uint64_t lie = 0;
    snprintf(folder, sizeof(folder), "%s/lie", short_log.log.ledger.folder);
    log_book_init(&book);
    log_book_settle(&book);
    for (unsigned i = 0; i < 300; i++) {
        char release[GW_RELEASE_ID_MAX];
        uint64_t charge = log_book_charge(&book, i % 2 == 0 ? BOOK_RESEARCHER : BOOK_STUDENT, 10000);
        lie = i == 140 ? charge : lie;
        snprintf(release, sizeof(release), "GW-2026-%06u", i);
        assert_true(log_book_release(&book, charge, release) > charge);
    }
    book.entries[lie].charge.spent_dataset--;
    log_book_publish(&book, book.count, folder);
    gw_note_key key = log_book_note_key(&book);
    for (unsigned i = 0; i < 20; i++) {
        gw_audit_root roots[] = {{.size = lie - 60}, {.size = lie}, {.size = lie + 1}, {.size = 2 * GW_TILE_WIDTH}};
        gw_audit_options options = {.log_key = &key, .roots = roots, .root_count = 4};
        gw_audit_verdict verdict;
        assert_int_equal(gw_audit_verify(folder, &options, NULL, &verdict), GW_OK);
        assert_false(verdict.is_sound);
        assert_int_equal(verdict.first_bad, lie);
        assert_int_equal(verdict.entries, lie);
        assert_string_equal(verdict.problem.code, "spent_mismatch");
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(roots[k].is_known, roots[k].size <= lie);
    }
    log_book_done(&book);
}

// ---- nothing else lies there

static size_t files_count(const char *path) {
    size_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    struct dirent *item;
    while ((item = readdir(folder)) != NULL) {
        char inner[1024];
        struct stat facts;
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof(inner), "%s/%s", path, item->d_name);
        assert_int_equal(lstat(inner, &facts), 0);
        count += S_ISDIR(facts.st_mode) ? files_count(inner) : 1;
    }
    closedir(folder);
    return count;
}

static void every_file_of_the_log_is_one_the_checkpoint_needs(void **state) {
    (void)state;
    assert_int_equal(files_count(long_log.log.log), long_log.count - 1); // the last is the questions'
    assert_int_equal(files_count(short_log.log.log), short_log.count - 1);
}

int main(int argc, char **argv) {
    is_whole = argc > 1 && strcmp(argv[1], "all") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_byte_of_a_short_log_is_named),
        cmocka_unit_test(flipped_bytes_of_full_tiles_and_levels_above_are_named),
        cmocka_unit_test(a_cut_file_is_named_where_it_ends),
        cmocka_unit_test(an_extended_file_is_named_at_its_last_entry),
        cmocka_unit_test(texts_of_later_charges_are_no_tampering),
        cmocka_unit_test(a_log_that_goes_on_meanwhile_is_checked_all_the_same),
        cmocka_unit_test(a_missing_or_unreadable_file_cannot_be_checked),
        cmocka_unit_test(exchanged_files_are_named),
        cmocka_unit_test(exchanged_entries_are_named),
        cmocka_unit_test(a_missing_line_is_counted_and_the_next_change_still_named),
        cmocka_unit_test(texts_of_a_log_that_goes_on_accuse_nobody),
        cmocka_unit_test(a_question_is_charged_what_its_text_costs),
        cmocka_unit_test(an_answer_to_another_question_is_found_by_its_receipt),
        cmocka_unit_test(exchanged_texts_are_named),
        cmocka_unit_test(a_signed_lie_is_named_and_no_later_tree_is_told),
        cmocka_unit_test(every_file_of_the_log_is_one_the_checkpoint_needs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
