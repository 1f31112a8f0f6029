// SPDX-License-Identifier: Apache-2.0
// Reading a command line into a plain struct, by a table of options. Options and words may stand in any order; "--"
// ends the options. No global state, no abbreviations: a script written today means the same after new options come.
// Thread safety: pure.   Depends on: base/problem.h.
#pragma once
#include "service/base/problem.h"
#include <stdbool.h>
#include <stddef.h>

#define GW_WORDS_MAX 32u

typedef struct {
    const char *items[GW_WORDS_MAX];
    size_t count;
} gw_words;

typedef enum {
    GW_OPTION_FLAG, // bool
    GW_OPTION_TEXT, // const char *; given twice is an error
    GW_OPTION_LIST, // gw_words
} gw_option_kind;

typedef struct {
    const char *name; // without "--"
    char letter;      // or 0
    gw_option_kind kind;
    size_t offset;     // of the field in the struct that is filled
    const char *value; // what help calls the value; NULL for a flag
    const char *help;
} gw_option;

typedef struct {
    const gw_option *options;
    size_t count;
    void *target; // the struct that holds the fields
} gw_option_set;

// Reads all of argv. Codes: unknown_option (with "Did you mean"), option_value, option_twice, too_many_words.
// With `stop_at_word` reading ends before the first word; `ret_read` says how many arguments were read.
GW_MUST_CHECK gw_status gw_options_read(const gw_option_set *sets, size_t set_count, int argc, char *const *argv,
                                        bool stop_at_word, gw_words *ret_words, int *ret_read, gw_problem *ret_problem);
