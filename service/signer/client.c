// SPDX-License-Identifier: Apache-2.0
// A signer that was lost is not looked for again in this process: whether it kept what it was asked to sign is not
// known, and the start of the next one compares.
#include "service/signer/client.h"
#include "service/base/cleanup.h"
#include "service/base/process.h"
#include "service/signer/codec.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define REPLY_MS 30000 // a disk that takes longer is as good as gone
#define GREETING_MS 10000
#define GOODBYE_MS 2000
#define CONNECT_TRIES 50 // of 100 ms: a signer that is started beside us may be a little later

typedef struct {
    char *origin, *socket, *program, *folder;
    gw_process process; // pid 0 where it is no child
    bool is_lost;
    gw_note_key keys[2];
    size_t key_count;
    gw_checkpoint newest;
    gw_buffer request, reply;
} client;

static void client_close(void *state) {
    client *self = state;
    gw_process_stop(&self->process, GOODBYE_MS);
    gw_buffer_done(&self->request);
    gw_buffer_done(&self->reply);
    free(self->origin);
    free(self->socket);
    free(self->program);
    free(self->folder);
    free(self);
}

static gw_status lost(client *self, gw_problem *ret_problem) {
    self->is_lost = true;
    return gw_problem_set(ret_problem, GW_RETRY, "signer_unknown", "The signer is gone.",
                          "Whether it kept what it was asked to sign is not known.", "Start the service again.");
}

static gw_status ask(client *self, gw_signer_kind kind, int timeout_ms, gw_problem *ret_problem) {
    gw_signer_frame request = {.kind = kind}, reply;
    if (self->is_lost || self->request.status != GW_OK)
        return lost(self, ret_problem);
    gw_status status = gw_signer_send(self->process.descriptor, &request, gw_buffer_bytes(&self->request), timeout_ms);
    if (status == GW_OK)
        status = gw_signer_receive(self->process.descriptor, &reply, &self->reply, timeout_ms);
    if (status != GW_OK || reply.kind != kind)
        return lost(self, ret_problem);
    if (reply.status == GW_OK)
        return GW_OK;
    gw_problem problem;
    if (!gw_signer_problem_unpack(gw_buffer_bytes(&self->reply), reply.status, &problem))
        return lost(self, ret_problem);
    if (ret_problem != NULL)
        *ret_problem = problem;
    return reply.status;
}

// ---- the connection

static gw_status unavailable(const client *self, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_UNAVAILABLE, "signer_unavailable",
                                      "The signer of the log cannot be reached.", "", "");
    if (self->socket[0] != '\0') {
        gw_problem_why(ret_problem, "Nothing of this version answers on %.300s.", self->socket);
        gw_problem_mend(ret_problem, "systemctl start godwit-signer");
    } else {
        gw_problem_why(ret_problem, "%.300s cannot be run, or is of another build.", self->program);
        gw_problem_mend(ret_problem, "Install godwit-signer beside godwitd.");
    }
    return status;
}

static int socket_connect(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    for (unsigned i = 0; i < CONNECT_TRIES; i++) {
        const struct timespec pause = {.tv_nsec = 100000000};
        int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (descriptor < 0)
            return -1;
        if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return descriptor;
        int error = errno;
        close(descriptor);
        if (error != ENOENT && error != ECONNREFUSED)
            return -1;
        nanosleep(&pause, NULL);
    }
    return -1;
}

static gw_status connection_open(client *self) {
    if (self->socket[0] == '\0') {
        const char *arguments[] = {"godwit-signer", "serve", self->folder, NULL};
        return gw_process_start(self->program, arguments, &self->process);
    }
    self->process.descriptor = socket_connect(self->socket);
    return self->process.descriptor < 0 ? GW_UNAVAILABLE : GW_OK;
}

static gw_status hello(client *self, gw_problem *ret_problem) {
    gw_problem problem = {0};
    self->request.size = 0;
    gw_buffer_text(&self->request, self->origin);
    gw_status status = connection_open(self);
    if (status == GW_OK)
        status = ask(self, GW_SIGNER_HELLO, GREETING_MS, &problem);
    if (status != GW_OK) {
        gw_process_stop(&self->process, 0);
        self->is_lost = true;
        if (status == GW_UNAVAILABLE || status == GW_RETRY) // nothing was signed: nothing is unknown
            return unavailable(self, ret_problem);
        if (ret_problem != NULL)
            *ret_problem = problem;
        return status;
    }
    gw_bytes rest = gw_buffer_bytes(&self->reply);
    if (!gw_signer_tree_unpack(&rest, &self->newest.size, &self->newest.root) ||
        !gw_signer_keys_unpack(rest, self->keys, &self->key_count))
        return unavailable(self, ret_problem);
    memcpy(self->newest.origin, self->keys[0].name, sizeof(self->newest.origin));
    return GW_OK;
}

// ---- what the ledger calls

static gw_status client_newest(void *state, gw_note_key *ret_key, gw_checkpoint *ret, gw_problem *ret_problem) {
    client *self = state;
    gw_status status = self->process.descriptor < 0 && !self->is_lost ? hello(self, ret_problem) : GW_OK;
    if (status == GW_OK && self->is_lost)
        status = lost(self, ret_problem);
    if (status != GW_OK)
        return status;
    *ret_key = self->keys[0];
    *ret = self->newest;
    return GW_OK;
}

static gw_status client_sign(void *state, const gw_checkpoint *checkpoint, const gw_merkle_proof *proof,
                             gw_buffer *ret_note, gw_problem *ret_problem) {
    client *self = state;
    self->request.size = 0;
    gw_signer_tree_pack(checkpoint->size, checkpoint->root, &self->request);
    gw_signer_proof_pack(proof, &self->request);
    gw_status status = ask(self, GW_SIGNER_SIGN, REPLY_MS, ret_problem);
    if (status != GW_OK)
        return status;
    gw_checkpoint read; // what it signed is what it was asked to sign
    if (gw_checkpoint_peek(gw_buffer_bytes(&self->reply), &read, NULL) != GW_OK || read.size != checkpoint->size ||
        !gw_hash_equal(read.root, checkpoint->root))
        return lost(self, ret_problem);
    self->newest = *checkpoint;
    gw_buffer_append(ret_note, self->reply.data, self->reply.size);
    return ret_note->status;
}

static bool client_has_key(void *state, const gw_note_key *key) {
    const client *self = state;
    for (size_t i = 0; i < self->key_count; i++)
        if (strcmp(key->name, self->keys[i].name) == 0 &&
            memcmp(key->key.bytes, self->keys[i].key.bytes, sizeof(key->key.bytes)) == 0)
            return true;
    return false;
}

static gw_status client_rotate(void *state, gw_note_key *ret_old, gw_note_key *ret_new, gw_problem *ret_problem) {
    client *self = state;
    gw_note_key keys[2];
    size_t count;
    self->request.size = 0;
    gw_status status = ask(self, GW_SIGNER_ROTATE, REPLY_MS, ret_problem);
    if (status != GW_OK)
        return status;
    if (!gw_signer_keys_unpack(gw_buffer_bytes(&self->reply), keys, &count) || count != 2)
        return lost(self, ret_problem);
    memcpy(self->keys, keys, sizeof(keys));
    self->key_count = count;
    *ret_old = keys[0];
    *ret_new = keys[1];
    return GW_OK;
}

static gw_status client_finish(void *state, gw_problem *ret_problem) {
    client *self = state;
    self->request.size = 0;
    gw_status status = ask(self, GW_SIGNER_FINISH, REPLY_MS, ret_problem);
    if (status == GW_OK && self->key_count == 2) {
        self->keys[0] = self->keys[1];
        self->key_count = 1;
    }
    return status;
}

static char *copy_of(const char *text) {
    return strdup(text == NULL ? "" : text);
}

gw_status gw_signer_client(const gw_signer_client_options *options, gw_tree_signer *ret, gw_problem *ret_problem) {
    client *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    *self = (client){.origin = copy_of(options->origin),
                     .socket = copy_of(options->socket),
                     .program = copy_of(options->program),
                     .folder = copy_of(options->folder),
                     .process = GW_PROCESS_NONE};
    gw_buffer_init(&self->request, GW_SIGNER_PAYLOAD_MAX);
    gw_buffer_init(&self->reply, GW_SIGNER_PAYLOAD_MAX);
    if (self->origin == NULL || self->socket == NULL || self->program == NULL || self->folder == NULL) {
        client_close(self);
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    }
    *ret = (gw_tree_signer){.state = self,
                            .newest = client_newest,
                            .sign = client_sign,
                            .close = client_close,
                            .has_key = client_has_key,
                            .rotate = client_rotate,
                            .finish = client_finish};
    return GW_OK;
}
