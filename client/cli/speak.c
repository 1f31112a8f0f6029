// SPDX-License-Identifier: Apache-2.0
// Everything that leaves for a person: cleaned, in the terminal's signs, coloured only where a terminal shows it.
// Colour never carries meaning alone.
#include "client/cli/cli.h"
#include "client/cli/pager.h"
#include "service/base/check.h"
#include "service/format/text.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 268435456u
#define FIELD_COLUMN 11u
#define COLOUR_RED "31"
#define COLOUR_GREEN "32"
#define COLOUR_YELLOW "33"

static void text_out(gw_cli *cli, FILE *stream, const char *text) {
    gw_buffer clean;
    gw_buffer_init(&clean, TEXT_MAX);
    gw_text_clean(&clean, text, cli->is_unicode);
    if (clean.size > 0)
        gw_ignore(fwrite(clean.data, 1, clean.size, stream)); // main checks the stream once, at the end
    gw_buffer_done(&clean);
}

static void format_out(gw_cli *cli, FILE *stream, const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        return;
    text_out(cli, stream, text);
    free(text);
}

void gw_say(gw_cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    format_out(cli, cli->out, format, arguments);
    va_end(arguments);
}

void gw_say_text(gw_cli *cli, const char *text) {
    text_out(cli, cli->out, text);
}

void gw_say_wrapped(gw_cli *cli, const char *text) {
    gw_buffer clean, lines;
    gw_buffer_init(&clean, TEXT_MAX);
    gw_buffer_init(&lines, TEXT_MAX);
    gw_text_clean(&clean, text, cli->is_unicode); // before its width is counted: "±" may be "+/-"
    gw_text_wrap(&lines, gw_buffer_string(&clean), cli->width, 0, 2);
    text_out(cli, cli->out, gw_buffer_string(&lines));
    gw_buffer_done(&clean);
    gw_buffer_done(&lines);
}

void gw_say_lines(gw_cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) >= 0) {
        gw_say_wrapped(cli, text);
        free(text);
    }
    va_end(arguments);
}

void gw_say_bytes(gw_cli *cli, gw_bytes bytes) {
    if (bytes.size > 0)
        gw_ignore(fwrite(bytes.data, 1, bytes.size, cli->out)); // main checks the stream once, at the end
}

// What was said before stands before.
static void said_before(gw_cli *cli) {
    gw_pager_flush(cli);
    gw_ignore(fflush(cli->out)); // main checks the stream once, at the end
}

void gw_note(gw_cli *cli, const char *format, ...) {
    va_list arguments;
    said_before(cli);
    va_start(arguments, format);
    format_out(cli, cli->err, format, arguments);
    va_end(arguments);
}

static void field_out(gw_cli *cli, FILE *stream, unsigned column, const char *label, const char *text) {
    gw_buffer clean, line;
    gw_buffer_init(&clean, TEXT_MAX);
    gw_buffer_init(&line, TEXT_MAX);
    gw_text_clean(&clean, text, cli->is_unicode); // as above
    gw_buffer_format(&line, "%-*s", (int)column, label);
    unsigned used = gw_text_width(label, strlen(label));
    gw_text_wrap(&line, gw_buffer_string(&clean), cli->width, used > column ? used : column, column);
    text_out(cli, stream, gw_buffer_string(&line));
    gw_buffer_done(&clean);
    gw_buffer_done(&line);
}

void gw_say_field(gw_cli *cli, const char *label, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) >= 0) {
        field_out(cli, cli->out, FIELD_COLUMN, label, text);
        free(text);
    }
    va_end(arguments);
}

static void paint(gw_cli *cli, FILE *stream, bool is_terminal, const char *colour, const char *text) {
    bool is_painted = cli->has_colour && is_terminal;
    if (is_painted)
        gw_ignore(fprintf(stream, "\033[%sm", colour)); // main checks the stream once, at the end
    text_out(cli, stream, text);
    if (is_painted)
        gw_ignore(fputs("\033[0m", stream)); // as above
}

void gw_say_verdict(gw_cli *cli, const char *word, const char *format, ...) {
    const char *colour = strcmp(word, "OK") == 0     ? COLOUR_GREEN
                         : strcmp(word, "FAIL") == 0 ? COLOUR_RED
                                                     : COLOUR_YELLOW;
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) >= 0) {
        gw_buffer rest;
        gw_buffer_init(&rest, TEXT_MAX);
        gw_buffer_format(&rest, "%*s", (int)(6 - strlen(word)), "");
        gw_text_wrap(&rest, text, cli->width, 6, 6);
        paint(cli, cli->out, cli->out_is_terminal, colour, word);
        text_out(cli, cli->out, gw_buffer_string(&rest));
        gw_buffer_done(&rest);
        free(text);
    }
    va_end(arguments);
}

// A command is copied as one line, so only a sentence without one is wrapped.
static void mend_out(gw_cli *cli, const char *mend) {
    if (strstr(mend, "godwit") != NULL || strstr(mend, "--") != NULL || strchr(mend, '|') != NULL)
        gw_note(cli, "  %-5s %s\n", "mend", mend);
    else
        field_out(cli, cli->err, 8, "  mend", mend);
}

gw_exit_code gw_fail(gw_cli *cli, const gw_problem *problem) {
    said_before(cli);
    paint(cli, cli->err, cli->err_is_terminal, COLOUR_RED, "godwit:");
    const char *what = problem->what[0] != '\0' ? problem->what : "That did not work.";
    if (cli->err_is_terminal)
        field_out(cli, cli->err, 0, " ", what);
    else
        gw_note(cli, " %s\n", what); // one line for what reads it
    if (problem->why[0] != '\0')
        field_out(cli, cli->err, 8, "  why", problem->why);
    if (problem->mend[0] != '\0')
        mend_out(cli, problem->mend);
    if (problem->charged.micro > 0) {
        char amount[GW_EPSILON_TEXT];
        gw_epsilon_format(problem->charged, amount);
        gw_note(cli, "  %-5s %s (the data had been read)\n", "cost", amount);
    }
    if (problem->request[0] != '\0')
        gw_note(cli, "  request %s\n", problem->request);
    gw_note(cli, "  %-5s %s\n", "code", problem->code[0] != '\0' ? problem->code : gw_status_name(problem->status));
    return gw_exit_code_of(problem);
}

gw_exit_code gw_usage(gw_cli *cli, const char *what, const char *mend) {
    gw_problem problem;
    gw_ignore(gw_problem_set(&problem, GW_INVALID, "usage", what, "", mend)); // returns what it is given
    return gw_fail(cli, &problem);
}

bool gw_confirm(gw_cli *cli, const char *question) {
    if (!cli->in_is_terminal || !cli->err_is_terminal)
        return false;
    gw_note(cli, "%s [y/N] ", question);
    gw_ignore(fflush(cli->err)); // the prompt must be seen; a failure changes nothing
    char line[16];
    if (fgets(line, sizeof(line), cli->in) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}
