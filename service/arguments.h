// SPDX-License-Identifier: Apache-2.0
// The options that godwitd's commands share, and how they override config.json for one run.
// Thread safety: one thread.   Depends on: config.h.
#pragma once
#include "service/config.h"

typedef struct {
    const char *dir, *origin, *share, *hwm, *signer, *witnesses;
    const char *listen[GW_LISTEN_MAX];
    size_t listen_count;
    const char *log_level;                                    // NULL: as configured
    bool is_here;                                             // init: a profile in the current folder too
    bool is_json;                                             // -o json
    long release_tick, workers, children, threads, memory_mb; // -1: as configured
    char **words;                                             // what is left of the arguments
    int word_count;
} gw_arguments;

// False where an option is unknown or its value cannot be used. Borrows `argv`, which it reorders.
bool gw_arguments_read(int argc, char **argv, gw_arguments *ret);
// Flags go before what config.json says; then every number is checked against its range (code setting_range).
GW_MUST_CHECK gw_status gw_arguments_apply(const gw_arguments *arguments, gw_config *config, gw_problem *ret_problem);
// Says on stderr how to mend a wrong command line; returns the exit code.
int gw_usage(const char *what, const char *mend);
