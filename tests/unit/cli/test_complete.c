// SPDX-License-Identifier: Apache-2.0
// Completion from the commands' own tables; without a service there are no names, and nothing fails.
#include "client/cli/complete.h"
#include "client/cli/commands.h"
#include "tests/support/unit.h"
#include <stdlib.h>

static const gw_command *const commands[] = {&gw_command_budget,       &gw_command_cost,  &gw_command_audit_log,
                                             &gw_command_audit_verify, &gw_command_serve, &gw_command_complete};

// `words` typed, separated by single spaces; what is offered, without what it is.
static void assert_offered(const char *typed, const char *expected) {
    char line[256], offered[4096] = "";
    char *argv[16];
    int argc = 0;
    gw_cli cli = {.commands = commands, .command_count = sizeof(commands) / sizeof(commands[0])};
    cli.globals.config = "/nowhere/profile.json";
    snprintf(line, sizeof(line), "%s", typed);
    for (char *at = line;;) {
        argv[argc++] = at;
        at = strchr(at, ' ');
        if (at == NULL)
            break;
        *at++ = '\0';
    }
    gw_buffer lines;
    gw_buffer_init(&lines, 1 << 20);
    gw_complete(&cli, argc, argv, &lines);
    for (const char *at = gw_buffer_string(&lines); *at != '\0';) {
        size_t size = strcspn(at, "\t\n");
        snprintf(offered + strlen(offered), sizeof(offered) - strlen(offered), "%s%.*s", offered[0] == '\0' ? "" : " ",
                 (int)size, at);
        at += strcspn(at, "\n") + 1;
    }
    gw_buffer_done(&lines);
    assert_string_equal(offered, expected);
}

static void commands_are_offered_by_their_beginning(void **state) {
    (void)state;
    assert_offered("b", "budget");
    assert_offered("", "budget cost audit serve help"); // what only scripts call is not among them
    assert_offered("audit ", "log verify");
    assert_offered("audit v", "verify");
    assert_offered("help co", "cost");
    assert_offered("zzz", "");
}

static void options_come_from_the_table_that_parses_them(void **state) {
    (void)state;
    assert_offered("audit log --la", "--last");
    assert_offered("cost register --un", "--unweighted");
    assert_offered("serve --rel", "--release-tick"); // read by another program: from its usage line
    assert_offered("cost --time", "--timeout");
}

static void values_are_offered_where_the_table_lists_them(void **state) {
    (void)state;
    assert_offered("cost x --per ", "person row");
    assert_offered("cost x --per p", "person");
    assert_offered("cost x --measure c", "count");
    assert_offered("audit log --log ", GW_COMPLETE_FILES);
    assert_offered("audit log --kind re", "release refusals restore");
    assert_offered("audit log --from ", "");
}

static void without_a_service_there_are_no_names(void **state) {
    (void)state;
    assert_offered("cost ", "");
    assert_offered("cost register --by ", "");
    assert_offered("cost register --where sex=", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_offered_by_their_beginning),
        cmocka_unit_test(options_come_from_the_table_that_parses_them),
        cmocka_unit_test(values_are_offered_where_the_table_lists_them),
        cmocka_unit_test(without_a_service_there_are_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
