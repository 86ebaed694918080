/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `policy`: write what evidence is checked against, from image files. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#define OPTION_REQUIRED	CMD_OPTION_OWN

static const struct cmd_option option_table[] = {
	CMD_PREDICTION_ROWS,
	{ "required", NULL, "every image must be there, and not only may", OPTION_REQUIRED },
	{ 0 },
};

/* A policy in the making; @images and @required belong to @policy. */
struct request {
	struct cmd_prediction prediction;
	bool required;
	struct json_object *policy;
	struct json_object *images;
	struct json_object *names;
};

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int add_word(void *ctx, const char *path, const char *signature, const char *word)
{
	struct request *request = ctx;
	const char *name = name_of(path);
	struct json_object *words;

	(void)signature;
	if (!json_object_object_get_ex(request->images, name, &words)) {
		words = json_object_new_array();
		if (json_object_object_add(request->images, name, words) < 0)
			return msg_error(CMD_FAILED, "out of memory");
		if (request->required)
			(void)json_object_array_add(request->names,
						    json_object_new_string(name));
	}
	return json_object_array_add(words, json_object_new_string(word)) < 0 ?
	       msg_error(CMD_FAILED, "out of memory") : CMD_OK;
}

static int from(struct request *request, int n, char *paths[])
{
	int worst = CMD_OK;

	request->policy = json_object_new_object();
	request->images = json_object_new_object();
	request->names = json_object_new_array();
	json_object_object_add(request->policy, "veritally-policy", json_object_new_int(1));
	json_object_object_add(request->policy, "images", request->images);
	if (request->required)
		json_object_object_add(request->policy, "required", request->names);
	for (int i = 0; i < n; i++) {
		int r = cmd_predict_image(paths[i], &request->prediction, add_word, request);

		if (r != CMD_OK)
			worst = r;
	}
	if (!request->required)
		json_object_put(request->names);
	if (worst != CMD_OK) {
		json_object_put(request->policy);
		return worst;
	}
	return cmd_print_json(request->policy);
}

/* Options may stand before the action and after it. */
static int take_options(const struct cmd *cmd, int argc, char *argv[],
			struct request *request)
{
	int id, r = CMD_OPTIONS_END;

	optind = 0;
	while (r == CMD_OPTIONS_END &&
	       (id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id == OPTION_REQUIRED)
			request->required = true;
		else
			r = cmd_prediction_option(&request->prediction, id);
	}
	return r;
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	struct request request = { 0 };
	int r = take_options(cmd, argc, argv, &request);

	(void)env;
	if (r == CMD_OPTIONS_END && (optind >= argc || strcmp(argv[optind], "from") != 0))
		return msg_error(CMD_USAGE, "policy takes 'from' and images");
	if (r == CMD_OPTIONS_END) {
		argc -= optind;
		argv += optind;
		r = take_options(cmd, argc, argv, &request);
	}
	if (r != CMD_OPTIONS_END)
		return r;
	if (optind >= argc)
		return msg_error(CMD_USAGE, "policy from needs an image; see 'veritally policy "
				 "--help'");
	return from(&request, argc - optind, argv + optind);
}

const struct cmd cmd_policy = {
	.name = "policy",
	.synopsis = "from IMAGE...",
	.summary = "write what evidence is checked against, from image files",
	.options = option_table,
	.run = run,
};
