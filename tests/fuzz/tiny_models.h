/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Valid model files of every architecture in every storage that a file can have, 32 wide, made in memory.
 *
 * Weights are from a fixed sequence and say nothing sensible. Vocabulary 256, context 16.
 */
#ifndef TARE_TESTS_TINY_MODELS_H
#define TARE_TESTS_TINY_MODELS_H

#include "fuzz.h"

enum { tiny_archs = 6, tiny_storages = 7 };

/* free() data. `storage` is for all matrices that can have it; the embedding is never of low rank. */
struct fuzz_seed tiny_model(unsigned arch, unsigned storage);
/* A tokenizer of 256 ids that these models are made for, as text. */
extern const char tiny_tokenizer[];

#endif
