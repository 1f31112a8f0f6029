// SPDX-License-Identifier: Apache-2.0
// Story: a service of the first release is stopped, its programs are replaced by these, and it is started again. What
// it answered is answered with the same bytes and free, what was spent stays spent, the log goes on, and new questions
// and new data are taken.
#include "tests/support/daemon.h"
#include "service/base/file.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define SPENT 600000u // micro-epsilon, by the first release
#define QUESTION(rest) "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\"," rest "}"

typedef struct {
    const char *name, *question;
} asked;
static const asked questions[] = {
    {"count", QUESTION("\"measure\":{\"statistic\":\"count\"},\"by\":[\"sex\"],\"epsilon\":\"0.1\"")},
    {"rate", QUESTION("\"indicator\":\"employment_rate\",\"by\":[\"sex\"],\"epsilon\":\"0.2\"")},
    {"mean", QUESTION("\"measure\":{\"statistic\":\"mean\",\"of\":\"hours\"},\"by\":[\"sex\"],\"epsilon\":\"0.3\"")},
};
#define QUESTION_COUNT (sizeof questions / sizeof questions[0])

typedef struct {
    test_daemon daemon;
    char parent[64], url[TEST_PATH_MAX], share[TEST_PATH_MAX];
    gw_profile researcher;
} story;

static void path_of(const story *it, const char *name, char path[TEST_PATH_MAX]) {
    assert_true(snprintf(path, TEST_PATH_MAX, "%.200s/%.200s", it->daemon.folder, name) < TEST_PATH_MAX);
}

static void profile_of(const story *it, const char *name, gw_profile *ret) {
    char path[TEST_PATH_MAX];
    gw_problem problem;
    path_of(it, name, path);
    assert_int_equal(gw_profile_load(path, ret, &problem), GW_OK);
    snprintf(ret->url, sizeof ret->url, "%s", it->url); // it was made in another folder
}

static void read_file(const story *it, const char *name, const char *ending, gw_buffer *buffer) {
    char path[TEST_PATH_MAX], file[64];
    snprintf(file, sizeof file, "%s%s", name, ending);
    path_of(it, file, path);
    gw_buffer_init(buffer, 1 << 20);
    assert_int_equal(gw_file_read(path, buffer, NULL), GW_OK);
}

// The folder was made elsewhere: its addresses and its indicators are where this test has them.
static void settings_move(const story *it) {
    char path[TEST_PATH_MAX];
    gw_buffer text;
    gw_problem problem;
    gw_buffer_init(&text, 8192);
    gw_buffer_format(
        &text,
        "{\"godwit_config\": 1, \"origin\": \"test.example/godwit\", \"admin\": \"%s\", \"listen\": [\"%s\"],"
        " \"share\": \"%s\"}",
        it->daemon.admin.principal, it->url, it->share);
    path_of(it, "config.json", path);
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&text), 0600, &problem), GW_OK);
    gw_buffer_done(&text);
}

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    char archive[TEST_PATH_MAX];
    assert_non_null(it);
    assert_int_equal(gw_crypto_init(), GW_OK);
    strcpy(it->parent, "/tmp/godwit-test-XXXXXX");
    assert_non_null(mkdtemp(it->parent));
    snprintf(archive, sizeof archive, "%.400s/tests/support/state_v1/state_v1.tar.gz", test_source_folder());
    assert_int_equal(test_run((const char *const[]){"/bin/tar", "-xzf", archive, "-C", it->parent, NULL}, NULL), 0);
    snprintf(it->daemon.folder, sizeof it->daemon.folder, "%s/state", it->parent);
    path_of(it, "log", it->daemon.log_folder);
    snprintf(it->url, sizeof it->url, "ipc://%.200s/godwit.sock", it->daemon.folder);
    snprintf(it->share, sizeof it->share, "%.400s/policies", test_source_folder());
    profile_of(it, "profiles/admin.json", &it->daemon.admin);
    profile_of(it, "profiles/researcher.json", &it->researcher);
    settings_move(it);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    test_daemon_done(&it->daemon);
    test_run((const char *const[]){"/bin/rm", "-rf", it->parent, NULL}, NULL);
    free(it);
    return 0;
}

static void its_log_verifies_as_it_was_left(void **state) {
    story *it = *state;
    gw_audit_verdict verdict;
    test_daemon_verify(&it->daemon, &verdict);
    assert_int_equal(verdict.size, 16);
    assert_int_equal(verdict.releases, QUESTION_COUNT);
}

static void it_starts_and_what_was_spent_stays_spent(void **state) {
    story *it = *state;
    char copy[TEST_PATH_MAX];
    struct stat facts;
    test_daemon_start(&it->daemon);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), SPENT);
    path_of(it, "godwit.db.v1", copy);
    assert_int_equal(stat(copy, &facts), 0);
}

// The request's very bytes, sent again months later.
static void an_old_request_gets_its_stored_answer(void **state) {
    story *it = *state;
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        gw_buffer request, answer;
        test_asker asker;
        read_file(it, questions[i].name, ".request", &request);
        read_file(it, questions[i].name, ".answer", &answer);
        test_asker_open(&asker, &it->researcher);
        gw_buffer_append(&asker.message, request.data, request.size);
        assert_true(test_asker_send(&asker, 60000));
        assert_int_equal(asker.reply.status, GW_REPLY_OK);
        assert_true(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&answer)));
        test_asker_close(&asker);
        gw_buffer_done(&request);
        gw_buffer_done(&answer);
    }
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), SPENT);
}

// Another request with the same question: it must still have the same canonical text.
static void an_old_question_is_still_the_same_question(void **state) {
    story *it = *state;
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        gw_buffer answer;
        test_asker asker;
        read_file(it, questions[i].name, ".answer", &answer);
        test_asker_open(&asker, &it->researcher);
        if (!test_ask_query(&asker, questions[i].question, NULL))
            fail_msg("%s: %s %s", questions[i].name, asker.problem.code, asker.problem.why);
        if (!gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&answer)))
            fail_msg("%s was answered anew: the question became another one", questions[i].name);
        test_asker_close(&asker);
        gw_buffer_done(&answer);
    }
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), SPENT);
}

static void an_old_receipt_still_verifies(void **state) {
    story *it = *state;
    gw_note_key key;
    gw_problem problem = {0};
    assert_int_equal(gw_note_key_parse(it->researcher.log_key, &key, &problem), GW_OK);
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        gw_buffer request, answer, receipt;
        gw_entry charge, release;
        read_file(it, questions[i].name, ".request", &request);
        read_file(it, questions[i].name, ".answer", &answer);
        read_file(it, questions[i].name, ".tlog-proof", &receipt);
        assert_int_equal(gw_audit_receipt(gw_buffer_bytes(&receipt), gw_buffer_bytes(&answer),
                                          gw_buffer_bytes(&request), &key, &charge, &release, &problem),
                         GW_OK);
        gw_buffer_done(&request);
        gw_buffer_done(&answer);
        gw_buffer_done(&receipt);
    }
}

static void new_questions_are_charged_on_top(void **state) {
    story *it = *state;
    test_asker asker;
    test_asker_open(&asker, &it->researcher);
    assert_true(test_ask_query(
        &asker, QUESTION("\"measure\":{\"statistic\":\"count\"},\"by\":[\"sex\"],\"epsilon\":\"0.25\""), NULL));
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), SPENT + 250000u);
    // The person's own budget of 5 and the year's of 4 go on from where they stood: 0.85 of 4 is spent.
    assert_false(
        test_ask(&asker, QUESTION("\"measure\":{\"statistic\":\"count\"},\"by\":[\"sex\"],\"epsilon\":\"2.5\""), NULL));
    for (int i = 0; i < 2; i++) {
        char body[256];
        snprintf(body, sizeof body,
                 QUESTION("\"measure\":{\"statistic\":\"count\"},\"by\":[\"sex\"],\"epsilon\":\"1.5%d\""), i);
        assert_true(test_ask_query(&asker, body, NULL));
    }
    assert_false(
        test_ask(&asker, QUESTION("\"measure\":{\"statistic\":\"count\"},\"by\":[\"sex\"],\"epsilon\":\"0.5\""), NULL));
    assert_string_equal(asker.problem.code, "budget_window");
    test_asker_close(&asker);
}

static void new_data_are_loaded_beside_the_old(void **state) {
    story *it = *state;
    char path[TEST_PATH_MAX];
    test_asker asker;
    path_of(it, "people.csv", path);
    assert_true(test_people_write(path, 350));
    test_daemon_load(&it->daemon, TEST_DATASET, path);
    test_asker_open(&asker, &it->researcher);
    assert_true(test_ask_query(&asker, questions[0].question, NULL)); // about other data: another question
    assert_string_equal(asker.answer.release, "GW-2026-000007");
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), SPENT + 3360000u);
    test_asker_close(&asker);
}

static void the_whole_log_verifies_across_the_upgrade(void **state) {
    story *it = *state;
    gw_audit_verdict verdict;
    test_daemon_verify(&it->daemon, &verdict);
    assert_true(verdict.size > 16);
    assert_int_equal(verdict.charges, verdict.releases);
}

static void doctor_finds_nothing_wrong(void **state) {
    story *it = *state;
    char program[TEST_PATH_MAX];
    gw_buffer output;
    gw_buffer_init(&output, 65536);
    test_program("godwitd", program);
    const int code = test_run((const char *const[]){program, "doctor", "--dir", it->daemon.folder, NULL}, &output);
    if (code != 0)
        fail_msg("%d: %s", code, gw_buffer_string(&output));
    assert_non_null(strstr(gw_buffer_string(&output), "one tree"));
    gw_buffer_done(&output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_log_verifies_as_it_was_left),
        cmocka_unit_test(it_starts_and_what_was_spent_stays_spent),
        cmocka_unit_test(an_old_request_gets_its_stored_answer),
        cmocka_unit_test(an_old_question_is_still_the_same_question),
        cmocka_unit_test(an_old_receipt_still_verifies),
        cmocka_unit_test(new_questions_are_charged_on_top),
        cmocka_unit_test(new_data_are_loaded_beside_the_old),
        cmocka_unit_test(the_whole_log_verifies_across_the_upgrade),
        cmocka_unit_test(doctor_finds_nothing_wrong),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
