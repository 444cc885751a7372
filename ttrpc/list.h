/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - a doubly linked list through the objects themselves.
 *
 * A head and a node are the same struct. A node that is on no list points at
 * itself, so list_del() may be called on it again, also when the list it was
 * on is gone. (sys/queue.h would do, but mingw-w64 has none.)
 */
#ifndef WISP_TTRPC_LIST_H
#define WISP_TTRPC_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define list_entry(node, type, member) \
	((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Takes the first node off, NULL if there is none. */
static inline struct list *list_pop(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	head->next = node->next;
	node->next->prev = head;
	list_init(node);
	return node;
}

#endif
