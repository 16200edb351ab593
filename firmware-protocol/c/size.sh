#!/usr/bin/env bash
# The kit's size on a Cortex-M0+, with nanopb and SHA-256, as a serial terminal: bash size.sh [--json FILE]
#   code_bytes  text + rodata + data of the linked image: kit, nanopb, compiler's helpers; not the C library's memcpy and its like
#   ram_bytes   data + bss (context, serial link, a ring of 128 bytes) + the deepest stack, the integrator's hooks not counted
# Needs gcc-arm-none-eabi, libnewlib-arm-none-eabi, protobuf-compiler, nanopb; DHP_NANOPB names a folder with nanopb's C files.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
json=""
[ "${1:-}" = "--json" ] && json=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nanopb=${DHP_NANOPB:-$work/nanopb}
mkdir -p "$nanopb"
nanopb=$(cd "$nanopb" && pwd) # the work is done elsewhere
bash "$here/nanopb.sh" "$nanopb"
protoc "-I$here/.." "--nanopb_out=-f$here/terminal.options:$work" "$here/../terminal.proto"

flags=(-std=c99 -mcpu=cortex-m0plus -mthumb -Os -flto -fconserve-stack -fno-tree-ch -fno-tree-forwprop -fno-tree-dominator-opts -fcallgraph-info=su -ffunction-sections -fdata-sections -DPB_BUFFER_ONLY -DPB_NO_ERRMSG -I"$here" -I"$work" -I"$nanopb")
cd "$work"
for source in "$here"/dhp_*.c "$here/size.c" "$nanopb"/pb_{common,encode,decode}.c; do
  arm-none-eabi-gcc "${flags[@]}" -c "$source" -o "$(basename "$source" .c).o"
done
# What the board supplies, and the C library: found, and not counted.
rm -f ./*.ci # of before linking: what counts is what the linker's optimiser makes
arm-none-eabi-gcc "${flags[@]}" -flto-partition=one -nostdlib -Wl,--gc-sections,-e,size_start,-u,size_interrupt,--unresolved-symbols=ignore-all \
  ./*.o -lgcc -o image.elf
read -r text data bss < <(arm-none-eabi-size image.elf | awk 'NR == 2 { print $1, $2, $3 }')
stack=$(python3 "$here/stack.py" size_start -- ./*.ci 2>chain) || { cat chain >&2; exit 1; }
code=$((text + data)) ram=$((data + bss + stack))
echo "code $code bytes (text and rodata $text, data $data)"
echo "ram  $ram bytes (data $data, bss $bss, stack $stack)"
echo "deepest stack: $(cat chain)"
if [ -n "$json" ]; then
  printf '{"code_bytes": %d, "ram_bytes": %d, "text_bytes": %d, "data_bytes": %d, "bss_bytes": %d, "stack_bytes": %d}\n' \
    "$code" "$ram" "$text" "$data" "$bss" "$stack" >"$work/size.json"
  cd - >/dev/null
  cp "$work/size.json" "$json"
fi
