// SPDX-License-Identifier: Apache-2.0
// Markdown: a golden page, and text from elsewhere that stays text. And the table of formats.
#include "service/format/format.h"
#include "service/format/md.h"
#include "tests/support/unit.h"
#include "tests/unit/format/answers.h"
#include <string.h>

static void a_page_has_title_notice_table_and_notes(void **state) {
    (void)state;
    const gw_numbers german = {.point = ",", .group = ".", .grouping = "\3"};
    const gw_labels labels = {.numbers = &german};
    gw_answer answer = answer_sample();
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    answer.is_dummy = true;
    answer.cell_count = 3;
    gw_format_md(&answer, &answer_asked, &labels, &buffer);
    assert_string_equal(gw_buffer_string(&buffer),
                        "### Employment rate, by Country of birth\n\n"
                        "**NOT REAL: made from the policy alone, about nobody; for trying things out.**\n\n"
                        "SYNTHETIC, nobody \"in it\" exists.\n\n"
                        "| C_BIRTH | AGE:WORK | ESTIMATE | LIKELY BETWEEN | FLAG |\n"
                        "| --- | --- | ---: | ---: | --- |\n"
                        "| NAT | Y20T64 | 66.4 % | 63.5 and 69.3 |  |\n"
                        "| NAT | \\_U | 100.0 % | 80.0 and 100.0 |  |\n"
                        "| EU_FOR | Y20T64 | too uncertain | 0.0 and 4.0 | u |\n\n"
                        "- Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                        "- u  too uncertain after protection: ask for bigger groups, or double epsilon\n"
                        "- Shown within what is possible; -o csv and -o json keep the unbiased figures.\n"
                        "- Release GW-2026-000143\n\n"
                        "**NOT REAL: made from the policy alone, about nobody; for trying things out.**\n");
    gw_buffer_done(&buffer);
}

static void text_from_elsewhere_stays_text(void **state) {
    (void)state;
    gw_buffer buffer;
    gw_buffer_init(&buffer, 4096);
    gw_text_md(&buffer, "a|b\nc <img src=x> [l](u) `q` *b* _i_ in_word \\ & \033[2J\xE2\x80\xAE");
    assert_string_equal(gw_buffer_string(&buffer),
                        "a\\|b c &lt;img src=x&gt; \\[l\\](u) \\`q\\` \\*b\\* \\_i\\_ in_word \\\\ &amp; ?\\[2J?");
    gw_buffer_done(&buffer);
}

static void every_format_is_found_by_its_name_and_writes_an_answer(void **state) {
    (void)state;
    static const char *const names[] = {"table", "csv", "json", "ndjson", "json-stat", "sdmx-csv", "md"};
    gw_answer answer = answer_sample();
    assert_int_equal(gw_format_count(), sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < gw_format_count(); i++) {
        const gw_format *format = gw_format_find(names[i]);
        const gw_shown shown = {&answer, gw_bytes_of("{\"v\":1}   \n "), &answer_asked, NULL, 80};
        gw_buffer buffer;
        gw_buffer_init(&buffer, 65536);
        assert_non_null(format);
        assert_string_equal(format->name, names[i]);
        assert_int_equal(format->extension[0], '.');
        format->answer(&shown, &buffer);
        assert_int_equal(buffer.status, GW_OK);
        assert_int_equal(gw_buffer_string(&buffer)[buffer.size - 1], '\n');
        if (strcmp(names[i], "json") == 0)
            assert_string_equal(gw_buffer_string(&buffer), "{\"v\":1}\n"); // without its padding
        else
            assert_non_null(strstr(gw_buffer_string(&buffer), "66.4"));
        gw_buffer_done(&buffer);
    }
    assert_null(gw_format_find("xlsx"));
    assert_null(gw_format_find(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_title_notice_table_and_notes),
        cmocka_unit_test(text_from_elsewhere_stays_text),
        cmocka_unit_test(every_format_is_found_by_its_name_and_writes_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
