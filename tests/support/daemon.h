// SPDX-License-Identifier: Apache-2.0
// A real godwitd on a temporary state folder, for stories and benchmarks: made, started, killed, started again,
// removed. Whatever fails here ends the test program with a line on stderr: a story can't go on without its daemon.
// Programs are found in $GW_BIN, the tree in $GW_SOURCE.
// Thread safety: a test_daemon from one thread; a test_asker is one thread's own.   Depends on: client/lib,
// audit/verify.h, base, wire.
#pragma once
#include "client/lib/client.h"
#include "service/audit/verify.h"
#include "service/base/arena.h"
#include "service/wire/answer.h"
#include "tests/support/people.h"
#include <stdbool.h>
#include <sys/types.h>

#define TEST_PATH_MAX 512

typedef struct {
    char folder[TEST_PATH_MAX];
    char log_folder[TEST_PATH_MAX]; // of the audit log
    pid_t pid;                      // 0: not running
    unsigned principals;            // made so far
    const char *serve_flags[8];     // more arguments of `serve`, NULL-ended; set them before start
    gw_profile admin;
} test_daemon;

// godwitd init in a new folder under $TMPDIR.
void test_daemon_init(test_daemon *daemon);
// godwitd serve; returns once it has answered a ping. Its stderr is appended to <folder>/daemon.log.
void test_daemon_start(test_daemon *daemon);
// The same, without waiting for it to answer: for killing it while it starts.
void test_daemon_spawn(test_daemon *daemon);
// Sends `signal` and waits; returns the wait status.
int test_daemon_stop(test_daemon *daemon, int signal);
// Stops it and removes the folder (kept, and named on stderr, when $GW_KEEP is set).
void test_daemon_done(test_daemon *daemon);
// Pids of the engine's children.
size_t test_daemon_engines(const test_daemon *daemon, pid_t *ret_pids, size_t max);

// Gives a population its budget (decimal text); the daemon runs.
void test_daemon_population(test_daemon *daemon, const char *population, const char *total);
// The same with a delta for questions about unknown keys; or NULL.
void test_daemon_population_with_delta(test_daemon *daemon, const char *population, const char *total,
                                       const char *selection_delta);
// Signs a policy's text as the admin and activates it; the daemon runs.
void test_daemon_policy(test_daemon *daemon, const char *policy_text);
// godwitd load of a CSV or Parquet file, or of a folder with one a table, and its activation; the daemon runs.
void test_daemon_load(test_daemon *daemon, const char *dataset, const char *path);
// The data of a sample in policies/samples: the file itself, or the folder of what its .sql script makes, in the
// daemon's.
void test_sample_data(const test_daemon *daemon, const char *name, char ret_path[TEST_PATH_MAX]);
// A new principal with a key and a profile.
void test_daemon_principal(test_daemon *daemon, const char *roles, gw_profile *ret_profile);
// Path of the newest snapshot of a dataset, for comparing with exact values.
void test_daemon_snapshot(const test_daemon *daemon, const char *dataset, char ret_path[TEST_PATH_MAX]);

// The made-up people of people.h: their population and policy with `budget`, and `count` of them loaded; the daemon
// runs.
void test_daemon_people(test_daemon *daemon, size_t count, test_budget budget);
// init, start and people in one.
void test_daemon_with_people(test_daemon *daemon, size_t count, test_budget budget);
// Checks the published log with the auditor's own code; ends the test unless it is complete and sound.
void test_daemon_verify(const test_daemon *daemon, gw_audit_verdict *ret_verdict);
// What the log says is spent on a dataset, in micro-epsilon, from verified entries only.
uint64_t test_daemon_spent(const test_daemon *daemon, const char *dataset);

// Runs a program to its end with stdin empty; stdout goes into `ret_output` (may be NULL). Returns its exit code.
int test_run(const char *const argv[], gw_buffer *ret_output);
const char *test_source_folder(void);
void test_program(const char *name, char ret_path[TEST_PATH_MAX]);

// One who asks: a connection and a key. Requests are made here byte by byte, so that a story can send the same bytes
// again.
typedef struct {
    gw_profile profile;
    gw_secret_key *key;
    gw_client *client;
    gw_buffer message; // the last request as sent
    gw_reply_message reply;
    gw_arena *arena;    // of the last answer
    gw_answer answer;   // decoded where the reply is ok and asked by test_ask_query
    gw_problem problem; // decoded where it is not
} test_asker;

void test_asker_open(test_asker *asker, const gw_profile *profile);
void test_asker_close(test_asker *asker);
// A new connection, the message kept; waits for a daemon that is not there yet.
void test_asker_reconnect(test_asker *asker);
// Signs `body` with `idem` (NULL: a new one) into asker->message.
void test_asker_sign(test_asker *asker, const char *body, const char *idem);
// Sends asker->message. False: no reply within the time (a killed daemon). A reply that does not verify fails the test.
bool test_asker_send(test_asker *asker, int timeout_ms);
// Sign and send; true when the reply is ok.
bool test_ask(test_asker *asker, const char *body, const char *idem);
// The same, and decodes the answer document.
bool test_ask_query(test_asker *asker, const char *body, const char *idem);
