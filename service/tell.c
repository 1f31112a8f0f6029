// SPDX-License-Identifier: Apache-2.0
// The three parts of a refusal, on a terminal.
#include "service/tell.h"

#include <stdio.h>
#include <string.h>

static int exit_code_of(const gw_problem *problem, gw_status status) {
    if (strcmp(problem->code, "rolled_back") == 0)
        return GW_EXIT_ROLLED_BACK;
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

int gw_tell(gw_status status, const gw_problem *problem) {
    fprintf(stderr, "godwitd: %s\n", problem->what[0] ? problem->what : "It did not work.");
    if (problem->why[0])
        fprintf(stderr, "  why   %s\n", problem->why);
    if (problem->mend[0])
        fprintf(stderr, "  mend  %s\n", problem->mend);
    fprintf(stderr, "  code  %s\n", problem->code[0] ? problem->code : gw_status_name(status));
    return exit_code_of(problem, status);
}
