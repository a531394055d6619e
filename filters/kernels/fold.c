/* Folded tokens: what two copies of a text share, each with its place in the text as it stands (filters/folding.py). */
#include "kernels.h"

enum { BREAK = 0, RUN = 1, SINGLE = 2 };

/* A code point folds to lengths[c] code points: folded[c] itself where that is one, else flat[folded[c]] and on. */
typedef struct {
    const uint8_t *lengths, *kinds;
    const uint32_t *folded, *flat;
    int64_t flat_size;
    struct {
        bool simple; /* folds to one code point, which parts tokens or runs on */
        uint8_t kind;
        uint64_t mixed;
    } ascii[128];
} Table;

typedef struct {
    uint64_t *hashes;
    int32_t *starts, *ends;
    uint8_t *single, *breaks;
    int64_t *rows;
    int64_t count, capacity;
} Tokens;

/* The token being read, and whether a line has begun since the last one. */
typedef struct {
    uint64_t sum, power;
    int32_t start, end;
    bool open, line;
} Reading;

static void close_token(Tokens *tokens, Reading *now, bool single)
{
    int64_t at = tokens->count++;
    tokens->hashes[at] = mix(now->sum);
    tokens->starts[at] = now->start, tokens->ends[at] = now->end;
    tokens->single[at] = single, tokens->breaks[at] = now->line;
    now->open = now->line = false;
}

static void read_folded(uint32_t point, uint8_t kind, int32_t place, Reading *now, Tokens *tokens)
{
    if (now->open && kind != RUN) close_token(tokens, now, false);
    if (kind == BREAK) return;
    if (!now->open) now->sum = 0, now->power = 1, now->start = place, now->open = true;
    now->sum += mix(point) * now->power;
    now->power *= BASE;
    now->end = place + 1;
    if (kind == SINGLE) close_token(tokens, now, true);
}

static void read_ascii(Table *table)
{
    for (uint32_t point = 0; point < 128; point++) {
        uint32_t folded = table->folded[point];
        uint8_t kind = folded < CODES ? table->kinds[folded] : SINGLE;
        table->ascii[point].simple = table->lengths[point] == 1 && kind != SINGLE;
        table->ascii[point].kind = kind, table->ascii[point].mixed = mix(folded);
    }
}

/* The letters and digits from *at on that are ASCII; most of what is read is of this kind. */
static int32_t read_run(const uint8_t **at, const uint8_t *end, const Table *table, int32_t place, Reading *now)
{
    if (!now->open) now->sum = 0, now->power = 1, now->start = place, now->open = true;
    uint64_t sum = now->sum, power = now->power;
    const uint8_t *p = *at;
    do {
        sum += table->ascii[*p].mixed * power;
        power *= BASE;
    } while (++p < end && *p < 128 && table->ascii[*p].simple && table->ascii[*p].kind == RUN);
    place += (int32_t)(p - *at);
    now->sum = sum, now->power = power, now->end = place, *at = p;
    return place;
}

/* false where there is no room, or the table is broken. */
static bool fold_row(const uint8_t *at, const uint8_t *end, const Table *table, Tokens *tokens)
{
    Reading now = {.line = true};
    for (int32_t place = 0; at < end;) {
        if (*at < 128 && table->ascii[*at].simple) {
            if (table->ascii[*at].kind == RUN) {
                place = read_run(&at, end, table, place, &now);
                continue;
            }
            if (now.open) {
                if (tokens->count >= tokens->capacity) return false;
                close_token(tokens, &now, false);
            }
            now.line |= *at++ == '\n', place++;
            continue;
        }
        uint32_t point = next_point(&at, end);
        uint8_t length = table->lengths[point];
        const uint32_t *folded = table->folded + point;
        if (length > 1) {
            if (*folded + (int64_t)length > table->flat_size) return false;
            folded = table->flat + *folded;
        }
        if (tokens->count + length + 1 > tokens->capacity) return false;
        for (uint8_t k = 0; k < length; k++) {
            if (folded[k] >= CODES) return false;
            read_folded(folded[k], table->kinds[folded[k]], place, &now, tokens);
        }
        if (point == '\n') now.line = true;
        place++;
    }
    if (now.open) {
        if (tokens->count >= tokens->capacity) return false;
        close_token(tokens, &now, false);
    }
    return true;
}

static PyObject *fold_tokens(PyObject *self, PyObject *args)
{
    Py_buffer data, offsets, lengths, folded, flat, kinds, hashes, starts, ends, single, breaks, rows;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*w*w*w*w*w*w*", &data, &offsets, &lengths, &folded, &flat, &kinds, &hashes, &starts, &ends,
                          &single, &breaks, &rows))
        return NULL;
    Text text;
    bool fits = text_of(&text, &data, &offsets);
    int64_t room = single.len;
    if (fits && (lengths.len != CODES || kinds.len != CODES || folded.len != CODES * 4 || hashes.len != room * 8 || starts.len != room * 4 ||
                 ends.len != room * 4 || breaks.len != room || rows.len != offsets.len)) {
        PyErr_SetString(PyExc_ValueError, "fold_tokens: the buffers do not fit together");
        fits = false;
    }
    Tokens tokens = {hashes.buf, starts.buf, ends.buf, single.buf, breaks.buf, rows.buf, 0, room};
    if (fits) {
        Table table = {lengths.buf, kinds.buf, folded.buf, flat.buf, flat.len / 4, {{0}}};
        read_ascii(&table);
        Py_BEGIN_ALLOW_THREADS
        tokens.rows[0] = 0;
        for (int64_t r = 0; fits && r < text.rows; r++) {
            fits = fold_row(text.data + text.offsets[r], text.data + text.offsets[r + 1], &table, &tokens);
            tokens.rows[r + 1] = tokens.count;
        }
        Py_END_ALLOW_THREADS
        if (!fits) PyErr_SetString(PyExc_ValueError, "fold_tokens: too little room, or a broken table");
    }
    RELEASE(&data, &offsets, &lengths, &folded, &flat, &kinds, &hashes, &starts, &ends, &single, &breaks, &rows);
    return fits ? PyLong_FromLongLong(tokens.count) : NULL;
}

PyMethodDef fold_methods[] = {{"fold_tokens", fold_tokens, METH_VARARGS, NULL}, {0}};
