/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of the service: one Varlink call in, one reply out.
 *
 * Pure.  The interface is the one of systemd's service of the same name, so that its
 * clients work unchanged.
 *
 * Spec: varlink.org, "Service", "Interface Definition" and "Method Call"
 */
#include "measure/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/json.h"

#define DEPTH_MAX	8
#define INTERFACE	"io.systemd.PCRExtend"
#define SERVICE		"org.varlink.service"

#define DESCRIPTION								\
	"interface " INTERFACE "\n\n"						\
	"type EventType(phase, filesystem, volume_key, machine_id, product_id, "	\
	"keyslot, nvpcr_init, nvpcr_separator, dm_verity, imds_userdata)\n\n"	\
	"method Extend(pcr: ?int, nvpcr: ?string, text: ?string, data: ?string, "	\
	"eventType: ?EventType) -> ()\n\n"					\
	"error NoSuchNvPCR()\n"

#define SERVICE_DESCRIPTION							\
	"interface " SERVICE "\n\n"						\
	"method GetInfo() -> (vendor: string, product: string, version: string, "	\
	"url: string, interfaces: []string)\n\n"				\
	"method GetInterfaceDescription(interface: string) -> (description: string)\n\n" \
	"error InterfaceNotFound(interface: string)\n\n"			\
	"error MethodNotFound(method: string)\n\n"				\
	"error MethodNotImplemented(method: string)\n\n"			\
	"error InvalidParameter(parameter: string)\n\n"				\
	"error PermissionDenied()\n\n"						\
	"error ExpectedMore()\n"

static const char *const event_types[] = {
	"phase", "filesystem", "volume_key", "machine_id", "product_id", "keyslot",
	"nvpcr_init", "nvpcr_separator", "dm_verity", "imds_userdata",
};

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	if (json_object_object_add(to, key, value) < 0)
		(void)json_object_put(value);
}

static char *encode(struct json_object *reply)
{
	const char *text = reply ? json_object_to_json_string_ext(
		reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;

	return text ? strdup(text) : NULL;
}

/**
 * measure_varlink_error() - a reply that says what went wrong
 * @error: its name, with the interface
 * @key:   name of its only parameter; NULL if it has none
 * @value: of that parameter
 *
 * Return: text that the caller frees; NULL if there is no memory.
 */
char *measure_varlink_error(const char *error, const char *key, const char *value)
{
	_cleanup_json_ struct json_object *reply = json_object_new_object();
	struct json_object *parameters = json_object_new_object();

	if (key)
		add(parameters, key, json_object_new_string(value));
	add(reply, "error", json_object_new_string(error));
	add(reply, "parameters", parameters);
	return encode(reply);
}

/**
 * measure_varlink_errno() - a reply for an error of the system
 * @r: negative errno
 *
 * Return: as measure_varlink_error().
 */
char *measure_varlink_errno(int r)
{
	_cleanup_json_ struct json_object *reply = json_object_new_object();
	struct json_object *parameters = json_object_new_object();

	add(parameters, "origin", json_object_new_string("linux"));
	add(parameters, "errno", json_object_new_int(-r));
	add(reply, "error", json_object_new_string("io.systemd.System"));
	add(reply, "parameters", parameters);
	return encode(reply);
}

/* A reply with one parameter, which it takes over, or with none. */
static char *answer(const char *key, struct json_object *value)
{
	_cleanup_json_ struct json_object *reply = json_object_new_object();
	struct json_object *parameters = json_object_new_object();

	if (key)
		add(parameters, key, value);
	add(reply, "parameters", parameters);
	return encode(reply);
}

/**
 * measure_varlink_done() - the reply to a call that was done
 */
char *measure_varlink_done(void)
{
	return answer(NULL, NULL);
}

static char *get_info(void)
{
	_cleanup_json_ struct json_object *reply = json_object_new_object();
	struct json_object *parameters = json_object_new_object();
	struct json_object *interfaces = json_object_new_array();

	json_object_array_add(interfaces, json_object_new_string(SERVICE));
	json_object_array_add(interfaces, json_object_new_string(INTERFACE));
	add(parameters, "vendor", json_object_new_string("veritally"));
	add(parameters, "product", json_object_new_string("veritally"));
	add(parameters, "version", json_object_new_string("1"));
	add(parameters, "url", json_object_new_string("https://varlink.org/"));
	add(parameters, "interfaces", interfaces);
	add(reply, "parameters", parameters);
	return encode(reply);
}

static char *get_description(struct json_object *parameters)
{
	struct json_object *value;
	const char *name;

	if (!json_object_object_get_ex(parameters, "interface", &value) ||
	    !json_object_is_type(value, json_type_string))
		return measure_varlink_error(SERVICE ".InvalidParameter", "parameter", "interface");
	name = json_object_get_string(value);
	if (strcmp(name, INTERFACE) == 0)
		return answer("description", json_object_new_string(DESCRIPTION));
	if (strcmp(name, SERVICE) == 0)
		return answer("description", json_object_new_string(SERVICE_DESCRIPTION));
	return measure_varlink_error(SERVICE ".InterfaceNotFound", "interface", name);
}

static const char *take_target(struct measure_call *call, struct json_object *value,
			       bool nvpcr)
{
	int64_t pcr = json_object_get_int64(value);

	if (*call->target || !json_object_is_type(value, nvpcr ? json_type_string
							       : json_type_int))
		return nvpcr ? "nvpcr" : "pcr";
	if (!nvpcr && (pcr < 0 || pcr > 23))
		return "pcr";
	if (!nvpcr) {
		(void)snprintf(call->target, sizeof(call->target), "pcr:%d", (int)pcr);
		return NULL;
	}
	if (json_object_get_string_len(value) >= NVPCR_NAME_MAX ||
	    strncmp(json_object_get_string(value), "pcr:", 4) == 0)
		return "nvpcr";
	(void)snprintf(call->target, sizeof(call->target), "%s",
		       json_object_get_string(value));
	return *call->target ? NULL : "nvpcr";
}

static const char *take_data(struct measure_call *call, struct json_object *value,
			     bool is_text)
{
	const char *key = is_text ? "text" : "data";
	const char *text = json_object_get_string(value);
	size_t length;

	if (call->data || !json_object_is_type(value, json_type_string))
		return key;
	length = (size_t)json_object_get_string_len(value);
	call->data = malloc(length + 1);
	if (!call->data || length == 0)
		return key;
	call->is_text = is_text;
	call->size = length;
	if (is_text)
		memcpy(call->data, text, length);
	else if (base64_decode(text, length, (uint8_t *)call->data, length, &call->size) < 0)
		return key;
	return call->size ? NULL : key;
}

static const char *take_type(struct measure_call *call, struct json_object *value)
{
	const char *type = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string))
		return "eventType";
	for (size_t i = 0; i < ARRAY_SIZE(event_types); i++) {
		if (strcmp(type, event_types[i]) != 0)
			continue;
		(void)snprintf(call->type, sizeof(call->type), "%s", type);
		for (char *c = call->type; *c; c++)
			*c = *c == '_' ? '-' : *c;
		return NULL;
	}
	return "eventType";
}

/* Returns the name of the first parameter that cannot be used; NULL if all can. */
static const char *take_parameters(struct measure_call *call,
				   struct json_object *parameters)
{
	const char *bad = NULL;

	if (!parameters)
		return "pcr";
	json_object_object_foreach(parameters, key, value) {
		if (json_object_is_type(value, json_type_null))
			continue;
		if (strcmp(key, "pcr") == 0 || strcmp(key, "nvpcr") == 0)
			bad = take_target(call, value, *key == 'n');
		else if (strcmp(key, "text") == 0 || strcmp(key, "data") == 0)
			bad = take_data(call, value, *key == 't');
		else if (strcmp(key, "eventType") == 0)
			bad = take_type(call, value);
		else
			bad = key;
		if (bad)
			return bad;
	}
	return !*call->target ? "pcr" : !call->data ? "text" : NULL;
}

static int extend_call(struct json_object *parameters, struct measure_call *ret,
		       char **ret_reply)
{
	const char *bad;

	*ret = (struct measure_call){ .data = NULL };
	bad = take_parameters(ret, parameters);
	if (!bad)
		return MEASURE_CALL_EXTEND;
	*ret_reply = measure_varlink_error(SERVICE ".InvalidParameter", "parameter", bad);
	measure_call_done(ret);
	return MEASURE_CALL_REPLY;
}

static const char *string_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
	       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value) : NULL;
}

/* A call of a method that there is not, or of an interface that there is not. */
static char *refuse_method(const char *method)
{
	const char *dot = strrchr(method, '.');
	char interface[64] = "";

	if (dot)
		(void)snprintf(interface, sizeof(interface), "%.*s", (int)(dot - method),
			       method);
	if (!dot || strcmp(interface, INTERFACE) == 0 || strcmp(interface, SERVICE) == 0)
		return measure_varlink_error(SERVICE ".MethodNotFound", "method", method);
	return measure_varlink_error(SERVICE ".InterfaceNotFound", "interface", interface);
}

static int dispatch(struct json_object *message, struct measure_call *ret,
		    char **ret_reply)
{
	struct json_object *parameters = json_object_object_get(message, "parameters");
	const char *method = string_of(message, "method");

	if (!method || (parameters && !json_object_is_type(parameters, json_type_object)))
		return -EBADMSG;
	if (strcmp(method, INTERFACE ".Extend") == 0)
		return extend_call(parameters, ret, ret_reply);
	if (strcmp(method, SERVICE ".GetInfo") == 0)
		*ret_reply = get_info();
	else if (strcmp(method, SERVICE ".GetInterfaceDescription") == 0)
		*ret_reply = get_description(parameters);
	else
		*ret_reply = refuse_method(method);
	return MEASURE_CALL_REPLY;
}

static bool flag_of(struct json_object *message, const char *key)
{
	return json_object_get_boolean(json_object_object_get(message, key));
}

/**
 * measure_varlink_parse() - understand a call
 * @text:       message without the NUL that ends it
 * @size:       of @text in bytes
 * @ret:        with MEASURE_CALL_EXTEND, what to do; released by measure_call_done()
 * @ret_reply:  with MEASURE_CALL_REPLY, the reply, which the caller frees
 * @ret_oneway: no reply is wanted
 *
 * Return: MEASURE_CALL_EXTEND; MEASURE_CALL_REPLY; -EBADMSG if it is no call; -ENOMEM.
 */
int measure_varlink_parse(const char *text, size_t size, struct measure_call *ret,
		  char **ret_reply, bool *ret_oneway)
{
	_cleanup_json_ struct json_object *message = NULL;
	int r = json_parse(text, size, DEPTH_MAX, &message);

	if (r < 0)
		return r;
	if (!json_object_is_type(message, json_type_object))
		return -EBADMSG;
	*ret_oneway = flag_of(message, "oneway");
	*ret_reply = NULL;
	return dispatch(message, ret, ret_reply);
}

/**
 * measure_call_done() - release what a call owns
 */
void measure_call_done(struct measure_call *call)
{
	free(call->data);
	call->data = NULL;
}
