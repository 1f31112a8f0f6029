// SPDX-License-Identifier: Apache-2.0
// A stored answer asked for again over ipc, beside a bare nng echo whose requests and replies have the same sizes: one
// at a time (median), and 64 in flight (rate). The echo server is a process of its own, as the daemon is. Argument:
// requests.
#include "tests/bench/bench.h"
#include "tests/support/daemon.h"
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define IN_FLIGHT 64
#define QUESTION                                                                                                       \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"by\":[\"sex\"],\"epsilon\":\"0.1\"}"

static void must(int code, const char *what) {
    if (code == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, nng_strerror(code));
    exit(EXIT_FAILURE);
}

// ---- the echo: every context receives, answers with `reply_size` bytes, receives again

typedef struct {
    nng_ctx context;
    nng_aio *aio;
    size_t reply_size;
    bool is_sending;
} echo_context;

static void echo_step(void *state) {
    echo_context *it = state;
    if (nng_aio_result(it->aio) != 0)
        return;
    if (it->is_sending) {
        it->is_sending = false;
        nng_ctx_recv(it->context, it->aio);
        return;
    }
    nng_msg_free(nng_aio_get_msg(it->aio));
    nng_msg *reply = NULL;
    must(nng_msg_alloc(&reply, it->reply_size), "message");
    nng_aio_set_msg(it->aio, reply);
    it->is_sending = true;
    nng_ctx_send(it->context, it->aio);
}

static _Noreturn void echo_serve(const char *url, size_t reply_size, int ready) {
    static echo_context contexts[IN_FLIGHT];
    nng_socket server;
    must(nng_rep0_open(&server), "rep");
    for (int i = 0; i < IN_FLIGHT; i++) {
        contexts[i].reply_size = reply_size;
        must(nng_ctx_open(&contexts[i].context, server), "context");
        must(nng_aio_alloc(&contexts[i].aio, echo_step, &contexts[i]), "aio");
        nng_ctx_recv(contexts[i].context, contexts[i].aio);
    }
    must(nng_listen(server, url, NULL, 0), "listen");
    if (write(ready, "x", 1) != 1)
        exit(EXIT_FAILURE);
    for (;;)
        pause();
}

static pid_t echo_start(const char *url, size_t reply_size) {
    int ends[2];
    char byte;
    if (pipe(ends) != 0)
        exit(EXIT_FAILURE);
    const pid_t pid = fork(); // before this process has used nng: its threads would not come along
    if (pid == 0)
        echo_serve(url, reply_size, ends[1]);
    if (pid < 0 || read(ends[0], &byte, 1) != 1)
        exit(EXIT_FAILURE);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

// ---- the asking side, the same for both

typedef struct load load;
typedef struct {
    load *of;
    nng_ctx context;
    nng_aio *aio;
    uint64_t begin_ns;
    bool is_receiving;
} slot;

struct load {
    gw_bytes request;
    size_t reply_size; // 0: any
    uint64_t wanted, started, done;
    pthread_mutex_t lock;
    pthread_cond_t is_done;
    bench_samples *latency;
};

static bool slot_begin(slot *it) {
    load *of = it->of;
    pthread_mutex_lock(&of->lock);
    const bool is_wanted = of->started < of->wanted;
    of->started += is_wanted;
    pthread_mutex_unlock(&of->lock);
    if (!is_wanted)
        return false;
    nng_msg *message = NULL;
    must(nng_msg_alloc(&message, 0), "message");
    must(nng_msg_append(message, of->request.data, of->request.size), "message");
    nng_aio_set_msg(it->aio, message);
    it->is_receiving = false;
    it->begin_ns = bench_now_ns();
    nng_ctx_send(it->context, it->aio);
    return true;
}

static void slot_step(void *state) {
    slot *it = state;
    load *of = it->of;
    must(nng_aio_result(it->aio), "exchange");
    if (!it->is_receiving) {
        it->is_receiving = true;
        nng_ctx_recv(it->context, it->aio);
        return;
    }
    nng_msg *reply = nng_aio_get_msg(it->aio);
    const uint64_t took = bench_now_ns() - it->begin_ns;
    if (of->reply_size != 0 && nng_msg_len(reply) != of->reply_size) {
        fprintf(stderr, "a reply of %zu bytes, not %zu: %.200s\n", nng_msg_len(reply), of->reply_size,
                (const char *)nng_msg_body(reply));
        exit(EXIT_FAILURE);
    }
    nng_msg_free(reply);
    pthread_mutex_lock(&of->lock);
    bench_add(of->latency, (double)took / 1e3);
    if (++of->done == of->wanted)
        pthread_cond_signal(&of->is_done);
    pthread_mutex_unlock(&of->lock);
    slot_begin(it);
}

// Sends the request `wanted` times, `in_flight` at a time; returns seconds.
static double run(const char *url, gw_bytes request, size_t reply_size, unsigned in_flight, uint64_t wanted,
                  bench_samples *latency) {
    static slot slots[IN_FLIGHT];
    load of = {.request = request, .reply_size = reply_size, .wanted = wanted, .latency = latency};
    nng_socket socket_;
    pthread_mutex_init(&of.lock, NULL);
    pthread_cond_init(&of.is_done, NULL);
    latency->count = 0;
    must(nng_req0_open(&socket_), "req");
    must(nng_socket_set_ms(socket_, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), "resend time");
    must(nng_dial(socket_, url, NULL, 0), "dial");
    for (unsigned i = 0; i < in_flight; i++) {
        slots[i] = (slot){.of = &of};
        must(nng_ctx_open(&slots[i].context, socket_), "context");
        must(nng_aio_alloc(&slots[i].aio, slot_step, &slots[i]), "aio");
    }
    const uint64_t begin = bench_now_ns();
    for (unsigned i = 0; i < in_flight; i++)
        slot_begin(&slots[i]);
    pthread_mutex_lock(&of.lock);
    while (of.done < of.wanted)
        pthread_cond_wait(&of.is_done, &of.lock);
    pthread_mutex_unlock(&of.lock);
    const double seconds = (double)(bench_now_ns() - begin) / 1e9;
    for (unsigned i = 0; i < in_flight; i++) {
        nng_aio_stop(slots[i].aio);
        nng_aio_free(slots[i].aio);
    }
    nng_close(socket_);
    return seconds;
}

// What a client would send and get: measured once, before any process is forked off nng.
static void ask_once(gw_buffer *ret_request, size_t *ret_reply_size, char *ret_url, size_t url_size,
                     test_daemon *daemon) {
    gw_profile profile;
    test_asker asker;
    test_daemon_with_people(daemon, 1000, (test_budget){"1000", NULL, "0.01", "10"});
    test_daemon_principal(daemon, "researcher", &profile);
    test_asker_open(&asker, &profile);
    if (!test_ask(&asker, QUESTION, NULL))
        exit(EXIT_FAILURE);
    gw_buffer_init(ret_request, GW_REQUEST_BYTES_MAX);
    gw_buffer_append(ret_request, asker.message.data, asker.message.size);
    test_asker_send(&asker, 60000); // the repeat: its account differs from the first
    const gw_reply_message *reply = &asker.reply;
    *ret_reply_size = reply->signed_bytes.size + strlen("sig ") + 2 * GW_SIGNATURE_SIZE + 2 + reply->answer.size +
                      reply->receipt.size + reply->account.size;
    snprintf(ret_url, url_size, "%s", profile.url);
    test_asker_close(&asker);
}

int main(int argc, char **argv) {
    const uint64_t wanted = bench_argument(argc, argv, 40000);
    static bench_samples latency;
    bench_title("bench_recall: a stored answer over ipc");
    // The echo's size must be known before it is forked, and it must be forked before nng's threads start here: so the
    // daemon is asked by a first child.
    int ends[2];
    if (pipe(ends) != 0)
        return EXIT_FAILURE;
    struct {
        test_daemon daemon;
        size_t request_size, reply_size;
        char url[512];
        uint8_t request[8192];
    } *facts = calloc(1, sizeof *facts);
    const pid_t child = fork();
    if (child == 0) {
        gw_buffer request;
        ask_once(&request, &facts->reply_size, facts->url, sizeof facts->url, &facts->daemon);
        facts->request_size = request.size;
        if (request.size > sizeof facts->request)
            _exit(EXIT_FAILURE);
        memcpy(facts->request, request.data, request.size);
        const uint8_t *bytes = (const uint8_t *)facts;
        for (size_t sent = 0; sent < sizeof *facts;) {
            const ssize_t size = write(ends[1], bytes + sent, sizeof *facts - sent);
            if (size <= 0)
                _exit(EXIT_FAILURE);
            sent += (size_t)size;
        }
        for (;;)
            pause(); // the daemon lives as long as the process that started it
    }
    close(ends[1]);
    for (size_t got = 0; got < sizeof *facts;) {
        const ssize_t size = read(ends[0], (uint8_t *)facts + got, sizeof *facts - got);
        if (size <= 0)
            return EXIT_FAILURE;
        got += (size_t)size;
    }
    char url[TEST_PATH_MAX + 32];
    snprintf(url, sizeof url, "ipc://%s/echo.sock", facts->daemon.folder);
    const gw_bytes request = {facts->request, facts->request_size};
    const pid_t echo = echo_start(url, facts->reply_size);
    printf("request %zu bytes, reply %zu bytes\n", facts->request_size, facts->reply_size);

    run(url, request, facts->reply_size, 1, 2000, &latency); // warm
    run(facts->url, request, 0, 1, 2000, &latency);
    run(url, request, facts->reply_size, 1, wanted / 4, &latency);
    const double echo_us = bench_median(&latency);
    run(facts->url, request, facts->reply_size, 1, wanted / 4, &latency);
    const double recall_us = bench_median(&latency);
    const double recall_p99 = bench_percentile(&latency, 99);
    const double echo_rate = (double)wanted / run(url, request, facts->reply_size, IN_FLIGHT, wanted, &latency);
    const double recall_rate =
        (double)wanted / run(facts->url, request, facts->reply_size, IN_FLIGHT, wanted, &latency);
    const double flight_us = bench_median(&latency);

    bench_line("echo, one at a time, median", echo_us, "us", 0);
    bench_line("recall, one at a time, median", recall_us, "us", recall_us / echo_us);
    bench_line("recall, one at a time, p99", recall_p99, "us", 0);
    bench_line("echo, 64 in flight", echo_rate, "/s", 0);
    bench_line("recall, 64 in flight", recall_rate, "/s", recall_rate / echo_rate);
    bench_line("recall, 64 in flight, median", flight_us, "us", 0);
    kill(echo, SIGKILL);
    waitpid(echo, NULL, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    facts->daemon.pid = 0;
    test_daemon_done(&facts->daemon);
    free(facts);
    return 0;
}
