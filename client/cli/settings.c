// SPDX-License-Identifier: Apache-2.0
// Looking up settings: one table of names, four layers, strict files.
#include "client/cli/settings.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX 65536u
#define FOLDERS_MAX 128u // levels searched upward; deeper trees have their file nearer
#define LAYER_COUNT 6u
#define TIMEOUT_SECONDS_MAX 86400

static const gw_setting_info infos[GW_SETTING_COUNT] = {
    [GW_SETTING_PROFILE] = {"profile", "GODWIT_PROFILE", "--config", NULL, "the profile: who I am and whom I ask"},
    [GW_SETTING_AS] = {"as", "GODWIT_AS", "--as", NULL, "the profile NAME.json of the profiles folder"},
    [GW_SETTING_OUTPUT] = {"output", "GODWIT_OUTPUT", "--output", NULL, "table on a terminal, csv in a pipe"},
    [GW_SETTING_TIMEOUT] = {"timeout", "GODWIT_TIMEOUT", "--timeout", "120", "seconds to wait for a reply"},
    [GW_SETTING_PAGER] = {"pager", "GODWIT_PAGER", "", NULL, "the program that shows long tables"},
    [GW_SETTING_COLOR] = {"color", "NO_COLOR", "--no-color", "auto", "auto or never"},
};

typedef struct {
    const char *value;
    const char *place;
} slot;

struct gw_settings {
    gw_settings_file files[GW_SETTINGS_FILES];
    gw_json *documents[GW_SETTINGS_FILES];
    char *texts[GW_SETTINGS_FILES][GW_SETTING_COUNT]; // resolved paths and numbers as text
    slot slots[LAYER_COUNT][GW_SETTING_COUNT];        // by gw_from
};

GW_DEFINE_FREEP(gw_settings, gw_settings_free)

const gw_setting_info *gw_setting_info_of(gw_setting setting) {
    return &infos[setting];
}

gw_settings_places gw_settings_usual(gw_settings_rooms *rooms) {
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int used = -1;
    if (getcwd(rooms->folder, sizeof(rooms->folder)) == NULL)
        rooms->folder[0] = '\0';
    if (config != NULL && config[0] == '/')
        used = snprintf(rooms->user, sizeof(rooms->user), "%s/godwit", config);
    else if (home != NULL && home[0] != '\0')
        used = snprintf(rooms->user, sizeof(rooms->user), "%s/.config/godwit", home);
    bool has_user = used > 0 && (size_t)used < sizeof(rooms->user);
    return (gw_settings_places){.folder = rooms->folder,
                                .user = has_user ? rooms->user : NULL,
                                .system = "/etc/godwit",
                                .uid = getuid(),
                                .environment = getenv};
}

// ---- one file

static void fail_value(gw_json_reader *reader, const gw_json_node *root, gw_setting setting, const char *why,
                       const char *mend) {
    gw_json_fail(reader, gw_json_member(root, infos[setting].name), "setting_value", "A setting cannot be used.", mend,
                 "\"%s\": %s", infos[setting].name, why);
}

// The words under which people look for a place for their secrets.
static bool secret_refuse(gw_json_reader *reader, const gw_json_node *root) {
    static const char *const words[] = {"key", "token", "password", "secret", "secret_key", "passphrase"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (gw_json_type_of(root) != GW_JSON_OBJECT || !gw_json_has(root, words[i]))
            continue;
        gw_json_fail(reader, gw_json_member(root, words[i]), "setting_secret", "A secret is never a setting.",
                     "Take it out; name the profile instead: \"profile\": \"profiles/anna.json\"",
                     "\"%s\" stands here. A profile names the file of its key, which only its owner can read.",
                     words[i]);
        return true;
    }
    return false;
}

static const char *text_of(gw_json_reader *reader, const gw_json_node *root, gw_setting setting) {
    const char *text = gw_json_read_string(reader, root, infos[setting].name);
    if (text != NULL && (text[0] == '\0' || strlen(text) >= GW_SETTINGS_PATH))
        fail_value(reader, root, setting, "it is empty or too long.", "Leave it out, or write it whole.");
    return reader->status == GW_OK ? text : NULL;
}

// A path of a file is meant from where that file lies.
static char *path_resolve(const char *file, const char *path) {
    char joined[2 * GW_SETTINGS_PATH];
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || slash == NULL)
        return strdup(path);
    gw_ignore(snprintf(joined, sizeof(joined), "%.*s/%s", (int)(slash - file), file, path)); // both are bounded
    return strdup(joined);
}

static char *value_read(gw_json_reader *reader, const gw_json_node *root, gw_setting setting,
                        const gw_settings_file *file) {
    char number[24];
    switch (setting) {
    case GW_SETTING_TIMEOUT: {
        int64_t seconds = gw_json_read_integer(reader, root, infos[setting].name, 1, TIMEOUT_SECONDS_MAX);
        gw_ignore(snprintf(number, sizeof(number), "%lld", (long long)seconds)); // it fits
        return reader->status == GW_OK ? strdup(number) : NULL;
    }
    case GW_SETTING_COLOR: {
        const char *text = text_of(reader, root, setting);
        if (text != NULL && strcmp(text, "auto") != 0 && strcmp(text, "never") != 0)
            fail_value(reader, root, setting, "there are \"auto\" and \"never\".", "\"color\": \"never\"");
        return reader->status == GW_OK ? strdup(text) : NULL;
    }
    case GW_SETTING_PAGER:
        // Whoever may put a file into a folder must not choose what runs there.
        if (file->from == GW_FROM_PROJECT) {
            fail_value(reader, root, setting, "a project's file names no program to run.",
                       "Put it into ~/.config/godwit/config.json");
            return NULL;
        }
        break;
    case GW_SETTING_PROFILE: {
        const char *text = text_of(reader, root, setting);
        return text == NULL ? NULL : path_resolve(file->path, text);
    }
    case GW_SETTING_AS:
    case GW_SETTING_OUTPUT:
        break;
    }
    const char *text = text_of(reader, root, setting);
    return text == NULL ? NULL : strdup(text);
}

static void document_read(gw_settings *settings, size_t index, gw_json_reader *reader) {
    const char *allowed[GW_SETTING_COUNT + 2] = {"godwit_settings"};
    const gw_json_node *root = gw_json_root(settings->documents[index]);
    for (size_t i = 0; i < GW_SETTING_COUNT; i++)
        allowed[i + 1] = infos[i].name;
    if (secret_refuse(reader, root) || !gw_json_expect_object(reader, root, allowed))
        return;
    gw_json_read_integer(reader, root, "godwit_settings", 1, 1);
    for (size_t i = 0; i < GW_SETTING_COUNT && reader->status == GW_OK; i++)
        if (gw_json_has(root, infos[i].name))
            settings->texts[index][i] = value_read(reader, root, (gw_setting)i, &settings->files[index]);
}

static void layer_fill(gw_settings *settings, size_t index) {
    gw_settings_file *file = &settings->files[index];
    for (size_t i = 0; i < GW_SETTING_COUNT; i++)
        settings->slots[file->from][i] = (slot){settings->texts[index][i], file->path};
}

// A godwit.json that is a profile belongs to the search for profiles.
static bool is_profile(const gw_json *document) {
    const gw_json_node *root = gw_json_root(document);
    return gw_json_type_of(root) == GW_JSON_OBJECT && gw_json_has(root, "godwit_profile");
}

static void file_read(gw_settings *settings, size_t index) {
    gw_settings_file *file = &settings->files[index];
    gw_json_reader reader;
    gw_buffer text;
    gw_buffer_init(&text, FILE_BYTES_MAX);
    gw_status status = gw_file_read(file->path, &text, &file->problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(file->path), &settings->documents[index],
                               &file->problem);
    gw_buffer_done(&text);
    if (status == GW_NOT_FOUND)
        return;
    if (status == GW_OK && is_profile(settings->documents[index]) && file->from == GW_FROM_PROJECT) {
        file->path[0] = '\0';
        gw_json_free(settings->documents[index]); // the next file found takes its place
        settings->documents[index] = NULL;
        return;
    }
    if (status == GW_OK) {
        gw_json_reader_init(&reader, settings->documents[index]);
        document_read(settings, index, &reader);
        status = reader.status;
        if (status != GW_OK)
            file->problem = reader.problem;
    }
    file->state = status == GW_OK ? GW_SETTINGS_READ : GW_SETTINGS_WRONG;
    if (status == GW_OK)
        layer_fill(settings, index);
}

// ---- the search

// A file that others may write would say for us whom to ask.
static bool is_ours(const char *path, uid_t uid) {
    struct stat info;
    return stat(path, &info) == 0 && (info.st_uid == uid || info.st_uid == 0) && (info.st_mode & S_IWOTH) == 0;
}

static bool join(char path[GW_SETTINGS_PATH], const char *folder, const char *name) {
    int used = snprintf(path, GW_SETTINGS_PATH, "%s%s%s", strcmp(folder, "/") == 0 ? "" : folder, "/", name);
    return used > 0 && used < GW_SETTINGS_PATH;
}

static void project_find(gw_settings *settings, size_t index, const gw_settings_places *places) {
    static const char *const names[] = {"godwit.json", ".godwit.json"};
    gw_settings_file *file = &settings->files[index];
    char folder[GW_SETTINGS_PATH];
    if (snprintf(folder, sizeof(folder), "%s", places->folder) >= (int)sizeof(folder) || folder[0] != '/')
        return;
    for (size_t level = 0; level < FOLDERS_MAX; level++) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (!join(file->path, folder, names[i]) || access(file->path, F_OK) != 0)
                continue;
            if (!is_ours(file->path, places->uid)) {
                file->state = GW_SETTINGS_FOREIGN;
                return;
            }
            file_read(settings, index);
            if (file->path[0] != '\0')
                return;
        }
        char *slash = strrchr(folder, '/');
        if (slash == folder && folder[1] == '\0')
            break;
        slash[slash == folder ? 1 : 0] = '\0';
    }
    file->path[0] = '\0';
}

static void environment_read(gw_settings *settings, const gw_settings_places *places) {
    for (size_t i = 0; i < GW_SETTING_COUNT; i++) {
        const char *value = places->environment(infos[i].variable);
        if (value == NULL || value[0] == '\0')
            continue;
        settings->slots[GW_FROM_ENVIRONMENT][i] = (slot){i == GW_SETTING_COLOR ? "never" : value, infos[i].variable};
    }
}

gw_status gw_settings_load(const gw_settings_places *places, gw_settings **ret, gw_problem *ret_problem) {
    static const gw_from layers[GW_SETTINGS_FILES] = {GW_FROM_SYSTEM, GW_FROM_USER, GW_FROM_PROJECT};
    gw_settings *settings = calloc(1, sizeof(*settings));
    if (settings == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    for (size_t i = 0; i < GW_SETTINGS_FILES; i++)
        settings->files[i].from = layers[i];
    if (join(settings->files[0].path, places->system, "config.json"))
        file_read(settings, 0);
    if (places->user != NULL && join(settings->files[1].path, places->user, "config.json"))
        file_read(settings, 1);
    project_find(settings, 2, places);
    for (size_t i = 0; i < GW_SETTING_COUNT; i++)
        settings->slots[GW_FROM_DEFAULT][i] = (slot){infos[i].initial, ""};
    environment_read(settings, places);
    *ret = settings;
    for (size_t i = GW_SETTINGS_FILES; i > 0; i--)
        if (settings->files[i - 1].state == GW_SETTINGS_WRONG) {
            *ret_problem = settings->files[i - 1].problem;
            return ret_problem->status;
        }
    return GW_OK;
}

void gw_settings_free(gw_settings *settings) {
    if (settings == NULL)
        return;
    for (size_t i = 0; i < GW_SETTINGS_FILES; i++) {
        gw_json_free(settings->documents[i]);
        for (size_t k = 0; k < GW_SETTING_COUNT; k++)
            free(settings->texts[i][k]);
    }
    free(settings);
}

const gw_settings_file *gw_settings_file_at(const gw_settings *settings, size_t index) {
    return &settings->files[index];
}

void gw_settings_override(gw_settings *settings, gw_setting setting, const char *value) {
    if (value != NULL)
        settings->slots[GW_FROM_OPTION][setting] = (slot){value, infos[setting].option};
}

gw_setting_value gw_settings_get(const gw_settings *settings, gw_setting setting) {
    const gw_setting other = setting == GW_SETTING_PROFILE ? GW_SETTING_AS : GW_SETTING_PROFILE;
    bool is_choice = setting == GW_SETTING_PROFILE || setting == GW_SETTING_AS;
    for (size_t i = LAYER_COUNT; i > 0; i--) {
        const slot *layer = settings->slots[i - 1];
        // Within one layer a path says more than a name.
        bool is_hidden =
            is_choice && layer[other].value != NULL && (layer[setting].value == NULL || setting == GW_SETTING_AS);
        if (is_hidden)
            break;
        if (layer[setting].value != NULL)
            return (gw_setting_value){layer[setting].value, (gw_from)(i - 1), layer[setting].place};
    }
    return (gw_setting_value){NULL, GW_FROM_DEFAULT, ""};
}

void gw_settings_lend(const gw_settings *settings) {
    for (size_t i = 0; i < GW_SETTING_COUNT; i++) {
        gw_setting_value found = gw_settings_get(settings, (gw_setting)i);
        bool is_from_file = found.from >= GW_FROM_SYSTEM && found.from <= GW_FROM_PROJECT;
        if (!is_from_file || (i == GW_SETTING_COLOR && strcmp(found.value, "never") != 0))
            continue;
        gw_ignore(setenv(infos[i].variable, found.value, 1)); // without memory for it the default holds
    }
}
