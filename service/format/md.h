// SPDX-License-Identifier: Apache-2.0
// An answer as Markdown, with a table as GitHub and most others read it: for reports and issue texts. The same words as
// the table on a terminal; figures are written "24,108.5" whatever the locale, so that a text reads alike everywhere.
// Thread safety: pure.   Depends on: format/figures.h.
#pragma once
#include "service/format/figures.h"

void gw_format_md(const gw_answer *answer, const gw_asked *asked, const gw_labels *labels, gw_buffer *buffer);
