#!/bin/sh
# Takes out of installed packages what no program loads, and puts Node and the command together.
#   thin.sh FOLDER COMMAND MODULE, where MODULE is in FOLDER/node_modules; /out/root becomes part of the image.
set -eu
folder=$1 command=$2 module=$3
packages=$folder/node_modules

# Maps, types, documents and tests; bundles of tfjs for browsers, which are ten times what Node loads of it.
find "$packages" -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \
  -o -name '*_test.js' -o -name '*.test.js' -o -name '*.flow' \) -delete
find "$packages" -type d \( -name test -o -name tests -o -name __tests__ \) -prune -exec rm -r {} +
find "$packages"/@tensorflow -type f \( -path '*/dist/tf.*js' -o -path '*/dist/tf-*js' \) ! -name '*.node.js' -delete 2> /dev/null || :
find "$packages"/@tensorflow -type d \( -name src -o -name binding -o -path '*/dist/miniprogram' \) -prune -exec rm -r {} + 2> /dev/null || :
rm -rf "$packages/.bin" "$folder/package-lock.json"
find "$packages" -type d -empty -delete

node=$(node -p process.execPath)
mkdir -p /out/root/usr/bin /out/root/var/lib/glocal
strip -s -o /out/root/usr/bin/node "$node"
# Without a shell and without env: the kernel starts Node.
sed -i '1s|.*|#!/usr/bin/node|' "$packages/$module"
chmod +x "$packages/$module"
ln -s "$packages/$module" "/out/root/usr/bin/$command"
chown 65532:65532 /out/root/var/lib/glocal
