/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was there before the log: the boot chain.
 *
 * Only it says that the first anchor was made by an initramfs that starts veritally before
 * anything else.  The firmware's log comes from the machine that is judged, so it counts
 * where its events fold to a quoted value, and then as a whole: root can extend a PCR by
 * whatever digest he likes, and say that the firmware did.
 */
#include "attest/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRMWARE_PCRS	8		/* that nobody but the firmware extends */
#define LOCALITIES	2		/* other first values of PCR 0 */
#define OS_SEPARATOR	"os-separator"

/**
 * struct firmware - the firmware's log, folded
 * @c:      the check
 * @values: of each PCR
 * @pcr_0:  of PCR 0, if the TPM was started from locality 3 or 4
 * @n:      events of each PCR
 * @strange: first event of each PCR that the policy does not name; of no algorithm if none
 */
struct firmware {
	const struct attest_checking *c;
	struct digest values[ATTEST_PCRS];
	struct digest pcr_0[LOCALITIES];
	uint64_t n[ATTEST_PCRS];
	struct digest strange[ATTEST_PCRS];
	bool has_strange[ATTEST_PCRS];
};

static bool is_given(const struct attest_pcr_rule *rule, const struct digest *digest)
{
	for (size_t i = 0; i < rule->n; i++)
		if (digest_equal(&rule->digests[i], digest))
			return true;
	return false;
}

static int fold(void *ctx, uint32_t pcr, const struct digest *digest)
{
	struct firmware *firmware = ctx;

	if (pcr >= ATTEST_PCRS || !digest)
		return -EBADMSG;
	digest_extend(&firmware->values[pcr], digest);
	for (size_t i = 0; pcr == 0 && i < LOCALITIES; i++)
		digest_extend(&firmware->pcr_0[i], digest);
	firmware->n[pcr]++;
	if (!is_given(&firmware->c->demand->policy->events[pcr], digest) &&
	    !firmware->has_strange[pcr]) {
		firmware->strange[pcr] = *digest;
		firmware->has_strange[pcr] = true;
	}
	return 0;
}

static int read_firmware_log(const struct attest_checking *c, struct firmware *ret)
{
	const struct attest_header *header = c->header;

	*ret = (struct firmware){ .c = c };
	for (size_t i = 0; i < ATTEST_PCRS; i++)
		digest_zero(header->bank, &ret->values[i]);
	for (size_t i = 0; i < LOCALITIES; i++) {
		digest_zero(header->bank, &ret->pcr_0[i]);
		ret->pcr_0[i].bytes[digest_size(header->bank) - 1] = (uint8_t)(3 + i);
	}
	return eventlog_firmware_each(header->firmware_log.data, header->firmware_log.size,
				      header->bank, fold, ret);
}

/* Whether the firmware's log, and after it systemd's separator, explains a PCR. */
static bool is_explained(const struct firmware *firmware, size_t pcr)
{
	const struct digest *quoted = &firmware->c->header->pcrs[pcr];
	struct digest value = firmware->values[pcr], separator;

	if (digest_equal(&value, quoted))
		return true;
	for (size_t i = 0; pcr == 0 && i < LOCALITIES; i++)
		if (digest_equal(&firmware->pcr_0[i], quoted))
			return true;
	digest_compute(value.alg, OS_SEPARATOR, strlen(OS_SEPARATOR), &separator);
	digest_extend(&value, &separator);
	return digest_equal(&value, quoted);
}

static void check_explained(struct attest_checking *c, const struct firmware *firmware,
			    size_t pcr)
{
	char expected[DIGEST_HEX_MAX], found[DIGEST_HEX_MAX];

	if (is_explained(firmware, pcr))
		return;
	digest_to_hex(&firmware->values[pcr], expected);
	digest_to_hex(&c->header->pcrs[pcr], found);
	attest_find(c, ATTEST_NOT_TRUSTED, "firmware-log", expected,
		    "the firmware's log is not that of this boot, or something else was "
		    "measured too", "%s in PCR %zu", found, pcr);
}

static void check_events(struct attest_checking *c, const struct firmware *firmware,
			 size_t pcr)
{
	char found[DIGEST_HEX_MAX];

	if (!c->demand->policy->events[pcr].given)
		return;
	if (!firmware->n[pcr])
		attest_find(c, ATTEST_NOT_TRUSTED, "event", "events that the policy names",
			    "the boot chain did not measure what it loaded",
			    "none in PCR %zu", pcr);
	if (!firmware->has_strange[pcr])
		return;
	digest_to_hex(&firmware->strange[pcr], found);
	attest_find(c, ATTEST_NOT_TRUSTED, "event", "events that the policy names",
		    "something else was loaded than should have been", "%s in PCR %zu", found,
		    pcr);
}

static void check_firmware_log(struct attest_checking *c)
{
	const struct attest_policy *policy = c->demand->policy;
	bool wanted = false, is_there = c->header->firmware_log.size;
	struct firmware firmware;

	for (size_t i = 0; i < ATTEST_PCRS; i++)
		wanted |= policy->events[i].given;
	if (!is_there && !wanted)
		return;
	if (read_firmware_log(c, &firmware) < 0) {
		attest_find(c, ATTEST_NOT_TRUSTED, "firmware-log", "a log of the firmware",
			    "what the boot chain measured cannot be told", "%s",
			    is_there ? "something else" : "none");
		return;
	}
	for (size_t i = 0; i < ATTEST_PCRS; i++) {
		if (!(c->header->quoted & 1U << i))
			continue;
		if (i < FIRMWARE_PCRS || policy->events[i].given)
			check_explained(c, &firmware, i);
		check_events(c, &firmware, i);
	}
}

static void check_value(struct attest_checking *c, size_t pcr)
{
	const struct attest_pcr_rule *rule = &c->demand->policy->pcrs[pcr];
	const struct attest_header *header = c->header;
	char expected[DIGEST_HEX_MAX + 32] = "a value that the policy names";
	char found[DIGEST_HEX_MAX] = "no value";

	if (header->quoted & 1U << pcr) {
		if (is_given(rule, &header->pcrs[pcr]))
			return;
		digest_to_hex(&header->pcrs[pcr], found);
	}
	if (rule->n == 1)
		digest_to_hex(&rule->digests[0], expected);
	attest_find(c, ATTEST_NOT_TRUSTED, "pcr", expected,
		    "another firmware, boot loader, kernel or initramfs was started",
		    "%s in PCR %zu", found, pcr);
}

/* Events can be told of quoted PCRs only. */
static void check_quoted(struct attest_checking *c, size_t pcr)
{
	if (c->demand->policy->events[pcr].given && !(c->header->quoted & 1U << pcr))
		attest_find(c, ATTEST_NOT_TRUSTED, "event", "a quote of the PCR",
			    "what the boot chain measured cannot be told", "none of PCR %zu",
			    pcr);
}

/**
 * attest_boot_check() - check the boot chain
 */
void attest_boot_check(struct attest_checking *c)
{
	const struct attest_policy *policy = c->demand->policy;

	if (!policy->has_pcrs)
		attest_find(c, ATTEST_CANNOT_TELL, "boot-chain",
			    "\"pcrs\" or \"events\" in the policy",
			    "any initramfs may have begun this log", "neither");
	for (size_t i = 0; i < ATTEST_PCRS; i++) {
		if (policy->pcrs[i].given)
			check_value(c, i);
		check_quoted(c, i);
	}
	check_firmware_log(c);
}
