// SPDX-License-Identifier: Apache-2.0
// One request, one reply. Whoever speaks another language is not the daemon of this build: the connection ends.
#include "service/signer/serve.h"
#include "service/base/cleanup.h"
#include "service/signer/codec.h"
#include "service/signer/signer.h"
#include <string.h>

typedef struct {
    const char *folder;
    gw_signer *signer; // NULL until hello
    gw_buffer request, reply;
    gw_problem problem;
} conversation;

// GW_CORRUPT from here and below: the request is not one. Other outcomes are replies, told by `ret_status`.
static gw_status serve_hello(conversation *with, gw_status *ret_status) {
    char origin[128];
    if (with->signer != NULL || with->request.size == 0 || with->request.size >= sizeof(origin) ||
        memchr(with->request.data, '\0', with->request.size) != NULL)
        return GW_CORRUPT;
    memcpy(origin, with->request.data, with->request.size);
    origin[with->request.size] = '\0';
    *ret_status = gw_signer_open(with->folder, origin, &with->signer, &with->problem);
    if (*ret_status != GW_OK)
        return GW_OK;
    gw_note_key keys[2];
    gw_checkpoint newest;
    size_t count = gw_signer_keys(with->signer, keys);
    gw_signer_newest(with->signer, &keys[0], &newest);
    gw_signer_tree_pack(newest.size, newest.root, &with->reply);
    for (size_t i = 0; i < count; i++)
        gw_signer_key_pack(&keys[i], &with->reply);
    return GW_OK;
}

static gw_status serve_sign(conversation *with, gw_status *ret_status) {
    gw_bytes rest = gw_buffer_bytes(&with->request);
    gw_merkle_proof proof;
    gw_note_key key;
    gw_checkpoint checkpoint;
    gw_signer_newest(with->signer, &key, &checkpoint); // its origin
    if (!gw_signer_tree_unpack(&rest, &checkpoint.size, &checkpoint.root) || !gw_signer_proof_unpack(rest, &proof))
        return GW_CORRUPT;
    *ret_status = gw_signer_sign(with->signer, &checkpoint, &proof, &with->reply, &with->problem);
    return GW_OK;
}

static gw_status serve_rotate(conversation *with, gw_status *ret_status) {
    gw_note_key old_key, new_key;
    *ret_status = gw_signer_rotate(with->signer, &old_key, &new_key, &with->problem);
    if (*ret_status == GW_OK) {
        gw_signer_key_pack(&old_key, &with->reply);
        gw_signer_key_pack(&new_key, &with->reply);
    }
    return GW_OK;
}

static gw_status serve_request(conversation *with, gw_signer_kind kind, gw_status *ret_status) {
    if (kind != GW_SIGNER_HELLO && with->signer == NULL)
        return GW_CORRUPT;
    switch (kind) {
    case GW_SIGNER_HELLO:
        return serve_hello(with, ret_status);
    case GW_SIGNER_SIGN:
        return serve_sign(with, ret_status);
    case GW_SIGNER_ROTATE:
        return serve_rotate(with, ret_status);
    case GW_SIGNER_FINISH:
        *ret_status = gw_signer_finish(with->signer, &with->problem);
        return GW_OK;
    }
    return GW_CORRUPT;
}

static gw_status serve_one(conversation *with, int descriptor) {
    gw_signer_frame frame;
    gw_status status = gw_signer_receive(descriptor, &frame, &with->request, -1);
    if (status != GW_OK)
        return status;
    gw_signer_frame reply = {.kind = frame.kind, .status = GW_OK};
    with->reply.size = 0;
    with->reply.status = GW_OK;
    with->problem = (gw_problem){0};
    status = serve_request(with, frame.kind, &reply.status);
    if (status != GW_OK)
        return status;
    if (reply.status == GW_OK)
        reply.status = with->reply.status;
    if (reply.status != GW_OK) {
        with->reply.size = 0;
        with->reply.status = GW_OK;
        gw_signer_problem_pack(&with->problem, &with->reply);
    }
    return gw_signer_send(descriptor, &reply, gw_buffer_bytes(&with->reply), -1);
}

gw_status gw_signer_serve(int descriptor, const char *folder) {
    conversation with = {.folder = folder};
    gw_buffer_init(&with.request, GW_SIGNER_PAYLOAD_MAX);
    gw_buffer_init(&with.reply, GW_SIGNER_PAYLOAD_MAX);
    gw_status status;
    while ((status = serve_one(&with, descriptor)) == GW_OK)
        ;
    gw_signer_close(with.signer);
    gw_buffer_done(&with.request);
    gw_buffer_done(&with.reply);
    return status == GW_IO ? GW_OK : status; // hung up
}
