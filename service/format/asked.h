// SPDX-License-Identifier: Apache-2.0
// What an answer does not say of itself: the question it answers, as its asker put it, and what the catalogue calls it.
// Every form shows it, so that a table or a file that is passed on still says whom its figures are about.
// Thread safety: a plain value; everything is borrowed.   Depends on: wire/question.h.
#pragma once
#include "service/wire/question.h"

typedef struct {
    const char *title;        // one line for people
    const char *where;        // the filters in canonical text: "age=20..64 and sex=F"; "" for everybody
    const gw_filter *filters; // the same filters; NULL where there are none
    size_t filter_count;
    const char *sdmx; // the indicator's id in SDMX, "EMP_RT"; NULL: one is made from the answer
    const char *time; // what period the data are of: "2026", "2026-10-01"; NULL: the year of the release
} gw_asked;
