// SPDX-License-Identifier: Apache-2.0
// A row says at once how its charge ended, the log only later: what it says is kept until the entry comes that must say
// the same, in a few words for each charge.
#include "service/ledger/ledger_charges.h"
#include "service/ledger/ledger_tampered.h"

#include <stdlib.h>
#include <string.h>

#define ATTEMPTS_MAX 3
#define RELEASE_COUNT_BITS 48

typedef struct {
    uint64_t seq;
    uint64_t release_seq, release; // as the row says; the id as a number
    int64_t visible;
    uint8_t state, attempts;
    bool has_ended; // as the log says
} charge_kept;

struct ledger_charges {
    charge_kept *items; // in order of seq
    size_t count, capacity;
    uint64_t release_last; // id, as a number
    uint64_t restored;     // entries before this one: their open charges are never drawn again
};

ledger_charges *ledger_charges_new(void) {
    return calloc(1, sizeof(ledger_charges));
}

void ledger_charges_free(ledger_charges *all) {
    if (all == NULL)
        return;
    free(all->items);
    free(all);
}

static bool digits_read(const char *text, size_t count, uint64_t *ret) {
    *ret = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *ret = *ret * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

// "GW-<year>-<six digits or more>" as a number that grows from charge to charge. One text for each number.
static bool release_number(const char *id, uint64_t *ret) {
    const size_t head = strlen("GW-2026-");
    uint64_t year, count;
    size_t size = strlen(id);
    if (size < head + 6 || size > head + 14 || memcmp(id, "GW-", 3) != 0 || !digits_read(id + 3, 4, &year) ||
        id[7] != '-' || !digits_read(id + head, size - head, &count) || (size > head + 6 && id[head] == '0'))
        return false;
    *ret = year << RELEASE_COUNT_BITS | count;
    return true;
}

// ---- a charge

// What a row has that its entry has not; NULL: nothing.
static const char *difference(const gw_entry *entry, const gw_store_charge_row *row) {
    bool is_sealed = row->state == GW_CHARGE_SEALED, has_release = row->release_seq != GW_NO_SEQ;
    return !row->is_whole                                                                 ? "shape"
           : row->time != entry->time                                                     ? "time"
           : strcmp(row->principal, entry->charge.principal) != 0                         ? "principal"
           : strcmp(row->idem, entry->charge.idem) != 0                                   ? "request"
           : strcmp(row->dataset, entry->charge.dataset) != 0                             ? "dataset"
           : !gw_hash_equal(row->question, entry->charge.question)                        ? "question"
           : row->cost != entry->charge.cost                                              ? "cost"
           : row->attempts < 1 || row->attempts > ATTEMPTS_MAX                            ? "number of attempts"
           : is_sealed != has_release || row->state > GW_CHARGE_ABANDONED                 ? "outcome"
           : has_release && !gw_hash_equal(row->release_question, entry->charge.question) ? "question of its release"
                                                                                          : NULL;
}

static gw_status charge_follow(ledger_charges *all, const gw_entry *entry, const gw_store_charge_row *row,
                               gw_problem *ret_problem) {
    if (row == NULL)
        return ledger_tampered(ret_problem, "Entry %llu: the row of its charge is missing.",
                               (unsigned long long)entry->seq);
    const char *other = difference(entry, row);
    uint64_t release;
    if (other == NULL && (!release_number(row->release, &release) || release <= all->release_last))
        other = "release id";
    if (other != NULL)
        return ledger_tampered(ret_problem, "Entry %llu: the row of its charge has another %s.",
                               (unsigned long long)entry->seq, other);
    if (all->count == all->capacity) {
        size_t wanted = all->capacity == 0 ? 256 : all->capacity * 2;
        charge_kept *grown = reallocarray(all->items, wanted, sizeof(*grown));
        if (grown == NULL)
            return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
        all->items = grown;
        all->capacity = wanted;
    }
    all->release_last = release;
    all->items[all->count++] = (charge_kept){.seq = entry->seq,
                                             .release_seq = row->release_seq,
                                             .release = release,
                                             .visible = row->visible,
                                             .state = (uint8_t)row->state,
                                             .attempts = (uint8_t)row->attempts};
    return GW_OK;
}

// ---- how it ends

// Most end soon: the search begins at the newest, in steps that double.
static charge_kept *kept_find(const ledger_charges *all, uint64_t seq) {
    size_t low = 0, high = all->count;
    for (size_t step = 1; step < high; step *= 2)
        if (all->items[all->count - step].seq <= seq) {
            low = all->count - step;
            break;
        } else {
            high = all->count - step;
        }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all->items[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < all->count && all->items[low].seq == seq ? &all->items[low] : NULL;
}

static gw_status end_follow(const ledger_charges *all, const gw_entry *entry, uint64_t seq, gw_charge_state state,
                            gw_problem *ret_problem) {
    charge_kept *charge = kept_find(all, seq);
    if (charge == NULL || charge->state != state)
        return ledger_tampered(ret_problem, "Entry %llu: the row of charge %llu is not in that state.",
                               (unsigned long long)entry->seq, (unsigned long long)seq);
    charge->has_ended = true;
    uint64_t release;
    if (state == GW_CHARGE_SEALED &&
        (charge->release_seq != entry->seq || !release_number(entry->release.release, &release) ||
         charge->release != release || charge->visible != entry->release.visible))
        return ledger_tampered(ret_problem, "Entry %llu: the row of its release is another one.",
                               (unsigned long long)entry->seq);
    return GW_OK;
}

gw_status ledger_charges_follow(ledger_charges *all, const gw_entry *entry, const gw_store_charge_row *row,
                                gw_problem *ret_problem) {
    if (row != NULL && entry->kind != GW_ENTRY_CHARGE)
        return ledger_tampered(ret_problem, "Entry %llu: there is a row of a charge, and this is none.",
                               (unsigned long long)entry->seq);
    if (entry->kind == GW_ENTRY_CHARGE)
        return charge_follow(all, entry, row, ret_problem);
    if (entry->kind == GW_ENTRY_RELEASE)
        return end_follow(all, entry, entry->release.charge, GW_CHARGE_SEALED, ret_problem);
    if (entry->kind == GW_ENTRY_ABANDON)
        return end_follow(all, entry, entry->abandon.charge, GW_CHARGE_ABANDONED, ret_problem);
    if (entry->kind == GW_ENTRY_RESTORE)
        all->restored = entry->seq;
    return GW_OK;
}

gw_status ledger_charges_end(const ledger_charges *all, gw_problem *ret_problem) {
    for (size_t i = 0; i < all->count; i++) {
        const charge_kept *charge = &all->items[i];
        if (charge->has_ended)
            continue;
        if (charge->state != GW_CHARGE_RESERVED)
            return ledger_tampered(ret_problem, "Entry %llu: the row of its charge has an outcome, the log has none.",
                                   (unsigned long long)charge->seq);
        if (charge->seq < all->restored && charge->attempts < ATTEMPTS_MAX)
            return ledger_tampered(ret_problem, "Entry %llu: its charge could be drawn again, after a restore.",
                                   (unsigned long long)charge->seq);
    }
    return GW_OK;
}
