// SPDX-License-Identifier: Apache-2.0
// A profile's file: read strictly, written so that only its owner can read it. It holds no secret, but it says which
// key is trusted, so a wrong one is refused with its line.
#include "client/lib/client.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <stdio.h>
#include <string.h>

#define PROFILE_BYTES_MAX 65536u

static const char *const profile_fields[] = {"godwit_profile", "url",       "origin", "log_key", "log_key_before",
                                             "reply_key",      "principal", "key",    NULL};

static void free_json(gw_json **json) {
    gw_json_free(*json);
}

static void fail_field(gw_json_reader *reader, const gw_json_node *object, const char *name, const char *why) {
    gw_json_fail(reader, gw_json_member(object, name), "bad_profile", "The profile cannot be used.", "", "\"%s\": %s",
                 name, why);
}

static bool is_word(const char *text) {
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= 0x20 || *at > 0x7E)
            return false;
    return text[0] != '\0';
}

// A word of printable ASCII that fits.
static void read_word(gw_json_reader *reader, const gw_json_node *object, const char *name, char *ret, size_t size) {
    const char *text = gw_json_read_string(reader, object, name);
    if (text == NULL)
        return;
    if (strlen(text) >= size || !is_word(text))
        fail_field(reader, object, name, "one word of printable ASCII is expected, not too long.");
    else
        snprintf(ret, size, "%s", text);
}

static void read_hex(gw_json_reader *reader, const gw_json_node *object, const char *name, uint8_t *bytes,
                     size_t size) {
    const char *text = gw_json_read_string(reader, object, name);
    if (text != NULL && !gw_unhex(text, strlen(text), bytes, size))
        fail_field(reader, object, name, "lower-case hexadecimal digits of a fixed number are expected.");
}

// Who asks; a visitor's profile has neither of the two.
static void read_identity(gw_json_reader *reader, const gw_json_node *object, gw_profile *profile) {
    if (!gw_json_has(object, "principal") && !gw_json_has(object, "key"))
        return;
    uint8_t id[GW_ID_SIZE];
    read_hex(reader, object, "principal", id, sizeof(id));
    const char *key = gw_json_read_string(reader, object, "key");
    if (key == NULL)
        return;
    if (key[0] == '\0' || strlen(key) >= sizeof(profile->key_path))
        fail_field(reader, object, "key", "the path of a key file is expected.");
    gw_hex((gw_bytes){.data = id, .size = sizeof(id)}, profile->principal);
    snprintf(profile->key_path, sizeof(profile->key_path), "%s", key);
}

static void read_profile(gw_json_reader *reader, const gw_json_node *root, gw_profile *profile) {
    if (!gw_json_expect_object(reader, root, profile_fields))
        return;
    gw_json_read_integer(reader, root, "godwit_profile", 1, 1);
    read_word(reader, root, "url", profile->url, sizeof(profile->url));
    read_word(reader, root, "origin", profile->origin, sizeof(profile->origin));
    read_word(reader, root, "log_key", profile->log_key, sizeof(profile->log_key));
    if (gw_json_has(root, "log_key_before"))
        read_word(reader, root, "log_key_before", profile->log_key_before, sizeof(profile->log_key_before));
    read_hex(reader, root, "reply_key", profile->reply_key.bytes, sizeof(profile->reply_key.bytes));
    read_identity(reader, root, profile);
}

gw_status gw_profile_load(const char *path, gw_profile *ret, gw_problem *ret_problem) {
    gw_profile profile = {0};
    if (strlen(path) >= sizeof(profile.path))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_profile", "The profile's path is too long.", "", "");
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, PROFILE_BYTES_MAX);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status != GW_OK)
        return status;
    GW_CLEANUP(free_json) gw_json *json = NULL;
    status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(path), &json, ret_problem);
    if (status != GW_OK)
        return status;
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    read_profile(&reader, gw_json_root(json), &profile);
    if (reader.status != GW_OK) {
        if (ret_problem != NULL)
            *ret_problem = reader.problem;
        return reader.status;
    }
    snprintf(profile.path, sizeof(profile.path), "%s", path);
    *ret = profile;
    return GW_OK;
}

gw_status gw_profile_save(const char *path, const gw_profile *profile, gw_problem *ret_problem) {
    char reply_key[GW_HASH_HEX];
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, PROFILE_BYTES_MAX);
    gw_hex((gw_bytes){.data = profile->reply_key.bytes, .size = sizeof(profile->reply_key.bytes)}, reply_key);
    gw_buffer_text(&text, "{");
    gw_json_write_integer(&text, "godwit_profile", 1);
    gw_json_write_member(&text, "url", profile->url);
    gw_json_write_member(&text, "origin", profile->origin);
    gw_json_write_member(&text, "log_key", profile->log_key);
    if (profile->log_key_before[0] != '\0')
        gw_json_write_member(&text, "log_key_before", profile->log_key_before);
    gw_json_write_member(&text, "reply_key", reply_key);
    if (profile->principal[0] != '\0') {
        gw_json_write_member(&text, "principal", profile->principal);
        gw_json_write_member(&text, "key", profile->key_path);
    }
    gw_buffer_text(&text, "}\n");
    if (text.status != GW_OK)
        return gw_problem_set(ret_problem, text.status, "bad_profile", "The profile is too big.", "", "");
    return gw_file_replace(path, gw_buffer_bytes(&text), 0600, ret_problem);
}

bool gw_profile_key_file(const gw_profile *profile, char ret_path[4096]) {
    const char *slash = strrchr(profile->path, '/');
    int folder_size = slash == NULL || profile->key_path[0] == '/' ? 0 : (int)(slash - profile->path) + 1;
    int length = snprintf(ret_path, 4096, "%.*s%s", folder_size, profile->path, profile->key_path);
    return length > 0 && length < 4096;
}
