/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether this machine has a TPM 2.0, before its driver may have found it.
 *
 * Asked by a program that starts early: a machine that has one is worth waiting for,
 * any other must not wait at all.
 */
#include "tpm/tpm.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

/* Finds something in one directory; stops at the first entry that @match takes. */
static bool any_entry(int root_fd, const char *path,
		      bool (*match)(int root_fd, const char *path, const char *name))
{
	_cleanup_close_ int fd = io_open(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return false;
	(void)take_fd(fd);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && match(root_fd, path, entry->d_name))
			return true;
	return false;
}

static bool read_attribute(int root_fd, const char *path, const char *name,
			   const char *attribute, char *ret, size_t ret_size)
{
	char full[PATH_MAX];

	(void)snprintf(full, sizeof(full), "%s/%s/%s", path, name, attribute);
	return io_read_line(root_fd, full, ret, ret_size) == 0;
}

static bool is_chip(int root_fd, const char *path, const char *name)
{
	(void)root_fd;
	(void)path;
	return strncmp(name, "tpm", 3) == 0;
}

/* Kernels before 5.6 do not say which version a chip has; then it may be a 2.0. */
static bool is_chip_2(int root_fd, const char *path, const char *name)
{
	char version[8];

	if (!is_chip(root_fd, path, name))
		return false;
	return !read_attribute(root_fd, path, name, "tpm_version_major", version,
			       sizeof(version)) || strcmp(version, "2") == 0;
}

/* MSFT0101 is what ACPI calls a TPM 2.0. */
static bool is_acpi_2(int root_fd, const char *path, const char *name)
{
	(void)root_fd;
	(void)path;
	return strncmp(name, "MSFT0101:", 9) == 0;
}

/* A device tree names its node tpm, and the kernel makes a modalias of that. */
static bool is_tpm_node(int root_fd, const char *path, const char *name)
{
	char modalias[512];

	return read_attribute(root_fd, path, name, "modalias", modalias,
			      sizeof(modalias)) && strstr(modalias, "tpm");
}

/**
 * tpm_is_expected() - whether the firmware or the kernel announces a TPM 2.0
 * @root_fd: the root directory that /sys is seen from
 *
 * Return: true if there is one, though its device may not exist yet; false if there is
 * none, or only a TPM 1.2.
 */
bool tpm_is_expected(int root_fd)
{
	static const char *const buses[] = {
		"/sys/bus/platform/devices", "/sys/bus/spi/devices",
		"/sys/bus/i2c/devices", "/sys/bus/vio/devices",
	};

	if (any_entry(root_fd, "/sys/class/tpm", is_chip))
		return any_entry(root_fd, "/sys/class/tpm", is_chip_2);
	if (io_exists(root_fd, "/sys/firmware/acpi/tables/TPM2") ||
	    any_entry(root_fd, "/sys/bus/acpi/devices", is_acpi_2))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(buses); i++)
		if (any_entry(root_fd, buses[i], is_tpm_node))
			return true;
	return false;
}
