// SPDX-License-Identifier: Apache-2.0
// Calendar periods: years, quarters and months, as SDMX writes them ("2023", "2023-Q2", "2023-05"), and the period that
// a date lies in. Proleptic Gregorian calendar, years 0001 to 9999. An index counts periods from year 0.
// Thread safety: pure.   Depends on: base/buffer.h.
#pragma once
#include "service/base/buffer.h"

typedef enum { GW_PERIOD_NONE, GW_PERIOD_YEAR, GW_PERIOD_QUARTER, GW_PERIOD_MONTH } gw_period;
#define GW_PERIOD_TEXT 32

const char *gw_period_name(gw_period period); // "year", "quarter", "month"; "" for none
bool gw_period_find(const char *name, gw_period *ret);

// Exactly as gw_period_format writes it; false for anything else.
bool gw_period_parse(gw_period period, const char *id, int64_t *ret_index);
void gw_period_format(gw_period period, int64_t index, char id[GW_PERIOD_TEXT]);   // "2023-05"
void gw_period_label(gw_period period, int64_t index, char label[GW_PERIOD_TEXT]); // "May 2023"

// The period in which a date lies: "2023-05-17", also with a time of day (T or a space between, a fraction of a second,
// a time zone), "2023-05" and "2023-Q2" and "2023" where that is enough to know it. The date counts as it is written:
// no zone moves it. False for what is no date of the calendar, such as 2023-02-30.
bool gw_period_of_date(gw_period period, gw_bytes text, int64_t *ret_index);
