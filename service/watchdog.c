// SPDX-License-Identifier: Apache-2.0
// A thread that pings, and sleeps. It may hang where the bus does: then nobody is told, which is its purpose.
#include "service/watchdog.h"

#include "service/base/log.h"
#include "service/notify.h"
#include "service/ping.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STOP_SECONDS_MAX 5
#define TIMES_PER_PATIENCE 3 // one ping may be lost, and one may take its whole time

struct gw_watchdog {
    char url[512], origin[GW_ORIGIN_MAX];
    int64_t interval_ms;
    uint64_t (*progress)(void *state);
    void *state;
    uint64_t progress_last;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool is_stopping; // under `lock`
    bool is_done;     // the thread reads nothing any more
};

static bool is_answering(gw_watchdog *watchdog, gw_problem *problem) {
    gw_reply_status reply;
    uint64_t progress = watchdog->progress(watchdog->state);
    bool is_alive = gw_ping(watchdog->url, watchdog->origin, (int)watchdog->interval_ms, &reply, problem) == GW_OK &&
                    (reply != GW_REPLY_BUSY || progress != watchdog->progress_last);
    watchdog->progress_last = progress;
    return is_alive;
}

// False: it is time to stop.
static bool rest(gw_watchdog *watchdog) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until); // a clock that is set must not make it late
    until.tv_sec += (time_t)(watchdog->interval_ms / 1000);
    until.tv_nsec += (long)(watchdog->interval_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&watchdog->lock);
    int waited = 0;
    while (!watchdog->is_stopping && waited == 0)
        waited = pthread_cond_timedwait(&watchdog->told, &watchdog->lock, &until);
    bool is_stopping = watchdog->is_stopping;
    pthread_mutex_unlock(&watchdog->lock);
    return !is_stopping;
}

static void *watch(void *argument) {
    gw_watchdog *watchdog = argument;
    do {
        gw_problem problem = {0};
        if (is_answering(watchdog, &problem))
            gw_notify("WATCHDOG=1");
        else
            gw_log(GW_LOG_ERROR, "watchdog_silent", "url", watchdog->url, "code",
                   problem.code[0] ? problem.code : "busy", "why", problem.why, NULL);
    } while (rest(watchdog));
    pthread_mutex_lock(&watchdog->lock);
    watchdog->is_done = true;
    pthread_cond_signal(&watchdog->told);
    pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

gw_status gw_watchdog_start(const gw_watchdog_options *options, gw_watchdog **ret, gw_problem *ret_problem) {
    gw_watchdog *watchdog = calloc(1, sizeof *watchdog);
    if (!watchdog)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    snprintf(watchdog->url, sizeof watchdog->url, "%s", options->url);
    snprintf(watchdog->origin, sizeof watchdog->origin, "%s", options->origin);
    watchdog->interval_ms = options->patience_ms / TIMES_PER_PATIENCE;
    if (watchdog->interval_ms < 1)
        watchdog->interval_ms = 1;
    watchdog->progress = options->progress;
    watchdog->state = options->state;
    pthread_mutex_init(&watchdog->lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->told, &clock);
    pthread_condattr_destroy(&clock);
    sigset_t all, before; // signals are for the main thread
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int result = pthread_create(&watchdog->thread, NULL, watch, watchdog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        pthread_cond_destroy(&watchdog->told);
        pthread_mutex_destroy(&watchdog->lock);
        free(watchdog);
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "cannot_start", "The watchdog cannot start.",
                              "The system starts no more threads.", "");
    }
    *ret = watchdog;
    return GW_OK;
}

void gw_watchdog_stop(gw_watchdog *watchdog) {
    if (!watchdog)
        return;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_SECONDS_MAX;
    pthread_mutex_lock(&watchdog->lock);
    watchdog->is_stopping = true;
    pthread_cond_signal(&watchdog->told);
    int waited = 0;
    while (!watchdog->is_done && waited == 0)
        waited = pthread_cond_timedwait(&watchdog->told, &watchdog->lock, &until);
    bool is_done = watchdog->is_done;
    pthread_mutex_unlock(&watchdog->lock);
    if (!is_done) {
        pthread_detach(watchdog->thread); // it hangs in the bus, and its memory stays for what is left of the process
        return;
    }
    pthread_join(watchdog->thread, NULL);
    pthread_cond_destroy(&watchdog->told);
    pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
}
