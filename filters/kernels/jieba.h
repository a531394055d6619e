/* jieba's dictionary as a trie in a double array, and the tables of its hidden Markov model. */
#ifndef TILTH_JIEBA_H
#define TILTH_JIEBA_H

#include "kernels.h"

/* Characters that jieba's `re_han_default` joins to blocks are numbered: ASCII as it is, U+4E00..U+9FD5 after it.
   Code 0 is no such character, so it ends a block. */
enum { HAN_FIRST = 0x4E00, HAN_LAST = 0x9FD5, HAN_CODE = 128, ALPHABET = HAN_CODE + HAN_LAST - HAN_FIRST + 1 };

enum { LONGEST_WORD = 255 }; /* so that a length fits a byte; jieba's longest has 16 characters */

enum { BEGIN, END, MIDDLE, SINGLE }; /* states in the order of their letters, by which jieba breaks ties */

/* A prefix of dictionary words. Its continuation by a code is at slot base + code, if that slot's label is the code:
   no two nodes share a base, so the label alone tells whose child it is. */
typedef struct {
    int32_t base;    /* -1: nothing continues it */
    uint32_t weight; /* index of log(frequency) - log(total); 0: it is no word */
} Node;

typedef struct {
    uint16_t *labels; /* apart from the nodes: a look-up that fails, as most do, reads nothing else */
    Node *nodes;
    double *weights; /* [0]: of a character that is no word */
    double (*emit)[4];
    double start[4], trans[4][4];
} Jieba;

#define JIEBA "tilth.filters._kernels.jieba" /* the capsule's name */

/* The code of a character of a block, stepping over it; 0, staying, for every other one. *at < end. */
static inline uint16_t block_code(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    if (*p < 0x80) {
        static const uint64_t members[2] = {0x03FF686800000000u, 0x07FFFFFE87FFFFFEu}; /* a-zA-Z0-9 + # & . _ % - */
        if (!(members[*p >> 6] >> (*p & 63) & 1)) return 0;
        *at = p + 1;
        return *p;
    }
    if (*p < 0xE4 || *p > 0xE9 || end - p < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) return 0;
    uint32_t point = (uint32_t)(*p & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    if (point < HAN_FIRST || point > HAN_LAST) return 0;
    *at = p + 3;
    return (uint16_t)(point - HAN_FIRST + HAN_CODE);
}

PyObject *jieba_table(PyObject *self, PyObject *args);

#endif
