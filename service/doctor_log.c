// SPDX-License-Identifier: Apache-2.0
// Four sizes of one tree: published <= signed <= marked <= committed. What is ahead of the ledger tells that the ledger
// was set back; what is behind its place was itself set back, and the next start brings it up.
#include "service/doctor_log.h"

#include "service/audit/tlog_policy.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/service.h"
#include "service/signer/client.h"
#include "service/signer/signer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4400
#define NOTE_BYTES_MAX 65536

typedef unsigned long long wide; // for printf

GW_DEFINE_FREEP(gw_tlog_policy, gw_tlog_policy_free)

static const char restore_mend[] =
    "godwitd restore --log FOLDER (a mirror's or auditor's newest copy of the log); what is lost counts as spent";

// ---- read

static gw_status signer_ask(const gw_config *config, gw_checkpoint *ret, gw_problem *problem) {
    gw_tree_signer signer;
    gw_note_key key;
    gw_status status = gw_service_signer(config, &signer, problem);
    if (status != GW_OK)
        return status;
    status = signer.newest(signer.state, &key, ret, problem);
    signer.close(signer.state);
    return status;
}

void gw_doctor_log_read(const gw_config *config, bool has_daemon, gw_doctor_log *ret) {
    char path[PATH_BYTES];
    gw_note_key key;
    *ret = (gw_doctor_log){.is_signer_asked = config->signer[0] == '\0' || !has_daemon};
    gw_buffer_init(&ret->note, NOTE_BYTES_MAX);
    snprintf(path, sizeof path, "%.4000s/log/checkpoint", config->folder);
    ret->note_status = gw_file_read(path, &ret->note, &ret->note_problem);
    snprintf(path, sizeof path, "%.4000s/keys", config->folder);
    if (config->signer[0] == '\0')
        ret->signer_status = gw_signer_look(path, config->origin, &key, &ret->newest, &ret->signer_problem);
    else if (ret->is_signer_asked)
        ret->signer_status = signer_ask(config, &ret->newest, &ret->signer_problem);
}

void gw_doctor_log_done(gw_doctor_log *log) {
    gw_buffer_done(&log->note);
}

bool gw_doctor_ledger_has(const gw_doctor_ledger *ledger, uint64_t size, gw_hash root) {
    gw_hash found;
    return size <= ledger->size && gw_merkle_root(gw_store_tree(ledger->reader), size, &found) == GW_OK &&
           gw_hash_equal(found, root);
}

// ---- the published checkpoint

typedef struct {
    const gw_config *config;
    const gw_doctor_log *log;
    const gw_doctor_ledger *ledger;
    gw_doctor_report *report;
    gw_note_key key; // in force in the log
    gw_checkpoint published;
    bool is_published; // and signed by that key, and the ledger's beginning
} check;

static gw_status published_open(check *c, gw_problem *problem) {
    char vkey[GW_VKEY_MAX];
    uint64_t seq;
    bool is_kept;
    *problem = c->log->note_problem;
    gw_status status = c->log->note_status;
    if (status == GW_OK)
        status = gw_store_log_key(c->ledger->reader, vkey, &seq, &is_kept);
    if (status == GW_OK)
        status = gw_note_key_parse(vkey, &c->key, problem);
    return status == GW_OK ? gw_checkpoint_open(gw_buffer_bytes(&c->log->note), &c->key, &c->published, problem)
                           : status;
}

static void check_published(check *c) {
    gw_problem problem = {0};
    gw_status status = published_open(c, &problem);
    if (status == GW_NOT_FOUND) // a service that has just started writes it behind its first replies
        gw_doctor_say(c->report, GW_FOUND_WARN, "log", "A running service writes it within a second.",
                      "Nothing is published yet: there is no %.300s/log/checkpoint.", c->config->folder);
    else if (status != GW_OK)
        gw_doctor_say_problem(c->report, GW_FOUND_FAIL, "log", &problem);
    else if (!gw_doctor_ledger_has(c->ledger, c->published.size, c->published.root))
        gw_doctor_say(c->report, GW_FOUND_FAIL, "log", "Keep both, and find out which was changed.",
                      "The published log of %llu entries is not the ledger's.", (wide)c->published.size);
    else
        gw_doctor_say(c->report, GW_FOUND_OK, "log", "", "Published %llu of %llu entries, one tree.",
                      (wide)c->published.size, (wide)c->ledger->size);
    c->is_published = status == GW_OK;
}

// ---- the signer

// A ledger without a mark key was made before signers remembered; genesis alone is signed by nobody yet.
static void check_signed_nothing(const check *c) {
    char path[PATH_BYTES];
    gw_service_key_path(c->config, "mark", path, sizeof path);
    if (c->ledger->size > 1 && access(path, F_OK) == 0)
        gw_doctor_say(c->report, GW_FOUND_FAIL, "signer", "Put the signer's file log.newest back beside its key.",
                      "The signer has forgotten what it signed: an old copy of the ledger could not be told from the "
                      "newest.");
    else
        gw_doctor_say(c->report, GW_FOUND_OK, "signer", "", "Nothing is signed yet.");
}

static void check_signer(const check *c) {
    const gw_checkpoint *newest = &c->log->newest;
    if (!c->log->is_signer_asked)
        gw_doctor_say(c->report, GW_FOUND_OK, "signer", "",
                      "The signer on %s serves the daemon, which held it against the ledger when it started.",
                      c->config->signer);
    else if (c->log->signer_status != GW_OK)
        gw_doctor_say_problem(c->report, GW_FOUND_FAIL, "signer", &c->log->signer_problem);
    else if (newest->size == 0)
        check_signed_nothing(c);
    else if (newest->size > c->ledger->size)
        gw_doctor_say(c->report, GW_FOUND_FAIL, "signer", restore_mend,
                      "The signer has signed a tree of %llu entries, the ledger holds %llu: the ledger was set back.",
                      (wide)newest->size, (wide)c->ledger->size);
    else if (!gw_doctor_ledger_has(c->ledger, newest->size, newest->root))
        gw_doctor_say(c->report, GW_FOUND_FAIL, "signer", restore_mend,
                      "The signer has signed another tree of %llu entries than the ledger's: the ledger was replaced.",
                      (wide)newest->size);
    else if (c->is_published && c->published.size > newest->size)
        gw_doctor_say(c->report, GW_FOUND_WARN, "signer",
                      "Find out who put an older log.newest there; the next start of the service brings it up.",
                      "A tree of %llu entries is published, the signer remembers %llu: it was set back.",
                      (wide)c->published.size, (wide)newest->size);
    else if (c->ledger->is_marked && c->ledger->mark_size < newest->size)
        gw_doctor_say(c->report, GW_FOUND_WARN, "signer",
                      "Find out who put an older mark there; the next start of the service brings it up.",
                      "The signer has signed %llu entries, the high-water mark stands at %llu: it was set back.",
                      (wide)newest->size, (wide)c->ledger->mark_size);
    else
        gw_doctor_say(c->report, GW_FOUND_OK, "signer", "", "The signer has signed %llu of %llu entries, one tree.",
                      (wide)newest->size, (wide)c->ledger->size);
}

// ---- the witnesses

// The file that is configured, held against the log's. GW_NOT_FOUND: neither names any. Otherwise what is wrong is
// told.
static gw_status witnesses_open(const check *c, gw_tlog_policy **ret) {
    GW_CLEANUP(gw_tlog_policy_freep) gw_tlog_policy *policy = NULL;
    gw_problem problem = {0};
    gw_hash in_force, nothing = gw_sha256((gw_bytes){NULL, 0});
    char hex[GW_HASH_HEX];
    bool is_none = c->config->witnesses[0] == '\0';
    gw_status status = gw_store_witnesses(c->ledger->reader, &in_force);
    if (status != GW_OK)
        gw_problem_fill(&problem, status, "store_corrupt", "The witnesses in force cannot be read.", "", "");
    else if (!is_none)
        status = gw_tlog_policy_read(c->config->witnesses, &policy, &problem);
    if (status != GW_OK) {
        gw_doctor_say_problem(c->report, GW_FOUND_FAIL, "witnesses", &problem);
        return GW_CORRUPT;
    }
    if (is_none && gw_hash_equal(in_force, nothing))
        return GW_NOT_FOUND;
    gw_hex((gw_bytes){in_force.bytes, GW_HASH_SIZE}, hex);
    if (is_none || !gw_hash_equal(in_force, gw_tlog_policy_hash(policy))) {
        gw_doctor_say(c->report, GW_FOUND_FAIL, "witnesses",
                      "Put that file back (log/witnesses/ has a copy), or: godwitd witnesses FILE",
                      "The log names the file %.8s… of witnesses; the setting witnesses is %s%.200s. The service does "
                      "not start so.",
                      hex, is_none ? "empty" : "another file: ", c->config->witnesses);
        return GW_CORRUPT;
    }
    *ret = gw_take(&policy);
    return GW_OK;
}

// The names of those whose cosignatures hold.
static void cosigners_name(const gw_tlog_policy *policy, const gw_tlog_verdict *verdict, char *names, size_t size) {
    size_t used = 0;
    names[0] = '\0';
    for (size_t i = 0; i < gw_tlog_policy_witness_count(policy) && used < size; i++)
        if (verdict->witnesses[i] == GW_COSIGNATURE_GOOD)
            used += (size_t)snprintf(names + used, size - used, "%s%.60s", used > 0 ? ", " : "",
                                     gw_tlog_policy_witness(policy, i)->name);
}

static void check_cosigned(const check *c, const gw_tlog_policy *policy) {
    gw_problem problem = {0};
    gw_tlog_verdict verdict;
    char names[160];
    bool is_strict = c->config->witness_strict != 0;
    gw_status status = gw_tlog_policy_check(policy, gw_buffer_bytes(&c->log->note), &c->key, &verdict, &problem);
    if (status != GW_OK && status != GW_UNAVAILABLE) {
        gw_doctor_say_problem(c->report, GW_FOUND_FAIL, "witnesses", &problem);
        return;
    }
    cosigners_name(policy, &verdict, names, sizeof names);
    if (status == GW_OK && is_strict && c->ledger->size > c->published.size)
        gw_doctor_say(c->report, GW_FOUND_WARN, "witnesses",
                      "Where this stays, see that they run and know the log's key: godwit-witness ls, add-log VKEY",
                      "%llu entries wait for the quorum %.60s; until then no answer leaves.",
                      (wide)(c->ledger->size - c->published.size), gw_tlog_policy_quorum(policy));
    else if (status == GW_OK)
        gw_doctor_say(c->report, GW_FOUND_OK, "witnesses", "",
                      "%s cosigned the published %llu entries: the quorum %.60s. %s", names, (wide)c->published.size,
                      gw_tlog_policy_quorum(policy),
                      is_strict ? "Strict: nothing leaves without it." : "They are asked beside the answers.");
    else
        gw_doctor_say(c->report, GW_FOUND_WARN, "witnesses",
                      "See that they run and can be reached; the service's log says what each answered.",
                      "The published %llu entries lack the quorum %.60s: %s%s cosigned. %s", (wide)c->published.size,
                      gw_tlog_policy_quorum(policy), names[0] != '\0' ? "only " : "nobody", names,
                      is_strict ? "Strict: no answer leaves without it." : "Answers leave all the same.");
}

static void check_witnesses(const check *c) {
    GW_CLEANUP(gw_tlog_policy_freep) gw_tlog_policy *policy = NULL;
    gw_status status = witnesses_open(c, &policy);
    if (status == GW_NOT_FOUND || (status == GW_OK && strcmp(gw_tlog_policy_quorum(policy), "none") == 0))
        gw_doctor_say(c->report, GW_FOUND_OK, "witnesses", "", "None are asked: nobody else vouches for the log.");
    else if (status == GW_OK && c->is_published)
        check_cosigned(c, policy);
}

void gw_doctor_log_check(const gw_config *config, const gw_doctor_log *log, const gw_doctor_ledger *ledger,
                         gw_doctor_report *report) {
    check c = {.config = config, .log = log, .ledger = ledger, .report = report};
    check_published(&c);
    check_signer(&c);
    check_witnesses(&c);
}
