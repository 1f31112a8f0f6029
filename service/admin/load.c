// SPDX-License-Identifier: Apache-2.0
// Steps and what a crash leaves: (1) a hidden working folder, locked while in use, is made in the dataset's folder; (2)
// the child makes the snapshot in it, and removes it all when we die, until it is stopped after (4); (3) the file is
// made read-only, synced, sealed; (4) renamed to its version's name, the count of its rows beside it, and the folder
// synced. Before (4) there is at most
// a working folder, which the next load sweeps away; after it the snapshot is complete, but unknown to anyone until the
// log has a data entry for it.
#include "service/admin/load.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/engine/child.h"
#include "service/format/text.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define WORK_PREFIX ".load-"
#define GREETING_MS 20000
#define GOODBYE_MS 5000
#define THREADS_DEFAULT 2u
#define MEMORY_DEFAULT (1ull << 30)
#define PLAN_MEMORY_MAX (64u << 20)
#define TABLES_TEXT_MAX 8192u // names of all tables of a policy, and more

GW_DEFINE_FREEP(gw_arena, gw_arena_free)

static const char *const treatment_words[] = {"drop-row", "missing", "clamp"};

static bool treat_find_kind(const char *text, size_t size, gw_load_kind *ret_kind) {
    for (unsigned i = 0; i < GW_LOAD_KINDS; i++) {
        const char *name = gw_load_kind_name((gw_load_kind)i);
        if (strlen(name) == size && memcmp(name, text, size) == 0) {
            *ret_kind = (gw_load_kind)i;
            return true;
        }
    }
    return false;
}

static gw_status treat_refuse_kind(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_INVALID, "unknown_kind", "There is no such kind of finding.",
                          "Kinds are bad_type, unlisted_code, out_of_bounds, not_finite, too_many_rows, missing_id "
                          "and ragged_row.",
                          "--treat bad_type=missing; of one column: --treat age:bad_type=missing");
}

static gw_status treat_column(const char *column, size_t size, gw_load_kind kind, gw_load_treatment treatment,
                              gw_load_treatments *treatments, gw_problem *ret_problem) {
    if (!gw_load_kind_is_of_column(kind))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_treatment", "This kind belongs to no column.",
                              "A whole row is concerned: say how to treat the kind in all of the source.",
                              "--treat ragged_row=drop-row");
    if (size == 0 || size > GW_NAME_MAX || treatments->column_count == GW_LOAD_COLUMN_TREATMENTS_MAX)
        return treat_refuse_kind(ret_problem);
    gw_load_column_treatment *own = &treatments->columns[treatments->column_count++];
    *own = (gw_load_column_treatment){.kind = kind, .treatment = treatment};
    memcpy(own->column, column, size);
    return GW_OK;
}

// Read from the end: a column's name may hold any of these signs.
gw_status gw_load_treat(const char *text, gw_load_treatments *treatments, gw_problem *ret_problem) {
    const char *word = strrchr(text, '=');
    const char *colon = word != NULL ? memrchr(text, ':', (size_t)(word - text)) : NULL;
    const char *name = colon != NULL ? colon + 1 : text;
    gw_load_kind kind;
    if (word == NULL || !treat_find_kind(name, (size_t)(word - name), &kind))
        return treat_refuse_kind(ret_problem);
    gw_load_treatment treatment = GW_TREAT_REFUSE;
    for (unsigned i = 0; i < sizeof(treatment_words) / sizeof(treatment_words[0]); i++)
        if (strcmp(word + 1, treatment_words[i]) == 0)
            treatment = (gw_load_treatment)(i + 1);
    if (treatment == GW_TREAT_REFUSE)
        return gw_problem_set(ret_problem, GW_INVALID, "unknown_treatment", "There is no such treatment.",
                              "Treatments are drop-row, missing and clamp.", "--treat bad_type=missing");
    if (!gw_load_treatment_fits(kind, treatment))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_treatment", "This kind cannot be treated that way.",
                              "clamp is for out_of_bounds; missing is for single values; drop-row is for all kinds.",
                              "--treat out_of_bounds=clamp");
    if (colon != NULL)
        return treat_column(text, (size_t)(colon - text), kind, treatment, treatments, ret_problem);
    treatments->kinds[kind] = treatment;
    return GW_OK;
}

// ---- the policy as a plan

static bool plan_column(gw_arena *arena, const gw_load_treatments *treatments, const gw_column *from,
                        gw_load_column *to) {
    const char **codes = gw_arena_array(arena, from->codelist.code_count + 1, sizeof(*codes));
    gw_load_recode *recodes = gw_arena_array(arena, from->recode_count + 1, sizeof(*recodes));
    if (codes == NULL || recodes == NULL)
        return false;
    for (size_t i = 0; i < from->codelist.code_count; i++)
        codes[i] = from->codelist.codes[i].id;
    for (size_t i = 0; i < from->recode_count; i++)
        recodes[i] = (gw_load_recode){.from = from->recodes[i].from, .code = from->recodes[i].code};
    *to = (gw_load_column){
        .name = from->name,
        .target = from->is_weight ? GW_LOAD_WEIGHT : from->concept,
        .is_code = from->type == GW_COLUMN_CODE,
        .is_whole = from->type == GW_COLUMN_INTEGER,
        .missing_is_unknown = from->missing == GW_MISSING_UNKNOWN,
        .codes = codes,
        .code_count = from->codelist.code_count,
        .recodes = recodes,
        .recode_count = from->recode_count,
        .period = from->period,
        .scale = from->scale,
        .min_scaled = from->min_scaled,
        .max_scaled = from->max_scaled,
        .grid_scaled = from->grid_scaled,
        .steps = from->steps,
    };
    if (from->period != GW_PERIOD_NONE && !gw_period_parse(from->period, codes[0], &to->period_first))
        return false;
    // What the owner signed, unless this load says otherwise for the column.
    static const gw_load_treatment outside[] = {[GW_OUTSIDE_REFUSE] = GW_TREAT_REFUSE,
                                                [GW_OUTSIDE_CLAMP] = GW_TREAT_CLAMP,
                                                [GW_OUTSIDE_MISSING] = GW_TREAT_MISSING,
                                                [GW_OUTSIDE_DROP_ROW] = GW_TREAT_DROP_ROW};
    to->treatments[GW_LOAD_OUT_OF_BOUNDS] = outside[from->outside];
    for (size_t i = 0; i < treatments->column_count; i++)
        if (strcmp(treatments->columns[i].column, from->name) == 0)
            to->treatments[treatments->columns[i].kind] = treatments->columns[i].treatment;
    return true;
}

// Where the policy says that an inherited concept comes from.
static bool plan_find_inherited(const gw_policy *policy, const gw_column *column, gw_load_inherited *ret) {
    for (size_t i = 0; i < policy->table_count; i++) {
        const gw_table *table = &policy->tables[i];
        for (size_t j = 0; j < table->column_count; j++)
            if (&table->columns[j] == column) {
                *ret = (gw_load_inherited){.table = i, .column = j};
                return true;
            }
    }
    return false;
}

static bool plan_table(gw_arena *arena, const gw_load_options *options, size_t index, gw_load_table *to) {
    const gw_policy *policy = options->policy;
    const gw_table *from = &policy->tables[index];
    gw_load_column *columns = gw_arena_array(arena, from->column_count, sizeof(*columns));
    gw_load_inherited *inherited = gw_arena_array(arena, from->inherit_count + 1, sizeof(*inherited));
    if (columns == NULL || inherited == NULL)
        return false;
    for (size_t i = 0; i < from->column_count; i++)
        if (!plan_column(arena, &options->treatments, &from->columns[i], &columns[i]))
            return false;
    for (size_t i = 0; i < from->inherit_count; i++)
        if (!plan_find_inherited(policy, from->inherited[i], &inherited[i]))
            return false;
    *to = (gw_load_table){
        .name = from->name,
        .person = from->unit,
        .rows_per_person_max = from->rows_per_person_max,
        .columns = columns,
        .column_count = from->column_count,
        .inherited = inherited,
        .inherited_count = from->inherit_count,
    };
    return true;
}

static const char *plan_find_source(const gw_load_options *options, const char *table, size_t *ret_count) {
    const char *path = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < options->source_count; i++)
        if (strcmp(options->sources[i].table, table) == 0) {
            path = options->sources[i].path;
            ++*ret_count;
        }
    return path;
}

// `names` are the tables that the sentence in `why` ends with.
static gw_status refuse_tables(const gw_load_options *options, const char *what, const char *why, gw_buffer *names,
                               gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer mend;
    gw_buffer_init(&mend, TABLES_TEXT_MAX);
    gw_buffer_format(&mend, "godwitd load %s", options->policy->dataset);
    for (size_t i = 0; i < options->policy->table_count; i++)
        gw_buffer_format(&mend, " %s=FILE", options->policy->tables[i].name);
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "load_tables", what, "", "");
    gw_problem_why(ret_problem, why, gw_buffer_string(names));
    gw_problem_mend(ret_problem, "%s", gw_buffer_string(&mend));
    return status;
}

static gw_status plan_sources(const gw_load_options *options, gw_load_table *tables, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer none;
    GW_CLEANUP(gw_buffer_done) gw_buffer many;
    gw_buffer_init(&none, TABLES_TEXT_MAX);
    gw_buffer_init(&many, TABLES_TEXT_MAX);
    for (size_t i = 0; i < options->policy->table_count; i++) {
        size_t count;
        tables[i].source = plan_find_source(options, options->policy->tables[i].name, &count);
        gw_buffer *names = count == 0 ? &none : &many;
        if (count != 1)
            gw_buffer_format(names, "%s%s", names->size > 0 ? ", " : "", options->policy->tables[i].name);
    }
    static const char *const what = "Every table of the policy needs one source.";
    if (none.size > 0)
        return refuse_tables(options, what, "No file is named for %s.", &none, ret_problem);
    if (many.size > 0)
        return refuse_tables(options, what, "More than one file is named for %s.", &many, ret_problem);
    return GW_OK;
}

// A data version holds the policy's tables and nothing else.
static gw_status plan_check_sources(const gw_load_options *options, gw_problem *ret_problem) {
    const char *names[GW_LOAD_TABLES_MAX];
    for (size_t i = 0; i < options->policy->table_count; i++)
        names[i] = options->policy->tables[i].name;
    for (size_t i = 0; i < options->source_count; i++) {
        const char *table = options->sources[i].table;
        if (gw_policy_table(options->policy, table) != NULL)
            continue;
        char quoted[GW_SHOWN_MAX];
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, TABLES_TEXT_MAX);
        gw_buffer_format(&text, "%s has no table \"%s\"", options->policy->dataset, gw_json_shown(table, quoted));
        gw_status status = refuse_tables(options, "A source names no table of the policy.", "%s.", &text, ret_problem);
        const char *nearest = gw_nearest(table, names, options->policy->table_count);
        if (nearest != NULL)
            gw_problem_mend(ret_problem, "Did you mean \"%s\"?", nearest);
        return status;
    }
    return GW_OK;
}

static bool plan_has_column(const gw_policy *policy, const char *name, const char **names, size_t *ret_count) {
    *ret_count = 0;
    for (size_t i = 0; i < policy->table_count; i++)
        for (size_t j = 0; j < policy->tables[i].column_count; j++) {
            const char *column = policy->tables[i].columns[j].name;
            if (strcmp(column, name) == 0)
                return true;
            names[(*ret_count)++] = column;
        }
    return false;
}

// A treatment of a column that is not there would leave what it was meant for untreated, without a word.
static gw_status plan_check_treated(const gw_load_options *options, gw_problem *ret_problem) {
    size_t total = 0, count;
    for (size_t i = 0; i < options->policy->table_count; i++)
        total += options->policy->tables[i].column_count;
    GW_CLEANUP(gw_freep) const char **names = calloc(total + 1, sizeof(*names));
    if (names == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is not enough memory for this.", "", "");
    for (size_t i = 0; i < options->treatments.column_count; i++) {
        const char *column = options->treatments.columns[i].column;
        if (plan_has_column(options->policy, column, names, &count))
            continue;
        gw_status status = gw_problem_set(ret_problem, GW_INVALID, "unknown_column",
                                          "A treatment names a column that the policy does not have.", "",
                                          "Write the column as the source and the policy do.");
        gw_problem_why(ret_problem, "No table of %s has a column \"%s\".", options->policy->dataset, column);
        const char *nearest = gw_nearest(column, names, count);
        if (nearest != NULL)
            gw_problem_mend(ret_problem, "Did you mean \"%s\"?", nearest);
        return status;
    }
    return GW_OK;
}

static gw_status plan_build(const gw_load_options *options, const char *work, gw_arena *arena, gw_load_plan *ret_plan,
                            gw_problem *ret_problem) {
    const gw_policy *policy = options->policy;
    gw_load_table *tables = gw_arena_array(arena, policy->table_count, sizeof(*tables));
    for (size_t i = 0; i < policy->table_count; i++)
        if (tables == NULL || !plan_table(arena, options, i, &tables[i]))
            return gw_problem_set(ret_problem, GW_LIMIT, "load_tables", "The policy is too large to load.", "", "");
    *ret_plan = (gw_load_plan){
        .folder = work,
        .threads = options->threads != 0 ? options->threads : THREADS_DEFAULT,
        .memory_bytes = options->memory_bytes != 0 ? options->memory_bytes : MEMORY_DEFAULT,
        .key = options->key,
        .tables = tables,
        .table_count = policy->table_count,
    };
    memcpy(ret_plan->treatments, options->treatments.kinds, sizeof(ret_plan->treatments));
    gw_status status = plan_check_treated(options, ret_problem);
    if (status == GW_OK)
        status = plan_check_sources(options, ret_problem);
    return status == GW_OK ? plan_sources(options, tables, ret_problem) : status;
}

// ---- the working folder

typedef struct {
    char path[GW_ENGINE_PATH_MAX];
    int lock; // a descriptor of the folder, flock'ed while the load lives
} work_folder;

static void work_folder_done(work_folder *work) {
    if (work->path[0] != '\0')
        gw_engine_folder_remove(work->path);
    if (work->lock >= 0)
        close(work->lock);
}

// Removes what loads left that were killed with their child, or by a power cut: whatever no one holds locked.
static void sweep(const char *folder) {
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[GW_ENGINE_PATH_MAX];
        if (strncmp(entry->d_name, WORK_PREFIX, strlen(WORK_PREFIX)) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        GW_CLEANUP(gw_closep) int lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
            gw_engine_folder_remove(path);
    }
    closedir(entries);
}

static gw_status work_folder_make(const char *folder, const char *version, work_folder *work, gw_problem *ret_problem) {
    gw_status status = gw_folder_make(folder, 0700, ret_problem);
    if (status != GW_OK)
        return status;
    sweep(folder);
    int length = snprintf(work->path, sizeof(work->path), "%s/" WORK_PREFIX "%s", folder, version);
    if (length < 0 || (size_t)length + sizeof(GW_LOAD_SNAPSHOT) + 16 > sizeof(work->path)) {
        work->path[0] = '\0';
        return gw_problem_set(ret_problem, GW_INVALID, "load_failed", "The data folder's path is too long.", "", "");
    }
    status = gw_folder_make(work->path, 0700, ret_problem);
    if (status != GW_OK)
        return status;
    work->lock = open(work->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (work->lock < 0 || flock(work->lock, LOCK_EX | LOCK_NB) != 0) // a sweep got in between: it is gone
        return gw_problem_set(ret_problem, GW_BUSY, "load_busy", "Another load is starting in the same folder.", "",
                              "run the same command again");
    return GW_OK;
}

// ---- the child

typedef struct {
    const gw_load_options *options;
    gw_load_report *report;
    gw_problem *problem;
} load_talk;

static void child_done(gw_engine_child *child) {
    gw_engine_child_stop(child, GOODBYE_MS);
}

static gw_status fail(gw_problem *ret_problem, const char *code, const char *what, const char *why) {
    return gw_problem_set(ret_problem, GW_UNAVAILABLE, code, what, why, "");
}

static void talk_progress(const load_talk *talk, const gw_buffer *payload) {
    gw_unpack unpack = {.rest = gw_buffer_bytes(payload)};
    double fraction = (double)gw_unpack_u64(&unpack) / 1e6;
    const char *phase = gw_unpack_text(&unpack);
    if (phase != NULL && talk->options->progress != NULL)
        talk->options->progress(talk->options->state, fraction, phase);
}

static gw_status talk_outcome(const load_talk *talk, gw_engine_word word) {
    if (word == GW_WORD_SOURCE)
        return gw_problem_set(
            talk->problem, GW_INVALID, "load_source", talk->report->what, talk->report->why,
            talk->report->mend[0] != '\0'
                ? talk->report->mend
                : "compare the file with the policy: names of columns, fields between commas, UTF-8 or Parquet");
    if (word != GW_WORD_OK) {
        gw_status status = fail(talk->problem, "load_failed", "The snapshot could not be made.", "");
        gw_problem_why(talk->problem, "The engine stopped at: %s.%s", gw_engine_word_name(word),
                       word == GW_WORD_WRITE ? " Is there room on the disk?" : "");
        return status;
    }
    if (gw_load_is_refused(talk->report))
        return gw_problem_set(talk->problem, GW_INVALID, "load_refused", "Nothing was loaded.",
                              "The source holds rows that do not fit the policy, and how to treat them was not said.",
                              "correct the source, or name a treatment for each kind: --treat KIND=drop-row, or of one "
                              "column: --treat COLUMN:KIND=drop-row");
    return GW_OK;
}

// Progress frames until the report comes. A load takes as long as it takes: its owner is watching.
static gw_status talk_run(const load_talk *talk, gw_engine_child *child) {
    for (;;) {
        GW_CLEANUP(gw_buffer_done) gw_buffer payload;
        gw_buffer_init(&payload, GW_FRAME_SIZE_MAX);
        gw_frame frame;
        if (gw_frame_receive(child->descriptor, &payload, -1, &frame) != GW_OK)
            return fail(talk->problem, "load_failed", "The snapshot could not be made.", "The engine died.");
        if (frame.kind == GW_FRAME_PROGRESS) {
            talk_progress(talk, &payload);
            continue;
        }
        if (frame.kind != GW_FRAME_REPORT || gw_load_report_unpack(gw_buffer_bytes(&payload), talk->report) != GW_OK)
            return fail(talk->problem, "load_failed", "The snapshot could not be made.",
                        "The engine said something unexpected.");
        return talk_outcome(talk, (gw_engine_word)frame.word);
    }
}

// The child stays until it is stopped: whenever we die before, it removes what it has made.
static gw_status run_child(const gw_load_options *options, const gw_load_plan *plan, gw_engine_child *child,
                           gw_load_report *report, gw_problem *ret_problem) {
    const char *arguments[] = {"godwit-engine", "load", NULL};
    GW_CLEANUP(gw_buffer_done) gw_buffer payload;
    gw_buffer_init(&payload, GW_FRAME_SIZE_MAX);
    gw_load_plan_pack(plan, &payload);
    if (payload.status != GW_OK)
        return gw_problem_set(ret_problem, GW_LIMIT, "load_tables", "The policy is too large to load.", "", "");
    gw_frame request = {.kind = GW_FRAME_LOAD, .sequence = 1, .size = payload.size};
    if (gw_engine_child_start(options->program, arguments, child) != GW_OK ||
        gw_engine_child_greet(child, gw_engine_now_ms() + GREETING_MS) != GW_OK ||
        gw_frame_send(child->descriptor, &request, payload.data, gw_engine_now_ms() + GREETING_MS) != GW_OK)
        return fail(ret_problem, "engine_missing", "The engine does not start.",
                    "godwit-engine cannot be run, or is of another build.");
    load_talk talk = {.options = options, .report = report, .problem = ret_problem};
    return talk_run(&talk, child);
}

// ---- how many rows

#define ROWS_FILE_MAX 16384u // bytes of a .rows file: a line "<table> <rows>" for each table

static void rows_line_read(const char *line, const gw_policy *policy, gw_load_rows *rows) {
    const char *space = strchr(line, ' ');
    char *end = NULL;
    if (space == NULL || space[1] < '0' || space[1] > '9')
        return;
    unsigned long long count = strtoull(space + 1, &end, 10);
    for (size_t i = 0; i < policy->table_count && i < GW_LOAD_TABLES_MAX; i++)
        if (*end == '\n' && strlen(policy->tables[i].name) == (size_t)(space - line) &&
            memcmp(policy->tables[i].name, line, (size_t)(space - line)) == 0) {
            rows->is_known[i] = true;
            rows->rows[i] = count;
        }
}

void gw_load_rows_read(const char *folder, const char *version, const gw_policy *policy, gw_load_rows *ret) {
    char path[GW_ENGINE_PATH_MAX + 64], text[ROWS_FILE_MAX];
    struct stat facts;
    *ret = (gw_load_rows){0};
    snprintf(path, sizeof(path), "%s/%s.rows", folder, version);
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != geteuid() ||
        (facts.st_mode & 077) != 0)
        return;
    ssize_t size = read(descriptor, text, sizeof(text) - 1);
    text[size > 0 ? size : 0] = '\0';
    for (const char *line = text; line != NULL && *line != '\0';) {
        rows_line_read(line, policy, ret);
        const char *end = strchr(line, '\n');
        line = end != NULL ? end + 1 : NULL;
    }
    gw_wipe(text, sizeof(text));
}

static gw_status rows_write(const gw_load_options *options, const char *path, const gw_load_report *report,
                            gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, ROWS_FILE_MAX);
    for (size_t i = 0; i < options->policy->table_count; i++)
        gw_buffer_format(&text, "%s %llu\n", options->policy->tables[i].name,
                         (unsigned long long)report->tables[i].rows_kept);
    return gw_file_replace(path, gw_buffer_bytes(&text), 0600, ret_problem);
}

static void rows_before(const gw_load_options *options, gw_load_rows *ret) {
    *ret = (gw_load_rows){0};
    if (options->version != NULL)
        gw_load_rows_read(options->folder, options->version, options->policy, ret);
}

// A load that goes wrong upstream is most often an empty or a cut file. No number is told here: the report has them.
static gw_status rows_check(const gw_load_options *options, const gw_load_report *report, gw_problem *ret_problem) {
    gw_load_rows before;
    rows_before(options, &before);
    for (size_t i = 0; i < options->policy->table_count; i++) {
        const char *table = options->policy->tables[i].name;
        uint64_t rows = report->tables[i].rows_kept;
        if (rows == 0 && !options->is_empty_allowed) {
            gw_status status = gw_problem_set(ret_problem, GW_INVALID, "load_empty", "Nothing was loaded.", "",
                                              "--allow-empty, where the register is meant to be empty");
            gw_problem_why(ret_problem,
                           report->tables[i].rows_read == 0 ? "The source of %s has no rows."
                                                            : "No row of the source of %s is left to be kept.",
                           table);
            return status;
        }
        if (before.is_known[i] && rows < before.rows[i] - before.rows[i] / 2 && !options->is_shrunk_allowed &&
            !(rows == 0 && options->is_empty_allowed)) {
            gw_status status = gw_problem_set(ret_problem, GW_INVALID, "load_shrunk", "Nothing was loaded.", "",
                                              "--allow-shrink, where that many rows are meant to go");
            gw_problem_why(ret_problem, "%s would have less than half of the rows of the version in force.", table);
            return status;
        }
    }
    return GW_OK;
}

void gw_load_rows_text(const gw_load_report *report, const gw_load_options *options, gw_buffer *buffer) {
    gw_load_rows before;
    rows_before(options, &before);
    for (size_t i = 0; i < options->policy->table_count; i++) {
        char number[32];
        if (options->policy->table_count > 1)
            gw_buffer_format(buffer, "%s  ", options->policy->tables[i].name);
        if (before.is_known[i]) {
            snprintf(number, sizeof(number), "%llu", (unsigned long long)before.rows[i]);
            gw_buffer_text(buffer, "before: ");
            gw_text_thousands(buffer, number);
            gw_buffer_text(buffer, " rows, ");
        }
        snprintf(number, sizeof(number), "%llu", (unsigned long long)report->tables[i].rows_kept);
        gw_buffer_text(buffer, "now: ");
        gw_text_thousands(buffer, number);
        gw_buffer_text(buffer, before.is_known[i] ? "\n" : " rows\n");
    }
}

// ---- sealing and publishing

gw_status gw_load_seal(const char *path, gw_bytes seal_key, gw_hash *ret_seal, gw_problem *ret_problem) {
    struct stat facts;
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 || fstat(descriptor, &facts) != 0 || facts.st_size <= 0) {
        gw_status status =
            gw_problem_set(ret_problem, GW_IO, "file_unreadable", "The snapshot cannot be read.", "", "");
        gw_problem_why(ret_problem, "%s cannot be opened, or is empty.", path);
        return status;
    }
    size_t size = (size_t)facts.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return gw_problem_set(ret_problem, GW_IO, "file_unreadable", "The snapshot cannot be read.", "", "");
    *ret_seal = gw_hmac_sha256(seal_key, (gw_bytes){bytes, size});
    munmap(bytes, size);
    return GW_OK;
}

static bool make_durable(const char *path) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return descriptor >= 0 && fchmod(descriptor, 0400) == 0 && fsync(descriptor) == 0;
}

static gw_status publish(const gw_load_options *options, const work_folder *work, const gw_load_report *report,
                         gw_loaded *loaded, gw_problem *ret_problem) {
    char made[GW_ENGINE_PATH_MAX + 32], final[GW_ENGINE_PATH_MAX];
    char counted[GW_ENGINE_PATH_MAX + 32], rows[GW_ENGINE_PATH_MAX];
    snprintf(made, sizeof(made), "%s/" GW_LOAD_SNAPSHOT, work->path);
    snprintf(final, sizeof(final), "%.4000s/%s.duckdb", options->folder, loaded->version);
    if (options->progress != NULL)
        options->progress(options->state, 0.95, "sealing");
    if (!make_durable(made))
        return fail(ret_problem, "load_failed", "The snapshot could not be made.", "It could not be synced to disk.");
    gw_status status = gw_load_seal(made, options->seal_key, &loaded->seal, ret_problem);
    if (status != GW_OK)
        return status;
    snprintf(counted, sizeof(counted), "%s/rows", work->path);
    snprintf(rows, sizeof(rows), "%.4000s/%s.rows", options->folder, loaded->version);
    status = rows_write(options, counted, report, ret_problem);
    if (status != GW_OK)
        return status;
    if (rename(made, final) != 0)
        return fail(ret_problem, "load_failed", "The snapshot could not be made.", "It could not be renamed.");
    if (rename(counted, rows) != 0 || gw_folder_sync(options->folder) != GW_OK) {
        unlink(final);
        unlink(rows);
        return fail(ret_problem, "load_failed", "The snapshot could not be made.", "Its folder could not be synced.");
    }
    return GW_OK;
}

gw_status gw_load_run(const gw_load_options *options, gw_loaded *ret_loaded, gw_load_report *ret_report,
                      gw_problem *ret_problem) {
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(PLAN_MEMORY_MAX);
    GW_CLEANUP(work_folder_done) work_folder work = {.lock = -1};
    GW_CLEANUP(child_done) gw_engine_child child = GW_ENGINE_CHILD_NONE; // ends before its folder is removed
    gw_loaded loaded = {0};
    gw_load_plan plan;
    *ret_report = (gw_load_report){0};
    if (arena == NULL)
        return GW_NO_MEMORY;
    gw_random_id(loaded.version);
    gw_status status = work_folder_make(options->folder, loaded.version, &work, ret_problem);
    if (status == GW_OK)
        status = plan_build(options, work.path, arena, &plan, ret_problem);
    if (status == GW_OK)
        status = run_child(options, &plan, &child, ret_report, ret_problem);
    if (status == GW_OK)
        status = rows_check(options, ret_report, ret_problem);
    if (status == GW_OK)
        status = publish(options, &work, ret_report, &loaded, ret_problem);
    if (status != GW_OK)
        return status;
    if (options->progress != NULL)
        options->progress(options->state, 1.0, "done");
    *ret_loaded = loaded;
    return GW_OK;
}

// ---- the report

// Columns whose policy says what becomes of values out of bounds.
static void report_outside(const gw_policy *policy, gw_buffer *buffer) {
    static const char *const words[] = {"", "clamp", "missing", "drop-row"};
    for (size_t t = 0; t < policy->table_count; t++)
        for (size_t c = 0; c < policy->tables[t].column_count; c++)
            if (policy->tables[t].columns[c].outside != GW_OUTSIDE_REFUSE)
                gw_buffer_format(buffer, "; %s: %s by the policy", policy->tables[t].columns[c].name,
                                 words[policy->tables[t].columns[c].outside]);
}

static void report_treatment(const gw_load_kind_report *found, gw_load_kind kind, const gw_load_options *options,
                             gw_buffer *buffer) {
    const gw_load_treatments *treatments = &options->treatments;
    gw_load_treatment treatment = treatments->kinds[kind];
    gw_buffer_text(buffer, treatment == GW_TREAT_REFUSE ? found->refused_count > 0 ? "not treated" : "treated"
                                                        : gw_load_treatment_name(treatment));
    for (size_t i = 0; i < treatments->column_count; i++)
        if (treatments->columns[i].kind == kind)
            gw_buffer_format(buffer, "; %s: %s", treatments->columns[i].column,
                             gw_load_treatment_name(treatments->columns[i].treatment));
    if (kind == GW_LOAD_OUT_OF_BOUNDS)
        report_outside(options->policy, buffer);
    gw_buffer_text(buffer, "\n");
}

// Of the findings shown: the columns whose list of codes the policy could extend.
static void report_recode(const gw_load_kind_report *found, const gw_policy *policy, gw_buffer *buffer) {
    size_t named = 0;
    for (size_t i = 0; i < found->finding_count; i++) {
        const gw_load_finding *finding = &found->findings[i];
        bool is_named =
            finding->table >= policy->table_count || finding->column >= policy->tables[finding->table].column_count;
        for (size_t k = 0; k < i && !is_named; k++)
            is_named = found->findings[k].table == finding->table && found->findings[k].column == finding->column;
        if (!is_named)
            gw_buffer_format(buffer, "%s%s", named++ == 0 ? "\n    or add it to \"recode\" of " : ", ",
                             policy->tables[finding->table].columns[finding->column].name);
    }
}

// Most often another column was taken for the person's id.
static void report_unit(const gw_load_kind_report *found, const gw_policy *policy, gw_buffer *buffer) {
    if (found->finding_count == 0 || found->findings[0].table >= policy->table_count)
        return;
    gw_buffer_format(buffer, "\n    or, where \"%s\" is not who a row belongs to, correct \"unit\" in the policy",
                     policy->tables[found->findings[0].table].unit);
}

static void report_kind(const gw_load_report *report, gw_load_kind kind, const gw_load_options *options,
                        gw_buffer *buffer) {
    const gw_load_kind_report *found = &report->kinds[kind];
    gw_buffer_format(buffer, "%-14s %10llu   ", gw_load_kind_name(kind), (unsigned long long)found->count);
    report_treatment(found, kind, options, buffer);
    for (size_t i = 0; i < found->finding_count; i++) {
        const gw_load_finding *finding = &found->findings[i];
        gw_buffer_text(buffer, "  ");
        if (options->policy->table_count > 1 && finding->table < options->policy->table_count)
            gw_buffer_format(buffer, "%s, ", options->policy->tables[finding->table].name);
        gw_buffer_format(buffer, "row %llu: %s\n", (unsigned long long)finding->row, finding->text);
    }
    if (found->count > found->finding_count)
        gw_buffer_format(buffer, "  and %llu more\n", (unsigned long long)(found->count - found->finding_count));
    if (found->refused_count == 0)
        return;
    for (gw_load_treatment way = GW_TREAT_DROP_ROW; way <= GW_TREAT_CLAMP; way++)
        if (gw_load_treatment_fits(kind, way))
            gw_buffer_format(buffer, "%s--treat %s=%s", way == GW_TREAT_DROP_ROW ? "  mend: " : " | ",
                             gw_load_kind_name(kind), gw_load_treatment_name(way));
    if (kind == GW_LOAD_TOO_MANY_ROWS)
        report_unit(found, options->policy, buffer);
    if (kind == GW_LOAD_UNLISTED_CODE)
        report_recode(found, options->policy, buffer);
    gw_buffer_text(buffer, "\n");
}

// The different tables that a table inherits from: "persons or homes".
static void report_parents(const gw_policy *policy, const gw_table *table, gw_buffer *buffer) {
    const char *between = "";
    for (size_t t = 0; t < policy->table_count; t++) {
        bool is_parent = false;
        for (size_t i = 0; i < table->inherit_count && !is_parent; i++) {
            gw_load_inherited from;
            is_parent = plan_find_inherited(policy, table->inherited[i], &from) && from.table == t;
        }
        if (is_parent) {
            gw_buffer_format(buffer, "%s%s", between, policy->tables[t].name);
            between = " or ";
        }
    }
}

// Not an error: registers are kept by different hands, and a person may be in one before the other.
static void report_orphans(const gw_load_report *report, const gw_policy *policy, gw_buffer *buffer) {
    for (size_t i = 0; i < policy->table_count; i++) {
        unsigned long long count = report->tables[i].orphan_count;
        char number[32];
        if (count == 0)
            continue;
        snprintf(number, sizeof(number), "%llu", count);
        gw_buffer_text(buffer, "note: ");
        gw_text_thousands(buffer, number);
        gw_buffer_format(buffer, " person%s of %s %s not in ", count == 1 ? "" : "s", policy->tables[i].name,
                         count == 1 ? "is" : "are");
        report_parents(policy, &policy->tables[i], buffer);
        gw_buffer_text(buffer,
                       "\n      what their rows inherit is unknown: _U, or left out where missing is \"drop\"\n");
    }
}

void gw_load_report_text(const gw_load_report *report, const gw_load_options *options, gw_buffer *buffer) {
    for (unsigned i = 0; i < GW_LOAD_KINDS; i++)
        if (report->kinds[i].count > 0)
            report_kind(report, (gw_load_kind)i, options, buffer);
    report_orphans(report, options->policy, buffer);
    gw_buffer_format(buffer, "rows read %llu, rows kept %llu\n", (unsigned long long)report->rows_read,
                     (unsigned long long)report->rows_kept);
}
