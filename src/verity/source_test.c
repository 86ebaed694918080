/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "test.h"
#include "tree.h"
#include "verity/netlink.h"
#include "verity/uevent.h"

#define NOBODY	65534

/* Any device will do that the kernel lets us announce again. */
#define OTHER_UEVENT	"/sys/class/mem/null/uevent"

static const char change[] =
	"change@/devices/virtual/block/dm-3\0ACTION=change\0"
	"DEVPATH=/devices/virtual/block/dm-3\0SUBSYSTEM=block\0MAJOR=254\0MINOR=3\0"
	"DEVNAME=dm-3\0DEVTYPE=disk\0DISKSEQ=21\0SEQNUM=1500";
static const char gone[] =
	"remove@/devices/virtual/block/dm-3\0ACTION=remove\0"
	"DEVPATH=/devices/virtual/block/dm-3\0SUBSYSTEM=block\0MAJOR=254\0MINOR=3\0"
	"DEVNAME=dm-3\0DEVTYPE=disk\0DISKSEQ=21\0SEQNUM=1501";
static const char other[] =
	"add@/module/loop\0ACTION=add\0DEVPATH=/module/loop\0SUBSYSTEM=module\0SEQNUM=2";
static const char broken[] = "change@/devices/virtual/block/dm-3\0ACTION=change";

/* A socket that sends to where the source below @tree listens. */
static int connect_player(const struct tree *tree)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/veritally/uevent",
		 tree->path);
	tree_need(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)),
		  "connect to the played source");
	return fd;
}

static void play(int fd, const void *data, size_t size)
{
	CHECK_EQ(send(fd, data, size, 0), size);
}

static void played_events_come_in_order(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	_cleanup_(verity_source_close) struct verity_source source = VERITY_SOURCE_NONE;
	_cleanup_close_ int player = -1;
	struct verity_announcement met;

	CHECK_EQ(verity_source_open(&source, tree.fd, NULL), 0);
	CHECK(!source.kernel);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_NOTHING);
	player = connect_player(&tree);
	play(player, other, sizeof(other));
	play(player, change, sizeof(change));
	play(player, other, sizeof(other));
	play(player, gone, sizeof(gone));
	CHECK_EQ(verity_source_next(&source, &met), VERITY_CHANGED);
	CHECK_EQ(met.device.major, 254);
	CHECK_EQ(met.device.minor, 3);
	CHECK_EQ(met.device.diskseq, 21);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_REMOVED);
	CHECK_EQ(met.device.diskseq, 21);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_NOTHING);
}

static void what_cannot_be_read_counts_as_lost(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	_cleanup_(verity_source_close) struct verity_source source = VERITY_SOURCE_NONE;
	_cleanup_close_ int player = -1;
	static char large[VERITY_UEVENT_MAX + 1];
	struct verity_announcement met;

	CHECK_EQ(verity_source_open(&source, tree.fd, NULL), 0);
	player = connect_player(&tree);
	memcpy(large, other, sizeof(other));
	play(player, large, sizeof(large));
	play(player, broken, sizeof(broken));
	play(player, change, sizeof(change));
	CHECK_EQ(verity_source_next(&source, &met), VERITY_LOST);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_LOST);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_CHANGED);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_NOTHING);
}

static void a_source_takes_the_place_of_an_older_one(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	_cleanup_(verity_source_close) struct verity_source first = VERITY_SOURCE_NONE;
	_cleanup_(verity_source_close) struct verity_source second = VERITY_SOURCE_NONE;
	_cleanup_close_ int player = -1;
	struct verity_announcement met;

	CHECK_EQ(verity_source_open(&first, tree.fd, NULL), 0);
	CHECK_EQ(verity_source_open(&second, tree.fd, NULL), 0);
	verity_source_close(&first);
	CHECK_EQ(first.fd, -1);
	player = connect_player(&tree);
	play(player, change, sizeof(change));
	CHECK_EQ(verity_source_next(&second, &met), VERITY_CHANGED);
}

/* A third user cannot reach the socket; one who was handed it is not heard. */
static void a_stranger_is_not_heard(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	_cleanup_(verity_source_close) struct verity_source source = VERITY_SOURCE_NONE;
	_cleanup_close_ int player = -1;
	struct verity_announcement met;
	int status = -1;
	pid_t child;

	if (geteuid() != 0)
		TEST_SKIP("needs root");
	CHECK_EQ(verity_source_open(&source, tree.fd, NULL), 0);
	player = connect_player(&tree);
	child = fork();
	if (child == 0) {
		if (setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(1);
		_exit(send(player, change, sizeof(change), 0) != sizeof(change));
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_NOTHING);
}

static int open_kernel_source(struct verity_source *source)
{
	int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = verity_source_open(source, root_fd, NULL);

	(void)close(root_fd);
	return r;
}

/* Sends @data to the group on which the kernel announces devices. */
static int forge(const void *data, size_t size)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
					NETLINK_KOBJECT_UEVENT);
	const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	return sendto(fd, data, size, 0, (const struct sockaddr *)&group,
		      sizeof(group)) == (ssize_t)size ? 0 : -errno;
}

static void only_the_kernel_is_believed(void)
{
	_cleanup_(verity_source_close) struct verity_source source = VERITY_SOURCE_NONE;
	struct verity_announcement met;

	if (geteuid() != 0)
		TEST_SKIP("needs root");
	CHECK_EQ(open_kernel_source(&source), 0);
	CHECK(source.kernel);
	CHECK_EQ(forge(change, sizeof(change)), 0);
	CHECK_EQ(forge(broken, sizeof(broken)), 0);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_NOTHING);
}

static void the_kernel_is_heard(void)
{
	_cleanup_(verity_source_close) struct verity_source source = VERITY_SOURCE_NONE;
	_cleanup_close_ int uevent = open(OTHER_UEVENT, O_WRONLY | O_CLOEXEC);
	char data[VERITY_UEVENT_MAX];
	size_t size = 0;

	if (uevent < 0)
		TEST_SKIP("needs a /sys that can be written");
	CHECK_EQ(open_kernel_source(&source), 0);
	CHECK_EQ(forge(change, sizeof(change)), 0);
	CHECK_EQ(write(uevent, "change", 6), 6);
	do {
		CHECK_EQ(verity_netlink_receive(source.fd, true, data, sizeof(data),
						&size), 0);
	} while (!test_failed && !strstr(data, "/mem/null"));
	CHECK(size > 0 && data[size - 1] == '\0');
}

static void dropped_announcements_are_said_to_be_lost(void)
{
	_cleanup_(verity_source_close) struct verity_source source = VERITY_SOURCE_NONE;
	_cleanup_close_ int uevent = open(OTHER_UEVENT, O_WRONLY | O_CLOEXEC);
	struct verity_announcement met;
	const int small = 0;

	if (uevent < 0)
		TEST_SKIP("needs a /sys that can be written");
	CHECK_EQ(open_kernel_source(&source), 0);
	CHECK_EQ(setsockopt(source.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(write(uevent, "change", 6), 6);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_LOST);
	CHECK_EQ(verity_source_next(&source, &met), VERITY_NOTHING);
}

TEST_MAIN(played_events_come_in_order, what_cannot_be_read_counts_as_lost,
	  a_source_takes_the_place_of_an_older_one, a_stranger_is_not_heard,
	  only_the_kernel_is_believed, the_kernel_is_heard,
	  dropped_announcements_are_said_to_be_lost)
