/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the live tables say is activated.
 *
 * A device number may be given to another device at any moment.  Its disk sequence
 * number tells the two apart: it is read before and after the table, and if it changed
 * in between, the table may be either's and is read again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/number.h"
#include "verity/table.h"

/* A device number that is given away more often is so by intent. */
#define TRIES	5

/* Why look_at_target() ends the walk through a table. */
enum {
	REPLACED = DM_ABSENT + 1,	/* the table may be another device's */
	STOPPED,			/* the caller's function said so */
};

/* A walk through the targets of one device, or of all. */
struct walk {
	int root_fd;
	struct verity_device device;
	bool is_sure;		/* the table is of the device with that diskseq */
	bool is_absent;		/* there was no table */
	int error;		/* the first one; all that can be looked at still is */
	int stop;		/* the negative value that ended the walk */
	verity_activation_fn *fn;
	void *ctx;
};

static void sysfs_path(char *ret, size_t ret_size, uint32_t major, uint32_t minor,
		       const char *attribute)
{
	(void)snprintf(ret, ret_size, "/sys/dev/block/%" PRIu32 ":%" PRIu32 "/%s", major,
		       minor, attribute);
}

/* 0 if the kernel does not count disks, or there is no such device any more. */
static uint64_t read_diskseq(int root_fd, uint32_t major, uint32_t minor)
{
	char path[64], line[32];
	uint64_t diskseq;

	sysfs_path(path, sizeof(path), major, minor, "diskseq");
	if (io_read_line(root_fd, path, line, sizeof(line)) < 0 ||
	    number_parse(line, UINT64_MAX, &diskseq) < 0)
		return 0;
	return diskseq;
}

/* Finds the value of @key, which ends in "=", in lines of a uevent attribute. */
static const char *find_value(const char *text, const char *key, size_t *ret_length)
{
	size_t key_length = strlen(key);

	while (strncmp(text, key, key_length) != 0) {
		text += strcspn(text, "\n");
		if (!*text++)
			return NULL;
	}
	*ret_length = strcspn(text + key_length, "\n");
	return text + key_length;
}

/* The kernel's name of a block device, if it is a partition. */
static void claim_partition(int root_fd, uint32_t major, uint32_t minor,
			    struct verity_claims *claims)
{
	_cleanup_free_ char *text = NULL;
	const char *type, *name;
	size_t size, type_length, length;
	char path[64];

	sysfs_path(path, sizeof(path), major, minor, "uevent");
	if (io_read_file(root_fd, path, 4096, &text, &size) < 0)
		return;
	type = find_value(text, "DEVTYPE=", &type_length);
	name = find_value(text, "DEVNAME=", &length);
	if (!type || type_length != strlen("partition") ||
	    memcmp(type, "partition", type_length) != 0)
		return;
	if (name && length < sizeof(claims->partition))
		memcpy(claims->partition, name, length);
}

static bool cut_suffix(char *text, const char *suffix)
{
	size_t length = strlen(text), suffix_length = strlen(suffix);

	if (length <= suffix_length || strcmp(text + length - suffix_length, suffix) != 0)
		return false;
	text[length - suffix_length] = '\0';
	return true;
}

/* "/var/lib/extensions/tools.sysext.raw" is the image "tools". */
static void claim_image(struct verity_claims *claims)
{
	const char *slash = strrchr(claims->backing_file, '/');
	const char *name = slash ? slash + 1 : claims->backing_file;
	size_t length = strlen(name);

	if (length >= sizeof(claims->image))
		return;
	memcpy(claims->image, name, length);
	(void)cut_suffix(claims->image, " (deleted)");
	(void)cut_suffix(claims->image, ".raw");
	if (!cut_suffix(claims->image, ".sysext"))
		(void)cut_suffix(claims->image, ".confext");
}

/* Claims are worth nothing as proof, so one that cannot be had is left empty. */
static void claim(int root_fd, const struct dm_device *device, const char *params,
		  struct verity_claims *ret)
{
	static const char *const attributes[] = {
		"loop/backing_file", "../loop/backing_file",
	};
	uint32_t major, minor;
	char path[96];

	*ret = (struct verity_claims){ .image = "" };
	memcpy(ret->dm_name, device->name, sizeof(ret->dm_name));
	memcpy(ret->dm_uuid, device->uuid, sizeof(ret->dm_uuid));
	if (verity_table_data_device(params, &major, &minor) < 0)
		return;
	claim_partition(root_fd, major, minor, ret);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		sysfs_path(path, sizeof(path), major, minor, attributes[i]);
		if (io_read_line(root_fd, path, ret->backing_file,
				 sizeof(ret->backing_file)) == 0)
			break;
	}
	claim_image(ret);
}

static void note_error(struct walk *walk, int r)
{
	if (!walk->error)
		walk->error = r;
}

/* A table of a form that we do not know yet must not go unmeasured. */
static void take_unread(const char *text, struct verity_params *ret)
{
	struct digest digest;

	digest_compute(DIGEST_SHA256, text, strlen(text), &digest);
	*ret = (struct verity_params){
		.unreadable = true, .root_hash_size = digest_size(DIGEST_SHA256),
	};
	memcpy(ret->root_hash, digest.bytes, ret->root_hash_size);
}

static bool is_still_there(struct walk *walk)
{
	if (!walk->is_sure)
		walk->is_sure = walk->device.diskseq ==
				read_diskseq(walk->root_fd, walk->device.major,
					     walk->device.minor);
	return walk->is_sure;
}

static int look_at_target(void *ctx, const struct dm_device *device,
			  const struct dm_target *target)
{
	struct walk *walk = ctx;
	struct verity_activation activation = { .device = walk->device };
	int r;

	if (strcmp(target->type, "verity") != 0)
		return 0;
	if (!is_still_there(walk))
		return REPLACED;
	if (verity_table_parse(target->params, &activation.params) < 0)
		take_unread(target->params, &activation.params);
	claim(walk->root_fd, device, target->params, &activation.claims);
	r = walk->fn(walk->ctx, &activation);
	if (r >= 0)
		return 0;
	walk->stop = r;
	return STOPPED;
}

/* Looks at one device.  Failures are noted, so that they cannot hide other devices. */
static void look_at_device(struct walk *walk, uint32_t major, uint32_t minor)
{
	int r;

	for (int i = 0; i < TRIES; i++) {
		walk->is_sure = false;
		walk->device = (struct verity_device){
			.major = major, .minor = minor,
			.diskseq = read_diskseq(walk->root_fd, major, minor),
		};
		r = dm_table(walk->root_fd, major, minor, look_at_target, walk);
		if (r < 0)
			note_error(walk, r);
		walk->is_absent = r == DM_ABSENT;
		if (r != REPLACED && (r != 0 || is_still_there(walk)))
			return;
	}
	note_error(walk, -EAGAIN);
}

/**
 * verity_activations() - look at everything that is activated on one device
 * @root_fd: the root directory
 * @device:  which; its diskseq, if not 0, is that of an announced activation
 * @fn:      called with each activation; it is borrowed for the call
 * @ctx:     passed on to @fn
 *
 * Each target of type "verity" counts, wherever in the table it stands.  The activation
 * carries the diskseq of the device that has the number now.  A target whose text has
 * an unknown form is an activation too: see struct verity_params::unreadable.
 *
 * Return: 0, also if the device has no such target; VERITY_GONE if an activation was
 * announced, but what was seen, if anything, is another device; the negative value with
 * which @fn ended the walk; otherwise, after the whole walk, -EAGAIN if the device number
 * never stays with one device, or a negative value of dm_table().
 */
int verity_activations(int root_fd, const struct verity_device *device,
		       verity_activation_fn *fn, void *ctx)
{
	struct walk walk = { .root_fd = root_fd, .fn = fn, .ctx = ctx };

	look_at_device(&walk, device->major, device->minor);
	if (walk.stop || walk.error)
		return walk.stop ? walk.stop : walk.error;
	if (walk.is_absent)
		walk.device.diskseq = read_diskseq(root_fd, device->major, device->minor);
	return device->diskseq && walk.device.diskseq != device->diskseq ? VERITY_GONE : 0;
}

static int sweep_device(void *ctx, const struct dm_device *device)
{
	struct walk *walk = ctx;

	if (device->live)
		look_at_device(walk, device->major, device->minor);
	return walk->stop ? STOPPED : 0;
}

/**
 * verity_sweep() - look at everything that is activated on all devices
 * @root_fd: the root directory
 * @fn:      called with each activation; it is borrowed for the call
 * @ctx:     passed on to @fn
 *
 * Return: as verity_activations(), or a negative value of dm_list().
 */
int verity_sweep(int root_fd, verity_activation_fn *fn, void *ctx)
{
	struct walk walk = { .root_fd = root_fd, .fn = fn, .ctx = ctx };
	int r;

	r = dm_list(root_fd, sweep_device, &walk);
	if (r < 0)
		note_error(&walk, r);
	return walk.stop ? walk.stop : walk.error;
}
