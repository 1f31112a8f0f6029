// SPDX-License-Identifier: Apache-2.0
// What the encoders of answers share; nobody outside this room includes it.
// Thread safety: pure.   Depends on: release.h.
#pragma once
#include "service/release/release.h"

#define GW_RELEASE_HEAD_BYTES_MAX 16384u // names, a notice, the note on bounds, and the closing signs
// One cell without its numbers and key: {"key":[],"parts":[],"estimate":"","lower":"","upper":"","se":"","flag":"u"},
#define GW_RELEASE_CELL_BYTES 96u

// Everything before the cells.
void gw_release_write_head(const gw_release_shape *shape, gw_hash salt, gw_buffer *out);
// Spaces up to a length.
void gw_release_pad(gw_buffer *out, size_t length);
