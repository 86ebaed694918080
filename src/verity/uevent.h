/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_UEVENT_H
#define VERITY_UEVENT_H

#include "base/cleanup.h"
#include "verity/verity.h"

#define VERITY_UEVENT_MAX	8192	/* bytes of one datagram */

enum verity_uevent_action {
	VERITY_UEVENT_ADD,
	VERITY_UEVENT_CHANGE,
	VERITY_UEVENT_REMOVE,
	VERITY_UEVENT_ACTION_MAX,
};

/**
 * struct verity_uevent - what the kernel announces about a mapped device
 * @action: what happened
 * @device: to which one; its diskseq is 0 if the kernel does not tell, or was asked to send it
 */
struct verity_uevent {
	enum verity_uevent_action action;
	struct verity_device device;
};

/* Outcomes of verity_uevent_parse(). */
enum verity_uevent_found {
	VERITY_UEVENT_OTHER = 1,	/* another device, or another action */
	VERITY_UEVENT_MODULE,		/* dm-verity was loaded */
};

int verity_uevent_parse(const char *data, size_t size,
			struct verity_uevent *ret) _must_check_;

#endif /* VERITY_UEVENT_H */
