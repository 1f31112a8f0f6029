// SPDX-License-Identifier: Apache-2.0
// The auditor's commands run as from a shell, on a folder of the test's: streams are memory, no profile is there.
// Thread safety: one test at a time.   Depends on: client/cli, tests/support/log_book.h.
#pragma once
#include "client/cli/cli.h"
#include "client/cli/commands.h"
#include "tests/support/log_book.h"
#include "tests/support/unit.h"

typedef struct {
    gw_exit_code code;
    char *out, *err;
    size_t out_size, err_size;
} session;

static inline session session_run(const char *const *line) {
    static const gw_command *const commands[] = {&gw_command_audit_log,     &gw_command_audit_show,
                                                 &gw_command_audit_export,  &gw_command_audit_verify,
                                                 &gw_command_audit_receipt, &gw_command_audit_compare};
    session s = {.code = GW_EXIT_FAILED};
    gw_cli cli;
    char *argv[24];
    int argc = 0;
    for (; line[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)line[argc];
    setenv("GODWIT_PROFILE", "", 1);
    setenv("HOME", "/nonexistent", 1);
    gw_cli_init(&cli, commands, sizeof(commands) / sizeof(commands[0]));
    cli.out = open_memstream(&s.out, &s.out_size);
    cli.err = open_memstream(&s.err, &s.err_size);
    cli.in_is_terminal = cli.out_is_terminal = cli.err_is_terminal = false;
    cli.is_unicode = true;
    cli.width = 80;
    s.code = gw_cli_run(&cli, argc, argv);
    fclose(cli.out);
    fclose(cli.err);
    return s;
}
#define RUN(...) session_run((const char *[]){__VA_ARGS__, NULL})

static inline void session_done(session *s) {
    free(s->out);
    free(s->err);
}

// Whether `text` was said, wherever its lines were broken.
static inline bool session_has(const char *said, const char *text) {
    char *flat = strdup(said), *to = flat;
    for (const char *from = said; *from != '\0'; from++)
        if (!((*from == ' ' || *from == '\n') && to > flat && to[-1] == ' '))
            *to++ = *from == '\n' ? ' ' : *from;
    *to = '\0';
    bool is_said = strstr(flat, text) != NULL || strstr(said, text) != NULL;
    free(flat);
    return is_said;
}

// Runs a line, which must end with `code`, and tells whether it said `text` on either stream.
static inline bool session_says(gw_exit_code code, const char *text, const char *const *line) {
    session s = session_run(line);
    bool is_said = session_has(s.out, text) || session_has(s.err, text);
    if (s.code != code || !is_said)
        print_message("wanted code %d and \"%s\", got %d:\n%s%s\n", (int)code, text, (int)s.code, s.out, s.err);
    is_said = is_said && s.code == code;
    session_done(&s);
    return is_said;
}
#define assert_says(code, text, ...) assert_true(session_says(code, text, (const char *[]){__VA_ARGS__, NULL}))

// No byte that a terminal acts on.
static inline bool session_is_plain(const char *text) {
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f)
            return false;
    return true;
}
