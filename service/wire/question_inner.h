// SPDX-License-Identifier: Apache-2.0
// What the files that decode a question share; nobody outside this room includes it. Each reads its part of a body into
// the question; the reader keeps the first problem.
// Thread safety: pure.   Depends on: question.h.
#pragma once
#include "service/wire/question.h"

#define GW_QUESTION_WHAT "The question is not well formed."

// The memory set aside for one question is full.
void gw_question_no_memory(gw_json_reader *reader, const gw_json_node *node);
// The text of a string node that must be a name; of a field; of each of a list, none twice. NULL after a problem.
const char *gw_question_name_of(gw_json_reader *reader, const gw_json_node *node);
const char *gw_question_read_name(gw_json_reader *reader, const gw_json_node *object, const char *field);
const char *const *gw_question_read_names(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena,
                                          size_t count_max, const char *code, size_t *ret_count);

// The fields of these names, from `root`.
void gw_question_decode_measure(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena,
                                gw_question *question);
void gw_question_decode_gap(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question);
void gw_question_decode_tables(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena,
                               gw_question *question);
