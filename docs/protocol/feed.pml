/*
 * The feed of one database: transactions that commit out of order, polls,
 * pruning, crashes after which transaction ids are given out again, and a
 * backup that is restored. A gateway polls one answer after the other; what
 * it does with them is gateway.pml's.
 *
 * A snapshot is the set of the ids that are visible in it, aborted ones
 * included, which is all that PostgreSQL's says. After a crash, ids go on
 * behind the last one whose commit was waited for, which is the least that
 * PostgreSQL promises.
 *
 * Safe: once an answer is in force, each logout that had been committed when
 * the poll took its snapshot has been told of, by its row or by a reset.
 */

#ifndef IDS
#define IDS 5                /* transaction ids are 0 to IDS - 1 */
#endif
#define NO_ID IDS
#ifndef FAULTS
#define FAULTS 2             /* crashes and restores */
#endif
#define BIT(id) (1 << (id))

typedef database {
    byte next;               /* id */
    byte next_after_crash;
    byte running;            /* ids, each with something on its way to disk */
    byte row[2];             /* the id in the row of logout 0 and 1 */
    bool is_committed[2];
    byte floor;              /* snapshots */
    byte saved
};

database db;
database backup;
byte faults;
byte starts;                 /* of the server, of which each has a name */
bool is_told[2];             /* since it was committed */

/* the gateway: its cursor, and the answer that is under way */
bool has_cursor;
byte cursor;
byte cursor_start;
bool is_due[2];              /* committed at the snapshot */
bool has_row[2];

#define VISIBLE ((BIT(db.next) - 1) & ~db.running)

/* Everything below the greatest id, or as a standby's snapshot is, in which
   running transactions are not listed. */
#if defined(CURSOR_IS_A_NUMBER) || defined(ON_STANDBY)
#define SNAPSHOT (BIT(db.next) - 1)
#else
#define SNAPSHOT VISIBLE
#endif

#define CAN_BEGIN (db.next < IDS)
#define IS_RUNNING(id) ((db.running & BIT(id)) != 0)

inline begin(id)
{
    id = db.next;
    db.running = db.running | BIT(id);
    db.next++
}

inline commit(id)
{
    db.running = db.running & ~BIT(id);
    db.next_after_crash =
        (db.next_after_crash > id -> db.next_after_crash : id + 1)
}

inline begin_and_commit()
{
    db.next_after_crash = db.next + 1;
    db.next++
}

/* The ids of what is running; a crash sets them to NO_ID. */
byte logout_id[2] = NO_ID;
byte poll_id = NO_ID;

proctype Logout(byte me)
{
end:
    do
    :: atomic {
            logout_id[me] == NO_ID && !db.is_committed[me] && CAN_BEGIN ->
            begin(logout_id[me])
        }
    :: atomic {
            logout_id[me] != NO_ID ->
#ifdef ROW_COMMITTED_LATER
            db.row[me] = NO_ID;
#else
            db.row[me] = logout_id[me];
#endif
            db.is_committed[me] = true;
            is_told[me] = false;
            commit(logout_id[me]);
            logout_id[me] = NO_ID
        }
    :: atomic {              /* aborts */
            logout_id[me] != NO_ID ->
            db.running = db.running & ~BIT(logout_id[me]);
            logout_id[me] = NO_ID
        }
#ifdef ROW_COMMITTED_LATER
    :: atomic {
            db.is_committed[me] && db.row[me] == NO_ID && CAN_BEGIN ->
            db.row[me] = db.next;
            begin_and_commit()
        }
#endif
    od
}

#ifdef NO_FLOOR
#define IS_KEPT true
#else
#define IS_KEPT ((db.floor & ~cursor) == 0)
#endif

#ifdef NO_START_IN_CURSOR
#define IS_OF_HERE true
#else
#define IS_OF_HERE (cursor_start == starts)
#endif

#ifdef NO_CHECK_OF_FUTURE
#define IS_PAST true
#else
#define IS_PAST ((cursor & ~VISIBLE) == 0)
#endif

#define IS_GOOD (has_cursor && IS_OF_HERE && IS_PAST && IS_KEPT)

/* What is visible in the floor has been deleted. */
#define FINDS(j) \
    (db.is_committed[j] && db.row[j] != NO_ID && \
     (cursor & BIT(db.row[j])) == 0 && (db.floor & BIT(db.row[j])) == 0)

inline apply(j)
{
    is_told[j] = is_told[j] || has_row[j];
    assert(!is_due[j] || is_told[j])
}

inline forget_answer()
{
    seen = 0;
    start = 0;
    is_due[0] = false;
    is_due[1] = false;
    has_row[0] = false;
    has_row[1] = false
}

proctype Gateway()
{
    byte seen;
    byte start;

end_poll:
    atomic {
        CAN_BEGIN;
        seen = SNAPSHOT;
        start = starts;
        is_due[0] = db.is_committed[0];
        is_due[1] = db.is_committed[1];
        has_row[0] = !IS_GOOD || FINDS(0);
        has_row[1] = !IS_GOOD || FINDS(1);
#ifndef NO_COMMIT_OF_POLL
        begin(poll_id)
#endif
    }

#if !defined(NO_COMMIT_OF_POLL) && !defined(ANSWER_BEFORE_COMMIT)
    if
    :: atomic {
            poll_id != NO_ID ->
            commit(poll_id);
            poll_id = NO_ID
        }
    :: atomic {
            poll_id == NO_ID ->
            forget_answer();
            goto end_poll
        }
    fi;
#endif

    if
    :: atomic {
            apply(0);
            apply(1);
            has_cursor = true;
            cursor = seen;
            cursor_start = start
        }
    :: skip                  /* the answer is lost */
    fi;

    atomic {
        if
        :: poll_id != NO_ID ->
            commit(poll_id);
            poll_id = NO_ID
        :: else
        fi;
        forget_answer();
        goto end_poll
    }
}

proctype Prune()
{
end:
    do
    :: atomic {
            CAN_BEGIN ->
#ifdef PRUNE_WHAT_IS_VISIBLE
            db.floor = VISIBLE;
#else
            db.floor = db.saved;
            db.saved = VISIBLE;
#endif
            begin_and_commit()
        }
    od
}

inline lose_transactions()
{
    db.running = 0;
    logout_id[0] = NO_ID;
    logout_id[1] = NO_ID;
    poll_id = NO_ID;
    db.next = db.next_after_crash;
    faults++
}

inline copy(to, from)
{
    to.next_after_crash = from.next_after_crash;
    to.row[0] = from.row[0];
    to.row[1] = from.row[1];
    to.is_committed[0] = from.is_committed[0];
    to.is_committed[1] = from.is_committed[1];
    to.floor = from.floor;
    to.saved = from.saved
}

/* What was promised before the backup was restored is void. */
inline void_promises(j)
{
    is_told[j] = is_told[j] && db.is_committed[j];
    is_due[j] = false
}

proctype Fault()
{
    bool has_backup;

end:
    do
    :: atomic { faults < FAULTS -> lose_transactions() }
    :: atomic { faults < FAULTS && !has_backup ->
            copy(backup, db);
            has_backup = true
        }
    :: atomic { faults < FAULTS && has_backup ->
            copy(db, backup);
            lose_transactions();
            starts++;
            void_promises(0);
            void_promises(1)
        }
    od
}

init
{
    atomic {
        db.row[0] = NO_ID;
        db.row[1] = NO_ID;
        backup.row[0] = NO_ID;
        backup.row[1] = NO_ID;
        run Logout(0);
        run Logout(1);
        run Gateway();
        run Prune();
        run Fault()
    }
}
