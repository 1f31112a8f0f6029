// SPDX-License-Identifier: Apache-2.0
// kill -9 at a random moment, again and again: a child runs the ledger and its publisher under several threads and
// reports every acknowledgment over a pipe; the parent kills it (in the middle of start-up, too), opens what is left
// and holds it against everything that was ever acknowledged.   fault_kill_cycles [cycles] [seed]
#include "service/audit/publish.h"
#include "service/audit/verify.h"
#include "service/ledger/ledger.h"
#include "service/store/hwm.h"
#include "tests/unit/store/ledger_fixture.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CYCLES_DEFAULT 60
#define CYCLES_PER_LEDGER 40 // then a new one, so that checks stay short
#define THREADS 6
#define KILL_MS_MAX 100
#define OPEN_MAX 64 // open charges a thread keeps in mind

typedef enum { ACK_RESERVE, ACK_RESUME, ACK_SEAL, ACK_ABANDON } ack_kind;
typedef struct {
    ack_kind kind;
    uint64_t idem, charge, cost;
    uint64_t answer; // SEAL: the answer's bytes are made from it
} ack;

typedef struct {
    uint64_t idem, charge, cost, answer;
    unsigned resumed;
    bool is_sealed, is_abandoned;
} expected;

typedef struct {
    ledger_fixture fixture;
    char log[96], questions[96], hwm[96];
    expected *charges;
    size_t count, capacity;
    uint64_t idem_next;
    unsigned long long acknowledged, lost;
    unsigned random;
} campaign;

static void answer_text(uint64_t answer, char text[64]) {
    snprintf(text, 64, "answer %llu", (unsigned long long)answer);
}

// ---- the child

typedef struct {
    const campaign *all;
    gw_ledger *ledger;
    int pipe;
    unsigned number, random;
    uint64_t idem;
    uint64_t open[OPEN_MAX];
    size_t open_count;
} worker;

static void report(const worker *one, ack_kind kind, const gw_store_op *op, uint64_t idem, uint64_t charge,
                   uint64_t answer) {
    ack line = {.kind = kind, .idem = idem, .charge = charge, .cost = op->entry.charge.cost, .answer = answer};
    if (kind != ACK_RESERVE)
        line.cost = 0;
    // Less than PIPE_BUF: whole or not at all.
    if (write(one->pipe, &line, sizeof(line)) != (ssize_t)sizeof(line))
        _exit(3);
}

static void work_reserve(worker *one, uint64_t idem, bool is_new) {
    gw_store_op op = fixture_reserve(&one->all->fixture, FIXTURE_RESEARCHER, idem, 1 + idem % 7);
    if (gw_ledger_submit(one->ledger, &op) != GW_OK)
        return;
    if (op.result == GW_OK || op.result == GW_CONFLICT)
        report(one, ACK_RESERVE, &op, idem, op.seq, 0);
    if (op.result == GW_OK && is_new && one->open_count < OPEN_MAX)
        one->open[one->open_count++] = op.seq;
}

static void work_end(worker *one, size_t at, unsigned what) {
    uint64_t charge = one->open[at], answer = charge * 1000 + one->number;
    char text[64];
    answer_text(answer, text);
    gw_store_op op = what == 0   ? fixture_resume(charge)
                     : what == 1 ? fixture_abandon(charge)
                                 : fixture_seal(charge, text);
    if (gw_ledger_submit(one->ledger, &op) != GW_OK)
        return;
    if (op.result == GW_OK)
        report(one, what == 0 ? ACK_RESUME : what == 1 ? ACK_ABANDON : ACK_SEAL, &op, 0, charge, answer);
    if (what != 0)
        one->open[at] = one->open[--one->open_count];
}

static void *work(void *state) {
    worker *one = state;
    for (;;) {
        unsigned choice = (unsigned)rand_r(&one->random) % 10;
        if (choice < 5 || one->open_count == 0)
            work_reserve(one, one->idem += THREADS, true);
        else if (choice < 6 && one->all->count > 0) // the same request again, of any time
            work_reserve(one, one->all->charges[(size_t)rand_r(&one->random) % one->all->count].idem, false);
        else
            work_end(one, (size_t)rand_r(&one->random) % one->open_count, choice == 6 ? 0 : choice == 7 ? 1 : 2);
    }
    return NULL;
}

static void publish(void *state, const gw_checkpoint *checkpoint, gw_bytes note) {
    gw_publisher_notify(state, checkpoint, note);
}

static gw_status ledger_open(const campaign *all, gw_ledger **ret, gw_problem *problem) {
    gw_ledger_options options = {.state_folder = all->fixture.folder, .clock = gw_clock_system(), .free_bytes_min = 1};
    return gw_ledger_open(&options, fixture_key(), ret, problem);
}

static void child_run(const campaign *all, int pipe) {
    gw_ledger *ledger = NULL;
    gw_publisher *publisher = NULL;
    gw_problem problem = {0};
    if (ledger_open(all, &ledger, &problem) != GW_OK ||
        gw_publisher_open(all->fixture.database, all->log, all->questions, &publisher, &problem) != GW_OK) {
        fprintf(stderr, "child cannot open: %s: %s %s\n", problem.code, problem.what, problem.why);
        _exit(2);
    }
    gw_ledger_on_checkpoint(ledger, publish, publisher);
    static worker workers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        workers[i] = (worker){.all = all,
                              .ledger = ledger,
                              .pipe = pipe,
                              .number = i,
                              .random = all->random + i,
                              .idem = all->idem_next + i};
    for (size_t i = 0; i < all->count; i++) { // charges that a crash left open, one thread each
        worker *one = &workers[i % THREADS];
        if (!all->charges[i].is_sealed && !all->charges[i].is_abandoned && one->open_count < OPEN_MAX / 2)
            one->open[one->open_count++] = all->charges[i].charge;
    }
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            _exit(2);
    pthread_join(threads[0], NULL); // until killed
}

// ---- the parent's memory of what was acknowledged

static void lose(campaign *all, const char *what, uint64_t charge) {
    all->lost++;
    fprintf(stderr, "LOST: %s (charge %llu)\n", what, (unsigned long long)charge);
}

static expected *expected_of(campaign *all, uint64_t charge) {
    for (size_t i = all->count; i > 0; i--)
        if (all->charges[i - 1].charge == charge)
            return &all->charges[i - 1];
    return NULL;
}

static void note_reserve(campaign *all, const ack *line) {
    for (size_t i = all->count; i > 0; i--)
        if (all->charges[i - 1].idem == line->idem) {
            if (all->charges[i - 1].charge != line->charge)
                lose(all, "one request was charged twice", line->charge);
            return;
        }
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 1024 : all->capacity * 2;
        all->charges = reallocarray(all->charges, all->capacity, sizeof(all->charges[0]));
        if (all->charges == NULL)
            abort();
    }
    all->charges[all->count++] = (expected){.idem = line->idem, .charge = line->charge, .cost = line->cost};
}

static void note(campaign *all, const ack *line) {
    all->acknowledged++;
    if (line->kind == ACK_RESERVE) {
        note_reserve(all, line);
        return;
    }
    expected *charge = expected_of(all, line->charge);
    if (charge == NULL) {
        lose(all, "an outcome of a charge nobody was told of", line->charge);
        return;
    }
    if (charge->is_sealed || charge->is_abandoned)
        lose(all, "a finished charge was touched again", line->charge);
    charge->resumed += line->kind == ACK_RESUME;
    charge->is_sealed = charge->is_sealed || line->kind == ACK_SEAL;
    charge->is_abandoned = charge->is_abandoned || line->kind == ACK_ABANDON;
    charge->answer = line->answer;
}

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Reads until the moment has come, kills, reads the rest. Threads of the child report in any order, so an outcome can
// come before its reserve only from another cycle; within a thread the order holds.
static void child_watch(campaign *all, pid_t child, int pipe, long long kill_ms) {
    long long end = now_ms() + kill_ms;
    bool is_killed = false;
    for (;;) {
        struct pollfd wait = {.fd = pipe, .events = POLLIN};
        long long left = end - now_ms();
        if (!is_killed && left <= 0) {
            kill(child, SIGKILL);
            is_killed = true;
        }
        int ready = poll(&wait, 1, is_killed ? -1 : (int)left);
        if (ready <= 0)
            continue;
        ack line;
        ssize_t count = read(pipe, &line, sizeof(line));
        if (count == (ssize_t)sizeof(line))
            note(all, &line);
        else if (count == 0)
            break;
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        lose(all, "the child ended by itself", 0);
}

static void cycle_run(campaign *all) {
    int pipes[2];
    if (pipe(pipes) != 0)
        abort();
    long long kill_ms = rand_r(&all->random) % 4 == 0 ? rand_r(&all->random) % 8 : rand_r(&all->random) % KILL_MS_MAX;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(pipes[0]);
        child_run(all, pipes[1]);
        _exit(0);
    }
    close(pipes[1]);
    child_watch(all, child, pipes[0], kill_ms);
    close(pipes[0]);
    all->idem_next += 1u << 20; // requests of a killed child that were never acknowledged are not sent again
}

// ---- the oracle

static void check_folder(campaign *all, uint64_t size, bool must_exist) {
    gw_audit_verdict verdict;
    gw_status status = gw_audit_verify_folder(all->log, NULL, NULL, NULL, NULL, &verdict);
    if (status == GW_NOT_FOUND && !must_exist)
        return; // killed before anything was published
    if (status != GW_OK || !verdict.is_sound || (must_exist && verdict.size != size)) {
        lose(all, "the published folder does not hold", verdict.first_bad);
        fprintf(stderr, "  %s: %s %s\n", verdict.problem.code, verdict.problem.what, verdict.problem.why);
    }
}

static void check_charge(campaign *all, gw_store_reader *reader, const expected *want) {
    char principal[GW_ID_HEX], idem[GW_ID_HEX], text[64];
    gw_store_charge charge;
    fixture_id(FIXTURE_RESEARCHER, principal);
    fixture_id(want->idem, idem);
    if (gw_store_charge_by_idem(reader, principal, idem, &charge) != GW_OK || charge.seq != want->charge ||
        charge.cost != want->cost) {
        lose(all, "an acknowledged charge is gone", want->charge);
        return;
    }
    if (charge.attempts < 1 + want->resumed)
        lose(all, "an acknowledged attempt is gone", want->charge);
    if (want->is_abandoned && charge.state != GW_CHARGE_ABANDONED)
        lose(all, "an acknowledged abandon is gone", want->charge);
    if (!want->is_sealed)
        return;
    gw_buffer answer;
    gw_buffer_init(&answer, 1000);
    answer_text(want->answer, text);
    if (charge.state != GW_CHARGE_SEALED || gw_store_answer(reader, want->charge, &answer) != GW_OK ||
        strcmp(gw_buffer_string(&answer), text) != 0)
        lose(all, "an acknowledged answer is gone", want->charge);
    gw_buffer_done(&answer);
}

typedef struct {
    gw_audit_state *state;
    gw_merkle_edge edge;
    gw_problem problem;
} refold;

static gw_status refold_entry(void *state, uint64_t seq, gw_bytes bytes) {
    (void)seq;
    refold *again = state;
    gw_entry entry;
    gw_merkle_edge_append(&again->edge, gw_merkle_leaf(bytes), NULL, NULL);
    gw_status status = gw_entry_decode(bytes, &entry, &again->problem);
    return status == GW_OK ? gw_audit_apply(again->state, &entry, &again->problem) : status;
}

// Every balance from the entries alone; the store must say the same. The fold refuses double requests and overspending.
static void check_balances(campaign *all, gw_store_reader *reader, const gw_checkpoint *checkpoint) {
    refold again = {.state = gw_audit_state_new()};
    if (gw_store_scan(reader, 0, UINT64_MAX, refold_entry, &again) != GW_OK) {
        lose(all, "the entries do not fold", again.edge.size);
        fprintf(stderr, "  %s: %s\n", again.problem.code, again.problem.what);
    }
    gw_hash root = gw_merkle_edge_root(&again.edge);
    if (again.edge.size != checkpoint->size || !gw_hash_equal(root, checkpoint->root))
        lose(all, "the tree does not follow from the entries", again.edge.size);
    gw_audit_balance folded[8];
    gw_store_balance stored[4];
    char principal[GW_ID_HEX];
    fixture_id(FIXTURE_RESEARCHER, principal);
    size_t count = gw_audit_balances(again.state, folded, 8);
    bool is_read = gw_store_balances(reader, FIXTURE_DATASET, principal, 0, stored) == GW_OK;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 4; k++)
            if (!is_read || (strcmp(folded[i].kind, gw_budget_kind_name(stored[k].kind)) == 0 &&
                             folded[i].spent != stored[k].spent))
                lose(all, "a balance is not the sum of its charges", i);
    gw_audit_state_free(again.state);
}

static void check_mark(campaign *all, uint64_t size_min) {
    gw_store *store = NULL;
    gw_hwm *hwm = NULL;
    gw_hwm_mark mark;
    gw_secret_key *key = fixture_key();
    if (gw_store_open(all->fixture.database, &store, NULL) != GW_OK)
        lose(all, "the database does not open", 0);
    else if (gw_hwm_open(all->hwm, key, &hwm, &mark, NULL) != GW_OK)
        lose(all, "the high-water mark does not open", 0);
    else if (mark.size > gw_store_size(store) || mark.size < size_min)
        lose(all, "the high-water mark is not between what was acknowledged and what is stored", mark.size);
    gw_hwm_close(hwm);
    gw_store_close(store);
    gw_secret_key_free(key);
}

// Entries up to the newest acknowledged outcome are covered by the mark.
static uint64_t mark_min(const campaign *all) {
    uint64_t size = 0;
    for (size_t i = 0; i < all->count; i++)
        if ((all->charges[i].is_sealed || all->charges[i].is_abandoned) && all->charges[i].charge + 1 > size)
            size = all->charges[i].charge + 1;
    return size;
}

static void check(campaign *all) {
    gw_ledger *ledger = NULL;
    gw_publisher *publisher = NULL;
    gw_store_reader *reader = NULL;
    gw_problem problem = {0};
    check_folder(all, 0, false); // as the kill left it
    check_mark(all, mark_min(all));
    if (ledger_open(all, &ledger, &problem) != GW_OK ||
        gw_publisher_open(all->fixture.database, all->log, all->questions, &publisher, &problem) != GW_OK ||
        gw_store_reader_open(all->fixture.database, &reader, &problem) != GW_OK) {
        lose(all, "the ledger does not open again", 0);
        fprintf(stderr, "  %s: %s %s\n", problem.code, problem.what, problem.why);
        exit(1);
    }
    gw_checkpoint checkpoint;
    gw_ledger_checkpoint(ledger, &checkpoint, NULL);
    gw_ledger_on_checkpoint(ledger, publish, publisher);
    gw_ledger_on_checkpoint(ledger, NULL, NULL);
    gw_publisher_close(publisher);
    for (size_t i = 0; i < all->count; i++)
        check_charge(all, reader, &all->charges[i]);
    check_balances(all, reader, &checkpoint);
    check_folder(all, checkpoint.size, true);
    gw_store_reader_close(reader);
    gw_ledger_close(ledger);
}

// ---- the campaign

static gw_status submit(void *ledger, gw_store_op *op) {
    return gw_ledger_submit(ledger, op);
}

static void ledger_begin(campaign *all) {
    fixture_budget budget = fixture_budget_large;
    budget.window_days = 30;
    budget.window_total = budget.total;
    budget.principal_total = budget.total;
    gw_ledger *ledger = NULL;
    all->count = 0;
    fixture_create(&all->fixture);
    snprintf(all->log, sizeof(all->log), "%s/log", all->fixture.folder);
    snprintf(all->questions, sizeof(all->questions), "%s/questions", all->fixture.folder);
    snprintf(all->hwm, sizeof(all->hwm), "%s/hwm", all->fixture.folder);
    if (ledger_open(all, &ledger, NULL) != GW_OK)
        abort();
    fixture_settle(&all->fixture, &budget, submit, ledger);
    gw_ledger_close(ledger);
}

int main(int count, char **arguments) {
    unsigned cycles = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : CYCLES_DEFAULT;
    campaign all = {.random = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 1};
    setenv("TMPDIR", "/tmp", 0); // a real disk
    for (unsigned i = 0; i < cycles; i++) {
        if (i % CYCLES_PER_LEDGER == 0)
            ledger_begin(&all);
        cycle_run(&all);
        bool is_last = i + 1 == cycles || (i + 1) % CYCLES_PER_LEDGER == 0;
        if (is_last || rand_r(&all.random) % 2 == 0) // else the next child meets what this one left
            check(&all);
        if (is_last && all.lost == 0)
            fixture_remove(&all.fixture);
    }
    free(all.charges);
    printf("kill cycles: %u, acknowledged: %llu, lost: %llu\n", cycles, all.acknowledged, all.lost);
    return all.lost == 0 && (cycles < 20 || all.acknowledged > 0) ? 0 : 1;
}
