// SPDX-License-Identifier: Apache-2.0
// The bus on nng 1.5. A context goes round: RECEIVE (nng holds its aio) -> WORK (the queue or a worker holds it) ->
// SEND (nng again) -> RECEIVE. nng's callbacks only take the message, queue the context and return, because they run on
// the few threads that also move bytes and keep time; the work is done by our own.
#include "service/bus/bus.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/wire/message.h"
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_MAX                                                                                                    \
    (GW_REQUEST_BYTES_MAX + 64u) // nng counts its routing header too: 4 bytes a hop, of which 8 are let through
#define CONTEXTS_DEFAULT 256u
#define WORKERS_DEFAULT 64u
#define CONTEXTS_MAX 4096u
#define CONNECTIONS_MAX 1024 // each may hold one message that no context has taken: 1 GiB at the very worst
#define WORKER_STACK 524288u // 512 KiB: SQLite and the longest path of a query need a tenth of that
#define SEND_MS_MAX 30000    // a peer that does not read gives its context back after that
#define FLUSH_MS_MAX 5000
#define FLUSH_STEP_MS 2
#define CLOSE_SECONDS_MAX 5
#define REPLY_KEPT_MAX 1048576u // a worker gives memory beyond that back after the reply
#define URL_MAX 512u
#define PEER_MAX 64
#define IPC_PREFIX "ipc://"
#define TCP_PREFIX "tcp://"

typedef enum { CONTEXT_RECEIVE, CONTEXT_WORK, CONTEXT_SEND, CONTEXT_CLOSED } context_state;

typedef struct {
    gw_bus *bus;
    nng_ctx context;
    nng_aio *aio;
    bool is_open;
    // Owned by whoever holds the context: its callback, the queue, or a worker.
    context_state state;
    nng_msg *request;
} bus_context;

typedef struct {
    gw_bus *bus;
    unsigned number;
    pthread_t thread;
} bus_worker;

struct gw_bus {
    gw_bus_options options;
    char (*urls)[URL_MAX];
    nng_socket socket;
    bool is_socket_open;
    bus_context *contexts;
    unsigned context_count;
    bus_worker *workers;
    unsigned worker_count; // of those running
    atomic_int connections;
    atomic_bool is_draining;
    atomic_uint in_flight; // contexts that are not waiting for a request
    // Under `lock`:
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    bus_context **queue; // a ring of `queue_size`
    unsigned queue_size, queue_first, queue_count;
    bool is_stopping; // workers end when the queue is empty
};

// nng 1.5 takes EPIPE for the end of the listener itself, so one peer that hangs up before it was greeted would stop it
// from accepting anybody, for good (its issue 1518, mended in 1.6). nng writes through this one call, and ECONNRESET it
// knows for the peer's doing. Stands before libc's function in every program that links the bus.
__attribute__((visibility("default"))) ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    ssize_t count = syscall(SYS_sendmsg, descriptor, message, flags);
    if (count < 0 && errno == EPIPE)
        errno = ECONNRESET;
    return count;
}

// ---- one context's round

static void context_receive(bus_context *context) {
    context->state = CONTEXT_RECEIVE;
    nng_aio_set_timeout(context->aio, NNG_DURATION_INFINITE);
    nng_ctx_recv(context->context, context->aio);
}

// The round is over: the reply is with nng, or the request came to nothing.
static void context_next(bus_context *context) {
    atomic_fetch_sub(&context->bus->in_flight, 1);
    context_receive(context);
}

static void context_drop_request(bus_context *context) {
    nng_msg_free(context->request); // accepts NULL
    context->request = NULL;
}

static gw_bytes context_request(const bus_context *context) {
    return (gw_bytes){.data = nng_msg_body(context->request), .size = nng_msg_len(context->request)};
}

static void context_send(bus_context *context, gw_bytes reply) {
    nng_msg *message = NULL;
    context_drop_request(context);
    // Without memory the peer gets no reply, times out, and asks again with the same id.
    if (reply.size == 0 || nng_msg_alloc(&message, 0) != 0 || nng_msg_append(message, reply.data, reply.size) != 0) {
        nng_msg_free(message);
        context_next(context);
        return;
    }
    context->state = CONTEXT_SEND;
    nng_aio_set_msg(context->aio, message);
    nng_aio_set_timeout(context->aio, SEND_MS_MAX);
    nng_ctx_send(context->context, context->aio);
}

static void context_send_busy(bus_context *context) {
    const gw_bus *bus = context->bus;
    gw_buffer reply;
    gw_buffer_init(&reply, GW_REQUEST_BYTES_MAX);
    bus->options.busy(bus->options.state, context_request(context), &reply);
    context_send(context, reply.status == GW_OK ? gw_buffer_bytes(&reply) : (gw_bytes){0});
    gw_buffer_done(&reply);
}

static bool queue_push(gw_bus *bus, bus_context *context) {
    bool is_queued = false;
    pthread_mutex_lock(&bus->lock);
    if (!atomic_load(&bus->is_draining) && bus->queue_count < bus->queue_size) {
        bus->queue[(bus->queue_first + bus->queue_count) % bus->queue_size] = context;
        bus->queue_count++;
        is_queued = true;
        pthread_cond_signal(&bus->has_work);
    }
    pthread_mutex_unlock(&bus->lock);
    return is_queued;
}

static void context_received(bus_context *context) {
    atomic_fetch_add(&context->bus->in_flight, 1);
    context->request = nng_aio_get_msg(context->aio);
    nng_aio_set_msg(context->aio, NULL);
    context->state = CONTEXT_WORK;
    if (!queue_push(context->bus, context)) // once it is queued, the context is no longer ours
        context_send_busy(context);
}

static void context_sent(bus_context *context, int result) {
    if (result != 0) { // nng took nothing
        nng_msg_free(nng_aio_get_msg(context->aio));
        nng_aio_set_msg(context->aio, NULL);
    }
    context_next(context);
}

// nng's callback: the aio has ended.
static void context_advance(void *argument) {
    bus_context *context = argument;
    int result = nng_aio_result(context->aio);
    if (result == NNG_ECLOSED || result == NNG_ECANCELED) { // the bus is closing; it frees what the aio holds
        context->state = CONTEXT_CLOSED;
        return;
    }
    switch (context->state) {
    case CONTEXT_RECEIVE:
        if (result != 0)
            context_receive(context);
        else
            context_received(context);
        break;
    case CONTEXT_SEND:
        context_sent(context, result);
        break;
    case CONTEXT_WORK:
    case CONTEXT_CLOSED:
        GW_ASSERT(false && "an aio ends only where nng holds it");
    }
}

// ---- workers

static bus_context *queue_pop(gw_bus *bus) {
    bus_context *context = NULL;
    pthread_mutex_lock(&bus->lock);
    while (bus->queue_count == 0 && !bus->is_stopping)
        pthread_cond_wait(&bus->has_work, &bus->lock);
    if (bus->queue_count != 0) {
        context = bus->queue[bus->queue_first];
        bus->queue_first = (bus->queue_first + 1) % bus->queue_size;
        bus->queue_count--;
    }
    pthread_mutex_unlock(&bus->lock);
    return context;
}

static void work_forget(gw_buffer *reply) {
    if (reply->capacity > REPLY_KEPT_MAX)
        gw_buffer_done(reply);
    reply->size = 0;
    reply->status = GW_OK;
}

// As far as the connection tells. Half of an IPv6 address is its owner's to choose.
static void peer_format(const bus_context *context, char ret[PEER_MAX]) {
    nng_pipe pipe = nng_msg_get_pipe(context->request);
    nng_sockaddr address;
    uint64_t uid;
    ret[0] = '\0';
    if (nng_pipe_id(pipe) < 0)
        return;
    if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) == 0)
        snprintf(ret, PEER_MAX, "uid %llu", (unsigned long long)uid);
    else if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &address) == 0 && address.s_family == NNG_AF_INET)
        gw_hex((gw_bytes){(const uint8_t *)&address.s_in.sa_addr, 4}, ret);
    else if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &address) == 0 && address.s_family == NNG_AF_INET6)
        gw_hex((gw_bytes){address.s_in6.sa_addr, 8}, ret);
}

static void *work(void *argument) {
    const bus_worker *worker = argument;
    gw_bus *bus = worker->bus;
    gw_buffer reply;
    bus_context *context;
    gw_buffer_init(&reply, GW_REPLY_BYTES_MAX);
    while ((context = queue_pop(bus)) != NULL) {
        char address[PEER_MAX];
        if (bus->options.peer != NULL) {
            peer_format(context, address);
            bus->options.peer(bus->options.state, worker->number, address);
        }
        bus->options.handle(bus->options.state, worker->number, context_request(context), &reply);
        if (reply.status == GW_OK && reply.size != 0)
            context_send(context, gw_buffer_bytes(&reply));
        else
            context_send_busy(context);
        work_forget(&reply);
    }
    gw_buffer_done(&reply);
    return NULL;
}

// ---- opening

static gw_status cannot_start(gw_problem *ret_problem, gw_status status, const char *why) {
    return gw_problem_set(ret_problem, status, "cannot_start", "The message bus cannot start.", why, "");
}

static void connection_changed(nng_pipe pipe, nng_pipe_ev event, void *argument) {
    gw_bus *bus = argument;
    switch (event) {
    case NNG_PIPE_EV_ADD_PRE:
        if (atomic_load(&bus->is_draining) || atomic_load(&bus->connections) >= CONNECTIONS_MAX)
            nng_pipe_close(pipe);
        break;
    case NNG_PIPE_EV_ADD_POST:
        atomic_fetch_add(&bus->connections, 1);
        break;
    case NNG_PIPE_EV_REM_POST:
        atomic_fetch_sub(&bus->connections, 1);
        break;
    case NNG_PIPE_EV_NUM:
        break;
    }
}

// The only function that opens a socket. Without a receive limit one frame that announces 2^64 - 40 bytes would abort
// the process.
static gw_status socket_open(gw_bus *bus, gw_problem *ret_problem) {
    if (nng_rep0_open(&bus->socket) != 0)
        return cannot_start(ret_problem, GW_UNAVAILABLE, "nng opens no socket.");
    bus->is_socket_open = true;
    if (nng_socket_set_size(bus->socket, NNG_OPT_RECVMAXSZ, RECEIVE_MAX) != 0 ||
        nng_pipe_notify(bus->socket, NNG_PIPE_EV_ADD_PRE, connection_changed, bus) != 0 ||
        nng_pipe_notify(bus->socket, NNG_PIPE_EV_ADD_POST, connection_changed, bus) != 0 ||
        nng_pipe_notify(bus->socket, NNG_PIPE_EV_REM_POST, connection_changed, bus) != 0)
        return cannot_start(ret_problem, GW_UNAVAILABLE, "nng accepts no limits.");
    return GW_OK;
}

static gw_status cannot_listen(gw_problem *ret_problem, const char *url, const char *why, const char *mend) {
    gw_ignore(gw_problem_set(ret_problem, GW_UNAVAILABLE, "cannot_listen", "", why, mend)); // returns what it was given
    gw_problem_what(ret_problem, "The service cannot listen on %s.", url);
    return GW_UNAVAILABLE;
}

// nng removes whatever stands at the path and refuses a connection, a file with somebody's work in it too.
static gw_status listen_check_path(const char *url, gw_problem *ret_problem) {
    const char *path = url + strlen(IPC_PREFIX);
    struct stat facts;
    if (path[0] != '/')
        return cannot_listen(ret_problem, url, "The path of a socket is written from the root.",
                             "Write ipc:// and then a path that begins with a slash.");
    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return cannot_listen(ret_problem, url, "The system allows 107 bytes for the path of a socket.",
                             "Choose a shorter path.");
    if (lstat(path, &facts) == 0 && !S_ISSOCK(facts.st_mode))
        return cannot_listen(ret_problem, url, "There is a file of that name that is not a socket.",
                             "Move the file away or choose another path.");
    return GW_OK;
}

static bool has_prefix(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// Writes the address as bound: the port in place of 0.
static void listen_note_url(nng_listener listener, const char *url, char ret_url[URL_MAX]) {
    const char *colon = strrchr(url, ':');
    int port = 0;
    if (has_prefix(url, TCP_PREFIX) && nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port) == 0)
        snprintf(ret_url, URL_MAX, "%.*s:%d", (int)(colon - url), url, port);
    else
        snprintf(ret_url, URL_MAX, "%s", url);
}

static gw_status listen_one(gw_bus *bus, const char *url, char ret_url[URL_MAX], gw_problem *ret_problem) {
    bool is_ipc = has_prefix(url, IPC_PREFIX);
    if (strlen(url) >= URL_MAX || (!is_ipc && !has_prefix(url, TCP_PREFIX)))
        return cannot_listen(ret_problem, url, "An address begins with ipc:// or tcp://.",
                             "Write ipc:///path/of/godwit.sock or tcp://127.0.0.1:4711.");
    if (is_ipc && listen_check_path(url, ret_problem) != GW_OK)
        return GW_UNAVAILABLE;
    nng_listener listener;
    int result = nng_listener_create(&listener, bus->socket, url);
    if (result == 0 && is_ipc) // who may connect is said before anybody can
        result = nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);
    if (result == 0)
        result = nng_listener_start(listener, 0);
    if (result == NNG_EADDRINUSE)
        return cannot_listen(ret_problem, url, "Another process listens there.",
                             "Stop the other one first, or choose another address.");
    if (result != 0)
        return cannot_listen(ret_problem, url, nng_strerror(result), "");
    listen_note_url(listener, url, ret_url);
    return GW_OK;
}

static gw_status listen_all(gw_bus *bus, gw_problem *ret_problem) {
    for (size_t i = 0; i < bus->options.url_count; i++) {
        gw_status status = listen_one(bus, bus->options.urls[i], bus->urls[i], ret_problem);
        if (status != GW_OK)
            return status;
    }
    bus->options.urls = NULL; // borrowed for the time of this call; bus->urls has them
    return GW_OK;
}

static gw_status contexts_open(gw_bus *bus, gw_problem *ret_problem) {
    for (unsigned i = 0; i < bus->context_count; i++) {
        bus_context *context = &bus->contexts[i];
        context->bus = bus;
        if (nng_aio_alloc(&context->aio, context_advance, context) != 0 ||
            nng_ctx_open(&context->context, bus->socket) != 0)
            return cannot_start(ret_problem, GW_NO_MEMORY, "nng opens no more contexts.");
        context->is_open = true;
    }
    return GW_OK;
}

static gw_status workers_start(gw_bus *bus, unsigned count, gw_problem *ret_problem) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return cannot_start(ret_problem, GW_NO_MEMORY, "There is no memory.");
    int result = pthread_attr_setstacksize(&attributes, WORKER_STACK);
    for (unsigned i = 0; i < count && result == 0; i++) {
        bus->workers[i] = (bus_worker){.bus = bus, .number = i};
        result = pthread_create(&bus->workers[i].thread, &attributes, work, &bus->workers[i]);
        if (result == 0)
            bus->worker_count++;
    }
    pthread_attr_destroy(&attributes);
    if (result != 0)
        return cannot_start(ret_problem, GW_UNAVAILABLE, "The system starts no more threads.");
    return GW_OK;
}

static gw_status open_parts(gw_bus *bus, unsigned workers, gw_problem *ret_problem) {
    gw_status status = socket_open(bus, ret_problem);
    if (status == GW_OK)
        status = contexts_open(bus, ret_problem);
    if (status == GW_OK)
        status = workers_start(bus, workers, ret_problem);
    if (status == GW_OK)
        status = listen_all(bus, ret_problem);
    // Only now: when one address of several is refused, no request has been taken through another.
    for (unsigned i = 0; status == GW_OK && i < bus->context_count; i++)
        context_receive(&bus->contexts[i]);
    return status;
}

static unsigned queue_size_of(const gw_bus_options *options, unsigned contexts, unsigned workers) {
    unsigned size = options->queue != 0 ? options->queue : (contexts - workers) / 4 * 3;
    return size == 0 ? 1 : size < contexts ? size : contexts;
}

// Everything but what nng and the system own.
static gw_bus *bus_new(const gw_bus_options *options, unsigned contexts, unsigned workers) {
    gw_bus *bus = calloc(1, sizeof(*bus));
    if (bus == NULL)
        return NULL;
    bus->options = *options;
    bus->context_count = contexts;
    bus->queue_size = queue_size_of(options, contexts, workers);
    bus->urls = calloc(options->url_count, sizeof(*bus->urls));
    bus->contexts = calloc(contexts, sizeof(*bus->contexts));
    bus->workers = calloc(workers, sizeof(*bus->workers));
    bus->queue = calloc(bus->queue_size, sizeof(bus_context *));
    pthread_mutex_init(&bus->lock, NULL); // on Linux neither can fail
    pthread_cond_init(&bus->has_work, NULL);
    return bus;
}

gw_status gw_bus_open(const gw_bus_options *options, gw_bus **ret, gw_problem *ret_problem) {
    GW_ASSERT(options->handle != NULL);
    GW_ASSERT(options->busy != NULL);
    unsigned contexts = options->contexts != 0 ? options->contexts : CONTEXTS_DEFAULT;
    unsigned workers = options->workers != 0 ? options->workers : WORKERS_DEFAULT;
    if (options->url_count == 0 || contexts > CONTEXTS_MAX || workers > contexts)
        return cannot_start(ret_problem, GW_INVALID,
                            "It needs an address, at most 4096 contexts, and no more workers than contexts.");
    gw_bus *bus = bus_new(options, contexts, workers);
    if (bus == NULL || bus->urls == NULL || bus->contexts == NULL || bus->workers == NULL || bus->queue == NULL) {
        gw_bus_close(bus);
        return cannot_start(ret_problem, GW_NO_MEMORY, "There is no memory.");
    }
    // Signals are for the thread that opened the bus: its workers and nng's threads start with all of them blocked.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    gw_status status = open_parts(bus, workers, ret_problem);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != GW_OK) {
        gw_bus_close(bus);
        return status;
    }
    *ret = bus;
    return GW_OK;
}

const char *gw_bus_url(const gw_bus *bus, size_t index) {
    GW_ASSERT(index < bus->options.url_count);
    return bus->urls[index];
}

// ---- closing

static void close_drain(gw_bus *bus) {
    pthread_mutex_lock(&bus->lock);
    atomic_store(&bus->is_draining, true);
    bus->is_stopping = true;
    pthread_cond_broadcast(&bus->has_work);
    pthread_mutex_unlock(&bus->lock);
    for (unsigned i = 0; i < bus->worker_count; i++)
        pthread_join(bus->workers[i].thread, NULL);
}

static uint64_t stat_value(nng_stat *parent, const char *name) {
    nng_stat *stat = nng_stat_find(parent, name);
    return stat == NULL ? 0 : nng_stat_value(stat);
}

// Whether each request that came over a connection has had its reply written to the system. nng finishes a send when
// the connection takes the message; only its counters tell when the last byte has gone.
static bool connections_are_flushed(const gw_bus *bus) {
    nng_stat *all = NULL;
    bool is_flushed = true;
    if (nng_stats_get(&all) != 0)
        return true; // nng was built without counters: what small replies need, was done while they were sent
    for (nng_stat *pipe = nng_stat_child(all); pipe != NULL && is_flushed; pipe = nng_stat_next(pipe)) {
        if (strcmp(nng_stat_name(pipe), "pipe") != 0 ||
            stat_value(pipe, "socket") != (uint64_t)nng_socket_id(bus->socket))
            continue;
        is_flushed = stat_value(pipe, "tx_msgs") >= stat_value(pipe, "rx_msgs");
    }
    nng_stats_free(all);
    return is_flushed;
}

static void close_flush(const gw_bus *bus) {
    const struct timespec step = {.tv_nsec = FLUSH_STEP_MS * 1000000};
    for (int waited = 0; waited < FLUSH_MS_MAX; waited += FLUSH_STEP_MS) {
        if (atomic_load(&bus->in_flight) == 0 && connections_are_flushed(bus))
            return;
        nanosleep(&step, NULL);
    }
}

// nng_aio_stop waits for a callback that is running, so that nothing here is used after it is freed.
static void close_contexts(gw_bus *bus) {
    for (unsigned i = 0; i < bus->context_count; i++)
        if (bus->contexts[i].aio != NULL)
            nng_aio_stop(bus->contexts[i].aio);
    for (unsigned i = 0; i < bus->context_count; i++) {
        bus_context *context = &bus->contexts[i];
        if (context->is_open)
            nng_ctx_close(context->context);
        if (context->aio == NULL)
            continue;
        nng_msg_free(nng_aio_get_msg(context->aio));
        context_drop_request(context);
    }
}

static void *socket_close(void *argument) {
    nng_close((nng_socket){.id = (uint32_t)(uintptr_t)argument});
    return NULL;
}

// Listeners and connections go with the socket. A connection that closes while a part of a message is under way can
// leave nng 1.5 waiting for it forever, so nobody waits for nng forever: false when it has not come back in time.
static bool close_socket(const gw_bus *bus) {
    pthread_t thread;
    struct timespec until;
    if (pthread_create(&thread, NULL, socket_close, (void *)(uintptr_t)bus->socket.id) != 0) {
        nng_close(bus->socket);
        return true;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_SECONDS_MAX;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return true;
    pthread_detach(thread);
    return false;
}

void gw_bus_close(gw_bus *bus) {
    if (bus == NULL)
        return;
    close_drain(bus);
    if (bus->is_socket_open)
        close_flush(bus);
    if (bus->contexts != NULL)
        close_contexts(bus);
    if (bus->is_socket_open && !close_socket(bus))
        return; // nng may still call back: the bus stays in memory for what is left of the process
    for (unsigned i = 0; bus->contexts != NULL && i < bus->context_count; i++)
        nng_aio_free(bus->contexts[i].aio); // accepts NULL
    pthread_cond_destroy(&bus->has_work);
    pthread_mutex_destroy(&bus->lock);
    free(bus->queue);
    free(bus->workers);
    free(bus->contexts);
    free(bus->urls);
    free(bus);
}
