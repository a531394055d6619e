/* What spaCy's English tokenizer looks up: sets of strings, and sequences of tokens.

   Its last step (`_apply_special_cases`) finds, over the finished tokens of a text, the sequences that special cases make when
   they are cut by the affix rules alone, and puts the special case's own tokens there. Few texts have such a place: any_change
   sees whether a chunk has one, second_pass then does the whole text as spaCy does. */
#include "spacy.h"

static int64_t slots_for(int64_t items)
{
    int64_t slots = 64;
    while (slots < 4 * items) slots *= 2;
    return slots;
}

bool strings_make(Strings *strings, int64_t capacity, int64_t bytes)
{
    int64_t slots = slots_for(capacity);
    *strings = (Strings){.mask = (uint32_t)slots - 1};
    strings->bytes = malloc((size_t)bytes + 1);
    strings->offsets = calloc((size_t)capacity + 1, sizeof(int32_t));
    strings->slots = calloc((size_t)slots, sizeof(int32_t));
    return strings->bytes && strings->offsets && strings->slots;
}

void strings_free(Strings *strings) { free(strings->bytes), free(strings->offsets), free(strings->slots); }

/* Where a string stands, or would stand. */
int32_t strings_slot(const Strings *strings, const uint8_t *begin, int64_t size)
{
    uint64_t head = 0, tail = 0;
    if (size >= 8) {
        memcpy(&head, begin, 8), memcpy(&tail, begin + size - 8, 8);
    } else {
        for (int64_t i = 0; i < size; i++) head = head << 8 | begin[i];
    }
    uint64_t hash = (head ^ (tail + (uint64_t)size) * 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    for (uint32_t at = (uint32_t)(hash >> 40) & strings->mask;; at = (at + 1) & strings->mask) {
        int32_t number = strings->slots[at] - 1;
        if (number < 0) return (int32_t)at;
        int32_t from = strings->offsets[number];
        if (strings->offsets[number + 1] - from == size && !memcmp(strings->bytes + from, begin, (size_t)size)) return (int32_t)at;
    }
}

/* The number of a string, which is added if it is new; its length is 1 to LONGEST, and there is room. */
int32_t strings_add(Strings *strings, const uint8_t *begin, int64_t size)
{
    int32_t *slot = &strings->slots[strings_slot(strings, begin, size)];
    if (!*slot) {
        int32_t from = strings->offsets[strings->count++];
        memcpy(strings->bytes + from, begin, (size_t)size);
        strings->offsets[strings->count] = from + (int32_t)size;
        strings->by_first[*begin] |= 1ull << size, strings->by_last[begin[size - 1]] |= 1ull << size;
        *slot = strings->count;
    }
    return *slot - 1;
}

bool sequences_make(Sequences *sequences, int64_t capacity, int64_t bytes)
{
    int64_t slots = slots_for(capacity);
    *sequences = (Sequences){.nodes = 1, .mask = (uint32_t)slots - 1};
    sequences->edges = calloc((size_t)slots, sizeof *sequences->edges);
    sequences->specials = malloc(((size_t)capacity + 1) * sizeof(int32_t));
    sequences->changes = calloc((size_t)capacity + 1, 1);
    if (!strings_make(&sequences->tokens, capacity, bytes) || !sequences->edges || !sequences->specials || !sequences->changes) return false;
    for (int64_t i = 0; i <= capacity; i++) sequences->specials[i] = -1;
    return true;
}

void sequences_free(Sequences *sequences)
{
    strings_free(&sequences->tokens), free(sequences->edges), free(sequences->specials), free(sequences->changes);
}

static struct Edge *edge(const Sequences *sequences, int32_t from, int32_t token)
{
    for (uint32_t at = (uint32_t)from * 0x9E3779B1u + (uint32_t)token * 0x85EBCA77u;; at++) {
        struct Edge *found = &sequences->edges[(at ^ at >> 15) & sequences->mask];
        if (!found->to || (found->from == from && found->token == token)) return found;
    }
}

/* Adds the sequence of all tokens in `spans`, which spell a special case; there is room. */
void sequences_add(Sequences *sequences, const Text *text, const Spans *spans, int32_t special, bool changes)
{
    int32_t node = 0;
    for (int64_t i = 0; i < spans->count; i++) {
        const uint8_t *begin = text->data + spans->begins[i];
        int64_t size = spans->ends[i] - spans->begins[i];
        int32_t token = strings_add(&sequences->tokens, begin, size);
        struct Edge *to = edge(sequences, node, token);
        if (!to->to) *to = (struct Edge){node, token, sequences->nodes++};
        node = to->to;
        if (i == 1) sequences->seconds[*begin] |= 1ull << size;
    }
    sequences->specials[node] = special, sequences->changes[node] = changes;
}

/* Walks from token i as far as a sequence goes; whether it could go on with token j. */
static inline bool walk(const Sequences *sequences, const Text *text, const Spans *spans, int64_t j, int32_t *node)
{
    int32_t token = strings_find(&sequences->tokens, text->data + spans->begins[j], text->data + spans->ends[j]);
    if (token < 0) return false;
    *node = edge(sequences, *node, token)->to;
    return *node;
}

/* Whether token j can be second, as its first byte and length say. */
static inline bool may_be_second(const Sequences *sequences, const Text *text, const Spans *spans, int64_t j)
{
    int64_t size = spans->ends[j] - spans->begins[j];
    return size <= LONGEST && sequences->seconds[text->data[spans->begins[j]]] & 1ull << size;
}

bool any_change(const English *english, const Text *text, const Spans *spans, int64_t from)
{
    const Sequences *sequences = &english->sequences;
    for (int64_t i = from; i + 1 < spans->count; i++) {
        if (!may_be_second(sequences, text, spans, i + 1)) continue;
        int32_t node = 0;
        for (int64_t j = i; j < spans->count && walk(sequences, text, spans, j, &node); j++)
            if (sequences->changes[node]) return true;
    }
    return false;
}

void add_special(const English *english, const Text *text, Spans *spans, int32_t special, const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *from = begin;
    for (uint64_t cuts = english->cuts[special]; cuts; cuts &= cuts - 1) {
        const uint8_t *cut = begin + __builtin_ctzll(cuts);
        span(spans, text, from, cut);
        from = cut;
    }
    span(spans, text, from, end);
}

static bool add_match(Scratch *scratch, int64_t start, int64_t size, int32_t special)
{
    if (scratch->num_matches == scratch->max_matches) {
        int64_t room = scratch->max_matches ? 2 * scratch->max_matches : 1024;
        struct Match *moved = realloc(scratch->matches, (size_t)room * sizeof *moved);
        if (!moved) return false;
        scratch->matches = moved, scratch->max_matches = room;
    }
    scratch->matches[scratch->num_matches++] = (struct Match){start, (int32_t)size, special};
    return true;
}

/* All sequences in the tokens from `from` on. Tokens with one space between them stand side by side, other white space is a
   token itself. */
static bool find_matches(const English *english, const Text *text, const Spans *spans, int64_t from, Scratch *scratch)
{
    const Sequences *sequences = &english->sequences;
    scratch->num_matches = 0;
    for (int64_t i = from; i + 1 < spans->count; i++) {
        if (!may_be_second(sequences, text, spans, i + 1)) continue;
        int32_t node = 0;
        bool spaced = false;
        for (int64_t j = i; j < spans->count; j++) {
            int64_t gap = j > i ? spans->begins[j] - spans->ends[j - 1] : 0;
            if (gap > 1 || (gap && text->data[spans->begins[j] - 1] != ' ')) break;
            spaced |= gap;
            if (!walk(sequences, text, spans, j, &node)) break;
            int32_t special = sequences->specials[node];
            if (special >= 0 && !add_match(scratch, i - from, j + 1 - i, spaced ? -1 : special)) return false;
        }
    }
    return true;
}

static bool make_room(Scratch *scratch, int64_t tokens)
{
    if (tokens <= scratch->max_tokens) return true;
    free(scratch->seen), free(scratch->begins), free(scratch->ends);
    scratch->seen = malloc((size_t)tokens);
    scratch->begins = malloc((size_t)tokens * 8), scratch->ends = malloc((size_t)tokens * 8);
    scratch->max_tokens = scratch->seen && scratch->begins && scratch->ends ? tokens : 0;
    return scratch->max_tokens;
}

/* Of overlapping sequences the longer, then the earlier one wins; one that loses still keeps others from its tokens
   (`_filter_special_spans`). Those that lose or hold a space become empty. */
static void choose(Scratch *scratch, int64_t tokens)
{
    int32_t longest = 0;
    memset(scratch->seen, 0, (size_t)tokens);
    for (int64_t i = 0; i < scratch->num_matches; i++)
        if (scratch->matches[i].size > longest) longest = scratch->matches[i].size;
    for (int32_t size = longest; size > 1; size--) {
        for (int64_t i = 0; i < scratch->num_matches; i++) {
            struct Match *match = &scratch->matches[i];
            if (match->size != size) continue;
            uint8_t *seen = scratch->seen + match->start;
            if (seen[0] || seen[size - 1]) match->special = -1;
            memset(seen, 1, (size_t)size);
        }
    }
}

bool second_pass(const English *english, const Text *text, Spans *spans, int64_t from, Scratch *scratch)
{
    int64_t tokens = spans->count - from;
    if (!find_matches(english, text, spans, from, scratch) || !make_room(scratch, tokens)) return false;
    choose(scratch, tokens);
    memcpy(scratch->begins, spans->begins + from, (size_t)tokens * 8), memcpy(scratch->ends, spans->ends + from, (size_t)tokens * 8);
    int64_t done = 0;
    spans->count = from;
    for (int64_t i = 0; i <= scratch->num_matches; i++) {
        bool last = i == scratch->num_matches;
        struct Match match = last ? (struct Match){tokens, 0, -1} : scratch->matches[i];
        if (!last && match.special < 0) continue;
        for (; done < match.start; done++) spans->begins[spans->count] = scratch->begins[done], spans->ends[spans->count++] = scratch->ends[done];
        if (last) break;
        done = match.start + match.size;
        add_special(english, text, spans, match.special, text->data + scratch->begins[match.start], text->data + scratch->ends[done - 1]);
    }
    return true;
}
