/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/toml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

/* Everything that was handed out, as "path=value" and "[path]" lines. */
struct seen {
	char text[8192];
	size_t n;
	unsigned items;
	bool odd; /* Check's own assertions allocate */
};

static struct seen seen;

static void put(const char *text, size_t n)
{
	if (n >= sizeof(seen.text) - seen.n)
		n = sizeof(seen.text) - seen.n - 1;
	memcpy(seen.text + seen.n, text, n);
	seen.n += n;
	seen.text[seen.n] = '\0';
}

static int on_item(const struct toml_item *item, void *arg, struct err *e)
{
	char number[32];

	(void)e;
	seen.odd |= arg != &seen;
	seen.items++;
	if (item->type == TOML_TABLE)
		put("[", 1);
	put(item->path, strlen(item->path));
	if (item->type == TOML_TABLE) {
		put("]", 1);
	} else if (item->type == TOML_STRING) {
		seen.odd |= item->text[item->n] != '\0';
		put("='", 2);
		put(item->text, item->n);
		put("'", 1);
	} else {
		snprintf(number, sizeof(number), "%c%" PRId64,
			item->type == TOML_BOOL ? '?' : '=', item->number);
		put(number, strlen(number));
	}
	put("\n", 1);
	return 0;
}

static int scan_n(const char *text, size_t n, struct err *e)
{
	char *copy = NULL;
	int r;

	/* for ASan, which then knows where the text ends */
	if (n > 0) {
		copy = malloc(n);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, text, n);
	}
	memset(&seen, 0, sizeof(seen));
	memset(e, 0, sizeof(*e));
	oom_count_begin();
	r = toml_scan(copy, n, on_item, &seen, e);
	ck_assert_uint_eq(oom_count(), 0);
	ck_assert(!seen.odd);
	free(copy);
	return r;
}

static void gives_n(const char *text, size_t n, const char *result)
{
	struct err e;
	int r = scan_n(text, n, &e);

	ck_assert_msg(r == 0, "%s: %s", text, e.msg);
	ck_assert_str_eq(seen.text, result);
}

static void gives(const char *text, const char *result)
{
	gives_n(text, strlen(text), result);
}

/* The message is exactly this. */
static void fails_n(const char *text, size_t n, const char *message)
{
	struct err e;

	ck_assert_msg(scan_n(text, n, &e) == -EINVAL, "taken: %s", text);
	ck_assert_int_eq(e.code, -EINVAL);
	ck_assert_str_eq(e.msg, message);
	ck_assert_int_eq(toml_scan(text, n, on_item, &seen, NULL), -EINVAL);
}

static void fails(const char *text, const char *message)
{
	fails_n(text, strlen(text), message);
}

START_TEST(test_lines)
{
	struct err e;

	gives("", "");
	gives("\n", "");
	gives("  \t \n\r\n \r\n", "");
	gives("# only a comment", "");
	gives("#\n# \xc3\xa9 \t #\r\n\t# x\n", "");
	gives("a=1", "a=1\n");
	gives("a = 1\nb = 2\n", "a=1\nb=2\n");
	gives("a = 1\r\nb = 2\r\n", "a=1\nb=2\n");
	gives("\n\n\ta\t=\t1\t# one\n  b=2#two\n", "a=1\nb=2\n");
	gives("a = '#'#\n", "a='#'\n");
	gives("\xef\xbb\xbf", "");
	gives("\xef\xbb\xbf"
	      "a = 1",
		"a=1\n");
	ck_assert_int_eq(toml_scan(NULL, 0, on_item, &seen, &e), 0);
}
END_TEST

/* Every part of it, as containerd 1.7 and 2.x write it. */
START_TEST(test_like_cri)
{
	gives("\nBinaryName = \"/usr/bin/crun\"\nIoGid = 0\n"
	      "NoNewKeyring = false\nSystemdCgroup = true\n",
		"BinaryName='/usr/bin/crun'\nIoGid=0\n"
		"NoNewKeyring?0\nSystemdCgroup?1\n");
	gives("BinaryName = '/usr/bin/crun'\nIoGid = 0\n"
	      "Root = \"it's\"\n",
		"BinaryName='/usr/bin/crun'\nIoGid=0\nRoot='it's'\n");
}
END_TEST

START_TEST(test_keys)
{
	gives("A-z_09 = 1", "A-z_09=1\n");
	gives("1234 = 1\n-=2\n_=3\ntrue=true", "1234=1\n-=2\n_=3\ntrue?1\n");
	gives("\"a b\" = 1\n'c\"d\\' = 2", "a b=1\nc\"d\\=2\n");
	gives("\"\\u00e9\\\"\\\\\" = 1", "\xc3\xa9\"\\=1\n");
	gives("a.b.c = 1", "a.b.c=1\n");
	gives("a . 'b' \t. \"c\"=1", "a.b.c=1\n");
	gives("'a.b' = 1", "a.b=1\n");
	gives("3.14 = 1", "3.14=1\n");
	gives("a = 1\na = 2", "a=1\na=2\n");
}
END_TEST

START_TEST(test_tables)
{
	gives("[a]", "[a]\n");
	gives("x=0\n[a]\nx = 1\n[b]\nx = 2", "x=0\n[a]\na.x=1\n[b]\nb.x=2\n");
	gives("[ a . \"b c\" ] # d\nx.y = 1\n", "[a.b c]\na.b c.x.y=1\n");
	gives("\t[a]\r\n\tb = 1\r\n", "[a]\na.b=1\n");
}
END_TEST

START_TEST(test_strings)
{
	gives("a = \"\"\nb = ''", "a=''\nb=''\n");
	gives("a = \"x'y\"\nb = 'x\"y'", "a='x'y'\nb='x\"y'\n");
	gives("a = 'C:\\new\\'", "a='C:\\new\\'\n");
	gives("a = \"\\b\\t\\n\\f\\r\\e\\\"\\\\\"", "a='\b\t\n\f\r\033\"\\'\n");
	gives("a = \"\\x41\\xe9\\x7F\"", "a='A\xc3\xa9\x7f'\n");
	gives("a = \"\\u0041\\u00E9\\u20ac\\uFFFF\\uD7ff\\ue000\"",
		"a='A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf\xed\x9f\xbf"
		"\xee\x80\x80'\n");
	gives("a = \"\\U0001F600\\U0010ffff\\U00010000\"",
		"a='\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xf0\x90\x80\x80'\n");
	gives("a = \"\\u007f\\u0080\\u07ff\\u0800\"",
		"a='\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80'\n");
	gives("a = \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\t\"",
		"a='\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\t'\n");
}
END_TEST

static int on_nul(const struct toml_item *item, void *arg, struct err *e)
{
	(void)e;
	*(bool *)arg = item->type == TOML_STRING && item->n == 3 &&
		       memcmp(item->text, "x\0y", 4) == 0;
	return 0;
}

START_TEST(test_nul_in_a_string)
{
	static const char text[] = "a = \"x\\u0000y\"";
	bool found = false;
	struct err e;

	ck_assert_int_eq(toml_scan(text, strlen(text), on_nul, &found, &e), 0);
	ck_assert(found);
}
END_TEST

START_TEST(test_integers)
{
	gives("a = 0\nb = +0\nc = -0", "a=0\nb=0\nc=0\n");
	gives("a = 42\nb = +42\nc = -42", "a=42\nb=42\nc=-42\n");
	gives("a = 1_000\nb = 1_2_3\nc = -1_0", "a=1000\nb=123\nc=-10\n");
	gives("a = 0xDEADbeef\nb = 0xdead_beef\nc = 0x0",
		"a=3735928559\nb=3735928559\nc=0\n");
	gives("a = 0o755\nb = 0o0_7", "a=493\nb=7\n");
	gives("a = 0b1101\nb = 0b0000_0001", "a=13\nb=1\n");
	gives("a = 9223372036854775807\nb = -9223372036854775808",
		"a=9223372036854775807\nb=-9223372036854775808\n");
	gives("a = 0x7fffffffffffffff\nb = 0x00000000000000000001",
		"a=9223372036854775807\nb=1\n");
}
END_TEST

START_TEST(test_booleans)
{
	gives("a = true\nb = false", "a?1\nb?0\n");
}
END_TEST

START_TEST(test_integers_that_are_none)
{
	static const char *const big[] = {"9223372036854775808",
		"-9223372036854775809", "0x8000000000000000",
		"0xffffffffffffffff", "18446744073709551616",
		"99999999999999999999999999999999", "0o1000000000000000000000"};
	static const char *const bad[] = {"01", "-01", "+01", "00", "0_0", "_1",
		"1_", "1__0", "0x_1", "0x1_", "0x", "0o", "0b", "0xg", "0o8",
		"0b2", "+0x1", "-0b1", "0X1", "0B1", "1a", "+", "-", "--1",
		"+-1", "1,", "1=2", "0x 1"};
	char text[64], message[256];
	size_t i;

	for (i = 0; i < LENGTH(big); i++) {
		snprintf(text, sizeof(text), "a = %s", big[i]);
		snprintf(message, sizeof(message),
			"line 1, column 5: %s is over the limit of 64 bits",
			big[i]);
		fails(text, message);
	}
	for (i = 0; i < LENGTH(bad); i++) {
		snprintf(text, sizeof(text), "a = %s # x", bad[i]);
		snprintf(message, sizeof(message),
			"line 1, column 5: '%.*s' is neither a number, nor "
			"true or false, nor a string in quotes",
			(int)strcspn(bad[i], " "), bad[i]);
		fails(text, message);
	}
}
END_TEST

#define UNSUPPORTED(what) "line 1, column 5: " what " are not supported"

START_TEST(test_not_supported)
{
	static const char *const floats[] = {"1.0", "-0.5", "+1e3", "1E-3",
		"6.02e+23", "inf", "-inf", "+nan", "nan", "1.", "1_0.5"};
	static const char *const dates[] = {"1979-05-27", "07:32:00",
		"1979-05-27T07:32:00Z", "1979-05-27 07:32:00",
		"1979-05-27T00:32:00.999999-07:00"};
	char text[64];
	size_t i;

	for (i = 0; i < LENGTH(floats); i++) {
		snprintf(text, sizeof(text), "a = %s\n", floats[i]);
		fails(text, UNSUPPORTED("floats"));
	}
	for (i = 0; i < LENGTH(dates); i++) {
		snprintf(text, sizeof(text), "a = %s\n", dates[i]);
		fails(text, UNSUPPORTED("dates and times"));
	}
	fails("a = [1, 2]", UNSUPPORTED("arrays"));
	fails("a = { b = 1 }", UNSUPPORTED("inline tables"));
	fails("a = \"\"\"x\"\"\"", UNSUPPORTED("multi-line strings"));
	fails("a = '''\nx'''", UNSUPPORTED("multi-line strings"));
	fails("a = ''''", UNSUPPORTED("multi-line strings"));
	fails(" [[a]]", "line 1, column 2: arrays of tables are not supported");
}
END_TEST

START_TEST(test_wrong_lines)
{
	fails("a", "line 1, column 2: '=' is expected, not the end of the "
		   "text");
	fails("a\n", "line 1, column 2: '=' is expected, not the end of the "
		     "line");
	fails("a\r\n", "line 1, column 2: '=' is expected, not the end of "
		       "the line");
	fails("a b = 1", "line 1, column 3: '=' is expected, not 'b'");
	fails("a: 1", "line 1, column 2: '=' is expected, not ':'");
	fails("= 1", "line 1, column 1: a key is expected, not '='");
	fails("a. = 1", "line 1, column 4: a key is expected, not '='");
	fails(".a = 1", "line 1, column 1: a key is expected, not '.'");
	fails("a..b = 1", "line 1, column 3: a key is expected, not '.'");
	fails("{}", "line 1, column 1: a key is expected, not '{'");
	fails("\xc3\xa9 = 1",
		"line 1, column 1: a key is expected, not '\xc3\xa9'");
	fails("a = ", "line 1, column 5: a value is expected, not the end of "
		      "the text");
	fails("a =\nb = 1", "line 1, column 4: a value is expected, not the "
			    "end of the line");
	fails("a = # 1", "line 1, column 5: a value is expected, not '#'");
	fails("\n\na = 1 2", "line 3, column 7: the end of the line is "
			     "expected, not '2'");
	fails("a = \"x\" 'y'", "line 1, column 9: the end of the line is "
			       "expected, not '''");
	fails("a = 1 b = 2", "line 1, column 7: the end of the line is "
			     "expected, not 'b'");
	fails("[a] b = 1", "line 1, column 5: the end of the line is "
			   "expected, not 'b'");
	fails("[]", "line 1, column 2: a key is expected, not ']'");
	fails("[a", "line 1, column 3: ']' is expected, not the end of the "
		    "text");
	fails("[a b]", "line 1, column 4: ']' is expected, not 'b'");
	fails("[a.]", "line 1, column 4: a key is expected, not ']'");
	fails("[", "line 1, column 2: a key is expected, not the end of the "
		   "text");
	fails("x = 1\n[\na]", "line 2, column 2: a key is expected, not the "
			      "end of the line");
}
END_TEST

static void no_value(const char *word)
{
	char text[128], message[256];

	snprintf(text, sizeof(text), "ab = 1\n a = %s\n", word);
	snprintf(message, sizeof(message),
		"line 2, column 6: '%s' is neither a number, nor true or "
		"false, nor a string in quotes",
		word);
	fails(text, message);
}

START_TEST(test_words)
{
	no_value("runc");
	no_value("/usr/bin/runc");
	no_value("True");
	no_value("FALSE");
	no_value("yes");
	no_value("truex");
	no_value("tru");
	no_value("x\"y\"");
	no_value("\xc3\xa9t\xc3\xa9");
}
END_TEST

/* No more of it than fits, and no half of a character. */
START_TEST(test_long_word)
{
	char text[512];
	struct err e;
	size_t n = strlen(strcpy(text, "a = x"));

	while (n < sizeof(text) - 3) {
		memcpy(text + n, "\xc3\xa9", 3);
		n += 2;
	}
	ck_assert_int_eq(scan_n(text, n, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "\xc3\xa9' is neither"));
	ck_assert_uint_lt(strlen(e.msg), 200);
}
END_TEST

START_TEST(test_wrong_strings)
{
	static const char *const open[] = {"\"x", "'x", "\"x\n\"", "'x\n'",
		"\"x\r\n", "\"x'", "'x\"", "\"x\\\"", "'", "\""};
	char text[64];
	size_t i;

	for (i = 0; i < LENGTH(open); i++) {
		snprintf(text, sizeof(text), "\ta = %s", open[i]);
		fails(text, "line 1, column 6: the quote is not closed");
		snprintf(text, sizeof(text), "%s", open[i]);
		fails(text, "line 1, column 1: the quote is not closed");
	}
	fails("'' = 1", "line 1, column 1: empty keys are not supported");
	fails("a.\"\" = 1", "line 1, column 3: empty keys are not supported");
	fails("[\"\"]", "line 1, column 2: empty keys are not supported");
	fails("\"\".a = 1", "line 1, column 1: empty keys are not supported");
	fails("\"a\\u0000b\" = 1",
		"line 1, column 1: the key has a control character");
	fails("a.\"\\n\" = 1",
		"line 1, column 3: the key has a control character");
	fails("'a\tb' = 1",
		"line 1, column 1: the key has a control character");
}
END_TEST

#define ESCAPE " is expected, not "
#define AN_ESCAPE "an escape (b t n f r e \" \\ x u U)"

START_TEST(test_wrong_escapes)
{
	static const char *const two[] = {"\\x", "\\x1", "\\xg0", "\\x 1"};
	static const char *const four[] = {
		"\\u", "\\u123", "\\u12g4", "\\u-123"};
	static const char *const eight[] = {"\\U", "\\U0001F60", "\\U0001F60g"};
	static const char *const none[] = {"\\ud800", "\\udfff", "\\uDABC",
		"\\U00110000", "\\Uffffffff", "\\U0000d800"};
	static const struct {
		const char *const *list;
		size_t n;
		const char *message;
	} cases[] = {
		{two, LENGTH(two),
			"line 1, column 7: the escape needs 2 hexadecimal "
			"digits"},
		{four, LENGTH(four),
			"line 1, column 7: the escape needs 4 hexadecimal "
			"digits"},
		{eight, LENGTH(eight),
			"line 1, column 7: the escape needs 8 hexadecimal "
			"digits"},
		{none, LENGTH(none),
			"line 1, column 7: the escape stands for no "
			"character"},
	};
	char text[64];
	size_t i, k;

	for (i = 0; i < LENGTH(cases); i++) {
		for (k = 0; k < cases[i].n; k++) {
			snprintf(text, sizeof(text), "a = \"x%s\"",
				cases[i].list[k]);
			fails(text, cases[i].message);
			snprintf(text, sizeof(text), "a = \"x%s",
				cases[i].list[k]);
			fails(text, cases[i].message);
		}
	}
	fails("a = \"\\q\"", "line 1, column 7: " AN_ESCAPE ESCAPE "'q'");
	fails("a = \"\\\xc3\xa9\"",
		"line 1, column 7: " AN_ESCAPE ESCAPE "'\xc3\xa9'");
	fails("a = \"\\", "line 1, column 7: an escape is expected, not the "
			  "end of the text");
	fails("a = \"\\\n\"", "line 1, column 7: an escape is expected, not "
			      "the end of the line");
}
END_TEST

START_TEST(test_characters)
{
	static const char *const no_utf8[] = {"\x80", "\xc3", "\xc0\xaf",
		"\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xff", "\xfe", "\xc3\xc3"};
	char text[64], message[128];
	size_t i;
	int c;

	for (i = 0; i < LENGTH(no_utf8); i++) {
		/* columns are counted in characters */
		snprintf(text, sizeof(text), "\n# \xe2\x82\xac %s", no_utf8[i]);
		fails(text, "line 2, column 5: the text is no UTF-8");
		snprintf(text, sizeof(text), "a = '%s'", no_utf8[i]);
		fails(text, "line 1, column 6: the text is no UTF-8");
	}
	for (c = 0; c < 0x80; c++) {
		if ((c >= ' ' && c != 0x7f) || c == '\t' || c == '\n' ||
			c == '\r')
			continue;
		snprintf(message, sizeof(message),
			"line 1, column 8: control character 0x%02x is not "
			"allowed",
			c);
		memcpy(text, "a = 1 # x", 9);
		text[7] = (char)c;
		fails_n(text, 9, message);
		memcpy(text, "a = \"xx x\"", 10);
		text[7] = (char)c;
		fails_n(text, 10, message);
	}
	fails("a = 1\rb = 2", "line 1, column 6: a carriage return without a "
			      "line feed");
	fails("\n# x\r", "line 2, column 4: a carriage return without a line "
			 "feed");
	fails("\xff\xfe"
	      "a",
		"line 1, column 1: the text is no UTF-8");
}
END_TEST

/* Cut anywhere, it is either fine or an error at the end of the text; never
 * is anything read beyond. */
START_TEST(test_cut)
{
	static const char text[] = "# c\r\n[a.'b']\nc = \"\\u00e9\xc3\xa9\"\n"
				   "d = -12 # e\n[f]\ng = true\n";
	struct err e;
	size_t n;

	for (n = 0; n < sizeof(text) - 1; n++) {
		if (scan_n(text, n, &e) < 0)
			ck_assert_str_ne(e.msg, "");
	}
	gives(text, "[a.b]\na.b.c='\xc3\xa9\xc3\xa9'\na.b.d=-12\n[f]\n"
		    "f.g?1\n");
}
END_TEST

/* "a = " and quotes around n of c */
static size_t long_string(char *text, char c, size_t n)
{
	memcpy(text, "a = \"", 5);
	memset(text + 5, c, n);
	text[5 + n] = '"';
	return n + 6;
}

START_TEST(test_limits)
{
	static char text[TOML_STRING_MAX + 64];
	struct err e;
	size_t n;

	n = long_string(text, 'x', TOML_STRING_MAX);
	ck_assert_int_eq(scan_n(text, n, &e), 0);
	ck_assert_uint_eq(seen.n, TOML_STRING_MAX + 5);
	n = long_string(text, 'x', TOML_STRING_MAX + 1);
	fails_n(text, n,
		"line 1, column 5: the string is over the limit of "
		"4096 bytes");
	/* a character of two bytes where there is place for one */
	n = long_string(text, 'x', TOML_STRING_MAX + 5);
	memcpy(text + n - 7, "\\u00e9", 6);
	fails_n(text, n,
		"line 1, column 5: the string is over the limit of "
		"4096 bytes");

	memset(text, 'k', sizeof(text));
	memcpy(text + TOML_PATH_MAX - 1, " = 1", 4);
	ck_assert_int_eq(scan_n(text, TOML_PATH_MAX + 3, &e), 0);
	memcpy(text + TOML_PATH_MAX - 1, "k = 1", 5);
	fails_n(text, TOML_PATH_MAX + 4,
		"line 1, column 1: the key is over the limit of 255 bytes");
	text[0] = text[TOML_PATH_MAX] = '\'';
	memcpy(text + TOML_PATH_MAX + 1, " = 1", 4);
	ck_assert_int_eq(scan_n(text, TOML_PATH_MAX + 5, &e), 0);
	text[TOML_PATH_MAX] = 'k';
	text[TOML_PATH_MAX + 1] = '\'';
	fails_n(text, TOML_PATH_MAX + 5,
		"line 1, column 1: the key is over the limit of 255 bytes");
}
END_TEST

/* A table's name counts, and so does the dot. */
START_TEST(test_long_path)
{
	char text[2 * TOML_PATH_MAX];
	size_t n = TOML_PATH_MAX - 1;

	memset(text, 't', sizeof(text));
	text[0] = '[';
	memcpy(text + 1 + n, "]\nb = 1", 7);
	fails_n(text, n + 8,
		"line 2, column 1: the key is over the limit of 255 bytes");
	memcpy(text + n, "]\nb = 1", 7);
	fails_n(text, n + 7,
		"line 2, column 1: the key is over the limit of 255 bytes");
	memcpy(text + n - 1, "]\nb = 1", 7);
	ck_assert_int_eq(toml_scan(text, n + 6, on_item, &seen, NULL), 0);
}
END_TEST

/* 64 KiB, of what costs most to read. */
START_TEST(test_large)
{
	enum { MAX = 64 * 1024 };
	static char text[MAX + 1];
	static const char *const lines[] = {"k = \"\\u00e9\\n\"\n", "a.b.c=1\n",
		"\n", "[t]\n", "#\n", "x = 0b1111_0000\n"};
	int64_t start = real_ms();
	struct err e;
	size_t i, n, len;

	for (i = 0; i < LENGTH(lines); i++) {
		len = strlen(lines[i]);
		for (n = 0; n + len <= MAX; n += len)
			memcpy(text + n, lines[i], len);
		memset(text + n, ' ', MAX - n);
		ck_assert_int_eq(scan_n(text, MAX, &e), 0);
		if (seen.items > 0)
			ck_assert_uint_eq(seen.items, n / len);
		memcpy(text + MAX - 2, "\n!", 2);
		ck_assert_int_eq(scan_n(text, MAX, &e), -EINVAL);
	}
	ck_assert_int_lt(real_ms() - start, TEST_WAIT_MS);
}
END_TEST

static int refuse(const struct toml_item *item, void *arg, struct err *e)
{
	(void)arg;
	seen.items++;
	if (strcmp(item->path, "t.b") != 0)
		return 0;
	return err_set(e, -ENOMEM, "no memory for '%s'", item->path);
}

START_TEST(test_callback_fails)
{
	static const char doc[] = "a = 1\n[t]\n  b = 2\nc = 3\n= !";
	struct err e;

	/* what was right until then has been handed out */
	ck_assert_int_eq(scan_n(doc, strlen(doc), &e), -EINVAL);
	ck_assert_str_eq(seen.text, "a=1\n[t]\nt.b=2\nt.c=3\n");
	seen.items = 0;
	ck_assert_int_eq(
		toml_scan(doc, strlen(doc), refuse, NULL, &e), -ENOMEM);
	ck_assert_uint_eq(seen.items, 3);
	ck_assert_int_eq(e.code, -ENOMEM);
	ck_assert_str_eq(e.msg, "line 3, column 3: no memory for 't.b'");
	ck_assert_int_eq(
		toml_scan(doc, strlen(doc), refuse, NULL, NULL), -ENOMEM);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_lines, test_like_cri, test_keys,
		test_tables, test_strings, test_nul_in_a_string, test_integers,
		test_booleans, test_integers_that_are_none, test_not_supported,
		test_wrong_lines, test_words, test_long_word,
		test_wrong_strings, test_wrong_escapes, test_characters,
		test_cut, test_limits, test_long_path, test_large,
		test_callback_fails, NULL};

	return suite_run("toml", tests);
}
