/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two LAPACK routines that are used, as OpenBLAS has them: Fortran calls, matrices by columns, every
 * argument by address. OpenBLAS comes without the C interface of LAPACK on some systems.
 */
#ifndef TARE_NATIVE_LAPACK_H
#define TARE_NATIVE_LAPACK_H

/* Singular values and vectors, by divide and conquer. jobz "S": the leading min(m, n) vectors; lwork -1:
 * writes the best size of work to work[0]; info 0: done. */
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork,
             int *info);
/* Cholesky factor of a symmetric matrix in place; info > 0: it is not positive definite. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);

#endif
