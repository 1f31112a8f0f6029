// SPDX-License-Identifier: Apache-2.0
// What doctor found, check by check, as lines for people or as JSON.
// Thread safety: one owner.   Depends on: base.
#pragma once
#include "service/base/problem.h"

#include <stddef.h>

typedef enum { GW_FOUND_OK, GW_FOUND_WARN, GW_FOUND_FAIL } gw_found;
#define GW_DOCTOR_LINES_MAX 256 // a hundred datasets and every check besides

typedef struct {
    gw_found found;
    const char *check; // a constant
    char says[400], mend[320];
} gw_doctor_line;
typedef struct {
    gw_doctor_line lines[GW_DOCTOR_LINES_MAX];
    size_t count;
} gw_doctor_report;

__attribute__((format(printf, 5, 6))) void gw_doctor_say(gw_doctor_report *report, gw_found found, const char *check,
                                                         const char *mend, const char *format, ...);
// A failure as another room tells it.
void gw_doctor_say_problem(gw_doctor_report *report, gw_found found, const char *check, const gw_problem *problem);
size_t gw_doctor_count(const gw_doctor_report *report, gw_found found);
void gw_doctor_print(const gw_doctor_report *report, bool is_json); // on stdout
