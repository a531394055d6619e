/* What all kernels share: the stable ABI of CPython 3.11, text buffers, UTF-8, hashes.

   A kernel is a pure function over flat buffers (numpy arrays, Arrow buffers). Its wrapper takes the buffers, checks that
   they fit together, runs the kernel without the interpreter lock, and gives them back. Nothing here allocates Python
   objects per row or token, and nothing trusts a text: UTF-8 is decoded within its bounds, whatever stands there. */
#ifndef TILTH_KERNELS_H
#define TILTH_KERNELS_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The hot loops over fixed arrays are compiled for several x86-64 levels, the one that fits is taken when the module loads. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_CPU
#endif

#define CODES 0x110000

/* Rows of text in one buffer: row r is data[offsets[r] .. offsets[r + 1]). */
typedef struct {
    const uint8_t *data;
    const int64_t *offsets;
    int64_t rows;
} Text;

/* Spans of tokens, in bytes of a Text; row r owns the tokens rows[r] .. rows[r + 1]. */
typedef struct {
    int64_t *begins, *ends, *rows;
    int64_t count, capacity;
} Spans;

/* The number of items of `size` bytes in a buffer, or -1 with an error set. */
static inline int64_t items(const Py_buffer *buffer, size_t size, const char *name)
{
    if (buffer->len % (Py_ssize_t)size) {
        PyErr_Format(PyExc_ValueError, "%s: %zd bytes are no whole number of %zu-byte items", name, buffer->len, size);
        return -1;
    }
    return (int64_t)(buffer->len / (Py_ssize_t)size);
}

/* A Text over two buffers; false with an error set where the offsets do not fit the data. */
static inline bool text_of(Text *text, const Py_buffer *data, const Py_buffer *offsets)
{
    int64_t count = items(offsets, 8, "offsets");
    if (count < 0) return false;
    text->data = data->buf, text->offsets = offsets->buf, text->rows = count - 1;
    bool fits = count >= 1 && text->offsets[0] >= 0 && text->offsets[count - 1] <= data->len;
    for (int64_t row = 0; fits && row < text->rows; row++) fits = text->offsets[row] <= text->offsets[row + 1];
    if (!fits) PyErr_SetString(PyExc_ValueError, "offsets: must rise, within the data");
    return fits;
}

/* Spans to be filled for a Text; false with an error set where a buffer is too small to hold a token for every byte. */
static inline bool spans_of(Spans *spans, const Text *text, Py_buffer *begins, Py_buffer *ends, Py_buffer *rows)
{
    int64_t room = text->offsets[text->rows] - text->offsets[0];
    if (begins->len / 8 < room || ends->len / 8 < room || rows->len / 8 < text->rows + 1) {
        PyErr_SetString(PyExc_ValueError, "begins, ends: one place for every byte; rows: one for every row and one more");
        return false;
    }
    spans->begins = begins->buf, spans->ends = ends->buf, spans->rows = rows->buf;
    spans->count = 0, spans->capacity = room;
    return true;
}

static inline void span(Spans *spans, const Text *text, const uint8_t *begin, const uint8_t *end)
{
    spans->begins[spans->count] = begin - text->data;
    spans->ends[spans->count++] = end - text->data;
}

/* The code point at *at, which moves behind it; U+FFFD for one byte that begins none. at < end. */
static inline uint32_t next_point(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    uint32_t lead = *p++;
    if (lead < 0x80) {
        *at = p;
        return lead;
    }
    int more = lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 && lead < 0xF0 ? 2 : lead >= 0xC2 && lead < 0xE0 ? 1 : 0;
    uint32_t point = more == 3 ? lead & 0x07 : more == 2 ? lead & 0x0F : lead & 0x1F;
    if (!more || end - p < more) goto broken;
    for (int i = 0; i < more; i++) {
        if ((p[i] & 0xC0) != 0x80) goto broken;
        point = point << 6 | (p[i] & 0x3F);
    }
    if (point >= CODES) goto broken;
    *at = p + more;
    return point;
broken:
    *at = p;
    return 0xFFFD;
}

/* The code point that ends at *at, which moves before it. begin < at. */
static inline uint32_t last_point(const uint8_t *begin, const uint8_t **at)
{
    const uint8_t *p = *at - 1;
    while (p > begin && *at - p < 4 && (*p & 0xC0) == 0x80) p--;
    const uint8_t *after = p;
    uint32_t point = next_point(&after, *at);
    if (after != *at) {
        *at -= 1;
        return 0xFFFD;
    }
    *at = p;
    return point;
}

/* Gives buffers back: RELEASE(&data, &offsets). */
#define RELEASE(...) release((Py_buffer *[]){__VA_ARGS__}, sizeof((Py_buffer *[]){__VA_ARGS__}) / sizeof(Py_buffer *))
static inline void release(Py_buffer **taken, size_t count)
{
    for (size_t i = 0; i < count; i++) PyBuffer_Release(taken[i]);
}

/* splitmix64, as filters/hashing.py's `mix`. */
static inline uint64_t mix(uint64_t value)
{
    value += 0x9E3779B97F4A7C15u;
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

#define BASE 0xD1342543DE82EF95u /* filters/hashing.py */

/* BASE to a power. */
static inline uint64_t power_of_base(uint64_t exponent)
{
    uint64_t result = 1, square = BASE;
    for (; exponent; exponent >>= 1, square *= square)
        if (exponent & 1) result *= square;
    return result;
}

extern PyMethodDef words_methods[], ngrams_methods[], minhash_methods[], simplify_methods[], fold_methods[], seeds_methods[], align_methods[], spacy_methods[], jieba_methods[], fasttext_methods[], near_methods[];

#endif
