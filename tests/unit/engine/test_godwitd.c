// SPDX-License-Identifier: Apache-2.0
// What the owner sees of godwitd: help of each command, refusals that say how to go on, and how many rows a load has;
// the last on the owner's terminal alone.
#include "service/tell.h"
#include "tests/support/daemon.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

// godwitd with these arguments (of a shell), both streams in `output`.
static int run(gw_buffer *output, const char *folder, const char *arguments) {
    char program[TEST_PATH_MAX], command[4096];
    test_program("godwitd", program);
    snprintf(command, sizeof command, "cd '%s' && unset GODWIT_SHARE; exec timeout 60 '%s' %s 2>&1", folder, program,
             arguments);
    gw_buffer_done(output);
    gw_buffer_init(output, 1u << 20);
    return test_run((const char *const[]){"/bin/sh", "-c", command, NULL}, output);
}

static void expect_text(const gw_buffer *output, const char *text) {
    if (strstr(gw_buffer_string(output), text) == NULL)
        print_error("no \"%s\" in:\n%s\n", text, gw_buffer_string(output));
    assert_non_null(strstr(gw_buffer_string(output), text));
}

static void make_folder(char folder[TEST_PATH_MAX]) {
    strcpy(folder, "/tmp/godwit-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void remove_folder(const char *folder) {
    assert_int_equal(test_run((const char *const[]){"/bin/rm", "-rf", folder, NULL}, NULL), 0);
}

static void each_command_tells_its_options(void **state) {
    (void)state;
    gw_buffer output;
    gw_buffer_init(&output, 1u << 20);
    static const struct {
        const char *arguments, *text;
    } cases[] = {{"init --help", "--origin NAME"},
                 {"serve --help", "--engine-memory-mb MB"},
                 {"load --help", "--treat COLUMN:KIND=HOW"},
                 {"load --dir x --help", "--allow-shrink"},
                 {"policy --help", "godwitd policy activate"},
                 {"policy check -h", "godwitd policy check"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(run(&output, "/", cases[i].arguments), 0);
        expect_text(&output, cases[i].text);
        const char *line = gw_buffer_string(&output);
        for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
            assert_true(end - line <= 80);
    }
    gw_buffer_done(&output);
}

static void folder_without_a_state_is_told_with_the_option_that_is_missing(void **state) {
    (void)state;
    gw_buffer output;
    char folder[TEST_PATH_MAX];
    gw_buffer_init(&output, 1u << 20);
    make_folder(folder);
    const char *const commands[] = {"serve", "load a/b c.csv", "policy activate p.json"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(run(&output, folder, commands[i]), GW_EXIT_REFUSED);
        expect_text(&output, "code  no_state");
        expect_text(&output, "mend  --dir STATE");
    }
    remove_folder(folder);
    gw_buffer_done(&output);
}

static void init_without_a_share_folder_makes_nothing(void **state) {
    (void)state;
    gw_buffer output;
    char folder[TEST_PATH_MAX];
    gw_buffer_init(&output, 1u << 20);
    make_folder(folder);
    const char *const commands[] = {"init --dir state --origin test.example/godwit",
                                    "init --dir state --origin test.example/godwit --share .",
                                    "init --dir state --origin test.example/godwit --share absent"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(run(&output, folder, commands[i]), GW_EXIT_REFUSED);
        expect_text(&output, "code  no_share");
        expect_text(&output, "mend  --share DIR");
    }
    assert_int_equal(rmdir(folder), 0);
    gw_buffer_done(&output);
}

// The lines that gw_tell prints.
static void tell(const gw_problem *problem, gw_buffer *output) {
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stderr);
    int stderr_before = dup(STDERR_FILENO);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    int code = gw_tell(GW_INVALID, problem);
    fflush(stderr);
    assert_true(dup2(stderr_before, STDERR_FILENO) >= 0);
    close(stderr_before);
    assert_int_equal(code, GW_EXIT_REFUSED);
    rewind(file);
    char bytes[4096];
    gw_buffer_append(output, bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
}

static void refusals_fit_a_terminal_and_keep_what_is_to_be_copied_whole(void **state) {
    (void)state;
    gw_buffer output;
    gw_problem problem = {0};
    gw_buffer_init(&output, 65536);
    gw_problem_fill(
        &problem, GW_INVALID, "a_code",
        "What happened, told in a sentence of many words that no terminal of eighty has room for.",
        "Österreich und Ungarn sind seit dem Jahr neunzehnhundertachtzehn zwei Länder, und\x1b[2J dies ist lang.",
        "godwitd load --dir /a/path/that/is/so/long/that/it/does/not/fit/on/one/line/whatever/happens/to/it x");
    tell(&problem, &output);
    assert_string_equal(gw_buffer_string(&output),
                        "godwitd: What happened, told in a sentence of many words that no terminal of\n"
                        "eighty has room for.\n"
                        "  why   Österreich und Ungarn sind seit dem Jahr neunzehnhundertachtzehn zwei\n"
                        "        Länder, und?[2J dies ist lang.\n"
                        "  mend  godwitd load --dir\n"
                        "        /a/path/that/is/so/long/that/it/does/not/fit/on/one/line/whatever/happens/to/it\n"
                        "        x\n"
                        "  code  a_code\n");
    gw_buffer_done(&output);
}

static bool folder_holds(const char *folder, const char *text) {
    char command[2048];
    snprintf(command, sizeof command,
             "grep -raqF --exclude='*.duckdb' --exclude='*.rows' --exclude=people.csv -e '%s' '%s'", text, folder);
    return test_run((const char *const[]){"/bin/sh", "-c", command, NULL}, NULL) == 0;
}

// A number that stands for itself: five digits within a hash or a key are chance.
static bool folder_tells(const char *folder, const char *number) {
    char command[2048];
    snprintf(command, sizeof command,
             "grep -raqE --exclude='*.duckdb' --exclude='*.rows' --exclude=people.csv -e "
             "'(^|[^0-9a-fA-F])%s([^0-9a-fA-F]|$)' '%s'",
             number, folder);
    return test_run((const char *const[]){"/bin/sh", "-c", command, NULL}, NULL) == 0;
}

static void rows_are_told_to_the_owner_and_to_nobody_else(void **state) {
    (void)state;
    gw_buffer output;
    test_daemon daemon;
    gw_buffer_init(&output, 1u << 20);
    test_daemon_with_people(&daemon, 54321,
                            (test_budget){.lifetime = "10", .question_min = "0.01", .question_max = "1"});
    char path[TEST_PATH_MAX + 32], arguments[2048];
    snprintf(path, sizeof path, "%s/people.csv", daemon.folder);
    assert_true(test_people_write(path, 19876));
    snprintf(arguments, sizeof arguments, "load --dir '%s' " TEST_DATASET " '%s'", daemon.folder, path);
    assert_int_equal(run(&output, "/", arguments), GW_EXIT_REFUSED);
    expect_text(&output, "before: 54,321 rows, now: 19,876\n");
    expect_text(&output, "code  load_shrunk");
    snprintf(arguments, sizeof arguments, "load --allow-shrink --dir '%s' " TEST_DATASET " '%s'", daemon.folder, path);
    assert_int_equal(run(&output, "/", arguments), 0);
    expect_text(&output, "is in force.\nbefore: 54,321 rows, now: 19,876\n");
    assert_true(test_people_write(path, 0));
    snprintf(arguments, sizeof arguments, "load --dir '%s' " TEST_DATASET " '%s'", daemon.folder, path);
    assert_int_equal(run(&output, "/", arguments), GW_EXIT_REFUSED);
    expect_text(&output, "code  load_empty");
    test_asker asker;
    test_asker_open(&asker, &daemon.admin);
    assert_true(test_ask(&asker, "{\"v\":1,\"kind\":\"catalogue\"}", NULL));
    assert_null(memmem(asker.reply.answer.data, asker.reply.answer.size, "54321", 5));
    assert_null(memmem(asker.reply.answer.data, asker.reply.answer.size, "19876", 5));
    test_asker_close(&asker);
    test_daemon_stop(&daemon, SIGTERM);
    assert_true(folder_holds(daemon.folder, TEST_DATASET));
    assert_true(folder_tells(daemon.folder, "10000000")); // a budget, as the log says it
    assert_false(folder_tells(daemon.folder, "54321"));
    assert_false(folder_tells(daemon.folder, "19876"));
    test_daemon_done(&daemon);
    gw_buffer_done(&output);
}

#define MOVERS "test.example/movers"
static const char movers_policy[] =
    "{\"godwit_policy\":1,\"dataset\":\"" MOVERS "\",\"population\":\"" MOVERS "\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{"
    "\"persons\":{\"unit\":\"id\",\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"}}},"
    "\"moves\":{\"unit\":\"id\",\"rows_per_person_max\":5,\"inherit\":[\"sex\"],\"columns\":{"
    "\"day\":{\"concept\":\"time_period\",\"type\":\"date\",\"period\":\"month\",\"first\":\"2023-01\",\"last\":"
    "\"2023-12\",\"missing\":\"drop\"}}}},"
    "\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"1\"},"
    "\"accounting\":{\"kind\":\"pure\"},\"grants\":[]}";

static void write_lines(const test_daemon *daemon, const char *name, const char *header, const char *line, int count) {
    char path[TEST_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", daemon->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", header);
    for (int i = 0; i < count; i++)
        fprintf(file, "p%d,%s\n", i, line);
    assert_int_equal(fclose(file), 0);
}

static void several_files_are_named_by_their_tables(void **state) {
    (void)state;
    gw_buffer output;
    test_daemon daemon;
    gw_buffer_init(&output, 1u << 20);
    test_daemon_init(&daemon);
    test_daemon_start(&daemon);
    test_daemon_population(&daemon, MOVERS, "10");
    test_daemon_policy(&daemon, movers_policy);
    write_lines(&daemon, "people.csv", "id,sex", "F", 1000);
    write_lines(&daemon, "a=b.csv", "id,day", "2023-05-17", 19877);
    static const struct {
        const char *files;
        int code;
        const char *texts[3];
    } cases[] = {
        {"people.csv", GW_EXIT_REFUSED, {"No file is named for moves.", "code  load_tables", MOVERS}},
        {"persons=people.csv", GW_EXIT_REFUSED, {"moves=FILE", "persons=FILE", "code  load_tables"}},
        {"persons=people.csv move=a=b.csv", GW_EXIT_REFUSED, {"\"move\"", "Did you mean \"moves\"?", "load_tables"}},
        {"persons=people.csv a=b.csv", GW_EXIT_USAGE, {"NAME=FILE", "persons=p.csv", "code  usage"}}, // a file's name
        {"persons=people.csv people.csv", GW_EXIT_USAGE, {"NAME=FILE", "one for each table", "code  usage"}},
        {"persons=people.csv moves=absent.csv", GW_EXIT_REFUSED, {"absent.csv", "load_source", "code"}},
        {"persons=people.csv moves=a=b.csv", 0, {"note: 18,877 persons of moves are not in persons", "in force", ""}},
        {"persons=people.csv --table moves=a=b.csv", 0, {"moves  before: 19,877 rows, now: 19,877\n", "in force", ""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char arguments[2048];
        snprintf(arguments, sizeof arguments, "load --dir . " MOVERS " %s", cases[i].files);
        int code = run(&output, daemon.folder, arguments);
        if (code != cases[i].code)
            print_error("%s\n%s\n", cases[i].files, gw_buffer_string(&output));
        assert_int_equal(code, cases[i].code);
        for (size_t k = 0; k < 3; k++)
            expect_text(&output, cases[i].texts[k]);
    }
    test_daemon_stop(&daemon, SIGTERM);
    char path[TEST_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/a=b.csv", daemon.folder);
    assert_int_equal(unlink(path), 0);
    assert_false(folder_tells(daemon.folder, "18877")); // how many the other table does not know stays on the terminal
    assert_false(folder_tells(daemon.folder, "18,877"));
    test_daemon_done(&daemon);
    gw_buffer_done(&output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_tells_its_options),
        cmocka_unit_test(folder_without_a_state_is_told_with_the_option_that_is_missing),
        cmocka_unit_test(init_without_a_share_folder_makes_nothing),
        cmocka_unit_test(refusals_fit_a_terminal_and_keep_what_is_to_be_copied_whole),
        cmocka_unit_test(rows_are_told_to_the_owner_and_to_nobody_else),
        cmocka_unit_test(several_files_are_named_by_their_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
