// SPDX-License-Identifier: Apache-2.0
// Tampered and cannot check are never mixed: the status of the problem alone decides.
#include "client/cli/audit_say.h"
#include "service/base/check.h"
#include <string.h>
#include <time.h>

gw_exit_code gw_audit_fail(gw_cli *cli, const gw_problem *problem) {
    gw_exit_code code = gw_fail(cli, problem);
    if (problem->status == GW_CORRUPT)
        return GW_EXIT_TAMPERED;
    return problem->status == GW_INVALID && code == GW_EXIT_USAGE ? code : GW_EXIT_CANNOT_CHECK;
}

bool gw_number_read(const char *text, uint64_t max, uint64_t *ret) {
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    *ret = value;
    return value <= max;
}

bool gw_time_read(const char *text, int64_t *ret) {
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm parts = {0};
        const char *end = strptime(text, forms[i], &parts);
        if (end == NULL || *end != '\0')
            continue;
        *ret = (int64_t)timegm(&parts);
        return true;
    }
    return false;
}
