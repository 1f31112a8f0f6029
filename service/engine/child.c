// SPDX-License-Identifier: Apache-2.0
// What an engine process says first.
#include "service/engine/child.h"

gw_status gw_engine_child_greet(gw_process *child, int64_t deadline_ms) {
    gw_frame expected = {.kind = GW_FRAME_HELLO}, hello;
    gw_status status = gw_frame_receive_exact(child->descriptor, &expected, NULL, deadline_ms, &hello);
    if (status != GW_OK || hello.word != GW_ENGINE_CODEC_VERSION)
        return GW_UNAVAILABLE;
    return GW_OK;
}
