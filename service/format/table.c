// SPDX-License-Identifier: Apache-2.0
// The table for people. What was asked and the notice first, then the cells, then what "likely between" and the flags
// in it mean. Dummies are named as such first and last, so that no half of a page passes for figures.
#include "service/format/table.h"
#include "service/base/cleanup.h"

GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    gw_buffer *buffer;
    unsigned width;
} table_page;

static void line_wrap(void *state, const char *text, unsigned indent) {
    const table_page *page = state;
    gw_text_wrap(page->buffer, text, page->width, 0, indent);
}

void gw_format_table(const gw_answer *answer, const gw_asked *asked, const gw_labels *labels, unsigned width,
                     gw_buffer *buffer) {
    table_page page = {buffer, width};
    bool is_clipped;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_figures_grid(answer, labels, &is_clipped);
    if (grid == NULL) {
        buffer->status = GW_NO_MEMORY;
        return;
    }
    bool is_said_first = answer->is_dummy && gw_notice_says_not_real(answer);
    if (answer->is_dummy)
        line_wrap(&page, is_said_first ? answer->notice : GW_NOT_REAL, 2);
    line_wrap(&page, asked->title, 2);
    if (!is_said_first && answer->notice != NULL && answer->notice[0] != '\0')
        line_wrap(&page, answer->notice, 2);
    gw_grid_text(grid, width, buffer);
    gw_figures_notes(answer, labels, is_clipped, line_wrap, &page);
    if (answer->is_dummy)
        line_wrap(&page, GW_NOT_REAL, 2);
}
