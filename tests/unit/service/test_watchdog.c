// SPDX-License-Identifier: Apache-2.0
// What a supervisor hears: whole messages on its socket, and signs of life only while the bus answers. The supervisor
// is a socket of the test's own. Reaches gw_notify_* and gw_watchdog_*.
#include "service/bus/bus.h"
#include "service/notify.h"
#include "service/watchdog.h"
#include "service/wire/message.h"
#include "tests/support/unit.h"
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PATIENCE_MS 300
#define LONG_MS 20000 // a test that waits this long has failed

typedef struct {
    char *folder;
    int supervisor;
    gw_bus *bus;
    gw_secret_key *key;
    char url[300];
    atomic_int mode; // a reply_mode
    atomic_int pings;
    _Atomic uint64_t progress;
    sem_t gate;
} world;

enum { MODE_OK, MODE_BUSY, MODE_SILENT, MODE_GARBAGE };

static void handle(void *state, unsigned worker, gw_bytes request, gw_buffer *reply) {
    world *it = state;
    (void)worker;
    gw_request_message message;
    gw_problem problem;
    int mode = atomic_load(&it->mode);
    if (mode == MODE_SILENT)
        sem_wait(&it->gate);
    if (mode == MODE_GARBAGE) {
        gw_buffer_text(reply, "not a reply");
        return;
    }
    // On nng's side of the world nothing can be asserted; what does not decode is not answered, and the test sees that.
    if (gw_request_message_decode(request, &message, &problem) != GW_OK || message.auth != GW_AUTH_NONE)
        return;
    gw_reply_message answer = {.status = mode == MODE_BUSY ? GW_REPLY_BUSY : GW_REPLY_OK,
                               .request = gw_sha256(message.signed_bytes),
                               .answer = gw_bytes_of("{\"v\":1}")};
    gw_reply_message_encode(&answer, it->key, reply);
    atomic_fetch_add(&it->pings, 1);
}

static void busy(void *state, gw_bytes request, gw_buffer *reply) {
    (void)state, (void)request;
    gw_buffer_text(reply, "busy");
}

static uint64_t progress(void *state) {
    return atomic_load(&((world *)state)->progress);
}

static int world_start(void **state) {
    world *it = calloc(1, sizeof(*it));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    void *folder = NULL;
    gw_problem problem;
    assert_int_equal(gw_crypto_init(), GW_OK);
    assert_int_equal(unit_folder_new(&folder), 0);
    it->folder = folder;
    snprintf(address.sun_path, sizeof(address.sun_path), "%.60s/notify", it->folder);
    it->supervisor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(it->supervisor, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    snprintf(it->url, sizeof(it->url), "ipc://%s/bus.sock", it->folder);
    sem_init(&it->gate, 0, 0);
    assert_int_equal(gw_key_generate(&it->key), GW_OK);
    const char *urls[] = {it->url};
    gw_bus_options options = {
        .urls = urls, .url_count = 1, .contexts = 8, .workers = 2, .handle = handle, .busy = busy, .state = it};
    assert_int_equal(gw_bus_open(&options, &it->bus, &problem), GW_OK);
    *state = it;
    return 0;
}

static int world_end(void **state) {
    world *it = *state;
    void *folder = it->folder;
    for (int i = 0; i < 8; i++)
        sem_post(&it->gate); // whoever is still silent
    gw_bus_close(it->bus);
    gw_secret_key_free(it->key);
    close(it->supervisor);
    unsetenv("NOTIFY_SOCKET");
    unit_folder_free(&folder);
    free(it);
    return 0;
}

// The next message within `timeout_ms`; false: none came.
static bool hear(const world *it, int timeout_ms, char text[256]) {
    struct pollfd one = {.fd = it->supervisor, .events = POLLIN};
    if (poll(&one, 1, timeout_ms) != 1)
        return false;
    ssize_t size = recv(it->supervisor, text, 255, 0);
    assert_true(size >= 0);
    text[size] = '\0';
    return true;
}

static gw_watchdog *watch(world *it) {
    gw_watchdog *watchdog = NULL;
    gw_watchdog_options options = {
        .url = it->url, .origin = "test.example/godwit", .patience_ms = PATIENCE_MS, .progress = progress, .state = it};
    assert_int_equal(gw_watchdog_start(&options, &watchdog, NULL), GW_OK);
    return watchdog;
}

static void messages_arrive_whole(void **state) {
    world *it = *state;
    char text[256];
    assert_true(gw_notify("READY=1\nSTATUS=Answering questions."));
    assert_true(hear(it, LONG_MS, text));
    assert_string_equal(text, "READY=1\nSTATUS=Answering questions.");
    assert_true(gw_notify_reloading());
    assert_true(hear(it, LONG_MS, text));
    unsigned long long microseconds = 0;
    assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu", &microseconds), 1);
    assert_true(microseconds > 0);
}

static void without_a_supervisor_nothing_is_sent(void **state) {
    (void)state;
    char *before = strdup(getenv("NOTIFY_SOCKET"));
    unsetenv("NOTIFY_SOCKET");
    assert_false(gw_notify("READY=1"));
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_false(gw_notify("READY=1"));
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    assert_false(gw_notify("READY=1"));
    setenv("NOTIFY_SOCKET", before, 1);
    free(before);
}

static void patience_is_read_only_where_it_is_meant_for_this_process(void **state) {
    (void)state;
    char pid[24];
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(gw_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(gw_notify_watchdog_ms(), 30000);
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(gw_notify_watchdog_ms(), 30000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(gw_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "soon", 1);
    unsetenv("WATCHDOG_PID");
    assert_int_equal(gw_notify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_USEC");
}

static void signs_of_life_come_while_the_bus_answers(void **state) {
    world *it = *state;
    char text[256];
    gw_watchdog *watchdog = watch(it);
    for (int i = 0; i < 3; i++) {
        assert_true(hear(it, LONG_MS, text));
        assert_string_equal(text, "WATCHDOG=1");
    }
    gw_watchdog_stop(watchdog);
    assert_true(atomic_load(&it->pings) >= 3); // each was asked as a client asks
}

// Hears out what was sent before, then expects nothing for longer than a supervisor would wait.
static void expect_silence(const world *it) {
    char text[256];
    while (hear(it, 50, text))
        continue;
    assert_false(hear(it, 2 * PATIENCE_MS, text));
}

static void a_bus_that_does_not_answer_is_not_alive(void **state) {
    world *it = *state;
    atomic_store(&it->mode, MODE_SILENT);
    gw_watchdog *watchdog = watch(it);
    expect_silence(it);
    gw_watchdog_stop(watchdog);
}

static void a_reply_that_cannot_be_read_is_no_sign_of_life(void **state) {
    world *it = *state;
    atomic_store(&it->mode, MODE_GARBAGE);
    gw_watchdog *watchdog = watch(it);
    expect_silence(it);
    gw_watchdog_stop(watchdog);
}

static void a_full_queue_is_alive_only_while_requests_are_answered(void **state) {
    world *it = *state;
    char text[256];
    atomic_store(&it->mode, MODE_BUSY);
    gw_watchdog *watchdog = watch(it);
    expect_silence(it);
    atomic_fetch_add(&it->progress, 1);
    assert_true(hear(it, LONG_MS, text));
    assert_string_equal(text, "WATCHDOG=1");
    gw_watchdog_stop(watchdog);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(messages_arrive_whole),
        WORLD_TEST(without_a_supervisor_nothing_is_sent),
        cmocka_unit_test(patience_is_read_only_where_it_is_meant_for_this_process),
        WORLD_TEST(signs_of_life_come_while_the_bus_answers),
        WORLD_TEST(a_bus_that_does_not_answer_is_not_alive),
        WORLD_TEST(a_reply_that_cannot_be_read_is_no_sign_of_life),
        WORLD_TEST(a_full_queue_is_alive_only_while_requests_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
