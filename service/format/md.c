// SPDX-License-Identifier: Apache-2.0
// Title, cells, notes. Labels and notices come from policies and stay text: none becomes markup.
#include "service/format/md.h"
#include "service/base/cleanup.h"

GW_DEFINE_FREEP(gw_grid, gw_grid_free)

static void note_item(void *state, const char *text, unsigned indent) {
    gw_buffer *buffer = state;
    (void)indent;
    gw_buffer_text(buffer, "- ");
    gw_text_md(buffer, text);
    gw_buffer_text(buffer, "\n");
}

static void bold_line(gw_buffer *buffer, const char *text) {
    gw_buffer_text(buffer, "**");
    gw_text_md(buffer, text);
    gw_buffer_text(buffer, "**\n");
}

void gw_format_md(const gw_answer *answer, const gw_asked *asked, const gw_labels *labels, gw_buffer *buffer) {
    gw_labels plain = labels == NULL ? (gw_labels){0} : *labels;
    bool is_clipped;
    plain.numbers = NULL;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_figures_grid(answer, &plain, &is_clipped);
    if (grid == NULL) {
        buffer->status = GW_NO_MEMORY;
        return;
    }
    gw_buffer_text(buffer, "### ");
    gw_text_md(buffer, asked->title);
    gw_buffer_text(buffer, "\n\n");
    bool is_said_first = answer->is_dummy && gw_notice_says_not_real(answer);
    if (answer->is_dummy) {
        bold_line(buffer, is_said_first ? answer->notice : GW_NOT_REAL);
        gw_buffer_text(buffer, "\n");
    }
    if (!is_said_first && answer->notice != NULL && answer->notice[0] != '\0') {
        gw_text_md(buffer, answer->notice);
        gw_buffer_text(buffer, "\n\n");
    }
    gw_grid_md(grid, buffer);
    gw_buffer_text(buffer, "\n");
    gw_figures_notes(answer, &plain, is_clipped, note_item, buffer);
    gw_buffer_text(buffer, "- Release ");
    gw_text_md(buffer, answer->release);
    gw_buffer_text(buffer, "\n");
    if (answer->is_dummy) {
        gw_buffer_text(buffer, "\n");
        bold_line(buffer, GW_NOT_REAL);
    }
}
