// SPDX-License-Identifier: Apache-2.0
// The end of a process that broke its own promise: one log line, then abort.
#include "service/base/check.h"
#include "service/base/log.h"
#include <stdio.h>
#include <stdlib.h>

_Noreturn void gw_assert_failed(const char *expression, const char *file, int line) {
    char line_text[16];
    snprintf(line_text, sizeof(line_text), "%d", line);
    gw_log(GW_LOG_ERROR, "promise_broken", "expression", expression, "file", file, "line", line_text, NULL);
    abort();
}
