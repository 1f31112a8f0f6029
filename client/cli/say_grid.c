// SPDX-License-Identifier: Apache-2.0
// Table, CSV or JSON of one grid.
#include "client/cli/say_grid.h"
#include "service/base/check.h"

#define OUTPUT_BYTES_MAX 268435456u

gw_exit_code gw_say_grid(gw_cli *cli, const gw_grid *grid) {
    gw_buffer text;
    gw_problem problem;
    gw_buffer_init(&text, OUTPUT_BYTES_MAX);
    if (cli->output == GW_OUTPUT_TABLE)
        gw_grid_text(grid, cli->width, &text);
    else if (cli->output == GW_OUTPUT_CSV)
        gw_grid_csv(grid, &text);
    else
        gw_grid_json(grid, &text);
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
