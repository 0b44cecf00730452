/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded perturbations of a text, to see whether a model's answers survive them.
 *
 * Pure functions: text, kind, rate and stream decide the result, byte for byte the same with every compiler.
 * A word is the longest run of ASCII letters, digits, apostrophes and bytes above 127; one that is not
 * letters alone is left as it is, so that UTF-8 stays UTF-8. What is neither word nor perturbed space is
 * copied.
 *
 * These are not TextFooler's substitutions and no attack: nothing asks a model, no embedding or part of
 * speech picks a synonym, and the list of synonyms is ours and small. Figures made with them compare with no
 * published robustness figure.
 */
#ifndef TARE_DATASETS_PERTURB_H
#define TARE_DATASETS_PERTURB_H

#include <tare/task.h>

/*
 * What happens to a unit that the rate takes. Units are words of at least 4 letters, but with CASE of 1, with
 * SYNONYM the words of the list, with SPACE single spaces between two words.
 */
enum tare_perturb_kind {
    TARE_PERTURB_SWAP,     /* two neighbouring, different letters behind the first change places */
    TARE_PERTURB_DELETE,   /* a letter behind the first is dropped */
    TARE_PERTURB_INSERT,   /* a lower-case letter is put in behind a letter that is not the last */
    TARE_PERTURB_KEYBOARD, /* a letter behind the first becomes a neighbour on a QWERTY keyboard, in its case
                            */
    TARE_PERTURB_CASE,     /* a letter changes its case */
    TARE_PERTURB_SPACE,    /* a space is dropped or doubled, as likely */
    TARE_PERTURB_SYNONYM,  /* a listed word becomes another of its group, capitalised as it was */
    TARE_PERTURB_KINDS
};

/* "swap", "delete", ...; NULL for what is no kind. */
const char *tare_perturb_name(enum tare_perturb_kind kind);

/*
 * Perturbs each unit with probability `rate` (0 .. 1), by draws from *rng in the order of the text: one for
 * each unit and, if it is taken, those of its change. A word that a kind cannot change ("zzzz" has no letters
 * to swap) stays. Gives *out, to be freed, of *out_n bytes with a NUL behind them; *changed, which may be
 * NULL, is how many units differ.
 */
int tare_perturb(enum tare_perturb_kind kind, struct tare_bytes in, double rate, struct tare_rng *rng,
                 char **out, size_t *out_n, size_t *changed, struct tare_err *err);

/* The group of a lower-case word, itself included, and the size of it; NULL if it is not listed. */
const char *const *tare_perturb_synonyms(const char *word, size_t n, size_t *out_n);

#endif
