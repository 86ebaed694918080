# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# json-c: the records of the measurement log, definitions, and --json.  Its assertions
# shall not tell where it was built.
export CFLAGS="$CFLAGS -ffile-prefix-map=$PWD/="
cmake -S . -B o -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX="$PREFIX" \
	-DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_AR="$(command -v gcc-ar)" \
	-DCMAKE_RANLIB="$(command -v gcc-ranlib)" -DBUILD_SHARED_LIBS=OFF \
	-DBUILD_STATIC_LIBS=ON -DBUILD_APPS=OFF -DBUILD_TESTING=OFF \
	-DDISABLE_EXTRA_LIBS=ON -DDISABLE_WERROR=ON
build -C o install
