// SPDX-License-Identifier: Apache-2.0
// The signer as a process: it signs over its socket what the rules allow, ends with its daemon, lets nobody else in,
// and one that dies in between leaves an outcome that is not known and a newest tree that is.
#include "service/base/process.h"
#include "service/signer/client.h"
#include "service/signer/codec.h"
#include "service/signer/serve.h"
#include "service/signer/signer.h"
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    ledger_fixture fixture;
    char program[4096], socket[96], key[96];
    pid_t listener; // 0: none
} world;

static int setup(void **state) {
    world *made = calloc(1, sizeof(*made));
    fixture_folder(&made->fixture);
    const char *bin = getenv("GW_BIN");
    snprintf(made->program, sizeof(made->program), "%s/godwit-signer", bin == NULL ? ".build/dev/bin" : bin);
    snprintf(made->socket, sizeof(made->socket), "%s/s", made->fixture.folder);
    snprintf(made->key, sizeof(made->key), "%s/" GW_SIGNER_KEY, made->fixture.folder);
    *state = made;
    return 0;
}

static void listener_kill(world *made) {
    if (made->listener > 0) {
        kill(made->listener, SIGKILL);
        waitpid(made->listener, NULL, 0);
    }
    made->listener = 0;
}

static int teardown(void **state) {
    world *made = *state;
    listener_kill(made);
    fixture_remove(&made->fixture);
    free(made);
    return 0;
}

static void key_write(const world *made) {
    gw_secret_key *key = fixture_key();
    assert_int_equal(gw_key_file_write(made->key, key, NULL), GW_OK);
    gw_secret_key_free(key);
}

static void listen_start(world *made, const char *user) {
    made->listener = fork();
    if (made->listener == 0) {
        execl(made->program, "godwit-signer", "listen", "--dir", made->fixture.folder, "--socket", made->socket,
              user == NULL ? NULL : "--user", user, NULL);
        _exit(127);
    }
}

static gw_tree_signer connect_to(const world *made, bool is_child) {
    gw_tree_signer signer = {0};
    gw_signer_client_options options = {.origin = FIXTURE_ORIGIN,
                                        .socket = is_child ? NULL : made->socket,
                                        .program = made->program,
                                        .folder = made->fixture.folder};
    assert_int_equal(gw_signer_client(&options, &signer, NULL), GW_OK);
    return signer;
}

// Trees of one entry repeated: the root and the way follow from the sizes.
static gw_status node_of(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    *ret = gw_merkle_leaf((gw_bytes){.data = (const uint8_t *)"x", .size = 1});
    for (unsigned i = 0; i < level; i++)
        *ret = gw_merkle_node(*ret, *ret);
    (void)state, (void)index;
    return GW_OK;
}

static gw_status sign(gw_tree_signer *signer, uint64_t from, uint64_t size, gw_buffer *note, gw_problem *problem) {
    gw_merkle_source tree = {.node = node_of};
    gw_merkle_proof proof;
    gw_checkpoint checkpoint = {.origin = FIXTURE_ORIGIN, .size = size};
    assert_int_equal(gw_merkle_root(tree, size, &checkpoint.root), GW_OK);
    assert_int_equal(gw_merkle_consistency(tree, from, size, &proof), GW_OK);
    note->size = 0;
    return signer->sign(signer->state, &checkpoint, &proof, note, problem);
}

static uint64_t newest_of(gw_tree_signer *signer, gw_note_key *ret_key) {
    gw_checkpoint newest;
    gw_problem problem = {0};
    gw_status status = signer->newest(signer->state, ret_key, &newest, &problem);
    if (status != GW_OK)
        fprintf(stderr, "%s: %s %s\n", problem.code, problem.what, problem.why);
    assert_int_equal(status, GW_OK);
    return newest.size;
}

static void talk(world *made, bool is_child) {
    gw_note_key key, old_key, new_key;
    gw_checkpoint opened;
    gw_problem problem = {0};
    gw_buffer note;
    gw_buffer_init(&note, 8192);
    gw_tree_signer signer = connect_to(made, is_child);
    assert_int_equal(newest_of(&signer, &key), 0);
    assert_int_equal(sign(&signer, 0, 5, &note, &problem), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &key, &opened, NULL), GW_OK);
    assert_int_equal(opened.size, 5);
    assert_int_equal(sign(&signer, 5, 70000, &note, &problem), GW_OK);
    assert_int_equal(sign(&signer, 4, 4, &note, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "signer_ahead");
    assert_non_null(strstr(problem.what, "70000"));
    assert_int_equal(sign(&signer, 5, 70001, &note, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "bad_proof");
    assert_int_equal(signer.rotate(signer.state, &old_key, &new_key, &problem), GW_OK);
    assert_memory_equal(old_key.id, key.id, sizeof(key.id));
    assert_int_equal(sign(&signer, 70000, 70000, &note, &problem), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &old_key, &opened, NULL), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &new_key, &opened, NULL), GW_OK);
    signer.close(signer.state);
    signer = connect_to(made, is_child);
    assert_int_equal(newest_of(&signer, &key), 70000);
    assert_true(signer.has_key(signer.state, &old_key));
    assert_true(signer.has_key(signer.state, &new_key));
    assert_int_equal(signer.finish(signer.state, &problem), GW_OK);
    assert_false(signer.has_key(signer.state, &old_key));
    assert_int_equal(signer.finish(signer.state, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "no_rotation");
    signer.close(signer.state);
    gw_buffer_done(&note);
}

static void a_child_signs_what_the_rules_allow(void **state) {
    key_write(*state);
    talk(*state, true);
}

static void a_signer_that_listens_makes_its_key_and_signs(void **state) {
    world *made = *state;
    struct stat facts;
    listen_start(made, NULL);
    talk(made, false);
    assert_int_equal(stat(made->key, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0400);
}

static void a_signer_that_dies_leaves_an_unknown_outcome_and_a_known_tree(void **state) {
    world *made = *state;
    gw_note_key key;
    gw_problem problem = {0};
    gw_buffer note;
    gw_buffer_init(&note, 8192);
    key_write(made);
    listen_start(made, NULL);
    gw_tree_signer signer = connect_to(made, false);
    assert_int_equal(newest_of(&signer, &key), 0);
    assert_int_equal(sign(&signer, 0, 9, &note, NULL), GW_OK);
    listener_kill(made);
    assert_int_equal(sign(&signer, 9, 10, &note, &problem), GW_RETRY);
    assert_string_equal(problem.code, "signer_unknown");
    listen_start(made, NULL);
    assert_int_equal(sign(&signer, 9, 10, &note, &problem), GW_RETRY); // it is not looked for again
    signer.close(signer.state);
    signer = connect_to(made, false);
    assert_int_equal(newest_of(&signer, &key), 9);
    assert_int_equal(sign(&signer, 9, 10, &note, NULL), GW_OK);
    signer.close(signer.state);
    gw_buffer_done(&note);
}

static void it_lets_nobody_else_in(void **state) {
    world *made = *state;
    gw_note_key key;
    gw_checkpoint newest;
    gw_problem problem = {0};
    listen_start(made, geteuid() == 0 ? "nobody" : "root");
    gw_tree_signer signer = connect_to(made, false);
    assert_int_equal(signer.newest(signer.state, &key, &newest, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "signer_unavailable");
    signer.close(signer.state);
}

static void it_ends_with_its_daemon(void **state) {
    world *made = *state;
    const char *arguments[] = {"godwit-signer", "serve", made->fixture.folder, NULL};
    gw_process process;
    key_write(made);
    assert_int_equal(gw_process_start(made->program, arguments, &process), GW_OK);
    close(process.descriptor);
    int status = -1;
    for (unsigned i = 0; i < 1000 && waitpid(process.pid, &status, WNOHANG) == 0; i++)
        usleep(10000);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_missing_program_or_key_is_said(void **state) {
    world *made = *state;
    gw_note_key key;
    gw_checkpoint newest;
    gw_problem problem = {0};
    gw_tree_signer signer = connect_to(made, true); // no key in the folder
    assert_int_equal(signer.newest(signer.state, &key, &newest, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.code, "key_file_missing");
    signer.close(signer.state);
    snprintf(made->program, sizeof(made->program), "%s/no-such-program", made->fixture.folder);
    signer = connect_to(made, true);
    assert_int_equal(signer.newest(signer.state, &key, &newest, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "signer_unavailable");
    signer.close(signer.state);
}

// ---- the language

typedef struct {
    int descriptor;
    const char *folder;
    gw_status status;
} served;

static void *serve_run(void *state) {
    served *one = state;
    one->status = gw_signer_serve(one->descriptor, one->folder);
    close(one->descriptor);
    return NULL;
}

// What the signer makes of these bytes; its replies are thrown away.
static gw_status serve_bytes(const world *made, const void *bytes, size_t size) {
    int pair[2];
    pthread_t thread;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    served one = {.descriptor = pair[1], .folder = made->fixture.folder};
    assert_int_equal(send(pair[0], bytes, size, 0), (int)size);
    shutdown(pair[0], SHUT_WR);
    pthread_create(&thread, NULL, serve_run, &one);
    char reply[4096];
    while (read(pair[0], reply, sizeof(reply)) > 0)
        ;
    pthread_join(thread, NULL);
    close(pair[0]);
    return one.status;
}

#define HELLO "\x01\x01\x00\x00\x00\x00\x00\x15" FIXTURE_ORIGIN

static void other_languages_are_hung_up_on(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        gw_status status;
    } cases[] = {
        {"", 0, GW_OK},
        {HELLO, 29, GW_OK},
        {HELLO, 20, GW_OK},                                  // cut short: gone
        {"\x02\x01\x00\x00\x00\x00\x00\x00", 8, GW_CORRUPT}, // another version
        {"\x01\x00\x00\x00\x00\x00\x00\x00", 8, GW_CORRUPT}, // unknown kinds
        {"\x01\x05\x00\x00\x00\x00\x00\x00", 8, GW_CORRUPT}, //
        {"\x01\x01\x00\x00\x00\x00\x00\x00", 8, GW_CORRUPT}, // no origin
        {"\x01\x01\x00\x00\x00\x00\x00\x03"
         "a\0b",
         11, GW_CORRUPT},                                    // nor one with a NUL
        {"\x01\x02\x00\x00\x00\x00\x00\x00", 8, GW_CORRUPT}, // before hello
        {"\x01\x03\x00\x00\x00\x00\x00\x00", 8, GW_CORRUPT}, //
        {"\x01\x04\x00\x00\x00\x00\x00\x00", 8, GW_CORRUPT}, //
        {"\x01\x01\x00\x00\x00\x00\x20\x01", 8, GW_CORRUPT}, // longer than any payload
        {"\x01\x01\x00\x00\xff\xff\xff\xff", 8, GW_CORRUPT}, //
        {HELLO HELLO, 58, GW_CORRUPT},                       // twice
        {HELLO "\x01\x02\x00\x00\x00\x00\x00\x05"
               "12345",
         42, GW_CORRUPT}, // no tree
    };
    world *made = *state;
    key_write(made);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(serve_bytes(made, cases[i].bytes, cases[i].size), cases[i].status);
}

static void random_bytes_do_no_harm(void **state) {
    world *made = *state;
    unsigned random = 20260921;
    key_write(made);
    for (unsigned round = 0; round < 300; round++) {
        uint8_t bytes[29 + 256];
        memcpy(bytes, HELLO, 29);
        for (size_t i = 29; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)rand_r(&random);
        bytes[29] = 1; // as far in as may be
        bytes[30] = (uint8_t)(1 + rand_r(&random) % 4);
        bytes[31] = bytes[32] = bytes[33] = bytes[34] = 0;
        bytes[35] = 0;
        gw_status status = serve_bytes(made, bytes, 29 + (size_t)(rand_r(&random) % 257));
        assert_true(status == GW_OK || status == GW_CORRUPT);
    }
}

#define PROCESS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        PROCESS_TEST(a_child_signs_what_the_rules_allow),
        PROCESS_TEST(a_signer_that_listens_makes_its_key_and_signs),
        PROCESS_TEST(a_signer_that_dies_leaves_an_unknown_outcome_and_a_known_tree),
        PROCESS_TEST(it_lets_nobody_else_in),
        PROCESS_TEST(it_ends_with_its_daemon),
        PROCESS_TEST(a_missing_program_or_key_is_said),
        PROCESS_TEST(other_languages_are_hung_up_on),
        PROCESS_TEST(random_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
