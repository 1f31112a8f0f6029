// SPDX-License-Identifier: Apache-2.0
// Settings: what holds where the command line says nothing. In this order: options, environment, the project's file
// (godwit.json or .godwit.json, in this folder or one above), the user's (~/.config/godwit/config.json), the machine's
// (/etc/godwit/config.json). Secrets are never settings: a profile names the file of its key.
//   {"godwit_settings":1,"profile":"profiles/anna.json","output":"csv","timeout":30,"color":"never"}
// Thread safety: one owner; loading reads the environment.   Depends on: wire/json.h, base.
#pragma once
#include "service/base/problem.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef enum {
    GW_SETTING_PROFILE, // path of the profile's file; in a settings file relative to that file's folder
    GW_SETTING_AS,      // the name of a profile in the profiles folder
    GW_SETTING_OUTPUT,
    GW_SETTING_TIMEOUT, // seconds
    GW_SETTING_PAGER,   // a program to run: never from a project's file
    GW_SETTING_COLOR,   // "auto" or "never"
} gw_setting;
#define GW_SETTING_COUNT 6

typedef enum {
    GW_FROM_DEFAULT,
    GW_FROM_SYSTEM,
    GW_FROM_USER,
    GW_FROM_PROJECT,
    GW_FROM_ENVIRONMENT,
    GW_FROM_OPTION
} gw_from;

typedef struct {
    const char *name;     // in a file: "output"
    const char *variable; // "GODWIT_OUTPUT"
    const char *option;   // "--output"
    const char *initial;  // what holds where nothing says otherwise; NULL: nothing
    const char *help;
} gw_setting_info;
const gw_setting_info *gw_setting_info_of(gw_setting setting);

// Where to look; tests give their own.
typedef struct {
    const char *folder; // where the command was called
    const char *user;   // "/home/anna/.config/godwit"; NULL: none
    const char *system; // "/etc/godwit"
    uid_t uid;          // a project's file must be this user's or root's
    char *(*environment)(const char *name);
} gw_settings_places;
#define GW_SETTINGS_PATH 4096
typedef struct {
    char folder[GW_SETTINGS_PATH], user[GW_SETTINGS_PATH];
} gw_settings_rooms; // the texts of the usual places
gw_settings_places gw_settings_usual(gw_settings_rooms *rooms);

typedef enum { GW_SETTINGS_ABSENT, GW_SETTINGS_READ, GW_SETTINGS_FOREIGN, GW_SETTINGS_WRONG } gw_settings_state;
typedef struct {
    gw_from from;
    char path[GW_SETTINGS_PATH]; // "" for a project without a file
    gw_settings_state state;     // FOREIGN: somebody else's, not read
    gw_problem problem;          // of WRONG
} gw_settings_file;
#define GW_SETTINGS_FILES 3 // system, user, project

typedef struct gw_settings gw_settings;
// Reads all files that are there. Each file's problem is kept beside it; the first (nearest) one is also returned, with
// the settings still set, so that `config check` can show them all. Codes: as json.h, and setting_value,
// setting_secret.
GW_MUST_CHECK gw_status gw_settings_load(const gw_settings_places *places, gw_settings **ret, gw_problem *ret_problem);
void gw_settings_free(gw_settings *settings); // accepts NULL
const gw_settings_file *gw_settings_file_at(const gw_settings *settings, size_t index);

typedef struct {
    const char *value; // NULL: nothing holds
    gw_from from;
    const char *place; // the file, variable or option; "" for a default
} gw_setting_value;
// `profile` and `as` both say whose profile it is: whichever of the two is nearer hides the other.
gw_setting_value gw_settings_get(const gw_settings *settings, gw_setting setting);
// An option of the command line: above everything else. `value` is borrowed.
void gw_settings_override(gw_settings *settings, gw_setting setting, const char *value);
// Lends what files say to the environment of this process, where neither the environment nor an option says otherwise:
// every reader of the environment, and every program started from here, then sees one and the same.
void gw_settings_lend(const gw_settings *settings);
