// SPDX-License-Identifier: Apache-2.0
// config.json, driven by one table.
#include "service/config.h"

#include "service/base/check.h"
#include "service/base/file.h"
#include "service/base/log.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum { SETTING_TEXT, SETTING_LEVEL, SETTING_NUMBER, SETTING_FLAG, SETTING_LIST } setting_type;
typedef struct {
    const char *name;
    setting_type type;
    size_t offset, size;
    int64_t min, max, initial;
    const char *unit;
    bool is_reloadable; // false: fixed while the daemon runs
    const char *help;
} setting;

#define FIXED false
#define RELOADABLE true
#define TEXT(field) SETTING_TEXT, offsetof(gw_config, field), sizeof((gw_config *)0)->field, 0, 0, 0, ""
#define FLAG(field) SETTING_FLAG, offsetof(gw_config, field), sizeof(int64_t), 0, 1, 0, ""
#define NUMBER(field, min, max, initial, unit)                                                                         \
    SETTING_NUMBER, offsetof(gw_config, field), sizeof(int64_t), min, max, initial, unit

static const setting settings[] = {
    {"origin", TEXT(origin), FIXED, "name of the log and the service, e.g. nso.example/godwit"},
    {"admin", TEXT(admin), FIXED, "principal that local operator commands act as"},
    {"listen", SETTING_LIST, offsetof(gw_config, listen), sizeof((gw_config *)0)->listen, 0, 0, 0, "", FIXED,
     "addresses to listen on: ipc:///path, tcp://127.0.0.1:4711"},
    {"share", TEXT(share), FIXED, "folder with indicators/ and codelists/"},
    {"hwm", TEXT(hwm), FIXED, "path of the high-water mark; another disk is better; empty: in the state folder"},
    {"signer", TEXT(signer), FIXED,
     "socket of a godwit-signer that runs as a user of its own; empty: one is started with keys/"},
    {"witnesses", TEXT(witnesses), FIXED,
     "file of the witnesses that cosign the log and of their quorum; empty: nobody is asked; change it by: godwitd "
     "witnesses FILE"},
    {"witness_strict", FLAG(witness_strict), FIXED,
     "true: no answer leaves before the witnesses' quorum vouched for it"},
    {"witness_timeout_ms", NUMBER(witness_timeout_ms, 50, 30000, 2000, "ms"), FIXED,
     "how long all witnesses together are waited for"},
    {"log_level", SETTING_LEVEL, offsetof(gw_config, log_level), sizeof((gw_config *)0)->log_level, 0, 0, GW_LOG_INFO,
     "", RELOADABLE, "how much the log on stderr says: error, warn, info or debug"},
    {"release_tick_ms", NUMBER(release_tick_ms, 0, 10000, 50, "ms"), RELOADABLE,
     "answers leave at multiples of this, fixed by plan and public sizes, so that time says nothing; 0 turns it off"},
    {"workers", NUMBER(workers, 1, 256, 64, "threads"), FIXED, "requests worked on at once"},
    {"engine_children", NUMBER(engine_children, 1, 16, 2, "processes"), RELOADABLE, "statements measured at once"},
    {"engine_threads", NUMBER(engine_threads, 1, 64, 2, "threads"), RELOADABLE, "threads of each statement"},
    {"engine_memory_mb", NUMBER(engine_memory_mb, 64, 1048576, 512, "MB"), RELOADABLE, "query memory of each child"},
    {"rate_requests_per_minute", NUMBER(rate_requests_per_minute, 0, 1000000000, 1200000, "requests"), RELOADABLE,
     "requests of one key, and of one address, in a minute; more are refused (rate_limited) before any signature is "
     "checked; 0: no limit"},
    {"rate_free_ms_per_minute", NUMBER(rate_free_ms_per_minute, 0, 1000000000, 120000, "ms"), RELOADABLE,
     "processor time of one principal in a minute for what costs no budget: prices, dummies, the catalogue, questions "
     "that are refused; 120000 is two processors; 0: no limit"},
};
#define SETTING_COUNT (sizeof settings / sizeof settings[0])
_Static_assert(SETTING_COUNT <= GW_SETTINGS_MAX, "gw_config keeps an origin for each setting");

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

void gw_program_beside(const char *name, char *ret_path, size_t size) {
    char program[PATH_MAX];
    ssize_t count = readlink("/proc/self/exe", program, sizeof program - 1);
    program[count > 0 ? count : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    snprintf(ret_path, size, "%.4000s/%s", slash ? program : ".", name);
}

static void *place_of(gw_config *config, const setting *one) {
    return (char *)config + one->offset;
}

static const void *value_of(const gw_config *config, const setting *one) {
    return (const char *)config + one->offset;
}

static int64_t number_of(const gw_config *config, const setting *one) {
    int64_t value;
    memcpy(&value, value_of(config, one), sizeof value);
    return value;
}

static bool is_number(const setting *one) {
    return one->type == SETTING_NUMBER || one->type == SETTING_FLAG;
}

static size_t setting_find(const char *name) {
    size_t i = 0;
    while (i < SETTING_COUNT && strcmp(settings[i].name, name) != 0)
        i++;
    return i;
}

void gw_config_note(gw_config *config, const char *name, gw_config_origin origin) {
    size_t at = setting_find(name);
    GW_ASSERT(at < SETTING_COUNT);
    config->origins[at] = origin;
}

void gw_config_default(const char *folder, gw_config *ret) {
    memset(ret, 0, sizeof *ret);
    snprintf(ret->folder, sizeof ret->folder, "%s", folder);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (is_number(&settings[i]))
            memcpy(place_of(ret, &settings[i]), &settings[i].initial, sizeof(int64_t));
    snprintf(ret->log_level, sizeof ret->log_level, "%s", gw_log_level_name(GW_LOG_INFO));
    snprintf(ret->listen[0], sizeof ret->listen[0], "ipc://%.480s/godwit.sock", folder);
    ret->listen_count = 1;
    const char *share = getenv("GODWIT_SHARE");
    if (share) {
        snprintf(ret->share, sizeof ret->share, "%s", share);
        gw_config_note(ret, "share", GW_ORIGIN_ENVIRONMENT);
    } else {
        share_beside_program(ret->share);
    }
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
    gw_config_note(config, one->name, GW_ORIGIN_FILE);
    if (one->type == SETTING_LIST) {
        read_list(reader, root, config);
    } else if (one->type == SETTING_FLAG) {
        int64_t value = gw_json_read_bool(reader, root, one->name);
        memcpy(place_of(config, one), &value, sizeof value);
    } else if (one->type == SETTING_NUMBER) {
        int64_t value = gw_json_read_integer(reader, root, one->name, one->min, one->max);
        memcpy(place_of(config, one), &value, sizeof value);
    } else {
        const char *text = gw_json_read_string(reader, root, one->name);
        gw_log_level level;
        if (text && one->type == SETTING_LEVEL && !gw_log_level_parse(text, &level))
            gw_json_fail(reader, gw_json_member(root, one->name), "wrong_type", "There is no such log level.",
                         "Write error, warn, info or debug.", "%s is one of error, warn, info, debug.", one->name);
        else if (text && strlen(text) >= one->size)
            gw_json_fail(reader, gw_json_member(root, one->name), "wrong_type", "This setting is too long.",
                         "Shorten it.", "%s has room for %zu bytes.", one->name, one->size - 1);
        else if (text)
            snprintf(place_of(config, one), one->size, "%s", text);
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

gw_status gw_config_check(const gw_config *config, gw_problem *ret_problem) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const setting *one = &settings[i];
        if (!is_number(one) || (number_of(config, one) >= one->min && number_of(config, one) <= one->max))
            continue;
        gw_problem_set(ret_problem, GW_INVALID, "setting_range", "A setting is out of its range.", "", "");
        gw_problem_why(ret_problem, "%s is %lld.", one->name, (long long)number_of(config, one));
        gw_problem_mend(ret_problem, "%s takes %lld to %lld %s.", one->name, (long long)one->min, (long long)one->max,
                        one->unit);
        return GW_INVALID;
    }
    return GW_OK;
}

static void value_write(const gw_config *config, const setting *one, gw_buffer *out) {
    if (one->type == SETTING_FLAG) {
        gw_buffer_text(out, number_of(config, one) != 0 ? "true" : "false");
    } else if (one->type == SETTING_NUMBER) {
        gw_buffer_format(out, "%lld", (long long)number_of(config, one));
    } else if (one->type != SETTING_LIST) {
        gw_json_write_string(out, value_of(config, one));
    } else {
        gw_buffer_text(out, "[");
        for (size_t l = 0; l < config->listen_count; l++) {
            gw_buffer_text(out, l ? ", " : "");
            gw_json_write_string(out, config->listen[l]);
        }
        gw_buffer_text(out, "]");
    }
}

const char *gw_config_folder(void) {
    return access("config.json", F_OK) != 0 && access("state/config.json", F_OK) == 0 ? "state" : ".";
}

gw_status gw_config_save(const gw_config *config, gw_problem *ret_problem) {
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_buffer_text(&text, "{\"godwit_config\": 1");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        gw_buffer_format(&text, ",\n \"%s\": ", settings[i].name);
        value_write(config, &settings[i], &text);
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

bool gw_config_setting_at(const gw_config *config, size_t index, gw_config_setting *ret, gw_buffer *ret_value) {
    static const char *const origins[] = {"default", "config.json", "environment", "flag"};
    if (index >= SETTING_COUNT)
        return false;
    *ret = (gw_config_setting){.name = settings[index].name,
                               .unit = settings[index].unit,
                               .origin = origins[config->origins[index]],
                               .is_reloadable = settings[index].is_reloadable};
    value_write(config, &settings[index], ret_value);
    return true;
}

static bool is_same(const gw_config *a, const gw_config *b, const setting *one) {
    if (is_number(one))
        return number_of(a, one) == number_of(b, one);
    if (one->type != SETTING_LIST)
        return strcmp(value_of(a, one), value_of(b, one)) == 0;
    bool is_equal = a->listen_count == b->listen_count;
    for (size_t i = 0; is_equal && i < a->listen_count; i++)
        is_equal = strcmp(a->listen[i], b->listen[i]) == 0;
    return is_equal;
}

void gw_config_reload(gw_config *config, const gw_config *changed, gw_config_change_each each, void *state) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const setting *one = &settings[i];
        if (is_same(config, changed, one))
            continue;
        if (one->is_reloadable) {
            memcpy(place_of(config, one), value_of(changed, one), one->size);
            config->origins[i] = changed->origins[i];
        }
        each(state, one->name, one->is_reloadable);
    }
}

void gw_config_help(FILE *out) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const setting *one = &settings[i];
        fprintf(out, "  %s", one->name);
        if (one->type == SETTING_NUMBER)
            fprintf(out, "  (%lld .. %lld %s, default %lld)", (long long)one->min, (long long)one->max, one->unit,
                    (long long)one->initial);
        if (one->type == SETTING_FLAG)
            fprintf(out, "  (true or false, default %s)", one->initial != 0 ? "true" : "false");
        if (one->type == SETTING_LEVEL)
            fprintf(out, "  (default %s)", gw_log_level_name((gw_log_level)one->initial));
        fprintf(out, "%s\n      ", one->is_reloadable ? "  reloadable" : "");
        int column = 6;
        for (const char *word = one->help; *word;) {
            int size = (int)strcspn(word, " ");
            if (column + size > 78) {
                fprintf(out, "\n      ");
                column = 6;
            }
            fprintf(out, "%s%.*s", column > 6 ? " " : "", size, word);
            column += size + 1;
            word += size + (word[size] == ' ');
        }
        fprintf(out, "\n");
    }
}
