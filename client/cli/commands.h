// SPDX-License-Identifier: Apache-2.0
// Every command, one line each; the file that holds it bears its name or its family's.
// Depends on: client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"

extern const gw_command gw_command_demo;
extern const gw_command gw_command_init;
extern const gw_command gw_command_serve;
extern const gw_command gw_command_status;
extern const gw_command gw_command_doctor;
extern const gw_command gw_command_load;
extern const gw_command gw_command_policy_new;
extern const gw_command gw_command_policy_check;
extern const gw_command gw_command_policy_simulate;
extern const gw_command gw_command_policy_diff;
extern const gw_command gw_command_policy_sign;
extern const gw_command gw_command_policy_activate;
extern const gw_command gw_command_policy_show;
extern const gw_command gw_command_population_add;
extern const gw_command gw_command_clock_confirm;
extern const gw_command gw_command_dataset_ls;
extern const gw_command gw_command_dataset_show;
extern const gw_command gw_command_release_ls;
extern const gw_command gw_command_release_show;
extern const gw_command gw_command_release_embargo;
extern const gw_command gw_command_release_withdraw;
extern const gw_command gw_command_catalogue;
extern const gw_command gw_command_explain;
extern const gw_command gw_command_cost;
extern const gw_command gw_command_dummy;
extern const gw_command gw_command_query;
extern const gw_command gw_command_compare;
extern const gw_command gw_command_budget;
extern const gw_command gw_command_history;
extern const gw_command gw_command_audit_log;
extern const gw_command gw_command_audit_show;
extern const gw_command gw_command_audit_export;
extern const gw_command gw_command_audit_verify;
extern const gw_command gw_command_audit_receipt;
extern const gw_command gw_command_audit_compare;
extern const gw_command gw_command_keys_new;
extern const gw_command gw_command_keys_ls;
extern const gw_command gw_command_keys_show;
extern const gw_command gw_command_keys_add;
extern const gw_command gw_command_keys_revoke;
extern const gw_command gw_command_whoami;
extern const gw_command gw_command_principal_add;
extern const gw_command gw_command_principal_grant;
extern const gw_command gw_command_principal_revoke;
extern const gw_command gw_command_principal_ls;
extern const gw_command gw_command_config_show;
extern const gw_command gw_command_config_check;
extern const gw_command gw_command_completion;
extern const gw_command gw_command_complete;
extern const gw_command gw_command_manual;
extern const gw_command gw_command_version;
