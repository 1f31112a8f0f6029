// SPDX-License-Identifier: Apache-2.0
// The client against a service of the test's, which answers as told: rightly, or in one of the ways that a client must
// not believe. Reaches gw_client_*.
#include "client/lib/client.h"
#include "service/audit/entry.h"
#include "service/audit/merkle.h"
#include "service/audit/note.h"
#include "service/base/check.h"
#include "service/base/file.h"
#include "service/bus/bus.h"
#include "service/wire/json.h"
#include "service/wire/receipt.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ORIGIN "stats.example/godwit"
#define PRINCIPAL "00112233445566778899aabbccddeeff"
#define IDEM "0123456789abcdef0123456789abcdef"
#define ANSWER "{\"v\":1,\"answer\":42}"
#define TIMEOUT_MS 20000
#define CALLS_MAX 8

typedef enum {
    RIGHT,
    BUSY,
    RETRY,
    REFUSED,
    SLOW, // answers when the test lets it
    OTHER_REPLY_KEY,
    OTHER_REQUEST,
    NAMELESS_OK,
    NAMELESS_REFUSAL,
    OTHER_ANSWER,
    OTHER_LOG_KEY,
    OTHER_ORIGIN,
    NOT_A_MESSAGE,
    UNREADABLE_REFUSAL,
    NO_PROOF,    // the account does not say that the log only grew
    FALSE_PROOF, // it says so of another log
    BROKEN_PROOF,
    AHEAD,        // knows less than was seen
    STOPPED,      // was shown the note, and gives its own newest one
    STOPPED_MUTE, // was shown the note, and says nothing
    HAS_IT,       // was shown the note, and says that it has it
} behaviour;

// What the service does at each call, what it was sent, and how large its log is.
typedef struct {
    behaviour calls[CALLS_MAX];
    unsigned call_count;
    gw_buffer messages[CALLS_MAX];
    unsigned tree_size; // entries 0: charge, 1: release, and others
    uint8_t tree_variant;
    gw_secret_key *log_key, *reply_key, *client_key;
    sem_t gate;
    gw_bus *bus;
    char folder[64], url[96], profile_path[96];
} service;

// Test and service take turns; the lock makes that visible to the thread sanitizer, which does not see through sockets.
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void turn_pass(void) {
    pthread_mutex_lock(&turn);
    pthread_mutex_unlock(&turn);
}

static gw_secret_key *key_of(uint8_t seed_byte) {
    uint8_t seed[GW_SEED_SIZE];
    gw_secret_key *key = NULL;
    memset(seed, seed_byte, sizeof(seed));
    assert_int_equal(gw_key_from_seed(seed, &key), GW_OK);
    return key;
}

// ---- a log of a few entries

static void entry_bytes(const service *self, uint64_t seq, gw_buffer *buffer) {
    gw_entry entry = {.seq = seq, .time = 1760000000};
    if (seq == 0) {
        entry.kind = GW_ENTRY_CHARGE;
        snprintf(entry.charge.dataset, sizeof(entry.charge.dataset), "demo.example/register");
        snprintf(entry.charge.population, sizeof(entry.charge.population), "demo.example/residents");
        snprintf(entry.charge.data, sizeof(entry.charge.data), PRINCIPAL);
        snprintf(entry.charge.principal, sizeof(entry.charge.principal), PRINCIPAL);
        snprintf(entry.charge.idem, sizeof(entry.charge.idem), IDEM);
        entry.charge.cost = 50000;
        entry.charge.spent_dataset = entry.charge.spent_population = entry.charge.spent_principal = 50000;
        entry.charge.spent_window = 50000;
    } else if (seq == 1) {
        entry.kind = GW_ENTRY_RELEASE;
        snprintf(entry.release.release, sizeof(entry.release.release), "GW-2026-000001");
        entry.release.answer = gw_sha256(gw_bytes_of(ANSWER));
        entry.release.visible = 1760000000;
    } else {
        entry.kind = GW_ENTRY_INCIDENT;
        snprintf(entry.incident.code, sizeof(entry.incident.code), "incident_%u", self->tree_variant);
    }
    gw_buffer_init(buffer, 4096);
    gw_entry_encode(&entry, buffer);
    assert_int_equal(buffer->status, GW_OK);
}

// The root of a perfect subtree, hashed anew each time: the tree is small.
static gw_status tree_node(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    if (level == 0) {
        gw_buffer bytes;
        entry_bytes(state, index, &bytes);
        *ret = gw_merkle_leaf(gw_buffer_bytes(&bytes));
        gw_buffer_done(&bytes);
        return GW_OK;
    }
    gw_hash left, right;
    assert_int_equal(tree_node(state, level - 1, 2 * index, &left), GW_OK);
    assert_int_equal(tree_node(state, level - 1, 2 * index + 1, &right), GW_OK);
    *ret = gw_merkle_node(left, right);
    return GW_OK;
}

static gw_hash tree_root(service *self) {
    gw_hash root;
    assert_int_equal(gw_merkle_root((gw_merkle_source){.node = tree_node, .state = self}, self->tree_size, &root),
                     GW_OK);
    return root;
}

static void receipt_append(service *self, behaviour how, gw_buffer *buffer) {
    gw_merkle_source source = {.node = tree_node, .state = self};
    gw_merkle_proof charge, release;
    gw_buffer charge_entry, release_entry, note;
    gw_secret_key *other = key_of(77);
    gw_checkpoint checkpoint = {.size = self->tree_size, .root = tree_root(self)};
    snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", how == OTHER_ORIGIN ? "other.example/godwit" : ORIGIN);
    assert_int_equal(gw_merkle_inclusion(source, 0, self->tree_size, &charge), GW_OK);
    assert_int_equal(gw_merkle_inclusion(source, 1, self->tree_size, &release), GW_OK);
    entry_bytes(self, 0, &charge_entry);
    entry_bytes(self, 1, &release_entry);
    gw_buffer_init(&note, 4096);
    gw_checkpoint_sign(&checkpoint, how == OTHER_LOG_KEY ? other : self->log_key, &note);
    gw_receipt receipt = {.release_index = 1,
                          .charge_index = 0,
                          .release_entry = gw_buffer_bytes(&release_entry),
                          .charge_entry = gw_buffer_bytes(&charge_entry),
                          .release_proof_count = release.count,
                          .charge_proof_count = charge.count,
                          .checkpoint = gw_buffer_bytes(&note)};
    memcpy(receipt.release_proof, release.hashes, sizeof(release.hashes));
    memcpy(receipt.charge_proof, charge.hashes, sizeof(charge.hashes));
    gw_receipt_encode(&receipt, buffer);
    gw_buffer_done(&note);
    gw_buffer_done(&charge_entry);
    gw_buffer_done(&release_entry);
    gw_secret_key_free(other);
}

static void note_append(service *self, gw_buffer *buffer) {
    gw_checkpoint checkpoint = {.origin = ORIGIN, .size = self->tree_size, .root = tree_root(self)};
    gw_checkpoint_sign(&checkpoint, self->log_key, buffer);
}

// The account: with a proof where the request says what it has seen.
static void account_append(service *self, behaviour how, const gw_request_message *request, gw_buffer *buffer) {
    gw_merkle_proof proof = {.count = 0};
    gw_buffer_text(buffer, "{\"v\":1");
    if (request->has_seen && request->seen_size < self->tree_size)
        assert_int_equal(gw_merkle_consistency((gw_merkle_source){.node = tree_node, .state = self}, request->seen_size,
                                               self->tree_size, &proof),
                         GW_OK);
    if (how == FALSE_PROOF && proof.count > 0)
        proof.hashes[proof.count - 1].bytes[5] ^= 4;
    if (request->has_seen && how != NO_PROOF) {
        gw_json_write_name(buffer, "consistency");
        gw_buffer_text(buffer, "[");
        for (size_t i = 0; i < proof.count; i++) {
            gw_buffer_text(buffer, i > 0 ? ",\"" : "\"");
            gw_base64_append(buffer, (gw_bytes){proof.hashes[i].bytes, GW_HASH_SIZE});
            gw_buffer_text(buffer, how == BROKEN_PROOF ? "AA\"" : "\"");
        }
        gw_buffer_text(buffer, "]");
    }
    gw_buffer_text(buffer, "}");
}

// ---- the service

static void reply_append(service *self, behaviour how, const gw_request_message *asked, gw_buffer *reply) {
    gw_hash request = asked ? gw_sha256(asked->signed_bytes) : (gw_hash){0};
    gw_buffer receipt, refusal, account, note;
    gw_buffer_init(&account, 16384);
    gw_buffer_init(&note, 4096);
    gw_problem problem;
    gw_secret_key *other = key_of(78);
    gw_reply_message message = {.request = request};
    gw_buffer_init(&receipt, GW_RECEIPT_MAX);
    gw_buffer_init(&refusal, 4096);
    gw_ignore(gw_problem_set(&problem, GW_DENIED, "no_grant", "No.", "Because.", "Ask the owner."));
    if (how == AHEAD || how == STOPPED || how == STOPPED_MUTE)
        snprintf(problem.code, sizeof problem.code, "%s", how == AHEAD ? "checkpoint_ahead" : "rolled_back");
    if (how == STOPPED) {
        note_append(self, &note);
        gw_buffer_text(&account, "{\"v\":1");
        gw_json_write_member(&account, "checkpoint", gw_buffer_string(&note));
        gw_buffer_text(&account, "}");
        message.account = gw_buffer_bytes(&account);
    }
    gw_problem_encode(&problem, &refusal);
    message.answer = gw_buffer_bytes(&refusal);
    message.status = how == BUSY ? GW_REPLY_BUSY : how == RETRY ? GW_REPLY_RETRY : GW_REPLY_REFUSED;
    if (how == HAS_IT) {
        message.status = GW_REPLY_OK;
        message.answer = gw_bytes_of("{\"v\":1}");
    }
    if (how == UNREADABLE_REFUSAL)
        message.answer = gw_bytes_of("no");
    if (how == OTHER_REQUEST)
        message.request.bytes[31] ^= 1;
    if (how == NAMELESS_OK || how == NAMELESS_REFUSAL)
        message.request = (gw_hash){0};
    if (how == RIGHT || how == SLOW || how == NAMELESS_OK || how == OTHER_ANSWER || how == OTHER_LOG_KEY ||
        how == OTHER_ORIGIN || how == OTHER_REPLY_KEY || how == OTHER_REQUEST || how == NO_PROOF ||
        how == FALSE_PROOF || how == BROKEN_PROOF) {
        account_append(self, how, asked, &account);
        receipt_append(self, how, &receipt);
        message.status = GW_REPLY_OK;
        message.answer = gw_bytes_of(how == OTHER_ANSWER ? "{\"v\":1,\"answer\":43}" : ANSWER);
        message.receipt = gw_buffer_bytes(&receipt);
        message.account = gw_buffer_bytes(&account);
    }
    gw_reply_message_encode(&message, how == OTHER_REPLY_KEY ? other : self->reply_key, reply);
    gw_buffer_done(&receipt);
    gw_buffer_done(&refusal);
    gw_buffer_done(&account);
    gw_buffer_done(&note);
    gw_secret_key_free(other);
}

static behaviour service_receive(service *self, gw_bytes bytes, gw_request_message *ret_message) {
    pthread_mutex_lock(&turn);
    GW_ASSERT(self->call_count < CALLS_MAX);
    unsigned call = self->call_count++;
    behaviour how = self->calls[call];
    gw_buffer_append(&self->messages[call], bytes.data, bytes.size);
    gw_status status = gw_request_message_decode(bytes, ret_message, NULL);
    GW_ASSERT(status == GW_OK);
    pthread_mutex_unlock(&turn);
    return how;
}

static void service_handle(void *state, unsigned worker, gw_bytes bytes, gw_buffer *reply) {
    service *self = state;
    gw_request_message message;
    (void)worker;
    behaviour how = service_receive(self, bytes, &message);
    if (how == SLOW)
        sem_wait(&self->gate);
    pthread_mutex_lock(&turn);
    if (how == NOT_A_MESSAGE)
        gw_buffer_text(reply, "HTTP/1.1 200 OK\r\n\r\n");
    else
        reply_append(self, how, &message, reply);
    pthread_mutex_unlock(&turn);
}

static void service_busy(void *state, gw_bytes request, gw_buffer *reply) {
    (void)request;
    reply_append(state, BUSY, NULL, reply);
}

static void service_open(service *self) {
    const char *urls[] = {self->url};
    gw_bus_options options = {.urls = urls,
                              .url_count = 1,
                              .contexts = 8,
                              .workers = 1, // so that the service's state needs no lock
                              .handle = service_handle,
                              .busy = service_busy,
                              .state = self};
    assert_int_equal(gw_bus_open(&options, &self->bus, NULL), GW_OK);
}

static gw_profile profile_of(const service *self) {
    gw_note_key log_key;
    gw_profile profile = {.origin = ORIGIN, .principal = PRINCIPAL, .key_path = "me.key"};
    profile.reply_key = gw_key_public(self->reply_key);
    assert_int_equal(gw_note_key_new(ORIGIN, gw_key_public(self->log_key), &log_key), GW_OK);
    gw_note_key_format(&log_key, profile.log_key);
    snprintf(profile.url, sizeof(profile.url), "%s", self->url);
    snprintf(profile.path, sizeof(profile.path), "%s", self->profile_path);
    return profile;
}

static int service_start(void **state) {
    service *self = calloc(1, sizeof(*self));
    char path[128];
    assert_non_null(self);
    snprintf(self->folder, sizeof(self->folder), "/tmp/gw_client_XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->url, sizeof(self->url), "ipc://%s/s", self->folder);
    snprintf(self->profile_path, sizeof(self->profile_path), "%s/me.json", self->folder);
    snprintf(path, sizeof(path), "%s/me.key", self->folder);
    self->log_key = key_of(1);
    self->reply_key = key_of(2);
    self->client_key = key_of(3);
    self->tree_size = 4;
    sem_init(&self->gate, 0, 0);
    for (int i = 0; i < CALLS_MAX; i++)
        gw_buffer_init(&self->messages[i], GW_REQUEST_BYTES_MAX);
    assert_int_equal(gw_key_file_write(path, self->client_key, NULL), GW_OK);
    service_open(self);
    *state = self;
    return 0;
}

static int service_stop(void **state) {
    static const char *const files[] = {"me.key", "me.json.seen", "me.json.rolled_back", "me.json.rolled_back.seen"};
    service *self = *state;
    gw_bus_close(self->bus);
    for (int i = 0; i < CALLS_MAX; i++)
        gw_buffer_done(&self->messages[i]);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", self->folder, files[i]);
        unlink(path);
    }
    int result = rmdir(self->folder);
    gw_secret_key_free(self->log_key);
    gw_secret_key_free(self->reply_key);
    gw_secret_key_free(self->client_key);
    free(self);
    return result;
}

static gw_client *client_of(const service *self) {
    gw_profile profile = profile_of(self);
    gw_client *client = NULL;
    gw_problem problem = {0};
    if (gw_client_open(&profile, &client, &problem) != GW_OK)
        fail_msg("%s %s %s", problem.code, problem.what, problem.why);
    return client;
}

static gw_status ask(gw_client *client, gw_bytes body, const char *idem, unsigned attempts, int timeout_ms,
                     gw_client_reply *reply, gw_problem *problem) {
    turn_pass();
    gw_status status = gw_client_call(client, body, idem, attempts, timeout_ms, reply, problem);
    turn_pass();
    return status;
}

static gw_status call(gw_client *client, unsigned attempts, gw_client_reply *reply, gw_problem *problem) {
    *problem = (gw_problem){0};
    return ask(client, gw_bytes_of("{\"v\":1}"), IDEM, attempts, TIMEOUT_MS, reply, problem);
}

// ---- what is sent

static void a_call_is_signed_and_its_verified_reply_returned(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    gw_request_message sent;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    assert_int_equal(reply.status, GW_REPLY_OK);
    assert_true(gw_bytes_equal(reply.answer, gw_bytes_of(ANSWER)));
    assert_true(gw_bytes_equal(reply.account, gw_bytes_of("{\"v\":1}")));
    assert_true(reply.receipt.size > 0);
    assert_true(gw_bytes_equal(reply.request, gw_buffer_bytes(&self->messages[0])));
    assert_int_equal(gw_request_message_decode(reply.request, &sent, NULL), GW_OK);
    assert_string_equal(sent.origin, ORIGIN);
    assert_string_equal(sent.principal, PRINCIPAL);
    assert_string_equal(sent.idem, IDEM);
    assert_false(sent.has_seen);
    assert_true(gw_verify_signature(gw_key_public(self->client_key), sent.signed_bytes, sent.signature));
    gw_client_close(client);
}

static void a_visitor_does_not_sign(void **state) {
    service *self = *state;
    gw_profile profile = profile_of(self);
    gw_client *client = NULL;
    gw_client_reply reply;
    gw_problem problem;
    gw_request_message sent;
    profile.principal[0] = profile.key_path[0] = '\0';
    assert_int_equal(gw_client_open(&profile, &client, &problem), GW_OK);
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    assert_int_equal(gw_request_message_decode(reply.request, &sent, NULL), GW_OK);
    assert_int_equal(sent.auth, GW_AUTH_NONE);
    gw_client_close(client);
}

static void without_an_id_each_call_has_its_own(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_request_message first, second;
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask(client, gw_bytes_of("{}"), NULL, 1, TIMEOUT_MS, &reply, NULL), GW_OK);
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&self->messages[0]), &first, NULL), GW_OK);
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&self->messages[1]), &second, NULL), GW_OK);
    assert_string_not_equal(first.idem, second.idem);
    gw_client_close(client);
}

static void what_cannot_be_sent_is_refused_here(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    uint8_t *body = calloc(1, GW_REQUEST_BYTES_MAX);
    assert_non_null(body);
    assert_int_equal(ask(client, gw_bytes_of("{}"), "ABC", 1, TIMEOUT_MS, &reply, &problem), GW_INVALID);
    assert_string_equal(problem.code, "bad_idem");
    gw_bytes big = {.data = body, .size = GW_REQUEST_BYTES_MAX};
    assert_int_equal(ask(client, big, NULL, 1, TIMEOUT_MS, &reply, &problem), GW_LIMIT);
    assert_string_equal(problem.code, "request_too_big");
    assert_int_equal(self->call_count, 0);
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK); // and the client is as before
    free(body);
    gw_client_close(client);
}

// ---- asking again

static void assert_same_bytes(const service *self, unsigned count) {
    assert_int_equal(self->call_count, count);
    for (unsigned i = 1; i < count; i++)
        assert_true(gw_bytes_equal(gw_buffer_bytes(&self->messages[i]), gw_buffer_bytes(&self->messages[0])));
}

static void busy_and_retry_send_the_same_bytes_again(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    self->calls[0] = BUSY;
    self->calls[1] = RETRY;
    assert_int_equal(call(client, 5, &reply, &problem), GW_OK);
    assert_int_equal(reply.status, GW_REPLY_OK);
    assert_same_bytes(self, 3);
    gw_client_close(client);
}

static void a_reply_that_does_not_come_sends_the_same_bytes_again(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem = {0};
    self->calls[0] = SLOW;
    gw_status status = ask(client, gw_bytes_of("{}"), IDEM, 1, 100, &reply, &problem);
    assert_int_equal(status, GW_UNAVAILABLE);
    assert_string_equal(problem.code, "unreachable");
    assert_non_null(strstr(problem.why, "same request id"));
    sem_post(&self->gate);
    self->calls[1] = SLOW;
    sem_post(&self->gate); // the second is answered in time
    status = ask(client, gw_bytes_of("{}"), IDEM, 3, TIMEOUT_MS, &reply, &problem);
    assert_int_equal(status, GW_OK);
    assert_int_equal(reply.status, GW_REPLY_OK);
    gw_client_close(client);
}

static void attempts_are_bounded_and_the_last_no_is_told(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    for (int i = 0; i < CALLS_MAX; i++)
        self->calls[i] = BUSY;
    assert_int_equal(call(client, 3, &reply, &problem), GW_OK);
    assert_int_equal(reply.status, GW_REPLY_BUSY);
    assert_string_equal(reply.problem.code, "no_grant");
    assert_same_bytes(self, 3);
    assert_int_equal(call(client, 0, &reply, &problem), GW_OK); // none at all makes no sense: one
    assert_int_equal(self->call_count, 4);
    gw_client_close(client);
}

static void a_refusal_is_not_asked_again(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    self->calls[0] = REFUSED;
    assert_int_equal(call(client, 5, &reply, &problem), GW_OK);
    assert_int_equal(reply.status, GW_REPLY_REFUSED);
    assert_string_equal(reply.problem.code, "no_grant");
    assert_string_equal(reply.problem.mend, "Ask the owner.");
    assert_int_equal(self->call_count, 1);
    gw_client_close(client);
}

static void a_service_that_restarts_is_found_again(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    gw_bus_close(self->bus);
    service_open(self);
    assert_int_equal(call(client, 3, &reply, &problem), GW_OK);
    assert_int_equal(reply.status, GW_REPLY_OK);
    gw_client_close(client);
}

static void nobody_there_is_told_with_the_command_that_helps(void **state) {
    service *self = *state;
    gw_profile profile = profile_of(self);
    gw_client *client = NULL;
    gw_problem problem = {0};
    char wanted[128];
    gw_bus_close(self->bus);
    self->bus = NULL;
    assert_int_equal(gw_client_open(&profile, &client, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "unreachable");
    snprintf(wanted, sizeof(wanted), "godwit serve --dir %s", self->folder);
    assert_non_null(strstr(problem.mend, wanted));
    snprintf(profile.url, sizeof(profile.url), "http://127.0.0.1");
    assert_int_equal(gw_client_open(&profile, &client, &problem), GW_INVALID);
    assert_string_equal(problem.code, "bad_profile");
}

// ---- what is not believed

static void assert_not_believed(service *self, behaviour how, const char *code) {
    gw_client *client = client_of(self);
    gw_client_reply reply = {0};
    gw_problem problem;
    self->calls[self->call_count] = how;
    unsigned calls = self->call_count;
    assert_int_equal(call(client, 5, &reply, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, code);
    assert_null(reply.answer.data);
    assert_int_equal(self->call_count, calls + 1); // and not asked again
    gw_client_close(client);
}

static void forged_replies_are_not_believed(void **state) {
    assert_not_believed(*state, OTHER_REPLY_KEY, "bad_reply");
    assert_not_believed(*state, OTHER_REQUEST, "bad_reply");
    assert_not_believed(*state, NAMELESS_OK, "bad_reply");
    assert_not_believed(*state, NOT_A_MESSAGE, "bad_reply");
    assert_not_believed(*state, UNREADABLE_REFUSAL, "bad_reply");
}

static void receipts_that_prove_something_else_are_not_believed(void **state) {
    assert_not_believed(*state, OTHER_ANSWER, "bad_answer");
    assert_not_believed(*state, OTHER_LOG_KEY, "bad_checkpoint");
    assert_not_believed(*state, OTHER_ORIGIN, "bad_checkpoint");
}

// The profile says which log it trusts, whatever name its key carries.
static void a_receipt_of_another_origin_than_the_profiles_is_not_believed(void **state) {
    service *self = *state;
    gw_profile profile = profile_of(self);
    gw_client *client = NULL;
    gw_client_reply reply;
    gw_problem problem;
    snprintf(profile.origin, sizeof(profile.origin), "stats.example/another");
    assert_int_equal(gw_client_open(&profile, &client, &problem), GW_OK);
    assert_int_equal(call(client, 1, &reply, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "bad_checkpoint");
    gw_client_close(client);
}

static void a_service_that_cannot_read_may_say_no(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    self->calls[0] = NAMELESS_REFUSAL;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    assert_int_equal(reply.status, GW_REPLY_REFUSED);
    gw_client_close(client);
}

// ---- how far the log had grown

// A note of this log that lies beside the profile: its size.
static uint64_t kept_note(const service *self, const char *suffix) {
    char path[128];
    gw_buffer note;
    gw_checkpoint checkpoint;
    gw_note_key key;
    snprintf(path, sizeof(path), "%s%s", self->profile_path, suffix);
    gw_buffer_init(&note, 4096);
    assert_int_equal(gw_file_read(path, &note, NULL), GW_OK);
    assert_int_equal(gw_note_key_new(ORIGIN, gw_key_public(self->log_key), &key), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &key, &checkpoint, NULL), GW_OK);
    gw_buffer_done(&note);
    return checkpoint.size;
}

static void the_newest_checkpoint_is_kept_and_sent(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    gw_request_message sent;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    assert_int_equal(kept_note(self, ".seen"), 4);
    self->tree_size = 7;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    assert_int_equal(kept_note(self, ".seen"), 7);
    gw_client_close(client);
    client = client_of(self); // another process
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    assert_int_equal(gw_request_message_decode(reply.request, &sent, NULL), GW_OK);
    assert_true(sent.has_seen);
    assert_true(sent.seen_size == 7);
    assert_true(gw_hash_equal(sent.seen_root, tree_root(self)));
    gw_client_close(client);
}

// With both notes kept: the one that was seen, and the one that contradicts it.
static void assert_rolled_back(service *self, gw_client *client, uint64_t seen) {
    gw_client_reply reply;
    gw_problem problem;
    assert_int_equal(call(client, 3, &reply, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    assert_non_null(strstr(problem.mend, "auditor"));
    assert_int_equal(kept_note(self, ".rolled_back"), self->tree_size);
    assert_int_equal(kept_note(self, ".rolled_back.seen"), seen);
}

static void a_log_that_went_back_is_told_with_its_proof(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    self->tree_size = 7;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    self->tree_size = 6;
    assert_rolled_back(self, client, 7);
    self->tree_size = 7;
    self->tree_variant = 1; // as large, and another
    assert_rolled_back(self, client, 7);
    assert_int_equal(kept_note(self, ".seen"), 7);
    gw_client_close(client);
    client = client_of(self); // another process is not fooled either
    self->tree_size = 3;
    assert_rolled_back(self, client, 7);
    gw_client_close(client);
}

static void a_log_that_does_not_prove_its_growth_went_back(void **state) {
    static const behaviour liars[] = {NO_PROOF, FALSE_PROOF, BROKEN_PROOF};
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    self->tree_size = 5;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    self->tree_size = 7;
    for (size_t i = 0; i < sizeof(liars) / sizeof(liars[0]); i++) {
        self->calls[self->call_count] = liars[i];
        assert_rolled_back(self, client, 5);
    }
    assert_int_equal(kept_note(self, ".seen"), 5); // what is not proven is not remembered
    self->tree_variant = 1;                        // larger, and not what it was: no proof can hold
    assert_rolled_back(self, client, 5);
    self->tree_variant = 0;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    assert_int_equal(kept_note(self, ".seen"), 7);
    gw_client_close(client);
}

static void a_service_that_knows_less_is_sent_the_note(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    gw_request_message sent;
    self->tree_size = 7;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    self->tree_size = 4;
    self->calls[1] = AHEAD;
    self->calls[2] = BUSY;
    self->calls[3] = STOPPED;
    assert_rolled_back(self, client, 7);
    assert_int_equal(self->call_count, 4);
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&self->messages[3]), &sent, NULL), GW_OK);
    assert_false(sent.has_seen); // or it would be refused for the same reason
    gw_json *body = NULL;
    assert_int_equal(gw_json_parse(sent.body, GW_JSON_REQUEST, &body, NULL), GW_OK);
    assert_string_equal(gw_json_string(gw_json_member(gw_json_root(body), "kind")), "checkpoint");
    const char *note = gw_json_string(gw_json_member(gw_json_root(body), "note"));
    gw_checkpoint shown;
    gw_note_key key;
    assert_int_equal(gw_note_key_new(ORIGIN, gw_key_public(self->log_key), &key), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_bytes_of(note), &key, &shown, NULL), GW_OK);
    assert_true(shown.size == 7);
    gw_json_free(body);
    gw_client_close(client);
}

// Whatever it says to the note: the profile's memory stands.
static void a_service_that_gives_no_note_is_not_believed_either(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    self->tree_size = 7;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    self->calls[1] = self->calls[3] = AHEAD;
    self->calls[2] = STOPPED_MUTE;
    self->calls[4] = HAS_IT;
    assert_int_equal(call(client, 1, &reply, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    assert_non_null(strstr(problem.mend, ".seen"));
    assert_int_equal(call(client, 1, &reply, &problem), GW_CORRUPT); // and contradicts itself
    assert_string_equal(problem.code, "bad_reply");
    assert_int_equal(kept_note(self, ".seen"), 7);
    gw_client_close(client);
}

// Who has seen nothing can prove nothing.
static void ahead_of_nothing_is_a_refusal(void **state) {
    service *self = *state;
    gw_client *client = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    self->calls[0] = AHEAD;
    assert_int_equal(call(client, 1, &reply, &problem), GW_OK);
    assert_string_equal(reply.problem.code, "checkpoint_ahead");
    assert_int_equal(self->call_count, 1);
    gw_client_close(client);
}

static void what_another_process_saw_meanwhile_is_no_reproach(void **state) {
    service *self = *state;
    gw_client *early = client_of(self), *late = client_of(self);
    gw_client_reply reply;
    gw_problem problem;
    self->tree_size = 6;
    assert_int_equal(call(late, 1, &reply, &problem), GW_OK);
    self->tree_size = 5; // its reply was signed before the other's
    assert_int_equal(call(early, 1, &reply, &problem), GW_OK);
    assert_int_equal(kept_note(self, ".seen"), 6);
    gw_client_close(early);
    gw_client_close(late);
}

static void a_damaged_memory_is_told(void **state) {
    service *self = *state;
    gw_profile profile = profile_of(self);
    gw_client *client = NULL;
    gw_problem problem = {0};
    char path[128];
    snprintf(path, sizeof(path), "%s.seen", self->profile_path);
    assert_int_equal(gw_file_replace(path, gw_bytes_of("nonsense"), 0600, NULL), GW_OK);
    assert_int_equal(gw_client_open(&profile, &client, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "bad_seen");
    assert_non_null(strstr(problem.mend, path));
}

// nng 1.5 leaks a connection that is greeted, or a message that is handed over, while the other end closes.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libnng";
}

int main(void) {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, service_start, service_stop)
    const struct CMUnitTest tests[] = {
        SERVED(a_call_is_signed_and_its_verified_reply_returned),
        SERVED(a_visitor_does_not_sign),
        SERVED(without_an_id_each_call_has_its_own),
        SERVED(what_cannot_be_sent_is_refused_here),
        SERVED(busy_and_retry_send_the_same_bytes_again),
        SERVED(a_reply_that_does_not_come_sends_the_same_bytes_again),
        SERVED(attempts_are_bounded_and_the_last_no_is_told),
        SERVED(a_refusal_is_not_asked_again),
        SERVED(a_service_that_restarts_is_found_again),
        SERVED(nobody_there_is_told_with_the_command_that_helps),
        SERVED(forged_replies_are_not_believed),
        SERVED(receipts_that_prove_something_else_are_not_believed),
        SERVED(a_receipt_of_another_origin_than_the_profiles_is_not_believed),
        SERVED(a_service_that_cannot_read_may_say_no),
        SERVED(the_newest_checkpoint_is_kept_and_sent),
        SERVED(a_log_that_went_back_is_told_with_its_proof),
        SERVED(a_log_that_does_not_prove_its_growth_went_back),
        SERVED(a_service_that_knows_less_is_sent_the_note),
        SERVED(a_service_that_gives_no_note_is_not_believed_either),
        SERVED(ahead_of_nothing_is_a_refusal),
        SERVED(what_another_process_saw_meanwhile_is_no_reproach),
        SERVED(a_damaged_memory_is_told),
    };
    if (gw_crypto_init() != GW_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
