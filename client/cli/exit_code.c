// SPDX-License-Identifier: Apache-2.0
// The table of exit codes. Prefixes end in '_'; the first line that matches decides.
#include "client/cli/exit_code.h"
#include <string.h>

static const struct {
    const char *code;
    gw_exit_code exit_code;
} by_code[] = {
    {"budget_", GW_EXIT_BUDGET},
    {"max_cost", GW_EXIT_BUDGET},
    {"question_max", GW_EXIT_BUDGET},
    {"question_min", GW_EXIT_REFUSED},
    {"unauthenticated", GW_EXIT_LOGIN},
    {"denied_role", GW_EXIT_LOGIN},
    {"role_", GW_EXIT_LOGIN},
    {"token_", GW_EXIT_LOGIN},
    {"profile_", GW_EXIT_LOGIN},
    {"key_", GW_EXIT_LOGIN},
    {"denied_", GW_EXIT_REFUSED},
    {"embargo", GW_EXIT_REFUSED},
    {"quote_", GW_EXIT_REFUSED},
    {"stale_request", GW_EXIT_LOGIN},
    {"concept_missing", GW_EXIT_REFUSED},
    {"no_data", GW_EXIT_UNREACHABLE},
    {"not_serving", GW_EXIT_UNREACHABLE},
    {"unavailable", GW_EXIT_UNREACHABLE},
    {"unreachable", GW_EXIT_UNREACHABLE},
    {"not_ready", GW_EXIT_UNREACHABLE},
    {"disk_full", GW_EXIT_UNREACHABLE},
    {"no_quorum", GW_EXIT_UNREACHABLE},
    {"busy", GW_EXIT_UNREACHABLE},
    {"retry", GW_EXIT_UNREACHABLE},
    {"engine_", GW_EXIT_FAILED},
    {"answer_failed", GW_EXIT_FAILED},
    {"idem_conflict", GW_EXIT_FAILED},
    {"internal", GW_EXIT_FAILED},
    {"no_memory", GW_EXIT_FAILED},
    {"bad_reply", GW_EXIT_TAMPERED},
    {"rolled_back", GW_EXIT_TAMPERED},
    {"checkpoint_ahead", GW_EXIT_TAMPERED},
    {"log_restored", GW_EXIT_TAMPERED},
    {"withdrawn", GW_EXIT_REFUSED},
    {"rate_limited", GW_EXIT_UNREACHABLE},
    {"answer_lost", GW_EXIT_FAILED},
    {"bad_checkpoint", GW_EXIT_TAMPERED},
    {"bad_signature", GW_EXIT_LOGIN},
    {"bad_", GW_EXIT_USAGE},
    {"unknown_", GW_EXIT_USAGE},
    {"wrong_type", GW_EXIT_USAGE},
    {"missing_", GW_EXIT_USAGE},
    {"too_many", GW_EXIT_USAGE},
    {"too_many_cells", GW_EXIT_USAGE},
    {"json_", GW_EXIT_USAGE},
    {"target_error", GW_EXIT_USAGE},
    {"epsilon_needed", GW_EXIT_USAGE},
    {"of_needed", GW_EXIT_USAGE},
    {"by_needed", GW_EXIT_USAGE},
    {"option_", GW_EXIT_USAGE},
    {"words", GW_EXIT_USAGE},
    {"cancelled", GW_EXIT_CANCELLED},
};

static gw_exit_code by_status(gw_status status) {
    switch (status) {
    case GW_OK:
        return GW_EXIT_DONE;
    case GW_INVALID:
        return GW_EXIT_USAGE;
    case GW_DENIED:
        return GW_EXIT_REFUSED;
    case GW_UNAUTHENTICATED:
        return GW_EXIT_LOGIN;
    case GW_BUDGET:
        return GW_EXIT_BUDGET;
    case GW_CORRUPT:
        return GW_EXIT_TAMPERED;
    case GW_BUSY:
    case GW_RETRY:
    case GW_UNAVAILABLE:
        return GW_EXIT_UNREACHABLE;
    case GW_NOT_FOUND:
    case GW_CONFLICT:
    case GW_LIMIT:
    case GW_IO:
    case GW_NO_MEMORY:
    case GW_INTERNAL:
        return GW_EXIT_FAILED;
    }
    return GW_EXIT_FAILED;
}

static bool is_match(const char *pattern, const char *code) {
    size_t size = strlen(pattern);
    bool is_prefix = pattern[size - 1] == '_';
    return is_prefix ? strncmp(code, pattern, size) == 0 : strcmp(code, pattern) == 0;
}

gw_exit_code gw_exit_code_of(const gw_problem *problem) {
    // A tampered reply stays one, whatever code it brings; bad input has no such status.
    if (problem->status == GW_CORRUPT || problem->status == GW_OK)
        return by_status(problem->status);
    for (size_t i = 0; i < sizeof(by_code) / sizeof(by_code[0]); i++)
        if (is_match(by_code[i].code, problem->code))
            return by_code[i].exit_code;
    if (problem->budget[0] != '\0')
        return GW_EXIT_BUDGET;
    return by_status(problem->status);
}
