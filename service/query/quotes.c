// SPDX-License-Identifier: Apache-2.0
// A table of slots under one lock. Every slot in use stands in three lists: all of them by age, those of its
// principal's bucket by age, and those of its id's bucket. Adding and finding walk one bucket, never the table.
#include "service/query/quotes.h"

#include "service/base/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096u // of ids, and of principals
#define NONE UINT32_MAX

typedef enum { LIST_ALL, LIST_PRINCIPAL, LIST_ID, LIST_COUNT } list_kind;

typedef struct {
    uint32_t older, newer;
} links;

typedef struct {
    gw_quote quote;
    char *body;
    size_t size;
    links in[LIST_COUNT];
} slot;

typedef struct {
    uint32_t oldest, newest;
} list;

struct gw_quotes {
    pthread_mutex_t lock;
    // Under the lock:
    slot slots[GW_QUOTES_MAX];
    uint32_t unused[GW_QUOTES_MAX];
    size_t unused_count;
    size_t bytes;
    list all;
    list principals[BUCKETS], ids[BUCKETS];
};

_Static_assert(GW_QUOTES_OF_PRINCIPAL_MAX <= GW_QUOTES_MAX, "a principal's share is a part of the table");

gw_quotes *gw_quotes_new(void) {
    gw_quotes *quotes = calloc(1, sizeof *quotes);
    if (!quotes)
        return NULL;
    pthread_mutex_init(&quotes->lock, NULL);
    for (uint32_t i = 0; i < GW_QUOTES_MAX; i++)
        quotes->unused[i] = i;
    quotes->unused_count = GW_QUOTES_MAX;
    quotes->all = (list){NONE, NONE};
    for (size_t i = 0; i < BUCKETS; i++)
        quotes->principals[i] = quotes->ids[i] = (list){NONE, NONE};
    return quotes;
}

void gw_quotes_free(gw_quotes *quotes) {
    if (!quotes)
        return;
    for (size_t i = 0; i < GW_QUOTES_MAX; i++)
        free(quotes->slots[i].body);
    pthread_mutex_destroy(&quotes->lock);
    free(quotes);
}

// ---- the lists

// Ids are random and principals' are too: any mixing spreads them.
static size_t bucket_of(const char *text) {
    uint64_t mix = 14695981039346656037u; // FNV-1a
    for (; *text; text++)
        mix = (mix ^ (uint8_t)*text) * 1099511628211u;
    return (size_t)(mix >> 32) % BUCKETS;
}

static list *list_of(gw_quotes *quotes, list_kind kind, const gw_quote *quote) {
    switch (kind) {
    case LIST_ALL:
        break;
    case LIST_PRINCIPAL:
        return &quotes->principals[bucket_of(quote->principal)];
    case LIST_ID:
        return &quotes->ids[bucket_of(quote->id)];
    case LIST_COUNT:
        GW_ASSERT(false);
    }
    return &quotes->all;
}

static void list_add(gw_quotes *quotes, list_kind kind, uint32_t at) {
    list *to = list_of(quotes, kind, &quotes->slots[at].quote);
    quotes->slots[at].in[kind] = (links){.older = to->newest, .newer = NONE};
    if (to->newest == NONE)
        to->oldest = at;
    else
        quotes->slots[to->newest].in[kind].newer = at;
    to->newest = at;
}

static void list_remove(gw_quotes *quotes, list_kind kind, uint32_t at) {
    list *from = list_of(quotes, kind, &quotes->slots[at].quote);
    links own = quotes->slots[at].in[kind];
    if (own.older == NONE)
        from->oldest = own.newer;
    else
        quotes->slots[own.older].in[kind].newer = own.newer;
    if (own.newer == NONE)
        from->newest = own.older;
    else
        quotes->slots[own.newer].in[kind].older = own.older;
}

static void slot_drop(gw_quotes *quotes, uint32_t at) {
    slot *one = &quotes->slots[at];
    for (list_kind kind = LIST_ALL; kind < LIST_COUNT; kind++)
        list_remove(quotes, kind, at);
    quotes->bytes -= one->size;
    free(one->body);
    *one = (slot){0};
    quotes->unused[quotes->unused_count++] = at;
}

static uint32_t slot_find(const gw_quotes *quotes, const char *id) {
    uint32_t at = quotes->ids[bucket_of(id)].oldest;
    while (at != NONE && strcmp(quotes->slots[at].quote.id, id) != 0)
        at = quotes->slots[at].in[LIST_ID].newer;
    return at;
}

// ---- room

static void drop_forgotten(gw_quotes *quotes, int64_t now) {
    while (quotes->all.oldest != NONE &&
           quotes->slots[quotes->all.oldest].quote.expires - GW_QUOTE_SECONDS + GW_QUOTE_SECONDS_KEPT <= now)
        slot_drop(quotes, quotes->all.oldest);
}

// From the newest on, what fits stays; whatever is older than the first that does not fit goes.
static void make_room_of_principal(gw_quotes *quotes, const char *principal, size_t size) {
    size_t count = 1, bytes = size;
    uint32_t at = quotes->principals[bucket_of(principal)].newest;
    while (at != NONE) {
        const slot *one = &quotes->slots[at];
        uint32_t older = one->in[LIST_PRINCIPAL].older;
        if (strcmp(one->quote.principal, principal) == 0) {
            count++;
            bytes += one->size;
            if (count > GW_QUOTES_OF_PRINCIPAL_MAX || bytes > GW_QUOTE_BYTES_OF_PRINCIPAL_MAX)
                slot_drop(quotes, at);
        }
        at = older;
    }
}

static void make_room(gw_quotes *quotes, const char *principal, size_t size, int64_t now) {
    drop_forgotten(quotes, now);
    make_room_of_principal(quotes, principal, size);
    while (quotes->unused_count == 0 || quotes->bytes + size > GW_QUOTE_BYTES_MAX)
        slot_drop(quotes, quotes->all.oldest);
}

// ---- giving and finding

// "Q-7K3M-9XWP-2T4V": 12 signs of 30, about 59 bits of kernel randomness. Bytes from 240 on are drawn again, so that
// every sign is as likely as every other.
static bool id_draw(char id[GW_QUOTE_ID_TEXT]) {
    static const char alphabet[] = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
    _Static_assert(sizeof alphabet - 1 == 30, "240 is a multiple of 30");
    static const char form[] = "Q-****-****-****";
    _Static_assert(sizeof form == GW_QUOTE_ID_TEXT, "the form of an id");
    for (size_t i = 0; i < sizeof form; i++) {
        id[i] = form[i];
        if (form[i] != '*')
            continue;
        uint8_t byte;
        do {
            if (!gw_random_bytes(&byte, 1))
                return false;
        } while (byte >= 240);
        id[i] = alphabet[byte % 30];
    }
    return true;
}

static bool id_draw_new(const gw_quotes *quotes, char id[GW_QUOTE_ID_TEXT]) {
    do {
        if (!id_draw(id))
            return false;
    } while (slot_find(quotes, id) != NONE);
    return true;
}

static gw_status give(gw_quotes *quotes, gw_quote *quote, char *body, size_t size, int64_t now) {
    if (!id_draw_new(quotes, quote->id))
        return GW_UNAVAILABLE;
    quote->expires = now + GW_QUOTE_SECONDS;
    make_room(quotes, quote->principal, size, now);
    GW_ASSERT(quotes->unused_count > 0);
    uint32_t at = quotes->unused[--quotes->unused_count];
    quotes->slots[at] = (slot){.quote = *quote, .body = body, .size = size};
    quotes->bytes += size;
    for (list_kind kind = LIST_ALL; kind < LIST_COUNT; kind++)
        list_add(quotes, kind, at);
    return GW_OK;
}

gw_status gw_quote_give(gw_quotes *quotes, gw_quote *quote, gw_bytes body, int64_t now) {
    if (body.size > GW_QUOTE_BYTES_OF_PRINCIPAL_MAX)
        return GW_LIMIT;
    char *copy = malloc(body.size + 1);
    if (!copy)
        return GW_NO_MEMORY;
    memcpy(copy, body.data, body.size);
    pthread_mutex_lock(&quotes->lock);
    gw_status status = give(quotes, quote, copy, body.size, now);
    pthread_mutex_unlock(&quotes->lock);
    if (status != GW_OK)
        free(copy);
    return status;
}

gw_status gw_quote_find(gw_quotes *quotes, const char *id, const char *principal, int64_t now, gw_quote *ret,
                        gw_buffer *ret_body) {
    gw_status status = GW_NOT_FOUND;
    pthread_mutex_lock(&quotes->lock);
    drop_forgotten(quotes, now);
    uint32_t at = slot_find(quotes, id);
    if (at != NONE && strcmp(quotes->slots[at].quote.principal, principal) == 0) {
        const slot *found = &quotes->slots[at];
        status = now < found->quote.expires ? GW_OK : GW_UNAVAILABLE;
        *ret = found->quote;
        gw_buffer_append(ret_body, found->body, found->size);
    }
    pthread_mutex_unlock(&quotes->lock);
    if (status == GW_OK && ret_body->status != GW_OK)
        return ret_body->status;
    return status;
}
