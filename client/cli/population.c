// SPDX-License-Identifier: Apache-2.0
// The people behind datasets and the one budget that all of these share.
#include "client/cli/admin.h"
#include "client/cli/commands.h"
#include "privacy/accounting/delta.h"
#include "service/base/check.h"
#include <stdlib.h>

#define DELTA_ATTO_MAX 1000000000000000ULL // 0.001

typedef struct {
    const char *total, *window_days, *window_total, *delta, *selection_delta;
} population_options;
static const gw_option options_of_population[] = {
    {"total", 0, GW_OPTION_TEXT, offsetof(population_options, total), "E", "for the lifetime of the population"},
    {"window-days", 0, GW_OPTION_TEXT, offsetof(population_options, window_days), "N", "days of a time window"},
    {"window-total", 0, GW_OPTION_TEXT, offsetof(population_options, window_total), "E", "for each time window"},
    {"delta", 0, GW_OPTION_TEXT, offsetof(population_options, delta), "D",
     "count with zcdp: the total holds but for this chance"},
    {"selection-delta", 0, GW_OPTION_TEXT, offsetof(population_options, selection_delta), "D",
     "granted to questions about unknown keys"},
};

static bool is_delta_or_none(const char *text) {
    gw_delta delta;
    return text == NULL || (gw_delta_parse(text, &delta) == GW_OK && delta.atto > 0 && delta.atto <= DELTA_ATTO_MAX);
}

static gw_exit_code add_run(gw_cli *cli, const void *state, const gw_words *words) {
    const population_options *options = state;
    gw_epsilon total, window_total = {0};
    long days = 0;
    char *end = NULL;
    if (options->total == NULL || gw_epsilon_parse(options->total, &total) != GW_OK || total.micro == 0)
        return gw_usage(cli, "A population has a total: a plain decimal above 0 with at most 6 places.", "--total 20");
    if ((options->window_days == NULL) != (options->window_total == NULL))
        return gw_usage(cli, "A time window has days and a total.", "--window-days 365 --window-total 8");
    if (options->window_days != NULL) {
        days = strtol(options->window_days, &end, 10);
        if (end == options->window_days || *end != '\0' || days < 1 || days > 36500)
            return gw_usage(cli, "Window days are a number from 1 to 36500.", "--window-days 365");
        if (gw_epsilon_parse(options->window_total, &window_total) != GW_OK || window_total.micro == 0)
            return gw_usage(cli, "A window's total is a plain decimal above 0 with at most 6 places.",
                            "--window-total 8");
    }
    if (!is_delta_or_none(options->delta) || !is_delta_or_none(options->selection_delta))
        return gw_usage(cli, "A delta is a small probability: at most 0.001, with at most 18 places.", "--delta 1e-9");
    gw_buffer body;
    char what[256];
    gw_buffer_init(&body, 4096);
    gw_admin_begin(&body, "population_add");
    gw_json_write_member(&body, "population", words->items[0]);
    gw_json_write_epsilon(&body, "total", total);
    gw_json_write_integer(&body, "window_days", days);
    if (days > 0)
        gw_json_write_epsilon(&body, "window_total", window_total);
    else
        gw_json_write_member(&body, "window_total", NULL);
    if (options->delta != NULL)
        gw_json_write_member(&body, "delta", options->delta);
    if (options->selection_delta != NULL)
        gw_json_write_member(&body, "selection_delta", options->selection_delta);
    gw_ignore(snprintf(what, sizeof(what), "population %.128s has a budget of %s%s%.24s", words->items[0],
                       options->total, options->delta == NULL ? "" : ", but for a chance of ",
                       options->delta == NULL ? "" : options->delta)); // bounded
    return gw_admin_finish(cli, &body, what);
}

const gw_command gw_command_population_add = {
    .name = "population add",
    .group = "Data owner",
    .arguments = "NAME --total E [--window-days N --window-total E] [--delta D] [--selection-delta D]",
    .summary = "give the people behind datasets their one budget",
    .examples =
        "godwit population add nso.example/residents --total 20\n"
        "godwit population add nso.example/residents --total 20 --delta 1e-9   (its datasets count with zcdp)\n"
        "godwit population add nso.example/residents --total 20 --selection-delta 1e-9   (keys:… may be asked)\n",
    GW_OPTIONS(options_of_population),
    .options_size = sizeof(population_options),
    .words_min = 1,
    .words_max = 1,
    .run = add_run,
};
