/* Repeated n-grams of the words of each row, as Gopher counts them (Rae et al. 2021, Table A1). */
#include "kernels.h"

/* Words of one row. `joined` and `worded` are hashes of the n-gram that begins at each word: of its text without spaces,
   and of its words; `sizes` its characters. They grow by one word at a time. */
typedef struct {
    const int32_t *lengths;
    const uint64_t *polynomials, *hashes;
    uint64_t *joined, *worded;
    int64_t *sizes;
    int64_t count;
} Row;

/* A hash table whose slots are empty unless they hold the present `turn`, so that it is never cleared. */
typedef struct {
    uint64_t key;
    int64_t first; /* place of the first such n-gram */
    uint32_t turn, count;
} Slot;

typedef struct {
    Slot *slots;
    uint64_t mask;
    uint32_t turn;
    int64_t size;
} Table;

static Slot *find(Table *table, uint64_t key)
{
    for (uint64_t at = mix(key) & table->mask;; at = (at + 1) & table->mask) {
        Slot *slot = &table->slots[at];
        if (slot->turn != table->turn || slot->key == key) return slot;
    }
}

static bool prepare(Table *table, int64_t places)
{
    int64_t size = 1024;
    while (size < 2 * places) size *= 2;
    if (size > table->size) {
        free(table->slots);
        table->slots = calloc((size_t)size, sizeof(Slot));
        table->size = size, table->turn = 0;
        if (!table->slots) return false;
    }
    if (++table->turn == 0) {
        memset(table->slots, 0, (size_t)table->size * sizeof(Slot));
        table->turn = 1;
    }
    table->mask = (uint64_t)size - 1; /* a short row uses the front of a long row's table, which stays in the cache */
    return true;
}

/* Characters in all occurrences of the most frequent n-gram, of equally frequent ones the first. */
static int64_t top(const Row *row, Table *table, int64_t n, int64_t separator)
{
    uint32_t most = 0;
    int64_t first = 0;
    for (int64_t i = 0; i + n <= row->count; i++) {
        Slot *slot = find(table, row->worded[i]);
        if (slot->turn != table->turn) *slot = (Slot){row->worded[i], i, table->turn, 0};
        slot->count++;
        if (slot->count > most || (slot->count == most && slot->first < first)) most = slot->count, first = slot->first;
    }
    return most ? (row->sizes[first] + separator * (n - 1)) * most : 0;
}

/* Characters in n-grams met before, from left to right, a repeat being stepped over whole. */
static int64_t repeated(const Row *row, Table *table, int64_t n)
{
    int64_t total = 0;
    for (int64_t i = 0; i + n <= row->count;) {
        uint64_t key = mix(row->joined[i]) ^ (uint64_t)row->sizes[i];
        Slot *slot = find(table, key);
        if (slot->turn == table->turn) {
            total += row->sizes[i];
            i += n;
        } else {
            *slot = (Slot){key, i, table->turn, 1};
            i++;
        }
    }
    return total;
}

/* Appends the n-th word to every (n-1)-gram. */
static void grow(Row *row, int64_t n, const uint64_t *powers, int64_t num_powers)
{
    for (int64_t i = 0; i + n <= row->count; i++) {
        int64_t last = i + n - 1, size = row->sizes[i];
        uint64_t power = size < num_powers ? powers[size] : power_of_base((uint64_t)size);
        row->joined[i] += row->polynomials[last] * power;
        row->worded[i] = row->worded[i] * BASE + row->hashes[last];
        row->sizes[i] += row->lengths[last];
    }
}

enum { NUM_POWERS = 1024 };

/* counts[row * (num_tops + num_repeats) + k]: the tops asked, then the repeats, each in ascending n. */
static bool characters_of(const int64_t *offsets, int64_t rows, Row all, const int64_t *tops, int64_t num_tops, const int64_t *repeats,
                          int64_t num_repeats, int64_t separator, int64_t *counts)
{
    uint64_t powers[NUM_POWERS] = {1};
    for (int i = 1; i < NUM_POWERS; i++) powers[i] = powers[i - 1] * BASE;
    int64_t longest_row = 0, longest = 0;
    for (int64_t r = 0; r < rows; r++)
        if (offsets[r + 1] - offsets[r] > longest_row) longest_row = offsets[r + 1] - offsets[r];
    for (int64_t k = 0; k < num_tops; k++) longest = tops[k] > longest ? tops[k] : longest;
    for (int64_t k = 0; k < num_repeats; k++) longest = repeats[k] > longest ? repeats[k] : longest;
    uint64_t *joined = malloc((size_t)(longest_row + 1) * 8), *worded = malloc((size_t)(longest_row + 1) * 8);
    int64_t *sizes = malloc((size_t)(longest_row + 1) * 8);
    Table table = {0};
    bool enough = joined && worded && sizes;
    for (int64_t r = 0; enough && r < rows; r++) {
        int64_t from = offsets[r];
        Row row = {all.lengths + from, all.polynomials + from, all.hashes + from, joined, worded, sizes, offsets[r + 1] - from};
        int64_t *count = counts + r * (num_tops + num_repeats);
        memset(joined, 0, (size_t)row.count * 8), memset(worded, 0, (size_t)row.count * 8), memset(sizes, 0, (size_t)row.count * 8);
        int64_t next_top = 0, next_repeat = 0;
        for (int64_t n = 1; enough && n <= longest && n <= row.count; n++) {
            grow(&row, n, powers, NUM_POWERS);
            if (next_top < num_tops && tops[next_top] == n && (enough = prepare(&table, row.count - n + 1)))
                count[next_top++] = top(&row, &table, n, separator);
            if (next_repeat < num_repeats && repeats[next_repeat] == n && enough && (enough = prepare(&table, row.count - n + 1)))
                count[num_tops + next_repeat++] = repeated(&row, &table, n);
        }
    }
    free(joined), free(worded), free(sizes), free(table.slots);
    return enough;
}

static bool ascending(const int64_t *n, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (n[i] <= (i ? n[i - 1] : 0)) return false;
    return true;
}

static PyObject *ngram_characters(PyObject *self, PyObject *args)
{
    Py_buffer offsets, lengths, polynomials, hashes, tops, repeats, counts;
    long long separator;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*Lw*", &offsets, &lengths, &polynomials, &hashes, &tops, &repeats, &separator, &counts)) return NULL;
    int64_t rows = offsets.len / 8 - 1, tokens = lengths.len / 4, columns = tops.len / 8 + repeats.len / 8;
    const int64_t *offset = offsets.buf;
    bool fits = rows >= 0 && offset[0] >= 0 && offset[rows] <= tokens && polynomials.len == tokens * 8 && hashes.len == tokens * 8 &&
                counts.len == rows * columns * 8 && ascending(tops.buf, tops.len / 8) && ascending(repeats.buf, repeats.len / 8);
    for (int64_t r = 0; fits && r < rows; r++) fits = offset[r] <= offset[r + 1];
    bool enough = true;
    if (!fits) PyErr_SetString(PyExc_ValueError, "ngram_characters: the buffers do not fit together");
    else {
        Row all = {lengths.buf, polynomials.buf, hashes.buf, NULL, NULL, NULL, tokens};
        Py_BEGIN_ALLOW_THREADS
        memset(counts.buf, 0, (size_t)counts.len);
        enough = characters_of(offset, rows, all, tops.buf, tops.len / 8, repeats.buf, repeats.len / 8, separator, counts.buf);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&offsets, &lengths, &polynomials, &hashes, &tops, &repeats, &counts);
    if (!fits) return NULL;
    if (!enough) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

PyMethodDef ngrams_methods[] = {{"ngram_characters", ngram_characters, METH_VARARGS, NULL}, {0}};
