// SPDX-License-Identifier: Apache-2.0
// One godwit-engine process as its parent sees it: a process of base/process.h that speaks the engine's codec.
// Thread safety: one user per child; starting is safe from any thread.   Depends on: codec.h, base/process.h.
#pragma once
#include "service/base/process.h"
#include "service/engine/codec.h"

_Static_assert(GW_ENGINE_DESCRIPTOR == GW_PROCESS_DESCRIPTOR, "spawn and main agree");

// Waits for the child's first frame. GW_UNAVAILABLE when it is of another build, or silent until the deadline.
GW_MUST_CHECK gw_status gw_engine_child_greet(gw_process *child, int64_t deadline_ms);
