// SPDX-License-Identifier: Apache-2.0
// The log as a table: what was entered, when, by whom. It shows, and checks nothing.
#include "client/cli/audit_say.h"
#include "client/cli/commands.h"
#include "client/cli/entry_words.h"
#include "client/cli/log_files.h"
#include "client/cli/progress.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <stdlib.h>
#include <string.h>

#define LAST_DEFAULT 20u
#define LAST_MAX 1000000u

GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    const char *log, *last, *dataset, *principal, *from, *to;
    gw_words kinds;
    bool all;
} log_options;
static const gw_option options_of_log[] = {
    {"log", 0, GW_OPTION_TEXT, offsetof(log_options, log), "DIR", "the log folder (./log, ./state/log)"},
    {"last", 0, GW_OPTION_TEXT, offsetof(log_options, last), "N",
     "how many of them, from the end (20; all where entries are chosen)"},
    {"all", 0, GW_OPTION_FLAG, offsetof(log_options, all), NULL, "all of them"},
    {"kind", 0, GW_OPTION_LIST, offsetof(log_options, kinds), "KIND", "entries of this kind; may repeat"},
    {"dataset", 0, GW_OPTION_TEXT, offsetof(log_options, dataset), "D",
     "entries that name this dataset or population, whole or the end of its name"},
    {"principal", 0, GW_OPTION_TEXT, offsetof(log_options, principal), "ID",
     "entries about or signed by this principal; its first digits will do"},
    {"from", 0, GW_OPTION_TEXT, offsetof(log_options, from), "WHEN",
     "from this entry on, by its number, or from this time (UTC)"},
    {"to", 0, GW_OPTION_TEXT, offsetof(log_options, to), "WHEN", "up to this entry, or up to this time"},
};

// What is wanted of the log. The names and ids that a filter compares stand at different places in each kind.
typedef struct {
    const log_options *options;
    uint64_t seq_min, seq_max;
    int64_t time_min, time_max;
    uint64_t last, found; // found: how many fit
} log_filter;

typedef struct {
    log_filter filter;
    gw_entry *ring; // the last ones that fit, where only some are wanted
    bool is_for_people;
    gw_grid *grid;
} log_listing;

static bool kind_fits(const log_options *options, gw_entry_kind kind) {
    for (size_t i = 0; i < options->kinds.count; i++)
        if (strcmp(options->kinds.items[i], gw_entry_kind_name(kind)) == 0)
            return true;
    return options->kinds.count == 0;
}

// "register" fits "stats.example/register", as in every command that takes a dataset.
static bool name_fits(const char *name, const char *wanted) {
    size_t size = strlen(name), wanted_size = strlen(wanted);
    if (strcmp(name, wanted) == 0)
        return true;
    return size > wanted_size && name[size - wanted_size - 1] == '/' && strcmp(name + size - wanted_size, wanted) == 0;
}

static bool dataset_fits(const gw_entry *entry, const char *wanted) {
    if (wanted == NULL)
        return true;
    if (entry->kind == GW_ENTRY_CHARGE)
        return name_fits(entry->charge.dataset, wanted) || name_fits(entry->charge.population, wanted);
    if (entry->kind == GW_ENTRY_POLICY)
        return name_fits(entry->policy.dataset, wanted) || name_fits(entry->policy.population, wanted);
    if (entry->kind == GW_ENTRY_POPULATION)
        return name_fits(entry->population.population, wanted);
    return entry->kind == GW_ENTRY_DATA && name_fits(entry->data.dataset, wanted);
}

static bool id_fits(const char *id, const char *wanted) {
    return strncmp(id, wanted, strlen(wanted)) == 0;
}

static bool principal_fits(const gw_entry *entry, const char *wanted) {
    if (wanted == NULL)
        return true;
    for (size_t i = 0; i < entry->by.count; i++)
        if (id_fits(entry->by.ids[i], wanted))
            return true;
    return (entry->kind == GW_ENTRY_CHARGE && id_fits(entry->charge.principal, wanted)) ||
           (entry->kind == GW_ENTRY_PRINCIPAL && id_fits(entry->principal.principal, wanted)) ||
           (entry->kind == GW_ENTRY_KEY && id_fits(entry->key.principal, wanted)) ||
           (entry->kind == GW_ENTRY_REFUSALS && id_fits(entry->refusals.principal, wanted));
}

static void row_add(log_listing *listing, const gw_entry *entry) {
    char seq[24], time[GW_TIME_TEXT];
    gw_buffer what, by;
    gw_buffer_init(&what, 4096);
    gw_buffer_init(&by, 256);
    gw_ignore(snprintf(seq, sizeof(seq), "%llu", (unsigned long long)entry->seq)); // it fits
    gw_time_format(entry->time, time);
    gw_entry_say(entry, &what);
    gw_signers_say(&entry->by, &by);
    if (listing->is_for_people && by.size > 0) // most have no signer: a column of its own would be empty and wide
        gw_buffer_format(&what, " (by %s)", gw_buffer_string(&by));
    const char *text = gw_buffer_string(&what);
    char plain[4097];
    // A spreadsheet must not take what somebody was called for a formula.
    bool is_formula = !listing->is_for_people && *text != '\0' && strchr("=+-@", *text) != NULL;
    gw_ignore(snprintf(plain, sizeof(plain), "%s%s", is_formula ? "'" : "", text)); // the buffer is no longer
    gw_grid_add(listing->grid,
                (const char *[]){seq, time, gw_entry_kind_name(entry->kind), plain, gw_buffer_string(&by)});
    gw_buffer_done(&what);
    gw_buffer_done(&by);
}

static bool entry_see(void *state, const gw_entry *entry) {
    log_listing *listing = state;
    log_filter *filter = &listing->filter;
    if (entry->time < filter->time_min || entry->time > filter->time_max || !kind_fits(filter->options, entry->kind) ||
        !dataset_fits(entry, filter->options->dataset) || !principal_fits(entry, filter->options->principal))
        return true;
    if (listing->ring == NULL)
        row_add(listing, entry);
    else
        listing->ring[filter->found % filter->last] = *entry;
    filter->found++;
    return true;
}

static void ring_add(log_listing *listing) {
    uint64_t count = listing->filter.found, last = listing->filter.last;
    for (uint64_t i = count > last ? count - last : 0; listing->ring != NULL && i < count; i++)
        row_add(listing, &listing->ring[i % last]);
}

static bool bound_read(const char *text, uint64_t *seq, int64_t *time) {
    return text == NULL || gw_number_read(text, INT64_MAX, seq) || gw_time_read(text, time);
}

static bool is_kind(const char *name) {
    for (int kind = GW_ENTRY_GENESIS; kind <= GW_ENTRY_CLOCK; kind++)
        if (strcmp(gw_entry_kind_name((gw_entry_kind)kind), name) == 0)
            return true;
    return false;
}

// What is wrong with the options; NULL where nothing is.
static const char *filter_read(const log_options *options, log_filter *ret) {
    *ret = (log_filter){.options = options, .seq_max = INT64_MAX - 1, .time_max = INT64_MAX};
    bool is_chosen = options->kinds.count > 0 || options->dataset != NULL || options->principal != NULL ||
                     options->from != NULL || options->to != NULL;
    ret->last = options->all || is_chosen ? 0 : LAST_DEFAULT;
    if (options->last != NULL && (options->all || !gw_number_read(options->last, LAST_MAX, &ret->last) ||
                                  ret->last == 0 || options->last[0] == '0'))
        return "--last takes a whole number from 1 to 1000000.";
    if (!bound_read(options->from, &ret->seq_min, &ret->time_min))
        return "--from takes the number of an entry, or a time such as 2026-11-21 or \"2026-11-21 22:30\" (UTC).";
    if (!bound_read(options->to, &ret->seq_max, &ret->time_max))
        return "--to takes the number of an entry, or a time such as 2026-11-21 or \"2026-11-21 22:30\" (UTC).";
    for (size_t i = 0; i < options->kinds.count; i++)
        if (!is_kind(options->kinds.items[i]))
            return "--kind takes genesis, principal, key, population, policy, data, charge, release, abandon, "
                   "refusals, incident, embargo, withdraw, witnesses, keyrot, restore or clock.";
    return NULL;
}

// Where only the last ones are wanted of all, nothing before them is read.
static gw_status listing_read(const char *folder, log_listing *listing, gw_problem *ret_problem) {
    const log_options *options = listing->filter.options;
    gw_log_reading reading = {.folder = folder, .each = entry_see, .state = listing};
    gw_status status = gw_log_files_size(folder, &reading.size, ret_problem);
    if (status != GW_OK)
        return status;
    bool is_chosen =
        options->kinds.count > 0 || options->dataset != NULL || options->principal != NULL || options->from != NULL;
    reading.end = reading.size;
    if (options->to != NULL && listing->filter.seq_max < reading.size)
        reading.end = listing->filter.seq_max + 1;
    reading.first = listing->filter.seq_min;
    if (!is_chosen && listing->filter.last != 0 && listing->filter.time_max == INT64_MAX &&
        reading.end > listing->filter.last)
        reading.first = reading.end - listing->filter.last;
    if (reading.first >= reading.end)
        return GW_OK;
    return gw_log_files_scan(&reading, ret_problem);
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    static const gw_grid_column columns[] = {{"seq", "ENTRY", GW_ALIGN_RIGHT, false},
                                             {"time", "TIME (UTC)", GW_ALIGN_LEFT, false},
                                             {"kind", "KIND", GW_ALIGN_LEFT, false},
                                             {"what", "WHAT", GW_ALIGN_LEFT, true},
                                             {"by", "BY", GW_ALIGN_LEFT, true}};
    const log_options *options = state;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, cli->output == GW_OUTPUT_TABLE ? 4 : 5);
    GW_CLEANUP(gw_freep) gw_entry *ring = NULL;
    log_listing listing = {.grid = grid, .is_for_people = cli->output == GW_OUTPUT_TABLE};
    gw_problem problem;
    char folder[4096];
    GW_ASSERT(grid != NULL);
    const char *wrong = filter_read(options, &listing.filter);
    if (wrong != NULL)
        return gw_usage(cli, wrong, "godwit audit log --kind policy --from 2026-11-01 --last 20");
    if (listing.filter.last != 0) {
        ring = calloc(listing.filter.last, sizeof(*ring));
        GW_ASSERT(ring != NULL);
        listing.ring = ring;
    }
    gw_status status = gw_log_files_find(options->log, folder, &problem);
    gw_progress *progress = gw_progress_begin(cli, "reading the log");
    if (status == GW_OK)
        status = listing_read(folder, &listing, &problem);
    gw_progress_end(progress);
    if (status != GW_OK)
        return gw_audit_fail(cli, &problem);
    ring_add(&listing);
    return gw_say_grid(cli, grid);
}

const gw_command gw_command_audit_log = {
    .name = "audit log",
    .group = "Auditor",
    .arguments = "[--log DIR] [--kind KIND] [--dataset D] [--principal ID] [--from WHEN] [--to WHEN] [--last N]",
    .summary = "show the entries of a log",
    .examples = "godwit audit log --log log --last 50\n"
                "godwit audit log --kind policy --kind population\n"
                "godwit audit log --dataset register --from 2026-11-01 --to 2026-12-01 -o csv > november.csv\n"
                "godwit audit log --principal 3f2a9c01 --kind charge\n",
    GW_OPTIONS(options_of_log),
    .options_size = sizeof(log_options),
    .is_paged = true,
    .run = run,
};
