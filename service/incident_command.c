// SPDX-License-Identifier: Apache-2.0
// One entry with a code from a short list: what happened in words belongs into the operator's own record.
#include "service/incident_command.h"

#include "service/arguments.h"
#include "service/base/cleanup.h"
#include "service/local.h"
#include "service/query/incidents.h"
#include "service/tell.h"
#include "service/wire/json.h"

#include <stdio.h>
#include <string.h>

const char gw_incident_help[] = "godwitd incident [--dir DIR] CODE\n"
                                "  says in the log that something went wrong with the service itself:\n"
                                "    clock_jumped     the wall clock ran ahead (the service says so itself)\n"
                                "    data_tampered    a data version is not the file that was loaded\n"
                                "    engine_killed    the engine dies for reasons of its own\n"
                                "    key_lost         a key is lost, or known to somebody else\n"
                                "    outcome_unknown  a write was not confirmed (the service says so itself)\n"
                                "    publish_failed   the public files could not be written (it says so itself)\n"
                                "    rolled_back      the state was set back (it says so once it is mended)\n"
                                "    other            your own record says what\n\n"
                                "  --dir DIR  state folder (default: here, or ./state)\n"
                                "  --help     this page\n";

int gw_incident_command(int argc, char **argv) {
    gw_arguments arguments;
    gw_incident incident;
    gw_config config;
    gw_problem problem = {0};
    char list[256];
    gw_incident_list(list, sizeof list, ", ");
    if (!gw_arguments_read(argc, argv, &arguments) || arguments.word_count != 1 ||
        !gw_incident_find(arguments.words[0], &incident)) {
        char mend[320];
        snprintf(mend, sizeof mend, "godwitd incident CODE: %s", list);
        return gw_usage("incident takes one code.", mend);
    }
    gw_status status = gw_config_load(arguments.dir, &config, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    GW_CLEANUP(gw_buffer_done) gw_buffer body;
    GW_CLEANUP(gw_buffer_done) gw_buffer document;
    gw_buffer_init(&body, 4096);
    gw_buffer_init(&document, 65536);
    gw_buffer_text(&body, "{\"v\":1");
    gw_json_write_member(&body, "kind", "admin");
    gw_json_write_member(&body, "action", "incident");
    gw_json_write_member(&body, "code", gw_incident_code(incident));
    gw_buffer_text(&body, "}");
    status = gw_local_change(&config, gw_buffer_bytes(&body), &document, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    printf("OK    the log says %s\n", gw_incident_code(incident));
    return 0;
}
