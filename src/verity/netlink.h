/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_NETLINK_H
#define VERITY_NETLINK_H

#include "base/cleanup.h"
#include "verity/verity.h"

/* Outcomes of verity_netlink_receive(). */
enum verity_netlink_found {
	VERITY_NETLINK_EMPTY = 1,	/* no datagram is waiting */
	VERITY_NETLINK_LOST,		/* the kernel dropped some, or cut this one */
};

int verity_netlink_open(int root_fd, bool kernel) _must_check_;
int verity_netlink_receive(int fd, bool kernel, char *ret, size_t ret_max,
			   size_t *ret_size) _must_check_;

#endif /* VERITY_NETLINK_H */
