// SPDX-License-Identifier: Apache-2.0
// Every entry as a row, for R, a spreadsheet or pandas. Rows are written as they are read: a log of any length.
#include "client/cli/audit_say.h"
#include "client/cli/commands.h"
#include "client/cli/entry_rows.h"
#include "client/cli/log_files.h"
#include "client/cli/progress.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <errno.h>
#include <string.h>

#define ROW_BYTES_MAX 65536u
#define PATH_SIZE 4096u

typedef struct {
    const char *log, *to;
} export_options;
static const gw_option options_of_export[] = {
    {"log", 0, GW_OPTION_TEXT, offsetof(export_options, log), "DIR", "the log folder (./log, ./state/log)"},
    {"to", 0, GW_OPTION_TEXT, offsetof(export_options, to), "FILE", "where to (standard output)"},
};

typedef enum { EXPORT_CSV, EXPORT_JSON, EXPORT_LINES } export_form;
typedef struct {
    FILE *out;
    export_form form;
    gw_buffer row;
    uint64_t count;
    bool is_written;
} export_run;

static void row_out(export_run *run) {
    run->is_written = run->is_written && run->row.status == GW_OK &&
                      fwrite(run->row.data, 1, run->row.size, run->out) == run->row.size;
    run->row.size = 0;
}

static bool entry_write(void *state, const gw_entry *entry) {
    export_run *run = state;
    if (run->form == EXPORT_CSV) {
        gw_entry_row(entry, &run->row);
    } else {
        gw_buffer_text(&run->row, run->form == EXPORT_LINES ? "" : run->count == 0 ? "[\n" : ",\n");
        gw_entry_object(entry, &run->row);
        gw_buffer_text(&run->row, run->form == EXPORT_LINES ? "\n" : "");
    }
    row_out(run);
    run->count++;
    return run->is_written;
}

static gw_status export_all(const char *folder, export_run *run, gw_problem *ret_problem) {
    if (run->form == EXPORT_CSV)
        gw_entry_columns(&run->row);
    gw_status status = gw_log_files_read(folder, 0, entry_write, run, ret_problem);
    if (run->form == EXPORT_JSON)
        gw_buffer_text(&run->row, run->count == 0 ? "[]\n" : "\n]\n");
    row_out(run);
    if (status == GW_OK && (!run->is_written || fflush(run->out) != 0))
        return gw_problem_set(ret_problem, GW_IO, "output", "The entries could not be written.",
                              "The disk is full or the output is closed.", "");
    return status;
}

// Under another name until it is whole: half an export is never taken for one.
static gw_status export_file(const char *folder, const char *to, export_run *run, gw_problem *ret_problem) {
    char path[PATH_SIZE];
    if ((unsigned)snprintf(path, sizeof(path), "%s.new", to) >= sizeof(path))
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of a file is too long.", "", "");
    run->out = fopen(path, "we");
    if (run->out == NULL) {
        gw_status status = gw_problem_set(ret_problem, GW_IO, "output", "", strerror(errno), "--to FILE");
        gw_problem_what(ret_problem, "%.200s cannot be written.", path);
        return status;
    }
    gw_status status = export_all(folder, run, ret_problem);
    bool is_whole = fclose(run->out) == 0 && status == GW_OK && rename(path, to) == 0;
    if (is_whole)
        return GW_OK;
    gw_ignore(remove(path)); // it is of no use
    if (status == GW_OK)
        status = gw_problem_set(ret_problem, GW_IO, "output", "The entries could not be written.", strerror(errno), "");
    return status;
}

static export_form form_of(const gw_cli *cli) {
    if (strcmp(cli->format->name, "ndjson") == 0)
        return EXPORT_LINES;
    return cli->output == GW_OUTPUT_JSON ? EXPORT_JSON : EXPORT_CSV;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    const export_options *options = state;
    export_run export = {.out = cli->out, .form = form_of(cli), .is_written = true};
    gw_problem problem;
    char folder[PATH_SIZE];
    gw_buffer_init(&export.row, ROW_BYTES_MAX);
    gw_status status = gw_log_files_find(options->log, folder, &problem);
    gw_progress *progress = options->to == NULL ? NULL : gw_progress_begin(cli, "writing entries");
    if (status == GW_OK && options->to != NULL)
        status = export_file(folder, options->to, &export, &problem);
    else if (status == GW_OK)
        status = export_all(folder, &export, &problem);
    gw_progress_end(progress);
    gw_buffer_done(&export.row);
    if (status != GW_OK)
        return strcmp(problem.code, "output") == 0 ? gw_fail(cli, &problem) : gw_audit_fail(cli, &problem);
    if (options->to != NULL)
        gw_note(cli, "%llu entries are in %s. They were copied, not checked: godwit audit verify\n",
                (unsigned long long)export.count, options->to);
    return GW_EXIT_DONE;
}

const gw_command gw_command_audit_export = {
    .name = "audit export",
    .group = "Auditor",
    .arguments = "[--log DIR] [--to FILE] [-o csv|json|ndjson]",
    .summary = "every entry as a row, for R, a spreadsheet or pandas",
    .examples = "godwit audit export --log log --to entries.csv -o csv\n"
                "godwit audit export --log log -o ndjson | jq 'select(.kind == \"charge\") | .cost'\n",
    GW_OPTIONS(options_of_export),
    .options_size = sizeof(export_options),
    .run = run,
};
