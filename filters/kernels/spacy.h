/* spaCy's English tokenizer: what its parts share. The rules are spaCy's, the tables filters/spacy_english.py's. */
#ifndef TILTH_SPACY_H
#define TILTH_SPACY_H

#include "kernels.h"

/* Class bits of filters/spacy_words.py. */
enum {
    SPACE = 1 << 0,
    ALPHA = 1 << 1,
    LOWER = 1 << 2,
    UPPER = 1 << 3,
    BEFORE_STOP = 1 << 4, /* a full stop after it is a suffix */
    BEFORE_DOT = 1 << 5,  /* a full stop between it and AFTER_DOT is an infix */
    AFTER_DOT = 1 << 6,
    ICON = 1 << 7, /* an infix wherever it stands */
    PREFIX = 1 << 8,
    SUFFIX = 1 << 9,
    WORD = 1 << 10,  /* \w */
    DIGIT = 1 << 11, /* \d */
    PUNCTUATION = 1 << 12,
    SENTENCE_END = 1 << 13,
    INFIX = 1 << 14,    /* an infix may begin with it */
    UNIT_END = 1 << 15, /* a unit or currency ends with it */
};

/* A set of strings of at most 63 bytes, numbered as they came. */
typedef struct {
    uint8_t *bytes;
    int32_t *offsets, *slots; /* slots: number + 1 */
    int32_t count;
    uint32_t mask;
    uint64_t by_first[256], by_last[256]; /* bit n: a string of n bytes begins, ends with this byte */
} Strings;

enum { LONGEST = 63 };

bool strings_make(Strings *strings, int64_t capacity, int64_t bytes);
void strings_free(Strings *strings);
int32_t strings_slot(const Strings *strings, const uint8_t *begin, int64_t size);
int32_t strings_add(Strings *strings, const uint8_t *begin, int64_t size);

/* The number of a string, or -1. begin < end. */
static inline int32_t strings_find(const Strings *strings, const uint8_t *begin, const uint8_t *end)
{
    int64_t size = end - begin;
    if (size > LONGEST || !(strings->by_first[*begin] & strings->by_last[end[-1]] & 1ull << size)) return -1;
    return strings->slots[strings_slot(strings, begin, size)] - 1;
}

/* The tries of the token sequences that are merged or cut again after the first pass. Node 0 is the root. */
typedef struct {
    Strings tokens;
    struct Edge {
        int32_t from, token, to; /* to: 0 where the slot is empty */
    } *edges;
    int32_t *specials; /* node -> the special case that its tokens spell, or -1 */
    uint8_t *changes;  /* node -> whether that special case has other tokens */
    int32_t nodes;
    uint32_t mask;
    uint64_t seconds[256]; /* bit n: a token of n bytes that begins with this byte stands second in a sequence */
} Sequences;

/* Kinds of bytes, and what a chunk has of them. */
enum { LETTER = 1, FIGURE = 2, STOP = 4, MIDDLE = 8, BLANK = 16, WIDE = 32, OTHER = 64 };

typedef struct {
    uint16_t *classes; /* [CODES] */
    uint8_t kinds[256];
    Strings units, specials;
    uint64_t *cuts; /* special case -> bit n: a token begins at its byte n */
    Sequences sequences;
} English;

/* Buffers that grow, for the rows that take a second pass. */
typedef struct {
    struct Match {
        int64_t start;
        int32_t size, special; /* tokens; -1: there is a space in it, which no special case has */
    } *matches;
    int64_t num_matches, max_matches;
    uint8_t *seen;
    int64_t *begins, *ends, max_tokens;
} Scratch;

/* Bytes of the prefix, suffix of a string that is not empty; 0 where it has none. */
int64_t prefix_size(const English *english, const uint8_t *begin, const uint8_t *end);
int64_t suffix_size(const English *english, const uint8_t *begin, const uint8_t *end);
bool is_url(const English *english, const uint8_t *begin, const uint8_t *end);
/* Adds the tokens of a string that is no special case and has no affixes. */
void split_infixes(const English *english, const Text *text, Spans *spans, const uint8_t *begin, const uint8_t *end);

bool sequences_make(Sequences *sequences, int64_t capacity, int64_t bytes);
void sequences_free(Sequences *sequences);
void sequences_add(Sequences *sequences, const Text *text, const Spans *spans, int32_t special, bool changes);
bool any_change(const English *english, const Text *text, const Spans *spans, int64_t from);
bool second_pass(const English *english, const Text *text, Spans *spans, int64_t from, Scratch *scratch);
void add_special(const English *english, const Text *text, Spans *spans, int32_t special, const uint8_t *begin, const uint8_t *end);

/* False where memory ran out. */
bool words_of(const English *english, const Text *text, Spans *spans);
void sentences_of(const English *english, const Text *text, const Spans *words, Spans *sentences);

#endif
