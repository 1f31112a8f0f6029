// SPDX-License-Identifier: Apache-2.0
// A real godwitd for stories. Waiting is always for an event (a reply, an exit), never for a length of time to pass.
#include "tests/support/daemon.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ORIGIN "test.example/godwit"
#define START_TRIES_MAX 3000 // of 10 ms: 30 s, for sanitizers on a busy machine
#define ASK_TIMEOUT_MS 60000

__attribute__((format(printf, 1, 2))) static _Noreturn void give_up(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("test daemon: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

static void join(char path[TEST_PATH_MAX], const char *folder, const char *name) {
    const int size = snprintf(path, TEST_PATH_MAX, "%s/%s", folder, name);
    if (size < 0 || size >= TEST_PATH_MAX)
        give_up("the path of %s is too long", name);
}

const char *test_source_folder(void) {
    const char *folder = getenv("GW_SOURCE");
    if (folder == NULL)
        give_up("GW_SOURCE is not set: run this through ctest");
    return folder;
}

void test_program(const char *name, char ret_path[TEST_PATH_MAX]) {
    const char *folder = getenv("GW_BIN");
    if (folder == NULL)
        give_up("GW_BIN is not set: run this through ctest");
    join(ret_path, folder, name);
}

// ---- processes

// A child that dies with this process, so that a test that is killed leaves nothing running.
static pid_t spawn(const char *const argv[], int out, int err) {
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0)
        give_up("cannot start %s: %s", argv[0], strerror(errno));
    if (pid > 0)
        return pid;
    const int none = open("/dev/null", O_RDONLY);
    const bool is_ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && none >= 0 &&
                          dup2(none, STDIN_FILENO) >= 0 && (out < 0 || dup2(out, STDOUT_FILENO) >= 0) &&
                          (err < 0 || dup2(err, STDERR_FILENO) >= 0);
    // execv does not write through argv; its type is older than const.
    if (is_ready)
        execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static int wait_for(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            give_up("cannot wait for %d: %s", (int)pid, strerror(errno));
    }
    return status;
}

int test_run(const char *const argv[], gw_buffer *ret_output) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        give_up("no pipe: %s", strerror(errno));
    const pid_t pid = spawn(argv, ends[1], -1);
    close(ends[1]);
    char bytes[4096];
    for (ssize_t size; (size = read(ends[0], bytes, sizeof bytes)) != 0;) {
        if (size < 0 && errno != EINTR)
            break;
        if (size > 0 && ret_output != NULL)
            gw_buffer_append(ret_output, bytes, (size_t)size);
    }
    close(ends[0]);
    const int status = wait_for(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_or_give_up(const char *const argv[]) {
    const int code = test_run(argv, NULL);
    if (code != 0)
        give_up("%s %s ended with %d", argv[0], argv[1], code);
}

// ---- the daemon

static void use_temporary_folder(test_daemon *daemon) {
    const char *parent = getenv("TMPDIR");
    join(daemon->folder, parent != NULL ? parent : "/tmp", "godwit-test-XXXXXX");
    if (mkdtemp(daemon->folder) == NULL)
        give_up("no temporary folder: %s", strerror(errno));
    join(daemon->log_folder, daemon->folder, "log");
}

void test_daemon_init(test_daemon *daemon) {
    *daemon = (test_daemon){0};
    if (gw_crypto_init() != GW_OK)
        give_up("libsodium does not start");
    use_temporary_folder(daemon);
    char program[TEST_PATH_MAX];
    char share[TEST_PATH_MAX];
    test_program("godwitd", program);
    join(share, test_source_folder(), "policies");
    run_or_give_up(
        (const char *const[]){program, "init", "--dir", daemon->folder, "--origin", ORIGIN, "--share", share, NULL});
    char path[TEST_PATH_MAX];
    join(path, daemon->folder, "profiles/admin.json");
    gw_problem problem;
    if (gw_profile_load(path, &daemon->admin, &problem) != GW_OK)
        give_up("%s: %s %s", path, problem.what, problem.why);
}

static bool answers(test_daemon *daemon) {
    gw_problem problem;
    gw_client *client = NULL;
    if (gw_client_open(&daemon->admin, &client, &problem) != GW_OK)
        return false;
    gw_client_reply reply;
    const gw_status status =
        gw_client_call(client, gw_bytes_of("{\"v\":1,\"kind\":\"ping\"}"), NULL, 1, 2000, &reply, &problem);
    const bool is_ok = status == GW_OK && reply.status == GW_REPLY_OK;
    gw_client_close(client);
    return is_ok;
}

void test_daemon_spawn(test_daemon *daemon) {
    char program[TEST_PATH_MAX];
    char log[TEST_PATH_MAX];
    test_program("godwitd", program);
    join(log, daemon->folder, "daemon.log");
    GW_CLEANUP(gw_closep) int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const char *argv[16] = {program, "serve", "--dir", daemon->folder, "--release-tick", "0"};
    for (size_t i = 0; i < 8 && daemon->serve_flags[i] != NULL; i++)
        argv[6 + i] = daemon->serve_flags[i];
    daemon->pid = spawn(argv, file, file);
}

void test_daemon_start(test_daemon *daemon) {
    test_daemon_spawn(daemon);
    for (int tries = 0; tries < START_TRIES_MAX; tries++) {
        if (answers(daemon))
            return;
        int status = 0;
        if (waitpid(daemon->pid, &status, WNOHANG) == daemon->pid) {
            daemon->pid = 0;
            give_up("godwitd ended with status %d; see %s/daemon.log", status, daemon->folder);
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); // between two looks, not instead of one
    }
    give_up("godwitd does not answer; see %s/daemon.log", daemon->folder);
}

int test_daemon_stop(test_daemon *daemon, int signal) {
    GW_ASSERT(daemon->pid > 0);
    kill(daemon->pid, signal);
    const int status = wait_for(daemon->pid);
    daemon->pid = 0;
    return status;
}

void test_daemon_done(test_daemon *daemon) {
    if (daemon->pid > 0)
        test_daemon_stop(daemon, SIGKILL);
    if (getenv("GW_KEEP") != NULL) {
        fprintf(stderr, "kept: %s\n", daemon->folder);
        return;
    }
    run_or_give_up((const char *const[]){"/bin/rm", "-rf", daemon->folder, NULL});
}

// The daemon's other child. What has not become a program yet is an engine on its way.
static bool is_signer(pid_t pid) {
    char path[TEST_PATH_MAX], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(name, sizeof name, file) == NULL)
        name[0] = '\0';
    if (file != NULL)
        fclose(file);
    return strcmp(name, "godwit-signer\n") == 0;
}

// Adds the pids in /proc/<pid>/task/<thread>/children.
static size_t add_children(const char *path, pid_t *ret_pids, size_t count, size_t max) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return count; // the thread ended meanwhile
    char line[1024];
    if (fgets(line, sizeof line, file) != NULL) {
        char *end = line;
        for (long pid; count < max && (pid = strtol(end, &end, 10)) > 0;)
            if (!is_signer((pid_t)pid))
                ret_pids[count++] = (pid_t)pid;
    }
    fclose(file);
    return count;
}

size_t test_daemon_engines(const test_daemon *daemon, pid_t *ret_pids, size_t max) {
    // A child belongs to the thread that spawned it, which is a worker's where one was replaced.
    char folder[TEST_PATH_MAX];
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)daemon->pid);
    DIR *threads = opendir(folder);
    if (threads == NULL)
        give_up("cannot read %s: %s", folder, strerror(errno));
    size_t count = 0;
    for (const struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        char path[TEST_PATH_MAX];
        snprintf(path, sizeof path, "/proc/%d/task/%.32s/children", (int)daemon->pid, thread->d_name);
        if (thread->d_name[0] != '.')
            count = add_children(path, ret_pids, count, max);
    }
    closedir(threads);
    return count;
}

// ---- what an administrator does

static void admin(test_daemon *daemon, const gw_buffer *body) {
    test_asker asker;
    test_asker_open(&asker, &daemon->admin);
    if (!test_ask(&asker, gw_buffer_string(body), NULL))
        give_up("refused: %s: %s %s\n  for %.200s", asker.problem.code, asker.problem.what, asker.problem.why,
                gw_buffer_string(body));
    test_asker_close(&asker);
}

static void read_key(const gw_profile *profile, gw_secret_key **ret_key) {
    gw_problem problem;
    char path[4096];
    if (!gw_profile_key_file(profile, path))
        give_up("no key for %s", profile->path);
    if (gw_key_file_read(path, ret_key, &problem) != GW_OK)
        give_up("%s: %s %s", path, problem.what, problem.why);
}

void test_daemon_population(test_daemon *daemon, const char *population, const char *total) {
    test_daemon_population_with_delta(daemon, population, total, NULL);
}

void test_daemon_population_with_delta(test_daemon *daemon, const char *population, const char *total,
                                       const char *selection_delta) {
    gw_buffer body;
    gw_buffer_init(&body, 4096);
    gw_buffer_format(&body,
                     "{\"v\":1,\"kind\":\"admin\",\"action\":\"population_add\",\"population\":\"%s\",\"total\":\"%s\","
                     "\"window_days\":0,\"window_total\":null",
                     population, total);
    if (selection_delta != NULL)
        gw_buffer_format(&body, ",\"selection_delta\":\"%s\"", selection_delta);
    gw_buffer_text(&body, "}");
    admin(daemon, &body);
    gw_buffer_done(&body);
}

void test_daemon_policy(test_daemon *daemon, const char *policy_text) {
    gw_secret_key *key = NULL;
    read_key(&daemon->admin, &key);
    const gw_signature signature = gw_sign(key, gw_bytes_of(policy_text));
    const gw_public_key public_key = gw_key_public(key);
    gw_secret_key_free(key);
    char signature_hex[2 * GW_SIGNATURE_SIZE + 1];
    char key_hex[2 * GW_PUBLIC_KEY_SIZE + 1];
    gw_hex((gw_bytes){signature.bytes, sizeof signature.bytes}, signature_hex);
    gw_hex((gw_bytes){public_key.bytes, sizeof public_key.bytes}, key_hex);
    gw_buffer body;
    gw_buffer_init(&body, GW_REQUEST_BYTES_MAX);
    gw_buffer_text(&body, "{\"v\":1,\"kind\":\"admin\",\"action\":\"policy_activate\",\"policy\":");
    gw_json_write_string(&body, policy_text);
    gw_buffer_format(&body, ",\"signature\":\"%s\",\"by\":\"%s\",\"key\":\"%s\"}", signature_hex,
                     daemon->admin.principal, key_hex);
    admin(daemon, &body);
    gw_buffer_done(&body);
}

void test_daemon_load(test_daemon *daemon, const char *dataset, const char *path) {
    char program[TEST_PATH_MAX];
    test_program("godwitd", program);
    run_or_give_up((const char *const[]){program, "load", "--dir", daemon->folder, dataset, path, NULL});
}

void test_sample_data(const test_daemon *daemon, const char *name, char ret_path[TEST_PATH_MAX]) {
    char program[TEST_PATH_MAX];
    char sample[TEST_PATH_MAX];
    snprintf(sample, sizeof sample, "%s/policies/samples/%s", test_source_folder(), name);
    const char *ending = strrchr(name, '.');
    if (ending == NULL || strcmp(ending, ".sql") != 0) {
        memcpy(ret_path, sample, sizeof sample);
        return;
    }
    test_program("godwit-engine", program);
    join(ret_path, daemon->folder, "sample");
    run_or_give_up((const char *const[]){program, "generate", sample, ret_path, NULL});
}

void test_daemon_principal(test_daemon *daemon, const char *roles, gw_profile *ret_profile) {
    gw_profile profile = daemon->admin;
    gw_random_id(profile.principal);
    snprintf(profile.key_path, sizeof profile.key_path, "%s/profiles/test%u.key", daemon->folder, daemon->principals);
    snprintf(profile.path, sizeof profile.path, "%s/profiles/test%u.json", daemon->folder, daemon->principals);
    daemon->principals++;
    gw_secret_key *key = NULL;
    gw_problem problem;
    if (gw_key_generate(&key) != GW_OK || gw_key_file_write(profile.key_path, key, &problem) != GW_OK ||
        gw_profile_save(profile.path, &profile, &problem) != GW_OK)
        give_up("no key for a new principal");
    const gw_public_key public_key = gw_key_public(key);
    gw_secret_key_free(key);
    char key_hex[2 * GW_PUBLIC_KEY_SIZE + 1];
    gw_hex((gw_bytes){public_key.bytes, sizeof public_key.bytes}, key_hex);
    gw_buffer body;
    gw_buffer_init(&body, 4096);
    gw_buffer_format(&body,
                     "{\"v\":1,\"kind\":\"admin\",\"action\":\"principal_add\",\"principal\":\"%s\",\"roles\":\"%s\"}",
                     profile.principal, roles);
    admin(daemon, &body);
    gw_buffer_done(&body);
    gw_buffer_format(
        &body,
        "{\"v\":1,\"kind\":\"admin\",\"action\":\"key_add\",\"principal\":\"%s\",\"key\":\"%s\",\"not_before\":0,"
        "\"not_after\":0}",
        profile.principal, key_hex);
    admin(daemon, &body);
    gw_buffer_done(&body);
    *ret_profile = profile;
}

void test_daemon_snapshot(const test_daemon *daemon, const char *dataset, char ret_path[TEST_PATH_MAX]) {
    char folder[TEST_PATH_MAX];
    snprintf(folder, sizeof folder, "%.300s/data/%.128s", daemon->folder, dataset);
    DIR *entries = opendir(folder);
    if (entries == NULL)
        give_up("no data in %s", folder);
    struct timespec newest = {0};
    ret_path[0] = '\0';
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        const size_t size = strlen(entry->d_name);
        char path[TEST_PATH_MAX];
        struct stat facts;
        if (size < 8 || strcmp(entry->d_name + size - 7, ".duckdb") != 0)
            continue;
        join(path, folder, entry->d_name);
        if (stat(path, &facts) != 0)
            continue;
        if (facts.st_mtim.tv_sec > newest.tv_sec ||
            (facts.st_mtim.tv_sec == newest.tv_sec && facts.st_mtim.tv_nsec >= newest.tv_nsec)) {
            newest = facts.st_mtim;
            memcpy(ret_path, path, sizeof path);
        }
    }
    closedir(entries);
    if (ret_path[0] == '\0')
        give_up("no snapshot in %s", folder);
}

void test_daemon_with_people(test_daemon *daemon, size_t count, test_budget budget) {
    test_daemon_init(daemon);
    test_daemon_start(daemon);
    test_daemon_people(daemon, count, budget);
}

void test_daemon_people(test_daemon *daemon, size_t count, test_budget budget) {
    test_daemon_population(daemon, TEST_POPULATION, "1000000");
    gw_buffer policy;
    gw_buffer_init(&policy, 65536);
    test_people_policy(1, budget, &policy);
    test_daemon_policy(daemon, gw_buffer_string(&policy));
    gw_buffer_done(&policy);
    char path[TEST_PATH_MAX];
    join(path, daemon->folder, "people.csv");
    if (!test_people_write(path, count))
        give_up("cannot write %s", path);
    test_daemon_load(daemon, TEST_DATASET, path);
}

// ---- what the log says

// Entries in the newest signed checkpoint: what has been acknowledged. 0 when the daemon isn't running.
static uint64_t acknowledged(const test_daemon *daemon) {
    if (daemon->pid == 0)
        return 0;
    test_asker asker;
    test_asker_open(&asker, &daemon->admin);
    if (!test_ask(&asker, "{\"v\":1,\"kind\":\"ping\"}", NULL))
        give_up("no ping");
    gw_json *json = NULL;
    if (gw_json_parse(asker.reply.answer, GW_JSON_REPLY, &json, NULL) != GW_OK)
        give_up("the ping can't be read");
    const uint64_t size = (uint64_t)gw_json_integer(gw_json_member(gw_json_root(json), "log_size"));
    gw_json_free(json);
    test_asker_close(&asker);
    return size;
}

// Files are published soon after a checkpoint is signed, so a look that comes too early is repeated.
static gw_audit_state *verified(const test_daemon *daemon, gw_audit_verdict *ret_verdict) {
    const uint64_t size = acknowledged(daemon);
    gw_audit_state *state = NULL;
    gw_status status = GW_OK;
    for (int tries = 0; tries < START_TRIES_MAX; tries++) {
        gw_audit_state_free(state);
        state = NULL;
        status = gw_audit_verify_folder(daemon->log_folder, NULL, NULL, NULL, &state, ret_verdict);
        if (status == GW_OK && ret_verdict->size >= size)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    if (status != GW_OK || !ret_verdict->is_complete || !ret_verdict->is_sound)
        give_up("the log does not verify (entry %" PRIu64 "): %s %s", ret_verdict->first_bad, ret_verdict->problem.what,
                ret_verdict->problem.why);
    return state;
}

void test_daemon_verify(const test_daemon *daemon, gw_audit_verdict *ret_verdict) {
    gw_audit_state_free(verified(daemon, ret_verdict));
}

uint64_t test_daemon_spent(const test_daemon *daemon, const char *dataset) {
    gw_audit_verdict verdict;
    gw_audit_state *state = verified(daemon, &verdict);
    const size_t count = gw_audit_balances(state, NULL, 0);
    gw_audit_balance *balances = calloc(count + 1, sizeof *balances);
    if (balances == NULL)
        give_up("no memory");
    gw_audit_balances(state, balances, count);
    uint64_t spent = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(balances[i].kind, "dataset") == 0 && strcmp(balances[i].id, dataset) == 0)
            spent = balances[i].spent;
    }
    free(balances);
    gw_audit_state_free(state);
    return spent;
}

// ---- those who ask

void test_asker_open(test_asker *asker, const gw_profile *profile) {
    *asker = (test_asker){.profile = *profile};
    gw_buffer_init(&asker->message, GW_REQUEST_BYTES_MAX);
    read_key(profile, &asker->key);
    test_asker_reconnect(asker);
}

static bool connects(test_asker *asker, gw_problem *problem) {
    return gw_client_open(&asker->profile, &asker->client, problem) == GW_OK;
}

void test_asker_reconnect(test_asker *asker) {
    gw_client_close(asker->client);
    asker->client = NULL;
    gw_problem problem;
    for (int tries = 0; tries < START_TRIES_MAX && !connects(asker, &problem); tries++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); // between two tries
    if (asker->client == NULL)
        give_up("cannot connect again: %s %s", problem.what, problem.why);
}

void test_asker_close(test_asker *asker) {
    gw_client_close(asker->client);
    gw_secret_key_free(asker->key);
    gw_buffer_done(&asker->message);
    gw_arena_free(asker->arena);
    *asker = (test_asker){0};
}

void test_asker_sign(test_asker *asker, const char *body, const char *idem) {
    gw_request_message message = {.time = (int64_t)time(NULL), .auth = GW_AUTH_SIGNATURE, .body = gw_bytes_of(body)};
    snprintf(message.origin, sizeof message.origin, "%s", asker->profile.origin);
    snprintf(message.principal, sizeof message.principal, "%s", asker->profile.principal);
    if (idem != NULL)
        snprintf(message.idem, sizeof message.idem, "%s", idem);
    else
        gw_random_id(message.idem);
    gw_buffer_done(&asker->message);
    gw_request_message_encode(&message, asker->key, &asker->message);
    if (asker->message.status != GW_OK)
        give_up("a request does not fit");
}

bool test_asker_send(test_asker *asker, int timeout_ms) {
    gw_problem problem;
    gw_bytes bytes;
    asker->problem = (gw_problem){0};
    const gw_status status =
        gw_client_exchange(asker->client, gw_buffer_bytes(&asker->message), timeout_ms, &bytes, &problem);
    if (status == GW_UNAVAILABLE)
        return false;
    if (status != GW_OK)
        give_up("no exchange: %s %s", problem.what, problem.why);
    gw_request_message request;
    if (gw_reply_message_decode(bytes, &asker->reply, &problem) != GW_OK)
        give_up("the reply can't be read: %s %s", problem.what, problem.why);
    if (!gw_verify_signature(asker->profile.reply_key, asker->reply.signed_bytes, asker->reply.signature))
        give_up("the reply's signature does not verify");
    if (gw_request_message_decode(gw_buffer_bytes(&asker->message), &request, &problem) == GW_OK &&
        !gw_hash_equal(asker->reply.request, gw_sha256(request.signed_bytes)))
        give_up("the reply is to another request");
    if (asker->reply.status != GW_REPLY_OK && gw_problem_decode(asker->reply.answer, &asker->problem) != GW_OK)
        give_up("the refusal can't be read: %.*s", (int)asker->reply.answer.size,
                (const char *)asker->reply.answer.data);
    return true;
}

bool test_ask(test_asker *asker, const char *body, const char *idem) {
    test_asker_sign(asker, body, idem);
    if (!test_asker_send(asker, ASK_TIMEOUT_MS))
        give_up("no reply to %.200s", body);
    return asker->reply.status == GW_REPLY_OK;
}

bool test_ask_query(test_asker *asker, const char *body, const char *idem) {
    if (!test_ask(asker, body, idem))
        return false;
    gw_arena_free(asker->arena);
    asker->arena = gw_arena_new((size_t)1 << 26);
    gw_problem problem;
    if (gw_answer_decode(asker->reply.answer, asker->arena, &asker->answer, &problem) != GW_OK)
        give_up("the answer can't be read: %s %s", problem.what, problem.why);
    return true;
}
