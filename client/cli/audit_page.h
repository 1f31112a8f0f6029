// SPDX-License-Identifier: Apache-2.0
// What a sound log says, for people: who spent what, who allowed it, what was kept back, lost or refused, and when
// nothing happened. Every sentence is computed from entries.   Depends on: client/cli/audit_facts.h, audit/verify.h.
#pragma once
#include "client/cli/audit_facts.h"
#include "client/cli/cli.h"
#include "service/audit/verify.h"

void gw_audit_page_say(gw_cli *cli, const gw_audit_state *state, const gw_facts *facts);
// What came after the entries that the reader knew.
void gw_audit_news_say(gw_cli *cli, const gw_facts *facts);
