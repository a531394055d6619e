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

/* Where the most frequent n-gram first begins, of equally frequent ones the first; and how often it occurs. */
static int64_t top(const Row *row, Table *table, int64_t n, uint32_t *times)
{
    uint32_t most = 0;
    int64_t first = 0;
    for (int64_t i = 0; i + n <= row->count; i++) {
        Slot *slot = find(table, row->worded[i]);
        if (slot->turn != table->turn) *slot = (Slot){row->worded[i], i, table->turn, 0};
        slot->count++;
        if (slot->count > most || (slot->count == most && slot->first < first)) most = slot->count, first = slot->first;
    }
    *times = most;
    return first;
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

/* Characters, single spaces between words included, of all words in n-grams met before, a word being counted once. */
static int64_t covered(const Row *row, Table *table, int64_t n)
{
    int64_t total = 0, reached = 0; /* words before `reached` are counted */
    for (int64_t i = 0; i + n <= row->count; i++) {
        Slot *slot = find(table, row->worded[i]);
        if (slot->turn != table->turn) {
            *slot = (Slot){row->worded[i], i, table->turn, 1};
            continue;
        }
        int64_t from = reached > i ? reached : i, words = i + n - from;
        for (int64_t k = from; k < i + n; k++) total += row->lengths[k];
        total += words < n ? words : n - 1;
        reached = i + n;
    }
    return total;
}

/* Characters in n-grams that occur more than once, every occurrence counted, and in all n-grams. */
static void shared(const Row *row, Table *table, int64_t n, int64_t *in_shared, int64_t *in_all)
{
    for (int64_t i = 0; i + n <= row->count; i++) {
        Slot *slot = find(table, row->worded[i]);
        if (slot->turn != table->turn) *slot = (Slot){row->worded[i], i, table->turn, 0};
        slot->count++;
        if (slot->count == 2) *in_shared += row->sizes[slot->first];
        if (slot->count > 1) *in_shared += row->sizes[i];
        *in_all += row->sizes[i];
    }
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

/* The sizes n asked of one kind of count, ascending; `next` is the first not yet answered. */
typedef struct {
    const int64_t *n;
    int64_t count, next;
} Sizes;

static bool asks(Sizes *sizes, int64_t n) { return sizes->next < sizes->count && sizes->n[sizes->next] == n; }

static int64_t largest(const Sizes *sizes) { return sizes->count ? sizes->n[sizes->count - 1] : 0; }

/* What is asked of each row, in the order of its counts: for a top its place, its occurrences and its characters, for a repeat
   and a cover one number, for shares two. */
typedef struct {
    Sizes tops, repeats, covers, shares;
} Asked;

static int64_t columns_of(const Asked *asked)
{
    return 3 * asked->tops.count + asked->repeats.count + asked->covers.count + 2 * asked->shares.count;
}

static int64_t longest_of(const Asked *asked)
{
    const Sizes *sizes[] = {&asked->tops, &asked->repeats, &asked->covers, &asked->shares};
    int64_t longest = 0;
    for (int i = 0; i < 4; i++) longest = largest(sizes[i]) > longest ? largest(sizes[i]) : longest;
    return longest;
}

static bool count_row(Row *row, Table *table, Asked asked, const uint64_t *powers, int64_t *counts)
{
    int64_t longest = longest_of(&asked);
    int64_t *repeats = counts + 3 * asked.tops.count, *covers = repeats + asked.repeats.count, *shares = covers + asked.covers.count;
    for (int64_t n = 1; n <= longest && n <= row->count; n++) {
        int64_t places = row->count - n + 1;
        grow(row, n, powers, NUM_POWERS);
        if (asks(&asked.tops, n)) {
            if (!prepare(table, places)) return false;
            uint32_t times;
            int64_t *count = counts + 3 * asked.tops.next++;
            count[0] = top(row, table, n, &times);
            count[1] = times, count[2] = row->sizes[count[0]] * times;
        }
        if (asks(&asked.repeats, n)) {
            if (!prepare(table, places)) return false;
            repeats[asked.repeats.next++] = repeated(row, table, n);
        }
        if (asks(&asked.covers, n)) {
            if (!prepare(table, places)) return false;
            covers[asked.covers.next++] = covered(row, table, n);
        }
        if (asks(&asked.shares, n)) {
            if (!prepare(table, places)) return false;
            int64_t *both = shares + 2 * asked.shares.next++;
            shared(row, table, n, both, both + 1);
        }
    }
    return true;
}

static bool count_rows(const int64_t *offsets, int64_t rows, Row all, Asked asked, int64_t *counts)
{
    uint64_t powers[NUM_POWERS] = {1};
    for (int i = 1; i < NUM_POWERS; i++) powers[i] = powers[i - 1] * BASE;
    int64_t longest = 0;
    for (int64_t r = 0; r < rows; r++)
        if (offsets[r + 1] - offsets[r] > longest) longest = offsets[r + 1] - offsets[r];
    uint64_t *joined = malloc((size_t)(longest + 1) * 8), *worded = malloc((size_t)(longest + 1) * 8);
    int64_t *sizes = malloc((size_t)(longest + 1) * 8);
    Table table = {0};
    bool enough = joined && worded && sizes;
    for (int64_t r = 0; enough && r < rows; r++) {
        int64_t from = offsets[r];
        Row row = {all.lengths + from, all.polynomials + from, all.hashes + from, joined, worded, sizes, offsets[r + 1] - from};
        memset(joined, 0, (size_t)row.count * 8), memset(worded, 0, (size_t)row.count * 8), memset(sizes, 0, (size_t)row.count * 8);
        enough = count_row(&row, &table, asked, powers, counts + r * columns_of(&asked));
    }
    free(joined), free(worded), free(sizes), free(table.slots);
    return enough;
}

static bool ascending(const Sizes *sizes)
{
    for (int64_t i = 0; i < sizes->count; i++)
        if (sizes->n[i] <= (i ? sizes->n[i - 1] : 0)) return false;
    return true;
}

static PyObject *ngram_characters(PyObject *self, PyObject *args)
{
    Py_buffer offsets, lengths, polynomials, hashes, top, repeat, cover, share, counts;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*y*w*", &offsets, &lengths, &polynomials, &hashes, &top, &repeat, &cover, &share, &counts))
        return NULL;
    Asked asked = {
        {top.buf, top.len / 8, 0}, {repeat.buf, repeat.len / 8, 0}, {cover.buf, cover.len / 8, 0}, {share.buf, share.len / 8, 0}};
    int64_t rows = offsets.len / 8 - 1, tokens = lengths.len / 4;
    const int64_t *offset = offsets.buf;
    bool fits = rows >= 0 && offset[0] >= 0 && offset[rows] <= tokens && polynomials.len == tokens * 8 && hashes.len == tokens * 8 &&
                counts.len == rows * columns_of(&asked) * 8 && ascending(&asked.tops) && ascending(&asked.repeats) &&
                ascending(&asked.covers) && ascending(&asked.shares);
    for (int64_t r = 0; fits && r < rows; r++) fits = offset[r] <= offset[r + 1];
    bool enough = true;
    if (!fits) PyErr_SetString(PyExc_ValueError, "ngram_characters: the buffers do not fit together");
    else {
        Row all = {lengths.buf, polynomials.buf, hashes.buf, NULL, NULL, NULL, tokens};
        Py_BEGIN_ALLOW_THREADS
        memset(counts.buf, 0, (size_t)counts.len);
        enough = count_rows(offset, rows, all, asked, counts.buf);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&offsets, &lengths, &polynomials, &hashes, &top, &repeat, &cover, &share, &counts);
    if (!fits) return NULL;
    if (!enough) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

PyMethodDef ngrams_methods[] = {{"ngram_characters", ngram_characters, METH_VARARGS, NULL}, {0}};
