/*
 * A fail-over under one gateway: the standby becomes the primary of a new
 * timeline, and asks and polls go to whichever server an identprov is still
 * connected to.
 *
 * Without ASYNC, the old primary lives on and goes on answering, but what it
 * commits has to be acknowledged by the standby, which has left it. With
 * ASYNC it waits for nobody, loses its last commits in the fail-over, and has
 * to be dead by then, as whoever runs it has to see to.
 *
 * BEAT is identprov's sync_heartbeat, in ticks; without it none is there.
 *
 * Safe: as in gateway.pml, nothing from the cache past the lease; and, for
 * requests begun past the lease, no answer of a server that does not know of
 * the logout either, as long as the gateway has a lease; with BEAT, none
 * begun BEAT after it, lease or not. (The own node needs the primary, or BEAT:
 * README.md.)
 */

#ifndef LEASE
#define LEASE 2
#endif
#define OLD 0                /* servers; their timelines are 1 and 2 */
#define NEW 1
#define NOBODY 2             /* polls are 0 and 1 */
#define NO_ROW 15
#ifdef ASYNC
#define IDS 4                /* transaction ids that polls may use up */
#endif

/* the servers */
bool is_promoted;            /* NEW is; OLD was the primary until then */
bool is_out[2];              /* the logout, as far as the server knows */
byte row[2] = NO_ROW;        /* its transaction id there */
byte next[2];                /* transaction id */
byte out_age;                /* since it was committed, to LEASE */
bool is_out_for_good;        /* committed, and not lost */

/* the zone */
bool is_cached;
byte lease_left;
byte epoch;                  /* the timeline; 0: none */
byte cursor;                 /* ids below it have been seen */
byte current = NOBODY;
byte sent_age[2];

/* the request, which is made again and again */
bool is_asking;
bool has_moved;
bool is_past_lease;          /* begun so */

#define PAST_LEASE (is_out_for_good && out_age >= LEASE)
#ifdef BEAT
#define PAST_BEAT (is_out_for_good && out_age >= BEAT)
#endif

#ifdef ASYNC
#define LIVES(server) \
    (server == OLD && !is_promoted || server == NEW && is_promoted)
#else
#define LIVES(server) (server == OLD || is_promoted)
#endif

#if defined(ASYNC) || defined(COMMIT_IS_LOCAL)
#define COMMITS(server) LIVES(server)
#else
#define COMMITS(server) \
    (server == OLD && !is_promoted || server == NEW && is_promoted)
#endif

inline move_counters()
{
    has_moved = is_asking
}

inline drop()
{
    is_cached = false;
    move_counters()
}

inline replicate()
{
    is_out[NEW] = is_out[OLD];
    row[NEW] = row[OLD];
    next[NEW] = next[OLD]
}

proctype Failover()
{
#ifdef ASYNC
    do
    :: atomic { !is_promoted -> replicate() }
    :: atomic {
            is_out_for_good = is_out[NEW];
            out_age = (is_out_for_good -> out_age : 0);
            is_past_lease = is_past_lease && is_out_for_good;
            is_promoted = true;
            break
        }
    od
#else
    is_promoted = true
#endif
}

proctype Logout()
{
end:
    do
    :: atomic {
            !is_promoted && !is_out[OLD] ->
            is_out[OLD] = true;
            row[OLD] = next[OLD];
            next[OLD]++;
            is_out_for_good = true;
#ifndef ASYNC
#ifndef ON_STANDBY
            replicate()
        }
#else
        }
        atomic { !is_promoted -> replicate() }
#endif
#else
        }
#endif
    :: atomic {
            is_promoted && !is_out[NEW] ->
            is_out[NEW] = true;
            row[NEW] = next[NEW];
            next[NEW]++;
            is_out_for_good = true
        }
    od
}

#ifdef BEAT
byte beat_age = LEASE;       /* since the last one that succeeded was begun */
byte begun_age;              /* of the one that has been begun */
bool is_beating;

proctype Beat()
{
end_begin:
    atomic { !is_promoted -> begun_age = 0; is_beating = true }
    if
    :: !is_promoted          /* committed; the answer may take its time */
    :: is_promoted -> is_beating = false; goto dead
    fi;
    atomic {
#ifdef BEAT_FROM_ARRIVAL
        beat_age = 0;
#else
        beat_age = begun_age;
#endif
        begun_age = 0;
        is_beating = false;
        goto end_begin
    }
end_dead:
dead:
    false
}
#endif

/* Server 0 or 1, in `server`; blocks while there is none. */
inline choose_server()
{
    if
    :: LIVES(OLD) -> server = OLD
    :: LIVES(NEW) -> server = NEW
    fi
}

#ifdef NO_EPOCH_AT_INSERT
#define IS_OF_ZONE true
#else
#define IS_OF_ZONE (server + 1 == epoch)
#endif

proctype Request()
{
    byte server;
    bool is_in;
#ifdef BEAT
    bool is_past_beat;
#endif

end_begin:
    atomic {
        if
        :: is_cached && lease_left > 0 ->
            assert(!PAST_LEASE);
            goto end_begin
        :: else ->
            is_asking = true;
            is_past_lease = PAST_LEASE;
#ifdef BEAT
            is_past_beat = PAST_BEAT
#endif
        fi
    }

    atomic {
        choose_server();
        is_in = !is_out[server]
    };
#if defined(BEAT) && !defined(ASK_WITHOUT_BEAT)
    if
    :: server == NEW || beat_age < BEAT
    :: server == OLD && beat_age >= BEAT -> goto done
    fi;
#endif

    atomic {
        if
#ifndef NO_EPOCH_AT_ANSWER
        :: lease_left > 0 && epoch != server + 1 ->     /* 503 */
            if
            :: server + 1 > epoch ->
                drop();
                lease_left = 0;
                epoch = 0
            :: else
            fi;
            goto done
#endif
        :: else
        fi;
        if
        :: is_in && IS_OF_ZONE && !has_moved -> is_cached = true
        :: !is_in -> is_cached = false
        :: else
        fi;
        assert(!(is_in && is_past_lease && lease_left > 0));
#ifdef BEAT
        assert(!(is_in && is_past_beat))
#endif
    }
done:
    atomic {
        is_asking = false;
        has_moved = false;
        server = 0;
        is_in = false;
        is_past_lease = false;
#ifdef BEAT
        is_past_beat = false;
#endif
        goto end_begin
    }
}

#ifdef NO_EPOCH_IN_CURSOR
#define IS_RESET (epoch_sent == 0)
#else
#define IS_RESET (epoch_sent != server + 1)
#endif

proctype Poll(byte me)
{
    byte server;
    byte seen;               /* the cursor sent, then the one answered */
    byte epoch_sent;
    bool is_reset;
    bool has_row;

end_begin:
    atomic {
        current = me;
        sent_age[me] = 0;
        seen = cursor;
        epoch_sent = epoch
    }
    atomic {
#ifdef ON_STANDBY
        if
        :: server = OLD
        :: server = NEW
        fi;
#else
        choose_server();
#endif
        is_reset = IS_RESET;
        has_row = row[server] != NO_ROW && row[server] >= seen;
        seen = next[server];
        epoch_sent = 0
    }
    if
#ifdef ON_STANDBY
    :: true
#else
    :: atomic {
#ifdef ASYNC
            COMMITS(server) && next[server] < IDS -> next[server]++
#else
            COMMITS(server)
#endif
        }
#endif
    :: goto done             /* the answer is lost */
    fi;

    atomic {
        if
#ifdef LATE_ANSWERS
        :: true ->
#else
        :: current == me ->
#endif
            if
            :: is_reset || has_row -> drop()
            :: else
            fi;
            cursor = seen;
            epoch = server + 1;
            lease_left = (LEASE - sent_age[me] > lease_left
                -> LEASE - sent_age[me] : lease_left);
            current = (current == me -> NOBODY : current)
        :: current != me
        fi
    }
done:
    atomic {
        sent_age[me] = 0;
        server = 0;
        seen = 0;
        epoch_sent = 0;
        is_reset = false;
        has_row = false;
        goto end_begin
    }
}

#define OLDER(age) age = (age < LEASE -> age + 1 : LEASE)

proctype Clock()
{
end:
    do
    :: d_step {
            lease_left = (lease_left > 0 -> lease_left - 1 : 0);
            OLDER(sent_age[0]);
            OLDER(sent_age[1]);
#ifdef BEAT
            OLDER(beat_age);
            if
            :: is_beating -> OLDER(begun_age)
            :: else
            fi;
#endif
            if
            :: is_out_for_good -> OLDER(out_age)
            :: else
            fi
        }
    od
}

init
{
    atomic {
        run Failover();
        run Logout();
        run Request();
        run Poll(0);
#if !defined(BEAT) && !defined(ASYNC)
        run Poll(1);         /* left out there: too many states */
#endif
#ifdef BEAT
        run Beat();
#endif
        run Clock()
    }
}
