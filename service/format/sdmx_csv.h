// SPDX-License-Identifier: Apache-2.0
// An answer as SDMX-CSV 2.0.0: STRUCTURE,STRUCTURE_ID,ACTION,<dimensions>,TIME_PERIOD,OBS_VALUE,<attributes>, CRLF. The
// only place where codes are spelled as Eurostat spells them (Y20T64 -> Y20-64, _T -> TOTAL).
// Thread safety: pure.   Depends on: format/{csv,figures}.h.
#pragma once
#include "service/format/asked.h"
#include "service/base/buffer.h"
#include "service/wire/answer.h"

// Dimensions: INDICATOR, then the filters that name one code ("age=20..64", "sex=F"), then the breakdown. The whole
// filter stands in DP_WHERE. The structure's id names all of these, so that one id always has the same columns:
// nso.example:DF_REGISTER_EMP_RT_AGE_SEX(1.0). A gap's groups are a dimension too. What only figures of some statistics
// have stands behind DP_NOTICE: DP_RANK_ERROR, DP_LINE, ... Keys that no list names stay as they are: their dimension
// has texts, not codes.
void gw_format_sdmx_csv(const gw_answer *answer, const gw_asked *asked, gw_buffer *buffer);
// A code as Eurostat spells it. `concept` without a banding. Bins, levels and spans become ids: "0..9" B0-9 ("M":
// minus,
// "_": a point), "0.5" P50, "period" PERIOD.
#define GW_SDMX_CODE_MAX (GW_NAME_MAX + 16u)
void gw_sdmx_code(const char *concept, const char *code, char text[GW_SDMX_CODE_MAX]);
