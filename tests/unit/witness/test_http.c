// SPDX-License-Identifier: Apache-2.0
// The network side against servers that lie: late, silent, endless, elsewhere. Each server is a thread that takes
// connections and plays one script.
#include "service/witness/http.h"
#include "tests/support/unit.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

typedef enum { PLAY_OK, PLAY_SILENT, PLAY_ENDLESS, PLAY_REDIRECT, PLAY_SHUT } play;
typedef struct {
    play what;
    int listener;
    char url[64];
    unsigned connections;
    char request[4096];
    pthread_t thread;
} server;

static void play_one(server *one, int client) {
    static const char ok[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/x.test\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
    static const char redirect[] = "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n";
    static const char endless[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    static char block[8192];
    ssize_t size = recv(client, one->request, sizeof(one->request) - 1, 0);
    if (size <= 0)
        return;
    one->request[size] = '\0';
    // Body and headers may come apart.
    while (strstr(one->request, "\r\n\r\n") == NULL || strlen(strstr(one->request, "\r\n\r\n")) < 4 + 3) {
        ssize_t more = recv(client, one->request + size, sizeof(one->request) - 1 - (size_t)size, 0);
        if (more <= 0)
            break;
        size += more;
        one->request[size] = '\0';
    }
    if (one->what == PLAY_OK)
        send(client, ok, sizeof(ok) - 1, MSG_NOSIGNAL);
    if (one->what == PLAY_REDIRECT)
        send(client, redirect, sizeof(redirect) - 1, MSG_NOSIGNAL);
    if (one->what == PLAY_ENDLESS) {
        send(client, endless, sizeof(endless) - 1, MSG_NOSIGNAL);
        memset(block, 'x', sizeof(block));
        while (send(client, block, sizeof(block), MSG_NOSIGNAL) > 0)
            continue;
    }
    if (one->what == PLAY_SILENT)
        while (recv(client, block, sizeof(block), 0) > 0) // until the other side gives up
            continue;
}

static void *server_run(void *state) {
    server *one = state;
    for (;;) {
        int client = accept(one->listener, NULL, NULL);
        if (client < 0)
            return NULL;
        one->connections++;
        play_one(one, client);
        close(client);
    }
}

static void server_start(server *one, play what) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    *one = (server){.what = what, .listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(one->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(one->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(one->url, sizeof(one->url), "http://127.0.0.1:%u/add-checkpoint", ntohs(address.sin_port));
    if (what == PLAY_SHUT)
        return;
    assert_int_equal(listen(one->listener, 8), 0);
    assert_int_equal(pthread_create(&one->thread, NULL, server_run, one), 0);
}

static void server_stop(server *one) {
    shutdown(one->listener, SHUT_RDWR); // accept returns
    if (one->what != PLAY_SHUT)
        pthread_join(one->thread, NULL);
    close(one->listener);
}

typedef struct {
    unsigned statuses[4];
    char texts[4][64], types[4][64], failures[4][128];
    unsigned told[4];
    unsigned enough_at; // status after which no other is waited for
    bool wants_again;
} outcome;

static gw_http_next done(void *state, gw_http_exchange *exchange) {
    outcome *out = state;
    size_t i = exchange->index;
    out->told[i]++;
    out->statuses[i] = exchange->status;
    snprintf(out->texts[i], sizeof(out->texts[i]), "%.60s", gw_buffer_string(&exchange->reply));
    snprintf(out->types[i], sizeof(out->types[i]), "%s", exchange->content_type);
    snprintf(out->failures[i], sizeof(out->failures[i]), "%s", exchange->failure);
    if (out->wants_again && out->told[i] == 1)
        return GW_HTTP_AGAIN;
    return exchange->status != 0 && exchange->status == out->enough_at ? GW_HTTP_ENOUGH : GW_HTTP_DONE;
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Returns how long it took.
static int64_t post(server *servers, size_t count, unsigned timeout_ms, outcome *out) {
    gw_http http;
    gw_http_exchange exchanges[4];
    assert_int_equal(gw_http_curl(&http, NULL), GW_OK);
    for (size_t i = 0; i < count; i++) {
        exchanges[i] = (gw_http_exchange){.url = servers[i].url, .index = i};
        gw_buffer_init(&exchanges[i].body, 4096);
        gw_buffer_init(&exchanges[i].reply, GW_HTTP_REPLY_MAX);
        gw_buffer_text(&exchanges[i].body, "abc");
    }
    int64_t before = now_ms();
    http.post(http.state, exchanges, count, timeout_ms, done, out);
    int64_t after = now_ms();
    for (size_t i = 0; i < count; i++) {
        gw_buffer_done(&exchanges[i].body);
        gw_buffer_done(&exchanges[i].reply);
    }
    http.close(http.state);
    return after - before;
}

static void a_reply_comes_whole_with_its_type_and_the_request_is_a_plain_post(void **state) {
    (void)state;
    server one;
    outcome out = {0};
    server_start(&one, PLAY_OK);
    post(&one, 1, 5000, &out);
    assert_int_equal(out.statuses[0], 200);
    assert_string_equal(out.texts[0], "hello\n");
    assert_string_equal(out.types[0], "text/x.test");
    assert_int_equal(out.told[0], 1);
    server_stop(&one);
    assert_ptr_equal(strstr(one.request, "POST /add-checkpoint HTTP/1.1\r\n"), one.request);
    assert_non_null(strstr(one.request, "\r\n\r\nabc"));
    assert_null(strstr(one.request, "Expect:"));
}

static void what_is_asked_again_is_sent_again(void **state) {
    (void)state;
    server one;
    outcome out = {.wants_again = true};
    server_start(&one, PLAY_OK);
    post(&one, 1, 5000, &out);
    server_stop(&one);
    assert_int_equal(out.told[0], 2);
    assert_int_equal(one.connections, 2);
}

static void silence_ends_with_the_time_and_does_not_keep_the_others(void **state) {
    (void)state;
    server both[2];
    outcome out = {0};
    server_start(&both[0], PLAY_SILENT);
    server_start(&both[1], PLAY_OK);
    int64_t took = post(both, 2, 300, &out);
    assert_in_range(took, 250, 3000);
    assert_int_equal(out.statuses[0], 0);
    assert_true(out.failures[0][0] != '\0');
    assert_int_equal(out.told[0], 1);
    assert_int_equal(out.statuses[1], 200);
    server_stop(&both[0]);
    server_stop(&both[1]);
}

static void when_enough_have_answered_nobody_waits_for_the_silent(void **state) {
    (void)state;
    server both[2];
    outcome out = {.enough_at = 200};
    server_start(&both[0], PLAY_SILENT);
    server_start(&both[1], PLAY_OK);
    assert_in_range(post(both, 2, 60000, &out), 0, 10000);
    assert_int_equal(out.statuses[0], 0);
    assert_int_equal(out.told[0], 1);
    server_stop(&both[0]);
    server_stop(&both[1]);
}

static void an_endless_reply_is_cut_and_nothing_of_it_kept(void **state) {
    (void)state;
    server one;
    outcome out = {0};
    server_start(&one, PLAY_ENDLESS);
    assert_in_range(post(&one, 1, 60000, &out), 0, 20000);
    assert_int_equal(out.statuses[0], 0);
    assert_string_equal(out.texts[0], "");
    server_stop(&one);
}

static void redirects_are_not_followed(void **state) {
    (void)state;
    server one;
    outcome out = {0};
    server_start(&one, PLAY_REDIRECT);
    post(&one, 1, 5000, &out);
    server_stop(&one);
    assert_int_equal(out.statuses[0], 302);
    assert_string_equal(out.texts[0], "");
    assert_int_equal(one.connections, 1);
}

static void a_closed_port_is_told_at_once_and_no_proxy_is_asked(void **state) {
    (void)state;
    server both[2];
    outcome out = {0};
    server_start(&both[0], PLAY_SHUT);
    server_start(&both[1], PLAY_OK);
    setenv("http_proxy", both[1].url, 1);
    assert_in_range(post(both, 1, 60000, &out), 0, 10000);
    unsetenv("http_proxy");
    assert_int_equal(out.statuses[0], 0);
    server_stop(&both[0]);
    server_stop(&both[1]);
    assert_int_equal(both[1].connections, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_comes_whole_with_its_type_and_the_request_is_a_plain_post),
        cmocka_unit_test(what_is_asked_again_is_sent_again),
        cmocka_unit_test(silence_ends_with_the_time_and_does_not_keep_the_others),
        cmocka_unit_test(when_enough_have_answered_nobody_waits_for_the_silent),
        cmocka_unit_test(an_endless_reply_is_cut_and_nothing_of_it_kept),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(a_closed_port_is_told_at_once_and_no_proxy_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
