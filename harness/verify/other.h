/* SPDX-License-Identifier: Apache-2.0 */
/* Another backend, or the same with another option, asked beside the one that is looked at. Only one of the
 * two is loaded at a time. */
#ifndef TARE_VERIFY_OTHER_H
#define TARE_VERIFY_OTHER_H

#include "verify/verify.h"

/* The spec with one option of the backend set to a number; free() it. */
TARE_MUST_CHECK int tare_verify_spec_with(const char *spec, const char *option, int64_t value, char **out,
                                          struct tare_err *err);
/* Asks one request after the other of a process made for it with this spec. 1: it failed, and out[] says how.
 */
TARE_MUST_CHECK int tare_verify_other_ask(struct tare_verify *v, const char *spec,
                                          const struct tare_wire_ask *asks, uint32_t n,
                                          struct tare_wire_answer *answers, char *why, size_t n_why,
                                          struct tare_err *err);
/* What that process is, and its tokens of a text: n 0 if it has no tokenizer. 1: told in `why`. */
TARE_MUST_CHECK int tare_verify_other_tokenize(struct tare_verify *v, const char *spec, const char *text,
                                               size_t n, struct tare_wire_hello *hello,
                                               struct tare_wire_tokens *out, char *why, size_t n_why,
                                               struct tare_err *err);
/* Has the loaded backend an option of that name? */
bool tare_verify_has_option(const struct tare_verify *v, const char *name);

#endif
