/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One uevent of the kernel.  Pure.
 *
 * ACTION@DEVPATH NUL KEY=VALUE NUL ...  The head repeats two of the values, and must
 * agree with them.  A key that stands twice is an error: whoever else reads the event
 * might believe the other one.
 *
 * An event that user space asked the kernel to send carries SYNTH_UUID.  Nothing need have
 * happened to the device, so its diskseq is left out: it is no more than a hint to look.
 *
 * A resume of a read-only table is announced twice, first as DISK_RO, which says that
 * the device became read-only: only the other one counts, so that each activation is
 * announced once.
 *
 * The head alone tells whether an event can be about a mapped device.  Only then the
 * rest is judged, so that another subsystem's oddities are never taken for a loss.
 */
#include "verity/uevent.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/number.h"


enum key {
	ACTION, DEVPATH, SUBSYSTEM, DEVTYPE, DEVNAME, MAJOR, MINOR, DISKSEQ, DISK_RO,
	SYNTH_UUID, KEY_MAX
};

static const char *const key_names[] = {
	[ACTION] = "ACTION", [DEVPATH] = "DEVPATH", [SUBSYSTEM] = "SUBSYSTEM",
	[DEVTYPE] = "DEVTYPE", [DEVNAME] = "DEVNAME", [MAJOR] = "MAJOR",
	[MINOR] = "MINOR", [DISKSEQ] = "DISKSEQ", [DISK_RO] = "DISK_RO",
	[SYNTH_UUID] = "SYNTH_UUID",
};
static_assert(ARRAY_SIZE(key_names) == KEY_MAX, "a name for every key");

static const char *const action_names[] = {
	[VERITY_UEVENT_ADD] = "add", [VERITY_UEVENT_CHANGE] = "change",
	[VERITY_UEVENT_REMOVE] = "remove",
};
static_assert(ARRAY_SIZE(action_names) == VERITY_UEVENT_ACTION_MAX,
	      "a name for every action");

/* Finds the values of the keys that matter; NULL for those that are not there. */
static int find_values(const char *data, size_t size, const char **values)
{
	const char *end = data + size;
	size_t length;

	for (const char *line = data + strlen(data) + 1; line < end;
	     line += strlen(line) + 1) {
		length = strcspn(line, "=");
		if (!length || line[length] != '=')
			return -EBADMSG;
		for (int key = 0; key < KEY_MAX; key++) {
			if (strlen(key_names[key]) != length ||
			    memcmp(line, key_names[key], length) != 0)
				continue;
			if (values[key])
				return -EBADMSG;
			values[key] = line + length + 1;
		}
	}
	return 0;
}

static bool head_names_mapped_device(const char *head)
{
	const char *slash = strrchr(head, '/');

	return slash && !strncmp(slash, "/dm-", strlen("/dm-"));
}

static bool head_agrees(const char *head, const char *const *values)
{
	size_t length = strcspn(head, "@");

	return head[length] == '@' && values[ACTION] && values[DEVPATH] &&
	       strlen(values[ACTION]) == length &&
	       !memcmp(head, values[ACTION], length) &&
	       !strcmp(head + length + 1, values[DEVPATH]);
}

static bool is_mapped_device(const char *const *values)
{
	return values[SUBSYSTEM] && !strcmp(values[SUBSYSTEM], "block") &&
	       values[DEVTYPE] && !strcmp(values[DEVTYPE], "disk") &&
	       values[DEVNAME] && !strncmp(values[DEVNAME], "dm-", 3);
}

static int parse_device(const char *const *values, struct verity_device *ret)
{
	uint64_t major, minor, name, diskseq = 0;

	if (!values[MAJOR] || !values[MINOR] ||
	    number_parse(values[MAJOR], UINT32_MAX, &major) < 0 ||
	    number_parse(values[MINOR], UINT32_MAX, &minor) < 0 ||
	    number_parse(values[DEVNAME] + strlen("dm-"), UINT32_MAX, &name) < 0 ||
	    name != minor)
		return -EBADMSG;
	if (values[DISKSEQ] && !values[SYNTH_UUID] &&
	    number_parse(values[DISKSEQ], UINT64_MAX, &diskseq) < 0)
		return -EBADMSG;
	*ret = (struct verity_device){
		.major = (uint32_t)major, .minor = (uint32_t)minor, .diskseq = diskseq,
	};
	return 0;
}

/**
 * verity_uevent_parse() - read one datagram of the kernel's uevent socket
 * @data: the datagram
 * @size: of @data in bytes
 * @ret:  what it announces
 *
 * Return: 0; VERITY_UEVENT_MODULE if dm-verity was loaded, VERITY_UEVENT_OTHER if it is not
 * about an added, changed or removed mapped device either; -EBADMSG if it may be, and is
 * not well-formed.
 */
int verity_uevent_parse(const char *data, size_t size, struct verity_uevent *ret)
{
	const char *values[KEY_MAX] = { NULL };
	struct verity_uevent event;

	if (!size || size > VERITY_UEVENT_MAX || data[size - 1] != '\0')
		return -EBADMSG;
	if (strcmp(data, "add@/module/dm_verity") == 0)
		return VERITY_UEVENT_MODULE;
	if (!head_names_mapped_device(data))
		return VERITY_UEVENT_OTHER;
	if (find_values(data, size, values) < 0 || !head_agrees(data, values))
		return -EBADMSG;
	if (!is_mapped_device(values) || values[DISK_RO])
		return VERITY_UEVENT_OTHER;
	for (event.action = 0; event.action < VERITY_UEVENT_ACTION_MAX; event.action++)
		if (!strcmp(values[ACTION], action_names[event.action]))
			break;
	if (event.action == VERITY_UEVENT_ACTION_MAX)
		return VERITY_UEVENT_OTHER;
	if (parse_device(values, &event.device) < 0)
		return -EBADMSG;
	*ret = event;
	return 0;
}
