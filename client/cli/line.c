// SPDX-License-Identifier: Apache-2.0
// Names, lists and filters out of words.
#include "client/cli/line.h"
#include "service/base/check.h"
#include "service/wire/decimal.h"
#include <string.h>

const char gw_line_names_rule[] = "Names and codes are ASCII letters, digits and . _ - / : only.";

gw_status gw_line_bad(const char *option, const char *value, const char *what, const char *code, const char *why,
                      const char *mend, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, code, "", why, mend);
    gw_problem_what(ret_problem, "%s \"%.100s\" is not %s.", option, value, what);
    return status;
}

gw_status gw_line_name(const char *what, const char *name, gw_problem *ret_problem) {
    if (gw_name_is_valid(name))
        return GW_OK;
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "bad_name", "", gw_line_names_rule, "godwit catalogue");
    gw_problem_what(ret_problem, "\"%.100s\" is not the name of %s.", name, what);
    return status;
}

const char *const *gw_line_list(const char *text, size_t max, gw_arena *arena, size_t *ret_count) {
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

typedef struct {
    const char *option;
    const char *text; // as it was typed
    gw_problem *problem;
} filter_place;

static gw_status filter_bad(const filter_place *place, const char *why) {
    gw_status status = gw_problem_set(place->problem, GW_INVALID, "bad_filter", "", why, "");
    gw_problem_what(place->problem, "I can't read %s %.100s.", place->option, place->text);
    if (strcmp(place->option, "--where") == 0)
        gw_problem_mend(place->problem, "--where sex=F,M --where age=20..64");
    else
        gw_problem_mend(place->problem, "--plus direction=ARR --minus direction=DEP");
    return status;
}

static gw_status range_check(const filter_place *place, const gw_filter *filter) {
    gw_decimal low, high;
    if (filter->low == NULL || filter->high == NULL)
        return GW_NO_MEMORY;
    if (filter->low[0] == '\0' || filter->high[0] == '\0')
        return filter_bad(place, "A range has both ends, and both belong to it.");
    if (!gw_decimal_parse(filter->low, &low) || !gw_decimal_parse(filter->high, &high))
        return filter_bad(place, "The ends of a range are plain numbers, like 20 or 0.5.");
    if (low.trillionths > high.trillionths)
        return filter_bad(place, "The lower end comes first.");
    return GW_OK;
}

static gw_status codes_check(const filter_place *place, const gw_filter *filter) {
    for (size_t i = 0; i < filter->code_count; i++) {
        if (!gw_name_is_valid(filter->codes[i]))
            return filter_bad(place, gw_line_names_rule);
        for (size_t j = 0; j < i; j++)
            if (strcmp(filter->codes[i], filter->codes[j]) == 0)
                return filter_bad(place, "A code stands there twice.");
    }
    return GW_OK;
}

static gw_status filter_read(const filter_place *place, gw_arena *arena, gw_filter *ret) {
    const char *equals = strchr(place->text, '=');
    if (equals == NULL || equals == place->text)
        return filter_bad(place, "A filter is a concept, '=', and codes or a range.");
    const char *value = equals + 1, *dots = strstr(value, "..");
    *ret = (gw_filter){.concept = gw_arena_copy(arena, place->text, (size_t)(equals - place->text))};
    if (ret->concept == NULL)
        return GW_NO_MEMORY;
    if (!gw_name_is_valid(ret->concept))
        return filter_bad(place, gw_line_names_rule);
    if (dots != NULL) {
        ret->kind = GW_FILTER_BETWEEN;
        ret->low = gw_arena_copy(arena, value, (size_t)(dots - value));
        ret->high = gw_arena_string(arena, dots + 2);
        return range_check(place, ret);
    }
    ret->codes = gw_line_list(value, GW_FILTER_CODES_MAX, arena, &ret->code_count);
    if (ret->codes == NULL)
        return filter_bad(place, "Codes are separated by single commas.");
    ret->kind = ret->code_count == 1 ? GW_FILTER_EQUALS : GW_FILTER_IN;
    return codes_check(place, ret);
}

gw_status gw_line_filters(const char *option, const gw_words *words, gw_arena *arena, const gw_filter **ret,
                          size_t *ret_count, gw_problem *ret_problem) {
    if (words->count > GW_WHERE_MAX) {
        gw_status status = gw_problem_set(ret_problem, GW_INVALID, "too_many", "There are too many filters.", "", "");
        gw_problem_why(ret_problem, "A question takes %d of %s.", GW_WHERE_MAX, option);
        return status;
    }
    gw_filter *filters = gw_arena_array(arena, words->count == 0 ? 1 : words->count, sizeof(*filters));
    if (filters == NULL)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < words->count; i++) {
        const filter_place place = {option, words->items[i], ret_problem};
        gw_status status = filter_read(&place, arena, &filters[i]);
        if (status != GW_OK)
            return status;
    }
    *ret = filters;
    *ret_count = words->count;
    return GW_OK;
}
