// SPDX-License-Identifier: Apache-2.0
// A log made of nothing but entries: numbered, its charges' balances summed up, published as files under a key from a
// fixed seed. For tests of whoever reads logs: no store and no daemon, so that any log can be made, and any lie in it.
// Thread safety: one owner.   Depends on: service/audit, cmocka.
#pragma once
#include "service/audit/entry.h"
#include "service/audit/note.h"

#define BOOK_ORIGIN "stats.example/ledger1"
#define BOOK_DATASET "stats.example/register"
#define BOOK_POPULATION "stats.example/residents"
#define BOOK_START 1790000000 // 2026-09-21 14:13:20, a Monday
#define BOOK_OWNER 1u
#define BOOK_OPERATOR 2u
#define BOOK_RESEARCHER 3u
#define BOOK_STUDENT 4u
#define BOOK_ENTRIES_MAX 2000u

typedef struct {
    gw_entry *entries;
    size_t count;
    int64_t time;                    // of the next entry
    uint8_t seed;                    // of the log's key
    uint64_t delta, selection_delta; // of population and policies, where a test sets them before log_book_settle
} log_book;

void log_book_init(log_book *book); // empty
void log_book_done(log_book *book);
void log_book_id(unsigned number, char ret[GW_ID_HEX]);
gw_secret_key *log_book_key(const log_book *book);
gw_note_key log_book_note_key(const log_book *book);
void log_book_vkey(const log_book *book, char ret[GW_VKEY_MAX]);
gw_secret_key *log_book_researcher_key(void);

// Appends an entry with the next number and time; of a charge what is spent is filled in. Returns its number.
uint64_t log_book_add(log_book *book, gw_entry entry);
gw_entry log_book_signed(gw_entry entry, unsigned by, unsigned second); // 0: nobody
uint64_t log_book_charge(log_book *book, unsigned principal, uint64_t micro);
uint64_t log_book_selection(log_book *book, unsigned principal, uint64_t micro, uint64_t delta); // of unknown keys
uint64_t log_book_release(log_book *book, uint64_t charge, const char *release);
uint64_t log_book_policy(log_book *book, uint64_t version, uint64_t total);

// Genesis, four principals, the researcher's key, population, policy, data.
void log_book_settle(log_book *book);
// Settles, and everything else that the fold of a log takes: charges with their releases, one abandoned and one open,
// a second policy, a revoked key, refusals, an incident, silences, a night and a weekend.
void log_book_live(log_book *book);

// Writes the first `size` entries as a log folder. Hashes and signature are true, whatever the entries say.
void log_book_publish(const log_book *book, size_t size, const char *folder);
gw_checkpoint log_book_checkpoint(const log_book *book, size_t size);
void log_book_note(const log_book *book, size_t size, gw_buffer *note); // appends the signed checkpoint
