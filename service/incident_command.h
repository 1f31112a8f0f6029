// SPDX-License-Identifier: Apache-2.0
// `godwitd incident CODE`: says in the log that something went wrong with the service itself.
// Thread safety: one thread.   Depends on: local.h, query/incidents.h.
#pragma once

int gw_incident_command(int argc, char **argv); // the exit code
extern const char gw_incident_help[];           // what --help prints
