// SPDX-License-Identifier: Apache-2.0
// A line on stderr that says something is going on: only on a terminal that can draw over it, only after 400 ms, gone
// when it is over. Thread safety: begin, step and end from one thread; a thread of its own draws.   Depends on:
// client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"
#include <stdint.h>

typedef struct gw_progress gw_progress;
gw_progress *gw_progress_begin(gw_cli *cli, const char *text); // NULL where nothing will be drawn; end accepts that
void gw_progress_step(void *progress, uint64_t done, uint64_t total); // a callback for long work; accepts NULL
void gw_progress_end(gw_progress *progress);
