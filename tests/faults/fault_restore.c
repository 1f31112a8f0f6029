// SPDX-License-Identifier: Apache-2.0
// kill -9 at one call after another of a restore that loses entries: what is left is opened as the daemon opens it, and
// is the old ledger, whole, or the new one, whole; never anything between. The command run again always ends with the
// new one.   fault_restore [kills]
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/recovery/restore.h"
#include "tests/faults/script.h"
#include "tests/faults/state.h"
#include <stdio.h>
#include <string.h>

#define KILLS_DEFAULT 70
#define LOST 4 // two charges and their answers
#define SECOND 9

typedef struct {
    fault_state template, state;
    char backup[FAULT_PATH_MAX]; // an older copy of the ledger
    uint64_t old_size, new_size;
    gw_hash old_root;
    shim_plan *plan;
} campaign;

static void path_in(const fault_state *state, const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", state->fixture.folder, name);
}

// ---- a ledger with two who may sign, and an older copy of it

static void take(gw_ledger *ledger, gw_store_op *op) {
    gw_status status = gw_ledger_submit(ledger, op);
    GW_ASSERT(status == GW_OK);
    GW_ASSERT(op->result == GW_OK);
}

static gw_secret_key *signing_key(uint64_t number) {
    uint8_t seed[GW_SEED_SIZE] = {(uint8_t)number};
    gw_secret_key *key = NULL;
    gw_status status = gw_key_from_seed(seed, &key);
    GW_ASSERT(status == GW_OK);
    return key;
}

static void key_enter(gw_ledger *ledger, uint64_t number) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry = {.kind = GW_ENTRY_KEY, .by = {.count = 1}}};
    gw_secret_key *key = signing_key(number);
    gw_public_key public = gw_key_public(key);
    gw_secret_key_free(key);
    fixture_id(FIXTURE_OWNER, op.entry.by.ids[0]);
    fixture_id(number, op.entry.key.principal);
    snprintf(op.entry.key.action, sizeof(op.entry.key.action), "add");
    snprintf(op.entry.key.key_kind, sizeof(op.entry.key.key_kind), "sign");
    gw_hex((gw_bytes){public.bytes, sizeof(public.bytes)}, op.entry.key.key);
    take(ledger, &op);
}

static void template_make(campaign *all) {
    gw_ledger *ledger = NULL;
    char database[256], copy[256];
    fixture_budget budget = fixture_budget_large;
    budget.question_max = FIXTURE_EPSILON;
    fault_state_new(&all->template, &budget, false);
    gw_status status = fault_ledger_open(&all->template, 0, &ledger, NULL);
    GW_ASSERT(status == GW_OK);
    gw_store_op second = fixture_principal(SECOND, GW_ROLE_OPERATOR, FIXTURE_OWNER);
    take(ledger, &second);
    key_enter(ledger, FIXTURE_OWNER);
    key_enter(ledger, SECOND);
    path_in(&all->template, "godwit.db", database);
    snprintf(all->backup, sizeof(all->backup), "%s.backup", all->template.fixture.folder);
    status = gw_folder_make(all->backup, 0700, NULL);
    GW_ASSERT(status == GW_OK);
    snprintf(copy, sizeof(copy), "%s/godwit.db", all->backup);
    status = gw_store_copy(database, copy, NULL);
    GW_ASSERT(status == GW_OK);
    for (uint64_t i = 1; i <= LOST / 2; i++) {
        gw_store_op charge = fixture_reserve(&all->template.fixture, FIXTURE_RESEARCHER, i, FIXTURE_EPSILON);
        take(ledger, &charge);
        gw_store_op sealed = fixture_seal(charge.seq, "an answer");
        take(ledger, &sealed);
    }
    gw_checkpoint newest;
    gw_ledger_checkpoint(ledger, &newest, NULL);
    gw_ledger_close(ledger);
    all->old_size = newest.size;
    all->old_root = newest.root;
    all->new_size = newest.size - LOST + 1;
}

// ---- the restore

static restore_options options_of(const campaign *all, char hwm[256]) {
    path_in(&all->state, "hwm", hwm);
    return (restore_options){.state_folder = all->state.fixture.folder,
                             .hwm_path = hwm,
                             .origin = FIXTURE_ORIGIN,
                             .backup = all->backup,
                             .now = FIXTURE_NOW};
}

static void sign(const campaign *all, uint64_t number) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    char path[256], id[GW_ID_HEX], key_hex[GW_HASH_HEX], hex[2 * GW_SIGNATURE_SIZE + 1], line[512], name[64];
    gw_buffer_init(&text, 65536);
    path_in(&all->state, RESTORE_STATEMENT, path);
    gw_status status = gw_file_read(path, &text, NULL);
    GW_ASSERT(status == GW_OK);
    gw_secret_key *key = signing_key(number);
    gw_public_key public = gw_key_public(key);
    gw_signature signature = gw_sign(key, gw_buffer_bytes(&text));
    gw_secret_key_free(key);
    fixture_id(number, id);
    gw_hex((gw_bytes){public.bytes, sizeof(public.bytes)}, key_hex);
    gw_hex((gw_bytes){signature.bytes, sizeof(signature.bytes)}, hex);
    snprintf(line, sizeof(line), "{\"by\":\"%s\",\"key\":\"%s\",\"signature\":\"%s\"}\n", id, key_hex, hex);
    snprintf(name, sizeof(name), RESTORE_STATEMENT ".%d.sig", (int)number);
    path_in(&all->state, name, path);
    status = gw_file_replace(path, gw_bytes_of(line), 0600, NULL);
    GW_ASSERT(status == GW_OK);
}

static int say(const gw_problem *problem) {
    fprintf(stderr, "fault_restore: %s: %s %s\n", problem->code, problem->what, problem->why);
    return 1;
}

// Both runs, as the command makes them.
static int restore(campaign *all) {
    char hwm[256];
    gw_problem problem = {0};
    restore_report report;
    restore_options options = options_of(all, hwm);
    if (gw_restore(&options, &report, &problem) != GW_OK)
        return say(&problem);
    if (!report.is_complete && report.signers.count < 2) {
        sign(all, FIXTURE_OWNER);
        sign(all, SECOND);
        if (gw_restore(&options, &report, &problem) != GW_OK)
            return say(&problem);
    }
    return 0;
}

static int restore_killed(void *state) {
    campaign *all = state;
    shim_use(all->plan);
    all->plan->is_armed = true;
    return restore(all);
}

// ---- what is left

typedef enum { LEFT_OLD, LEFT_NEW, LEFT_WRONG } left;

// As a start does: a restore under way is finished, then the ledger is opened with all that remembers.
static left look(const campaign *all) {
    char hwm[256];
    gw_problem problem = {0};
    gw_ledger *ledger = NULL;
    gw_checkpoint now;
    restore_options options = options_of(all, hwm);
    gw_status status = gw_restore_finish(&options, &problem);
    if (status == GW_OK)
        status = fault_ledger_open(&all->state, 0, &ledger, &problem);
    if (status != GW_OK) {
        gw_ignore(say(&problem)); // it is counted as wrong
        return LEFT_WRONG;
    }
    gw_ledger_checkpoint(ledger, &now, NULL);
    gw_ledger_close(ledger);
    if (now.size == all->old_size && gw_hash_equal(now.root, all->old_root))
        return LEFT_OLD;
    return now.size == all->new_size ? LEFT_NEW : LEFT_WRONG;
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, KILLS_DEFAULT);
    campaign all = {.plan = shim_plan_new()};
    unsigned long ended[3] = {0}, again = 0;
    template_make(&all);
    fault_state_clone(&all.template, &all.state);
    shim_plan_reset(all.plan, all.state.fixture.folder);
    run_end end = run_forked(restore_killed, &all);
    uint64_t calls = all.plan->steps;
    bool is_sound = end == RUN_DONE && look(&all) == LEFT_NEW && calls > 0;
    for (unsigned long i = 0; i < given.count && is_sound; i++) {
        fault_state_copy(&all.template, &all.state);
        shim_plan_reset(all.plan, all.state.fixture.folder);
        all.plan->action = i % 3 == 0 ? SHIM_KILL_WITHIN : i % 3 == 1 ? SHIM_KILL_AFTER : SHIM_KILL_BEFORE;
        all.plan->call = all.plan->place = -1;
        all.plan->at = given.count >= calls ? i % calls : i * calls / given.count;
        run_forked(restore_killed, &all);
        left found = look(&all);
        ended[found]++;
        if (found == LEFT_OLD) { // run once more, to its end
            all.plan->is_armed = false;
            again += restore(&all) == 0 && look(&all) == LEFT_NEW;
        }
        is_sound = found != LEFT_WRONG && again == ended[LEFT_OLD];
        if (!is_sound)
            printf("killed at call %llu of %llu: %s; kept: %s\n", (unsigned long long)all.plan->at,
                   (unsigned long long)calls, found == LEFT_WRONG ? "neither old nor new" : "it cannot be run again",
                   all.state.fixture.folder);
    }
    printf("%lu kills within %llu calls of a restore: %lu left the old ledger, %lu the new one, %lu neither; %lu run "
           "again to the end (%.0f s)\n",
           given.count, (unsigned long long)calls, ended[LEFT_OLD], ended[LEFT_NEW], ended[LEFT_WRONG], again,
           campaign_seconds());
    is_sound = is_sound && ended[LEFT_OLD] > 0 && ended[LEFT_NEW] > 0;
    if (is_sound) {
        fault_state_remove(&all.template);
        fault_state_remove(&all.state);
        char copy[256];
        snprintf(copy, sizeof(copy), "%s/godwit.db", all.backup);
        remove(copy);
        remove(all.backup);
    }
    return is_sound ? 0 : 1;
}
