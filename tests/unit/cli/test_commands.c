// SPDX-License-Identifier: Apache-2.0
// From a line to a command: words found or mended, help, errors in their parts, exit codes; streams are memory.
#include "client/cli/cli.h"
#include "client/cli/commands.h"
#include "tests/support/unit.h"

static gw_exit_code say_run(gw_cli *cli, const void *options, const gw_words *words) {
    gw_say(cli, "said %s, %zu words\n",
           *(const char *const *)options == NULL ? "nothing" : *(const char *const *)options, words->count);
    return GW_EXIT_DONE;
}

static gw_exit_code refuse_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    gw_problem problem;
    if (gw_problem_set(&problem, GW_BUDGET, "budget_principal", "This question costs more than you have left.",
                       "Your budget for nso.example/register has 0.02 left; this needs 0.05, and the year ends later.",
                       "godwit cost nso.example/register employment_rate --epsilon 0.02") == GW_OK)
        return GW_EXIT_DONE;
    return gw_fail(cli, &problem);
}

static const gw_option say_options[] = {{"text", 't', GW_OPTION_TEXT, 0, "TEXT", "what to say"}};
static const gw_command say = {.name = "say",
                               .group = "Start",
                               .arguments = "[WORD]",
                               .summary = "say it",
                               .examples = "godwit say\n",
                               GW_OPTIONS(say_options),
                               .options_size = sizeof(const char *),
                               .words_max = 1,
                               .run = say_run};
static const gw_command refuse = {.name = "big refuse",
                                  .group = "Start",
                                  .arguments = "",
                                  .summary = "say no",
                                  .examples = "godwit big refuse\n",
                                  .run = refuse_run};
static const gw_command *const commands[] = {&say, &refuse, &gw_command_catalogue, &gw_command_version};

typedef struct {
    gw_cli cli;
    char *out, *err;
    size_t out_size, err_size;
} session;

static gw_exit_code run_preferring(session *s, const char *output, const char *const *line) {
    char *argv[16];
    int argc = 0;
    for (; line[argc] != NULL; argc++)
        argv[argc] = (char *)line[argc];
    setenv("GODWIT_OUTPUT", output, 1);
    gw_cli_init(&s->cli, commands, sizeof(commands) / sizeof(commands[0]));
    s->cli.out = open_memstream(&s->out, &s->out_size);
    s->cli.err = open_memstream(&s->err, &s->err_size);
    s->cli.in_is_terminal = s->cli.out_is_terminal = s->cli.err_is_terminal = false;
    s->cli.is_unicode = true;
    s->cli.width = 80;
    gw_exit_code code = gw_cli_run(&s->cli, argc, argv);
    fclose(s->cli.out);
    fclose(s->cli.err);
    return code;
}
static gw_exit_code run(session *s, const char *const *line) {
    return run_preferring(s, "", line);
}
static void done(session *s) {
    free(s->out);
    free(s->err);
}
#define RUN(s, ...) run((s), (const char *[]){__VA_ARGS__, NULL})

static void a_command_gets_its_options_and_words(void **state) {
    (void)state;
    session s;
    assert_int_equal(RUN(&s, "say", "--text", "hello", "word"), 0);
    assert_string_equal(s.out, "said hello, 1 words\n");
    assert_string_equal(s.err, "");
    done(&s);
}

static void global_options_stand_before_or_behind(void **state) {
    (void)state;
    session s;
    assert_int_equal(RUN(&s, "-o", "json", "--timeout", "5", "say"), 0);
    assert_int_equal(s.cli.output, GW_OUTPUT_JSON);
    assert_int_equal(s.cli.timeout_ms, 5000);
    done(&s);
    assert_int_equal(RUN(&s, "say", "-o", "table"), 0);
    assert_int_equal(s.cli.output, GW_OUTPUT_TABLE);
    done(&s);
    assert_int_equal(RUN(&s, "say"), 0);
    assert_int_equal(s.cli.output, GW_OUTPUT_CSV); // not a terminal
    done(&s);
}

static void wrong_global_values_are_usage_errors(void **state) {
    (void)state;
    session s;
    assert_int_equal(RUN(&s, "say", "-o", "excel"), 2);
    assert_non_null(strstr(s.err, "An output is table, csv, json, ndjson, json-stat, sdmx-csv or md."));
    assert_non_null(strstr(s.err, "option_value"));
    done(&s);
    assert_int_equal(RUN(&s, "say", "-o", "jsonstat"), 2);
    assert_non_null(strstr(s.err, "Did you mean -o json-stat?"));
    done(&s);
    static const char *const timeouts[] = {"0", "-1", "x", "1.5", "99999999999"};
    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        assert_int_equal(RUN(&s, "say", "--timeout", timeouts[i]), 2);
        done(&s);
    }
}

// An order that can't be followed is refused; a preference is left for the next best.
static void formats_of_answers_fit_only_commands_that_answer(void **state) {
    (void)state;
    session s;
    assert_int_equal(RUN(&s, "say", "-o", "sdmx-csv"), 2);
    assert_non_null(strstr(s.err, "\"godwit say\" can't be written as sdmx-csv."));
    assert_non_null(strstr(s.err, "output_unfit"));
    assert_string_equal(s.out, "");
    done(&s);
    assert_int_equal(run_preferring(&s, "sdmx-csv", (const char *[]){"say", NULL}), 0);
    assert_string_equal(s.cli.format->name, "csv");
    done(&s);
    assert_int_equal(run_preferring(&s, "md", (const char *[]){"say", NULL}), 0);
    assert_string_equal(s.cli.format->name, "md");
    assert_int_equal(s.cli.output, GW_OUTPUT_CSV);
    done(&s);
    assert_int_equal(run_preferring(&s, "md", (const char *[]){"say", "-o", "ndjson", NULL}), 0);
    assert_string_equal(s.cli.format->name, "ndjson");
    done(&s);
    assert_true(gw_command_query.says_figures);
    // Help, and completion that reads it, know every format.
    assert_int_equal(RUN(&s, "say", "--help"), 0);
    for (size_t i = 0; i < gw_format_count(); i++)
        assert_non_null(strstr(s.out, gw_format_at(i)->name));
    done(&s);
}

static void an_unknown_word_gets_the_nearest_command(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"sya", "godwit say"}, {"catalog", "godwit catalogue"}, {"versoin", "godwit version"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        session s;
        char expected[64];
        snprintf(expected, sizeof(expected), "Did you mean \"%s\"?", pairs[i][1]);
        assert_int_equal(RUN(&s, pairs[i][0]), 2);
        assert_non_null(strstr(s.err, expected));
        assert_string_equal(s.out, "");
        done(&s);
    }
    session s;
    assert_int_equal(RUN(&s, "big", "refused"), 2);
    assert_non_null(strstr(s.err, "Did you mean \"godwit big refuse\"?"));
    done(&s);
    assert_int_equal(RUN(&s, "big refuse"), 2); // one word with a space in it is no command
    done(&s);
}

static void a_refusal_is_told_in_its_parts(void **state) {
    (void)state;
    session s;
    assert_int_equal(RUN(&s, "big", "refuse"), 5);
    assert_string_equal(s.err, "godwit: This question costs more than you have left.\n"
                               "  why   Your budget for nso.example/register has 0.02 left; this needs 0.05, and\n"
                               "        the year ends later.\n"
                               "  mend  godwit cost nso.example/register employment_rate --epsilon 0.02\n"
                               "  code  budget_principal\n");
    assert_string_equal(s.out, "");
    done(&s);
}

static void nothing_from_a_refusal_reaches_the_terminal_raw(void **state) {
    (void)state;
    session s = {0};
    gw_problem problem;
    gw_cli_init(&s.cli, commands, 0);
    s.cli.out = open_memstream(&s.out, &s.out_size);
    s.cli.err = open_memstream(&s.err, &s.err_size);
    s.cli.err_is_terminal = false;
    s.cli.width = 80;
    assert_int_equal(gw_problem_set(&problem, GW_DENIED, "x\033[2J", "\033]0;title\a", "why\rnot", "rm\b"), GW_DENIED);
    assert_int_equal(gw_fail(&s.cli, &problem), 3);
    fclose(s.cli.out);
    fclose(s.cli.err);
    for (size_t i = 0; i < s.err_size; i++)
        assert_true(s.err[i] == '\n' || (unsigned char)s.err[i] >= 0x20);
    done(&s);
}

static void help_begins_with_examples(void **state) {
    (void)state;
    session s;
    assert_int_equal(RUN(&s, "say", "--help"), 0);
    assert_non_null(strstr(
        s.out,
        "godwit say - say it\n\nExamples\n  godwit say\n\nUsage\n  godwit say [WORD]\n\nOptions\n  -t, --text TEXT"));
    done(&s);
    session t;
    assert_int_equal(RUN(&t, "help", "say"), 0);
    assert_non_null(strstr(t.out, "Examples\n  godwit say\n"));
    done(&t);
    assert_int_equal(RUN(&t, "help", "sya"), 2);
    done(&t);
}

static void help_fits_eighty_columns(void **state) {
    (void)state;
    session s;
    assert_int_equal(RUN(&s, "help"), 0);
    for (const char *line = s.out; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 88); // examples are commands, and stay whole
    done(&s);
}

static void too_few_or_many_words_show_the_usage(void **state) {
    (void)state;
    session s;
    assert_int_equal(RUN(&s, "say", "a", "b"), 2);
    assert_non_null(strstr(s.err, "too many words"));
    assert_non_null(strstr(s.err, "godwit say [WORD]"));
    done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_gets_its_options_and_words),
        cmocka_unit_test(global_options_stand_before_or_behind),
        cmocka_unit_test(wrong_global_values_are_usage_errors),
        cmocka_unit_test(formats_of_answers_fit_only_commands_that_answer),
        cmocka_unit_test(an_unknown_word_gets_the_nearest_command),
        cmocka_unit_test(a_refusal_is_told_in_its_parts),
        cmocka_unit_test(nothing_from_a_refusal_reaches_the_terminal_raw),
        cmocka_unit_test(help_begins_with_examples),
        cmocka_unit_test(help_fits_eighty_columns),
        cmocka_unit_test(too_few_or_many_words_show_the_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
