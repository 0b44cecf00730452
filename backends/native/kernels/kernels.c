/* SPDX-License-Identifier: Apache-2.0 */
/* Which set of kernels this machine gets. */
#include "kernels.h"

#include <stdatomic.h>
#include <string.h>

/* Room for float32 numbers, or for three digits of each, their sums by groups of 32, and a head. */
size_t tare_kernels_prepared_bytes(uint32_t cols)
{
    return (((size_t)cols + 63) / 64 + 2) * 64 * sizeof(float);
}

typedef const struct tare_kernels *set_of_this_machine(void);

/* From the fastest to the slowest. */
static set_of_this_machine *const sets[] = {tare_kernels_avx512, tare_kernels_avx2};

enum { n_sets = sizeof sets / sizeof sets[0] };

const struct tare_kernels *tare_kernels_find(const char *name)
{
    for (int i = 0; i < n_sets; i++) {
        const struct tare_kernels *set = sets[i]();
        if (set && strcmp(set->name, name) == 0) {
            return set;
        }
    }
    return strcmp(name, tare_kernels_portable.name) == 0 ? &tare_kernels_portable : NULL;
}

static const struct tare_kernels *find_best(void)
{
    for (int i = 0; i < n_sets; i++) {
        const struct tare_kernels *set = sets[i]();
        if (set) {
            return set;
        }
    }
    return &tare_kernels_portable;
}

/* Asked for at every row: the answer is kept. Threads that ask at once get the same. */
const struct tare_kernels *tare_kernels_best(void)
{
    static _Atomic(const struct tare_kernels *) best;
    const struct tare_kernels *known = atomic_load_explicit(&best, memory_order_relaxed);
    if (!known) {
        known = find_best();
        atomic_store_explicit(&best, known, memory_order_relaxed);
    }
    return known;
}
