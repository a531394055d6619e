/* Text reduced to what datatrove hashes: numbers to 0, punctuation to spaces, white space to one space, accents off. */
#include "kernels.h"

/* Class bits of filters/simplified.py. */
enum { SPACE = 1, DIGIT = 2, SEPARATOR = 4, PUNCTUATION = 8, CHANGED = 16 };

/* What a code point becomes when accents are taken off: utf8[begins[point] .. begins[point + 1]), where its class says CHANGED. */
typedef struct {
    const uint8_t *classes, *utf8;
    const int32_t *begins;
} Table;

/* Behind a number that begins before `at`: digits, and once more digits after one decimal separator. */
static const uint8_t *after_number(const uint8_t *at, const uint8_t *end, const uint8_t *classes)
{
    const uint8_t *last = at;
    bool separated = false, digit = true;
    while (at < end) {
        uint8_t class = classes[next_point(&at, end)];
        if (class & DIGIT) last = at, digit = true;
        else if (class & SEPARATOR && digit && !separated) separated = true, digit = false;
        else break;
    }
    return last;
}

/* One row; the bytes written, or -1 where there is no room. */
static int64_t simplify_row(const uint8_t *at, const uint8_t *end, Table table, uint8_t *out, int64_t room)
{
    int64_t size = 0;
    bool space = false, any = false; /* a space waits to be written; something came before it */
    while (at < end) {
        const uint8_t *begin = at;
        uint32_t point = next_point(&at, end);
        uint8_t class = table.classes[point];
        if (class & (SPACE | PUNCTUATION) && !(class & DIGIT)) { /* numbers go first: a full-width 1 is in datatrove's punctuation */
            space = any;
            continue;
        }
        if (size + 4 > room) return -1;
        if (space) out[size++] = ' ', space = false;
        any = true;
        if (class & DIGIT) {
            at = after_number(at, end, table.classes);
            out[size++] = '0';
            continue;
        }
        const uint8_t *from = class & CHANGED ? table.utf8 + table.begins[point] : begin;
        int64_t length = class & CHANGED ? table.begins[point + 1] - table.begins[point] : at - begin;
        if (size + length > room) return -1;
        memcpy(out + size, from, (size_t)length);
        size += length;
    }
    return size;
}

/* datatrove strips once more at the end: an accent by itself may have left a space there. */
static int64_t stripped(uint8_t *row, int64_t size)
{
    while (size && row[size - 1] == ' ') size--;
    int64_t first = 0;
    while (first < size && row[first] == ' ') first++;
    memmove(row, row + first, (size_t)(size - first));
    return size - first;
}

static PyObject *simplify(PyObject *self, PyObject *args)
{
    Py_buffer data, offsets, classes, begins, utf8, out, out_offsets;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*w*w*", &data, &offsets, &classes, &begins, &utf8, &out, &out_offsets)) return NULL;
    Text text;
    bool fits = text_of(&text, &data, &offsets);
    const int32_t *begin = begins.buf;
    if (fits && (classes.len != CODES || begins.len != (CODES + 1) * 4 || begin[CODES] != utf8.len || out_offsets.len != offsets.len)) {
        PyErr_SetString(PyExc_ValueError, "simplify: the buffers do not fit together");
        fits = false;
    }
    int64_t size = 0;
    if (fits) {
        Table table = {classes.buf, utf8.buf, begin};
        int64_t *out_offset = out_offsets.buf;
        Py_BEGIN_ALLOW_THREADS
        out_offset[0] = 0;
        for (int64_t r = 0; size >= 0 && r < text.rows; r++) {
            uint8_t *row = (uint8_t *)out.buf + size;
            int64_t written = simplify_row(text.data + text.offsets[r], text.data + text.offsets[r + 1], table, row, out.len - size);
            size = written < 0 ? -1 : size + stripped(row, written);
            out_offset[r + 1] = size;
        }
        Py_END_ALLOW_THREADS
        if (size < 0) {
            PyErr_SetString(PyExc_ValueError, "simplify: out has too little room");
            fits = false;
        }
    }
    RELEASE(&data, &offsets, &classes, &begins, &utf8, &out, &out_offsets);
    return fits ? PyLong_FromLongLong(size) : NULL;
}

PyMethodDef simplify_methods[] = {{"simplify", simplify, METH_VARARGS, NULL}, {0}};
