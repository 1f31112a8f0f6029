// SPDX-License-Identifier: Apache-2.0
// The page's sections, each left out where there is nothing to say, each list cut with a command that shows the rest.
#include "client/cli/audit_page.h"
#include "client/cli/audit_balances.h"
#include "client/cli/entry_words.h"
#include "client/cli/wording.h"
#include "privacy/accounting/delta.h"
#include "service/base/check.h"
#include "service/format/text.h"
#include <stdarg.h>
#include <string.h>

#define ITEMS_MAX 12u // of one section: a page stays a page
#define NEWS_MAX 40u
#define TIME_COLUMN 20u
#define HOUR 3600

typedef unsigned long long wide; // for printf

static const char *plural(uint64_t count, const char *one, const char *many) {
    return count == 1 ? one : many;
}

static void section(gw_cli *cli, const char *title) {
    gw_say(cli, "\n%s\n", title);
}

// "  2026-11-21 22:30  text", wrapped under itself.
static void item_say(gw_cli *cli, int64_t time, const char *text) {
    gw_buffer clean, line;
    char when[GW_TIME_TEXT];
    gw_buffer_init(&clean, 16384);
    gw_buffer_init(&line, 32768);
    gw_time_format(time, when);
    gw_text_clean(&clean, text, cli->is_unicode);
    gw_buffer_format(&line, "  %-*s", (int)TIME_COLUMN - 2, when);
    gw_text_wrap(&line, gw_buffer_string(&clean), cli->width, TIME_COLUMN, TIME_COLUMN);
    gw_say_text(cli, gw_buffer_string(&line));
    gw_buffer_done(&clean);
    gw_buffer_done(&line);
}

// A sentence under a title.
static void __attribute__((format(printf, 2, 3))) line_say(gw_cli *cli, const char *format, ...) {
    char text[4096];
    gw_buffer clean, line;
    va_list arguments;
    va_start(arguments, format);
    gw_ignore(vsnprintf(text, sizeof(text), format, arguments)); // longer ones are cut
    va_end(arguments);
    gw_buffer_init(&clean, 16384);
    gw_buffer_init(&line, 32768);
    gw_text_clean(&clean, text, cli->is_unicode);
    gw_buffer_text(&line, "  ");
    gw_text_wrap(&line, gw_buffer_string(&clean), cli->width, 2, 2);
    gw_say_text(cli, gw_buffer_string(&line));
    gw_buffer_done(&clean);
    gw_buffer_done(&line);
}

static void more_say(gw_cli *cli, size_t count, const char *kind) {
    if (count > ITEMS_MAX)
        line_say(cli, "and %zu more, earlier: godwit audit log --kind %s", count - ITEMS_MAX, kind);
}

// ---- who allowed what

static void signed_say(const gw_fact *fact, gw_buffer *text) {
    gw_buffer_format(text, " (entry %llu", (wide)fact->entry.seq);
    for (size_t i = 0; i < fact->entry.by.count; i++) {
        char roles[80];
        gw_roles_format(fact->roles[i], roles);
        gw_buffer_format(text, "%s%.8s…, %s", i == 0 ? "; signed by " : " and ", fact->entry.by.ids[i], roles);
    }
    gw_buffer_text(text, ")");
}

static void amount_change(gw_buffer *text, const char *name, uint64_t before, uint64_t after) {
    if (before == after)
        return;
    gw_buffer_format(text, "%s%s ", text->size == 0 ? "" : ", ", name);
    gw_amount_say(text, "", before);
    gw_amount_say(text, " -> ", after);
}

static void number_change(gw_buffer *text, const char *name, uint64_t before, uint64_t after) {
    if (before != after)
        gw_buffer_format(text, "%s%s %llu -> %llu", text->size == 0 ? "" : ", ", name, (wide)before, (wide)after);
}

static void delta_change(gw_buffer *text, const char *name, uint64_t before, uint64_t after) {
    char old_text[GW_DELTA_TEXT], new_text[GW_DELTA_TEXT];
    if (before == after)
        return;
    gw_delta_format((gw_delta){before}, old_text);
    gw_delta_format((gw_delta){after}, new_text);
    gw_buffer_format(text, "%s%s %s -> %s", text->size == 0 ? "" : ", ", name, old_text, new_text);
}

static void changes_say(const gw_entry *before, const gw_entry *after, gw_buffer *text) {
    if (after->kind == GW_ENTRY_POPULATION) {
        amount_change(text, "total", before->population.total, after->population.total);
        number_change(text, "window in days", before->population.window_days, after->population.window_days);
        amount_change(text, "in a window", before->population.window_total, after->population.window_total);
        delta_change(text, "delta", before->population.delta, after->population.delta);
        delta_change(text, "selection delta", before->population.selection_delta, after->population.selection_delta);
        return;
    }
    amount_change(text, "total", before->policy.total, after->policy.total);
    amount_change(text, "for each principal", before->policy.principal_total, after->policy.principal_total);
    number_change(text, "window in days", before->policy.window_days, after->policy.window_days);
    amount_change(text, "in a window", before->policy.window_total, after->policy.window_total);
    amount_change(text, "a question at least", before->policy.question_min, after->policy.question_min);
    amount_change(text, "at most", before->policy.question_max, after->policy.question_max);
    delta_change(text, "delta", before->policy.delta, after->policy.delta);
    delta_change(text, "selection delta", before->policy.selection_delta, after->policy.selection_delta);
}

// What an entry says, and of a changed limit what it was.
static void fact_text(const gw_facts *facts, const gw_fact *fact, gw_buffer *text) {
    const gw_entry *entry = &fact->entry;
    if (fact->before == GW_FACT_NONE) {
        gw_entry_say(entry, text);
        signed_say(fact, text);
        return;
    }
    gw_buffer changes;
    gw_buffer_init(&changes, 2048);
    changes_say(&facts->facts.items[fact->before].entry, entry, &changes);
    if (entry->kind == GW_ENTRY_POLICY)
        gw_buffer_format(text, "%s version %llu: ", entry->policy.dataset, (wide)entry->policy.version);
    else
        gw_buffer_format(text, "%s: ", entry->population.population);
    gw_buffer_text(text, changes.size == 0 ? "no limit changed" : gw_buffer_string(&changes));
    signed_say(fact, text);
    gw_buffer_done(&changes);
}

static void fact_say(gw_cli *cli, const gw_facts *facts, const gw_fact *fact) {
    gw_buffer text;
    gw_buffer_init(&text, 8192);
    fact_text(facts, fact, &text);
    item_say(cli, fact->entry.time, gw_buffer_string(&text));
    gw_buffer_done(&text);
}

static bool is_one_of(gw_entry_kind kind, const gw_entry_kind *kinds, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

// The newest of these kinds, in the log's order.
static void facts_say(gw_cli *cli, const gw_facts *facts, const char *title, const gw_entry_kind *kinds,
                      size_t kind_count) {
    size_t count = 0, met = 0;
    for (size_t i = 0; i < facts->facts.count; i++)
        count += is_one_of(facts->facts.items[i].entry.kind, kinds, kind_count);
    if (count == 0)
        return;
    section(cli, title);
    for (size_t i = 0; i < facts->facts.count; i++)
        if (is_one_of(facts->facts.items[i].entry.kind, kinds, kind_count) && met++ + ITEMS_MAX >= count)
            fact_say(cli, facts, &facts->facts.items[i]);
    gw_buffer options;
    gw_buffer_init(&options, 256);
    for (size_t i = 0; i < kind_count; i++)
        gw_buffer_format(&options, "%s%s", i == 0 ? "" : " --kind ", gw_entry_kind_name(kinds[i]));
    more_say(cli, count, gw_buffer_string(&options));
    gw_buffer_done(&options);
}
#define FACTS_SAY(cli, facts, title, ...)                                                                              \
    facts_say(cli, facts, title, (const gw_entry_kind[]){__VA_ARGS__},                                                 \
              sizeof((const gw_entry_kind[]){__VA_ARGS__}) / sizeof(gw_entry_kind))

// ---- who

static void people_say(gw_cli *cli, const gw_facts *facts) {
    size_t shown = 0, others = 0, gone = 0, askers = 0;
    section(cli, "Who may do what");
    for (size_t i = 0; i < facts->people.count; i++) {
        const gw_fact_person *person = facts->people.items[i];
        char roles[80];
        askers += (person->roles & GW_ROLE_RESEARCHER) != 0;
        gone += person->roles == 0;
        if ((person->roles & ~(unsigned)GW_ROLE_RESEARCHER) == 0)
            continue;
        if (shown++ >= ITEMS_MAX) {
            others++;
            continue;
        }
        gw_roles_format(person->roles, roles);
        line_say(cli, "%s  %s; signed %llu %s%s", person->id, roles, (wide)person->signed_entries,
                 plural(person->signed_entries, "entry", "entries"), person->keys == 0 ? "; has no key now" : "");
    }
    if (others > 0)
        line_say(cli, "and %zu more with a role beyond asking: godwit audit log --kind principal", others);
    line_say(cli, "%zu %s ask questions%s", askers, plural(askers, "principal may", "principals may"),
             gone == 0 ? "." : ";");
    if (gone > 0)
        line_say(cli, "%zu %s lost every role.", gone, plural(gone, "has", "have"));
}

static bool is_about_rights(const gw_fact *fact) {
    const gw_entry *entry = &fact->entry;
    return (entry->kind == GW_ENTRY_PRINCIPAL && strcmp(entry->principal.action, "add") != 0) ||
           (entry->kind == GW_ENTRY_KEY && strcmp(entry->key.action, "add") != 0);
}

// Additions are many and expected; what was taken away or changed is looked at.
static void rights_say(gw_cli *cli, const gw_facts *facts) {
    uint64_t added = 0, keys = 0;
    size_t count = 0, met = 0;
    for (size_t i = 0; i < facts->facts.count; i++) {
        const gw_entry *entry = &facts->facts.items[i].entry;
        count += is_about_rights(&facts->facts.items[i]);
        added += entry->kind == GW_ENTRY_PRINCIPAL && strcmp(entry->principal.action, "add") == 0;
        keys += entry->kind == GW_ENTRY_KEY && strcmp(entry->key.action, "add") == 0;
    }
    section(cli, "People and keys that came and went");
    line_say(cli, "%llu %s and %llu %s added.", (wide)added, plural(added, "principal", "principals"), (wide)keys,
             plural(keys, "key was", "keys were"));
    for (size_t i = 0; i < facts->facts.count; i++)
        if (is_about_rights(&facts->facts.items[i]) && met++ + ITEMS_MAX >= count)
            fact_say(cli, facts, &facts->facts.items[i]);
    more_say(cli, count, "principal --kind key");
}

// ---- charges

static void endings_say(gw_cli *cli, const gw_facts *facts) {
    uint64_t abandoned = facts->by_kind[GW_ENTRY_ABANDON];
    if (abandoned == 0 && facts->open_charges == 0)
        return;
    section(cli, "Charges without an answer");
    for (size_t i = 0; i < facts->causes.count && i < ITEMS_MAX; i++)
        line_say(cli, "%llu given up: %s. What they cost stays spent.", (wide)facts->causes.items[i].count,
                 facts->causes.items[i].why);
    if (facts->causes.count > ITEMS_MAX)
        line_say(cli, "and for %zu other reasons: godwit audit log --kind abandon", facts->causes.count - ITEMS_MAX);
    size_t shown = 0;
    for (size_t i = 0; i < facts->charges.count && facts->open_charges > 0; i++) {
        const gw_fact_charge *charge = &facts->charges.items[i];
        gw_buffer text;
        if (charge->has_outcome || shown++ >= ITEMS_MAX)
            continue;
        gw_buffer_init(&text, 512);
        gw_buffer_format(&text, "charge %llu", (wide)charge->seq);
        gw_amount_say(&text, " of ", charge->cost);
        gw_buffer_format(&text, " on %s is open: spent, and no outcome is in this log",
                         facts->datasets.items[charge->dataset].dataset);
        item_say(cli, charge->time, gw_buffer_string(&text));
        gw_buffer_done(&text);
    }
    if (shown > ITEMS_MAX)
        line_say(cli, "and %zu more open: godwit audit log --kind charge", shown - ITEMS_MAX);
}

static void refusals_say(gw_cli *cli, const gw_facts *facts) {
    if (facts->refusals.count == 0)
        return;
    section(cli, "Refusals");
    for (size_t i = 0; i < facts->refusals.count && i < ITEMS_MAX; i++) {
        const gw_fact_refusal *refusal = facts->refusals.items[i];
        line_say(cli, "%.8s…  %s: %llu %s", refusal->id, refusal->code, (wide)refusal->count,
                 plural(refusal->count, "time", "times"));
    }
    if (facts->refusals.count > ITEMS_MAX)
        line_say(cli, "and %zu more: godwit audit log --kind refusals", facts->refusals.count - ITEMS_MAX);
}

// ---- when

static void span_format(int64_t seconds, char text[32]) {
    int64_t days = seconds / 86400, hours = seconds % 86400 / HOUR, minutes = seconds % HOUR / 60;
    if (days > 0)
        gw_ignore(snprintf(text, 32, "%lld d %lld h", (long long)days, (long long)hours)); // it fits
    else if (hours > 0)
        gw_ignore(snprintf(text, 32, "%lld h %lld min", (long long)hours, (long long)minutes)); // it fits
    else if (minutes > 0)
        gw_ignore(snprintf(text, 32, "%lld min", (long long)minutes)); // it fits
    else
        gw_ignore(snprintf(text, 32, "%lld s", (long long)seconds)); // it fits
}

static void times_say(gw_cli *cli, const gw_facts *facts) {
    char first[GW_TIME_TEXT], last[GW_TIME_TEXT], span[32];
    if (facts->entries < 2)
        return;
    gw_time_format(facts->first_time, first);
    gw_time_format(facts->last_time, last);
    span_format(facts->longest.to - facts->longest.from, span);
    section(cli, "Time");
    line_say(cli, "From %s to %s UTC. The longest silence: %s, after entry %llu.", first, last, span,
             (wide)facts->longest.after);
    size_t count = facts->silences.count;
    for (size_t i = count > ITEMS_MAX ? count - ITEMS_MAX : 0; i < count && count > 1; i++) {
        gw_buffer text;
        gw_buffer_init(&text, 256);
        span_format(facts->silences.items[i].to - facts->silences.items[i].from, span);
        gw_buffer_format(&text, "nothing for %s, after entry %llu", span, (wide)facts->silences.items[i].after);
        item_say(cli, facts->silences.items[i].from, gw_buffer_string(&text));
        gw_buffer_done(&text);
    }
    if (count + facts->silences_left_out > ITEMS_MAX)
        line_say(cli, "and %llu more silences of over a day: godwit audit verify -o json",
                 (wide)(count + facts->silences_left_out - ITEMS_MAX));
    uint64_t charges = facts->by_kind[GW_ENTRY_CHARGE];
    if (charges > 0)
        line_say(cli, "Of %llu %s %llu came on a Saturday or Sunday, %llu between 22 and 6 o'clock UTC.", (wide)charges,
                 plural(charges, "charge", "charges"), (wide)facts->charges_at_weekends, (wide)facts->charges_at_night);
}

// ---- the page

void gw_audit_page_say(gw_cli *cli, const gw_audit_state *state, const gw_facts *facts) {
    gw_audit_deltas_say(cli, state);
    FACTS_SAY(cli, facts, "Who allowed what", GW_ENTRY_POPULATION, GW_ENTRY_POLICY);
    people_say(cli, facts);
    rights_say(cli, facts);
    FACTS_SAY(cli, facts, "Data", GW_ENTRY_DATA);
    FACTS_SAY(cli, facts, "Keys and witnesses of the log", GW_ENTRY_GENESIS, GW_ENTRY_WITNESSES, GW_ENTRY_KEYROT);
    FACTS_SAY(cli, facts, "Answers kept back or withdrawn", GW_ENTRY_EMBARGO, GW_ENTRY_WITHDRAW);
    endings_say(cli, facts);
    FACTS_SAY(cli, facts, "Restored ledgers", GW_ENTRY_RESTORE);
    FACTS_SAY(cli, facts, "Who answered for the clock", GW_ENTRY_CLOCK);
    FACTS_SAY(cli, facts, "Incidents", GW_ENTRY_INCIDENT);
    refusals_say(cli, facts);
    times_say(cli, facts);
    if (facts->facts_left_out > 0)
        line_say(cli, "%llu entries of this kind were too many for this page: godwit audit export",
                 (wide)facts->facts_left_out);
}

// How entries of a kind are counted in a sentence.
static const struct {
    const char *one, *many;
} kind_words[GW_FACT_KINDS] = {
    [GW_ENTRY_GENESIS] = {"beginning", "beginnings"},
    [GW_ENTRY_PRINCIPAL] = {"change of rights", "changes of rights"},
    [GW_ENTRY_KEY] = {"change of keys", "changes of keys"},
    [GW_ENTRY_POPULATION] = {"population's budget", "populations' budgets"},
    [GW_ENTRY_POLICY] = {"policy", "policies"},
    [GW_ENTRY_DATA] = {"data version", "data versions"},
    [GW_ENTRY_CHARGE] = {"charge", "charges"},
    [GW_ENTRY_RELEASE] = {"answer", "answers"},
    [GW_ENTRY_ABANDON] = {"charge given up", "charges given up"},
    [GW_ENTRY_REFUSALS] = {"hour with refusals", "hours with refusals"},
    [GW_ENTRY_INCIDENT] = {"incident", "incidents"},
    [GW_ENTRY_EMBARGO] = {"embargo", "embargoes"},
    [GW_ENTRY_WITHDRAW] = {"withdrawal", "withdrawals"},
    [GW_ENTRY_WITNESSES] = {"change of witnesses", "changes of witnesses"},
    [GW_ENTRY_KEYROT] = {"change of the log's key", "changes of the log's key"},
    [GW_ENTRY_RESTORE] = {"restore", "restores"},
    [GW_ENTRY_CLOCK] = {"confirmation of the clock", "confirmations of the clock"},
};

void gw_audit_news_say(gw_cli *cli, const gw_facts *facts) {
    gw_buffer kinds;
    size_t count = 0, met = 0;
    gw_buffer_init(&kinds, 1024);
    for (size_t i = 0; i < GW_FACT_KINDS; i++)
        if (facts->new_by_kind[i] > 0)
            gw_buffer_format(&kinds, "%s%llu %s", kinds.size == 0 ? "" : ", ", (wide)facts->new_by_kind[i],
                             plural(facts->new_by_kind[i], kind_words[i].one, kind_words[i].many));
    section(cli, "New since the checkpoint you kept");
    line_say(cli, "%s.", kinds.size == 0 ? "Nothing" : gw_buffer_string(&kinds));
    gw_buffer_done(&kinds);
    for (size_t i = 0; i < facts->datasets.count && i < ITEMS_MAX; i++) {
        const gw_fact_dataset *dataset = &facts->datasets.items[i];
        gw_buffer spent;
        gw_buffer_init(&spent, 64);
        gw_amount_say(&spent, "", dataset->new_charged);
        if (dataset->new_charges > 0)
            line_say(cli, "%s: %s spent in %llu %s", dataset->dataset, gw_buffer_string(&spent),
                     (wide)dataset->new_charges, plural(dataset->new_charges, "charge", "charges"));
        gw_buffer_done(&spent);
    }
    for (size_t i = 0; i < facts->facts.count; i++)
        count += facts->facts.items[i].entry.seq >= facts->since;
    for (size_t i = 0; i < facts->facts.count; i++)
        if (facts->facts.items[i].entry.seq >= facts->since && met++ + NEWS_MAX >= count)
            fact_say(cli, facts, &facts->facts.items[i]);
    if (count > NEWS_MAX)
        line_say(cli, "and %zu more, earlier: godwit audit log --from %llu", count - NEWS_MAX, (wide)facts->since);
}
