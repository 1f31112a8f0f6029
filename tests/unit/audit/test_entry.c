// SPDX-License-Identifier: Apache-2.0
// The log's grammar: what is written is read back, and nothing else is read.
#include "service/audit/entry.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_A "0000000000000000000000000000000a"
#define ID_B "0000000000000000000000000000000b"
#define HASH_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define HASH_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define VKEY "stats.example/ledger1+5cca7dff+ASFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS"

static const char charge_text[] =
    "godwit/v1 charge\nseq 7\ntime 1790000000\ndataset nso.example/register\n"
    "population nso.example/residents\npolicy 5\ndata " ID_A "\nprincipal " ID_B "\nidem " ID_A "\nrequest " HASH_0
    "\nquestion " HASH_1 "\nwindow 56\ncost 50000\ndelta 0\nspent-dataset 50000\nspent-population 50000\n"
    "spent-principal 50000\nspent-window 50000\n";

// With a delta: the population's and the policy's own, rho, and a question that selected keys.
static const char population_delta_text[] =
    "godwit/v1 population\nseq 3\ntime 1\npopulation nso.example/residents\ntotal 20000000\nwindow-days 0\n"
    "window-total 0\naccounting zcdp\ndelta 1000000000\nselection-delta 5\nby " ID_A "\n";
static const char policy_delta_text[] =
    "godwit/v1 policy\nseq 5\ntime 2\ndataset nso.example/register\npopulation nso.example/residents\nversion 3\n"
    "file " HASH_1 "\naccounting zcdp\ntotal 10000000\nprincipal-total 2000000\nwindow-days 365\nwindow-total 4000000\n"
    "question-min 10000\nquestion-max 500000\ndelta 1000000000\nselection-delta 7\nsupersedes none\nby " ID_A "\n";
static const char charge_delta_text[] =
    "godwit/v1 charge\nseq 7\ntime 1790000000\ndataset nso.example/register\n"
    "population nso.example/residents\npolicy 5\ndata " ID_A "\nprincipal " ID_B "\nidem " ID_A "\nrequest " HASH_0
    "\nquestion " HASH_1 "\nwindow 56\ncost 50000\ndelta 3\nspent-dataset 50000\nspent-population 50000\n"
    "spent-principal 50000\nspent-window 50000\nrho 1374103623\nspent-rho-dataset 1374103623\n"
    "spent-rho-population 2748207246\nspent-delta-dataset 3\nspent-delta-population 4\n";

static const char *const texts[] = {
    "godwit/v1 genesis\nseq 0\ntime 0\norigin stats.example/ledger1\nlog-key " VKEY "\nwitnesses " HASH_0 "\n",
    "godwit/v1 principal\nseq 1\ntime 1\nprincipal " ID_A "\naction add\nroles owner,operator\nby " ID_A "\n",
    "godwit/v1 principal\nseq 2\ntime 1\nprincipal " ID_B "\naction revoke\nroles none\nby " ID_A "\nby " ID_B "\n",
    "godwit/v1 key\nseq 2\ntime 1\nprincipal " ID_A "\naction add\nkind sign\nkey " HASH_1
    "\nnot-before 0\nnot-after 9223372036854775807\nby " ID_A "\n",
    "godwit/v1 population\nseq 3\ntime 1\npopulation nso.example/residents\ntotal 18446744073709551615\n"
    "window-days 365\nwindow-total 4000000\nby " ID_A "\nby " ID_B "\n",
    "godwit/v1 policy\nseq 5\ntime 2\ndataset nso.example/register\npopulation nso.example/residents\nversion 3\n"
    "file " HASH_1 "\naccounting pure\ntotal 10000000\nprincipal-total 2000000\nwindow-days 365\nwindow-total 4000000\n"
    "question-min 10000\nquestion-max 500000\ndelta 0\nsupersedes none\nby " ID_A "\n",
    "godwit/v1 data\nseq 6\ntime 2\ndataset nso.example/register\nversion " ID_A "\nseal " HASH_1 "\nby " ID_A "\n",
    charge_text,
    "godwit/v1 release\nseq 8\ntime 3\ncharge 7\nrelease GW-2026-000143\nanswer " HASH_1 "\nvisible 1790000000\n",
    "godwit/v1 abandon\nseq 8\ntime 3\ncharge 7\nwhy engine_failed\n",
    "godwit/v1 refusals\nseq 9\ntime 4\nprincipal " ID_B "\nfrom 1\nto 2\ncounts budget_principal=3 denied=1\n",
    "godwit/v1 incident\nseq 10\ntime 5\ncode clock_jumped\n",
    "godwit/v1 embargo\nseq 10\ntime 5\nrelease GW-2026-000143\nuntil 1790000000\nby " ID_A "\n",
    "godwit/v1 withdraw\nseq 10\ntime 5\nrelease GW-2026-000143\nby " ID_A "\n",
    "godwit/v1 witnesses\nseq 10\ntime 5\nfile " HASH_1 "\nby " ID_A "\nby " ID_B "\n",
    "godwit/v1 keyrot\nseq 10\ntime 5\nold " VKEY "\nnew " VKEY "\nby " ID_A "\n",
    "godwit/v1 restore\nseq 10\ntime 5\nfrom 10\nlost 3\nby " ID_A "\nby " ID_B "\n",
    "godwit/v1 clock\nseq 10\ntime 5\nsure 4\nby " ID_A "\n",
    population_delta_text,
    policy_delta_text,
    charge_delta_text,
    "godwit/v1 population\nseq 3\ntime 1\npopulation p\ntotal 1\nwindow-days 0\nwindow-total 0\nselection-delta "
    "5\nby " ID_A "\n",
};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static gw_status decode(const char *text, gw_entry *ret, gw_problem *problem) {
    return gw_entry_decode(gw_bytes_of(text), ret, problem);
}

static void every_kind_is_read_and_written_the_same(void **state) {
    (void)state;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        gw_entry entry;
        gw_buffer buffer;
        gw_buffer_init(&buffer, GW_ENTRY_BYTES_MAX);
        assert_int_equal(decode(texts[i], &entry, NULL), GW_OK);
        gw_entry_encode(&entry, &buffer);
        assert_string_equal(gw_buffer_string(&buffer), texts[i]);
        gw_buffer_done(&buffer);
    }
}

static void fields_arrive_where_they_belong(void **state) {
    (void)state;
    gw_entry entry;
    assert_int_equal(decode(charge_text, &entry, NULL), GW_OK);
    assert_int_equal(entry.kind, GW_ENTRY_CHARGE);
    assert_int_equal(entry.seq, 7);
    assert_string_equal(entry.charge.principal, ID_B);
    assert_int_equal(entry.charge.cost, 50000);
    assert_int_equal(entry.charge.window, 56);
    assert_int_equal(entry.charge.question.bytes[31], 0x11);
    assert_int_equal(decode(texts[5], &entry, NULL), GW_OK);
    assert_true(entry.policy.supersedes == GW_NO_SEQ);
    assert_int_equal(entry.policy.delta, 0);
    assert_int_equal(decode(policy_delta_text, &entry, NULL), GW_OK);
    assert_int_equal(entry.policy.delta, 1000000000);
    assert_int_equal(entry.policy.selection_delta, 7);
    assert_int_equal(decode(charge_delta_text, &entry, NULL), GW_OK);
    assert_int_equal(entry.charge.rho, 1374103623);
    assert_int_equal(entry.charge.spent_rho_population, 2748207246);
    assert_int_equal(entry.charge.spent_delta_population, 4);
    assert_int_equal(decode(texts[4], &entry, NULL), GW_OK);
    assert_true(entry.population.total == UINT64_MAX);
    assert_int_equal(entry.by.count, 2);
}

// Any single byte changed, removed or doubled gives another entry or none, never the same one.
static void no_changed_byte_reads_as_the_same_entry(void **state) {
    (void)state;
    size_t size = strlen(charge_text);
    char text[2048];
    for (size_t at = 0; at < size; at++) {
        static const char others[] = {'\n', ' ', '0', 'a', '\0', '\x7f', '-', 'A'};
        for (size_t k = 0; k < sizeof(others); k++) {
            gw_entry entry;
            memcpy(text, charge_text, size + 1);
            if (text[at] == others[k])
                continue;
            text[at] = others[k];
            gw_buffer buffer;
            gw_buffer_init(&buffer, GW_ENTRY_BYTES_MAX);
            if (gw_entry_decode((gw_bytes){.data = (uint8_t *)text, .size = size}, &entry, NULL) == GW_OK) {
                gw_entry_encode(&entry, &buffer);
                assert_int_equal(buffer.size, size);
                assert_memory_equal(buffer.data, text, size);
            }
            gw_buffer_done(&buffer);
        }
    }
}

typedef struct {
    const char *from, *to;
    size_t line; // named in the problem
} change;

static void loose_spellings_are_refused_with_their_line(void **state) {
    (void)state;
    static const change changes[] = {
        {"cost 50000", "cost 050000", 13},
        {"cost 50000", "cost +50000", 13},
        {"cost 50000", "cost 18446744073709551616", 13},
        {"cost 50000", "cost 5e4", 13},
        {"cost 50000", "cost ", 13},
        {"cost 50000", "cost  50000", 13},
        {"delta 0", "delta 1", 19}, // and no sums of it
        {"spent-window 50000\n", "spent-window 50000\nrho 0\n", 20},
        {"spent-window 50000\n", "spent-window 50000\nrho 1\n", 20}, // without its sums
        {"spent-window 50000\n", "spent-window 50000\nspent-rho-dataset 1\n", 20},
        {"seq 7", "seq -7", 2},
        {"time 1790000000", "time 9223372036854775808", 3},
        {"godwit/v1", "godwit/v2", 1},
        {"charge\n", "surcharge\n", 1},
        {"idem " ID_A, "idem 0000000000000000000000000000000A", 9},
        {"dataset nso", "dataset nso\xc3\xb6", 4},
        {"dataset nso.example/register", "dataset nso.example register", 4},
        {"window 56\n", "", 12},
        {"spent-window 50000\n", "spent-window 50000\nmore 1\n", 19},
        {"spent-window 50000\n", "spent-window 50000", 18},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char text[2048], line[32];
        const char *at = strstr(charge_text, changes[i].from);
        assert_non_null(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - charge_text), charge_text, changes[i].to,
                 at + strlen(changes[i].from));
        gw_entry entry;
        gw_problem problem = {0};
        assert_int_equal(decode(text, &entry, &problem), GW_CORRUPT);
        assert_string_equal(problem.code, "bad_entry");
        snprintf(line, sizeof(line), "Line %zu ", changes[i].line);
        if (strncmp(problem.why, line, strlen(line)) != 0)
            fail_msg("change %zu: %s", i, problem.why);
    }
}

// Lines of the accounting stand together or not at all, and agree.
static void a_delta_and_its_accounting_agree(void **state) {
    (void)state;
    static const struct {
        const char *text, *from, *to;
    } changes[] = {
        {policy_delta_text, "accounting zcdp", "accounting pure"},
        {policy_delta_text, "\ndelta 1000000000", "\ndelta 0"},
        {policy_delta_text, "accounting zcdp", "accounting rdp"},
        {policy_delta_text, "selection-delta 7", "selection-delta 0"},
        {policy_delta_text, "accounting zcdp\n", ""},
        {population_delta_text, "accounting zcdp\n", ""},
        {population_delta_text, "accounting zcdp", "accounting pure"},
        {population_delta_text, "\ndelta 1000000000", ""},
        {population_delta_text, "\ndelta 1000000000", "\ndelta 0"},
        {charge_delta_text, "rho 1374103623\n", ""},
        {charge_delta_text, "delta 3\n", "delta 0\n"},
        {charge_delta_text, "spent-rho-dataset 1374103623\n", ""},
        {charge_delta_text, "spent-delta-population 4\n", ""},
        {charge_delta_text, "rho 1374103623", "rho 01374103623"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char text[2048];
        gw_entry entry;
        const char *at = strstr(changes[i].text, changes[i].from);
        assert_non_null(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - changes[i].text), changes[i].text, changes[i].to,
                 at + strlen(changes[i].from));
        if (decode(text, &entry, NULL) != GW_CORRUPT)
            fail_msg("change %zu is read", i);
    }
}

static void roles_outside_their_order_are_refused(void **state) {
    (void)state;
    gw_entry entry;
    char text[80];
    assert_int_equal(decode("godwit/v1 principal\nseq 1\ntime 1\nprincipal " ID_A
                            "\naction add\nroles operator,owner\nby " ID_A "\n",
                            &entry, NULL),
                     GW_CORRUPT);
    assert_int_equal(decode("godwit/v1 principal\nseq 1\ntime 1\nprincipal " ID_A "\naction add\nroles king\nby " ID_A
                            "\n",
                            &entry, NULL),
                     GW_CORRUPT);
    assert_int_equal(gw_roles_parse("owner,gateway"), GW_ROLE_OWNER | GW_ROLE_GATEWAY);
    assert_int_equal(gw_roles_parse("owner,,gateway"), 0);
    assert_int_equal(gw_roles_parse(""), 0);
    gw_roles_format(31, text);
    assert_string_equal(text, "researcher,owner,auditor,operator,gateway");
    gw_roles_format(0, text);
    assert_string_equal(text, "none");
}

static void entries_without_or_with_too_many_signers_are_refused(void **state) {
    (void)state;
    gw_entry entry;
    char text[1024] = "godwit/v1 data\nseq 6\ntime 2\ndataset d\nversion " ID_A "\nseal " HASH_1 "\n";
    assert_int_equal(decode(text, &entry, NULL), GW_CORRUPT);
    for (size_t i = 0; i < GW_SIGNERS_MAX; i++) {
        strcat(text, "by " ID_A "\n");
        assert_int_equal(decode(text, &entry, NULL), GW_OK);
    }
    strcat(text, "by " ID_A "\n");
    assert_int_equal(decode(text, &entry, NULL), GW_CORRUPT);
}

static int setup(void **state) {
    (void)state;
    return gw_crypto_init() == GW_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_and_written_the_same),
        cmocka_unit_test(fields_arrive_where_they_belong),
        cmocka_unit_test(no_changed_byte_reads_as_the_same_entry),
        cmocka_unit_test(loose_spellings_are_refused_with_their_line),
        cmocka_unit_test(a_delta_and_its_accounting_agree),
        cmocka_unit_test(roles_outside_their_order_are_refused),
        cmocka_unit_test(entries_without_or_with_too_many_signers_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
