// SPDX-License-Identifier: Apache-2.0
// Signals are taken one at a time by the main thread: SIGHUP reloads, SIGTERM and SIGINT drain. What the supervisor is
// told (ready, reloading, stopping, alive) is told from here.
#include "service/serve_command.h"

#include "service/arguments.h"
#include "service/base/file.h"
#include "service/base/log.h"
#include "service/definitions.h"
#include "service/load_command.h"
#include "service/notify.h"
#include "service/service.h"
#include "service/store/durable.h"
#include "service/tell.h"
#include "service/watchdog.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

const char gw_serve_help[] = "godwitd serve [--dir DIR] [OPTION]...\n"
                             "  answers questions until SIGTERM or SIGINT, which drain it; SIGHUP reloads;\n"
                             "  options go before what config.json says (godwitd help config), for one run\n\n"
                             "  --dir DIR              state folder (default: here, or ./state)\n"
                             "  --listen URL           ipc:///path or tcp://127.0.0.1:port; may be repeated\n"
                             "  --share DIR            folder with indicators/ and codelists/\n"
                             "  --hwm FILE             path of the high-water mark\n"
                             "  --signer PATH          socket of a godwit-signer of its own\n"
                             "  --log-level LEVEL      error, warn, info or debug\n"
                             "  --release-tick MS      0 turns the fixed reply times off\n"
                             "  --workers N            requests worked on at once\n"
                             "  --engine-children N    statements measured at once\n"
                             "  --engine-threads N     threads of each statement\n"
                             "  --engine-memory-mb MB  query memory of each child\n"
                             "  --help                 this page\n";
const char gw_reload_help[] = "godwitd reload [--dir DIR]\n"
                              "  has the running daemon read config.json and the indicators again: log level,\n"
                              "  release tick and the engine's limits change at once, questions under way are\n"
                              "  answered as they began; every other setting waits for a restart. What is\n"
                              "  wrong is told here, and then nothing changes.\n\n"
                              "  --dir DIR  state folder (default: here, or ./state)\n"
                              "  --help     this page\n";

// ---- serve

static gw_status settings_read(const gw_arguments *arguments, gw_config *ret, gw_problem *problem) {
    gw_status status = gw_config_load(arguments->dir, ret, problem);
    return status == GW_OK ? gw_arguments_apply(arguments, ret, problem) : status;
}

static void reload(gw_service *service, const gw_arguments *arguments) {
    static const char *const outcomes[] = {"reloaded", "reload_failed"};
    gw_config config;
    gw_problem problem = {0};
    gw_notify_reloading();
    gw_status status = settings_read(arguments, &config, &problem);
    if (status == GW_OK)
        status = gw_service_reload(service, &config, &problem);
    if (status == GW_OK)
        gw_log(GW_LOG_INFO, outcomes[0], NULL);
    else
        gw_log(GW_LOG_ERROR, outcomes[1], "code", problem.code, "what", problem.what, "why", problem.why, "mend",
               problem.mend, NULL);
    gw_notify("READY=1");
}

static uint64_t answered(void *state) {
    return gw_service_answered(state);
}

static gw_status watchdog_start(gw_service *service, const gw_config *config, gw_watchdog **ret, gw_problem *problem) {
    gw_watchdog_options options = {.url = gw_service_url(service, 0),
                                   .origin = config->origin,
                                   .patience_ms = gw_notify_watchdog_ms(),
                                   .progress = answered,
                                   .state = service};
    return options.patience_ms == 0 ? GW_OK : gw_watchdog_start(&options, ret, problem);
}

// GW_OK: it was told to stop. Otherwise it must not go on, and the problem says why.
static gw_status serve_until_told(gw_service *service, const gw_arguments *arguments, const sigset_t *signals,
                                  gw_problem *problem) {
    const struct timespec tick = {.tv_nsec = 200000000};
    for (;;) {
        gw_status status = gw_service_check(service, problem);
        if (status != GW_OK)
            return status;
        int number = sigtimedwait(signals, NULL, &tick);
        if (number == SIGTERM || number == SIGINT)
            return GW_OK;
        if (number == SIGHUP)
            reload(service, arguments);
        gw_service_tick(service);
    }
}

static void level_set(const gw_config *config) {
    gw_log_level level = GW_LOG_INFO;
    if (gw_log_level_parse(config->log_level, &level))
        gw_log_set_level(level);
}

int gw_serve_command(int argc, char **argv) {
    gw_arguments arguments;
    if (!gw_arguments_read(argc, argv, &arguments) || arguments.word_count != 0)
        return gw_usage("serve takes a state folder.", "godwitd serve --dir state; settings: godwitd help config");
    gw_config config;
    gw_problem problem = {0};
    gw_status status = settings_read(&arguments, &config, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    level_set(&config);
    // Every thread inherits the block, so that signals come to sigtimedwait and nowhere else.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    char engine[PATH_MAX];
    gw_program_beside("godwit-engine", engine, sizeof engine);
    gw_service *service = NULL;
    gw_watchdog *watchdog = NULL;
    gw_service_options options = {.is_serving = true, .engine_program = engine};
    status = gw_service_open(&config, &options, &service, &problem);
    if (status == GW_OK)
        status = watchdog_start(service, &config, &watchdog, &problem);
    if (status != GW_OK) {
        gw_service_close(service);
        return gw_tell(status, &problem);
    }
    for (size_t i = 0; i < config.listen_count; i++)
        gw_log(GW_LOG_INFO, "listening", "url", gw_service_url(service, i), NULL);
    gw_notify("READY=1\nSTATUS=Answering questions.");
    status = serve_until_told(service, &arguments, &signals, &problem);
    gw_notify("STOPPING=1\nSTATUS=Answering what was accepted.");
    gw_log(GW_LOG_INFO, "draining", NULL);
    gw_watchdog_stop(watchdog);
    gw_service_close(service);
    gw_log(GW_LOG_INFO, "stopped", NULL);
    return status == GW_OK ? 0 : gw_tell(status, &problem);
}

// ---- reload

// The daemon of this folder: who holds the lock has written its number there.
static gw_status daemon_find(const gw_config *config, pid_t *ret_pid, gw_problem *problem) {
    char path[4200];
    snprintf(path, sizeof path, "%s/lock", config->folder);
    if (gw_durable_lock_holder(path, ret_pid) == GW_OK)
        return GW_OK;
    gw_problem_set(problem, GW_UNAVAILABLE, "not_running", "No daemon runs on this state folder.",
                   "It reads its settings when it starts.", "");
    gw_problem_mend(problem, "godwitd serve --dir %.250s", config->folder);
    return GW_UNAVAILABLE;
}

static gw_status reload_check(const gw_config *config, gw_problem *problem) {
    char folder[4200];
    gw_catalogue *catalogue = NULL;
    snprintf(folder, sizeof folder, "%s/indicators", config->share);
    gw_status status = gw_catalogue_load(folder, &catalogue, problem);
    if (status == GW_OK)
        status = gw_definitions_check(config->folder, catalogue, false, problem);
    gw_catalogue_free(catalogue);
    return status;
}

int gw_reload_command(int argc, char **argv) {
    gw_arguments arguments;
    if (!gw_arguments_read(argc, argv, &arguments) || arguments.word_count != 0)
        return gw_usage("reload takes a state folder.", "godwitd reload --dir state");
    gw_config config;
    gw_problem problem = {0};
    pid_t pid;
    gw_status status = settings_read(&arguments, &config, &problem);
    if (status == GW_OK)
        status = reload_check(&config, &problem);
    if (status == GW_OK)
        status = daemon_find(&config, &pid, &problem);
    if (status == GW_OK && kill(pid, SIGHUP) != 0)
        status = gw_problem_set(&problem, GW_DENIED, "not_yours", "The daemon cannot be told.",
                                "It runs as another user.", "Run this as that user: systemctl reload godwit");
    if (status != GW_OK)
        return gw_tell(status, &problem);
    printf("Asked the daemon (process %ld) to reload; its log says what changed.\n", (long)pid);
    return 0;
}
