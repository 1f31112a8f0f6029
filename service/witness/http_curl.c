// SPDX-License-Identifier: Apache-2.0
// The one place of libcurl: several POSTs at once, each bounded in bytes and all of them in time. Connections are kept
// for the next time.
#include "service/witness/http.h"
#include "service/base/check.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CONNECTIONS_KEPT 32L
#define GRACE_MS 25 // for those who are about to answer when enough have
#define POLL_MS_MAX 100

typedef struct {
    CURLM *multi;
    struct curl_slist *headers;
} transport;

typedef struct {
    CURL *easy;
    gw_http_exchange *exchange;
    char error[CURL_ERROR_SIZE];
    bool is_over; // told to the caller
} transfer;

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_loopback(const char *host, size_t size) {
    static const char *const names[] = {"localhost", "[::1]"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == size && strncasecmp(host, names[i], size) == 0)
            return true;
    // 127.x.y.z in digits and dots alone: 127.evil.example is a name.
    return size > 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= size;
}

bool gw_http_is_allowed(const char *url) {
    for (const char *at = url; *at != '\0'; at++)
        if (*at <= 0x20 || *at >= 0x7f || *at == '@' || *at == '\\' || *at == '#' || *at == '?')
            return false; // user names and the like: nothing that two readers read in two ways
    if (strncmp(url, "https://", 8) == 0)
        return url[8] != '\0' && url[8] != '/';
    if (strncmp(url, "http://", 7) != 0)
        return false;
    const char *host = url + 7;
    size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    return size <= strlen(host) && is_loopback(host, size);
}

static size_t take_body(char *data, size_t one, size_t count, void *state) {
    gw_http_exchange *exchange = state;
    gw_buffer_append(&exchange->reply, data, one * count);
    return exchange->reply.status == GW_OK ? one * count : 0; // too long: the transfer fails
}

static void transfer_prepare(const transport *http, transfer *one, unsigned timeout_ms) {
    CURL *easy = one->easy;
    gw_http_exchange *exchange = one->exchange;
    one->is_over = false;
    one->error[0] = '\0';
    exchange->status = 0;
    exchange->content_type[0] = exchange->failure[0] = '\0';
    gw_buffer_done(&exchange->reply);
    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, gw_buffer_string(&exchange->body));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.size);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)GW_HTTP_REPLY_MAX);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, one->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, one);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "godwit/" GW_VERSION);
}

static void transfer_read(transfer *one, CURLcode code) {
    gw_http_exchange *exchange = one->exchange;
    if (code != CURLE_OK) {
        gw_buffer_done(&exchange->reply);
        snprintf(exchange->failure, sizeof(exchange->failure), "%.120s",
                 one->error[0] != '\0' ? one->error : curl_easy_strerror(code));
        return;
    }
    long status = 0;
    const char *type = NULL;
    curl_easy_getinfo(one->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(one->easy, CURLINFO_CONTENT_TYPE, &type);
    exchange->status = status > 0 && status < 1000 ? (unsigned)status : 0;
    snprintf(exchange->content_type, sizeof(exchange->content_type), "%s", type == NULL ? "" : type);
}

typedef struct {
    transport *http;
    transfer *transfers;
    size_t count, open;
    int64_t deadline;
    gw_http_next (*done)(void *done_state, gw_http_exchange *exchange);
    void *done_state;
} posting;

static void posting_tell(posting *post, transfer *one) {
    gw_http_next next = post->done(post->done_state, one->exchange);
    int64_t now = now_ms();
    if (next == GW_HTTP_AGAIN && now < post->deadline) {
        transfer_prepare(post->http, one, (unsigned)(post->deadline - now));
        if (curl_multi_add_handle(post->http->multi, one->easy) == CURLM_OK)
            return;
    }
    if (next == GW_HTTP_ENOUGH && post->deadline > now + GRACE_MS)
        post->deadline = now + GRACE_MS;
    one->is_over = true;
    post->open--;
}

static void posting_collect(posting *post) {
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(post->http->multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        transfer *one = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &one);
        curl_multi_remove_handle(post->http->multi, easy);
        transfer_read(one, code);
        posting_tell(post, one);
    }
}

// Those who have not answered when the time is over are told as unreachable.
static void posting_end(posting *post) {
    for (size_t i = 0; i < post->count; i++) {
        transfer *one = &post->transfers[i];
        if (one->easy != NULL && !one->is_over) {
            curl_multi_remove_handle(post->http->multi, one->easy);
            one->exchange->status = 0;
            gw_buffer_done(&one->exchange->reply);
            snprintf(one->exchange->failure, sizeof(one->exchange->failure), "no reply within the time allowed");
            gw_ignore(post->done(post->done_state, one->exchange)); // the time is over, whatever it wants
        }
        if (one->easy != NULL)
            curl_easy_cleanup(one->easy);
    }
}

static void curl_post(void *state, gw_http_exchange *exchanges, size_t count, unsigned timeout_ms,
                      gw_http_next (*done)(void *done_state, gw_http_exchange *exchange), void *done_state) {
    transfer *transfers = calloc(count, sizeof(*transfers));
    posting post = {.http = state,
                    .transfers = transfers,
                    .count = transfers == NULL ? 0 : count,
                    .deadline = now_ms() + timeout_ms,
                    .done = done,
                    .done_state = done_state};
    for (size_t i = 0; i < post.count; i++) {
        transfer *one = &transfers[i];
        one->exchange = &exchanges[i];
        one->easy = curl_easy_init();
        if (one->easy == NULL)
            continue;
        transfer_prepare(post.http, one, timeout_ms);
        if (curl_multi_add_handle(post.http->multi, one->easy) == CURLM_OK)
            post.open++;
    }
    int running = 0;
    while (post.open > 0 && now_ms() < post.deadline) {
        if (curl_multi_perform(post.http->multi, &running) != CURLM_OK)
            break;
        posting_collect(&post);
        int64_t left = post.deadline - now_ms();
        if (post.open > 0 && left > 0 &&
            curl_multi_poll(post.http->multi, NULL, 0, left < POLL_MS_MAX ? (int)left : POLL_MS_MAX, NULL) != CURLM_OK)
            break;
    }
    posting_end(&post);
    free(transfers);
}

static void curl_close(void *state) {
    transport *http = state;
    curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->headers);
    free(http);
}

gw_status gw_http_curl(gw_http *ret, gw_problem *ret_problem) {
    transport *http = calloc(1, sizeof(*http));
    if (http != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        http->multi = curl_multi_init();
        http->headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
        struct curl_slist *more = curl_slist_append(http->headers, "Expect:"); // a second of waiting otherwise
        http->headers = more != NULL ? more : http->headers;
    }
    if (http == NULL || http->multi == NULL || http->headers == NULL) {
        if (http != NULL) {
            curl_slist_free_all(http->headers);
            curl_multi_cleanup(http->multi);
        }
        free(http);
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    }
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    *ret = (gw_http){.state = http, .post = curl_post, .close = curl_close};
    return GW_OK;
}
