// SPDX-License-Identifier: Apache-2.0
// Story: a question is answered once and for ever. The same request gets the same bytes after a restart and after a
// kill -9, a colleague gets them free, and neither other bytes under the same id nor another person's id gets anything.
#include "tests/support/daemon.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define QUESTION                                                                                                       \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"by\":[\"sex\"],\"epsilon\":\"0.1\"}"
#define OTHER                                                                                                          \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"by\":[\"sex\"],\"epsilon\":\"0.2\"}"
#define IDEM "00112233445566778899aabbccddeeff"
#define COST 100000u // micro-epsilon

typedef struct {
    test_daemon daemon;
    gw_profile first, second;
    gw_buffer request; // as first sent
    gw_buffer answer;  // as first received
} story;

static void keep(gw_buffer *buffer, gw_bytes bytes) {
    gw_buffer_init(buffer, 1 << 20);
    gw_buffer_append(buffer, bytes.data, bytes.size);
    assert_int_equal(buffer->status, GW_OK);
}

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    assert_non_null(it);
    test_daemon_with_people(&it->daemon, 500, (test_budget){"100", NULL, "0.01", "10"});
    test_daemon_principal(&it->daemon, "researcher", &it->first);
    test_daemon_principal(&it->daemon, "researcher", &it->second);
    test_asker asker;
    test_asker_open(&asker, &it->first);
    assert_true(test_ask_query(&asker, QUESTION, IDEM));
    keep(&it->request, gw_buffer_bytes(&asker.message));
    keep(&it->answer, asker.reply.answer);
    test_asker_close(&asker);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    test_daemon_done(&it->daemon);
    gw_buffer_done(&it->request);
    gw_buffer_done(&it->answer);
    free(it);
    return 0;
}

static void assert_resend_gets_the_answer(story *it) {
    test_asker asker;
    test_asker_open(&asker, &it->first);
    gw_buffer_append(&asker.message, it->request.data, it->request.size);
    assert_true(test_asker_send(&asker, 60000));
    assert_int_equal(asker.reply.status, GW_REPLY_OK);
    assert_true(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&it->answer)));
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST);
}

static void the_same_request_again_gets_the_same_bytes(void **state) {
    assert_resend_gets_the_answer(*state);
}

static void a_colleague_gets_the_same_bytes_free(void **state) {
    story *it = *state;
    test_asker asker;
    test_asker_open(&asker, &it->second);
    assert_true(test_ask_query(&asker, QUESTION, NULL));
    assert_true(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&it->answer)));
    assert_non_null(strstr((const char *)asker.reply.account.data, "\"repeat\":true"));
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST);
}

static void other_bytes_under_the_same_id_are_refused_and_free(void **state) {
    story *it = *state;
    test_asker asker;
    test_asker_open(&asker, &it->first);
    assert_false(test_ask(&asker, OTHER, IDEM));
    assert_string_equal(asker.problem.code, "idem_conflict");
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST);
}

static void another_principal_cannot_replay_the_request(void **state) {
    story *it = *state;
    test_asker asker;
    test_asker_open(&asker, &it->second);
    // The first one's bytes with the second one's name in them: the signature no longer fits.
    gw_buffer_append(&asker.message, it->request.data, it->request.size);
    char *name = strstr((char *)asker.message.data, it->first.principal);
    assert_non_null(name);
    memcpy(name, it->second.principal, strlen(it->second.principal));
    gw_problem problem;
    gw_bytes bytes;
    gw_reply_message reply;
    assert_int_equal(gw_client_exchange(asker.client, gw_buffer_bytes(&asker.message), 60000, &bytes, &problem), GW_OK);
    assert_int_equal(gw_reply_message_decode(bytes, &reply, &problem), GW_OK);
    assert_int_equal(reply.status, GW_REPLY_REFUSED);
    assert_int_equal(gw_problem_decode(reply.answer, &problem), GW_OK);
    assert_string_equal(problem.code, "unauthenticated");
    test_asker_close(&asker);
}

static void a_drained_daemon_keeps_the_answer(void **state) {
    story *it = *state;
    const int status = test_daemon_stop(&it->daemon, SIGTERM);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    test_daemon_start(&it->daemon);
    assert_resend_gets_the_answer(it);
}

static void a_killed_daemon_keeps_the_answer(void **state) {
    story *it = *state;
    const int status = test_daemon_stop(&it->daemon, SIGKILL);
    assert_true(WIFSIGNALED(status));
    test_daemon_start(&it->daemon);
    assert_resend_gets_the_answer(it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_request_again_gets_the_same_bytes),
        cmocka_unit_test(a_colleague_gets_the_same_bytes_free),
        cmocka_unit_test(other_bytes_under_the_same_id_are_refused_and_free),
        cmocka_unit_test(another_principal_cannot_replay_the_request),
        cmocka_unit_test(a_drained_daemon_keeps_the_answer),
        cmocka_unit_test(a_killed_daemon_keeps_the_answer),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
