// SPDX-License-Identifier: Apache-2.0
// The owner's commands on policy files. Checking, comparing and simulating read files and nothing else; activating is a
// signed change like any other.
#include "service/policy_command.h"

#include "service/admin/policy_diff.h"
#include "service/admin/policy_simulate.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/local.h"
#include "service/policy/policy_open.h"
#include "service/tell.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUESTIONS_BYTES_MAX 1048576u
#define PAGE_BYTES_MAX 4194304u
#define ARENA_BYTES_MAX (64u << 20)

GW_DEFINE_FREEP(gw_policy, gw_policy_free)
GW_DEFINE_FREEP(gw_catalogue, gw_catalogue_free)
GW_DEFINE_FREEP(gw_arena, gw_arena_free)
GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

const char gw_policy_help[] = "godwitd policy check FILE\n"
                              "godwitd policy simulate FILE [--questions QUESTIONS.json]\n"
                              "godwitd policy diff OLD NEW\n"
                              "godwitd policy activate [--dir DIR] FILE\n"
                              "  check reads a policy strictly and says what it allows, or what is wrong where;\n"
                              "  simulate says what it would mean: errors, prices, how long budgets last;\n"
                              "  diff says what NEW changes; OLD is a file, or the name of a dataset whose\n"
                              "  policy is in force; exit code 9 where protection gets weaker;\n"
                              "  activate puts FILE in force, signed in FILE.sig\n\n"
                              "  --dir DIR         state folder (default: here, or ./state)\n"
                              "  --questions FILE  its questions: what godwit cost --file takes\n"
                              "  -o json           of simulate and diff: for programs\n"
                              "  --share DIR       folder with indicators/ and codelists/\n"
                              "  --help            this page\n";

typedef struct {
    const char *dir, *share, *questions;
    bool is_json;
    char **words;
    int word_count;
} arguments;

static int usage(void) {
    fprintf(stderr, "godwitd: policy takes check, simulate, diff or activate, and files.\n"
                    "  mend  godwitd policy check FILE; godwitd policy simulate FILE\n"
                    "        godwitd policy diff OLD NEW; godwitd policy activate --dir state FILE\n"
                    "  code  usage\n");
    return GW_EXIT_USAGE;
}

static bool read_arguments(int argc, char **argv, arguments *a) {
    static const struct option long_options[] = {{"dir", required_argument, NULL, 'd'},
                                                 {"share", required_argument, NULL, 's'},
                                                 {"questions", required_argument, NULL, 'q'},
                                                 {"output", required_argument, NULL, 'o'},
                                                 {NULL, 0, NULL, 0}};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "o:", long_options, NULL)) != -1;) {
        if (option == 'd')
            a->dir = optarg;
        else if (option == 's')
            a->share = optarg;
        else if (option == 'q')
            a->questions = optarg;
        else if (option == 'o' && (strcmp(optarg, "json") == 0 || strcmp(optarg, "table") == 0))
            a->is_json = optarg[0] == 'j';
        else
            return false;
    }
    a->words = argv + optind;
    a->word_count = argc - optind;
    return true;
}

static void share_path(const arguments *a, const char *room, char path[4200]) {
    gw_config config;
    gw_config_default(".", &config);
    snprintf(path, 4200, "%s/%s", a->share ? a->share : config.share, room);
}

// ---- files

static gw_status load_text(const arguments *a, gw_bytes text, const char *name, gw_policy **ret, gw_problem *problem) {
    char codelists[4200];
    share_path(a, "codelists", codelists);
    return gw_policy_load(text, name, codelists, ret, problem);
}

// A draft's open points, all at once: its owner answers them in one go.
static void print_open_points(gw_bytes text) {
    GW_CLEANUP(gw_buffer_done) gw_buffer lines;
    gw_buffer_init(&lines, PAGE_BYTES_MAX);
    if (gw_policy_open_list(text, &lines) > 0)
        fprintf(stderr, "Open in this draft:\n%s", gw_buffer_string(&lines));
}

static gw_status load_file(const arguments *a, const char *file, gw_policy **ret, gw_problem *problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, GW_POLICY_BYTES_MAX);
    gw_status status = gw_file_read(file, &text, problem);
    if (status != GW_OK)
        return status;
    status = load_text(a, gw_buffer_bytes(&text), file, ret, problem);
    if (status != GW_OK && strcmp(problem->code, "policy_open") == 0) {
        print_open_points(gw_buffer_bytes(&text));
        gw_problem_mend(problem, "Write the answers into %.200s in place of ASK, then: godwit policy check %.64s", file,
                        file);
    }
    return status;
}

// ---- check

static int policy_check(const arguments *a) {
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    gw_problem problem = {0};
    const char *file = a->words[1];
    gw_status status = load_file(a, file, &policy, &problem);
    if (status != GW_OK) {
        gw_tell(status, &problem);
        return GW_EXIT_FOUND_PROBLEMS;
    }
    char lifetime[GW_EPSILON_TEXT];
    gw_epsilon_format(policy->lifetime, lifetime);
    size_t columns = 0;
    for (size_t t = 0; t < policy->table_count; t++)
        columns += policy->tables[t].column_count;
    printf("OK  %s version %llu: %zu table%s, %zu column%s, lifetime budget %s\n", policy->dataset,
           (unsigned long long)policy->version, policy->table_count, policy->table_count == 1 ? "" : "s", columns,
           columns == 1 ? "" : "s", lifetime);
    printf("  what it would mean  godwit policy simulate %s\n"
           "  next                godwit policy sign %s\n",
           file, file);
    return 0;
}

// ---- simulate

// The file that `godwit cost --file` takes.
static gw_status questions_read(const char *file, gw_arena *arena, gw_json **ret_json, gw_question *ret,
                                gw_problem *problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, QUESTIONS_BYTES_MAX);
    gw_status status = gw_file_read(file, &text, problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(file), ret_json, problem);
    return status == GW_OK ? gw_questions_file_decode(*ret_json, arena, ret, problem) : status;
}

static int policy_simulate(const arguments *a) {
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_BYTES_MAX);
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = NULL;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer page;
    gw_problem problem = {0};
    gw_question basket = {0};
    gw_simulation simulation;
    char indicators[4200];
    gw_buffer_init(&page, PAGE_BYTES_MAX);
    if (arena == NULL)
        return GW_EXIT_FAILED;
    share_path(a, "indicators", indicators);
    gw_status status = load_file(a, a->words[1], &policy, &problem);
    if (status == GW_OK)
        status = gw_catalogue_load(indicators, &catalogue, &problem);
    if (status == GW_OK && a->questions != NULL)
        status = questions_read(a->questions, arena, &json, &basket, &problem);
    if (status == GW_OK && gw_policy_simulate(policy, catalogue, a->questions ? basket.basket : NULL,
                                              basket.basket_count, arena, &simulation) != GW_OK)
        status = gw_problem_set(&problem, GW_NO_MEMORY, "no_memory", "There is not enough memory for this.", "", "");
    if (status != GW_OK) {
        int code = gw_tell(status, &problem);
        return policy == NULL ? GW_EXIT_FOUND_PROBLEMS : code;
    }
    if (a->is_json)
        gw_simulation_json(&simulation, &page);
    else
        gw_simulation_text(&simulation, &page);
    fputs(gw_buffer_string(&page), stdout);
    if (!a->is_json)
        printf("\n  next  godwit policy sign %s\n", a->words[1]);
    return 0;
}

// ---- diff

typedef struct {
    const char *wanted; // a dataset, whole or behind its owner's name
    char found[GW_DATASET_MAX];
    size_t count;
} dataset_search;

static void dataset_look(void *state, const gw_store_policy *row) {
    dataset_search *search = state;
    const char *slash = strchr(row->dataset, '/');
    if (strcmp(row->dataset, search->wanted) != 0 && (slash == NULL || strcmp(slash + 1, search->wanted) != 0))
        return;
    snprintf(search->found, sizeof search->found, "%s", row->dataset);
    search->count++;
}

// A folder may be called as the dataset that was loaded from it.
static bool is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

// The policy that is in force, from the state folder.
static gw_status load_in_force(const arguments *a, const char *name, gw_policy **ret, gw_problem *problem) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_store_policy row;
    gw_config config;
    dataset_search search = {.wanted = name};
    char path[4200];
    gw_buffer_init(&text, GW_POLICY_BYTES_MAX);
    gw_status status = gw_config_load(a->dir, &config, problem);
    if (status != GW_OK)
        return status;
    snprintf(path, sizeof path, "%s/godwit.db", config.folder);
    status = gw_store_reader_open(path, &reader, problem);
    if (status != GW_OK)
        return status;
    status = gw_store_datasets(reader, dataset_look, &search);
    if (status == GW_OK && search.count == 1)
        status = gw_store_policy_current(reader, search.found, &row, &text);
    if (status != GW_OK || search.count != 1) {
        gw_problem_set(problem, GW_NOT_FOUND, "unknown_dataset", "", "",
                       "godwit policy diff OLD.json NEW.json, or --dir STATE and the dataset's whole name.");
        gw_problem_what(problem, "\"%.128s\" is no file, and no dataset of this service.", name);
        return GW_NOT_FOUND;
    }
    return load_text(a, gw_buffer_bytes(&text), search.found, ret, problem);
}

typedef struct {
    gw_buffer *out;
    bool is_json;
    size_t count, weaker_count;
} diff_page;

static void diff_line(void *state, gw_policy_change change, const char *text) {
    diff_page *page = state;
    if (page->is_json) {
        gw_buffer_text(page->out, page->count ? ",{" : "{");
        gw_json_write_member(page->out, "change", gw_policy_change_name(change));
        gw_json_write_member(page->out, "text", text);
        gw_buffer_text(page->out, "}");
    } else {
        gw_buffer_format(page->out, "%s  %s\n", change == GW_POLICY_CHANGE_WEAKER ? "WARN" : "    ", text);
    }
    page->count++;
    page->weaker_count += change == GW_POLICY_CHANGE_WEAKER;
}

static void diff_text_end(const gw_policy *before, const gw_policy *now, const diff_page *page, bool needs_load) {
    printf("%s", gw_buffer_string(page->out));
    if (page->count == 0)
        printf("OK  nothing changes but the version\n");
    if (needs_load)
        printf("  The data must be loaded again before the dataset answers: godwit load.\n");
    printf("  What was spent so far stays spent: it belongs to the dataset, whatever its policy says.\n");
    if (now->version <= before->version)
        printf("  Before it can be put in force: set \"version\" to %llu.\n", (unsigned long long)before->version + 1);
    if (page->weaker_count > 0)
        printf("WARN  %zu change%s protection weaker\n", page->weaker_count,
               page->weaker_count == 1 ? " makes" : "s make");
}

static int policy_diff(const arguments *a) {
    GW_CLEANUP(gw_policy_freep) gw_policy *before = NULL;
    GW_CLEANUP(gw_policy_freep) gw_policy *now = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer out;
    gw_problem problem = {0};
    gw_buffer_init(&out, PAGE_BYTES_MAX);
    gw_status status = is_file(a->words[1]) ? load_file(a, a->words[1], &before, &problem)
                                            : load_in_force(a, a->words[1], &before, &problem);
    if (status == GW_OK)
        status = load_file(a, a->words[2], &now, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    diff_page page = {.out = &out, .is_json = a->is_json};
    gw_policy_diff(before, now, diff_line, &page);
    bool needs_load = !gw_hash_equal(gw_plan_layout(before), gw_plan_layout(now));
    if (a->is_json)
        printf("{\"v\":1,\"dataset\":\"%s\",\"from\":%llu,\"to\":%llu,\"weaker\":%zu,\"needs_load\":%s,\"changes\":[%s]"
               "}\n",
               now->dataset, (unsigned long long)before->version, (unsigned long long)now->version, page.weaker_count,
               needs_load ? "true" : "false", gw_buffer_string(&out));
    else
        diff_text_end(before, now, &page, needs_load);
    return page.weaker_count > 0 ? GW_EXIT_FOUND_PROBLEMS : 0;
}

// ---- activate

// The signature file that `godwit policy sign` writes: {"by":…,"key":…,"signature":…}.
static gw_status signature_read(const char *policy_file, gw_buffer *body, gw_problem *problem) {
    static const char *const allowed[] = {"by", "key", "signature", NULL};
    char path[PATH_MAX];
    gw_buffer text;
    gw_json *json = NULL;
    snprintf(path, sizeof path, "%s.sig", policy_file);
    gw_buffer_init(&text, 4096);
    gw_status status = gw_file_read(path, &text, problem);
    if (status != GW_OK)
        gw_problem_mend(problem, "godwit policy sign %s --as owner", policy_file);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(path), &json, problem);
    gw_buffer_done(&text);
    if (status != GW_OK)
        return status;
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    gw_json_expect_object(&reader, gw_json_root(json), allowed);
    for (size_t i = 0; allowed[i]; i++) {
        const char *value = gw_json_read_string(&reader, gw_json_root(json), allowed[i]);
        if (value)
            gw_json_write_member(body, allowed[i], value);
    }
    if (reader.status != GW_OK)
        *problem = reader.problem;
    gw_json_free(json);
    return reader.status;
}

// What the new version changes of the old one's amounts, so that nobody raises one unawares.
static void print_differences(gw_bytes document) {
    gw_json *json = NULL;
    if (gw_json_parse(document, GW_JSON_REPLY, &json, NULL) != GW_OK)
        return;
    const gw_json_node *changes = gw_json_member(gw_json_root(json), "changes");
    for (const gw_json_node *one = changes ? gw_json_first(changes) : NULL; one; one = gw_json_next(one))
        printf("  changes %s\n", gw_json_string(one));
    gw_json_free(json);
}

static int policy_activate(const char *folder, const char *file) {
    gw_config config;
    gw_problem problem = {0};
    gw_buffer text, body, document;
    gw_buffer_init(&text, GW_POLICY_BYTES_MAX);
    gw_buffer_init(&body, 1u << 20);
    gw_buffer_init(&document, 65536);
    gw_status status = gw_config_load(folder, &config, &problem);
    if (status == GW_OK)
        status = gw_file_read(file, &text, &problem);
    if (status == GW_OK) {
        gw_buffer_text(&body, "{\"v\":1");
        gw_json_write_member(&body, "kind", "admin");
        gw_json_write_member(&body, "action", "policy_activate");
        gw_json_write_member(&body, "policy", gw_buffer_string(&text));
        status = signature_read(file, &body, &problem);
        gw_buffer_text(&body, "}");
    }
    if (status == GW_OK)
        status = gw_local_change(&config, gw_buffer_bytes(&body), &document, &problem);
    int code = status == GW_OK ? 0 : gw_tell(status, &problem);
    if (status == GW_OK) {
        printf("In force: %s\n", file);
        print_differences(gw_buffer_bytes(&document));
    }
    gw_buffer_done(&text);
    gw_buffer_done(&body);
    gw_buffer_done(&document);
    return code;
}

int gw_policy_command(int argc, char **argv) {
    arguments a = {.dir = gw_config_folder()};
    if (!read_arguments(argc, argv, &a) || a.word_count < 2)
        return usage();
    if (a.word_count == 2 && strcmp(a.words[0], "check") == 0)
        return policy_check(&a);
    if (a.word_count == 2 && strcmp(a.words[0], "simulate") == 0)
        return policy_simulate(&a);
    if (a.word_count == 3 && strcmp(a.words[0], "diff") == 0)
        return policy_diff(&a);
    if (a.word_count == 2 && strcmp(a.words[0], "activate") == 0)
        return policy_activate(a.dir, a.words[1]);
    return usage();
}
