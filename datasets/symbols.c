/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols in letters; see symbols.h. What they stand for is the tasks' business. */
#include "symbols.h"

enum { BASE = 52 };

/* Writes the space and the letters; their number of bytes. */
static size_t write_symbol(char out[TARE_SYMBOL_BYTES], uint64_t id, uint64_t n)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t letters = 1;
    for (uint64_t reach = BASE; reach < n && letters < TARE_SYMBOL_BYTES - 1; reach *= BASE) {
        letters++;
    }
    out[0] = ' ';
    for (size_t i = letters; i > 0; i--) {
        out[i] = digits[id % BASE];
        id /= BASE;
    }
    return letters + 1;
}

void tare_symbol_put(struct tare_draft *draft, uint64_t id, uint64_t n)
{
    char bytes[TARE_SYMBOL_BYTES];
    tare_draft_put(draft, bytes, write_symbol(bytes, id, n));
}

void tare_symbol_grade(struct tare_draft *draft, uint64_t id, uint64_t n)
{
    char bytes[TARE_SYMBOL_BYTES];
    tare_draft_grade(draft, bytes, write_symbol(bytes, id, n));
}
