// SPDX-License-Identifier: Apache-2.0
// Promises of our own code. A broken one stops the process, in release builds too; bad input is a gw_status instead.
// The message names the expression and the place, never a value.
// Depends on: nothing.
#pragma once

_Noreturn void gw_assert_failed(const char *expression, const char *file, int line);
#define GW_ASSERT(expression) ((expression) ? (void)0 : gw_assert_failed(#expression, __FILE__, __LINE__))
// An ignored result, with the reason in a comment beside it.
#define gw_ignore(call)                                                                                                \
    do {                                                                                                               \
        __typeof__(call) ignored_ = (call);                                                                            \
        (void)ignored_;                                                                                                \
    } while (0)
