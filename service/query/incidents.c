// SPDX-License-Identifier: Apache-2.0
// One flag a code: an incident that is reported a thousand times is one entry.
#include "service/query/incidents.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600

static const char *const codes[] = {
    [GW_INCIDENT_CLOCK_JUMPED] = "clock_jumped",
    [GW_INCIDENT_DATA_TAMPERED] = "data_tampered",
    [GW_INCIDENT_ENGINE_KILLED] = "engine_killed",
    [GW_INCIDENT_KEY_LOST] = "key_lost",
    [GW_INCIDENT_OTHER] = "other",
    [GW_INCIDENT_OUTCOME_UNKNOWN] = "outcome_unknown",
    [GW_INCIDENT_PUBLISH_FAILED] = "publish_failed",
    [GW_INCIDENT_ROLLED_BACK] = "rolled_back",
};
_Static_assert(sizeof codes / sizeof codes[0] == GW_INCIDENTS, "every incident has its code");

struct gw_incidents {
    pthread_mutex_t lock;
    bool is_waiting[GW_INCIDENTS];
    int64_t said_at[GW_INCIDENTS]; // 0: never
};

const char *gw_incident_code(gw_incident incident) {
    return codes[incident];
}

bool gw_incident_find(const char *code, gw_incident *ret) {
    for (size_t i = 0; i < GW_INCIDENTS; i++)
        if (strcmp(codes[i], code) == 0) {
            *ret = (gw_incident)i;
            return true;
        }
    return false;
}

void gw_incident_list(char *ret_text, size_t size, const char *separator) {
    size_t used = 0;
    for (size_t i = 0; i < GW_INCIDENTS && used < size; i++)
        used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i > 0 ? separator : "", codes[i]);
}

gw_incidents *gw_incidents_new(void) {
    gw_incidents *incidents = calloc(1, sizeof *incidents);
    if (incidents)
        pthread_mutex_init(&incidents->lock, NULL);
    return incidents;
}

void gw_incidents_free(gw_incidents *incidents) {
    if (!incidents)
        return;
    pthread_mutex_destroy(&incidents->lock);
    free(incidents);
}

void gw_incidents_report(gw_incidents *incidents, gw_incident incident) {
    pthread_mutex_lock(&incidents->lock);
    incidents->is_waiting[incident] = true;
    pthread_mutex_unlock(&incidents->lock);
}

// A clock that went back does not silence anything for longer than the hour it fell behind.
static bool is_due(const gw_incidents *incidents, size_t i, int64_t now) {
    int64_t said = incidents->said_at[i];
    return incidents->is_waiting[i] && (said == 0 || now >= said + HOUR || now < said);
}

void gw_incidents_flush(gw_incidents *incidents, int64_t now, gw_incidents_take take, void *state) {
    for (size_t i = 0; i < GW_INCIDENTS; i++) {
        pthread_mutex_lock(&incidents->lock);
        bool is_now = is_due(incidents, i, now);
        incidents->is_waiting[i] = incidents->is_waiting[i] && !is_now;
        pthread_mutex_unlock(&incidents->lock);
        gw_entry entry = {.kind = GW_ENTRY_INCIDENT};
        snprintf(entry.incident.code, sizeof entry.incident.code, "%s", codes[i]);
        if (!is_now)
            continue;
        bool is_taken = take(state, &entry);
        pthread_mutex_lock(&incidents->lock);
        incidents->is_waiting[i] = incidents->is_waiting[i] || !is_taken;
        incidents->said_at[i] = is_taken ? now : incidents->said_at[i];
        pthread_mutex_unlock(&incidents->lock);
    }
}
