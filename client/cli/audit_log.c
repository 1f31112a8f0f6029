// SPDX-License-Identifier: Apache-2.0
// The log as a table: what was entered, when, by whom. It shows, and checks nothing.
#include "client/cli/commands.h"
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
    const char *log, *last;
} log_options;
static const gw_option options_of_log[] = {
    {"log", 0, GW_OPTION_TEXT, offsetof(log_options, log), "DIR", "the log folder (./log, ./state/log)"},
    {"last", 0, GW_OPTION_TEXT, offsetof(log_options, last), "N", "how many entries, from the end (20)"},
};

static void amount_say(gw_buffer *text, const char *before, uint64_t micro) {
    char amount[GW_AMOUNT_TEXT];
    gw_amount_format((gw_epsilon){micro}, amount);
    gw_buffer_format(text, "%s%s", before, amount);
}

// Ids are shown by their first 8 digits: a reader compares them, programs take csv of the entries' own tools.
static void entry_say(const gw_entry *entry, gw_buffer *text) {
    char roles[80], until[GW_TIME_TEXT], hash[GW_HASH_HEX];
    switch (entry->kind) {
    case GW_ENTRY_GENESIS:
        gw_buffer_format(text, "the log of %s begins", entry->genesis.origin);
        return;
    case GW_ENTRY_PRINCIPAL:
        gw_roles_format(entry->principal.roles, roles);
        gw_buffer_format(text, "%s %.8s…: %s", entry->principal.action, entry->principal.principal, roles);
        return;
    case GW_ENTRY_KEY:
        gw_buffer_format(text, "%s %s key %.8s… of %.8s…", entry->key.action, entry->key.key_kind, entry->key.key,
                         entry->key.principal);
        return;
    case GW_ENTRY_POPULATION:
        gw_buffer_format(text, "%s may spend", entry->population.population);
        amount_say(text, " ", entry->population.total);
        return;
    case GW_ENTRY_POLICY:
        gw_buffer_format(text, "%s version %llu", entry->policy.dataset, (unsigned long long)entry->policy.version);
        amount_say(text, ", total ", entry->policy.total);
        return;
    case GW_ENTRY_DATA:
        gw_buffer_format(text, "%s version %s", entry->data.dataset, entry->data.version);
        return;
    case GW_ENTRY_CHARGE:
        gw_buffer_format(text, "%s by %.8s…", entry->charge.dataset, entry->charge.principal);
        amount_say(text, " pays ", entry->charge.cost);
        amount_say(text, "; spent: dataset ", entry->charge.spent_dataset);
        amount_say(text, ", population ", entry->charge.spent_population);
        amount_say(text, ", own ", entry->charge.spent_principal);
        return;
    case GW_ENTRY_RELEASE:
        gw_buffer_format(text, "%s answers charge %llu", entry->release.release,
                         (unsigned long long)entry->release.charge);
        return;
    case GW_ENTRY_ABANDON:
        gw_buffer_format(text, "charge %llu has no answer: %s", (unsigned long long)entry->abandon.charge,
                         entry->abandon.why);
        return;
    case GW_ENTRY_REFUSALS:
        gw_buffer_format(text, "%.8s…: %s", entry->refusals.principal, entry->refusals.counts);
        return;
    case GW_ENTRY_INCIDENT:
        gw_buffer_text(text, entry->incident.code);
        return;
    case GW_ENTRY_EMBARGO:
        gw_time_format(entry->embargo.until, until);
        gw_buffer_format(text, "%s is kept back until %s", entry->embargo.release, until);
        return;
    case GW_ENTRY_WITHDRAW:
        gw_buffer_format(text, "%s is withdrawn", entry->withdraw.release);
        return;
    case GW_ENTRY_WITNESSES:
        gw_hex((gw_bytes){.data = entry->witnesses.file.bytes, .size = GW_HASH_SIZE}, hash);
        gw_buffer_format(text, "witnesses by the quorum file %.8s…", hash);
        return;
    case GW_ENTRY_KEYROT:
        gw_buffer_format(text, "the log's key changes to %s", entry->keyrot.new_key);
        return;
    case GW_ENTRY_RESTORE:
        gw_buffer_format(text, "restored with %llu entries; %llu lost, counted as spent",
                         (unsigned long long)entry->restore.from, (unsigned long long)entry->restore.lost);
        return;
    }
}

static bool entry_add(void *state, const gw_entry *entry) {
    gw_grid *grid = state;
    char seq[24], time[GW_TIME_TEXT];
    gw_buffer what, by;
    gw_buffer_init(&what, 4096);
    gw_buffer_init(&by, 256);
    gw_ignore(snprintf(seq, sizeof(seq), "%llu", (unsigned long long)entry->seq)); // it fits
    gw_time_format(entry->time, time);
    entry_say(entry, &what);
    for (size_t i = 0; i < entry->by.count; i++)
        gw_buffer_format(&by, "%s%.8s…", i == 0 ? "" : " ", entry->by.ids[i]);
    gw_grid_add(grid, (const char *[]){seq, time, gw_entry_kind_name(entry->kind), gw_buffer_string(&what),
                                       gw_buffer_string(&by)});
    gw_buffer_done(&what);
    gw_buffer_done(&by);
    return true;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    static const gw_grid_column columns[] = {{"seq", "ENTRY", GW_ALIGN_RIGHT, false},
                                             {"time", "TIME (UTC)", GW_ALIGN_LEFT, false},
                                             {"kind", "KIND", GW_ALIGN_LEFT, false},
                                             {"what", "WHAT", GW_ALIGN_LEFT, true},
                                             {"by", "BY", GW_ALIGN_LEFT, true}};
    const log_options *options = state;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, 5);
    gw_problem problem;
    char folder[4096], *end = NULL;
    uint64_t size, last = LAST_DEFAULT;
    GW_ASSERT(grid != NULL);
    if (options->last != NULL) {
        last = strtoull(options->last, &end, 10);
        if (options->last[0] < '1' || options->last[0] > '9' || *end != '\0' || last > LAST_MAX)
            return gw_usage(cli, "--last takes a whole number from 1 to 1000000.", "--last 20");
    }
    gw_status status = gw_log_files_find(options->log, folder, &problem);
    if (status == GW_OK)
        status = gw_log_files_size(folder, &size, &problem);
    gw_progress *progress = gw_progress_begin(cli, "reading the log");
    if (status == GW_OK)
        status = gw_log_files_read(folder, size > last ? size - last : 0, entry_add, grid, &problem);
    gw_progress_end(progress);
    if (status == GW_OK)
        return gw_say_grid(cli, grid);
    gw_exit_code code = gw_fail(cli, &problem);
    return code == GW_EXIT_USAGE ? code : GW_EXIT_CANNOT_CHECK;
}

const gw_command gw_command_audit_log = {
    .name = "audit log",
    .group = "Auditor",
    .arguments = "[--log DIR] [--last N]",
    .summary = "show the entries of a log",
    .examples = "godwit audit log --log log --last 50\ngodwit audit log -o csv > entries.csv\n",
    GW_OPTIONS(options_of_log),
    .options_size = sizeof(log_options),
    .is_paged = true,
    .run = run,
};
