/* jieba's dict.txt to a double array: read the lines, grow a trie, give every node's children a place of their own. */
#include "jieba.h"

/* The trie while it grows. A node is found by its parent and code; node 0 is the root. */
typedef struct {
    uint64_t *keys; /* parent << 16 | code, + 1; 0: empty */
    int32_t *ids;
    uint64_t mask;
    int32_t *parents;
    uint16_t *codes;
    uint64_t *frequencies;
    int32_t nodes;
    uint64_t total;
} Trie;

/* The root and one for every character of every word. */
static int64_t most_nodes(const uint8_t *at, const uint8_t *end)
{
    int64_t count = 1;
    for (bool word = true; at < end; at++) {
        word = *at == '\n' || (word && *at != ' ');
        count += word && (*at & 0xC0) != 0x80;
    }
    return count;
}

static bool trie_of(Trie *trie, int64_t most_nodes)
{
    uint64_t size = 1024;
    while (size < 2 * (uint64_t)most_nodes) size *= 2;
    trie->mask = size - 1, trie->nodes = 1;
    trie->keys = calloc(size, 8), trie->ids = malloc(size * 4);
    trie->parents = malloc((size_t)most_nodes * 4), trie->codes = malloc((size_t)most_nodes * 2);
    trie->frequencies = calloc((size_t)most_nodes, 8);
    return trie->keys && trie->ids && trie->parents && trie->codes && trie->frequencies;
}

static void free_trie(Trie *trie) { free(trie->keys), free(trie->ids), free(trie->parents), free(trie->codes), free(trie->frequencies); }

static int32_t child(Trie *trie, int32_t parent, uint16_t code)
{
    uint64_t key = ((uint64_t)parent << 16 | code) + 1, at = mix(key) & trie->mask;
    for (; trie->keys[at]; at = (at + 1) & trie->mask)
        if (trie->keys[at] == key) return trie->ids[at];
    trie->keys[at] = key, trie->ids[at] = trie->nodes;
    trie->parents[trie->nodes] = parent, trie->codes[trie->nodes] = code;
    return trie->nodes++;
}

static bool blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/* `word count tag`: every count is of the total; a word with a character that no block holds can never be met. */
static bool add_line(Trie *trie, const uint8_t *at, const uint8_t *end)
{
    while (at < end && blank(*at)) at++;
    while (at < end && blank(end[-1])) end--;
    const uint8_t *gap = memchr(at, ' ', (size_t)(end - at)), *digit = gap ? gap + 1 : end;
    uint64_t frequency = 0;
    if (digit == end) return false;
    for (; digit < end && *digit != ' '; digit++) {
        if (*digit < '0' || *digit > '9' || frequency > 1000000000000) return false;
        frequency = frequency * 10 + *digit - '0';
    }
    if (digit == gap + 1) return false;
    trie->total += frequency;
    uint16_t codes[LONGEST_WORD];
    int length = 0;
    while (at < gap && length < LONGEST_WORD && (codes[length] = block_code(&at, gap))) length++;
    if (at < gap) return length < LONGEST_WORD;
    int32_t node = 0;
    for (int i = 0; i < length; i++) node = child(trie, node, codes[i]);
    trie->frequencies[node] = frequency;
    return true;
}

/* 0, or the number of the first line that is wrong. */
static int64_t read_lines(Trie *trie, const uint8_t *at, const uint8_t *end)
{
    for (int64_t line = 1; at < end; line++) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        if (!add_line(trie, at, stop ? stop : end)) return line;
        at = stop ? stop + 1 : end;
    }
    return 0;
}

/* Children of each node as firsts[node] .. firsts[node + 1] of `children`; the root comes first in `order`, then who has most. */
typedef struct {
    int32_t *firsts, *children, *order;
} Families;

static bool families_of(Families *families, const Trie *trie)
{
    int32_t nodes = trie->nodes, *counts = calloc(ALPHABET + 2, 4);
    families->firsts = calloc((size_t)nodes + 2, 4), families->children = malloc((size_t)nodes * 4);
    families->order = malloc((size_t)nodes * 4);
    bool enough = counts && families->firsts && families->children && families->order;
    if (enough) {
        int32_t *firsts = families->firsts + 1; /* one ahead while filling, so that it ends where it should */
        for (int32_t node = 1; node < nodes; node++) firsts[trie->parents[node] + 1]++;
        for (int32_t node = 0; node < nodes; node++) firsts[node + 1] += firsts[node];
        for (int32_t node = 1; node < nodes; node++) families->children[firsts[trie->parents[node]]++] = node;
        firsts = families->firsts;
        for (int32_t node = 1; node < nodes; node++) counts[ALPHABET - (firsts[node + 1] - firsts[node]) + 1]++;
        for (int size = 0; size <= ALPHABET; size++) counts[size + 1] += counts[size];
        families->order[0] = 0;
        for (int32_t node = 1; node < nodes; node++) families->order[1 + counts[ALPHABET - (firsts[node + 1] - firsts[node])]++] = node;
    }
    free(counts);
    return enough;
}

static void free_families(Families *families) { free(families->firsts), free(families->children), free(families->order); }

/* Bits of what is still free: slots, and bases. Beyond `room` bases there are slots for a whole alphabet. */
typedef struct {
    uint64_t *slots, *bases;
    int64_t room;
} Places;

static bool more_places(Places *places, int64_t room)
{
    int64_t old = places->room ? (places->room + ALPHABET) / 64 + 2 : 0, words = (room + ALPHABET) / 64 + 2;
    uint64_t *slots = realloc(places->slots, (size_t)words * 8), *bases = slots ? realloc(places->bases, (size_t)words * 8) : NULL;
    if (slots) places->slots = slots;
    if (!bases) return false;
    places->bases = bases, places->room = room;
    memset(slots + old, 0xFF, (size_t)(words - old) * 8), memset(bases + old, 0xFF, (size_t)(words - old) * 8);
    return true;
}

static void take(uint64_t *bits, int64_t at) { bits[at >> 6] &= ~((uint64_t)1 << (at & 63)); }

/* The least base from `from` on whose slots for all these codes are free, 64 looked at together; -1: no memory. */
static int64_t find_base(Places *places, int64_t from, const uint16_t *codes, int32_t count)
{
    for (int64_t block = from >> 6;; block++) {
        if (block * 64 + 64 > places->room && !more_places(places, places->room * 2)) return -1;
        uint64_t fits = places->bases[block];
        for (int32_t i = 0; fits && i < count; i++) {
            const uint64_t *word = places->slots + block + (codes[i] >> 6);
            int shift = codes[i] & 63;
            fits &= shift ? word[0] >> shift | word[1] << (64 - shift) : word[0];
        }
        if (fits) return block * 64 + __builtin_ctzll(fits);
    }
}

/* bases and slots of all nodes; returns the number of slots, -1 without memory. */
static int64_t place(const Trie *trie, const Families *families, int32_t *bases, int32_t *slots)
{
    Places places = {0};
    int64_t from = 0, highest = 0;
    int32_t half = INT32_MAX;
    bool enough = more_places(&places, 1 << 16);
    uint16_t codes[ALPHABET];
    for (int32_t i = 0; enough && i < trie->nodes; i++) {
        int32_t node = families->order[i], first = families->firsts[node], count = families->firsts[node + 1] - first;
        bases[node] = -1;
        if (!count && node) continue;
        for (int32_t k = 0; k < count; k++) codes[k] = trie->codes[families->children[first + k]];
        if (count < half) from = 0, half = count / 2 + 1; /* what was too narrow may be wide enough for half as many */
        int64_t base = find_base(&places, from, codes, count);
        enough = base >= 0 && base < INT32_MAX - ALPHABET;
        if (!enough) break;
        take(places.bases, base);
        for (int32_t k = 0; k < count; k++) {
            take(places.slots, base + codes[k]);
            slots[families->children[first + k]] = (int32_t)base + codes[k];
        }
        bases[node] = (int32_t)base;
        from = base;
        highest = base > highest ? base : highest;
    }
    free(places.slots), free(places.bases);
    return enough ? highest + ALPHABET : -1;
}

/* log(frequency) - log(total) of each frequency that there is, by Python's own log: index 0 for 1, which jieba gives to
   what is no word. `indices` gets that of each node. False with an error set. */
static bool weigh(const Trie *trie, PyObject *log, uint32_t *indices, double **weights)
{
    uint64_t size = 1024, count = 1;
    while (size < 2 * (uint64_t)trie->nodes) size *= 2;
    uint64_t *seen = calloc(size, 8);
    uint32_t *index = malloc(size * 4);
    *weights = malloc(((size_t)trie->nodes + 1) * 8);
    bool enough = seen && index && *weights;
    if (!enough) PyErr_NoMemory();
    double log_total = 0;
    for (int32_t node = -1; enough && node < trie->nodes; node++) {
        uint64_t frequency = node < 0 ? trie->total : trie->frequencies[node], at = mix(frequency) & (size - 1);
        if (node >= 0) {
            indices[node] = 0;
            if (!frequency) continue;
            while (seen[at] && seen[at] != frequency) at = (at + 1) & (size - 1);
            indices[node] = index[at];
            if (seen[at]) continue;
        }
        PyObject *number = PyObject_CallFunction(log, "K", (unsigned long long)frequency);
        double value = number ? PyFloat_AsDouble(number) : -1;
        Py_XDECREF(number);
        enough = !PyErr_Occurred();
        if (node < 0) {
            log_total = value;
            (*weights)[0] = 0 - log_total;
        } else {
            seen[at] = frequency, index[at] = indices[node] = (uint32_t)count;
            (*weights)[count++] = value - log_total;
        }
    }
    free(seen), free(index);
    return enough;
}

static void free_jieba(Jieba *table)
{
    if (table) free(table->labels), free(table->nodes), free(table->weights), free(table->emit), free(table);
}

static void destroy(PyObject *capsule) { free_jieba(PyCapsule_GetPointer(capsule, JIEBA)); }

/* Lays the trie out in the table; false with an error set. */
static bool lay_out(Jieba *table, const Trie *trie, PyObject *log)
{
    Families families = {0};
    size_t nodes = (size_t)trie->nodes;
    int32_t *bases = malloc(nodes * 4), *slots = malloc(nodes * 4);
    uint32_t *indices = malloc(nodes * 4);
    int64_t size = bases && slots && indices && families_of(&families, trie) ? place(trie, &families, bases, slots) : -1;
    if (size >= 0) table->labels = malloc((size_t)size * 2), table->nodes = calloc((size_t)size, sizeof(Node));
    bool enough = table->labels && table->nodes;
    if (!enough) PyErr_NoMemory();
    else if ((enough = weigh(trie, log, indices, &table->weights))) {
        memset(table->labels, 0xFF, (size_t)size * 2);
        for (int32_t node = 1; node < trie->nodes; node++) {
            table->labels[slots[node]] = trie->codes[node];
            table->nodes[slots[node]] = (Node){bases[node], indices[node]};
        }
    }
    free_families(&families), free(bases), free(slots), free(indices);
    return enough;
}

/* jieba_table(dictionary, log, start, trans, emit): a capsule. float64 [4], [4, 4], [ALPHABET, 4], states in the order B E M S. */
PyObject *jieba_table(PyObject *self, PyObject *args)
{
    Py_buffer dictionary, start, trans, emit;
    PyObject *log, *capsule = NULL;
    if (!PyArg_ParseTuple(args, "y*Oy*y*y*", &dictionary, &log, &start, &trans, &emit)) return NULL;
    Trie trie = {0};
    Jieba *table = calloc(1, sizeof *table);
    bool fits = start.len == sizeof table->start && trans.len == sizeof table->trans && emit.len == ALPHABET * sizeof *table->emit &&
                dictionary.len < INT32_MAX;
    if (!fits) PyErr_SetString(PyExc_ValueError, "jieba_table: the buffers do not fit together");
    else if (!table || !(table->emit = malloc((size_t)emit.len)) || !trie_of(&trie, most_nodes(dictionary.buf, (const uint8_t *)dictionary.buf + dictionary.len))) PyErr_NoMemory();
    else {
        memcpy(table->start, start.buf, (size_t)start.len), memcpy(table->trans, trans.buf, (size_t)trans.len);
        memcpy(table->emit, emit.buf, (size_t)emit.len);
        int64_t wrong = read_lines(&trie, dictionary.buf, (const uint8_t *)dictionary.buf + dictionary.len);
        if (wrong) PyErr_Format(PyExc_ValueError, "dictionary: line %lld is not `word count`", (long long)wrong);
        else if (lay_out(table, &trie, log)) capsule = PyCapsule_New(table, JIEBA, destroy);
    }
    if (!capsule) free_jieba(table);
    free_trie(&trie);
    Py_buffer *taken[] = {&dictionary, &start, &trans, &emit};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) PyBuffer_Release(taken[i]);
    return capsule;
}
