// SPDX-License-Identifier: Apache-2.0
// The names in a question, one by one and in lists, and its filters, which are made of them.
#include "service/wire/question_inner.h"
#include "service/wire/decimal.h"
#include <inttypes.h>
#include <string.h>

static const char mend_name[] =
    "Names have at most 128 ASCII letters, digits and . _ - / : and no part that starts with a dot.";

bool gw_name_is_valid(const char *name) {
    size_t size = 0;
    bool is_part_start = true;
    for (; name[size] != '\0'; size++) {
        char c = name[size];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                        c == '-' || c == ':';
        bool is_inner = c == '.' || c == '/'; // neither first in a part, so that no part is empty, "." or ".."
        if (size == GW_NAME_MAX || (!is_plain && !is_inner) || (is_inner && is_part_start))
            return false;
        is_part_start = c == '/';
    }
    return !is_part_start;
}

void gw_question_no_memory(gw_json_reader *reader, const gw_json_node *node) {
    gw_json_fail(reader, node, "too_many", "The question is too big.", "Ask for less at once.",
                 "Its parts do not fit the memory set aside for one question.");
}

const char *gw_question_name_of(gw_json_reader *reader, const gw_json_node *node) {
    if (reader->status != GW_OK)
        return NULL;
    if (gw_json_type_of(node) != GW_JSON_STRING) {
        gw_json_fail(reader, node, "wrong_type", GW_QUESTION_WHAT, "Write it in quotes.", "A name must be a string.");
        return NULL;
    }
    char shown[GW_SHOWN_MAX];
    const char *name = gw_json_string(node);
    if (!gw_name_is_valid(name)) {
        gw_json_fail(reader, node, "bad_name", "A name has characters that names cannot have.", mend_name,
                     "\"%s\" is not a name.", gw_json_shown(name, shown));
        return NULL;
    }
    return name;
}

const char *gw_question_read_name(gw_json_reader *reader, const gw_json_node *object, const char *field) {
    if (gw_json_read_string(reader, object, field) == NULL)
        return NULL;
    return gw_question_name_of(reader, gw_json_member(object, field));
}

const char *const *gw_question_read_names(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena,
                                          size_t count_max, const char *code, size_t *ret_count) {
    size_t count = gw_json_count(array);
    if (count > count_max) {
        gw_json_fail(reader, array, "too_many", GW_QUESTION_WHAT, "Ask for less at once.",
                     "At most %zu may stand here, not %zu.", count_max, count);
        return NULL;
    }
    const char **names = gw_arena_array(arena, count + 1, sizeof(*names));
    if (names == NULL) {
        gw_question_no_memory(reader, array);
        return NULL;
    }
    size_t i = 0;
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node), i++) {
        names[i] = gw_question_name_of(reader, node);
        if (names[i] == NULL)
            return NULL;
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[j], names[i]) == 0)
                gw_json_fail(reader, node, code, GW_QUESTION_WHAT, "Keep one of the two.", "\"%s\" stands here twice.",
                             names[i]);
    }
    *ret_count = count;
    return reader->status == GW_OK ? names : NULL;
}

// ---- filters

// A bound of `between`: an integer or a decimal string, in its shortest text.
static const char *read_bound(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena,
                              gw_decimal *ret_value) {
    if (gw_json_type_of(node) == GW_JSON_INTEGER) {
        ret_value->trillionths = gw_json_integer(node) * GW_DECIMAL_ONE;
    } else if (gw_json_type_of(node) != GW_JSON_STRING || !gw_decimal_parse(gw_json_string(node), ret_value)) {
        gw_json_fail(reader, node, "bad_filter", GW_QUESTION_WHAT, "Write [20,64], or [\"0.5\",\"1.5\"].",
                     "A bound must be a whole number or a plain decimal in quotes.");
        return NULL;
    }
    char text[GW_DECIMAL_TEXT];
    gw_decimal_format(*ret_value, text);
    const char *copy = gw_arena_string(arena, text);
    if (copy == NULL)
        gw_question_no_memory(reader, node);
    return copy;
}

static void read_between(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_filter *filter) {
    filter->kind = GW_FILTER_BETWEEN;
    if (gw_json_type_of(node) != GW_JSON_ARRAY || gw_json_count(node) != 2) {
        gw_json_fail(reader, node, "bad_filter", GW_QUESTION_WHAT, "Write [20,64].",
                     "\"between\" needs the lowest and the highest value.");
        return;
    }
    gw_decimal low = {0}, high = {0};
    filter->low = read_bound(reader, gw_json_first(node), arena, &low);
    if (filter->low == NULL)
        return;
    filter->high = read_bound(reader, gw_json_next(gw_json_first(node)), arena, &high);
    if (filter->high != NULL && low.trillionths > high.trillionths)
        gw_json_fail(reader, node, "bad_filter", GW_QUESTION_WHAT, "Put the lower value first.",
                     "%s is more than %s: nothing lies between.", filter->low, filter->high);
}

static void read_equals(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_filter *filter) {
    filter->kind = GW_FILTER_EQUALS;
    const char **codes = gw_arena_array(arena, 1, sizeof(*codes));
    if (codes == NULL) {
        gw_question_no_memory(reader, node);
        return;
    }
    if (gw_json_type_of(node) == GW_JSON_INTEGER)
        codes[0] = gw_arena_format(arena, "%" PRId64, gw_json_integer(node));
    else
        codes[0] = gw_question_name_of(reader, node);
    if (codes[0] == NULL)
        gw_question_no_memory(reader, node); // keeps an earlier problem
    filter->codes = codes;
    filter->code_count = 1;
}

static void read_in(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_filter *filter) {
    filter->kind = GW_FILTER_IN;
    if (gw_json_type_of(node) != GW_JSON_ARRAY || gw_json_count(node) == 0) {
        gw_json_fail(reader, node, "bad_filter", GW_QUESTION_WHAT, "Write [\"F\",\"M\"].",
                     "\"in\" needs a list of at least one code.");
        return;
    }
    filter->codes = gw_question_read_names(reader, node, arena, GW_FILTER_CODES_MAX, "bad_filter", &filter->code_count);
}

static void read_filter(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_filter *filter) {
    static const char *const allowed[] = {"concept", "in", "equals", "between", NULL};
    if (!gw_json_expect_object(reader, node, allowed))
        return;
    filter->concept = gw_question_read_name(reader, node, "concept");
    const gw_json_node *in = gw_json_member(node, "in");
    const gw_json_node *equals = gw_json_member(node, "equals");
    const gw_json_node *between = gw_json_member(node, "between");
    if ((in != NULL) + (equals != NULL) + (between != NULL) != 1)
        gw_json_fail(reader, node, "bad_filter", GW_QUESTION_WHAT, "Write {\"concept\":\"sex\",\"in\":[\"F\"]}.",
                     "A filter needs exactly one of \"in\", \"equals\" and \"between\".");
    if (reader->status != GW_OK)
        return;
    if (in != NULL)
        read_in(reader, in, arena, filter);
    else if (equals != NULL)
        read_equals(reader, equals, arena, filter);
    else
        read_between(reader, between, arena, filter);
}

const gw_filter *gw_filters_read(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena,
                                 size_t *ret_count) {
    if (reader->status != GW_OK || array == NULL)
        return NULL;
    size_t count = gw_json_count(array);
    if (count > GW_WHERE_MAX) {
        gw_json_fail(reader, array, "too_many", GW_QUESTION_WHAT, "Use fewer filters.",
                     "At most %d filters may stand here, not %zu.", GW_WHERE_MAX, count);
        return NULL;
    }
    gw_filter *filters = gw_arena_array(arena, count, sizeof(*filters));
    if (filters == NULL) {
        gw_question_no_memory(reader, array);
        return NULL;
    }
    size_t i = 0;
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node))
        read_filter(reader, node, arena, &filters[i++]);
    *ret_count = count;
    return reader->status == GW_OK ? filters : NULL;
}
