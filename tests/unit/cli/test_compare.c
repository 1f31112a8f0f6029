// SPDX-License-Identifier: Apache-2.0
// `compare` on saved answers: sentences and verdicts, two releases, margins, quotients; what may not be compared is
// refused, and wrong keys get the nearest right one. Files are written here; streams are memory.
#include "client/cli/cli.h"
#include "client/cli/commands.h"
#include "client/cli/saved.h"
#include "service/base/file.h"
#include "service/format/level.h"
#include "tests/support/unit.h"
#include <math.h>

typedef struct {
    char *out, *err;
    size_t out_size, err_size;
} session;

static const gw_command *const commands[] = {&gw_command_compare};

// The last word ends in a NULL.
static gw_exit_code run(session *s, const char *const *line) {
    char *argv[16];
    int argc = 0;
    for (; line[argc] != NULL; argc++)
        argv[argc] = (char *)line[argc];
    gw_cli cli;
    unsetenv("GODWIT_OUTPUT");
    gw_cli_init(&cli, commands, 1);
    cli.out = open_memstream(&s->out, &s->out_size);
    cli.err = open_memstream(&s->err, &s->err_size);
    cli.in_is_terminal = cli.out_is_terminal = cli.err_is_terminal = false;
    cli.is_unicode = true;
    cli.width = 80;
    gw_exit_code code = gw_cli_run(&cli, argc, argv);
    fclose(cli.out);
    fclose(cli.err);
    return code;
}
static void done(session *s) {
    free(s->out);
    free(s->err);
}
#define RUN(s, ...) run((s), (const char *[]){"compare", __VA_ARGS__, NULL})

typedef struct {
    const char *release, *statistic, *question, *version, *extra;
    uint64_t micro;
    const char *grid, *offset;
    int64_t parts[6][2]; // by c_birth (NAT, EU_FOR, NEU_FOR) x sex (F, M)
} sample;

static const sample COUNTS = {
    "GW-2026-000001", "count", "a", "0", "", 100000, "1", "0", {{4120}, {4300}, {900}, {870}, {890}, {1200}}};
static const sample RATES = {"GW-2026-000002",
                             "rate",
                             "b",
                             "0",
                             "",
                             100000,
                             "1",
                             "0",
                             {{2500, 1600}, {3000, 1300}, {500, 400}, {600, 270}, {440, 450}, {900, 300}}};

static void repeat(FILE *file, const char *name, const char *digit, size_t count) {
    fprintf(file, "\"%s\":\"", name);
    for (size_t i = 0; i < count; i++)
        fputs(digit, file);
    fputs("\",", file);
}

// Writes folder/RELEASE.answer.json; `path` is its place.
static const char *sample_write(void **state, const sample *of, char path[256]) {
    static const char *const keys[6] = {"\"NAT\",\"F\"",    "\"NAT\",\"M\"",     "\"EU_FOR\",\"F\"",
                                        "\"EU_FOR\",\"M\"", "\"NEU_FOR\",\"F\"", "\"NEU_FOR\",\"M\""};
    char name[64];
    bool has_two = strcmp(of->statistic, "rate") == 0 || strcmp(of->statistic, "mean") == 0;
    snprintf(name, sizeof(name), "%s.answer.json", of->release);
    FILE *file = fopen(unit_path(state, name, path), "w");
    assert_non_null(file);
    fprintf(file, "{\"v\":1,\"release\":\"%s\",\"dataset\":\"nso.example/register\",", of->release);
    repeat(file, "salt", "0", 64);
    repeat(file, "question", of->question, 64);
    repeat(file, "data_version", of->version, 32);
    fprintf(file, "\"policy\":1,\"indicator\":null,\"indicator_version\":0,\"unit\":\"%s\",\"decimals\":%d,",
            strcmp(of->statistic, "count") == 0 ? "PS" : "PC", has_two);
    fprintf(file, "\"level\":\"0.95\",\"statistic\":\"%s\",\"of\":null,\"notice\":null,%s\"by\":[\"c_birth\",\"sex\"],",
            of->statistic, of->extra);
    fprintf(file, "\"noise\":{\"law\":\"discrete-laplace\",\"epsilon\":\"%.6g\",\"sensitivity\":\"1\",",
            (double)of->micro / 1e6);
    fprintf(file, "\"grid\":\"%s\",\"offset\":\"%s\"},\"cells\":[", of->grid, of->offset);
    for (size_t i = 0; i < 6; i++) {
        fprintf(file, "%s{\"key\":[%s],\"parts\":[\"%lld\"", i == 0 ? "" : ",", keys[i], (long long)of->parts[i][0]);
        if (has_two)
            fprintf(file, ",\"%lld\"", (long long)of->parts[i][1]);
        fprintf(file, "],\"estimate\":\"1\",\"lower\":\"0\",\"upper\":\"2\",\"se\":\"1\",\"flag\":\"\"}");
    }
    fputs("]}", file);
    fclose(file);
    return path;
}

static void assert_has(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void two_cells_get_a_sentence_and_the_range_of_their_difference(void **state) {
    session s;
    char path[256];
    sample_write(state, &COUNTS, path);
    assert_int_equal(RUN(&s, path, "c_birth=NAT,sex=F", "c_birth=NEU_FOR,sex=F", "-o", "table"), 0);
    assert_has(s.out, "Yes: c_birth=NAT,sex=F is higher than c_birth=NEU_FOR,sex=F.\n");
    assert_has(s.out, "about 3,230 people, 19 times in 20 between 3,189 and 3,271\n"); // 41: two noises at 0.1
    assert_has(s.out, "4,120 (4,090 to 4,150)");
    assert_has(s.out, "no receipt lies beside it");
    done(&s);
    assert_int_equal(RUN(&s, path, "sex=F,c_birth=NEU_FOR", "c_birth=NAT,sex=F", "-o", "table"), 0);
    assert_has(s.out, "No: c_birth=NAT,sex=F is higher than sex=F,c_birth=NEU_FOR.\n");
    done(&s);
    assert_int_equal(RUN(&s, path, "c_birth=NEU_FOR,sex=F", "c_birth=EU_FOR,sex=F", "-o", "table"), 0);
    assert_has(s.out, "Not determinable");
    assert_has(s.out, "between -51 and 31\n");
    done(&s);
}

static void programs_get_codes_and_numbers(void **state) {
    session s;
    char path[256];
    sample_write(state, &COUNTS, path);
    assert_int_equal(RUN(&s, path, "c_birth=NEU_FOR,sex=F", "c_birth=EU_FOR,sex=F"), 0);
    assert_has(s.out, "a,b,operation,estimate,lower,upper,se,unit,statistic,verdict,confidence,release_a,release_b,"
                      "receipt_a,receipt_b,notice\n");
    assert_has(s.out, "\"c_birth=NEU_FOR,sex=F\",\"c_birth=EU_FOR,sex=F\",difference,-10,-51,31,20.0,PS,count,"
                      "not determinable,0.71");
    done(&s);
    assert_int_equal(RUN(&s, path, "c_birth=NEU_FOR,sex=F", "c_birth=EU_FOR,sex=F", "-o", "json"), 0);
    assert_has(s.out, "\"verdict\":\"not determinable\"");
    done(&s);
}

static void a_partial_key_pools_its_cells(void **state) {
    session s;
    char path[256];
    sample_write(state, &RATES, path);
    assert_int_equal(RUN(&s, path, "sex=F", "sex=M", "-o", "table"), 0);
    assert_has(s.out, "No: sex=M is higher than sex=F.\n");
    assert_has(s.out, "points, 19 times in 20 between");
    assert_has(s.out, "58.4 ("); // 3440 of 5890
    assert_has(s.out, "3 cells of GW-2026-000002");
    done(&s);
}

static void two_releases_are_compared_and_what_may_differ_is_said(void **state) {
    session s;
    char one[256], other[256];
    sample later = RATES;
    later.release = "GW-2027-000001";
    later.question = "c";
    later.version = "1";
    later.micro = 200000;
    later.parts[0][0] = 2900;
    sample_write(state, &RATES, one);
    sample_write(state, &later, other);
    assert_int_equal(RUN(&s, other, "c_birth=NAT,sex=F", one, "c_birth=NAT,sex=F", "-o", "table"), 0);
    assert_has(s.out, "Yes: ");
    assert_has(s.err, "two versions of the data");
    assert_has(s.err, "two questions");
    done(&s);
}

static void dummies_are_not_real_wherever_they_stand(void **state) {
    session s;
    char path[256];
    sample dummy = COUNTS;
    dummy.extra = "\"dummy\":true,";
    sample_write(state, &dummy, path);
    assert_int_equal(RUN(&s, path, "sex=F", "sex=M", "-o", "table"), 0);
    assert_has(s.out, "NOT REAL");
    done(&s);
    assert_int_equal(RUN(&s, path, "sex=F", "sex=M"), 0);
    assert_has(s.out, "NOT REAL");
    done(&s);
    assert_int_equal(RUN(&s, path, "--sum", "sex"), 0);
    assert_has(s.out, "NOT REAL");
    done(&s);
}

static void margins_have_the_range_of_their_sum(void **state) {
    session s;
    char path[256];
    sample_write(state, &COUNTS, path);
    assert_int_equal(RUN(&s, path, "--sum", "sex"), 0);
    assert_has(s.out, "c_birth,estimate,lower,upper,se,cells,unit,statistic,release,receipt,notice\n");
    assert_has(s.out, "NAT,8420,8379,8461,20.0,2,PS,count,GW-2026-000001,none,\n"); // not 30 + 30
    done(&s);
    assert_int_equal(RUN(&s, path, "--sum", "all"), 0);
    assert_has(s.out, "\n12280,12211,12349,34.6,6,");
    done(&s);
    assert_int_equal(RUN(&s, path, "--sum", "sex", "-o", "table"), 0);
    assert_has(s.out, "8,420");
    done(&s);
}

static void rates_are_pooled_from_their_parts(void **state) {
    session s;
    char path[256];
    sample_write(state, &RATES, path);
    assert_int_equal(RUN(&s, path, "--sum", "c_birth"), 0);
    assert_has(s.out, "\nF,58.4,"); // (2500 + 500 + 440) / 5890, not the mean of three rates
    done(&s);
}

static void quotients_are_of_counts(void **state) {
    session s;
    char path[256];
    sample_write(state, &COUNTS, path);
    assert_int_equal(RUN(&s, path, "c_birth=NAT", "c_birth=NEU_FOR", "--ratio", "-o", "table"), 0);
    assert_has(s.out, "A / B      about 4.029, 19 times in 20 between 3.9");
    done(&s);
    sample_write(state, &RATES, path);
    assert_int_equal(RUN(&s, path, "sex=F", "sex=M", "--ratio"), 2);
    assert_has(s.err, "not_comparable");
    done(&s);
}

static void what_is_not_independent_or_not_alike_is_refused(void **state) {
    session s;
    char counts[256], rates[256], copy[256];
    sample_write(state, &COUNTS, counts);
    sample_write(state, &RATES, rates);
    assert_int_equal(RUN(&s, counts, "sex=F", "c_birth=NAT"), 2);
    assert_has(s.err, "same_cells");
    done(&s);
    assert_int_equal(RUN(&s, counts, "sex=F", rates, "sex=F"), 2);
    assert_has(s.err, "not_comparable");
    done(&s);
    // The same release under another file name is still the same draw of noise.
    char command[600];
    snprintf(command, sizeof(command), "cp '%s' '%s'", counts, unit_path(state, "copy.json", copy));
    assert_int_equal(system(command), 0);
    assert_int_equal(RUN(&s, counts, "sex=F", copy, "sex=F"), 2);
    assert_has(s.err, "same_cells");
    done(&s);
}

static void wrong_keys_get_the_nearest(void **state) {
    session s;
    char path[256];
    sample_write(state, &COUNTS, path);
    assert_int_equal(RUN(&s, path, "c_brith=NAT", "sex=F"), 2);
    assert_has(s.err, "Did you mean \"c_birth\"?");
    done(&s);
    assert_int_equal(RUN(&s, path, "c_birth=NEUFOR", "sex=F"), 2);
    assert_has(s.err, "Did you mean \"c_birth=NEU_FOR\"?");
    done(&s);
    static const char *const bad[] = {"", "sex", "=F", "sex=", "sex=F,", "sex=F,sex=M", "sex=F,,c_birth=NAT"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(RUN(&s, path, bad[i], "c_birth=NAT"), 2);
        assert_has(s.err, "bad_key");
        done(&s);
    }
    assert_int_equal(RUN(&s, path, "--sum", "sxe"), 2);
    assert_has(s.err, "Did you mean \"sex\"?");
    done(&s);
}

static void files_that_are_no_answers_are_named(void **state) {
    session s;
    char path[256];
    FILE *file = fopen(unit_path(state, "x.answer.json", path), "w");
    fputs("{\"v\":1}", file);
    fclose(file);
    assert_int_equal(RUN(&s, path, "sex=F", "sex=M"), 2);
    assert_has(s.err, "is not a saved answer");
    done(&s);
    assert_int_not_equal(RUN(&s, "/nowhere/GW-1", "sex=F", "sex=M"), 0);
    done(&s);
    assert_int_equal(RUN(&s, path), 2);
    done(&s);
    assert_int_equal(RUN(&s, path, "a", "b", "--sum", "sex"), 2);
    done(&s);
}

// Gini by c_birth: everybody alike, or half with nothing; counts so large that the noise is hardly seen.
static const char *tree_write(void **state, const char *release, const char *question, const char *rich,
                              char path[256]) {
    char name[64];
    snprintf(name, sizeof(name), "%s.answer.json", release);
    FILE *file = fopen(unit_path(state, name, path), "w");
    assert_non_null(file);
    fprintf(file, "{\"v\":1,\"release\":\"%s\",\"dataset\":\"nso.example/register\",", release);
    repeat(file, "salt", "0", 64);
    repeat(file, "question", question, 64);
    repeat(file, "data_version", "0", 32);
    fprintf(file,
            "\"policy\":1,\"indicator\":null,\"indicator_version\":0,\"unit\":\"PC\",\"decimals\":1,\"level\":\"0.95\","
            "\"statistic\":\"gini\",\"of\":\"income\",\"notice\":null,\"by\":[\"c_birth\"],\"noise\":{\"law\":"
            "\"discrete-laplace\",\"epsilon\":\"0.1\",\"sensitivity\":\"1\",\"grid\":\"1\",\"offset\":\"0\"},"
            "\"measured\":{\"kind\":\"tree\",\"fan\":16,\"bins\":4,\"nodes\":4,\"first\":\"0\",\"width\":\"100\","
            "\"step\":\"1\",\"last\":\"399\",\"by\":[\"c_birth\"],\"groups\":[{\"key\":[\"NAT\"],\"nodes\":[\"0\","
            "\"1000\",\"0\",\"0\"]},{\"key\":[\"EU_FOR\"],\"nodes\":[\"500\",\"0\",\"0\",\"%s\"]}]},\"cells\":["
            "{\"key\":[\"NAT\"],\"parts\":[],\"estimate\":\"0.0\",\"lower\":\"0.0\",\"upper\":\"0.4\",\"se\":null,"
            "\"flag\":\"\"},{\"key\":[\"EU_FOR\"],\"parts\":[],\"estimate\":\"37.5\",\"lower\":\"37.0\",\"upper\":"
            "\"38.0\",\"se\":null,\"flag\":\"\"}]}",
            rich);
    fclose(file);
    return path;
}

static void trees_are_compared_by_their_own_ranges(void **state) {
    session s;
    char one[256], other[256];
    tree_write(state, "GW-2026-000011", "a", "500", one);
    tree_write(state, "GW-2026-000012", "b", "504", other);
    assert_int_equal(RUN(&s, one, "c_birth=EU_FOR", "c_birth=NAT", "-o", "table"), 0);
    assert_has(s.out, "Yes: c_birth=EU_FOR is higher than c_birth=NAT.\n");
    assert_has(s.out, "about 37.5 points, 19 times in 20 between ");
    done(&s);
    assert_int_equal(RUN(&s, one, "c_birth=NAT", "c_birth=EU_FOR", "-o", "table"), 0);
    assert_has(s.out, "No: c_birth=EU_FOR is higher than c_birth=NAT.\n");
    done(&s);
    assert_int_equal(RUN(&s, one, "c_birth=EU_FOR", other, "c_birth=EU_FOR"), 0);
    assert_has(s.out, ",not determinable,0.5000,GW-2026-000011,GW-2026-000012,");
    done(&s);
    // Each range at half the chance: wider than what a difference of the two at the level itself would be.
    assert_int_equal(RUN(&s, one, "c_birth=EU_FOR", other, "c_birth=EU_FOR", "--level", "99.9999"), 2);
    assert_has(s.err, "too high for a comparison");
    done(&s);
    assert_int_equal(RUN(&s, one, "c_birth=EU_FOR", other, "c_birth=EU_FOR", "--level", "99.9998"), 0);
    done(&s);
    assert_int_equal(RUN(&s, one, "c_birth=EU_FOR", one, "c_birth=EU_FOR"), 2);
    assert_has(s.err, "same_cells");
    done(&s);
}

// Each range misses half as often, so that both hold together whatever noise they share.
static void the_difference_of_trees_is_that_of_two_wider_ranges(void **state) {
    session s;
    char path[256], expected[64];
    gw_buffer bytes;
    gw_answer answer, at;
    gw_problem problem;
    gw_arena *arena = gw_arena_new(1u << 20);
    tree_write(state, "GW-2026-000011", "a", "520", path);
    gw_buffer_init(&bytes, 65536);
    assert_int_equal(gw_file_read(path, &bytes, &problem), GW_OK);
    assert_int_equal(gw_answer_decode(gw_buffer_bytes(&bytes), arena, &answer, &problem), GW_OK);
    assert_int_equal(gw_answer_at_level(&answer, 950000, arena, &at, NULL), GW_OK);
    const double narrow = strtod(at.cells[1].upper, NULL) - strtod(at.cells[1].lower, NULL);
    assert_int_equal(gw_answer_at_level(&answer, 975000, arena, &at, NULL), GW_OK);
    const gw_answer_cell *nat = &at.cells[0], *eu = &at.cells[1];
    assert_true(strtod(eu->upper, NULL) - strtod(eu->lower, NULL) > narrow);
    snprintf(expected, sizeof(expected), ",difference,37.5,%.1f,%.1f,,PC,gini,yes,0.9990,",
             strtod(eu->lower, NULL) - strtod(nat->upper, NULL), strtod(eu->upper, NULL) - strtod(nat->lower, NULL));
    assert_int_equal(RUN(&s, path, "c_birth=EU_FOR", "c_birth=NAT"), 0);
    assert_has(s.out, expected);
    done(&s);
    gw_buffer_done(&bytes);
    gw_arena_free(arena);
}

static void figures_that_stand_alone_are_not_pooled_or_added_up(void **state) {
    session s;
    char path[256], other[256];
    tree_write(state, "GW-2026-000011", "a", "500", path);
    tree_write(state, "GW-2026-000012", "b", "504", other);
    assert_int_equal(RUN(&s, path, "all", other, "all"), 2);
    assert_has(s.err, "names 2 cells");
    assert_has(s.err, "by all its codes: c_birth=NAT");
    done(&s);
    assert_int_equal(RUN(&s, path, "--sum", "all"), 2);
    assert_has(s.err, "do not add up");
    done(&s);
    assert_int_equal(RUN(&s, path, "c_birth=EU_FOR", "c_birth=NAT", "--ratio"), 2);
    assert_has(s.err, "not_comparable");
    done(&s);
}

// A saved answer that does not hold what its ranges follow from.
static void what_has_no_range_is_refused_by_its_name(void **state) {
    session s;
    char path[256];
    sample gini = COUNTS;
    gini.statistic = "gini";
    sample_write(state, &gini, path);
    assert_int_equal(RUN(&s, path, "c_birth=NAT,sex=F", "c_birth=EU_FOR,sex=F"), GW_EXIT_USAGE);
    assert_has(s.err, "does not hold what its ranges follow from");
    assert_has(s.err, "code  not_comparable\n");
    done(&s);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_folder_new, unit_folder_free)
    const struct CMUnitTest tests[] = {
        TEST(trees_are_compared_by_their_own_ranges),
        TEST(the_difference_of_trees_is_that_of_two_wider_ranges),
        TEST(figures_that_stand_alone_are_not_pooled_or_added_up),
        TEST(what_has_no_range_is_refused_by_its_name),
        TEST(two_cells_get_a_sentence_and_the_range_of_their_difference),
        TEST(programs_get_codes_and_numbers),
        TEST(a_partial_key_pools_its_cells),
        TEST(two_releases_are_compared_and_what_may_differ_is_said),
        TEST(dummies_are_not_real_wherever_they_stand),
        TEST(margins_have_the_range_of_their_sum),
        TEST(rates_are_pooled_from_their_parts),
        TEST(quotients_are_of_counts),
        TEST(what_is_not_independent_or_not_alike_is_refused),
        TEST(wrong_keys_get_the_nearest),
        TEST(files_that_are_no_answers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
