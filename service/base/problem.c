// SPDX-License-Identifier: Apache-2.0
// Filling problems, and the nearest word for "did you mean".
#include "service/base/problem.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_SIZE_MIN 3u
#define WORD_SIZE_MAX 64u // longer words are not typed by hand
#define WORD_SIZE_LONG 8u // from here on three slips are forgiven

// Cuts an over-long text at a character boundary, so that a problem is always valid UTF-8.
static void text_trim(char *text, size_t length, size_t size) {
    if (length < size)
        return;
    size_t end = size - 1;
    size_t start = end;
    while (start > 0 && ((uint8_t)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0 || (uint8_t)text[start - 1] < 0xC0)
        return; // ends in a plain character
    uint8_t lead = (uint8_t)text[start - 1];
    size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (end - (start - 1) < wanted)
        text[start - 1] = '\0';
}

static void text_copy(char *text, size_t size, const char *from) {
    int length = snprintf(text, size, "%s", from == NULL ? "" : from);
    text_trim(text, (size_t)length, size);
}

static void text_format(char *text, size_t size, const char *format, va_list arguments) {
    int length = vsnprintf(text, size, format, arguments);
    if (length < 0)
        text[0] = '\0';
    else
        text_trim(text, (size_t)length, size);
}

void gw_problem_fill(gw_problem *problem, gw_status status, const char *code, const char *what, const char *why,
                     const char *mend) {
    if (problem == NULL)
        return;
    memset(problem, 0, sizeof(*problem));
    problem->status = status;
    text_copy(problem->code, sizeof(problem->code), code);
    text_copy(problem->what, sizeof(problem->what), what);
    text_copy(problem->why, sizeof(problem->why), why);
    text_copy(problem->mend, sizeof(problem->mend), mend);
}

void gw_problem_what(gw_problem *problem, const char *format, ...) {
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    text_format(problem->what, sizeof(problem->what), format, arguments);
    va_end(arguments);
}

void gw_problem_why(gw_problem *problem, const char *format, ...) {
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    text_format(problem->why, sizeof(problem->why), format, arguments);
    va_end(arguments);
}

void gw_problem_mend(gw_problem *problem, const char *format, ...) {
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    text_format(problem->mend, sizeof(problem->mend), format, arguments);
    va_end(arguments);
}

static size_t min3(size_t a, size_t b, size_t c) {
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

// Letters of either case are one: "f" is meant for "F".
static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Optimal string alignment: insert, delete, replace, or swap two neighbours (the commonest slip), each one step.
static size_t edit_distance(const char *a, size_t a_size, const char *b, size_t b_size) {
    size_t rows[3][WORD_SIZE_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t differs = lower(a[i - 1]) != lower(b[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + differs);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b_size];
}

// The one word that begins with what was typed, of three letters at least: "NEU" is meant for "NEU_FOR". NULL where
// there is none, or more than one.
static const char *begun(const char *word, size_t size, const char *const words[], size_t count) {
    const char *found = NULL;
    if (size < PREFIX_SIZE_MIN)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < size && lower(words[i][k]) == lower(word[k])) // a shorter word ends here
            k++;
        if (k == size && found != NULL && strcmp(found, words[i]) != 0)
            return NULL;
        if (k == size)
            found = words[i];
    }
    return found;
}

const char *gw_nearest(const char *word, const char *const words[], size_t count) {
    size_t size = strlen(word);
    if (size > WORD_SIZE_MAX)
        return NULL;
    size_t distance_max = size >= WORD_SIZE_LONG ? 3 : 2;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other_size = strlen(words[i]);
        if (other_size > WORD_SIZE_MAX)
            continue;
        size_t distance = edit_distance(word, size, words[i], other_size);
        // A word that shares nothing with what was typed is no help ("ab" for "cd").
        if (distance > distance_max || distance >= size)
            continue;
        nearest = words[i];
        distance_max = distance == 0 ? 0 : distance - 1;
        if (distance == 0)
            break;
    }
    // A slip of one letter is likelier than a word cut short, two are not.
    const char *longer = nearest != NULL && edit_distance(word, size, nearest, strlen(nearest)) <= 1
                             ? NULL
                             : begun(word, size, words, count);
    return longer == NULL ? nearest : longer;
}
