// SPDX-License-Identifier: Apache-2.0
// The option reader: one pass over argv; each option is looked up in the given sets, in order.
#include "client/cli/options.h"
#include "service/base/check.h"
#include <stdio.h>
#include <string.h>

#define OPTION_NAMES_MAX 64u

typedef struct {
    const gw_option *option;
    void *field;
} found;

static found find(const gw_option_set *sets, size_t set_count, const char *name, size_t name_size, char letter) {
    for (size_t s = 0; s < set_count; s++) {
        for (size_t i = 0; i < sets[s].count; i++) {
            const gw_option *option = &sets[s].options[i];
            bool is_named =
                name != NULL && strlen(option->name) == name_size && memcmp(option->name, name, name_size) == 0;
            if (is_named || (name == NULL && option->letter == letter && letter != 0))
                return (found){option, (char *)sets[s].target + option->offset};
        }
    }
    return (found){0};
}

static gw_status unknown(const gw_option_set *sets, size_t set_count, const char *argument, gw_problem *ret_problem) {
    const char *names[OPTION_NAMES_MAX];
    size_t count = 0;
    for (size_t s = 0; s < set_count; s++)
        for (size_t i = 0; i < sets[s].count && count < OPTION_NAMES_MAX; i++)
            names[count++] = sets[s].options[i].name;
    char word[65];
    gw_ignore(snprintf(word, sizeof(word), "%.*s", (int)strcspn(argument + strspn(argument, "-"), "="),
                       argument + strspn(argument, "-"))); // a longer word has no near name
    const char *nearest = gw_nearest(word, names, count);
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "unknown_option", "", "", "");
    gw_problem_what(ret_problem, "There is no option %s here.", argument);
    if (nearest != NULL)
        gw_problem_mend(ret_problem, "Did you mean --%s?", nearest);
    else
        gw_problem_mend(ret_problem, "Add --help to see the options of this command.");
    return status;
}

static gw_status store(found f, const char *value, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    if (f.option->kind == GW_OPTION_FLAG) {
        *(bool *)f.field = true;
    } else if (f.option->kind == GW_OPTION_TEXT) {
        const char **text = f.field;
        if (*text != NULL) {
            status = gw_problem_set(ret_problem, GW_INVALID, "option_twice", "", "It takes one value.",
                                    "Leave one of them out.");
            gw_problem_what(ret_problem, "The option --%s is given twice.", f.option->name);
        } else {
            *text = value;
        }
    } else {
        gw_words *list = f.field;
        if (list->count == GW_WORDS_MAX) {
            status = gw_problem_set(ret_problem, GW_INVALID, "too_many_words", "", "", "");
            gw_problem_what(ret_problem, "The option --%s is given more than %u times.", f.option->name, GW_WORDS_MAX);
        } else {
            list->items[list->count++] = value;
        }
    }
    return status;
}

static gw_status value_missing(const gw_option *option, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "option_value", "", "", "");
    gw_problem_what(ret_problem, "The option --%s needs a value.", option->name);
    gw_problem_mend(ret_problem, "--%s %s", option->name, option->value);
    return status;
}

static gw_status value_unwanted(const gw_option *option, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "option_value", "", "", "");
    gw_problem_what(ret_problem, "The option --%s takes no value.", option->name);
    return status;
}

// Reads the option at argv[index], and its value there or in the next argument.
static gw_status read_one(const gw_option_set *sets, size_t set_count, int argc, char *const *argv, int *index,
                          gw_problem *ret_problem) {
    const char *argument = argv[*index];
    bool is_long = argument[1] == '-';
    size_t name_size = is_long ? strcspn(argument + 2, "=") : 1;
    found f = is_long ? find(sets, set_count, argument + 2, name_size, 0) : find(sets, set_count, NULL, 0, argument[1]);
    if (f.option == NULL)
        return unknown(sets, set_count, argument, ret_problem);
    const char *value = NULL;
    if (is_long && argument[2 + name_size] == '=')
        value = argument + 3 + name_size;
    else if (!is_long && argument[2] != '\0')
        value = argument + 2;
    if (f.option->kind == GW_OPTION_FLAG)
        return value != NULL ? value_unwanted(f.option, ret_problem) : store(f, NULL, ret_problem);
    if (value == NULL) {
        if (*index + 1 >= argc)
            return value_missing(f.option, ret_problem);
        value = argv[++*index];
    }
    return store(f, value, ret_problem);
}

gw_status gw_options_read(const gw_option_set *sets, size_t set_count, int argc, char *const *argv, bool stop_at_word,
                          gw_words *ret_words, int *ret_read, gw_problem *ret_problem) {
    gw_words words = {0};
    bool is_ended = false;
    int index = 0;
    for (; index < argc; index++) {
        const char *argument = argv[index];
        if (!is_ended && strcmp(argument, "--") == 0) {
            is_ended = true;
            continue;
        }
        // A lone "-" is a word, as everywhere.
        if (!is_ended && argument[0] == '-' && argument[1] != '\0') {
            gw_status status = read_one(sets, set_count, argc, argv, &index, ret_problem);
            if (status != GW_OK)
                return status;
            continue;
        }
        if (stop_at_word)
            break;
        if (words.count == GW_WORDS_MAX)
            return gw_problem_set(ret_problem, GW_INVALID, "too_many_words", "There are too many words on this line.",
                                  "", "");
        words.items[words.count++] = argument;
    }
    *ret_words = words;
    *ret_read = index;
    return GW_OK;
}
