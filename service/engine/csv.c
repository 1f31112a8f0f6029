// SPDX-License-Identifier: Apache-2.0
// A row is first scanned to its end, remembering where fields lie, and only then are doubled quotes folded in place: a
// row cut by the end of the buffer is scanned again from its start, on unchanged bytes.
#include "service/engine/csv.h"
#include "service/base/cleanup.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_SIZE (4u * GW_ROWS_BYTES_MAX)
#define GZIP_BUFFER_SIZE (256u << 10)

typedef struct {
    uint8_t *start;
    size_t size;
    bool has_doubled; // quotes to fold
} csv_span;

struct gw_csv {
    gzFile file;
    double size; // of the file, as it lies on disk
    uint8_t *buffer;
    uint8_t *at, *end; // unread bytes of the buffer
    bool is_ended;     // the file has no more
    bool is_failed;
    csv_span spans[GW_ROWS_FIELDS_MAX];
    gw_bytes fields[GW_ROWS_FIELDS_MAX];
    size_t field_count;
};

GW_DEFINE_FREEP(gw_csv, gw_csv_close)

static void refill(gw_csv *csv) {
    size_t rest = (size_t)(csv->end - csv->at);
    memmove(csv->buffer, csv->at, rest);
    csv->at = csv->buffer;
    csv->end = csv->buffer + rest;
    int count = gzread(csv->file, csv->end, (unsigned)(BUFFER_SIZE - rest));
    int error = Z_OK;
    if (count <= 0) {
        csv->is_ended = true;
        gzerror(csv->file, &error); // a file cut short ends here with Z_BUF_ERROR
        if (count < 0 || error != Z_OK)
            csv->is_failed = true;
        return;
    }
    csv->end += count;
}

static gw_status csv_open_file(gw_csv *csv, const char *path) {
    struct stat facts;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return GW_IO;
    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) || (csv->file = gzdopen(descriptor, "rb")) == NULL) {
        close(descriptor);
        return GW_IO;
    }
    gzbuffer(csv->file, GZIP_BUFFER_SIZE);
    csv->size = facts.st_size > 0 ? (double)facts.st_size : 1.0;
    return GW_OK;
}

gw_status gw_csv_open(const char *path, gw_csv **ret) {
    GW_CLEANUP(gw_csv_freep) gw_csv *csv = calloc(1, sizeof(*csv));
    if (csv == NULL || (csv->buffer = malloc(BUFFER_SIZE)) == NULL)
        return GW_NO_MEMORY;
    csv->at = csv->end = csv->buffer;
    gw_status status = csv_open_file(csv, path);
    if (status != GW_OK)
        return status;
    refill(csv);
    if (csv->is_failed)
        return GW_IO;
    if (csv->end - csv->at >= 3 && memcmp(csv->at, "\xEF\xBB\xBF", 3) == 0)
        csv->at += 3; // byte order mark
    *ret = gw_take(&csv);
    return GW_OK;
}

void gw_csv_close(gw_csv *csv) {
    if (csv == NULL)
        return;
    if (csv->file != NULL)
        gzclose_r(csv->file);
    if (csv->buffer != NULL)
        explicit_bzero(csv->buffer, BUFFER_SIZE);
    free(csv->buffer);
    free(csv);
}

bool gw_csv_is_utf16(const gw_csv *csv) {
    return csv->end - csv->at >= 2 && (memcmp(csv->at, "\xFF\xFE", 2) == 0 || memcmp(csv->at, "\xFE\xFF", 2) == 0);
}

double gw_csv_fraction(const gw_csv *csv) {
    double fraction = (double)gzoffset(csv->file) / csv->size;
    return fraction < 1.0 ? fraction : 1.0;
}

typedef enum { SCAN_CUT, SCAN_DONE } scan_outcome; // cut: the buffer ended before the row did

typedef struct {
    uint8_t *at; // after the row's line end
    bool is_broken;
} scan_state;

// From an opening quote to just after the closing one. A quote that never closes takes all there is.
static scan_outcome scan_quoted(const gw_csv *csv, scan_state *scan, csv_span *span) {
    span->start = scan->at + 1;
    for (uint8_t *from = span->start;;) {
        uint8_t *quote = memchr(from, '"', (size_t)(csv->end - from));
        if (quote == NULL || quote + 1 == csv->end) {
            if (!csv->is_ended)
                return SCAN_CUT;
            scan->is_broken |= quote == NULL;
            span->size = (size_t)((quote == NULL ? csv->end : quote) - span->start);
            scan->at = csv->end;
            return SCAN_DONE;
        }
        if (quote[1] != '"') {
            span->size = (size_t)(quote - span->start);
            scan->at = quote + 1;
            return SCAN_DONE;
        }
        span->has_doubled = true;
        from = quote + 2;
    }
}

static uint8_t *scan_to_delimiter(const gw_csv *csv, uint8_t *at) {
    while (at < csv->end && *at != ',' && *at != '\n')
        at++;
    return at;
}

// One field and the delimiter after it. `ret_is_last` tells whether that was the line's end.
static scan_outcome scan_field(const gw_csv *csv, scan_state *scan, csv_span *span, bool *ret_is_last) {
    *span = (csv_span){.start = scan->at};
    bool is_quoted = scan->at < csv->end && *scan->at == '"';
    if (is_quoted && scan_quoted(csv, scan, span) == SCAN_CUT)
        return SCAN_CUT;
    uint8_t *stop = scan_to_delimiter(csv, scan->at);
    if (stop == csv->end && !csv->is_ended)
        return SCAN_CUT;
    *ret_is_last = stop == csv->end || *stop == '\n';
    uint8_t *text_end = stop;
    if (*ret_is_last && text_end > scan->at && text_end[-1] == '\r')
        text_end--;
    if (!is_quoted)
        span->size = (size_t)(text_end - span->start);
    else if (text_end != scan->at)
        scan->is_broken = true; // text after a closing quote
    scan->at = stop == csv->end ? stop : stop + 1;
    return SCAN_DONE;
}

static scan_outcome scan_row(gw_csv *csv, scan_state *scan) {
    csv->field_count = 0;
    for (bool is_last = false; !is_last;) {
        csv_span extra;
        bool has_room = csv->field_count < GW_ROWS_FIELDS_MAX;
        csv_span *span = has_room ? &csv->spans[csv->field_count] : &extra;
        if (scan_field(csv, scan, span, &is_last) == SCAN_CUT)
            return SCAN_CUT;
        csv->field_count += has_room;
        scan->is_broken |= !has_room;
    }
    return SCAN_DONE;
}

static void fold_doubled(csv_span *span) {
    size_t size = 0;
    for (size_t i = 0; i < span->size; i++) {
        span->start[size++] = span->start[i];
        i += span->start[i] == '"'; // inside a quoted field they come in twos
    }
    span->size = size;
}

gw_rows_outcome gw_csv_next(gw_csv *csv, gw_row *ret_row) {
    scan_state scan = {.at = csv->at};
    for (;;) {
        if (csv->at == csv->end && csv->is_ended)
            return csv->is_failed ? GW_ROWS_FAILED : GW_ROWS_END;
        if (csv->at != csv->end && scan_row(csv, &scan) == SCAN_DONE)
            break;
        if ((size_t)(csv->end - csv->at) > GW_ROWS_BYTES_MAX)
            return GW_ROWS_FAILED;
        refill(csv);
        if (csv->is_failed)
            return GW_ROWS_FAILED;
        scan = (scan_state){.at = csv->at};
    }
    if ((size_t)(scan.at - csv->at) > GW_ROWS_BYTES_MAX)
        return GW_ROWS_FAILED;
    csv->at = scan.at;
    for (size_t i = 0; i < csv->field_count; i++) {
        if (csv->spans[i].has_doubled)
            fold_doubled(&csv->spans[i]);
        csv->fields[i] = (gw_bytes){csv->spans[i].start, csv->spans[i].size};
    }
    *ret_row = (gw_row){csv->fields, csv->field_count};
    if (scan.is_broken)
        return GW_ROWS_BROKEN;
    return csv->field_count == 1 && csv->fields[0].size == 0 ? GW_ROWS_BLANK : GW_ROWS_ROW;
}
