/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc and its kin in front of glibc's. A block is marked as one that may be refused by a table of
 * addresses, so that a free by anybody is booked on whom it was given to.
 */
#include "allocations.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { ranges_max = 16, table_size = 1 << 16 };

static struct {
    uintptr_t from[ranges_max];
    uintptr_t to[ranges_max];
    unsigned n;
} foreign; /* code that is never refused */

static atomic_bool opened;
static atomic_llong made;
static atomic_llong made_by_others;
static atomic_llong held;
static atomic_llong left; /* calls until one is refused */
static atomic_bool refused;

static bool is_foreign(const char *name)
{
    static const char *const names[] = {"fftw",   "blas",     "lapack", "gfortran",
                                        "cmocka", "ld-linux", "libc.so"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strstr(name, names[i])) {
            return true;
        }
    }
    return false;
}

static int note(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    for (int i = 0; is_foreign(info->dlpi_name) && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && foreign.n < ranges_max) {
            foreign.from[foreign.n] = info->dlpi_addr + p->p_vaddr;
            foreign.to[foreign.n++] = info->dlpi_addr + p->p_vaddr + p->p_memsz;
        }
    }
    return 0;
}

bool allocations_work(void)
{
    return !SANITIZED;
}

void allocations_open(void)
{
    (void)dl_iterate_phdr(note, NULL);
    atomic_store(&opened, true);
}

int64_t allocations_made(void)
{
    return atomic_load(&made);
}

int64_t allocations_made_by_others(void)
{
    return atomic_load(&made_by_others);
}

int64_t allocations_held(void)
{
    return atomic_load(&held);
}

void allocations_refuse(int64_t k)
{
    atomic_store(&refused, false);
    atomic_store(&left, k);
}

bool allocations_refused(void)
{
    return atomic_load(&refused);
}

#if !SANITIZED

static atomic_uintptr_t blocks[table_size]; /* addresses of blocks that count as held; 0: free, 1: was used */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t n);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
extern void __libc_free(void *p);

static size_t place_of(uintptr_t at)
{
    return (size_t)((at >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 48) % table_size;
}

static void book(const void *p)
{
    uintptr_t at = (uintptr_t)p;
    for (size_t i = place_of(at), tries = 0; p && tries < table_size; i = (i + 1) % table_size, tries++) {
        uintptr_t was = atomic_load(&blocks[i]);
        if (was <= 1 && atomic_compare_exchange_strong(&blocks[i], &was, at)) {
            atomic_fetch_add(&held, 1);
            return;
        }
    }
}

static void unbook(const void *p)
{
    uintptr_t at = (uintptr_t)p;
    for (size_t i = place_of(at), tries = 0; p && tries < table_size; i = (i + 1) % table_size, tries++) {
        uintptr_t was = atomic_load(&blocks[i]);
        if (was == 0) {
            return;
        }
        if (was == at) {
            atomic_store(&blocks[i], 1);
            atomic_fetch_sub(&held, 1);
            return;
        }
    }
}

/* Counts one call; may it be refused? */
static bool is_own(const void *caller)
{
    bool own = atomic_load(&opened);
    for (unsigned i = 0; own && i < foreign.n; i++) {
        own = (uintptr_t)caller < foreign.from[i] || (uintptr_t)caller >= foreign.to[i];
    }
    atomic_fetch_add(own ? &made : &made_by_others, 1);
    return own;
}

/* Is it this one's turn to get nothing? */
static bool is_refused(void)
{
    if (atomic_load(&left) <= 0 || atomic_fetch_sub(&left, 1) != 1) {
        return false;
    }
    atomic_store(&refused, true);
    errno = ENOMEM;
    return true;
}

static void *give(void *p, bool own)
{
    if (own) {
        book(p);
    }
    return p;
}

void *malloc(size_t n)
{
    bool own = is_own(__builtin_return_address(0));
    return own && is_refused() ? NULL : give(__libc_malloc(n), own);
}

void *calloc(size_t count, size_t n)
{
    bool own = is_own(__builtin_return_address(0));
    return own && is_refused() ? NULL : give(__libc_calloc(count, n), own);
}

void *realloc(void *p, size_t n)
{
    bool own = is_own(__builtin_return_address(0));
    if (own && is_refused()) {
        return NULL;
    }
    void *to = __libc_realloc(p, n);
    if (to) {
        unbook(p);
        return give(to, own);
    }
    return NULL;
}

void *memalign(size_t align, size_t n)
{
    bool own = is_own(__builtin_return_address(0));
    return own && is_refused() ? NULL : give(__libc_memalign(align, n), own);
}

void *aligned_alloc(size_t align, size_t n)
{
    bool own = is_own(__builtin_return_address(0));
    return own && is_refused() ? NULL : give(__libc_memalign(align, n), own);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    bool own = is_own(__builtin_return_address(0));
    void *p = own && is_refused() ? NULL : give(__libc_memalign(align, n), own);
    if (!p) {
        return ENOMEM;
    }
    *out = p;
    return 0;
}

void free(void *p)
{
    unbook(p);
    __libc_free(p);
}

#endif
