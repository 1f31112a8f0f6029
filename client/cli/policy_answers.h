// SPDX-License-Identifier: Apache-2.0
// Where the answers come from that a policy is drafted of: a file of lines "key = value", the terminal, or nowhere;
// then the point stays open, or a safe default is taken. Thread safety: one thread.   Depends on: client/cli/cli.h,
// base/arena.h.
#pragma once
#include "client/cli/cli.h"
#include "service/base/arena.h"

#define GW_ANSWERS_MAX 4096u
#define GW_REASON_MAX 200u

typedef struct {
    const char *key, *value;
    size_t line;
    bool is_used;
} gw_given_answer;

typedef struct {
    gw_cli *cli;
    gw_arena *arena;
    const char *file; // NULL: none
    gw_given_answer answers[GW_ANSWERS_MAX];
    size_t count;
    bool is_terminal; // somebody can be asked
    gw_status status; // sticky: the first answer of the file that cannot be taken
    gw_problem problem;
} gw_answers;

// Writes why `value` cannot be the answer; false then.
typedef bool (*gw_answer_check)(const void *state, const char *value, char reason[GW_REASON_MAX]);

typedef struct {
    const char *key;     // "sex.list"
    const char *prompt;  // "Code list"
    const char *suggest; // taken when somebody presses enter; NULL: then the point stays open
    bool is_safe;        // `suggest` is also taken where nobody can be asked
    gw_answer_check check;
    const void *state;
} gw_ask_for;

// Codes: those of files, answer_line, answer_twice.
GW_MUST_CHECK gw_status gw_answers_read(gw_answers *answers, const char *file, gw_problem *ret_problem);
// The answer, or NULL: it stays open. "" is never returned.
const char *gw_answers_ask(gw_answers *answers, const gw_ask_for *ask);
// An answer of the file that nothing asked for is a slip of the pen. Codes: answer_bad, answer_unknown.
GW_MUST_CHECK gw_status gw_answers_end(gw_answers *answers, gw_problem *ret_problem);
