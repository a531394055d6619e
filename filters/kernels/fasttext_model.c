/* Reads a fastText model file (versions 11 and 12): arguments, dictionary, input matrix, output matrix. A file is anybody's:
   whatever it says of sizes and places is compared with what is there before it is used. */
#include "fasttext.h"
#include <math.h>

enum { MAGIC = 793712314, SUPERVISED = 3 };
#define CUT "it ends too early"
#define NO_MEMORY "" /* an error without words */

typedef struct {
    const uint8_t *at, *end;
} Cursor;

/* The next bytes, NULL where there are not so many. */
static const void *take(Cursor *cursor, uint64_t size)
{
    const uint8_t *at = cursor->at;
    if (size > (uint64_t)(cursor->end - at)) return NULL;
    cursor->at = at + size;
    return at;
}

static bool copy(Cursor *cursor, void *to, size_t size)
{
    const void *from = take(cursor, size);
    if (from) memcpy(to, from, size);
    return from != NULL;
}

/* Readers return what is wrong, NULL: nothing. */
static const char *read_arguments(Model *model, Cursor *cursor)
{
    struct {
        int32_t dim, ws, epoch, min_count, neg, word_ngrams, loss, model, bucket, minn, maxn, lr_update_rate;
    } said;
    int32_t head[2] = {0};
    double sampling;
    if (!copy(cursor, head, sizeof head) || head[0] != MAGIC) return "it does not begin as one";
    if (head[1] != 11 && head[1] != 12) return "its version is neither 11 nor 12";
    if (!copy(cursor, &said, sizeof said) || !copy(cursor, &sampling, sizeof sampling)) return CUT;
    if (said.model != SUPERVISED) return "it is not supervised, it has no labels";
    if (said.loss < HIERARCHICAL || said.loss > ONE_VS_ALL) return "its loss is unknown";
    if (said.dim < 1) return "its dimension is not positive";
    model->dim = said.dim, model->word_ngrams = said.word_ngrams, model->loss = said.loss, model->bucket = said.bucket;
    model->minn = said.minn, model->maxn = head[1] == 11 ? 0 : said.maxn; /* those of 11 had no character n-grams, whatever they say */
    if (model->maxn > LONGEST_GRAM || model->word_ngrams > LONGEST_GRAM) return "its n-grams are longer than 64";
    bool hashes = model->maxn > 0 || model->word_ngrams > 1;
    if (model->bucket < 0 || (hashes && !model->bucket)) return "it has n-grams, but no buckets for them";
    if (model->bucket) model->inverse = UINT64_MAX / (uint32_t)model->bucket + 1;
    return NULL;
}

static uint64_t at_least(uint64_t count)
{
    uint64_t size = 64;
    while (size < count) size *= 2;
    return size;
}

/* The last of equal entries is the one that is found. */
static void add_entry(Model *model, int32_t place)
{
    const Entry *entry = &model->entries[place];
    uint32_t slot = entry->hash & model->slot_mask;
    for (int32_t other; (other = model->slots[slot]) >= 0; slot = (slot + 1) & model->slot_mask) {
        const Entry *there = &model->entries[other];
        if (there->hash == entry->hash && there->length == entry->length && !memcmp(there->text, entry->text, entry->length)) break;
    }
    model->slots[slot] = place;
}

/* `counts`, of the labels, is for the caller to free. */
static const char *read_entries(Model *model, Cursor *cursor, int32_t size, int64_t **counts)
{
    uint64_t slots = at_least(2 * (uint64_t)size);
    model->slot_mask = (uint32_t)(slots - 1);
    model->entries = malloc((size_t)size * sizeof *model->entries), model->slots = malloc(slots * 4);
    *counts = malloc((size_t)model->labels * 8);
    if (!model->entries || !model->slots || !*counts) return NO_MEMORY;
    memset(model->slots, 0xFF, slots * 4);
    for (int32_t i = 0; i < size; i++) {
        Entry *entry = &model->entries[i];
        const uint8_t *text = cursor->at, *end = memchr(text, 0, (size_t)(cursor->end - text));
        int64_t count;
        int8_t type;
        if (!end || end - text > INT32_MAX) return CUT;
        entry->text = text, entry->length = (uint32_t)(end - text), entry->hash = HASH_BEGIN;
        for (; text < end; text++) entry->hash = hash_on(entry->hash, *text);
        cursor->at = end + 1;
        if (!copy(cursor, &count, 8) || !copy(cursor, &type, 1)) return CUT;
        if (type != (i >= model->words)) return "its words do not stand before its labels";
        if (i >= model->words) (*counts)[i - model->words] = count;
        add_entry(model, i);
    }
    return NULL;
}

/* Which buckets kept a row when the model was pruned. */
static const char *read_kept(Model *model, Cursor *cursor)
{
    if (model->kept <= 0) return NULL;
    uint64_t count = (uint64_t)model->kept;
    if (count > (uint64_t)(cursor->end - cursor->at) / 8 || count > INT32_MAX / 32) return CUT;
    uint64_t slots = at_least(2 * count), bits = at_least(16 * count);
    model->kept_slots = malloc(slots * 8), model->sieve = calloc(bits / 64, 8);
    if (!model->kept_slots || !model->sieve) return NO_MEMORY;
    memset(model->kept_slots, 0xFF, slots * 8);
    model->kept_mask = (uint32_t)(slots - 1), model->sieve_mask = (uint32_t)(bits - 1);
    for (uint64_t i = 0; i < count; i++) {
        int32_t pair[2];
        if (!copy(cursor, pair, 8)) return CUT;
        if (pair[0] < 0 || pair[1] < 0) return "a bucket that it kept has no place";
        uint32_t slot = (uint32_t)pair[0] & model->kept_mask, bit = (uint32_t)pair[0] & model->sieve_mask;
        while (model->kept_slots[slot][0] >= 0 && model->kept_slots[slot][0] != pair[0]) slot = (slot + 1) & model->kept_mask;
        memcpy(model->kept_slots[slot], pair, 8);
        model->sieve[bit >> 6] |= (uint64_t)1 << (bit & 63);
    }
    return NULL;
}

static const char *read_dictionary(Model *model, Cursor *cursor, int64_t **counts)
{
    int32_t sizes[3];
    int64_t tokens;
    if (!copy(cursor, sizes, sizeof sizes) || !copy(cursor, &tokens, 8) || !copy(cursor, &model->kept, 8)) return CUT;
    if (sizes[1] < 0 || sizes[2] < 1 || (int64_t)sizes[1] + sizes[2] != sizes[0]) return "its words and labels do not add up";
    if (sizes[0] > (cursor->end - cursor->at) / 10) return CUT; /* an entry has ten bytes or more */
    model->words = sizes[1], model->labels = sizes[2];
    const char *wrong = read_entries(model, cursor, sizes[0], counts);
    return wrong ? wrong : read_kept(model, cursor);
}

static const char *read_quantiser(Cursor *cursor, int64_t cols, int32_t said[4], const Loose **centroids)
{
    if (!copy(cursor, said, 16)) return CUT;
    int32_t dim = said[0], parts = said[1], width = said[2], last = said[3];
    bool fits = dim == cols && width >= 1 && parts >= 1 && last >= 1 && last <= width && (int64_t)(parts - 1) * width + last == dim;
    if (!fits) return "the parts of a quantised row do not add up";
    return (*centroids = take(cursor, (uint64_t)dim * 256 * 4)) ? NULL : CUT;
}

static const char *read_quantised(Matrix *matrix, Cursor *cursor)
{
    uint8_t has_norms;
    int32_t code_size, said[4], of_norms[4];
    if (!copy(cursor, &has_norms, 1) || !copy(cursor, &matrix->rows, 8) || !copy(cursor, &matrix->cols, 8) || !copy(cursor, &code_size, 4))
        return CUT;
    if (code_size < 0) return "a matrix is too large";
    if (!(matrix->codes = take(cursor, (uint64_t)code_size))) return CUT;
    const char *wrong = read_quantiser(cursor, matrix->cols, said, &matrix->centroids);
    if (wrong) return wrong;
    matrix->parts = said[1], matrix->width = said[2], matrix->last_width = said[3];
    if (matrix->rows != code_size / matrix->parts || code_size % matrix->parts) return "the parts of a quantised row do not add up";
    if (!has_norms) return NULL;
    if (!(matrix->norm_codes = take(cursor, (uint64_t)matrix->rows))) return CUT;
    return read_quantiser(cursor, 1, of_norms, &matrix->norms);
}

static const char *read_dense(Matrix *matrix, Cursor *cursor)
{
    if (!copy(cursor, &matrix->rows, 8) || !copy(cursor, &matrix->cols, 8)) return CUT;
    if (matrix->rows < 0 || matrix->rows > INT32_MAX || matrix->cols < 1 || matrix->cols > INT32_MAX) return "a matrix is too large";
    return (matrix->floats = take(cursor, (uint64_t)matrix->rows * (uint64_t)matrix->cols * 4)) ? NULL : CUT;
}

static const char *read_matrices(Model *model, Cursor *cursor)
{
    uint8_t quantised, quantised_output;
    if (!copy(cursor, &quantised, 1)) return CUT;
    if (!quantised && model->kept >= 0) return "it is pruned, but not quantised";
    const char *wrong = (quantised ? read_quantised : read_dense)(&model->input, cursor);
    if (!wrong && !copy(cursor, &quantised_output, 1)) wrong = CUT;
    if (!wrong) wrong = (quantised && quantised_output ? read_quantised : read_dense)(&model->output, cursor);
    if (wrong) return wrong;
    int64_t grams = model->maxn > 0 || model->word_ngrams > 1 ? (model->kept < 0 ? model->bucket : 0) : 0;
    bool fits = model->input.cols == model->dim && model->output.cols == model->dim && model->output.rows == model->labels &&
                model->input.rows - model->words >= grams;
    for (int64_t i = 0; model->kept > 0 && i <= model->kept_mask; i++) fits &= model->kept_slots[i][1] < model->input.rows - model->words;
    return fits ? NULL : "its matrices do not fit its dictionary";
}

/* Huffman's tree over labels that stand by falling count, as fastText builds it: two ends, the smaller count first. */
static const char *build_tree(Model *model, const int64_t *counts)
{
    const int64_t endless = (int64_t)1e15, labels = model->labels, nodes = 2 * labels - 1;
    if (nodes > INT32_MAX) return "its words and labels do not add up";
    int64_t *weights = malloc((size_t)nodes * 8), total = 0;
    model->tree = malloc((size_t)nodes * sizeof *model->tree);
    const char *wrong = weights && model->tree ? NULL : NO_MEMORY;
    for (int64_t i = 0; !wrong && i < nodes; i++) {
        weights[i] = i < labels ? counts[i] : endless;
        model->tree[i] = (Branch){-1, -1};
        if (i < labels && (counts[i] < 0 || counts[i] >= endless || (total += counts[i]) >= endless)) wrong = "a count of a label is absurd";
    }
    int32_t leaf = model->labels - 1, node = model->labels;
    for (int64_t i = labels; !wrong && i < nodes; i++) {
        int32_t least[2];
        for (int k = 0; k < 2; k++) least[k] = leaf >= 0 && weights[leaf] < weights[node] ? leaf-- : node++;
        model->tree[i] = (Branch){least[0], least[1]};
        weights[i] = weights[least[0]] + weights[least[1]];
    }
    free(weights);
    return wrong;
}

/* Interleaves the output's rows, so that the sums of LANES labels go on side by side, each in the order of its columns. */
static const char *interleave(Model *model)
{
    const Matrix *output = &model->output;
    int64_t blocks = (output->rows + LANES - 1) / LANES;
    if (output->cols > ((int64_t)1 << 28) / LANES / blocks) return "its labels and dimension together are more than a gigabyte";
    float *lanes = model->lanes = calloc((size_t)(blocks * output->cols * LANES), sizeof(float));
    if (!lanes) return NO_MEMORY;
    for (int64_t row = 0; row < output->rows; row++) {
        float *to = lanes + row / LANES * output->cols * LANES + row % LANES;
        if (output->floats) {
            for (int64_t j = 0; j < output->cols; j++) to[j * LANES] = output->floats[row * output->cols + j];
            continue;
        }
        for (int32_t part = 0; part < output->parts; part++) {
            const Loose *values = centroid(output, part, output->codes[row * output->parts + part]);
            int32_t width = part == output->parts - 1 ? output->last_width : output->width;
            for (int32_t j = 0; j < width; j++) to[((int64_t)part * output->width + j) * LANES] = values[j];
        }
    }
    for (int i = 0; i <= 512; i++) model->sigmoids[i] = (float)(1.0 / (1.0 + (double)expf(-((float)(i * 16) / 512 - 8))));
    return NULL;
}

static const char *read_model(Model *model)
{
    Cursor cursor = {model->file.buf, (const uint8_t *)model->file.buf + model->file.len};
    int64_t *counts = NULL;
    const char *wrong = read_arguments(model, &cursor);
    if (!wrong) wrong = read_dictionary(model, &cursor, &counts);
    if (!wrong) wrong = read_matrices(model, &cursor);
    if (!wrong) wrong = model->loss == HIERARCHICAL ? build_tree(model, counts) : interleave(model);
    free(counts);
    return wrong;
}

static void free_model(Model *model)
{
    PyBuffer_Release(&model->file);
    free(model->entries), free(model->slots), free(model->kept_slots), free(model->sieve), free(model->lanes), free(model->tree), free(model);
}

static void destroy(PyObject *capsule) { free_model(PyCapsule_GetPointer(capsule, FASTTEXT)); }

/* fasttext_model(file): a capsule that keeps the file's buffer, and the labels as bytes. */
PyObject *fasttext_model(PyObject *self, PyObject *args)
{
    Model *model = calloc(1, sizeof *model);
    if (!model) return PyErr_NoMemory();
    if (!PyArg_ParseTuple(args, "y*", &model->file)) {
        free(model);
        return NULL;
    }
    const char *wrong;
    Py_BEGIN_ALLOW_THREADS
    wrong = read_model(model);
    Py_END_ALLOW_THREADS
    PyObject *capsule = NULL, *labels = NULL;
    if (wrong && *wrong) PyErr_SetString(PyExc_ValueError, wrong);
    else if (wrong) PyErr_NoMemory();
    else capsule = PyCapsule_New(model, FASTTEXT, destroy);
    if (!capsule) {
        free_model(model);
        return NULL;
    }
    labels = PyList_New(model->labels);
    for (int32_t i = 0; labels && i < model->labels; i++) {
        const Entry *entry = &model->entries[model->words + i];
        PyObject *label = PyBytes_FromStringAndSize((const char *)entry->text, (Py_ssize_t)entry->length);
        if (!label || PyList_SetItem(labels, i, label)) Py_CLEAR(labels);
    }
    return labels ? Py_BuildValue("NN", capsule, labels) : (Py_DECREF(capsule), NULL);
}
