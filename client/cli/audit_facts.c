// SPDX-License-Identifier: Apache-2.0
// One pass. People and refusals are found in balanced trees, charges by their number, so that a log of a million
// entries takes seconds, whatever stands in it.
#include "client/cli/audit_facts.h"
#include "service/base/check.h"
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_MAX 100000u // of more than a kilobyte each
#define SILENCES_MAX 1000u
#define DAY 86400
#define HOUR 3600
#define NIGHT_FROM 22 // o'clock, UTC
#define NIGHT_TO 6

static bool list_room(void **items, size_t *capacity, size_t count, size_t size) {
    if (count < *capacity)
        return true;
    size_t grown = *capacity == 0 ? 16 : *capacity * 2;
    void *moved = reallocarray(*items, grown, size);
    if (moved == NULL)
        return false;
    *items = moved;
    *capacity = grown;
    return true;
}
#define ROOM(list) list_room((void **)&(list).items, &(list).capacity, (list).count, sizeof((list).items[0]))

void gw_facts_init(gw_facts *facts, uint64_t since) {
    *facts = (gw_facts){.since = since, .is_whole = true};
}

static void nothing_free(void *node) {
    (void)node; // the lists own what the trees point at
}

void gw_facts_done(gw_facts *facts) {
    tdestroy(facts->people_index, nothing_free);
    tdestroy(facts->refusals_index, nothing_free);
    for (size_t i = 0; i < facts->people.count; i++)
        free(facts->people.items[i]);
    for (size_t i = 0; i < facts->refusals.count; i++)
        free(facts->refusals.items[i]);
    free(facts->people.items);
    free(facts->refusals.items);
    free(facts->facts.items);
    free(facts->datasets.items);
    free(facts->causes.items);
    free(facts->charges.items);
    free(facts->silences.items);
    gw_facts_init(facts, UINT64_MAX);
}

// ---- who

static int person_compare(const void *a, const void *b) {
    return strcmp(((const gw_fact_person *)a)->id, ((const gw_fact_person *)b)->id);
}

static int refusal_compare(const void *a, const void *b) {
    const gw_fact_refusal *first = a, *second = b;
    int order = strcmp(first->id, second->id);
    return order != 0 ? order : strcmp(first->code, second->code);
}

// The person with this id, made where there is none; NULL without memory.
static gw_fact_person *person_of(gw_facts *facts, const char *id) {
    gw_fact_person like = {.roles = 0};
    memcpy(like.id, id, GW_ID_HEX);
    void *found = tfind(&like, &facts->people_index, person_compare);
    if (found != NULL)
        return *(gw_fact_person **)found;
    gw_fact_person *made = malloc(sizeof(*made));
    if (made != NULL)
        *made = like;
    if (made == NULL || !ROOM(facts->people) || tsearch(made, &facts->people_index, person_compare) == NULL) {
        free(made);
        facts->is_whole = false;
        return NULL;
    }
    facts->people.items[facts->people.count++] = made;
    return made;
}

static void refusal_count(gw_facts *facts, const char *id, const char *code, size_t code_size, uint64_t count) {
    gw_fact_refusal like = {.count = 0};
    memcpy(like.id, id, GW_ID_HEX);
    gw_ignore(snprintf(like.code, sizeof(like.code), "%.*s", (int)code_size, code)); // codes are no longer
    void *found = tfind(&like, &facts->refusals_index, refusal_compare);
    gw_fact_refusal *refusal = found == NULL ? NULL : *(gw_fact_refusal **)found;
    if (refusal == NULL) {
        refusal = malloc(sizeof(*refusal));
        if (refusal != NULL)
            *refusal = like;
        if (refusal == NULL || !ROOM(facts->refusals) ||
            tsearch(refusal, &facts->refusals_index, refusal_compare) == NULL) {
            free(refusal);
            facts->is_whole = false;
            return;
        }
        facts->refusals.items[facts->refusals.count++] = refusal;
    }
    if (__builtin_add_overflow(refusal->count, count, &refusal->count))
        refusal->count = UINT64_MAX;
}

// "code=3 other=1"
static void refusals_add(gw_facts *facts, const gw_entry *entry) {
    for (const char *word = entry->refusals.counts; *word != '\0';) {
        size_t size = strcspn(word, " "), code = strcspn(word, "= ");
        uint64_t count = word[code] == '=' ? strtoull(word + code + 1, NULL, 10) : 0;
        refusal_count(facts, entry->refusals.principal, word, code, count);
        word += size + (word[size] == ' ' ? 1 : 0);
    }
}

// ---- what

static size_t before_of(const gw_facts *facts, const gw_entry *entry) {
    for (size_t i = facts->facts.count; i-- > 0;) {
        const gw_entry *other = &facts->facts.items[i].entry;
        if (other->kind != entry->kind)
            continue;
        if ((entry->kind == GW_ENTRY_POLICY && strcmp(entry->policy.dataset, other->policy.dataset) == 0) ||
            (entry->kind == GW_ENTRY_POPULATION &&
             strcmp(entry->population.population, other->population.population) == 0))
            return i;
    }
    return GW_FACT_NONE;
}

static void fact_add(gw_facts *facts, const gw_entry *entry) {
    gw_fact fact = {.entry = *entry, .before = GW_FACT_NONE};
    for (size_t i = 0; i < entry->by.count; i++) {
        gw_fact_person *signer = person_of(facts, entry->by.ids[i]);
        if (signer == NULL)
            return;
        signer->signed_entries++;
        fact.roles[i] = signer->roles;
    }
    if (facts->facts.count == FACTS_MAX || !ROOM(facts->facts)) {
        facts->facts_left_out++;
        return;
    }
    if (entry->kind == GW_ENTRY_POLICY || entry->kind == GW_ENTRY_POPULATION)
        fact.before = before_of(facts, entry);
    facts->facts.items[facts->facts.count++] = fact;
}

static void roles_set(gw_facts *facts, const gw_entry *entry) {
    gw_fact_person *person = person_of(facts, entry->principal.principal);
    if (person == NULL)
        return;
    person->roles = entry->principal.roles;
    person->since = entry->seq;
}

static void key_count(gw_facts *facts, const gw_entry *entry) {
    gw_fact_person *person = person_of(facts, entry->key.principal);
    bool is_add = strcmp(entry->key.action, "add") == 0;
    if (person != NULL && is_add)
        person->keys++;
    else if (person != NULL && person->keys > 0)
        person->keys--;
}

static size_t dataset_of(gw_facts *facts, const char *name) {
    for (size_t i = 0; i < facts->datasets.count; i++)
        if (strcmp(facts->datasets.items[i].dataset, name) == 0)
            return i;
    if (!ROOM(facts->datasets)) {
        facts->is_whole = false;
        return GW_FACT_NONE;
    }
    facts->datasets.items[facts->datasets.count] = (gw_fact_dataset){.charges = 0};
    memcpy(facts->datasets.items[facts->datasets.count].dataset, name, GW_DATASET_MAX);
    return facts->datasets.count++;
}

static void charge_add(gw_facts *facts, const gw_entry *entry) {
    size_t dataset = dataset_of(facts, entry->charge.dataset);
    gw_fact_person *person = person_of(facts, entry->charge.principal);
    if (dataset == GW_FACT_NONE || person == NULL || !ROOM(facts->charges)) {
        facts->is_whole = false;
        return;
    }
    gw_fact_dataset *of = &facts->datasets.items[dataset];
    person->charges++;
    person->charged += entry->charge.cost; // sound logs do not overflow: every budget was checked
    of->charges++;
    of->charged += entry->charge.cost;
    of->open++;
    if (entry->seq >= facts->since) {
        of->new_charges++;
        of->new_charged += entry->charge.cost;
    }
    facts->open_charges++;
    int64_t days = entry->time / DAY, hour = entry->time % DAY / HOUR;
    facts->charges_at_night += hour >= NIGHT_FROM || hour < NIGHT_TO;
    facts->charges_at_weekends += (days + 3) % 7 >= 5; // 1970-01-01 was a Thursday: 0 is Monday
    facts->charges.items[facts->charges.count++] = (gw_fact_charge){
        .seq = entry->seq, .cost = entry->charge.cost, .time = entry->time, .dataset = dataset, .has_outcome = false};
}

static int charge_compare(const void *a, const void *b) {
    const gw_fact_charge *first = a, *second = b;
    return first->seq < second->seq ? -1 : first->seq > second->seq;
}

static gw_fact_charge *outcome_take(gw_facts *facts, uint64_t seq) {
    gw_fact_charge like = {.seq = seq};
    gw_fact_charge *charge = facts->charges.count == 0 ? NULL
                                                       : bsearch(&like, facts->charges.items, facts->charges.count,
                                                                 sizeof(like), charge_compare);
    if (charge == NULL || charge->has_outcome)
        return NULL; // a sound log has none such
    charge->has_outcome = true;
    facts->open_charges--;
    facts->datasets.items[charge->dataset].open--;
    return charge;
}

static void abandon_add(gw_facts *facts, const gw_entry *entry) {
    const gw_fact_charge *charge = outcome_take(facts, entry->abandon.charge);
    if (charge != NULL)
        facts->datasets.items[charge->dataset].abandoned++;
    for (size_t i = 0; i < facts->causes.count; i++) {
        if (strcmp(facts->causes.items[i].why, entry->abandon.why) != 0)
            continue;
        facts->causes.items[i].count++;
        return;
    }
    if (!ROOM(facts->causes)) {
        facts->is_whole = false;
        return;
    }
    gw_fact_cause cause = {.count = 1};
    memcpy(cause.why, entry->abandon.why, sizeof(cause.why));
    facts->causes.items[facts->causes.count++] = cause;
}

// ---- when

static void time_add(gw_facts *facts, const gw_entry *entry) {
    if (facts->entries == 0) {
        facts->first_time = facts->last_time = entry->time;
        return;
    }
    gw_fact_silence silence = {.after = entry->seq - 1, .from = facts->last_time, .to = entry->time};
    facts->last_time = entry->time;
    if (silence.to - silence.from > facts->longest.to - facts->longest.from)
        facts->longest = silence;
    if (silence.to - silence.from <= DAY)
        return;
    if (facts->silences.count < SILENCES_MAX && ROOM(facts->silences))
        facts->silences.items[facts->silences.count++] = silence;
    else
        facts->silences_left_out++;
}

void gw_facts_add(void *state, const gw_entry *entry) {
    gw_facts *facts = state;
    time_add(facts, entry);
    facts->entries++;
    facts->by_kind[entry->kind]++;
    facts->new_by_kind[entry->kind] += entry->seq >= facts->since;
    switch (entry->kind) {
    case GW_ENTRY_CHARGE:
        charge_add(facts, entry);
        return;
    case GW_ENTRY_RELEASE:
        gw_ignore(outcome_take(facts, entry->release.charge)); // only that it has one
        return;
    case GW_ENTRY_ABANDON:
        abandon_add(facts, entry);
        return;
    case GW_ENTRY_REFUSALS:
        refusals_add(facts, entry);
        return;
    case GW_ENTRY_PRINCIPAL:
        if (entry->seq == 1) // the first one signs for itself
            roles_set(facts, entry);
        fact_add(facts, entry);
        roles_set(facts, entry);
        return;
    case GW_ENTRY_KEY:
        key_count(facts, entry);
        break;
    case GW_ENTRY_GENESIS:
    case GW_ENTRY_POPULATION:
    case GW_ENTRY_POLICY:
    case GW_ENTRY_DATA:
    case GW_ENTRY_INCIDENT:
    case GW_ENTRY_EMBARGO:
    case GW_ENTRY_WITHDRAW:
    case GW_ENTRY_WITNESSES:
    case GW_ENTRY_KEYROT:
    case GW_ENTRY_RESTORE:
    case GW_ENTRY_CLOCK:
        break;
    }
    fact_add(facts, entry);
}
