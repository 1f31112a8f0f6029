// SPDX-License-Identifier: Apache-2.0
// Drafting a policy from the names of a file's columns. What only the owner can know is asked, never looked up in the
// data: a bound that came from the data would itself tell about somebody in it.
#include "client/cli/commands.h"
#include "client/cli/policy_answers.h"
#include "client/cli/policy_checks.h"
#include "client/cli/policy_draft.h"
#include "client/cli/profiles.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/format/text.h"
#include "service/wire/question.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_BYTES_MAX (64u << 20)
#define DRAFT_BYTES_MAX 1048576u
#define NAMES_BYTES_MAX 262144u

GW_DEFINE_FREEP(gw_arena, gw_arena_free)

typedef struct {
    const char *out, *answers;
} new_options;
static const gw_option options_of_new[] = {
    {"file", 'f', GW_OPTION_TEXT, offsetof(new_options, out), "FILE", "the policy to write (SOURCE.policy.json)"},
    {"answers", 0, GW_OPTION_TEXT, offsetof(new_options, answers), "FILE",
     "lines \"key = value\" in place of a conversation; what they leave out stays open"},
};

typedef struct {
    gw_cli *cli;
    gw_answers *answers;
    gw_arena *arena;
    gw_draft draft;
    gw_source *sources;
    size_t source_count;
} drafting;

static const long rows_max = 1000000, days_max = 3660, persons_max = 1000000000;

// ---- guesses from names

typedef struct {
    const char *word, *concept;
} synonym;
static const synonym synonyms[] = {
    {"sex", "sex"},
    {"gender", "sex"},
    {"age", "age"},
    {"citizen", "citizen"},
    {"citizenship", "citizen"},
    {"nationality", "citizen"},
    {"c_birth", "c_birth"},
    {"cob", "c_birth"},
    {"country_of_birth", "c_birth"},
    {"birth_country", "c_birth"},
    {"region", "ref_area"},
    {"ref_area", "ref_area"},
    {"nuts", "ref_area"},
    {"nuts2", "ref_area"},
    {"isced", "isced11"},
    {"isced11", "isced11"},
    {"education", "isced11"},
    {"activity", "activity"},
    {"labour_status", "activity"},
    {"status", "activity"},
    {"income", "income"},
    {"hours", "hours"},
    {"reason", "reason"},
    {"duration_stay", "duration_stay"},
};

// "Net income (EUR)" -> "net_income_eur"; a synonym's concept where there is one.
static const char *concept_guess(drafting *d, const char *name) {
    char slug[GW_NAME_MAX + 1];
    size_t size = 0;
    for (const char *c = name; *c != '\0' && size < GW_NAME_MAX; c++) {
        bool is_plain = isalnum((unsigned char)*c) && (unsigned char)*c < 0x80;
        if (is_plain)
            slug[size++] = (char)tolower((unsigned char)*c);
        else if (size > 0 && slug[size - 1] != '_')
            slug[size++] = '_';
    }
    while (size > 0 && slug[size - 1] == '_')
        size--;
    slug[size] = '\0';
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
        if (strcmp(synonyms[i].word, slug) == 0)
            return synonyms[i].concept;
    return gw_arena_format(d->arena, "%s%s", slug[0] >= 'a' && slug[0] <= 'z' ? "" : "c", slug);
}

static bool is_about(const char *name, const char *word) {
    for (const char *at = name; *at != '\0'; at++)
        if (strncasecmp(at, word, strlen(word)) == 0)
            return true;
    return false;
}

// NULL where the name says nothing.
static const char *kind_guess(drafting *d, const gw_source_column *column, const char *concept) {
    if (gw_list_of_concept(concept, d->arena) != NULL)
        return "list";
    if (is_about(column->name, "weight"))
        return "weight";
    if (column->type == GW_SOURCE_DATE)
        return "date";
    if (column->type != GW_SOURCE_ANY || strcmp(concept, "age") == 0 || strcmp(concept, "hours") == 0 ||
        strcmp(concept, "income") == 0)
        return "number";
    return NULL;
}

// ---- asking

static const char *key_of(drafting *d, const gw_draft_table *table, const char *column, const char *what) {
    return gw_arena_format(d->arena, "%s%s%s%s%s", d->source_count > 1 ? table->name : "",
                           d->source_count > 1 ? "." : "", column, what[0] == '\0' || column[0] == '\0' ? "" : ".",
                           what);
}

static void ask_list(drafting *d, const gw_draft_table *table, gw_draft_column *column) {
    const char *list = gw_list_of_concept(column->concept, d->arena);
    column->list = gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "list"),
                                                            .prompt = "  code list",
                                                            .suggest = list,
                                                            .is_safe = true,
                                                            .check = gw_check_list,
                                                            .state = d->arena});
    gw_list codes;
    if (column->list == NULL || !gw_list_read(column->list, d->arena, &codes))
        return;
    gw_buffer prompt;
    gw_buffer_init(&prompt, 4096);
    gw_buffer_text(&prompt, "  its codes:");
    for (size_t i = 0; i < codes.code_count && i < 12; i++)
        gw_buffer_format(&prompt, " %s", codes.codes[i]);
    gw_buffer_format(&prompt, "%s\n  how the file writes them, where otherwise (1=%s, ...; empty: like this)",
                     codes.code_count > 12 ? " ..." : "", codes.codes[0]);
    gw_recode_state state = {d->arena, column->list};
    column->recode = gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "recode"),
                                                              .prompt = gw_buffer_string(&prompt),
                                                              .check = gw_check_recode,
                                                              .state = &state});
    gw_buffer_done(&prompt);
}

static void ask_bounds(drafting *d, const gw_draft_table *table, gw_draft_column *column) {
    bool is_age = strcmp(column->concept, "age") == 0;
    const char *name = column->name;
    bool has_zero = is_age || strcmp(column->concept, "hours") == 0 || column->kind == GW_DRAFT_WEIGHT;
    column->min = gw_answers_ask(
        d->answers, &(gw_ask_for){.key = key_of(d, table, name, "min"),
                                  .prompt = "  smallest possible value (public knowledge, not what the data shows)",
                                  .suggest = has_zero ? "0" : NULL,
                                  .is_safe = true,
                                  .check = gw_check_number,
                                  .state = column});
    column->max = gw_answers_ask(
        d->answers, &(gw_ask_for){.key = key_of(d, table, name, "max"),
                                  .prompt = "  largest possible value (public knowledge; the wider, the more noise)",
                                  .suggest = is_age ? "120" : NULL,
                                  .is_safe = true,
                                  .check = gw_check_number,
                                  .state = column});
    if (!column->is_whole)
        column->grid =
            gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, name, "grid"),
                                                     .prompt = "  values are rounded to",
                                                     .suggest = column->kind == GW_DRAFT_WEIGHT ? "0.01" : "1",
                                                     .is_safe = true,
                                                     .check = gw_check_grid,
                                                     .state = column});
}

static void ask_number(drafting *d, const gw_draft_table *table, gw_draft_column *column) {
    bool is_age = strcmp(column->concept, "age") == 0;
    ask_bounds(d, table, column);
    if (!is_age)
        column->unit = gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "unit"),
                                                                .prompt = "  unit, as EUR or H (empty: none)"});
    if (table->rows_max == NULL || strcmp(table->rows_max, "1") != 0)
        column->total = gw_answers_ask(
            d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "total"),
                                      .prompt = "  a person's values count up to this total in a question (empty: as "
                                                "many rows as count, each up to the largest)",
                                      .check = gw_check_total,
                                      .state = column});
    if (column->min == NULL || column->max == NULL)
        return;
    bool is_usual = is_age && strcmp(column->min, "0") == 0 && strcmp(column->max, "120") == 0;
    column->bands = gw_answers_ask(
        d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "bands"),
                                  .prompt = "  bands to group by: where each but the first begins (empty: none)",
                                  .suggest = is_usual ? "20,65" : NULL,
                                  .is_safe = true,
                                  .check = gw_check_bands,
                                  .state = column});
}

static void ask_date(drafting *d, const gw_draft_table *table, gw_draft_column *column) {
    static const char *const words[] = {"year", "quarter", "month"};
    static const gw_word_set set = {words, 3, "It is year, quarter or month."};
    column->period =
        gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "period"),
                                                 .prompt = "  finest that may be asked for: year, quarter or month",
                                                 .check = gw_check_word,
                                                 .state = &set});
    if (column->period == NULL)
        return;
    column->first =
        gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "first"),
                                                 .prompt = "  first period that dates can lie in (public knowledge)",
                                                 .check = gw_check_period,
                                                 .state = column->period});
    column->last = gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "last"),
                                                            .prompt = "  last one",
                                                            .check = gw_check_period,
                                                            .state = column->period});
}

static gw_draft_kind ask_kind(drafting *d, const gw_draft_table *table, const gw_draft_column *column,
                              const gw_source_column *source) {
    static const char *const words[] = {"open", "out", "list", "codes", "number", "date", "weight"}; // as gw_draft_kind
    static const gw_word_set set = {words + 1, 6, "It is out, list, codes, number, date or weight."};
    char prompt[320];
    gw_ignore(
        snprintf(prompt, sizeof(prompt), "\n%.128s: out, list, codes, number, date or weight", column->name)); // cut
    const char *word = gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, ""),
                                                                .prompt = prompt,
                                                                .suggest = kind_guess(d, source, column->concept),
                                                                .is_safe = true,
                                                                .check = gw_check_word,
                                                                .state = &set});
    for (size_t i = 1; word != NULL && i < 7; i++)
        if (strcmp(words[i], word) == 0)
            return (gw_draft_kind)i;
    return GW_DRAFT_OPEN;
}

static bool has_period(const gw_draft_table *table) {
    for (size_t i = 0; i + 1 < table->column_count; i++) // the last one is being asked
        if (table->columns[i].concept != NULL && strcmp(table->columns[i].concept, "time_period") == 0)
            return true;
    return false;
}

static void ask_column(drafting *d, const gw_draft_table *table, const gw_source_column *source,
                       gw_draft_column *column) {
    column->name = source->name;
    column->concept = concept_guess(d, source->name);
    column->kind = ask_kind(d, table, column, source);
    if (column->kind == GW_DRAFT_OPEN || column->kind == GW_DRAFT_OUT)
        return;
    if (column->kind == GW_DRAFT_DATE && !has_period(table))
        column->concept = "time_period"; // as indicators and SDMX call it
    if (column->kind != GW_DRAFT_WEIGHT)
        column->concept = gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "concept"),
                                                                   .prompt = "  concept",
                                                                   .suggest = column->concept,
                                                                   .is_safe = true,
                                                                   .check = gw_check_concept});
    if (column->concept == NULL)
        column->concept = concept_guess(d, source->name);
    column->is_whole =
        column->kind == GW_DRAFT_NUMBER && (source->type == GW_SOURCE_WHOLE || strcmp(column->concept, "age") == 0);
    if (column->kind == GW_DRAFT_LIST)
        ask_list(d, table, column);
    else if (column->kind == GW_DRAFT_CODES)
        column->codes =
            gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, column->name, "codes"),
                                                     .prompt = "  codes with their names (A=Name of A, B=Name of B)",
                                                     .check = gw_check_codes,
                                                     .state = d->arena});
    else if (column->kind == GW_DRAFT_NUMBER)
        ask_number(d, table, column);
    else if (column->kind == GW_DRAFT_DATE)
        ask_date(d, table, column);
    else
        ask_bounds(d, table, column);
}

static void ask_rows(drafting *d, gw_draft_table *table) {
    bool is_first = table == &d->draft.tables[0];
    table->rows_max = gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, "rows", ""),
                                                               .prompt = "Most rows that one person can have in it",
                                                               .suggest = is_first ? "1" : NULL,
                                                               .is_safe = true,
                                                               .check = gw_check_count,
                                                               .state = &rows_max});
    if (table->rows_max == NULL || strcmp(table->rows_max, "1") == 0)
        return;
    long most = strtol(table->rows_max, NULL, 10);
    table->rows_kept = gw_answers_ask(
        d->answers, &(gw_ask_for){.key = key_of(d, table, "rows_kept", ""),
                                  .prompt = "Of these, how many may count in one question (fewer: less noise)",
                                  .suggest = table->rows_max,
                                  .is_safe = false,
                                  .check = gw_check_count,
                                  .state = &most});
}

static void columns_tell(drafting *d, const gw_source *source) {
    gw_buffer line, wrapped;
    gw_buffer_init(&line, NAMES_BYTES_MAX);
    gw_buffer_init(&wrapped, 2 * NAMES_BYTES_MAX);
    gw_buffer_format(&line, "%s has %zu columns:", source->path, source->column_count);
    for (size_t i = 0; i < source->column_count; i++)
        gw_buffer_format(&line, "%s %s", i == 0 ? "" : ",", source->columns[i].name);
    gw_text_wrap(&wrapped, gw_buffer_string(&line), d->cli->width, 0, 2);
    gw_note(d->cli, "\n%s", gw_buffer_string(&wrapped));
    gw_buffer_done(&line);
    gw_buffer_done(&wrapped);
}

// The same column as in the first table, where this one has it.
static const char *id_guess(drafting *d, const gw_draft_table *table, const gw_source *source) {
    const char *first = table == &d->draft.tables[0] ? NULL : d->draft.tables[0].id;
    for (size_t i = 0; first != NULL && i < source->column_count; i++)
        if (strcmp(source->columns[i].name, first) == 0)
            return first;
    return NULL;
}

static gw_status ask_table(drafting *d, const gw_source *source, gw_draft_table *table) {
    table->name = source->table;
    table->columns = gw_arena_array(d->arena, source->column_count, sizeof(*table->columns));
    if (table->columns == NULL)
        return GW_LIMIT;
    if (d->answers->is_terminal)
        columns_tell(d, source);
    table->id = gw_answers_ask(d->answers, &(gw_ask_for){.key = key_of(d, table, "id", ""),
                                                         .prompt = "Column that says who a row belongs to",
                                                         .suggest = id_guess(d, table, source),
                                                         .is_safe = true,
                                                         .check = gw_check_column,
                                                         .state = source});
    ask_rows(d, table);
    if (d->answers->is_terminal && table == &d->draft.tables[0])
        gw_note(d->cli, "\nWhat is each of the other columns?\n"
                        "  out     not needed for any question: best left out\n"
                        "  list    codes of one of the installation's code lists, as CL_SEX\n"
                        "  codes   other codes, which you name\n"
                        "  number  a number with a smallest and a largest value\n"
                        "  date    a day, asked for by year, quarter or month\n"
                        "  weight  how many people a row stands for, in a survey\n");
    for (size_t i = 0; i < source->column_count; i++)
        if (table->id == NULL || strcmp(source->columns[i].name, table->id) != 0)
            ask_column(d, table, &source->columns[i], &table->columns[table->column_count++]);
    return GW_OK;
}

// The office's name, where a profile says whom we ask: "nso.example" of "nso.example/godwit".
static const char *owner_guess(drafting *d) {
    gw_profile profile;
    gw_problem ignored;
    if (gw_profiles_load(d->cli, &profile, &ignored) != GW_OK)
        return NULL;
    return gw_arena_format(d->arena, "%.*s", (int)strcspn(profile.origin, "/"), profile.origin);
}

static void ask_names(drafting *d) {
    const char *owner = owner_guess(d), *stem = strrchr(d->sources[0].path, '/');
    stem = stem == NULL ? d->sources[0].path : stem + 1;
    const char *slug = gw_arena_format(d->arena, "%s/%.*s", owner == NULL ? "" : owner, (int)strcspn(stem, "."), stem);
    const char *people = owner == NULL ? NULL : gw_arena_format(d->arena, "%s/residents", owner);
    char reason[GW_REASON_MAX];
    bool has_guess = owner != NULL && slug != NULL && gw_check_owned(NULL, slug, reason);
    d->draft.dataset = gw_answers_ask(d->answers, &(gw_ask_for){.key = "dataset",
                                                                .prompt = "The dataset's name, your office's first",
                                                                .suggest = has_guess ? slug : NULL,
                                                                .is_safe = true,
                                                                .check = gw_check_owned});
    d->draft.population =
        gw_answers_ask(d->answers, &(gw_ask_for){.key = "population",
                                                 .prompt = "Whose data it is (datasets of the same people share one "
                                                           "budget, so they must say the same here)",
                                                 .suggest = people,
                                                 .check = gw_check_owned});
    d->draft.title =
        gw_answers_ask(d->answers, &(gw_ask_for){.key = "title", .prompt = "A title for people (empty: none)"});
}

static void ask_amount(drafting *d, const char *key, const char *prompt, const char *suggest, const char **ret) {
    *ret = gw_answers_ask(
        d->answers,
        &(gw_ask_for){.key = key, .prompt = prompt, .suggest = suggest, .is_safe = true, .check = gw_check_amount});
}

static void ask_terms(drafting *d) {
    static const char *const roles[] = {"researcher", "owner", "auditor", "operator", "gateway"};
    static const gw_word_set role_set = {roles, 5,
                                         "Roles are researcher, owner, auditor, operator and gateway, with commas."};
    static const char *const statistics[] = {"count",    "share",   "rate", "mean",           "sum",   "net",
                                             "quantile", "poverty", "gini", "quintile_ratio", "series"};
    static const gw_word_set statistic_set = {
        statistics, sizeof(statistics) / sizeof(statistics[0]),
        "They are count, share, rate, mean, sum, net, quantile, poverty, gini, quintile_ratio and series, with "
        "commas."};
    if (d->answers->is_terminal)
        gw_note(d->cli, "\nBudgets, in epsilon: a usual table costs 0.05, so 10 is about 200 tables.\n");
    ask_amount(d, "lifetime", "For the dataset, for ever", "10", &d->draft.lifetime);
    ask_amount(d, "per_principal", "For each asker", "2", &d->draft.per_principal);
    d->draft.window_days =
        gw_answers_ask(d->answers, &(gw_ask_for){.key = "window_days",
                                                 .prompt = "Days after which a window's budget renews",
                                                 .suggest = "365",
                                                 .is_safe = true,
                                                 .check = gw_check_count,
                                                 .state = &days_max});
    ask_amount(d, "window", "For everybody together in such a window", "4", &d->draft.window);
    ask_amount(d, "question_min", "The least that one question costs", "0.01", &d->draft.question_min);
    ask_amount(d, "question_max", "The most that one question may cost", "0.5", &d->draft.question_max);
    d->draft.cell_persons = gw_answers_ask(
        d->answers, &(gw_ask_for){.key = "group",
                                  .prompt = "People in a usual group, as far as that is public (errors are "
                                            "foretold for it)",
                                  .suggest = "1000",
                                  .is_safe = true,
                                  .check = gw_check_count,
                                  .state = &persons_max});
    d->draft.roles = gw_answers_ask(d->answers, &(gw_ask_for){.key = "roles",
                                                              .prompt = "Who may ask (researcher, owner)",
                                                              .suggest = "researcher, owner",
                                                              .is_safe = true,
                                                              .check = gw_check_words,
                                                              .state = &role_set});
    d->draft.statistics = gw_answers_ask(d->answers, &(gw_ask_for){.key = "statistics",
                                                                   .prompt = "For what",
                                                                   .suggest = "count, share, rate, mean, sum, net",
                                                                   .is_safe = true,
                                                                   .check = gw_check_words,
                                                                   .state = &statistic_set});
}

// ---- the command

// "visits" of "export/visits.csv".
static const char *stem_of(drafting *d, const char *path) {
    const char *slash = strrchr(path, '/'), *stem = slash == NULL ? path : slash + 1;
    return gw_arena_format(d->arena, "%.*s", (int)strcspn(stem, "."), stem);
}

// TABLE=FILE; of several FILEs each its own name, and a FILE alone is the table of persons.
static gw_status sources_read(drafting *d, const gw_words *words, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    d->source_count = words->count;
    for (size_t i = 0; status == GW_OK && i < words->count; i++) {
        const char *equals = strchr(words->items[i], '=');
        bool has_name = equals != NULL && access(words->items[i], F_OK) != 0;
        status = gw_source_read(has_name ? equals + 1 : words->items[i], d->arena, &d->sources[i], ret_problem);
        d->sources[i].table = has_name
                                  ? gw_arena_format(d->arena, "%.*s", (int)(equals - words->items[i]), words->items[i])
                              : words->count > 1 ? stem_of(d, words->items[i])
                                                 : "persons";
        bool is_named = d->sources[i].table != NULL && gw_name_is_valid(d->sources[i].table) &&
                        strpbrk(d->sources[i].table, "/:") == NULL;
        for (size_t j = 0; j < i; j++)
            is_named = is_named && strcmp(d->sources[j].table, d->sources[i].table) != 0;
        if (status == GW_OK && !is_named)
            status =
                gw_problem_set(ret_problem, GW_INVALID, "option_value", "Two tables have one name, or one has none.",
                               "Each of several files is a table, called as the file or as you say.",
                               "godwit policy new persons=people.csv permits=permits.csv");
    }
    return status;
}

static const char *target_of(drafting *d, const char *named) {
    if (named != NULL)
        return named;
    const char *stem = stem_of(d, d->sources[0].path);
    return stem == NULL ? NULL : gw_arena_format(d->arena, "%s.policy.json", stem);
}

static gw_status target_check(const char *target, gw_problem *ret_problem) {
    if (target != NULL && access(target, F_OK) != 0)
        return GW_OK;
    gw_status status = gw_problem_set(ret_problem, GW_CONFLICT, "file_exists", "", "A policy is never written over.",
                                      "godwit policy new SOURCE --file other.policy.json");
    gw_problem_what(ret_problem, "%.200s is there already.", target == NULL ? "The policy" : target);
    return status;
}

static gw_exit_code draft_save(drafting *d, const char *target) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_problem problem;
    gw_buffer_init(&text, DRAFT_BYTES_MAX);
    size_t open_count = gw_draft_write(&d->draft, d->arena, &text);
    gw_status status = text.status == GW_OK ? gw_file_replace(target, gw_buffer_bytes(&text), 0644, &problem)
                                            : gw_problem_set(&problem, text.status, "too_many", "The draft is too big.",
                                                             "A policy has at most 1 MiB.", "Leave columns out.");
    if (status != GW_OK)
        return gw_fail(d->cli, &problem);
    if (open_count > 0)
        gw_say_verdict(d->cli, "WARN", "%s is written; %zu point%s open: each is a value that begins with ASK", target,
                       open_count, open_count == 1 ? " is" : "s are");
    else
        gw_say_verdict(d->cli, "OK", "%s is written; no value of the data was read", target);
    gw_say(d->cli, "  next  %sgodwit policy check %s\n", open_count > 0 ? "write the answers into it, then: " : "",
           target);
    return GW_EXIT_DONE;
}

static gw_status ask_all(drafting *d, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    if (d->answers->is_terminal)
        gw_note(d->cli, "A policy is drafted from the names of columns; no value is read. Answer what is\n"
                        "publicly known, never what the data shows. Enter takes what stands in brackets,\n"
                        "or leaves the point open: you can write it into the draft later.\n\n");
    ask_names(d);
    for (size_t i = 0; status == GW_OK && i < d->source_count; i++)
        status = ask_table(d, &d->sources[i], &d->draft.tables[d->draft.table_count++]);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "no_memory", "There is not enough memory.", "", "");
    ask_terms(d);
    return gw_answers_end(d->answers, ret_problem);
}

static gw_exit_code new_run(gw_cli *cli, const void *state, const gw_words *words) {
    const new_options *options = state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_BYTES_MAX);
    gw_answers *answers = arena == NULL ? NULL : gw_arena_alloc(arena, sizeof(*answers));
    gw_source *sources = arena == NULL ? NULL : gw_arena_array(arena, GW_DRAFT_TABLES_MAX, sizeof(*sources));
    GW_ASSERT(answers != NULL && sources != NULL);
    *answers = (gw_answers){.cli = cli, .arena = arena};
    answers->is_terminal = options->answers == NULL && cli->in_is_terminal && cli->err_is_terminal;
    drafting d = {.cli = cli, .answers = answers, .arena = arena, .sources = sources};
    gw_problem problem;
    gw_status status = sources_read(&d, words, &problem);
    const char *target = status == GW_OK ? target_of(&d, options->out) : NULL;
    if (status == GW_OK)
        status = target_check(target, &problem);
    if (status == GW_OK && options->answers != NULL)
        status = gw_answers_read(answers, options->answers, &problem);
    if (status == GW_OK)
        status = ask_all(&d, &problem);
    return status == GW_OK ? draft_save(&d, target) : gw_fail(cli, &problem);
}

const gw_command gw_command_policy_new = {
    .name = "policy new",
    .group = "Data owner",
    .arguments = "[TABLE=]SOURCE... [--file FILE] [--answers FILE]",
    .summary = "draft a policy from the names of a file's columns; no value is read",
    .examples = "godwit policy new people.csv                       (asks at a terminal)\n"
                "godwit policy new clients.csv visits.csv           (two tables, called as the files)\n"
                "godwit policy new persons=people.csv permits=permits.parquet --file register.policy.json\n"
                "godwit policy new people.csv --answers answers.txt (lines: income.max = 200000)\n"
                "  keys: dataset population title id rows rows_kept COLUMN (out, list, codes, number,\n"
                "  date, weight) COLUMN.concept .list .recode .codes .min .max .grid .unit .total\n"
                "  .bands .period .first .last; lifetime per_principal window window_days question_min\n"
                "  question_max group roles statistics; with several tables TABLE.COLUMN.max\n",
    GW_OPTIONS(options_of_new),
    .options_size = sizeof(new_options),
    .words_min = 1,
    .words_max = GW_DRAFT_TABLES_MAX,
    .run = new_run,
};
