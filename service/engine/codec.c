// SPDX-License-Identifier: Apache-2.0
// Frames are moved with sendmsg and recvmsg, header and payload together, so a small statement costs one call each way.
// Sockets may be blocking or not: every wait is a poll against the deadline.
#include "service/engine/codec.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define TEXT_NULL UINT64_MAX

const char *gw_engine_word_name(uint32_t word) {
    static const char *const names[] = {"ok",    "frame",  "snapshot", "prepare", "execute",
                                        "shape", "memory", "source",   "write"};
    return word < sizeof(names) / sizeof(names[0]) ? names[word] : "unknown";
}

int64_t gw_engine_now_ms(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Waits for `events`. GW_RETRY when the deadline passes first.
static gw_status wait_for(int descriptor, short events, int64_t deadline_ms) {
    for (;;) {
        int timeout_ms = -1;
        if (deadline_ms >= 0) {
            int64_t left = deadline_ms - gw_engine_now_ms();
            if (left <= 0)
                return GW_RETRY;
            timeout_ms = left > 1000000 ? 1000000 : (int)left;
        }
        struct pollfd poll_one = {.fd = descriptor, .events = events};
        int count = poll(&poll_one, 1, timeout_ms);
        if (count > 0)
            return GW_OK; // errors and hang-ups show in the call that follows
        if (count < 0 && errno != EINTR)
            return GW_IO;
    }
}

// Steps over `count` transferred bytes of two parts.
static void parts_advance(struct iovec parts[2], size_t count) {
    for (int i = 0; i < 2; i++) {
        size_t step = count < parts[i].iov_len ? count : parts[i].iov_len;
        parts[i].iov_base = (uint8_t *)parts[i].iov_base + step;
        parts[i].iov_len -= step;
        count -= step;
    }
}

gw_status gw_frame_send(int descriptor, const gw_frame *frame, const void *payload, int64_t deadline_ms) {
    gw_frame header = *frame;
    struct iovec parts[2] = {{&header, sizeof(header)}, {(void *)(uintptr_t)payload, frame->size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        ssize_t count = sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            parts_advance(parts, (size_t)count);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return GW_IO;
        gw_status status = wait_for(descriptor, POLLOUT, deadline_ms);
        if (status != GW_OK)
            return status;
    }
    return GW_OK;
}

// Reads until both parts are full. Without a deadline the first call blocks in the kernel instead of polling.
static gw_status receive_parts(int descriptor, struct iovec parts[2], int64_t deadline_ms) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        if (deadline_ms >= 0) {
            gw_status status = wait_for(descriptor, POLLIN, deadline_ms);
            if (status != GW_OK)
                return status;
        }
        ssize_t count = recvmsg(descriptor, &message, deadline_ms >= 0 ? MSG_DONTWAIT : 0);
        if (count == 0)
            return GW_IO;
        if (count > 0)
            parts_advance(parts, (size_t)count);
        else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            return GW_IO;
    }
    return GW_OK;
}

gw_status gw_frame_receive_exact(int descriptor, const gw_frame *expected, void *payload, int64_t deadline_ms,
                                 gw_frame *ret_frame) {
    gw_frame frame = {0};
    struct iovec parts[2] = {{&frame, sizeof(frame)}, {payload, expected->size}};
    gw_status status = receive_parts(descriptor, parts, deadline_ms);
    if (status != GW_OK)
        return status;
    if (frame.kind != expected->kind || frame.size != expected->size || frame.sequence != expected->sequence)
        return GW_CORRUPT;
    *ret_frame = frame;
    return GW_OK;
}

gw_status gw_frame_receive(int descriptor, gw_buffer *payload, int64_t deadline_ms, gw_frame *ret_frame) {
    gw_frame frame = {0};
    struct iovec header[2] = {{&frame, sizeof(frame)}, {NULL, 0}};
    gw_status status = receive_parts(descriptor, header, deadline_ms);
    if (status != GW_OK)
        return status;
    if (frame.size > GW_FRAME_SIZE_MAX)
        return GW_CORRUPT;
    uint8_t block[8192];
    for (uint64_t left = frame.size; left > 0;) {
        size_t size = left < sizeof(block) ? (size_t)left : sizeof(block);
        struct iovec body[2] = {{block, size}, {NULL, 0}};
        status = receive_parts(descriptor, body, deadline_ms);
        if (status != GW_OK)
            return status;
        gw_buffer_append(payload, block, size);
        left -= size;
    }
    *ret_frame = frame;
    return payload->status;
}

void gw_pack_u64(gw_buffer *buffer, uint64_t value) {
    gw_buffer_append(buffer, &value, sizeof(value));
}

void gw_pack_i64(gw_buffer *buffer, int64_t value) {
    gw_buffer_append(buffer, &value, sizeof(value));
}

void gw_pack_text(gw_buffer *buffer, const char *text) {
    if (text == NULL) {
        gw_pack_u64(buffer, TEXT_NULL);
        return;
    }
    size_t size = strlen(text);
    gw_pack_u64(buffer, size);
    gw_buffer_append(buffer, text, size + 1);
}

static const uint8_t *unpack_bytes(gw_unpack *unpack, uint64_t size) {
    if (unpack->is_bad || size > unpack->rest.size) {
        unpack->is_bad = true;
        return NULL;
    }
    const uint8_t *bytes = unpack->rest.data;
    unpack->rest.data += size;
    unpack->rest.size -= (size_t)size;
    return bytes;
}

uint64_t gw_unpack_u64(gw_unpack *unpack) {
    uint64_t value = 0;
    const uint8_t *bytes = unpack_bytes(unpack, sizeof(value));
    if (bytes != NULL)
        memcpy(&value, bytes, sizeof(value));
    return value;
}

int64_t gw_unpack_i64(gw_unpack *unpack) {
    return (int64_t)gw_unpack_u64(unpack);
}

size_t gw_unpack_count(gw_unpack *unpack, size_t size_min) {
    uint64_t count = gw_unpack_u64(unpack);
    if (count > unpack->rest.size / size_min)
        unpack->is_bad = true;
    return unpack->is_bad ? 0 : (size_t)count;
}

const char *gw_unpack_text(gw_unpack *unpack) {
    uint64_t size = gw_unpack_u64(unpack);
    if (size == TEXT_NULL || unpack->is_bad)
        return NULL;
    if (size >= unpack->rest.size) { // and its NUL
        unpack->is_bad = true;
        return NULL;
    }
    const uint8_t *text = unpack_bytes(unpack, size + 1);
    if (memchr(text, '\0', (size_t)size + 1) != text + size)
        unpack->is_bad = true;
    return unpack->is_bad ? NULL : (const char *)text;
}

bool gw_unpack_is_done(const gw_unpack *unpack) {
    return !unpack->is_bad && unpack->rest.size == 0;
}

void gw_statement_pack(const gw_engine_statement *statement, gw_buffer *buffer) {
    gw_pack_u64(buffer, statement->cell_count);
    gw_pack_u64(buffer, statement->part_count);
    gw_pack_u64(buffer, statement->key_bytes);
    gw_pack_u64(buffer, statement->param_count);
    for (size_t i = 0; i < statement->param_count; i++)
        gw_pack_i64(buffer, statement->params[i]);
    gw_pack_text(buffer, statement->snapshot);
    gw_pack_text(buffer, statement->sql);
}

gw_status gw_statement_unpack(gw_bytes payload, int64_t *params, gw_engine_statement *ret_statement) {
    gw_unpack unpack = {.rest = payload};
    gw_engine_statement statement = {.params = params};
    statement.cell_count = (size_t)gw_unpack_u64(&unpack);
    statement.part_count = (size_t)gw_unpack_u64(&unpack);
    statement.key_bytes = (size_t)gw_unpack_u64(&unpack);
    statement.param_count = gw_unpack_count(&unpack, sizeof(int64_t));
    if (statement.param_count > GW_ENGINE_PARAMS_MAX)
        return GW_CORRUPT;
    for (size_t i = 0; i < statement.param_count; i++)
        params[i] = gw_unpack_i64(&unpack);
    statement.snapshot = gw_unpack_text(&unpack);
    statement.sql = gw_unpack_text(&unpack);
    bool is_whole = gw_unpack_is_done(&unpack) && statement.snapshot != NULL && statement.sql != NULL;
    bool is_sized = statement.cell_count >= 1 && statement.cell_count <= GW_CELLS_MAX && statement.part_count >= 1 &&
                    statement.part_count <= GW_PARTS_MAX;
    if (statement.key_bytes > 0)
        is_sized = is_sized && statement.cell_count <= GW_KEYS_MAX && statement.part_count == 1 &&
                   statement.key_bytes <= GW_KEY_BYTES_MAX;
    if (!is_whole || !is_sized)
        return GW_CORRUPT;
    *ret_statement = statement;
    return GW_OK;
}
