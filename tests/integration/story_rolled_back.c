// SPDX-License-Identifier: Apache-2.0
// Story: a daemon that was given back an old state folder, mark and all, so that nothing on its own disk tells. A
// client that had an answer since then asks again; what it remembers is enough: the daemon stops, says both sizes, and
// does not start again until the missing entries are back.
#include "tests/support/daemon.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define QUESTION(epsilon)                                                                                              \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"by\":[\"sex\"],\"epsilon\":\"" epsilon "\"}"
#define EXIT_OPERATOR 78

typedef struct {
    test_daemon daemon;
    gw_profile witness, other;
    char backup[TEST_PATH_MAX + 16], newest[TEST_PATH_MAX + 16];
} story;

static void copy(const char *from, const char *to) {
    const char *const gone[] = {"/bin/rm", "-rf", to, NULL};
    const char *const argv[] = {"/bin/cp", "-a", from, to, NULL};
    assert_int_equal(test_run(gone, NULL), 0);
    assert_int_equal(test_run(argv, NULL), 0);
}

static void must_be_answered(const gw_profile *profile, const char *question) {
    gw_client *client = NULL;
    gw_client_reply reply;
    gw_problem problem = {0};
    assert_int_equal(gw_client_open(profile, &client, &problem), GW_OK);
    if (gw_client_call(client, gw_bytes_of(question), NULL, 5, 60000, &reply, &problem) != GW_OK ||
        reply.status != GW_REPLY_OK)
        fail_msg("%s %s %s %s", problem.code, problem.why, reply.problem.code, reply.problem.why);
    gw_client_close(client);
}

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    assert_non_null(it);
    test_daemon_with_people(&it->daemon, 500, (test_budget){"100", NULL, "0.01", "10"});
    test_daemon_principal(&it->daemon, "researcher", &it->witness);
    test_daemon_principal(&it->daemon, "researcher", &it->other);
    snprintf(it->backup, sizeof it->backup, "%s.backup", it->daemon.folder);
    snprintf(it->newest, sizeof it->newest, "%s.newest", it->daemon.folder);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    const char *const gone[] = {"/bin/rm", "-rf", it->backup, it->newest, NULL};
    assert_int_equal(test_run(gone, NULL), 0);
    test_daemon_done(&it->daemon);
    free(it);
    return 0;
}

static int exit_code_of_daemon(test_daemon *daemon) {
    int status;
    assert_int_equal(waitpid(daemon->pid, &status, 0), daemon->pid);
    daemon->pid = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// Whether godwitd doctor finds something wrong and names `what`; 0 where it does not name it.
static int doctor_says(const story *it, const char *what) {
    char program[TEST_PATH_MAX];
    gw_buffer output;
    test_program("godwitd", program);
    const char *const argv[] = {program, "doctor", "--dir", it->daemon.folder, "-o", "json", NULL};
    gw_buffer_init(&output, 65536);
    assert_int_equal(test_run(argv, &output), 9);
    bool is_named = strstr(gw_buffer_string(&output), what) != NULL;
    gw_buffer_done(&output);
    return is_named;
}

static void a_memory_that_went_on_extends_itself(void **state) {
    story *it = *state;
    for (int i = 0; i < 3; i++) { // each reply proves that the log grew from the one before
        must_be_answered(&it->witness, QUESTION("0.1"));
        must_be_answered(&it->witness, i == 0 ? QUESTION("0.11") : i == 1 ? QUESTION("0.12") : QUESTION("0.13"));
    }
}

static void an_old_state_is_stopped_by_one_who_remembers(void **state) {
    story *it = *state;
    char path[TEST_PATH_MAX + 64];
    gw_client *client = NULL;
    gw_client_reply reply;
    gw_problem problem = {0};
    test_daemon_stop(&it->daemon, SIGTERM);
    copy(it->daemon.folder, it->backup);
    test_daemon_start(&it->daemon);
    must_be_answered(&it->witness, QUESTION("0.2"));
    test_daemon_stop(&it->daemon, SIGTERM);
    copy(it->daemon.folder, it->newest);
    copy(it->backup, it->daemon.folder);
    test_daemon_start(&it->daemon); // database, mark and published files agree: it cannot know
    must_be_answered(&it->other, QUESTION("0.1"));
    // The witness's memory lies beside its profile, outside of what was set back.
    snprintf(path, sizeof path, "%s/%s", it->newest, it->witness.path + strlen(it->daemon.folder) + 1);
    gw_profile remembered = it->witness;
    snprintf(remembered.path, sizeof remembered.path, "%s", path);
    assert_int_equal(gw_client_open(&remembered, &client, &problem), GW_OK);
    assert_int_equal(gw_client_call(client, gw_bytes_of(QUESTION("0.3")), NULL, 5, 60000, &reply, &problem),
                     GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    gw_client_close(client);
    strcat(path, ".rolled_back");
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(exit_code_of_daemon(&it->daemon), EXIT_OPERATOR);
    test_daemon_spawn(&it->daemon);
    assert_int_equal(exit_code_of_daemon(&it->daemon), EXIT_OPERATOR);
    snprintf(path, sizeof path, "%s/rolled_back.note", it->daemon.folder);
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(doctor_says(it, path), 1);
}

static void with_its_entries_back_it_starts(void **state) {
    story *it = *state;
    char from[TEST_PATH_MAX + 64], to[TEST_PATH_MAX + 64];
    snprintf(from, sizeof from, "%s/rolled_back.note", it->daemon.folder);
    snprintf(to, sizeof to, "%s/rolled_back.note", it->newest);
    copy(from, to);
    copy(it->newest, it->daemon.folder);
    test_daemon_start(&it->daemon);
    must_be_answered(&it->witness, QUESTION("0.2"));
    assert_int_not_equal(access(from, F_OK), 0);
    // The log says so now, and not before: an entry appended to the old state would have been another history.
    test_daemon_stop(&it->daemon, SIGTERM);
    snprintf(from, sizeof from, "%s/tile/entries", it->daemon.log_folder);
    const char *const argv[] = {"/bin/grep", "-rqaFx", "code rolled_back", from, NULL};
    assert_int_equal(test_run(argv, NULL), 0);
    gw_audit_verdict verdict;
    test_daemon_verify(&it->daemon, &verdict);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_memory_that_went_on_extends_itself),
        cmocka_unit_test(an_old_state_is_stopped_by_one_who_remembers),
        cmocka_unit_test(with_its_entries_back_it_starts),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
