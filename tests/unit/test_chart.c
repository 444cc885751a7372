/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stress/chart.h"

#include <stdlib.h>
#include <string.h>

#include "util_test.h"

START_TEST(test_steps)
{
	ck_assert_double_eq_tol(ctl_chart_step(0, 5), 1, 1e-9);
	ck_assert_double_eq_tol(ctl_chart_step(5, 5), 1, 1e-9);
	ck_assert_double_eq_tol(ctl_chart_step(6, 5), 2, 1e-9);
	ck_assert_double_eq_tol(ctl_chart_step(11, 5), 5, 1e-9);
	ck_assert_double_eq_tol(ctl_chart_step(26, 5), 10, 1e-9);
	ck_assert_double_eq_tol(ctl_chart_step(14070, 5), 5000, 1e-6);
	ck_assert_double_eq_tol(ctl_chart_step(0.4, 5), 0.1, 1e-9);
}
END_TEST

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text += strlen(what);
	}
	return n;
}

START_TEST(test_chart)
{
	static const double y[] = {10, 20, 30};
	struct ctl_chart_panel panels[2] = {
		{.title = "memory <KiB> & more",
			.lines = {{"a", y, 3}, {"b\"", y, 2}},
			.n = 2},
		{.title = "fds", .lines = {{"a", y, 3}}, .n = 1}};
	char *svg;

	ck_assert_int_eq(ctl_chart_make("t", "rounds", panels, 2, &svg), 0);
	ck_assert_uint_eq(count(svg, "<polyline"), 2 + 3); /* the legend's */
	ck_assert_ptr_nonnull(strstr(svg, "memory &lt;KiB> &amp; more"));
	ck_assert_ptr_nonnull(strstr(svg, "b&quot;"));
	ck_assert_ptr_nonnull(strstr(svg, "prefers-color-scheme: dark"));
	/* the axis goes up to 30; the panel's foot is at y 264, its top at 64;
	 * x from 74 to 836 */
	ck_assert_ptr_nonnull(
		strstr(svg, "points=\"74.0,197.3 455.0,130.7 836.0,64.0\""));
	free(svg);
}
END_TEST

START_TEST(test_chart_of_little)
{
	static const double none[] = {0};
	struct ctl_chart_panel p = {.title = "p", .lines = {{"a", none, 1}}};
	char *svg;

	ck_assert_int_eq(ctl_chart_make("t", "x", &p, 1, &svg), 0); /* empty */
	ck_assert_ptr_null(strstr(svg, "nan"));
	free(svg);
	p.n = 1;
	ck_assert_int_eq(ctl_chart_make("t", "x", &p, 1, &svg), 0);
	ck_assert_ptr_null(strstr(svg, "nan"));
	ck_assert_ptr_null(strstr(svg, "inf"));
	ck_assert_ptr_nonnull(strstr(svg, "<circle class=\"line0\" cx=\"74.0\" "
					  "cy=\"264.0\""));
	free(svg);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_steps, test_chart, test_chart_of_little, NULL};

	return suite_run("chart", tests);
}
