// SPDX-License-Identifier: Apache-2.0
// What a new version of a policy changes: one change each, told in words, with the right weight.
#include "tests/unit/policy/policies.h"
#include "service/admin/policy_diff.h"

typedef struct {
    size_t counts[3];
    gw_buffer text;
} told;

static void tell(void *state, gw_policy_change change, const char *text) {
    told *t = state;
    t->counts[change]++;
    gw_buffer_format(&t->text, "%s: %s\n", gw_policy_change_name(change), text);
}

static gw_policy *load(const char *text) {
    gw_policy *policy = NULL;
    gw_problem problem = {0};
    if (load_text(gw_bytes_of(text), &policy, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    return policy;
}

// The differences from the usual policy to it with `from` replaced by `to`, and back again.
static void diff_with(const char *from, const char *to, told *there, told *back) {
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    replace_text(&text, policy_text, from, to);
    GW_CLEANUP(gw_policy_freep) gw_policy *before = load(policy_text);
    GW_CLEANUP(gw_policy_freep) gw_policy *now = load(gw_buffer_string(&text));
    gw_buffer_done(&text);
    gw_buffer_init(&there->text, 65536);
    gw_buffer_init(&back->text, 65536);
    gw_policy_diff(before, now, tell, there);
    gw_policy_diff(now, before, tell, back);
}

static void nothing_is_told_of_the_same_policy(void **state) {
    (void)state;
    told there = {0}, back = {0};
    diff_with("\"version\":3", "\"version\":4", &there, &back);
    assert_int_equal(there.text.size, 0);
    assert_int_equal(back.text.size, 0);
    gw_buffer_done(&there.text);
    gw_buffer_done(&back.text);
}

static void each_change_is_told_with_its_weight(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *says;
        gw_policy_change there, back;
    } cases[] = {
        {"\"lifetime\":\"10\"", "\"lifetime\":\"10.5\"", "lifetime: raised from 10 to 10.5", GW_POLICY_CHANGE_WEAKER,
         GW_POLICY_CHANGE_OTHER},
        {"\"per_principal\":\"2\"", "\"per_principal\":\"1\"", "each asker: lowered from 2 to 1",
         GW_POLICY_CHANGE_OTHER, GW_POLICY_CHANGE_WEAKER},
        {"\"per_principal\":\"2\",", "", "each asker: 2 is taken away", GW_POLICY_CHANGE_WEAKER,
         GW_POLICY_CHANGE_OTHER},
        {"\"days\":365", "\"days\":364", "shorter window", GW_POLICY_CHANGE_WEAKER, GW_POLICY_CHANGE_OTHER},
        {"\"question_max\":\"0.5\"", "\"question_max\":\"0.6\"", "raised from 0.5 to 0.6", GW_POLICY_CHANGE_WEAKER,
         GW_POLICY_CHANGE_OTHER},
        {"\"question_min\":\"0.01\"", "\"question_min\":\"0.02\"", "least that one question costs",
         GW_POLICY_CHANGE_OTHER, GW_POLICY_CHANGE_OTHER},
        {"\"pure\"", "\"zcdp\",\"delta\":\"1e-9\"", "lifetime budget does not hold: from none to 1e-9",
         GW_POLICY_CHANGE_WEAKER, GW_POLICY_CHANGE_OTHER},
        {"\"pure\"", "\"pure\",\"selection_delta\":\"1e-9\"", "unknown keys: from none to 1e-9",
         GW_POLICY_CHANGE_WEAKER, GW_POLICY_CHANGE_OTHER},
        {"nso.example/register", "nso.example/register2", "another name has a budget of its own",
         GW_POLICY_CHANGE_WEAKER, GW_POLICY_CHANGE_WEAKER},
        {"nso.example/residents", "nso.example/people", "population: from", GW_POLICY_CHANGE_WEAKER,
         GW_POLICY_CHANGE_WEAKER},
        {"[\"count\",\"mean\"]", "[\"count\",\"mean\",\"share\"]",
         "researcher: may from now ask for a share on persons", GW_POLICY_CHANGE_WEAKER, GW_POLICY_CHANGE_OTHER},
        {"\"rows_per_person_max\":4", "\"rows_per_person_max\":5", "from at most 4 to 5", GW_POLICY_CHANGE_LOAD,
         GW_POLICY_CHANGE_LOAD},
        {"\"max\":\"90.5\"", "\"max\":\"100\"", "bounds from -10..90.5 to -10..100", GW_POLICY_CHANGE_LOAD,
         GW_POLICY_CHANGE_LOAD},
        {"\"grid\":\"0.25\"", "\"grid\":\"0.5\"", "on another grid", GW_POLICY_CHANGE_LOAD, GW_POLICY_CHANGE_LOAD},
        {"\"codelist\":\"CL_BIRTH\"", "\"codes\":{\"A\":\"One\"}", "other codes (3 before, 1 now)",
         GW_POLICY_CHANGE_LOAD, GW_POLICY_CHANGE_LOAD},
        {"{\"1\":\"M\",\"2\":\"F\"}", "{\"1\":\"F\",\"2\":\"M\"}", "values of the file become other codes",
         GW_POLICY_CHANGE_LOAD, GW_POLICY_CHANGE_LOAD},
        {"\"missing\":\"drop\"},\n\"w\"", "\"missing\":\"_U\"},\n\"w\"", "cell of their own", GW_POLICY_CHANGE_LOAD,
         GW_POLICY_CHANGE_LOAD},
        {"\"Y_LT20\":[0,19],\"Y20T64\":[20,64]", "\"Y_LT20\":[0,18],\"Y20T64\":[19,64]", "age:work: other bands",
         GW_POLICY_CHANGE_OTHER, GW_POLICY_CHANGE_OTHER},
        {"\"cob\":{", "\"land\":{", "from the column land instead of cob", GW_POLICY_CHANGE_LOAD,
         GW_POLICY_CHANGE_LOAD},
        {"[\"sex\",\"c_birth\"]", "[\"sex\"]", "no longer has the person's c_birth", GW_POLICY_CHANGE_LOAD,
         GW_POLICY_CHANGE_LOAD},
        {",\n\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"2000\",\"grid\":\"0.01\"}", "",
         "persons.w: gone", GW_POLICY_CHANGE_LOAD, GW_POLICY_CHANGE_LOAD},
        {"\"unit\":\"EUR\"", "\"unit\":\"USD\",\"depends_on\":\"household\"", "unit from EUR to USD",
         GW_POLICY_CHANGE_OTHER, GW_POLICY_CHANGE_WEAKER},
        {"\"unit\":\"EUR\"", "\"unit\":\"EUR\",\"outside\":\"drop-row\"",
         "dropped with their row from the next load, not refused", GW_POLICY_CHANGE_OTHER, GW_POLICY_CHANGE_OTHER},
        {"\"cell_persons\":1500", "\"cell_persons\":100", "planning sizes", GW_POLICY_CHANGE_OTHER,
         GW_POLICY_CHANGE_OTHER},
    };
    int failures = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        told there = {0}, back = {0};
        diff_with(cases[i].from, cases[i].to, &there, &back);
        const char *text = gw_buffer_string(&there.text);
        bool is_right = strstr(text, cases[i].says) != NULL && there.counts[cases[i].there] > 0 &&
                        back.counts[cases[i].back] > 0 &&
                        (cases[i].there == GW_POLICY_CHANGE_WEAKER || there.counts[GW_POLICY_CHANGE_WEAKER] == 0) &&
                        (cases[i].back == GW_POLICY_CHANGE_WEAKER || back.counts[GW_POLICY_CHANGE_WEAKER] == 0);
        if (!is_right)
            print_error("%s -> %s\n  wanted %s\n  there  %s  back   %s\n", cases[i].from, cases[i].to, cases[i].says,
                        text, gw_buffer_string(&back.text));
        failures += !is_right;
        gw_buffer_done(&there.text);
        gw_buffer_done(&back.text);
    }
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_told_of_the_same_policy),
        cmocka_unit_test(each_change_is_told_with_its_weight),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
