/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key: read once, kept in a page of its own that no core dump has, wiped at the end. It is in no option,
 * so it is in no plan, record or output. What this cannot reach is listed in docs/backends/openai.md.
 */
#ifndef OPENAI_KEY_H
#define OPENAI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>

struct key {
    char *page; /* "Authorization: Bearer ..."; NULL: there is no key */
    size_t page_bytes;
    const char *secret; /* in the page */
    size_t n_secret;
};

/* From the file, else from the environment variable, which is wiped in this process. Neither: no key. From
 * then on this process leaves no core. */
TARE_MUST_CHECK int key_load(struct key *key, const char *file, const char *variable, struct tare_err *err);
void key_wipe(struct key *key);
/* Overwrites the key wherever it stands in text[0 .. n). */
void key_redact(const struct key *key, char *text, size_t n);

#endif
