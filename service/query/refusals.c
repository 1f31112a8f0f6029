// SPDX-License-Identifier: Apache-2.0
// A table of bounded size, found by the principal. An entry leaves the table before it is handed on, so that nobody who
// is refused meanwhile waits for a disk.
#include "service/query/refusals.h"

#include "service/base/check.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600
#define PRINCIPALS_MAX 1024u // within an hour; a power of two
#define CODES_MAX 11u        // of one principal, the last of them OTHER
#define CODE_BYTES 25u       // and NUL; what is longer counts as OTHER
#define OTHER "other"
#define RETRY_SECONDS 60

_Static_assert(CODES_MAX *(CODE_BYTES - 1 + sizeof("=18446744073709551615")) <=
                   sizeof(((gw_entry *)0)->refusals.counts),
               "every slot has a line that holds it");

typedef struct {
    char code[CODE_BYTES];
    uint64_t count;
} code_count;

typedef struct {
    char principal[GW_ID_HEX]; // "" where the slot is free
    int64_t from, to;
    int64_t due; // not handed on before
    code_count codes[CODES_MAX];
    size_t code_count;
} slot;

struct gw_refusals {
    pthread_mutex_t lock;
    slot slots[PRINCIPALS_MAX];
    size_t used;
    uint64_t uncounted;
};

gw_refusals *gw_refusals_new(void) {
    gw_refusals *refusals = calloc(1, sizeof *refusals);
    if (refusals)
        pthread_mutex_init(&refusals->lock, NULL);
    return refusals;
}

void gw_refusals_free(gw_refusals *refusals) {
    if (!refusals)
        return;
    pthread_mutex_destroy(&refusals->lock);
    free(refusals);
}

// ---- counting

static void code_add(slot *at, const char *code, uint64_t count) {
    size_t i = 0;
    if (strlen(code) >= CODE_BYTES)
        code = OTHER;
    while (i < at->code_count && strcmp(at->codes[i].code, code) != 0)
        i++;
    if (i == at->code_count && i >= CODES_MAX - 1 && strcmp(code, OTHER) != 0) {
        code_add(at, OTHER, count); // the last place is kept for it
        return;
    }
    if (i == at->code_count) {
        snprintf(at->codes[i].code, CODE_BYTES, "%s", code);
        at->codes[i].count = 0;
        at->code_count++;
    }
    uint64_t room = UINT64_MAX - at->codes[i].count;
    at->codes[i].count += count < room ? count : room;
}

// Where the principal's slot is, or would be; NULL where the table is full. Ids are random, but for a flood's sake they
// are looked for one after the other from where the first bits say.
static slot *slot_find(gw_refusals *refusals, const char *principal) {
    size_t at = 0;
    for (size_t i = 0; i < 8 && principal[i]; i++)
        at = at * 31 + (unsigned char)principal[i];
    slot *room = NULL;
    for (size_t i = 0; i < PRINCIPALS_MAX; i++) {
        slot *one = &refusals->slots[(at + i) & (PRINCIPALS_MAX - 1)];
        if (strcmp(one->principal, principal) == 0)
            return one;
        if (!room && one->principal[0] == '\0')
            room = one;
        if (room && refusals->used == 0)
            break;
    }
    return room;
}

static void slot_merge(gw_refusals *refusals, const slot *more) {
    slot *at = slot_find(refusals, more->principal);
    if (!at) {
        refusals->uncounted++;
        return;
    }
    if (at->principal[0] == '\0') {
        refusals->used++;
        *at = (slot){.from = more->from, .to = more->to, .due = more->due};
        memcpy(at->principal, more->principal, sizeof at->principal);
    }
    at->from = more->from < at->from ? more->from : at->from;
    at->to = more->to > at->to ? more->to : at->to;
    at->due = more->due > at->due ? more->due : at->due;
    for (size_t i = 0; i < more->code_count; i++)
        code_add(at, more->codes[i].code, more->codes[i].count);
}

void gw_refusals_count(gw_refusals *refusals, const char *principal, const char *code, int64_t now) {
    slot one = {.from = now, .to = now};
    snprintf(one.principal, sizeof one.principal, "%s", principal);
    code_add(&one, code, 1);
    pthread_mutex_lock(&refusals->lock);
    slot_merge(refusals, &one);
    pthread_mutex_unlock(&refusals->lock);
}

uint64_t gw_refusals_uncounted(gw_refusals *refusals) {
    pthread_mutex_lock(&refusals->lock);
    uint64_t uncounted = refusals->uncounted;
    refusals->uncounted = 0;
    pthread_mutex_unlock(&refusals->lock);
    return uncounted;
}

// ---- handing on

static int by_code(const void *a, const void *b) {
    return strcmp(((const code_count *)a)->code, ((const code_count *)b)->code);
}

static gw_entry entry_of(slot *one) {
    gw_entry entry = {.kind = GW_ENTRY_REFUSALS};
    size_t size = 0;
    memcpy(entry.refusals.principal, one->principal, sizeof one->principal);
    entry.refusals.from = one->from;
    entry.refusals.to = one->to;
    qsort(one->codes, one->code_count, sizeof one->codes[0], by_code);
    for (size_t i = 0; i < one->code_count; i++) {
        int more = snprintf(entry.refusals.counts + size, sizeof entry.refusals.counts - size, "%s%s=%" PRIu64,
                            i > 0 ? " " : "", one->codes[i].code, one->codes[i].count);
        GW_ASSERT(more > 0);
        size += (size_t)more;
        GW_ASSERT(size < sizeof entry.refusals.counts);
    }
    return entry;
}

// The next one that is due leaves the table.
static bool slot_take(gw_refusals *refusals, size_t *at, int64_t now, bool is_everything, slot *ret) {
    bool is_found = false;
    pthread_mutex_lock(&refusals->lock);
    for (; refusals->used > 0 && *at < PRINCIPALS_MAX && !is_found; ++*at) {
        slot *one = &refusals->slots[*at];
        bool is_due = now / HOUR > one->from / HOUR && now >= one->due;
        is_found = one->principal[0] != '\0' && (is_due || is_everything);
        if (!is_found)
            continue;
        *ret = *one;
        *one = (slot){.from = 0};
        refusals->used--;
    }
    pthread_mutex_unlock(&refusals->lock);
    return is_found;
}

size_t gw_refusals_flush(gw_refusals *refusals, int64_t now, bool is_everything, size_t max, gw_refusals_take take,
                         void *state) {
    size_t taken = 0;
    slot one;
    for (size_t at = 0; taken < max && slot_take(refusals, &at, now, is_everything, &one);) {
        gw_entry entry = entry_of(&one);
        if (take(state, &entry)) {
            taken++;
            continue;
        }
        one.due = now + RETRY_SECONDS;
        pthread_mutex_lock(&refusals->lock);
        slot_merge(refusals, &one);
        pthread_mutex_unlock(&refusals->lock);
    }
    return taken;
}
