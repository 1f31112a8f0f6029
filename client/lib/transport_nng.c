// SPDX-License-Identifier: Apache-2.0
// The transport on an nng REQ socket. nng would send a request again after a minute and whenever a connection is lost;
// that is switched off, because the client decides what is asked twice, and with which id.
#include "client/lib/transport.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdlib.h>
#include <string.h>

#define RECONNECT_MS_MIN 10
#define RECONNECT_MS_MAX 500

struct gw_transport {
    nng_socket socket;
    bool is_open;
    nng_msg *reply;
};

GW_DEFINE_FREEP(gw_transport, gw_transport_close)

// The only function that opens a socket: limits come before it connects.
static gw_status socket_open(gw_transport *transport, size_t reply_size_max) {
    if (nng_req0_open(&transport->socket) != 0)
        return GW_NO_MEMORY;
    transport->is_open = true;
    if (nng_socket_set_size(transport->socket, NNG_OPT_RECVMAXSZ, reply_size_max) != 0 ||
        nng_socket_set_ms(transport->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE) != 0 ||
        nng_socket_set_ms(transport->socket, NNG_OPT_RECONNMINT, RECONNECT_MS_MIN) != 0 ||
        nng_socket_set_ms(transport->socket, NNG_OPT_RECONNMAXT, RECONNECT_MS_MAX) != 0)
        return GW_UNAVAILABLE;
    return GW_OK;
}

typedef struct {
    nng_dialer dialer;
    nng_aio *timer;
} connect_limit;

static void connect_give_up(void *argument) {
    const connect_limit *limit = argument;
    if (nng_aio_result(limit->timer) == 0) // the time has passed; otherwise it was stopped
        nng_dialer_close(limit->dialer);
}

// Connects while the caller waits. The system would try an address that does not answer for two minutes; closing the
// dialer ends that.
static int connect_bounded(nng_dialer dialer, int timeout_ms) {
    connect_limit limit = {.dialer = dialer};
    int result = nng_aio_alloc(&limit.timer, connect_give_up, &limit);
    if (result != 0)
        return result;
    nng_sleep_aio(timeout_ms, limit.timer);
    result = nng_dialer_start(dialer, 0);
    nng_aio_stop(limit.timer);
    nng_aio_free(limit.timer);
    return result;
}

gw_status gw_transport_open(const char *url, int timeout_ms, size_t reply_size_max, gw_transport **ret) {
    if (strncmp(url, "ipc://", 6) != 0 && strncmp(url, "tcp://", 6) != 0)
        return GW_INVALID;
    GW_CLEANUP(gw_transport_freep) gw_transport *transport = calloc(1, sizeof(*transport));
    if (transport == NULL)
        return GW_NO_MEMORY;
    gw_status status = socket_open(transport, reply_size_max);
    if (status != GW_OK)
        return status;
    nng_dialer dialer;
    int result = nng_dialer_create(&dialer, transport->socket, url);
    if (result == NNG_EINVAL || result == NNG_EADDRINVAL || result == NNG_ENOTSUP)
        return GW_INVALID;
    if (result != 0 || connect_bounded(dialer, timeout_ms) != 0)
        return GW_UNAVAILABLE;
    *ret = gw_take(&transport);
    return GW_OK;
}

void gw_transport_close(gw_transport *transport) {
    if (transport == NULL)
        return;
    nng_msg_free(transport->reply); // accepts NULL
    if (transport->is_open)
        nng_close(transport->socket);
    free(transport);
}

static gw_status exchange_send(gw_transport *transport, gw_bytes message, int timeout_ms) {
    nng_msg *request = NULL;
    if (nng_msg_alloc(&request, 0) != 0)
        return GW_NO_MEMORY;
    gw_status status = GW_OK;
    if (nng_msg_append(request, message.data, message.size) != 0)
        status = GW_NO_MEMORY;
    else if (nng_socket_set_ms(transport->socket, NNG_OPT_SENDTIMEO, timeout_ms) != 0 ||
             nng_sendmsg(transport->socket, request, 0) != 0)
        status = GW_UNAVAILABLE;
    if (status != GW_OK)
        nng_msg_free(request);
    return status;
}

gw_status gw_transport_exchange(gw_transport *transport, gw_bytes message, int timeout_ms, gw_bytes *ret_reply) {
    nng_msg_free(transport->reply);
    transport->reply = NULL;
    gw_status status = exchange_send(transport, message, timeout_ms);
    if (status != GW_OK)
        return status;
    if (nng_socket_set_ms(transport->socket, NNG_OPT_RECVTIMEO, timeout_ms) != 0 ||
        nng_recvmsg(transport->socket, &transport->reply, 0) != 0) {
        transport->reply = NULL;
        return GW_RETRY;
    }
    *ret_reply = (gw_bytes){.data = nng_msg_body(transport->reply), .size = nng_msg_len(transport->reply)};
    return GW_OK;
}
