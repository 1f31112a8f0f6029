// SPDX-License-Identifier: Apache-2.0
// Text as a terminal shows it: display width, wrapping, numbers, and the cleaning of text that came from elsewhere.
// Nothing that passes gw_text_clean can move the cursor, recolour or reorder a line: labels and refusals come from a
// service that the reader need not trust.
// Thread safety: pure.   Depends on: base/buffer.h.
#pragma once
#include "service/base/buffer.h"

// Columns a UTF-8 text takes: combining marks 0, wide (East Asian) characters 2, everything else 1.
unsigned gw_text_width(const char *text, size_t size);
// One line of `*text` that fits `width`, broken at a space where there is one, else
// before a '/' or behind a '_', else inside a word. Moves `*text` behind
// it; false when nothing is left. An empty text has one empty line.
typedef struct {
    const char *rest; // start with the whole text; NULL when all lines were taken
    const char *line; // borrowed from the text
    size_t size;
} gw_text_lines;
bool gw_text_line_next(gw_text_lines *lines, unsigned width);
// Appends `text` wrapped at `width`; lines after the first start with `indent` spaces; ends in a newline. The caller
// has already written `column` columns of the first line.
void gw_text_wrap(gw_buffer *buffer, const char *text, unsigned width, unsigned column, unsigned indent);
// Appends `text` without control and bidirectional characters ('?' in their place); newlines stay. Where the reader's
// terminal is not Unicode, the signs Godwit itself uses become ASCII ("·" "-", "±" "+/-"), letters of Latin-1 lose
// their marks, and other ones become '?'.
void gw_text_clean(gw_buffer *buffer, const char *text, bool is_unicode);
// How a reader writes numbers. All zero: "24,108.5".
typedef struct {
    char point[8];    // between whole and fraction, UTF-8
    char group[8];    // between groups of digits; "": none
    char grouping[8]; // sizes of the groups from the right, as localeconv(3) gives them
} gw_numbers;
// A plain decimal as its reader writes it: "-24108.5" -> "-24,108.5". `numbers` may be NULL. Other texts are appended
// as they are.
void gw_text_number(gw_buffer *buffer, const char *decimal, const gw_numbers *numbers);
void gw_text_thousands(gw_buffer *buffer, const char *decimal); // without a reader's numbers
// Appends `text`, cleaned, with everything escaped that Markdown or HTML would take for markup; line breaks become
// spaces.
void gw_text_md(gw_buffer *buffer, const char *text);
