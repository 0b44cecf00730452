/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most half full. FNV-1a, its bits mixed as splitmix64 ends. */
#include "keys.h"

#include <stdlib.h>

static uint64_t hash(const char *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *key; key++) {
        h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    }
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    h ^= h >> 31;
    return h ? h : 1;
}

/* The slot of the hash, or the empty one where it would go. */
static uint64_t *find(uint64_t *slots, size_t cap, uint64_t h)
{
    size_t at = (size_t)h & (cap - 1);
    while (slots[at] != 0 && slots[at] != h) {
        at = (at + 1) & (cap - 1);
    }
    return &slots[at];
}

static int grow(struct tare_keys *keys, struct tare_err *err)
{
    size_t cap = keys->cap ? 2 * keys->cap : 64;
    uint64_t *slots = calloc(cap, sizeof *slots);
    if (!slots) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %zu keys", keys->n);
    }
    for (size_t i = 0; i < keys->cap; i++) {
        if (keys->slots[i]) {
            *find(slots, cap, keys->slots[i]) = keys->slots[i];
        }
    }
    free(keys->slots);
    keys->slots = slots;
    keys->cap = cap;
    return 0;
}

int tare_keys_add(struct tare_keys *keys, const char *key, struct tare_err *err)
{
    uint64_t h = hash(key);
    int r = 2 * (keys->n + 1) > keys->cap ? grow(keys, err) : 0;
    if (r < 0) {
        return r;
    }
    uint64_t *slot = find(keys->slots, keys->cap, h);
    if (*slot == h) {
        return 0;
    }
    *slot = h;
    keys->n++;
    return 1;
}
