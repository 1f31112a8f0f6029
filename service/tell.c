// SPDX-License-Identifier: Apache-2.0
// The three parts of a refusal, on a terminal.
#include "service/tell.h"
#include "service/base/cleanup.h"
#include "service/format/text.h"

#include <stdio.h>
#include <string.h>

#define TERMINAL_WIDTH 80u
#define PART_INDENT 8u // of the lines after the first of why and mend

static int exit_code_of(const gw_problem *problem, gw_status status) {
    static const char *const looked_at[] = {"rolled_back", "store_newer", "hwm_missing",
                                            "hwm_corrupt", "hwm_foreign", "signer_missing"};
    for (size_t i = 0; i < sizeof looked_at / sizeof looked_at[0]; i++)
        if (strcmp(problem->code, looked_at[i]) == 0)
            return GW_EXIT_OPERATOR;
    switch (status) {
    case GW_OK:
        return 0;
    case GW_DENIED:
    case GW_UNAUTHENTICATED:
        return GW_EXIT_LOGIN;
    case GW_INVALID:
    case GW_NOT_FOUND:
    case GW_CONFLICT:
    case GW_LIMIT:
        return GW_EXIT_REFUSED;
    case GW_BUDGET:
        return GW_EXIT_BUDGET;
    case GW_BUSY:
    case GW_RETRY:
    case GW_UNAVAILABLE:
        return GW_EXIT_UNREACHABLE;
    case GW_CORRUPT:
        return GW_EXIT_TAMPERED;
    case GW_IO:
    case GW_NO_MEMORY:
    case GW_INTERNAL:
        return GW_EXIT_FAILED;
    }
    return GW_EXIT_FAILED;
}

// One part with its name, broken at spaces alone: a path or an option that is too long for a line stays whole, so that
// it can be copied.
static void tell_part(const char *name, const char *text, unsigned indent) {
    GW_CLEANUP(gw_buffer_done) gw_buffer clean;
    gw_buffer_init(&clean, 65536);
    gw_text_clean(&clean, text, true);
    const char *word = gw_buffer_string(&clean);
    size_t column = strlen(name);
    fputs(name, stderr);
    for (bool is_first = true; *word; is_first = false) {
        size_t size = strcspn(word, " \n");
        unsigned width = gw_text_width(word, size);
        bool is_broken = !is_first && column + 1 + width > TERMINAL_WIDTH;
        if (is_broken)
            fprintf(stderr, "\n%*s", (int)indent, "");
        else if (!is_first)
            fputc(' ', stderr);
        fprintf(stderr, "%.*s", (int)size, word);
        column = (is_broken ? indent : column + !is_first) + width;
        word += size;
        word += strspn(word, " \n");
    }
    fputc('\n', stderr);
}

int gw_tell(gw_status status, const gw_problem *problem) {
    tell_part("godwitd: ", problem->what[0] ? problem->what : "It did not work.", 0);
    if (problem->why[0])
        tell_part("  why   ", problem->why, PART_INDENT);
    if (problem->mend[0])
        tell_part("  mend  ", problem->mend, PART_INDENT);
    tell_part("  code  ", problem->code[0] ? problem->code : gw_status_name(status), PART_INDENT);
    return exit_code_of(problem, status);
}
