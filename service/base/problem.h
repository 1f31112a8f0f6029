// SPDX-License-Identifier: Apache-2.0
// What is told when something is refused: what happened, why, how to mend it, and a stable code. One shape on every
// door. Never holds a value read from personal data. Thread safety: a plain value.   Depends on: privacy/status.h,
// privacy/budget.h.
#pragma once
#include "privacy/budget.h"
#include "privacy/status.h"

typedef struct gw_problem {
    gw_status status;
    char code[48]; // stable, lower case: "budget_principal", "unknown_concept"
    char what[320];
    char why[640];
    char mend[320];    // a runnable command where there is one
    char budget[16];   // "principal", "dataset", "population", "window", "question" or ""
    gw_epsilon needed; // where budget is set
    gw_epsilon remaining;
    int64_t renews;     // unix seconds when the budget, or the patience of rate_limited, begins anew; 0 = never
    gw_epsilon charged; // what this failed question cost all the same
    char request[9];    // first digits of the refused request's hash, as the service's log has them; "" where none
} gw_problem;

// Fills the problem (NULL allowed). what, why and mend are plain texts; use gw_problem_why to format one.
void gw_problem_fill(gw_problem *problem, gw_status status, const char *code, const char *what, const char *why,
                     const char *mend);
// The same, and returns `status`, so that `return gw_problem_set(…)` reads as the refusal it is. Inline, so that
// compilers and analyzers see that a refusal is never GW_OK.
static inline gw_status gw_problem_set(gw_problem *problem, gw_status status, const char *code, const char *what,
                                       const char *why, const char *mend) {
    gw_problem_fill(problem, status, code, what, why, mend);
    return status;
}
void gw_problem_what(gw_problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gw_problem_why(gw_problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gw_problem_mend(gw_problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));
// "Did you mean …?": the nearest of `words` within edit distance 2 (3 for long words), or NULL.
// Upper and lower case are one.
const char *gw_nearest(const char *word, const char *const words[], size_t count);
