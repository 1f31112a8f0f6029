// SPDX-License-Identifier: Apache-2.0
// From argv to a command: global options stand before or behind the command's name; unknown words get the nearest one.
#include "client/cli/cli.h"
#include "client/cli/help.h"
#include "client/cli/numbers.h"
#include "client/cli/pager.h"
#include "client/cli/settings.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MAX 80u
#define WIDTH_MIN 40u
#define NAME_MAX_BYTES 64u
#define COMMANDS_MAX 128u
#define FORMATS_MAX 16u
#define TIMEOUT_MS_DEFAULT 120000
#define TIMEOUT_SECONDS_MAX 86400

static unsigned terminal_width(FILE *stream) {
    const char *columns = getenv("COLUMNS");
    unsigned long width = columns == NULL ? 0 : strtoul(columns, NULL, 10);
    struct winsize size;
    if (width == 0 && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width == 0 || width > WIDTH_MAX)
        return WIDTH_MAX;
    return width < WIDTH_MIN ? WIDTH_MIN : (unsigned)width;
}

void gw_cli_init(gw_cli *cli, const gw_command *const *commands, size_t command_count) {
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    *cli = (gw_cli){.in = stdin, .out = stdout, .err = stderr, .commands = commands, .command_count = command_count};
    cli->in_is_terminal = isatty(STDIN_FILENO) == 1;
    cli->out_is_terminal = isatty(STDOUT_FILENO) == 1;
    cli->err_is_terminal = isatty(STDERR_FILENO) == 1;
    cli->has_colour = (no_colour == NULL || no_colour[0] == '\0') && terminal != NULL && strcmp(terminal, "dumb") != 0;
    cli->is_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    cli->width = cli->out_is_terminal ? terminal_width(stdout) : WIDTH_MAX;
    cli->timeout_ms = TIMEOUT_MS_DEFAULT;
    cli->format = gw_format_find("table");
    gw_numbers_of_locale("", cli->is_unicode, &cli->numbers);
}

const gw_command *gw_cli_find(const gw_cli *cli, const char *name) {
    for (size_t i = 0; i < cli->command_count; i++)
        if (strcmp(cli->commands[i]->name, name) == 0)
            return cli->commands[i];
    return NULL;
}

static bool is_family(const gw_cli *cli, const char *word) {
    size_t size = strlen(word);
    for (size_t i = 0; i < cli->command_count; i++)
        if (strncmp(cli->commands[i]->name, word, size) == 0 && cli->commands[i]->name[size] == ' ')
            return true;
    return false;
}

// The names a word could have meant: first words of all commands, or second words of one family.
static const char *nearest_name(const gw_cli *cli, const char *family, const char *word) {
    static const char *const other_names[][2] = {
        {"catalog", "catalogue"}, {"ask", "query"}, {"price", "cost"}, {"key", "keys"}, {"log", "audit log"}};
    if (family == NULL)
        for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++)
            if (strcmp(word, other_names[i][0]) == 0)
                return other_names[i][1];
    const char *names[COMMANDS_MAX];
    size_t count = 0, skip = family == NULL ? 0 : strlen(family) + 1;
    for (size_t i = 0; i < cli->command_count && count < COMMANDS_MAX; i++) {
        const char *name = cli->commands[i]->name;
        if (family == NULL || (strncmp(name, family, skip - 1) == 0 && name[skip - 1] == ' '))
            names[count++] = name + skip;
    }
    return gw_nearest(word, names, count);
}

static gw_exit_code unknown_command(gw_cli *cli, const char *family, const char *word) {
    gw_problem problem;
    gw_ignore(
        gw_problem_set(&problem, GW_INVALID, "unknown_command", "", "", "godwit help")); // returns what it is given
    const char *nearest = nearest_name(cli, family, word);
    gw_problem_what(&problem, "There is no command \"%s%s%.64s\".", family == NULL ? "" : family,
                    family == NULL ? "" : " ", word);
    if (nearest != NULL)
        gw_problem_mend(&problem, "Did you mean \"godwit %s%s%s\"?", family == NULL ? "" : family,
                        family == NULL ? "" : " ", nearest);
    else if (family != NULL)
        gw_problem_mend(&problem, "godwit help %s", family);
    return gw_fail(cli, &problem);
}

static gw_status format_unknown(const char *name, gw_problem *ret_problem) {
    const char *names[FORMATS_MAX];
    gw_buffer list;
    gw_buffer_init(&list, FORMATS_MAX * NAME_MAX_BYTES);
    size_t count = gw_format_count();
    GW_ASSERT(count <= FORMATS_MAX);
    for (size_t i = 0; i < count; i++) {
        names[i] = gw_format_at(i)->name;
        gw_buffer_format(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", names[i]);
    }
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "option_value", "", "", "-o csv");
    const char *nearest = gw_nearest(name, names, count);
    gw_problem_what(ret_problem, "There is no output called \"%.64s\".", name);
    gw_problem_why(ret_problem, "An output is %s.", gw_buffer_string(&list));
    if (nearest != NULL)
        gw_problem_mend(ret_problem, "Did you mean -o %s?", nearest);
    gw_buffer_done(&list);
    return status;
}

static gw_status format_unfit(const gw_command *command, const gw_format *format, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "output_unfit", "", "", "-o csv");
    gw_problem_what(ret_problem, "\"godwit %s\" can't be written as %s.", command->name, format->name);
    gw_problem_why(ret_problem, "%s holds the figures of an answer, and nothing else.", format->name);
    return status;
}

// A format from the environment is a preference, one from the command line an order.
static gw_status format_choose(gw_cli *cli, const gw_command *command, gw_problem *ret_problem) {
    const char *named = cli->globals.output, *preferred = getenv("GODWIT_OUTPUT");
    const char *name = named != NULL ? named : preferred;
    cli->format = gw_format_find(cli->out_is_terminal ? "table" : "csv");
    if (name != NULL && name[0] != '\0') {
        const gw_format *format = gw_format_find(name);
        if (format == NULL)
            return format_unknown(name, ret_problem);
        bool is_fit = format->grid != NULL || command->says_figures;
        if (!is_fit && named != NULL)
            return format_unfit(command, format, ret_problem);
        cli->format = is_fit ? format : cli->format;
    }
    cli->output = (gw_output)cli->format->layout;
    return GW_OK;
}

static gw_status globals_apply(gw_cli *cli, const gw_command *command, gw_problem *ret_problem) {
    gw_status status = format_choose(cli, command, ret_problem);
    if (status != GW_OK)
        return status;
    const char *timeout = cli->globals.timeout != NULL ? cli->globals.timeout : getenv("GODWIT_TIMEOUT");
    if (timeout != NULL && timeout[0] != '\0') {
        char *end;
        long seconds = strtol(timeout, &end, 10);
        if (end == timeout || *end != '\0' || seconds < 1 || seconds > TIMEOUT_SECONDS_MAX)
            return gw_problem_set(ret_problem, GW_INVALID, "option_value",
                                  "A timeout is a number of seconds, from 1 to 86400.", "", "--timeout 30");
        cli->timeout_ms = (int)(seconds * 1000);
    }
    if (cli->globals.no_color)
        cli->has_colour = false;
    return GW_OK;
}

GW_DEFINE_FREEP(gw_settings, gw_settings_free)

// What files say holds where neither the command line nor the environment says otherwise.
static gw_status settings_lend(gw_cli *cli, const gw_command *command, gw_settings **ret_settings,
                               gw_problem *ret_problem) {
    gw_settings_rooms rooms;
    gw_settings_places places = gw_settings_usual(&rooms);
    gw_status status = gw_settings_load(&places, ret_settings, ret_problem);
    gw_settings *settings = *ret_settings;
    if (settings == NULL || (status != GW_OK && !command->reads_settings))
        return status;
    gw_settings_override(settings, GW_SETTING_PROFILE, cli->globals.config);
    gw_settings_override(settings, GW_SETTING_AS, cli->globals.as);
    gw_settings_override(settings, GW_SETTING_OUTPUT, cli->globals.output);
    gw_settings_override(settings, GW_SETTING_TIMEOUT, cli->globals.timeout);
    gw_settings_override(settings, GW_SETTING_COLOR, cli->globals.no_color ? "never" : NULL);
    gw_settings_lend(settings);
    if (strcmp(gw_settings_get(settings, GW_SETTING_COLOR).value, "never") == 0)
        cli->has_colour = false;
    cli->settings = settings;
    return GW_OK;
}

static gw_exit_code words_wrong(gw_cli *cli, const gw_command *command, size_t count) {
    gw_problem problem;
    gw_ignore(gw_problem_set(&problem, GW_INVALID, "words", "", "", "")); // returns what it is given
    gw_problem_what(&problem,
                    count < command->words_min ? "Something is missing behind \"godwit %s\"."
                                               : "There are too many words behind \"godwit %s\".",
                    command->name);
    gw_problem_why(&problem, "The command is: godwit %s%s%s", command->name, command->arguments[0] == '\0' ? "" : " ",
                   command->arguments);
    gw_problem_mend(&problem, "godwit help %s", command->name);
    return gw_fail(cli, &problem);
}

static gw_exit_code command_run(gw_cli *cli, const gw_command *command, int argc, char **argv) {
    cli->argc = argc;
    cli->argv = argv;
    gw_words words = {0};
    gw_problem problem;
    if (command->hands_on) {
        // The other program reads its own options; only help is ours.
        bool wants_help = cli->globals.help || (argc == 1 && strcmp(argv[0], "--help") == 0);
        return wants_help ? gw_help_command(cli, command) : command->run(cli, NULL, &words);
    }
    GW_CLEANUP(gw_settings_freep) gw_settings *settings = NULL;
    GW_CLEANUP(gw_freep) void *options = calloc(1, command->options_size == 0 ? 1 : command->options_size);
    GW_ASSERT(options != NULL);
    gw_option_set sets[] = {{command->options, command->option_count, options}, gw_help_globals(&cli->globals)};
    int read;
    gw_status status = gw_options_read(sets, 2, argc, argv, false, &words, &read, &problem);
    if (status == GW_OK && !cli->globals.help)
        status = settings_lend(cli, command, &settings, &problem);
    if (status == GW_OK)
        status = globals_apply(cli, command, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->globals.help)
        return gw_help_command(cli, command);
    if (words.count < command->words_min || words.count > command->words_max)
        return words_wrong(cli, command, words.count);
    if (command->is_paged)
        gw_pager_begin(cli);
    gw_exit_code code = command->run(cli, options, &words);
    gw_pager_end(cli);
    return code;
}

static gw_exit_code help_run(gw_cli *cli, int argc, char **argv) {
    char name[2 * NAME_MAX_BYTES + 2];
    if (argc == 0)
        return gw_help_overview(cli);
    gw_ignore(
        snprintf(name, sizeof(name), "%.64s%s%.64s", argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "")); // bounded
    const gw_command *command = gw_cli_find(cli, name);
    if (command != NULL)
        return gw_help_command(cli, command);
    if (argc == 1 && is_family(cli, argv[0]))
        return gw_help_family(cli, argv[0]);
    if (argc > 1 && is_family(cli, argv[0]))
        return unknown_command(cli, argv[0], argv[1]);
    return unknown_command(cli, NULL, argv[0]);
}

gw_exit_code gw_cli_run(gw_cli *cli, int argc, char **argv) {
    gw_option_set set = gw_help_globals(&cli->globals);
    gw_words none;
    gw_problem problem;
    int read;
    if (gw_options_read(&set, 1, argc, argv, true, &none, &read, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    argc -= read;
    argv += read;
    if (argc == 0)
        return gw_help_overview(cli);
    if (strcmp(argv[0], "help") == 0)
        return help_run(cli, argc - 1, argv + 1);
    if (is_family(cli, argv[0])) {
        if (argc == 1 || argv[1][0] == '-')
            return gw_help_family(cli, argv[0]);
        char name[2 * NAME_MAX_BYTES + 2];
        gw_ignore(snprintf(name, sizeof(name), "%.64s %.64s", argv[0], argv[1])); // a longer name is no command's
        const gw_command *command = gw_cli_find(cli, name);
        return command == NULL ? unknown_command(cli, argv[0], argv[1]) : command_run(cli, command, argc - 2, argv + 2);
    }
    const gw_command *command = gw_cli_find(cli, argv[0]);
    return command == NULL || strchr(argv[0], ' ') != NULL ? unknown_command(cli, NULL, argv[0])
                                                           : command_run(cli, command, argc - 1, argv + 1);
}
