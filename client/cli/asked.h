// SPDX-License-Identifier: Apache-2.0
// The question of this command line said again: as the title and the filters of its answer, and as options of a
// command that a refusal recommends.
// Thread safety: pure.   Depends on: client/cli/{names,wording}.h, wire/answer.h.
#pragma once
#include "client/cli/names.h"
#include "client/cli/wording.h"
#include "service/wire/answer.h"

// "age=20..64 and sex=F,M": filters and their codes in order, numbers at their shortest, so that equal filters are
// equal texts; a net goes on with "plus direction=ARR minus direction=DEP". Nothing where nobody is left out.
void gw_asked_where(const gw_question *question, gw_buffer *text);
// "Employment rate, by Country of birth x Sex · only age=20..64 · register · epsilon 0.05". A measure is put into
// words: "Sum of Yearly income", "Net: direction=ARR less direction=DEP", "Number of permits", "Mean of Fee per
// person"; weights that are left out are told at the end ("unweighted").
void gw_asked_title(const gw_question *question, const gw_answer *answer, const gw_names *names, gw_labels *labels,
                    gw_buffer *text);
// What was asked as options of another command, each behind a space: everything but the price.
void gw_asked_options(const gw_cli *cli, const gw_question_options *options, gw_buffer *line);
// A refusal recommends `godwit cost DATASET INDICATOR --epsilon E` and cannot know the rest: adds what was asked.
void gw_asked_mend(const gw_cli *cli, const gw_question_options *options, gw_problem *problem);
