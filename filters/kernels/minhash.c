/* Shingles and MinHash signatures: our own definition, and datatrove's bit for bit. */
#include "kernels.h"

/* xxHash64 with seed 0: Collet, "xxHash fast digest algorithm", v0.1.1. */
static const uint64_t P1 = 0x9E3779B185EBCA87u, P2 = 0xC2B2AE3D27D4EB4Fu, P3 = 0x165667B19E3779F9u, P4 = 0x85EBCA77C2B2AE63u,
                      P5 = 0x27D4EB2F165667C5u;

static inline uint64_t rotate(uint64_t value, int bits) { return value << bits | value >> (64 - bits); }

static inline uint64_t word64(const uint8_t *at)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) value = value << 8 | at[i]; /* little-endian everywhere; one load where that is native */
    return value;
}

static inline uint64_t accumulate(uint64_t sum, uint64_t value) { return rotate(sum + value * P2, 31) * P1; }

static uint64_t xxh64(const uint8_t *at, uint64_t size)
{
    const uint8_t *end = at + size;
    uint64_t hash = P5;
    if (size >= 32) {
        uint64_t lanes[4] = {P1 + P2, P2, 0, 0 - P1};
        for (; end - at >= 32; at += 32)
            for (int i = 0; i < 4; i++) lanes[i] = accumulate(lanes[i], word64(at + 8 * i));
        hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
        for (int i = 0; i < 4; i++) hash = (hash ^ accumulate(0, lanes[i])) * P1 + P4;
    }
    hash += size;
    for (; end - at >= 8; at += 8) hash = rotate(hash ^ accumulate(0, word64(at)), 27) * P1 + P4;
    if (end - at >= 4) {
        uint64_t half = (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
        hash = rotate(hash ^ half * P1, 23) * P2 + P3;
        at += 4;
    }
    for (; at < end; at++) hash = rotate(hash ^ *at * P5, 11) * P1;
    hash = (hash ^ hash >> 33) * P2;
    hash = (hash ^ hash >> 29) * P3;
    return hash ^ hash >> 32;
}

/* xxHash64 of the n tokens from each place on, one space between them; hash_rows are the rows of the hashes. */
static int64_t joined_hashes(const uint8_t *data, const int64_t *begins, const int64_t *ends, const int64_t *rows, int64_t num_rows,
                             int64_t n, uint8_t *joined, int64_t *starts, uint64_t *hashes, int64_t *hash_rows)
{
    int64_t count = 0;
    hash_rows[0] = 0;
    for (int64_t row = 0; row < num_rows; row++) {
        int64_t first = rows[row], tokens = rows[row + 1] - first, size = 0;
        for (int64_t i = 0; i < tokens; i++) {
            int64_t length = ends[first + i] - begins[first + i];
            starts[i] = size;
            memcpy(joined + size, data + begins[first + i], (size_t)length);
            size += length;
            joined[size++] = ' ';
        }
        starts[tokens] = size;
        for (int64_t i = 0; i + n <= tokens; i++) hashes[count++] = xxh64(joined + starts[i], (uint64_t)(starts[i + n] - 1 - starts[i]));
        hash_rows[row + 1] = count;
    }
    return count;
}

static PyObject *joined_ngrams(PyObject *self, PyObject *args)
{
    Py_buffer data, begins, ends, rows, hashes, hash_rows;
    long long n;
    if (!PyArg_ParseTuple(args, "y*y*y*y*Lw*w*", &data, &begins, &ends, &rows, &n, &hashes, &hash_rows)) return NULL;
    const int64_t *begin = begins.buf, *end = ends.buf, *row = rows.buf;
    int64_t tokens = begins.len / 8, num_rows = rows.len / 8 - 1, most = 0, most_bytes = 0, count = 0;
    bool fits = n > 0 && num_rows >= 0 && ends.len == begins.len && hashes.len >= begins.len && hash_rows.len == rows.len && row[0] == 0 &&
                row[num_rows] == tokens;
    for (int64_t i = 0; fits && i < tokens; i++) fits = 0 <= begin[i] && begin[i] <= end[i] && end[i] <= data.len;
    for (int64_t r = 0; fits && r < num_rows; r++) {
        fits = row[r] <= row[r + 1] && row[r + 1] <= tokens;
        int64_t bytes = 0;
        for (int64_t i = row[r]; fits && i < row[r + 1]; i++) bytes += end[i] - begin[i] + 1;
        if (row[r + 1] - row[r] > most) most = row[r + 1] - row[r];
        if (bytes > most_bytes) most_bytes = bytes;
    }
    uint8_t *joined = NULL;
    int64_t *starts = NULL;
    if (!fits) PyErr_SetString(PyExc_ValueError, "joined_ngrams: the buffers do not fit together");
    else if (!(joined = malloc((size_t)most_bytes + 1)) || !(starts = malloc((size_t)(most + 1) * 8))) fits = PyErr_NoMemory() != NULL;
    else {
        Py_BEGIN_ALLOW_THREADS
        count = joined_hashes(data.buf, begin, end, row, num_rows, n, joined, starts, hashes.buf, hash_rows.buf);
        Py_END_ALLOW_THREADS
    }
    free(joined), free(starts);
    RELEASE(&data, &begins, &ends, &rows, &hashes, &hash_rows);
    return fits ? PyLong_FromLongLong(count) : NULL;
}

/* Least of (hash * a[k] + b[k]) mod 2^64 mod 2^61 - 1 over the hashes of a row, for each k: datatrove's permutations. */
FOR_EACH_CPU static void mersenne_minima(const uint64_t *restrict hashes, int64_t count, const uint64_t *restrict a,
                                         const uint64_t *restrict b, int64_t width, uint64_t *restrict least)
{
    const uint64_t prime = ((uint64_t)1 << 61) - 1;
    for (int64_t i = 0; i < count; i++) {
        uint64_t hash = hashes[i];
        for (int64_t k = 0; k < width; k++) {
            uint64_t value = hash * a[k] + b[k];
            value = (value & prime) + (value >> 61);
            value = value >= prime ? value - prime : value;
            least[k] = value < least[k] ? value : least[k];
        }
    }
}

/* Least of the upper half of the hash times an odd number, modulo 2^32: our own permutations. */
FOR_EACH_CPU static void multiply_minima(const uint64_t *restrict hashes, int64_t count, const uint32_t *restrict factors, int64_t width,
                                         uint32_t *restrict least)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t hash = (uint32_t)(hashes[i] >> 32);
        for (int64_t k = 0; k < width; k++) {
            uint32_t value = hash * factors[k];
            least[k] = value < least[k] ? value : least[k];
        }
    }
}

static bool rows_fit(const Py_buffer *hashes, const Py_buffer *offsets)
{
    int64_t rows = offsets->len / 8 - 1;
    const int64_t *offset = offsets->buf;
    bool fits = rows >= 0 && offset[0] >= 0 && offset[rows] <= hashes->len / 8;
    for (int64_t r = 0; fits && r < rows; r++) fits = offset[r] <= offset[r + 1];
    return fits;
}

static PyObject *mersenne_signatures(PyObject *self, PyObject *args)
{
    Py_buffer hashes, offsets, a, b, least;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*", &hashes, &offsets, &a, &b, &least)) return NULL;
    int64_t rows = offsets.len / 8 - 1, width = a.len / 8;
    bool fits = rows_fit(&hashes, &offsets) && b.len == a.len && least.len == rows * width * 8;
    if (!fits) PyErr_SetString(PyExc_ValueError, "mersenne_signatures: the buffers do not fit together");
    else {
        const int64_t *offset = offsets.buf;
        uint64_t *row = least.buf;
        Py_BEGIN_ALLOW_THREADS
        memset(least.buf, 0xFF, (size_t)least.len);
        for (int64_t r = 0; r < rows; r++, row += width)
            mersenne_minima((uint64_t *)hashes.buf + offset[r], offset[r + 1] - offset[r], a.buf, b.buf, width, row);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&hashes, &offsets, &a, &b, &least);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

static PyObject *signatures(PyObject *self, PyObject *args)
{
    Py_buffer hashes, offsets, factors, least;
    if (!PyArg_ParseTuple(args, "y*y*y*w*", &hashes, &offsets, &factors, &least)) return NULL;
    int64_t rows = offsets.len / 8 - 1, width = factors.len / 4;
    bool fits = rows_fit(&hashes, &offsets) && least.len == rows * width * 4;
    if (!fits) PyErr_SetString(PyExc_ValueError, "signatures: the buffers do not fit together");
    else {
        const int64_t *offset = offsets.buf;
        uint32_t *row = least.buf;
        Py_BEGIN_ALLOW_THREADS
        memset(least.buf, 0xFF, (size_t)least.len);
        for (int64_t r = 0; r < rows; r++, row += width)
            multiply_minima((uint64_t *)hashes.buf + offset[r], offset[r + 1] - offset[r], factors.buf, width, row);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&hashes, &offsets, &factors, &least);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

static int ascending(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* Sorts by the leading byte first, for the hashes are spread evenly; what is left is a few in each part. */
static void sort_hashes(uint64_t *hashes, int64_t count, uint64_t *scratch)
{
    if (count < 64) {
        for (int64_t i = 1; i < count; i++) {
            uint64_t hash = hashes[i];
            int64_t at = i;
            for (; at && hashes[at - 1] > hash; at--) hashes[at] = hashes[at - 1];
            hashes[at] = hash;
        }
        return;
    }
    int64_t ends[257] = {0};
    for (int64_t i = 0; i < count; i++) ends[(hashes[i] >> 56) + 1]++;
    for (int part = 0; part < 256; part++) ends[part + 1] += ends[part];
    int64_t next[256];
    memcpy(next, ends, sizeof next);
    for (int64_t i = 0; i < count; i++) scratch[next[hashes[i] >> 56]++] = hashes[i];
    memcpy(hashes, scratch, (size_t)count * 8);
    for (int part = 0; part < 256; part++) {
        int64_t size = ends[part + 1] - ends[part];
        if (size < 64) sort_hashes(hashes + ends[part], size, scratch);
        else qsort(hashes + ends[part], (size_t)size, 8, ascending);
    }
}

/* The distinct n-gram hashes of each row, sorted; n of a row is sizes[row], or all its tokens where it has fewer. */
static int64_t sets(const uint64_t *tokens, const int64_t *offsets, const int64_t *sizes, int64_t rows, uint64_t *scratch, uint64_t *values,
                    int64_t *counts)
{
    int64_t count = 0;
    counts[0] = 0;
    for (int64_t r = 0; r < rows; r++) {
        const uint64_t *row = tokens + offsets[r];
        int64_t size = offsets[r + 1] - offsets[r], n = sizes[r] < size ? sizes[r] : size, places = size ? size - n + 1 : 0;
        uint64_t *found = values + count;
        for (int64_t i = 0; i < places; i++) {
            uint64_t hash = 0;
            for (int64_t k = n; k--;) hash = hash * BASE + row[i + k];
            found[i] = mix(hash);
        }
        sort_hashes(found, places, scratch);
        int64_t distinct = 0;
        for (int64_t i = 0; i < places; i++)
            if (!i || found[i] != found[distinct - 1]) found[distinct++] = found[i];
        count += distinct;
        counts[r + 1] = count;
    }
    return count;
}

static PyObject *shingle_sets(PyObject *self, PyObject *args)
{
    Py_buffer tokens, offsets, sizes, values, counts;
    if (!PyArg_ParseTuple(args, "y*y*y*w*w*", &tokens, &offsets, &sizes, &values, &counts)) return NULL;
    int64_t rows = offsets.len / 8 - 1, most = 0, found = 0;
    const int64_t *offset = offsets.buf, *size = sizes.buf;
    bool fits = rows_fit(&tokens, &offsets) && sizes.len == rows * 8 && values.len >= tokens.len && counts.len == offsets.len;
    for (int64_t r = 0; fits && r < rows; r++) {
        fits = size[r] > 0;
        if (offset[r + 1] - offset[r] > most) most = offset[r + 1] - offset[r];
    }
    uint64_t *scratch = NULL;
    if (!fits) PyErr_SetString(PyExc_ValueError, "shingle_sets: the buffers do not fit together");
    else if (!(scratch = malloc((size_t)(most + 1) * 8))) fits = PyErr_NoMemory() != NULL;
    else {
        Py_BEGIN_ALLOW_THREADS
        found = sets(tokens.buf, offset, size, rows, scratch, values.buf, counts.buf);
        Py_END_ALLOW_THREADS
    }
    free(scratch);
    RELEASE(&tokens, &offsets, &sizes, &values, &counts);
    return fits ? PyLong_FromLongLong(found) : NULL;
}

/* Values that two ascending rows without repeats have in common. */
static int64_t shared_by(const uint64_t *one, const uint64_t *one_end, const uint64_t *other, const uint64_t *other_end)
{
    int64_t shared = 0;
    while (one < one_end && other < other_end) {
        uint64_t a = *one, b = *other;
        shared += a == b;
        one += a <= b, other += b <= a; /* no branch: which of two hashes is the smaller nothing can foretell */
    }
    return shared;
}

static PyObject *shared(PyObject *self, PyObject *args)
{
    Py_buffer values, offsets, other_values, other_offsets, left, right, counts;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*w*", &values, &offsets, &other_values, &other_offsets, &left, &right, &counts)) return NULL;
    int64_t pairs = left.len / 8, rows = offsets.len / 8 - 1, other_rows = other_offsets.len / 8 - 1;
    const int64_t *a = left.buf, *b = right.buf, *offset = offsets.buf, *other = other_offsets.buf;
    bool fits = rows_fit(&values, &offsets) && rows_fit(&other_values, &other_offsets) && right.len == left.len && counts.len == left.len;
    for (int64_t i = 0; fits && i < pairs; i++) fits = 0 <= a[i] && a[i] < rows && 0 <= b[i] && b[i] < other_rows;
    if (!fits) PyErr_SetString(PyExc_ValueError, "shared: the buffers do not fit together");
    else {
        const uint64_t *one = values.buf, *two = other_values.buf;
        int64_t *count = counts.buf;
        Py_BEGIN_ALLOW_THREADS
        for (int64_t i = 0; i < pairs; i++)
            count[i] = shared_by(one + offset[a[i]], one + offset[a[i] + 1], two + other[b[i]], two + other[b[i] + 1]);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&values, &offsets, &other_values, &other_offsets, &left, &right, &counts);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

PyMethodDef minhash_methods[] = {
    {"joined_ngrams", joined_ngrams, METH_VARARGS, NULL},
    {"mersenne_signatures", mersenne_signatures, METH_VARARGS, NULL},
    {"signatures", signatures, METH_VARARGS, NULL},
    {"shingle_sets", shingle_sets, METH_VARARGS, NULL},
    {"shared", shared, METH_VARARGS, NULL},
    {0},
};
