/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the environment: what is not one line of one file. Each function emits its keys. */
#ifndef TARE_CORE_ENVIRONMENT_SCAN_H
#define TARE_CORE_ENVIRONMENT_SCAN_H

#include "core/environment.h"

struct tare_walker {
    const struct tare_environment_roots *roots;
    tare_environment_fn fn;
    void *ctx;
    struct tare_err *err;
};

/* value "" or NULL: absent with `absent`. */
TARE_MUST_CHECK int tare_walker_emit(struct tare_walker *w, const char *key, const char *value,
                                     const char *absent);
/* The value as "sha256:" and the first 16 digits of its hash. */
TARE_MUST_CHECK int tare_walker_emit_hashed(struct tare_walker *w, const char *key, const char *value,
                                            const char *absent);
/* A file's begin without the newline behind it; false and "" if it cannot be read or is empty. */
bool tare_walker_text(const char *root, const char *path, char *text, size_t n_text);

/* environment_scan.c: folders of /sys and /proc. */
TARE_MUST_CHECK int tare_walk_topology(struct tare_walker *w); /* sockets, cores, caches, governors */
TARE_MUST_CHECK int tare_walk_governors(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_throttling(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_temperature(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_mitigations(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_power_caps(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_network(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_irqbalance(struct tare_walker *w);

/* environment_self.c: this process, its place, and who the machine is. */
TARE_MUST_CHECK int tare_walk_affinity(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_time(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_disk(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_cgroup(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_container(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_hypervisor(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_isa(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_identity(struct tare_walker *w);
TARE_MUST_CHECK int tare_walk_cmdline(struct tare_walker *w);

#endif
