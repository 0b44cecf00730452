/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template cannot say: code that turns a raw record into the document that templates see.
 *
 * A hook is pure: the same record gives the same documents. It may give none (the record is dropped) or
 * several (a file of articles with questions). One file a hook, one line in meson.build. Private to
 * datasets/.
 */
#ifndef TARE_DATASETS_STANDARD_HOOKS_H
#define TARE_DATASETS_STANDARD_HOOKS_H

#include <tare/json.h>
#include <tare/task.h>

/* Where a hook hands its documents; it owns the document after the call, whatever is returned. */
struct tare_documents_sink {
    int (*put)(struct tare_documents_sink *sink, struct tare_json *document, struct tare_err *err);
};

struct tare_hook {
    const char *name;
    const char *summary;
    /* record NULL: the file has ended; for hooks that gather several records into one document. */
    int (*record)(void *state, const struct tare_json *record, struct tare_documents_sink *to,
                  struct tare_err *err);
    size_t state_size; /* zero-filled before the first record */
    void (*close)(void *state);
};

/* NULL for an unknown name. */
const struct tare_hook *tare_hook_find(const char *name);

#endif
