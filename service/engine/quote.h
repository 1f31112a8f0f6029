// SPDX-License-Identifier: Apache-2.0
// Text of a source as its owner's terminal may show it: what is valid UTF-8 stays as it is; control characters, those
// that reorder or hide text, and bytes that are no UTF-8 become '?'.
// Thread safety: pure.   Depends on: format/text.h, wire/json.h.
#pragma once
#include "service/base/buffer.h"

#define GW_QUOTE_MAX 128u // bytes of a text shown at most

// At most `size_max` bytes of the text, cut between characters, then "..." where it goes on. `ret` has room for
// size_max + 4.
void gw_quote(gw_bytes text, size_t size_max, char *ret);
