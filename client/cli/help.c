// SPDX-License-Identifier: Apache-2.0
// The texts of help.
#include "client/cli/help.h"
#include "service/base/check.h"
#include "service/format/text.h"
#include <string.h>

#define GROUP_COLUMN 14u
#define OPTION_COLUMN 25u

static const gw_option global_options[] = {
    {"config", 0, GW_OPTION_TEXT, offsetof(gw_globals, config), "FILE", "the profile to use: who I am and whom I ask"},
    {"as", 0, GW_OPTION_TEXT, offsetof(gw_globals, as), "NAME", "the profile NAME.json of the profiles folder"},
    {"output", 'o', GW_OPTION_TEXT, offsetof(gw_globals, output), "table|csv|json|ndjson|json-stat|sdmx-csv|md",
     "default: table on a terminal, csv in a pipe; json-stat and sdmx-csv only of an answer"},
    {"timeout", 0, GW_OPTION_TEXT, offsetof(gw_globals, timeout), "SECONDS", "how long to wait for a reply (120)"},
    {"no-color", 0, GW_OPTION_FLAG, offsetof(gw_globals, no_color), NULL, "no colours (also: NO_COLOR)"},
    {"no-pager", 0, GW_OPTION_FLAG, offsetof(gw_globals, no_pager), NULL,
     "long tables straight to the terminal (also: GODWIT_PAGER=cat)"},
    {"help", 'h', GW_OPTION_FLAG, offsetof(gw_globals, help), NULL, "this help"},
};
static const char *const groups[] = {"Start", "Data owner", "Researcher", "Auditor", "Identity", "Operator"};

gw_option_set gw_help_globals(gw_globals *globals) {
    return (gw_option_set){global_options, sizeof(global_options) / sizeof(global_options[0]), globals};
}

// "policy {check,sign}": the families of a group are told in one word.
static void group_say(gw_cli *cli, const char *group, gw_buffer *line) {
    const char *family = NULL;
    size_t family_size = 0;
    for (size_t i = 0; i < cli->command_count; i++) {
        const gw_command *command = cli->commands[i];
        if (command->group == NULL || strcmp(command->group, group) != 0)
            continue;
        size_t size = strcspn(command->name, " ");
        bool is_same = family != NULL && family_size == size && memcmp(family, command->name, size) == 0;
        if (family != NULL && !is_same)
            gw_buffer_text(line, "}");
        if (command->name[size] == '\0') {
            gw_buffer_format(line, "%s%s", line->size == 0 ? "" : "  ", command->name);
            family = NULL;
            continue;
        }
        if (is_same)
            gw_buffer_format(line, ",%s", command->name + size + 1);
        else
            gw_buffer_format(line, "%s%.*s {%s", line->size == 0 ? "" : "  ", (int)size, command->name,
                             command->name + size + 1);
        family = command->name;
        family_size = size;
    }
    if (family != NULL)
        gw_buffer_text(line, "}");
}

gw_exit_code gw_help_overview(gw_cli *cli) {
    gw_say_text(cli, "godwit - statistics about people, with protection that can be checked\n\n"
                     "Examples\n"
                     "  godwit demo                                       see everything in one minute\n"
                     "  godwit catalogue                                  what can be asked here\n"
                     "  godwit explain register employment_rate --by sex  what it means\n"
                     "  godwit cost register employment_rate --by sex     the price and the error first\n"
                     "  godwit query register employment_rate --by sex --epsilon 0.05 --max-cost 0.05\n"
                     "  godwit audit verify --log log/                    nothing left without a charge?\n"
                     "  godwit doctor                                     something is wrong here\n\n"
                     "Commands\n");
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        gw_buffer line, wrapped;
        gw_buffer_init(&line, 1024);
        gw_buffer_init(&wrapped, 2048);
        group_say(cli, groups[g], &line);
        if (line.size > 0) {
            gw_buffer_format(&wrapped, "  %-*s", (int)GROUP_COLUMN - 2, groups[g]);
            gw_text_wrap(&wrapped, gw_buffer_string(&line), cli->width, GROUP_COLUMN, GROUP_COLUMN);
            gw_say_text(cli, gw_buffer_string(&wrapped));
        }
        gw_buffer_done(&line);
        gw_buffer_done(&wrapped);
    }
    gw_say_text(cli, "\ngodwit help COMMAND tells more. Exit codes: 0 done, 1 failed, 2 usage,\n"
                     "3 refused by policy, 4 login or permission, 5 privacy budget, 6 tampered,\n"
                     "7 unreachable or not ready, 8 done in part, 9 a check found problems,\n"
                     "10 cannot check, 130 cancelled.\n");
    return GW_EXIT_DONE;
}

gw_exit_code gw_help_family(gw_cli *cli, const char *family) {
    size_t size = strlen(family);
    for (size_t i = 0; i < cli->command_count; i++) {
        const gw_command *command = cli->commands[i];
        if (strncmp(command->name, family, size) != 0 || command->name[size] != ' ')
            continue;
        gw_buffer text, wrapped;
        gw_buffer_init(&text, 4096);
        gw_buffer_init(&wrapped, 8192);
        gw_buffer_format(&text, "godwit %s%s%s", command->name, command->arguments[0] == '\0' ? "" : " ",
                         command->arguments);
        gw_text_wrap(&wrapped, gw_buffer_string(&text), cli->width, 0, 8);
        gw_buffer_text(&wrapped, "    ");
        gw_text_wrap(&wrapped, command->summary, cli->width, 4, 4);
        gw_say_text(cli, gw_buffer_string(&wrapped));
        gw_buffer_done(&text);
        gw_buffer_done(&wrapped);
    }
    gw_say(cli, "\ngodwit help %s COMMAND tells more.\n", family);
    return GW_EXIT_DONE;
}

static void options_say(gw_cli *cli, const gw_option *options, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char left[64];
        const gw_option *option = &options[i];
        char letter[] = "    ";
        if (option->letter != 0)
            gw_ignore(snprintf(letter, sizeof(letter), "-%c, ", option->letter)); // it fits
        int used = snprintf(left, sizeof(left), "  %s--%s%s%s", letter, option->name, option->value == NULL ? "" : " ",
                            option->value == NULL ? "" : option->value);
        gw_buffer text;
        gw_buffer_init(&text, 4096);
        gw_buffer_text(&text, left);
        bool is_short = used >= 0 && (unsigned)used + 2 <= OPTION_COLUMN;
        if (is_short)
            gw_buffer_format(&text, "%*s", (int)OPTION_COLUMN - used, "");
        else
            gw_buffer_format(&text, "\n%*s", (int)OPTION_COLUMN, "");
        gw_text_wrap(&text, option->help, cli->width, OPTION_COLUMN, OPTION_COLUMN);
        gw_say_text(cli, gw_buffer_string(&text));
        gw_buffer_done(&text);
    }
}

static void usage_say(gw_cli *cli, const gw_command *command) {
    gw_buffer line, wrapped;
    gw_buffer_init(&line, 4096);
    gw_buffer_init(&wrapped, 8192);
    gw_buffer_format(&line, "godwit %s%s%s", command->name, command->arguments[0] == '\0' ? "" : " ",
                     command->arguments);
    gw_buffer_text(&wrapped, "\nUsage\n  ");
    gw_text_wrap(&wrapped, gw_buffer_string(&line), cli->width, 2, 6);
    gw_say_text(cli, gw_buffer_string(&wrapped));
    gw_buffer_done(&line);
    gw_buffer_done(&wrapped);
}

gw_exit_code gw_help_command(gw_cli *cli, const gw_command *command) {
    gw_say_lines(cli, "godwit %s - %s", command->name, command->summary);
    gw_say_text(cli, "\nExamples\n");
    for (const char *line = command->examples; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        gw_say(cli, "  %.*s\n", (int)size, line);
        line += size + (line[size] == '\n' ? 1 : 0);
    }
    usage_say(cli, command);
    if (command->hands_on)
        return GW_EXIT_DONE;
    if (command->option_count > 0)
        gw_say_text(cli, "\nOptions\n");
    options_say(cli, command->options, command->option_count);
    gw_say_text(cli, "\nEverywhere\n");
    options_say(cli, global_options, sizeof(global_options) / sizeof(global_options[0]));
    return GW_EXIT_DONE;
}
