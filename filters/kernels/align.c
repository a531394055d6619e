/* Weighted alignment of token hashes: how much of a question stands in a stretch of text, in order (filters/alignment.py). */
#include "kernels.h"

/* A question of n tokens, a text of m; table[i][j]: best score of the first i tokens that ends at or before place j, costs paid. */
typedef struct {
    const uint64_t *question, *text;
    const float *weights;
    int64_t n, m;
    float *table;
} Problem;

static float *row_of(const Problem *problem, int64_t i) { return problem->table + i * (problem->m + 1); }

static void fill(const Problem *problem, float insertion)
{
    memset(problem->table, 0, (size_t)(problem->m + 1) * sizeof(float));
    for (int64_t i = 0; i < problem->n; i++) {
        const float *before = row_of(problem, i);
        float *row = row_of(problem, i + 1);
        row[0] = before[0];
        for (int64_t j = 0; j < problem->m; j++) {
            float best = before[j + 1], after = row[j] - insertion;
            if (problem->text[j] == problem->question[i] && before[j] + problem->weights[i] > best) best = before[j] + problem->weights[i];
            row[j + 1] = after > best ? after : best;
        }
    }
}

/* Walks back from the end of the best score; which token of the text, whose first is `begin`, each of the question is. */
static void trace(const Problem *problem, int64_t end, int64_t begin, int64_t *matched)
{
    int64_t i = problem->n, j = end;
    while (i && j) {
        float here = row_of(problem, i)[j], above = row_of(problem, i - 1)[j], both = row_of(problem, i - 1)[j - 1];
        float taken = here - both - problem->weights[i - 1];
        if (here - above < 1e-4f) i--;
        else if (problem->text[j - 1] == problem->question[i - 1] && taken < 1e-3f && taken > -1e-3f) matched[--i] = begin + --j;
        else j--;
    }
}

static bool rises(const int64_t *offsets, int64_t count, int64_t last)
{
    bool fits = count >= 1 && offsets[0] == 0 && offsets[count - 1] == last;
    for (int64_t k = 1; fits && k < count; k++) fits = offsets[k - 1] <= offsets[k];
    return fits;
}

/* What all pairs are made of: question item[k], and the text from begin[k] to end[k]. */
typedef struct {
    const int64_t *offsets, *item, *begin, *end;
    int64_t questions, pairs, tokens;
} Pairs;

static bool pairs_fit(const Pairs *pairs)
{
    bool fits = true;
    for (int64_t k = 0; fits && k < pairs->pairs; k++)
        fits = pairs->item[k] >= 0 && pairs->item[k] < pairs->questions && pairs->begin[k] >= 0 && pairs->begin[k] <= pairs->end[k] &&
               pairs->end[k] <= pairs->tokens;
    return fits;
}

static PyObject *alignments(PyObject *self, PyObject *args)
{
    Py_buffer questions, weights, rows, text, item, begin, end, least, scores, matched;
    float insertion;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*fy*w*w*", &questions, &weights, &rows, &text, &item, &begin, &end, &insertion, &least, &scores,
                          &matched))
        return NULL;
    const int64_t *q = rows.buf;
    Pairs pairs = {q, item.buf, begin.buf, end.buf, rows.len / 8 - 1, item.len / 8, text.len / 8};
    int64_t cells = 1, room = 0;
    bool fits = rises(q, pairs.questions + 1, questions.len / 8) && weights.len == questions.len / 2 && begin.len == item.len &&
                end.len == item.len && least.len == item.len / 2 && scores.len == item.len / 2 && pairs_fit(&pairs);
    for (int64_t k = 0; fits && k < pairs.pairs; k++) {
        int64_t n = q[pairs.item[k] + 1] - q[pairs.item[k]], size = (n + 1) * (pairs.end[k] - pairs.begin[k] + 1);
        if (size > cells) cells = size;
        room += n;
    }
    fits = fits && matched.len == room * 8;
    float *table = NULL;
    if (!fits) PyErr_SetString(PyExc_ValueError, "alignments: the buffers do not fit together");
    else if (!(table = malloc((size_t)cells * sizeof(float)))) fits = PyErr_NoMemory() != NULL;
    else {
        Py_BEGIN_ALLOW_THREADS
        memset(matched.buf, 0xFF, (size_t)matched.len);
        int64_t *places = matched.buf;
        for (int64_t k = 0; k < pairs.pairs; k++) {
            int64_t at = q[pairs.item[k]], n = q[pairs.item[k] + 1] - at;
            Problem problem = {(uint64_t *)questions.buf + at, (uint64_t *)text.buf + pairs.begin[k], (float *)weights.buf + at, n,
                               pairs.end[k] - pairs.begin[k], table};
            fill(&problem, insertion);
            const float *last = row_of(&problem, n);
            int64_t best = 0;
            for (int64_t j = 1; j <= problem.m; j++)
                if (last[j] > last[best]) best = j;
            ((float *)scores.buf)[k] = last[best];
            if (last[best] >= ((float *)least.buf)[k] - 1e-4f) trace(&problem, best, pairs.begin[k], places);
            places += n;
        }
        Py_END_ALLOW_THREADS
    }
    free(table);
    RELEASE(&questions, &weights, &rows, &text, &item, &begin, &end, &least, &scores, &matched);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

/* How many of the wanted tokens the text holds, each as often as it is wanted. */
static int32_t held(const uint64_t *wanted, int64_t n, const uint64_t *text, int64_t m, uint8_t *taken)
{
    int32_t count = 0;
    memset(taken, 0, (size_t)m);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++)
            if (!taken[j] && text[j] == wanted[i]) {
                taken[j] = 1, count++;
                break;
            }
    return count;
}

static PyObject *tokens_held(PyObject *self, PyObject *args)
{
    Py_buffer lists, rows, text, item, begin, end, counts;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*w*", &lists, &rows, &text, &item, &begin, &end, &counts)) return NULL;
    const int64_t *q = rows.buf;
    Pairs pairs = {q, item.buf, begin.buf, end.buf, rows.len / 8 - 1, item.len / 8, text.len / 8};
    bool fits = rises(q, pairs.questions + 1, lists.len / 8) && begin.len == item.len && end.len == item.len && counts.len == item.len / 2 &&
                pairs_fit(&pairs);
    int64_t widest = 1;
    for (int64_t k = 0; fits && k < pairs.pairs; k++)
        if (pairs.end[k] - pairs.begin[k] > widest) widest = pairs.end[k] - pairs.begin[k];
    uint8_t *taken = NULL;
    if (!fits) PyErr_SetString(PyExc_ValueError, "tokens_held: the buffers do not fit together");
    else if (!(taken = malloc((size_t)widest))) fits = PyErr_NoMemory() != NULL;
    else {
        Py_BEGIN_ALLOW_THREADS
        for (int64_t k = 0; k < pairs.pairs; k++) {
            int64_t at = q[pairs.item[k]], n = q[pairs.item[k] + 1] - at;
            ((int32_t *)counts.buf)[k] =
                held((uint64_t *)lists.buf + at, n, (uint64_t *)text.buf + pairs.begin[k], pairs.end[k] - pairs.begin[k], taken);
        }
        Py_END_ALLOW_THREADS
    }
    free(taken);
    RELEASE(&lists, &rows, &text, &item, &begin, &end, &counts);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

PyMethodDef align_methods[] = {{"alignments", alignments, METH_VARARGS, NULL}, {"tokens_held", tokens_held, METH_VARARGS, NULL}, {0}};
