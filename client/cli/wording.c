// SPDX-License-Identifier: Apache-2.0
// Words for figures and questions.
#include "client/cli/wording.h"
#include "client/cli/doc.h"
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

void gw_figure_text(const char *decimal, char text[GW_AMOUNT_TEXT]) {
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
    gw_text_thousands(&grouped, plain);
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

// Splits "a,b" into the arena; empty parts are refused by NULL.
static const char *const *list_split(const char *text, size_t max, gw_arena *arena, size_t *ret_count) {
    size_t count = 1;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == ',';
    const char **items = count > max ? NULL : gw_arena_array(arena, count, sizeof(*items));
    if (items == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t size = strcspn(text, ",");
        items[i] = size == 0 ? NULL : gw_arena_copy(arena, text, size);
        if (items[i] == NULL)
            return NULL;
        text += size + 1;
    }
    *ret_count = count;
    return items;
}

static const char names_rule[] = "Names and codes are ASCII letters, digits and . _ - / : only.";

// `option` "value" is not … : said of what was typed, so that nobody has to know what is sent.
static gw_status value_bad(const char *option, const char *value, const char *what, const char *code, const char *why,
                           const char *mend, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, code, "", why, mend);
    gw_problem_what(ret_problem, "%s \"%.100s\" is not %s.", option, value, what);
    return status;
}

static gw_status name_check(const char *what, const char *name, gw_problem *ret_problem) {
    if (gw_name_is_valid(name))
        return GW_OK;
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "bad_name", "", names_rule, "godwit catalogue");
    gw_problem_what(ret_problem, "\"%.100s\" is not the name of %s.", name, what);
    return status;
}

static gw_status filter_bad(const char *text, const char *why, gw_problem *ret_problem) {
    gw_status status =
        gw_problem_set(ret_problem, GW_INVALID, "bad_filter", "", why, "--where sex=F,M --where age=20..64");
    gw_problem_what(ret_problem, "I can't read --where %.100s.", text);
    return status;
}

static gw_status range_check(const char *text, const gw_filter *filter, gw_problem *ret_problem) {
    gw_decimal low, high;
    if (filter->low == NULL || filter->high == NULL)
        return GW_NO_MEMORY;
    if (filter->low[0] == '\0' || filter->high[0] == '\0')
        return filter_bad(text, "A range has both ends, and both belong to it.", ret_problem);
    if (!gw_decimal_parse(filter->low, &low) || !gw_decimal_parse(filter->high, &high))
        return filter_bad(text, "The ends of a range are plain numbers, like 20 or 0.5.", ret_problem);
    if (low.trillionths > high.trillionths)
        return filter_bad(text, "The lower end comes first.", ret_problem);
    return GW_OK;
}

static gw_status codes_check(const char *text, const gw_filter *filter, gw_problem *ret_problem) {
    for (size_t i = 0; i < filter->code_count; i++) {
        if (!gw_name_is_valid(filter->codes[i]))
            return filter_bad(text, names_rule, ret_problem);
        for (size_t j = 0; j < i; j++)
            if (strcmp(filter->codes[i], filter->codes[j]) == 0)
                return filter_bad(text, "A code stands there twice.", ret_problem);
    }
    return GW_OK;
}

static gw_status filter_read(const char *text, gw_arena *arena, gw_filter *ret, gw_problem *ret_problem) {
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return filter_bad(text, "A filter is a concept, '=', and codes or a range.", ret_problem);
    const char *value = equals + 1, *dots = strstr(value, "..");
    *ret = (gw_filter){.concept = gw_arena_copy(arena, text, (size_t)(equals - text))};
    if (ret->concept == NULL)
        return GW_NO_MEMORY;
    if (!gw_name_is_valid(ret->concept))
        return filter_bad(text, names_rule, ret_problem);
    if (dots != NULL) {
        ret->kind = GW_FILTER_BETWEEN;
        ret->low = gw_arena_copy(arena, value, (size_t)(dots - value));
        ret->high = gw_arena_string(arena, dots + 2);
        return range_check(text, ret, ret_problem);
    }
    ret->codes = list_split(value, GW_FILTER_CODES_MAX, arena, &ret->code_count);
    if (ret->codes == NULL)
        return filter_bad(text, "Codes are separated by single commas.", ret_problem);
    ret->kind = ret->code_count == 1 ? GW_FILTER_EQUALS : GW_FILTER_IN;
    return codes_check(text, ret, ret_problem);
}

static gw_status where_read(const gw_words *where, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    if (where->count > GW_WHERE_MAX)
        return gw_problem_set(ret_problem, GW_INVALID, "too_many", "There are too many filters.",
                              "A question takes 16.", "");
    gw_filter *filters = gw_arena_array(arena, where->count == 0 ? 1 : where->count, sizeof(*filters));
    if (filters == NULL)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < where->count; i++) {
        gw_status status = filter_read(where->items[i], arena, &filters[i], ret_problem);
        if (status != GW_OK)
            return status;
    }
    question->where = filters;
    question->where_count = where->count;
    return GW_OK;
}

static gw_status by_read(const char *by, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    if (by == NULL)
        return GW_OK;
    question->has_by = true;
    if (by[0] == '\0' || strcmp(by, "none") == 0)
        return GW_OK;
    question->by = list_split(by, GW_BY_MAX, arena, &question->by_count);
    if (question->by == NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "too_many", "I can't read --by.",
                              "It takes up to 6 concepts, separated by single commas.", "--by c_birth,sex");
    gw_status status = GW_OK;
    for (size_t i = 0; i < question->by_count && status == GW_OK; i++) {
        status = name_check("a concept", question->by[i], ret_problem);
        for (size_t j = 0; j < i && status == GW_OK; j++)
            if (strcmp(question->by[i], question->by[j]) == 0)
                status = value_bad("--by", by, "a breakdown", "bad_by", "A concept stands there twice.",
                                   "--by c_birth,sex", ret_problem);
    }
    return status;
}

static gw_status measure_bad(const char *measure, const char *why, gw_problem *ret_problem) {
    return value_bad("--measure", measure, "a measure", "option_value", why,
                     "--measure count, --measure share or --measure mean:income", ret_problem);
}

static gw_status measure_read(const char *measure, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    const char *colon = strchr(measure, ':');
    const char *name = colon == NULL ? measure : gw_arena_copy(arena, measure, (size_t)(colon - measure));
    if (name == NULL || gw_statistic_parse(name, &question->statistic) != GW_OK)
        return measure_bad(measure, "There are count, share and mean.", ret_problem);
    if (question->statistic == GW_STATISTIC_RATE)
        return measure_bad(measure, "What a rate counts is defined by an indicator: godwit catalogue lists them.",
                           ret_problem);
    question->of = colon == NULL ? NULL : colon + 1;
    if ((question->statistic == GW_STATISTIC_MEAN) != (question->of != NULL))
        return measure_bad(measure, "A mean is of a concept, and only a mean.", ret_problem);
    if (question->of != NULL && !gw_name_is_valid(question->of))
        return measure_bad(measure, names_rule, ret_problem);
    return GW_OK;
}

gw_status gw_amount_read(const char *option, const char *text, bool takes_zero, gw_epsilon *ret,
                         gw_problem *ret_problem) {
    if (gw_epsilon_parse(text, ret) == GW_OK && (takes_zero || ret->micro > 0))
        return GW_OK;
    gw_status status = value_bad(option, text, "an amount", "bad_epsilon",
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
        return value_bad("--group-size", text, "a number of people", "option_value",
                         "A group size is a whole number above 0.", "--group-size 1500", ret_problem);
    question->group_size = size;
    return GW_OK;
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
    if (status == GW_OK && options->target_error != NULL &&
        (!gw_decimal_parse(options->target_error, &error) || error.trillionths <= 0))
        return value_bad("--target-error", options->target_error, "an error", "bad_target_error",
                         "An error is a plain decimal above 0, in the answer's own unit.", "--target-error 3",
                         ret_problem);
    return status == GW_OK && options->group_size != NULL ? group_size_read(options->group_size, question, ret_problem)
                                                          : status;
}

gw_status gw_question_read(const gw_question_options *options, const gw_words *words, const char *dataset,
                           gw_arena *arena, gw_question *ret, gw_problem *ret_problem) {
    *ret = (gw_question){.dataset = dataset, .indicator = words->count > 1 ? words->items[1] : NULL};
    if ((ret->indicator == NULL) == (options->measure == NULL))
        return gw_problem_set(ret_problem, GW_INVALID, "words",
                              ret->indicator == NULL ? "Which indicator?"
                                                     : "Both an indicator and --measure are given.",
                              "A question has an indicator or a measure.", "godwit catalogue");
    gw_status status = name_check("a dataset", dataset, ret_problem);
    if (status == GW_OK)
        status = options->measure == NULL ? name_check("an indicator", ret->indicator, ret_problem)
                                          : measure_read(options->measure, arena, ret, ret_problem);
    if (status == GW_OK)
        status = by_read(options->by, arena, ret, ret_problem);
    if (status == GW_OK)
        status = where_read(&options->where, arena, ret, ret_problem);
    if (status == GW_OK)
        status = price_read(options, ret, ret_problem);
    return status;
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

void gw_question_say(const gw_json_node *question, gw_buffer *text) {
    const char *of = gw_doc_text(question, "of", NULL);
    const char *name = gw_doc_text(question, "indicator", NULL);
    if (name != NULL)
        gw_buffer_text(text, name);
    else
        gw_buffer_format(text, "%s%s%s", gw_doc_text(question, "statistic", "?"), of == NULL ? "" : " of ",
                         of == NULL ? "" : of);
    const char *join = " by ";
    for (const gw_json_node *by = gw_doc_first(question, "by"); by != NULL; by = gw_json_next(by)) {
        if (gw_json_type_of(by) != GW_JSON_STRING)
            continue;
        gw_buffer_format(text, "%s%s", join, gw_json_string(by));
        join = ",";
    }
    join = " where ";
    for (const gw_json_node *filter = gw_doc_first(question, "where"); filter != NULL; filter = gw_json_next(filter)) {
        gw_buffer_format(text, "%s%s=", join, gw_doc_text(filter, "concept", "?"));
        codes_say(filter, text);
        join = " and ";
    }
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
