// SPDX-License-Identifier: Apache-2.0
// One round: the same checkpoint to every witness, each with the proof from the tree it is thought to know. A witness
// that knows another size says which, and is asked once more; one that knows a larger tree than there is, or that finds
// our proof wrong, has seen a log of which this is not the continuation.
#include "service/witness/ask.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/witness/add_body.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define URL_MAX (GW_TLOG_POLICY_URL_MAX + 32)
#define SIZE_TYPE "text/x.tlog.size"

typedef struct {
    char url[URL_MAX]; // of add-checkpoint; "" where it cannot be asked
    // Guarded by the mutex.
    const char *code;
    char failure[128];
    bool has_size; // it told a size, or cosigned one
    uint64_t size;
} peer;

struct gw_witnesses {
    gw_tlog_policy *policy;
    gw_http http;
    unsigned timeout_ms;
    pthread_mutex_t mutex;
    peer peers[GW_TLOG_POLICY_WITNESSES_MAX];
};

// ---- made and freed

static gw_status url_problem(gw_problem *problem, const char *why, const char *name) {
    gw_problem_fill(problem, GW_INVALID, "witness_url", "The witnesses of this policy cannot be asked.", "",
                    "witness NAME VKEY https://witness.example/prefix");
    gw_problem_why(problem, why, name);
    return GW_INVALID;
}

static gw_status urls_read(gw_witnesses *witnesses, gw_problem *problem) {
    bool can_witness[GW_TLOG_POLICY_WITNESSES_MAX] = {false};
    for (size_t i = 0; i < gw_tlog_policy_witness_count(witnesses->policy); i++) {
        const gw_trusted_witness *one = gw_tlog_policy_witness(witnesses->policy, i);
        peer *who = &witnesses->peers[i];
        who->code = "not_asked";
        if (one->url[0] == '\0')
            continue;
        if (!gw_http_is_allowed(one->url))
            return url_problem(problem, "The address of %.100s is neither https nor http on this machine.", one->name);
        size_t size = strlen(one->url);
        snprintf(who->url, sizeof(who->url), "%s%sadd-checkpoint", one->url, one->url[size - 1] == '/' ? "" : "/");
        can_witness[i] = true;
    }
    if (!gw_tlog_policy_is_quorate(witnesses->policy, can_witness))
        return url_problem(
            problem, "Witnesses without an address are not asked, and without them the quorum %.100s is out of reach.",
            gw_tlog_policy_quorum(witnesses->policy));
    return GW_OK;
}

gw_status gw_witnesses_new(gw_tlog_policy *policy, gw_http http, unsigned timeout_ms, gw_witnesses **ret,
                           gw_problem *ret_problem) {
    gw_witnesses *witnesses = calloc(1, sizeof(*witnesses));
    if (witnesses == NULL) {
        gw_tlog_policy_free(policy);
        if (http.close != NULL)
            http.close(http.state);
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    }
    witnesses->policy = policy;
    witnesses->http = http;
    witnesses->timeout_ms = timeout_ms;
    pthread_mutex_init(&witnesses->mutex, NULL);
    gw_status status = urls_read(witnesses, ret_problem);
    if (status != GW_OK) {
        gw_witnesses_free(witnesses);
        return status;
    }
    *ret = witnesses;
    return GW_OK;
}

void gw_witnesses_free(gw_witnesses *witnesses) {
    if (witnesses == NULL)
        return;
    if (witnesses->http.close != NULL)
        witnesses->http.close(witnesses->http.state);
    gw_tlog_policy_free(witnesses->policy);
    pthread_mutex_destroy(&witnesses->mutex);
    free(witnesses);
}

// ---- a round

typedef struct {
    gw_witnesses *witnesses;
    const gw_checkpoint *checkpoint;
    gw_merkle_source tree;
    gw_note_parts parts; // of the note as the log signed it
    gw_bytes signed_note;
    gw_buffer lines; // cosignatures that hold
    bool has_witnessed[GW_TLOG_POLICY_WITNESSES_MAX];
    bool was_told[GW_TLOG_POLICY_WITNESSES_MAX]; // its other size: asked a second time
    uint64_t old_sizes[GW_TLOG_POLICY_WITNESSES_MAX];
    size_t ahead; // the witness that has seen another log, SIZE_MAX: none
    uint64_t ahead_size;
    bool is_ahead_larger;
} round_state;

static void peer_note(round_state *round, size_t index, const char *code, const char *failure) {
    peer *who = &round->witnesses->peers[index];
    pthread_mutex_lock(&round->witnesses->mutex);
    who->code = code;
    snprintf(who->failure, sizeof(who->failure), "%s", failure);
    pthread_mutex_unlock(&round->witnesses->mutex);
}

static void peer_size(round_state *round, size_t index, uint64_t size) {
    peer *who = &round->witnesses->peers[index];
    pthread_mutex_lock(&round->witnesses->mutex);
    who->has_size = true;
    who->size = size;
    pthread_mutex_unlock(&round->witnesses->mutex);
}

static bool body_write(round_state *round, size_t index, uint64_t old_size, gw_buffer *body) {
    gw_add_body add = {.old_size = old_size, .note = round->signed_note};
    if (gw_merkle_consistency(round->tree, old_size, round->checkpoint->size, &add.proof) != GW_OK ||
        add.proof.count > GW_ADD_PROOF_MAX)
        return false;
    round->old_sizes[index] = old_size;
    gw_buffer_done(body);
    gw_add_body_write(&add, body);
    return body->status == GW_OK;
}

static gw_http_next found_ahead(round_state *round, size_t index, uint64_t size, bool is_larger) {
    peer_note(round, index, "rolled_back", "");
    if (round->ahead == SIZE_MAX) {
        round->ahead = index;
        round->ahead_size = size;
        round->is_ahead_larger = is_larger;
    }
    return GW_HTTP_ENOUGH;
}

// 200: lines of notes; those of this witness's key must hold, others are of keys that nobody here knows.
static gw_http_next read_lines(round_state *round, size_t index, const gw_http_exchange *exchange) {
    const gw_note_key *key = &gw_tlog_policy_witness(round->witnesses->policy, index)->key;
    gw_bytes rest = gw_buffer_bytes(&exchange->reply);
    gw_note_signature line;
    gw_bytes good = {NULL, 0};
    gw_status status;
    while ((status = gw_note_next(&rest, &line)) == GW_OK) {
        uint64_t time = 0;
        if (!gw_note_is_of(&line, key))
            continue;
        if (!gw_cosignature_holds(&line, key, round->parts.text, &time) || time == 0) {
            peer_note(round, index, "bad_answer", "its cosignature does not hold");
            return GW_HTTP_DONE;
        }
        good = line.line;
    }
    if (status != GW_NOT_FOUND || good.size == 0) {
        peer_note(round, index, "bad_answer", "it sent no cosignature of its key");
        return GW_HTTP_DONE;
    }
    gw_buffer_append(&round->lines, good.data, good.size);
    round->has_witnessed[index] = true;
    peer_size(round, index, round->checkpoint->size);
    peer_note(round, index, "ok", "");
    return gw_tlog_policy_is_quorate(round->witnesses->policy, round->has_witnessed) ? GW_HTTP_ENOUGH : GW_HTTP_DONE;
}

// 409: it has cosigned another size than the one we named.
static gw_http_next read_size(round_state *round, size_t index, gw_http_exchange *exchange) {
    const char *text = gw_buffer_string(&exchange->reply);
    size_t type = strlen(SIZE_TYPE), length = exchange->reply.size;
    uint64_t size = 0;
    if (strncmp(exchange->content_type, SIZE_TYPE, type) != 0 ||
        (exchange->content_type[type] != '\0' && exchange->content_type[type] != ';') || length < 2 ||
        text[length - 1] != '\n' || !gw_add_size_read(text, length - 1, &size)) {
        peer_note(round, index, "bad_answer", "it named no size");
        return GW_HTTP_DONE;
    }
    if (size > round->checkpoint->size)
        return found_ahead(round, index, size, true);
    peer_size(round, index, size);
    if (round->was_told[index]) {
        peer_note(round, index, "busy", "its tree changed while it was asked");
        return GW_HTTP_DONE;
    }
    round->was_told[index] = true;
    if (body_write(round, index, size, &exchange->body))
        return GW_HTTP_AGAIN;
    peer_note(round, index, "not_asked", "the proof for it could not be made");
    return GW_HTTP_DONE;
}

static gw_http_next read_reply(void *state, gw_http_exchange *exchange) {
    static const struct {
        unsigned status;
        const char *code, *failure;
    } refusals[] = {{400, "refused", "it calls the request malformed"},
                    {403, "log_key", "it knows this log by another key"},
                    {404, "unknown_log", "it does not know this log"},
                    {429, "busy", "it is asked too often"},
                    {503, "busy", "it is overloaded"}};
    round_state *round = state;
    size_t index = exchange->index;
    if (exchange->status == 0) {
        peer_note(round, index, "unreachable", exchange->failure);
        return GW_HTTP_DONE;
    }
    if (exchange->status == 200)
        return read_lines(round, index, exchange);
    if (exchange->status == 409)
        return read_size(round, index, exchange);
    if (exchange->status == 422) // the proof is ours and right: its tree of that size is another one
        return found_ahead(round, index, round->old_sizes[index], false);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (refusals[i].status == exchange->status) {
            peer_note(round, index, refusals[i].code, refusals[i].failure);
            return GW_HTTP_DONE;
        }
    char failure[64];
    snprintf(failure, sizeof(failure), "it answered with status %u", exchange->status);
    peer_note(round, index, "bad_answer", failure);
    return GW_HTTP_DONE;
}

static size_t round_prepare(round_state *round, gw_http_exchange *exchanges) {
    gw_witnesses *witnesses = round->witnesses;
    size_t count = 0;
    for (size_t i = 0; i < gw_tlog_policy_witness_count(witnesses->policy); i++) {
        peer *who = &witnesses->peers[i];
        if (who->url[0] == '\0' || round->has_witnessed[i])
            continue;
        gw_http_exchange *exchange = &exchanges[count];
        *exchange = (gw_http_exchange){.url = who->url, .index = i};
        gw_buffer_init(&exchange->body, GW_ADD_BODY_MAX);
        gw_buffer_init(&exchange->reply, GW_HTTP_REPLY_MAX);
        // After a restart most have seen exactly this tree.
        uint64_t old_size = who->has_size && who->size <= round->checkpoint->size ? who->size : round->checkpoint->size;
        peer_note(round, i, "unreachable", "");
        if (body_write(round, i, old_size, &exchange->body)) {
            count++;
            continue;
        }
        gw_buffer_done(&exchange->body);
        peer_note(round, i, "not_asked", "the proof for it could not be made");
    }
    return count;
}

static gw_status rolled_back(const round_state *round, gw_problem *problem) {
    const char *name = gw_tlog_policy_witness(round->witnesses->policy, round->ahead)->name;
    gw_problem_fill(
        problem, GW_CORRUPT, "rolled_back", "", "",
        "godwitd restore with the newest tiles. After a restore that the witness's operator knows of, at the "
        "witness: godwit-witness reset ORIGIN");
    gw_problem_what(problem,
                    round->is_ahead_larger
                        ? "The ledger holds %llu entries, the witness %.64s has seen %llu."
                        : "The ledger holds %llu entries, and the witness %.64s has seen another log of %llu.",
                    (unsigned long long)round->checkpoint->size, name, (unsigned long long)round->ahead_size);
    gw_problem_why(problem, "%s",
                   round->is_ahead_larger ? "Entries that were signed and shown to the witness are gone."
                                          : "The entries up to there are not those that the witness was shown.");
    return GW_CORRUPT;
}

static gw_status no_quorum(const round_state *round, gw_problem *problem) {
    char text[480] = "";
    size_t size = 0;
    for (size_t i = 0; i < gw_tlog_policy_witness_count(round->witnesses->policy); i++) {
        const peer *who = &round->witnesses->peers[i];
        if (round->has_witnessed[i] || size + 2 >= sizeof(text))
            continue;
        int written = snprintf(text + size, sizeof(text) - size, "%s%.40s: %s%s%.80s", size == 0 ? "" : "; ",
                               gw_tlog_policy_witness(round->witnesses->policy, i)->name, who->code,
                               who->failure[0] == '\0' ? "" : ", ", who->failure);
        size = written < 0 || (size_t)written >= sizeof(text) - size ? sizeof(text) - 1 : size + (size_t)written;
    }
    gw_problem_fill(problem, GW_UNAVAILABLE, "no_quorum", "Too few witnesses cosigned the log's checkpoint.", "",
                    "Look whether the witnesses run and know this log: godwit-witness ls");
    gw_problem_why(problem, "%s", text);
    return GW_UNAVAILABLE;
}

gw_status gw_witnesses_cosign(gw_witnesses *witnesses, const gw_checkpoint *checkpoint, gw_merkle_source tree,
                              gw_buffer *note, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer signed_note;
    gw_buffer_init(&signed_note, GW_ADD_BODY_MAX);
    gw_buffer_append(&signed_note, note->data, note->size); // `note` grows while this is sent
    round_state round = {.witnesses = witnesses,
                         .checkpoint = checkpoint,
                         .tree = tree,
                         .signed_note = gw_buffer_bytes(&signed_note),
                         .ahead = SIZE_MAX};
    if (signed_note.status != GW_OK)
        return gw_problem_set(ret_problem, signed_note.status, "no_memory", "There is no memory.", "", "");
    gw_status status = gw_note_split(round.signed_note, &round.parts, ret_problem);
    if (status != GW_OK)
        return status;
    for (size_t i = 0; i < gw_tlog_policy_witness_count(witnesses->policy); i++)
        round.has_witnessed[i] = gw_cosignature_find(&round.parts, &gw_tlog_policy_witness(witnesses->policy, i)->key,
                                                     NULL) == GW_COSIGNATURE_GOOD;
    gw_http_exchange *exchanges = calloc(GW_TLOG_POLICY_WITNESSES_MAX, sizeof(*exchanges));
    if (exchanges == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    gw_buffer_init(&round.lines, GW_HTTP_REPLY_MAX);
    size_t count = round_prepare(&round, exchanges);
    if (count > 0)
        witnesses->http.post(witnesses->http.state, exchanges, count, witnesses->timeout_ms, read_reply, &round);
    for (size_t i = 0; i < count; i++) {
        gw_buffer_done(&exchanges[i].body);
        gw_buffer_done(&exchanges[i].reply);
    }
    free(exchanges);
    gw_buffer_append(note, round.lines.data, round.lines.size);
    gw_buffer_done(&round.lines);
    if (round.ahead != SIZE_MAX)
        return rolled_back(&round, ret_problem);
    if (note->status != GW_OK)
        return gw_problem_set(ret_problem, note->status, "no_memory", "There is no memory.", "", "");
    return gw_tlog_policy_is_quorate(witnesses->policy, round.has_witnessed) ? GW_OK : no_quorum(&round, ret_problem);
}

static gw_status tree_cosign(void *state, const gw_checkpoint *checkpoint, gw_merkle_source tree, gw_buffer *note,
                             gw_problem *ret_problem) {
    return gw_witnesses_cosign(state, checkpoint, tree, note, ret_problem);
}

gw_tree_witness gw_witnesses_tree(gw_witnesses *witnesses, bool is_strict) {
    return (gw_tree_witness){.state = witnesses, .cosign = tree_cosign, .is_strict = is_strict};
}

// ---- state

size_t gw_witnesses_count(const gw_witnesses *witnesses) {
    return gw_tlog_policy_witness_count(witnesses->policy);
}

void gw_witnesses_state(gw_witnesses *witnesses, size_t index, gw_witness_state *ret) {
    const gw_trusted_witness *one = gw_tlog_policy_witness(witnesses->policy, index);
    const peer *who = &witnesses->peers[index];
    pthread_mutex_lock(&witnesses->mutex);
    *ret = (gw_witness_state){.name = one->name, .url = one->url, .code = who->code, .size = who->size};
    memcpy(ret->failure, who->failure, sizeof(ret->failure));
    pthread_mutex_unlock(&witnesses->mutex);
}

const gw_tlog_policy *gw_witnesses_policy(const gw_witnesses *witnesses) {
    return witnesses->policy;
}
