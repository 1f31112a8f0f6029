// SPDX-License-Identifier: Apache-2.0
// The one place of libmicrohttpd on this side. Everything is bounded: bytes of a body, connections in all and from one
// address, seconds without a byte, requests per second. TLS is a reverse proxy's.
#include "service/witness/serve.h"
#include "service/base/log.h"
#include "service/witness/add_body.h"
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 4u // each waits for a disk
#define CONNECTIONS_MAX 128u
#define CONNECTIONS_PER_ADDRESS 32u
#define SILENCE_SECONDS_MAX 10u
#define PER_SECOND_DEFAULT 200u
#define BUCKETS 256u // addresses share them by hash: a bound, not an account
#define PREFIX_MAX 256u

typedef struct {
    int64_t second;
    unsigned count;
} bucket;

struct gw_witness_server {
    gw_witness *witness;
    struct MHD_Daemon *daemon;
    char prefix[PREFIX_MAX]; // without a slash at its end
    unsigned per_second;
    pthread_mutex_t mutex;
    bucket buckets[BUCKETS]; // guarded by it
};

// ---- rate

static unsigned address_hash(const struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info((struct MHD_Connection *)(uintptr_t)connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    uint32_t hash = 2166136261u; // FNV-1a
    if (info == NULL || info->client_addr == NULL)
        return 0;
    const uint8_t *bytes = NULL;
    size_t size = 0;
    if (info->client_addr->sa_family == AF_INET) {
        bytes = (const uint8_t *)&((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr;
        size = 4;
    } else if (info->client_addr->sa_family == AF_INET6) {
        bytes = (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr;
        size = 8; // one network, one bucket
    }
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash % BUCKETS;
}

static bool is_too_often(gw_witness_server *server, const struct MHD_Connection *connection) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bucket *mine = &server->buckets[address_hash(connection)];
    pthread_mutex_lock(&server->mutex);
    if (mine->second != now.tv_sec)
        *mine = (bucket){.second = now.tv_sec};
    bool is_over = ++mine->count > server->per_second;
    pthread_mutex_unlock(&server->mutex);
    return is_over;
}

// ---- replies

static enum MHD_Result reply_bytes(struct MHD_Connection *connection, unsigned status, const char *type,
                                   gw_bytes bytes) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes.size, (void *)(uintptr_t)bytes.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_text(struct MHD_Connection *connection, unsigned status, const char *text) {
    return reply_bytes(connection, status, "text/plain; charset=utf-8", gw_bytes_of(text));
}

static void log_refusal(const gw_witness_reply *reply) {
    char status[12];
    if (reply->status < 400)
        return;
    snprintf(status, sizeof(status), "%u", reply->status);
    // What a stranger may cause at will is not worth the operator's disk.
    gw_log_level level = reply->status == 500 ? GW_LOG_ERROR : reply->status == 422 ? GW_LOG_WARN : GW_LOG_DEBUG;
    gw_log(level, "refused", "status", status, "log", reply->origin, "why", reply->why, NULL);
}

static enum MHD_Result reply_witness(struct MHD_Connection *connection, gw_witness_reply *reply) {
    enum MHD_Result result = reply_bytes(connection, reply->status, reply->content_type, gw_buffer_bytes(&reply->body));
    log_refusal(reply);
    gw_buffer_done(&reply->body);
    return result;
}

// ---- requests

// The path behind the prefix, or NULL.
static const char *path_within(const gw_witness_server *server, const char *url) {
    size_t size = strlen(server->prefix);
    return strncmp(url, server->prefix, size) == 0 && url[size] == '/' ? url + size + 1 : NULL;
}

static enum MHD_Result handle_get(gw_witness_server *server, struct MHD_Connection *connection, const char *path) {
    const char *slash = strchr(path, '/');
    if (slash == NULL || strcmp(slash, "/checkpoint") != 0)
        return reply_text(connection, MHD_HTTP_NOT_FOUND, "there is nothing here\n");
    gw_witness_reply reply;
    gw_witness_checkpoint(server->witness, path, (size_t)(slash - path), &reply);
    return reply_witness(connection, &reply);
}

static enum MHD_Result handle_whole(gw_witness_server *server, struct MHD_Connection *connection, const char *path,
                                    const char *method, const gw_buffer *body) {
    if (body->status != GW_OK)
        return reply_text(connection, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too long\n");
    bool is_get = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (path == NULL)
        return reply_text(connection, MHD_HTTP_NOT_FOUND, "there is nothing here\n");
    if (is_get)
        return handle_get(server, connection, path);
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
        return reply_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or POST\n");
    if (strcmp(path, "add-checkpoint") != 0)
        return reply_text(connection, MHD_HTTP_NOT_FOUND, "there is nothing here\n");
    gw_witness_reply reply;
    gw_witness_add(server->witness, gw_buffer_bytes(body), &reply);
    return reply_witness(connection, &reply);
}

// Called once with the headers, then for each piece of the body, then with none left.
static enum MHD_Result handle(void *state, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *piece, size_t *piece_size, void **request) {
    (void)version;
    gw_witness_server *server = state;
    gw_buffer *body = *request;
    if (body == NULL) {
        if (is_too_often(server, connection))
            return reply_text(connection, MHD_HTTP_TOO_MANY_REQUESTS, "too many requests\n");
        body = malloc(sizeof(*body));
        if (body == NULL)
            return MHD_NO;
        gw_buffer_init(body, GW_ADD_BODY_MAX);
        *request = body;
        return MHD_YES;
    }
    if (*piece_size > 0) {
        gw_buffer_append(body, piece, *piece_size); // past the maximum nothing more is kept
        *piece_size = 0;
        return MHD_YES;
    }
    return handle_whole(server, connection, path_within(server, url), method, body);
}

static void handled(void *state, struct MHD_Connection *connection, void **request,
                    enum MHD_RequestTerminationCode code) {
    (void)state, (void)connection, (void)code;
    gw_buffer *body = *request;
    if (body == NULL)
        return;
    gw_buffer_done(body);
    free(body);
    *request = NULL;
}

// ---- start and stop

typedef union {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
} address;

// Numbers only: a name could mean another machine tomorrow.
static bool address_read(const char *text, address *ret) {
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - text);
    uint64_t port;
    if (colon == NULL || size >= sizeof(host) || !gw_add_size_read(colon + 1, strlen(colon + 1), &port) || port > 65535)
        return false;
    memcpy(host, text, size);
    host[size] = '\0';
    *ret = (address){.six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
    if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, &ret->six.sin6_addr) == 1;
    }
    *ret = (address){.four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
    return inet_pton(AF_INET, host, &ret->four.sin_addr) == 1;
}

static gw_status start_daemon(gw_witness_server *server, const address *where, gw_problem *ret_problem) {
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_USE_EPOLL;
    if (where->any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, &where->any, MHD_OPTION_THREAD_POOL_SIZE, THREADS,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_PER_ADDRESS,
        MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_SECONDS_MAX, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
        MHD_OPTION_NOTIFY_COMPLETED, handled, NULL, MHD_OPTION_END);
    if (server->daemon != NULL)
        return GW_OK;
    return gw_problem_set(ret_problem, GW_UNAVAILABLE, "address_in_use", "The witness cannot listen there.",
                          "Another program may listen on this address, or it is not this machine's.",
                          "--listen 127.0.0.1:4712");
}

gw_status gw_witness_server_start(const gw_witness_server_options *options, gw_witness_server **ret,
                                  gw_problem *ret_problem) {
    address where;
    size_t size = strlen(options->prefix);
    if (!address_read(options->listen, &where) || options->prefix[0] != '/' || size >= PREFIX_MAX)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_address", "The witness cannot listen there.",
                              "An address is numbers and a port, a prefix begins with a slash.",
                              "--listen 127.0.0.1:4712 --prefix /");
    gw_witness_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    server->witness = options->witness;
    server->per_second = options->per_second == 0 ? PER_SECOND_DEFAULT : options->per_second;
    while (size > 0 && options->prefix[size - 1] == '/')
        size--;
    memcpy(server->prefix, options->prefix, size);
    pthread_mutex_init(&server->mutex, NULL);
    gw_status status = start_daemon(server, &where, ret_problem);
    if (status != GW_OK) {
        gw_witness_server_stop(server);
        return status;
    }
    *ret = server;
    return GW_OK;
}

unsigned gw_witness_server_port(const gw_witness_server *server) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info == NULL ? 0 : info->port;
}

void gw_witness_server_stop(gw_witness_server *server) {
    if (server == NULL)
        return;
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon); // its threads end the request that they are in
    pthread_mutex_destroy(&server->mutex);
    free(server);
}
