// SPDX-License-Identifier: Apache-2.0
// The drawing thread sleeps on a condition with a deadline, so that the end of the work ends it at once.
#include "client/cli/progress.h"
#include "service/base/check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DELAY_MS 400
#define PERIOD_MS 200
#define BAR_WIDTH 30u
#define BAR_WIDTH_NARROW 10u // on less than 60 columns, so that the line can be drawn over

struct gw_progress {
    gw_cli *cli;
    const char *text;
    pthread_t thread;
    _Atomic uint64_t done, total;
    pthread_mutex_t lock; // guards is_over
    pthread_cond_t changed;
    bool is_over;
};

static void draw(gw_progress *progress, unsigned seconds) {
    uint64_t done = atomic_load(&progress->done), total = atomic_load(&progress->total);
    if (total == 0) {
        gw_ignore(fprintf(progress->cli->err, "\r%s %u s ", progress->text, seconds)); // a lost drawing is no loss
    } else {
        unsigned width = progress->cli->width < 60 ? BAR_WIDTH_NARROW : BAR_WIDTH;
        unsigned full = (unsigned)((double)done / (double)total * width);
        char bar[BAR_WIDTH + 1];
        for (unsigned i = 0; i < width; i++)
            bar[i] = i < full ? '#' : '.';
        bar[width] = '\0';
        gw_ignore(fprintf(progress->cli->err, "\r%s [%s] %3.0f %% ", progress->text, bar, // as above
                          (double)done / (double)total * 100));
    }
    gw_ignore(fflush(progress->cli->err)); // as above
}

static void deadline_after(struct timespec *deadline, long ms) {
    deadline->tv_nsec += ms * 1000000L;
    deadline->tv_sec += deadline->tv_nsec / 1000000000L;
    deadline->tv_nsec %= 1000000000L;
}

static void *draw_until_over(void *state) {
    gw_progress *progress = state;
    struct timespec start, deadline;
    clock_gettime(CLOCK_MONOTONIC, &start);
    deadline = start;
    deadline_after(&deadline, DELAY_MS);
    bool is_drawn = false;
    pthread_mutex_lock(&progress->lock);
    while (!progress->is_over) {
        if (pthread_cond_timedwait(&progress->changed, &progress->lock, &deadline) == 0)
            continue;
        draw(progress, (unsigned)(deadline.tv_sec - start.tv_sec));
        is_drawn = true;
        deadline_after(&deadline, PERIOD_MS);
    }
    pthread_mutex_unlock(&progress->lock);
    if (is_drawn)
        gw_ignore(fprintf(progress->cli->err, "\r\033[K")); // a lost drawing is no loss
    return NULL;
}

gw_progress *gw_progress_begin(gw_cli *cli, const char *text) {
    const char *terminal = getenv("TERM");
    bool can_redraw = terminal != NULL && strcmp(terminal, "dumb") != 0;
    if (!cli->err_is_terminal || !can_redraw)
        return NULL;
    gw_progress *progress = calloc(1, sizeof(*progress));
    if (progress == NULL)
        return NULL;
    progress->cli = cli;
    progress->text = text;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&progress->thread, NULL, draw_until_over, progress) == 0)
        return progress;
    pthread_cond_destroy(&progress->changed);
    pthread_mutex_destroy(&progress->lock);
    free(progress);
    return NULL;
}

void gw_progress_step(void *state, uint64_t done, uint64_t total) {
    gw_progress *progress = state;
    if (progress == NULL)
        return;
    atomic_store(&progress->done, done);
    atomic_store(&progress->total, total);
}

void gw_progress_end(gw_progress *progress) {
    if (progress == NULL)
        return;
    pthread_mutex_lock(&progress->lock);
    progress->is_over = true;
    pthread_cond_signal(&progress->changed);
    pthread_mutex_unlock(&progress->lock);
    pthread_join(progress->thread, NULL);
    pthread_cond_destroy(&progress->changed);
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}
