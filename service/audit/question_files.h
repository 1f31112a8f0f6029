// SPDX-License-Identifier: Apache-2.0
// The texts of what was asked, beside the log: one line of canonical JSON per charge, in the log's order, in files of
// 65,536 entries' charges each (questions/000.jsonl, 001.jsonl, …). SHA-256 of a line without its newline is the
// charge's `question`. The ledger has every text too, so lines are not synced: at the first use of a file what is there
// is compared with what the ledger says, and written anew from the first difference. Thread safety: one owner. Depends
// on: base.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

#define GW_QUESTION_FILE_ENTRIES 65536u

typedef struct gw_question_files gw_question_files;
gw_question_files *gw_question_files_new(const char *folder); // NULL without memory
void gw_question_files_free(gw_question_files *files);        // accepts NULL
// The first entry whose charge is wanted next: that of the file that is compared, then the one after the last line.
uint64_t gw_question_files_next(const gw_question_files *files);
// In order of charge_seq. Code: publish_write.
GW_MUST_CHECK gw_status gw_question_files_add(gw_question_files *files, uint64_t charge_seq, gw_bytes text,
                                              gw_problem *ret_problem);
// After a run of adds up to entry `size`: hands the lines to the system. After a failure the file is compared again.
GW_MUST_CHECK gw_status gw_question_files_end(gw_question_files *files, uint64_t size, gw_status status,
                                              gw_problem *ret_problem);
