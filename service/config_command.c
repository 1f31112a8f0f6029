// SPDX-License-Identifier: Apache-2.0
// The one table of settings, printed.
#include "service/config_command.h"

#include "service/arguments.h"
#include "service/tell.h"

#include <stdio.h>
#include <string.h>

const char gw_config_help_text[] = "godwitd config show [--dir DIR] [--origin] [-o text|json]\n"
                                   "godwitd config check [--dir DIR]\n"
                                   "  show prints every setting as a daemon started now would have it; with\n"
                                   "  --origin also where it comes from: default, config.json, environment or\n"
                                   "  flag. check says OK, or what is wrong where and how to mend it. Takes the\n"
                                   "  options of serve; godwitd help config explains the settings.\n\n"
                                   "  --dir DIR  state folder (default: here, or ./state)\n"
                                   "  --origin   say where each setting comes from\n"
                                   "  -o json    for programs\n"
                                   "  --help     this page\n";

// Takes the word out of argv, because init has an --origin with a value.
static bool take_word(int *argc, char **argv, const char *word) {
    int kept = 0;
    for (int i = 0; i < *argc; i++)
        if (strcmp(argv[i], word) != 0)
            argv[kept++] = argv[i];
    bool was_there = kept != *argc;
    *argc = kept;
    return was_there;
}

static void show_text(const gw_config *config, bool with_origin) {
    gw_config_setting one;
    gw_buffer value;
    gw_buffer_init(&value, 65536);
    for (size_t i = 0; gw_config_setting_at(config, i, &one, &value); i++) {
        printf("%-24s %s", one.name, gw_buffer_string(&value));
        if (with_origin)
            printf("  (%s%s)", one.origin, one.is_reloadable ? "; reloadable" : "");
        printf("\n");
        gw_buffer_done(&value);
    }
    gw_buffer_done(&value);
}

static void show_json(const gw_config *config, bool with_origin) {
    gw_config_setting one;
    gw_buffer value;
    gw_buffer_init(&value, 65536);
    printf("{");
    for (size_t i = 0; gw_config_setting_at(config, i, &one, &value); i++) {
        printf("%s\n \"%s\": ", i ? "," : "", one.name);
        if (with_origin)
            printf("{\"value\": %s, \"origin\": \"%s\", \"reloadable\": %s}", gw_buffer_string(&value), one.origin,
                   one.is_reloadable ? "true" : "false");
        else
            printf("%s", gw_buffer_string(&value));
        gw_buffer_done(&value);
    }
    printf("}\n");
    gw_buffer_done(&value);
}

int gw_config_command(int argc, char **argv) {
    gw_arguments arguments;
    bool with_origin = take_word(&argc, argv, "--origin");
    bool is_read = gw_arguments_read(argc, argv, &arguments) && arguments.word_count == 1;
    bool is_show = is_read && strcmp(arguments.words[0], "show") == 0;
    if (!is_show && !(is_read && strcmp(arguments.words[0], "check") == 0))
        return gw_usage("config takes show or check.", "godwitd config show --origin --dir state");
    gw_config config;
    gw_problem problem = {0};
    gw_status status = gw_config_load(arguments.dir, &config, &problem);
    if (status == GW_OK)
        status = gw_arguments_apply(&arguments, &config, &problem);
    if (status != GW_OK) {
        int code = gw_tell(status, &problem);
        return is_show || status == GW_NOT_FOUND ? code : GW_EXIT_FOUND_PROBLEMS;
    }
    if (!is_show)
        printf("OK  %s/config.json\n", config.folder);
    else if (arguments.is_json)
        show_json(&config, with_origin);
    else
        show_text(&config, with_origin);
    return 0;
}
