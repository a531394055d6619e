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

/* Walks back from the end of the best score; which place of the text each token of the question is. */
static void trace(const Problem *problem, int64_t end, int32_t *matched)
{
    int64_t i = problem->n, j = end;
    while (i && j) {
        float here = row_of(problem, i)[j], above = row_of(problem, i - 1)[j], both = row_of(problem, i - 1)[j - 1];
        float taken = here - both - problem->weights[i - 1];
        if (here - above < 1e-4f) i--;
        else if (problem->text[j - 1] == problem->question[i - 1] && taken < 1e-3f && taken > -1e-3f) matched[--i] = (int32_t)--j;
        else j--;
    }
}

static bool rises(const int64_t *offsets, int64_t count, int64_t last)
{
    bool fits = count >= 1 && offsets[0] == 0 && offsets[count - 1] == last;
    for (int64_t k = 1; fits && k < count; k++) fits = offsets[k - 1] <= offsets[k];
    return fits;
}

static PyObject *alignments(PyObject *self, PyObject *args)
{
    Py_buffer questions, weights, question_rows, texts, text_rows, least, scores, matched;
    float insertion;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*fy*w*w*", &questions, &weights, &question_rows, &texts, &text_rows, &insertion, &least, &scores,
                          &matched))
        return NULL;
    const int64_t *q = question_rows.buf, *t = text_rows.buf;
    int64_t pairs = question_rows.len / 8 - 1, cells = 1;
    bool fits = rises(q, pairs + 1, questions.len / 8) && text_rows.len == question_rows.len && rises(t, pairs + 1, texts.len / 8) &&
                weights.len == questions.len / 2 && matched.len == questions.len / 2 && least.len == pairs * 4 && scores.len == pairs * 4;
    for (int64_t k = 0; fits && k < pairs; k++) {
        int64_t size = (q[k + 1] - q[k] + 1) * (t[k + 1] - t[k] + 1);
        if (size > cells) cells = size;
    }
    float *table = NULL;
    if (!fits) PyErr_SetString(PyExc_ValueError, "alignments: the buffers do not fit together");
    else if (!(table = malloc((size_t)cells * sizeof(float)))) fits = PyErr_NoMemory() != NULL;
    else {
        Py_BEGIN_ALLOW_THREADS
        memset(matched.buf, 0xFF, (size_t)matched.len);
        for (int64_t k = 0; k < pairs; k++) {
            Problem problem = {(uint64_t *)questions.buf + q[k], (uint64_t *)texts.buf + t[k], (float *)weights.buf + q[k],
                               q[k + 1] - q[k], t[k + 1] - t[k], table};
            fill(&problem, insertion);
            const float *last = row_of(&problem, problem.n);
            int64_t end = 0;
            for (int64_t j = 1; j <= problem.m; j++)
                if (last[j] > last[end]) end = j;
            ((float *)scores.buf)[k] = last[end];
            if (last[end] >= ((float *)least.buf)[k] - 1e-4f) trace(&problem, end, (int32_t *)matched.buf + q[k]);
        }
        Py_END_ALLOW_THREADS
    }
    free(table);
    RELEASE(&questions, &weights, &question_rows, &texts, &text_rows, &least, &scores, &matched);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}

PyMethodDef align_methods[] = {{"alignments", alignments, METH_VARARGS, NULL}, {0}};
