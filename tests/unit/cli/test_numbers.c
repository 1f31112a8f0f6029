// SPDX-License-Identifier: Apache-2.0
// Numbers as locales write them. The locales are made for the test where localedef and its sources are, so that the
// test does not depend on what a machine has installed; without them only C is tested.
#include "client/cli/numbers.h"
#include "service/format/text.h"
#include "tests/support/unit.h"
#include <locale.h>

static void assert_number(const char *locale, bool is_unicode, const char *decimal, const char *expected) {
    gw_numbers numbers;
    gw_buffer raw, shown;
    gw_buffer_init(&raw, 256);
    gw_buffer_init(&shown, 256);
    gw_numbers_of_locale(locale, is_unicode, &numbers);
    gw_text_number(&raw, decimal, &numbers);
    gw_text_clean(&shown, gw_buffer_string(&raw), is_unicode); // as everything that is said
    assert_string_equal(gw_buffer_string(&shown), expected);
    gw_buffer_done(&raw);
    gw_buffer_done(&shown);
}

static void c_and_unknown_locales_write_as_ever(void **state) {
    (void)state;
    static const char *const names[] = {"C", "POSIX", "C.UTF-8", "xx_XX.UTF-8", "../../etc/passwd", "\033[2J"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_number(names[i], true, "-24108.5", "-24,108.5");
        assert_number(names[i], false, "-24108.5", "-24,108.5");
    }
}

static void the_environment_names_the_locale_in_order(void **state) {
    (void)state;
    setenv("LC_ALL", "", 1); // empty is not set
    setenv("LC_NUMERIC", "C", 1);
    setenv("LANG", "de_AT.UTF-8", 1);
    assert_number("", true, "24108.5", "24,108.5");
    unsetenv("LC_ALL");
    unsetenv("LC_NUMERIC");
    unsetenv("LANG");
    assert_number("", true, "24108.5", "24,108.5");
}

// False where this machine can't make locales.
static bool locale_make(const char *folder, const char *name, const char *charset) {
    char command[512];
    snprintf(command, sizeof(command), "localedef -i %s -f %s --no-archive %s/%s.%s >/dev/null 2>&1", name, charset,
             folder, name, charset);
    int code = system(command);
    snprintf(command, sizeof(command), "%s/%s.%s/LC_NUMERIC", folder, name, charset);
    return code != 127 && access(command, R_OK) == 0; // localedef warns with 1, and writes
}

static void locales_write_their_own_point_and_groups(void **state) {
    const char *folder = *state;
    // Two are enough, and quick to make: a narrow space in UTF-8, a space in a charset of one byte.
    if (!locale_make(folder, "fr_FR", "UTF-8") || !locale_make(folder, "cs_CZ", "ISO-8859-2"))
        skip();
    setenv("LOCPATH", folder, 1);
    assert_number("fr_FR.UTF-8", true, "1234567.5", "1\u202F234\u202F567,5");
    // A terminal without Unicode gets plain ASCII, whatever bytes its locale has for a space.
    assert_number("cs_CZ.ISO-8859-2", false, "1234567.5", "1 234 567,5");
    assert_number("fr_FR.UTF-8", false, "1234567.5", "1 234 567,5");
    setenv("LC_ALL", "fr_FR.UTF-8", 1);
    assert_number("", true, "24108.5", "24\u202F108,5");
    unsetenv("LC_ALL");
    // What programs read and write is as it was.
    char text[16];
    snprintf(text, sizeof(text), "%.1f", 0.5);
    assert_string_equal(text, "0.5");
    assert_string_equal(setlocale(LC_NUMERIC, NULL), "C");
    unsetenv("LOCPATH");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_and_unknown_locales_write_as_ever),
        cmocka_unit_test(the_environment_names_the_locale_in_order),
        cmocka_unit_test_setup_teardown(locales_write_their_own_point_and_groups, unit_folder_new, unit_folder_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
