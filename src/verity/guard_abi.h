/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_GUARD_ABI_H
#define VERITY_GUARD_ABI_H

/* What the guard's programs and the daemon share; as for hook_abi.h. */
#include <linux/types.h>

#define GUARD_IDS	24
#define GUARD_OWN_LINK	(GUARD_IDS - 1)

/**
 * struct guard_state - what the guard knows; once it is on, only programs change it
 * @trusted: the process that may do everything; 0 if nobody may
 * @claims:  how many processes were @trusted; 0 as long as the guard is off
 * @dev:     of the BPF file system that holds the hook's names; 0 if it has none
 * @mount:   where the kernel keeps the mount of it, in kernel memory; 0 if not known yet
 * @folder:  inode number of the folder of the names
 * @hits:    how often the hook was called
 * @calls:   how often the kernel reached the place where it is to call the hook
 * @maps, @links, @programs: numbers of what belongs to the hook, then zeros; at
 *           GUARD_OWN_LINK that of the link which the trusted process opened by its number
 */
struct guard_state {
	__u32 trusted;
	__u32 claims;
	__u64 mount;
	__u64 folder;
	__u64 hits;
	__u64 calls;
	__u32 dev;
	__u32 maps[GUARD_IDS];
	__u32 links[GUARD_IDS];
	__u32 programs[GUARD_IDS];
};

#endif /* VERITY_GUARD_ABI_H */
