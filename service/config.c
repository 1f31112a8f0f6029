// SPDX-License-Identifier: Apache-2.0
// config.json, driven by one table.
#include "service/config.h"

#include "service/base/file.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum { SETTING_TEXT, SETTING_NUMBER, SETTING_LIST } setting_type;
typedef struct {
    const char *name;
    setting_type type;
    size_t offset, size;
    int64_t min, max, initial;
    const char *unit, *help;
} setting;

#define TEXT(field) SETTING_TEXT, offsetof(gw_config, field), sizeof((gw_config *)0)->field, 0, 0, 0, ""
#define NUMBER(field, min, max, initial, unit)                                                                         \
    SETTING_NUMBER, offsetof(gw_config, field), sizeof(int64_t), min, max, initial, unit

static const setting settings[] = {
    {"origin", TEXT(origin), "name of the log and the service, e.g. nso.example/godwit"},
    {"admin", TEXT(admin), "principal that local operator commands act as"},
    {"listen", SETTING_LIST, offsetof(gw_config, listen), 0, 0, 0, 0, "",
     "addresses to listen on: ipc:///path, tcp://127.0.0.1:4711"},
    {"share", TEXT(share), "folder with indicators/ and codelists/"},
    {"hwm", TEXT(hwm), "path of the high-water mark; another disk is better; empty: in the state folder"},
    {"release_tick_ms", NUMBER(release_tick_ms, 0, 10000, 50, "ms"),
     "answers leave at multiples of this, fixed by plan and public sizes, so that time says nothing; 0 turns it off"},
    {"workers", NUMBER(workers, 1, 256, 64, "threads"), "requests worked on at once"},
    {"engine_children", NUMBER(engine_children, 1, 16, 2, "processes"), "statements measured at once"},
    {"engine_threads", NUMBER(engine_threads, 1, 64, 2, "threads"), "threads of each statement"},
    {"engine_memory_mb", NUMBER(engine_memory_mb, 64, 1048576, 512, "MB"), "query memory of each child"},
};
#define SETTING_COUNT (sizeof settings / sizeof settings[0])

static void share_beside_program(char share[4096]) {
    char program[PATH_MAX - 64];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    share[0] = '\0';
    if (size <= 0)
        return;
    program[size] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
    struct stat found;
    snprintf(share, 4096, "%.3900s/share/godwit", program);
    if (stat(share, &found) != 0)
        share[0] = '\0';
}

void gw_config_default(const char *folder, gw_config *ret) {
    memset(ret, 0, sizeof *ret);
    snprintf(ret->folder, sizeof ret->folder, "%s", folder);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings[i].type == SETTING_NUMBER)
            memcpy((char *)ret + settings[i].offset, &settings[i].initial, sizeof(int64_t));
    snprintf(ret->listen[0], sizeof ret->listen[0], "ipc://%.480s/godwit.sock", folder);
    ret->listen_count = 1;
    const char *share = getenv("GODWIT_SHARE");
    if (share)
        snprintf(ret->share, sizeof ret->share, "%s", share);
    else
        share_beside_program(ret->share);
}

static void read_list(gw_json_reader *reader, const gw_json_node *root, gw_config *config) {
    const gw_json_node *list = gw_json_read_array(reader, root, "listen");
    config->listen_count = 0;
    for (const gw_json_node *item = list ? gw_json_first(list) : NULL; item; item = gw_json_next(item)) {
        if (gw_json_type_of(item) != GW_JSON_STRING || config->listen_count == GW_LISTEN_MAX ||
            strlen(gw_json_string(item)) >= sizeof config->listen[0]) {
            gw_json_fail(reader, item, "wrong_type", "This address cannot be used.",
                         "Write up to 8 addresses like \"tcp://127.0.0.1:4711\".", "listen holds short texts.");
            return;
        }
        snprintf(config->listen[config->listen_count++], sizeof config->listen[0], "%s", gw_json_string(item));
    }
}

static void read_setting(gw_json_reader *reader, const gw_json_node *root, const setting *one, gw_config *config) {
    if (!gw_json_has(root, one->name))
        return;
    if (one->type == SETTING_LIST) {
        read_list(reader, root, config);
    } else if (one->type == SETTING_NUMBER) {
        int64_t value = gw_json_read_integer(reader, root, one->name, one->min, one->max);
        memcpy((char *)config + one->offset, &value, sizeof value);
    } else {
        const char *text = gw_json_read_string(reader, root, one->name);
        if (text && strlen(text) >= one->size)
            gw_json_fail(reader, gw_json_member(root, one->name), "wrong_type", "This setting is too long.",
                         "Shorten it.", "%s has room for %zu bytes.", one->name, one->size - 1);
        else if (text)
            snprintf((char *)config + one->offset, one->size, "%s", text);
    }
}

gw_status gw_config_load(const char *folder, gw_config *ret, gw_problem *ret_problem) {
    char path[4200], absolute[PATH_MAX];
    if (!realpath(folder, absolute)) {
        gw_problem_set(ret_problem, GW_NOT_FOUND, "no_state", "There is no state folder here.", "", "");
        gw_problem_why(ret_problem, "%s does not exist.", folder);
        gw_problem_mend(ret_problem, "godwitd init --dir %s --origin nso.example/godwit", folder);
        return GW_NOT_FOUND;
    }
    snprintf(path, sizeof path, "%s/config.json", absolute);
    gw_config_default(absolute, ret);
    gw_buffer text;
    gw_json *json = NULL;
    gw_buffer_init(&text, 65536);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status == GW_NOT_FOUND) {
        gw_problem_set(ret_problem, GW_NOT_FOUND, "no_state", "There is no state folder here.", "",
                       "--dir STATE: the folder that godwitd init made");
        gw_problem_why(ret_problem, "%.500s holds no config.json.", absolute);
    }
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE("config.json"), &json, ret_problem);
    gw_buffer_done(&text);
    if (status != GW_OK)
        return status;
    const char *allowed[SETTING_COUNT + 2] = {"godwit_config"};
    for (size_t i = 0; i < SETTING_COUNT; i++)
        allowed[i + 1] = settings[i].name;
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    const gw_json_node *root = gw_json_root(json);
    if (gw_json_expect_object(&reader, root, allowed)) {
        gw_json_read_integer(&reader, root, "godwit_config", 1, 1);
        for (size_t i = 0; i < SETTING_COUNT; i++)
            read_setting(&reader, root, &settings[i], ret);
    }
    if (reader.status != GW_OK && ret_problem)
        *ret_problem = reader.problem;
    gw_json_free(json);
    return reader.status;
}

gw_status gw_config_save(const gw_config *config, gw_problem *ret_problem) {
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_buffer_text(&text, "{\"godwit_config\": 1");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const setting *one = &settings[i];
        gw_buffer_format(&text, ",\n \"%s\": ", one->name);
        if (one->type == SETTING_NUMBER) {
            int64_t value;
            memcpy(&value, (const char *)config + one->offset, sizeof value);
            gw_buffer_format(&text, "%lld", (long long)value);
        } else if (one->type == SETTING_TEXT) {
            gw_json_write_string(&text, (const char *)config + one->offset);
        } else {
            gw_buffer_text(&text, "[");
            for (size_t l = 0; l < config->listen_count; l++) {
                gw_buffer_text(&text, l ? ", " : "");
                gw_json_write_string(&text, config->listen[l]);
            }
            gw_buffer_text(&text, "]");
        }
    }
    gw_buffer_text(&text, "}\n");
    char path[4200];
    snprintf(path, sizeof path, "%s/config.json", config->folder);
    gw_status status = text.status == GW_OK
                           ? gw_file_replace(path, gw_buffer_bytes(&text), 0600, ret_problem)
                           : gw_problem_set(ret_problem, text.status, "config", "The settings are too long.", "", "");
    gw_buffer_done(&text);
    return status;
}

void gw_config_help(FILE *out) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const setting *one = &settings[i];
        fprintf(out, "  %s", one->name);
        if (one->type == SETTING_NUMBER)
            fprintf(out, "  (%lld .. %lld %s, default %lld)", (long long)one->min, (long long)one->max, one->unit,
                    (long long)one->initial);
        fprintf(out, "\n      ");
        int column = 6;
        for (const char *word = one->help; *word;) {
            int size = (int)strcspn(word, " ");
            if (column + size > 78) {
                fprintf(out, "\n      ");
                column = 6;
            }
            fprintf(out, "%.*s ", size, word);
            column += size + 1;
            word += size + (word[size] == ' ');
        }
        fprintf(out, "\n");
    }
}
