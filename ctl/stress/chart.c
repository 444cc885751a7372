/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stress/chart.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/err.h"

#define WIDTH 860
#define LEFT 74
#define RIGHT 24
#define TOP 64
#define PANEL 200
#define GAP 56
#define Y_TICKS 5
#define X_TICKS 10
#define CHARACTER 7.2 /* as wide as one is, about */

/* Colours that people with any kind of colour vision can tell apart. */
static const char style[] =
	"<style>\n"
	"svg { color: #1f2328; }\n"
	".page { fill: #ffffff; }\n"
	"text { font: 13px sans-serif; fill: currentColor; }\n"
	".title { font-size: 16px; font-weight: bold; }\n"
	".tick { font-size: 11px; }\n"
	".grid { stroke: #d0d7de; stroke-width: 1; }\n"
	".axis { stroke: currentColor; stroke-width: 1; }\n"
	"circle { fill: none; }\n"
	"polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }\n"
	".line0 { stroke: #0060a8; }\n"
	".line1 { stroke: #c05000; }\n"
	".line2 { stroke: #007a5a; }\n"
	".line3 { stroke: #8a4fbf; }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"svg { color: #e6edf3; }\n"
	".page { fill: #0d1117; }\n"
	".grid { stroke: #30363d; }\n"
	".line0 { stroke: #58a6ff; }\n"
	".line1 { stroke: #ffa657; }\n"
	".line2 { stroke: #56d4a4; }\n"
	".line3 { stroke: #d2a8ff; }\n"
	"}\n"
	"</style>\n";

double ctl_chart_step(double most, unsigned n)
{
	double step = 1, power;

	if (most <= 0 || n == 0)
		return 1;
	power = pow(10, floor(log10(most / n)));
	step = power;
	if (step * n < most)
		step = 2 * power;
	if (step * n < most)
		step = 5 * power;
	if (step * n < most)
		step = 10 * power;
	return step;
}

/* Text that grows. */
struct paper {
	char *text;
	size_t n, size;
	bool no_memory;
};

static bool make_room(struct paper *out, size_t n)
{
	size_t size = out->size ? out->size : 4096;
	char *more;

	while (size <= out->n + n)
		size *= 2;
	more = realloc(out->text, size);
	if (!more)
		return false;
	out->text = more;
	out->size = size;
	return true;
}

ERR_PRINTF(2, 3) static void put(struct paper *out, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || out->no_memory || !make_room(out, (size_t)n))
		out->no_memory = true;
	else
		vsnprintf(out->text + out->n, (size_t)n + 1, fmt, again);
	va_end(again);
	if (!out->no_memory)
		out->n += (size_t)n;
}

static void put_text(struct paper *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			put(out, "&lt;");
			break;
		case '&':
			put(out, "&amp;");
			break;
		case '"':
			put(out, "&quot;");
			break;
		default:
			put(out, "%c",
				(unsigned char)*text < ' ' ? '?' : *text);
		}
}

/* Where a panel's values are on the page. */
struct frame {
	double top, x_scale, y_scale;
	size_t n_x;
	double most, step;
};

static void fit(struct frame *f, const struct ctl_chart_panel *p, double top)
{
	double most = 0;
	size_t i, k;

	*f = (struct frame){.top = top};
	for (i = 0; i < p->n; i++) {
		if (p->lines[i].n > f->n_x)
			f->n_x = p->lines[i].n;
		for (k = 0; k < p->lines[i].n; k++)
			if (p->lines[i].y[k] > most)
				most = p->lines[i].y[k];
	}
	f->step = ctl_chart_step(most, Y_TICKS);
	f->most = f->step * ceil(most / f->step);
	if (f->most <= 0)
		f->most = f->step;
	f->y_scale = PANEL / f->most;
	f->x_scale = (double)(WIDTH - LEFT - RIGHT) /
		     (double)(f->n_x > 1 ? f->n_x - 1 : 1);
}

static double x_of(const struct frame *f, double round)
{
	return LEFT + (round - 1) * f->x_scale;
}

static double y_of(const struct frame *f, double value)
{
	return f->top + PANEL - value * f->y_scale;
}

static void put_y_axis(struct paper *out, const struct frame *f)
{
	int i, n = (int)(f->most / f->step + 0.5);

	for (i = 0; i <= n; i++) {
		double value = i * f->step, y = y_of(f, value);

		put(out,
			"<line class=\"%s\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" "
			"y2=\"%.1f\"/>\n"
			"<text class=\"tick\" x=\"%d\" y=\"%.1f\" "
			"text-anchor=\"end\">%g</text>\n",
			i ? "grid" : "axis", LEFT, y, WIDTH - RIGHT, y,
			LEFT - 8, y + 4, value);
	}
}

static void put_x_axis(struct paper *out, const struct frame *f)
{
	size_t step = (size_t)ctl_chart_step((double)f->n_x, X_TICKS), round;

	if (step < 1)
		step = 1;
	for (round = step; round <= f->n_x; round += step) {
		double x = x_of(f, (double)round), y = f->top + PANEL;

		put(out,
			"<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" "
			"x2=\"%.1f\" y2=\"%.1f\"/>\n"
			"<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" "
			"text-anchor=\"middle\">%zu</text>\n",
			x, y, x, y + 5, x, y + 18, round);
	}
}

static void put_line(struct paper *out, const struct frame *f,
	const struct ctl_chart_line *line, size_t number)
{
	size_t i;

	put(out, "<polyline class=\"line%zu\" points=\"", number);
	for (i = 0; i < line->n; i++)
		put(out, "%s%.1f,%.1f", i ? " " : "", x_of(f, (double)i + 1),
			y_of(f, line->y[i]));
	put(out, "\"><title>");
	put_text(out, line->name);
	put(out, "</title></polyline>\n");
	if (line->n == 1) /* a line of one point cannot be seen */
		put(out,
			"<circle class=\"line%zu\" cx=\"%.1f\" cy=\"%.1f\" "
			"r=\"3\"/>\n",
			number, x_of(f, 1), y_of(f, line->y[0]));
}

static void put_panel(
	struct paper *out, const struct ctl_chart_panel *p, double top)
{
	struct frame f;
	size_t i;

	fit(&f, p, top);
	put(out, "<text x=\"%d\" y=\"%.1f\">", LEFT, top - 10);
	put_text(out, p->title);
	put(out, "</text>\n");
	put_y_axis(out, &f);
	put_x_axis(out, &f);
	for (i = 0; i < p->n; i++)
		put_line(out, &f, &p->lines[i], i);
}

static void put_legend(struct paper *out, const struct ctl_chart_panel *p)
{
	size_t i;
	int x = WIDTH - RIGHT;

	for (i = p->n; i > 0; i--) {
		put(out, "<text x=\"%d\" y=\"28\" text-anchor=\"end\">", x);
		put_text(out, p->lines[i - 1].name);
		put(out, "</text>\n");
		x -= (int)(CHARACTER * strlen(p->lines[i - 1].name)) + 24;
		put(out,
			"<polyline class=\"line%zu\" points=\"%d,24 "
			"%d,24\"/>\n",
			i - 1, x - 12, x + 12);
		x -= 28;
	}
}

int ctl_chart_make(const char *title, const char *x_title,
	const struct ctl_chart_panel *panels, size_t n, char **ret)
{
	int height = TOP + (int)n * (PANEL + GAP);
	size_t i;
	struct paper out = {0};

	put(&out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		"height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n%s"
		"<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n"
		"<text class=\"title\" x=\"%d\" y=\"28\">",
		WIDTH, height, WIDTH, height, style, 16);
	put_text(&out, title);
	put(&out, "</text>\n");
	if (n)
		put_legend(&out, &panels[0]);
	for (i = 0; i < n; i++)
		put_panel(&out, &panels[i], TOP + (double)i * (PANEL + GAP));
	put(&out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
		LEFT + (WIDTH - LEFT - RIGHT) / 2, height - 12);
	put_text(&out, x_title);
	put(&out, "</text>\n</svg>\n");
	if (out.no_memory) {
		free(out.text);
		return -ENOMEM;
	}
	*ret = out.text;
	return 0;
}
