/*
 * turns.h: requests of which only some may be under way at once; the others
 * wait in line, without a thread. There are two lines: whoever is in the slow
 * one goes when the other is empty.
 */
#ifndef IGW_TURNS_H
#define IGW_TURNS_H

#include <pthread.h>

#include "igw.h"

/* A part of what waits; in one line at a time. */
struct igw_turn {
    struct igw_turn *next;
};

struct igw_line {
    struct igw_turn *first;
    struct igw_turn **last;
    int64_t count;
    int64_t max;
    int64_t refused; /* since the start */
};

struct igw_turns {
    pthread_mutex_t lock;
    int64_t taken; /* by threads that work on one */
    int64_t max;
    struct igw_line quick;
    struct igw_line slow;
};

enum igw_turns_verdict {
    IGW_TURNS_NOW,   /* the caller has the turn until igw_turns_pass */
    IGW_TURNS_LATER, /* it waits; somebody else may have it already */
    IGW_TURNS_FULL
};

void igw_turns_init(struct igw_turns *turns, int64_t max, int64_t quick_max,
                    int64_t slow_max);
void igw_turns_clear(struct igw_turns *turns);

enum igw_turns_verdict igw_turns_take(struct igw_turns *turns,
                                      struct igw_turn *turn,
                                      bool is_slow) IGW_MUST_CHECK;

/*
 * The caller's turn is over. It has the next one at once: of what is returned;
 * NULL: nobody waits, and the caller has none.
 */
struct igw_turn *igw_turns_pass(struct igw_turns *turns) IGW_MUST_CHECK;

struct igw_line_count {
    const char *name;
    int64_t waiting;
    int64_t max;
    int64_t refused; /* since the start */
};

enum { IGW_LINES = 2 };

void igw_turns_count(struct igw_turns *turns,
                     struct igw_line_count counts[IGW_LINES]);

#endif
