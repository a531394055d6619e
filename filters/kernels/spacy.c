/* The words and sentences of spaCy's English tokenizer and sentencizer, from the text's bytes.

   Text is cut at white space into chunks. Of a chunk, prefixes and suffixes are taken off until a special case or nothing more
   is found; what is left is a special case, an URL, or is cut at infixes (`Tokenizer._split_affixes`, `_attach_tokens`). */
#include "spacy.h"

/* Suffixes are found from the last to the first: they wait at the end of the buffers, where the rest of the tokens, one for
   every byte at most, cannot reach them. */
static void keep_suffix(Spans *spans, const Text *text, int64_t *kept, const uint8_t *begin, const uint8_t *end)
{
    int64_t place = spans->capacity - ++*kept;
    spans->begins[place] = begin - text->data, spans->ends[place] = end - text->data;
}

static void add_suffixes(Spans *spans, int64_t kept)
{
    for (int64_t place = spans->capacity - kept; place < spans->capacity; place++) {
        spans->begins[spans->count] = spans->begins[place];
        spans->ends[spans->count++] = spans->ends[place];
    }
}

/* Adds the tokens of a chunk, which is no special case. */
static void split_chunk(const English *english, const Text *text, Spans *spans, const uint8_t *begin, const uint8_t *end, int kinds)
{
    int64_t kept = 0;
    int32_t special = -1;
    while (begin < end && special < 0) {
        int64_t prefix = prefix_size(english, begin, end);
        if (prefix && begin + prefix < end && (special = strings_find(&english->specials, begin + prefix, end)) >= 0) {
            span(spans, text, begin, begin + prefix);
            begin += prefix;
            break;
        }
        int64_t suffix = begin + prefix < end ? suffix_size(english, begin + prefix, end) : 0;
        if (suffix && begin < end - suffix && (special = strings_find(&english->specials, begin, end - suffix)) >= 0) {
            keep_suffix(spans, text, &kept, end - suffix, end);
            end -= suffix;
            break;
        }
        if (!prefix && !suffix) break;
        if (prefix) span(spans, text, begin, begin + prefix);
        if (suffix) keep_suffix(spans, text, &kept, end - suffix, end);
        begin += prefix, end -= suffix;
        if (begin < end) special = strings_find(&english->specials, begin, end);
    }
    if (special >= 0) {
        add_special(english, text, spans, special, begin, end);
    } else if (begin < end) {
        if (!(kinds & (STOP | MIDDLE)) || (kinds & STOP && is_url(english, begin, end))) span(spans, text, begin, end);
        else split_infixes(english, text, spans, begin, end);
    }
    add_suffixes(spans, kept);
}

/* The end of the chunk that begins at `at`, and what kinds of characters it has. */
static inline const uint8_t *chunk_end(const English *english, const uint8_t *at, const uint8_t *end, int *kinds)
{
    int all = 0;
    while (at < end) {
        int kind = english->kinds[*at];
        if (kind & BLANK) break;
        if (kind == WIDE) {
            const uint8_t *after = at;
            uint16_t class = english->classes[next_point(&after, end)];
            if (class & SPACE) break;
            if (class & INFIX) kind |= MIDDLE;
            at = after;
        } else {
            at++;
        }
        all |= kind;
    }
    *kinds = all;
    return at;
}

bool words_of(const English *english, const Text *text, Spans *spans)
{
    Scratch scratch = {0};
    bool enough = true;
    spans->rows[0] = 0;
    for (int64_t row = 0; enough && row < text->rows; row++) {
        const uint8_t *at = text->data + text->offsets[row], *end = text->data + text->offsets[row + 1];
        int64_t first = spans->count;
        bool changes = false;
        while (at < end) {
            int kinds;
            const uint8_t *behind = chunk_end(english, at, end, &kinds);
            if (behind == at) { /* white space */
                next_point(&at, end);
                continue;
            }
            int32_t special = strings_find(&english->specials, at, behind);
            int64_t from = spans->count;
            if (special >= 0) add_special(english, text, spans, special, at, behind);
            else if (kinds == LETTER || kinds == FIGURE) span(spans, text, at, behind);
            else split_chunk(english, text, spans, at, behind, kinds);
            changes = changes || (spans->count - from > 1 && any_change(english, text, spans, from));
            at = behind;
        }
        if (changes) enough = second_pass(english, text, spans, first, &scratch);
        spans->rows[row + 1] = spans->count;
    }
    free(scratch.matches), free(scratch.seen), free(scratch.begins), free(scratch.ends);
    return enough;
}

/* Whether white space between two words is a token: all of it but a single space. */
static inline bool blank_token(const Text *text, int64_t from, int64_t to)
{
    return to - from > 1 || (to > from && text->data[from] != ' ');
}

/* A sentence begins with the first token that is no punctuation after a token that is a sentence's end (Sentencizer.predict);
   white space is such a token too. Spans from first to last word; sentences of white space alone are left out. */
void sentences_of(const English *english, const Text *text, const Spans *words, Spans *sentences)
{
    sentences->rows[0] = 0;
    for (int64_t row = 0; row < text->rows; row++) {
        bool ended = false, open = false;
        int64_t before = text->offsets[row];
        for (int64_t i = words->rows[row]; i < words->rows[row + 1]; i++) {
            if (ended && blank_token(text, before, words->begins[i])) ended = open = false;
            const uint8_t *at = text->data + words->begins[i], *end = text->data + words->ends[i];
            uint16_t every = 0xFFFF, characters = 0;
            while (at < end && (every & PUNCTUATION || !characters)) {
                every &= english->classes[next_point(&at, end)];
                characters += characters < 2;
            }
            bool stop = every & SENTENCE_END && characters == 1 && at == end;
            if (ended && !(every & PUNCTUATION) && !stop) ended = open = false;
            else if (stop) ended = true;
            if (!open) sentences->begins[sentences->count++] = words->begins[i];
            sentences->ends[sentences->count - 1] = before = words->ends[i];
            open = true;
        }
        sentences->rows[row + 1] = sentences->count;
    }
}
