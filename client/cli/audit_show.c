// SPDX-License-Identifier: Apache-2.0
// One entry in full: in plain words, with the entries it belongs to (the charge of a release, its policy, what became
// of a charge), the text of what was asked, and the entry's own lines. It shows, and checks nothing but the text's
// hash.
#include "client/cli/audit_say.h"
#include "client/cli/commands.h"
#include "client/cli/entry_rows.h"
#include "client/cli/entry_words.h"
#include "client/cli/log_files.h"
#include "client/cli/progress.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <string.h>

#define PATH_SIZE 4096u
#define QUESTION_FILE_ENTRIES 65536u // charges of so many entries stand in one file (godwit-log(5))
#define QUESTION_BYTES_MAX 1048576u
#define QUESTION_NAME "question"

typedef unsigned long long wide; // for printf
GW_DEFINE_FREEP(gw_json, gw_json_free)

typedef struct {
    const char *log, *questions;
} show_options;
static const gw_option options_of_show[] = {
    {"log", 0, GW_OPTION_TEXT, offsetof(show_options, log), "DIR", "the log folder (./log, ./state/log)"},
    {"questions", 0, GW_OPTION_TEXT, offsetof(show_options, questions), "DIR",
     "the folder of questions' texts (questions beside the log)"},
};

// The entry, and those that belong to it.
typedef struct {
    char folder[PATH_SIZE];
    uint64_t size;
    gw_entry entry, charge, outcome, policy;
    bool has_charge, has_outcome, has_policy;
    char release[GW_RELEASE_ID_MAX];
    uint64_t seq; // looked for; GW_NO_SEQ: by release
    bool is_found;
    uint64_t withdrawn; // entry, or GW_NO_SEQ
    int64_t embargo;    // until; 0 = none
    gw_buffer question;
} shown_entry;

static bool entry_take(void *state, const gw_entry *entry) {
    *(gw_entry *)state = *entry;
    return false;
}

static gw_status entry_at(const shown_entry *shown, uint64_t seq, gw_entry *ret, gw_problem *ret_problem) {
    gw_log_reading reading = {
        .folder = shown->folder, .size = shown->size, .first = seq, .each = entry_take, .state = ret};
    return gw_log_files_scan(&reading, ret_problem);
}

// One pass over all: a release is found by its id, and whatever happens to it later.
static bool entry_meet(void *state, const gw_entry *entry) {
    shown_entry *shown = state;
    bool is_it = entry->kind == GW_ENTRY_RELEASE && shown->seq == GW_NO_SEQ &&
                 strcmp(entry->release.release, shown->release) == 0;
    if (is_it || entry->seq == shown->seq) {
        shown->entry = *entry;
        shown->is_found = true;
        if (entry->kind == GW_ENTRY_RELEASE)
            memcpy(shown->release, entry->release.release, sizeof(shown->release));
        return true;
    }
    bool is_outcome = shown->is_found && shown->entry.kind == GW_ENTRY_CHARGE &&
                      ((entry->kind == GW_ENTRY_RELEASE && entry->release.charge == shown->entry.seq) ||
                       (entry->kind == GW_ENTRY_ABANDON && entry->abandon.charge == shown->entry.seq));
    if (is_outcome) {
        shown->outcome = *entry;
        shown->has_outcome = true;
        if (entry->kind == GW_ENTRY_RELEASE)
            memcpy(shown->release, entry->release.release, sizeof(shown->release));
    }
    if (entry->kind == GW_ENTRY_WITHDRAW && strcmp(entry->withdraw.release, shown->release) == 0)
        shown->withdrawn = entry->seq;
    if (entry->kind == GW_ENTRY_EMBARGO && strcmp(entry->embargo.release, shown->release) == 0)
        shown->embargo = entry->embargo.until;
    return true;
}

static gw_status partners_find(shown_entry *shown, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    uint64_t charge = shown->entry.kind == GW_ENTRY_RELEASE   ? shown->entry.release.charge
                      : shown->entry.kind == GW_ENTRY_ABANDON ? shown->entry.abandon.charge
                                                              : GW_NO_SEQ;
    if (shown->entry.kind == GW_ENTRY_CHARGE) {
        shown->charge = shown->entry;
        shown->has_charge = true;
    } else if (charge < shown->size) {
        status = entry_at(shown, charge, &shown->charge, ret_problem);
        shown->has_charge = status == GW_OK && shown->charge.kind == GW_ENTRY_CHARGE;
    }
    if (status == GW_OK && shown->has_charge && shown->charge.charge.policy < shown->size) {
        status = entry_at(shown, shown->charge.charge.policy, &shown->policy, ret_problem);
        shown->has_policy = status == GW_OK && shown->policy.kind == GW_ENTRY_POLICY;
    }
    return status;
}

// ---- what was asked

static bool questions_path(const shown_entry *shown, const char *named, char path[PATH_SIZE]) {
    wide number = (wide)(shown->charge.seq / QUESTION_FILE_ENTRIES);
    int used = named != NULL ? snprintf(path, PATH_SIZE, "%s/%03llu.jsonl", named, number)
                             : snprintf(path, PATH_SIZE, "%s/../questions/%03llu.jsonl", shown->folder, number);
    return used > 0 && (unsigned)used < PATH_SIZE;
}

// The line whose hash the charge states: no other text is shown for it.
static void question_find(shown_entry *shown, const char *named) {
    char path[PATH_SIZE];
    FILE *file = shown->has_charge && questions_path(shown, named, path) ? fopen(path, "re") : NULL;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    while (file != NULL && shown->question.size == 0 && (size = getline(&line, &capacity, file)) > 0) {
        gw_bytes text = {.data = (const uint8_t *)line, .size = (size_t)size - (line[size - 1] == '\n')};
        if (gw_hash_equal(gw_sha256(text), shown->charge.charge.question))
            gw_buffer_append(&shown->question, text.data, text.size);
    }
    free(line);
    if (file != NULL)
        gw_ignore(fclose(file)); // it was only read
}

static void question_say(gw_cli *cli, const shown_entry *shown) {
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_buffer words;
    if (!shown->has_charge)
        return;
    if (shown->question.size == 0) {
        gw_say_field(cli, "Question", "its text is not in the folder of questions; its hash is in the charge");
        return;
    }
    gw_json_limits limits = {.name = QUESTION_NAME, .size_max = QUESTION_BYTES_MAX, .depth_max = 12};
    gw_buffer_init(&words, 65536);
    if (gw_json_parse(gw_buffer_bytes(&shown->question), limits, &json, NULL) == GW_OK &&
        gw_json_type_of(gw_json_root(json)) == GW_JSON_OBJECT) {
        gw_question_say(gw_json_root(json), &words);
        gw_say_field(cli, "Question", "%s", gw_buffer_string(&words));
        gw_say_field(cli, "", "%s", gw_buffer_string(&shown->question));
    } else {
        gw_say_field(cli, "Question", "%s", gw_buffer_string(&shown->question));
    }
    gw_buffer_done(&words);
}

// ---- in words

static void entry_field(gw_cli *cli, const char *label, const gw_entry *entry) {
    gw_buffer text;
    char time[GW_TIME_TEXT];
    gw_buffer_init(&text, 4096);
    gw_time_format(entry->time, time);
    gw_buffer_format(&text, "entry %llu, %s: ", (wide)entry->seq, time);
    gw_entry_say(entry, &text);
    gw_say_field(cli, label, "%s", gw_buffer_string(&text));
    gw_buffer_done(&text);
}

static void signers_field(gw_cli *cli, const gw_entry *entry) {
    gw_buffer text;
    gw_buffer_init(&text, 512);
    for (size_t i = 0; i < entry->by.count; i++)
        gw_buffer_format(&text, "%s%s", i == 0 ? "" : ", ", entry->by.ids[i]);
    if (text.size > 0)
        gw_say_field(cli, "Signed by", "%s", gw_buffer_string(&text));
    gw_buffer_done(&text);
}

static void later_say(gw_cli *cli, const shown_entry *shown) {
    char until[GW_TIME_TEXT];
    if (shown->entry.kind == GW_ENTRY_CHARGE && !shown->has_outcome)
        gw_say_field(cli, "Outcome", "none in this log: the charge is open, and spent");
    else if (shown->has_outcome)
        entry_field(cli, "Outcome", &shown->outcome);
    if (shown->embargo != 0) {
        gw_time_format(shown->embargo, until);
        gw_say_field(cli, "Kept back", "not shown to others before %s", until);
    }
    if (shown->withdrawn != GW_NO_SEQ)
        gw_say_field(cli, "Withdrawn", "by entry %llu: shown to nobody from there on", (wide)shown->withdrawn);
}

static void lines_say(gw_cli *cli, const gw_entry *entry) {
    gw_buffer text, lines;
    gw_buffer_init(&text, GW_ENTRY_BYTES_MAX);
    gw_buffer_init(&lines, 2 * GW_ENTRY_BYTES_MAX);
    gw_entry_encode(entry, &text);
    for (const char *line = gw_buffer_string(&text); *line != '\0';) {
        size_t size = strcspn(line, "\n");
        gw_buffer_format(&lines, "  %.*s\n", (int)size, line);
        line += size + (line[size] == '\n' ? 1 : 0);
    }
    gw_say(cli, "\nThe entry as the log has it\n%s", gw_buffer_string(&lines));
    gw_buffer_done(&text);
    gw_buffer_done(&lines);
}

static void words_say(gw_cli *cli, const shown_entry *shown) {
    gw_buffer text;
    char time[GW_TIME_TEXT];
    gw_buffer_init(&text, 4096);
    gw_time_format(shown->entry.time, time);
    gw_entry_say(&shown->entry, &text);
    gw_say_field(cli, "Entry", "%llu of %llu, %s UTC: %s", (wide)shown->entry.seq, (wide)shown->size, time,
                 gw_entry_kind_name(shown->entry.kind));
    gw_say_field(cli, "What", "%s", gw_buffer_string(&text));
    gw_buffer_done(&text);
    signers_field(cli, &shown->entry);
    if (shown->has_charge && shown->entry.kind != GW_ENTRY_CHARGE)
        entry_field(cli, "Charge", &shown->charge);
    question_say(cli, shown);
    if (shown->has_policy)
        entry_field(cli, "Policy", &shown->policy);
    later_say(cli, shown);
    lines_say(cli, &shown->entry);
    gw_say(cli, "\nShown, not checked: godwit audit verify\n");
}

static void json_say(gw_cli *cli, const shown_entry *shown) {
    gw_buffer text;
    gw_buffer_init(&text, 4u * QUESTION_BYTES_MAX);
    gw_buffer_text(&text, "{\"v\":1,\"entry\":");
    gw_entry_object(&shown->entry, &text);
    if (shown->has_charge && shown->entry.kind != GW_ENTRY_CHARGE) {
        gw_buffer_text(&text, ",\"charge\":");
        gw_entry_object(&shown->charge, &text);
    }
    if (shown->has_policy) {
        gw_buffer_text(&text, ",\"policy\":");
        gw_entry_object(&shown->policy, &text);
    }
    if (shown->has_outcome) {
        gw_buffer_text(&text, ",\"outcome\":");
        gw_entry_object(&shown->outcome, &text);
    }
    if (shown->withdrawn != GW_NO_SEQ)
        gw_json_write_integer(&text, "withdrawn_by", (int64_t)shown->withdrawn);
    if (shown->embargo != 0) {
        char until[GW_STAMP_TEXT];
        gw_stamp_format(shown->embargo, until);
        gw_json_write_member(&text, "kept_back_until", until);
    }
    if (shown->question.size > 0)
        gw_json_write_member(&text, "question_text", gw_buffer_string(&shown->question));
    gw_buffer_text(&text, "}\n");
    gw_say_bytes(cli, gw_buffer_bytes(&text));
    gw_buffer_done(&text);
}

static gw_exit_code rows_say(gw_cli *cli, const shown_entry *shown) {
    gw_buffer csv;
    gw_buffer_init(&csv, 4 * GW_ENTRY_BYTES_MAX);
    gw_entry_columns(&csv);
    gw_entry_row(&shown->entry, &csv);
    if (shown->has_charge && shown->entry.kind != GW_ENTRY_CHARGE)
        gw_entry_row(&shown->charge, &csv);
    if (shown->has_outcome)
        gw_entry_row(&shown->outcome, &csv);
    gw_say_bytes(cli, gw_buffer_bytes(&csv));
    gw_buffer_done(&csv);
    return GW_EXIT_DONE;
}

static gw_status shown_find(gw_cli *cli, const char *word, shown_entry *shown, gw_problem *ret_problem) {
    shown->seq = shown->withdrawn = GW_NO_SEQ;
    if (!gw_number_read(word, INT64_MAX, &shown->seq)) {
        shown->seq = GW_NO_SEQ;
        if (!gw_release_is_plain(word) || strlen(word) >= sizeof(shown->release))
            return gw_problem_set(ret_problem, GW_INVALID, "option_value",
                                  "An entry is named by its number, or by the id of its release.", "",
                                  "godwit audit show GW-2026-000143");
        memcpy(shown->release, word, strlen(word) + 1);
    }
    gw_status status = gw_log_files_size(shown->folder, &shown->size, ret_problem);
    if (status != GW_OK)
        return status;
    gw_progress *progress = gw_progress_begin(cli, "reading the log");
    gw_log_reading reading = {.folder = shown->folder, .size = shown->size, .each = entry_meet, .state = shown};
    if (shown->seq != GW_NO_SEQ)
        reading.first = shown->seq < shown->size ? shown->seq : shown->size; // nothing before it belongs to it
    if (reading.first < reading.size)
        status = gw_log_files_scan(&reading, ret_problem);
    gw_progress_end(progress);
    if (status == GW_OK && !shown->is_found) {
        status = gw_problem_set(ret_problem, GW_NOT_FOUND, "entry_missing", "", "", "godwit audit log");
        gw_problem_what(ret_problem, "There is no %s%.64s in this log of %llu entries.",
                        shown->seq == GW_NO_SEQ ? "release " : "entry ", word, (wide)shown->size);
    }
    return status == GW_OK ? partners_find(shown, ret_problem) : status;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    const show_options *options = state;
    shown_entry shown = {.size = 0};
    gw_problem problem;
    gw_buffer_init(&shown.question, QUESTION_BYTES_MAX);
    gw_status status = gw_log_files_find(options->log, shown.folder, &problem);
    if (status == GW_OK)
        status = shown_find(cli, words->items[0], &shown, &problem);
    gw_exit_code code = GW_EXIT_DONE;
    if (status != GW_OK) {
        code = strcmp(problem.code, "entry_missing") == 0 ? gw_fail(cli, &problem) : gw_audit_fail(cli, &problem);
    } else {
        question_find(&shown, options->questions);
        if (cli->output == GW_OUTPUT_TABLE)
            words_say(cli, &shown);
        else if (cli->output == GW_OUTPUT_JSON)
            json_say(cli, &shown);
        else
            code = rows_say(cli, &shown);
    }
    gw_buffer_done(&shown.question);
    return code;
}

const gw_command gw_command_audit_show = {
    .name = "audit show",
    .group = "Auditor",
    .arguments = "ENTRY [--log DIR] [--questions DIR]",
    .summary = "one entry in full, by its number or its release, with its charge, its policy and what was asked",
    .examples = "godwit audit show 812\ngodwit audit show GW-2026-000143 --log log\n",
    GW_OPTIONS(options_of_show),
    .options_size = sizeof(show_options),
    .words_min = 1,
    .words_max = 1,
    .is_paged = true,
    .run = run,
};
