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
} gw_said_answer;

// Code: output_too_big.
GW_MUST_CHECK gw_status gw_say_figures(gw_cli *cli, const gw_said_answer *said, gw_problem *ret_problem);
