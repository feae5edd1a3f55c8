/* The quick twin of `ShortRows.in_python` (short_rows.py): finds rows and sort keys in one pass over each body, and merges.

Holds: it gives what its twin gives, byte for byte, or None: then the twin decides. A body is taken only if all of it is
JSON by RFC 8259, in UTF-8; rows of a shard that are not in the order are never merged.
Never: keeps anything of a body, makes a Python object of a row, or decides what is wrong with a body.
*/

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define KEYS_MAX 8
#define DEPTH_MAX 63       /* of values in a row: one bit each */
#define WHOLE_DIGITS_MAX 18 /* of a number: more do not fit into 64 bits */
#define FRACTION_DIGITS_MAX 9
#define NAMES_MAX 32       /* members of a row whose names are expected in the next one */

typedef enum { TEXT, NUMBER, BOOLEAN } Kind;

typedef struct {
    char *name;
    Py_ssize_t size;
    Kind kind;
    bool descends;
    int missing; /* what a missing value compares as: 0 before all others, 2 behind them; -1: every row has one */
} Key;

/* A text is its bytes in UTF-8, which compare as its code points do. A number is `whole` and billionths, both with its
sign. */
typedef struct {
    const char *text;
    Py_ssize_t size;
    int64_t whole;
    int32_t fraction;
    int place; /* 1; or the key's `missing` */
} Value;

typedef struct {
    const char *start, *end;
} Row;

typedef struct {
    const char *start, *end; /* the body */
    Py_ssize_t first, count; /* its rows */
} Run;

/* A member's name as it stood in the last row: from its first quote to where its value begins. The same bytes in the same
place of the next row are the same name, and are not read again. */
typedef struct {
    const char *start;
    Py_ssize_t size;
    int key; /* its number; `order->count`: it is no sort key */
} Name;

typedef struct Piece {
    struct Piece *before;
    char bytes[];
} Piece;

typedef struct {
    PyObject_HEAD
    Key keys[KEYS_MAX];
    int count;
    int tie;
} ShortRows;

typedef struct {
    const ShortRows *order;
    Row *rows;
    Value *values; /* `order->count` of each row */
    Py_ssize_t count, room, most;
    Piece *pieces; /* texts without their escapes */
    Name names[NAMES_MAX];
    int named;
    unsigned high; /* the bits of all bytes of strings: 0x80 where any is not ASCII */
    bool no_memory;
} Scan;

/* ---- JSON: each function gives the position behind what it read; NULL where it is not certainly valid. A body ends
with a NUL, which is never valid, so that no position needs to be compared with the end. ---- */

static inline const char *space(const char *at) {
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') at++;
    return at;
}

static int hex(const char *at) {
    int code = 0;
    for (int n = 0; n < 4; n++) {
        int c = (unsigned char)at[n], digit;
        if (c >= '0' && c <= '9') digit = c - '0';
        else if ((c | 32) >= 'a' && (c | 32) <= 'f') digit = (c | 32) - 'a' + 10;
        else return -1;
        code = code * 16 + digit;
    }
    return code;
}

/* Behind the backslash. `code`: the character; half a surrogate pair is left to the twin. */
static const char *escape(const char *at, int *code) {
    switch (*at) {
    case '"': case '\\': case '/': *code = *at; return at + 1;
    case 'b': *code = '\b'; return at + 1;
    case 'f': *code = '\f'; return at + 1;
    case 'n': *code = '\n'; return at + 1;
    case 'r': *code = '\r'; return at + 1;
    case 't': *code = '\t'; return at + 1;
    case 'u': break;
    default: return NULL;
    }
    int first = hex(at + 1);
    if (first < 0) return NULL;
    at += 5;
    if (first < 0xD800 || first > 0xDFFF) { *code = first; return at; }
    if (first > 0xDBFF || at[0] != '\\' || at[1] != 'u') return NULL;
    int second = hex(at + 2);
    if (second < 0xDC00 || second > 0xDFFF) return NULL;
    *code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    return at + 6;
}

/* Behind the first quote: the position of the last one. */
static inline const char *string(Scan *scan, const char *at, const char *end, bool *escaped) {
    for (;;) {
#if defined(__SSE2__)
        while (end - at >= 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)at);
            __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
            __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
            __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
            int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
            scan->high |= (unsigned)_mm_movemask_epi8(bytes);
            if (found) { at += __builtin_ctz((unsigned)found); break; }
            at += 16;
        }
#endif
        unsigned char c;
        while ((c = (unsigned char)*at) >= 0x20 && c != '"' && c != '\\') { scan->high |= c & 0x80; at++; }
        if (c == '"') return at;
        if (c != '\\') return NULL;
        int code;
        *escaped = true;
        if ((at = escape(at + 1, &code)) == NULL) return NULL;
    }
}

/* RFC 8259 section 6. `behind_whole`: the end of the digits before a point or an exponent. */
static const char *number(const char *at, const char **behind_whole) {
    if (*at == '-') at++;
    if (*at == '0') at++;
    else if (*at >= '1' && *at <= '9') while (*at >= '0' && *at <= '9') at++;
    else return NULL;
    *behind_whole = at;
    if (*at == '.') {
        const char *first = ++at;
        while (*at >= '0' && *at <= '9') at++;
        if (at == first) return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        if (*at == '+' || *at == '-') at++;
        const char *first = at;
        while (*at >= '0' && *at <= '9') at++;
        if (at == first) return NULL;
    }
    return at;
}

static inline const char *word(const char *at, const char *end, const char *expected, Py_ssize_t size) {
    return end - at >= size && memcmp(at, expected, (size_t)size) == 0 ? at + size : NULL;
}

/* Any value; the objects and arrays in it are counted, not entered by calls. */
static const char *value(Scan *scan, const char *at, const char *end) {
    uint64_t objects = 0; /* a bit for each level that is open: 1, an object */
    int depth = 0;
    bool escaped;
    const char *whole;
    for (;;) {
        switch (*at) { /* a value begins */
        case '"':
            if ((at = string(scan, at + 1, end, &escaped)) == NULL) return NULL;
            at++;
            break;
        case '{':
        case '[': {
            bool is_object = *at == '{';
            at = space(at + 1);
            if (*at == (is_object ? '}' : ']')) { at++; break; }
            if (depth == DEPTH_MAX) return NULL;
            depth++;
            objects = objects << 1 | is_object;
            if (is_object) goto name;
            continue;
        }
        case 't': if ((at = word(at, end, "true", 4)) == NULL) return NULL; break;
        case 'f': if ((at = word(at, end, "false", 5)) == NULL) return NULL; break;
        case 'n': if ((at = word(at, end, "null", 4)) == NULL) return NULL; break;
        default: if ((at = number(at, &whole)) == NULL) return NULL;
        }
        for (;;) { /* a value ended */
            if (depth == 0) return at;
            at = space(at);
            if (*at == ',') { at = space(at + 1); break; }
            if (*at != (objects & 1 ? '}' : ']')) return NULL;
            at++;
            depth--;
            objects >>= 1;
        }
        if (!(objects & 1)) continue;
    name:
        if (*at != '"' || (at = string(scan, at + 1, end, &escaped)) == NULL) return NULL;
        at = space(at + 1);
        if (*at != ':') return NULL;
        at = space(at + 1);
    }
}

/* ---- Sort keys ---- */

static bool unescape(Scan *scan, Value *found) {
    Piece *piece = PyMem_Malloc(sizeof(Piece) + (size_t)found->size);
    if (piece == NULL) { scan->no_memory = true; return false; }
    piece->before = scan->pieces;
    scan->pieces = piece;
    char *to = piece->bytes;
    const char *from = found->text, *end = from + found->size;
    while (from < end) {
        int code;
        if (*from != '\\') { *to++ = *from++; continue; }
        if ((from = escape(from + 1, &code)) == NULL) return false;
        if (code < 0x80) *to++ = (char)code;
        else if (code < 0x800) { *to++ = (char)(0xC0 | code >> 6); *to++ = (char)(0x80 | (code & 63)); }
        else {
            if (code < 0x10000) *to++ = (char)(0xE0 | code >> 12);
            else { *to++ = (char)(0xF0 | code >> 18); *to++ = (char)(0x80 | (code >> 12 & 63)); }
            *to++ = (char)(0x80 | (code >> 6 & 63));
            *to++ = (char)(0x80 | (code & 63));
        }
    }
    found->text = piece->bytes;
    found->size = to - piece->bytes;
    return true;
}

/* An exponent, and more digits than are compared here, are left to the twin. */
static const char *number_key(const char *at, Value *found) {
    const char *behind_whole, *end = number(at, &behind_whole);
    if (end == NULL) return NULL;
    found->text = at;
    found->size = end - at;
    bool negative = *at == '-';
    const char *digit = at + negative;
    if (behind_whole - digit > WHOLE_DIGITS_MAX) return NULL;
    int64_t whole = 0;
    for (; digit < behind_whole; digit++) whole = whole * 10 + (*digit - '0');
    int32_t fraction = 0;
    if (behind_whole < end) {
        if (*behind_whole != '.' || end - behind_whole - 1 > FRACTION_DIGITS_MAX) return NULL;
        int places = 0;
        for (digit = behind_whole + 1; digit < end; digit++, places++) {
            if (*digit < '0' || *digit > '9') return NULL;
            fraction = fraction * 10 + (*digit - '0');
        }
        for (; places < FRACTION_DIGITS_MAX; places++) fraction *= 10;
    }
    if (negative && whole == 0 && behind_whole == end) return NULL; /* -0 */
    found->whole = negative ? -whole : whole;
    found->fraction = negative ? -fraction : fraction;
    return end;
}

static const char *key_value(Scan *scan, const char *at, const char *end, const Key *key, Value *found) {
    if (*at == 'n') {
        found->place = key->missing;
        return key->missing < 0 ? NULL : word(at, end, "null", 4);
    }
    found->place = 1;
    if (key->kind == TEXT) {
        bool escaped = false;
        if (*at != '"') return NULL;
        found->text = at + 1;
        if ((at = string(scan, at + 1, end, &escaped)) == NULL) return NULL;
        found->size = at - found->text;
        return !escaped || unescape(scan, found) ? at + 1 : NULL;
    }
    if (key->kind == NUMBER) return number_key(at, found);
    found->whole = *at == 't';
    found->fraction = 0;
    return *at == 't' ? word(at, end, "true", 4) : word(at, end, "false", 5);
}

static int compare(const ShortRows *order, const Value *one, const Value *other) {
    for (int n = 0; n < order->count; n++, one++, other++) {
        int found;
        if (one->place != other->place) found = one->place < other->place ? -1 : 1;
        else if (one->place != 1) continue;
        else if (order->keys[n].kind == TEXT) {
            Py_ssize_t least = one->size < other->size ? one->size : other->size;
            found = memcmp(one->text, other->text, (size_t)least);
            if (found == 0) found = (one->size > other->size) - (one->size < other->size);
        } else {
            found = (one->whole > other->whole) - (one->whole < other->whole);
            if (found == 0) found = (one->fraction > other->fraction) - (one->fraction < other->fraction);
        }
        if (found != 0) return order->keys[n].descends ? -found : found;
    }
    return 0;
}

/* ---- Rows ---- */

static bool make_room(Scan *scan) {
    if (scan->count < scan->room) return true;
    Py_ssize_t room = scan->room ? scan->room * 2 : 64;
    Row *rows = PyMem_Realloc(scan->rows, (size_t)room * sizeof(Row));
    if (rows != NULL) scan->rows = rows;
    Value *values = PyMem_Realloc(scan->values, (size_t)(room * scan->order->count) * sizeof(Value));
    if (values != NULL) scan->values = values;
    if (rows == NULL || values == NULL) { scan->no_memory = true; return false; }
    scan->room = room;
    return true;
}

/* The name of a member, and where its value begins. `number`: the how many-th member of its row it is. */
static const char *name(Scan *scan, const char *at, const char *end, int number, int *key) {
    const ShortRows *order = scan->order;
    Name *last = number < NAMES_MAX ? &scan->names[number] : NULL;
    if (last != NULL && number < scan->named && end - at >= last->size && !memcmp(at, last->start, (size_t)last->size)) {
        *key = last->key;
        return space(at + last->size);
    }
    bool escaped = false;
    const char *start = at;
    if (*at != '"' || (at = string(scan, start + 1, end, &escaped)) == NULL || escaped) return NULL;
    Py_ssize_t size = at - start - 1;
    at = space(at + 1);
    if (*at != ':') return NULL;
    at = space(at + 1);
    int n = 0;
    while (n < order->count && (order->keys[n].size != size || memcmp(order->keys[n].name, start + 1, (size_t)size))) n++;
    *key = n;
    if (last != NULL) {
        *last = (Name){start, at - start, n};
        if (scan->named == number) scan->named++;
    }
    return at;
}

static const char *row(Scan *scan, const char *at, const char *end) {
    const ShortRows *order = scan->order;
    if (*at != '{' || scan->count >= scan->most || !make_room(scan)) return NULL;
    Value *values = scan->values + scan->count * order->count;
    for (int n = 0; n < order->count; n++) values[n].place = order->keys[n].missing;
    scan->rows[scan->count].start = at;
    at = space(at + 1);
    if (*at != '}') for (int number = 0;; number++) {
        int n;
        if ((at = name(scan, at, end, number, &n)) == NULL) return NULL;
        at = n < order->count ? key_value(scan, at, end, &order->keys[n], &values[n]) : value(scan, at, end);
        if (at == NULL) return NULL;
        at = space(at);
        if (*at == '}') break;
        if (*at != ',') return NULL;
        at = space(at + 1);
    }
    for (int n = 0; n < order->count; n++) if (values[n].place < 0) return NULL;
    scan->rows[scan->count++].end = at + 1;
    return at + 1;
}

/* Whether a body is an array of objects that have the keys, and stand in the order. */
static bool body_rows(Scan *scan, const char *at, const char *end, Run *run) {
    run->start = at;
    run->end = end;
    run->first = scan->count;
    at = space(at);
    if (*at != '[') return false;
    at = space(at + 1);
    if (*at == ']') at++;
    else for (;;) {
        if ((at = row(scan, at, end)) == NULL) return false;
        Py_ssize_t last = scan->count - 1;
        if (last > run->first) {
            const Value *values = scan->values + last * scan->order->count;
            if (compare(scan->order, values - scan->order->count, values) > 0) return false;
        }
        at = space(at);
        if (*at == ']') { at++; break; }
        if (*at != ',') return false;
        at = space(at + 1);
    }
    run->count = scan->count - run->first;
    return space(at) == end;
}

/* ---- The merge: a heap of the shards that have rows left, the one whose next row is first on top. ---- */

typedef struct {
    Scan *scan;
    Run *runs;
    Py_ssize_t *next;  /* the row of each shard that is next */
    Py_ssize_t *heap;  /* numbers of shards */
    Py_ssize_t size;
} Merge;

static bool is_before(const Merge *merge, Py_ssize_t one, Py_ssize_t other) {
    const Value *values = merge->scan->values;
    int count = merge->scan->order->count;
    int found = compare(merge->scan->order, values + merge->next[one] * count, values + merge->next[other] * count);
    return found < 0 || (found == 0 && one < other);
}

static void sink(Merge *merge, Py_ssize_t at) {
    Py_ssize_t moving = merge->heap[at];
    for (;;) {
        Py_ssize_t below = 2 * at + 1;
        if (below >= merge->size) break;
        if (below + 1 < merge->size && is_before(merge, merge->heap[below + 1], merge->heap[below])) below++;
        if (!is_before(merge, merge->heap[below], moving)) break;
        merge->heap[at] = merge->heap[below];
        at = below;
    }
    merge->heap[at] = moving;
}

/* Writes the numbers of the first rows in the order, up to `end` of them, and the shard of each. */
static void ranked(Merge *merge, Py_ssize_t shards, Py_ssize_t end, Py_ssize_t *rows, Py_ssize_t *owners) {
    merge->size = 0;
    for (Py_ssize_t n = 0; n < shards; n++) {
        merge->next[n] = merge->runs[n].first;
        if (merge->runs[n].count) merge->heap[merge->size++] = n;
    }
    for (Py_ssize_t n = merge->size / 2; n-- > 0;) sink(merge, n);
    for (Py_ssize_t n = 0; n < end; n++) {
        Py_ssize_t shard = merge->heap[0];
        rows[n] = merge->next[shard];
        owners[n] = shard;
        if (++merge->next[shard] == merge->runs[shard].first + merge->runs[shard].count)
            merge->heap[0] = merge->heap[--merge->size];
        if (merge->size) sink(merge, 0);
    }
}

static PyObject *joined(const Scan *scan, const Run *shown, const Py_ssize_t *rows, Py_ssize_t count) {
    const Row *first = scan->rows + shown->first, *last = first + shown->count - 1;
    Py_ssize_t opening = first->start - shown->start, between = first[1].start - first->end;
    Py_ssize_t closing = shown->end - last->end, size = opening + closing + between * (count - 1);
    for (Py_ssize_t n = 0; n < count; n++) size += scan->rows[rows[n]].end - scan->rows[rows[n]].start;
    PyObject *array = PyBytes_FromStringAndSize(NULL, size);
    if (array == NULL) return NULL;
    char *to = PyBytes_AS_STRING(array);
    memcpy(to, shown->start, (size_t)opening);
    to += opening;
    for (Py_ssize_t n = 0; n < count; n++) {
        const Row *each = scan->rows + rows[n];
        if (n) {
            memcpy(to, first->end, (size_t)between);
            to += between;
        }
        memcpy(to, each->start, (size_t)(each->end - each->start));
        to += each->end - each->start;
    }
    memcpy(to, last->end, (size_t)closing);
    return array;
}

/* Each row's tie-breaker as a text, with its shard. NULL without an error: the twin decides. */
static PyObject *learned(
    const Scan *scan, PyObject *shards, const Py_ssize_t *rows, const Py_ssize_t *owners, Py_ssize_t count
) {
    bool is_text = scan->order->keys[scan->order->tie].kind == TEXT;
    PyObject *pairs = PyList_New(count);
    for (Py_ssize_t n = 0; pairs != NULL && n < count; n++) {
        const Value *tie = scan->values + rows[n] * scan->order->count + scan->order->tie;
        PyObject *id = NULL; /* a missing value has no text */
        if (tie->place == 1 && (is_text || memchr(tie->text, '.', (size_t)tie->size) == NULL))
            id = PyUnicode_DecodeUTF8(tie->text, tie->size, NULL);
        PyObject *pair = id == NULL ? NULL : PyTuple_Pack(2, id, PySequence_Fast_GET_ITEM(shards, owners[n]));
        Py_XDECREF(id);
        if (pair == NULL) { Py_CLEAR(pairs); break; }
        PyList_SET_ITEM(pairs, n, pair);
    }
    return pairs;
}

/* How many rows each shard gave. */
static PyObject *counts(const Run *runs, Py_ssize_t count) {
    PyObject *list = PyList_New(count);
    for (Py_ssize_t n = 0; list != NULL && n < count; n++) {
        PyObject *each = PyLong_FromSsize_t(runs[n].count);
        if (each == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, n, each);
    }
    return list;
}

/* ---- Python ---- */

static bool in_utf8(PyObject *body) {
    PyObject *text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(body), PyBytes_GET_SIZE(body), NULL);
    if (text == NULL) PyErr_Clear();
    Py_XDECREF(text);
    return text != NULL;
}

static PyObject *page(Scan *scan, Merge *merge, PyObject *bodies, PyObject *shards, const Py_ssize_t bounds[5]) {
    Py_ssize_t start = bounds[0], end = bounds[1], most_each = bounds[2], learned_max = bounds[4];
    Py_ssize_t count = PyList_GET_SIZE(bodies);
    const Run *shown = NULL;
    for (Py_ssize_t n = 0; n < count; n++) {
        PyObject *body = PyList_GET_ITEM(bodies, n);
        if (!PyBytes_CheckExact(body)) return NULL;
        const char *text = PyBytes_AS_STRING(body);
        Run *run = &merge->runs[n];
        scan->high = 0;
        if (!body_rows(scan, text, text + PyBytes_GET_SIZE(body), run)) return NULL;
        if (scan->high && !in_utf8(body)) return NULL;
        if (run->count > most_each) return NULL;
        if (shown == NULL && run->count > 1) shown = run;
    }
    Py_ssize_t found = scan->count;
    if (end < 0 || end > found) end = found;
    if (shown == NULL || start >= end) return NULL;
    Py_ssize_t *rows = merge->heap + count, *owners = rows + end;
    ranked(merge, count, end, rows, owners);
    Py_ssize_t many = end - start;
    PyObject *array = joined(scan, shown, rows + start, many);
    if (array == NULL) return NULL;
    PyObject *pairs = learned(scan, shards, rows + start, owners + start, many <= learned_max ? many : 0);
    PyObject *counted = pairs == NULL ? NULL : counts(merge->runs, count);
    if (counted != NULL) return Py_BuildValue("(NnNN)", array, many, counted, pairs);
    Py_XDECREF(pairs);
    Py_DECREF(array);
    return NULL;
}

PyDoc_STRVAR(merged_doc, "merged(bodies, shards, start, end, each_max, rows_max, learned_max): as ShortRows of short_rows.py.");

static PyObject *merged(ShortRows *self, PyObject *const *given, Py_ssize_t count) {
    if (count != 7 || !PyList_CheckExact(given[0]) || !(PyList_CheckExact(given[1]) || PyTuple_CheckExact(given[1]))) {
        PyErr_SetString(PyExc_TypeError, "merged takes a list of bodies, a list or tuple of shards, and five integers");
        return NULL;
    }
    Py_ssize_t bounds[5]; /* start, end, each_max, rows_max, learned_max */
    for (int n = 0; n < 5; n++) {
        bounds[n] = PyLong_AsSsize_t(given[n + 2]);
        if (bounds[n] == -1 && PyErr_Occurred()) return NULL;
    }
    PyObject *bodies = given[0], *shards = given[1], *made = NULL;
    Py_ssize_t many = PyList_GET_SIZE(bodies);
    if (many != PySequence_Fast_GET_SIZE(shards) || bounds[0] < 0) {
        PyErr_SetString(PyExc_ValueError, "merged takes as many shards as bodies, and a start that is not negative");
        return NULL;
    }
    Scan scan = {.order = self, .most = bounds[3]};
    /* Behind the heap there is room for the numbers of all rows, and of their shards. */
    Py_ssize_t numbers = many * 2 + (bounds[3] > 0 ? bounds[3] * 2 : 0);
    Merge merge = {.scan = &scan, .runs = PyMem_Malloc((size_t)many * sizeof(Run) + 1)};
    merge.next = PyMem_Malloc((size_t)numbers * sizeof(Py_ssize_t) + 1);
    merge.heap = merge.next + many;
    if (merge.runs != NULL && merge.next != NULL) made = page(&scan, &merge, bodies, shards, bounds);
    else scan.no_memory = true;
    while (scan.pieces != NULL) {
        Piece *before = scan.pieces->before;
        PyMem_Free(scan.pieces);
        scan.pieces = before;
    }
    PyMem_Free(scan.rows);
    PyMem_Free(scan.values);
    PyMem_Free(merge.runs);
    PyMem_Free(merge.next);
    if (made != NULL || PyErr_Occurred()) return made;
    if (scan.no_memory) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static void forget(ShortRows *self) {
    for (int n = 0; n < self->count; n++) PyMem_Free(self->keys[n].name);
    self->count = 0;
}

/* ShortRows([(name, kind, descends, missing), …], tie) */
static int begin(ShortRows *self, PyObject *given, PyObject *Py_UNUSED(named)) {
    PyObject *keys;
    forget(self);
    if (!PyArg_ParseTuple(given, "O!i", &PyList_Type, &keys, &self->tie)) return -1;
    Py_ssize_t count = PyList_GET_SIZE(keys);
    if (count < 1 || count > KEYS_MAX || self->tie < 0 || self->tie >= count) {
        PyErr_Format(PyExc_ValueError, "an order has 1 to %d keys, and one of them is its tie-breaker", KEYS_MAX);
        return -1;
    }
    for (Py_ssize_t n = 0; n < count; n++) {
        Key *key = &self->keys[n];
        const char *name;
        int kind, descends;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(keys, n), "y#ipi", &name, &key->size, &kind, &descends, &key->missing))
            return -1;
        key->kind = (Kind)kind;
        key->descends = descends;
        if ((key->name = PyMem_Malloc((size_t)key->size + 1)) == NULL) { PyErr_NoMemory(); return -1; }
        memcpy(key->name, name, (size_t)key->size);
        self->count++;
    }
    return 0;
}

static void end_of(ShortRows *self) {
    PyTypeObject *type = Py_TYPE(self);
    forget(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"merged", (PyCFunction)(void (*)(void))merged, METH_FASTCALL, merged_doc},
    {NULL},
};
static PyType_Slot slots[] = {
    {Py_tp_new, PyType_GenericNew}, {Py_tp_init, begin}, {Py_tp_dealloc, end_of}, {Py_tp_methods, methods}, {0, NULL},
};
static PyType_Spec spec = {
    "shardgate.core.lists._short_rows.ShortRows", sizeof(ShortRows), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots,
};

static int add_type(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int failed = type == NULL || PyModule_AddType(module, (PyTypeObject *)type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, add_type}, {0, NULL}};
static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_short_rows", "Merges short pages; short_rows.py says how.", 0, NULL, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__short_rows(void) { return PyModuleDef_Init(&module); }
