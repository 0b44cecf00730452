/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that libllama says it took, out of its log: it has no call for it. A line reads
 * "load_tensors:   CPU_Mapped model buffer size =    85.90 MiB". Sizes are rounded to 0.01 MiB there.
 */
#ifndef TARE_LLAMACPP_MEMORY_H
#define TARE_LLAMACPP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum tare_llamacpp_buffer {
    TARE_LLAMACPP_WEIGHTS,   /* "model buffer" in the file's own layout, mapped or read */
    TARE_LLAMACPP_REPACKED,  /* "model buffer" that is another layout of weights (CPU_REPACK) */
    TARE_LLAMACPP_KV,        /* "KV buffer": keys and values */
    TARE_LLAMACPP_RECURRENT, /* "RS buffer": states that do not grow */
    TARE_LLAMACPP_COMPUTE,   /* "compute buffer": activations */
    TARE_LLAMACPP_LORA,      /* "LoRA buffer" */
    TARE_LLAMACPP_BUFFERS
};

enum { tare_llamacpp_max_compute = 16 };

struct tare_llamacpp_memory {
    double bytes[TARE_LLAMACPP_BUFFERS]; /* sum over devices */
    int lines[TARE_LLAMACPP_BUFFERS];    /* how many said so; 0: not known */
    /* A compute buffer is announced again when it is made anew: the last word of each device counts. */
    struct {
        char device[32];
        double bytes;
    } compute[tare_llamacpp_max_compute];
    int n_compute;
};

/* Takes a line of the log; one that says nothing of buffers changes nothing. */
void tare_llamacpp_memory_line(struct tare_llamacpp_memory *memory, const char *line);

#endif
