/* The regular expressions of spaCy's English tokenizer (spacy/lang/punctuation.py, spacy/lang/en/punctuation.py and URL_PATTERN
   of spacy/lang/tokenizer_exceptions.py), by hand. Each looks at a bounded number of characters, or at a run of full stops
   that it then takes, so that the whole stays linear in the text. */
#include "spacy.h"

static inline bool ascii_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

static inline bool starts(const uint8_t *at, const uint8_t *end, const char *text, int64_t size)
{
    return end - at >= size && !memcmp(at, text, (size_t)size);
}

static inline bool ends(const uint8_t *begin, const uint8_t *end, const char *text, int64_t size)
{
    return end - begin >= size && !memcmp(end - size, text, (size_t)size);
}

int64_t prefix_size(const English *english, const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *at = begin;
    uint32_t point = next_point(&at, end);
    if (english->classes[point] & PREFIX) return at - begin;
    switch (point) {
    case '.':
        while (at < end && *at == '.') at++;
        return at - begin > 1 ? at - begin : 0;
    case '+': return at < end && ascii_digit(*at) ? 0 : 1;
    case 'U': return starts(begin, end, "US$", 3) ? 3 : 0;
    case 'A': case 'C': return at < end && *at == '$' ? 2 : 0;
    default: return 0;
    }
}

/* A full stop, alone, at the end of a string. */
static bool stop_is_suffix(const English *english, const uint8_t *begin, const uint8_t *stop)
{
    if (stop == begin) return false;
    const uint8_t *at = stop;
    uint32_t point = last_point(begin, &at);
    uint16_t class = english->classes[point];
    if (class & BEFORE_STOP) return true;
    if (at == begin) return false;
    if (!(class & UPPER)) return false;
    if ((point == 'F' || point == 'C' || point == 'K') && ends(begin, at, "°", 2)) return true;
    return english->classes[last_point(begin, &at)] & UPPER;
}

enum { LONGEST_UNIT = 16 };

/* A unit or currency right behind a digit: there is no digit in one, so it is what follows the last. */
static int64_t unit_size(const English *english, const uint8_t *begin, const uint8_t *end)
{
    for (const uint8_t *at = end - 1; at > begin && end - at <= LONGEST_UNIT; at--)
        if (ascii_digit(at[-1])) return strings_find(&english->units, at, end) >= 0 ? end - at : 0;
    return 0;
}

int64_t suffix_size(const English *english, const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *at = end;
    uint32_t point = last_point(begin, &at);
    uint16_t class = english->classes[point];
    int64_t size = class & SUFFIX ? end - at : 0;
    switch (point) {
    case '.':
        while (at > begin && at[-1] == '.') at--;
        if (end - at > 1) return end - at;
        return stop_is_suffix(english, begin, at);
    case '+': return at > begin && ascii_digit(at[-1]);
    case 's': case 'S':
        if (ends(begin, at, "'", 1)) return 2;
        if (ends(begin, at, "’", 3)) return 4;
        break;
    case 0x2026:
        if (ends(begin, at, "…", 3)) return 6;
        break;
    default: break;
    }
    if (class & UNIT_END) {
        int64_t unit = unit_size(english, begin, end);
        if (unit > size) return unit;
    }
    return size;
}

/* After an URL's host: a port, a path, the end. */
static bool host_ends(const English *english, const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at == ':') {
        int digits = 0;
        for (at++; at < end && digits <= 5; digits++) {
            const uint8_t *after = at;
            if (!(english->classes[next_point(&after, end)] & DIGIT)) break;
            at = after;
        }
        if (digits < 2 || digits > 5) return false;
    }
    return at == end || *at == '/' || *at == '?' || *at == '#';
}

/* One to three digits, of which all but the first of a number may be those of any script. */
typedef struct {
    uint32_t digits[3];
    int count;
} Octet;

static bool read_octet(const English *english, const uint8_t **at, const uint8_t *end, Octet *octet)
{
    for (octet->count = 0; *at < end; octet->count++) {
        const uint8_t *after = *at;
        uint32_t point = next_point(&after, end);
        if (!(english->classes[point] & DIGIT)) break;
        if (octet->count == 3) return false;
        octet->digits[octet->count] = point, *at = after;
    }
    return octet->count > 0;
}

static inline bool within(uint32_t point, char low, char high) { return point >= (uint32_t)low && point <= (uint32_t)high; }

static bool equals(const Octet *octet, const char *text)
{
    bool same = octet->count == (int)strlen(text);
    for (int i = 0; same && i < octet->count; i++) same = octet->digits[i] == (uint32_t)text[i];
    return same;
}

/* The expression's ranges: 1-223, 0-255, 1-254, with the leading zeros and foreign digits that it lets through. */
static bool first_octet(const Octet *o)
{
    const uint32_t *d = o->digits;
    if (o->count < 3) return within(d[0], '1', '9');
    return d[0] == '1' || (d[0] == '2' && (within(d[1], '0', '1') || (d[1] == '2' && within(d[2], '0', '3'))));
}

static bool middle_octet(const Octet *o)
{
    const uint32_t *d = o->digits;
    if (o->count < 3) return true;
    return d[0] == '1' || (d[0] == '2' && (within(d[1], '0', '4') || (d[1] == '5' && within(d[2], '0', '5'))));
}

static bool last_octet(const Octet *o)
{
    const uint32_t *d = o->digits;
    if (o->count < 3) return within(d[0], '1', '9');
    return d[0] == '1' || (d[0] == '2' && (within(d[1], '0', '4') || (d[1] == '5' && within(d[2], '0', '4'))));
}

static bool is_private(const Octet *o)
{
    if (equals(&o[0], "10") || equals(&o[0], "127")) return true;
    if (equals(&o[0], "169")) return equals(&o[1], "254");
    if (equals(&o[0], "192")) return equals(&o[1], "168");
    if (!equals(&o[0], "172") || o[1].count != 2) return false;
    const uint32_t *d = o[1].digits;
    return (d[0] == '1' && within(d[1], '6', '9')) || d[0] == '2' || (d[0] == '3' && within(d[1], '0', '1'));
}

static bool is_address(const English *english, const uint8_t *at, const uint8_t *end)
{
    Octet octets[4];
    for (int i = 0; i < 4; i++) {
        if (i && (at == end || *at++ != '.')) return false;
        if (!read_octet(english, &at, end, &octets[i])) return false;
    }
    return first_octet(&octets[0]) && middle_octet(&octets[1]) && middle_octet(&octets[2]) && last_octet(&octets[3]) &&
           !is_private(octets) && host_ends(english, at, end);
}

static bool in_label(uint32_t point)
{
    return within(point, '0', '9') || within(point, 'A', 'Z') || within(point, 'a', 'z') || (point >= 0xA1 && point <= 0xFFFF);
}

/* Two to 63 lower letters at `at`, and a host's end behind them. */
static bool is_top_level(const English *english, const uint8_t *at, const uint8_t *end)
{
    int letters = 0;
    for (; at < end && letters < 64; letters++) {
        const uint8_t *after = at;
        if (!(english->classes[next_point(&after, end)] & LOWER)) break;
        at = after;
    }
    return letters >= 2 && letters < 64 && host_ends(english, at, end);
}

/* Labels of at most 64 characters with full stops behind them, and a top-level domain. */
static bool is_host(const English *english, const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        int size = 0;
        bool inside = false;
        uint32_t point = 0;
        for (; at < end && size <= 64; size++) {
            point = next_point(&at, end);
            if (point == '.') break;
            inside = in_label(point);
            if (!inside && (size == 0 || (point != '_' && point != '-'))) return false;
        }
        if (point != '.' || !inside) return false;
        if (is_top_level(english, at, end)) return true;
    }
    return false;
}

static bool is_destination(const English *english, const uint8_t *at, const uint8_t *end)
{
    return is_address(english, at, end) || is_host(english, at, end);
}

/* The host stands at the beginning, behind `scheme://` or behind any @ but the first character. As no host has an @ in it,
   no character is looked at more than a few times. */
bool is_url(const English *english, const uint8_t *begin, const uint8_t *end)
{
    if (!memchr(begin, '.', (size_t)(end - begin))) return false;
    if (is_destination(english, begin, end)) return true;
    const uint8_t *at = begin;
    int64_t size = 0;
    for (; at < end; size++) {
        const uint8_t *after = at;
        uint32_t point = next_point(&after, end);
        if (!(english->classes[point] & WORD) && point != '+' && point != '-' && point != '.') break;
        at = after;
    }
    if (size >= 2 && starts(at, end, "://", 3) && is_destination(english, at + 3, end)) return true;
    for (at = begin + 1; at < end && (at = memchr(at, '@', (size_t)(end - at)));)
        if (is_destination(english, ++at, end)) return true;
    return false;
}

/* Bytes of the infix at `at`, or 0. `before` and `after` are the classes of the characters around the first one. */
static int64_t infix_size(const English *english, const uint8_t *at, const uint8_t *end, uint32_t point, int64_t width, uint32_t before_point)
{
    const uint8_t *behind = at + width;
    if (point == '.' && behind < end && *behind == '.') {
        while (behind < end && *behind == '.') behind++;
        return behind - at;
    }
    if (english->classes[point] & ICON) return width;
    if (behind == end) return 0;
    uint16_t before = english->classes[before_point];
    bool digit_before = within(before_point, '0', '9');
    const uint8_t *peek = behind;
    uint32_t after_point = next_point(&peek, end);
    uint16_t after = english->classes[after_point];
    switch (point) {
    case '.': return before & BEFORE_DOT && after & AFTER_DOT;
    case ',': return before & ALPHA && after & ALPHA;
    case ':': case '<': case '>': case '=': case '/': return (before & ALPHA || digit_before) && after & ALPHA;
    case '+': case '*': case '^': return digit_before && (within(after_point, '0', '9') || after_point == '-');
    case '-':
        if (digit_before && (within(after_point, '0', '9') || after_point == '-')) return 1;
        break;
    default: break;
    }
    if (!(before & ALPHA || digit_before)) return 0;
    /* - -- --- – — —— ~ before a letter */
    for (int64_t size = width; size <= (point == '-' ? 3 : point == 0x2014 ? 2 : 1) * width; size += width) {
        if (after & ALPHA) return size;
        if (after_point != point || peek == end) return 0;
        after_point = next_point(&peek, end);
        after = english->classes[after_point];
    }
    return 0;
}

void split_infixes(const English *english, const Text *text, Spans *spans, const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *at = begin, *start = begin;
    uint32_t before = 0;
    while (at < end) {
        const uint8_t *after = at;
        uint32_t point = next_point(&after, end);
        int64_t size = english->classes[point] & INFIX ? infix_size(english, at, end, point, after - at, before) : 0;
        before = point;
        if (size) {
            after = at + size; /* an infix is one character repeated, so `before` holds */
            if (at > begin) { /* spaCy passes over one that stands first */
                if (start < at) span(spans, text, start, at);
                span(spans, text, at, after);
                start = after;
            }
        }
        at = after;
    }
    if (start < end) span(spans, text, start, end);
}
