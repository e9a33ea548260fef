/*
 * turns.c: see turns.h.
 */
#include "turns.h"

static void
init_line(struct igw_line *line, int64_t max)
{
    *line = (struct igw_line){ .last = &line->first, .max = max };
}

void
igw_turns_init(struct igw_turns *turns, int64_t max, int64_t quick_max,
               int64_t slow_max)
{
    (void)pthread_mutex_init(&turns->lock, NULL);
    turns->taken = 0;
    turns->max = max;
    init_line(&turns->quick, quick_max);
    init_line(&turns->slow, slow_max);
}

void
igw_turns_clear(struct igw_turns *turns)
{
    (void)pthread_mutex_destroy(&turns->lock);
}

/* False: the line is full. */
static bool
put(struct igw_line *line, struct igw_turn *turn)
{
    if (line->count >= line->max) {
        line->refused++;
        return false;
    }
    turn->next = NULL;
    *line->last = turn;
    line->last = &turn->next;
    line->count++;
    return true;
}

static struct igw_turn *
get(struct igw_line *line)
{
    struct igw_turn *turn = line->first;

    if (turn != NULL) {
        line->first = turn->next;
        line->count--;
    }
    if (line->first == NULL) {
        line->last = &line->first;
    }
    return turn;
}

enum igw_turns_verdict
igw_turns_take(struct igw_turns *turns, struct igw_turn *turn, bool is_slow)
{
    enum igw_turns_verdict verdict = IGW_TURNS_LATER;

    (void)pthread_mutex_lock(&turns->lock);
    if (turns->taken < turns->max) {
        turns->taken++;
        verdict = IGW_TURNS_NOW;
    } else if (!put(is_slow ? &turns->slow : &turns->quick, turn)) {
        verdict = IGW_TURNS_FULL;
    }
    (void)pthread_mutex_unlock(&turns->lock);
    return verdict;
}

struct igw_turn *
igw_turns_pass(struct igw_turns *turns)
{
    struct igw_turn *turn;

    (void)pthread_mutex_lock(&turns->lock);
    turn = get(&turns->quick);
    if (turn == NULL) {
        turn = get(&turns->slow);
    }
    if (turn == NULL) {
        turns->taken--;
    }
    (void)pthread_mutex_unlock(&turns->lock);
    return turn;
}

static struct igw_line_count
count_of(const struct igw_line *line, const char *name)
{
    return (struct igw_line_count){ name, line->count, line->max,
                                    line->refused };
}

void
igw_turns_count(struct igw_turns *turns,
                struct igw_line_count counts[IGW_LINES])
{
    (void)pthread_mutex_lock(&turns->lock);
    counts[0] = count_of(&turns->quick, "quick");
    counts[1] = count_of(&turns->slow, "slow");
    (void)pthread_mutex_unlock(&turns->lock);
}
