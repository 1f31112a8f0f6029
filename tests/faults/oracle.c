// SPDX-License-Identifier: Apache-2.0
// The oracle adds up for itself what it can, and asks the store's readers and the auditor's verifier for the rest.
#include "tests/faults/oracle.h"
#include "service/audit/publish.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/signer/signer.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRINCIPALS_MAX 128
#define IDEM_OF_ORACLE (1ull << 60)

// ---- acknowledgments

static void *shared_new(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    GW_ASSERT(memory != MAP_FAILED);
    return memory;
}

fault_acks *fault_acks_new(size_t max) {
    fault_acks *acks = shared_new(sizeof(*acks) + max * sizeof(acks->all[0]));
    acks->max = max;
    return acks;
}

fault_acks *fault_acks_file(const char *path, size_t max) {
    size_t size = sizeof(fault_acks) + max * sizeof(fault_ack);
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    GW_ASSERT(descriptor >= 0);
    struct stat facts;
    bool is_there = fstat(descriptor, &facts) == 0 && facts.st_size == (off_t)size;
    GW_ASSERT(is_there || ftruncate(descriptor, (off_t)size) == 0);
    fault_acks *acks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    GW_ASSERT(acks != MAP_FAILED);
    close(descriptor);
    acks->max = max;
    return acks;
}

void fault_acks_free(fault_acks *acks) {
    munmap(acks, sizeof(*acks) + acks->max * sizeof(acks->all[0]));
}

void fault_answer_text(uint64_t answer, char ret[FAULT_ANSWER_MAX]) {
    snprintf(ret, FAULT_ANSWER_MAX, "answer %llu", (unsigned long long)answer);
}

static void ack_note(fault_acks *acks, fault_ack_kind kind, const fault_ack *ack) {
    size_t at = atomic_fetch_add(&acks->count, 1);
    GW_ASSERT(at < acks->max);
    fault_ack *to = &acks->all[at];
    to->principal = ack->principal;
    to->idem = ack->idem;
    to->charge = ack->charge;
    to->cost = ack->cost;
    to->seq = ack->seq;
    to->answer = ack->answer;
    atomic_store(&to->kind, kind); // a kill before this: nobody was told
}

gw_status fault_submit(gw_ledger *ledger, fault_acks *acks, gw_store_op *op, uint32_t principal, uint64_t idem,
                       uint64_t answer) {
    gw_status status = gw_ledger_submit(ledger, op);
    if (status != GW_OK)
        return status;
    acks->refused_full += op->result == GW_UNAVAILABLE && strcmp(op->code, "disk_full") == 0;
    fault_ack ack = {.principal = principal, .idem = idem, .charge = op->charge_seq, .seq = op->seq, .answer = answer};
    if (op->kind == GW_STORE_RESERVE && (op->result == GW_OK || op->result == GW_CONFLICT)) {
        ack.charge = op->seq;
        ack.cost = op->entry.charge.cost;
        ack_note(acks, FAULT_RESERVE, &ack);
    } else if (op->result == GW_OK && op->kind != GW_STORE_APPEND && op->kind != GW_STORE_RESERVE) {
        ack_note(acks,
                 op->kind == GW_STORE_RESUME ? FAULT_RESUME
                 : op->kind == GW_STORE_SEAL ? FAULT_SEAL
                                             : FAULT_ABANDON,
                 &ack);
    }
    return status;
}

// ---- the check

typedef struct {
    uint64_t charge;
    const fault_ack *reserve, *end;
    unsigned resumed;
} expected;

typedef struct {
    uint8_t principal[GW_ID_SIZE], idem[GW_ID_SIZE];
} request_id;

typedef struct {
    const fault_state *state;
    fault_acks *acks;
    unsigned flags;
    const char *what;
    oracle_report *report;
    gw_store_reader *reader;
    expected *expected;
    size_t expected_count;

    // Added up from the entries.
    gw_audit_state *fold;
    gw_merkle_edge edge;
    gw_problem problem;
    uint64_t spent, total, population_total;
    request_id *requests;
    uint8_t *ends; // of the charge with that number: 0 no charge, 1 open, 2 ended
    size_t count, capacity;
    bool has_policy, has_population;
    struct {
        char id[GW_ID_HEX];
        uint64_t spent;
    } principals[PRINCIPALS_MAX];
    size_t principal_count;
} oracle;

static void wrong(oracle *all, const char *claim, uint64_t number) {
    if (all->report->faults++ == 0)
        snprintf(all->report->first, sizeof(all->report->first), "%s", claim);
    if ((all->flags & ORACLE_IS_QUIET) == 0)
        fprintf(stderr, "%s: %s (%llu)%s%s\n", all->what, claim, (unsigned long long)number,
                all->problem.code[0] != '\0' ? ": " : "", all->problem.what);
}

// The newest slot of the mark whose checksum fits, read without the code that wrote it.
static bool mark_read(const char *path, uint64_t *ret_size) {
    enum { SLOT = 512, AT_EPOCH = 40, AT_SIZE = 48, AT_CHECKSUM = 96 };
    uint8_t slots[2 * SLOT];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    bool is_read = descriptor >= 0 && pread(descriptor, slots, sizeof(slots), 0) == (ssize_t)sizeof(slots);
    if (descriptor >= 0)
        close(descriptor);
    uint64_t epoch_max = 0;
    for (size_t i = 0; is_read && i < 2; i++) {
        const uint8_t *slot = slots + i * SLOT;
        gw_hash hash = gw_sha256((gw_bytes){.data = slot, .size = AT_CHECKSUM});
        uint64_t epoch = 0, size = 0;
        for (size_t k = 0; k < 8; k++) {
            epoch = epoch << 8 | slot[AT_EPOCH + k];
            size = size << 8 | slot[AT_SIZE + k];
        }
        if (memcmp(hash.bytes, slot + AT_CHECKSUM, GW_HASH_SIZE) != 0 || epoch <= epoch_max)
            continue;
        epoch_max = epoch;
        *ret_size = size;
    }
    return epoch_max > 0;
}

static void check_folder(oracle *all, uint64_t size, bool must_exist) {
    gw_audit_verdict verdict;
    char checkpoint[FAULT_PATH_MAX + 16];
    snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", all->state->log);
    if (!must_exist && access(checkpoint, F_OK) != 0)
        return; // nothing was published yet
    gw_status status = gw_audit_verify_folder(all->state->log, NULL, NULL, NULL, NULL, &verdict);
    if (status == GW_OK && verdict.is_sound && (!must_exist || verdict.size == size))
        return;
    all->problem = verdict.problem;
    wrong(all, must_exist ? "the completed log does not verify" : "the log as it was left does not verify",
          verdict.first_bad);
    all->problem = (gw_problem){0};
}

// ---- what was acknowledged

static int expected_compare(const void *a, const void *b) {
    const expected *one = a, *two = b;
    return one->charge < two->charge ? -1 : one->charge > two->charge;
}

static void expected_note(oracle *all, const fault_ack *ack) {
    expected key = {.charge = ack->charge};
    expected *charge = bsearch(&key, all->expected, all->expected_count, sizeof(all->expected[0]), expected_compare);
    if (charge == NULL) {
        wrong(all, "an outcome of a charge that nobody was told of", ack->charge);
        return;
    }
    charge->resumed += ack->kind == FAULT_RESUME;
    if (ack->kind == FAULT_RESUME)
        return;
    if (charge->end != NULL)
        wrong(all, "a charge has ended twice", ack->charge);
    charge->end = ack;
}

// One line for each charge. A request that was answered twice must have been given the same one.
static void expected_make(oracle *all) {
    size_t told = atomic_load(&all->acks->count), count = 0;
    all->expected = calloc(told + 1, sizeof(all->expected[0]));
    GW_ASSERT(all->expected != NULL);
    for (size_t i = 0; i < told; i++)
        if (all->acks->all[i].kind == FAULT_RESERVE)
            all->expected[count++] = (expected){.charge = all->acks->all[i].charge, .reserve = &all->acks->all[i]};
    qsort(all->expected, count, sizeof(all->expected[0]), expected_compare);
    for (size_t i = 0; i < count; i++) {
        const expected *last = all->expected_count == 0 ? NULL : &all->expected[all->expected_count - 1];
        if (last == NULL || last->charge != all->expected[i].charge)
            all->expected[all->expected_count++] = all->expected[i];
        else if (last->reserve->idem != all->expected[i].reserve->idem ||
                 last->reserve->principal != all->expected[i].reserve->principal)
            wrong(all, "two requests were told of one charge", last->charge);
    }
    for (size_t i = 0; i < told; i++)
        if (all->acks->all[i].kind > FAULT_RESERVE)
            expected_note(all, &all->acks->all[i]);
}

static bool is_refused_answer(const oracle *all, gw_status status) {
    return status == GW_CORRUPT && (all->flags & ORACLE_MAY_REFUSE_ANSWERS) != 0;
}

static void check_expected(oracle *all, const expected *want) {
    char principal[GW_ID_HEX], idem[GW_ID_HEX], text[FAULT_ANSWER_MAX];
    gw_store_charge charge;
    fixture_id(want->reserve->principal, principal);
    fixture_id(want->reserve->idem, idem);
    if (gw_store_charge_by_idem(all->reader, principal, idem, &charge) != GW_OK || charge.seq != want->charge ||
        charge.cost != want->reserve->cost) {
        wrong(all, "an acknowledged charge is gone", want->charge);
        return;
    }
    if (charge.attempts < 1 + want->resumed)
        wrong(all, "an acknowledged attempt is gone", want->charge);
    if (want->end == NULL)
        return;
    if (want->end->kind == FAULT_ABANDON) {
        if (charge.state != GW_CHARGE_ABANDONED)
            wrong(all, "an acknowledged abandon is gone", want->charge);
        return;
    }
    gw_buffer answer;
    gw_buffer_init(&answer, 1000);
    fault_answer_text(want->end->answer, text);
    gw_status status = gw_store_answer(all->reader, want->charge, &answer);
    if (is_refused_answer(all, status))
        all->report->answers_refused++;
    else if (charge.state != GW_CHARGE_SEALED || status != GW_OK || strcmp(gw_buffer_string(&answer), text) != 0)
        wrong(all, "an acknowledged answer is gone, or another", want->charge);
    gw_buffer_done(&answer);
}

// ---- what is stored

static uint64_t *principal_spent(oracle *all, const char *id) {
    size_t i = 0;
    while (i < all->principal_count && strcmp(all->principals[i].id, id) != 0)
        i++;
    GW_ASSERT(i < PRINCIPALS_MAX);
    if (i == all->principal_count) {
        snprintf(all->principals[i].id, GW_ID_HEX, "%s", id);
        all->principal_count++;
    }
    return &all->principals[i].spent;
}

static void entry_charge(oracle *all, const gw_entry *entry) {
    all->spent += entry->charge.cost;
    *principal_spent(all, entry->charge.principal) += entry->charge.cost;
    if (!all->has_policy || all->spent > all->total)
        wrong(all, "more was spent of the dataset than its total in force", entry->seq);
    if (!all->has_population || all->spent > all->population_total)
        wrong(all, "more was spent of the population than its total in force", entry->seq);
    if (entry->charge.spent_dataset != all->spent || entry->charge.spent_population != all->spent)
        wrong(all, "an entry tells of another sum than that of the charges", entry->seq);
    request_id *id = &all->requests[all->report->charges++];
    bool is_hex = gw_unhex(entry->charge.principal, GW_ID_HEX - 1, id->principal, GW_ID_SIZE) &&
                  gw_unhex(entry->charge.idem, GW_ID_HEX - 1, id->idem, GW_ID_SIZE);
    if (!is_hex)
        wrong(all, "a charge without a request", entry->seq);
    all->ends[entry->seq] = 1;
}

static void entry_end(oracle *all, const gw_entry *entry, uint64_t charge) {
    if (charge >= entry->seq || all->ends[charge] != 1) {
        wrong(all, "an outcome without an open charge", entry->seq);
        return;
    }
    all->ends[charge] = 2;
    if (entry->kind != GW_ENTRY_RELEASE)
        return;
    gw_buffer answer;
    gw_buffer_init(&answer, 1000);
    gw_status status = gw_store_answer(all->reader, charge, &answer);
    if (!is_refused_answer(all, status) &&
        (status != GW_OK || !gw_hash_equal(gw_sha256(gw_buffer_bytes(&answer)), entry->release.answer)))
        wrong(all, "an answer is not the one its entry names", entry->seq);
    gw_buffer_done(&answer);
}

static gw_status entry_read(void *state, uint64_t seq, gw_bytes bytes) {
    oracle *all = state;
    gw_entry entry;
    if (seq != all->edge.size)
        wrong(all, "an entry is missing", all->edge.size);
    gw_merkle_edge_append(&all->edge, gw_merkle_leaf(bytes), NULL, NULL);
    gw_status status = gw_entry_decode(bytes, &entry, &all->problem);
    if (status == GW_OK)
        status = gw_audit_apply(all->fold, &entry, &all->problem);
    if (status != GW_OK)
        return status;
    if (entry.kind == GW_ENTRY_POLICY) {
        all->has_policy = true;
        all->total = entry.policy.total;
    } else if (entry.kind == GW_ENTRY_POPULATION) {
        all->has_population = true;
        all->population_total = entry.population.total;
    } else if (entry.kind == GW_ENTRY_CHARGE) {
        entry_charge(all, &entry);
    } else if (entry.kind == GW_ENTRY_RELEASE) {
        entry_end(all, &entry, entry.release.charge);
    } else if (entry.kind == GW_ENTRY_ABANDON) {
        entry_end(all, &entry, entry.abandon.charge);
    }
    return GW_OK;
}

static int request_compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(request_id));
}

static void check_balances(oracle *all) {
    for (size_t i = 0; i < all->principal_count; i++) {
        gw_store_balance balances[4];
        if (gw_store_balances(all->reader, FIXTURE_DATASET, all->principals[i].id, 0, balances) != GW_OK) {
            wrong(all, "the balances cannot be read", i);
            return;
        }
        const uint64_t sums[] = {all->spent, all->spent, all->principals[i].spent};
        for (size_t k = 0; k < 3; k++)
            if (balances[k].spent != sums[k])
                wrong(all, "a balance is not the sum of its charges", k);
    }
}

static void check_entries(oracle *all, const gw_checkpoint *checkpoint) {
    all->fold = gw_audit_state_new();
    all->requests = calloc(checkpoint->size + 1, sizeof(all->requests[0]));
    all->ends = calloc(checkpoint->size + 1, 1);
    GW_ASSERT(all->fold != NULL && all->requests != NULL && all->ends != NULL);
    if (gw_store_scan(all->reader, 0, checkpoint->size, entry_read, all) != GW_OK)
        wrong(all, "the entries do not fold", all->edge.size);
    if (all->edge.size != checkpoint->size || !gw_hash_equal(gw_merkle_edge_root(&all->edge), checkpoint->root))
        wrong(all, "the tree does not follow from the entries", all->edge.size);
    qsort(all->requests, all->report->charges, sizeof(all->requests[0]), request_compare);
    for (size_t i = 1; i < all->report->charges; i++)
        if (request_compare(&all->requests[i - 1], &all->requests[i]) == 0)
            wrong(all, "one request was charged twice", i);
    check_balances(all);
    gw_audit_state_free(all->fold);
    free(all->requests);
    free(all->ends);
}

// The newest tree that the signer remembers; 0: none, or it cannot tell.
static uint64_t signer_newest(const fault_state *state) {
    gw_signer *signer = NULL;
    gw_note_key key;
    gw_checkpoint newest = {.size = 0};
    if (gw_signer_open(state->keys, FIXTURE_ORIGIN, &signer, NULL) == GW_OK)
        gw_signer_newest(signer, &key, &newest);
    gw_signer_close(signer);
    return newest.size;
}

// Before anybody heard of an outcome the mark and the signer held it.
static void check_mark(oracle *all, bool has_mark, uint64_t mark, uint64_t newest) {
    if (!has_mark && all->report->size > 1)
        wrong(all, "the ledger opened without a mark", 0);
    if (has_mark && mark > all->report->size)
        wrong(all, "the ledger opened below its mark", mark);
    if (newest > all->report->size)
        wrong(all, "the ledger opened below what was signed", newest);
    if ((all->flags & ORACLE_MARK_MAY_LAG) != 0)
        return;
    for (size_t i = 0; i < all->acks->count; i++) {
        const fault_ack *ack = &all->acks->all[i];
        if ((ack->kind == FAULT_SEAL || ack->kind == FAULT_ABANDON) && ack->seq >= mark)
            wrong(all, "an outcome was acknowledged before the mark held it", ack->seq);
        if ((ack->kind == FAULT_SEAL || ack->kind == FAULT_ABANDON) && ack->seq >= newest)
            wrong(all, "an outcome was acknowledged before the signer remembered it", ack->seq);
    }
}

// ---- and it goes on

static void check_goes_on(oracle *all, gw_ledger *ledger) {
    uint64_t idem = IDEM_OF_ORACLE + all->report->size;
    gw_store_op first = fixture_reserve(&all->state->fixture, FIXTURE_RESEARCHER, idem, 1);
    if (fault_submit(ledger, all->acks, &first, FIXTURE_RESEARCHER, idem, 0) != GW_OK || first.result != GW_OK) {
        wrong(all, "no new charge is taken", first.result);
        return;
    }
    gw_store_op again = fixture_reserve(&all->state->fixture, FIXTURE_RESEARCHER, idem, 1);
    if (gw_ledger_submit(ledger, &again) != GW_OK || again.result != GW_CONFLICT || again.seq != first.seq)
        wrong(all, "a request that was charged is not known again", first.seq);
    char text[FAULT_ANSWER_MAX];
    fault_answer_text(idem, text);
    gw_store_op seal = fixture_seal(first.seq, text);
    if (fault_submit(ledger, all->acks, &seal, FIXTURE_RESEARCHER, 0, idem) != GW_OK || seal.result != GW_OK)
        wrong(all, "a new charge cannot be answered", first.seq);
}

static void publish(void *publisher, const gw_checkpoint *checkpoint, gw_bytes note) {
    gw_publisher_notify(publisher, checkpoint, note);
}

static void check_published(oracle *all, gw_ledger *ledger) {
    gw_publisher *publisher = NULL;
    gw_status status = gw_publisher_open(all->state->fixture.database, all->state->log, all->state->questions,
                                         &publisher, &all->problem);
    if (status != GW_OK) {
        wrong(all, "the publisher does not open", status);
        return;
    }
    gw_ledger_on_checkpoint(ledger, publish, publisher);
    gw_ledger_on_checkpoint(ledger, NULL, NULL);
    gw_publisher_close(publisher);
    gw_checkpoint checkpoint;
    gw_ledger_checkpoint(ledger, &checkpoint, NULL);
    check_folder(all, checkpoint.size, true);
}

static void check(oracle *all) {
    gw_ledger *ledger = NULL;
    gw_checkpoint checkpoint;
    uint64_t mark = 0, newest = signer_newest(all->state);
    check_folder(all, 0, false);
    bool has_mark = mark_read(all->state->mark, &mark);
    if (fault_ledger_open(all->state, 0, &ledger, &all->problem) != GW_OK) {
        all->report->is_refused = true;
        snprintf(all->report->code, sizeof(all->report->code), "%s", all->problem.code);
        return;
    }
    gw_ledger_checkpoint(ledger, &checkpoint, NULL);
    all->report->size = checkpoint.size;
    all->report->root = checkpoint.root;
    check_mark(all, has_mark, mark, newest);
    expected_make(all);
    if (gw_store_reader_open(all->state->fixture.database, &all->reader, &all->problem) != GW_OK) {
        wrong(all, "the database opens to the ledger alone", 0);
    } else {
        gw_store_reader_begin(all->reader);
        for (size_t i = 0; i < all->expected_count; i++)
            check_expected(all, &all->expected[i]);
        check_entries(all, &checkpoint);
        gw_store_reader_end(all->reader);
        gw_store_reader_close(all->reader);
    }
    if ((all->flags & ORACLE_GOES_ON) != 0)
        check_goes_on(all, ledger);
    check_published(all, ledger);
    free(all->expected);
    gw_ledger_close(ledger);
}

bool oracle_check(const fault_state *state, fault_acks *acks, unsigned flags, const char *what,
                  oracle_report *ret_report) {
    oracle_report *report = shared_new(sizeof(*report));
    fflush(NULL);
    pid_t child = fork();
    GW_ASSERT(child >= 0);
    if (child == 0) {
        oracle all = {.state = state, .acks = acks, .flags = flags, .what = what, .report = report};
        check(&all);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    *ret_report = *report;
    munmap(report, sizeof(*report));
    if (status != 0) {
        fprintf(stderr, "%s: the check itself ended with %#x\n", what, (unsigned)status);
        ret_report->faults++;
    }
    return ret_report->faults == 0;
}
