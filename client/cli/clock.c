// SPDX-License-Identifier: Apache-2.0
// The operator's word that the service's clock is right. The service takes the request only when this machine's clock
// agrees with its own within minutes, as it does with every signed request.
#include "client/cli/admin.h"
#include "client/cli/commands.h"

static gw_exit_code confirm_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    gw_buffer body;
    gw_buffer_init(&body, 4096);
    gw_admin_begin(&body, "clock_confirm");
    return gw_admin_finish(cli, &body, "the service's time is confirmed");
}

const gw_command gw_command_clock_confirm = {
    .name = "clock confirm",
    .group = "Operator",
    .arguments = "",
    .summary = "answer for the service's clock, so that a new budget period may begin",
    .examples = "godwit clock confirm --config state/profiles/admin.json\n",
    .run = confirm_run,
};
