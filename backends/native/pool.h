/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one pool of threads of the engine.
 *
 * Created once at load. Work is cut into as many parts as there are threads; the caller does part 0. The
 * others wait a moment spinning, then asleep, so that an idle pool takes no processor time. BLAS is kept
 * to one thread and called from these.
 */
#ifndef TARE_NATIVE_POOL_H
#define TARE_NATIVE_POOL_H

#include <stdint.h>
#include <tare/err.h>

struct tare_pool;

typedef void tare_pool_work(void *ctx, uint32_t part, uint32_t n_parts);

TARE_MUST_CHECK int tare_pool_create(struct tare_pool **out, uint32_t threads, struct tare_err *err);
/* Joins all threads; NULL is fine. */
void tare_pool_destroy(struct tare_pool *pool);
uint32_t tare_pool_threads(const struct tare_pool *pool);
/* Returns when every part is done. Not to be called from inside a part. */
void tare_pool_run(struct tare_pool *pool, tare_pool_work *work, void *ctx);

/* The share of part `part`: [*from, *to) of n, cut at multiples of `grain`. */
void tare_pool_share(uint32_t n, uint32_t grain, uint32_t part, uint32_t n_parts, uint32_t *from,
                     uint32_t *to);

#endif
