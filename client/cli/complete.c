// SPDX-License-Identifier: Apache-2.0
// Candidates for the word that is being typed.
#include "client/cli/complete.h"
#include "client/cli/doc.h"
#include "client/cli/help.h"
#include "client/cli/names.h"
#include "client/cli/profiles.h"
#include "service/audit/entry.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <dirent.h>
#include <string.h>

#define ATTEMPT_MS 1000 // somebody waits with a finger on the key
#define WORD_MAX 256u

typedef struct {
    gw_cli *cli;
    const gw_command *command; // NULL: not typed yet
    const char *family;        // "audit", typed without its second word
    bool is_help;
    const char *positional[GW_WORDS_MAX];
    size_t positional_count;
    const gw_option *option; // whose value is typed
    const char *typed;       // the word so far
    gw_session session;
    gw_names *names;
    const gw_json_node *dataset;
    gw_buffer *out;
} line;

static void line_done(line *l) {
    gw_names_free(l->names);
    gw_session_close(&l->session);
}

// ---- candidates

static bool begins(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_offered(const line *l, const char *word) {
    size_t size = strlen(word);
    for (const char *at = gw_buffer_string(l->out); *at != '\0';) {
        size_t length = strcspn(at, "\n");
        if (length >= size && memcmp(at, word, size) == 0 && (length == size || at[size] == '\t'))
            return true;
        at += length + (at[length] == '\n' ? 1 : 0);
    }
    return false;
}

// Whatever comes from a service is cleaned of what a terminal or a shell would act on.
static void offer(line *l, const char *word, const char *what) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=,.:/+@%";
    if (!begins(word, l->typed) || strspn(word, plain) != strlen(word) || is_offered(l, word))
        return;
    gw_buffer_text(l->out, word);
    if (what != NULL && what[0] != '\0') {
        gw_buffer_text(l->out, "\t");
        for (const char *c = what; *c != '\0'; c++)
            if ((unsigned char)*c >= 0x20 && *c != 0x7F)
                gw_buffer_append(l->out, c, 1);
    }
    gw_buffer_text(l->out, "\n");
}

static void offer_joined(line *l, const char *head, const char *word, const char *tail, const char *what) {
    char text[4 * WORD_MAX];
    if (snprintf(text, sizeof(text), "%s%s%s", head, word, tail) < (int)sizeof(text))
        offer(l, text, what);
}

// "table|csv|json"
static void offer_choices(line *l, const char *choices) {
    while (*choices != '\0') {
        char word[WORD_MAX];
        size_t size = strcspn(choices, "|");
        if (size < sizeof(word)) {
            memcpy(word, choices, size);
            word[size] = '\0';
            offer(l, word, NULL);
        }
        choices += size + (choices[size] == '|' ? 1 : 0);
    }
}

static void offer_files(line *l) {
    gw_buffer_text(l->out, GW_COMPLETE_FILES "\n");
}

// ---- names from the service

static bool names_load(line *l) {
    gw_problem problem;
    if (l->names != NULL)
        return true;
    l->cli->timeout_ms = ATTEMPT_MS;
    return gw_session_open(l->cli, &l->session, &problem) == GW_OK &&
           gw_names_load(l->cli, &l->session, &l->names, &problem) == GW_OK;
}

static const gw_json_node *dataset_load(line *l) {
    gw_problem problem;
    if (l->dataset == NULL && l->positional_count > 0 && names_load(l))
        gw_ignore(gw_names_dataset(l->names, l->positional[0], &l->dataset, &problem)); // then there are no names
    return l->dataset;
}

static void offer_datasets(line *l) {
    if (!names_load(l))
        return;
    for (const gw_json_node *node = gw_doc_first(gw_names_root(l->names), "datasets"); node != NULL;
         node = gw_json_next(node)) {
        const char *id = gw_doc_text(node, "dataset", "");
        // A full id only for who has begun one.
        offer(l, strchr(l->typed, '/') == NULL ? gw_dataset_short(id) : id, gw_doc_text(node, "title", NULL));
    }
}

static void offer_indicators(line *l) {
    for (const gw_json_node *id = gw_doc_first(dataset_load(l), "indicators"); id != NULL; id = gw_json_next(id))
        if (gw_json_type_of(id) == GW_JSON_STRING)
            offer(l, gw_json_string(id), gw_doc_text(gw_names_indicator(l->names, gw_json_string(id)), "label", NULL));
}

// Concepts between `head` and `tail`; with bandings for breakdowns, numbers alone for means.
static void offer_concepts(line *l, const char *head, const char *tail, bool with_bandings, bool only_numbers) {
    for (const gw_json_node *node = gw_doc_first(dataset_load(l), "concepts"); node != NULL;
         node = gw_json_next(node)) {
        const char *type = gw_doc_text(node, "type", "");
        bool is_code = strcmp(type, "code") == 0;
        if (strcmp(type, "text") == 0)
            continue; // neither filtered on nor grouped by
        const char *label = gw_doc_text(node, "label", NULL);
        if (only_numbers ? !is_code : is_code || !with_bandings)
            offer_joined(l, head, gw_doc_text(node, "concept", ""), tail, label);
        for (const gw_json_node *band = gw_doc_first(node, "bandings"); with_bandings && band != NULL;
             band = gw_json_next(band))
            offer_joined(l, head, gw_doc_text(band, "banding", ""), tail, label);
    }
}

static void offer_codes(line *l, const char *concept, const char *head) {
    for (const gw_json_node *node = gw_doc_first(dataset_load(l), "concepts"); node != NULL;
         node = gw_json_next(node)) {
        if (strcmp(gw_doc_text(node, "concept", ""), concept) != 0)
            continue;
        for (const gw_json_node *code = gw_doc_first(node, "codes"); code != NULL; code = gw_json_next(code))
            offer_joined(l, head, gw_doc_text(code, "code", ""), "", gw_doc_text(code, "label", NULL));
        const char *min = gw_doc_text(node, "min", NULL), *max = gw_doc_text(node, "max", NULL);
        char range[WORD_MAX];
        if (min != NULL && max != NULL && snprintf(range, sizeof(range), "%s..%s", min, max) < (int)sizeof(range))
            offer_joined(l, head, range, "", "from, to");
    }
}

// The text up to and with the last of `separators`; "" where there is none.
static const char *head_of(const char *typed, const char *separators, char head[WORD_MAX]) {
    size_t size = strlen(typed);
    while (size > 0 && strchr(separators, typed[size - 1]) == NULL)
        size--;
    size = size < WORD_MAX ? size : WORD_MAX - 1;
    memcpy(head, typed, size);
    head[size] = '\0';
    return head;
}

static void offer_filter(line *l) {
    char concept[WORD_MAX], head[WORD_MAX];
    size_t size = strcspn(l->typed, "=");
    if (l->typed[size] == '\0') {
        offer_concepts(l, "", "=", false, false);
        offer_concepts(l, "", "=", false, true);
        return;
    }
    if (size >= sizeof(concept))
        return;
    memcpy(concept, l->typed, size);
    concept[size] = '\0';
    offer_codes(l, concept, head_of(l->typed, "=,", head));
}

static void offer_measures(line *l) {
    char head[WORD_MAX];
    static const char *const of[] = {
        "mean:", "sum:", "variance:", "sd:", "histogram:", "median:", "quantile:", "poverty:", "gini:", "s80s20:"};
    offer(l, "count", "how many");
    offer(l, "share", "each group's part of all");
    offer(l, "net", "rows of one kind less rows of another");
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
        offer_concepts(l, of[i], "", false, true);
    bool is_divided = strncmp(l->typed, "ratio:", 6) == 0 && strchr(l->typed, '/') != NULL;
    offer_concepts(l, is_divided ? head_of(l->typed, "/", head) : "ratio:", is_divided ? "" : "/", false, true);
}

static void offer_tables(line *l) {
    for (const gw_json_node *node = gw_doc_first(dataset_load(l), "tables"); node != NULL; node = gw_json_next(node))
        offer(l, gw_doc_text(node, "table", ""), NULL);
}

static void offer_formats(line *l) {
    for (size_t i = 0; i < gw_format_count(); i++)
        offer(l, gw_format_at(i)->name, NULL);
}

static void offer_profiles(line *l) {
    char folder[GW_PATH_MAX], name[WORD_MAX];
    gw_profiles_folder(l->cli, folder);
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        size_t size = strlen(entry->d_name);
        if (size < 6 || size >= sizeof(name) || strcmp(entry->d_name + size - 5, ".json") != 0)
            continue;
        gw_ignore(snprintf(name, sizeof(name), "%.*s", (int)(size - 5), entry->d_name)); // it fits
        offer(l, name, NULL);
    }
    if (listing != NULL)
        closedir(listing);
}

static void offer_kinds(line *l) {
    for (int kind = GW_ENTRY_GENESIS; kind <= GW_ENTRY_RESTORE; kind++)
        offer(l, gw_entry_kind_name((gw_entry_kind)kind), NULL);
}

// ---- values of options, and words

static void offer_value(line *l, const gw_option *option) {
    char head[WORD_MAX];
    if (strcmp(option->name, "by") == 0)
        offer_concepts(l, head_of(l->typed, ",", head), "", true, false);
    else if (strcmp(option->name, "where") == 0 || strcmp(option->name, "plus") == 0 ||
             strcmp(option->name, "minus") == 0)
        offer_filter(l);
    else if (strcmp(option->name, "gap") == 0)
        offer_concepts(l, "", "=", true, false);
    else if (strcmp(option->name, "measure") == 0)
        offer_measures(l);
    else if (strcmp(option->name, "table") == 0)
        offer_tables(l);
    else if (strcmp(option->name, "as") == 0)
        offer_profiles(l);
    else if (strcmp(option->name, "output") == 0)
        offer_formats(l);
    else if (strcmp(option->name, "kind") == 0)
        offer_kinds(l);
    else if (strcmp(option->name, "concept") == 0)
        offer_concepts(l, "", "", true, false);
    else if (strstr(option->value, "FILE") != NULL || strstr(option->value, "DIR") != NULL)
        offer_files(l);
    else if (strchr(option->value, '|') != NULL)
        offer_choices(l, option->value);
}

static void offer_table(line *l, gw_option_set set) {
    for (size_t i = 0; i < set.count; i++)
        offer_joined(l, "--", set.options[i].name, "", set.options[i].help);
}

// Commands that another program reads have no table; what they take stands in their usage line.
static void offer_usage_options(line *l) {
    const char *at = l->command->arguments;
    while ((at = strstr(at, "--")) != NULL) {
        char word[WORD_MAX];
        size_t size = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
        if (size > 2 && size < sizeof(word)) {
            memcpy(word, at, size);
            word[size] = '\0';
            offer(l, word, NULL);
        }
        at += size;
    }
}

static void offer_options(line *l) {
    gw_globals globals;
    if (l->command != NULL)
        offer_table(l, (gw_option_set){l->command->options, l->command->option_count, NULL});
    if (l->command != NULL && l->command->hands_on)
        offer_usage_options(l);
    else
        offer_table(l, gw_help_globals(&globals));
}

// The word at `index` among those of a usage line that are no options: "DATASET" of "DATASET [INDICATOR] [--by A,B]".
static bool usage_word(const char *usage, size_t index, char word[WORD_MAX]) {
    bool is_value = false; // of an option before it
    while (*usage != '\0') {
        size_t size = strcspn(usage, " "), skip = strspn(usage, "[");
        const char *text = usage + skip;
        size_t length = size - skip;
        while (length > 0 && strchr("].", text[length - 1]) != NULL)
            length--;
        bool is_option = begins(text, "-");
        bool is_word = !is_option && !is_value && length > 0 && text[0] != '|';
        is_value = is_option && usage[size - 1] != ']';
        if (is_word && index-- == 0 && length < WORD_MAX) {
            memcpy(word, text, length);
            word[length] = '\0';
            return true;
        }
        usage += size + strspn(usage + size, " ");
    }
    return false;
}

static void offer_words(line *l) {
    char word[WORD_MAX];
    if (!usage_word(l->command->arguments, l->positional_count, word))
        return;
    if (strcmp(word, "DATASET") == 0)
        offer_datasets(l);
    else if (strcmp(word, "INDICATOR") == 0)
        offer_indicators(l);
    else if (strstr(word, "FILE") != NULL || strstr(word, "DIR") != NULL)
        offer_files(l);
    else if (strchr(word, '|') != NULL)
        offer_choices(l, word);
}

// First words of all commands, each once; or the second words of a family.
static void offer_commands(line *l) {
    char before[WORD_MAX] = "";
    size_t skip = l->family == NULL ? 0 : strlen(l->family) + 1;
    for (size_t i = 0; i < l->cli->command_count; i++) {
        const gw_command *command = l->cli->commands[i];
        if (command->group == NULL ||
            (skip > 0 && (!begins(command->name, l->family) || command->name[skip - 1] != ' ')))
            continue;
        char word[WORD_MAX];
        size_t size = strcspn(command->name + skip, " ");
        gw_ignore(snprintf(word, sizeof(word), "%.*s", (int)size, command->name + skip)); // names are short
        if (strcmp(word, before) != 0)
            offer(l, word, command->name[skip + size] == '\0' ? command->summary : NULL);
        gw_ignore(snprintf(before, sizeof(before), "%s", word)); // as above
    }
    if (skip == 0 && !l->is_help)
        offer(l, "help", "what a command takes");
}

// ---- reading what was typed

static const gw_option *option_find(const line *l, const char *word, gw_globals *globals) {
    gw_option_set sets[] = {
        gw_help_globals(globals),
        {l->command == NULL ? NULL : l->command->options, l->command == NULL ? 0 : l->command->option_count, NULL}};
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < sets[s].count; i++) {
            const gw_option *option = &sets[s].options[i];
            bool is_long = begins(word, "--") && strcmp(word + 2, option->name) == 0;
            if (is_long || (option->letter != 0 && word[1] == option->letter && word[2] == '\0'))
                return option;
        }
    return NULL;
}

static void word_read(line *l, const char *word) {
    char name[2 * WORD_MAX];
    if (l->command != NULL) {
        if (l->positional_count < GW_WORDS_MAX)
            l->positional[l->positional_count++] = word;
        return;
    }
    if (l->family == NULL && strcmp(word, "help") == 0) {
        l->is_help = true;
        return;
    }
    bool is_short = snprintf(name, sizeof(name), "%s%s%s", l->family == NULL ? "" : l->family,
                             l->family == NULL ? "" : " ", word) < (int)sizeof(name);
    l->command = is_short ? gw_cli_find(l->cli, name) : NULL;
    if (l->command == NULL)
        l->family = word;
}

static void profile_note(line *l, const gw_option *option, const char *value) {
    if (strcmp(option->name, "as") == 0)
        l->cli->globals.as = value;
    else if (strcmp(option->name, "config") == 0)
        l->cli->globals.config = value;
}

static void line_read(line *l, int argc, char *const *argv) {
    gw_globals globals;
    for (int i = 0; i + 1 < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            word_read(l, argv[i]);
            continue;
        }
        const gw_option *option = option_find(l, argv[i], &globals);
        if (option == NULL || option->kind == GW_OPTION_FLAG)
            continue;
        if (i + 2 == argc)
            l->option = option;
        else
            profile_note(l, option, argv[++i]);
    }
}

void gw_complete(gw_cli *cli, int argc, char *const *argv, gw_buffer *ret_lines) {
    GW_CLEANUP(line_done) line l = {.cli = cli, .typed = argc == 0 ? "" : argv[argc - 1], .out = ret_lines};
    line_read(&l, argc, argv);
    if (l.option != NULL)
        offer_value(&l, l.option);
    else if (l.typed[0] == '-')
        offer_options(&l);
    else if (l.command == NULL)
        offer_commands(&l);
    else if (!l.is_help)
        offer_words(&l);
}
