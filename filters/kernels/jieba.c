/* Words of Chinese text, the very ones of jieba 0.42.1's `cut(text, cut_all=False, HMM=True)`, without its white space.

   jieba takes the logarithms of the probabilities of words and states as float64, adds them in an order, and prefers the
   later of equals. So does this, in the same order, and every word comes out the same. */
#include "jieba.h"

/* Of one block: the codes of its characters and a 0, the best sum from each character on, the length of the word that gives
   it, and for the model, which state came before. */
typedef struct {
    uint16_t *codes;
    double *best;
    uint8_t *lengths, *before;
    int64_t room;
} Scratch;

static bool grow(Scratch *scratch)
{
    int64_t room = scratch->room ? scratch->room * 2 : 1 << 12;
    uint16_t *codes = realloc(scratch->codes, (size_t)room * sizeof *codes);
    if (codes) scratch->codes = codes;
    double *best = realloc(scratch->best, (size_t)room * sizeof *best);
    if (best) scratch->best = best;
    uint8_t *lengths = realloc(scratch->lengths, (size_t)room), *before = realloc(scratch->before, (size_t)room);
    if (lengths) scratch->lengths = lengths;
    if (before) scratch->before = before;
    if (codes && best && lengths && before) scratch->room = room;
    return scratch->room == room;
}

static void free_scratch(Scratch *scratch) { free(scratch->codes), free(scratch->best), free(scratch->lengths), free(scratch->before); }

/* `get_DAG` and `calc`: the path of words with the greatest sum, from the end to the beginning. */
static void route(const Jieba *table, Scratch *scratch, int64_t count)
{
    const uint16_t *codes = scratch->codes;
    scratch->best[count] = 0;
    for (int64_t first = count - 1; first >= 0; first--) {
        double most = 0;
        int64_t length = 0;
        uint32_t slot = codes[first]; /* the root's base is 0 */
        for (int64_t last = first; table->labels[slot] == codes[last];) {
            Node node = table->nodes[slot];
            last++;
            if (node.weight) {
                double sum = table->weights[node.weight] + scratch->best[last];
                if (!length || sum >= most) most = sum, length = last - first;
            }
            if (node.base < 0) break;
            slot = (uint32_t)node.base + codes[last]; /* the 0 after the block is no label */
        }
        if (!length) most = table->weights[0] + scratch->best[first + 1], length = 1;
        scratch->best[first] = most, scratch->lengths[first] = (uint8_t)length;
    }
}

/* `FREQ.get(buf)`: whether these codes are a word. */
static bool is_word(const Jieba *table, const uint16_t *codes, int64_t count)
{
    uint32_t slot = codes[0];
    for (int64_t i = 0; table->labels[slot] == codes[i];) {
        Node node = table->nodes[slot];
        if (++i == count) return node.weight;
        if (node.base < 0) return false;
        slot = (uint32_t)node.base + codes[i];
    }
    return false;
}

/* The two states that can come before each, the one that wins a tie first. */
static const uint8_t BEFORE[4][2] = {[BEGIN] = {SINGLE, END}, [END] = {MIDDLE, BEGIN}, [MIDDLE] = {MIDDLE, BEGIN}, [SINGLE] = {SINGLE, END}};

/* `finalseg.viterbi`: the state of each character, in `before`. */
static void viterbi(const Jieba *table, const uint16_t *codes, uint8_t *before, int64_t count)
{
    double sums[4];
    for (int state = 0; state < 4; state++) sums[state] = table->start[state] + table->emit[codes[0]][state];
    for (int64_t i = 1; i < count; i++) {
        const double *emit = table->emit[codes[i]];
        double next[4];
        uint8_t choices = 0;
        for (int state = 0; state < 4; state++) {
            int high = BEFORE[state][0], low = BEFORE[state][1];
            double of_high = sums[high] + table->trans[high][state] + emit[state];
            double of_low = sums[low] + table->trans[low][state] + emit[state];
            bool lower = of_low > of_high;
            next[state] = lower ? of_low : of_high;
            choices |= (uint8_t)(lower << state);
        }
        memcpy(sums, next, sizeof sums);
        before[i] = choices;
    }
    before[0] = 0;
    uint8_t state = sums[SINGLE] >= sums[END] ? SINGLE : END;
    for (int64_t i = count - 1; i >= 0; i--) {
        uint8_t choices = before[i];
        before[i] = state;
        state = BEFORE[state][choices >> state & 1];
    }
}

/* Where the words go: `at` is the place in the text of the next character. */
typedef struct {
    const Text *text;
    Spans *spans;
    const uint8_t *at;
} Out;

static int width(uint16_t code) { return code < HAN_CODE ? 1 : 3; }

static void put(Out *out, const uint16_t *codes, int64_t count)
{
    const uint8_t *begin = out->at;
    for (int64_t i = 0; i < count; i++) out->at += width(codes[i]);
    span(out->spans, out->text, begin, out->at);
}

/* `finalseg.__cut`: Han characters that the model joins. A word ends at END or SINGLE, as does the last. */
static void put_han(const Jieba *table, Out *out, const uint16_t *codes, uint8_t *before, int64_t count)
{
    viterbi(table, codes, before, count);
    for (int64_t i = 0, begin = 0; i < count; i++) {
        if (before[i] != END && before[i] != SINGLE) continue;
        put(out, codes + begin, i + 1 - begin);
        begin = i + 1;
    }
}

static bool is_digit(uint16_t code) { return code >= '0' && code <= '9'; }
static bool is_letter_or_digit(uint16_t code) { return is_digit(code) || ((code | 32) >= 'a' && (code | 32) <= 'z'); }

/* `finalseg.re_skip` splits the rest: "([a-zA-Z0-9]+(?:\.\d+)?%?)", and what stands between. */
static void put_latin(Out *out, const uint16_t *codes, int64_t count)
{
    for (int64_t i = 0; i < count;) {
        int64_t begin = i;
        while (i < count && !is_letter_or_digit(codes[i])) i++;
        if (i == begin) {
            while (i < count && is_letter_or_digit(codes[i])) i++;
            if (i + 1 < count && codes[i] == '.' && is_digit(codes[i + 1]))
                for (i++; i < count && is_digit(codes[i]);) i++;
            if (i < count && codes[i] == '%') i++;
        }
        put(out, codes + begin, i - begin);
    }
}

/* What `__cut_DAG` does with a run of single characters. */
static void put_singles(const Jieba *table, Out *out, const uint16_t *codes, uint8_t *before, int64_t count)
{
    if (count == 1 || is_word(table, codes, count)) {
        for (int64_t i = 0; i < count; i++) put(out, codes + i, 1);
        return;
    }
    for (int64_t i = 0; i < count;) {
        int64_t begin = i;
        bool han = codes[i] >= HAN_CODE;
        while (i < count && (codes[i] >= HAN_CODE) == han) i++;
        if (han) put_han(table, out, codes + begin, before + begin, i - begin);
        else put_latin(out, codes + begin, i - begin);
    }
}

/* `__cut_DAG` */
static void put_block(const Jieba *table, Out *out, Scratch *scratch, int64_t count)
{
    route(table, scratch, count);
    const uint16_t *codes = scratch->codes;
    for (int64_t i = 0; i < count;) {
        int64_t begin = i;
        while (i < count && scratch->lengths[i] == 1) i++;
        if (i > begin) put_singles(table, out, codes + begin, scratch->before + begin, i - begin);
        if (i == count) break;
        put(out, codes + i, scratch->lengths[i]);
        i += scratch->lengths[i];
    }
}

/* What Python's `\s` and `isspace` agree on. */
static bool is_space(uint32_t point)
{
    if (point < 0x80) return point == ' ' || (point >= 0x09 && point <= 0x0D) || (point >= 0x1C && point <= 0x1F);
    return point == 0x85 || point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 ||
           point == 0x202F || point == 0x205F || point == 0x3000;
}

/* `cut`; false without memory. */
static bool cut(const Jieba *table, const Text *text, Spans *spans)
{
    Scratch scratch = {0};
    Out out = {text, spans, NULL};
    bool enough = grow(&scratch);
    spans->rows[0] = 0;
    for (int64_t row = 0; enough && row < text->rows; row++) {
        const uint8_t *at = text->data + text->offsets[row], *end = text->data + text->offsets[row + 1];
        while (enough && at < end) {
            int64_t count = 0;
            out.at = at;
            while (at < end && (scratch.codes[count] = block_code(&at, end)))
                if (++count == scratch.room && !(enough = grow(&scratch))) break;
            if (!enough) break;
            scratch.codes[count] = 0;
            if (count) put_block(table, &out, &scratch, count);
            if (at == end) break;
            const uint8_t *begin = at; /* one word for each character of no block */
            if (!is_space(next_point(&at, end))) span(spans, text, begin, at);
        }
        spans->rows[row + 1] = spans->count;
    }
    free_scratch(&scratch);
    return enough;
}

static PyObject *jieba_spans(PyObject *self, PyObject *args)
{
    PyObject *capsule;
    Py_buffer data, offsets, begins, ends, rows;
    if (!PyArg_ParseTuple(args, "Oy*y*w*w*w*", &capsule, &data, &offsets, &begins, &ends, &rows)) return NULL;
    Text text;
    Spans spans;
    const Jieba *table = PyCapsule_GetPointer(capsule, JIEBA);
    bool fits = table && text_of(&text, &data, &offsets) && spans_of(&spans, &text, &begins, &ends, &rows), enough = true;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        enough = cut(table, &text, &spans);
        Py_END_ALLOW_THREADS
    }
    Py_buffer *taken[] = {&data, &offsets, &begins, &ends, &rows};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) PyBuffer_Release(taken[i]);
    if (!fits) return NULL;
    return enough ? PyLong_FromLongLong(spans.count) : PyErr_NoMemory();
}

/* Marks of characters for the sentences. */
enum { PUNCTUATION = 1, PERIOD = 2 };

/* Sentences of each row with a word in them, as spaCy's sentencizer sees them in spaCy's tokens: the words, each with the one
   space after it, and what other white space is left between them. */
static void count_sentences(const uint8_t *data, const Spans *spans, int64_t rows, const uint8_t *marks, int64_t *counts)
{
    for (int64_t row = 0; row < rows; row++) {
        bool period = false, fresh = true;
        counts[row] = 0;
        for (int64_t word = spans->rows[row]; word < spans->rows[row + 1]; word++) {
            const uint8_t *at = data + spans->begins[word], *end = data + spans->ends[word];
            if (word > spans->rows[row]) {
                int64_t gap = spans->begins[word] - spans->ends[word - 1];
                bool white = gap && gap - (data[spans->ends[word - 1]] == ' ');
                if (white && period) fresh = true, period = false;
            }
            uint8_t mark = marks[next_point(&at, end)];
            bool last = at == end && mark & PERIOD, punctuation = mark & PUNCTUATION;
            while (at < end && punctuation) punctuation = marks[next_point(&at, end)] & PUNCTUATION;
            if (period && !punctuation && !last) fresh = true, period = false;
            else if (last) period = true;
            counts[row] += fresh, fresh = false;
        }
    }
}

static PyObject *jieba_sentences(PyObject *self, PyObject *args)
{
    Py_buffer data, begins, ends, rows, marks, counts;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*w*", &data, &begins, &ends, &rows, &marks, &counts)) return NULL;
    Spans spans = {begins.buf, ends.buf, rows.buf, begins.len / 8, 0};
    int64_t num_rows = rows.len / 8 - 1;
    bool fits = num_rows >= 0 && ends.len == spans.count * 8 && marks.len == CODES && counts.len == num_rows * 8;
    for (int64_t i = 0; fits && i < spans.count; i++)
        fits = (i ? spans.ends[i - 1] : 0) <= spans.begins[i] && spans.begins[i] < spans.ends[i] && spans.ends[i] <= data.len;
    for (int64_t row = 0; fits && row < num_rows; row++) fits = 0 <= spans.rows[row] && spans.rows[row] <= spans.rows[row + 1];
    if (!fits || spans.rows[num_rows] > spans.count) {
        fits = false;
        PyErr_SetString(PyExc_ValueError, "jieba_sentences: the buffers do not fit together");
    } else {
        Py_BEGIN_ALLOW_THREADS
        count_sentences(data.buf, &spans, num_rows, marks.buf, counts.buf);
        Py_END_ALLOW_THREADS
    }
    Py_buffer *taken[] = {&data, &begins, &ends, &rows, &marks, &counts};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) PyBuffer_Release(taken[i]);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

PyMethodDef jieba_methods[] = {
    {"jieba_table", jieba_table, METH_VARARGS, NULL},
    {"jieba_spans", jieba_spans, METH_VARARGS, NULL},
    {"jieba_sentences", jieba_sentences, METH_VARARGS, NULL},
    {0},
};
