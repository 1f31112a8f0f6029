// SPDX-License-Identifier: Apache-2.0
// What has been released, as its owner sees it: kept from others for a while, or taken back for good. Nothing of this
// touches what was charged.
#include "client/cli/admin.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/clock.h"
#include <string.h>
#include <time.h>

#define HISTORY "{\"v\":1,\"kind\":\"history\",\"all\":true}"
#define STATE_TEXT 64

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

// "visible", "withdrawn", or until when others do not see it.
static void state_format(const gw_json_node *release, char text[STATE_TEXT]) {
    gw_clock clock = gw_clock_system();
    int64_t embargo = gw_doc_integer(release, "embargo", 0);
    char time[GW_TIME_TEXT];
    const char *state = gw_doc_text(release, "state", "");
    bool is_kept = strcmp(state, "sealed") == 0 && embargo > clock.unix_seconds(clock.state);
    gw_time_format(embargo, time);
    gw_ignore(snprintf(text, STATE_TEXT, "%s%s", is_kept ? "embargo to " : "", // bounded
                       is_kept                        ? time
                       : strcmp(state, "sealed") == 0 ? "visible"
                                                      : state));
}

// ---- ls, show

static gw_exit_code ls_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    static const gw_grid_column columns[] = {{"release", "RELEASE", GW_ALIGN_LEFT, false},
                                             {"time", "ASKED (UTC)", GW_ALIGN_LEFT, false},
                                             {"state", "STATE", GW_ALIGN_LEFT, false},
                                             {"dataset", "DATASET", GW_ALIGN_LEFT, false},
                                             {"question", "QUESTION", GW_ALIGN_LEFT, true}};
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, sizeof(columns) / sizeof(columns[0]));
    gw_problem problem;
    GW_ASSERT(grid != NULL);
    if (gw_ask_once(cli, HISTORY, &document, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    bool is_table = cli->output == GW_OUTPUT_TABLE;
    for (const gw_json_node *node = gw_doc_first(gw_json_root(document), "releases"); node != NULL;
         node = gw_json_next(node)) {
        const char *id = gw_doc_text(node, "release", NULL), *dataset = gw_doc_text(node, "dataset", "");
        bool is_wanted = words->count == 0 || strcmp(words->items[0], dataset) == 0 ||
                         strcmp(words->items[0], gw_dataset_short(dataset)) == 0;
        if (id == NULL || !is_wanted)
            continue;
        char time[GW_TIME_TEXT], state[STATE_TEXT];
        GW_CLEANUP(gw_buffer_done) gw_buffer question;
        gw_buffer_init(&question, 65536);
        gw_question_say(gw_doc_at(node, "question"), &question);
        gw_time_format(gw_doc_integer(node, "time", 0), time);
        state_format(node, state);
        gw_grid_add(grid, (const char *[]){id, time, state, is_table ? gw_dataset_short(dataset) : dataset,
                                           gw_buffer_string(&question)});
    }
    if (gw_grid_rows(grid) == 0)
        gw_note(cli, "Nothing was released yet.\n");
    return gw_grid_rows(grid) == 0 && is_table ? GW_EXIT_DONE : gw_say_grid(cli, grid);
}

static const gw_json_node *release_find(const gw_json *document, const char *id) {
    for (const gw_json_node *node = gw_doc_first(gw_json_root(document), "releases"); node != NULL;
         node = gw_json_next(node))
        if (strcmp(gw_doc_text(node, "release", ""), id) == 0)
            return node;
    return NULL;
}

static gw_exit_code show_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer question;
    gw_problem problem;
    gw_buffer_init(&question, 65536);
    if (gw_ask_once(cli, HISTORY, &document, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    const gw_json_node *release = release_find(document, words->items[0]);
    if (release == NULL) {
        gw_problem_fill(&problem, GW_NOT_FOUND, "unknown_release", "There is no such release.",
                        "It is not among the thousand newest questions.", "godwit release ls");
        return gw_fail(cli, &problem);
    }
    char time[GW_TIME_TEXT], state[STATE_TEXT], cost[GW_AMOUNT_TEXT];
    gw_time_format(gw_doc_integer(release, "time", 0), time);
    state_format(release, state);
    gw_amount_text(gw_doc_text(release, "cost", ""), cost);
    gw_question_say(gw_doc_at(release, "question"), &question);
    gw_say_field(cli, "release", "%s", words->items[0]);
    gw_say_field(cli, "state", "%s", state);
    gw_say_field(cli, "dataset", "%s", gw_doc_text(release, "dataset", ""));
    gw_say_field(cli, "question", "%s", gw_buffer_string(&question));
    gw_say_field(cli, "asked", "%s UTC by %s", time, gw_doc_text(release, "principal", ""));
    gw_say_field(cli, "cost", "%s", cost);
    return GW_EXIT_DONE;
}

// ---- embargo, withdraw

typedef struct {
    const char *until;
} embargo_options;
static const gw_option options_of_embargo[] = {
    {"until", 0, GW_OPTION_TEXT, offsetof(embargo_options, until), "TIME",
     "2027-03-01 or 2027-03-01T09:30, in UTC; \"now\" lifts an embargo"},
};

// A day, or a minute of it; nothing that the calendar does not have.
static bool time_read(const char *text, int64_t *ret) {
    struct tm parts = {0}, read;
    int size = 0;
    bool is_day = sscanf(text, "%4d-%2d-%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &size) == 3;
    if (!is_day || size != 10)
        return false;
    int more = 0;
    bool has_minute =
        text[size] != '\0' && sscanf(text + size, "T%2d:%2d%n", &parts.tm_hour, &parts.tm_min, &more) == 2;
    if ((text[size] != '\0' && !has_minute) || (has_minute && (more != 6 || text[size + more] != '\0')))
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    read = parts;
    time_t seconds = timegm(&read);
    *ret = seconds;
    return seconds >= 0 && read.tm_mday == parts.tm_mday && read.tm_mon == parts.tm_mon &&
           read.tm_hour == parts.tm_hour && read.tm_min == parts.tm_min;
}

static gw_exit_code embargo_run(gw_cli *cli, const void *state, const gw_words *words) {
    const embargo_options *options = state;
    bool is_lifted = options->until != NULL && strcmp(options->until, "now") == 0;
    int64_t until = 0;
    if (!is_lifted && (options->until == NULL || !time_read(options->until, &until)))
        return gw_usage(cli, "An embargo has an end: a day or a minute, in UTC.", "--until 2027-03-01");
    gw_buffer body;
    char what[128], time[GW_TIME_TEXT];
    gw_buffer_init(&body, 4096);
    gw_admin_begin(&body, "release_embargo");
    gw_json_write_member(&body, "release", words->items[0]);
    gw_json_write_integer(&body, "until", until);
    gw_time_format(until, time);
    gw_ignore(snprintf(what, sizeof(what), "%.32s is %s%s", words->items[0], // bounded
                       is_lifted ? "under no embargo" : "kept from others until ", is_lifted ? "" : time));
    return gw_admin_finish(cli, &body, what);
}

static gw_exit_code withdraw_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    gw_buffer body;
    char what[128];
    gw_buffer_init(&body, 4096);
    gw_admin_begin(&body, "release_withdraw");
    gw_json_write_member(&body, "release", words->items[0]);
    gw_ignore(snprintf(what, sizeof(what), "%.32s is given to nobody any more", words->items[0])); // bounded
    return gw_admin_finish(cli, &body, what);
}

const gw_command gw_command_release_ls = {
    .name = "release ls",
    .group = "Data owner",
    .arguments = "[DATASET]",
    .summary = "what was released, and which of it is kept back or withdrawn",
    .examples = "godwit release ls\ngodwit release ls register\n",
    .words_max = 1,
    .is_paged = true,
    .run = ls_run,
};
const gw_command gw_command_release_show = {
    .name = "release show",
    .group = "Data owner",
    .arguments = "RELEASE",
    .summary = "one release: its question, its asker, its price, its state",
    .examples = "godwit release show GW-2026-000143\n",
    .words_min = 1,
    .words_max = 1,
    .run = show_run,
};
const gw_command gw_command_release_embargo = {
    .name = "release embargo",
    .group = "Data owner",
    .arguments = "RELEASE --until TIME",
    .summary = "keep a release from all but who paid for it until a time",
    .examples = "godwit release embargo GW-2026-000143 --until 2027-03-01T09:30\n"
                "godwit release embargo GW-2026-000143 --until now   (lifts it)\n",
    GW_OPTIONS(options_of_embargo),
    .options_size = sizeof(embargo_options),
    .words_min = 1,
    .words_max = 1,
    .run = embargo_run,
};
const gw_command gw_command_release_withdraw = {
    .name = "release withdraw",
    .group = "Data owner",
    .arguments = "RELEASE",
    .summary = "give a release to nobody any more; what it cost stays spent",
    .examples = "godwit release withdraw GW-2026-000143\n",
    .words_min = 1,
    .words_max = 1,
    .run = withdraw_run,
};
