/* Which n-grams of a text an index knows: a sieve by leading bits, then the few grams that share most of them. */
#include "kernels.h"

#define CROWD 4 /* leading bits fewer than the sieve's by which grams are found: about one gram has each */

/* The place of a gram among the sorted ones from low on, or -1. */
static int64_t slot_of(const uint64_t *grams, int64_t low, int64_t high, uint64_t gram)
{
    while (low < high && grams[low] < gram) low++;
    return low < high && grams[low] == gram ? low : -1;
}

static PyObject *known_grams(PyObject *self, PyObject *args)
{
    Py_buffer hashes, offsets, grams, sieve, heads, rows, places, slots;
    long long n;
    unsigned long long shift;
    if (!PyArg_ParseTuple(args, "y*y*Ly*y*Ky*w*w*w*", &hashes, &offsets, &n, &grams, &sieve, &shift, &heads, &rows, &places, &slots))
        return NULL;
    const uint64_t *token = hashes.buf;
    const int64_t *offset = offsets.buf;
    const uint8_t *passes = sieve.buf;
    int64_t num_rows = offsets.len / 8 - 1, tokens = hashes.len / 8, found = 0;
    bool fits = n > 0 && num_rows >= 0 && shift > 0 && shift < 61 && sieve.len == (Py_ssize_t)1 << (61 - shift) && offset[0] >= 0 &&
                offset[num_rows] <= tokens && rows.len == hashes.len && places.len == hashes.len && slots.len == hashes.len;
    const int32_t *head = heads.buf;
    fits = fits && shift < 61 - CROWD && heads.len == (((Py_ssize_t)1 << (64 - CROWD - shift)) + 1) * 4;
    for (int64_t k = 0; fits && k < heads.len / 4; k++) fits = head[k] >= (k ? head[k - 1] : 0) && head[k] <= grams.len / 8;
    for (int64_t r = 0; fits && r < num_rows; r++) fits = offset[r] <= offset[r + 1];
    if (!fits) PyErr_SetString(PyExc_ValueError, "known_grams: the buffers do not fit together");
    else {
        int64_t *row = rows.buf, *place = places.buf, *slot = slots.buf;
        Py_BEGIN_ALLOW_THREADS
        for (int64_t r = 0; r < num_rows; r++) {
            for (int64_t i = offset[r]; i + n <= offset[r + 1]; i++) {
                uint64_t gram = 0;
                for (int64_t k = n; k--;) gram = gram * BASE + token[i + k];
                uint64_t bits = gram >> shift;
                if (!(passes[bits >> 3] >> (bits & 7) & 1)) continue;
                const int32_t *crowd = head + (bits >> CROWD);
                int64_t at = slot_of(grams.buf, crowd[0], crowd[1], gram);
                if (at >= 0) row[found] = r, place[found] = i, slot[found++] = at;
            }
        }
        Py_END_ALLOW_THREADS
    }
    RELEASE(&hashes, &offsets, &grams, &sieve, &heads, &rows, &places, &slots);
    return fits ? PyLong_FromLongLong(found) : NULL;
}

PyMethodDef seeds_methods[] = {{"known_grams", known_grams, METH_VARARGS, NULL}, {0}};
