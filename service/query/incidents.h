// SPDX-License-Identifier: Apache-2.0
// What went wrong with the service itself, for the log: an operator says so, or the service where it knows. Nothing
// that data could cause is ever said by the service itself: a statement that took too long, or killed its engine, is a
// fact about the register. At most one entry a code and hour. Thread safety: safe.   Depends on: audit/entry.h.
#pragma once
#include "service/audit/entry.h"

typedef enum {
    GW_INCIDENT_CLOCK_JUMPED,    // the wall clock ran ahead, and nothing was charged until it was right again
    GW_INCIDENT_DATA_TAMPERED,   // a data version is not the file that was loaded
    GW_INCIDENT_ENGINE_KILLED,   // the engine dies, or is killed, for reasons of its own
    GW_INCIDENT_KEY_LOST,        // a key is lost, or known to somebody else
    GW_INCIDENT_OTHER,           // see the operator's own record
    GW_INCIDENT_OUTCOME_UNKNOWN, // a write was not confirmed, and the daemon ended
    GW_INCIDENT_PUBLISH_FAILED,  // the public files could not be written for a time
    GW_INCIDENT_ROLLED_BACK,     // the state was set back, which was found out
} gw_incident;
#define GW_INCIDENTS 8

const char *gw_incident_code(gw_incident incident);                        // "clock_jumped", …
bool gw_incident_find(const char *code, gw_incident *ret);                 // false: there is no such code
void gw_incident_list(char *ret_text, size_t size, const char *separator); // all codes

typedef struct gw_incidents gw_incidents;
gw_incidents *gw_incidents_new(void);            // NULL without memory
void gw_incidents_free(gw_incidents *incidents); // accepts NULL
void gw_incidents_report(gw_incidents *incidents, gw_incident incident);
// Hands on what was reported, at most once a code and hour; what is not taken waits and is handed on at a later call.
typedef bool (*gw_incidents_take)(void *state, const gw_entry *entry);
void gw_incidents_flush(gw_incidents *incidents, int64_t now, gw_incidents_take take, void *state);
