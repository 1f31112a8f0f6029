// SPDX-License-Identifier: Apache-2.0
// Opens the parts in the order their threads and locks need, and closes them in reverse. The publisher is told of a
// new checkpoint when its reply has been made, and writes on its own thread, so that no worker waits for files.
#include "service/service.h"

#include "service/definitions.h"
#include "service/admin/load.h"
#include "service/audit/publish.h"
#include "service/base/cleanup.h"
#include "service/base/log.h"
#include "service/bus/bus.h"
#include "service/query/rollback.h"
#include "service/notify.h"
#include "service/restore_command.h"
#include "service/signer/client.h"
#include "service/tell.h"
#include "service/vouch.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNKNOWN_FILE "outcome_unknown"
#define EXIT_UNKNOWN 70 // EX_SOFTWARE

GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)
GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

struct gw_service {
    gw_config config;
    char indicators[4200], codelists[4200], log_folder[4200], questions_folder[4200];
    gw_engine *engine;
    gw_catalogue *catalogue;
    gw_secret_key *reply_key;
    gw_ledger *ledger;
    gw_publisher *publisher;
    gw_vouching *vouching;      // NULL: no witnesses are configured
    _Atomic gw_vouched vouched; // as it was told last
    bool is_closing;
    _Atomic uint64_t published; // size and note last handed to the publisher
    _Atomic uint64_t answered;
    _Atomic uint64_t busy; // requests that found no room, since it was last said
    bool is_publish_failing;
    bool is_mended; // a proof that the log was set back was answered since the last start
    gw_clock_state clock;
    gw_queries *queries;
    gw_query_worker **workers;
    size_t worker_count;
    gw_bus *bus;
    gw_changes changes;
    gw_signature seal_secret;
};

void gw_service_key_path(const gw_config *config, const char *name, char *ret_path, size_t size) {
    snprintf(ret_path, size, "%s/keys/%s.key", config->folder, name);
}

// Hands a checkpoint to the publisher that it has not seen. Two threads may hand on the same one; it keeps the newest.
static void publish_newest(gw_service *service) {
    gw_checkpoint checkpoint;
    gw_buffer note;
    if (service->vouched == GW_SET_BACK)
        return; // this history is shown to nobody any more
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    // Where witnesses are asked beside the answers, what they vouched for: at most a round behind the newest.
    bool is_vouched = service->vouching != NULL && service->vouched == GW_VOUCHED && !service->is_closing;
    if (is_vouched)
        gw_ledger_vouched(service->ledger, &checkpoint, &note);
    else
        gw_ledger_checkpoint(service->ledger, &checkpoint, &note);
    uint64_t is_new = checkpoint.size << 16 | note.size; // witnesses add lines to a note of the same tree
    if (checkpoint.size > 0 && atomic_exchange(&service->published, is_new) != is_new)
        gw_publisher_notify(service->publisher, &checkpoint, gw_buffer_bytes(&note));
    gw_buffer_done(&note);
}

static void handle_on_bus(void *state, unsigned worker, gw_bytes request, gw_buffer *reply) {
    gw_service *service = state;
    gw_query_handle(service->workers[worker], request, reply);
    publish_newest(service);
    atomic_fetch_add(&service->answered, 1);
}

static void peer_on_bus(void *state, unsigned worker, const char *address) {
    gw_service *service = state;
    gw_query_worker_peer(service->workers[worker], address);
}

static void busy_on_bus(void *state, gw_bytes request, gw_buffer *reply) {
    gw_service *service = state;
    atomic_fetch_add(&service->busy, 1); // said once for many, by the tick: a flood must not flood the log
    gw_query_busy(service->queries, request, reply);
}

void gw_service_handle(gw_service *service, gw_bytes request, gw_buffer *reply) {
    gw_query_handle(service->workers[0], request, reply);
}

static gw_engine_options engine_options_of(const gw_config *config, const char *program) {
    return (gw_engine_options){.program = program,
                               .children = (unsigned)config->engine_children,
                               .threads = (unsigned)config->engine_threads,
                               .memory_bytes = (uint64_t)config->engine_memory_mb << 20};
}

static gw_status open_engine(gw_service *service, const gw_service_options *options, gw_problem *problem) {
    if (!options->is_serving)
        return GW_OK;
    gw_engine_options engine = engine_options_of(&service->config, options->engine_program);
    return gw_engine_open(&engine, &service->engine, problem);
}

gw_status gw_service_signer(const gw_config *config, gw_tree_signer *ret, gw_problem *ret_problem) {
    char folder[4200], program[4200];
    snprintf(folder, sizeof folder, "%s/keys", config->folder);
    gw_program_beside("godwit-signer", program, sizeof program);
    gw_signer_client_options options = {
        .origin = config->origin, .socket = config->signer, .program = program, .folder = folder};
    return gw_signer_client(&options, ret, ret_problem);
}

// A write was not confirmed: nothing of it may be acknowledged, and the next start finds out what became of it. A file
// remembers that this happened; where not even that can be written, nobody does. Or a witness knows another history:
// then another start would not mend it.
static void outcome_unknown(void *state) {
    gw_service *service = state;
    gw_problem problem = {0};
    char path[4200];
    if (gw_vouching_state(service->vouching, &problem) == GW_SET_BACK)
        _exit(gw_tell(problem.status, &problem));
    snprintf(path, sizeof path, "%s/" UNKNOWN_FILE, service->config.folder);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file >= 0)
        close(file);
    _exit(EXIT_UNKNOWN);
}

static gw_status open_ledger(gw_service *service, gw_problem *problem) {
    gw_ledger_options options = {.state_folder = service->config.folder,
                                 .hwm_path = service->config.hwm[0] ? service->config.hwm : NULL,
                                 .clock = gw_clock_system(),
                                 .witness = gw_vouching_witness(service->vouching)};
    gw_status status = gw_restore_resume(&service->config, problem);
    if (status == GW_OK)
        status = gw_service_signer(&service->config, &options.signer, problem);
    if (status == GW_OK)
        status = gw_ledger_open(&options, &service->ledger, problem);
    if (status == GW_OK)
        gw_ledger_on_unknown(service->ledger, outcome_unknown, service);
    return status;
}

// A local change on a stopped service may be the one that replaces the file of witnesses: then the old ones are not
// asked, and the new ones not yet.
static gw_status open_vouching(gw_service *service, bool is_serving, gw_problem *problem) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char path[4200];
    gw_status status = gw_vouching_open(&service->config, &service->vouching, is_serving ? problem : NULL);
    if (is_serving)
        return status;
    snprintf(path, sizeof path, "%s/godwit.db", service->config.folder);
    if (status == GW_OK)
        status = gw_store_reader_open(path, &reader, NULL);
    if (status == GW_OK)
        status = gw_vouching_check(service->vouching, &service->config, reader, NULL);
    if (status != GW_OK) {
        gw_vouching_close(service->vouching);
        service->vouching = NULL;
    }
    return GW_OK;
}

gw_status gw_service_seal_secret(const gw_config *config, gw_signature *ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    char path[4200];
    gw_service_key_path(config, "seal", path, sizeof path);
    gw_status status = gw_key_file_read(path, &key, ret_problem);
    if (status == GW_OK)
        *ret = gw_sign(key, gw_bytes_of("godwit data seal v1"));
    return status;
}

typedef struct {
    gw_service *service;
    gw_store_reader *reader;
    gw_status status;
    gw_problem *problem;
} snapshots_check;

// The file of the version in force must be the one whose seal is in the log.
static gw_status snapshot_check(const snapshots_check *check, const char *dataset) {
    gw_store_data data;
    gw_entry entry;
    gw_hash seal;
    char path[4096];
    gw_status status = gw_store_data_current(check->reader, dataset, &data);
    if (status == GW_NOT_FOUND)
        return GW_OK;
    gw_buffer bytes;
    gw_buffer_init(&bytes, GW_ENTRY_BYTES_MAX);
    if (status == GW_OK)
        status = gw_store_entry(check->reader, data.seq, &bytes);
    if (status == GW_OK)
        status = gw_entry_decode(gw_buffer_bytes(&bytes), &entry, check->problem);
    gw_buffer_done(&bytes);
    if (status != GW_OK)
        return status;
    gw_query_snapshot_path(check->service->queries, dataset, data.version, ".duckdb", path, sizeof path);
    gw_bytes secret = {check->service->seal_secret.bytes, GW_SIGNATURE_SIZE};
    status = gw_load_seal(path, secret, &seal, check->problem);
    if (status == GW_OK && gw_hash_equal(seal, entry.data.seal))
        return GW_OK;
    gw_problem_set(check->problem, GW_CORRUPT, "data_tampered", "A data version is not the file that was loaded.", "",
                   "Put the right file back, or take this one out of the way and run: godwit load");
    gw_problem_why(check->problem, "%s of %s is missing, or its bytes do not have the seal in the log.", data.version,
                   dataset);
    return GW_CORRUPT;
}

static void snapshots_check_one(void *state, const gw_store_policy *policy) {
    snapshots_check *check = state;
    if (check->status == GW_OK)
        check->status = snapshot_check(check, policy->dataset);
}

static gw_status snapshots_verify(gw_service *service, gw_problem *problem) {
    snapshots_check check = {.service = service, .reader = gw_query_reader(service->workers[0]), .problem = problem};
    gw_status status = gw_store_datasets(check.reader, snapshots_check_one, &check);
    return check.status != GW_OK ? check.status : status;
}

static gw_rate_limits rate_limits_of(const gw_config *config) {
    return (gw_rate_limits){.requests_per_minute = config->rate_requests_per_minute,
                            .free_ms_per_minute = config->rate_free_ms_per_minute};
}

static bool outcome_was_unknown(const gw_service *service) {
    char path[4200];
    snprintf(path, sizeof path, "%s/" UNKNOWN_FILE, service->config.folder);
    return unlink(path) == 0;
}

static gw_status open_queries(gw_service *service, bool is_serving, gw_problem *problem) {
    gw_clock clock = gw_clock_system();
    service->changes = (gw_changes){.ledger = service->ledger,
                                    .engine = service->engine,
                                    .origin = service->config.origin,
                                    .codelist_folder = service->codelists,
                                    .state_folder = service->config.folder,
                                    .started = clock.boot_ms(clock.state),
                                    .seal_secret = {service->seal_secret.bytes, GW_SIGNATURE_SIZE}};
    gw_query_options options = {.ledger = service->ledger,
                                .engine = service->engine,
                                .catalogue = service->catalogue,
                                .reply_key = service->reply_key,
                                .state_folder = service->config.folder,
                                .codelist_folder = service->codelists,
                                .origin = service->config.origin,
                                .started = is_serving ? clock.unix_seconds(clock.state) : 0,
                                .release_tick_ms = (unsigned)service->config.release_tick_ms,
                                .admin = gw_changes_handle,
                                .admin_is_reading = gw_changes_is_reading,
                                .admin_state = &service->changes};
    gw_status status = gw_queries_new(&options, &service->queries, problem);
    if (status != GW_OK)
        return status;
    service->changes.queries = service->queries;
    gw_queries_limit(service->queries, rate_limits_of(&service->config));
    if (service->is_mended)
        gw_queries_report(service->queries, GW_INCIDENT_ROLLED_BACK);
    if (outcome_was_unknown(service))
        gw_queries_report(service->queries, GW_INCIDENT_OUTCOME_UNKNOWN);
    size_t count = is_serving ? (size_t)service->config.workers : 1;
    service->workers = calloc(count, sizeof(gw_query_worker *));
    if (!service->workers)
        return gw_problem_set(problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    for (; status == GW_OK && service->worker_count < count; service->worker_count++)
        status = gw_query_worker_new(service->queries, &service->workers[service->worker_count], problem);
    return status;
}

static gw_status open_bus(gw_service *service, gw_problem *problem) {
    const char *urls[GW_LISTEN_MAX];
    for (size_t i = 0; i < service->config.listen_count; i++)
        urls[i] = service->config.listen[i];
    gw_bus_options options = {.urls = urls,
                              .url_count = service->config.listen_count,
                              .workers = (unsigned)service->worker_count,
                              .handle = handle_on_bus,
                              .peer = peer_on_bus,
                              .busy = busy_on_bus,
                              .state = service};
    return gw_bus_open(&options, &service->bus, problem);
}

static gw_status open_parts(gw_service *service, const gw_service_options *options, gw_problem *problem) {
    char path[4200];
    gw_status status = gw_catalogue_load(service->indicators, &service->catalogue, problem);
    if (status == GW_OK)
        status = open_engine(service, options, problem);
    gw_service_key_path(&service->config, "reply", path, sizeof path);
    if (status == GW_OK) // before anything is signed once more
        status = gw_rollback_check_folder(service->config.folder, &service->is_mended, problem);
    if (status == GW_OK)
        status = gw_key_file_read(path, &service->reply_key, problem);
    if (status == GW_OK)
        status = options->asks_no_witness ? GW_OK : open_vouching(service, options->is_serving, problem);
    if (status == GW_OK)
        status = open_ledger(service, problem);
    // Under the ledger's lock, and only by who answers questions: nobody else says what a version means.
    if (status == GW_OK && options->is_serving)
        status = gw_definitions_check(service->config.folder, service->catalogue, true, problem);
    if (status == GW_OK)
        status = gw_publisher_open(gw_ledger_database(service->ledger), service->log_folder, service->questions_folder,
                                   &service->publisher, problem);
    if (status == GW_OK)
        status = gw_service_seal_secret(&service->config, &service->seal_secret, problem);
    if (status == GW_OK)
        status = open_queries(service, options->is_serving, problem);
    if (status == GW_OK && options->is_serving)
        status = gw_vouching_check(service->vouching, &service->config, gw_query_reader(service->workers[0]), problem);
    if (status == GW_OK && options->is_serving)
        status = snapshots_verify(service, problem);
    if (status == GW_OK && options->is_serving)
        status = open_bus(service, problem);
    return status;
}

gw_status gw_service_open(const gw_config *config, const gw_service_options *options, gw_service **ret,
                          gw_problem *ret_problem) {
    gw_service *service = calloc(1, sizeof *service);
    if (!service)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    service->config = *config;
    snprintf(service->indicators, sizeof service->indicators, "%s/indicators", config->share);
    snprintf(service->codelists, sizeof service->codelists, "%s/codelists", config->share);
    snprintf(service->log_folder, sizeof service->log_folder, "%s/log", config->folder);
    snprintf(service->questions_folder, sizeof service->questions_folder, "%s/questions", config->folder);
    gw_status status = open_parts(service, options, ret_problem);
    if (status != GW_OK) {
        gw_service_close(service);
        return status;
    }
    gw_service_tick(service);
    *ret = service;
    return GW_OK;
}

// ---- reload

static void log_change(void *state, const char *name, bool is_taken) {
    (void)state;
    if (is_taken)
        gw_log(GW_LOG_INFO, "setting_changed", "setting", name, NULL);
    else
        gw_log(GW_LOG_WARN, "setting_ignored", "setting", name, "mend", "It takes effect at the next start.", NULL);
}

static void ignore_change(void *state, const char *name, bool is_taken) {
    (void)state, (void)name, (void)is_taken;
}

static gw_status reload_engine(gw_service *service, const gw_config *next, gw_problem *problem) {
    const gw_config *now = &service->config;
    if (now->engine_children == next->engine_children && now->engine_threads == next->engine_threads &&
        now->engine_memory_mb == next->engine_memory_mb)
        return GW_OK;
    gw_engine_options engine = engine_options_of(next, NULL); // the program stays
    return gw_engine_reload(service->engine, &engine, problem);
}

gw_status gw_service_reload(gw_service *service, const gw_config *changed, gw_problem *ret_problem) {
    gw_config next = service->config;
    gw_catalogue *catalogue = NULL;
    gw_log_level level;
    gw_config_reload(&next, changed, ignore_change, NULL);
    gw_status status = gw_catalogue_load(service->indicators, &catalogue, ret_problem);
    if (status == GW_OK)
        status = gw_definitions_check(service->config.folder, catalogue, true, ret_problem);
    if (status == GW_OK)
        status = reload_engine(service, &next, ret_problem);
    if (status == GW_OK && gw_queries_reload(service->queries, catalogue, (unsigned)next.release_tick_ms) != GW_OK)
        status = gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    if (status != GW_OK) {
        gw_catalogue_free(catalogue);
        return status;
    }
    if (gw_log_level_parse(next.log_level, &level))
        gw_log_set_level(level);
    gw_config_reload(&service->config, changed, log_change, NULL);
    gw_queries_limit(service->queries, rate_limits_of(&service->config));
    char count[24];
    snprintf(count, sizeof count, "%zu", gw_catalogue_count(catalogue));
    gw_log(GW_LOG_INFO, "indicators_read", "count", count, NULL);
    return GW_OK;
}

const char *gw_service_url(const gw_service *service, size_t index) {
    return gw_bus_url(service->bus, index);
}

gw_status gw_service_check(gw_service *service, gw_problem *ret_problem) {
    if (gw_vouching_state(service->vouching, ret_problem) == GW_SET_BACK)
        return ret_problem->status;
    return gw_queries_check(service->queries, ret_problem);
}

uint64_t gw_service_answered(gw_service *service) {
    return atomic_load(&service->answered);
}

static void log_vouched(gw_service *service) {
    gw_problem problem = {0};
    gw_vouched now = gw_vouching_state(service->vouching, &problem);
    if (now == service->vouched)
        return;
    bool is_stopped = now == GW_NOT_VOUCHED && service->config.witness_strict != 0;
    if (now == GW_VOUCHED)
        gw_log(GW_LOG_INFO, "vouched", NULL);
    else
        gw_log(now == GW_SET_BACK || is_stopped ? GW_LOG_ERROR : GW_LOG_WARN, problem.code, "what", problem.what, "why",
               problem.why, "mend", problem.mend, NULL);
    gw_notify(is_stopped ? "STATUS=No answer leaves: too few witnesses vouch for the log."
                         : "STATUS=Answering questions.");
    service->vouched = now;
}

// Once for each change: the budget's own guards do not depend on anybody's reading it.
static void log_clock(gw_service *service) {
    gw_ledger_clock clock = gw_ledger_clock_now(service->ledger);
    if (clock.state == service->clock)
        return;
    char ahead[24];
    snprintf(ahead, sizeof ahead, "%lld", (long long)(clock.wall - clock.last));
    if (clock.state == GW_CLOCK_RIGHT)
        gw_log(GW_LOG_INFO, "clock", "state", gw_clock_state_name(clock.state), NULL);
    else
        gw_log(GW_LOG_WARN, "clock", "state", gw_clock_state_name(clock.state), "seconds_after_last_entry", ahead,
               "mend",
               clock.state == GW_CLOCK_BEHIND ? "Set the clock right."
                                              : "Set the clock right, or, where it is right: godwit clock confirm",
               NULL);
    service->clock = clock.state;
}

void gw_service_tick(gw_service *service) {
    publish_newest(service);
    log_vouched(service);
    uint64_t busy = atomic_exchange(&service->busy, 0);
    if (busy > 0) {
        char count[24];
        snprintf(count, sizeof count, "%llu", (unsigned long long)busy);
        gw_log(GW_LOG_WARN, "busy", "requests", count, NULL);
    }
    log_clock(service);
    uint64_t size;
    gw_problem problem = {0};
    bool is_failing = gw_publisher_state(service->publisher, &size, &problem) != GW_OK;
    if (is_failing && !service->is_publish_failing)
        gw_queries_report(service->queries, GW_INCIDENT_PUBLISH_FAILED);
    if (is_failing && !service->is_publish_failing)
        gw_log(GW_LOG_ERROR, "publish_failed", "code", problem.code, "why", problem.why, NULL);
    service->is_publish_failing = is_failing;
    gw_queries_tick(service->queries, false);
}

void gw_service_close(gw_service *service) {
    if (!service)
        return;
    gw_bus_close(service->bus);
    for (size_t i = 0; i < service->worker_count; i++)
        gw_query_worker_free(service->workers[i]);
    free(service->workers);
    service->is_closing = true; // what nobody has vouched for yet is published as it is
    if (service->publisher && service->queries) {
        gw_queries_tick(service->queries, true);
        gw_service_tick(service); // publishes what that appended too
    }
    gw_queries_free(service->queries);
    gw_publisher_close(service->publisher);
    gw_ledger_close(service->ledger);
    gw_vouching_close(service->vouching);
    gw_engine_close(service->engine);
    gw_secret_key_free(service->reply_key);
    gw_wipe(&service->seal_secret, sizeof service->seal_secret);
    gw_catalogue_free(service->catalogue);
    free(service);
}
