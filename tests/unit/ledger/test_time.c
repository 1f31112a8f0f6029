// SPDX-License-Identifier: Apache-2.0
// Fifty-two schedules of a clock that goes wrong, each on a ledger of its own: jumps, suspends, reboots, downtimes
// across the end of a window, leap seconds, 2038, the turn of the year, nonsense from the system. After every charge:
// its window had begun in truth, no window and no lifetime is overspent, the log's time does not go back. And when the
// clock is right again, so is the service, where stated after an operator's word.
#include "service/base/file.h"
#include "service/ledger/ledger.h"
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MINUTE INT64_C(60)
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)
#define WINDOW_CHARGES 3u
#define STEPS_MAX 24
#define WINDOWS_MAX 64
#define TOLERANCE 120 // seconds, and a ten-thousandth of the time that passed

typedef enum {
    END,
    PASS,    // so many seconds, and every clock counts them; a suspend is no different: the boot clock counts it too
    PAUSE,   // a virtual machine stands still: no clock counts them
    SET,     // the wall clock is now so far from the truth
    SLEW,    // so many times 10,000 seconds pass and the wall clock gains one
    RESTART, // the daemon, after so many seconds
    CRASH,   // the daemon, without its last write
    REBOOT,  // the machine, off for so many seconds
    MOVE,    // to another machine that has been up for years
    LOSE,    // a reboot that loses the file of anchors
    OS,      // the system says this is the time, whatever it is
    OS_WELL, // and stops saying so
    BOOT,    // the boot clock goes wrong by so many seconds
    ZONE,    // the environment's time zone: 0 to 3
    CHARGE,  // one unit, with this outcome
    APPEND,  // an entry that is no charge
    SPEND,   // what the window has left
    CONFIRM, // an operator answers for the clock
    YEAR,    // of the last release id
    AT,      // the last entry's time, so many seconds before the truth
} verb;
enum { TAKEN = 1, WINDOW, UNCONFIRMED, JUMPED };
enum {
    WANTS_CONFIRM = 1, // at the end, before it goes on as it should
    HAS_PEOPLE = 2     // their window has 30 days besides, and room
};

typedef struct {
    verb verb;
    int64_t amount;
} step;
typedef struct {
    const char *name;
    uint64_t days;
    int64_t start; // truth; 0: FIXTURE_NOW
    step steps[STEPS_MAX];
    unsigned flags;
} schedule;

// FIXTURE_NOW lies 12.4 days before the end of a window of 30 days, 9 hours and 53 minutes before the end of its day.
#define TO_END_OF_30 ((INT64_C(691) * 30 * DAY) - FIXTURE_NOW)
#define TO_END_OF_DAY (INT64_C(20718) * DAY - FIXTURE_NOW)
#define NEW_YEAR INT64_C(1798761600) // 2027
#define Y2038 INT64_C(2147483648)

#define T(what, amount)                                                                                                \
    { what, amount }
static const schedule schedules[] = {
    {"a quiet day", 30, 0, {T(SPEND, 0), T(PASS, DAY), T(CHARGE, WINDOW)}, 0},
    {"a window that ends while the service runs",
     30,
     0,
     {T(SPEND, 0), T(PASS, TO_END_OF_30 - 1), T(CHARGE, WINDOW), T(PASS, 2), T(CHARGE, TAKEN)},
     0},
    {"ten windows in a row",
     1,
     0,
     {T(SPEND, 0), T(PASS, DAY), T(SPEND, 0), T(PASS, DAY), T(SPEND, 0), T(PASS, 8 * DAY), T(CHARGE, TAKEN)},
     0},
    {"forward by a month", 30, 0, {T(SPEND, 0), T(SET, 30 * DAY), T(CHARGE, JUMPED), T(APPEND, JUMPED)}, 0},
    {"forward by two minutes and a bit", 30, 0, {T(CHARGE, TAKEN), T(SET, 121), T(CHARGE, JUMPED)}, 0},
    {"forward by less than two minutes", 30, 0, {T(CHARGE, TAKEN), T(SET, 119), T(CHARGE, TAKEN)}, 0},
    {"forward in many small steps",
     30,
     0,
     {T(SPEND, 0), T(SET, 100), T(APPEND, TAKEN), T(SET, 200), T(APPEND, JUMPED), T(SET, 300), T(APPEND, JUMPED),
      T(SET, TO_END_OF_30 + 1), T(CHARGE, JUMPED)},
     0},
    {"forward, and the daemon is started again",
     30,
     0,
     {T(SPEND, 0), T(SET, 30 * DAY), T(RESTART, 5), T(CHARGE, JUMPED), T(RESTART, 5), T(CHARGE, JUMPED)},
     0},
    {"forward, and the daemon dies", 30, 0, {T(SPEND, 0), T(SET, 30 * DAY), T(CRASH, 5), T(CHARGE, JUMPED)}, 0},
    {"forward, and the machine is started again",
     30,
     0,
     {T(SPEND, 0), T(SET, 30 * DAY), T(REBOOT, 60), T(CHARGE, UNCONFIRMED), T(APPEND, TAKEN), T(REBOOT, 60),
      T(CHARGE, UNCONFIRMED)},
     0},
    {"forward within the window, a reboot, and the window's end comes early",
     30,
     0,
     {T(SPEND, 0), T(SET, 11 * DAY), T(REBOOT, 60), T(CHARGE, WINDOW), T(PASS, 2 * DAY), T(CHARGE, UNCONFIRMED)},
     0},
    {"the same by ten reboots of a day each",
     30,
     0,
     {T(SPEND, 0), T(SET, 1 * DAY), T(REBOOT, 60), T(SET, 3 * DAY), T(REBOOT, 60), T(SET, 6 * DAY), T(REBOOT, 60),
      T(SET, 9 * DAY), T(REBOOT, 60), T(SET, 12 * DAY), T(REBOOT, 60), T(APPEND, TAKEN), T(SET, 13 * DAY),
      T(REBOOT, 60), T(CHARGE, UNCONFIRMED)},
     0},
    {"back by a month", 30, 0, {T(SPEND, 0), T(SET, -30 * DAY), T(CHARGE, WINDOW)}, 0},
    {"back by an hour", 30, 0, {T(CHARGE, TAKEN), T(SET, -HOUR), T(CHARGE, TAKEN), T(APPEND, TAKEN)}, 0},
    {"back to 1970 and right again",
     30,
     0,
     {T(CHARGE, TAKEN), T(SET, -FIXTURE_NOW), T(CHARGE, TAKEN), T(SET, 0), T(CHARGE, TAKEN)},
     0},
    {"back over the edge of a window",
     1,
     0,
     {T(SPEND, 0), T(PASS, TO_END_OF_DAY + 10), T(SPEND, 0), T(SET, -DAY), T(CHARGE, WINDOW)},
     0},
    {"to and fro over the edge of a window",
     1,
     0,
     {T(SPEND, 0), T(SET, TO_END_OF_DAY + 10), T(CHARGE, JUMPED), T(SET, 0), T(CHARGE, WINDOW),
      T(SET, TO_END_OF_DAY + 10), T(CHARGE, JUMPED)},
     0},
    {"a reboot into 1970, then the network's time",
     30,
     0,
     {T(SPEND, 0), T(SET, -FIXTURE_NOW), T(REBOOT, 60), T(APPEND, TAKEN), T(PASS, 20), T(SET, 0), T(APPEND, TAKEN),
      T(CHARGE, WINDOW)},
     0},
    {"a reboot into 1970, then the network's time, beyond the end of the window",
     30,
     0,
     {T(SPEND, 0), T(PASS, TO_END_OF_30 - HOUR), T(SET, -FIXTURE_NOW), T(REBOOT, 2 * HOUR), T(CHARGE, WINDOW),
      T(SET, 0), T(CHARGE, UNCONFIRMED), T(PASS, HOUR), T(CHARGE, TAKEN)},
     0},
    {"a reboot within the window", 30, 0, {T(CHARGE, TAKEN), T(REBOOT, 10 * MINUTE), T(CHARGE, TAKEN), T(AT, 0)}, 0},
    {"a reboot shortly before the end of the window",
     30,
     0,
     {T(SPEND, 0), T(PASS, TO_END_OF_30 - HOUR), T(REBOOT, 10 * MINUTE), T(CHARGE, WINDOW), T(PASS, 51 * MINUTE),
      T(CHARGE, UNCONFIRMED), T(PASS, 8 * MINUTE), T(CHARGE, TAKEN)},
     0},
    {"a downtime across the end of a window",
     30,
     0,
     {T(SPEND, 0), T(REBOOT, 13 * DAY), T(CHARGE, UNCONFIRMED), T(CONFIRM, TAKEN), T(AT, 0), T(CHARGE, TAKEN)},
     0},
    {"a downtime across the end of a window that has something left",
     30,
     0,
     {T(CHARGE, TAKEN), T(REBOOT, 13 * DAY), T(CHARGE, TAKEN), T(CHARGE, TAKEN), T(CHARGE, UNCONFIRMED)},
     WANTS_CONFIRM},
    {"a downtime across many windows",
     1,
     0,
     {T(SPEND, 0), T(REBOOT, 40 * DAY), T(CHARGE, UNCONFIRMED), T(CONFIRM, TAKEN), T(SPEND, 0), T(PASS, DAY),
      T(CHARGE, TAKEN)},
     0},
    {"a downtime of two years without a window's spending",
     30,
     0,
     {T(APPEND, TAKEN), T(REBOOT, 730 * DAY), T(APPEND, TAKEN), T(AT, 730 * DAY - 120), T(CONFIRM, TAKEN), T(AT, 0),
      T(CHARGE, TAKEN)},
     0},
    {"a downtime and a confirmation, then a crash",
     30,
     0,
     {T(SPEND, 0), T(REBOOT, 13 * DAY), T(CONFIRM, TAKEN), T(CRASH, 60), T(CHARGE, TAKEN)},
     0},
    {"a downtime, nobody confirms, another",
     30,
     0,
     {T(SPEND, 0), T(REBOOT, 13 * DAY), T(APPEND, TAKEN), T(REBOOT, 13 * DAY), T(CHARGE, UNCONFIRMED), T(LOSE, 60),
      T(CHARGE, UNCONFIRMED)},
     WANTS_CONFIRM},
    {"the daemon is down across the end of a window, the machine is not",
     30,
     0,
     {T(SPEND, 0), T(RESTART, 13 * DAY), T(CHARGE, TAKEN)},
     0},
    {"the daemon dies and is down across the end of a window",
     30,
     0,
     {T(SPEND, 0), T(CRASH, 13 * DAY), T(CHARGE, TAKEN)},
     0},
    {"a suspend across the end of a window", 30, 0, {T(SPEND, 0), T(PASS, 13 * DAY), T(CHARGE, TAKEN)}, 0},
    {"a virtual machine that stood still, and the network's time",
     30,
     0,
     {T(CHARGE, TAKEN), T(PAUSE, 3 * DAY), T(CHARGE, TAKEN), T(SET, 0), T(CHARGE, JUMPED), T(CONFIRM, TAKEN),
      T(CHARGE, TAKEN)},
     0},
    {"a virtual machine that stood still across the end of a window",
     30,
     0,
     {T(SPEND, 0), T(PAUSE, 13 * DAY), T(SET, 0), T(CHARGE, JUMPED), T(RESTART, 5), T(CHARGE, JUMPED),
      T(CONFIRM, TAKEN), T(CHARGE, TAKEN)},
     0},
    {"another machine that has been up for years",
     30,
     0,
     {T(SPEND, 0), T(MOVE, 60), T(CHARGE, WINDOW), T(SET, 30 * DAY), T(CHARGE, JUMPED)},
     0},
    {"another machine, and the clock is a month ahead",
     30,
     0,
     {T(SPEND, 0), T(SET, 30 * DAY), T(MOVE, 60), T(CHARGE, UNCONFIRMED)},
     0},
    {"the anchors are lost", 30, 0, {T(SPEND, 0), T(LOSE, 60), T(CHARGE, WINDOW)}, 0},
    {"the anchors are lost and the clock is a month ahead",
     30,
     0,
     {T(SPEND, 0), T(SET, 30 * DAY), T(LOSE, 60), T(CHARGE, UNCONFIRMED), T(APPEND, TAKEN), T(LOSE, 60),
      T(CHARGE, UNCONFIRMED)},
     0},
    {"a short window ends unseen, and the clock is beyond a long one",
     1,
     0,
     {T(SPEND, 0), T(SET, 13 * DAY), T(REBOOT, 60), T(CHARGE, UNCONFIRMED), T(PASS, 10 * HOUR), T(CHARGE, TAKEN)},
     HAS_PEOPLE},
    {"slewed for a year", 365, 0, {T(SPEND, 0), T(SLEW, 600), T(CHARGE, WINDOW), T(SLEW, 200), T(CHARGE, TAKEN)}, 0},
    {"a clock that gains a minute a day",
     30,
     0,
     {T(PASS, DAY), T(SET, 60), T(APPEND, TAKEN), T(PASS, DAY), T(SET, 120), T(APPEND, TAKEN), T(PASS, DAY),
      T(SET, 180), T(APPEND, JUMPED), T(PASS, DAY), T(SET, 240), T(APPEND, JUMPED)},
     0},
    {"a leap second is inserted at the end of a window",
     1,
     0,
     {T(SPEND, 0), T(PASS, TO_END_OF_DAY), T(CHARGE, TAKEN), T(SET, -1), T(CHARGE, TAKEN), T(PASS, 1), T(SPEND, 0)},
     0},
    {"a leap second is left out at the end of a window",
     1,
     0,
     {T(SPEND, 0), T(PASS, TO_END_OF_DAY - 2), T(SET, 1), T(CHARGE, WINDOW), T(PASS, 1), T(CHARGE, TAKEN)},
     0},
    {"2038", 30, Y2038 - 10, {T(CHARGE, TAKEN), T(PASS, 20), T(CHARGE, TAKEN), T(RESTART, 5), T(CHARGE, TAKEN)}, 0},
    {"2038 across a reboot", 1, Y2038 - 10, {T(SPEND, 0), T(REBOOT, 60), T(CHARGE, WINDOW)}, 0},
    {"a clock of 32 bits that wraps",
     30,
     Y2038 - 10,
     {T(SPEND, 0), T(PASS, 20), T(OS, -Y2038), T(CHARGE, WINDOW), T(OS_WELL, 0), T(CHARGE, WINDOW)},
     0},
    {"the turn of the year",
     30,
     NEW_YEAR - 10,
     {T(CHARGE, TAKEN), T(YEAR, 2026), T(PASS, 20), T(CHARGE, TAKEN), T(YEAR, 2027), T(SET, -60), T(CHARGE, TAKEN),
      T(YEAR, 2027)},
     0},
    {"the turn of the year too early",
     30,
     NEW_YEAR - HOUR,
     {T(CHARGE, TAKEN), T(SET, HOUR + 1), T(CHARGE, JUMPED), T(SET, 0), T(CHARGE, TAKEN), T(YEAR, 2026)},
     0},
    {"zones of the environment, east, west, half hours",
     1,
     0,
     {T(ZONE, 1), T(SPEND, 0), T(ZONE, 2), T(PASS, TO_END_OF_DAY - 1), T(CHARGE, WINDOW), T(ZONE, 3), T(PASS, 1),
      T(CHARGE, TAKEN), T(ZONE, 0)},
     0},
    {"daylight saving in the environment's zone",
     1,
     INT64_C(1792890000), // 2026-10-25 01:00 UTC
     {T(ZONE, 1), T(SPEND, 0), T(PASS, 2 * HOUR), T(CHARGE, WINDOW), T(ZONE, 0)},
     0},
    {"the largest number",
     30,
     0,
     {T(SPEND, 0), T(OS, INT64_MAX), T(CHARGE, JUMPED), T(OS_WELL, 0), T(CHARGE, WINDOW)},
     0},
    {"the smallest number", 30, 0, {T(SPEND, 0), T(OS, INT64_MIN), T(CHARGE, WINDOW), T(OS_WELL, 0)}, 0},
    {"a start with the largest number",
     30,
     0,
     {T(SPEND, 0), T(OS, INT64_MAX), T(REBOOT, 60), T(CHARGE, UNCONFIRMED), T(APPEND, TAKEN), T(OS_WELL, 0),
      T(APPEND, TAKEN), T(CHARGE, WINDOW)},
     0},
    {"a boot clock that goes back, and one that races",
     30,
     0,
     {T(SPEND, 0), T(BOOT, -500000), T(CHARGE, WINDOW), T(PASS, 10), T(CHARGE, WINDOW), T(BOOT, INT64_C(900000)),
      T(CHARGE, WINDOW)},
     0},
};
#undef T
#define SCHEDULE_COUNT (sizeof(schedules) / sizeof(schedules[0]))

typedef struct {
    const schedule *plan;
    ledger_fixture ledger_fixture;
    gw_ledger *ledger;
    int64_t truth, began, offset, boot_ms, os;
    bool has_os, is_boot_wrong;
    uint8_t boot;
    uint64_t idem;
    int64_t last_time;
    uint64_t windows[WINDOWS_MAX];
    unsigned spent[WINDOWS_MAX], window_count;
    char release[GW_RELEASE_ID_MAX];
} world;

static int64_t clock_unix(void *state) {
    const world *w = state;
    return w->has_os ? w->os : w->truth + w->offset;
}

static int64_t clock_boot(void *state) {
    return ((const world *)state)->boot_ms;
}

static void clock_boot_id(void *state, uint8_t ret[GW_BOOT_ID_SIZE]) {
    memset(ret, ((const world *)state)->boot, GW_BOOT_ID_SIZE);
}

static void open_now(world *w) {
    gw_problem problem = {0};
    gw_ledger_options options = {
        .state_folder = w->ledger_fixture.folder,
        .clock = {.unix_seconds = clock_unix, .boot_ms = clock_boot, .boot_id = clock_boot_id, .state = w},
        .free_bytes_min = 1,
        .signer = fixture_signer(w->ledger_fixture.folder)};
    if (gw_ledger_open(&options, &w->ledger, &problem) != GW_OK)
        fail_msg("%s: %s %s", w->plan->name, problem.what, problem.why);
}

static void close_now(world *w) {
    gw_ledger_close(w->ledger);
    w->ledger = NULL;
}

static gw_status submit(void *state, gw_store_op *op) {
    return gw_ledger_submit(((world *)state)->ledger, op);
}

// ---- what must hold after every entry

static void entry_check(world *w, const gw_store_op *op) {
    if (op->entry.time < w->last_time)
        fail_msg("%s: the log's time goes back", w->plan->name);
    w->last_time = op->entry.time;
}

static void window_check(world *w, const gw_entry *charge) {
    int64_t start = (int64_t)(charge->charge.window * w->plan->days) * DAY;
    int64_t early = start - w->truth, allowed = TOLERANCE + (w->truth - w->began) / 10000;
    if (early > allowed)
        fail_msg("%s: a window is open %lld seconds early", w->plan->name, (long long)early);
    early = charge->time / (30 * DAY) * 30 * DAY - w->truth;
    if ((w->plan->flags & HAS_PEOPLE) && early > allowed)
        fail_msg("%s: the people's window is open %lld seconds early", w->plan->name, (long long)early);
    unsigned at = 0;
    while (at < w->window_count && w->windows[at] != charge->charge.window)
        at++;
    assert_true(at < WINDOWS_MAX);
    if (at == w->window_count)
        w->windows[w->window_count++] = charge->charge.window;
    if (at + 1 != w->window_count)
        fail_msg("%s: windows go back", w->plan->name);
    if (++w->spent[at] > WINDOW_CHARGES || charge->charge.spent_window != w->spent[at])
        fail_msg("%s: a window is overspent", w->plan->name);
}

static int outcome_of(world *w, const gw_store_op *op) {
    if (op->result == GW_OK)
        return TAKEN;
    if (strcmp(op->code, GW_LEDGER_CLOCK_JUMPED) == 0)
        return JUMPED;
    if (strcmp(op->code, GW_LEDGER_WINDOW_UNCONFIRMED) == 0)
        return UNCONFIRMED;
    if (op->result != GW_BUDGET || op->budget != GW_BUDGET_WINDOW)
        fail_msg("%s: refused with %s", w->plan->name, op->code);
    return WINDOW;
}

static int charge(world *w) {
    gw_store_op op = fixture_reserve(&w->ledger_fixture, FIXTURE_RESEARCHER, ++w->idem, 1);
    assert_int_equal(submit(w, &op), GW_OK);
    if (op.result == GW_OK) {
        entry_check(w, &op);
        window_check(w, &op.entry);
        memcpy(w->release, op.release, sizeof w->release);
    }
    return outcome_of(w, &op);
}

static int append(world *w, gw_entry_kind kind) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = kind};
    if (kind == GW_ENTRY_INCIDENT)
        snprintf(op.entry.incident.code, sizeof op.entry.incident.code, "test");
    op.entry.by.count = 1;
    fixture_id(FIXTURE_OWNER, op.entry.by.ids[0]);
    assert_int_equal(submit(w, &op), GW_OK);
    if (op.result == GW_OK)
        entry_check(w, &op);
    return outcome_of(w, &op);
}

// ---- steps

static void clock_path(const world *w, char path[128]) {
    snprintf(path, 128, "%s/clock", w->ledger_fixture.folder);
}

static void pass(world *w, int64_t seconds) {
    w->truth += seconds;
    w->boot_ms += seconds * 1000;
}

static void crash(world *w, int64_t seconds) {
    char path[128];
    gw_buffer before;
    clock_path(w, path);
    gw_buffer_init(&before, 4096);
    assert_int_equal(gw_file_read(path, &before, NULL), GW_OK);
    close_now(w);
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&before), 0600, NULL), GW_OK);
    gw_buffer_done(&before);
    pass(w, seconds);
    open_now(w);
}

static void reboot(world *w, verb how, int64_t seconds) {
    char path[128];
    clock_path(w, path);
    close_now(w);
    if (how == LOSE)
        assert_int_equal(unlink(path), 0);
    w->truth += seconds;
    w->boot++;
    w->boot_ms = how == MOVE ? INT64_C(100000000000) : 5000;
    open_now(w);
}

static void zone_set(int64_t which) {
    static const char *const zones[] = {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "HST10", "NPT-5:45"};
    setenv("TZ", zones[which], 1);
    tzset();
}

static void expect(const world *w, size_t at, int64_t wanted, int actual) {
    static const char *const names[] = {"", "taken", "refused by the window", "window_unconfirmed", "clock_jumped"};
    if (wanted != actual)
        fail_msg("%s, step %zu: %s, expected %s", w->plan->name, at, names[actual], names[wanted]);
}

static void step_run(world *w, size_t at) {
    const step one = w->plan->steps[at];
    switch (one.verb) {
    case END:
        return;
    case PASS:
        pass(w, one.amount);
        return;
    case PAUSE:
        w->truth += one.amount;
        w->offset -= one.amount;
        return;
    case SET:
        w->offset = one.amount;
        return;
    case SLEW:
        for (int64_t i = 0; i < one.amount; i++) {
            pass(w, 10000);
            w->offset++;
            if (i % 100 == 0)
                expect(w, at, TAKEN, append(w, GW_ENTRY_INCIDENT));
        }
        return;
    case RESTART:
        close_now(w);
        pass(w, one.amount);
        open_now(w);
        return;
    case CRASH:
        crash(w, one.amount);
        return;
    case REBOOT:
    case MOVE:
    case LOSE:
        reboot(w, one.verb, one.amount);
        return;
    case OS:
        w->has_os = true;
        w->os = one.amount;
        return;
    case OS_WELL:
        w->has_os = false;
        return;
    case BOOT:
        w->boot_ms += one.amount * 1000;
        w->is_boot_wrong = true;
        return;
    case ZONE:
        zone_set(one.amount);
        return;
    case CHARGE:
        expect(w, at, one.amount, charge(w));
        return;
    case APPEND:
        expect(w, at, one.amount, append(w, GW_ENTRY_INCIDENT));
        return;
    case SPEND:
        while (charge(w) == TAKEN)
            continue;
        return;
    case CONFIRM:
        expect(w, at, one.amount, append(w, GW_ENTRY_CLOCK));
        return;
    case AT:
        assert_int_equal(w->truth - w->last_time, one.amount);
        return;
    case YEAR:
        assert_int_equal(strtol(w->release + 3, NULL, 10), one.amount);
        return;
    }
}

// The clock is right, and a window further there is budget again.
static void goes_on(world *w) {
    w->has_os = false;
    w->offset = 0;
    close_now(w);
    open_now(w); // folds the whole log, as an auditor does: no time goes back
    if (w->plan->flags & WANTS_CONFIRM)
        expect(w, STEPS_MAX, TAKEN, append(w, GW_ENTRY_CLOCK));
    expect(w, STEPS_MAX, TAKEN, append(w, GW_ENTRY_INCIDENT));
    pass(w, (int64_t)w->plan->days * DAY);
    expect(w, STEPS_MAX + 1, TAKEN, charge(w));
    if (gw_ledger_clock_now(w->ledger).sure > w->truth + TOLERANCE && !w->is_boot_wrong)
        fail_msg("%s: what is sure is ahead of the truth", w->plan->name);
}

static void schedule_run(const schedule *plan) {
    fixture_budget budget = fixture_budget_large;
    budget.window_days = plan->days;
    budget.window_total = WINDOW_CHARGES;
    budget.population_window_days = plan->flags & HAS_PEOPLE ? 30 : 0;
    budget.population_window_total = plan->flags & HAS_PEOPLE ? 1000 : 0;
    world w = {.plan = plan, .truth = plan->start ? plan->start : FIXTURE_NOW, .boot_ms = 1000, .boot = 1};
    w.began = w.truth;
    fixture_create(&w.ledger_fixture);
    open_now(&w);
    fixture_settle(&w.ledger_fixture, &budget, submit, &w);
    for (size_t i = 0; i < STEPS_MAX && plan->steps[i].verb != END; i++)
        step_run(&w, i);
    goes_on(&w);
    close_now(&w);
    fixture_remove(&w.ledger_fixture);
}

static void no_clock_renews_a_budget(void **state) {
    (void)state;
    assert_true(SCHEDULE_COUNT >= 50);
    for (size_t i = 0; i < SCHEDULE_COUNT; i++)
        schedule_run(&schedules[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_clock_renews_a_budget)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
