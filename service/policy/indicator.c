// SPDX-License-Identifier: Apache-2.0
// The catalogue of indicators, and which table of a dataset can answer one.
#include "service/policy/indicator.h"
#include "service/policy/load.h"
#include "service/wire/decimal.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_SIZE_MAX 33554432u
#define FILE_SIZE_MAX 1048576u
#define INDICATORS_MAX 1024u
#define DECIMALS_MAX 6
#define ROWS_PER_PERSON_MAX 1000000
#define VERSION_MAX 9007199254740991

static const char what_indicator[] = "The indicator cannot be used as it is.";

struct gw_catalogue {
    gw_arena *arena;
    gw_json **documents; // filters borrow from them
    gw_indicator *indicators;
    size_t count;
};

#define FAIL(l, node, code, mend, ...) gw_json_fail(&(l)->reader, node, code, what_indicator, mend, __VA_ARGS__)

// ------------------------------------------------------------------------------------------------ one file

static const gw_filter *filter_on(const gw_filter *filters, size_t count, const char *concept) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(filters[i].concept, concept) == 0)
            return &filters[i];
    return NULL;
}

static bool filter_has_code(const gw_filter *filter, const char *code) {
    for (size_t i = 0; i < filter->code_count; i++)
        if (strcmp(filter->codes[i], code) == 0)
            return true;
    return false;
}

// A rate's numerator counts some of the population, so each of its filters must narrow one of the population's.
static void check_numerator(gw_load *load, const gw_json_node *root, const gw_indicator *indicator) {
    const gw_json_node *node = gw_json_first(gw_json_member(root, "numerator"));
    for (size_t i = 0; i < indicator->numerator_count; i++, node = gw_json_next(node)) {
        const gw_filter *filter = &indicator->numerator[i];
        const gw_filter *base = filter_on(indicator->population, indicator->population_count, filter->concept);
        if (base == NULL)
            FAIL(load, node, "indicator_numerator", "Add the concept's known codes to the population.",
                 "The numerator is about %s, and the population does not say whose %s counts.", filter->concept,
                 filter->concept);
        for (size_t j = 0; base != NULL && base->kind != GW_FILTER_BETWEEN && j < filter->code_count; j++)
            if (!filter_has_code(base, filter->codes[j]))
                FAIL(load, node, "indicator_numerator", "Add the code to the population, or take it out here.",
                     "%s %s is in the numerator and not in the population.", filter->concept, filter->codes[j]);
    }
}

// Each statistic has its fields, and none of another.
static void check_fields(gw_load *load, const gw_json_node *root, const gw_indicator *indicator) {
    const gw_json_node *node = gw_json_member(root, "statistic");
    bool is_rate = indicator->statistic == GW_STATISTIC_RATE;
    bool is_net = indicator->statistic == GW_STATISTIC_NET;
    bool has_of = gw_statistic_has_of(indicator->statistic);
    if (gw_json_has(root, "numerator") != is_rate)
        FAIL(load, node, "indicator_statistic", is_rate ? "Add \"numerator\"." : "Leave \"numerator\" out.",
             "A rate has a numerator; no other statistic has one.");
    if (gw_json_has(root, "of") != has_of)
        FAIL(load, node, "indicator_statistic", has_of ? "Add \"of\":\"income\"." : "Leave \"of\" out.",
             "Some statistics are of a concept, as a mean is; the others are not.");
    if (gw_json_has(root, "plus") != is_net || gw_json_has(root, "minus") != is_net)
        FAIL(load, node, "indicator_statistic",
             is_net ? "Add \"plus\" and \"minus\"." : "Leave \"plus\" and \"minus\" out.",
             "A net has \"plus\" and \"minus\": which rows add one, and which take one away; no other statistic has "
             "them.");
}

static void read_per(gw_load *load, const gw_json_node *root, gw_indicator *indicator) {
    const char *per = gw_json_has(root, "per") ? gw_json_read_string(&load->reader, root, "per") : NULL;
    if (per == NULL)
        return;
    const gw_json_node *node = gw_json_member(root, "per");
    char shown[GW_SHOWN_MAX];
    indicator->is_per_person = strcmp(per, "person") == 0;
    if (!indicator->is_per_person && strcmp(per, "row") != 0)
        FAIL(load, node, "wrong_type", "Write \"person\" or \"row\", or leave it out.",
             "\"%s\" is neither a person nor a row.", gw_json_shown(per, shown));
    bool is_of_rows = indicator->statistic == GW_STATISTIC_SUM || indicator->statistic == GW_STATISTIC_NET ||
                      indicator->statistic == GW_STATISTIC_RATIO;
    if (indicator->is_per_person && is_of_rows)
        FAIL(load, node, "indicator_statistic", "Leave \"per\" out.",
             "A sum or a net is the same whether it is taken by rows or by persons.");
}

static void read_statistic(gw_load *load, const gw_json_node *root, gw_indicator *indicator) {
    const char *statistic = gw_json_read_string(&load->reader, root, "statistic");
    if (statistic == NULL)
        return;
    const gw_json_node *node = gw_json_member(root, "statistic");
    char shown[GW_SHOWN_MAX];
    if (gw_statistic_parse(statistic, &indicator->statistic) != GW_OK) {
        FAIL(load, node, "indicator_statistic",
             "Statistics are: count, share, rate, mean, sum, net, variance, sd, ratio, histogram, quantile, poverty, "
             "gini, quintile_ratio, series.",
             "There is no statistic \"%s\".", gw_json_shown(statistic, shown));
        return;
    }
    check_fields(load, root, indicator);
    if (gw_statistic_has_of(indicator->statistic) && load->reader.status == GW_OK)
        indicator->of = gw_load_name(load, root, "of", "/:.");
}

// A decimal between 0 and 1 with at most six places, in its shortest text.
static const char *read_portion(gw_load *load, const gw_json_node *node) {
    gw_decimal value;
    bool is_portion = gw_json_type_of(node) == GW_JSON_STRING && gw_decimal_parse(gw_json_string(node), &value) &&
                      value.trillionths > 0 && value.trillionths < GW_DECIMAL_ONE &&
                      value.trillionths % (GW_DECIMAL_ONE / 1000000) == 0;
    if (!is_portion) {
        FAIL(load, node, "indicator_statistic", "Write \"0.5\".",
             "A level or a fraction lies between 0 and 1, with at most six places.");
        return NULL;
    }
    char text[GW_DECIMAL_TEXT];
    gw_decimal_format(value, text);
    return gw_load_copy(load, text);
}

static void read_levels(gw_load *load, const gw_json_node *root, gw_indicator *indicator) {
    const gw_json_node *array = gw_json_read_array(&load->reader, root, "at");
    size_t count = array == NULL ? 0 : gw_json_count(array);
    const char **levels = gw_arena_array(load->arena, GW_LEVELS_MAX, sizeof(*levels));
    if (levels == NULL || count == 0 || count > GW_LEVELS_MAX)
        FAIL(load, array, "indicator_statistic", "Write \"at\":[\"0.5\"] for the median.",
             "\"at\" is a list of 1 to %d levels.", GW_LEVELS_MAX);
    for (const gw_json_node *node = levels == NULL ? NULL : gw_json_first(array);
         node != NULL && load->reader.status == GW_OK; node = gw_json_next(node)) {
        const char *before = indicator->level_count > 0 ? levels[indicator->level_count - 1] : NULL;
        const char *level = levels[indicator->level_count] = read_portion(load, node);
        // Shortest texts between 0 and 1 are in the order of their numbers.
        if (level != NULL && before != NULL && strcmp(before, level) >= 0)
            FAIL(load, node, "indicator_statistic", "Put the lower one first.",
                 "Levels must rise, and none may stand there twice.");
        indicator->level_count++;
    }
    indicator->levels = levels;
}

// Of statistics over a grid: a quantile's levels, poverty's fraction of the median, how many bins.
static void read_grid(gw_load *load, const gw_json_node *root, gw_indicator *indicator) {
    gw_statistic statistic = indicator->statistic;
    const gw_json_node *node = gw_json_member(root, "statistic");
    bool is_quantile = statistic == GW_STATISTIC_QUANTILE, is_poverty = statistic == GW_STATISTIC_POVERTY;
    bool is_ratio = statistic == GW_STATISTIC_RATIO;
    bool has_bins = is_quantile || is_poverty || statistic == GW_STATISTIC_GINI ||
                    statistic == GW_STATISTIC_QUINTILE_RATIO || statistic == GW_STATISTIC_HISTOGRAM;
    if (gw_json_has(root, "over") != is_ratio)
        FAIL(load, node, "indicator_statistic", is_ratio ? "Add \"over\":\"hours\"." : "Leave \"over\" out.",
             "A ratio has \"over\", the concept whose sum is divided by; no other statistic has it.");
    else if (is_ratio && load->reader.status == GW_OK)
        indicator->over = gw_load_name(load, root, "over", "/:.");
    if (gw_json_has(root, "at") != is_quantile)
        FAIL(load, node, "indicator_statistic", is_quantile ? "Add \"at\":[\"0.5\"]." : "Leave \"at\" out.",
             "A quantile has levels in \"at\"; no other statistic has any.");
    if (gw_json_has(root, "fraction") && !is_poverty)
        FAIL(load, node, "indicator_statistic", "Leave \"fraction\" out.",
             "Only poverty has a fraction of the median.");
    if (gw_json_has(root, "bins") && !has_bins)
        FAIL(load, node, "indicator_statistic", "Leave \"bins\" out.", "This statistic has no bins.");
    if (load->reader.status != GW_OK)
        return;
    if (is_quantile)
        read_levels(load, root, indicator);
    if (gw_json_has(root, "fraction"))
        indicator->fraction = read_portion(load, gw_json_member(root, "fraction"));
    if (gw_json_has(root, "bins"))
        indicator->bins = (unsigned)gw_json_read_integer(&load->reader, root, "bins", 2, GW_BINS_MAX);
}

static const gw_filter *read_filters(gw_load *load, const gw_json_node *root, const char *field, size_t *ret_count) {
    const gw_json_node *array = gw_json_read_array(&load->reader, root, field);
    return array == NULL ? NULL : gw_filters_read(&load->reader, array, load->arena, ret_count);
}

static void read_sides(gw_load *load, const gw_json_node *root, gw_indicator *indicator) {
    if (indicator->statistic != GW_STATISTIC_NET || load->reader.status != GW_OK)
        return;
    indicator->plus = read_filters(load, root, "plus", &indicator->plus_count);
    indicator->minus = read_filters(load, root, "minus", &indicator->minus_count);
    if (indicator->plus_count == 0 || indicator->minus_count == 0)
        FAIL(load, gw_json_member(root, indicator->plus_count == 0 ? "plus" : "minus"), "indicator_statistic",
             "Name at least one filter for each.", "\"plus\" and \"minus\" cannot be empty: every row would count.");
}

static void read_better(gw_load *load, const gw_json_node *root, gw_indicator *indicator) {
    if (!gw_json_has(root, "better"))
        return;
    indicator->better = gw_load_name(load, root, "better", "");
    if (indicator->better != NULL && strcmp(indicator->better, "more") != 0 && strcmp(indicator->better, "less") != 0)
        FAIL(load, gw_json_member(root, "better"), "wrong_type", "Write \"more\" or \"less\", or leave it out.",
             "\"better\" says which direction is an improvement.");
}

static void read_version(gw_load *load, const gw_json_node *root, gw_indicator *indicator) {
    const gw_json_node *format = gw_json_member(root, "godwit_indicator");
    if (load->reader.status == GW_OK && (gw_json_type_of(format) != GW_JSON_INTEGER || gw_json_integer(format) != 1))
        FAIL(load, format, "indicator_version", "Write \"godwit_indicator\":1.",
             "Only version 1 of the indicator format is known here.");
    indicator->version = (uint64_t)gw_json_read_integer(&load->reader, root, "version", 1, VERSION_MAX);
}

static void read_indicator(gw_load *load, const gw_json_node *root, gw_indicator *indicator) {
    static const char *const allowed[] = {"godwit_indicator",
                                          "id",
                                          "version",
                                          "sdmx",
                                          "label",
                                          "definition",
                                          "statistic",
                                          "unit",
                                          "decimals",
                                          "better",
                                          "population",
                                          "numerator",
                                          "of",
                                          "by_default",
                                          "requires",
                                          "reference",
                                          "per",
                                          "plus",
                                          "minus",
                                          "rows_per_person",
                                          "at",
                                          "over",
                                          "fraction",
                                          "bins",
                                          NULL};
    static const char *const required[] = {"godwit_indicator", "id",   "version",  "sdmx",       "label", "definition",
                                           "statistic",        "unit", "decimals", "population", NULL};
    gw_json_reader *reader = &load->reader;
    if (!gw_json_expect_object(reader, root, allowed) || !gw_json_require(reader, root, required))
        return;
    read_version(load, root, indicator);
    indicator->id = gw_load_name(load, root, "id", "/:");
    indicator->sdmx = gw_load_name(load, root, "sdmx", "/:");
    indicator->label = gw_load_text(load, root, "label", true);
    indicator->definition = gw_load_text(load, root, "definition", true);
    indicator->unit = gw_load_name(load, root, "unit", "/:");
    indicator->decimals = (unsigned)gw_json_read_integer(reader, root, "decimals", 0, DECIMALS_MAX);
    read_better(load, root, indicator);
    if (gw_json_has(root, "reference"))
        indicator->reference = gw_load_copy(load, gw_json_read_string(reader, root, "reference"));
    indicator->population = read_filters(load, root, "population", &indicator->population_count);
    read_statistic(load, root, indicator);
    read_grid(load, root, indicator);
    if (gw_json_has(root, "numerator"))
        indicator->numerator = read_filters(load, root, "numerator", &indicator->numerator_count);
    if (indicator->statistic == GW_STATISTIC_RATE && indicator->numerator_count == 0)
        FAIL(load, gw_json_member(root, "numerator"), "indicator_numerator", "Say who is counted.",
             "An empty numerator counts everybody.");
    read_per(load, root, indicator);
    if (gw_json_has(root, "rows_per_person"))
        indicator->rows_per_person =
            (uint64_t)gw_json_read_integer(reader, root, "rows_per_person", 1, ROWS_PER_PERSON_MAX);
    read_sides(load, root, indicator);
    if (gw_json_has(root, "requires"))
        indicator->requires = gw_load_names(load, root, "requires", GW_BY_MAX, "bad_by", &indicator->requires_count);
    if (gw_json_has(root, "by_default"))
        indicator->by_default =
            gw_load_names(load, root, "by_default", GW_BY_MAX, "bad_by", &indicator->by_default_count);
    if (indicator->numerator != NULL)
        check_numerator(load, root, indicator);
}

// ------------------------------------------------------------------------------------------------ the folder

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_indicator_file(const char *name) {
    size_t size = strlen(name);
    return name[0] != '.' && size > 5 && strcmp(name + size - 5, ".json") == 0;
}

static void close_folder(DIR **folder) {
    if (*folder != NULL)
        closedir(*folder);
}

static gw_status folder_problem(const char *path, int error, gw_problem *ret_problem) {
    gw_status status = error == ENOENT || error == ENOTDIR ? GW_NOT_FOUND : GW_IO;
    const char *code = status == GW_NOT_FOUND ? "file_missing" : "file_unreadable";
    status = gw_problem_set(ret_problem, status, code, "The folder of indicators cannot be read.", "",
                            "Set \"share\" in config.json to the folder that holds indicators/, or: --share DIR");
    gw_problem_why(ret_problem, "%s: %s.", path, strerrordesc_np(error));
    return status;
}

static gw_status too_big(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_LIMIT, "too_many", "The folder of indicators is too big.",
                          "At most 1024 indicators are read.", "Remove files from it.");
}

// Names of the indicator files, sorted, in the arena.
static gw_status list_files(const char *path, gw_arena *arena, const char **ret_names, size_t *ret_count,
                            gw_problem *ret_problem) {
    GW_CLEANUP(close_folder) DIR *folder = opendir(path);
    if (folder == NULL)
        return folder_problem(path, errno, ret_problem);
    size_t count = 0;
    errno = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (!is_indicator_file(entry->d_name))
            continue;
        const char *name = count == INDICATORS_MAX ? NULL : gw_arena_string(arena, entry->d_name);
        if (name == NULL)
            return too_big(ret_problem);
        ret_names[count++] = name;
    }
    if (errno != 0)
        return folder_problem(path, errno, ret_problem);
    qsort(ret_names, count, sizeof(*ret_names), compare_names);
    *ret_count = count;
    return GW_OK;
}

static gw_status load_file(gw_catalogue *catalogue, const char *folder, const char *name, gw_problem *ret_problem) {
    const char *path = gw_arena_format(catalogue->arena, "%s/%s", folder, name);
    if (path == NULL)
        return too_big(ret_problem);
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, FILE_SIZE_MAX);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status != GW_OK)
        return status;
    gw_json **document = &catalogue->documents[catalogue->count];
    status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(name), document, ret_problem);
    if (status != GW_OK)
        return status;
    gw_load load = {.arena = catalogue->arena};
    gw_json_reader_init(&load.reader, *document);
    gw_indicator indicator = {0};
    const gw_json_node *root = gw_json_root(*document);
    read_indicator(&load, root, &indicator);
    if (indicator.id != NULL && gw_catalogue_find(catalogue, indicator.id) != NULL)
        FAIL(&load, gw_json_member(root, "id"), "indicator_duplicate", "Keep one of the two files.",
             "Another file defines %s already.", indicator.id);
    if (load.reader.status != GW_OK && ret_problem != NULL)
        *ret_problem = load.reader.problem;
    catalogue->indicators[catalogue->count++] = indicator; // counted in any case: the document is freed with the rest
    return load.reader.status;
}

GW_DEFINE_FREEP(gw_catalogue, gw_catalogue_free)

gw_status gw_catalogue_load(const char *folder, gw_catalogue **ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_catalogue_freep) gw_catalogue *catalogue = calloc(1, sizeof(*catalogue));
    if (catalogue == NULL || (catalogue->arena = gw_arena_new(ARENA_SIZE_MAX)) == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is not enough memory for this.", "", "");
    const char **names = gw_arena_array(catalogue->arena, INDICATORS_MAX, sizeof(*names));
    catalogue->documents = gw_arena_array(catalogue->arena, INDICATORS_MAX, sizeof(gw_json *));
    catalogue->indicators = gw_arena_array(catalogue->arena, INDICATORS_MAX, sizeof(gw_indicator));
    if (names == NULL || catalogue->documents == NULL || catalogue->indicators == NULL)
        return too_big(ret_problem);
    size_t count = 0;
    gw_status status = list_files(folder, catalogue->arena, names, &count, ret_problem);
    for (size_t i = 0; i < count && status == GW_OK; i++)
        status = load_file(catalogue, folder, names[i], ret_problem);
    if (status != GW_OK)
        return status;
    *ret = gw_take(&catalogue);
    return GW_OK;
}

void gw_catalogue_free(gw_catalogue *catalogue) {
    if (catalogue == NULL)
        return;
    for (size_t i = 0; i < catalogue->count; i++)
        gw_json_free(catalogue->documents[i]);
    gw_arena_free(catalogue->arena);
    free(catalogue);
}

size_t gw_catalogue_count(const gw_catalogue *catalogue) {
    return catalogue->count;
}

const gw_indicator *gw_catalogue_at(const gw_catalogue *catalogue, size_t index) {
    return index < catalogue->count ? &catalogue->indicators[index] : NULL;
}

const gw_indicator *gw_catalogue_find(const gw_catalogue *catalogue, const char *id) {
    for (size_t i = 0; i < catalogue->count; i++)
        if (catalogue->indicators[i].id != NULL && strcmp(catalogue->indicators[i].id, id) == 0)
            return &catalogue->indicators[i];
    return NULL;
}

const char *gw_catalogue_nearest(const gw_catalogue *catalogue, const char *id) {
    const char *ids[INDICATORS_MAX];
    for (size_t i = 0; i < catalogue->count; i++)
        ids[i] = catalogue->indicators[i].id;
    return gw_nearest(id, ids, catalogue->count);
}

// ------------------------------------------------------------------------------------------------ which table

static bool banding_has_code(const gw_banding *banding, const char *code) {
    for (size_t i = 0; i < banding->band_count; i++)
        if (strcmp(banding->bands[i].id, code) == 0)
            return true;
    return false;
}

static bool table_has_filter(const gw_table *table, const gw_filter *filter) {
    const gw_column *column = gw_table_concept(table, filter->concept);
    if (column == NULL)
        return false;
    const char *colon = strchr(filter->concept, ':');
    const gw_banding *banding = colon == NULL ? NULL : gw_column_banding(column, colon + 1);
    if (colon != NULL && banding == NULL)
        return false;
    int64_t step;
    switch (filter->kind) {
    case GW_FILTER_BETWEEN:
        return banding == NULL && gw_column_is_number(column);
    case GW_FILTER_EQUALS:
    case GW_FILTER_IN:
        for (size_t i = 0; i < filter->code_count; i++) {
            bool is_known = banding != NULL                  ? banding_has_code(banding, filter->codes[i])
                            : column->type == GW_COLUMN_CODE ? gw_column_code(column, filter->codes[i]) != SIZE_MAX
                                                             : gw_column_step_down(column, filter->codes[i], &step);
            if (!is_known)
                return false;
        }
        return true;
    }
    return false;
}

// The first concept the indicator needs and the table does not have, or NULL.
static const char *table_missing(const gw_table *table, const gw_indicator *indicator) {
    const struct {
        const gw_filter *filters;
        size_t count;
    } lists[] = {{indicator->population, indicator->population_count},
                 {indicator->numerator, indicator->numerator_count},
                 {indicator->plus, indicator->plus_count},
                 {indicator->minus, indicator->minus_count}};
    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
        for (size_t i = 0; i < lists[k].count; i++)
            if (!table_has_filter(table, &lists[k].filters[i]))
                return lists[k].filters[i].concept;
    for (size_t i = 0; i < indicator->requires_count; i++)
        if (gw_table_concept(table, indicator->requires[i]) == NULL)
            return indicator->requires[i];
    if (indicator->of == NULL)
        return NULL;
    const gw_column *of = gw_table_concept(table, indicator->of);
    bool is_series = indicator->statistic == GW_STATISTIC_SERIES;
    bool is_keys = indicator->statistic == GW_STATISTIC_KEYS;
    bool is_fit = of != NULL && (is_series ? of->period != GW_PERIOD_NONE
                                 : is_keys ? of->type == GW_COLUMN_TEXT
                                           : gw_column_is_number(of));
    if (!is_fit)
        return indicator->of;
    const gw_column *over = indicator->over == NULL ? NULL : gw_table_concept(table, indicator->over);
    bool is_divided = indicator->over == NULL || (over != NULL && gw_column_is_number(over));
    return is_divided ? NULL : indicator->over;
}

const gw_table *gw_indicator_table(const gw_indicator *indicator, const gw_policy *policy, const char **ret_missing) {
    const char *missing = NULL; // of the first table: the main one by convention
    for (size_t i = 0; i < policy->table_count; i++) {
        const char *first = table_missing(&policy->tables[i], indicator);
        if (first == NULL)
            return &policy->tables[i];
        if (missing == NULL)
            missing = first;
    }
    if (ret_missing != NULL)
        *ret_missing = missing;
    return NULL;
}
