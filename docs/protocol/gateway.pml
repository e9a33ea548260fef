/*
 * One gateway's cache: asks, joins, inserts, purges and polls race; workers
 * are killed; answers are late or lost. The database is one that never fails:
 * feed.pml and failover.pml are about those that do.
 *
 * One session, one logout, which passes through this gateway (own) or through
 * another one. Gateways share nothing but the database, so that one is enough.
 *
 * Time is unbounded, in ticks: what the protocol compares is kept as ages and
 * as the rest of the lease, none of which need count beyond LEASE. An ask, a
 * poll and an answer take any number of ticks. A token (the counters per set
 * and for resets) is kept as what is asked of it: whether it has moved since.
 */

#ifndef LEASE
#define LEASE 2
#endif
#define NOBODY 2             /* requests and polls are 0 and 1 */

mtype = { none, before, after };      /* what a cursor's snapshot has seen */

/* the logout */
bool is_own;                 /* passes through this gateway */
bool is_committed;
byte committed_age;
bool is_answered;            /* its answer has left this gateway */

/* the zone; every step that touches it holds its lock */
bool is_cached;              /* "this session is in" */
byte lease_left;
mtype cursor = none;
byte current = NOBODY;       /* the poll whose answer is waited for */
byte sent_age;               /* of that poll */

/* what workers have in their own memory, by request */
bool is_asking[2];
bool has_moved[2];           /* a revocation was applied since it asked */
byte asked_age[2];
bool is_joined[2];           /* shares the verdict of the other one */
bool joined_past_lease[2];
bool joined_past_answer[2];

#define PAST_LEASE (is_committed && committed_age == LEASE)
#define PAST_ANSWER (is_own && is_answered)

#ifdef NO_LEASE
#define USABLE(left) is_cached
#else
#define USABLE(left) (is_cached && left > 0)
#endif

#ifdef NO_CHECK_AT_INSERT
#define MAY_STORE(r) true
#else
#define MAY_STORE(r) (!has_moved[r])
#endif

#ifdef NO_CHECK_AT_JOIN
#define SAME_TOKEN(r) true
#else
#define SAME_TOKEN(r) (!has_moved[r])
#endif

#ifdef NO_AGE_AT_JOIN
#define YOUNG(r) true
#else
#define YOUNG(r) (asked_age[r] < LEASE)
#endif

#define MAY_JOIN(r) (is_asking[r] && SAME_TOKEN(r) && YOUNG(r))

#ifdef STALE_IF_ERROR
#define BOUND true           /* which is what it gives up */
#else
#define BOUND (!PAST_LEASE)
#endif

inline move_counters()
{
    has_moved[0] = is_asking[0];
    has_moved[1] = is_asking[1]
}

inline drop()
{
    is_cached = false;
    move_counters()
}

/* The end of an ask, for who asked and for who has joined. */
inline finish(is_in)
{
    if
    :: is_joined[1 - me] ->
        assert(!is_in || !joined_past_lease[1 - me]);
        assert(!is_in || !joined_past_answer[1 - me]);
        is_joined[1 - me] = false;
        joined_past_lease[1 - me] = false;
        joined_past_answer[1 - me] = false
    :: else
    fi;
    is_asking[me] = false;
    has_moved[me] = false;
    asked_age[me] = 0
}

proctype Request(byte me)
{
#ifdef CACHED_CLOCK
    byte left;
#else
#define left lease_left
#endif

end_begin:
#ifdef CACHED_CLOCK
    left = lease_left;
#endif
    atomic {
        !is_joined[me];
        if
        :: USABLE(left) ->
            assert(BOUND);
            assert(!PAST_ANSWER);
#ifdef HIT_EXTENDS
            lease_left = LEASE;
#endif
            goto end_begin
        :: !USABLE(left) && MAY_JOIN(1 - me) ->
            is_joined[me] = true;
            joined_past_lease[me] = PAST_LEASE;
            joined_past_answer[me] = PAST_ANSWER;
            goto end_begin
        :: !USABLE(left) ->
            is_asking[me] = true
        fi
    }

    if
    :: atomic { !is_committed -> goto in }
    :: atomic { is_committed -> goto out }
    :: atomic {              /* no answer, the client left, a worker died */
#ifdef STALE_IF_ERROR
            assert(!is_cached || !PAST_ANSWER);
#endif
            finish(false);
            goto end_begin
        }
    fi;

in:
    atomic {
        if
        :: MAY_STORE(me) -> is_cached = true
        :: else
        fi;
        finish(true);
        goto end_begin
    }

out:
    atomic {
        is_cached = false;
        finish(false);
        goto end_begin
    }
}

#ifdef SENT_AT_ARRIVAL
#define NEW_LEASE LEASE
#else
#define NEW_LEASE (LEASE - sent_age)
#endif

inline apply_rows()
{
    if
    :: is_reset ->
#ifndef RESET_KEEPS_CACHE
        is_cached = false;
#endif
#ifndef RESET_KEEPS_COUNTERS
        move_counters()
#else
        skip
#endif
    :: !is_reset && has_row -> drop()
    :: else
    fi
}

/* In three steps, any of which may be the last one of a killed worker. */
inline apply()
{
#if defined(CURSOR_FIRST)
    cursor = seen;
    if
    :: true -> apply_rows(); lease_left = NEW_LEASE
    :: true
    fi
#elif defined(LEASE_FIRST)
    lease_left = NEW_LEASE;
    if
    :: true -> apply_rows(); cursor = seen
    :: true
    fi
#else
    apply_rows();
    if
    :: true -> cursor = seen; lease_left = NEW_LEASE
    :: true -> cursor = seen
    :: true
    fi
#endif
}

proctype Poll(byte me)
{
    mtype seen = none;       /* its cursor, then the answer's */
    bool is_reset;
    bool has_row;

    /* The one before is answered, or past its deadline and abandoned. */
end_begin:
    atomic {
        current = me;
        sent_age = 0;
        seen = cursor
    }

    /* One statement; a reset also for more rows than an answer may have. */
    atomic {
        if
        :: seen == none -> is_reset = true
        :: seen != none && is_committed -> has_row = (seen == before)
        :: seen != none && !is_committed
        :: seen != none -> is_reset = true
        fi;
        seen = (is_committed -> after : before)
    }

    /* The answer arrives, or is lost, or its worker is killed. */
    atomic {
        if
#ifdef LATE_ANSWERS
        :: true ->
#else
        :: current == me ->
#endif
#ifdef TWO_STREAMS
            cursor = seen;
            lease_left = NEW_LEASE;
            current = NOBODY;
            sent_age = 0;
            goto rows
#else
            apply();
            current = NOBODY;
            sent_age = 0
#endif
        :: true
        fi;
        seen = none;
        is_reset = false;
        has_row = false;
        goto end_begin
    }

#ifdef TWO_STREAMS
rows:
    atomic {
        apply_rows();
        seen = none;
        is_reset = false;
        has_row = false;
        goto end_begin
    }
#endif
}

/* It may stop at each step: a worker, identprov or the client is gone. */
proctype Logout()
{
    if
    :: is_own = true
#ifdef PURGE_FIRST
        ; atomic { drop() }
#endif
    :: true
    fi;
    is_committed = true;
#if defined(NO_PURGE) || defined(PURGE_FIRST)
    atomic { is_own -> is_answered = true }
#elif defined(PURGE_LAST)
    atomic { is_own -> is_answered = true };
    atomic { drop() }
#else
    atomic { is_own -> drop() };
    is_answered = true
#endif
}

#define OLDER(age) age = (age < LEASE -> age + 1 : LEASE)

proctype Clock()
{
end:
    do
    :: d_step {
            lease_left = (lease_left > 0 -> lease_left - 1 : 0);
            if
            :: is_committed -> OLDER(committed_age)
            :: else
            fi;
            if
            :: current != NOBODY -> OLDER(sent_age)
            :: else
            fi;
            if
            :: is_asking[0] -> OLDER(asked_age[0])
            :: else
            fi;
            if
            :: is_asking[1] -> OLDER(asked_age[1])
            :: else
            fi
        }
    od
}

init
{
    atomic {
        run Request(0);
        run Request(1);
        run Poll(0);
        run Poll(1);
        run Logout();
        run Clock()
    }
}
