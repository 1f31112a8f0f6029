// SPDX-License-Identifier: Apache-2.0
// How the reader's locale writes numbers. The process itself stays in the C locale for numbers, so that nothing that is
// parsed or written for programs depends on who runs it.
// Thread safety: changes the calling thread's locale for a moment only.   Depends on: format/text.h.
#pragma once
#include "service/format/text.h"

// `locale` as in setlocale(3), "" for the environment's (LC_ALL, LC_NUMERIC, LANG). All zero ("24,108.5") for C and
// POSIX, for a locale that isn't there, and for separators that could be taken for something else. A space between
// groups becomes one that no line is broken at.
void gw_numbers_of_locale(const char *locale, bool is_unicode, gw_numbers *ret);
