// SPDX-License-Identifier: Apache-2.0
// One function per kind of answer, each with the sentence that mends it.
#include "client/cli/policy_checks.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/wire/decimal.h"
#include "service/wire/question.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

GW_DEFINE_FREEP(gw_arena, gw_arena_free)

static bool fails(char reason[GW_REASON_MAX], const char *why) {
    gw_ignore(snprintf(reason, GW_REASON_MAX, "%s", why)); // cut, it is only shown
    return false;
}

bool gw_check_owned(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    (void)state;
    const char *slash = strchr(value, '/');
    bool is_one = slash != NULL && strchr(slash + 1, '/') == NULL && strchr(value, ':') == NULL;
    return is_one && gw_name_is_valid(value) ? true
                                             : fails(reason, "It has an owner and a name, with a slash between and no "
                                                             "blanks, as nso.example/register.");
}

bool gw_check_column(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    const gw_source *source = state;
    const char *names[GW_SOURCE_COLUMNS_MAX];
    for (size_t i = 0; i < source->column_count; i++) {
        names[i] = source->columns[i].name;
        if (strcmp(names[i], value) == 0)
            return true;
    }
    const char *nearest = gw_nearest(value, names, source->column_count);
    gw_ignore(snprintf(reason, GW_REASON_MAX, "The file has no column \"%.60s\".%s%.60s%s", value, // cut, it is shown
                       nearest == NULL ? "" : " Did you mean \"", nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "\"?"));
    return false;
}

bool gw_check_count(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    long max = *(const long *)state;
    char *end;
    long count = strtol(value, &end, 10);
    return isdigit((unsigned char)value[0]) && value[0] != '0' && *end == '\0' && count <= max
               ? true
               : fails(reason, "It is a whole number from 1 on.");
}

bool gw_check_amount(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    (void)state;
    gw_epsilon epsilon;
    return gw_epsilon_parse(value, &epsilon) == GW_OK && epsilon.micro > 0
               ? true
               : fails(reason, "It is a plain decimal above 0 with at most 6 places, as 0.05.");
}

// One of the words.
bool gw_check_word(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    const gw_word_set *set = state;
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->words[i], value) == 0)
            return true;
    return fails(reason, set->reason);
}

// Some of the words, with commas.
bool gw_check_words(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 20);
    gw_pair pairs[16];
    size_t count = arena == NULL ? SIZE_MAX : gw_pairs_split(value, arena, pairs, 16);
    bool is_fine = count != SIZE_MAX;
    for (size_t i = 0; is_fine && i < count; i++)
        is_fine = gw_check_word(state, pairs[i].from, reason);
    return is_fine ? true : fails(reason, ((const gw_word_set *)state)->reason);
}

bool gw_check_concept(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    (void)state;
    bool is_plain = value[0] >= 'a' && value[0] <= 'z' &&
                    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(value) &&
                    strlen(value) <= GW_NAME_MAX;
    return is_plain ? true : fails(reason, "A concept is small letters, digits and '_', a letter first.");
}

bool gw_check_list(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    gw_arena *arena = (gw_arena *)(uintptr_t)state; // states are const for those that only compare
    gw_list list;
    return gw_list_read(value, arena, &list)
               ? true
               : fails(reason, "There is no such list. They are the files of share/codelists, as CL_SEX; for others "
                               "choose \"codes\".");
}

bool gw_check_codes(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    gw_arena *arena = (gw_arena *)(uintptr_t)state; // states are const for those that only compare
    gw_pair *pairs = gw_arena_array(arena, GW_LIST_CODES_MAX, sizeof(*pairs));
    size_t count = pairs == NULL ? SIZE_MAX : gw_pairs_split(value, arena, pairs, GW_LIST_CODES_MAX);
    if (count == SIZE_MAX)
        return fails(reason,
                     "Write them with commas, each as it stands in the file, with its name: A=Name of A, B=Name of B");
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(pairs[i].from, pairs[j].from) == 0)
                return fails(reason, "One of them stands there twice.");
    return true;
}

bool gw_check_recode(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    const gw_recode_state *s = state;
    gw_list list;
    gw_pair *pairs = gw_arena_array(s->arena, GW_LIST_CODES_MAX, sizeof(*pairs));
    if (!gw_check_codes(s->arena, value, reason) || pairs == NULL || !gw_list_read(s->list, s->arena, &list))
        return fails(reason, "Write them with commas: 1=M, 2=F");
    size_t count = gw_pairs_split(value, s->arena, pairs, GW_LIST_CODES_MAX);
    for (size_t i = 0; i < count; i++) {
        gw_word_set set = {list.codes, list.code_count, ""};
        if (strcmp(pairs[i].to, "_U") != 0 && !gw_check_word(&set, pairs[i].to, reason)) {
            gw_ignore(
                snprintf(reason, GW_REASON_MAX, "\"%.60s\" is not a code of %.60s.", pairs[i].to, s->list)); // cut
            return false;
        }
    }
    return true;
}

// A number above `above` (NULL: any).
bool gw_check_number(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    const gw_draft_column *column = state;
    gw_decimal number, min;
    if (!gw_decimal_parse(value, &number))
        return fails(reason, "It is a plain number: no thousands separators, a point for decimals.");
    if (column->is_whole && number.trillionths % GW_DECIMAL_ONE != 0)
        return fails(reason, "It is a whole number.");
    if (column->min != NULL && gw_decimal_parse(column->min, &min) && number.trillionths <= min.trillionths)
        return fails(reason, "The largest must be more than the smallest.");
    return true;
}

bool gw_check_total(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    const gw_draft_column *column = state;
    gw_decimal total, grid;
    if (!gw_decimal_parse(value, &total) || total.trillionths <= 0)
        return fails(reason, "It is a number above 0.");
    if (gw_decimal_parse(column->is_whole || column->grid == NULL ? "1" : column->grid, &grid) &&
        total.trillionths % grid.trillionths != 0)
        return fails(reason, "It is a whole number of the steps that values are rounded to.");
    return true;
}

bool gw_check_grid(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    const gw_draft_column *column = state;
    gw_decimal grid, min = {0}, max = {0};
    if (!gw_decimal_parse(value, &grid) || grid.trillionths <= 0)
        return fails(reason, "It is a number above 0, as 1 or 0.01.");
    bool has_bounds = column->min != NULL && column->max != NULL && gw_decimal_parse(column->min, &min) &&
                      gw_decimal_parse(column->max, &max);
    return !has_bounds || (max.trillionths - min.trillionths) % grid.trillionths == 0
               ? true
               : fails(reason, "The largest must be a whole number of such steps above the smallest.");
}

// Rising, inside the bounds, on the grid.
bool gw_check_bands(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    const gw_draft_column *column = state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 20);
    gw_pair pairs[64];
    gw_decimal last, max, grid, start;
    size_t count = arena == NULL ? SIZE_MAX : gw_pairs_split(value, arena, pairs, 64);
    bool is_fine = count != SIZE_MAX && column->min != NULL && column->max != NULL &&
                   gw_decimal_parse(column->min, &last) && gw_decimal_parse(column->max, &max) &&
                   gw_decimal_parse(column->grid == NULL ? "1" : column->grid, &grid);
    gw_int128 first = is_fine ? last.trillionths : 0;
    for (size_t i = 0; is_fine && i < count; i++) {
        is_fine = gw_decimal_parse(pairs[i].from, &start) && start.trillionths > last.trillionths &&
                  start.trillionths <= max.trillionths && (start.trillionths - first) % grid.trillionths == 0;
        last = start;
    }
    return is_fine ? true
                   : fails(reason, "Write where each band but the first begins, rising, inside the bounds: 20, 65");
}

bool gw_check_period(const void *state, const char *value, char reason[GW_REASON_MAX]) {
    const char *period = state;
    size_t size = strlen(value);
    bool is_year = size >= 4 && strspn(value, "0123456789") >= 4;
    bool is_fine = is_year && strcmp(period, "year") == 0 && size == 4;
    is_fine |= is_year && strcmp(period, "quarter") == 0 && size == 7 && value[4] == '-' && value[5] == 'Q' &&
               value[6] >= '1' && value[6] <= '4';
    is_fine |= is_year && strcmp(period, "month") == 0 && size == 7 && value[4] == '-' &&
               ((value[5] == '0' && value[6] >= '1' && value[6] <= '9') ||
                (value[5] == '1' && value[6] >= '0' && value[6] <= '2'));
    return is_fine ? true : fails(reason, "A year is 2023, a quarter 2023-Q2, a month 2023-05.");
}
