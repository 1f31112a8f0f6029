// SPDX-License-Identifier: Apache-2.0
// Lines are kept and then printed, so that JSON and text say the same.
#include "service/doctor_report.h"

#include "service/format/text.h"
#include "service/wire/json.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL_WIDTH 80u
#define SAYS_COLUMN 18u
#define MEND_COLUMN 24u

static const char *const names[] = {"OK", "WARN", "FAIL"};

void gw_doctor_say(gw_doctor_report *report, gw_found found, const char *check, const char *mend, const char *format,
                   ...) {
    if (report->count == GW_DOCTOR_LINES_MAX)
        return;
    gw_doctor_line *line = &report->lines[report->count++];
    va_list arguments;
    *line = (gw_doctor_line){.found = found, .check = check};
    va_start(arguments, format);
    vsnprintf(line->says, sizeof line->says, format, arguments);
    va_end(arguments);
    snprintf(line->mend, sizeof line->mend, "%s", mend);
}

void gw_doctor_say_problem(gw_doctor_report *report, gw_found found, const char *check, const gw_problem *problem) {
    gw_doctor_say(report, found, check, problem->mend, "%s%s%s (%s)", problem->what, problem->why[0] ? " " : "",
                  problem->why, problem->code);
}

size_t gw_doctor_count(const gw_doctor_report *report, gw_found found) {
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++)
        count += report->lines[i].found == found;
    return count;
}

static void print_json(const gw_doctor_report *report) {
    gw_buffer text;
    gw_buffer_init(&text, 1u << 20);
    gw_buffer_text(&text, "{\"checks\":[");
    for (size_t i = 0; i < report->count; i++) {
        const gw_doctor_line *line = &report->lines[i];
        gw_buffer_text(&text, i ? ",\n {" : "\n {");
        gw_json_write_member(&text, "result", names[line->found]);
        gw_json_write_member(&text, "check", line->check);
        gw_json_write_member(&text, "says", line->says);
        gw_json_write_member(&text, "mend", line->mend[0] ? line->mend : NULL);
        gw_buffer_text(&text, "}");
    }
    gw_buffer_text(&text, "]");
    for (gw_found found = GW_FOUND_OK; found <= GW_FOUND_FAIL; found++) {
        static const char *const counts[] = {"ok", "warn", "fail"};
        gw_json_write_integer(&text, counts[found], (int64_t)gw_doctor_count(report, found));
    }
    printf("%s}\n", gw_buffer_string(&text));
    gw_buffer_done(&text);
}

void gw_doctor_print(const gw_doctor_report *report, bool is_json) {
    if (is_json) {
        print_json(report);
        return;
    }
    unsigned width = isatty(STDOUT_FILENO) ? TERMINAL_WIDTH : UINT_MAX; // scripts read one line for each check
    for (size_t i = 0; i < report->count; i++) {
        const gw_doctor_line *line = &report->lines[i];
        gw_buffer text;
        gw_buffer_init(&text, 1u << 20);
        gw_buffer_format(&text, "%-4s  %-10s  ", names[line->found], line->check);
        gw_text_wrap(&text, line->says, width, SAYS_COLUMN, SAYS_COLUMN);
        fputs(gw_buffer_string(&text), stdout);
        gw_buffer_done(&text);
        if (line->mend[0]) {
            gw_buffer_init(&text, 1u << 20);
            gw_buffer_text(&text, "                  mend  ");
            gw_text_wrap(&text, line->mend, width, MEND_COLUMN, MEND_COLUMN);
            fputs(gw_buffer_string(&text), stdout);
            gw_buffer_done(&text);
        }
    }
    printf("%zu OK, %zu WARN, %zu FAIL\n", gw_doctor_count(report, GW_FOUND_OK), gw_doctor_count(report, GW_FOUND_WARN),
           gw_doctor_count(report, GW_FOUND_FAIL));
}
