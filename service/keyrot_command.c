// SPDX-License-Identifier: Apache-2.0
// One signed change, as the operator's other commands make them; the signer does the rest.
#include "service/keyrot_command.h"

#include "service/arguments.h"
#include "service/base/cleanup.h"
#include "service/local.h"
#include "service/tell.h"

#include <stdio.h>
#include <string.h>

const char gw_keyrot_help[] = "godwitd keyrot [--finish] [--dir DIR]\n"
                              "  gives the log another key, while it goes on. From now on checkpoints carry the\n"
                              "  signatures of the old key and the new one, so that whoever holds the old one goes\n"
                              "  on working; a checkpoint that both signed is published as log/keyrot/<entry>, and\n"
                              "  audit verify follows it. Tell everybody the new key: who asks (log_key of their\n"
                              "  profiles) and every witness (godwit-witness add-log). Then retire the old one\n"
                              "  with --finish: a witness without the new key cosigns nothing more, and with\n"
                              "  witness_strict nothing leaves. Both steps may be repeated.\n\n"
                              "  --finish   retire the old key\n"
                              "  --dir DIR  state folder (default: here, or ./state)\n"
                              "  --help     this page\n";

int gw_keyrot_command(int argc, char **argv) {
    bool is_finish = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--finish") != 0)
            continue;
        is_finish = true;
        memmove(&argv[i], &argv[i + 1], (size_t)(argc - i) * sizeof(argv[0])); // with the NULL at the end
        argc--, i--;
    }
    gw_arguments arguments;
    if (!gw_arguments_read(argc, argv, &arguments) || arguments.word_count != 0)
        return gw_usage("keyrot takes a state folder.", "godwitd keyrot --dir state");
    gw_config config;
    gw_problem problem = {0};
    GW_CLEANUP(gw_buffer_done) gw_buffer body;
    GW_CLEANUP(gw_buffer_done) gw_buffer document;
    gw_buffer_init(&body, 256);
    gw_buffer_init(&document, 65536);
    gw_buffer_format(&body, "{\"v\":1,\"kind\":\"admin\",\"action\":\"%s\"}", is_finish ? "keyrot_finish" : "keyrot");
    gw_status status = gw_config_load(arguments.dir, &config, &problem);
    if (status == GW_OK)
        status = gw_local_change(&config, gw_buffer_bytes(&body), &document, &problem);
    char log_key[256];
    if (status == GW_OK)
        status = gw_local_profile_log_key(&config, log_key, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    if (is_finish)
        printf("The old log key is retired; checkpoints carry the new key's signature alone.\n");
    else
        printf("The log has a new key; checkpoints carry the signatures of both.\n"
               "  new key  %s\n"
               "           is log_key of profiles/admin.json, and of profiles made from now on\n"
               "  next     tell it to whoever holds the old one: profiles take it as log_key,\n"
               "           witnesses by godwit-witness add-log; then: godwitd keyrot --finish\n",
               log_key);
    return 0;
}
