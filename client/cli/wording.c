// SPDX-License-Identifier: Apache-2.0
// Words for figures and questions.
#include "client/cli/wording.h"
#include "client/cli/doc.h"
#include "client/cli/line.h"
#include "client/cli/measure.h"
#include "service/base/check.h"
#include "service/format/text.h"
#include "service/wire/decimal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RELEASE_SIZE_MAX 64u
#define GROUP_SIZE_MAX 100000000000ULL // as the service takes it

void gw_amount_format(gw_epsilon amount, char text[GW_AMOUNT_TEXT]) {
    char plain[GW_EPSILON_TEXT];
    gw_epsilon_format(amount, plain);
    const char *point = strchr(plain, '.');
    size_t places = point == NULL ? 0 : strlen(point + 1);
    gw_ignore(snprintf(text, GW_AMOUNT_TEXT, "%s%s%s", plain, point == NULL ? "." : "",
                       places == 0   ? "00"
                       : places == 1 ? "0"
                                     : "")); // it fits
}

void gw_amount_text(const char *decimal, char text[GW_AMOUNT_TEXT]) {
    gw_epsilon amount;
    if (gw_epsilon_parse(decimal, &amount) == GW_OK)
        gw_amount_format(amount, text);
    else
        gw_ignore(snprintf(text, GW_AMOUNT_TEXT, "%s", decimal)); // cut, it is only shown
}

void gw_figure_text(const char *decimal, const gw_numbers *numbers, char text[GW_AMOUNT_TEXT]) {
    char plain[GW_AMOUNT_TEXT];
    gw_ignore(snprintf(plain, sizeof(plain), "%s", decimal)); // cut, it is only shown
    char *point = strchr(plain, '.');
    if (point != NULL) {
        size_t size = strlen(plain);
        while (size > 0 && plain[size - 1] == '0')
            plain[--size] = '\0';
        if (plain + size == point + 1)
            *point = '\0';
    }
    gw_buffer grouped;
    gw_buffer_init(&grouped, 2 * GW_AMOUNT_TEXT);
    gw_text_number(&grouped, plain, numbers);
    gw_ignore(snprintf(text, GW_AMOUNT_TEXT, "%s", gw_buffer_string(&grouped))); // cut, it is only shown
    gw_buffer_done(&grouped);
}

void gw_id_format(const char *id, bool is_short, char text[GW_ID_HEX]) {
    gw_ignore(snprintf(text, GW_ID_HEX, is_short && id[0] != '\0' ? "%.8s…" : "%s", id)); // cut where it is no id
}

void gw_time_format(int64_t unix_seconds, char text[GW_TIME_TEXT]) {
    struct tm parts;
    time_t seconds = (time_t)unix_seconds;
    if (unix_seconds == 0 || gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, GW_TIME_TEXT, "%Y-%m-%d %H:%M", &parts) == 0)
        gw_ignore(snprintf(text, GW_TIME_TEXT, "-")); // it fits
}

void gw_day_format(int64_t unix_seconds, int64_t now, char text[GW_DAY_TEXT]) {
    static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
    struct tm parts;
    time_t seconds = (time_t)unix_seconds;
    if (unix_seconds == 0 || gmtime_r(&seconds, &parts) == NULL) {
        gw_ignore(snprintf(text, GW_DAY_TEXT, "-")); // it fits
        return;
    }
    int64_t days = unix_seconds > now ? (unix_seconds - now + 86399) / 86400 : 0;
    gw_ignore(snprintf(text, GW_DAY_TEXT, "%d %s %d (in %lld day%s)", parts.tm_mday, months[parts.tm_mon],
                       parts.tm_year + 1900, (long long)days, days == 1 ? "" : "s")); // it fits
}

static gw_status by_read(const char *by, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    if (by == NULL)
        return GW_OK;
    question->has_by = true;
    if (by[0] == '\0' || strcmp(by, "none") == 0)
        return GW_OK;
    question->by = gw_line_list(by, GW_BY_MAX, arena, &question->by_count);
    if (question->by == NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "too_many", "I can't read --by.",
                              "It takes up to 6 concepts, separated by single commas.", "--by c_birth,sex");
    gw_status status = GW_OK;
    for (size_t i = 0; i < question->by_count && status == GW_OK; i++) {
        status = gw_line_name("a concept", question->by[i], ret_problem);
        for (size_t j = 0; j < i && status == GW_OK; j++)
            if (strcmp(question->by[i], question->by[j]) == 0)
                status = gw_line_bad("--by", by, "a breakdown", "bad_by", "A concept stands there twice.",
                                     "--by c_birth,sex", ret_problem);
    }
    return status;
}

// ---- several tables

static const char mend_tables[] = "--tables sex,c_birth/sex/c_birth/_T";

static gw_status tables_bad(const char *tables, const char *why, gw_problem *ret_problem) {
    return gw_line_bad("--tables", tables, "a list of tables", "bad_tables", why, mend_tables, ret_problem);
}

// One table: "sex,c_birth", or "_T" for the total.
static gw_status table_read(const char *text, const char *tables, gw_arena *arena, gw_question_table *ret,
                            gw_problem *ret_problem) {
    if (strcmp(text, "_T") == 0)
        return GW_OK;
    ret->by = gw_line_list(text, GW_BY_MAX, arena, &ret->by_count);
    if (ret->by == NULL)
        return tables_bad(tables, "Each table has 1 to 6 concepts, between single commas; the total is _T.",
                          ret_problem);
    gw_status status = GW_OK;
    for (size_t i = 0; i < ret->by_count && status == GW_OK; i++)
        status = gw_line_name("a concept", ret->by[i], ret_problem);
    return status;
}

static gw_status tables_read(const char *tables, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    gw_question_table *read = gw_arena_array(arena, GW_TABLES_MAX, sizeof(*read));
    gw_status status = read == NULL ? GW_NO_MEMORY : GW_OK;
    for (const char *rest = tables; rest != NULL && status == GW_OK;) {
        size_t size = strcspn(rest, "/");
        char *text = gw_arena_copy(arena, rest, size);
        if (question->table_count == GW_TABLES_MAX)
            return tables_bad(tables, "At most 64 tables have one price.", ret_problem);
        status =
            text == NULL ? GW_NO_MEMORY : table_read(text, tables, arena, &read[question->table_count++], ret_problem);
        rest = rest[size] == '/' ? rest + size + 1 : NULL;
    }
    question->tables = read;
    return status;
}

// Every choice of at most `most` of the concepts of --by, the total among them.
static gw_status tables_up_to(const char *up_to, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    const size_t count = question->by_count, most = (size_t)(up_to[0] - '0');
    if (up_to[0] < '1' || up_to[0] > '6' || up_to[1] != '\0' || count == 0)
        return gw_line_bad("--up-to", up_to, "a number of breakdowns", "option_value",
                           "It takes 1 to 6, and --by with the concepts to choose from.",
                           "--by sex,c_birth,activity --up-to 2", ret_problem);
    gw_question_table *tables = gw_arena_array(arena, GW_TABLES_MAX, sizeof(*tables));
    if (tables == NULL)
        return GW_NO_MEMORY;
    for (unsigned mask = 0; mask < 1u << count; mask++) { // 6 concepts have 64 choices
        if ((size_t)__builtin_popcount(mask) > most)
            continue;
        const char **by = gw_arena_array(arena, GW_BY_MAX, sizeof(*by));
        if (by == NULL)
            return GW_NO_MEMORY;
        gw_question_table *table = &tables[question->table_count++];
        for (size_t i = 0; i < count; i++)
            if ((mask >> i & 1) != 0)
                by[table->by_count++] = question->by[i];
        table->by = by;
    }
    question->tables = tables;
    question->has_by = false;
    question->by = NULL;
    question->by_count = 0;
    return GW_OK;
}

static gw_status several_read(const gw_question_options *options, gw_arena *arena, gw_question *question,
                              gw_problem *ret_problem) {
    if (options->tables == NULL && options->up_to == NULL)
        return GW_OK;
    if (options->tables != NULL && (options->by != NULL || options->up_to != NULL))
        return gw_problem_set(ret_problem, GW_INVALID, "option_twice", "--tables stands beside --by or --up-to.",
                              "Each of them says which tables.", "Leave one of them out.");
    return options->tables != NULL ? tables_read(options->tables, arena, question, ret_problem)
                                   : tables_up_to(options->up_to, arena, question, ret_problem);
}

gw_status gw_amount_read(const char *option, const char *text, bool takes_zero, gw_epsilon *ret,
                         gw_problem *ret_problem) {
    if (gw_epsilon_parse(text, ret) == GW_OK && (takes_zero || ret->micro > 0))
        return GW_OK;
    gw_status status = gw_line_bad(option, text, "an amount", "bad_epsilon",
                                   takes_zero ? "An amount is a plain decimal with at most 6 places."
                                              : "An amount is a plain decimal above 0 with at most 6 places.",
                                   "", ret_problem);
    gw_problem_mend(ret_problem, "%s 0.05", option);
    return status;
}

static gw_status group_size_read(const char *text, gw_question *question, gw_problem *ret_problem) {
    char *end;
    unsigned long long size = strtoull(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != '\0' || size > GROUP_SIZE_MAX)
        return gw_line_bad("--group-size", text, "a number of people", "option_value",
                           "A group size is a whole number above 0.", "--group-size 1500", ret_problem);
    question->group_size = size;
    return GW_OK;
}

static gw_status delta_read(const gw_question_options *options, gw_question *question, gw_problem *ret_problem) {
    question->has_delta = true;
    if (options->measure != NULL && question->statistic != GW_STATISTIC_KEYS)
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "Only unknown keys cost a delta.",
                              "It pays for deciding which of them may be known.",
                              "--measure keys:CONCEPT, or no --delta");
    if (gw_delta_parse(options->delta, &question->delta) == GW_OK && question->delta.atto > 0)
        return GW_OK;
    return gw_line_bad("--delta", options->delta, "a delta", "bad_delta",
                       "A delta is above 0 and below 1, with at most 18 places.", "--delta 1e-10", ret_problem);
}

static gw_status price_read(const gw_question_options *options, gw_question *question, gw_problem *ret_problem) {
    gw_decimal error;
    gw_status status = GW_OK;
    if (options->epsilon != NULL && options->target_error != NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "option_twice", "Both --epsilon and --target-error are given.",
                              "Each of them sets the price.", "Leave one of them out.");
    question->has_epsilon = options->epsilon != NULL;
    if (question->has_epsilon)
        status = gw_amount_read("--epsilon", options->epsilon, false, &question->epsilon, ret_problem);
    question->target_error = options->target_error;
    if (status == GW_OK && options->delta != NULL)
        status = delta_read(options, question, ret_problem);
    if (status == GW_OK && options->target_error != NULL &&
        (!gw_decimal_parse(options->target_error, &error) || error.trillionths <= 0))
        return gw_line_bad("--target-error", options->target_error, "an error", "bad_target_error",
                           "An error is a plain decimal above 0, in the answer's own unit.", "--target-error 3",
                           ret_problem);
    return status == GW_OK && options->group_size != NULL ? group_size_read(options->group_size, question, ret_problem)
                                                          : status;
}

gw_status gw_question_read(const gw_question_options *options, const gw_words *words, const char *dataset,
                           gw_arena *arena, gw_question *ret, gw_problem *ret_problem) {
    *ret = (gw_question){.dataset = dataset, .indicator = words->count > 1 ? words->items[1] : NULL};
    if ((ret->indicator == NULL) == (options->measure == NULL))
        return gw_problem_set(
            ret_problem, GW_INVALID, "words",
            ret->indicator == NULL ? "Which indicator?" : "Both an indicator and --measure are given.",
            "A question has an indicator or a measure.", "godwit catalogue   (or: --measure count, mean:income, …)");
    if (ret->indicator != NULL && gw_measure_is_meant(ret->indicator, arena)) {
        gw_status status = gw_problem_set(ret_problem, GW_INVALID, "unknown_indicator", "",
                                          "A measure is asked with --measure; an indicator has a name of its own.", "");
        gw_problem_what(ret_problem, "\"%.100s\" is a measure, not an indicator.", ret->indicator);
        gw_problem_mend(ret_problem, "--measure %.100s", ret->indicator);
        return status;
    }
    gw_status status = gw_line_name("a dataset", dataset, ret_problem);
    if (status == GW_OK)
        status = options->measure == NULL ? gw_line_name("an indicator", ret->indicator, ret_problem) : GW_OK;
    if (status == GW_OK)
        status = gw_measure_read(options, arena, ret, ret_problem);
    if (status == GW_OK && options->gap != NULL)
        status = gw_gap_read(options->gap, arena, ret, ret_problem);
    if (status == GW_OK)
        status = by_read(options->by, arena, ret, ret_problem);
    if (status == GW_OK)
        status = several_read(options, arena, ret, ret_problem);
    if (status == GW_OK)
        status = gw_line_filters("--where", &options->where, arena, &ret->where, &ret->where_count, ret_problem);
    if (status == GW_OK)
        status = price_read(options, ret, ret_problem);
    return status;
}

bool gw_question_is_typed(const gw_question_options *options) {
    const char *const texts[] = {options->by,      options->epsilon,  options->target_error, options->group_size,
                                 options->measure, options->table,    options->per,          options->at,
                                 options->method,  options->fraction, options->bins,         options->delta,
                                 options->gap,     options->tables,   options->up_to};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i] != NULL)
            return true;
    return options->where.count > 0 || options->plus.count > 0 || options->minus.count > 0 || options->unweighted;
}

static void codes_say(const gw_json_node *filter, gw_buffer *text) {
    const gw_json_node *between = gw_doc_first(filter, "between");
    const char *equals = gw_doc_text(filter, "equals", NULL);
    if (equals != NULL)
        gw_buffer_text(text, equals);
    for (const gw_json_node *code = gw_doc_first(filter, "in"); code != NULL; code = gw_json_next(code))
        if (gw_json_type_of(code) == GW_JSON_STRING)
            gw_buffer_format(text, "%s%s", gw_json_string(code), gw_json_next(code) == NULL ? "" : ",");
    for (const gw_json_node *end = between; end != NULL; end = gw_json_next(end)) {
        if (gw_json_type_of(end) == GW_JSON_STRING)
            gw_buffer_text(text, gw_json_string(end));
        else if (gw_json_type_of(end) == GW_JSON_INTEGER)
            gw_buffer_format(text, "%lld", (long long)gw_json_integer(end));
        if (gw_json_next(end) != NULL)
            gw_buffer_text(text, "..");
    }
}

// " where sex=F and age=20..64": the filters of one member, with `join` before the first.
static void filters_say(const gw_json_node *question, const char *name, const char *join, gw_buffer *text) {
    for (const gw_json_node *filter = gw_doc_first(question, name); filter != NULL; filter = gw_json_next(filter)) {
        gw_buffer_format(text, "%s%s=", join, gw_doc_text(filter, "concept", "?"));
        codes_say(filter, text);
        join = " and ";
    }
}

// " at 0.1,0.5": a quantile's levels.
static void levels_say(const gw_json_node *question, gw_buffer *text) {
    const char *join = " at ";
    for (const gw_json_node *level = gw_doc_first(question, "at"); level != NULL; level = gw_json_next(level)) {
        if (gw_json_type_of(level) != GW_JSON_STRING)
            continue;
        gw_buffer_format(text, "%s%s", join, gw_json_string(level));
        join = ",";
    }
}

// " in tables sex,c_birth/sex/_T"
static void tables_say(const gw_json_node *question, gw_buffer *text) {
    const char *join = " in tables ";
    for (const gw_json_node *table = gw_doc_first(question, "tables"); table != NULL; table = gw_json_next(table)) {
        const gw_json_node *by = gw_json_type_of(table) == GW_JSON_ARRAY ? gw_json_first(table) : NULL;
        gw_buffer_format(text, "%s%s", join, by == NULL ? "_T" : "");
        for (; by != NULL; by = gw_json_next(by))
            if (gw_json_type_of(by) == GW_JSON_STRING)
                gw_buffer_format(text, "%s%s", gw_json_string(by), gw_json_next(by) == NULL ? "" : ",");
        join = "/";
    }
}

void gw_question_say(const gw_json_node *question, gw_buffer *text) {
    const char *of = gw_doc_text(question, "of", NULL);
    const char *name = gw_doc_text(question, "indicator", NULL);
    const gw_json_node *weighted = gw_doc_at(question, "weighted");
    if (question == NULL) { // the service has it no more
        gw_buffer_text(text, "(its text is lost)");
        return;
    }
    if (name != NULL)
        gw_buffer_text(text, name);
    else
        gw_buffer_format(text, "%s%s%s", gw_doc_text(question, "statistic", "?"), of == NULL ? "" : " of ",
                         of == NULL ? "" : of);
    levels_say(question, text);
    const char *over = gw_doc_text(question, "over", NULL);
    const gw_json_node *gap = gw_doc_at(question, "gap");
    if (over != NULL)
        gw_buffer_format(text, " over %s", over);
    if (gap != NULL)
        gw_buffer_format(text, " gap %s=%s:%s", gw_doc_text(gap, "concept", "?"), gw_doc_text(gap, "group", "?"),
                         gw_doc_text(gap, "reference", "?"));
    filters_say(question, "plus", " plus ", text);
    filters_say(question, "minus", " minus ", text);
    if (strcmp(gw_doc_text(question, "per", ""), "person") == 0)
        gw_buffer_text(text, " per person");
    if (weighted != NULL && gw_json_type_of(weighted) == GW_JSON_BOOL && !gw_json_bool(weighted))
        gw_buffer_text(text, " unweighted");
    const char *join = " by ";
    bool is_of_tables = gw_doc_first(question, "tables") != NULL;
    tables_say(question, text);
    for (const gw_json_node *by = is_of_tables ? NULL : gw_doc_first(question, "by"); by != NULL;
         by = gw_json_next(by)) {
        if (gw_json_type_of(by) != GW_JSON_STRING)
            continue;
        gw_buffer_format(text, "%s%s", join, gw_json_string(by));
        join = ",";
    }
    filters_say(question, "where", " where ", text);
}

static void word_quote(const char *word, gw_buffer *text) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=,.:/+@%";
    if (word[0] != '\0' && strspn(word, safe) == strlen(word)) {
        gw_buffer_text(text, word);
        return;
    }
    gw_buffer_text(text, "'");
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            gw_buffer_text(text, "'\\''");
        else
            gw_buffer_append(text, word, 1);
    }
    gw_buffer_text(text, "'");
}

bool gw_release_is_plain(const char *release) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    size_t size = strlen(release);
    return size > 0 && size < RELEASE_SIZE_MAX && release[0] != '-' && strspn(release, allowed) == size;
}

void gw_command_words(int argc, char *const *argv, gw_buffer *text) {
    for (int i = 0; i < argc; i++) {
        gw_buffer_text(text, " ");
        word_quote(argv[i], text);
    }
}

void gw_command_line(const char *name, int argc, char *const *argv, gw_buffer *text) {
    gw_buffer_format(text, "godwit %s", name);
    gw_command_words(argc, argv, text);
}
