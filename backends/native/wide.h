/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TARE_WIDE marks a static function of plain loops that is compiled twice, the second time for registers
 * of 8 float32; the dynamic linker picks one. Contraction of a * b + c stays off under -std=c11, so both
 * give the same bits. Sanitizers and the resolver do not go together. Only static functions take it: the
 * compiler would export the resolver of a hidden one.
 */
#ifndef TARE_NATIVE_WIDE_H
#define TARE_NATIVE_WIDE_H

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__OPTIMIZE__)
#define TARE_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define TARE_WIDE
#endif

#endif
