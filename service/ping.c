// SPDX-License-Identifier: Apache-2.0
// Nobody signs a ping, so it needs no key and can be made by whoever looks after the daemon.
#include "service/ping.h"

#include "service/base/cleanup.h"
#include "service/bus/ask.h"

#include <stdio.h>
#include <time.h>

#define BYTES_MAX 65536u

gw_status gw_ping(const char *url, const char *origin, int timeout_ms, gw_reply_status *ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer request;
    GW_CLEANUP(gw_buffer_done) gw_buffer reply;
    gw_request_message message = {
        .time = (int64_t)time(NULL), .auth = GW_AUTH_NONE, .body = gw_bytes_of("{\"v\":1,\"kind\":\"ping\"}")};
    gw_reply_message decoded;
    snprintf(message.origin, sizeof message.origin, "%s", origin);
    gw_random_id(message.idem);
    gw_buffer_init(&request, BYTES_MAX);
    gw_buffer_init(&reply, BYTES_MAX);
    gw_request_message_encode(&message, NULL, &request);
    gw_status status = request.status;
    if (status == GW_OK)
        status = gw_bus_ask(url, gw_buffer_bytes(&request), timeout_ms, &reply, ret_problem);
    if (status == GW_OK)
        status = gw_reply_message_decode(gw_buffer_bytes(&reply), &decoded, ret_problem);
    if (status == GW_OK)
        *ret = decoded.status;
    return status;
}
