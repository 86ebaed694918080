/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_MS	UINT64_C(1000)		/* in microseconds */
#define CLOCK_S		UINT64_C(1000000)

/* Microseconds of @id: CLOCK_BOOTTIME for records, CLOCK_MONOTONIC for deadlines. */
static inline uint64_t clock_us(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_S + (uint64_t)ts.tv_nsec / 1000;
}

/* Milliseconds left until @deadline_us of CLOCK_MONOTONIC, for poll(2); 0 when past. */
static inline int clock_left_ms(uint64_t deadline_us)
{
	uint64_t now = clock_us(CLOCK_MONOTONIC);

	if (now >= deadline_us)
		return 0;
	if (deadline_us - now > INT32_MAX * CLOCK_MS)
		return INT32_MAX;
	return (int)((deadline_us - now + CLOCK_MS - 1) / CLOCK_MS);
}

#endif /* BASE_CLOCK_H */
