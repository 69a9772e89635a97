#!/bin/sh
# Sets the trainer's native runtime up in FOLDER/native for good: its libraries stripped, without what only compilers read.
#   install-runtime.sh FOLDER
set -eu
folder=$1
tfjs=$folder/node_modules/@glocal/trainer/node_modules/@tensorflow/tfjs-node

node "$folder/node_modules/@glocal/trainer/lib/main.js" setup
runtime=$(dirname "$(dirname "$(readlink -f "$tfjs/deps/lib/libtensorflow_cc.so.2")")")
target=$folder/native/$(basename "$runtime")
mkdir -p "$target/lib"
cp "$runtime"/LICENSE* "$target/"
for library in "$runtime"/lib/*; do
  cp -RL "$library" "$target/lib/"
done
find "$target/lib" -type f -name '*.so*' -exec strip -s {} +
strip -s "$tfjs"/lib/napi-v8/*
ln -sfn "$target"/lib/libtensorflow_*.so.2 "$tfjs/deps/lib/"
# NVIDIA's, unless they are the machine's: in their places, from which they find each other, and with their licences.
if [ -e "$tfjs/deps/nvidia" ]; then
  cp -RL "$tfjs/deps/nvidia" "$folder/native/nvidia"
  ln -sfn "$folder/native/nvidia" "$tfjs/deps/nvidia"
fi
# It was checked as it came; this is whether it computes as it is now.
node "$folder/node_modules/@glocal/trainer/lib/backend/self-check.js"
