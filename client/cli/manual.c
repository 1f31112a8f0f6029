// SPDX-License-Identifier: Apache-2.0
// The commands' part of godwit(1), as scdoc: from the tables that parse and print help, so that the page has every
// command and every option. The build calls it.
#include "client/cli/commands.h"
#include "client/cli/help.h"
#include <string.h>

#define PAGE_BYTES_MAX 1048576u

// What scdoc would take for emphasis stands for itself.
static void escape(gw_buffer *page, const char *text) {
    for (; *text != '\0'; text++) {
        if (strchr("_*\\`~", *text) != NULL)
            gw_buffer_text(page, "\\");
        gw_buffer_append(page, text, 1);
    }
}

static void option_say(gw_buffer *page, const gw_option *option) {
    if (option->letter != 0)
        gw_buffer_format(page, "*-%c*, ", option->letter);
    gw_buffer_format(page, "*--%s*", option->name);
    if (option->value != NULL) {
        gw_buffer_text(page, " ");
        escape(page, option->value);
    }
    gw_buffer_text(page, "\n\t");
    escape(page, option->help);
    gw_buffer_text(page, "\n\n");
}

static void command_say(gw_buffer *page, const gw_command *command) {
    gw_buffer_format(page, "## godwit %s\n\n*godwit %s* ", command->name, command->name);
    escape(page, command->arguments);
    gw_buffer_text(page, "\n\n");
    escape(page, command->summary);
    gw_buffer_text(page, ".");
    if (command->hands_on)
        gw_buffer_text(page, " Done by *godwitd*(8), which tells the options.");
    gw_buffer_format(page, "\n\n```\n%s```\n\n", command->examples);
    for (size_t i = 0; i < command->option_count; i++)
        option_say(page, &command->options[i]);
}

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    gw_globals globals;
    gw_buffer page;
    gw_buffer_init(&page, PAGE_BYTES_MAX);
    for (size_t i = 0; i < cli->command_count; i++)
        if (cli->commands[i]->group != NULL)
            command_say(&page, cli->commands[i]);
    gw_buffer_text(&page, "# OPTIONS OF EVERY COMMAND\n\n");
    gw_option_set set = gw_help_globals(&globals);
    for (size_t i = 0; i < set.count; i++)
        option_say(&page, &set.options[i]);
    gw_say_bytes(cli, gw_buffer_bytes(&page));
    gw_buffer_done(&page);
    return GW_EXIT_DONE;
}

// For the build: not for people, so no group shows it.
const gw_command gw_command_manual = {
    .name = "manual",
    .arguments = "",
    .summary = "the commands' part of the man page (for the build)",
    .examples = "godwit manual\n",
    .run = run,
};
