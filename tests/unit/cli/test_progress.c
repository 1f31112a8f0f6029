// SPDX-License-Identifier: Apache-2.0
// Progress on a pseudo-terminal: drawn once work takes long, gone when it is over, and nowhere else. The work is a
// second of waiting: the claim is about time.
#include "client/cli/progress.h"
#include "tests/support/unit.h"
#include <pty.h>
#include <sys/wait.h>
#include <time.h>

typedef struct {
    long work_ms;
    const char *term;
    bool err_is_file;
} work;

static void child_run(const work *w) {
    gw_cli cli;
    const struct timespec pause = {w->work_ms / 1000, w->work_ms % 1000 * 1000000L};
    setenv("TERM", w->term, 1);
    if (w->err_is_file && freopen("/dev/null", "w", stderr) == NULL)
        _exit(99);
    gw_cli_init(&cli, NULL, 0);
    gw_progress *progress = gw_progress_begin(&cli, "checking");
    gw_progress_step(progress, 1, 4);
    nanosleep(&pause, NULL);
    gw_progress_end(progress);
    printf("done\n");
    fflush(stdout);
    _exit(0);
}

static void shown(const work *w, char text[4096]) {
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    int master, state;
    size_t used = 0;
    pid_t child = forkpty(&master, NULL, NULL, &size);
    assert_true(child >= 0);
    if (child == 0)
        child_run(w);
    for (ssize_t got; used < 4095 && (got = read(master, text + used, 4095 - used)) > 0;)
        used += (size_t)got;
    text[used] = '\0';
    close(master);
    assert_int_equal(waitpid(child, &state, 0), child);
    assert_int_equal(state, 0);
}

static void long_work_is_drawn_and_then_gone(void **state) {
    (void)state;
    char text[4096];
    shown(&(work){.work_ms = 900, .term = "xterm"}, text);
    assert_int_equal(strncmp(text, "\rchecking [#######.......................]  25 % ", 49), 0);
    assert_non_null(strstr(text, "\r\033[Kdone\r\n"));
}

static void short_work_and_other_streams_stay_clean(void **state) {
    (void)state;
    const work clean[] = {{.work_ms = 50, .term = "xterm"},
                          {.work_ms = 600, .term = "dumb"},
                          {.work_ms = 600, .term = "xterm", .err_is_file = true}};
    for (size_t i = 0; i < sizeof(clean) / sizeof(clean[0]); i++) {
        char text[4096];
        shown(&clean[i], text);
        assert_string_equal(text, "done\r\n");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_work_is_drawn_and_then_gone),
        cmocka_unit_test(short_work_and_other_streams_stay_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
