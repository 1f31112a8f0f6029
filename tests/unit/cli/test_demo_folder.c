// SPDX-License-Identifier: Apache-2.0
// A demo replaces demos, and nothing else.
#include "client/cli/demo_folder.h"
#include "tests/support/unit.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

typedef struct {
    char *folder;
    char before[4096];
} place;

static int place_new(void **state) {
    place *p = calloc(1, sizeof(*p));
    void *folder;
    if (p == NULL || unit_folder_new(&folder) != 0 || getcwd(p->before, sizeof(p->before)) == NULL ||
        chdir(folder) != 0)
        return -1;
    p->folder = folder;
    *state = p;
    return 0;
}

static int place_free(void **state) {
    place *p = *state;
    void *folder = p->folder;
    if (chdir(p->before) != 0)
        return -1;
    unit_folder_free(&folder);
    free(p);
    return 0;
}

static void file_write(const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void an_older_demo_is_replaced(void **state) {
    place *p = *state;
    gw_problem problem;
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_equal(mkdir("sub", 0700), 0);
    file_write("sub/old");
    assert_int_equal(chmod("sub/old", 0400), 0);
    assert_int_equal(chdir(p->folder), 0);
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_not_equal(access("sub", F_OK), 0);
}

static void another_folder_is_left_alone(void **state) {
    place *p = *state;
    gw_problem problem;
    assert_int_equal(mkdir("mine", 0700), 0);
    file_write("mine/thesis");
    assert_int_equal(gw_demo_folder_enter("mine", &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "not_a_demo");
    assert_int_equal(access("mine/thesis", F_OK), 0);
    assert_int_equal(mkdir("empty", 0700), 0);
    assert_int_equal(gw_demo_folder_enter("empty", &problem), GW_OK);
    assert_int_equal(chdir(p->folder), 0);
}

static void a_link_in_a_demo_is_removed_and_not_followed(void **state) {
    place *p = *state;
    gw_problem problem;
    assert_int_equal(mkdir("mine", 0700), 0);
    file_write("mine/thesis");
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_equal(symlink("../mine", "link"), 0);
    assert_int_equal(chdir(p->folder), 0);
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_equal(chdir(p->folder), 0);
    assert_int_equal(access("mine/thesis", F_OK), 0);
}

// A child that waits until it is ended; its end is seen without sleeping.
static pid_t child_start(void) {
    pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    return child;
}

static void the_old_demos_process_is_ended_and_no_other(void **state) {
    place *p = *state;
    gw_problem problem;
    int ended;
    signal(SIGCHLD, SIG_IGN); // a child that ended leaves no trace, as for a program that did not start it
    pid_t daemon = child_start(), other = child_start();
    assert_true(daemon > 0 && other > 0);
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_equal(gw_demo_folder_note(daemon, &problem), GW_OK);
    assert_int_equal(chdir(p->folder), 0);
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_not_equal(kill(daemon, 0), 0);
    // The same id with another start time is another process.
    FILE *file = fopen("daemon.pid", "w");
    assert_non_null(file);
    assert_true(fprintf(file, "%ld 1\n", (long)other) > 0);
    fclose(file);
    assert_int_equal(chdir(p->folder), 0);
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_equal(kill(other, 0), 0);
    kill(other, SIGKILL);
    waitpid(other, &ended, 0);
    signal(SIGCHLD, SIG_DFL);
}

static void a_demo_that_somebodys_service_runs_on_is_left_alone(void **state) {
    place *p = *state;
    gw_problem problem;
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_equal(mkdir("state", 0700), 0);
    file_write("state/lock");
    assert_int_equal(chdir(p->folder), 0);
    int lock = open("demo/state/lock", O_RDWR | O_CLOEXEC);
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX), 0); // as godwitd takes it
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "demo_in_use");
    assert_true(problem.mend[0] != '\0');
    assert_int_equal(access("demo/state/lock", F_OK), 0);
    close(lock);
    assert_int_equal(gw_demo_folder_enter("demo", &problem), GW_OK);
    assert_int_not_equal(access("state", F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_older_demo_is_replaced, place_new, place_free),
        cmocka_unit_test_setup_teardown(another_folder_is_left_alone, place_new, place_free),
        cmocka_unit_test_setup_teardown(a_link_in_a_demo_is_removed_and_not_followed, place_new, place_free),
        cmocka_unit_test_setup_teardown(the_old_demos_process_is_ended_and_no_other, place_new, place_free),
        cmocka_unit_test_setup_teardown(a_demo_that_somebodys_service_runs_on_is_left_alone, place_new, place_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
