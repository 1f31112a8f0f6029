// SPDX-License-Identifier: Apache-2.0
// A broken promise ends the process in every build; cleanup and take move ownership as they say.
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "tests/support/unit.h"
#include <signal.h>
#include <sys/wait.h>

static void a_broken_promise_aborts(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        fclose(stderr); // the line is expected; don't show it
        close(STDERR_FILENO);
        GW_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void a_kept_promise_costs_nothing(void **state) {
    (void)state;
    int count = 0;
    GW_ASSERT(++count == 1);
    assert_int_equal(count, 1);
}

static int freed;
static void count_free(int **pointer) {
    freed += *pointer != NULL;
}

static int *take_at_the_end(int *value, int is_taken) {
    GW_CLEANUP(count_free) int *owned = value;
    return is_taken ? gw_take(&owned) : NULL;
}

static void take_keeps_what_cleanup_would_free(void **state) {
    (void)state;
    int value = 7;
    freed = 0;
    assert_ptr_equal(take_at_the_end(&value, 1), &value);
    assert_int_equal(freed, 0);
    assert_null(take_at_the_end(&value, 0));
    assert_int_equal(freed, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_promise_aborts),
        cmocka_unit_test(a_kept_promise_costs_nothing),
        cmocka_unit_test(take_keeps_what_cleanup_would_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
