/* Where bytes of one kind stand close together: the parts of texts that are worth a search for what has so many of them. */
#include "kernels.h"

enum { MOST = 64 }; /* of `least` */

typedef struct {
    const uint8_t *members; /* 1 for each byte of the kind, of 256 */
    int64_t least, within, around;
} Rule;

/* Parts of texts, copied one behind the other. */
typedef struct {
    int64_t *rows, *begins; /* of each: its row, the characters before it there */
    uint8_t *bytes;
    int64_t *offsets, count, capacity;
} Parts;

static bool inside(uint8_t byte) { return (byte & 0xC0) == 0x80; }

static int64_t characters(const uint8_t *at, const uint8_t *end)
{
    int64_t count = 0;
    for (; at < end; at++) count += !inside(*at);
    return count;
}

/* All parts of one row; false where there is no room. Parts that touch are one; none begins or ends within a character. */
static bool near_row(const uint8_t *row, const uint8_t *stop, int64_t number, const Rule *rule, Parts *parts)
{
    const uint8_t *last[MOST], *begin = NULL, *end = row, *counted = row;
    int64_t hits = 0, before = 0;
    for (const uint8_t *at = row;; at++) {
        while (at < stop && !rule->members[*at]) at++;
        const uint8_t *first = stop;
        if (at < stop) {
            last[hits++ % rule->least] = at;
            if (hits < rule->least || at - last[hits % rule->least] >= rule->within) continue;
            const uint8_t *oldest = last[hits % rule->least];
            first = oldest - row > rule->around ? oldest - rule->around : row;
            while (first > row && inside(*first)) first--;
        }
        if (begin && (at >= stop || first > end)) {
            if (parts->count == parts->capacity) return false;
            before += characters(counted, begin), counted = begin;
            int64_t offset = parts->offsets[parts->count];
            parts->rows[parts->count] = number, parts->begins[parts->count] = before;
            memcpy(parts->bytes + offset, begin, (size_t)(end - begin));
            parts->offsets[++parts->count] = offset + (end - begin);
            begin = NULL;
        }
        if (at >= stop) return true;
        if (!begin) begin = first;
        if (rule->least == 1) { /* what stands between two that are so near is not looked at */
            const uint8_t *far = stop - at > rule->around ? at + rule->around : stop - 1;
            while (far > at && !rule->members[*far]) far--;
            at = far;
        }
        end = stop - at > rule->around ? at + 1 + rule->around : stop;
        while (end < stop && inside(*end)) end++;
    }
}

static PyObject *near(PyObject *self, PyObject *args)
{
    Py_buffer data, offsets, members, rows, begins, out, out_offsets;
    long long least, within, around;
    if (!PyArg_ParseTuple(args, "y*y*y*LLLw*w*w*w*", &data, &offsets, &members, &least, &within, &around, &rows, &begins, &out, &out_offsets))
        return NULL;
    Text text;
    Parts parts = {rows.buf, begins.buf, out.buf, out_offsets.buf, 0, rows.len / 8};
    bool fits = text_of(&text, &data, &offsets);
    if (fits && (members.len != 256 || least < 1 || least > MOST || within < 1 || around < 0 || begins.len != rows.len ||
                 out.len < text.offsets[text.rows] - text.offsets[0] || out_offsets.len < rows.len + 8)) {
        PyErr_SetString(PyExc_ValueError, "near: the buffers do not fit together");
        fits = false;
    }
    if (fits) {
        Rule rule = {members.buf, least, within, around};
        Py_BEGIN_ALLOW_THREADS
        parts.offsets[0] = 0;
        for (int64_t row = 0; fits && row < text.rows; row++)
            fits = near_row(text.data + text.offsets[row], text.data + text.offsets[row + 1], row, &rule, &parts);
        Py_END_ALLOW_THREADS
        if (!fits) PyErr_SetString(PyExc_ValueError, "near: rows, begins have too little room");
    }
    RELEASE(&data, &offsets, &members, &rows, &begins, &out, &out_offsets);
    return fits ? PyLong_FromLongLong(parts.count) : NULL;
}

PyMethodDef near_methods[] = {{"near", near, METH_VARARGS, NULL}, {0}};
