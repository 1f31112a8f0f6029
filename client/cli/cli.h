// SPDX-License-Identifier: Apache-2.0
// What every command is given, and what a command is: a name, its help, its options, a function.
// The answer goes to stdout; progress, notes, prompts and errors go to stderr.
// Thread safety: one thread.   Depends on: client/cli/{options,exit_code}.h, format/format.h, base.
#pragma once
#include "client/cli/exit_code.h"
#include "client/cli/options.h"
#include "service/base/buffer.h"
#include "service/format/format.h"
#include <stdio.h>

// What a command lays out. GW_OUTPUT_CSV stands for every format of rows: csv, ndjson, md; gw_say_grid and
// gw_say_figures write the one that was asked for.
typedef enum {
    GW_OUTPUT_TABLE = GW_LAYOUT_PEOPLE,
    GW_OUTPUT_CSV = GW_LAYOUT_ROWS,
    GW_OUTPUT_JSON = GW_LAYOUT_DOCUMENT
} gw_output;

typedef struct {
    const char *config, *as, *output, *timeout;
    bool no_color, no_pager, help;
} gw_globals;

typedef struct gw_pager gw_pager;

typedef struct gw_command gw_command;
struct gw_settings;
typedef struct gw_cli {
    FILE *in, *out, *err;
    bool in_is_terminal, out_is_terminal, err_is_terminal;
    bool has_colour; // on whichever of the two streams is a terminal
    bool is_unicode;
    unsigned width; // of tables and paragraphs, at most 80
    gw_globals globals;
    struct gw_settings *settings; // of the command that runs, before files lent anything to the environment; or NULL
    gw_output output;             // the layout of `format`
    const gw_format *format;      // -o
    gw_numbers numbers;           // how tables write figures
    gw_pager *pager;              // holds back what is said on `out`; NULL where nothing is
    int timeout_ms;
    int argc; // the arguments behind the command's name, for commands that hand them on
    char **argv;
    const gw_command *const *commands;
    size_t command_count;
} gw_cli;

struct gw_command {
    const char *name;      // "cost", "audit verify"
    const char *group;     // the line of the overview it stands on; NULL: not shown there
    const char *arguments; // "DATASET INDICATOR"
    const char *summary;   // one line
    const char *examples;  // lines, the first thing help shows
    const gw_option *options;
    size_t option_count;
    size_t options_size; // of the struct that `run` is given
    size_t words_min, words_max;
    bool hands_on;     // argv goes to another program as it is
    bool says_figures; // an answer's: formats that hold nothing else will do
    bool is_paged;     // on a terminal, what is longer than the screen goes through the pager when the command is done
    bool reads_settings; // looks at the files of settings itself: runs even where one of them is wrong
    gw_exit_code (*run)(gw_cli *cli, const void *options, const gw_words *words);
};
#define GW_OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof((table)[0])

// Finds out what the streams are and which signs they take (environment: NO_COLOR, TERM, COLUMNS, LC_ALL,
// LC_NUMERIC, LANG, GODWIT_OUTPUT, GODWIT_PAGER, PAGER).
void gw_cli_init(gw_cli *cli, const gw_command *const *commands, size_t command_count);
// argv without the program's name. The exit code.
gw_exit_code gw_cli_run(gw_cli *cli, int argc, char **argv);
// A command by its one- or two-word name; NULL where there is none.
const gw_command *gw_cli_find(const gw_cli *cli, const char *name);

// Text out, cleaned of control characters and in the signs the stream takes.
void gw_say(gw_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gw_say_text(gw_cli *cli, const char *text);
void gw_say_wrapped(gw_cli *cli, const char *text);                                            // a paragraph
void gw_say_lines(gw_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3))); // one, from its parts
void gw_say_bytes(gw_cli *cli, gw_bytes bytes); // as they are: json and csv
void gw_note(gw_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
// "Label      text …", wrapped with the text's column kept.
void gw_say_field(gw_cli *cli, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));
// A line whose first word says how it went: "OK", "WARN", "FAIL".
void gw_say_verdict(gw_cli *cli, const char *word, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Prints the problem's parts on stderr; returns its exit code.
gw_exit_code gw_fail(gw_cli *cli, const gw_problem *problem);
// A usage problem of this command, said in one sentence: exit code 2.
gw_exit_code gw_usage(gw_cli *cli, const char *what, const char *mend);
// Asks on the terminal; false without one. "y" or "yes" in any case is a yes.
bool gw_confirm(gw_cli *cli, const char *question);
