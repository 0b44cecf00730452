/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol version 1 (docs/process-protocol.md): requests as text, answers as checked values. Moves no byte.
 */
#ifndef TARE_PROCESS_MESSAGES_H
#define TARE_PROCESS_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <tare/backend.h>
#include <tare/json.h>

enum { TARE_PROCESS_PROTOCOL = 1, TARE_MESSAGE_BYTES = 320 };

enum tare_reply_kind { TARE_REPLY_OK = 1, TARE_REPLY_TOKEN, TARE_REPLY_LOGITS, TARE_REPLY_ERROR };

/* One line of the program. */
struct tare_reply {
    enum tare_reply_kind kind;
    struct tare_json *json; /* the whole of it; tare_reply_fini frees it */
    int64_t seq;
    size_t n_blob; /* bytes behind the line */
    int64_t token; /* TOKEN: the id, and its stamp */
    int64_t at_ns;
    int64_t position; /* LOGITS: of the first row, and how many */
    int64_t rows;
    int code; /* ERROR: of tare/err.h */
    const char *text;
};

/* Fails with TARE_E_FORMAT for a line that this version does not allow. */
TARE_MUST_CHECK int tare_reply_parse(const char *line, size_t n, struct tare_reply *out,
                                     struct tare_err *err);
void tare_reply_fini(struct tare_reply *reply);
/* An integer of the answer. */
TARE_MUST_CHECK int tare_reply_count(const struct tare_reply *reply, const char *key, int64_t max,
                                     int64_t *out, struct tare_err *err);

/* "tokenize" and the like of a request that needs no more; the line with its end. Returns its length. */
size_t tare_message_simple(char out[TARE_MESSAGE_BYTES], const char *op, int64_t seq, size_t n_blob);
/* SCORE, GENERATE or LOGITS; the ids follow as a blob. */
size_t tare_message_request(char out[TARE_MESSAGE_BYTES], int64_t seq, const struct tare_request *q);
size_t tare_message_readings(char out[TARE_MESSAGE_BYTES], int64_t seq, int measured);
/* Free() it. Settings are "key=value" words. */
TARE_MUST_CHECK int tare_message_load(int64_t seq, const struct tare_load *load, char *const *settings,
                                      char **out, struct tare_err *err);

/* What an answer says, each part checked. Capabilities: unknown ones are left out. */
uint32_t tare_reply_capabilities(const struct tare_reply *reply);
TARE_MUST_CHECK int tare_reply_facts(const struct tare_reply *reply, struct tare_model_facts *out,
                                     struct tare_err *err);
/* "key=value" with blanks between, cut where it does not fit. */
void tare_reply_settings(const struct tare_reply *reply, char *out, size_t n);
/* Adds each sound reading; one that is not sound is added as absent and says so. */
void tare_reply_readings(const struct tare_reply *reply, struct tare_readings *to);

#endif
