// SPDX-License-Identifier: Apache-2.0
// Log lines are built on the stack, so that a process without memory can still say so, and written in one call of at
// most 4096 bytes, which a pipe keeps whole. A value that doesn't fit is cut and the line says so.
#include "service/base/log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 4096u
#define TAIL "\",\"cut\":\"yes\"}\n" // room always kept for closing a line that was cut
#define LINE_ROOM (LINE_SIZE - sizeof(TAIL))

static atomic_int level_max = GW_LOG_INFO; // process-wide by nature: stderr is

typedef struct {
    char text[LINE_SIZE];
    size_t size;
    bool is_cut;
} log_line;

void gw_log_set_level(gw_log_level level) {
    atomic_store(&level_max, (int)level);
}

const char *gw_log_level_name(gw_log_level level) {
    switch (level) {
    case GW_LOG_ERROR:
        return "error";
    case GW_LOG_WARN:
        return "warn";
    case GW_LOG_INFO:
        return "info";
    case GW_LOG_DEBUG:
        return "debug";
    }
    return "unknown";
}

bool gw_log_level_parse(const char *name, gw_log_level *ret_level) {
    for (gw_log_level level = GW_LOG_ERROR; level <= GW_LOG_DEBUG; level++) {
        if (strcmp(gw_log_level_name(level), name) == 0) {
            *ret_level = level;
            return true;
        }
    }
    return false;
}

static void line_append(log_line *line, const char *text, size_t size) {
    if (line->is_cut || size > LINE_ROOM - line->size) {
        line->is_cut = true;
        return;
    }
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

// Length of the well-formed UTF-8 sequence at `text`, 0 where there is none (RFC 3629: no overlong form, no surrogate).
static size_t utf8_length(const uint8_t *text) {
    if (text[0] < 0x80)
        return 1;
    size_t length = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    if (text[0] < 0xC2 || text[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < length; i++) // stops at the NUL, which is no continuation byte
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    bool is_bad = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
                  (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F);
    return is_bad ? 0 : length;
}

static void line_append_escaped(log_line *line, const char *text) {
    const uint8_t *rest = (const uint8_t *)text;
    while (*rest != '\0' && !line->is_cut) {
        size_t length = utf8_length(rest);
        char escape[8];
        if (length == 0) {
            line_append(line, "\\ufffd", 6);
            length = 1;
        } else if (*rest == '"' || *rest == '\\') {
            escape[0] = '\\';
            escape[1] = (char)*rest;
            line_append(line, escape, 2);
        } else if (*rest < 0x20 || *rest == 0x7F) {
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)*rest);
            line_append(line, escape, 6);
        } else {
            line_append(line, (const char *)rest, length);
        }
        rest += length;
    }
}

static void line_field(log_line *line, const char *name, const char *value) {
    size_t start = line->size;
    line_append(line, line->size == 0 ? "{\"" : ",\"", 2);
    line_append_escaped(line, name);
    line_append(line, "\":\"", 3);
    if (line->is_cut) { // the name didn't fit: drop the field, close the one before
        line->size = start - 1;
        return;
    }
    line_append_escaped(line, value);
    if (!line->is_cut)
        line_append(line, "\"", 1);
}

static void line_time(log_line *line) {
    struct timespec now;
    struct tm parts;
    char text[64] = "";
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &parts) != NULL)
        snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", parts.tm_year + 1900, parts.tm_mon + 1,
                 parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1000000);
    line_field(line, "time", text);
}

static void line_write(log_line *line) {
    if (line->is_cut) {
        memcpy(line->text + line->size, TAIL, sizeof(TAIL) - 1);
        line->size += sizeof(TAIL) - 1;
    } else {
        memcpy(line->text + line->size, "}\n", 2);
        line->size += 2;
    }
    ssize_t written;
    do
        written = write(STDERR_FILENO, line->text, line->size);
    while (written < 0 && errno == EINTR);
    // A log that cannot be written has nowhere to complain.
}

void gw_log(gw_log_level level, const char *event, ...) {
    if ((int)level > atomic_load(&level_max))
        return;
    int saved_errno = errno;
    log_line line = {.size = 0};
    line_time(&line);
    line_field(&line, "level", gw_log_level_name(level));
    line_field(&line, "event", event);
    va_list fields;
    va_start(fields, event);
    for (const char *name; !line.is_cut && (name = va_arg(fields, const char *)) != NULL;) {
        const char *value = va_arg(fields, const char *);
        if (value == NULL) // the end marker in the place of a value: nothing can be read past it
            break;
        line_field(&line, name, value);
    }
    va_end(fields);
    line_write(&line);
    errno = saved_errno;
}
