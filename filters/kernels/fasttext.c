/* Labels of texts and their probabilities by a supervised fastText model, the best one or all: those of fastText's `predict`.

   Words, character n-grams and word n-grams name rows of the input matrix; their mean is multiplied with the output matrix. Sums are
   of float32 and in fastText's order, so that scores agree to the last bit. What is saved is everything around them: no string is
   made for a word or an n-gram, and what was pruned away is known by one bit. */
#include "fasttext.h"
#include <math.h>
#pragma STDC FP_CONTRACT OFF /* fastText's wheels round products before they add them */

enum { WAITING = 2048 }; /* rows that are collected before they are summed */

/* Scratch for one text after another. */
typedef struct {
    float *hidden, *scores; /* [dim]; a score for each label */
    uint8_t *token;         /* <word> */
    int32_t *hashes;        /* of the words of a text, where there are word n-grams */
    int64_t num_hashes, num_rows;
    struct { int32_t node; float score; } *stack;
    int32_t rows[WAITING];
    int waiting;
} Scratch;

FOR_EACH_CPU static void add_dense(const Loose *restrict floats, int64_t cols, const int32_t *restrict rows, int count, float *restrict sum)
{
    for (int i = 0; i < count; i++) {
        const Loose *row = floats + rows[i] * cols;
        for (int64_t j = 0; j < cols; j++) sum[j] += row[j];
    }
}

FOR_EACH_CPU static void add_quantised(const Matrix *restrict matrix, const int32_t *restrict rows, int count, float *restrict sum)
{
    for (int i = 0; i < count; i++) {
        const uint8_t *codes = matrix->codes + (int64_t)rows[i] * matrix->parts;
        float norm = norm_of(matrix, rows[i]);
        for (int32_t part = 0; part < matrix->parts; part++) {
            const Loose *values = centroid(matrix, part, codes[part]);
            float *to = sum + (int64_t)part * matrix->width;
            int32_t width = part == matrix->parts - 1 ? matrix->last_width : matrix->width;
            for (int32_t j = 0; j < width; j++) to[j] += norm * values[j];
        }
    }
}

static void add_waiting(const Model *model, Scratch *scratch)
{
    const Matrix *input = &model->input;
    if (input->floats) add_dense(input->floats, input->cols, scratch->rows, scratch->waiting, scratch->hidden);
    else add_quantised(input, scratch->rows, scratch->waiting, scratch->hidden);
    scratch->num_rows += scratch->waiting;
    scratch->waiting = 0;
}

static inline void push(const Model *model, Scratch *scratch, int32_t row)
{
    scratch->rows[scratch->waiting++] = row;
    if (scratch->waiting == WAITING) add_waiting(model, scratch);
}

static inline void push_bucket(const Model *model, Scratch *scratch, int32_t bucket)
{
    if (model->kept >= 0) {
        uint32_t bit = (uint32_t)bucket & model->sieve_mask;
        if (!(model->sieve[bit >> 6] >> (bit & 63) & 1)) return;
        uint32_t slot = (uint32_t)bucket & model->kept_mask;
        for (; model->kept_slots[slot][0] != bucket; slot = (slot + 1) & model->kept_mask)
            if (model->kept_slots[slot][0] < 0) return;
        bucket = model->kept_slots[slot][1];
    }
    push(model, scratch, model->words + bucket);
}

/* Character n-grams of a word between its two marks; a mark alone is none. */
static void push_grams(const Model *model, Scratch *scratch, const uint8_t *word, int64_t length)
{
    const uint8_t *end = word + length;
    for (const uint8_t *begin = word; begin < end; begin++) {
        if ((*begin & 0xC0) == 0x80) continue;
        uint32_t hash = HASH_BEGIN;
        const uint8_t *at = begin;
        for (int n = 1; n <= model->maxn && at < end; n++) {
            do hash = hash_on(hash, *at++);
            while (at < end && (*at & 0xC0) == 0x80);
            if (n >= model->minn && !(n == 1 && (begin == word || at == end))) push_bucket(model, scratch, remainder_of(model, hash));
        }
    }
}

/* The last entry of that text, -1: none. */
static int32_t entry_of(const Model *model, const uint8_t *text, size_t length, uint32_t hash)
{
    for (uint32_t slot = hash & model->slot_mask;; slot = (slot + 1) & model->slot_mask) {
        int32_t place = model->slots[slot];
        if (place < 0) return -1;
        const Entry *entry = &model->entries[place];
        if (entry->hash == hash && entry->length == length && !memcmp(entry->text, text, length)) return place;
    }
}

/* One word; false: the text ends with it. */
static bool push_word(const Model *model, Scratch *scratch, const uint8_t *text, size_t length)
{
    static const char label[] = "__label__";
    bool is_end = is_text(text, length, "</s>");
    uint32_t hash = HASH_BEGIN;
    for (size_t i = 0; i < length; i++) hash = hash_on(hash, text[i]);
    int32_t entry = entry_of(model, text, length, hash);
    if (entry >= model->words) return !is_end; /* a label says nothing of the text */
    if (entry < 0 && length >= sizeof label - 1 && !memcmp(text, label, sizeof label - 1)) return true;
    if (model->word_ngrams > 1) scratch->hashes[scratch->num_hashes++] = (int32_t)hash;
    if (entry >= 0) push(model, scratch, entry);
    if (model->maxn > 0 && model->kept && !is_end) {
        scratch->token[0] = '<', scratch->token[length + 1] = '>';
        memcpy(scratch->token + 1, text, length);
        push_grams(model, scratch, scratch->token, (int64_t)length + 2);
    }
    return !is_end;
}

static void push_word_ngrams(const Model *model, Scratch *scratch)
{
    if (!model->kept) return;
    for (int64_t i = 0; i < scratch->num_hashes; i++) {
        uint64_t hash = (uint64_t)scratch->hashes[i];
        for (int64_t j = i + 1; j < scratch->num_hashes && j < i + model->word_ngrams; j++) {
            hash = hash * 116049371 + (uint64_t)scratch->hashes[j];
            push_bucket(model, scratch, (int32_t)(hash % (uint64_t)model->bucket));
        }
    }
}

static bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r') || !byte; }

/* The mean of the rows that a text names, in `hidden`; false where it names none. A line end is a blank; the text's end is "</s>". */
static bool read_text(const Model *model, Scratch *scratch, const uint8_t *at, const uint8_t *end)
{
    memset(scratch->hidden, 0, (size_t)model->dim * sizeof(float));
    scratch->num_hashes = scratch->num_rows = scratch->waiting = 0;
    bool goes_on = true;
    while (goes_on) {
        while (at < end && is_blank(*at)) at++;
        const uint8_t *begin = at;
        while (at < end && !is_blank(*at)) at++;
        goes_on = at > begin ? push_word(model, scratch, begin, (size_t)(at - begin)) : push_word(model, scratch, (const uint8_t *)"</s>", 4);
    }
    push_word_ngrams(model, scratch);
    add_waiting(model, scratch);
    float share = (float)(1.0 / (double)scratch->num_rows);
    for (int32_t j = 0; j < model->dim; j++) scratch->hidden[j] *= share;
    return scratch->num_rows;
}

static float score_of(const Matrix *output, int64_t row, const float *hidden)
{
    float sum = 0;
    if (output->floats) {
        const Loose *values = output->floats + row * output->cols;
        for (int64_t j = 0; j < output->cols; j++) sum += values[j] * hidden[j];
        return sum;
    }
    for (int32_t part = 0; part < output->parts; part++) {
        const Loose *values = centroid(output, part, output->codes[row * output->parts + part]);
        int32_t width = part == output->parts - 1 ? output->last_width : output->width;
        for (int32_t j = 0; j < width; j++) sum += hidden[(int64_t)part * output->width + j] * values[j];
    }
    return sum * norm_of(output, row);
}

FOR_EACH_CPU static void sum_lanes(const float *restrict lanes, const float *restrict hidden, int64_t cols, float *restrict sums)
{
    float sum[LANES] = {0};
    for (int64_t j = 0; j < cols; j++)
        for (int lane = 0; lane < LANES; lane++) sum[lane] += lanes[j * LANES + lane] * hidden[j];
    memcpy(sums, sum, sizeof sum);
}

static float log_of(float share) { return (float)log((double)share + 1e-5); }

/* The best label, -1: none is likelier than 1 in 100,000, -2: the model has numbers that are none. Of equals the later one.
   *score: the logarithm of its probability. `all`, where it is given: the probability of every label, 0 of one less likely than that. */
static int32_t walk_leaves(const Model *model, Scratch *scratch, float *score, float *all)
{
    const float least = log_of(0);
    int32_t best = -1;
    int64_t waiting = 0;
    if (all) memset(all, 0, (size_t)model->labels * sizeof(float));
    scratch->stack[waiting].node = 2 * model->labels - 2, scratch->stack[waiting++].score = 0;
    while (waiting) {
        int32_t node = scratch->stack[--waiting].node;
        float sum = scratch->stack[waiting].score;
        if (sum < least || (!all && best >= 0 && sum < *score)) continue;
        if (node < model->labels) {
            if (all) all[node] = expf(sum);
            best = node, *score = sum;
            continue;
        }
        float right = score_of(&model->output, node - model->labels, scratch->hidden);
        if (isnan(right)) return -2;
        right = (float)(1.0 / (double)(1 + expf(-right)));
        scratch->stack[waiting].node = model->tree[node].right, scratch->stack[waiting++].score = sum + log_of(right);
        scratch->stack[waiting].node = model->tree[node].left, scratch->stack[waiting++].score = sum + log_of((float)(1.0 - (double)right));
    }
    return best;
}

static void soften(float *scores, int64_t count)
{
    float most = scores[0], sum = 0;
    for (int64_t i = 1; i < count; i++) most = scores[i] > most ? scores[i] : most;
    for (int64_t i = 0; i < count; i++) sum += scores[i] = (float)exp((double)(scores[i] - most));
    for (int64_t i = 0; i < count; i++) scores[i] /= sum;
}

static float sigmoid(const Model *model, float x) { return x < -8 ? 0 : x > 8 ? 1 : model->sigmoids[(int64_t)((x + 8) * 512 / 8 / 2)]; }

/* As `walk_leaves`, where every label has its own score. */
static int32_t score_labels(const Model *model, Scratch *scratch, float *score, float *all)
{
    const Matrix *output = &model->output;
    float *scores = scratch->scores;
    for (int64_t row = 0; row < output->rows; row += LANES) sum_lanes(model->lanes + row * output->cols, scratch->hidden, output->cols, scores + row);
    for (int64_t row = 0; row < output->rows; row++) {
        scores[row] *= norm_of(output, row);
        if (isnan(scores[row])) return -2;
        if (model->loss != SOFTMAX) scores[row] = sigmoid(model, scores[row]);
    }
    if (model->loss == SOFTMAX) soften(scores, output->rows);
    int32_t best = -1;
    for (int32_t label = 0; label < model->labels; label++) {
        if (isnan(scores[label])) return -2;
        float sum = log_of(scores[label]);
        if (all) all[label] = expf(sum);
        if (best < 0 || sum >= *score) best = label, *score = sum;
    }
    return best;
}

static bool scratch_of(Scratch *scratch, const Model *model, const Text *text)
{
    int64_t longest = 0;
    for (int64_t row = 0; row < text->rows; row++) {
        int64_t length = text->offsets[row + 1] - text->offsets[row];
        longest = length > longest ? length : longest;
    }
    scratch->hidden = malloc((size_t)model->dim * sizeof(float)), scratch->token = malloc((size_t)longest + 6);
    scratch->scores = malloc(((size_t)model->labels + LANES) * sizeof(float));
    if (model->word_ngrams > 1) scratch->hashes = malloc(((size_t)longest / 2 + 2) * sizeof(int32_t));
    if (model->tree) scratch->stack = malloc(((size_t)model->labels + 1) * sizeof *scratch->stack);
    return scratch->hidden && scratch->token && scratch->scores && (scratch->hashes || model->word_ngrams <= 1) && (scratch->stack || !model->tree);
}

static void free_scratch(Scratch *scratch)
{
    if (scratch) free(scratch->hidden), free(scratch->scores), free(scratch->token), free(scratch->hashes), free(scratch->stack), free(scratch);
}

/* Asks the model about every text; false: it has weights that are not numbers. One of `label` (with `score`) and `all` is given. */
static bool ask_all(const Model *model, Scratch *scratch, const Text *text, int32_t *label, float *score, float *all)
{
    for (int64_t row = 0; row < text->rows; row++) {
        float found = 0, *mine = all ? all + row * model->labels : NULL;
        int32_t best = -1;
        if (read_text(model, scratch, text->data + text->offsets[row], text->data + text->offsets[row + 1]))
            best = (model->tree ? walk_leaves : score_labels)(model, scratch, &found, mine);
        else if (all) memset(mine, 0, (size_t)model->labels * sizeof(float));
        if (best < -1) return false;
        if (label) label[row] = best, score[row] = best < 0 ? 0 : expf(found);
    }
    return true;
}

/* Fills buffers of (labels, scores) or of (all), as many bytes as given for every text. */
static PyObject *ask(PyObject *capsule, Py_buffer *data, Py_buffer *offsets, Py_buffer *labels, Py_buffer *scores, Py_buffer *all)
{
    const Model *model = PyCapsule_GetPointer(capsule, FASTTEXT);
    Scratch *scratch = NULL;
    Text text;
    bool fits = model && text_of(&text, data, offsets);
    if (fits && labels && (labels->len != text.rows * 4 || scores->len != text.rows * 4)) {
        PyErr_SetString(PyExc_ValueError, "labels, scores: four bytes for every row");
        fits = false;
    }
    if (fits && all && (all->len % 4 || all->len / 4 / model->labels != text.rows || all->len / 4 % model->labels)) {
        PyErr_SetString(PyExc_ValueError, "scores: four bytes for every label of every row");
        fits = false;
    }
    if (fits && (!(scratch = calloc(1, sizeof *scratch)) || !scratch_of(scratch, model, &text))) fits = PyErr_NoMemory() != NULL;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        fits = ask_all(model, scratch, &text, labels ? labels->buf : NULL, scores ? scores->buf : NULL, all ? all->buf : NULL);
        Py_END_ALLOW_THREADS
        if (!fits) PyErr_SetString(PyExc_ValueError, "the model has weights that are not numbers");
    }
    free_scratch(scratch);
    return fits ? Py_NewRef(Py_None) : NULL;
}

/* fasttext_best(model, data, offsets, labels, scores): int32 and float32 of each row. */
static PyObject *fasttext_best(PyObject *self, PyObject *args)
{
    PyObject *capsule;
    Py_buffer data, offsets, labels, scores;
    if (!PyArg_ParseTuple(args, "Oy*y*w*w*", &capsule, &data, &offsets, &labels, &scores)) return NULL;
    PyObject *done = ask(capsule, &data, &offsets, &labels, &scores, NULL);
    RELEASE(&data, &offsets, &labels, &scores);
    return done;
}

/* fasttext_all(model, data, offsets, scores): float32 of each row and label. */
static PyObject *fasttext_all(PyObject *self, PyObject *args)
{
    PyObject *capsule;
    Py_buffer data, offsets, scores;
    if (!PyArg_ParseTuple(args, "Oy*y*w*", &capsule, &data, &offsets, &scores)) return NULL;
    PyObject *done = ask(capsule, &data, &offsets, NULL, NULL, &scores);
    RELEASE(&data, &offsets, &scores);
    return done;
}

PyMethodDef fasttext_methods[] = {
    {"fasttext_model", fasttext_model, METH_VARARGS, NULL},
    {"fasttext_best", fasttext_best, METH_VARARGS, NULL},
    {"fasttext_all", fasttext_all, METH_VARARGS, NULL},
    {0},
};
