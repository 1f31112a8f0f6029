// SPDX-License-Identifier: Apache-2.0
// Requests to several witnesses at once, in a bounded time: an interface, so that the rules (ask.h) are tested without
// a network. Replies are bytes of strangers, bounded and believed in nothing.
// Thread safety: one post at a time.   Depends on: base.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

#define GW_HTTP_REPLY_MAX 65536u // a witness's lines: 16 post-quantum ones fit

typedef struct {
    const char *url;       // borrowed
    gw_buffer body;        // sent by POST; may be written anew before it is sent again
    unsigned status;       // 0: there was no reply
    char content_type[64]; // of the reply, "" where it has none
    char failure[128];     // why there was none, in words
    gw_buffer reply;       // of at most GW_HTTP_REPLY_MAX; empty where it was longer
    size_t index;          // the caller's
} gw_http_exchange;

typedef enum {
    GW_HTTP_DONE,   // nothing more with this one
    GW_HTTP_AGAIN,  // send it once more: its body was written anew
    GW_HTTP_ENOUGH, // the others are not waited for, but for a moment
} gw_http_next;

typedef struct {
    void *state;
    // Sends all, calls `done` for each as its reply is there (or fails, or the time is over), on the caller's thread.
    void (*post)(void *state, gw_http_exchange *exchanges, size_t count, unsigned timeout_ms,
                 gw_http_next (*done)(void *done_state, gw_http_exchange *exchange), void *done_state);
    void (*close)(void *state); // may be NULL
} gw_http;

// libcurl: http to loopback, https to everywhere; no redirects, no cookies, no environment's proxies.
GW_MUST_CHECK gw_status gw_http_curl(gw_http *ret, gw_problem *ret_problem);
// Whether a URL may be asked: https, or http to 127.0.0.0/8, [::1] or localhost.
bool gw_http_is_allowed(const char *url);
