/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/stat_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "platform/linux/fd.h"

bool stat_open(struct stat_file *f, int dir, const char *name)
{
	/* O_NONBLOCK: nothing here may ever wait */
	f->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	f->sep = '\n';
	f->cut = false;
	f->at = f->n = 0;
	f->left = STAT_FILE_MAX;
	return f->fd >= 0;
}

void stat_close(struct stat_file *f)
{
	fd_close(&f->fd);
}

static bool fill(struct stat_file *f)
{
	ssize_t n = read(f->fd, f->buf, sizeof(f->buf));

	f->at = f->n = 0;
	if (n <= 0)
		return false;
	if ((size_t)n > f->left) {
		f->cut = true;
		return false;
	}
	f->left -= (size_t)n;
	f->n = (size_t)n;
	return true;
}

/* The next byte, or '\n' for ever when there is none: *ret_end tells. */
static char next(struct stat_file *f, bool *ret_end)
{
	*ret_end = f->at == f->n && (f->cut || !fill(f));
	return *ret_end ? '\n' : f->buf[f->at++];
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_separator(char c)
{
	return is_blank(c) || c == '\n' || c == ':' || c == '=';
}

bool stat_word(struct stat_file *f, char *word)
{
	bool line_begins = f->sep == '\n', end;
	size_t n = 0;
	char c = next(f, &end);

	while (!end && (is_blank(c) || (line_begins && c == '\n')))
		c = next(f, &end);
	if (end && line_begins)
		return false;
	for (; !is_separator(c); c = next(f, &end))
		if (n++ < STAT_WORD_MAX - 1)
			word[n - 1] = c;
	word[n < STAT_WORD_MAX ? n : 0] = '\0';
	f->sep = is_blank(c) ? ' ' : c;
	while (is_blank(c))
		c = next(f, &end);
	if (f->sep == ' ' && c == '\n')
		f->sep = '\n';
	else if (f->sep == ' ')
		f->at--; /* it was read just now */
	return !f->cut;
}

void stat_skip_line(struct stat_file *f)
{
	bool end = false;

	while (f->sep != '\n')
		f->sep = next(f, &end);
}

bool stat_number(const char *word, uint64_t *ret)
{
	uint64_t v = 0;
	const char *p = *word == '-' ? word + 1 : word;

	if (strcmp(word, "max") == 0) {
		*ret = UINT64_MAX;
		return true;
	}
	if (!*p)
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	if (*p)
		return false;
	*ret = *word == '-' ? 0 : v;
	return true;
}

bool stat_real(const char *word, double *ret)
{
	uint64_t digits = 0, scale = 1;
	const char *p;
	bool fraction = false;

	/* 15 digits are exact, and so is a division by a power of ten */
	for (p = word; *p && p - word < 16; p++) {
		if (*p == '.' && !fraction) {
			fraction = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			return false;
		digits = digits * 10 + (uint64_t)(*p - '0');
		scale *= fraction ? 10 : 1;
	}
	if (*p || p == word)
		return false;
	*ret = (double)digits / (double)scale;
	return true;
}

bool stat_read(int dir, const char *name, uint64_t *ret)
{
	struct stat_file f;
	char word[STAT_WORD_MAX];
	bool ok;

	if (!stat_open(&f, dir, name))
		return false;
	ok = stat_word(&f, word) && f.sep == '\n' && stat_number(word, ret);
	stat_close(&f);
	return ok;
}

void stat_tell(
	struct stat_sink *sink, int dir, const char *name, unsigned field)
{
	uint64_t v;

	if (stat_read(dir, name, &v))
		sink->number(sink, field, v);
}

static unsigned field_of(
	const char *name, const struct stat_key *keys, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].field;
	return 0;
}

void stat_pairs(struct stat_file *f, const struct stat_key *keys, size_t n,
	uint64_t factor, struct stat_sink *sink)
{
	char word[STAT_WORD_MAX];
	unsigned field;
	uint64_t v;

	while (stat_word(f, word)) {
		field = f->sep == ' ' ? field_of(word, keys, n) : 0;
		if (field && stat_word(f, word) && f->sep == '\n' &&
			stat_number(word, &v))
			sink->number(sink, field, v * factor);
		stat_skip_line(f);
	}
}

void stat_words(struct stat_file *f, const struct stat_key *keys, size_t n,
	struct stat_sink *sink)
{
	char word[STAT_WORD_MAX];
	unsigned field;
	uint64_t v;

	while (f->sep != '\n' && stat_word(f, word)) {
		if (f->sep != '=')
			continue;
		field = field_of(word, keys, n);
		if (stat_word(f, word) && field && stat_number(word, &v))
			sink->number(sink, field, v);
	}
}

/* RdmaEntry's numbers have 32 bits, and "max" is all of them. */
struct narrow {
	struct stat_sink sink;
	struct stat_sink *to;
};

static void narrow_number(struct stat_sink *s, unsigned field, uint64_t v)
{
	struct stat_sink *to = ((struct narrow *)s)->to;

	to->number(to, field, v < UINT32_MAX ? v : UINT32_MAX);
}

static void rdma_file(
	int dir, const char *name, unsigned field, struct stat_sink *sink)
{
	static const struct stat_key keys[] = {
		{2, "hca_handle"}, {3, "hca_object"}};
	struct narrow narrow = {{.number = narrow_number}, sink};
	struct stat_file f;
	char device[STAT_WORD_MAX];

	if (!stat_open(&f, dir, name))
		return;
	while (stat_word(&f, device)) {
		if (f.sep != ' ') {
			stat_skip_line(&f);
			continue;
		}
		sink->begin(sink, field);
		sink->text(sink, 1, device);
		stat_words(&f, keys, 2, &narrow.sink);
		sink->end(sink);
	}
	stat_close(&f);
}

void stat_rdma(int dir, struct stat_sink *sink)
{
	rdma_file(dir, "rdma.current", 1, sink);
	rdma_file(dir, "rdma.max", 2, sink);
}

/* "hugetlb.2MB.current" to "2MB", in place. There is also
 * "hugetlb.2MB.rsvd.current", which is not asked for. */
static const char *page_size(char *name, const char *suffix)
{
	char *size, *dot;

	if (strncmp(name, "hugetlb.", 8) != 0)
		return NULL;
	size = name + 8;
	dot = strchr(size, '.');
	if (!dot || strcmp(dot + 1, suffix) != 0 || dot - size > 16)
		return NULL;
	*dot = '\0';
	return size;
}

/* Not readdir(3): it allocates 32 KiB. */
void stat_page_sizes(int dir, const char *suffix,
	void (*each)(int dir, const char *size, struct stat_sink *sink),
	struct stat_sink *sink)
{
	char buf[1024] __attribute__((aligned(8)));
	auto_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n, at;

	while (fd >= 0 && (n = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (at = 0; at < n;) {
			struct dirent64 *d = (void *)(buf + at);
			const char *size = page_size(d->d_name, suffix);

			at += d->d_reclen;
			if (size)
				each(dir, size, sink);
		}
	}
}
