/* SPDX-License-Identifier: Apache-2.0 */
/* Four bytes a step: table[k][b] is what the byte b does to the sum when k bytes follow it. */
#include "crc32.h"

void tare_crc32_init(struct tare_crc32 *crc)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++) {
            sum = (sum >> 1) ^ (UINT32_C(0xedb88320) & (0 - (sum & 1)));
        }
        crc->table[0][byte] = sum;
    }
    for (size_t k = 1; k < 4; k++) {
        for (size_t byte = 0; byte < 256; byte++) {
            uint32_t before = crc->table[k - 1][byte];
            crc->table[k][byte] = (before >> 8) ^ crc->table[0][before & 0xff];
        }
    }
    crc->sum = 0;
}

void tare_crc32_add(struct tare_crc32 *crc, const void *data, size_t n)
{
    const unsigned char *at = data;
    uint32_t sum = ~crc->sum;
    for (; n >= 4; n -= 4, at += 4) {
        sum ^= (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        sum = crc->table[3][sum & 0xff] ^ crc->table[2][(sum >> 8) & 0xff] ^
              crc->table[1][(sum >> 16) & 0xff] ^ crc->table[0][sum >> 24];
    }
    for (; n > 0; n--, at++) {
        sum = (sum >> 8) ^ crc->table[0][(sum ^ *at) & 0xff];
    }
    crc->sum = ~sum;
}
