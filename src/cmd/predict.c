/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `predict`: the word and digest that an image will be measured by. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/msg.h"

#include "cmd/cmd.h"

enum {
	OPTION_OPTIONS = CMD_OPTION_JSON + 1,
	OPTION_ARCHITECTURE,
};

static const struct cmd_option option_table[] = {
	CMD_JSON_ROW,
	{ "options", "LIST", "the image is activated with these dm-verity options",
	  OPTION_OPTIONS },
	{ "architecture", "NAME", "of the partitions to look for, instead of this machine's",
	  OPTION_ARCHITECTURE },
	{ 0 },
};

struct request {
	bool json;
	char options[VERITY_OPTIONS_MAX];
	const char *architecture;
	struct json_object *array;
};

static int predict_json(const struct request *request, const char *path,
			const char *signature, const char *word, const char *hex)
{
	struct json_object *object = json_object_new_object();

	if (!object || json_object_array_add(request->array, object) < 0) {
		json_object_put(object);
		return msg_error(CMD_FAILED, "out of memory");
	}
	json_object_object_add(object, "image", json_object_new_string(path));
	json_object_object_add(object, "signature", json_object_new_string(signature));
	json_object_object_add(object, "word", json_object_new_string(word));
	json_object_object_add(object, "sha256", json_object_new_string(hex));
	return CMD_OK;
}

static int predict_word(const struct request *request, const char *path,
			const struct verity_params *params)
{
	const char *signature = params->kernel_signature ? "kernel" : "none";
	char word[MEASURE_WORD_MAX], hex[DIGEST_HEX_MAX];
	struct digest digest;

	measure_word(params, word);
	digest_compute(DIGEST_SHA256, word, strlen(word), &digest);
	digest_to_hex(&digest, hex);
	if (request->json)
		return predict_json(request, path, signature, word, hex);
	(void)printf("%s\n  word    %s\n  sha256  %s\n", path, word, hex);
	return CMD_OK;
}

static int predict(const struct request *request, const char *path)
{
	struct verity_image image;
	int r = verity_image_read(path, request->architecture, &image);

	if (r > 0)
		return msg_error(CMD_FAILED, "%s: %s", path, verity_image_reason(r));
	if (r == -EINVAL)
		return msg_error(CMD_USAGE, "--architecture=%s is none that has partition "
				 "types", request->architecture ?: "(this machine's)");
	if (r < 0)
		return (msg_error(r, "cannot read %s", path), CMD_FAILED);
	memcpy(image.params.options, request->options, sizeof(request->options));
	r = predict_word(request, path, &image.params);
	if (r == CMD_OK && image.has_signature) {
		image.params.kernel_signature = true;
		r = predict_word(request, path, &image.params);
	}
	return r;
}

static int set_options(struct request *request, const char *list)
{
	if (verity_options_normalize(list, request->options) == 0)
		return CMD_OPTIONS_END;
	return msg_error(CMD_USAGE, "--options=%s is no comma-separated list of dm-verity "
			 "options", list);
}

static int parse(const struct cmd *cmd, int argc, char *argv[], struct request *ret)
{
	int id, r = CMD_OPTIONS_END;

	while (r == CMD_OPTIONS_END &&
	       (id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id == CMD_OPTION_JSON)
			ret->json = true;
		else if (id == OPTION_OPTIONS)
			r = set_options(ret, optarg);
		else if (id == OPTION_ARCHITECTURE)
			ret->architecture = optarg;
		else
			return id == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
	}
	if (r == CMD_OPTIONS_END && optind >= argc)
		return msg_error(CMD_USAGE, "predict needs an image; see 'veritally predict "
				 "--help'");
	return r;
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	struct request request = { 0 };
	int worst = CMD_OK, r = parse(cmd, argc, argv, &request);

	(void)env;
	if (r != CMD_OPTIONS_END)
		return r;
	request.array = json_object_new_array();
	if (!request.array)
		return msg_error(CMD_FAILED, "out of memory");
	for (; optind < argc; optind++) {
		r = predict(&request, argv[optind]);
		if (r != CMD_OK)
			worst = r;
	}
	if (!request.json)
		json_object_put(request.array);
	else if (cmd_print_json(request.array) != CMD_OK)
		worst = CMD_FAILED;
	return worst;
}

const struct cmd cmd_predict = {
	.name = "predict",
	.synopsis = "IMAGE...",
	.summary = "print the word and digest that an image will be measured by",
	.options = option_table,
	.run = run,
};
