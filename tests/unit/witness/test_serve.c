// SPDX-License-Identifier: Apache-2.0
// The witness over HTTP: paths, methods, sizes and rates, asked byte by byte.
#include "service/witness/serve.h"
#include "service/witness/add_body.h"
#include "tests/unit/witness/small_log.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define ORIGIN "log.example/one"

typedef struct {
    gw_witness *witness;
    gw_witness_server *server;
    small_log log;
    char reply[8192];
} world;

static void world_open(void **state, world *w, const char *prefix, unsigned per_second) {
    *w = (world){.log = small_log_new(ORIGIN, 0x51)};
    gw_problem problem = {0};
    assert_int_equal(gw_witness_init(*state, "witness.example/w1", NULL), GW_OK);
    assert_int_equal(gw_witness_open(*state, gw_clock_system(), &w->witness, NULL), GW_OK);
    assert_int_equal(gw_witness_add_log(w->witness, w->log.vkey, NULL), GW_OK);
    gw_witness_server_options options = {
        .witness = w->witness, .listen = "127.0.0.1:0", .prefix = prefix, .per_second = per_second};
    if (gw_witness_server_start(&options, &w->server, &problem) != GW_OK)
        fail_msg("%s", problem.why);
}

static void world_close(world *w) {
    gw_witness_server_stop(w->server);
    gw_witness_close(w->witness);
    gw_secret_key_free(w->log.secret);
}

// Sends a request on a connection of its own; the reply's status.
static int ask(world *w, const char *method, const char *path, const char *body, size_t body_size) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)gw_witness_server_port(w->server)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char head[512];
    int socket_now = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    assert_int_equal(connect(socket_now, (struct sockaddr *)&address, sizeof(address)), 0);
    int size =
        snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
                 method, path, body_size);
    assert_int_equal(send(socket_now, head, (size_t)size, MSG_NOSIGNAL), size);
    for (size_t sent = 0; sent < body_size;) {
        ssize_t count = send(socket_now, body + sent, body_size - sent, MSG_NOSIGNAL);
        if (count <= 0)
            break; // it has heard enough
        sent += (size_t)count;
    }
    size_t filled = 0;
    for (ssize_t count; filled < sizeof(w->reply) - 1 &&
                        (count = recv(socket_now, w->reply + filled, sizeof(w->reply) - 1 - filled, 0)) > 0;)
        filled += (size_t)count;
    w->reply[filled] = '\0';
    close(socket_now);
    return sscanf(w->reply, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static int add(world *w, const char *path, uint64_t old_size, uint64_t size) {
    gw_buffer note, body;
    gw_buffer_init(&note, 4096);
    gw_buffer_init(&body, GW_ADD_BODY_MAX);
    small_log_sign(&w->log, size, &note);
    gw_add_body one = {.old_size = old_size, .note = gw_buffer_bytes(&note)};
    assert_int_equal(gw_merkle_consistency(small_log_tree(&w->log), old_size, size, &one.proof), GW_OK);
    gw_add_body_write(&one, &body);
    int status = ask(w, "POST", path, gw_buffer_string(&body), body.size);
    gw_buffer_done(&note);
    gw_buffer_done(&body);
    return status;
}

static void a_log_is_cosigned_and_monitors_read_it_under_the_prefix(void **state) {
    world w;
    char path[128], id[GW_HASH_HEX];
    world_open(state, &w, "/w1/", 1000);
    gw_hash hash = gw_sha256(gw_bytes_of(ORIGIN));
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, id);
    snprintf(path, sizeof(path), "/w1/%s/checkpoint", id);
    assert_int_equal(ask(&w, "GET", path, "", 0), 404); // nothing was cosigned yet
    assert_int_equal(add(&w, "/w1/add-checkpoint", 0, 5), 200);
    assert_non_null(strstr(w.reply, "\xe2\x80\x94 witness.example/w1 "));
    assert_int_equal(add(&w, "/w1/add-checkpoint", 3, 9), 409);
    assert_non_null(strstr(w.reply, "Content-Type: text/x.tlog.size\r\n"));
    assert_non_null(strstr(w.reply, "\r\n\r\n5\n"));
    assert_int_equal(ask(&w, "GET", path, "", 0), 200);
    assert_non_null(strstr(w.reply, "\r\n\r\n" ORIGIN "\n5\n"));
    assert_int_equal(ask(&w, "HEAD", path, "", 0), 200);
    assert_null(strstr(w.reply, ORIGIN));
    world_close(&w);
}

static void what_is_not_there_is_not_there(void **state) {
    world w;
    world_open(state, &w, "/w1", 1000);
    static const char *const paths[] = {"/",
                                        "/add-checkpoint",
                                        "/w1",
                                        "/w1/",
                                        "/w1/other",
                                        "/w1add-checkpoint",
                                        "/w1/../witness.key",
                                        "/w1/../../../etc/passwd/checkpoint",
                                        "/w1/%2e%2e/checkpoint"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(ask(&w, "GET", paths[i], "", 0), 404);
        assert_int_equal(ask(&w, "POST", paths[i], "x", 1), 404);
    }
    assert_int_equal(ask(&w, "DELETE", "/w1/add-checkpoint", "", 0), 405);
    assert_non_null(strstr(w.reply, "Allow: GET, HEAD, POST\r\n"));
    assert_int_equal(ask(&w, "POST", "/w1/add-checkpoint", "junk", 4), 400);
    world_close(&w);
}

static void a_body_without_end_is_refused(void **state) {
    world w;
    world_open(state, &w, "/", 1000);
    size_t size = GW_ADD_BODY_MAX + 1;
    char *body = calloc(1, size);
    assert_non_null(body);
    assert_int_equal(ask(&w, "POST", "/add-checkpoint", body, size), 413);
    assert_int_equal(ask(&w, "POST", "/add-checkpoint", body, size - 1), 400);
    free(body);
    world_close(&w);
}

// The window is a second of the clock: of ten at once, two windows of three may be served at most.
static void who_asks_too_often_is_told_so(void **state) {
    world w;
    unsigned served = 0, refused = 0;
    world_open(state, &w, "/", 3);
    for (unsigned i = 0; i < 10; i++) {
        int status = ask(&w, "POST", "/add-checkpoint", "junk", 4);
        served += status == 400;
        refused += status == 429;
    }
    assert_int_equal(served + refused, 10);
    assert_in_range(served, 3, 6);
    world_close(&w);
}

static void an_address_is_numbers_and_a_port(void **state) {
    world w;
    world_open(state, &w, "/", 1000);
    static const char *const bad[] = {"localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:01",
                                      "1.2.3:4",     "[::1:5",    ":4712",      "999.0.0.1:1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        gw_problem problem = {0};
        gw_witness_server *server = NULL;
        gw_witness_server_options options = {.witness = w.witness, .listen = bad[i], .prefix = "/"};
        assert_int_equal(gw_witness_server_start(&options, &server, &problem), GW_INVALID);
        assert_string_equal(problem.code, "bad_address");
    }
    world_close(&w);
}

int main(void) {
#define ONE(test) cmocka_unit_test_setup_teardown(test, unit_folder_new, unit_folder_free)
    const struct CMUnitTest tests[] = {
        ONE(a_log_is_cosigned_and_monitors_read_it_under_the_prefix),
        ONE(what_is_not_there_is_not_there),
        ONE(a_body_without_end_is_refused),
        ONE(who_asks_too_often_is_told_so),
        ONE(an_address_is_numbers_and_a_port),
    };
    return gw_crypto_init() == GW_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
