/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as a system of guarded steps, each of which either happens whole or not at all; between any two of them
 * the process may die. What is durable outlives it, what is volatile does not. ledger.md says what is modelled, up to
 * which bounds, and what is not; `mirrors` names, before each step, the functions it stands for, and a test holds those
 * names against the sources. The bugs at the end of the defines are planted one at a time by the environment variable
 * BUG: the search must find every one of them, and nothing where there is none. */

#define WORKERS 2
#define IDS 2 /* requests, of one unit of budget each; the budget is 1 or 2 */
#define CHARGES 2
#define ATTEMPTS 3
#define NONE 7

#define SKIP_IDEM 1           /* the request id is not looked up when a charge is made */
#define SKIP_BUDGET 2         /* what is left is not looked at */
#define LESS_THAN 3           /* cost < left, for cost <= left */
#define ATTEMPT_TOO_MANY 4    /* attempts <= 3, for attempts < 3 */
#define ATTEMPT_VOLATILE 5    /* a resumption is not counted in the database */
#define RESUME_ABANDONED 6    /* an abandoned charge is taken up again */
#define SEAL_TWICE 7          /* a seal does not look whether there is one */
#define ANSWER_BEFORE_COMMIT 8
#define ANSWER_BEFORE_MARK 9
#define REFUND_ON_CRASH 10    /* recovery gives open charges back */
#define REFUND_ON_FAILURE 11  /* so does a measurement that failed */
#define UNKNOWN_IS_FAILED 12  /* after an unknown commit the store goes on with what it had */
#define CACHE_KEPT 13         /* after a failed commit it goes on with what it would have had */
#define SIGN_BEFORE_COMMIT 14
#define MARK_BEFORE_COMMIT 15
#define MARK_UNCHECKED 16     /* at start the mark is not compared */
#define START_UNMARKED 17     /* at start what was found is not marked */
#define OTHER_BYTES 18        /* a known id gets its answer whatever the bytes */
#define LOSER_ANSWERS 19      /* who lost the race to seal answers with its own draw */
#define ANSWER_UNSIGNED 20    /* a stored answer leaves though no signed tree holds it yet */
#define ABANDON_BLIND 21      /* who comes too late to abandon calls the question failed, though it was answered */
#define BUGS 21

/* Bounds and bug come from the environment, so that one program searches them all. */
c_code { static unsigned char number(const char *name) { const char *text = getenv(name); return text ? (unsigned char)atoi(text) : 0; } };
byte bug;
byte sends;   /* messages still to come, resends among them */
byte crashes; /* still to come */
byte copies;  /* of the database, still to be put back */

/* ---- durable */

mtype = { none, reserved, sealed, abandoned };
typedef Database {
    byte size;  /* entries */
    byte spent; /* the balance's row */
    byte count; /* charges */
    bit data;   /* version in force */
    byte id[CHARGES];
    bit bytes[CHARGES];
    bit of_data[CHARGES];
    mtype state[CHARGES];
    byte attempts[CHARGES];
    byte answer[CHARGES];
    byte sealed_at[CHARGES];
    byte outcomes[CHARGES] /* entries in the log that end it */
};
Database db;
byte mark;   /* of the high-water mark */
byte newest; /* the signer's newest tree */
byte total;

/* an old copy of the database, kept by somebody and put back while the service was down: once */
Database copy;
bit is_copied, is_restored;

/* ---- volatile */

mtype = { down, marking, signing, up, refused };
mtype daemon = down;
bit is_broken; /* an outcome is unknown: nothing is written any more, and the process is about to end */
byte cached_size, cached_spent;
byte checkpoint; /* the newest signed tree that replies are given under */

mtype = { idle, queued, measuring, sealing, answering };
mtype = { reserve, resume, seal, abandon };
mtype = { ok, conflict, short_of_budget, spent_attempts };
typedef Worker {
    mtype phase;
    mtype op;
    mtype result;
    bit is_taken; /* its operation is in the batch */
    byte id;
    bit bytes;
    bit data;
    byte charge;
    byte answer
};
Worker worker[WORKERS];

mtype = { resting, ran, committed, marked };
mtype writer = resting;
bit needs_mark;
Database tx;

/* ---- what was said and done, which no crash takes back: only the properties look at it */

byte acknowledged;  /* the largest tree that anybody was told of */
byte told[IDS];     /* the answer that left */
bit told_failed[IDS];
byte draws[CHARGES];

inline copy_database(to, from) {
    to.size = from.size; to.spent = from.spent; to.count = from.count; to.data = from.data;
    for (i : 0 .. CHARGES - 1) {
        to.id[i] = from.id[i]; to.bytes[i] = from.bytes[i]; to.of_data[i] = from.of_data[i];
        to.state[i] = from.state[i]; to.attempts[i] = from.attempts[i]; to.answer[i] = from.answer[i];
        to.sealed_at[i] = from.sealed_at[i]; to.outcomes[i] = from.outcomes[i]
    }
}

inline clear_database(to) {
    to.size = 0; to.spent = 0; to.count = 0; to.data = 0;
    for (i : 0 .. CHARGES - 1) {
        to.id[i] = 0; to.bytes[i] = 0; to.of_data[i] = 0; to.state[i] = none; to.attempts[i] = 0;
        to.answer[i] = 0; to.sealed_at[i] = 0; to.outcomes[i] = 0
    }
}

inline rest(w) {
    worker[w].phase = idle; worker[w].op = 0; worker[w].result = 0; worker[w].is_taken = 0;
    worker[w].id = 0; worker[w].bytes = 0; worker[w].data = 0; worker[w].charge = NONE; worker[w].answer = 0
}

inline queue(w, what) { worker[w].phase = queued; worker[w].op = what; worker[w].result = 0 }

inline go_on(w, to) { worker[w].phase = to; worker[w].op = 0; worker[w].result = 0; worker[w].data = 0 }

/* The two workers are alike: which of them is which is no difference between two states. */
#define PLACE(w) (((((worker[w].phase * 16 + worker[w].op) * 2 + worker[w].bytes) * 4 + worker[w].id) * 8 + \
                   worker[w].charge) * 8 + worker[w].answer) * 4 + worker[w].is_taken * 2 + worker[w].data
inline order() {
    if
    :: PLACE(0) < PLACE(1) ->
        spare = worker[0].phase; worker[0].phase = worker[1].phase; worker[1].phase = spare;
        spare = worker[0].op; worker[0].op = worker[1].op; worker[1].op = spare;
        spare = worker[0].result; worker[0].result = worker[1].result; worker[1].result = spare;
        spare = worker[0].is_taken; worker[0].is_taken = worker[1].is_taken; worker[1].is_taken = spare;
        spare = worker[0].id; worker[0].id = worker[1].id; worker[1].id = spare;
        spare = worker[0].bytes; worker[0].bytes = worker[1].bytes; worker[1].bytes = spare;
        spare = worker[0].data; worker[0].data = worker[1].data; worker[1].data = spare;
        spare = worker[0].charge; worker[0].charge = worker[1].charge; worker[1].charge = spare;
        spare = worker[0].answer; worker[0].answer = worker[1].answer; worker[1].answer = spare
    :: else
    fi;
    spare = 0; i = 0; k = 0
}

/* ---- properties of what is durable: what an auditor would say of the log, after every commit
 * mirrors service/ledger/ledger_replay.c: entry_replay ledger_replay_check
 * mirrors service/audit/fold_charge.c: gw_fold_charge gw_fold_release gw_fold_abandon */
inline audit() {
    assert(db.count <= total);         /* nothing is overspent */
    assert(db.spent == db.count);      /* nothing is given back, nothing counted twice */
    for (i : 0 .. CHARGES - 1) {
        assert(db.outcomes[i] <= 1);   /* sealed or abandoned, and once */
        assert(db.attempts[i] <= ATTEMPTS);
        assert(draws[i] <= db.attempts[i] || is_restored); /* an attempt counts before it draws */
        if
        :: db.count == 2 -> assert(db.id[0] != db.id[1]) /* one id, one charge */
        :: else
        fi
    }
}

/* ---- one operation inside the transaction */

/* mirrors service/store/store_sqlite_write.c: reserve_check reserve_admit reserve_write reserve
 * mirrors privacy/accounting/zcdp.c: gw_zcdp_admits */
inline run_reserve(w) {
    worker[w].result = ok;
    for (i : 0 .. CHARGES - 1) {
        if
        :: i < tx.count && tx.id[i] == worker[w].id && bug != SKIP_IDEM -> worker[w].result = conflict
        :: else
        fi
    }
    if
    :: worker[w].result == conflict
    :: worker[w].result == ok && bug != SKIP_BUDGET &&
       !(tx.spent <= total && (1 < total - tx.spent || (1 == total - tx.spent && bug != LESS_THAN))) ->
        assert(tx.count + 1 > total); /* what fits is admitted */
        worker[w].result = short_of_budget
    :: else ->
        assert(tx.count < CHARGES);
        tx.id[tx.count] = worker[w].id; tx.bytes[tx.count] = worker[w].bytes; tx.of_data[tx.count] = worker[w].data;
        tx.state[tx.count] = reserved; tx.attempts[tx.count] = 1;
        worker[w].charge = tx.count;
        tx.count++; tx.spent++; tx.size++
    fi
}

#define IS_OPEN(c) (tx.state[c] == reserved)

/* mirrors service/store/store_sqlite_write.c: charge_open resume */
inline run_resume(w) {
    if
    :: IS_OPEN(worker[w].charge) || (bug == RESUME_ABANDONED && tx.state[worker[w].charge] == abandoned) ->
        if
        :: tx.attempts[worker[w].charge] < ATTEMPTS ||
           (bug == ATTEMPT_TOO_MANY && tx.attempts[worker[w].charge] == ATTEMPTS) ->
            if
            :: bug != ATTEMPT_VOLATILE -> tx.attempts[worker[w].charge]++
            :: else
            fi
            worker[w].result = ok
        :: else -> worker[w].result = spent_attempts
        fi
    :: else -> worker[w].result = conflict
    fi
}

/* mirrors service/store/store_sqlite_write.c: charge_open seal seal_write charge_finish */
inline run_seal(w) {
    if
    :: IS_OPEN(worker[w].charge) || (bug == SEAL_TWICE && tx.state[worker[w].charge] == sealed) ||
       (bug == RESUME_ABANDONED && tx.state[worker[w].charge] == abandoned) ->
        tx.state[worker[w].charge] = sealed; tx.answer[worker[w].charge] = worker[w].answer;
        tx.sealed_at[worker[w].charge] = tx.size; tx.outcomes[worker[w].charge]++;
        tx.size++; needs_mark = 1;
        worker[w].result = ok
    :: else -> worker[w].result = conflict
    fi
}

/* mirrors service/store/store_sqlite_write.c: charge_open abandon charge_finish */
inline run_abandon(w) {
    if
    :: IS_OPEN(worker[w].charge) ->
        tx.state[worker[w].charge] = abandoned; tx.outcomes[worker[w].charge]++;
        tx.size++; needs_mark = 1;
        worker[w].result = ok
    :: else -> worker[w].result = conflict
    fi
}

/* mirrors service/store/store_sqlite_write.c: op_run */
inline run_op(w) {
    worker[w].is_taken = 1;
    if
    :: worker[w].op == reserve -> run_reserve(w)
    :: worker[w].op == resume -> run_resume(w)
    :: worker[w].op == seal -> run_seal(w)
    :: worker[w].op == abandon -> run_abandon(w)
    fi
}

/* ---- replies */

/* A refusal that is no last word: the client may send again.
 * mirrors service/query/step_ask.c: gw_query_failed_after_charge */
inline say_again(w) { rest(w) }

/* mirrors service/query/step_ask.c: gw_query_failed_for_good */
inline say_failed(w) {
    assert(told[worker[w].id] == 0); /* not after an answer */
    told_failed[worker[w].id] = 1;
    rest(w)
}

/* The outcome that came first is everybody's.
 * mirrors service/query/step_charge.c: charge_ended
 * mirrors service/query/step_ask.c: gw_query_answer_stored */
inline say_ended(w) {
    if
    :: db.state[worker[w].charge] == sealed && bug == LOSER_ANSWERS && worker[w].op == seal ->
        go_on(w, answering)
    :: db.state[worker[w].charge] == sealed && !(bug == ABANDON_BLIND && worker[w].op == abandon) &&
       !(bug == LOSER_ANSWERS && worker[w].op == seal) ->
        worker[w].answer = db.answer[worker[w].charge];
        go_on(w, answering)
    :: else -> say_failed(w)
    fi
}

/* What a caller does when it is woken with a decision.
 * mirrors service/ledger/ledger.c: ledger_wake gw_ledger_submit
 * mirrors service/query/step_charge.c: reserve_refused reserve_new reserve_resume abandon gw_query_step_seal */
inline wake(w) {
    worker[w].is_taken = 0;
    if
    :: worker[w].op == reserve && worker[w].result == ok -> go_on(w, measuring)
    :: worker[w].op == reserve && worker[w].result != ok -> rest(w) /* free, and says why */
    :: worker[w].op == resume && worker[w].result == ok -> go_on(w, measuring)
    :: worker[w].op == resume && worker[w].result != ok -> queue(w, abandon)
    :: worker[w].op == seal && worker[w].result == ok -> go_on(w, answering)
    :: worker[w].op == seal && worker[w].result != ok -> say_ended(w)
    :: worker[w].op == abandon -> say_ended(w)
    fi
}

/* ---- the machine */

inline forget() { /* all that a process holds */
    writer = resting; needs_mark = 0; is_broken = 0; checkpoint = 0; cached_size = 0; cached_spent = 0;
    clear_database(tx);
    for (k : 0 .. WORKERS - 1) { rest(k) }
}

inline wake_all() {
    for (k : 0 .. WORKERS - 1) {
        if
        :: worker[k].is_taken -> wake(k)
        :: else
        fi
    }
    writer = resting; needs_mark = 0; clear_database(tx)
}

/* Nobody is told anything but "unknown, ask again"; readers go on until the process ends.
 * mirrors service/ledger/ledger.c: ledger_break */
inline break_writer() {
    for (k : 0 .. WORKERS - 1) {
        if
        :: worker[k].phase == queued -> rest(k)
        :: else
        fi
    }
    writer = resting; needs_mark = 0; is_broken = 1; clear_database(tx)
}

/* The batch is decided, nothing of it is durable.
 * mirrors service/ledger/ledger_writer.c: batch_take
 * mirrors service/store/store_sqlite_write.c: batch_run */
inline begin_batch() {
    copy_database(tx, db);
    tx.size = cached_size; tx.spent = cached_spent;
    writer = ran
}

active proctype system() {
    byte i, k, spare;
    d_step {
        c_code { now.bug = number("BUG"); now.sends = number("SENDS"); now.crashes = number("CRASHES"); now.copies = number("COPIES"); };
        for (k : 0 .. WORKERS - 1) { rest(k) }
        db.size = 1; newest = 0; mark = 1; k = 0
    }
    if
    :: total = 1
    :: total = 2
    fi;

end:
    do
    /* A message comes in: new, sent again, or another one under the same id. Facts and recall see one state.
     * mirrors service/query/step_ask.c: gw_query_step_recall recall_by_idem gw_query_is_request_of
     * mirrors service/query/step_charge.c: gw_query_step_reserve */
    :: atomic { daemon == up && sends > 0 && (worker[0].phase == idle || worker[1].phase == idle) ->
        k = (worker[0].phase == idle -> 0 : 1);
        sends--;
        if /* the first id to come is called 0, and its first bytes 0 */
        :: worker[k].id = 0
        :: db.count > 0 || worker[0].phase != worker[1].phase -> worker[k].id = 0; worker[k].bytes = 1
        :: db.count > 0 || worker[0].phase != worker[1].phase -> worker[k].id = 1
        fi;
        d_step {
            worker[k].data = db.data;
            worker[k].charge = NONE;
            for (i : 0 .. CHARGES - 1) {
                if
                :: i < db.count && db.id[i] == worker[k].id && worker[k].charge == NONE -> worker[k].charge = i
                :: else
                fi
            }
            if
            :: worker[k].charge == NONE -> queue(k, reserve)
            :: worker[k].charge != NONE && bug != OTHER_BYTES && db.bytes[worker[k].charge] != worker[k].bytes -> rest(k)
            :: else ->
                if
                :: db.state[worker[k].charge] == sealed ->
                    worker[k].answer = db.answer[worker[k].charge]; go_on(k, answering)
                :: db.state[worker[k].charge] == abandoned && bug != RESUME_ABANDONED -> say_failed(k)
                :: db.state[worker[k].charge] == abandoned && bug == RESUME_ABANDONED -> queue(k, resume)
                :: db.state[worker[k].charge] == reserved && db.of_data[worker[k].charge] == worker[k].data ->
                    queue(k, resume)
                :: db.state[worker[k].charge] == reserved && db.of_data[worker[k].charge] != worker[k].data ->
                    queue(k, abandon)
                fi
            fi;
            order()
        } }

    /* A new data version comes into force: what is open can no longer be taken up.
     * mirrors service/store/store_sqlite_append.c: append_data */
    :: d_step { daemon == up && !is_broken && writer == resting && db.data == 0 && db.count > 0 ->
        begin_batch(); tx.data = 1; tx.size++; needs_mark = 1; i = 0 }

    /* The writer takes one operation, or both, in either order.
     * mirrors service/ledger/ledger_writer.c: batch_take batch_commit
     * mirrors service/store/store_sqlite_write.c: gw_store_commit */
    :: atomic { daemon == up && !is_broken && writer == resting &&
                (worker[0].phase == queued || worker[1].phase == queued) ->
        if
        :: d_step { worker[0].phase == queued -> begin_batch(); run_op(0); order() }
        :: d_step { worker[1].phase == queued -> begin_batch(); run_op(1); order() }
        :: d_step { worker[0].phase == queued && worker[1].phase == queued ->
            begin_batch(); run_op(0); run_op(1); order() }
        :: d_step { worker[0].phase == queued && worker[1].phase == queued ->
            begin_batch(); run_op(1); run_op(0); order() }
        fi }
    :: d_step { bug == SIGN_BEFORE_COMMIT && writer == ran && newest < tx.size -> newest = tx.size }
    :: d_step { bug == MARK_BEFORE_COMMIT && writer == ran && mark < tx.size -> mark = tx.size }
    :: d_step { bug == ANSWER_BEFORE_COMMIT && writer == ran && worker[0].is_taken && worker[0].op == seal ->
        told[worker[0].id] = worker[0].answer } /* the first of the two, whichever that is */

    /* Somebody keeps a copy of the database; only as it is before a change does it matter. */
    :: d_step { writer == ran && !is_copied && copies > 0 -> is_copied = 1; copy_database(copy, db); i = 0 }

    /* Committed and synced.
     * mirrors service/store/store_sqlite_write.c: gw_store_commit
     * mirrors service/ledger/ledger_writer.c: op_needs_checkpoint batch_settle */
    :: d_step { writer == ran ->
        copy_database(db, tx);
        cached_size = db.size; cached_spent = db.spent;
        audit();
        if
        :: needs_mark && bug != ANSWER_BEFORE_MARK -> writer = committed
        :: needs_mark && bug == ANSWER_BEFORE_MARK -> checkpoint = db.size; acknowledged = db.size; wake_all()
        :: else -> wake_all()
        fi;
        order() }
    /* Failed, and nothing of it is durable: each caller hears of a failure.
     * mirrors service/store/store_sqlite_write.c: batch_fail */
    :: d_step { writer == ran ->
        if
        :: bug == CACHE_KEPT -> cached_size = tx.size; cached_spent = tx.spent
        :: else
        fi;
        for (k : 0 .. WORKERS - 1) {
            if
            :: worker[k].is_taken -> say_again(k)
            :: else
            fi
        }
        writer = resting; needs_mark = 0; clear_database(tx); order() }
    /* Nobody knows: durable or not, the callers hear "retry" and the process ends.
     * mirrors service/store/store_sqlite_write.c: gw_store_commit */
    :: d_step { writer == ran -> copy_database(db, tx); audit(); break_writer();
        is_broken = (bug != UNKNOWN_IS_FAILED); order() }
    :: d_step { writer == ran -> break_writer(); order() }

    /* The mark is synced before the tree is signed, and that before anybody is told.
     * mirrors service/store/hwm.c: gw_hwm_advance
     * mirrors service/ledger/ledger_sealer.c: ledger_tree_seal */
    :: d_step { writer == committed -> assert(db.size >= mark); mark = db.size; writer = marked }
    :: d_step { writer == committed -> break_writer(); order() } /* and the old mark stands */
    :: d_step { writer == committed -> mark = db.size; break_writer(); order() }
    /* mirrors service/ledger/ledger_sealer.c: ledger_tree_seal checkpoint_set
     * mirrors service/signer/signer.c: gw_signer_sign tree_check */
    :: d_step { writer == marked ->
        assert(db.size >= newest); /* never two trees of which one is not the beginning of the other */
        newest = db.size; checkpoint = db.size; acknowledged = db.size;
        wake_all(); order() }
    :: d_step { writer == marked -> newest = db.size; break_writer(); order() }

    /* The engine measures and noise is drawn, or that fails.
     * mirrors service/query/step_charge.c: gw_query_step_measure gw_query_step_protect */
    :: atomic { daemon == up && (worker[0].phase == measuring || worker[1].phase == measuring) ->
        if
        :: worker[0].phase == measuring -> k = 0
        :: worker[1].phase == measuring -> k = 1
        fi;
        if
        :: d_step { true ->
            draws[worker[k].charge]++;
            assert(draws[worker[k].charge] <= ATTEMPTS || is_restored);
            worker[k].answer = draws[worker[k].charge];
            queue(k, seal); order() }
        :: d_step { true ->
            if
            :: bug == REFUND_ON_FAILURE -> db.spent--; cached_spent--
            :: else
            fi;
            say_again(k); order() }
        fi }

    /* The reply leaves under a signed tree that holds its release, or it does not leave.
     * mirrors service/query/step_reply.c: gw_query_step_reply reply_receipt receipt_proof */
    :: atomic { daemon == up && (worker[0].phase == answering || worker[1].phase == answering) ->
        if
        :: worker[0].phase == answering -> k = 0
        :: worker[1].phase == answering -> k = 1
        fi;
        d_step {
            if
            :: db.sealed_at[worker[k].charge] < checkpoint || bug == ANSWER_UNSIGNED ->
                assert(db.state[worker[k].charge] == sealed);
                assert(db.answer[worker[k].charge] == worker[k].answer);
                assert(db.bytes[worker[k].charge] == worker[k].bytes); /* not to another message */
                assert(told[worker[k].id] == 0 || told[worker[k].id] == worker[k].answer); /* one id, one answer */
                assert(!told_failed[worker[k].id] || is_restored); /* failed for good is a last word */
                told[worker[k].id] = worker[k].answer;
                if
                :: acknowledged <= db.sealed_at[worker[k].charge] ->
                    acknowledged = db.sealed_at[worker[k].charge] + 1
                :: else
                fi;
                rest(k)
            :: else -> say_again(k)
            fi;
            order()
        } }

    /* The process dies, here or anywhere: killed, out of power, or by its own exit after an unknown outcome.
     * mirrors service/ledger/ledger.c: unknown_exit */
    :: d_step { (daemon != down && daemon != refused) && (crashes > 0 || is_broken) ->
        if
        :: is_broken
        :: else -> crashes--
        fi;
        daemon = down; forget(); i = 0; k = 0 }

    /* Somebody puts the copy back. */
    :: d_step { is_copied && daemon == down && copy.size < db.size ->
        copy_database(db, copy); clear_database(copy); is_copied = 0; is_restored = 1; copies--; i = 0 }

    /* Every start recovers: compare, mark, sign, serve; and may die in between.
     * mirrors service/ledger/ledger_recover.c: ledger_recover ground_check mark_compare signer_compare */
    :: d_step { daemon == down ->
        if
        :: (db.size < mark && bug != MARK_UNCHECKED) || (db.size < newest && bug != MARK_UNCHECKED) ->
            assert(is_restored); /* a crash alone never shuts the service */
            daemon = refused
        :: else ->
            if
            :: bug == REFUND_ON_CRASH ->
                for (i : 0 .. CHARGES - 1) {
                    if
                    :: db.state[i] == reserved -> db.spent--
                    :: else
                    fi
                }
            :: else
            fi;
            daemon = marking
        fi;
        i = 0 }
    /* mirrors service/store/hwm.c: gw_hwm_advance */
    :: d_step { daemon == marking ->
        if
        :: bug != START_UNMARKED && bug != MARK_UNCHECKED -> mark = db.size
        :: else
        fi;
        daemon = signing }
    /* mirrors service/ledger/ledger.c: open_threads open_seal
     * mirrors service/store/store_sqlite_open.c: gw_store_open open_last */
    :: d_step { daemon == signing ->
        if
        :: bug != MARK_UNCHECKED -> assert(db.size >= newest)
        :: else
        fi;
        if
        :: bug != START_UNMARKED -> newest = db.size
        :: else
        fi;
        checkpoint = db.size; cached_size = db.size; cached_spent = db.spent;
        audit();
        assert(db.size >= acknowledged); /* nothing that anybody was told of is lost */
        daemon = up; i = 0 }
    od
}
