// SPDX-License-Identifier: Apache-2.0
// Trust files: every rule of the format once, quorums of groups in groups, and checkpoints held against them.
#include "service/audit/tlog_policy.h"
#include "tests/support/unit.h"

#define DASH "\xe2\x80\x94 "
#define LOG "stats.example/ledger1+5cca7dff+ASFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS"
#define W1 "witness.example/w1+200fb1ab+BCL8KXeS8Lb/wL/P237bDAqhTgJaNl7A40Lobjgpy3S2"
#define W2 "other.example/w2+5ec59e86+BNdZeTu8E6KBmoJ8dq22+6ikmu4Af0ny0JktmbglrSxI"
#define W3 "third.example/w3+b1eb6469+BGNVaRwXio/5EAenR4r7lV73NSxj57JXA5hM94sm4hpW"
#define NOTE                                                                                                           \
    "stats.example/ledger1\n70000\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n\n" DASH "stats.example/ledger1"      \
    " XMp9/xr8ry+wxLgOHc2XdDeHAQTLNR3a/jD2EmkpbyhQXfYvTFyMOQCA5CcyVbveGYFsFYsf5OGIXH+jSR7C+y+xkw4=\n"
#define SIGNED_1                                                                                                       \
    DASH "witness.example/w1 "                                                                                         \
         "IA+xqwAAAABlU/EAN032e80gCaodzioNAylYHOE4Exm9f1+0ExWDUHq4qZ5urKSY74D2zz93qfJy00rZG/zq29Xdt8LsLySN8/qiCg==\n"
#define SIGNED_2                                                                                                       \
    DASH "other.example/w2 "                                                                                           \
         "XsWehgAAAABlU/EAauMjB5BA/ZXJmiUr3TBVqihb1Ce+ReKRxiKe9geobjtdBoS9ztHLPGGs9xaW8rC0NR4HVf8Va1jKbTEZ3j2aCw==\n"
#define SIGNED_3                                                                                                       \
    DASH "third.example/w3 "                                                                                           \
         "setkaQAAAABlU/EAiRDeKCPEvCrjg2qO/rdRmFrcCgGx9fYUROlpIuflzkXxqWCSffN9kBmU/ICeDy0+8KySyXk6b8vL17GAieWsBg==\n"
#define THREE "witness a " W1 "\nwitness b " W2 "\nwitness c " W3 "\n"

static gw_tlog_policy *parse(const char *text) {
    gw_tlog_policy *policy = NULL;
    gw_problem problem = {0};
    if (gw_tlog_policy_parse(gw_bytes_of(text), &policy, &problem) != GW_OK)
        fail_msg("%s", problem.why);
    return policy;
}

static bool is_quorate(const gw_tlog_policy *policy, bool a, bool b, bool c) {
    bool has_witnessed[GW_TLOG_POLICY_WITNESSES_MAX] = {a, b, c};
    return gw_tlog_policy_is_quorate(policy, has_witnessed);
}

static void a_file_is_read_with_comments_tabs_and_addresses(void **state) {
    (void)state;
    gw_tlog_policy *policy = parse("# whom we trust\n\n \t \n  log\t" LOG "  http://log.example/ \n"
                                   "witness w\xc3\xa4rter " W1 " http://127.0.0.1:4712\n\t# more\nwitness b " W2
                                   "\ngroup g any w\xc3\xa4rter b\nquorum g");
    assert_int_equal(gw_tlog_policy_log_count(policy), 1);
    assert_string_equal(gw_tlog_policy_log(policy, 0)->key.name, "stats.example/ledger1");
    assert_string_equal(gw_tlog_policy_log(policy, 0)->url, "http://log.example/");
    assert_int_equal(gw_tlog_policy_witness_count(policy), 2);
    assert_string_equal(gw_tlog_policy_witness(policy, 0)->name, "w\xc3\xa4rter");
    assert_string_equal(gw_tlog_policy_witness(policy, 0)->url, "http://127.0.0.1:4712");
    assert_string_equal(gw_tlog_policy_witness(policy, 1)->url, "");
    assert_string_equal(gw_tlog_policy_quorum(policy), "g");
    gw_tlog_policy_free(policy);
    gw_tlog_policy_free(NULL);
}

static void the_file_is_known_by_the_hash_of_its_bytes(void **state) {
    (void)state;
    gw_tlog_policy *policy = parse("quorum none\n");
    gw_hash hash = gw_sha256(gw_bytes_of("quorum none\n"));
    assert_true(gw_hash_equal(gw_tlog_policy_hash(policy), hash));
    assert_string_equal(gw_tlog_policy_quorum(policy), "none");
    gw_tlog_policy_free(policy);
}

static void quorums_count_members_of_nested_groups(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *holds; // for the eight sets of witnesses, from none to all: c b a
    } cases[] = {
        {THREE "quorum none\n", "11111111"},
        {THREE "quorum b\n", "00110011"},
        {THREE "group g 2 a b c\nquorum g\n", "00010111"},
        {THREE "group g all a b c\nquorum g\n", "00000001"},
        {THREE "group g any a b c\nquorum g\n", "01111111"},
        {THREE "group g any a b\ngroup h all g c\nquorum h\n", "00000111"},
        {THREE "group g all a b\ngroup h any g c\nquorum h\n", "00011111"},
        {THREE "group g 1 a\ngroup h 1 g\nquorum h\n", "01010101"},
        {THREE "group g any a b\ngroup h all g c\nquorum g\n", "01110111"}, // the quorum need not be the outermost
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_tlog_policy *policy = parse(cases[i].text);
        for (unsigned set = 0; set < 8; set++)
            assert_int_equal(is_quorate(policy, set & 1, set & 2, set & 4), cases[i].holds[set] == '1');
        gw_tlog_policy_free(policy);
    }
}

static void what_could_be_read_two_ways_is_refused_with_its_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "Line 1: the file ends without a quorum"},
        {THREE, "Line 4: the file ends without a quorum"},
        {"quorum none\nquorum none\n", "Line 2: a second quorum"},
        {"quorum a\n" THREE, "Line 1: no line above defines this name. (\"a\")"},
        {"witness a " W1 "\nwitness b " W1 "\nquorum a\n", "Line 2: this witness's key stands"},
        {"log " LOG "\nlog " LOG "\nquorum none\n", "Line 2: this log's key stands"},
        {"witness a " W1 "\nwitness a " W2 "\nquorum a\n", "Line 2: this name stands"},
        {THREE "group a any b c\nquorum a\n", "Line 4: this name stands"},
        {"witness none " W1 "\nquorum none\n", "Line 1: \"none\" has a meaning"},
        {THREE "group none any a\nquorum none\n", "Line 4: \"none\" has a meaning"},
        {THREE "group g any a none\nquorum g\n", "Line 4: no line above defines this member"},
        {THREE "group g any g\nquorum g\n", "Line 4: no line above defines this member"},
        {THREE "group h any g\ngroup g any a\nquorum h\n", "Line 4: no line above defines this member"},
        {THREE "group g any a a\nquorum g\n", "Line 4: this name is a member"},
        {THREE "group g any a\ngroup h any a b\nquorum h\n", "Line 5: this name is a member"},
        {THREE "group g 0 a\nquorum g\n", "Line 4: how many"},
        {THREE "group g 4 a b c\nquorum g\n", "Line 4: how many"},
        {THREE "group g 02 a b c\nquorum g\n", "Line 4: how many"},
        {THREE "group g 2x a b c\nquorum g\n", "Line 4: how many"},
        {THREE "group g -1 a b c\nquorum g\n", "Line 4: how many"},
        {THREE "group g most a b c\nquorum g\n", "Line 4: how many"},
        {THREE "group g any\nquorum g\n", "Line 4: too few"},
        {"witness a\nquorum a\n", "Line 1: too few"},
        {"witness a " W1 " http://x y\nquorum a\n", "Line 1: too few or too many"},
        {"log " W1 "\nquorum none\n", "Line 1: It does not hold an Ed25519 log key"},
        {"witness a " LOG "\nquorum a\n", "Line 1: It does not hold an Ed25519 key of a witness"},
        {"trust a\nquorum none\n", "Line 1: it begins with none of"},
        {"Quorum none\n", "Line 1: it begins with none of"},
        {"quorum none\r\n", "Line 1: a control character"},
        {"quorum\xc2\xa0none\n", "Line 1: it begins with none of"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_tlog_policy *policy = NULL;
        gw_problem problem = {0};
        assert_int_equal(gw_tlog_policy_parse(gw_bytes_of(cases[i].text), &policy, &problem), GW_INVALID);
        assert_string_equal(problem.code, "bad_tlog_policy");
        assert_ptr_equal(strstr(problem.why, cases[i].why), problem.why);
        assert_true(problem.mend[0] != '\0');
        assert_null(policy);
    }
    gw_tlog_policy *policy = NULL;
    assert_int_equal(gw_tlog_policy_parse((gw_bytes){(const uint8_t *)"quorum none\0\n", 13}, &policy, NULL),
                     GW_INVALID);
}

// A key of a kind that is not known here is said to be that, and no other error.
static void a_post_quantum_witness_key_is_refused_by_name(void **state) {
    (void)state;
    static uint8_t bytes[1313] = {6};
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_buffer_text(&text, "witness a pq.example/w+00000000+");
    gw_base64_append(&text, (gw_bytes){bytes, sizeof(bytes)});
    gw_buffer_text(&text, "\nquorum a\n");
    gw_tlog_policy *policy = NULL;
    gw_problem problem = {0};
    assert_int_equal(gw_tlog_policy_parse(gw_buffer_bytes(&text), &policy, &problem), GW_INVALID);
    assert_string_equal(problem.why, "Line 1: the verifier key is not an Ed25519 key.");
    gw_buffer_done(&text);
}

static gw_status check(const char *text, const char *note, gw_tlog_verdict *verdict, gw_problem *problem) {
    gw_tlog_policy *policy = parse(text);
    gw_status status = gw_tlog_policy_check(policy, gw_bytes_of(note), NULL, verdict, problem);
    gw_tlog_policy_free(policy);
    return status;
}

static void a_quorate_checkpoint_passes_and_says_who_cosigned(void **state) {
    (void)state;
    gw_tlog_verdict verdict = {0};
    gw_problem problem = {0};
    assert_int_equal(
        check("log " LOG "\n" THREE "group g 2 a b c\nquorum g\n", NOTE SIGNED_1 SIGNED_3, &verdict, &problem), GW_OK);
    assert_int_equal(verdict.checkpoint.size, 70000);
    assert_int_equal(verdict.log, 0);
    assert_true(verdict.is_quorate);
    assert_int_equal(verdict.witnesses[0], GW_COSIGNATURE_GOOD);
    assert_int_equal(verdict.witnesses[1], GW_COSIGNATURE_ABSENT);
    assert_int_equal(verdict.times[2], 1700000000);
}

static void a_checkpoint_without_the_quorum_names_who_is_missing(void **state) {
    (void)state;
    gw_tlog_verdict verdict = {0};
    gw_problem problem = {0};
    assert_int_equal(check("log " LOG "\n" THREE "group g 2 a b c\nquorum g\n", NOTE SIGNED_2, &verdict, &problem),
                     GW_UNAVAILABLE);
    assert_string_equal(problem.code, "no_quorum");
    assert_non_null(strstr(problem.why, "\"g\""));
    assert_non_null(strstr(problem.why, "of: a, c."));
    assert_false(verdict.is_quorate);
    assert_int_equal(verdict.witnesses[1], GW_COSIGNATURE_GOOD);
    // A witness whom the policy does not know counts for nothing.
    assert_int_equal(check("log " LOG "\nwitness a " W1 "\nquorum a\n", NOTE SIGNED_2 SIGNED_3, &verdict, &problem),
                     GW_UNAVAILABLE);
}

static void one_bad_line_of_a_known_key_refuses_the_note_though_the_quorum_stands(void **state) {
    (void)state;
    gw_tlog_verdict verdict = {0};
    gw_problem problem = {0};
    char note[] = NOTE SIGNED_1 SIGNED_2;
    note[sizeof(note) - 8] = note[sizeof(note) - 8] == 'A' ? 'B' : 'A';
    assert_int_equal(check("log " LOG "\n" THREE "group g any a b c\nquorum g\n", note, &verdict, &problem),
                     GW_CORRUPT);
    assert_string_equal(problem.code, "bad_checkpoint");
    assert_non_null(strstr(problem.why, "\"b\""));
}

static void a_log_that_is_not_named_is_not_trusted(void **state) {
    (void)state;
    gw_tlog_verdict verdict = {0};
    gw_problem problem = {0};
    char vkey[GW_VKEY_MAX], text[2 * GW_VKEY_MAX];
    gw_note_key log, other;
    assert_int_equal(gw_note_key_parse(LOG, &log, NULL), GW_OK);
    assert_int_equal(gw_note_key_new("other.example/log", log.key, &other), GW_OK);
    gw_note_key_format(&other, vkey);
    snprintf(text, sizeof(text), "log %s\nquorum none\n", vkey);
    assert_int_equal(check(text, NOTE, &verdict, &problem), GW_CORRUPT);
    assert_non_null(strstr(problem.why, "does not name"));
    // The same log with another key: the one that signed is not in the file.
    gw_public_key key = log.key;
    assert_int_equal(gw_note_key_parse_as(W1, GW_NOTE_KEY_COSIGNER, &other, NULL), GW_OK);
    assert_int_equal(gw_note_key_new(log.name, other.key, &other), GW_OK);
    gw_note_key_format(&other, vkey);
    snprintf(text, sizeof(text), "log %s\nquorum none\n", vkey);
    assert_int_equal(check(text, NOTE, &verdict, &problem), GW_CORRUPT);
    assert_non_null(strstr(problem.why, "no signature of a key"));
    // Both keys of a log whose key was changed: the one that signed counts.
    snprintf(text, sizeof(text), "log %s\nlog " LOG "\nquorum none\n", vkey);
    assert_int_equal(check(text, NOTE, &verdict, &problem), GW_OK);
    assert_int_equal(verdict.log, 1);
    assert_memory_equal(&key, &log.key, sizeof(key));
}

static void a_policy_without_logs_needs_a_key_from_elsewhere(void **state) {
    (void)state;
    gw_tlog_verdict verdict = {0};
    gw_problem problem = {0};
    gw_note_key log;
    assert_int_equal(check("quorum none\n", NOTE, &verdict, &problem), GW_INVALID);
    assert_string_equal(problem.code, "no_log");
    assert_int_equal(gw_note_key_parse(LOG, &log, NULL), GW_OK);
    gw_tlog_policy *policy = parse("quorum none\n");
    assert_int_equal(gw_tlog_policy_check(policy, gw_bytes_of(NOTE), &log, &verdict, &problem), GW_OK);
    gw_tlog_policy_free(policy);
}

static void thirty_two_of_each_are_accepted_and_one_more_is_not(void **state) {
    (void)state;
    gw_buffer text;
    gw_buffer_init(&text, GW_TLOG_POLICY_FILE_MAX);
    for (unsigned i = 0; i < 33; i++) {
        uint8_t seed[GW_SEED_SIZE] = {(uint8_t)i, 7};
        gw_secret_key *secret = NULL;
        gw_note_key key;
        char vkey[GW_VKEY_MAX];
        assert_int_equal(gw_key_from_seed(seed, &secret), GW_OK);
        assert_int_equal(gw_note_key_make("w", GW_NOTE_KEY_COSIGNER, gw_key_public(secret), &key), GW_OK);
        gw_secret_key_free(secret);
        gw_note_key_format(&key, vkey);
        size_t before = text.size;
        gw_buffer_format(&text, "witness w%u %s\n", i, vkey);
        if (i == 31) {
            gw_buffer_text(&text, "group all 32");
            for (unsigned k = 0; k < 32; k++)
                gw_buffer_format(&text, " w%u", k);
            gw_buffer_text(&text, "\nquorum all\n");
            gw_tlog_policy *policy = parse(gw_buffer_string(&text));
            assert_int_equal(gw_tlog_policy_witness_count(policy), 32);
            gw_tlog_policy_free(policy);
        }
        assert_true(text.size > before);
    }
    gw_tlog_policy *policy = NULL;
    gw_problem problem = {0};
    assert_int_equal(gw_tlog_policy_parse(gw_buffer_bytes(&text), &policy, &problem), GW_INVALID);
    assert_non_null(strstr(problem.why, "more than 32 witnesses"));
    gw_buffer_done(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_with_comments_tabs_and_addresses),
        cmocka_unit_test(the_file_is_known_by_the_hash_of_its_bytes),
        cmocka_unit_test(quorums_count_members_of_nested_groups),
        cmocka_unit_test(what_could_be_read_two_ways_is_refused_with_its_line),
        cmocka_unit_test(a_post_quantum_witness_key_is_refused_by_name),
        cmocka_unit_test(a_quorate_checkpoint_passes_and_says_who_cosigned),
        cmocka_unit_test(a_checkpoint_without_the_quorum_names_who_is_missing),
        cmocka_unit_test(one_bad_line_of_a_known_key_refuses_the_note_though_the_quorum_stands),
        cmocka_unit_test(a_log_that_is_not_named_is_not_trusted),
        cmocka_unit_test(a_policy_without_logs_needs_a_key_from_elsewhere),
        cmocka_unit_test(thirty_two_of_each_are_accepted_and_one_more_is_not),
    };
    return gw_crypto_init() == GW_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
