// SPDX-License-Identifier: Apache-2.0
// localeconv(3) of a locale that is used for one call, and its separators made safe to show.
#include "client/cli/numbers.h"
#include "service/base/check.h"
#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPACE_NO_BREAK "\xC2\xA0"
#define SPACE_NARROW "\xE2\x80\xAF" // no line is broken at it either

static bool is_space(const char *text) {
    static const char *const spaces[] = {" ", "\xA0", SPACE_NO_BREAK, SPACE_NARROW, "\xE2\x80\x89"};
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
        if (strcmp(text, spaces[i]) == 0)
            return true;
    return false;
}

// One column wide, not a digit, a sign or a letter, and nothing that a terminal would act on.
static bool is_plain_mark(const char *text, bool is_unicode) {
    gw_buffer clean;
    gw_buffer_init(&clean, 64);
    gw_text_clean(&clean, text, is_unicode);
    bool is_same = strcmp(gw_buffer_string(&clean), text) == 0;
    gw_buffer_done(&clean);
    bool is_word = text[1] == '\0' && (isalnum((unsigned char)text[0]) || strchr("+-", text[0]) != NULL);
    return is_same && !is_word && text[0] != '\0' && text[0] != '\n' && gw_text_width(text, strlen(text)) == 1;
}

static void conventions_read(const struct lconv *lc, bool is_unicode, gw_numbers *numbers) {
    const char *group = lc->thousands_sep;
    if (is_space(group) && strcmp(group, SPACE_NARROW) != 0)
        group = SPACE_NO_BREAK;
    const char *point = lc->decimal_point;
    bool has_groups = lc->grouping[0] > 0 && group[0] != '\0';
    bool group_is_plain = is_space(group) || is_plain_mark(group, is_unicode);
    if (!is_plain_mark(point, is_unicode) || strlen(point) >= sizeof(numbers->point) || strcmp(point, group) == 0)
        return;
    if (has_groups && (!group_is_plain || strlen(group) >= sizeof(numbers->group)))
        return;
    gw_ignore(snprintf(numbers->point, sizeof(numbers->point), "%s", point)); // it fits
    if (!has_groups)
        return;
    gw_ignore(snprintf(numbers->group, sizeof(numbers->group), "%s", group));              // it fits
    gw_ignore(snprintf(numbers->grouping, sizeof(numbers->grouping), "%s", lc->grouping)); // no more is used anywhere
}

static bool is_c(const char *name) {
    return strcmp(name, "POSIX") == 0 || (name[0] == 'C' && (name[1] == '\0' || name[1] == '.'));
}

// The name that stands for numbers: the first variable that is set.
static const char *name_of(const char *locale) {
    static const char *const variables[] = {"LC_ALL", "LC_NUMERIC", "LANG"};
    if (locale[0] != '\0')
        return locale;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return "C";
}

void gw_numbers_of_locale(const char *locale, bool is_unicode, gw_numbers *ret) {
    *ret = (gw_numbers){0};
    const char *name = name_of(locale);
    if (is_c(name))
        return;
    locale_t used = newlocale(LC_ALL_MASK, name, (locale_t)0);
    if (used == (locale_t)0)
        return;
    locale_t before = uselocale(used);
    conventions_read(localeconv(), is_unicode, ret);
    uselocale(before);
    freelocale(used);
}
