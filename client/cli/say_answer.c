// SPDX-License-Identifier: Apache-2.0
// What the formats need beyond the answer: its question in words, labels, and what the catalogue says of the data.
#include "client/cli/say_answer.h"
#include "client/cli/asked.h"
#include "client/cli/doc.h"
#include "client/cli/line.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/level.h"
#include "service/wire/decimal.h"
#include <string.h>

#define QUESTION_BYTES_MAX 1048576u
#define ANSWER_BYTES_MAX 268435456u
GW_DEFINE_FREEP(gw_arena, gw_arena_free)

#define DATE_SIZE 10u // "2026-11-21"

// The day the data are of: known while the catalogue still speaks of the version that was asked; a dummy is
// dated as the answer would be.
static bool data_date(const gw_said_answer *said, char date[GW_TIME_TEXT]) {
    const char *version = gw_doc_text(said->dataset, "data_version", NULL);
    int64_t time = gw_doc_integer(said->dataset, "data_time", 0);
    if (version == NULL || time <= 0 || (!said->answer->is_dummy && strcmp(version, said->answer->data_version) != 0))
        return false;
    gw_time_format(time, date);
    date[DATE_SIZE] = '\0';
    return true;
}

gw_status gw_level_read(const gw_cli *cli, const char *text, uint32_t *ret_ppm, gw_problem *ret_problem) {
    gw_decimal percent;
    *ret_ppm = 0;
    if (text == NULL)
        return GW_OK;
    if (cli->output == GW_OUTPUT_JSON)
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "A document has the level it was sealed with.",
                              "-o json writes the answer as the service sealed it, at 95 %.",
                              "Leave --level out, or choose -o table, csv or ndjson.");
    const gw_int128 ppm_of_percent = GW_DECIMAL_ONE / 10000; // one part in a million, in percent
    if (gw_decimal_parse(text, &percent) && percent.trillionths % ppm_of_percent == 0 &&
        percent.trillionths >= 50 * (gw_int128)GW_DECIMAL_ONE &&
        percent.trillionths < 100 * (gw_int128)GW_DECIMAL_ONE) {
        *ret_ppm = (uint32_t)(percent.trillionths / ppm_of_percent);
        return GW_OK;
    }
    return gw_line_bad("--level", text, "a level", "option_value", "A level is a percentage from 50 to 99.9999.",
                       "--level 90", ret_problem);
}

static gw_status level_change(const gw_said_answer *said, gw_arena *arena, gw_answer *ret, gw_problem *ret_problem) {
    gw_status status = gw_answer_at_level(said->answer, said->level_ppm, arena, ret, NULL);
    if (status == GW_INVALID)
        return gw_problem_set(ret_problem, status, "level", "The ranges of this answer hold 19 times in 20.",
                              "The document does not hold what they follow from at another level, or it was changed.",
                              "Leave --level out.");
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "output_too_big", "The answer is too big to work out again.", "",
                              "");
    return GW_OK;
}

gw_status gw_say_figures(gw_cli *cli, const gw_said_answer *said, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text, title, where;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ANSWER_BYTES_MAX);
    gw_answer changed;
    const gw_answer *answer = said->answer;
    const gw_question *question = said->question;
    char date[GW_TIME_TEXT];
    gw_names_labels state;
    gw_labels labels = gw_names_labels_of(&state, said->dataset);
    labels.numbers = &cli->numbers;
    gw_buffer_init(&text, ANSWER_BYTES_MAX);
    gw_buffer_init(&title, QUESTION_BYTES_MAX);
    gw_buffer_init(&where, QUESTION_BYTES_MAX);
    if (said->level_ppm != 0) {
        gw_status status = level_change(said, arena, &changed, ret_problem);
        if (status != GW_OK)
            return status;
        answer = &changed;
    }
    gw_asked_where(question, &where);
    gw_asked asked = {.where = gw_buffer_string(&where),
                      .filters = question->where,
                      .filter_count = question->where_count,
                      .time = data_date(said, date) ? date : NULL};
    if (said->names != NULL) {
        gw_asked_title(question, answer, said->names, &labels, &title);
        asked.title = gw_buffer_string(&title);
        if (answer->indicator != NULL)
            asked.sdmx = gw_doc_text(gw_names_indicator(said->names, answer->indicator), "sdmx", NULL);
    }
    const gw_shown shown = {answer, said->bytes, &asked, &labels, cli->width};
    cli->format->answer(&shown, &text);
    if (text.status != GW_OK)
        return gw_problem_set(ret_problem, text.status, "output_too_big", "The answer is too big to show.",
                              "It was released, and asking again is free.", "-o json");
    if (cli->output == GW_OUTPUT_TABLE)
        gw_say_text(cli, gw_buffer_string(&text));
    else
        gw_say_bytes(cli, gw_buffer_bytes(&text));
    return GW_OK;
}
