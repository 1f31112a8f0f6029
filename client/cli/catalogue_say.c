// SPDX-License-Identifier: Apache-2.0
// The catalogue's grids.
#include "client/cli/catalogue_say.h"
#include "client/cli/doc.h"
#include "client/cli/say_grid.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/figures.h"
#include <string.h>

#define CODES_BYTES_MAX 65536u
#define CODES_SHOWN_MAX 24u // more are cut in tables, unless one concept is asked for
#define CONCEPTS_MAX 1024u  // more are not searched for a nearest name

GW_DEFINE_FREEP(gw_grid, gw_grid_free)

static const gw_grid_column indicator_columns[] = {{"indicator", "INDICATOR", GW_ALIGN_LEFT, false},
                                                   {"statistic", "STATISTIC", GW_ALIGN_LEFT, false},
                                                   {"unit", "UNIT", GW_ALIGN_LEFT, false},
                                                   {"definition", "WHAT IT IS", GW_ALIGN_LEFT, true}};
// Of all datasets: where an indicator can be asked tells more than what kind of figure it is.
static const gw_grid_column everywhere_columns[] = {{"indicator", "INDICATOR", GW_ALIGN_LEFT, false},
                                                    {"datasets", "OF", GW_ALIGN_LEFT, true},
                                                    {"unit", "UNIT", GW_ALIGN_LEFT, false},
                                                    {"definition", "WHAT IT IS", GW_ALIGN_LEFT, true}};
static const gw_grid_column code_columns[] = {{"concept", "CONCEPT", GW_ALIGN_LEFT, false},
                                              {"label", "LABEL", GW_ALIGN_LEFT, true},
                                              {"code", "CODES", GW_ALIGN_LEFT, true}};
static const gw_grid_column code_columns_csv[] = {{"concept", "", GW_ALIGN_LEFT, false},
                                                  {"concept_label", "", GW_ALIGN_LEFT, false},
                                                  {"code", "", GW_ALIGN_LEFT, false},
                                                  {"code_label", "", GW_ALIGN_LEFT, false}};
static const gw_grid_column table_columns[] = {{"table", "TABLE", GW_ALIGN_LEFT, false},
                                               {"rows_per_person_max", "ROWS OF A PERSON", GW_ALIGN_LEFT, true},
                                               {"concepts", "CONCEPTS", GW_ALIGN_LEFT, true}};

// ---- finding

static bool text_has(const char *text, const char *word) {
    return strcasestr(text, word) != NULL;
}

static bool list_has(const gw_json_node *object, const char *name, const char *word) {
    for (const gw_json_node *node = gw_doc_first(object, name); node != NULL; node = gw_json_next(node))
        if (gw_json_type_of(node) == GW_JSON_STRING && strcmp(gw_json_string(node), word) == 0)
            return true;
    return false;
}

static bool filters_have(const gw_json_node *indicator, const char *name, const char *concept) {
    for (const gw_json_node *filter = gw_doc_first(indicator, name); filter != NULL; filter = gw_json_next(filter)) {
        const char *id = gw_doc_text(filter, "concept", "");
        size_t size = strcspn(id, ":");
        if (strlen(concept) == size && memcmp(id, concept, size) == 0)
            return true;
    }
    return false;
}

bool gw_find_indicator(const gw_find *find, const gw_json_node *indicator) {
    bool is_found = find->search == NULL || text_has(gw_doc_text(indicator, "indicator", ""), find->search) ||
                    text_has(gw_doc_text(indicator, "label", ""), find->search) ||
                    text_has(gw_doc_text(indicator, "definition", ""), find->search);
    if (!is_found || find->concept == NULL)
        return is_found;
    return strcmp(gw_doc_text(indicator, "of", ""), find->concept) == 0 ||
           list_has(indicator, "by_default", find->concept) || filters_have(indicator, "population", find->concept) ||
           filters_have(indicator, "numerator", find->concept) || filters_have(indicator, "plus", find->concept) ||
           filters_have(indicator, "minus", find->concept);
}

static bool codes_have(const gw_json_node *concept, const char *search) {
    for (const gw_json_node *code = gw_doc_first(concept, "codes"); code != NULL; code = gw_json_next(code))
        if (text_has(gw_doc_text(code, "code", ""), search) || text_has(gw_doc_text(code, "label", ""), search))
            return true;
    return false;
}

bool gw_find_concept(const gw_find *find, const gw_json_node *concept) {
    const char *id = gw_doc_text(concept, "concept", "");
    if (find->concept != NULL && strcmp(id, find->concept) != 0)
        return false;
    return find->search == NULL || text_has(id, find->search) ||
           text_has(gw_doc_text(concept, "label", ""), find->search) || codes_have(concept, find->search);
}

bool gw_find_dataset(const gw_find *find, const gw_names *names, const gw_json_node *dataset) {
    const gw_find word = {.search = find->search};
    bool has_concept = find->concept == NULL, has_word = find->search == NULL;
    has_word = has_word || text_has(gw_doc_text(dataset, "dataset", ""), find->search) ||
               text_has(gw_doc_text(dataset, "title", ""), find->search);
    for (const gw_json_node *node = gw_doc_first(dataset, "concepts"); node != NULL; node = gw_json_next(node)) {
        has_concept = has_concept || strcmp(gw_doc_text(node, "concept", ""), find->concept) == 0;
        has_word = has_word || gw_find_concept(&word, node);
    }
    for (const gw_json_node *id = gw_doc_first(dataset, "indicators"); !has_word && id != NULL; id = gw_json_next(id)) {
        const gw_json_node *indicator =
            gw_json_type_of(id) == GW_JSON_STRING ? gw_names_indicator(names, gw_json_string(id)) : NULL;
        has_word = indicator != NULL && gw_find_indicator(&word, indicator);
    }
    return has_concept && has_word;
}

gw_status gw_find_check(const gw_find *find, const gw_names *names, const gw_json_node *dataset,
                        gw_problem *ret_problem) {
    const char *words[CONCEPTS_MAX];
    size_t count = 0;
    if (find->concept == NULL)
        return GW_OK;
    for (const gw_json_node *each = gw_doc_first(gw_names_root(names), "datasets"); each != NULL;
         each = gw_json_next(each)) {
        if (dataset != NULL && each != dataset)
            continue;
        for (const gw_json_node *node = gw_doc_first(each, "concepts"); node != NULL && count < CONCEPTS_MAX;
             node = gw_json_next(node)) {
            words[count++] = gw_doc_text(node, "concept", "");
            if (strcmp(words[count - 1], find->concept) == 0)
                return GW_OK;
        }
    }
    gw_status status = gw_problem_set(ret_problem, GW_NOT_FOUND, "unknown_concept", "", "", "godwit catalogue");
    gw_problem_what(ret_problem, "There is no concept \"%.100s\"%s.", find->concept,
                    dataset == NULL ? " in any dataset here" : " in this dataset");
    const char *nearest = gw_nearest(find->concept, words, count);
    if (nearest != NULL)
        gw_problem_mend(ret_problem, "Did you mean %s?", nearest);
    return status;
}

// ---- indicators

// The short names of the datasets that can answer it.
static void datasets_list(const gw_names *names, const char *indicator, gw_buffer *text) {
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL;
         node = gw_json_next(node))
        if (list_has(node, "indicators", indicator))
            gw_buffer_format(text, "%s%s", text->size == 0 ? "" : " ",
                             gw_dataset_short(gw_doc_text(node, "dataset", "")));
}

static void indicator_add(gw_grid *grid, const gw_json_node *node, const char *second) {
    const char *row[] = {gw_doc_text(node, "indicator", ""), second, gw_unit_word(gw_doc_text(node, "unit", "")),
                         gw_doc_text(node, "definition", gw_doc_text(node, "label", ""))};
    gw_grid_add(grid, row);
}

gw_exit_code gw_say_indicators(gw_cli *cli, const gw_names *names, const gw_json_node *dataset, const gw_find *find,
                               size_t *ret_rows) {
    GW_CLEANUP(gw_grid_freep)
    gw_grid *grid = gw_grid_new(dataset == NULL ? everywhere_columns : indicator_columns, 4);
    GW_ASSERT(grid != NULL);
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "indicators"); node != NULL;
         node = gw_json_next(node)) {
        const char *id = gw_doc_text(node, "indicator", "");
        if (!gw_find_indicator(find, node))
            continue;
        gw_buffer datasets;
        gw_buffer_init(&datasets, CODES_BYTES_MAX);
        datasets_list(names, id, &datasets);
        if (dataset == NULL && datasets.size > 0)
            indicator_add(grid, node, gw_buffer_string(&datasets));
        else if (dataset != NULL && list_has(dataset, "indicators", id))
            indicator_add(grid, node, gw_doc_text(node, "statistic", ""));
        gw_buffer_done(&datasets);
    }
    *ret_rows = gw_grid_rows(grid);
    return *ret_rows == 0 ? GW_EXIT_DONE : gw_say_grid(cli, grid);
}

// ---- concepts

static size_t codes_count(const gw_json_node *concept) {
    const gw_json_node *codes = gw_doc_at(concept, "codes");
    return codes == NULL ? 0 : gw_json_count(codes);
}

// A long list in one line: the first two, and the last of its own (periods, regions).
static void codes_list_short(const gw_json_node *concept, gw_buffer *text) {
    const gw_json_node *first = gw_doc_first(concept, "codes"), *last = NULL;
    for (const gw_json_node *code = first; code != NULL; code = gw_json_next(code))
        if (strcmp(gw_doc_text(code, "code", "_U"), "_U") != 0)
            last = code;
    gw_buffer_format(text, "%s %s, %s … %s (%zu codes, -o csv lists them)", gw_doc_text(first, "code", ""),
                     gw_doc_text(first, "label", ""), gw_doc_text(gw_json_next(first), "code", ""),
                     gw_doc_text(last, "code", ""), codes_count(concept));
}

// Years, quarters and months say themselves what they are.
static bool is_period(const char *code) {
    size_t year = strspn(code, "0123456789");
    return year == 4 && (code[4] == '\0' || code[4] == '-');
}

static void code_add(const gw_json_node *code, gw_buffer *text) {
    const char *id = gw_doc_text(code, "code", ""), *label = gw_doc_text(code, "label", "");
    gw_buffer_format(text, "%s%s", text->size == 0 ? "" : ", ", id);
    if (!is_period(id) && strcmp(id, label) != 0)
        gw_buffer_format(text, " %s", label);
}

// "F Female, M Male": the codes a question uses, each with what it means.
static void codes_list(const gw_json_node *concept, bool is_whole, gw_buffer *text) {
    bool is_short = codes_count(concept) > CODES_SHOWN_MAX && !is_whole;
    if (is_short)
        codes_list_short(concept, text);
    for (const gw_json_node *code = is_short ? NULL : gw_doc_first(concept, "codes"); code != NULL;
         code = gw_json_next(code))
        code_add(code, text);
    const char *min = gw_doc_text(concept, "min", NULL), *max = gw_doc_text(concept, "max", NULL);
    const char *unit = gw_unit_word(gw_doc_text(concept, "unit", ""));
    if (strcmp(gw_doc_text(concept, "type", ""), "text") == 0)
        gw_buffer_format(text, "in no list: --measure keys:%s", gw_doc_text(concept, "concept", ""));
    if (min != NULL && max != NULL)
        gw_buffer_format(text, "%s to %s%s%s", min, max, unit[0] == '\0' ? "" : " ", unit);
    for (const gw_json_node *band = gw_doc_first(concept, "bandings"); band != NULL; band = gw_json_next(band)) {
        gw_buffer_format(text, "; --by %s:", gw_doc_text(band, "banding", ""));
        for (const gw_json_node *code = gw_doc_first(band, "codes"); code != NULL; code = gw_json_next(code))
            if (gw_json_type_of(code) == GW_JSON_STRING)
                gw_buffer_format(text, " %s", gw_json_string(code));
    }
}

static void concept_add(gw_grid *grid, const gw_json_node *concept, bool is_whole) {
    gw_buffer codes;
    gw_buffer_init(&codes, CODES_BYTES_MAX);
    codes_list(concept, is_whole, &codes);
    const char *row[] = {gw_doc_text(concept, "concept", ""), gw_doc_text(concept, "label", ""),
                         gw_buffer_string(&codes)};
    gw_grid_add(grid, row);
    gw_buffer_done(&codes);
}

static void concept_add_csv(gw_grid *grid, const gw_json_node *concept) {
    const char *id = gw_doc_text(concept, "concept", ""), *label = gw_doc_text(concept, "label", "");
    for (const gw_json_node *code = gw_doc_first(concept, "codes"); code != NULL; code = gw_json_next(code))
        gw_grid_add(grid, (const char *[]){id, label, gw_doc_text(code, "code", ""), gw_doc_text(code, "label", "")});
    for (const gw_json_node *band = gw_doc_first(concept, "bandings"); band != NULL; band = gw_json_next(band))
        for (const gw_json_node *code = gw_doc_first(band, "codes"); code != NULL; code = gw_json_next(code))
            if (gw_json_type_of(code) == GW_JSON_STRING)
                gw_grid_add(grid,
                            (const char *[]){gw_doc_text(band, "banding", ""), label, gw_json_string(code), NULL});
}

// Two tables may hold one concept: it is told again only where it has other codes.
static bool is_told(const gw_json_node *dataset, const gw_json_node *concept) {
    bool is_same = false;
    gw_buffer own, other;
    gw_buffer_init(&own, CODES_BYTES_MAX);
    codes_list(concept, true, &own);
    for (const gw_json_node *node = gw_doc_first(dataset, "concepts"); node != NULL && node != concept && !is_same;
         node = gw_json_next(node)) {
        if (strcmp(gw_doc_text(node, "concept", ""), gw_doc_text(concept, "concept", "")) != 0)
            continue;
        gw_buffer_init(&other, CODES_BYTES_MAX);
        codes_list(node, true, &other);
        // The same, or the beginning of what was told: another table's has bandings besides.
        is_same = strncmp(gw_buffer_string(&own), gw_buffer_string(&other), own.size) == 0 &&
                  strchr(";,", gw_buffer_string(&other)[own.size]) != NULL;
        gw_buffer_done(&other);
    }
    gw_buffer_done(&own);
    return is_same;
}

gw_exit_code gw_say_concepts(gw_cli *cli, const gw_json_node *dataset, const gw_find *find, size_t *ret_rows) {
    bool is_csv = cli->output == GW_OUTPUT_CSV;
    GW_CLEANUP(gw_grid_freep)
    gw_grid *grid = is_csv ? gw_grid_new(code_columns_csv, 4) : gw_grid_new(code_columns, 3);
    GW_ASSERT(grid != NULL);
    for (const gw_json_node *concept = gw_doc_first(dataset, "concepts"); concept != NULL;
         concept = gw_json_next(concept)) {
        if (!gw_find_concept(find, concept) || is_told(dataset, concept))
            continue;
        if (is_csv)
            concept_add_csv(grid, concept);
        else
            concept_add(grid, concept, find->concept != NULL);
    }
    *ret_rows = gw_grid_rows(grid);
    return *ret_rows == 0 ? GW_EXIT_DONE : gw_say_grid(cli, grid);
}

// ---- tables and terms

static void words_list(const gw_json_node *table, const char *name, bool without_inherited, gw_buffer *text) {
    for (const gw_json_node *node = gw_doc_first(table, name); node != NULL; node = gw_json_next(node)) {
        if (gw_json_type_of(node) != GW_JSON_STRING)
            continue;
        const char *concept = gw_json_string(node);
        if (!without_inherited || !list_has(table, "inherited", concept))
            gw_buffer_format(text, "%s%s", text->size == 0 ? "" : " ", concept);
    }
}

// "up to 4, of which 2 count": what the owner lets in of one person.
static void rows_say(const gw_json_node *table, gw_buffer *text) {
    long long max = (long long)gw_doc_integer(table, "rows_per_person_max", 1);
    long long kept = (long long)gw_doc_integer(table, "rows_per_person_kept", max);
    if (max == 1)
        gw_buffer_text(text, "1: a row is a person");
    else if (kept == max)
        gw_buffer_format(text, "up to %lld", max);
    else
        gw_buffer_format(text, "up to %lld, %lld count in a question", max, kept);
    if (gw_doc_at(table, "weight") != NULL)
        gw_buffer_text(text, "; weighted");
}

gw_exit_code gw_say_tables(gw_cli *cli, const gw_json_node *dataset) {
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(table_columns, 3);
    GW_ASSERT(grid != NULL);
    for (const gw_json_node *table = gw_doc_first(dataset, "tables"); table != NULL; table = gw_json_next(table)) {
        gw_buffer rows, concepts, inherited;
        gw_buffer_init(&rows, CODES_BYTES_MAX);
        gw_buffer_init(&concepts, CODES_BYTES_MAX);
        gw_buffer_init(&inherited, CODES_BYTES_MAX);
        rows_say(table, &rows);
        words_list(table, "concepts", true, &concepts);
        words_list(table, "inherited", false, &inherited);
        if (inherited.size > 0)
            gw_buffer_format(&concepts, "; of the person: %s", gw_buffer_string(&inherited));
        gw_grid_add(grid, (const char *[]){gw_doc_text(table, "table", "?"), gw_buffer_string(&rows),
                                           gw_buffer_string(&concepts)});
        gw_buffer_done(&rows);
        gw_buffer_done(&concepts);
        gw_buffer_done(&inherited);
    }
    return gw_grid_rows(grid) == 0 ? GW_EXIT_DONE : gw_say_grid(cli, grid);
}

void gw_say_terms(gw_cli *cli, const gw_json_node *dataset) {
    const gw_json_node *budget = gw_doc_at(dataset, "budget");
    const char *window = gw_doc_text(budget, "window", NULL), *own = gw_doc_text(budget, "per_principal", NULL);
    gw_buffer text;
    gw_buffer_init(&text, 1024);
    const char *delta = gw_doc_text(gw_doc_at(dataset, "accounting"), "delta", NULL);
    gw_buffer_format(&text, "%s in all", gw_doc_text(budget, "lifetime", "?"));
    if (delta != NULL)
        gw_buffer_format(&text, ", but for a chance of %s", delta);
    if (own != NULL)
        gw_buffer_format(&text, " · %s for each asker", own);
    if (window != NULL)
        gw_buffer_format(&text, " · %s in %lld days", window, (long long)gw_doc_integer(budget, "window_days", 0));
    gw_buffer_format(&text, " · a question from %s to %s", gw_doc_text(budget, "question_min", "?"),
                     gw_doc_text(budget, "question_max", "?"));
    gw_say_field(cli, "Budget", "%s", gw_buffer_string(&text));
    gw_buffer_done(&text);
}
