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

static const struct cmd_option option_table[] = {
	CMD_JSON_ROW,
	CMD_PREDICTION_ROWS,
	{ 0 },
};

struct request {
	bool json;
	struct cmd_prediction prediction;
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

static int predict_word(void *ctx, const char *path, const char *signature,
			const char *word)
{
	struct request *request = ctx;
	char hex[DIGEST_HEX_MAX];
	struct digest digest;

	digest_compute(DIGEST_SHA256, word, strlen(word), &digest);
	digest_to_hex(&digest, hex);
	if (request->json)
		return predict_json(request, path, signature, word, hex);
	(void)printf("%s\n  word    %s\n  sha256  %s\n", path, word, hex);
	return CMD_OK;
}

/**
 * cmd_predict_image() - tell the words that an image may be measured by
 * @path:       of the image
 * @prediction: how it will be activated
 * @tell:       called with each word and with "kernel" or "none"; there are two of them
 *              if the image is signed; returns an exit status
 * @ctx:        argument of @tell
 *
 * Return: CMD_OK; or a status after saying what is wrong.
 */
int cmd_predict_image(const char *path, const struct cmd_prediction *prediction,
		      int (*tell)(void *ctx, const char *path, const char *signature,
				  const char *word), void *ctx)
{
	const char *architecture = prediction->architecture;
	char word[MEASURE_WORD_MAX];
	struct verity_image image;
	int r = verity_image_read(path, architecture, &image);

	if (r > 0)
		return msg_error(CMD_FAILED, "%s: %s", path, verity_image_reason(r));
	if (r == -EINVAL)
		return msg_error(CMD_USAGE, "--architecture=%s is none that has partition "
				 "types", architecture ?: "(this machine's)");
	if (r < 0)
		return (msg_error(r, "cannot read %s", path), CMD_FAILED);
	memcpy(image.params.options, prediction->options, sizeof(image.params.options));
	measure_word(&image.params, word);
	r = tell(ctx, path, "none", word);
	if (r == CMD_OK && image.has_signature) {
		image.params.kernel_signature = true;
		measure_word(&image.params, word);
		r = tell(ctx, path, "kernel", word);
	}
	return r;
}

/**
 * cmd_prediction_option() - take an option of CMD_PREDICTION_ROWS
 * @prediction: gets what it says
 * @id:         of the option
 *
 * Return: CMD_OPTIONS_END to go on; the status to exit with if it is none of these, or
 * after saying what is wrong with it.
 */
int cmd_prediction_option(struct cmd_prediction *prediction, int id)
{
	if (id == CMD_OPTION_ARCHITECTURE)
		prediction->architecture = optarg;
	else if (id != CMD_OPTION_OPTIONS)
		return id == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
	else if (verity_options_normalize(optarg, prediction->options) < 0)
		return msg_error(CMD_USAGE, "--options=%s is no comma-separated list of "
				 "dm-verity options", optarg);
	return CMD_OPTIONS_END;
}

static int parse(const struct cmd *cmd, int argc, char *argv[], struct request *ret)
{
	int id, r = CMD_OPTIONS_END;

	while (r == CMD_OPTIONS_END &&
	       (id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id == CMD_OPTION_JSON)
			ret->json = true;
		else
			r = cmd_prediction_option(&ret->prediction, id);
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
		r = cmd_predict_image(argv[optind], &request.prediction, predict_word,
				      &request);
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
