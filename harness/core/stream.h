/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The results stream: frames from a worker to its supervisor over a pipe.
 *
 * Both ends are the same executable, so records travel as they lie in memory; the first frame carries
 * a version to be sure. The writing end (outbox) never blocks inside a request: records are copied
 * into memory taken beforehand and leave between requests, when the pipe has room. The reading end
 * trusts no length.
 */
#ifndef TARE_CORE_STREAM_H
#define TARE_CORE_STREAM_H

#include "base/buf.h"
#include "base/record.h"

enum tare_frame_type {
    TARE_FRAME_HELLO = 1,
    TARE_FRAME_ITEMS,   /* int64: how many items the task has */
    TARE_FRAME_FACTS,   /* JSON text: the model's facts */
    TARE_FRAME_PHASE,   /* struct tare_phase_frame */
    TARE_FRAME_READING, /* value, u, gain, then nine NUL-terminated strings */
    TARE_FRAME_SAMPLE,  /* struct tare_sample and its tails */
    TARE_FRAME_END,     /* struct tare_end_frame: nothing follows */
    TARE_FRAME_SCORES,  /* int64: the item; then one double for each column of the task */
    TARE_FRAME_PROMPTS  /* 64 hexadecimal digits: the hash of all that is asked (core/pack_item.h) */
};

struct tare_phase_frame {
    int32_t phase;
    int64_t begin_ns;
    int64_t end_ns; /* TARE_ABSENT at the begin */
};

struct tare_end_frame {
    int32_t code; /* 0 or a tare error code */
    char message[512];
};

/* Writing end. */
struct tare_outbox {
    int fd;
    char *data;
    size_t cap, used, sent;
    int64_t last_flush_ns;
    int64_t stalls; /* times the measured path had to wait for the supervisor */
    int64_t stall_ns;
    bool broken; /* the supervisor is gone */
};

TARE_MUST_CHECK int tare_outbox_init(struct tare_outbox *box, int fd, struct tare_err *err);
void tare_outbox_fini(struct tare_outbox *box);
/* Appends a frame made of up to two pieces; waits for the supervisor only if the memory is full. */
void tare_outbox_put(struct tare_outbox *box, enum tare_frame_type type, const void *a, size_t n_a,
                     const void *b, size_t n_b);
void tare_outbox_put_sample(struct tare_outbox *box, const struct tare_sample *sample);
void tare_outbox_put_reading(struct tare_outbox *box, const struct tare_reading_record *reading);
/* Between requests: writes what is due (32 KiB, or 100 ms old) as far as the pipe takes it now. */
void tare_outbox_pump(struct tare_outbox *box, int64_t now_ns);
/* Waits until everything has left. */
void tare_outbox_flush(struct tare_outbox *box);

/* Reading end: what the frames turn into. A negative return stops the reading. */
struct tare_inbox_ops {
    int (*items)(void *ctx, int64_t n, struct tare_err *err);
    int (*facts)(void *ctx, const char *json, struct tare_err *err);
    int (*phase)(void *ctx, const struct tare_phase_frame *phase, struct tare_err *err);
    int (*reading)(void *ctx, const struct tare_reading_record *reading, struct tare_err *err);
    int (*sample)(void *ctx, const struct tare_sample *sample, struct tare_err *err);
    int (*end)(void *ctx, const struct tare_end_frame *end, struct tare_err *err);
    int (*scores)(void *ctx, int64_t item, const double *values, size_t n, struct tare_err *err);
    int (*prompts)(void *ctx, const char *sha256, struct tare_err *err);
};

struct tare_inbox {
    struct tare_buf buf;
    bool greeted;
    bool ended;
};

void tare_inbox_init(struct tare_inbox *box);
void tare_inbox_fini(struct tare_inbox *box);
/* Reads once from fd: 1 for data, 0 for the end of the stream, negative on an error or a bad frame. */
TARE_MUST_CHECK int tare_inbox_read(struct tare_inbox *box, int fd, const struct tare_inbox_ops *ops,
                                    void *ctx, struct tare_err *err);
/* Decodes complete frames out of data; what is left incomplete is kept. For tests and tare_inbox_read. */
TARE_MUST_CHECK int tare_inbox_feed(struct tare_inbox *box, const void *data, size_t n,
                                    const struct tare_inbox_ops *ops, void *ctx, struct tare_err *err);

#endif
