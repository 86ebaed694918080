/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Stands in for libFuzzer where the corpus is only to be replayed: any compiler
 * will do.  NAME_replay feeds each file of test/fuzz/corpus/NAME/, or of the
 * folder given, to the fuzzer's entry point, and speaks TAP.  What is wrong shows
 * as a crash, most often one of the sanitizers'.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file in an allocation of exactly its size: ASan sees one byte too far. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
	uint8_t *data = NULL;
	struct stat st;
	FILE *f = fopen(path, "rb");

	if (!f)
		return NULL;
	if (fstat(fileno(f), &st) == 0)
		data = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (data && fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
		free(data);
		data = NULL;
	}
	fclose(f);
	*ret_size = (size_t)st.st_size;
	return data;
}

static int replay_file(const char *path)
{
	size_t size;
	uint8_t *data = read_file(path, &size);

	if (!data)
		return -1;
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

/* test/fuzz/corpus/NAME, out of the program's own name. */
static void default_folder(const char *program, char *folder, size_t folder_size)
{
	const char *name = strrchr(program, '/');
	const char *end;

	name = name ? name + 1 : program;
	end = strstr(name, "_replay");
	snprintf(folder, folder_size, "test/fuzz/corpus/%.*s",
		 end ? (int)(end - name) : (int)strlen(name), name);
}

int main(int argc, char **argv)
{
	struct dirent **files;
	char folder[512], path[1024];
	int count, number = 0;

	default_folder(argv[0], folder, sizeof(folder));
	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	count = scandir(folder, &files, NULL, alphasort);
	if (count < 0) {
		printf("Bail out! no corpus in %s\n", folder);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		if (files[i]->d_name[0] != '.')
			printf("%sok %d - %s\n", replay_file(path) < 0 ? "not " : "",
			       ++number, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	printf("1..%d\n", number);
	return number ? 0 : 1;
}
