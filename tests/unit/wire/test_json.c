// SPDX-License-Identifier: Apache-2.0
// Hostile documents are refused with their code and place; good ones keep every value; what is written is read back.
#include "service/wire/json.h"
#include "service/base/cleanup.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

GW_DEFINE_FREEP(gw_json, gw_json_free)

typedef struct {
    const char *text;
    size_t size; // 0: up to the NUL
    const char *code;
    size_t line, column;
} refusal;

static void check_refusal(const refusal *expected, gw_json_limits limits) {
    gw_json *json = NULL;
    gw_problem problem = {0};
    size_t size = expected->size != 0 ? expected->size : strlen(expected->text);
    // An exact allocation, so that a read past the end is seen by the sanitizer.
    GW_CLEANUP(gw_freep) uint8_t *exact = malloc(size == 0 ? 1 : size);
    assert_non_null(exact);
    memcpy(exact, expected->text, size);
    gw_status status = gw_json_parse((gw_bytes){exact, size}, limits, &json, &problem);
    if (status == GW_OK || strcmp(problem.code, expected->code) != 0)
        print_error("text: %s\ncode: %s\n", expected->text, problem.code);
    assert_int_not_equal(status, GW_OK);
    assert_null(json);
    assert_int_equal(status, problem.status);
    assert_string_equal(problem.code, expected->code);
    assert_true(problem.what[0] != '\0' && problem.why[0] != '\0');
    if (expected->line == 0)
        return;
    char place[64];
    snprintf(place, sizeof(place), "%s, line %zu, column %zu: ", limits.name, expected->line, expected->column);
    if (strncmp(problem.why, place, strlen(place)) != 0)
        print_error("text: %s\nwanted: %s\n", expected->text, place);
    assert_memory_equal(problem.why, place, strlen(place));
}

static void hostile_documents_are_refused_with_code_and_place(void **state) {
    (void)state;
    static const refusal cases[] = {
        // What lenient parsers change silently.
        {"{\"a\":9007199254740993}", 0, "json_number", 1, 6},
        {"{\"a\":9007199254740992}", 0, "json_number", 1, 6},
        {"{\"a\":-9007199254740992}", 0, "json_number", 1, 6},
        {"{\"a\":123456789012345678901234567890}", 0, "json_number", 1, 6},
        {"{\"a\":1e999}", 0, "json_number", 1, 6},
        {"{\"a\":1e-400}", 0, "json_number", 1, 6},
        {"{\"a\":1E5}", 0, "json_number", 1, 6},
        {"{\"a\":0.05}", 0, "json_number", 1, 6},
        {"{\"a\":007}", 0, "json_number", 1, 6},
        {"{\"a\":-0}", 0, "json_number", 1, 6},
        {"{\"a\":-0.0}", 0, "json_number", 1, 6},
        {"{\"a\":-01}", 0, "json_number", 1, 6},
        {"{\"a\":1.}", 0, "json_number", 1, 6},
        {"{\"a\":.5}", 0, "json_syntax", 1, 6},
        {"{\"a\":+1}", 0, "json_syntax", 1, 6},
        {"{\"a\":-}", 0, "json_syntax", 1, 6},
        {"{\"a\":NaN}", 0, "json_syntax", 1, 6},
        {"{\"a\":Infinity}", 0, "json_syntax", 1, 6},
        {"{\"a\":-Infinity}", 0, "json_syntax", 1, 6},
        {"{\"a\":0x10}", 0, "json_syntax", 1, 7},
        {"{\"a\":1 2}", 0, "json_syntax", 1, 8},
        {"{\"a\":1,\"a\":1}", 0, "json_duplicate", 1, 8},
        {"{\"a\":1,\n \"\\u0061\":2}", 0, "json_duplicate", 2, 2},
        {"[{\"a\":{\"x\":1,\"y\":2,\"x\":3}}]", 0, "json_duplicate", 1, 20},
        {"{\"a\":1}x", 0, "json_syntax", 1, 8},
        {"{}{}", 0, "json_syntax", 1, 3},
        {"{},", 0, "json_syntax", 1, 3},
        {"{}\0", 3, "json_encoding", 1, 3},
        // Encoding.
        {"{\"a\":\"x\\u0000y\"}", 0, "json_encoding", 1, 8},
        {"{\"a\":\"x\0y\"}", 11, "json_encoding", 1, 8},
        {"\xEF\xBB\xBF{}", 0, "json_encoding", 1, 1},
        {"{\"a\":\"\xC0\xAF\"}", 0, "json_encoding", 1, 7},         // overlong /
        {"{\"a\":\"\xE0\x80\xAF\"}", 0, "json_encoding", 1, 7},     // overlong, three bytes
        {"{\"a\":\"\xF0\x80\x80\xAF\"}", 0, "json_encoding", 1, 7}, // overlong, four bytes
        {"{\"a\":\"\xED\xA0\x80\"}", 0, "json_encoding", 1, 7},     // surrogate
        {"{\"a\":\"\xF4\x90\x80\x80\"}", 0, "json_encoding", 1, 7}, // past U+10FFFF
        {"{\"a\":\"\xFF\"}", 0, "json_encoding", 1, 7},
        {"{\"a\":\"b\x80\"}", 0, "json_encoding", 1, 8}, // a continuation alone
        {"{\"a\":\"\xC3", 0, "json_encoding", 1, 7},     // cut
        {"{\"a\":\"\xE2\x82\"}", 0, "json_encoding", 1, 7},
        {"{\"\xC3\xA4\":\"\xFF\"}", 0, "json_encoding", 1, 7}, // columns count characters
        {"{\"a\":\"\\uD800\"}", 0, "json_encoding", 1, 7},
        {"{\"a\":\"\\uDC00\"}", 0, "json_encoding", 1, 7},
        {"{\"a\":\"\\uD800\\u0041\"}", 0, "json_encoding", 1, 7},
        {"{\"a\":\"\\uD800x\"}", 0, "json_encoding", 1, 7},
        // Strings.
        {"{\"a\":\"x\ny\"}", 0, "json_syntax", 1, 8},
        {"{\"a\":\"x\ty\"}", 0, "json_syntax", 1, 8},
        {"{\"a\":\"x\x1Fy\"}", 0, "json_syntax", 1, 8},
        {"{\"a\":\"\\x41\"}", 0, "json_syntax", 1, 7},
        {"{\"a\":\"\\u12\"}", 0, "json_syntax", 1, 7},
        {"{\"a\":\"\\u12G4\"}", 0, "json_syntax", 1, 7},
        {"{\"a\":\"\\", 0, "json_syntax", 1, 7},
        {"{\"a\":\"\\u", 0, "json_syntax", 1, 7},
        {"{\"a\":\"\\uD800\\", 0, "json_encoding", 1, 7},
        {"{\"a\":\"abc", 0, "json_syntax", 1, 6},
        {"{\"a\":'b'}", 0, "json_syntax", 1, 6},
        // Structure.
        {"", 0, "json_syntax", 1, 1},
        {"   \n ", 0, "json_syntax", 2, 2},
        {"{", 0, "json_syntax", 1, 2},
        {"[", 0, "json_syntax", 1, 2},
        {"[1", 0, "json_syntax", 1, 3},
        {"[1,", 0, "json_syntax", 1, 4},
        {"[1,]", 0, "json_syntax", 1, 4},
        {"[,1]", 0, "json_syntax", 1, 2},
        {"[1 2]", 0, "json_syntax", 1, 4},
        {"{\"a\"", 0, "json_syntax", 1, 5},
        {"{\"a\":", 0, "json_syntax", 1, 6},
        {"{\"a\":1,}", 0, "json_syntax", 1, 8},
        {"{\"a\" 1}", 0, "json_syntax", 1, 6},
        {"{a:1}", 0, "json_syntax", 1, 2},
        {"{1:1}", 0, "json_syntax", 1, 2},
        {"[1}", 0, "json_syntax", 1, 3},
        {"{\"a\":1]", 0, "json_syntax", 1, 7},
        {"]", 0, "json_syntax", 1, 1},
        {"tru", 0, "json_syntax", 1, 1},
        {"TRUE", 0, "json_syntax", 1, 1},
        {"truefalse", 0, "json_syntax", 1, 5},
        {"nul", 0, "json_syntax", 1, 1},
        {"undefined", 0, "json_syntax", 1, 1},
        {"\x0B{}", 0, "json_syntax", 1, 1},
        {"\xC2\xA0{}", 0, "json_syntax", 1, 1}, // a no-break space is no space
        {"{}\n\n  # note", 0, "json_syntax", 3, 3},
        {"// note\n{}", 0, "json_syntax", 1, 1}, // comments only where people write
        {"{\n \"a\": 1,\n \"b\": 0.5\n}", 0, "json_number", 3, 7},
        {"[[[[[[[[[1]]]]]]]]]", 0, "json_depth", 1, 9},
        {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}", 0, "json_depth", 1, 41},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refusal(&cases[i], GW_JSON_REQUEST);
}

static void comments_are_blanked_only_outside_strings(void **state) {
    (void)state;
    static const char text[] =
        "// head\r\n{ /* a \"quote\n in */ \"url\": \"ipc:///x /* no */ // no\", // \"b\": 1\n \"n\": 7 }";
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    assert_int_equal(gw_json_parse(gw_bytes_of(text), GW_JSON_FILE("p.json"), &json, NULL), GW_OK);
    const gw_json_node *url = gw_json_member(gw_json_root(json), "url");
    assert_string_equal(gw_json_string(url), "ipc:///x /* no */ // no");
    assert_int_equal(gw_json_count(gw_json_root(json)), 2);
    size_t line, column;
    gw_json_where(json, url, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 15);
    gw_json_where(json, gw_json_member(gw_json_root(json), "n"), &line, &column);
    assert_int_equal(line, 4);
    assert_int_equal(column, 7);
    static const refusal cases[] = {
        {"{} /* never closed", 0, "json_syntax", 1, 4},
        {"{} /*/", 0, "json_syntax", 1, 4},
        {"{} /", 0, "json_syntax", 1, 4},
        {"/* one */ /* \xFF */ {}", 0, "json_encoding", 1, 14},
        {"// one\n{\"a\": 1.5}", 0, "json_number", 2, 7},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refusal(&cases[i], GW_JSON_FILE("p.json"));
}

static void values_survive_unchanged(void **state) {
    (void)state;
    static const char text[] =
        " {\"z\":null,\"t\":true,\"f\":false,\"i\":9007199254740991,\"m\":-9007199254740991,\"o\":{},"
        "\"l\":[[],0,\"\"],\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDC26\xC3\xA4\",\"S\":1}  ";
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    assert_int_equal(gw_json_parse(gw_bytes_of(text), GW_JSON_REQUEST, &json, NULL), GW_OK);
    const gw_json_node *root = gw_json_root(json);
    assert_int_equal(gw_json_count(root), 9);
    assert_int_equal(gw_json_type_of(gw_json_member(root, "z")), GW_JSON_NULL);
    assert_true(gw_json_bool(gw_json_member(root, "t")));
    assert_false(gw_json_bool(gw_json_member(root, "f")));
    assert_true(gw_json_integer(gw_json_member(root, "i")) == 9007199254740991);
    assert_true(gw_json_integer(gw_json_member(root, "m")) == -9007199254740991);
    assert_null(gw_json_first(gw_json_member(root, "o")));
    const gw_json_node *list = gw_json_first(gw_json_member(root, "l"));
    assert_int_equal(gw_json_type_of(list), GW_JSON_ARRAY);
    list = gw_json_next(list);
    assert_int_equal(gw_json_integer(list), 0);
    list = gw_json_next(list);
    assert_string_equal(gw_json_string(list), "");
    assert_null(gw_json_next(list));
    assert_string_equal(gw_json_string(gw_json_member(root, "s")), "\"\\/\b\f\n\r\t\xC3\xA4\xF0\x9F\x90\xA6\xC3\xA4");
    assert_int_equal(gw_json_integer(gw_json_member(root, "S")), 1); // case matters
    assert_null(gw_json_member(root, "T"));
    assert_null(gw_json_next(gw_json_member(root, "S")));
}

static void size_limit_is_exact(void **state) {
    (void)state;
    GW_CLEANUP(gw_freep) char *text = malloc(65538);
    assert_non_null(text);
    memset(text, ' ', 65538);
    text[0] = '{';
    text[1] = '}';
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    assert_int_equal(gw_json_parse((gw_bytes){(uint8_t *)text, 65536}, GW_JSON_REQUEST, &json, NULL), GW_OK);
    gw_json *none = NULL;
    gw_problem problem;
    assert_int_equal(gw_json_parse((gw_bytes){(uint8_t *)text, 65537}, GW_JSON_REQUEST, &none, &problem), GW_LIMIT);
    assert_string_equal(problem.code, "json_too_big");
}

static void deep_nesting_ends_early(void **state) {
    (void)state;
    GW_CLEANUP(gw_freep) char *text = malloc(65536);
    assert_non_null(text);
    for (size_t i = 0; i < 65536; i++)
        text[i] = i % 2 == 0 ? '[' : '{';
    check_refusal(&(refusal){text, 65536, "json_syntax", 1, 3}, GW_JSON_REQUEST); // { needs a name
    memset(text, '[', 65536);
    check_refusal(&(refusal){text, 65536, "json_depth", 1, 9}, GW_JSON_REQUEST);
    // However deep a caller allows, our own recursion stays bounded.
    check_refusal(&(refusal){text, 65536, "json_depth", 1, 65},
                  (gw_json_limits){.name = "deep", .size_max = 65536, .depth_max = 100000});
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    assert_int_equal(gw_json_parse(gw_bytes_of("[[[[[[[[]]]]]]]]"), GW_JSON_REQUEST, &json, NULL), GW_OK);
}

static void duplicates_are_found_among_many_names(void **state) {
    (void)state;
    GW_CLEANUP(gw_buffer_done) gw_buffer buffer;
    gw_buffer_init(&buffer, 1048576);
    gw_buffer_text(&buffer, "{\n");
    for (int i = 0; i < 20000; i++)
        gw_buffer_format(&buffer, "\"n%d\":%d,\n", i, i);
    gw_buffer_text(&buffer, "\"n777\":1,\"n5\":2}");
    check_refusal(&(refusal){gw_buffer_string(&buffer), 0, "json_duplicate", 20002, 1}, GW_JSON_FILE("big"));
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double parse_cells(size_t count) {
    GW_CLEANUP(gw_buffer_done) gw_buffer buffer;
    gw_buffer_init(&buffer, 64u << 20);
    gw_buffer_text(&buffer, "{\"cells\":[");
    for (size_t i = 0; i < count; i++)
        gw_buffer_format(&buffer, "%s{\"key\":[\"A%zu\",\"F\"],\"parts\":[\"%zu\",\"504\"],\"lower\":\"0.1\"}",
                         i ? "," : "", i, i);
    gw_buffer_text(&buffer, "]}");
    assert_int_equal(buffer.status, GW_OK);
    double start = seconds();
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    assert_int_equal(gw_json_parse(gw_buffer_bytes(&buffer), GW_JSON_REPLY, &json, NULL), GW_OK);
    const gw_json_node *cells = gw_json_member(gw_json_root(json), "cells");
    assert_int_equal(gw_json_count(cells), count);
    size_t seen = 0;
    for (const gw_json_node *cell = gw_json_first(cells); cell != NULL; cell = gw_json_next(cell))
        seen += gw_json_count(gw_json_member(cell, "parts"));
    assert_int_equal(seen, 2 * count);
    return seconds() - start;
}

static void large_replies_take_linear_time(void **state) {
    (void)state;
    double small = parse_cells(5000);
    double large = parse_cells(100000);
    // Linear is 20; quadratic would be 400. The slack is for caches and a busy machine.
    assert_true(large < small * 100 + 0.05);
}

static void unknown_fields_get_a_suggestion_at_the_name(void **state) {
    (void)state;
    static const char *const allowed[] = {"epsilon", "dataset", NULL};
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    assert_int_equal(gw_json_parse(gw_bytes_of("{\"dataset\":\"a\",\n  \"epsilonn\":1}"), GW_JSON_REQUEST, &json, NULL),
                     GW_OK);
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    assert_false(gw_json_expect_object(&reader, gw_json_root(json), allowed));
    assert_string_equal(reader.problem.code, "unknown_field");
    assert_string_equal(reader.problem.mend, "Did you mean \"epsilon\"?");
    assert_string_equal(reader.problem.why, "request, line 2, column 3: \"epsilonn\" is not a field here.");
    // The first problem is kept, and later reads return nothing.
    assert_null(gw_json_read_string(&reader, gw_json_root(json), "absent"));
    assert_string_equal(reader.problem.code, "unknown_field");
}

static void names_from_outside_are_shown_without_their_bytes(void **state) {
    (void)state;
    static const char *const allowed[] = {"a", NULL};
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    assert_int_equal(gw_json_parse(gw_bytes_of("{\"\\u001b[2J\\n\xC3\xA4\":1}"), GW_JSON_REQUEST, &json, NULL), GW_OK);
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    assert_false(gw_json_expect_object(&reader, gw_json_root(json), allowed));
    assert_string_equal(reader.problem.why, "request, line 1, column 2: \"?[2J???\" is not a field here.");
}

static void readers_check_types_and_ranges(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *code;
        int call; // which read
    } cases[] = {
        {"{}", "missing_field", 0},
        {"{\"x\":1}", "wrong_type", 0},
        {"{\"x\":null}", "wrong_type", 0},
        {"{\"x\":\"1\"}", "wrong_type", 1},
        {"{\"x\":11}", "out_of_range", 1},
        {"{\"x\":-1}", "out_of_range", 1},
        {"{\"x\":1}", "wrong_type", 2},
        {"{\"x\":{}}", "wrong_type", 3},
        {"{\"x\":[]}", "wrong_type", 4},
        {"{\"x\":1}", "bad_epsilon", 5},
        {"{\"x\":\"\"}", "bad_epsilon", 5},
        {"{\"x\":\"-0\"}", "bad_epsilon", 5},
        {"{\"x\":\"-1\"}", "bad_epsilon", 5},
        {"{\"x\":\"1e-400\"}", "bad_epsilon", 5},
        {"{\"x\":\"1e400\"}", "bad_epsilon", 5},
        {"{\"x\":\"NaN\"}", "bad_epsilon", 5},
        {"{\"x\":\"inf\"}", "bad_epsilon", 5},
        {"{\"x\":\"0.0000001\"}", "bad_epsilon", 5},
        {"{\"x\":null}", "bad_epsilon", 5},
        {"{\"x\":[]}", "bad_epsilon", 5},
        {"{}", "missing_field", 5},
        {"[]", "wrong_type", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
        assert_int_equal(gw_json_parse(gw_bytes_of(cases[i].text), GW_JSON_REQUEST, &json, NULL), GW_OK);
        const gw_json_node *root = gw_json_root(json);
        gw_json_reader reader;
        gw_json_reader_init(&reader, json);
        switch (cases[i].call) {
        case 0:
            assert_null(gw_json_read_string(&reader, root, "x"));
            break;
        case 1:
            assert_int_equal(gw_json_read_integer(&reader, root, "x", 0, 10), 0);
            break;
        case 2:
            assert_false(gw_json_read_bool(&reader, root, "x"));
            break;
        case 3:
            assert_null(gw_json_read_array(&reader, root, "x"));
            break;
        case 4:
            assert_null(gw_json_read_object(&reader, root, "x"));
            break;
        default:
            assert_int_equal(gw_json_read_epsilon(&reader, root, "x").micro, 0);
        }
        assert_int_equal(reader.status, GW_INVALID);
        assert_string_equal(reader.problem.code, cases[i].code);
    }
}

static void strings_written_are_read_back(void **state) {
    (void)state;
    static const char text[] = "\x01 \"q\" \\ \n \x7F \xC3\xA4 \xF0\x9F\x90\xA6 /";
    GW_CLEANUP(gw_buffer_done) gw_buffer buffer;
    gw_buffer_init(&buffer, 4096);
    gw_buffer_text(&buffer, "{");
    gw_json_write_member(&buffer, "s", text);
    gw_json_write_member(&buffer, "n", NULL);
    gw_json_write_integer(&buffer, "i", -5);
    gw_json_write_epsilon(&buffer, "e", (gw_epsilon){50000});
    gw_json_write_member(&buffer, "bad", "a\xFF\xC3z");
    gw_buffer_text(&buffer, "}");
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    assert_int_equal(gw_json_parse(gw_buffer_bytes(&buffer), GW_JSON_REQUEST, &json, NULL), GW_OK);
    const gw_json_node *root = gw_json_root(json);
    assert_string_equal(gw_json_string(gw_json_member(root, "s")), text);
    assert_int_equal(gw_json_type_of(gw_json_member(root, "n")), GW_JSON_NULL);
    assert_int_equal(gw_json_integer(gw_json_member(root, "i")), -5);
    assert_string_equal(gw_json_string(gw_json_member(root, "e")), "0.05");
    assert_string_equal(gw_json_string(gw_json_member(root, "bad")), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
}

static void refusals_survive_the_wire(void **state) {
    (void)state;
    gw_problem problem = {0};
    assert_int_equal(
        gw_problem_set(&problem, GW_BUDGET, "budget_principal", "It costs more.", "0.02 left", "godwit cost"),
        GW_BUDGET);
    strcpy(problem.budget, "principal");
    problem.needed.micro = 50000;
    problem.remaining.micro = 20000;
    GW_CLEANUP(gw_buffer_done) gw_buffer buffer;
    gw_buffer_init(&buffer, 8192);
    gw_problem_encode(&problem, &buffer);
    assert_string_equal(gw_buffer_string(&buffer),
                        "{\"v\":1,\"code\":\"budget_principal\",\"what\":\"It costs more.\",\"why\":\"0.02 left\","
                        "\"mend\":\"godwit cost\",\"budget\":\"principal\",\"needed\":\"0.05\",\"remaining\":\"0.02\","
                        "\"renews\":null,\"charged\":\"0\"}");
    gw_problem back = {0};
    assert_int_equal(gw_problem_decode(gw_buffer_bytes(&buffer), &back), GW_OK);
    assert_memory_equal(&back, &problem, sizeof(back));
    assert_int_not_equal(gw_problem_decode(gw_bytes_of("{\"v\":2}"), &back), GW_OK);
    assert_int_not_equal(gw_problem_decode(gw_bytes_of("{\"v\":1,\"code\":\"x\"}"), &back), GW_OK);
    assert_string_equal(back.code, "budget_principal"); // a failure changes nothing
    // A problem without a budget, and the longest texts.
    problem = (gw_problem){.status = GW_DENIED, .code = "denied_role"};
    memset(problem.what, '"', sizeof(problem.what) - 1);
    memset(problem.why, '\\', sizeof(problem.why) - 1);
    memset(problem.mend, 1, sizeof(problem.mend) - 1);
    gw_buffer_done(&buffer);
    gw_problem_encode(&problem, &buffer);
    assert_int_equal(buffer.status, GW_OK);
    assert_int_equal(gw_problem_decode(gw_buffer_bytes(&buffer), &back), GW_OK);
    assert_memory_equal(&back, &problem, sizeof(back));
}

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void mutations_never_crash(void **state) {
    (void)state;
    static const char seed_text[] =
        "{\"v\":1,\"kind\":\"query\",\"a\":[1,-2,{\"x\":\"\\u00e4\\uD83D\\uDC26\"}],\"b\":null /* c */}";
    static const char replacements[] = "{}[]\",:\\u0/*-1e";
    uint64_t random = 20240501;
    size_t accepted = 0;
    for (int i = 0; i < 20000; i++) {
        size_t size = sizeof(seed_text) - 1;
        uint8_t text[sizeof(seed_text)];
        memcpy(text, seed_text, sizeof(seed_text));
        for (uint64_t j = next_random(&random) % 4; j > 0; j--) {
            uint64_t draw = next_random(&random);
            size_t at = next_random(&random) % size;
            text[at] =
                draw % 3 == 0 ? (uint8_t)(draw >> 8) : (uint8_t)replacements[(draw >> 8) % (sizeof(replacements) - 1)];
        }
        if (next_random(&random) % 4 == 0)
            size = next_random(&random) % size;
        GW_CLEANUP(gw_freep) uint8_t *exact = malloc(size + 1);
        assert_non_null(exact);
        memcpy(exact, text, size);
        GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
        gw_problem problem = {0};
        gw_status status = gw_json_parse((gw_bytes){exact, size}, GW_JSON_FILE("m"), &json, &problem);
        assert_true((status == GW_OK) == (json != NULL));
        assert_true(status == GW_OK || strncmp(problem.code, "json_", 5) == 0);
        accepted += status == GW_OK;
    }
    assert_true(accepted > 1000 && accepted < 19000); // both sides were reached
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_documents_are_refused_with_code_and_place),
        cmocka_unit_test(comments_are_blanked_only_outside_strings),
        cmocka_unit_test(values_survive_unchanged),
        cmocka_unit_test(size_limit_is_exact),
        cmocka_unit_test(deep_nesting_ends_early),
        cmocka_unit_test(duplicates_are_found_among_many_names),
        cmocka_unit_test(large_replies_take_linear_time),
        cmocka_unit_test(unknown_fields_get_a_suggestion_at_the_name),
        cmocka_unit_test(names_from_outside_are_shown_without_their_bytes),
        cmocka_unit_test(readers_check_types_and_ranges),
        cmocka_unit_test(strings_written_are_read_back),
        cmocka_unit_test(refusals_survive_the_wire),
        cmocka_unit_test(mutations_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
