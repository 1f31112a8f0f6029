// SPDX-License-Identifier: Apache-2.0
// Reading and writing a .pub file, strictly.
#include "client/cli/identity_file.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <string.h>

#define FILE_BYTES_MAX 4096u

GW_DEFINE_FREEP(gw_json, gw_json_free)

static void read_hex(gw_json_reader *reader, const gw_json_node *object, const char *name, char *text, size_t size) {
    uint8_t bytes[64];
    const char *value = gw_json_read_string(reader, object, name);
    if (value == NULL)
        return;
    if (gw_unhex(value, strlen(value), bytes, (size - 1) / 2))
        memcpy(text, value, size);
    else
        gw_json_fail(reader, gw_json_member(object, name), "bad_identity", "This is not an identity file.",
                     "godwit keys new NAME", "\"%s\" has %zu hex digits in lower case.", name, size - 1);
}

gw_status gw_identity_file_read(const char *path, gw_identity_file *ret, gw_problem *ret_problem) {
    static const char *const fields[] = {"godwit_identity", "principal", "key", NULL};
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_buffer text;
    gw_buffer_init(&text, FILE_BYTES_MAX);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(path), &json, ret_problem);
    gw_buffer_done(&text);
    if (status != GW_OK)
        return status;
    gw_json_reader reader;
    gw_identity_file identity;
    gw_json_reader_init(&reader, json);
    const gw_json_node *root = gw_json_root(json);
    if (gw_json_expect_object(&reader, root, fields)) {
        (void)gw_json_read_integer(&reader, root, "godwit_identity", 1, 1);
        read_hex(&reader, root, "principal", identity.principal, sizeof(identity.principal));
        read_hex(&reader, root, "key", identity.key, sizeof(identity.key));
    }
    if (reader.status != GW_OK) {
        *ret_problem = reader.problem;
        return reader.status;
    }
    *ret = identity;
    return GW_OK;
}

gw_status gw_identity_file_write(const char *path, const gw_identity_file *identity, gw_problem *ret_problem) {
    gw_buffer text;
    gw_buffer_init(&text, FILE_BYTES_MAX);
    gw_buffer_text(&text, "{");
    gw_json_write_integer(&text, "godwit_identity", 1);
    gw_json_write_member(&text, "principal", identity->principal);
    gw_json_write_member(&text, "key", identity->key);
    gw_buffer_text(&text, "}\n");
    gw_status status =
        text.status == GW_OK ? gw_file_replace(path, gw_buffer_bytes(&text), 0644, ret_problem) : text.status;
    gw_buffer_done(&text);
    return status;
}
