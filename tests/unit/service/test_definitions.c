// SPDX-License-Identifier: Apache-2.0
// A version of an indicator means one thing for ever: what moves figures is held against what was read before; words
// for people are not.
#include "service/definitions.h"
#include "service/base/file.h"
#include "tests/support/unit.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char state[64], share[64];
} folders;

static int folders_make(void **state) {
    static folders made;
    strcpy(made.state, "/tmp/godwit-definitions-XXXXXX");
    if (gw_crypto_init() != GW_OK || mkdtemp(made.state) == NULL)
        return 1;
    snprintf(made.share, sizeof made.share, "%s/share", made.state);
    *state = &made;
    return mkdir(made.share, 0700);
}

static int folders_remove(void **state) {
    const folders *made = *state;
    char command[256];
    snprintf(command, sizeof command, "rm -r '%s'", made->state);
    return system(command);
}

#define RATE(version, label, last)                                                                                     \
    "{\"godwit_indicator\":1,\"id\":\"r\",\"version\":" version ",\"sdmx\":\"R\",\"label\":{\"en\":\"" label           \
    "\"},\"definition\":{\"en\":\"R.\"},\"statistic\":\"rate\",\"unit\":\"PC\",\"decimals\":1,\"population\":"         \
    "[{\"concept\":\"age\",\"between\":[20," last "]},{\"concept\":\"activity\",\"in\":[\"EMP\",\"UNE\"]}],"           \
    "\"numerator\":[{\"concept\":\"activity\",\"in\":[\"UNE\"]}]}"

static gw_status check(const folders *made, const char *text, bool is_keeping, gw_problem *ret_problem) {
    char path[128];
    gw_catalogue *catalogue = NULL;
    snprintf(path, sizeof path, "%s/r.json", made->share);
    assert_int_equal(gw_file_replace(path, gw_bytes_of(text), 0600, NULL), GW_OK);
    assert_int_equal(gw_catalogue_load(made->share, &catalogue, ret_problem), GW_OK);
    gw_status status = gw_definitions_check(made->state, catalogue, is_keeping, ret_problem);
    gw_catalogue_free(catalogue);
    return status;
}

static void a_changed_definition_needs_a_new_version(void **state) {
    gw_problem problem = {0};
    assert_int_equal(check(*state, RATE("1", "R", "64"), true, &problem), GW_OK);
    assert_int_equal(check(*state, RATE("1", "R", "74"), true, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "indicator_version");
    assert_non_null(strstr(problem.mend, "\"version\":2"));
    assert_int_equal(check(*state, RATE("2", "R", "74"), true, &problem), GW_OK);
    assert_int_equal(check(*state, RATE("1", "R", "64"), true, &problem), GW_OK); // put back
    assert_int_equal(check(*state, RATE("2", "R", "64"), true, &problem), GW_CONFLICT);
}

static void words_may_change(void **state) {
    gw_problem problem = {0};
    assert_int_equal(check(*state, RATE("5", "Rate", "64"), true, &problem), GW_OK);
    assert_int_equal(check(*state, RATE("5", "Quota", "64"), true, &problem), GW_OK);
}

// A look ahead writes nothing: the first to serve a version says what it means.
static void a_look_writes_nothing(void **state) {
    gw_problem problem = {0};
    assert_int_equal(check(*state, RATE("7", "R", "50"), false, &problem), GW_OK);
    assert_int_equal(check(*state, RATE("7", "R", "60"), true, &problem), GW_OK);
    assert_int_equal(check(*state, RATE("7", "R", "50"), false, &problem), GW_CONFLICT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_definition_needs_a_new_version),
        cmocka_unit_test(words_may_change),
        cmocka_unit_test(a_look_writes_nothing),
    };
    return cmocka_run_group_tests(tests, folders_make, folders_remove);
}
