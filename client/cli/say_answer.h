// SPDX-License-Identifier: Apache-2.0
// An answer's figures on stdout, in the format that was asked for.
// Thread safety: one thread.   Depends on: client/cli/names.h, format/format.h, wire/{answer,question}.h.
#pragma once
#include "client/cli/names.h"
#include "service/wire/answer.h"
#include "service/wire/question.h"

typedef struct {
    const gw_answer *answer;
    gw_bytes bytes; // the answer as it came
    const gw_question *question;
    const gw_names *names;       // NULL where the format needs no labels (gw_format.has_labels)
    const gw_json_node *dataset; // in names, or NULL
    uint32_t level_ppm;          // of the ranges that are shown; 0: as they were sealed
} gw_said_answer;

// --level 90: of commands that show an answer. Figures are worked out again from what was measured; nothing is asked.
#define GW_LEVEL_OPTION(type, field)                                                                                   \
    { "level", 0, GW_OPTION_TEXT, offsetof(type, field), "PERCENT", "how often a range holds, 50 to 99.9999: not 95" }
// `text` may be NULL, and then it is 0. Not with -o json, which is the sealed document. Code: option_value.
GW_MUST_CHECK gw_status gw_level_read(const gw_cli *cli, const char *text, uint32_t *ret_ppm, gw_problem *ret_problem);

// Codes: output_too_big, level.
GW_MUST_CHECK gw_status gw_say_figures(gw_cli *cli, const gw_said_answer *said, gw_problem *ret_problem);
