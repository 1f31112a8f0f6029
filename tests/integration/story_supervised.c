// SPDX-License-Identifier: Apache-2.0
// Story: the daemon under a supervisor, which is a socket of the test's own. It says when it is ready and not before,
// gives signs of life while it can be asked, is silent when it cannot, and says that it reloads and that it stops.
#include "tests/support/daemon.h"
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define PATIENCE_MS 1500 // as the supervisor sets it
#define LONG_MS 30000

typedef struct {
    test_daemon daemon;
    int supervisor;
} story;

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_non_null(it);
    test_daemon_init(&it->daemon);
    snprintf(address.sun_path, sizeof address.sun_path, "%.80s/notify", it->daemon.folder);
    it->supervisor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(it->supervisor, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    setenv("WATCHDOG_USEC", "1500000", 1);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    close(it->supervisor);
    test_daemon_done(&it->daemon);
    free(it);
    return 0;
}

static bool hear(const story *it, int timeout_ms, char text[256]) {
    struct pollfd one = {.fd = it->supervisor, .events = POLLIN};
    if (poll(&one, 1, timeout_ms) != 1)
        return false;
    const ssize_t size = recv(it->supervisor, text, 255, 0);
    assert_true(size >= 0);
    text[size] = '\0';
    return true;
}

// The next message that is no sign of life.
static void hear_news(const story *it, char text[256]) {
    do
        assert_true(hear(it, LONG_MS, text));
    while (strcmp(text, "WATCHDOG=1") == 0);
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static void it_is_ready_when_it_answers(void **state) {
    story *it = *state;
    char text[256];
    test_daemon_spawn(&it->daemon);
    hear_news(it, text);
    assert_true(begins(text, "READY=1"));
    test_asker asker; // at the first try
    gw_client *client = NULL;
    gw_problem problem;
    assert_int_equal(gw_client_open(&it->daemon.admin, &client, &problem), GW_OK);
    gw_client_close(client);
    test_asker_open(&asker, &it->daemon.admin);
    assert_true(test_ask(&asker, "{\"v\":1,\"kind\":\"ping\"}", NULL));
    test_asker_close(&asker);
}

static void it_gives_signs_of_life_in_time(void **state) {
    story *it = *state;
    char text[256];
    for (int i = 0; i < 3; i++) {
        assert_true(hear(it, PATIENCE_MS, text));
        assert_string_equal(text, "WATCHDOG=1");
    }
}

static void frozen_it_is_silent_and_thawed_it_lives(void **state) {
    story *it = *state;
    char text[256];
    int status;
    kill(it->daemon.pid, SIGSTOP);
    assert_int_equal(waitpid(it->daemon.pid, &status, WUNTRACED), it->daemon.pid);
    while (hear(it, 0, text))
        continue; // what was sent before
    assert_false(hear(it, PATIENCE_MS, text));
    kill(it->daemon.pid, SIGCONT);
    assert_true(hear(it, LONG_MS, text));
    assert_string_equal(text, "WATCHDOG=1");
}

static void it_says_that_it_reloads_and_is_ready_again(void **state) {
    story *it = *state;
    char text[256];
    kill(it->daemon.pid, SIGHUP);
    hear_news(it, text);
    assert_true(begins(text, "RELOADING=1\nMONOTONIC_USEC="));
    hear_news(it, text);
    assert_true(begins(text, "READY=1"));
}

static void it_says_that_it_stops(void **state) {
    story *it = *state;
    char text[256];
    const int status = test_daemon_stop(&it->daemon, SIGTERM);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    hear_news(it, text);
    assert_true(begins(text, "STOPPING=1"));
    assert_false(hear(it, 0, text)); // the last word
}

static void what_an_operator_must_mend_is_not_called_ready(void **state) {
    story *it = *state;
    char text[256], path[TEST_PATH_MAX], program[TEST_PATH_MAX];
    snprintf(path, sizeof path, "%.400s/hwm", it->daemon.folder);
    assert_int_equal(truncate(path, 0), 0);
    test_program("godwitd", program);
    assert_int_not_equal(test_run((const char *const[]){program, "serve", "--dir", it->daemon.folder, NULL}, NULL), 0);
    assert_false(hear(it, 0, text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ready_when_it_answers),
        cmocka_unit_test(it_gives_signs_of_life_in_time),
        cmocka_unit_test(frozen_it_is_silent_and_thawed_it_lives),
        cmocka_unit_test(it_says_that_it_reloads_and_is_ready_again),
        cmocka_unit_test(it_says_that_it_stops),
        cmocka_unit_test(what_an_operator_must_mend_is_not_called_ready),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
