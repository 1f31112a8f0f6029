// SPDX-License-Identifier: Apache-2.0
// The transport on an nng REQ socket. nng would send a request again after a minute and whenever a connection is lost;
// that is switched off, because the client decides what is asked twice, and with which id. After any failure the
// connection is made anew: nng 1.5 can be left with a connection nobody reads, or give up connecting, and not say so.
#include "client/lib/transport.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/clock.h"
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECONNECT_MS_FIRST 10
#define RECONNECT_MS_MAX 250
#define CLOSE_SECONDS_MAX 2

struct gw_transport {
    char *url;
    size_t reply_size_max;
    nng_socket socket;
    bool is_open;
    nng_msg *reply;
};

GW_DEFINE_FREEP(gw_transport, gw_transport_close)

static void *socket_close_wait(void *argument) {
    nng_close((nng_socket){.id = (uint32_t)(uintptr_t)argument});
    return NULL;
}

// A connection that closes while a part of a message is under way can leave nng 1.5 waiting for it forever. Then the
// socket is left to the end of the process, and the caller goes on.
static void socket_close(gw_transport *transport) {
    pthread_t thread;
    struct timespec until;
    if (!transport->is_open)
        return;
    transport->is_open = false;
    if (pthread_create(&thread, NULL, socket_close_wait, (void *)(uintptr_t)transport->socket.id) != 0)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_SECONDS_MAX;
    if (pthread_timedjoin_np(thread, NULL, &until) != 0)
        pthread_detach(thread);
}

// The only function that opens a socket: limits come before it connects.
static gw_status socket_open(gw_transport *transport) {
    if (nng_req0_open(&transport->socket) != 0)
        return GW_NO_MEMORY;
    transport->is_open = true;
    if (nng_socket_set_size(transport->socket, NNG_OPT_RECVMAXSZ, transport->reply_size_max) != 0 ||
        nng_socket_set_ms(transport->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE) != 0)
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

static gw_status transport_connect(gw_transport *transport, int timeout_ms) {
    gw_status status = socket_open(transport);
    nng_dialer dialer;
    int result = 0;
    if (status == GW_OK)
        result = nng_dialer_create(&dialer, transport->socket, transport->url);
    if (result == NNG_EINVAL || result == NNG_EADDRINVAL || result == NNG_ENOTSUP)
        status = GW_INVALID;
    else if (status == GW_OK && (result != 0 || connect_bounded(dialer, timeout_ms) != 0))
        status = GW_UNAVAILABLE;
    if (status != GW_OK)
        socket_close(transport);
    return status;
}

static int64_t now_ms(void) {
    gw_clock clock = gw_clock_system();
    return clock.boot_ms(clock.state);
}

// A service that restarts is away for a moment: tries until the time is over.
static gw_status transport_reconnect(gw_transport *transport, int timeout_ms) {
    int64_t end_ms = now_ms() + timeout_ms;
    for (int wait_ms = RECONNECT_MS_FIRST;; wait_ms = wait_ms * 2 < RECONNECT_MS_MAX ? wait_ms * 2 : RECONNECT_MS_MAX) {
        int64_t left_ms = end_ms - now_ms();
        gw_status status = left_ms > 0 ? transport_connect(transport, (int)left_ms) : GW_UNAVAILABLE;
        if (status != GW_UNAVAILABLE || left_ms <= wait_ms)
            return status;
        nng_msleep(wait_ms);
    }
}

gw_status gw_transport_open(const char *url, int timeout_ms, size_t reply_size_max, gw_transport **ret) {
    if (strncmp(url, "ipc://", 6) != 0 && strncmp(url, "tcp://", 6) != 0)
        return GW_INVALID;
    GW_CLEANUP(gw_transport_freep) gw_transport *transport = calloc(1, sizeof(*transport));
    if (transport == NULL)
        return GW_NO_MEMORY;
    transport->reply_size_max = reply_size_max;
    transport->url = strdup(url);
    gw_status status = transport->url == NULL ? GW_NO_MEMORY : transport_connect(transport, timeout_ms);
    if (status == GW_OK)
        *ret = gw_take(&transport);
    return status;
}

void gw_transport_close(gw_transport *transport) {
    if (transport == NULL)
        return;
    nng_msg_free(transport->reply); // accepts NULL
    socket_close(transport);
    free(transport->url);
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

static gw_status exchange_receive(gw_transport *transport, int timeout_ms) {
    if (nng_socket_set_ms(transport->socket, NNG_OPT_RECVTIMEO, timeout_ms) == 0 &&
        nng_recvmsg(transport->socket, &transport->reply, 0) == 0)
        return GW_OK;
    transport->reply = NULL;
    return GW_RETRY;
}

gw_status gw_transport_exchange(gw_transport *transport, gw_bytes message, int timeout_ms, gw_bytes *ret_reply) {
    nng_msg_free(transport->reply);
    transport->reply = NULL;
    gw_status status = transport->is_open ? GW_OK : transport_reconnect(transport, timeout_ms);
    if (status == GW_OK)
        status = exchange_send(transport, message, timeout_ms);
    if (status == GW_OK)
        status = exchange_receive(transport, timeout_ms);
    if (status != GW_OK) {
        socket_close(transport);
        return status;
    }
    *ret_reply = (gw_bytes){.data = nng_msg_body(transport->reply), .size = nng_msg_len(transport->reply)};
    return GW_OK;
}
