// SPDX-License-Identifier: Apache-2.0
// Writing and strict reading of add-checkpoint's body.
#include "service/witness/add_body.h"
#include "service/base/check.h"
#include <string.h>

void gw_add_body_write(const gw_add_body *body, gw_buffer *ret) {
    GW_ASSERT(body->proof.count <= GW_ADD_PROOF_MAX);
    gw_buffer_format(ret, "old %llu\n", (unsigned long long)body->old_size);
    for (size_t i = 0; i < body->proof.count; i++) {
        gw_base64_append(ret, (gw_bytes){body->proof.hashes[i].bytes, GW_HASH_SIZE});
        gw_buffer_text(ret, "\n");
    }
    gw_buffer_text(ret, "\n");
    gw_buffer_append(ret, body->note.data, body->note.size);
}

bool gw_add_size_read(const char *text, size_t size, uint64_t *ret) {
    uint64_t value = 0;
    if (size == 0 || size > 19 || (size > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0'); // 19 digits fit
    }
    *ret = value;
    return value <= INT64_MAX;
}

static bool line_take(gw_bytes *rest, gw_bytes *ret) {
    const uint8_t *newline = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    if (newline == NULL)
        return false;
    *ret = (gw_bytes){rest->data, (size_t)(newline - rest->data)};
    *rest = (gw_bytes){newline + 1, rest->size - ret->size - 1};
    return true;
}

bool gw_add_body_read(gw_bytes bytes, gw_add_body *ret) {
    gw_add_body read = {.old_size = 0};
    gw_bytes line;
    if (!line_take(&bytes, &line) || line.size < 5 || memcmp(line.data, "old ", 4) != 0 ||
        !gw_add_size_read((const char *)line.data + 4, line.size - 4, &read.old_size))
        return false;
    for (;;) {
        if (!line_take(&bytes, &line))
            return false;
        if (line.size == 0)
            break;
        size_t size = 0;
        if (read.proof.count == GW_ADD_PROOF_MAX ||
            !gw_unbase64((const char *)line.data, line.size, read.proof.hashes[read.proof.count].bytes, GW_HASH_SIZE,
                         &size) ||
            size != GW_HASH_SIZE)
            return false;
        read.proof.count++;
    }
    read.note = bytes;
    *ret = read;
    return true;
}
