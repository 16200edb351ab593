#!/usr/bin/env bash
# Puts nanopb's pb.h and pb_*.[ch] into a folder, from Debian's source package: bash nanopb.sh FOLDER
# The machine's own package lists are left as they are: lists with sources are kept in the folder.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
[ -f "$folder/pb_encode.c" ] && exit 0
. /etc/os-release
lists="$folder/apt"
mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
# The mirror that the machine uses already.
uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p' | grep -m 1 -E '/debian/?$' || true)
uri=${uri:-http://deb.debian.org/debian}
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri ${VERSION_CODENAME:-bookworm} main" >"$lists/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$lists/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$lists/lists" -o "Dir::Cache=$lists/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$lists" && "${apt[@]}" source --download-only nanopb && dpkg-source -q --no-check -x nanopb_*.dsc source >/dev/null)
cp "$lists/source"/pb.h "$lists/source"/pb_{common,encode,decode}.[ch] "$folder/"
