/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/toml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "platform/text.h"

#define END (-1)

struct scan {
	const char *text, *end, *p;
	toml_cb cb;
	void *arg;
	struct err *e;          /* borrowed, may be NULL */
	size_t table_n, path_n; /* of path: the table's part, and all of it */
	char path[TOML_PATH_MAX];
	char value[TOML_STRING_MAX + 1];
};

/* Where a string's bytes go. */
struct out {
	char *buf;
	size_t n, max;
};

struct place {
	size_t line, column;
};

/* ---- characters ---- */

static bool is_scalar(uint32_t c)
{
	return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

static size_t utf8_put(uint32_t c, char to[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	if (n == 1) {
		to[0] = (char)c;
		return n;
	}
	for (i = n - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((0xf00u >> n & 0xf0u) | c);
	return n;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* 36 is above every base. */
static unsigned digit(int c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A' + 10);
	return 36;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool is_space(int c)
{
	return c == ' ' || c == '\t';
}

static bool is_bare(int c)
{
	return digit(c) < 36 || c == '_' || c == '-';
}

static bool is_line_end(int c)
{
	return c == '\n' || c == '\r' || c == END;
}

/* ---- errors ---- */

static struct place place_of(const struct scan *s, const char *at)
{
	struct place w = {1, 1};
	const char *p;

	for (p = s->text; p < at; p++) {
		if (*p == '\n') {
			w.line++;
			w.column = 1;
		} else if ((*p & 0xc0) != 0x80) {
			w.column++;
		}
	}
	return w;
}

static int fail(struct scan *s, const char *at, const char *fmt, ...)
	ERR_PRINTF(3, 4);

static int fail(struct scan *s, const char *at, const char *fmt, ...)
{
	struct place w = place_of(s, at);
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(s->e, -EINVAL, "line %zu, column %zu: %s", w.line,
		w.column, why);
}

static int peek(const struct scan *s)
{
	return s->p < s->end ? (unsigned char)*s->p : END;
}

static int unexpected(struct scan *s, const char *wanted)
{
	int c = peek(s);

	if (c == END)
		return fail(s, s->p, "%s is expected, not the end of the text",
			wanted);
	if (is_line_end(c))
		return fail(s, s->p, "%s is expected, not the end of the line",
			wanted);
	return fail(s, s->p, "%s is expected, not '%.*s'", wanted,
		(int)text_utf8(s->p, (size_t)(s->end - s->p)), s->p);
}

/* What TOML forbids everywhere, so that nothing below need care for it. */
static int check_text(struct scan *s)
{
	const char *p = s->text;
	size_t n;

	for (; p < s->end; p += n) {
		n = text_utf8(p, (size_t)(s->end - p));
		if (n == 0)
			return fail(s, p, "the text is no UTF-8");
		if (*p == '\r' && (p + 1 == s->end || p[1] != '\n'))
			return fail(
				s, p, "a carriage return without a line feed");
		if (is_control(*p) && !is_space(*p) && !is_line_end(*p))
			return fail(s, p,
				"control character 0x%02x is not allowed", *p);
	}
	return 0;
}

/* ---- strings ---- */

static bool put(struct out *o, const char *bytes, size_t n)
{
	if (n > o->max - o->n)
		return false;
	memcpy(o->buf + o->n, bytes, n);
	o->n += n;
	return true;
}

static int too_long(
	struct scan *s, const char *at, const char *what, const struct out *o)
{
	return fail(s, at, "%s is over the limit of %zu bytes", what, o->max);
}

/* s->p is at the digits. */
static int code_point(struct scan *s, const char *at, int digits, uint32_t *ret)
{
	uint32_t c = 0;
	int i;

	for (i = 0; i < digits; i++, s->p++) {
		if (digit(peek(s)) >= 16)
			return fail(s, at,
				"the escape needs %d hexadecimal digits",
				digits);
		c = c << 4 | digit(*s->p);
	}
	if (!is_scalar(c))
		return fail(s, at, "the escape stands for no character");
	*ret = c;
	return 0;
}

/* s->p is at the backslash. */
static int escape(struct scan *s, char to[4], size_t *ret_n)
{
	static const char plain[] = "b\bt\tn\nf\fr\re\033\"\"\\\\";
	const char *at = s->p++, *known;
	uint32_t c = 0;
	int r, name = peek(s);

	if (is_line_end(name))
		return unexpected(s, "an escape");
	for (known = plain; *known; known += 2) {
		if (*known != name)
			continue;
		s->p++;
		to[0] = known[1];
		*ret_n = 1;
		return 0;
	}
	if (name != 'x' && name != 'u' && name != 'U')
		return unexpected(s, "an escape (b t n f r e \" \\ x u U)");
	s->p++;
	r = code_point(s, at, name == 'x' ? 2 : name == 'u' ? 4 : 8, &c);
	if (r == 0)
		*ret_n = utf8_put(c, to);
	return r;
}

/* s->p is at the quote; what is the string's name in a message. */
static int string(struct scan *s, struct out *o, const char *what)
{
	const char *at = s->p, quote = *s->p++;
	size_t n = 0;
	char c[4];
	int r;

	while (peek(s) != quote) {
		if (is_line_end(peek(s)))
			return fail(s, at, "the quote is not closed");
		if (*s->p == '\\' && quote == '"') {
			r = escape(s, c, &n);
			if (r < 0)
				return r;
		} else {
			c[0] = *s->p++;
			n = 1;
		}
		if (!put(o, c, n))
			return too_long(s, at, what, o);
	}
	s->p++;
	return 0;
}

/* ---- keys ---- */

static void skip_space(struct scan *s)
{
	while (is_space(peek(s)))
		s->p++;
}

static int bare_key(struct scan *s, struct out *o)
{
	const char *at = s->p;

	while (is_bare(peek(s)))
		s->p++;
	if (s->p == at)
		return unexpected(s, "a key");
	if (!put(o, at, (size_t)(s->p - at)))
		return too_long(s, at, "the key", o);
	return 0;
}

static int quoted_key(struct scan *s, struct out *o)
{
	const char *at = s->p;
	size_t i = o->n;
	int r = string(s, o, "the key");

	if (r < 0)
		return r;
	if (o->n == i)
		return fail(s, at, "empty keys are not supported");
	for (; i < o->n; i++) {
		if (is_control(o->buf[i]))
			return fail(s, at, "the key has a control character");
	}
	return 0;
}

/* Into s->path, after the table's. */
static int key(struct scan *s)
{
	struct out o = {s->path, s->table_n, sizeof(s->path) - 1};
	const char *at;
	int r;

	for (;;) {
		at = s->p;
		if (o.n > 0 && !put(&o, ".", 1))
			return too_long(s, at, "the key", &o);
		if (peek(s) == '"' || peek(s) == '\'')
			r = quoted_key(s, &o);
		else
			r = bare_key(s, &o);
		if (r < 0)
			return r;
		skip_space(s);
		if (peek(s) != '.')
			break;
		s->p++;
		skip_space(s);
	}
	s->path_n = o.n;
	s->path[o.n] = '\0';
	return 0;
}

/* ---- values ---- */

/* Of digits, with single underscores between them. -EINVAL, -ERANGE. */
static int magnitude(const char *t, size_t n, unsigned base, uint64_t *ret)
{
	uint64_t m = 0;
	bool big = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (t[i] == '_' && i > 0 && i + 1 < n && t[i - 1] != '_')
			continue;
		if (digit(t[i]) >= base)
			return -EINVAL;
		big |= __builtin_mul_overflow(m, base, &m);
		big |= __builtin_add_overflow(m, digit(t[i]), &m);
	}
	*ret = m;
	return n == 0 ? -EINVAL : big ? -ERANGE : 0;
}

static int integer(const char *t, size_t n, int64_t *ret)
{
	bool is_signed = n > 0 && (*t == '+' || *t == '-');
	bool negative = is_signed && *t == '-';
	unsigned base = 10;
	uint64_t m = 0;
	int r;

	t += is_signed;
	n -= is_signed;
	if (n > 1 && *t == '0') {
		base = t[1] == 'x' ? 16 : t[1] == 'o' ? 8 : t[1] == 'b' ? 2 : 0;
		if (base == 0 || is_signed)
			return -EINVAL;
		t += 2;
		n -= 2;
	}
	r = magnitude(t, n, base, &m);
	if (r == 0 && m > (uint64_t)INT64_MAX + negative)
		r = -ERANGE;
	if (r == 0)
		*ret = (int64_t)(negative ? -m : m);
	return r;
}

static bool is_date(const char *t, size_t n)
{
	return (n > 4 && is_digit(t[0]) && is_digit(t[3]) && t[4] == '-') ||
	       (n > 2 && is_digit(t[0]) && is_digit(t[1]) && t[2] == ':');
}

static bool is_float(const char *t, size_t n)
{
	if (n > 0 && (*t == '+' || *t == '-')) {
		t++;
		n--;
	}
	if (n == 3 && (memcmp(t, "inf", 3) == 0 || memcmp(t, "nan", 3) == 0))
		return true;
	return n > 0 && is_digit(*t) &&
	       (memchr(t, '.', n) || memchr(t, 'e', n) || memchr(t, 'E', n));
}

/* t is a word that is no value. */
static int not_a_value(struct scan *s, const char *t, size_t n, bool is_big)
{
	size_t shown = n < 64 ? n : 64;

	while (shown < n && (t[shown] & 0xc0) == 0x80)
		shown--;
	if (is_big)
		return fail(s, t, "%.*s is over the limit of 64 bits",
			(int)shown, t);
	if (is_date(t, n))
		return fail(s, t, "dates and times are not supported");
	if (is_float(t, n))
		return fail(s, t, "floats are not supported");
	return fail(s, t,
		"'%.*s' is neither a number, nor true or false, nor a string "
		"in quotes",
		(int)shown, t);
}

static int word(struct scan *s, struct toml_item *item)
{
	const char *t = s->p;
	size_t n;
	int r;

	while (!is_line_end(peek(s)) && !is_space(*s->p) && *s->p != '#')
		s->p++;
	n = (size_t)(s->p - t);
	if (n == 0)
		return unexpected(s, "a value");
	item->type = TOML_BOOL;
	item->number = n == 4 && memcmp(t, "true", 4) == 0;
	if (item->number || (n == 5 && memcmp(t, "false", 5) == 0))
		return 0;
	item->type = TOML_INTEGER;
	r = integer(t, n, &item->number);
	return r < 0 ? not_a_value(s, t, n, r == -ERANGE) : 0;
}

static int value(struct scan *s, struct toml_item *item)
{
	struct out o = {s->value, 0, sizeof(s->value) - 1};
	int r, c = peek(s);

	if (c == '[')
		return fail(s, s->p, "arrays are not supported");
	if (c == '{')
		return fail(s, s->p, "inline tables are not supported");
	if (c != '"' && c != '\'')
		return word(s, item);
	if (s->end - s->p > 2 && s->p[1] == c && s->p[2] == c)
		return fail(s, s->p, "multi-line strings are not supported");
	r = string(s, &o, "the string");
	s->value[o.n] = '\0';
	item->type = TOML_STRING;
	item->text = s->value;
	item->n = o.n;
	return r;
}

/* ---- lines ---- */

static int end_line(struct scan *s)
{
	skip_space(s);
	if (peek(s) == '#') {
		while (!is_line_end(peek(s)))
			s->p++;
	}
	if (!is_line_end(peek(s)))
		return unexpected(s, "the end of the line");
	if (peek(s) == '\r')
		s->p++;
	if (peek(s) == '\n')
		s->p++;
	return 0;
}

/* at is the key. */
static int report(struct scan *s, const char *at, const struct toml_item *item)
{
	int r = s->cb(item, s->arg, s->e);
	struct place w;

	if (r < 0) {
		w = place_of(s, at);
		err_prefix(s->e, "line %zu, column %zu", w.line, w.column);
	}
	return r;
}

/* s->p is at the bracket. */
static int table(struct scan *s)
{
	struct toml_item item = {.path = s->path, .type = TOML_TABLE};
	const char *at = s->p++;
	int r;

	if (peek(s) == '[')
		return fail(s, at, "arrays of tables are not supported");
	skip_space(s);
	s->table_n = 0;
	at = s->p;
	r = key(s);
	if (r < 0)
		return r;
	if (peek(s) != ']')
		return unexpected(s, "']'");
	s->p++;
	s->table_n = s->path_n;
	r = end_line(s);
	return r < 0 ? r : report(s, at, &item);
}

static int setting(struct scan *s)
{
	struct toml_item item = {.path = s->path};
	const char *at = s->p;
	int r = key(s);

	if (r < 0)
		return r;
	if (peek(s) != '=')
		return unexpected(s, "'='");
	s->p++;
	skip_space(s);
	r = value(s, &item);
	if (r == 0)
		r = end_line(s);
	return r < 0 ? r : report(s, at, &item);
}

static int line(struct scan *s)
{
	skip_space(s);
	if (peek(s) == '#' || is_line_end(peek(s)))
		return end_line(s);
	return peek(s) == '[' ? table(s) : setting(s);
}

int toml_scan(const char *text, size_t n, toml_cb cb, void *arg, struct err *e)
{
	struct scan s;
	int r;

	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	if (n == 0)
		return 0; /* text may be NULL */
	s.text = s.p = text;
	s.end = text + n;
	s.cb = cb;
	s.arg = arg;
	s.e = e;
	s.table_n = 0;
	r = check_text(&s);
	while (r == 0 && s.p < s.end)
		r = line(&s);
	return r;
}
