// SPDX-License-Identifier: Apache-2.0
// Names of C for C++ callers: every header of this room declares its functions between these two words.
// Thread safety: nothing to share.   Depends on: nothing.
#pragma once

#ifdef __cplusplus
#define GW_C_BEGIN extern "C" {
#define GW_C_END }
#else
#define GW_C_BEGIN
#define GW_C_END
#endif
