// SPDX-License-Identifier: Apache-2.0
// A REQ socket for one exchange. It never sends twice: the resend time is infinite.
#include "service/bus/ask.h"

#include "service/wire/message.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

static int ask_exchange(nng_socket socket, const char *url, gw_bytes request, int timeout_ms, gw_buffer *reply) {
    int error = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, GW_REPLY_BYTES_MAX);
    if (error == 0)
        error = nng_socket_set_ms(socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    if (error == 0)
        error = nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, timeout_ms);
    if (error == 0)
        error = nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, timeout_ms);
    if (error == 0)
        error = nng_dial(socket, url, NULL, 0);
    if (error == 0)
        error = nng_send(socket, (void *)(uintptr_t)request.data, request.size, 0); // nng's send does not write to it
    void *bytes = NULL;
    size_t size = 0;
    if (error == 0)
        error = nng_recv(socket, &bytes, &size, NNG_FLAG_ALLOC);
    if (error == 0) {
        gw_buffer_append(reply, bytes, size);
        nng_free(bytes, size);
    }
    return error;
}

gw_status gw_bus_ask(const char *url, gw_bytes request, int timeout_ms, gw_buffer *ret_reply, gw_problem *ret_problem) {
    nng_socket socket;
    int error = nng_req0_open(&socket);
    if (error == 0) {
        error = ask_exchange(socket, url, request, timeout_ms, ret_reply);
        nng_close(socket);
    }
    if (error == 0)
        return ret_reply->status;
    gw_problem_set(ret_problem, GW_UNAVAILABLE, "unreachable", "The running service did not answer.", "",
                   "Look at its log, or stop it and try again.");
    gw_problem_why(ret_problem, "%s: %s", url, nng_strerror(error));
    return GW_UNAVAILABLE;
}
