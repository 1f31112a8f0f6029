// SPDX-License-Identifier: Apache-2.0
// Names of the outcomes.
#include "privacy/status.h"

const char *gw_status_name(gw_status status) {
    switch (status) {
    case GW_OK:
        return "ok";
    case GW_INVALID:
        return "invalid";
    case GW_NOT_FOUND:
        return "not_found";
    case GW_DENIED:
        return "denied";
    case GW_UNAUTHENTICATED:
        return "unauthenticated";
    case GW_BUDGET:
        return "budget";
    case GW_CONFLICT:
        return "conflict";
    case GW_BUSY:
        return "busy";
    case GW_RETRY:
        return "retry";
    case GW_LIMIT:
        return "limit";
    case GW_CORRUPT:
        return "corrupt";
    case GW_IO:
        return "io";
    case GW_UNAVAILABLE:
        return "unavailable";
    case GW_NO_MEMORY:
        return "no_memory";
    case GW_INTERNAL:
        return "internal";
    }
    return "unknown";
}
