/* Where the words of a text begin and end, by the definitions that need no model, and what is known of each word. */
#include "kernels.h"

/* Class bits of filters/char_classes.py. */
enum { SPACE = 1, WORD = 2, JOINER = 4, BLANK = 512 };

/* Runs of letters, marks and digits, joined by an apostrophe between two of them; every other character by itself. */
static void script(const Text *text, const uint16_t *classes, Spans *spans)
{
    spans->rows[0] = 0;
    for (int64_t row = 0; row < text->rows; row++) {
        const uint8_t *at = text->data + text->offsets[row], *end = text->data + text->offsets[row + 1];
        while (at < end) {
            const uint8_t *begin = at;
            uint16_t class = classes[next_point(&at, end)];
            if (class & SPACE) continue;
            if (class & WORD) {
                while (at < end) {
                    const uint8_t *after = at;
                    class = classes[next_point(&after, end)];
                    if (class & JOINER && after < end) {
                        const uint8_t *behind = after;
                        if (!(classes[next_point(&behind, end)] & WORD)) break;
                    } else if (!(class & WORD)) {
                        break;
                    }
                    at = after;
                }
            }
            span(spans, text, begin, at);
        }
        spans->rows[row + 1] = spans->count;
    }
}

/* What stands between white space. */
static void whitespace(const Text *text, const uint16_t *classes, Spans *spans)
{
    spans->rows[0] = 0;
    for (int64_t row = 0; row < text->rows; row++) {
        const uint8_t *at = text->data + text->offsets[row], *end = text->data + text->offsets[row + 1];
        const uint8_t *begin = NULL;
        while (at < end) {
            const uint8_t *here = at;
            bool space = classes[next_point(&at, end)] & BLANK;
            if (space && begin) span(spans, text, begin, here), begin = NULL;
            if (!space && !begin) begin = here;
        }
        if (begin) span(spans, text, begin, end);
        spans->rows[row + 1] = spans->count;
    }
}

static PyObject *segment(PyObject *args, void kernel(const Text *, const uint16_t *, Spans *))
{
    Py_buffer data, offsets, classes, begins, ends, rows;
    if (!PyArg_ParseTuple(args, "y*y*y*w*w*w*", &data, &offsets, &classes, &begins, &ends, &rows)) return NULL;
    Text text;
    Spans spans;
    bool fits = text_of(&text, &data, &offsets) && spans_of(&spans, &text, &begins, &ends, &rows);
    if (fits && classes.len != CODES * 2) {
        PyErr_SetString(PyExc_ValueError, "classes: uint16, one for every code point");
        fits = false;
    }
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernel(&text, classes.buf, &spans);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&data, &offsets, &classes, &begins, &ends, &rows);
    return fits ? PyLong_FromLongLong(spans.count) : NULL;
}

static PyObject *script_spans(PyObject *self, PyObject *args) { return segment(args, script); }
static PyObject *whitespace_spans(PyObject *self, PyObject *args) { return segment(args, whitespace); }

/* Of each span: its characters, the class bits that any of them has, and the sum of point * BASE^position. */
static void describe_spans(const uint8_t *data, const int64_t *begins, const int64_t *ends, int64_t count, const uint16_t *classes,
                           int32_t *lengths, uint16_t *flags, uint64_t *polynomials)
{
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *at = data + begins[i], *end = data + ends[i];
        uint64_t sum = 0, power = 1;
        uint16_t any = 0;
        int32_t length = 0;
        while (at < end) {
            uint32_t point = next_point(&at, end);
            any |= classes[point];
            sum += point * power;
            power *= BASE;
            length++;
        }
        lengths[i] = length, flags[i] = any, polynomials[i] = sum;
    }
}

static PyObject *describe(PyObject *self, PyObject *args)
{
    Py_buffer data, begins, ends, classes, lengths, flags, polynomials;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*w*w*", &data, &begins, &ends, &classes, &lengths, &flags, &polynomials)) return NULL;
    int64_t count = begins.len / 8;
    const int64_t *begin = begins.buf, *end = ends.buf;
    bool fits = classes.len == CODES * 2 && ends.len == count * 8 && lengths.len == count * 4 && flags.len == count * 2 &&
                polynomials.len == count * 8;
    for (int64_t i = 0; fits && i < count; i++) fits = 0 <= begin[i] && begin[i] <= end[i] && end[i] <= data.len;
    if (!fits) PyErr_SetString(PyExc_ValueError, "describe: the buffers do not fit together");
    else {
        Py_BEGIN_ALLOW_THREADS
        describe_spans(data.buf, begin, end, count, classes.buf, lengths.buf, flags.buf, polynomials.buf);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&data, &begins, &ends, &classes, &lengths, &flags, &polynomials);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

/* Of each row: how many of its characters have each class value below 256. */
static PyObject *class_counts(PyObject *self, PyObject *args)
{
    Py_buffer data, offsets, classes, counts;
    if (!PyArg_ParseTuple(args, "y*y*y*w*", &data, &offsets, &classes, &counts)) return NULL;
    Text text;
    bool fits = text_of(&text, &data, &offsets);
    if (fits && (classes.len != CODES || counts.len != text.rows * 256 * 8)) {
        PyErr_SetString(PyExc_ValueError, "classes: uint8, one for every code point; counts: int64 [rows, 256]");
        fits = false;
    }
    if (fits) {
        const uint8_t *class = classes.buf;
        int64_t *count = counts.buf;
        Py_BEGIN_ALLOW_THREADS
        for (int64_t row = 0; row < text.rows; row++, count += 256) {
            const uint8_t *at = text.data + text.offsets[row], *end = text.data + text.offsets[row + 1];
            while (at < end) count[class[next_point(&at, end)]]++;
        }
        Py_END_ALLOW_THREADS
    }
    RELEASE(&data, &offsets, &classes, &counts);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

PyMethodDef words_methods[] = {
    {"script_spans", script_spans, METH_VARARGS, NULL},
    {"whitespace_spans", whitespace_spans, METH_VARARGS, NULL},
    {"describe", describe, METH_VARARGS, NULL},
    {"class_counts", class_counts, METH_VARARGS, NULL},
    {0},
};
