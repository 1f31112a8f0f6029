// SPDX-License-Identifier: Apache-2.0
// A grid in the format that was asked for. Only what goes to people is cleaned: the writers of programs' formats quote.
#include "client/cli/say_grid.h"
#include "service/base/check.h"

#define OUTPUT_BYTES_MAX 268435456u

gw_exit_code gw_say_grid(gw_cli *cli, const gw_grid *grid) {
    gw_buffer text;
    gw_problem problem;
    gw_buffer_init(&text, OUTPUT_BYTES_MAX);
    GW_ASSERT(cli->format->grid != NULL); // refused before the command ran
    cli->format->grid(grid, cli->width, &text);
    gw_status status = text.status;
    if (status == GW_OK && cli->output == GW_OUTPUT_TABLE)
        gw_say_text(cli, gw_buffer_string(&text));
    else if (status == GW_OK)
        gw_say_bytes(cli, gw_buffer_bytes(&text));
    gw_buffer_done(&text);
    if (status == GW_OK)
        return GW_EXIT_DONE;
    gw_ignore(gw_problem_set(&problem, status, "output_too_big",
                             "The answer is too big to show.", // returns what it is given
                             "It does not fit the memory set aside for it.", "-o json"));
    return gw_fail(cli, &problem);
}
