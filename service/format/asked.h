// SPDX-License-Identifier: Apache-2.0
// What an answer does not say of itself: the question it answers, as its asker put it. Both forms show it, so that a
// table or a file that is passed on still says whom its figures are about.
// Thread safety: a plain value.
#pragma once

typedef struct {
    const char *title; // one line for people
    const char *where; // the filters in canonical text: "age=20..64 and sex=F"; "" for everybody
} gw_asked;
