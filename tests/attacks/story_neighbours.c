// SPDX-License-Identifier: Apache-2.0
// Story: the same questions, good and bad, go to three registers that differ in people alone: with one person, without,
// and with nobody (attacks 10, 12, 13, 14, 31). Replies may differ in protected figures and in nothing else: same
// status, same words, same lengths. Afterwards no exact total stands anywhere but in the data, and no process of the
// service leaves a core.
#include "tests/attacks/registers.h"

#include "service/base/file.h"
#include "tests/support/unit.h"

#include <ctype.h>
#include <signal.h>

#define PERSONS 12347u
#define IDS_MAX 128u

static test_daemon service;
static gw_profile researcher;

static int begin(void **state) {
    (void)state;
    test_daemon_init(&service);
    service.serve_flags[0] = "--log-level";
    service.serve_flags[1] = "debug";
    test_daemon_start(&service);
    registers_load(&service, PERSONS, (test_budget){"3", "2", "0.01", "1"});
    test_daemon_principal(&service, "researcher", &researcher);
    return 0;
}

static int end(void **state) {
    (void)state;
    test_daemon_done(&service);
    return 0;
}

// ---- what may be told of a reply

typedef struct {
    gw_reply_status status;
    gw_problem problem;
    size_t answer_size, account_size;
    size_t cell_count;
    char facts[65536]; // of what is no query: the whole text, the register's name made alike
} told;

static void made_alike(const char *dataset, gw_bytes text, char *ret, size_t size) {
    size_t at = 0;
    for (size_t i = 0; i < text.size && at + 1 < size; i++) {
        if (text.size - i >= strlen(dataset) && memcmp(text.data + i, dataset, strlen(dataset)) == 0) {
            at += (size_t)snprintf(ret + at, size - at, "DATASET");
            i += strlen(dataset) - 1;
        } else {
            ret[at++] = (char)text.data[i];
        }
    }
    ret[at] = '\0';
}

static void alike_text(const char *dataset, char *text, size_t size) {
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", text);
    made_alike(dataset, gw_bytes_of(copy), text, size);
}

static void ask(test_asker *asker, const char *kind, const char *dataset, const char *rest, told *ret) {
    char body[1024];
    memset(ret, 0, sizeof *ret);
    register_body(body, kind, dataset, rest);
    bool is_ok = test_ask(asker, body, NULL);
    ret->status = asker->reply.status;
    ret->answer_size = asker->reply.answer.size;
    ret->account_size = asker->reply.account.size;
    if (!is_ok) {
        ret->problem = asker->problem;
        alike_text(dataset, ret->problem.what, sizeof ret->problem.what);
        alike_text(dataset, ret->problem.why, sizeof ret->problem.why);
        alike_text(dataset, ret->problem.mend, sizeof ret->problem.mend);
    } else if (strcmp(kind, "query") != 0) {
        made_alike(dataset, asker->reply.answer, ret->facts, sizeof ret->facts);
    }
}

static void assert_told_alike(const char *kind, const char *rest, const told *a, const told *b) {
    bool is_alike = a->status == b->status && strcmp(a->problem.code, b->problem.code) == 0 &&
                    strcmp(a->problem.what, b->problem.what) == 0 && strcmp(a->problem.why, b->problem.why) == 0 &&
                    strcmp(a->problem.mend, b->problem.mend) == 0 &&
                    a->problem.charged.micro == b->problem.charged.micro && a->answer_size == b->answer_size &&
                    a->account_size == b->account_size;
    if (!is_alike)
        fail_msg("%s %s: %s %s %s, %zu and %zu bytes; then %s %s %s, %zu and %zu bytes", kind, rest, a->problem.code,
                 a->problem.what, a->problem.why, a->answer_size, a->account_size, b->problem.code, b->problem.what,
                 b->problem.why, b->answer_size, b->account_size);
}

static void ask_all_three(test_asker *asker, const char *kind, const char *rest, gw_reply_status status) {
    static told replies[REGISTERS];
    for (size_t i = 0; i < REGISTERS; i++) {
        ask(asker, kind, register_name((register_kind)i), rest, &replies[i]);
        if (replies[i].status != status)
            fail_msg("%s %s: status %d %s %s", kind, rest, (int)replies[i].status, replies[i].problem.code,
                     replies[i].problem.why);
        assert_told_alike(kind, rest, &replies[0], &replies[i]);
    }
}

// ---- 12, 14: answers

#define COUNT "\"measure\":{\"statistic\":\"count\"}"
#define MEAN "\"measure\":{\"statistic\":\"mean\",\"of\":\"hours\"}"

#define OF_HOURS(statistic, more) "\"measure\":{\"statistic\":\"" statistic "\",\"of\":\"hours\"" more "}"

// Of every mechanism and every way to figures.
static const char *const questions_of_all[] = {
    COUNT ",\"by\":[],\"epsilon\":\"0.05\"",
    COUNT ",\"by\":[\"sex\",\"activity\"],\"epsilon\":\"0.05\"",
    COUNT ",\"by\":[\"age:work\"],\"where\":[{\"concept\":\"age\",\"between\":[119,120]}],\"epsilon\":\"0.05\"",
    "\"measure\":{\"statistic\":\"share\"},\"by\":[\"activity\"],\"epsilon\":\"0.05\"",
    MEAN ",\"by\":[\"sex\"],\"epsilon\":\"0.05\"",
    MEAN ",\"by\":[],\"where\":[{\"concept\":\"hours\",\"between\":[80,80]}],\"epsilon\":\"0.05\"", // of nobody
    "\"measure\":{\"statistic\":\"sum\",\"of\":\"hours\"},\"by\":[\"sex\"],\"epsilon\":\"0.05\"",
    "\"indicator\":\"unemployment_rate\",\"by\":[],\"epsilon\":\"0.05\"",
    OF_HOURS("variance", "") ",\"by\":[\"sex\"],\"epsilon\":\"0.02\"",
    OF_HOURS("sd", "") ",\"by\":[],\"epsilon\":\"0.02\"",
    OF_HOURS("ratio", ",\"over\":\"age\"") ",\"by\":[\"sex\"],\"epsilon\":\"0.02\"",
    OF_HOURS("histogram", ",\"bins\":20") ",\"by\":[\"sex\"],\"epsilon\":\"0.02\"",
    MEAN ",\"by\":[],\"gap\":{\"concept\":\"sex\",\"group\":\"F\",\"reference\":\"M\"},\"epsilon\":\"0.02\"",
    OF_HOURS("quantile", ",\"at\":[\"0.5\"]") ",\"by\":[\"sex\"],\"epsilon\":\"0.02\"",
    OF_HOURS("quantile", ",\"at\":[\"0.1\",\"0.5\",\"0.9\"]") ",\"by\":[\"sex\"],\"epsilon\":\"0.02\"",
    OF_HOURS("poverty", "") ",\"by\":[\"activity\"],\"epsilon\":\"0.02\"",
    OF_HOURS("gini", "") ",\"by\":[],\"epsilon\":\"0.02\"",
    OF_HOURS("quintile_ratio", "") ",\"by\":[\"sex\"],\"epsilon\":\"0.02\"",
    COUNT ",\"tables\":[[\"sex\",\"activity\"],[\"sex\"],[]],\"epsilon\":\"0.05\"",
};
#define QUESTIONS_OF_ALL (sizeof questions_of_all / sizeof *questions_of_all)

static void answers_are_equally_long_for_many_one_less_and_nobody(void **state) {
    test_asker asker;
    (void)state;
    test_asker_open(&asker, &researcher);
    for (size_t i = 0; i < QUESTIONS_OF_ALL; i++)
        ask_all_three(&asker, "query", questions_of_all[i], GW_REPLY_OK);
    test_asker_close(&asker);
}

static gw_hash answer_of(test_asker *asker, size_t question) {
    char body[1024];
    register_body(body, "query", register_name(REGISTER_WHOLE), questions_of_all[question]);
    if (!test_ask(asker, body, NULL))
        fail_msg("%s: %s %s", body, asker->problem.code, asker->problem.why);
    return gw_sha256(asker->reply.answer);
}

// Neither fresh noise nor a second charge, whatever the mechanism: the same bytes from the ledger.
static void every_answer_is_the_same_and_free_after_a_kill(void **state) {
    gw_hash before[QUESTIONS_OF_ALL];
    test_asker asker;
    (void)state;
    test_asker_open(&asker, &researcher);
    for (size_t i = 0; i < QUESTIONS_OF_ALL; i++)
        before[i] = answer_of(&asker, i);
    const uint64_t spent = test_daemon_spent(&service, register_name(REGISTER_WHOLE));
    test_daemon_stop(&service, SIGKILL);
    test_daemon_start(&service);
    test_asker_reconnect(&asker);
    for (size_t i = 0; i < QUESTIONS_OF_ALL; i++)
        assert_true(gw_hash_equal(before[i], answer_of(&asker, i)));
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&service, register_name(REGISTER_WHOLE)), spent);
}

// ---- 10: what is not protected says nothing of the data

// What the public log and the clock say of each register: none of it follows from its data.
static void of_the_log_made_alike(char *text) {
    static const char *const members[] = {
        "\"policy_entry\":", "\"policy_time\":", "\"policy_file\":", "\"data_version\":", "\"data_time\":",
        "\"question\":",     "\"time\":",        "\"id\":",          "\"expires\":"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        for (char *at = text; (at = strstr(at, members[i])) != NULL;) {
            at += strlen(members[i]);
            size_t size = at[0] == '"' ? strcspn(at + 1, "\"") + 2 : strspn(at, "0123456789");
            memmove(at, at + size, strlen(at + size) + 1);
        }
}

static void facts_are_the_same_for_many_one_less_and_nobody(void **state) {
    test_asker asker;
    static told replies[REGISTERS];
    (void)state;
    test_asker_open(&asker, &researcher);
    static const char *const kinds[][2] = {{"describe", ""},
                                           {"budget", ""},
                                           {"cost", COUNT ",\"by\":[\"sex\"],\"epsilon\":\"0.05\""},
                                           {"cost", COUNT ",\"by\":[],\"target_error\":\"100\""}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < REGISTERS; i++) {
            ask(&asker, kinds[k][0], register_name((register_kind)i), kinds[k][1], &replies[i]);
            assert_int_equal(replies[i].status, GW_REPLY_OK);
            of_the_log_made_alike(replies[i].facts);
            assert_string_equal(replies[0].facts, replies[i].facts);
        }
    test_asker_close(&asker);
}

static void a_difference_of_two_questions_costs_both(void **state) {
    static const char *const questions[] = {
        COUNT ",\"by\":[],\"epsilon\":\"0.02\"",
        COUNT ",\"by\":[],\"where\":[{\"concept\":\"age\",\"between\":[1,120]}],\"epsilon\":\"0.02\""};
    test_asker asker;
    (void)state;
    const uint64_t before = test_daemon_spent(&service, register_name(REGISTER_WHOLE));
    test_asker_open(&asker, &researcher);
    for (size_t i = 0; i < 2; i++)
        ask_all_three(&asker, "query", questions[i], GW_REPLY_OK);
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&service, register_name(REGISTER_WHOLE)) - before, 40000);
}

// ---- 13: refusals

static void refusals_are_the_same_for_many_one_less_and_nobody(void **state) {
    static const char *const questions[] = {
        COUNT ",\"by\":[\"shoe_size\"],\"epsilon\":\"0.05\"",
        COUNT ",\"by\":[\"sex\"],\"epsilon\":\"0\"",
        COUNT ",\"by\":[\"sex\"],\"epsilon\":\"1.000001\"",
        COUNT ",\"by\":[\"sex\"],\"epsilon\":\"0.05\",\"max_cost\":\"0.04\"",
        COUNT ",\"by\":[],\"where\":[{\"concept\":\"activity\",\"in\":[\"RETIRED\"]}],\"epsilon\":\"0.05\"",
        COUNT ",\"by\":[],\"where\":[{\"concept\":\"age\",\"between\":[121,130]}],\"epsilon\":\"0.05\"",
        "\"measure\":{\"statistic\":\"mean\",\"of\":\"sex\"},\"by\":[],\"epsilon\":\"0.05\"",
        "\"measure\":{\"statistic\":\"mean\"},\"by\":[],\"epsilon\":\"0.05\"",
        "\"measure\":{\"statistic\":\"median\",\"of\":\"hours\"},\"by\":[],\"epsilon\":\"0.05\"",
        "\"indicator\":\"happiness\",\"by\":[],\"epsilon\":\"0.05\"",
        MEAN ",\"by\":[],\"target_error\":\"0.0000001\"",
    };
    test_asker asker;
    (void)state;
    test_asker_open(&asker, &researcher);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        ask_all_three(&asker, "query", questions[i], GW_REPLY_REFUSED);
    test_asker_close(&asker);
}

// Asked until the budget is gone: each register says so at the same question, in the same words.
static void budgets_end_at_the_same_question(void **state) {
    char rest[256];
    static told replies[REGISTERS];
    test_asker asker;
    size_t refused = 0;
    (void)state;
    test_asker_open(&asker, &researcher);
    for (unsigned i = 1; i <= 12; i++) {
        snprintf(rest, sizeof rest, COUNT ",\"by\":[\"sex\"],\"epsilon\":\"0.2000%02u\"", i);
        for (size_t k = 0; k < REGISTERS; k++)
            ask(&asker, "query", register_name((register_kind)k), rest, &replies[k]);
        for (size_t k = 1; k < REGISTERS; k++)
            assert_told_alike("query", rest, &replies[0], &replies[k]);
        refused += replies[0].status == GW_REPLY_REFUSED;
    }
    assert_true(refused > 2 && refused < 12);
    test_asker_close(&asker);
}

// ---- 31: exact totals

typedef struct {
    char texts[16][24];
    size_t count;
} exact_totals;

static void total_add(exact_totals *totals, size_t value) {
    if (value >= 1000) // shorter ones stand anywhere by chance
        snprintf(totals->texts[totals->count++], sizeof totals->texts[0], "%zu", value);
}

// Of the questions above: persons and hours by sex and by activity.
static exact_totals totals_of(size_t persons) {
    size_t sexes[2] = {0}, activities[3] = {0}, hours[2] = {0};
    exact_totals totals = {.count = 0};
    for (size_t i = 0; i < persons; i++) {
        const test_person person = test_person_at(i);
        sexes[person.is_female]++;
        activities[person.activity]++;
        hours[person.is_female] += person.hours;
    }
    total_add(&totals, persons);
    for (size_t i = 0; i < 2; i++) {
        total_add(&totals, sexes[i]);
        total_add(&totals, hours[i]);
    }
    for (size_t i = 0; i < 3; i++)
        total_add(&totals, activities[i]);
    return totals;
}

// As a number of its own, not inside a hash or a longer number.
static bool holds_number(const gw_buffer *bytes, const char *number) {
    const size_t size = strlen(number);
    for (const uint8_t *at = bytes->data, *stop = at + bytes->size;
         at != NULL && (at = memmem(at, (size_t)(stop - at), number, size)) != NULL; at++) {
        bool is_begun = at == bytes->data || !isalnum(at[-1]), is_ended = at + size == stop || !isalnum(at[size]);
        if (is_begun && is_ended)
            return true;
    }
    return false;
}

static exact_totals searched; // nftw has no argument for it
static size_t files_searched, found_in_ledger, found_elsewhere;

static int search_file(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts;
    (void)place;
    const size_t size = strlen(path);
    // The owner's: the source, the snapshots, and how many rows they have.
    bool is_data = strstr(path, "/data/") != NULL || (size > 4 && strcmp(path + size - 4, ".csv") == 0);
    gw_buffer bytes;
    gw_problem problem;
    if (kind != FTW_F || is_data)
        return 0;
    gw_buffer_init(&bytes, 64u << 20);
    if (gw_file_read(path, &bytes, &problem) == GW_OK) {
        files_searched++;
        for (size_t i = 0; i < searched.count; i++)
            if (holds_number(&bytes, searched.texts[i])) {
                bool is_ledger = strstr(path, "/godwit.db") != NULL;
                found_in_ledger += is_ledger;
                found_elsewhere += !is_ledger;
                if (!is_ledger)
                    print_message("%s stands in %s\n", searched.texts[i], path);
            }
    }
    gw_buffer_done(&bytes);
    return 0;
}

// The ledger keeps protected answers, and a protected figure is the true one where its noise is zero (chance 0.025 at
// 0.05, in two or three answers): so not all seven stand there by chance (less than 1e-10). A ledger that kept what was
// measured would hold every one. Nowhere else does any.
static void no_exact_total_stands_outside_the_data(void **state) {
    (void)state;
    searched = totals_of(PERSONS);
    assert_int_equal(searched.count, 7);
    files_searched = found_in_ledger = found_elsewhere = 0;
    nftw(service.folder, search_file, 16, FTW_PHYS);
    assert_true(files_searched > 10);
    assert_int_equal(found_elsewhere, 0);
    assert_true(found_in_ledger < searched.count);
    // The search finds what is there.
    gw_buffer planted;
    gw_buffer_init(&planted, 1024);
    gw_buffer_format(&planted, "{\"rows\":%s}", searched.texts[0]);
    assert_true(holds_number(&planted, searched.texts[0]));
    gw_buffer_done(&planted);
}

static void assert_leaves_no_core(pid_t pid) {
    char path[64], line[256];
    bool is_seen = false;
    snprintf(path, sizeof path, "/proc/%d/limits", (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Max core file size", 18) != 0)
            continue;
        unsigned long soft = 1, hard = 1;
        is_seen = sscanf(line + 18, "%lu %lu", &soft, &hard) == 2 && soft == 0 && hard == 0;
    }
    fclose(file);
    assert_true(is_seen);
}

static void no_process_leaves_a_core(void **state) {
    pid_t engines[32];
    (void)state;
    assert_leaves_no_core(service.pid);
    size_t count = test_daemon_engines(&service, engines, 32);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        assert_leaves_no_core(engines[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_equally_long_for_many_one_less_and_nobody),
        cmocka_unit_test(every_answer_is_the_same_and_free_after_a_kill),
        cmocka_unit_test(facts_are_the_same_for_many_one_less_and_nobody),
        cmocka_unit_test(a_difference_of_two_questions_costs_both),
        cmocka_unit_test(refusals_are_the_same_for_many_one_less_and_nobody),
        cmocka_unit_test(budgets_end_at_the_same_question),
        cmocka_unit_test(no_exact_total_stands_outside_the_data),
        cmocka_unit_test(no_process_leaves_a_core),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
