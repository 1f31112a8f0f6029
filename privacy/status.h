// SPDX-License-Identifier: Apache-2.0
// The canonical outcome of every call that can fail. Text for people is elsewhere (service/base/problem.h).
// Thread safety: pure values.   Depends on: nothing.
#pragma once
#include "privacy/linkage.h"

GW_C_BEGIN

#define GW_MUST_CHECK __attribute__((warn_unused_result))

typedef enum {
    GW_OK = 0,
    GW_INVALID,         // the caller's input is wrong; nothing has changed
    GW_NOT_FOUND,       // no such thing, or not one the caller may see
    GW_DENIED,          // known who, not allowed
    GW_UNAUTHENTICATED, // not known who
    GW_BUDGET,          // a privacy budget is too small
    GW_CONFLICT,        // the same name or id already stands for something else
    GW_BUSY,            // a queue is full; ask again
    GW_RETRY,           // the outcome is unknown; ask again with the same request id
    GW_LIMIT,           // a stated bound was passed
    GW_CORRUPT,         // what was read back is not what was written
    GW_IO,              // the operating system said no
    GW_UNAVAILABLE,     // a part this needs is not there or not ready
    GW_NO_MEMORY,
    GW_INTERNAL,
} gw_status;

// A short fixed word per status, for logs ("ok", "invalid", …). Never NULL.
const char *gw_status_name(gw_status status);

GW_C_END
