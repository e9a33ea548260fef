/*
 * threads.h: threads that stand beside the server's and take no signals.
 */
#ifndef THREADS_H
#define THREADS_H

#include <pthread.h>

#include "igw.h"

enum igw_result threads_start(pthread_t *thread, void *(*run)(void *),
                              void *arg) IGW_MUST_CHECK;

#endif
