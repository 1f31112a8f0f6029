// SPDX-License-Identifier: Apache-2.0
// The text is kept in memory, so that a short one never starts a program and a missing pager loses nothing.
#include "client/cli/pager.h"
#include "service/base/check.h"
#include "service/format/text.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGER_DEFAULT "less -FRX"
#define LESS_DEFAULT "FRX" // leaves at once if all fits, passes colours, keeps the text on the screen
#define ROWS_DEFAULT 24u
#define CODE_NOT_RUN 126 // a shell's codes for a command that can't be run, and one that isn't there
#define CODE_NOT_FOUND 127

struct gw_pager {
    char *text; // what was held back
    size_t size;
    FILE *terminal;
    const char *command; // for the shell
};

// NULL where none is wanted.
static const char *command_find(const gw_cli *cli) {
    static const char *const variables[] = {"GODWIT_PAGER", "PAGER"};
    const char *terminal = getenv("TERM");
    if (cli->globals.no_pager)
        return NULL;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *command = getenv(variables[i]);
        if (command != NULL)
            return command[0] == '\0' || strcmp(command, "cat") == 0 ? NULL : command;
    }
    return terminal == NULL || strcmp(terminal, "dumb") == 0 ? NULL : PAGER_DEFAULT;
}

void gw_pager_begin(gw_cli *cli) {
    const char *command = command_find(cli);
    if (!cli->out_is_terminal || cli->output != GW_OUTPUT_TABLE || command == NULL || cli->pager != NULL)
        return;
    gw_pager *pager = calloc(1, sizeof(*pager));
    FILE *held = pager == NULL ? NULL : open_memstream(&pager->text, &pager->size);
    if (held == NULL) {
        free(pager);
        return; // straight to the terminal, then
    }
    pager->terminal = cli->out;
    pager->command = command;
    cli->pager = pager;
    cli->out = held;
}

static void screen_size(FILE *terminal, unsigned *rows, unsigned *columns) {
    struct winsize size;
    bool is_known = ioctl(fileno(terminal), TIOCGWINSZ, &size) == 0;
    *rows = is_known && size.ws_row > 0 ? size.ws_row : ROWS_DEFAULT;
    *columns = is_known && size.ws_col > 0 ? size.ws_col : 80;
}

// Rows of the screen that a text takes; one more for what comes after it. Colours count as text: they are few.
static bool is_longer_than_screen(const gw_pager *pager) {
    unsigned rows, columns, used = 1;
    screen_size(pager->terminal, &rows, &columns);
    for (const char *line = pager->text; *line != '\0' && used <= rows;) {
        size_t size = strcspn(line, "\n");
        unsigned width = gw_text_width(line, size);
        used += width <= columns ? 1 : (width + columns - 1) / columns;
        line += size + (line[size] == '\n');
    }
    return used > rows;
}

static void child_run(const gw_pager *pager, const int pipe_ends[2]) {
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(pipe_ends[0], STDIN_FILENO) < 0 || dup2(fileno(pager->terminal), STDOUT_FILENO) < 0)
        _exit(CODE_NOT_RUN);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    setenv("LESS", LESS_DEFAULT, 0);
    execl("/bin/sh", "sh", "-c", pager->command, (char *)NULL);
    _exit(CODE_NOT_RUN);
}

static void pipe_write(int descriptor, const char *text, size_t size) {
    while (size > 0) {
        ssize_t written = write(descriptor, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; // the reader has seen enough
        text += written;
        size -= (size_t)written;
    }
}

// False where the pager never ran: the text is still to be shown.
static bool page(const gw_pager *pager) {
    int pipe_ends[2], state = 0;
    if (pipe(pipe_ends) != 0)
        return false;
    // Ctrl-C is for the pager while it is in front; its end is no reason to end.
    void (*before_int)(int) = signal(SIGINT, SIG_IGN);
    void (*before_pipe)(int) = signal(SIGPIPE, SIG_IGN);
    pid_t child = fork();
    if (child == 0)
        child_run(pager, pipe_ends);
    close(pipe_ends[0]);
    if (child > 0)
        pipe_write(pipe_ends[1], pager->text, pager->size);
    close(pipe_ends[1]);
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    signal(SIGINT, before_int);
    signal(SIGPIPE, before_pipe);
    int code = WIFEXITED(state) ? WEXITSTATUS(state) : 0;
    return child > 0 && code != CODE_NOT_RUN && code != CODE_NOT_FOUND;
}

void gw_pager_end(gw_cli *cli) {
    gw_pager *pager = cli->pager;
    if (pager == NULL)
        return;
    bool is_whole = fclose(cli->out) == 0;
    cli->out = pager->terminal;
    cli->pager = NULL;
    gw_ignore(fflush(cli->out)); // main checks the stream once, at the end
    if (is_whole && pager->size > 0 && (!is_longer_than_screen(pager) || !page(pager)))
        gw_ignore(fwrite(pager->text, 1, pager->size, cli->out)); // as above
    free(pager->text);
    free(pager);
}

void gw_pager_flush(gw_cli *cli) {
    if (cli->pager == NULL)
        return;
    gw_ignore(fflush(cli->out)); // brings size up to date; memory has no other failure
    if (cli->pager->size > 0)
        gw_pager_end(cli);
}
