// SPDX-License-Identifier: Apache-2.0
// Both ends bound what they read before they read it: the signer takes nothing from the daemon on trust, and the daemon
// survives a signer of another version.
#include "service/signer/codec.h"
#include "service/base/check.h"
#include "service/store/slots.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER_SIZE 8

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// GW_OK when the descriptor is ready, or hung up, which the next call will tell.
static gw_status wait_for(int descriptor, short events, int64_t deadline) {
    for (;;) {
        struct pollfd one = {.fd = descriptor, .events = events};
        int64_t left = deadline < 0 ? -1 : deadline - now_ms();
        if (deadline >= 0 && left <= 0)
            return GW_RETRY;
        int count = poll(&one, 1, (int)left);
        if (count > 0)
            return GW_OK;
        if (count < 0 && errno != EINTR)
            return GW_IO;
    }
}

static gw_status send_all(int descriptor, gw_bytes bytes, int64_t deadline) {
    while (bytes.size > 0) {
        gw_status status = wait_for(descriptor, POLLOUT, deadline);
        if (status != GW_OK)
            return status;
        ssize_t count = send(descriptor, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count <= 0)
            return GW_IO;
        bytes = (gw_bytes){.data = bytes.data + count, .size = bytes.size - (size_t)count};
    }
    return GW_OK;
}

static gw_status receive_all(int descriptor, uint8_t *bytes, size_t size, int64_t deadline) {
    while (size > 0) {
        gw_status status = wait_for(descriptor, POLLIN, deadline);
        if (status != GW_OK)
            return status;
        ssize_t count = recv(descriptor, bytes, size, MSG_DONTWAIT);
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count <= 0)
            return GW_IO;
        bytes += count;
        size -= (size_t)count;
    }
    return GW_OK;
}

gw_status gw_signer_send(int descriptor, const gw_signer_frame *frame, gw_bytes payload, int timeout_ms) {
    GW_ASSERT(payload.size <= GW_SIGNER_PAYLOAD_MAX);
    uint8_t bytes[HEADER_SIZE + GW_SIGNER_PAYLOAD_MAX] = {
        GW_SIGNER_CODEC_VERSION,      (uint8_t)frame->kind, 0, (uint8_t)frame->status, 0, 0,
        (uint8_t)(payload.size >> 8), (uint8_t)payload.size};
    if (payload.size > 0)
        memcpy(bytes + HEADER_SIZE, payload.data, payload.size);
    gw_bytes whole = {.data = bytes, .size = HEADER_SIZE + payload.size};
    return send_all(descriptor, whole, timeout_ms < 0 ? -1 : now_ms() + timeout_ms);
}

gw_status gw_signer_receive(int descriptor, gw_signer_frame *ret_frame, gw_buffer *payload, int timeout_ms) {
    int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    uint8_t header[HEADER_SIZE], bytes[GW_SIGNER_PAYLOAD_MAX];
    gw_status status = receive_all(descriptor, header, sizeof(header), deadline);
    if (status != GW_OK)
        return status;
    size_t size = (size_t)header[4] << 24 | (size_t)header[5] << 16 | (size_t)header[6] << 8 | header[7];
    if (header[0] != GW_SIGNER_CODEC_VERSION || header[1] < GW_SIGNER_HELLO || header[1] > GW_SIGNER_FINISH ||
        header[2] != 0 || header[3] > GW_INTERNAL || size > GW_SIGNER_PAYLOAD_MAX)
        return GW_CORRUPT;
    status = receive_all(descriptor, bytes, size, deadline);
    if (status != GW_OK)
        return status;
    payload->size = 0;
    gw_buffer_append(payload, bytes, size);
    *ret_frame = (gw_signer_frame){.kind = (gw_signer_kind)header[1], .status = (gw_status)header[3]};
    return payload->status;
}

// ---- payloads

void gw_signer_tree_pack(uint64_t size, gw_hash root, gw_buffer *payload) {
    uint8_t bytes[8];
    gw_slot_put_u64(bytes, size);
    gw_buffer_append(payload, bytes, sizeof(bytes));
    gw_buffer_append(payload, root.bytes, GW_HASH_SIZE);
}

bool gw_signer_tree_unpack(gw_bytes *payload, uint64_t *ret_size, gw_hash *ret_root) {
    const size_t size = 8 + GW_HASH_SIZE;
    if (payload->size < size)
        return false;
    *ret_size = gw_slot_get_u64(payload->data);
    memcpy(ret_root->bytes, payload->data + 8, GW_HASH_SIZE);
    *payload = (gw_bytes){.data = payload->data + size, .size = payload->size - size};
    return *ret_size <= INT64_MAX;
}

void gw_signer_proof_pack(const gw_merkle_proof *proof, gw_buffer *payload) {
    GW_ASSERT(proof->count <= GW_PROOF_MAX);
    gw_buffer_append(payload, proof->hashes, proof->count * GW_HASH_SIZE);
}

bool gw_signer_proof_unpack(gw_bytes payload, gw_merkle_proof *ret) {
    if (payload.size % GW_HASH_SIZE != 0 || payload.size > sizeof(ret->hashes))
        return false;
    ret->count = payload.size / GW_HASH_SIZE;
    if (payload.size > 0)
        memcpy(ret->hashes, payload.data, payload.size);
    return true;
}

void gw_signer_key_pack(const gw_note_key *key, gw_buffer *payload) {
    char vkey[GW_VKEY_MAX];
    gw_note_key_format(key, vkey);
    gw_buffer_format(payload, "%s\n", vkey);
}

bool gw_signer_keys_unpack(gw_bytes payload, gw_note_key ret[2], size_t *ret_count) {
    size_t count = 0;
    while (payload.size > 0) {
        char vkey[GW_VKEY_MAX];
        const uint8_t *end = memchr(payload.data, '\n', payload.size);
        size_t size = end == NULL ? GW_VKEY_MAX : (size_t)(end - payload.data);
        if (count == 2 || size >= GW_VKEY_MAX)
            return false;
        memcpy(vkey, payload.data, size);
        vkey[size] = '\0';
        if (gw_note_key_parse(vkey, &ret[count++], NULL) != GW_OK)
            return false;
        payload = (gw_bytes){.data = payload.data + size + 1, .size = payload.size - size - 1};
    }
    *ret_count = count;
    return count > 0;
}

void gw_signer_problem_pack(const gw_problem *problem, gw_buffer *payload) {
    const char *const texts[] = {problem->code, problem->what, problem->why, problem->mend};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        gw_buffer_append(payload, texts[i], strlen(texts[i]) + 1);
}

bool gw_signer_problem_unpack(gw_bytes payload, gw_status status, gw_problem *ret) {
    const char *texts[4];
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *end = payload.size == 0 ? NULL : memchr(payload.data, '\0', payload.size);
        if (end == NULL)
            return false;
        texts[i] = (const char *)payload.data;
        size_t size = (size_t)(end - payload.data) + 1;
        payload = (gw_bytes){.data = payload.data + size, .size = payload.size - size};
    }
    if (status <= GW_OK || payload.size != 0)
        return false;
    gw_problem_fill(ret, status, texts[0], texts[1], texts[2], texts[3]);
    return true;
}
