// SPDX-License-Identifier: Apache-2.0
// Dates are read strictly, digit by digit, after ISO 8601's extended format: a field that some program wrote in another
// order of day and month must not be guessed.
#include "service/wire/period.h"
#include "service/base/check.h"
#include <stdio.h>
#include <string.h>

#define YEAR_MAX 9999

const char *gw_period_name(gw_period period) {
    static const char *const names[] = {"", "year", "quarter", "month"};
    return names[period];
}

bool gw_period_find(const char *name, gw_period *ret) {
    for (gw_period period = GW_PERIOD_YEAR; period <= GW_PERIOD_MONTH; period++)
        if (strcmp(gw_period_name(period), name) == 0) {
            *ret = period;
            return true;
        }
    return false;
}

static int64_t count_per_year(gw_period period) {
    static const int64_t counts[] = {0, 1, 4, 12};
    return counts[period];
}

// What is left of a text that is being read.
typedef struct {
    const uint8_t *at, *end;
} date_reader;

static bool read_sign(date_reader *reader, char sign) {
    bool is_there = reader->at < reader->end && *reader->at == (uint8_t)sign;
    reader->at += is_there;
    return is_there;
}

// Exactly `count` digits, whose number is from `min` to `max`.
static bool read_digits(date_reader *reader, size_t count, int min, int max, int *ret) {
    int number = 0;
    if ((size_t)(reader->end - reader->at) < count)
        return false;
    for (size_t i = 0; i < count; i++, reader->at++) {
        if (*reader->at < '0' || *reader->at > '9')
            return false;
        number = number * 10 + (*reader->at - '0');
    }
    *ret = number;
    return number >= min && number <= max;
}

static int days_of(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

// Z, or how far the zone is from it: +hh, +hhmm, +hh:mm.
static bool read_zone(date_reader *reader) {
    int hour, minute;
    if (read_sign(reader, 'Z'))
        return true;
    if (!read_sign(reader, '+') && !read_sign(reader, '-'))
        return true; // none is written
    if (!read_digits(reader, 2, 0, 23, &hour))
        return false;
    if (reader->at == reader->end)
        return true;
    gw_ignore(read_sign(reader, ':')); // it may be left out
    return read_digits(reader, 2, 0, 59, &minute);
}

// hh:mm, with seconds and their fraction or without. A second 60 is a leap second.
static bool read_time(date_reader *reader) {
    int hour, minute, second, digit;
    if (!read_digits(reader, 2, 0, 23, &hour) || !read_sign(reader, ':') || !read_digits(reader, 2, 0, 59, &minute))
        return false;
    if (read_sign(reader, ':')) {
        if (!read_digits(reader, 2, 0, 60, &second))
            return false;
        if (read_sign(reader, '.')) {
            if (!read_digits(reader, 1, 0, 9, &digit))
                return false;
            while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
                reader->at++;
        }
    }
    return read_zone(reader);
}

// A date to the day, or what of it the text has: `month` and `quarter` are 0 where it does not say.
typedef struct {
    int year, quarter, month;
} date_parts;

static bool read_date(date_reader *reader, date_parts *ret) {
    int day;
    *ret = (date_parts){0};
    if (!read_digits(reader, 4, 1, YEAR_MAX, &ret->year))
        return false;
    if (reader->at == reader->end)
        return true;
    if (!read_sign(reader, '-'))
        return false;
    if (read_sign(reader, 'Q'))
        return read_digits(reader, 1, 1, 4, &ret->quarter) && reader->at == reader->end;
    if (!read_digits(reader, 2, 1, 12, &ret->month))
        return false;
    ret->quarter = (ret->month - 1) / 3 + 1;
    if (reader->at == reader->end)
        return true;
    if (!read_sign(reader, '-') || !read_digits(reader, 2, 1, days_of(ret->year, ret->month), &day))
        return false;
    if (reader->at == reader->end)
        return true;
    if (!read_sign(reader, 'T') && !read_sign(reader, ' '))
        return false;
    return read_time(reader) && reader->at == reader->end;
}

bool gw_period_of_date(gw_period period, gw_bytes text, int64_t *ret_index) {
    date_reader reader = {.at = text.data, .end = text.data + text.size};
    date_parts parts;
    if (text.size == 0 || period == GW_PERIOD_NONE || !read_date(&reader, &parts))
        return false;
    int place = period == GW_PERIOD_YEAR ? 1 : period == GW_PERIOD_QUARTER ? parts.quarter : parts.month;
    if (place == 0)
        return false;
    *ret_index = parts.year * count_per_year(period) + place - 1;
    return true;
}

bool gw_period_parse(gw_period period, const char *id, int64_t *ret_index) {
    char text[GW_PERIOD_TEXT];
    int64_t index;
    if (!gw_period_of_date(period, gw_bytes_of(id), &index))
        return false;
    gw_period_format(period, index, text);
    if (strcmp(text, id) != 0)
        return false;
    *ret_index = index;
    return true;
}

void gw_period_format(gw_period period, int64_t index, char id[GW_PERIOD_TEXT]) {
    GW_ASSERT(period != GW_PERIOD_NONE);
    long long year = index / count_per_year(period);
    long long place = index % count_per_year(period) + 1;
    if (period == GW_PERIOD_YEAR)
        snprintf(id, GW_PERIOD_TEXT, "%04lld", year);
    else if (period == GW_PERIOD_QUARTER)
        snprintf(id, GW_PERIOD_TEXT, "%04lld-Q%lld", year, place);
    else
        snprintf(id, GW_PERIOD_TEXT, "%04lld-%02lld", year, place);
}

void gw_period_label(gw_period period, int64_t index, char label[GW_PERIOD_TEXT]) {
    static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
    GW_ASSERT(period != GW_PERIOD_NONE && index >= 0);
    long long year = index / count_per_year(period);
    int64_t place = index % count_per_year(period);
    if (period == GW_PERIOD_YEAR)
        snprintf(label, GW_PERIOD_TEXT, "%lld", year);
    else if (period == GW_PERIOD_QUARTER)
        snprintf(label, GW_PERIOD_TEXT, "Q%lld %lld", (long long)place + 1, year);
    else
        snprintf(label, GW_PERIOD_TEXT, "%s %lld", months[place], year);
}
