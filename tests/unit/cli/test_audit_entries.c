// SPDX-License-Identifier: Apache-2.0
// The entries of a log shown and exported: filters, one entry with what belongs to it, rows that hold for every kind,
// and broken folders told as what they are.
#include "client/cli/entry_rows.h"
#include "client/cli/entry_words.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include "tests/unit/cli/audit_session.h"

static log_book book;
static char folder[256];

static int setup(void **state) {
    if (unit_folder_new(state) != 0)
        return -1;
    log_book_init(&book);
    log_book_live(&book);
    unit_path(state, "log", folder);
    log_book_publish(&book, book.count, folder);
    return 0;
}

static int teardown(void **state) {
    log_book_done(&book);
    return unit_folder_free(state);
}

static size_t lines_of(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

#define assert_rows(count, ...)                                                                                        \
    do {                                                                                                               \
        session s = RUN("audit", "log", "--log", folder, "-o", "csv", __VA_ARGS__);                                    \
        assert_int_equal(s.code, 0);                                                                                   \
        assert_int_equal(lines_of(s.out), 1 + (count));                                                                \
        session_done(&s);                                                                                              \
    } while (0)

static void entries_are_chosen_by_kind_name_person_number_and_time(void **state) {
    (void)state;
    char id[GW_ID_HEX];
    assert_rows(book.count, "--all");
    assert_rows(7, "--last", "7");
    assert_rows(8, "--kind", "charge");
    assert_rows(14, "--kind", "charge", "--kind", "release");
    assert_rows(2, "--kind", "policy", "--dataset", "register");
    assert_rows(0, "--kind", "policy", "--dataset", "gister");
    assert_rows(1, "--dataset", BOOK_POPULATION, "--kind", "population");
    log_book_id(BOOK_STUDENT, id);
    assert_rows(3, "--kind", "charge", "--principal", id);
    id[6] = '\0';
    assert_rows(3, "--kind", "charge", "--principal", id);
    assert_rows(4, "--from", "3", "--to", "6");
    assert_rows(2, "--from", "3", "--to", "6", "--last", "2");
    assert_rows(7, "--from", "2026-09-24"); // after the first silence
    assert_rows(book.count - 7, "--to", "2026-09-24");
    assert_rows(1, "--kind", "refusals", "--from", "2026-09-25", "--last", "1");
}

static void wrong_filters_are_usage_errors(void **state) {
    (void)state;
    assert_says(GW_EXIT_USAGE, "--last takes a whole number", "audit", "log", "--log", folder, "--last", "0");
    assert_says(GW_EXIT_USAGE, "--last takes a whole number", "audit", "log", "--log", folder, "--last", "1x");
    assert_says(GW_EXIT_USAGE, "--kind takes genesis", "audit", "log", "--log", folder, "--kind", "charges");
    assert_says(GW_EXIT_USAGE, "--from takes", "audit", "log", "--log", folder, "--from", "yesterday");
    assert_says(GW_EXIT_USAGE, "--to takes", "audit", "log", "--log", folder, "--to", "2026-13-01");
}

static void an_entry_is_shown_with_what_belongs_to_it(void **state) {
    char path[256];
    assert_int_equal(gw_folder_make(unit_path(state, "questions", path), 0755, NULL), GW_OK);
    assert_int_equal(gw_file_replace(unit_path(state, "questions/000.jsonl", path),
                                     gw_bytes_of("{\"other\":1}\n{\"statistic\":\"count\",\"by\":[\"sex\"]}\n"), 0644,
                                     NULL),
                     GW_OK);
    session s = RUN("audit", "show", "GW-2026-000002", "--log", folder, "-o", "table");
    assert_int_equal(s.code, 0);
    assert_non_null(strstr(s.out, "GW-2026-000002 answers charge 11"));
    assert_non_null(strstr(s.out, "Charge     entry 11"));
    assert_non_null(strstr(s.out, "Question   count by sex"));
    assert_non_null(strstr(s.out, "Policy     entry 7"));
    assert_non_null(strstr(s.out, "  release GW-2026-000002\n"));
    session_done(&s);
    assert_says(0, "Outcome    entry 12", "audit", "show", "11", "--log", folder, "-o", "table");
    assert_says(0, "no answer: deadline", "audit", "show", "21", "--log", folder, "-o", "table");
    assert_says(0, "the charge is open, and spent", "audit", "show", "25", "--log", folder, "-o", "table");
    assert_says(0, "\"question_text\":\"{\\\"statistic\\\"", "audit", "show", "11", "--log", folder, "-o", "json");
    assert_says(GW_EXIT_FAILED, "There is no entry 1000", "audit", "show", "1000", "--log", folder);
    assert_says(GW_EXIT_FAILED, "There is no release GW-1", "audit", "show", "GW-1", "--log", folder);
    assert_says(GW_EXIT_USAGE, "named by its number", "audit", "show", "../x", "--log", folder);
}

// A text that is not what was asked is not shown as what was asked.
static void a_question_of_another_hash_is_not_shown(void **state) {
    char path[256];
    assert_int_equal(gw_folder_make(unit_path(state, "questions", path), 0755, NULL), GW_OK);
    assert_int_equal(gw_file_replace(unit_path(state, "questions/000.jsonl", path),
                                     gw_bytes_of("{\"statistic\":\"count\",\"by\":[\"age\"]}\n"), 0644, NULL),
                     GW_OK);
    assert_says(0, "its text is not in the folder", "audit", "show", "11", "--log", folder, "-o", "table");
}

static gw_entry of_kind(gw_entry_kind kind) {
    gw_entry entry = {.kind = kind, .seq = 3, .time = BOOK_START};
    memset(&entry.genesis, 0, sizeof(entry.genesis));
    switch (kind) {
    case GW_ENTRY_GENESIS:
        strcpy(entry.genesis.origin, "o");
        strcpy(entry.genesis.log_key, "=cmd|x");
        break;
    case GW_ENTRY_POPULATION:
        strcpy(entry.population.population, "p");
        entry.population.delta = entry.population.selection_delta = 1000000000;
        break;
    case GW_ENTRY_POLICY:
        strcpy(entry.policy.dataset, "-1+2");
        strcpy(entry.policy.population, "p");
        entry.policy.delta = entry.policy.selection_delta = 1;
        entry.policy.total = 1500000;
        break;
    case GW_ENTRY_CHARGE:
        strcpy(entry.charge.dataset, "d");
        strcpy(entry.charge.population, "p");
        entry.charge.delta = entry.charge.rho = 7;
        entry.charge.cost = 50000;
        break;
    default:
        break;
    }
    return gw_entry_has_signers(kind) ? log_book_signed(entry, 1, 2) : entry;
}

// A line of an entry that has no column would end the process here.
static void every_kind_has_a_row_an_object_and_a_sentence(void **state) {
    (void)state;
    for (int kind = GW_ENTRY_GENESIS; kind <= GW_ENTRY_CLOCK; kind++) {
        gw_entry entry = of_kind((gw_entry_kind)kind);
        gw_buffer header, row, object, words;
        gw_buffer_init(&header, 65536);
        gw_buffer_init(&row, 65536);
        gw_buffer_init(&object, 65536);
        gw_buffer_init(&words, 65536);
        gw_entry_columns(&header);
        gw_entry_row(&entry, &row);
        gw_entry_object(&entry, &object);
        gw_entry_say(&entry, &words);
        size_t commas = 0, wanted = 0;
        for (size_t i = 0; i < row.size; i++)
            commas += row.data[i] == ',';
        for (size_t i = 0; i < header.size; i++)
            wanted += header.data[i] == ',';
        assert_int_equal(commas, wanted);
        gw_json *json = NULL;
        assert_int_equal(gw_json_parse(gw_buffer_bytes(&object), GW_JSON_REPLY, &json, NULL), GW_OK);
        assert_string_equal(gw_json_string(gw_json_member(gw_json_root(json), "kind")),
                            gw_entry_kind_name((gw_entry_kind)kind));
        gw_json_free(json);
        gw_buffer_done(&header);
        gw_buffer_done(&row);
        gw_buffer_done(&object);
        gw_buffer_done(&words);
    }
}

static void rows_are_decimal_and_no_formula(void **state) {
    (void)state;
    gw_buffer text;
    gw_entry entry = of_kind(GW_ENTRY_POLICY);
    gw_buffer_init(&text, 65536);
    gw_entry_row(&entry, &text);
    assert_non_null(strstr(gw_buffer_string(&text), ",policy,'-1+2,p,"));
    assert_non_null(strstr(gw_buffer_string(&text), ",1.5,"));
    assert_non_null(strstr(gw_buffer_string(&text), ",1e-18,"));
    assert_non_null(strstr(gw_buffer_string(&text), "3,2026-09-21T14:13:20Z,"));
    text.size = 0;
    entry = of_kind(GW_ENTRY_GENESIS);
    gw_entry_row(&entry, &text);
    assert_non_null(strstr(gw_buffer_string(&text), ",'=cmd|x,"));
    text.size = 0;
    entry = of_kind(GW_ENTRY_CHARGE);
    gw_entry_object(&entry, &text);
    assert_non_null(strstr(gw_buffer_string(&text), "\"cost\":\"0.05\",\"cost_delta\":\"7e-18\""));
    assert_null(strstr(gw_buffer_string(&text), "\"delta\""));
    gw_buffer_done(&text);
}

static void an_export_has_every_entry_in_every_form(void **state) {
    char path[256];
    gw_buffer file;
    session s = RUN("audit", "export", "--log", folder, "-o", "csv");
    assert_int_equal(s.code, 0);
    assert_int_equal(lines_of(s.out), book.count + 1);
    gw_buffer_init(&file, 1 << 20);
    assert_says(0, "They were copied, not checked", "audit", "export", "--log", folder, "-o", "csv", "--to",
                unit_path(state, "entries.csv", path));
    assert_int_equal(gw_file_read(path, &file, NULL), GW_OK);
    assert_string_equal(gw_buffer_string(&file), s.out);
    gw_buffer_done(&file);
    session_done(&s);
    s = RUN("audit", "export", "--log", folder, "-o", "json");
    gw_json *json = NULL;
    assert_int_equal(gw_json_parse(gw_bytes_of(s.out), GW_JSON_REPLY, &json, NULL), GW_OK);
    assert_int_equal(gw_json_count(gw_json_root(json)), book.count);
    gw_json_free(json);
    session_done(&s);
    s = RUN("audit", "export", "--log", folder, "-o", "ndjson");
    assert_int_equal(lines_of(s.out), book.count);
    session_done(&s);
    assert_says(GW_EXIT_FAILED, "cannot be written", "audit", "export", "--log", folder, "--to", "/nonexistent/x");
}

static void flip_file(const char *name, size_t at, size_t cut) {
    char path[400];
    gw_buffer file;
    gw_buffer_init(&file, 1 << 22);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(gw_file_read(path, &file, NULL), GW_OK);
    file.data[at % file.size] ^= 0x15;
    FILE *out = fopen(path, "we");
    assert_int_equal(fwrite(file.data, 1, file.size - cut, out), file.size - cut);
    fclose(out);
    gw_buffer_done(&file);
}

static void what_is_missing_cannot_be_checked_and_what_is_wrong_is_tampered(void **state) {
    (void)state;
    char bundle[64], path[400];
    snprintf(bundle, sizeof(bundle), "tile/entries/000.p/%zu", book.count);
    static const char *const commands[][3] = {
        {"log", "--all", NULL}, {"show", "GW-2026-000001", NULL}, {"export", NULL}};
    flip_file(bundle, 0, 40);
    for (size_t i = 0; i < 3; i++)
        assert_says(GW_EXIT_TAMPERED, "code  bad_", "audit", commands[i][0], "--log", folder, commands[i][1]);
    snprintf(path, sizeof(path), "%s/%s", folder, bundle);
    assert_int_equal(unlink(path), 0);
    for (size_t i = 0; i < 3; i++)
        assert_says(GW_EXIT_CANNOT_CHECK, "file_missing", "audit", commands[i][0], "--log", folder, commands[i][1]);
    FILE *huge = fopen(path, "we");
    assert_int_equal(ftruncate(fileno(huge), 256 * 65537 + 1), 0);
    fclose(huge);
    assert_says(GW_EXIT_TAMPERED, "longer than any can be", "audit", "log", "--log", folder);
    snprintf(path, sizeof(path), "%s/checkpoint", folder);
    assert_int_equal(unlink(path), 0);
    assert_says(GW_EXIT_CANNOT_CHECK, "file_missing", "audit", "log", "--log", folder);
    assert_says(GW_EXIT_CANNOT_CHECK, "log_missing", "audit", "log");
}

// A small campaign: whatever byte of the entries' file is another, nothing ends the process, nothing but 0 and 6 comes
// out, and no sign that a terminal acts on is shown.
static void no_changed_byte_crashes_or_reaches_the_terminal(void **state) {
    (void)state;
    char bundle[64];
    snprintf(bundle, sizeof(bundle), "tile/entries/000.p/%zu", book.count);
    for (size_t at = 0; at < 8000; at += 97) {
        flip_file(bundle, at, 0);
        session s = RUN("audit", "log", "--log", folder, "--all", "-o", "table");
        assert_true(s.code == GW_EXIT_DONE || s.code == GW_EXIT_TAMPERED);
        assert_true(session_is_plain(s.out));
        assert_true(session_is_plain(s.err));
        session_done(&s);
        s = RUN("audit", "show", "GW-2026-000002", "--log", folder, "-o", "table");
        assert_true(session_is_plain(s.out));
        session_done(&s);
        log_book_publish(&book, book.count, folder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_chosen_by_kind_name_person_number_and_time, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_filters_are_usage_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(an_entry_is_shown_with_what_belongs_to_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_question_of_another_hash_is_not_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(every_kind_has_a_row_an_object_and_a_sentence, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_are_decimal_and_no_formula, setup, teardown),
        cmocka_unit_test_setup_teardown(an_export_has_every_entry_in_every_form, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_cannot_be_checked_and_what_is_wrong_is_tampered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_changed_byte_crashes_or_reaches_the_terminal, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
