// SPDX-License-Identifier: Apache-2.0
// The daemon's settings: one table of name, type, range, default and help, which parses config.json, prints
// `godwitd help config` and fills the man page.
// Thread safety: immutable after load.   Depends on: base, wire/json.h.
#pragma once
#include "service/wire/json.h"

#include <stdio.h>

#define GW_LISTEN_MAX 8
typedef struct {
    char folder[4096]; // the state folder, absolute
    char origin[128];
    char admin[33]; // principal that local commands of the operator act as; its key is profiles/admin.key
    char listen[GW_LISTEN_MAX][512];
    size_t listen_count;
    char share[4096];        // holds indicators/ and codelists/
    char hwm[4096];          // "" = <folder>/hwm
    int64_t release_tick_ms; // 0 = off
    int64_t workers;
    int64_t engine_children;
    int64_t engine_threads;
    int64_t engine_memory_mb;
} gw_config;

// Defaults for a state folder; `share` is found beside the program.
void gw_config_default(const char *folder, gw_config *ret);
GW_MUST_CHECK gw_status gw_config_load(const char *folder, gw_config *ret, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_config_save(const gw_config *config, gw_problem *ret_problem);
void gw_config_help(FILE *out); // the table, at 80 columns
