// SPDX-License-Identifier: Apache-2.0
// What an answer's figures and the lines below them share; nobody but format/figures*.c includes it.
// Thread safety: pure.   Depends on: format/figures.h.
#pragma once
#include "service/format/figures.h"

// " EUR", " %": persons and plain numbers need none.
void gw_figure_unit(const gw_answer *answer, gw_buffer *text);
