/* SPDX-License-Identifier: Apache-2.0 */
/* The CRC-32 of gzip and zip: polynomial 0xedb88320, reflected, initial value and final XOR all ones. */
#ifndef TARE_DATASETS_READERS_CRC32_H
#define TARE_DATASETS_READERS_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* For one stream of bytes at a time. */
struct tare_crc32 {
    uint32_t table[4][256];
    uint32_t sum; /* of all bytes added */
};

void tare_crc32_init(struct tare_crc32 *crc);
void tare_crc32_add(struct tare_crc32 *crc, const void *data, size_t n);

#endif
