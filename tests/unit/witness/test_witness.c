// SPDX-License-Identifier: Apache-2.0
// A witness's decisions without a network: each rule of add-checkpoint once, what is on disk before a cosignature
// leaves, and racing requests.
#include "service/witness/witness.h"
#include "service/base/file.h"
#include "service/witness/add_body.h"
#include "tests/unit/witness/small_log.h"
#include <dirent.h>
#include <pthread.h>

#define NAME "witness.example/w1"
#define ORIGIN "log.example/one"

static int64_t fake_now = 1700000000;
static int64_t fake_seconds(void *state) {
    (void)state;
    return fake_now;
}
static const gw_clock fake_clock = {.unix_seconds = fake_seconds};

typedef struct {
    gw_witness *witness;
    gw_note_key key;
    small_log log;
    void *folder;
} world;

static void world_open(void **state, world *w) {
    *w = (world){.folder = *state, .log = small_log_new(ORIGIN, 0x51)};
    fake_now = 1700000000;
    assert_int_equal(gw_witness_init(*state, NAME, NULL), GW_OK);
    assert_int_equal(gw_witness_open(*state, fake_clock, &w->witness, NULL), GW_OK);
    assert_int_equal(gw_witness_add_log(w->witness, w->log.vkey, NULL), GW_OK);
    gw_witness_key(w->witness, &w->key);
}

static void world_close(world *w) {
    gw_witness_close(w->witness);
    gw_secret_key_free(w->log.secret);
}

static void log_file(const world *w, const char *name, char path[512]) {
    char id[GW_HASH_HEX];
    gw_hash hash = gw_sha256(gw_bytes_of(ORIGIN));
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, id);
    snprintf(path, 512, "%s/logs/%s/%s", (const char *)w->folder, id, name);
}

// Asks with the proof from old_size to size; the reply's text and content type where they are wanted.
typedef struct {
    unsigned status;
    char text[1024], type[64];
} answer;

static answer ask_bytes(world *w, gw_bytes body) {
    gw_witness_reply reply;
    answer got = {0};
    gw_witness_add(w->witness, body, &reply);
    got.status = reply.status;
    snprintf(got.text, sizeof(got.text), "%s", gw_buffer_string(&reply.body));
    snprintf(got.type, sizeof(got.type), "%s", reply.content_type);
    gw_buffer_done(&reply.body);
    return got;
}

static answer ask_log(world *w, small_log *log, uint64_t old_size, uint64_t size, uint64_t named_size) {
    gw_buffer note, body;
    gw_buffer_init(&note, 4096);
    gw_buffer_init(&body, GW_ADD_BODY_MAX);
    small_log_sign(log, size, &note);
    gw_add_body add = {.old_size = named_size, .note = gw_buffer_bytes(&note)};
    if (old_size <= size)
        assert_int_equal(gw_merkle_consistency(small_log_tree(log), old_size, size, &add.proof), GW_OK);
    gw_add_body_write(&add, &body);
    answer got = ask_bytes(w, gw_buffer_bytes(&body));
    gw_buffer_done(&note);
    gw_buffer_done(&body);
    return got;
}

static answer ask(world *w, uint64_t old_size, uint64_t size) {
    return ask_log(w, &w->log, old_size, size, old_size);
}

// The cosignature in a reply, held against the log's text; its time.
static uint64_t cosigned_time(world *w, const answer *got, uint64_t size) {
    gw_buffer text;
    gw_note_signature line;
    uint64_t time = 0;
    gw_bytes rest = gw_bytes_of(got->text);
    gw_checkpoint checkpoint = small_log_checkpoint(&w->log, size);
    gw_buffer_init(&text, 512);
    gw_checkpoint_text(&checkpoint, &text);
    assert_int_equal(gw_note_next(&rest, &line), GW_OK);
    assert_true(gw_cosignature_holds(&line, &w->key, gw_buffer_bytes(&text), &time));
    assert_int_equal(rest.size, 0);
    gw_buffer_done(&text);
    return time;
}

static void a_growing_log_is_cosigned_step_by_step(void **state) {
    world w;
    world_open(state, &w);
    static const uint64_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 511, 512, 600};
    uint64_t old_size = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        answer got = ask(&w, old_size, sizes[i]);
        assert_int_equal(got.status, 200);
        assert_int_equal(cosigned_time(&w, &got, sizes[i]), 1700000000);
        old_size = sizes[i];
    }
    answer again = ask(&w, 600, 600); // the same tree once more: vouched for as of now
    assert_int_equal(again.status, 200);
    world_close(&w);
}

static void another_old_size_hears_the_one_that_was_cosigned(void **state) {
    world w;
    world_open(state, &w);
    assert_int_equal(ask(&w, 0, 5).status, 200);
    answer got = ask(&w, 0, 9);
    assert_int_equal(got.status, 409);
    assert_string_equal(got.text, "5\n");
    assert_string_equal(got.type, "text/x.tlog.size");
    assert_string_equal(ask(&w, 4, 9).text, "5\n");
    assert_string_equal(ask(&w, 6, 9).text, "5\n");
    assert_int_equal(ask(&w, 5, 9).status, 200);
    answer back = ask(&w, 5, 5); // an older tree, properly signed
    assert_int_equal(back.status, 409);
    assert_string_equal(back.text, "9\n");
    world_close(&w);
}

static void a_log_that_is_not_known_is_not_found_and_leaves_nothing_behind(void **state) {
    world w;
    world_open(state, &w);
    small_log other = small_log_new("log.example/two", 0x52);
    assert_int_equal(ask_log(&w, &other, 0, 3, 0).status, 404);
    char path[512];
    unsigned count = 0;
    snprintf(path, sizeof(path), "%s/logs", (const char *)*state);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *one; (one = readdir(folder)) != NULL;)
        count += one->d_name[0] != '.';
    closedir(folder);
    assert_int_equal(count, 1);
    gw_secret_key_free(other.secret);
    world_close(&w);
}

static void a_checkpoint_that_the_log_did_not_sign_is_forbidden(void **state) {
    world w;
    world_open(state, &w);
    small_log forger = small_log_new(ORIGIN, 0x53); // the right name, another key
    assert_int_equal(ask_log(&w, &forger, 0, 3, 0).status, 403);
    assert_int_equal(ask(&w, 0, 3).status, 200); // and it did no harm
    // The known name and key id over a signature that does not hold, beside one that does.
    gw_buffer body;
    gw_buffer_init(&body, GW_ADD_BODY_MAX);
    gw_buffer_text(&body, "old 3\n\n");
    small_log_sign(&w.log, 3, &body);
    gw_buffer note;
    gw_buffer_init(&note, 4096);
    small_log_sign(&w.log, 2, &note);
    gw_buffer_text(&body, strstr(gw_buffer_string(&note), "\xe2\x80\x94"));
    assert_int_equal(ask_bytes(&w, gw_buffer_bytes(&body)).status, 403);
    gw_buffer_done(&note);
    gw_buffer_done(&body);
    gw_secret_key_free(forger.secret);
    world_close(&w);
}

static void what_does_not_continue_the_tree_is_refused_and_kept_as_evidence(void **state) {
    world w;
    world_open(state, &w);
    assert_int_equal(ask(&w, 0, 5).status, 200);
    small_log other = w.log;
    other.parts_at = 3; // signed by the same key
    char path[512];
    log_file(&w, "refused", path);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(ask_log(&w, &other, 5, 9, 5).status, 422);
    gw_buffer kept, note;
    gw_buffer_init(&kept, 4096);
    gw_buffer_init(&note, 4096);
    assert_int_equal(gw_file_read(path, &kept, NULL), GW_OK);
    small_log_sign(&other, 9, &note);
    assert_true(gw_bytes_equal(gw_buffer_bytes(&kept), gw_buffer_bytes(&note)));
    assert_int_equal(ask_log(&w, &other, 5, 5, 5).status, 422); // the same size, another root
    other.parts_at = 7;
    assert_int_equal(ask_log(&w, &other, 5, 9, 5).status, 200); // parts after what was seen: nobody can know yet
    gw_buffer_done(&kept);
    gw_buffer_done(&note);
    world_close(&w);
}

static void a_proof_that_is_wrong_is_refused(void **state) {
    world w;
    world_open(state, &w);
    assert_int_equal(ask_log(&w, &w.log, 3, 5, 0).status, 422); // from nothing there is nothing to prove
    assert_int_equal(ask(&w, 0, 5).status, 200);
    assert_int_equal(ask_log(&w, &w.log, 4, 9, 5).status, 422); // a proof from another size
    assert_int_equal(ask_log(&w, &w.log, 9, 9, 5).status, 422); // none
    assert_int_equal(ask_log(&w, &w.log, 3, 5, 5).status, 422); // one where none belongs
    assert_int_equal(ask(&w, 5, 9).status, 200);
    world_close(&w);
}

static void an_empty_tree_has_the_root_of_nothing(void **state) {
    world w;
    world_open(state, &w);
    gw_buffer body;
    gw_buffer_init(&body, GW_ADD_BODY_MAX);
    gw_buffer_text(&body, "old 0\n\n");
    gw_checkpoint wrong = small_log_checkpoint(&w.log, 1);
    wrong.size = 0;
    gw_checkpoint_sign(&wrong, w.log.secret, &body);
    assert_int_equal(ask_bytes(&w, gw_buffer_bytes(&body)).status, 422);
    assert_int_equal(ask(&w, 0, 0).status, 200);
    gw_buffer_done(&body);
    world_close(&w);
}

static void malformed_requests_are_called_that(void **state) {
    world w;
    world_open(state, &w);
    static const char *const bodies[] = {
        "",
        "old 0",
        "old 0\n",
        "old 0\n\n",
        "old 0\n\nno note\n",
        "old -1\n\n" ORIGIN "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 " ORIGIN
        " AAAAAAAAAAAA\n",
        "old 00\n\n" ORIGIN "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 " ORIGIN
        " AAAAAAAAAAAA\n",
        "Old 0\n\n" ORIGIN "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 " ORIGIN
        " AAAAAAAAAAAA\n",
        "old 0\nAAAA\n\n" ORIGIN "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 " ORIGIN
        " AAAAAAAAAAAA\n",
        "old 0\n" ORIGIN "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 " ORIGIN " AAAAAAAAAAAA\n",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_int_equal(ask_bytes(&w, gw_bytes_of(bodies[i])).status, 400);
    assert_int_equal(ask_log(&w, &w.log, 9, 5, 9).status, 400); // the old size is larger than the new
    gw_buffer body;
    gw_buffer_init(&body, GW_ADD_BODY_MAX);
    gw_buffer_text(&body, "old 1\n");
    for (unsigned i = 0; i < 64; i++)
        gw_buffer_text(&body, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    gw_buffer_text(&body, "\n");
    small_log_sign(&w.log, 3, &body);
    assert_int_equal(ask_bytes(&w, gw_buffer_bytes(&body)).status, 400); // 63 hashes are the most
    gw_buffer_done(&body);
    world_close(&w);
}

static void what_was_seen_survives_and_is_what_monitors_get(void **state) {
    world w;
    world_open(state, &w);
    answer got = ask(&w, 0, 5);
    gw_witness_close(w.witness);
    assert_int_equal(gw_witness_open(*state, fake_clock, &w.witness, NULL), GW_OK);
    assert_string_equal(ask(&w, 0, 9).text, "5\n");
    char id[GW_HASH_HEX];
    gw_hash hash = gw_sha256(gw_bytes_of(ORIGIN));
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, id);
    gw_witness_reply reply;
    gw_witness_checkpoint(w.witness, id, 64, &reply);
    assert_int_equal(reply.status, 200);
    gw_checkpoint read;
    gw_note_parts parts;
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&reply.body), &w.log.key, &read, NULL), GW_OK);
    assert_int_equal(read.size, 5);
    assert_int_equal(gw_note_split(gw_buffer_bytes(&reply.body), &parts, NULL), GW_OK);
    assert_int_equal(gw_cosignature_find(&parts, &w.key, NULL), GW_COSIGNATURE_GOOD);
    assert_non_null(strstr(gw_buffer_string(&reply.body), got.text)); // the very line that was returned
    gw_buffer_done(&reply.body);
    gw_witness_checkpoint(w.witness, "../../witness.key", 17, &reply);
    assert_int_equal(reply.status, 404);
    gw_buffer_done(&reply.body);
    id[0] = id[0] == '0' ? '1' : '0';
    gw_witness_checkpoint(w.witness, id, 64, &reply);
    assert_int_equal(reply.status, 404);
    gw_buffer_done(&reply.body);
    world_close(&w);
}

static void the_time_of_a_cosignature_never_goes_back(void **state) {
    world w;
    world_open(state, &w);
    assert_int_equal(ask(&w, 0, 3).status, 200);
    fake_now -= 5000;
    answer got = ask(&w, 3, 5);
    assert_int_equal(cosigned_time(&w, &got, 5), 1700000000);
    fake_now += 5007;
    got = ask(&w, 5, 5);
    assert_int_equal(cosigned_time(&w, &got, 5), 1700000007);
    world_close(&w);
}

// A folder that cannot be written: nothing may be promised that is not on disk.
static void without_a_disk_there_is_no_cosignature(void **state) {
    world w;
    world_open(state, &w);
    assert_int_equal(ask(&w, 0, 3).status, 200);
    char path[512];
    log_file(&w, "checkpoint.new", path);
    assert_int_equal(mkdir(path, 0700), 0); // in the way of the new file, for root too
    answer got = ask(&w, 3, 5);
    assert_int_equal(got.status, 500);
    assert_null(strstr(got.text, NAME));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(ask(&w, 3, 5).status, 200); // the memory had not moved
    world_close(&w);
}

static void files_that_were_lost_or_changed_stop_the_witness(void **state) {
    world w;
    world_open(state, &w);
    assert_int_equal(ask(&w, 0, 3).status, 200);
    char path[512];
    gw_buffer note;
    gw_problem problem = {0};
    gw_buffer_init(&note, 8192);
    log_file(&w, "checkpoint", path);
    assert_int_equal(gw_file_read(path, &note, NULL), GW_OK);
    for (size_t i = 0; i < note.size; i++) {
        note.data[i] ^= 1;
        assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&note), 0644, NULL), GW_OK);
        assert_int_equal(ask(&w, 3, 5).status, 500);
        note.data[i] ^= 1;
        if (i > 8 && i + 8 < note.size)
            i += 7; // every eighth byte of the middle: each is a write that is synced
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ask(&w, 0, 5).status, 500); // gone is not empty
    assert_int_equal(gw_witness_logs(w.witness, NULL, NULL, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "witness_corrupt");
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&note), 0644, NULL), GW_OK);
    assert_int_equal(ask(&w, 3, 5).status, 200);
    gw_buffer_done(&note);
    world_close(&w);
}

// Empty files get lost in copies; what was seen is not begun anew because of it.
static void a_log_that_is_added_again_is_not_forgotten(void **state) {
    world w;
    world_open(state, &w);
    char path[512], vkey[GW_VKEY_MAX];
    gw_note_key_format(&w.log.key, vkey);
    assert_int_equal(ask(&w, 0, 9).status, 200);
    log_file(&w, "lock", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ask(&w, 9, 10).status, 404);
    assert_int_equal(gw_witness_add_log(w.witness, vkey, NULL), GW_OK);
    small_log other = w.log;
    other.parts_at = 4;
    answer got = ask_log(&w, &other, 0, 6, 0);
    assert_int_equal(got.status, 409);
    assert_string_equal(got.text, "9\n");
    assert_int_equal(ask(&w, 9, 10).status, 200);
    world_close(&w);
}

static void log_count(void *state, const gw_witness_log *log) {
    gw_witness_log *last = state;
    *last = *log;
}

static void reset_forgets_one_log_and_keeps_the_old_checkpoint(void **state) {
    world w;
    world_open(state, &w);
    gw_witness_log told = {0};
    assert_int_equal(ask(&w, 0, 9).status, 200);
    assert_int_equal(gw_witness_logs(w.witness, log_count, &told, NULL), GW_OK);
    assert_string_equal(told.origin, ORIGIN);
    assert_int_equal(told.size, 9);
    assert_int_equal(told.time, 1700000000);
    assert_false(told.has_refused);
    small_log other = w.log;
    other.parts_at = 4;
    assert_int_equal(ask_log(&w, &other, 9, 9, 9).status, 422);
    assert_int_equal(gw_witness_reset(w.witness, "log.example/none", NULL), GW_NOT_FOUND);
    assert_int_equal(gw_witness_reset(w.witness, ORIGIN, NULL), GW_OK);
    assert_int_equal(ask_log(&w, &other, 0, 6, 0).status, 200);
    char path[512];
    gw_buffer kept;
    gw_checkpoint read;
    gw_buffer_init(&kept, 8192);
    log_file(&w, "checkpoint.before-reset", path);
    assert_int_equal(gw_file_read(path, &kept, NULL), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&kept), &w.log.key, &read, NULL), GW_OK);
    assert_int_equal(read.size, 9);
    gw_buffer_done(&kept);
    world_close(&w);
}

static void a_log_may_have_a_second_key_and_no_witness_key(void **state) {
    world w;
    world_open(state, &w);
    gw_problem problem = {0};
    char vkey[GW_VKEY_MAX];
    assert_int_equal(gw_witness_add_log(w.witness, w.log.vkey, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "log_known");
    gw_note_key_format(&w.key, vkey);
    assert_int_equal(gw_witness_add_log(w.witness, vkey, &problem), GW_INVALID);
    assert_int_equal(ask(&w, 0, 3).status, 200);
    small_log rotated = small_log_new(ORIGIN, 0x55);
    assert_int_equal(ask_log(&w, &rotated, 3, 5, 3).status, 403);
    assert_int_equal(gw_witness_add_log(w.witness, rotated.vkey, NULL), GW_OK);
    assert_int_equal(ask_log(&w, &rotated, 3, 5, 3).status, 200);
    assert_int_equal(ask(&w, 5, 7).status, 200); // the old key still counts
    gw_secret_key_free(rotated.secret);
    world_close(&w);
}

static void a_witness_is_made_once_and_its_name_is_one(void **state) {
    gw_problem problem = {0};
    gw_witness *witness = NULL;
    assert_int_equal(gw_witness_open(*state, fake_clock, &witness, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.code, "no_witness");
    assert_int_equal(gw_witness_init(*state, "two words", &problem), GW_INVALID);
    assert_int_equal(gw_witness_init(*state, NAME, NULL), GW_OK);
    assert_int_equal(gw_witness_init(*state, NAME, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "witness_exists");
}

#define RACERS 8
typedef struct {
    world *w;
    uint64_t size;
    answer got;
} racer;

static void *race(void *state) {
    racer *mine = state;
    mine->got = ask(mine->w, 4, mine->size);
    return NULL;
}

static void of_racing_requests_one_is_cosigned_and_the_others_hear_its_size(void **state) {
    world w;
    world_open(state, &w);
    uint64_t old_size = 4;
    assert_int_equal(ask(&w, 0, old_size).status, 200);
    pthread_t threads[RACERS];
    racer racers[RACERS];
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (racer){.w = &w, .size = 10 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    unsigned winners = 0;
    uint64_t won = 0;
    for (unsigned i = 0; i < RACERS; i++) {
        pthread_join(threads[i], NULL);
        if (racers[i].got.status == 200) {
            winners++;
            won = racers[i].size;
        }
    }
    assert_int_equal(winners, 1);
    char text[32];
    snprintf(text, sizeof(text), "%llu\n", (unsigned long long)won);
    for (unsigned i = 0; i < RACERS; i++)
        if (racers[i].got.status != 200) {
            assert_int_equal(racers[i].got.status, 409);
            assert_string_equal(racers[i].got.text, text);
        }
    world_close(&w);
}

int main(void) {
#define ONE(test) cmocka_unit_test_setup_teardown(test, unit_folder_new, unit_folder_free)
    const struct CMUnitTest tests[] = {
        ONE(a_growing_log_is_cosigned_step_by_step),
        ONE(another_old_size_hears_the_one_that_was_cosigned),
        ONE(a_log_that_is_not_known_is_not_found_and_leaves_nothing_behind),
        ONE(a_checkpoint_that_the_log_did_not_sign_is_forbidden),
        ONE(what_does_not_continue_the_tree_is_refused_and_kept_as_evidence),
        ONE(a_proof_that_is_wrong_is_refused),
        ONE(an_empty_tree_has_the_root_of_nothing),
        ONE(malformed_requests_are_called_that),
        ONE(what_was_seen_survives_and_is_what_monitors_get),
        ONE(the_time_of_a_cosignature_never_goes_back),
        ONE(without_a_disk_there_is_no_cosignature),
        ONE(files_that_were_lost_or_changed_stop_the_witness),
        ONE(a_log_that_is_added_again_is_not_forgotten),
        ONE(reset_forgets_one_log_and_keeps_the_old_checkpoint),
        ONE(a_log_may_have_a_second_key_and_no_witness_key),
        ONE(a_witness_is_made_once_and_its_name_is_one),
        ONE(of_racing_requests_one_is_cosigned_and_the_others_hear_its_size),
    };
    return gw_crypto_init() == GW_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
