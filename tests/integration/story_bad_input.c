// SPDX-License-Identifier: Apache-2.0
// Story: somebody sends everything a service should not trust. Each gets a refusal with a stable code or no reply at
// all, nothing is charged, and afterwards the service answers as before.
#include "tests/support/daemon.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
// cmocka wants the four above first.
#include <cmocka.h>

static test_daemon daemon_;
static gw_profile researcher;

#define QUERY "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\","
#define COUNT "\"measure\":{\"statistic\":\"count\"},"

static int begin(void **state) {
    (void)state;
    test_daemon_with_people(&daemon_, 300, (test_budget){"100", "50", "0.01", "10"});
    test_daemon_principal(&daemon_, "researcher", &researcher);
    return 0;
}

static int end(void **state) {
    (void)state;
    test_daemon_done(&daemon_);
    return 0;
}

// Refused with `code` (NULL: any), nothing charged.
static void assert_refused(const char *body, const char *code) {
    test_asker asker;
    test_asker_open(&asker, &researcher);
    if (test_ask(&asker, body, NULL))
        fail_msg("answered: %.300s", body);
    if (asker.reply.status != GW_REPLY_REFUSED || asker.problem.code[0] == '\0' || asker.problem.charged.micro != 0)
        fail_msg("status %d code %s charged %lu: %.300s", (int)asker.reply.status, asker.problem.code,
                 (unsigned long)asker.problem.charged.micro, body);
    if (code != NULL && strcmp(asker.problem.code, code) != 0)
        fail_msg("code %s, not %s: %.300s", asker.problem.code, code, body);
    assert_true(asker.problem.what[0] != '\0');
    test_asker_close(&asker);
}

static void assert_nothing_was_charged(void) {
    gw_audit_verdict verdict;
    test_daemon_verify(&daemon_, &verdict);
    assert_int_equal(verdict.charges, 0);
}

// ---- prices

static void a_price_that_is_no_amount_is_refused(void **state) {
    (void)state;
    static const char *const prices[] = {
        "\"0\"",
        "\"-0\"",
        "\"0.0\"",
        "\"0.000000\"",
        "\"-0.05\"",
        "\"1e-400\"",
        "\"1e400\"",
        "\"NaN\"",
        "\"nan\"",
        "\"inf\"",
        "\"Infinity\"",
        "\"\"",
        "\" 0.05\"",
        "\"0.05 \"",
        "\"+0.05\"",
        "\"00.05\"",
        "\".05\"",
        "\"5.\"",
        "\"0.0000001\"",
        "\"0,05\"",
        "\"0x1\"",
        "\"five\"",
        "\"0.05\\u0000\"",
        "0.05",
        "1",
        "0",
        "-0",
        "1e-400",
        "1e400",
        "NaN",
        "null",
        "true",
        "[\"0.05\"]",
        "{\"v\":1}",
        "\"99999999999999999999\"",
        "\"18446744073709.551616\"",
    };
    char body[512];
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        snprintf(body, sizeof body, QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":%s}", prices[i]);
        assert_refused(body, NULL);
        snprintf(body, sizeof body, QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.05\",\"max_cost\":%s}", prices[i]);
        assert_refused(body, NULL);
    }
    assert_nothing_was_charged();
}

static void a_price_outside_the_policy_is_refused(void **state) {
    (void)state;
    assert_refused(QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.009999\"}", NULL);
    assert_refused(QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"10.000001\"}", NULL);
    assert_refused(QUERY COUNT "\"by\":[\"sex\"]}", "missing_field");
    assert_refused(QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.05\",\"max_cost\":\"0.049999\"}", "max_cost");
    assert_nothing_was_charged();
}

// ---- names

static void what_is_unknown_is_refused_by_name(void **state) {
    (void)state;
    assert_refused("{\"v\":1,\"kind\":\"query\",\"dataset\":\"test.example/absent\"," COUNT
                   "\"by\":[],\"epsilon\":\"0.1\"}",
                   "unknown_dataset");
    assert_refused(QUERY "\"indicator\":\"happiness\",\"by\":[],\"epsilon\":\"0.1\"}", "unknown_indicator");
    assert_refused(QUERY COUNT "\"by\":[\"shoe_size\"],\"epsilon\":\"0.1\"}", "unknown_concept");
    assert_refused(QUERY COUNT "\"by\":[\"age:shoe\"],\"epsilon\":\"0.1\"}", "unknown_banding");
    assert_refused(QUERY COUNT "\"where\":[{\"concept\":\"sex\",\"in\":[\"X9\"]}],\"by\":[],\"epsilon\":\"0.1\"}",
                   "unknown_code");
    assert_refused(QUERY COUNT "\"by\":[],\"epsilon\":\"0.1\",\"speed\":1}", "unknown_field");
    assert_refused("{\"v\":2,\"kind\":\"ping\"}", "bad_version");
    assert_refused("{\"v\":1,\"kind\":\"drop_table\"}", "unknown_kind");
    assert_refused(QUERY "\"measure\":{\"statistic\":\"median\"},\"by\":[],\"epsilon\":\"0.1\"}", NULL);
    assert_nothing_was_charged();
}

static void names_that_only_look_right_are_refused(void **state) {
    (void)state;
    // Cyrillic letters that look Latin, a zero-width space, full-width letters, separators, and what SQL would like.
    static const char *const names[] = {
        "\xd1\x95\x65x",
        "se\xe2\x80\x8bx",
        "\xef\xbd\x93\xef\xbd\x85\xef\xbd\x98",
        "SEX",
        "sex ",
        " sex",
        "sex\\n",
        "sex\\u0000",
        "sex\\u0000age",
        "sex;--",
        "\\\"sex\\\"",
        "sex' OR '1'='1",
        "../sex",
        "sex/../age",
        "sex:age:work",
        ":",
        "sex:",
        "",
        "\xed\xa0\x80",
        "\xff",
        "\xc0\xaf",
    };
    char body[512];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(body, sizeof body, QUERY COUNT "\"by\":[\"%s\"],\"epsilon\":\"0.1\"}", names[i]);
        assert_refused(body, NULL);
        snprintf(body, sizeof body,
                 QUERY COUNT "\"where\":[{\"concept\":\"sex\",\"in\":[\"%s\"]}],\"by\":[],\"epsilon\":\"0.1\"}",
                 names[i]);
        assert_refused(body, NULL);
    }
    assert_nothing_was_charged();
}

// ---- JSON

static void what_is_not_strict_json_is_refused(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "",
        " ",
        "{",
        QUERY COUNT "\"by\":[\"sex\"],\"eps",
        QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\"}}",
        QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\"} {}",
        QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\",}",
        QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\",\"epsilon\":\"0.01\"}",
        QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\",\"\\u0065psilon\":\"0.01\"}",
        QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\" /* comment */}",
        "\xef\xbb\xbf" QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\"}",
        QUERY COUNT "\"by\":[\"sex\"],\"Epsilon\":\"0.1\"}",
        QUERY COUNT "\"by\":\"sex\",\"epsilon\":\"0.1\"}",
        "{\"v\":1.0,\"kind\":\"ping\"}",
        "{\"v\":9007199254740993,\"kind\":\"ping\"}",
        "{\"v\":01,\"kind\":\"ping\"}",
        "[]",
        "null",
        "\"query\"",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_refused(bodies[i], NULL);
    assert_nothing_was_charged();
}

static void deep_nesting_is_refused(void **state) {
    (void)state;
    gw_buffer body;
    gw_buffer_init(&body, 65536);
    gw_buffer_text(&body, QUERY "\"where\":");
    for (int i = 0; i < 10000; i++)
        gw_buffer_text(&body, "[");
    assert_refused(gw_buffer_string(&body), NULL);
    gw_buffer_done(&body);
    gw_buffer_text(&body, "{\"v\":1,\"kind\":\"ping\",\"a\":[[[[[[[[[1]]]]]]]]]}");
    assert_refused(gw_buffer_string(&body), "json_depth");
    gw_buffer_done(&body);
}

static void a_body_past_its_bound_is_refused(void **state) {
    (void)state;
    gw_buffer body;
    gw_buffer_init(&body, 200000);
    gw_buffer_text(&body, QUERY COUNT "\"by\":[],\"where\":[{\"concept\":\"sex\",\"in\":[\"F\"");
    for (int i = 0; i < 20000; i++)
        gw_buffer_text(&body, ",\"F\"");
    gw_buffer_text(&body, "]}],\"epsilon\":\"0.1\"}");
    assert_refused(gw_buffer_string(&body), "json_too_big");
    gw_buffer_done(&body);
}

// ---- envelopes

// Sends bytes as they are; a reply must be a refusal.
static void assert_message_refused(gw_bytes message, const char *code) {
    test_asker asker;
    test_asker_open(&asker, &researcher);
    gw_problem problem;
    gw_bytes bytes;
    gw_reply_message reply;
    assert_int_equal(gw_client_exchange(asker.client, message, 60000, &bytes, &problem), GW_OK);
    assert_int_equal(gw_reply_message_decode(bytes, &reply, &problem), GW_OK);
    assert_int_equal(reply.status, GW_REPLY_REFUSED);
    assert_int_equal(gw_problem_decode(reply.answer, &problem), GW_OK);
    assert_string_equal(problem.code, code);
    assert_int_equal(problem.charged.micro, 0);
    test_asker_close(&asker);
}

static void an_envelope_that_is_cut_or_changed_is_refused(void **state) {
    (void)state;
    test_asker asker;
    test_asker_open(&asker, &researcher);
    test_asker_sign(&asker, QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\"}", NULL);
    const gw_bytes whole = gw_buffer_bytes(&asker.message);
    for (size_t size = 0; size < whole.size; size += 1 + whole.size / 40)
        assert_message_refused((gw_bytes){whole.data, size}, "bad_message");
    assert_message_refused((gw_bytes){whole.data, whole.size - 1}, "bad_message");
    gw_buffer changed;
    gw_buffer_init(&changed, GW_REQUEST_BYTES_MAX);
    gw_buffer_append(&changed, whole.data, whole.size);
    changed.data[whole.size - 3] ^= 1; // in the body: its hash no longer fits
    assert_message_refused(gw_buffer_bytes(&changed), "bad_message");
    gw_buffer_done(&changed);
    gw_buffer_append(&changed, whole.data, whole.size);
    char *line = strstr((char *)changed.data, "\nidem ");
    assert_non_null(line);
    line[6] = line[6] == '0' ? '1' : '0'; // under the signature
    assert_message_refused(gw_buffer_bytes(&changed), "unauthenticated");
    gw_buffer_done(&changed);
    gw_buffer_append(&changed, whole.data, whole.size);
    gw_buffer_append(&changed, "x", 1);
    assert_message_refused(gw_buffer_bytes(&changed), "bad_message");
    gw_buffer_done(&changed);
    test_asker_close(&asker);
    assert_nothing_was_charged();
}

// ---- frames, below the library

static int connect_raw(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = strstr(researcher.url, "ipc://");
    assert_non_null(path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path + strlen("ipc://"));
    const int socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(socket_ >= 0);
    assert_int_equal(connect(socket_, (const struct sockaddr *)&address, sizeof address), 0);
    static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0}; // SP header of a requester
    assert_int_equal(send(socket_, hello, sizeof hello, MSG_NOSIGNAL), sizeof hello);
    uint8_t answer[8];
    assert_int_equal(recv(socket_, answer, sizeof answer, MSG_WAITALL), sizeof answer);
    return socket_;
}

// An ipc frame: 1, then the length in 64 bits, most significant first.
static void send_frame_head(int socket_, uint64_t size) {
    uint8_t head[9] = {1};
    for (int i = 0; i < 8; i++)
        head[1 + i] = (uint8_t)(size >> (56 - 8 * i));
    assert_int_equal(send(socket_, head, sizeof head, MSG_NOSIGNAL), sizeof head);
}

// The service hangs up: waits for it. Bytes in flight when it does end in a reset, which is as good.
static void assert_hung_up(int socket_) {
    uint8_t byte;
    assert_true(recv(socket_, &byte, 1, 0) <= 0);
    close(socket_);
}

static void assert_it_lives(void) {
    test_asker asker;
    test_asker_open(&asker, &researcher);
    assert_true(test_ask(&asker, "{\"v\":1,\"kind\":\"ping\"}", NULL));
    test_asker_close(&asker);
}

static void a_frame_of_2_to_the_64_less_40_bytes_ends_the_connection_alone(void **state) {
    (void)state;
    const int socket_ = connect_raw();
    send_frame_head(socket_, UINT64_MAX - 39);
    assert_hung_up(socket_);
    assert_it_lives();
}

static void a_message_of_2_mib_ends_the_connection_alone(void **state) {
    (void)state;
    const int socket_ = connect_raw();
    send_frame_head(socket_, 2u << 20);
    static const uint8_t bytes[65536];
    for (int i = 0; i < 32; i++) {
        if (send(socket_, bytes, sizeof bytes, MSG_NOSIGNAL) < 0)
            break; // hung up already
    }
    assert_hung_up(socket_);
    assert_it_lives();
}

static void a_connection_cut_inside_a_frame_does_no_harm(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        const int socket_ = connect_raw();
        send_frame_head(socket_, 1000);
        assert_int_equal(send(socket_, "half", 4, MSG_NOSIGNAL), 4);
        close(socket_);
    }
    assert_it_lives();
}

static void afterwards_a_good_question_is_answered(void **state) {
    (void)state;
    assert_nothing_was_charged();
    test_asker asker;
    test_asker_open(&asker, &researcher);
    assert_true(test_ask_query(&asker, QUERY COUNT "\"by\":[\"sex\"],\"epsilon\":\"0.1\"}", NULL));
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&daemon_, TEST_DATASET), 100000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_price_that_is_no_amount_is_refused),
        cmocka_unit_test(a_price_outside_the_policy_is_refused),
        cmocka_unit_test(what_is_unknown_is_refused_by_name),
        cmocka_unit_test(names_that_only_look_right_are_refused),
        cmocka_unit_test(what_is_not_strict_json_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_body_past_its_bound_is_refused),
        cmocka_unit_test(an_envelope_that_is_cut_or_changed_is_refused),
        cmocka_unit_test(a_frame_of_2_to_the_64_less_40_bytes_ends_the_connection_alone),
        cmocka_unit_test(a_message_of_2_mib_ends_the_connection_alone),
        cmocka_unit_test(a_connection_cut_inside_a_frame_does_no_harm),
        cmocka_unit_test(afterwards_a_good_question_is_answered),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
