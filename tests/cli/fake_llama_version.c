/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded in front of libllama (LD_PRELOAD), it makes the library say that it is of another version. */
const char *llama_version(void);

__attribute__((visibility("default"))) const char *llama_version(void)
{
    return "9.9.9-other";
}
