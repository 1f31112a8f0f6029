// SPDX-License-Identifier: Apache-2.0
// config show, config check: which settings hold here, which file says so, and whether the files can be used.
#include "client/cli/commands.h"
#include "client/cli/profiles.h"
#include "client/cli/program.h"
#include "client/cli/say_grid.h"
#include "client/cli/settings.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    const char *dir;
    bool origin;
} config_options;
#define OPTION_DIR                                                                                                     \
    {                                                                                                                  \
        "dir", 0, GW_OPTION_TEXT, offsetof(config_options, dir), "DIR",                                                \
            "the settings of the service with this state folder"                                                       \
    }
static const gw_option options_of_show[] = {
    {"origin", 0, GW_OPTION_FLAG, offsetof(config_options, origin), NULL, "which file, variable or option says so"},
    OPTION_DIR,
};
static const gw_option options_of_check[] = {OPTION_DIR};

static const gw_grid_column columns[] = {{"setting", "SETTING", GW_ALIGN_LEFT, false},
                                         {"value", "VALUE", GW_ALIGN_LEFT, true},
                                         {"from", "FROM", GW_ALIGN_LEFT, true}};

static gw_exit_code service_ask(gw_cli *cli, const char *what, const config_options *options) {
    char *argv[8];
    size_t count = 0;
    argv[count++] = (char *)"godwitd"; // execvp takes char *, and changes none
    argv[count++] = (char *)"config";
    argv[count++] = (char *)what;
    if (options->origin)
        argv[count++] = (char *)"--origin";
    argv[count++] = (char *)"--dir";
    argv[count++] = (char *)options->dir;
    argv[count] = NULL;
    return gw_program_become(cli, "godwitd", argv);
}

static void from_say(const gw_setting_value *found, gw_buffer *text) {
    static const char *const layers[] = {
        [GW_FROM_DEFAULT] = "default",          [GW_FROM_SYSTEM] = "", [GW_FROM_USER] = "", [GW_FROM_PROJECT] = "",
        [GW_FROM_ENVIRONMENT] = "environment ", [GW_FROM_OPTION] = ""};
    gw_buffer_format(text, "%s%s", layers[found->from], found->place);
}

static void row_add(gw_grid *grid, const gw_settings *settings, gw_setting setting, bool has_origin) {
    gw_setting_value found = gw_settings_get(settings, setting);
    gw_buffer from;
    gw_buffer_init(&from, 2 * GW_SETTINGS_PATH);
    from_say(&found, &from);
    const char *row[] = {gw_setting_info_of(setting)->name, found.value, has_origin ? gw_buffer_string(&from) : NULL};
    gw_grid_add(grid, row);
    gw_buffer_done(&from);
}

static gw_exit_code show_run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    const config_options *options = state;
    gw_problem problem;
    if (options->dir != NULL)
        return service_ask(cli, "show", options);
    for (size_t i = GW_SETTINGS_FILES; i > 0; i--) {
        const gw_settings_file *file = gw_settings_file_at(cli->settings, i - 1);
        problem = file->problem;
        if (file->state == GW_SETTINGS_WRONG)
            return gw_fail(cli, &problem);
    }
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, options->origin ? 3 : 2);
    GW_ASSERT(grid != NULL);
    for (size_t i = 0; i < GW_SETTING_COUNT; i++)
        row_add(grid, cli->settings, (gw_setting)i, options->origin);
    return gw_say_grid(cli, grid);
}

// ---- check

static bool file_say(gw_cli *cli, const gw_settings_file *file) {
    static const char *const kinds[] = {[GW_FROM_DEFAULT] = "",
                                        [GW_FROM_SYSTEM] = "the machine's",
                                        [GW_FROM_USER] = "yours",
                                        [GW_FROM_PROJECT] = "the project's"};
    const char *kind = kinds[file->from];
    switch (file->state) {
    case GW_SETTINGS_ABSENT:
        if (file->path[0] == '\0')
            gw_say_verdict(cli, "OK", "no file of a project in this folder or above");
        else
            gw_say_verdict(cli, "OK", "%s (%s): none", file->path, kind);
        return true;
    case GW_SETTINGS_READ:
        gw_say_verdict(cli, "OK", "%s (%s)", file->path, kind);
        return true;
    case GW_SETTINGS_FOREIGN:
        gw_say_verdict(cli, "WARN",
                       "%s (%s) is not read: it belongs to somebody else, or everybody may write it. Mend: chmod o-w, "
                       "or a file of your own",
                       file->path, kind);
        return true;
    case GW_SETTINGS_WRONG:
        gw_say_verdict(cli, "FAIL", "%s: %s %s%s%s", file->path, file->problem.what, file->problem.why,
                       file->problem.mend[0] == '\0' ? "" : " Mend: ", file->problem.mend);
        return false;
    }
    return false;
}

static bool profile_say(gw_cli *cli) {
    gw_profile profile;
    gw_problem problem;
    if (gw_profiles_load(cli, &profile, &problem) == GW_OK) {
        gw_say_verdict(cli, "OK", "profile %s: %s at %s", profile.path, profile.origin, profile.url);
        return true;
    }
    bool is_none =
        strcmp(problem.code, "profile_missing") == 0 && cli->globals.config == NULL && cli->globals.as == NULL;
    gw_say_verdict(cli, is_none ? "WARN" : "FAIL", "profile: %s %s Mend: %s", problem.what, problem.why, problem.mend);
    return is_none;
}

static gw_exit_code check_run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    const config_options *options = state;
    if (options->dir != NULL)
        return service_ask(cli, "check", options);
    bool is_good = true;
    for (size_t i = GW_SETTINGS_FILES; i > 0; i--)
        is_good = file_say(cli, gw_settings_file_at(cli->settings, i - 1)) && is_good;
    is_good = profile_say(cli) && is_good;
    return is_good ? GW_EXIT_DONE : GW_EXIT_FOUND;
}

const gw_command gw_command_config_show = {
    .name = "config show",
    .group = "Operator",
    .arguments = "[--origin] [--dir DIR]",
    .summary = "the settings that hold here, and which file says so",
    .examples = "godwit config show\ngodwit config show --origin\ngodwit config show --dir state   (of a service)\n",
    GW_OPTIONS(options_of_show),
    .options_size = sizeof(config_options),
    .reads_settings = true,
    .run = show_run,
};
const gw_command gw_command_config_check = {
    .name = "config check",
    .group = "Operator",
    .arguments = "[--dir DIR]",
    .summary = "are the files of settings and the profile they name in order?",
    .examples = "godwit config check\ngodwit config check --dir state   (of a service)\n",
    GW_OPTIONS(options_of_check),
    .options_size = sizeof(config_options),
    .reads_settings = true,
    .run = check_run,
};
