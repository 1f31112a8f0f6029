// SPDX-License-Identifier: Apache-2.0
// The signer's side of a connection: requests of codec.h answered by the rules of signer.h, until the other side is
// gone. Thread safety: one connection at a time.   Depends on: signer/{codec,signer}.h.
#pragma once
#include "privacy/status.h"

// Answers on `descriptor` with the keys of `folder`. GW_OK: the other side hung up. GW_CORRUPT: it spoke out of turn.
GW_MUST_CHECK gw_status gw_signer_serve(int descriptor, const char *folder);
