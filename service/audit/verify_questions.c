// SPDX-License-Identifier: Apache-2.0
// Question texts against the charges that name their hashes. The files hold each different question once, one line, in
// the order of the charges that asked it first (question_files.h); a text may be missing. So lines and first charges
// are walked together: a charge whose text is not the next line has none, and a line that no later charge of its file
// takes was changed, at the first charge it was held against. Lines after the last charge of the newest file belong to
// charges that this checkpoint does not hold yet.
#include "privacy/budget.h"
#include "service/audit/fold_inner.h"
#include "service/audit/verify_inner.h"
#include "service/base/check.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_ENTRIES 65536u // as the publisher parts them
#define LINE_BYTES_MAX 1048576u
#define BLOCK_SIZE 65536u

typedef enum { LINE_NONE, LINE_TEXT, LINE_BROKEN } line_state; // broken: too long, or without its end

struct gw_verify_questions {
    const char *folder;
    gw_fold_map known; // questions that a charge asked before, numbered
    // Of this file's, from number known_before on: the first of the charges without a text that end before it, or with
    // it; UINT64_MAX: the one before it has its text, and it too.
    GW_FOLD_LIST(uint64_t) passed_over;
    GW_FOLD_LIST(uint64_t) costs; // by the same numbers: what the text says; 0: nothing, or it is not there
    size_t known_before;
    uint64_t passed_first; // of those that end here
    FILE *file;            // NULL: it is not there
    bool is_begun;
    uint64_t number;      // of the file
    uint64_t charge_last; // of this file, or where it begins
    line_state state;     // of the line that waits for its charge
    gw_hash hash;         // of its text
    uint64_t compared;    // the first charge it was held against, or UINT64_MAX
    gw_buffer line;
    uint8_t block[BLOCK_SIZE]; // of the file, used up to `at`
    size_t at, filled;
};

gw_verify_questions *gw_verify_questions_new(const char *folder) {
    gw_verify_questions *questions = calloc(1, sizeof(*questions));
    if (questions == NULL)
        return NULL;
    questions->folder = folder;
    gw_buffer_init(&questions->line, LINE_BYTES_MAX);
    return questions;
}

static void file_close(gw_verify_questions *questions) {
    if (questions->file != NULL)
        gw_ignore(fclose(questions->file)); // it was only read
    questions->file = NULL;
}

void gw_verify_questions_free(gw_verify_questions *questions) {
    if (questions == NULL)
        return;
    file_close(questions);
    gw_buffer_done(&questions->line);
    free(questions->known.slots);
    free(questions->passed_over.items);
    free(questions->costs.items);
    free(questions);
}

static gw_status unreadable(const gw_verify_questions *questions, gw_audit_verdict *verdict) {
    gw_status status =
        gw_problem_set(&verdict->problem, GW_IO, "file_unreadable", "A file of question texts cannot be read.", "", "");
    gw_problem_why(&verdict->problem, "%s/%03llu.jsonl", questions->folder, (unsigned long long)questions->number);
    return status;
}

static gw_status tampered(gw_audit_verdict *verdict, uint64_t charge, const char *code, const char *what) {
    verdict->first_bad = charge;
    return gw_problem_set(&verdict->problem, GW_CORRUPT, code, what, "", "");
}

// ---- lines

// The next bytes of the file; none at its end, and where there is no file. False: it cannot be read.
static bool block_fill(gw_verify_questions *questions) {
    questions->at = questions->filled = 0;
    if (questions->file == NULL)
        return true;
    questions->filled = fread(questions->block, 1, sizeof(questions->block), questions->file);
    return ferror(questions->file) == 0;
}

static gw_status line_read(gw_verify_questions *questions, gw_audit_verdict *verdict) {
    questions->state = LINE_NONE;
    questions->compared = UINT64_MAX;
    questions->line.size = 0;
    questions->line.status = GW_OK;
    const uint8_t *newline = NULL;
    while (newline == NULL) {
        if (questions->at == questions->filled && !block_fill(questions))
            return unreadable(questions, verdict);
        if (questions->at == questions->filled)
            break;
        const uint8_t *from = questions->block + questions->at;
        size_t left = questions->filled - questions->at;
        newline = memchr(from, '\n', left);
        size_t size = newline == NULL ? left : (size_t)(newline - from);
        gw_buffer_append(&questions->line, from, size);
        questions->at += newline == NULL ? size : size + 1;
    }
    if (questions->line.status == GW_NO_MEMORY)
        return gw_fold_no_memory(&verdict->problem);
    if (newline == NULL && questions->line.size == 0 && questions->line.status == GW_OK)
        return GW_OK;
    questions->state = newline != NULL && questions->line.status == GW_OK ? LINE_TEXT : LINE_BROKEN;
    questions->hash = gw_sha256(gw_buffer_bytes(&questions->line));
    return GW_OK;
}

// ---- files

// The charges that were passed over before the one whose text the waiting line is; UINT64_MAX: it is no such line.
static uint64_t passed_over_by(const gw_verify_questions *questions) {
    gw_tag key = gw_tag_of((gw_bytes){.data = questions->hash.bytes, .size = sizeof(questions->hash.bytes)});
    size_t place = gw_fold_find(&questions->known, key);
    return place == GW_FOLD_NONE || place < questions->known_before
               ? UINT64_MAX
               : questions->passed_over.items[place - questions->known_before];
}

// `may_go_on`: with texts of charges that the checkpoint does not hold.
static gw_status file_finish(gw_verify_questions *questions, bool is_newest, bool may_go_on,
                             gw_audit_verdict *verdict) {
    file_close(questions);
    if (questions->state == LINE_NONE)
        return GW_OK;
    uint64_t passed = passed_over_by(questions);
    uint64_t charge = passed != UINT64_MAX || may_go_on ? passed : questions->compared;
    if (charge != UINT64_MAX)
        return tampered(verdict, charge, "bad_question", "The text published for a question is not what was asked.");
    if (is_newest)
        return GW_OK;
    return tampered(verdict, questions->charge_last, "bad_question",
                    "A question's text is published that no charge asked.");
}

static gw_status file_begin(gw_verify_questions *questions, uint64_t number, gw_audit_verdict *verdict) {
    char path[GW_VERIFY_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%03llu.jsonl", questions->folder, (unsigned long long)number);
    questions->is_begun = true;
    questions->number = number;
    questions->charge_last = number * FILE_ENTRIES;
    questions->at = questions->filled = 0;
    questions->known_before = questions->known.count;
    questions->passed_over.count = 0;
    questions->passed_first = UINT64_MAX;
    questions->file = fopen(path, "re");
    if (questions->file == NULL && errno != ENOENT && errno != ENOTDIR)
        return unreadable(questions, verdict);
    return line_read(questions, verdict);
}

// ---- charges

// A text begins with what it is about and ends with what it costs (formats of the service's own); what says neither is
// held against its hash alone.
static const char *misstatement(const gw_buffer *line, const gw_entry *entry, bool *ret_is_priced) {
    static const char begins[] = "{\"v\":1,\"dataset\":\"", price[] = ",\"epsilon\":\"";
    char cost[GW_EPSILON_TEXT], about[256], tail[sizeof(price) + GW_EPSILON_TEXT + 2];
    const char *text = gw_buffer_string(line), *stated = NULL;
    gw_epsilon_format((gw_epsilon){entry->charge.cost}, cost);
    snprintf(about, sizeof(about), "%s%s\",\"data\":\"%s\"", begins, entry->charge.dataset, entry->charge.data);
    snprintf(tail, sizeof(tail), "%s%s\"}", price, cost);
    for (const char *at = text; (at = strstr(at, price)) != NULL; at++)
        stated = at;
    *ret_is_priced = stated != NULL;
    if (strncmp(text, begins, strlen(begins)) == 0 && strncmp(text, about, strlen(about)) != 0)
        return "The question's text is about other data than those that were charged.";
    return stated != NULL && strcmp(stated, tail) != 0 ? "The question's text costs another amount than was charged."
                                                       : NULL;
}

// The same question has the same price: its text, which the hash covers, ends with it.
static gw_status known_check(const gw_verify_questions *questions, size_t place, const gw_entry *entry,
                             gw_audit_verdict *verdict) {
    uint64_t cost = questions->costs.items[place];
    if (cost == 0 || cost == entry->charge.cost)
        return GW_OK;
    return tampered(verdict, entry->seq, "bad_price", "The question's text costs another amount than was charged.");
}

static gw_status text_take(gw_verify_questions *questions, const gw_entry *entry, gw_audit_verdict *verdict) {
    bool is_priced;
    const char *what = misstatement(&questions->line, entry, &is_priced);
    if (what != NULL)
        return tampered(verdict, entry->seq, "bad_price", what);
    questions->costs.items[questions->costs.count - 1] = is_priced ? entry->charge.cost : 0;
    questions->passed_first = UINT64_MAX;
    verdict->questions++;
    return line_read(questions, verdict);
}

gw_status gw_verify_questions_charge(gw_verify_questions *questions, const gw_entry *entry, gw_audit_verdict *verdict) {
    uint64_t seq = entry->seq, number = seq / FILE_ENTRIES;
    gw_hash question = entry->charge.question;
    gw_status status = GW_OK;
    if (questions->is_begun && number != questions->number)
        status = file_finish(questions, false, false, verdict);
    if (status == GW_OK && (!questions->is_begun || number != questions->number))
        status = file_begin(questions, number, verdict);
    if (status != GW_OK)
        return status;
    gw_tag key = gw_tag_of((gw_bytes){.data = question.bytes, .size = sizeof(question.bytes)});
    size_t place = gw_fold_find(&questions->known, key);
    if (place != GW_FOLD_NONE)
        return known_check(questions, place, entry, verdict);
    if (!gw_fold_map_room(&questions->known) || !GW_FOLD_ROOM(questions->passed_over) ||
        !GW_FOLD_ROOM(questions->costs))
        return gw_fold_no_memory(&verdict->problem);
    gw_fold_map_put(&questions->known, key, questions->known.count);
    questions->costs.items[questions->costs.count++] = 0;
    questions->charge_last = seq;
    bool is_there = questions->state == LINE_TEXT && gw_hash_equal(questions->hash, question);
    if (!is_there && questions->passed_first == UINT64_MAX)
        questions->passed_first = seq;
    questions->passed_over.items[questions->passed_over.count++] = questions->passed_first;
    if (is_there)
        return text_take(questions, entry, verdict);
    verdict->questions_missing++;
    if (questions->compared == UINT64_MAX)
        questions->compared = seq;
    return GW_OK;
}

gw_status gw_verify_questions_end(gw_verify_questions *questions, bool has_grown, gw_audit_verdict *verdict) {
    return questions->is_begun ? file_finish(questions, true, has_grown, verdict) : GW_OK;
}
