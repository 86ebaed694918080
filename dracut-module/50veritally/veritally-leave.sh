#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by dracut; the work is done in a process of its own.

/usr/lib/veritally/veritally-hook leave
