// SPDX-License-Identifier: Apache-2.0
// Finds the policy in force, has the engine validate and write the snapshot, and activates it through the log.
#include "service/load_command.h"

#include "service/admin/load.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/format/text.h"
#include "service/local.h"
#include "service/query/plan.h"
#include "service/tell.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REPORT_BYTES_MAX 1048576u
#define PROGRESS_AFTER_MS 400

GW_DEFINE_FREEP(gw_policy, gw_policy_free)

typedef struct {
    const char *dir, *dataset;
    gw_load_source sources[GW_LOAD_TABLES_MAX];
    size_t source_count;
    gw_load_treatments treatments;
    bool is_empty_allowed, is_shrunk_allowed;
    char (*files)[PATH_MAX]; // of a folder; freed by the command
} load_arguments;

const char gw_load_help[] = "godwitd load [--dir DIR] [OPTION]... DATASET FILE\n"
                            "godwitd load [--dir DIR] [OPTION]... DATASET FOLDER\n"
                            "godwitd load [--dir DIR] [OPTION]... DATASET NAME=FILE...\n"
                            "  checks CSV, CSV.gz or Parquet files against the policy in force, and makes\n"
                            "  them the data version in force; nothing is loaded when something is wrong\n\n"
                            "  --dir DIR                state folder (default: here, or ./state)\n"
                            "  FOLDER                   holds a file for each table of the policy, called as\n"
                            "                           the table is: persons.parquet, permits.csv\n"
                            "  NAME=FILE                the file of one table of the policy; once for each\n"
                            "  --table NAME=FILE        the same, where a name or a file is taken for another\n"
                            "  --treat KIND=HOW         what becomes of rows that do not fit; KIND: bad_type,\n"
                            "                           unlisted_code, out_of_bounds, not_finite,\n"
                            "                           too_many_rows, missing_id, ragged_row; HOW: drop-row,\n"
                            "                           missing (only the value), clamp (to the bound)\n"
                            "  --treat COLUMN:KIND=HOW  the same for one column; goes before that for all\n"
                            "  --allow-empty            also load a file without rows\n"
                            "  --allow-shrink           also load less than half of the rows in force\n"
                            "  --help                   this page\n";

// ---- progress

typedef struct {
    struct timespec start;
    bool is_terminal, was_shown;
} progress_bar;

static void progress_show(void *state, double fraction, const char *phase) {
    progress_bar *bar = state;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long elapsed = (now.tv_sec - bar->start.tv_sec) * 1000 + (now.tv_nsec - bar->start.tv_nsec) / 1000000;
    if (!bar->is_terminal || (elapsed < PROGRESS_AFTER_MS && !bar->was_shown))
        return;
    enum { WIDTH = 40 };
    char cells[WIDTH + 1];
    int filled = (int)(fraction * WIDTH);
    for (int i = 0; i < WIDTH; i++)
        cells[i] = i < filled ? '#' : '.';
    cells[WIDTH] = '\0';
    fprintf(stderr, "\r  %-22.22s [%s] %3d %%", phase, cells, (int)(fraction * 100));
    fflush(stderr);
    bar->was_shown = true;
}

static void progress_end(const progress_bar *bar) {
    if (bar->was_shown)
        fprintf(stderr, "\r%*s\r", 74, "");
}

// ---- arguments

static int usage(const char *what) {
    fprintf(stderr,
            "godwitd: %s\n  mend  godwitd load --dir state nso.example/register register.csv\n"
            "        godwitd load --dir state nso.example/register persons=p.csv permits=q.parquet\n"
            "        godwitd load --help\n  code  usage\n",
            what);
    return GW_EXIT_USAGE;
}

static bool read_table(char *text, load_arguments *a) {
    char *equals = strchr(text, '=');
    if (!equals || a->source_count == GW_LOAD_TABLES_MAX)
        return false;
    *equals = '\0';
    a->sources[a->source_count++] = (gw_load_source){.table = text, .path = equals + 1};
    return true;
}

// A file may be called "a=b" too: what is there is meant.
static bool is_table(const char *word) {
    const char *equals = strchr(word, '=');
    return equals && equals > word && memchr(word, '/', (size_t)(equals - word)) == NULL && access(word, F_OK) != 0;
}

// The dataset, then one file or folder, or a file for each table.
static int read_words(int count, char **words, load_arguments *a) {
    if (count < 1)
        return usage("load takes a dataset and its file.");
    a->dataset = words[0];
    if (count == 2 && a->source_count == 0 && !is_table(words[1])) {
        a->sources[a->source_count++] = (gw_load_source){.path = words[1]};
        return 0;
    }
    for (int i = 1; i < count; i++)
        if (!is_table(words[i]) || !read_table(words[i], a))
            return usage("several files are written NAME=FILE, one for each table.");
    return a->source_count > 0 ? 0 : usage("load takes a dataset and its file.");
}

// 0, or the exit code of a refusal already told.
static int read_arguments(int argc, char **argv, load_arguments *a) {
    static const struct option long_options[] = {
        {"dir", required_argument, NULL, 'd'},    {"table", required_argument, NULL, 't'},
        {"treat", required_argument, NULL, 'r'},  {"allow-empty", no_argument, NULL, 'e'},
        {"allow-shrink", no_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    gw_problem problem = {0};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'd')
            a->dir = optarg;
        else if (option == 't' && !read_table(optarg, a))
            return usage("--table is written NAME=FILE.");
        else if (option == 'r') {
            gw_status status = gw_load_treat(optarg, &a->treatments, &problem);
            if (status != GW_OK)
                return gw_tell(status, &problem);
        } else if (option == 'e')
            a->is_empty_allowed = true;
        else if (option == 's')
            a->is_shrunk_allowed = true;
        else if (option == '?')
            return GW_EXIT_USAGE;
    }
    return read_words(argc - optind, argv + optind, a);
}

// ---- load

// The policy, and the data version that is to be replaced; "" where there is none yet.
static gw_status policy_in_force(const gw_config *config, const char *dataset, gw_policy **ret,
                                 char ret_version[GW_ID_HEX], gw_problem *problem) {
    char path[4200];
    gw_store_reader *reader = NULL;
    gw_store_policy row;
    gw_buffer text;
    gw_buffer_init(&text, GW_POLICY_BYTES_MAX);
    snprintf(path, sizeof path, "%s/godwit.db", config->folder);
    gw_status status = gw_store_reader_open(path, &reader, problem);
    if (status != GW_OK)
        return status;
    status = gw_store_policy_current(reader, dataset, &row, &text);
    gw_store_data data;
    bool has_data = status == GW_OK && gw_store_data_current(reader, dataset, &data) == GW_OK;
    snprintf(ret_version, GW_ID_HEX, "%s", has_data ? data.version : "");
    gw_store_reader_close(reader);
    snprintf(path, sizeof path, "%s/codelists", config->share);
    if (status == GW_OK) {
        status = gw_policy_load(gw_buffer_bytes(&text), dataset, path, ret, problem);
    } else {
        gw_problem_set(problem, status, "unknown_dataset", "This dataset has no policy in force.", "", "");
        gw_problem_why(problem, "\"%s\" is not in the log.", dataset);
        gw_problem_mend(problem, "godwitd policy activate --dir %s FILE", config->folder);
    }
    gw_buffer_done(&text);
    return status;
}

// Beside the snapshot stands under which description of the tables it was made: the policy in force may be another by
// the time it is activated.
static gw_status note_layout(const gw_config *config, const gw_policy *policy, const gw_loaded *loaded,
                             gw_problem *problem) {
    char path[4600], hex[GW_HASH_HEX + 1];
    gw_hash layout = gw_plan_layout(policy);
    gw_hex((gw_bytes){layout.bytes, GW_HASH_SIZE}, hex);
    strcat(hex, "\n");
    snprintf(path, sizeof path, "%s/data/%s/%s.layout", config->folder, policy->dataset, loaded->version);
    return gw_file_replace(path, gw_bytes_of(hex), 0600, problem);
}

static gw_status activate(const gw_config *config, const char *dataset, const gw_loaded *loaded, gw_problem *problem) {
    char seal[GW_HASH_HEX];
    gw_buffer body, document;
    gw_buffer_init(&body, 65536);
    gw_buffer_init(&document, 65536);
    gw_hex((gw_bytes){loaded->seal.bytes, GW_HASH_SIZE}, seal);
    gw_buffer_text(&body, "{\"v\":1");
    gw_json_write_member(&body, "kind", "admin");
    gw_json_write_member(&body, "action", "data_activate");
    gw_json_write_member(&body, "dataset", dataset);
    gw_json_write_member(&body, "version", loaded->version);
    gw_json_write_member(&body, "seal", seal);
    gw_buffer_text(&body, "}");
    gw_status status = gw_local_change(config, gw_buffer_bytes(&body), &document, problem);
    gw_buffer_done(&body);
    gw_buffer_done(&document);
    return status;
}

// A folder stands for one file a table.
static gw_status sources_of_folder(load_arguments *a, const gw_policy *policy, gw_problem *problem) {
    static const char *const endings[] = {"parquet", "csv", "csv.gz"};
    const char *folder = a->sources[0].path;
    a->files = calloc(GW_LOAD_TABLES_MAX, sizeof *a->files);
    if (!a->files)
        return gw_problem_set(problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    a->source_count = 0;
    for (size_t t = 0; t < policy->table_count && t < GW_LOAD_TABLES_MAX; t++) {
        size_t found = 0;
        for (size_t e = 0; e < sizeof endings / sizeof endings[0]; e++) {
            char path[PATH_MAX];
            int length = snprintf(path, sizeof path, "%s/%s.%s", folder, policy->tables[t].name, endings[e]);
            if (length >= PATH_MAX || access(path, F_OK) != 0)
                continue;
            memcpy(a->files[t], path, sizeof path);
            found++;
        }
        if (found != 1) {
            gw_problem_set(problem, GW_NOT_FOUND, "load_folder", "This folder is not one file a table.", "", "");
            if (found == 0)
                gw_problem_why(problem, "There is no %s.parquet, .csv or .csv.gz in it.", policy->tables[t].name);
            else
                gw_problem_why(problem, "The table %s is there more than once.", policy->tables[t].name);
            gw_problem_mend(problem, "Put one file there, or name the files: %s=FILE", policy->tables[t].name);
            return GW_NOT_FOUND;
        }
        a->sources[a->source_count++] = (gw_load_source){.table = policy->tables[t].name, .path = a->files[t]};
    }
    return GW_OK;
}

static bool is_folder(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

// `ret_rows` gets what the owner is told of how many rows there are; nobody else is.
static gw_status load_run(const gw_config *config, load_arguments *a, const gw_policy *policy, const char *version,
                          gw_loaded *loaded, gw_buffer *ret_rows, gw_problem *problem) {
    char folder[4400], engine[PATH_MAX];
    gw_signature secret;
    gw_status status = gw_service_seal_secret(config, &secret, problem);
    if (status != GW_OK)
        return status;
    progress_bar bar = {.is_terminal = isatty(STDERR_FILENO)};
    clock_gettime(CLOCK_MONOTONIC, &bar.start);
    snprintf(folder, sizeof folder, "%s/data/%s", config->folder, policy->dataset);
    gw_program_beside("godwit-engine", engine, sizeof engine);
    if (!a->sources[0].table && is_folder(a->sources[0].path))
        status = sources_of_folder(a, policy, problem);
    else if (!a->sources[0].table)
        a->sources[0].table = policy->tables[0].name;
    if (status != GW_OK) {
        gw_wipe(secret.bytes, sizeof secret.bytes);
        return status;
    }
    gw_load_options options = {.program = engine,
                               .policy = policy,
                               .sources = a->sources,
                               .source_count = a->source_count,
                               .version = version[0] != '\0' ? version : NULL,
                               .is_empty_allowed = a->is_empty_allowed,
                               .is_shrunk_allowed = a->is_shrunk_allowed,
                               .folder = folder,
                               .seal_key = {secret.bytes, sizeof secret.bytes},
                               .progress = progress_show,
                               .state = &bar};
    options.treatments = a->treatments;
    gw_load_report report = {0};
    gw_buffer text;
    gw_buffer_init(&text, REPORT_BYTES_MAX);
    status = gw_load_run(&options, loaded, &report, problem);
    progress_end(&bar);
    gw_wipe(secret.bytes, sizeof secret.bytes);
    gw_load_report_text(&report, &options, &text);
    if (status == GW_OK)
        gw_load_rows_text(&report, &options, ret_rows);
    else if (strcmp(problem->code, "load_shrunk") == 0)
        gw_load_rows_text(&report, &options, &text);
    if (report.rows_read > 0) // before that there is nothing to report
        fputs(gw_buffer_string(&text), stderr);
    gw_buffer_done(&text);
    return status;
}

// A first question that the policy can answer, and its price: a count, by something that makes groups.
static void print_next(const gw_policy *policy) {
    const gw_table *table = &policy->tables[0];
    const char *by = "none", *slash = strchr(policy->dataset, '/');
    for (size_t i = 0; i < table->column_count && strcmp(by, "none") == 0; i++)
        if (table->columns[i].concept && table->columns[i].type == GW_COLUMN_CODE)
            by = table->columns[i].concept;
    const char *name = slash ? slash + 1 : policy->dataset;
    char price[GW_EPSILON_TEXT];
    gw_epsilon usual = {50000}; // micro-epsilon: 0.05
    if (usual.micro < policy->question_min.micro)
        usual = policy->question_min;
    if (usual.micro > policy->question_max.micro)
        usual = policy->question_max;
    gw_epsilon_format(usual, price);
    printf("  next  godwit cost %s --measure count --by %s --epsilon %s\n", name, by, price);
    printf("  then  godwit query %s --measure count --by %s --epsilon %s --max-cost %s\n", name, by, price, price);
}

static void notice_say(const char *notice) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_buffer_text(&text, "  ");
    gw_text_wrap(&text, notice, 80, 2, 2);
    fputs(gw_buffer_string(&text), stdout);
}

int gw_load_command(int argc, char **argv) {
    load_arguments a = {.dir = gw_config_folder()};
    int code = read_arguments(argc, argv, &a);
    if (code != 0)
        return code;
    gw_config config;
    gw_problem problem = {0};
    gw_loaded loaded;
    char version[GW_ID_HEX];
    GW_CLEANUP(gw_buffer_done) gw_buffer rows;
    gw_buffer_init(&rows, REPORT_BYTES_MAX);
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    gw_status status = gw_config_load(a.dir, &config, &problem);
    if (status == GW_OK)
        status = policy_in_force(&config, a.dataset, &policy, version, &problem);
    if (status == GW_OK)
        status = load_run(&config, &a, policy, version, &loaded, &rows, &problem);
    bool is_refused = status == GW_INVALID && strcmp(problem.code, "load_refused") == 0;
    if (status == GW_OK)
        status = note_layout(&config, policy, &loaded, &problem);
    if (status == GW_OK)
        status = activate(&config, policy->dataset, &loaded, &problem);
    free(a.files);
    if (status != GW_OK) {
        code = gw_tell(status, &problem);
        return is_refused ? GW_EXIT_FOUND_PROBLEMS : code;
    }
    printf("%s: data version %s is in force.\n%s", policy->dataset, loaded.version, gw_buffer_string(&rows));
    if (policy->notice)
        notice_say(policy->notice);
    print_next(policy);
    return 0;
}
