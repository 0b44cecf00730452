/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator of a test program, taken over: counts what is asked for, and refuses when told to.
 *
 * Works where malloc may be replaced by the program's own, which calls glibc's. Under a sanitizer, which has
 * replaced it already, nothing is counted or refused; `allocations_work` says so. Calls are told apart by
 * where they come from: the project's own and cJSON's, and those of others: libc, BLAS and FFTW, which are
 * never refused, as the last two would end the program.
 */
#ifndef TARE_TEST_NATIVE_ALLOCATIONS_H
#define TARE_TEST_NATIVE_ALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

bool allocations_work(void);
/* Takes note of who the others are; once, before anything is asked for. */
void allocations_open(void);

/* The project's calls for memory, of all threads, since `open`; and those of others. */
int64_t allocations_made(void);
int64_t allocations_made_by_others(void);
/* Blocks out of the project's calls that have not been freed. */
int64_t allocations_held(void);

/* Refuses the project's k-th call from now on, from 1; 0: none. */
void allocations_refuse(int64_t k);
/* Has it been refused? */
bool allocations_refused(void);

#endif
