// SPDX-License-Identifier: Apache-2.0
// Paging on a real pseudo-terminal of ten rows: only what is longer goes through the pager, whatever the pager does the
// command ends as it would have, and nothing is lost or changes places.
#include "client/cli/cli.h"
#include "tests/support/unit.h"
#include <pty.h>
#include <sys/wait.h>

#define ROWS 10
#define TEXT_MAX 4194304u

static gw_exit_code lines_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    long count = strtol(words->items[0], NULL, 10);
    for (long i = 1; i <= count; i++) {
        gw_say(cli, "line %ld\n", i);
        if (words->count > 1 && i == count / 2)
            gw_note(cli, "a note\n");
    }
    return GW_EXIT_REFUSED;
}
static const gw_command lines = {.name = "lines",
                                 .arguments = "COUNT [NOTE]",
                                 .summary = "",
                                 .examples = "",
                                 .words_min = 1,
                                 .words_max = 2,
                                 .is_paged = true,
                                 .run = lines_run};
static const gw_command *const commands[] = {&lines};

typedef struct {
    const char *godwit_pager, *pager, *term; // NULL: not set
    bool out_is_file;                        // stdout goes elsewhere
} terminal;

static void child_run(const terminal *t, const char *const *line) {
    static const char *const names[] = {"GODWIT_PAGER", "PAGER", "TERM"};
    const char *const values[] = {t->godwit_pager, t->pager, t->term};
    int argc = 0;
    gw_cli cli;
    for (size_t i = 0; i < 3; i++)
        if (values[i] == NULL)
            unsetenv(names[i]);
        else
            setenv(names[i], values[i], 1);
    unsetenv("GODWIT_OUTPUT");
    while (line[argc] != NULL)
        argc++;
    if (t->out_is_file && freopen("/dev/null", "w", stdout) == NULL)
        _exit(99);
    gw_cli_init(&cli, commands, 1);
    gw_exit_code code = gw_cli_run(&cli, argc, (char **)line);
    fflush(stdout);
    _exit((int)code);
}

// What a terminal showed, and the command's exit code.
static int on_terminal(const terminal *t, const char *const *line, char **ret_text) {
    struct winsize size = {.ws_row = ROWS, .ws_col = 80};
    int master, state;
    pid_t child = forkpty(&master, NULL, NULL, &size);
    assert_true(child >= 0);
    if (child == 0)
        child_run(t, line);
    char *text = malloc(TEXT_MAX);
    size_t used = 0;
    assert_non_null(text);
    for (ssize_t got; used < TEXT_MAX - 1 && (got = read(master, text + used, TEXT_MAX - 1 - used)) > 0;)
        used += (size_t)got;
    text[used] = '\0';
    close(master);
    assert_int_equal(waitpid(child, &state, 0), child);
    assert_true(WIFEXITED(state));
    *ret_text = text;
    return WEXITSTATUS(state);
}
#define LINE(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_shown(const terminal *t, const char *const *line, const char *first, const char *last) {
    char *text;
    assert_int_equal(on_terminal(t, line, &text), GW_EXIT_REFUSED); // the command's own code, always
    if (strncmp(text, first, strlen(first)) != 0)
        fail_msg("starts with %.40s, not %s", text, first);
    size_t size = strlen(text), last_size = strlen(last);
    if (size < last_size || strcmp(text + size - last_size, last) != 0)
        fail_msg("ends with %s, not %s", size > 40 ? text + size - 40 : text, last);
    free(text);
}

static void what_fits_the_screen_starts_no_pager(void **state) {
    (void)state;
    const terminal t = {.godwit_pager = "echo PAGED; cat", .term = "xterm"};
    assert_shown(&t, LINE("lines", "9"), "line 1\r\n", "line 9\r\n");
    assert_shown(&t, LINE("lines", "10"), "PAGED\r\nline 1\r\n", "line 10\r\n"); // with the prompt it does not fit
}

static void the_pager_is_named_by_the_environment(void **state) {
    (void)state;
    const terminal own = {.godwit_pager = "echo OWN; cat", .pager = "echo PAGER; cat", .term = "xterm"};
    const terminal usual = {.pager = "echo PAGER; cat", .term = "dumb"};
    assert_shown(&own, LINE("lines", "50"), "OWN\r\nline 1\r\n", "line 50\r\n");
    assert_shown(&usual, LINE("lines", "50"), "PAGER\r\nline 1\r\n", "line 50\r\n");
}

static void nobody_is_paged_who_does_not_want_it(void **state) {
    (void)state;
    const terminal paged = {.godwit_pager = "echo PAGED; cat", .term = "xterm"};
    const terminal none = {.godwit_pager = "", .pager = "echo PAGED; cat", .term = "xterm"};
    const terminal cat = {.pager = "cat", .term = "xterm"};
    const terminal dumb = {.term = "dumb"};
    assert_shown(&paged, LINE("lines", "50", "--no-pager"), "line 1\r\n", "line 50\r\n");
    assert_shown(&paged, LINE("lines", "50", "-o", "csv"), "line 1\r\n", "line 50\r\n"); // for a program
    assert_shown(&none, LINE("lines", "50"), "line 1\r\n", "line 50\r\n");
    assert_shown(&cat, LINE("lines", "50"), "line 1\r\n", "line 50\r\n");
    assert_shown(&dumb, LINE("lines", "50"), "line 1\r\n", "line 50\r\n");
}

static void a_file_is_never_paged(void **state) {
    (void)state;
    const terminal t = {.godwit_pager = "echo PAGED >/dev/tty; cat", .term = "xterm", .out_is_file = true};
    assert_shown(&t, LINE("lines", "50", "-o", "table"), "", "");
    char *text;
    assert_int_equal(on_terminal(&t, LINE("lines", "50", "-o", "table"), &text), GW_EXIT_REFUSED);
    assert_string_equal(text, "");
    free(text);
}

static void a_pager_that_is_not_there_loses_nothing(void **state) {
    (void)state;
    const terminal t = {.godwit_pager = "/nonexistent/pager 2>/dev/null", .term = "xterm"};
    assert_shown(&t, LINE("lines", "50"), "line 1\r\n", "line 50\r\n");
}

// A megabyte does not fit a pipe, so the rest is written to nobody.
static void a_pager_left_early_is_no_failure(void **state) {
    (void)state;
    const terminal t = {.godwit_pager = "head -n 2", .term = "xterm"},
                   fails = {.godwit_pager = "exit 1", .term = "xterm"};
    assert_shown(&t, LINE("lines", "100000"), "line 1\r\nline 2\r\n", "line 2\r\n");
    assert_shown(&fails, LINE("lines", "100000"), "", "");
}

static void notes_stay_where_they_were_said(void **state) {
    (void)state;
    const terminal t = {.godwit_pager = "sed 's/^/> /'", .term = "xterm"};
    char *text;
    assert_int_equal(on_terminal(&t, LINE("lines", "40", "note"), &text), GW_EXIT_REFUSED);
    const char *before = strstr(text, "> line 20\r\n"), *note = strstr(text, "a note\r\n"),
               *after = strstr(text, "\nline 21\r\n");
    assert_true(before != NULL && note != NULL && after != NULL);
    assert_true(before < note && note < after);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_the_screen_starts_no_pager),
        cmocka_unit_test(the_pager_is_named_by_the_environment),
        cmocka_unit_test(nobody_is_paged_who_does_not_want_it),
        cmocka_unit_test(a_file_is_never_paged),
        cmocka_unit_test(a_pager_that_is_not_there_loses_nothing),
        cmocka_unit_test(a_pager_left_early_is_no_failure),
        cmocka_unit_test(notes_stay_where_they_were_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
