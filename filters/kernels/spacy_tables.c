/* The tables of spaCy's English tokenizer, made once for a process and kept in a capsule, and what Python calls. */
#include "spacy.h"

static void english_free(English *english)
{
    if (!english) return;
    strings_free(&english->units), strings_free(&english->specials), sequences_free(&english->sequences);
    free(english->classes), free(english->cuts), free(english);
}

static const char NAME[] = "tilth.filters._kernels.spacy_tables";

static void forget(PyObject *capsule) { english_free(PyCapsule_GetPointer(capsule, NAME)); }

static void name_bytes(English *english)
{
    for (int byte = 0; byte < 256; byte++) {
        uint16_t class = byte < 128 ? english->classes[byte] : 0;
        int kind = OTHER;
        if (byte >= 128) kind = WIDE;
        else if (class & SPACE) kind = BLANK;
        else if ((byte | 32) >= 'a' && (byte | 32) <= 'z') kind = LETTER;
        else if (byte >= '0' && byte <= '9') kind = FIGURE;
        else if (byte == '.') kind = STOP;
        else if (class & INFIX) kind = MIDDLE;
        english->kinds[byte] = (uint8_t)kind;
    }
}

/* Reads lines `token<TAB>token` of special cases; false where one is empty or too long. */
static bool read_specials(English *english, Strings *specials, const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        const uint8_t *line = memchr(at, '\n', (size_t)(end - at));
        if (!line) line = end;
        uint8_t text[LONGEST];
        int64_t size = 0;
        uint64_t cuts = 0;
        for (; at < line; at++) {
            if (*at == '\t') cuts |= 1ull << size;
            else if (size == LONGEST) return false;
            else text[size++] = *at;
        }
        if (!size || cuts & 1 || cuts >> size) return false;
        english->cuts[strings_add(specials, text, size)] = cuts;
        at = line + 1;
    }
    return true;
}

/* The sequences: special cases that the affix rules cut, while `english` knows of none. */
static bool find_sequences(const English *english, const Strings *specials, Sequences *sequences)
{
    int64_t begins[LONGEST], ends[LONGEST], rows[2], num_tokens = 0;
    for (int pass = 0; pass < 2; pass++) { /* count, add */
        if (pass && !sequences_make(sequences, num_tokens, specials->offsets[specials->count])) return false;
        for (int32_t special = 0; special < specials->count; special++) {
            int64_t offsets[2] = {specials->offsets[special], specials->offsets[special + 1]};
            Text text = {specials->bytes, offsets, 1};
            Spans spans = {begins, ends, rows, 0, offsets[1] - offsets[0]};
            if (!words_of(english, &text, &spans)) return false;
            if (spans.count < 2) continue;
            uint64_t cuts = 0;
            for (int64_t i = 1; i < spans.count; i++) cuts |= 1ull << (begins[i] - offsets[0]);
            if (pass) sequences_add(sequences, &text, &spans, special, cuts != english->cuts[special]);
            else num_tokens += spans.count;
        }
    }
    return true;
}

static int64_t count_lines(const Py_buffer *lines)
{
    int64_t count = 1;
    for (Py_ssize_t i = 0; i < lines->len; i++) count += ((const uint8_t *)lines->buf)[i] == '\n';
    return count;
}

static bool english_fill(English *english, const Py_buffer *classes, const Py_buffer *units, const Py_buffer *specials, bool *valid)
{
    int64_t num_specials = count_lines(specials);
    Strings read;
    Sequences sequences = {0};
    english->classes = malloc(CODES * 2);
    english->cuts = calloc((size_t)num_specials, 8);
    bool enough = strings_make(&english->units, count_lines(units), units->len) && english->classes && english->cuts;
    enough = strings_make(&read, num_specials, specials->len) && enough;
    if (enough) {
        memcpy(english->classes, classes->buf, CODES * 2);
        name_bytes(english);
        const uint8_t *at = units->buf, *end = at + units->len;
        for (; *valid && at < end; at++) {
            const uint8_t *line = memchr(at, '\n', (size_t)(end - at));
            if (!line) line = end;
            *valid = line > at && line - at <= LONGEST;
            if (*valid) strings_add(&english->units, at, line - at);
            at = line;
        }
        *valid = *valid && read_specials(english, &read, specials->buf, (const uint8_t *)specials->buf + specials->len);
        if (*valid) enough = find_sequences(english, &read, &sequences);
    }
    english->specials = read, english->sequences = sequences;
    return enough;
}

static PyObject *spacy_tables(PyObject *self, PyObject *args)
{
    Py_buffer classes, units, specials;
    if (!PyArg_ParseTuple(args, "y*y*y*", &classes, &units, &specials)) return NULL;
    bool valid = classes.len == CODES * 2 && units.len < 1 << 20 && specials.len < 1 << 20, enough = true;
    English *english = valid ? calloc(1, sizeof *english) : NULL;
    if (valid) enough = english && english_fill(english, &classes, &units, &specials, &valid);
    PyBuffer_Release(&classes), PyBuffer_Release(&units), PyBuffer_Release(&specials);
    PyObject *capsule = NULL;
    if (!enough) PyErr_NoMemory();
    else if (!valid) PyErr_SetString(PyExc_ValueError, "spacy_tables: uint16 classes of all code points; lines of 1 to 63 bytes");
    else capsule = PyCapsule_New(english, NAME, forget);
    if (!capsule) english_free(english);
    return capsule;
}

static PyObject *spacy_spans(PyObject *self, PyObject *args)
{
    PyObject *capsule;
    Py_buffer data, offsets, begins, ends, rows;
    if (!PyArg_ParseTuple(args, "Oy*y*w*w*w*", &capsule, &data, &offsets, &begins, &ends, &rows)) return NULL;
    const English *english = PyCapsule_GetPointer(capsule, NAME);
    Text text;
    Spans spans;
    bool fits = english && text_of(&text, &data, &offsets) && spans_of(&spans, &text, &begins, &ends, &rows), enough = true;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        enough = words_of(english, &text, &spans);
        Py_END_ALLOW_THREADS
    }
    Py_buffer *taken[] = {&data, &offsets, &begins, &ends, &rows};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) PyBuffer_Release(taken[i]);
    if (!enough) return PyErr_NoMemory();
    return fits ? PyLong_FromLongLong(spans.count) : NULL;
}

/* Whether words lie one behind the other in their rows, as spacy_spans gives them. */
static bool words_fit(const Text *text, const Spans *words, int64_t num_rows)
{
    bool fits = num_rows == text->rows + 1 && words->rows[0] == 0 && words->rows[text->rows] == words->count;
    for (int64_t row = 0; fits && row < text->rows; row++) {
        fits = words->rows[row] <= words->rows[row + 1] && words->rows[row + 1] <= words->count;
        int64_t before = text->offsets[row];
        for (int64_t i = words->rows[row]; fits && i < words->rows[row + 1]; i++) {
            fits = before <= words->begins[i] && words->begins[i] < words->ends[i] && words->ends[i] <= text->offsets[row + 1];
            before = words->ends[i];
        }
    }
    return fits;
}

static PyObject *spacy_sentences(PyObject *self, PyObject *args)
{
    PyObject *capsule;
    Py_buffer data, offsets, begins, ends, rows, sentence_begins, sentence_ends, sentence_rows;
    if (!PyArg_ParseTuple(args, "Oy*y*y*y*y*w*w*w*", &capsule, &data, &offsets, &begins, &ends, &rows, &sentence_begins, &sentence_ends,
                          &sentence_rows))
        return NULL;
    const English *english = PyCapsule_GetPointer(capsule, NAME);
    Text text;
    Spans words = {begins.buf, ends.buf, rows.buf, begins.len / 8, begins.len / 8}, sentences;
    bool fits = english && text_of(&text, &data, &offsets);
    if (fits) {
        fits = begins.len == ends.len && words_fit(&text, &words, rows.len / 8) && sentence_begins.len >= begins.len &&
               sentence_ends.len >= begins.len && sentence_rows.len == rows.len;
        if (!fits) PyErr_SetString(PyExc_ValueError, "spacy_sentences: words of the text in order, and a place for each");
    }
    if (fits) {
        sentences = (Spans){sentence_begins.buf, sentence_ends.buf, sentence_rows.buf, 0, words.count};
        Py_BEGIN_ALLOW_THREADS
        sentences_of(english, &text, &words, &sentences);
        Py_END_ALLOW_THREADS
    }
    Py_buffer *taken[] = {&data, &offsets, &begins, &ends, &rows, &sentence_begins, &sentence_ends, &sentence_rows};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) PyBuffer_Release(taken[i]);
    return fits ? PyLong_FromLongLong(sentences.count) : NULL;
}

PyMethodDef spacy_methods[] = {
    {"spacy_tables", spacy_tables, METH_VARARGS, NULL},
    {"spacy_spans", spacy_spans, METH_VARARGS, NULL},
    {"spacy_sentences", spacy_sentences, METH_VARARGS, NULL},
    {0},
};
