// SPDX-License-Identifier: Apache-2.0
// The operator's log: one JSON object per line on stderr. Programs log; libraries return.
// Field values are names, codes, counts of requests and public figures. Never a value from data, never a question's
// literals. Thread safety: safe; a line is one write.   Depends on: nothing.
#pragma once
#include <stdbool.h>

typedef enum { GW_LOG_ERROR, GW_LOG_WARN, GW_LOG_INFO, GW_LOG_DEBUG } gw_log_level;
void gw_log_set_level(gw_log_level level);
const char *gw_log_level_name(gw_log_level level);                  // "error", "warn", "info", "debug"
bool gw_log_level_parse(const char *name, gw_log_level *ret_level); // false: no such level
// Pairs of name and value, ended by NULL: gw_log(GW_LOG_INFO, "listening", "url", url, NULL).
void gw_log(gw_log_level level, const char *event, ...) __attribute__((sentinel));
