// SPDX-License-Identifier: Apache-2.0
// Strict first, so that no overlong form hides a control character from the cleaning that follows.
#include "service/engine/quote.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/text.h"
#include "service/wire/json.h"
#include <stdio.h>
#include <string.h>

// Bytes of the character at the start; 0 where there is none.
static size_t character_size(gw_bytes text) {
    uint8_t lead = text.data[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return size <= text.size && gw_utf8_is_valid((gw_bytes){text.data, size}) ? size : 0;
}

void gw_quote(gw_bytes text, size_t size_max, char *ret) {
    char valid[GW_QUOTE_MAX + 1];
    size_t size = 0, at = 0;
    GW_ASSERT(size_max <= GW_QUOTE_MAX);
    while (at < text.size && size < size_max) {
        const uint8_t *byte = text.data + at;
        size_t count = character_size((gw_bytes){byte, text.size - at});
        if (count > size_max - size)
            break;
        if (count == 0 || *byte == '\0' || *byte == '\n') {
            valid[size++] = '?';
            at++;
            continue;
        }
        memcpy(valid + size, byte, count);
        size += count;
        at += count;
    }
    valid[size] = '\0';
    GW_CLEANUP(gw_buffer_done) gw_buffer clean;
    gw_buffer_init(&clean, 4096);
    gw_text_clean(&clean, valid, true);
    snprintf(ret, size_max + 4, "%s%s", gw_buffer_string(&clean), at < text.size ? "..." : "");
}
