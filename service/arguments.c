// SPDX-License-Identifier: Apache-2.0
// One table of options for all commands.
#include "service/arguments.h"

#include "service/base/log.h"
#include "service/tell.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_DIR = 256,
    OPTION_ORIGIN,
    OPTION_LISTEN,
    OPTION_SHARE,
    OPTION_HWM,
    OPTION_SIGNER,
    OPTION_TICK,
    OPTION_WORKERS,
    OPTION_CHILDREN,
    OPTION_THREADS,
    OPTION_MEMORY,
    OPTION_LEVEL,
    OPTION_HERE,
    OPTION_WITNESSES
};
static const struct option long_options[] = {
    {"dir", required_argument, NULL, OPTION_DIR},
    {"origin", required_argument, NULL, OPTION_ORIGIN},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"share", required_argument, NULL, OPTION_SHARE},
    {"hwm", required_argument, NULL, OPTION_HWM},
    {"signer", required_argument, NULL, OPTION_SIGNER},
    {"release-tick", required_argument, NULL, OPTION_TICK},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"engine-children", required_argument, NULL, OPTION_CHILDREN},
    {"engine-threads", required_argument, NULL, OPTION_THREADS},
    {"engine-memory-mb", required_argument, NULL, OPTION_MEMORY},
    {"log-level", required_argument, NULL, OPTION_LEVEL},
    {"witnesses", required_argument, NULL, OPTION_WITNESSES},
    {"here", no_argument, NULL, OPTION_HERE},
    {"output", required_argument, NULL, 'o'},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *text, long *ret) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end || value < 0)
        return false;
    *ret = value;
    return true;
}

static bool read_option(int option, gw_arguments *a) {
    switch (option) {
    case OPTION_DIR:
        a->dir = optarg;
        return true;
    case OPTION_HERE:
        a->is_here = true;
        return true;
    case OPTION_ORIGIN:
        a->origin = optarg;
        return true;
    case OPTION_SHARE:
        a->share = optarg;
        return true;
    case OPTION_HWM:
        a->hwm = optarg;
        return true;
    case OPTION_SIGNER:
        a->signer = optarg;
        return true;
    case OPTION_WITNESSES:
        a->witnesses = optarg;
        return true;
    case OPTION_LISTEN:
        if (a->listen_count == GW_LISTEN_MAX)
            return false;
        a->listen[a->listen_count++] = optarg;
        return true;
    case OPTION_LEVEL: {
        gw_log_level level;
        a->log_level = optarg;
        return gw_log_level_parse(optarg, &level);
    }
    case 'o':
        a->is_json = strcmp(optarg, "json") == 0;
        return a->is_json || strcmp(optarg, "text") == 0;
    case OPTION_TICK:
        return read_number(optarg, &a->release_tick);
    case OPTION_WORKERS:
        return read_number(optarg, &a->workers);
    case OPTION_CHILDREN:
        return read_number(optarg, &a->children);
    case OPTION_THREADS:
        return read_number(optarg, &a->threads);
    case OPTION_MEMORY:
        return read_number(optarg, &a->memory_mb);
    default:
        return false;
    }
}

bool gw_arguments_read(int argc, char **argv, gw_arguments *ret) {
    gw_arguments a = {
        .dir = gw_config_folder(), .release_tick = -1, .workers = -1, .children = -1, .threads = -1, .memory_mb = -1};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "o:", long_options, NULL)) != -1;)
        if (!read_option(option, &a))
            return false;
    a.words = argv + optind;
    a.word_count = argc - optind;
    *ret = a;
    return true;
}

static void apply_text(const char *value, const char *name, char *setting, size_t size, gw_config *config) {
    if (!value)
        return;
    snprintf(setting, size, "%s", value);
    gw_config_note(config, name, GW_ORIGIN_FLAG);
}

gw_status gw_arguments_apply(const gw_arguments *a, gw_config *config, gw_problem *ret_problem) {
    const struct {
        long value;
        int64_t *setting;
        const char *name;
    } numbers[] = {{a->release_tick, &config->release_tick_ms, "release_tick_ms"},
                   {a->workers, &config->workers, "workers"},
                   {a->children, &config->engine_children, "engine_children"},
                   {a->threads, &config->engine_threads, "engine_threads"},
                   {a->memory_mb, &config->engine_memory_mb, "engine_memory_mb"}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].value < 0)
            continue;
        *numbers[i].setting = numbers[i].value;
        gw_config_note(config, numbers[i].name, GW_ORIGIN_FLAG);
    }
    apply_text(a->share, "share", config->share, sizeof config->share, config);
    apply_text(a->hwm, "hwm", config->hwm, sizeof config->hwm, config);
    apply_text(a->signer, "signer", config->signer, sizeof config->signer, config);
    apply_text(a->witnesses, "witnesses", config->witnesses, sizeof config->witnesses, config);
    apply_text(a->log_level, "log_level", config->log_level, sizeof config->log_level, config);
    for (size_t i = 0; i < a->listen_count; i++)
        apply_text(a->listen[i], "listen", config->listen[i], sizeof config->listen[i], config);
    if (a->listen_count > 0)
        config->listen_count = a->listen_count;
    return gw_config_check(config, ret_problem);
}

int gw_usage(const char *what, const char *mend) {
    fprintf(stderr, "godwitd: %s\n  mend  %s\n  code  usage\n", what, mend);
    return GW_EXIT_USAGE;
}
