/* A supervised fastText model as it lies in its file: nothing of the file is copied, all of it is checked. */
#ifndef TILTH_FASTTEXT_H
#define TILTH_FASTTEXT_H

#include "kernels.h"

typedef float Loose __attribute__((aligned(1))); /* a float wherever the file has it */

enum { HIERARCHICAL = 1, NEGATIVE, SOFTMAX, ONE_VS_ALL }; /* losses, by fastText's numbers */
enum { LANES = 16 };                                      /* labels whose scores are summed side by side */
enum { LONGEST_GRAM = 64 };                               /* characters or words of an n-gram; who trains takes 5 */

/* Rows of floats; quantised ones as codes of their parts, and of their norms where these were quantised apart. */
typedef struct {
    int64_t rows, cols;
    const Loose *floats; /* NULL: quantised */
    const uint8_t *codes, *norm_codes;
    const Loose *centroids, *norms;
    int32_t parts, width, last_width; /* parts of a row, columns of one, columns of the last */
} Matrix;

typedef struct {
    const uint8_t *text;
    uint32_t length, hash;
} Entry;

typedef struct {
    int32_t left, right; /* -1: a label */
} Branch;

typedef struct {
    Py_buffer file;
    int32_t dim, word_ngrams, loss, bucket, minn, maxn;
    int32_t words, labels; /* entries: the words, then the labels */
    Entry *entries;
    int32_t *slots; /* entry of a hash, -1: none */
    uint32_t slot_mask;
    int64_t kept;               /* -1: every bucket has a row; else the number of those that do */
    int32_t (*kept_slots)[2];   /* bucket, row behind the words'; bucket -1: none */
    uint64_t *sieve;            /* a bit for the low bits of every bucket kept */
    uint32_t kept_mask, sieve_mask;
    uint64_t inverse;           /* of `bucket`, for `remainder_of` */
    Matrix input, output;
    float *lanes;               /* the output's rows, LANES of them interleaved; not for HIERARCHICAL */
    Branch *tree;               /* HIERARCHICAL: labels first, the root last */
    float sigmoids[513];
} Model;

#define FASTTEXT "tilth.filters._kernels.fasttext" /* the capsule's name */

/* fastText's FNV-1a: bytes are sign-extended, as its first models had them. */
#define HASH_BEGIN 2166136261u
static inline uint32_t hash_on(uint32_t hash, uint8_t byte) { return (hash ^ (uint32_t)(int32_t)(int8_t)byte) * 16777619u; }

/* hash % bucket, by two multiplications (Lemire, Kaser and Kurz 2019, Faster remainder by direct computation). */
static inline int32_t remainder_of(const Model *model, uint32_t hash)
{
    return (int32_t)((unsigned __int128)(model->inverse * hash) * (uint32_t)model->bucket >> 64);
}

static inline bool is_text(const uint8_t *text, size_t length, const char *other)
{
    return length == strlen(other) && !memcmp(text, other, length);
}

/* The columns of one part of a quantised row. */
static inline const Loose *centroid(const Matrix *matrix, int32_t part, uint8_t code)
{
    int64_t width = part == matrix->parts - 1 ? matrix->last_width : matrix->width;
    return matrix->centroids + (int64_t)part * 256 * matrix->width + code * width;
}

static inline float norm_of(const Matrix *matrix, int64_t row)
{
    return matrix->norm_codes ? matrix->norms[matrix->norm_codes[row]] : 1;
}

PyObject *fasttext_model(PyObject *self, PyObject *args);

#endif
