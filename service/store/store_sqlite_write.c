// SPDX-License-Identifier: Apache-2.0
// The writer: one transaction per batch, every operation decided before anything of it is written, so a refusal leaves
// no trace and needs no savepoint. A statement that fails rolls the whole batch back, in memory too. A COMMIT that
// fails leaves an unknown outcome, and this store never writes again.
#include "service/store/store_sqlite.h"
#include "service/base/cleanup.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *gw_budget_kind_name(gw_budget_kind kind) {
    switch (kind) {
    case GW_BUDGET_NONE:
        return "";
    case GW_BUDGET_DATASET:
        return "dataset";
    case GW_BUDGET_POPULATION:
        return "population";
    case GW_BUDGET_PRINCIPAL:
        return "principal";
    case GW_BUDGET_WINDOW:
        return "window";
    case GW_BUDGET_SELECTION:
        return "selection";
    }
    return "";
}

gw_status store_refuse(gw_store_op *op, gw_status result, const char *code) {
    op->result = result;
    snprintf(op->code, sizeof(op->code), "%s", code);
    return GW_OK;
}

// ---- entries and their tree

gw_status store_entry_prepare(gw_store *store, gw_entry *entry, int64_t time) {
    entry->seq = store->edge.size;
    entry->time = time;
    store->scratch.size = 0;
    store->scratch.status = GW_OK;
    gw_entry_encode(entry, &store->scratch);
    if (store->scratch.status != GW_OK)
        return store->scratch.status == GW_LIMIT ? GW_INVALID : store->scratch.status;
    gw_bytes bytes = gw_buffer_bytes(&store->scratch);
    if (store->expected.size != 0 &&
        (bytes.size != store->expected.size || memcmp(bytes.data, store->expected.data, bytes.size) != 0))
        return GW_INVALID;
    gw_entry again; // what an auditor will read
    return gw_entry_decode(bytes, &again, NULL) == GW_OK ? GW_OK : GW_INVALID;
}

typedef struct {
    store_connection *connection;
    gw_status status;
} node_writer;

static void node_write(void *state, unsigned level, uint64_t index, gw_hash hash) {
    node_writer *writer = state;
    if (level == 0 || writer->status != GW_OK) // leaves stand beside their entries
        return;
    sqlite3_stmt *row = store_use(writer->connection, SQL_NODE_INSERT);
    store_bind_u64(row, 1, level);
    store_bind_u64(row, 2, index);
    store_bind_hash(row, 3, &hash);
    writer->status = store_run(row);
}

gw_status store_entry_write(gw_store *store, const gw_entry *entry) {
    GW_ASSERT(entry->seq == store->edge.size);
    gw_hash leaf = gw_merkle_leaf(gw_buffer_bytes(&store->scratch));
    sqlite3_stmt *row = store_use(&store->connection, SQL_ENTRY_INSERT);
    store_bind_u64(row, 1, entry->seq);
    sqlite3_bind_int64(row, 2, entry->time);
    store_bind_bytes(row, 3, gw_buffer_bytes(&store->scratch));
    store_bind_hash(row, 4, &leaf);
    gw_status status = store_run(row);
    if (status != GW_OK)
        return status;
    store->time_last = entry->time;
    node_writer writer = {.connection = &store->connection};
    gw_merkle_edge_append(&store->edge, leaf, node_write, &writer);
    return writer.status;
}

// ---- reserve

// GW_OK with op->result left alone: nothing speaks against the charge but perhaps the budgets.
static gw_status reserve_check(gw_store *store, gw_store_op *op, store_terms *ret_terms, bool *ret_is_refused) {
    store_connection *connection = &store->connection;
    *ret_is_refused = true;
    sqlite3_stmt *row = store_use(connection, SQL_CHARGE_IDEM);
    store_bind_id(row, 1, op->entry.charge.principal);
    store_bind_id(row, 2, op->entry.charge.idem);
    gw_status status = store_step(row);
    if (status == GW_OK) {
        op->seq = store_column_u64(row, 0);
        sqlite3_reset(row);
        return store_refuse(op, GW_CONFLICT, "idem_exists");
    }
    if (status != GW_NOT_FOUND)
        return status;
    row = store_use(connection, SQL_PRINCIPAL_SELECT);
    store_bind_id(row, 1, op->entry.charge.principal);
    status = store_step(row);
    if (status != GW_OK && status != GW_NOT_FOUND)
        return status;
    bool is_known = status == GW_OK && sqlite3_column_int64(row, 0) != 0;
    sqlite3_reset(row);
    if (!is_known)
        return store_refuse(op, GW_INVALID, "unknown_principal");
    status = store_terms_read(connection, op->entry.charge.dataset, ret_terms);
    if (status == GW_NOT_FOUND)
        return store_refuse(op, GW_INVALID, "unknown_dataset");
    if (status != GW_OK)
        return status;
    if (op->entry.charge.policy != ret_terms->policy ||
        strcmp(op->entry.charge.population, ret_terms->population_name) != 0)
        return store_refuse(op, GW_INVALID, "policy_superseded");
    if (!ret_terms->has_data || strcmp(op->entry.charge.data, ret_terms->data) != 0)
        return store_refuse(op, GW_INVALID, "data_superseded");
    uint64_t cost = op->entry.charge.cost;
    if (cost == 0 || cost > INT64_MAX || cost < ret_terms->question_min ||
        (ret_terms->question_max != 0 && cost > ret_terms->question_max))
        return store_refuse(op, GW_INVALID, "bad_cost");
    if (op->question_text.size != 0 && !gw_hash_equal(gw_sha256(op->question_text), op->entry.charge.question))
        return store_refuse(op, GW_INVALID, "bad_question");
    *ret_is_refused = false;
    return GW_OK;
}

typedef struct {
    store_budget budgets[STORE_BALANCES];
    store_balance_slot *slots[STORE_BALANCES]; // NULL: a window that is not set
    gw_loss cost;
} reserve_balances;

static gw_status budget_refuse(gw_store_op *op) {
    char code[48];
    snprintf(code, sizeof(code), "budget_%s", gw_budget_kind_name(op->budget));
    return store_refuse(op, GW_BUDGET, code);
}

// The deltas of selections add up on their own, in dataset and population; asked when the epsilons are admitted.
static gw_status reserve_admit_selection(gw_store_op *op, const reserve_balances *balances) {
    uint64_t delta = op->entry.charge.delta;
    for (size_t i = 0; delta != 0 && i < 2; i++) {
        uint64_t total = balances->budgets[i].terms.selection, spent = balances->slots[i]->spent.selection;
        uint64_t remaining = gw_budget_remaining(total, spent);
        if (gw_budget_admits(total, spent, delta) || (op->budget != GW_BUDGET_NONE && remaining >= op->remaining))
            continue;
        op->budget = GW_BUDGET_SELECTION;
        op->is_of_population = balances->budgets[i].kind == GW_BUDGET_POPULATION;
        op->remaining = remaining;
        op->renews = 0;
    }
    return op->budget == GW_BUDGET_NONE ? GW_OK : budget_refuse(op);
}

// Reports the budget with the least left when more than one is too small.
static gw_status reserve_admit(gw_store *store, gw_store_op *op, const store_terms *terms, int64_t time,
                               reserve_balances *ret) {
    store_budgets_of(terms, op->entry.charge.principal, time, ret->budgets);
    gw_loss cost = {.micro = op->entry.charge.cost, .rho = gw_rho_of((gw_epsilon){op->entry.charge.cost})};
    op->budget = GW_BUDGET_NONE;
    for (size_t i = 0; i < STORE_BALANCES; i++) {
        const store_budget *budget = &ret->budgets[i];
        ret->slots[i] = NULL;
        if (!budget->is_set && budget->kind == GW_BUDGET_WINDOW)
            continue;
        gw_status status = store_balance_get(&store->balances, &store->connection, &budget->key, &ret->slots[i]);
        if (status != GW_OK)
            return status;
        GW_ASSERT(ret->slots[i] != NULL);
        gw_loss total = {.micro = budget->total, .rho = budget->terms.rho};
        gw_loss spent = {.micro = ret->slots[i]->spent.micro, .rho = ret->slots[i]->spent.rho};
        if (!budget->is_set || gw_zcdp_admits(total, spent, cost))
            continue;
        uint64_t remaining = gw_zcdp_remaining(total, spent).micro;
        if (op->budget != GW_BUDGET_NONE && remaining >= op->remaining)
            continue;
        op->budget = budget->kind;
        op->remaining = remaining;
        op->renews = budget->renews;
    }
    ret->cost = cost;
    return op->budget == GW_BUDGET_NONE ? reserve_admit_selection(op, ret) : budget_refuse(op);
}

// What a charge adds to one of its balances.
static store_spent spent_after(const reserve_balances *balances, size_t at, const gw_entry *entry) {
    store_spent spent = balances->slots[at]->spent;
    spent.micro += balances->cost.micro;
    if (at < 2) { // dataset and population
        spent.rho = gw_rho_add(spent.rho, balances->cost.rho);
        spent.selection += entry->charge.delta;
    }
    return spent;
}

// The budgets of principals may have no total: their sum is still bounded by the dataset's, so adding cannot wrap. With
// a delta the dataset's is bounded too: a price costs at least as many units of rho as it has of epsilon.
static void reserve_fill(gw_entry *entry, const reserve_balances *balances) {
    uint64_t cost = entry->charge.cost;
    uint64_t *const fields[] = {&entry->charge.spent_dataset, &entry->charge.spent_population,
                                &entry->charge.spent_principal, &entry->charge.spent_window};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const store_balance_slot *slot = balances->slots[i];
        GW_ASSERT(slot == NULL || slot->spent.micro <= INT64_MAX - cost);
        *fields[i] = slot == NULL ? 0 : slot->spent.micro + cost;
    }
    store_spent dataset = spent_after(balances, 0, entry), population = spent_after(balances, 1, entry);
    bool has_rho = balances->budgets[0].terms.delta != 0 || balances->budgets[1].terms.delta != 0;
    entry->charge.rho = has_rho ? balances->cost.rho : 0;
    entry->charge.spent_rho_dataset = has_rho ? dataset.rho : 0;
    entry->charge.spent_rho_population = has_rho ? population.rho : 0;
    entry->charge.spent_delta_dataset = entry->charge.delta == 0 ? 0 : dataset.selection;
    entry->charge.spent_delta_population = entry->charge.delta == 0 ? 0 : population.selection;
    entry->charge.window = (uint64_t)balances->budgets[3].key.window;
}

// GW-<year>-<six digits>: the count starts anew each year, and time never goes back, so ids never repeat; nor does one
// that a lost entry may have given to an answer that somebody holds.
static void release_id_next(const gw_store *store, int64_t time, unsigned *ret_year, uint64_t *ret_count,
                            char ret_id[GW_RELEASE_ID_MAX]) {
    struct tm parts;
    time_t seconds = time;
    gmtime_r(&seconds, &parts);
    *ret_year = (unsigned)(parts.tm_year + 1900);
    *ret_count = (*ret_year == store->release_year ? store->release_count : 0) + store->release_lost + 1;
    snprintf(ret_id, GW_RELEASE_ID_MAX, "GW-%04u-%06llu", *ret_year % 10000, (unsigned long long)*ret_count);
}

static gw_status reserve_write(gw_store *store, gw_store_op *op, const store_terms *terms) {
    const gw_entry *entry = &op->entry;
    gw_status status = store_entry_write(store, entry);
    if (status != GW_OK)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, SQL_CHARGE_INSERT);
    store_bind_u64(row, 1, entry->seq);
    sqlite3_bind_int64(row, 2, entry->time);
    store_bind_id(row, 3, entry->charge.principal);
    store_bind_id(row, 4, entry->charge.idem);
    sqlite3_bind_int64(row, 5, terms->dataset);
    store_bind_hash(row, 6, &entry->charge.question);
    store_bind_hash(row, 7, &op->salt);
    store_bind_u64(row, 8, entry->charge.cost);
    store_bind_text(row, 9, op->release);
    status = store_run(row);
    if (status != GW_OK || op->question_text.size == 0)
        return status;
    row = store_use(&store->connection, SQL_QUESTION_INSERT);
    store_bind_u64(row, 1, entry->seq);
    store_bind_hash(row, 2, &entry->charge.question);
    store_bind_bytes(row, 3, op->question_text);
    return store_run(row);
}

static gw_status reserve(gw_store *store, gw_store_op *op, int64_t time) {
    store_terms terms;
    bool is_refused;
    op->entry.kind = GW_ENTRY_CHARGE;
    gw_status status = reserve_check(store, op, &terms, &is_refused);
    if (status != GW_OK || is_refused)
        return status;
    reserve_balances balances;
    status = reserve_admit(store, op, &terms, time, &balances);
    if (status != GW_OK || op->budget != GW_BUDGET_NONE)
        return status;
    reserve_fill(&op->entry, &balances);
    status = store_entry_prepare(store, &op->entry, time);
    if (status != GW_OK)
        return status == GW_INVALID ? store_refuse(op, GW_INVALID, "bad_entry") : status;
    unsigned year;
    uint64_t count;
    release_id_next(store, time, &year, &count, op->release);
    status = reserve_write(store, op, &terms);
    if (status != GW_OK)
        return status;
    for (size_t i = 0; i < STORE_BALANCES; i++)
        if (balances.slots[i] != NULL)
            store_balance_set(&store->balances, balances.slots[i], spent_after(&balances, i, &op->entry));
    store->release_year = year;
    store->release_count = count;
    store->release_lost = 0;
    op->seq = op->entry.seq;
    return GW_OK;
}

// ---- resume, seal, abandon

typedef struct {
    gw_charge_state state;
    unsigned attempts;
    gw_hash question;
    char release[GW_RELEASE_ID_MAX];
} charge_state;

// Reads a charge that must still be open; refuses otherwise.
static gw_status charge_open(gw_store *store, gw_store_op *op, charge_state *ret, bool *ret_is_refused) {
    *ret_is_refused = true;
    if (op->charge_seq > INT64_MAX)
        return store_refuse(op, GW_NOT_FOUND, "unknown_charge");
    sqlite3_stmt *row = store_use(&store->connection, SQL_CHARGE_STATE);
    store_bind_u64(row, 1, op->charge_seq);
    gw_status status = store_step(row);
    if (status == GW_NOT_FOUND)
        return store_refuse(op, GW_NOT_FOUND, "unknown_charge");
    if (status != GW_OK)
        return status;
    ret->state = (gw_charge_state)sqlite3_column_int(row, 0);
    ret->attempts = (unsigned)sqlite3_column_int(row, 1);
    bool is_whole =
        store_column_hash(row, 2, &ret->question) && store_column_text(row, 3, ret->release, sizeof(ret->release));
    sqlite3_reset(row);
    if (!is_whole)
        return GW_CORRUPT;
    memcpy(op->release, ret->release, sizeof(op->release));
    if (ret->state == GW_CHARGE_SEALED)
        return store_refuse(op, GW_CONFLICT, "already_sealed");
    if (ret->state == GW_CHARGE_ABANDONED)
        return store_refuse(op, GW_CONFLICT, "already_abandoned");
    *ret_is_refused = false;
    return GW_OK;
}

static gw_status charge_finish(gw_store *store, uint64_t seq, gw_charge_state state) {
    sqlite3_stmt *row = store_use(&store->connection, SQL_CHARGE_FINISH);
    store_bind_u64(row, 1, seq);
    sqlite3_bind_int(row, 2, (int)state);
    gw_status status = store_run(row);
    if (status == GW_OK && sqlite3_changes(store->connection.db) != 1)
        status = GW_CORRUPT;
    return status;
}

static gw_status resume(gw_store *store, gw_store_op *op) {
    charge_state charge;
    bool is_refused;
    gw_status status = charge_open(store, op, &charge, &is_refused);
    if (status != GW_OK || is_refused)
        return status;
    if (charge.attempts >= STORE_ATTEMPTS_MAX)
        return store_refuse(op, GW_LIMIT, "attempts_spent");
    sqlite3_stmt *row = store_use(&store->connection, SQL_CHARGE_ATTEMPT);
    store_bind_u64(row, 1, op->charge_seq);
    op->seq = op->charge_seq;
    return store_run(row);
}

static gw_status seal_write(gw_store *store, const gw_store_op *op, const charge_state *charge) {
    gw_status status = store_entry_write(store, &op->entry);
    if (status != GW_OK)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, SQL_RELEASE_INSERT);
    store_bind_u64(row, 1, op->charge_seq);
    store_bind_u64(row, 2, op->entry.seq);
    store_bind_hash(row, 3, &charge->question);
    sqlite3_bind_int64(row, 4, op->entry.release.visible);
    store_bind_bytes(row, 5, op->answer);
    status = store_run(row);
    if (status == GW_OK && sqlite3_changes(store->connection.db) != 1)
        status = GW_CORRUPT; // an open charge with an answer
    return status == GW_OK ? charge_finish(store, op->charge_seq, GW_CHARGE_SEALED) : status;
}

static gw_status seal(gw_store *store, gw_store_op *op, int64_t time) {
    charge_state charge;
    bool is_refused;
    op->entry.kind = GW_ENTRY_RELEASE;
    if (op->charge_seq == 0) // the genesis entry is no charge, so 0 means: as the entry says
        op->charge_seq = op->entry.release.charge;
    gw_status status = charge_open(store, op, &charge, &is_refused);
    if (status != GW_OK || is_refused)
        return status;
    op->entry.release.charge = op->charge_seq;
    memcpy(op->entry.release.release, charge.release, sizeof(charge.release));
    bool is_restored;
    status = store_restored_since(&store->connection, op->charge_seq, &is_restored);
    if (status != GW_OK || is_restored)
        return status == GW_OK ? store_refuse(op, GW_CONFLICT, "restored_since") : status;
    bool is_lost = op->kind == GW_STORE_REPLAY && op->answer.size == 0; // the log has its hash alone
    if (!is_lost && (op->answer.size == 0 || !gw_hash_equal(gw_sha256(op->answer), op->entry.release.answer)))
        return store_refuse(op, GW_INVALID, "bad_answer");
    status = store_entry_prepare(store, &op->entry, time);
    if (status != GW_OK)
        return status == GW_INVALID ? store_refuse(op, GW_INVALID, "bad_entry") : status;
    status = seal_write(store, op, &charge);
    op->seq = op->entry.seq;
    return status;
}

static gw_status abandon(gw_store *store, gw_store_op *op, int64_t time) {
    charge_state charge;
    bool is_refused;
    op->entry.kind = GW_ENTRY_ABANDON;
    if (op->charge_seq == 0)
        op->charge_seq = op->entry.abandon.charge;
    gw_status status = charge_open(store, op, &charge, &is_refused);
    if (status != GW_OK || is_refused)
        return status;
    op->entry.abandon.charge = op->charge_seq;
    status = store_entry_prepare(store, &op->entry, time);
    if (status != GW_OK)
        return status == GW_INVALID ? store_refuse(op, GW_INVALID, "bad_entry") : status;
    status = store_entry_write(store, &op->entry);
    op->seq = op->entry.seq;
    return status == GW_OK ? charge_finish(store, op->charge_seq, GW_CHARGE_ABANDONED) : status;
}

// ---- batches

static gw_status replay(gw_store *store, gw_store_op *op);

static gw_status op_dispatch(gw_store *store, gw_store_op *op, gw_store_op_kind kind, int64_t time) {
    switch (kind) {
    case GW_STORE_APPEND:
        return store_append(store, op, time);
    case GW_STORE_RESERVE:
        return reserve(store, op, time);
    case GW_STORE_RESUME:
        return resume(store, op);
    case GW_STORE_SEAL:
        return seal(store, op, time);
    case GW_STORE_ABANDON:
        return abandon(store, op, time);
    case GW_STORE_KEYROT_KEEP:
        return store_keyrot_keep(store, op);
    case GW_STORE_REPLAY:
        return replay(store, op);
    }
    return GW_INTERNAL;
}

// Which operation once made an entry of this kind.
static gw_store_op_kind made_by(gw_entry_kind kind) {
    return kind == GW_ENTRY_CHARGE    ? GW_STORE_RESERVE
           : kind == GW_ENTRY_RELEASE ? GW_STORE_SEAL
           : kind == GW_ENTRY_ABANDON ? GW_STORE_ABANDON
                                      : GW_STORE_APPEND;
}

// The entry goes the way it went when it was made; store_entry_prepare holds what that comes to against its bytes.
static gw_status replay(gw_store *store, gw_store_op *op) {
    if (gw_entry_decode(op->replayed, &op->entry, NULL) != GW_OK)
        return store_refuse(op, GW_INVALID, "bad_entry");
    if (op->entry.seq != store->edge.size || op->entry.time < store->time_last)
        return store_refuse(op, GW_CONFLICT, "log_differs");
    op->charge_seq = 0; // as the entry says
    op->salt = (gw_hash){{0}};
    store->expected = op->replayed;
    gw_status status = op_dispatch(store, op, made_by(op->entry.kind), op->entry.time);
    store->expected = (gw_bytes){0};
    if (status == GW_OK && op->result == GW_INVALID && strcmp(op->code, "bad_entry") == 0)
        return store_refuse(op, GW_CONFLICT, "log_differs");
    bool is_charge = status == GW_OK && op->result == GW_OK && op->entry.kind == GW_ENTRY_CHARGE;
    return is_charge ? store_charges_close(&store->connection, op->seq) : status;
}

static gw_status op_run(gw_store *store, gw_store_op *op, int64_t time) {
    op->result = GW_OK;
    op->code[0] = '\0';
    op->budget = GW_BUDGET_NONE;
    op->remaining = 0;
    op->renews = 0;
    op->seq = GW_NO_SEQ;
    op->release[0] = '\0';
    return op_dispatch(store, op, op->kind, time);
}

static gw_status batch_run(gw_store *store, gw_store_op *const ops[], size_t count, int64_t time) {
    gw_status status = store_run(store_use(&store->connection, SQL_BEGIN));
    for (size_t i = 0; status == GW_OK && i < count; i++)
        status = op_run(store, ops[i], time);
    if (status == GW_OK)
        status = store_balances_flush(&store->balances, &store->connection);
    return status;
}

static void batch_fail(gw_store_op *const ops[], size_t count, gw_status status) {
    for (size_t i = 0; i < count; i++)
        gw_ignore(store_refuse(ops[i], status, gw_status_name(status))); // always GW_OK
}

gw_status gw_store_commit(gw_store *store, gw_store_op *const ops[], size_t count, int64_t now) {
    if (count > STORE_BATCH_MAX)
        return GW_LIMIT;
    if (store->is_broken) {
        batch_fail(ops, count, GW_RETRY);
        return GW_RETRY;
    }
    gw_merkle_edge edge_before = store->edge;
    unsigned release_year = store->release_year;
    uint64_t release_count = store->release_count, release_lost = store->release_lost;
    int64_t time_before = store->time_last, time = now > time_before ? now : time_before;
    store_balances_prepare(&store->balances);
    gw_status status = batch_run(store, ops, count, time);
    if (status != GW_OK) {
        // Without its commit frame nothing of the batch survives, on disk or here. A ROLLBACK that fails (the
        // transaction is already gone after a full disk) changes nothing about that.
        gw_ignore(store_run(store_use(&store->connection, SQL_ROLLBACK)));
        store->edge = edge_before;
        store->time_last = time_before;
        store->release_year = release_year;
        store->release_count = release_count;
        store->release_lost = release_lost;
        store_balances_clear(&store->balances);
        batch_fail(ops, count, status);
        return status;
    }
    if (store_run(store_use(&store->connection, SQL_COMMIT)) != GW_OK) {
        // The batch may be on disk or not; only a new process that reads the file again can tell.
        store->is_broken = true;
        batch_fail(ops, count, GW_RETRY);
        return GW_RETRY;
    }
    return GW_OK;
}

uint64_t gw_store_size(const gw_store *store) {
    return store->edge.size;
}

gw_hash gw_store_root(const gw_store *store) {
    return gw_merkle_edge_root(&store->edge);
}

int64_t gw_store_time(const gw_store *store) {
    return store->time_last;
}

bool gw_store_has_charges(const gw_store *store) {
    return store->release_count != 0; // every charge gets the id of a release
}
