// SPDX-License-Identifier: Apache-2.0
// The daemon's settings: one table of name, type, range, default and help, which parses config.json, prints
// `godwitd help config` and fills the man page.
// Thread safety: immutable after load.   Depends on: base, wire/json.h.
#pragma once
#include "service/wire/json.h"

#include <stdio.h>

#define GW_LISTEN_MAX 8
#define GW_SETTINGS_MAX 24

typedef enum { GW_ORIGIN_DEFAULT, GW_ORIGIN_FILE, GW_ORIGIN_ENVIRONMENT, GW_ORIGIN_FLAG } gw_config_origin;
typedef struct {
    char folder[4096]; // the state folder, absolute
    char origin[128];
    char admin[33]; // principal that local commands of the operator act as; its key is profiles/admin.key
    char listen[GW_LISTEN_MAX][512];
    size_t listen_count;
    char share[4096];       // holds indicators/ and codelists/
    char hwm[4096];         // "" = <folder>/hwm
    char signer[108];       // socket of a godwit-signer of its own; "" = a child with <folder>/keys
    char witnesses[4096];   // file of trusted witnesses and their quorum, "" = none
    int64_t witness_strict; // 1: nothing leaves without their quorum
    int64_t witness_timeout_ms;
    char log_level[8];       // error, warn, info, debug
    int64_t release_tick_ms; // 0 = off
    int64_t workers;
    int64_t engine_children;
    int64_t engine_threads;
    int64_t engine_memory_mb;
    int64_t rate_requests_per_minute;          // 0: no limit
    int64_t rate_free_ms_per_minute;           // 0: no limit
    gw_config_origin origins[GW_SETTINGS_MAX]; // where each setting of the table comes from
} gw_config;

// The path of another program of this installation: godwit-engine, godwit-signer.
void gw_program_beside(const char *name, char *ret_path, size_t size);
// Defaults for a state folder; `share` is found beside the program.
void gw_config_default(const char *folder, gw_config *ret);
// The state folder where none is named: here, or ./state where that is one and here is none.
const char *gw_config_folder(void);
GW_MUST_CHECK gw_status gw_config_load(const char *folder, gw_config *ret, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_config_save(const gw_config *config, gw_problem *ret_problem);
void gw_config_help(FILE *out); // the table, at 80 columns
// Every number within its range, wherever it came from. Code: setting_range.
GW_MUST_CHECK gw_status gw_config_check(const gw_config *config, gw_problem *ret_problem);
// Remembers that the setting `name` of the table was given by `origin`.
void gw_config_note(gw_config *config, const char *name, gw_config_origin origin);

// The settings one by one, in the table's order; false past the last. Appends the value as JSON.
typedef struct {
    const char *name, *unit;
    const char *origin; // "default", "config.json", "environment", "flag"
    bool is_reloadable;
} gw_config_setting;
bool gw_config_setting_at(const gw_config *config, size_t index, gw_config_setting *ret, gw_buffer *ret_value);

// Takes from `changed` what may change while the daemon runs, and names every difference: taken, or left for a restart.
typedef void (*gw_config_change_each)(void *state, const char *name, bool is_taken);
void gw_config_reload(gw_config *config, const gw_config *changed, gw_config_change_each each, void *state);
