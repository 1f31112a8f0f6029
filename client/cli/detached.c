// SPDX-License-Identifier: Apache-2.0
// A signature in a file of its own, beside what it signs.
#include "client/cli/detached.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"

gw_status gw_detached_write(const char *path, const gw_profile *profile, const gw_secret_key *key, gw_bytes file,
                            gw_problem *ret_problem) {
    gw_public_key public = gw_key_public(key);
    gw_signature signature = gw_sign(key, file);
    char key_hex[GW_HASH_HEX], signature_hex[2 * GW_SIGNATURE_SIZE + 1];
    gw_buffer text;
    gw_hex((gw_bytes){public.bytes, sizeof(public.bytes)}, key_hex);
    gw_hex((gw_bytes){signature.bytes, sizeof(signature.bytes)}, signature_hex);
    gw_buffer_init(&text, 4096);
    gw_buffer_text(&text, "{");
    gw_json_write_member(&text, "by", profile->principal);
    gw_json_write_member(&text, "key", key_hex);
    gw_json_write_member(&text, "signature", signature_hex);
    gw_buffer_text(&text, "}\n");
    gw_status status = gw_file_replace(path, gw_buffer_bytes(&text), 0644, ret_problem);
    gw_buffer_done(&text);
    return status;
}
