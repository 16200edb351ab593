#!/usr/bin/env bash
# Everything that holds for the C kit, in about two minutes on two cores. The last line is "N passed, N failed".
#   bash check.sh             all of it
#   bash check.sh --examples  only builds the two terminals for Linux: artifacts/firmware/gcc/examples/dhp_mqtt and dhp_serial_line
# Packages: gcc clang libclang-rt-dev cmake ninja-build cppcheck protobuf-compiler nanopb dpkg-dev libmosquitto-dev gcc-arm-none-eabi
# libnewlib-arm-none-eabi python3. FUZZ_SECONDS (60) is how long each fuzz target runs.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/artifacts/firmware
fuzz_seconds=${FUZZ_SECONDS:-60}
export DHP_NANOPB=$build/nanopb
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
passed=0 failed=0
mkdir -p "$build"
# One at a time: test classes that run side by side each ask for the examples.
exec 9>"$build/lock"
flock 9

ok() { passed=$((passed + 1)); echo "ok $*"; }
not_ok() { failed=$((failed + 1)); echo "not ok $*"; }

# step NAME COMMAND...: quiet when it goes well.
step() {
  local name=$1
  shift
  if "$@" >"$build/step.log" 2>&1; then ok "$name"; else not_ok "$name"; tail -n 60 "$build/step.log"; return 1; fi
}

# make FOLDER COMPILER OPTION...
make_with() {
  local folder=$build/$1 compiler=$2
  shift 2
  cmake -S "$here" -B "$folder" -G Ninja -DCMAKE_C_COMPILER="$compiler" -DDHP_NANOPB="$DHP_NANOPB" "$@" && ninja -C "$folder"
}

# Warnings are errors in both builds: -Wall -Wextra -Wconversion -Wshadow -pedantic.
with_gcc() { make_with gcc gcc -DDHP_SANITIZERS=address,undefined; }
with_clang() { make_with clang clang -DDHP_SANITIZERS=address,undefined -DDHP_FUZZ=ON; }

# A field without a size becomes a pb_callback_t; a line of terminal.options for a field that is gone says so.
every_field_is_bounded() {
  ! grep -n pb_callback_t "$build/gcc/generated/terminal.pb.h" &&
    ! protoc "-I$here/.." "--nanopb_out=-f$here/terminal.options:$build" "$here/../terminal.proto" 2>&1 | grep "did not match"
}

static_analysis() {
  cppcheck --std=c99 --enable=warning,style,performance,portability --error-exitcode=1 --inline-suppr --quiet --suppress=missingIncludeSystem \
    --suppress='*:*/terminal.pb.h' --suppress='*:*/pb*.h' -I "$here" -I "$here/test" -I "$build/gcc/generated" -I "$DHP_NANOPB" -DPB_BUFFER_ONLY -DVECTORS='""' \
    "$here"/dhp_*.c "$here"/examples/*.c "$here"/test/*.c "$here"/fuzz/*.c
}

unit_tests() {
  local log=$build/tests.log
  (cd "$build/gcc" && ctest --timeout 60 -V) >"$log" 2>&1
  grep -E '^[0-9]+: (not )?ok ' "$log" | sed -E 's/^[0-9]+: //' | grep -v '^ok ' && grep -E '^[0-9]+: ' "$log" | tail -n 40
  passed=$((passed + $(grep -cE '^[0-9]+: ok ' "$log")))
  failed=$((failed + $(grep -cE '^[0-9]+: not ok ' "$log")))
  if grep -q '100% tests passed' "$log"; then ok "ctest: $(grep -cE '^[0-9]+: ok ' "$log") tests, with AddressSanitizer and UndefinedBehaviorSanitizer"; else
    not_ok "ctest"
    tail -n 30 "$log"
  fi
}

# Of the C library the kit uses string.h only, and it keeps nothing of its own between two calls.
no_heap_and_no_globals() {
  local folder=$build/plain
  mkdir -p "$folder" && rm -f "$folder"/*.o
  (cd "$folder" && gcc -std=c99 -Os -fno-pie -fno-stack-protector -U_FORTIFY_SOURCE -DPB_BUFFER_ONLY -DPB_NO_ERRMSG -I"$here" -I"$build/gcc/generated" -I"$DHP_NANOPB" \
    -c "$here"/dhp_*.c) &&
    nm -A "$folder"/*.o >"$folder/symbols" && grep -q ' T dhp_poll$' "$folder/symbols" &&
    ! grep -E ' [BbCDdGgSs] ' "$folder/symbols" &&
    ! grep -E ' U ' "$folder/symbols" | grep -vE ' (dhp|pb)_[a-z0-9_]+$| (mem(cpy|move|set|cmp|chr)|str(len|cmp|ncpy))$'
}

# As a board's project does it, without the link-time optimiser of size.sh.
for_a_board() {
  mkdir -p "$build/arm" && (cd "$build/arm" &&
    arm-none-eabi-gcc -std=c99 -mcpu=cortex-m0plus -mthumb -Os -Wall -Wextra -Wconversion -Wshadow -Werror -DPB_BUFFER_ONLY -DPB_NO_ERRMSG -I"$here" \
      -isystem "$build/gcc/generated" -isystem "$DHP_NANOPB" -c "$here"/dhp_*.c "$here"/examples/{bare_metal,rtos_task}.c)
}

size_of() { sed -E "s/.*\"$1\": ([0-9]+).*/\1/" "$build/size.json"; }
fits_a_small_machine() {
  bash "$here/size.sh" --json "$build/size.json" && [ "$(size_of code_bytes)" -le 16384 ] && [ "$(size_of ram_bytes)" -le 3072 ]
}

# What it finds that is new stays out of the committed corpus.
fuzz() {
  mkdir -p "$build/found/$1"
  "$build/clang/fuzz/fuzz_$1" -max_total_time="$fuzz_seconds" -max_len=1100 -timeout=5 -artifact_prefix="$build/found/$1-" \
    "$build/found/$1" "$here/fuzz/corpus/$1" >"$build/fuzz_$1.log" 2>&1
}

step "nanopb's sources" bash "$here/nanopb.sh" "$DHP_NANOPB" || { echo "$passed passed, $failed failed"; exit 1; }
step "gcc, warnings are errors" with_gcc || { echo "$passed passed, $failed failed"; exit 1; }
if [ "${1:-}" = "--examples" ]; then exit 0; fi
unit_tests
step "no heap and no globals" no_heap_and_no_globals
step "every field of the messages is bounded" every_field_is_bounded
step "the kit and its examples for boards, compiled for a Cortex-M0+" for_a_board
step "at most 16 KiB of code and 3 KiB of RAM on a Cortex-M0+" fits_a_small_machine && grep -E '^(code|ram)' "$build/step.log"
step "cppcheck" static_analysis
if step "clang, warnings are errors" with_clang; then
  step "the same tests, built with clang" ctest --test-dir "$build/clang" --timeout 60 --output-on-failure --no-tests=error
  fuzz frame &
  frame=$!
  fuzz message &
  message=$!
  wait "$frame" && ok "fuzz: frames, $fuzz_seconds s" || { not_ok "fuzz: frames"; tail -n 40 "$build/fuzz_frame.log"; }
  wait "$message" && ok "fuzz: messages, $fuzz_seconds s" || { not_ok "fuzz: messages"; tail -n 40 "$build/fuzz_message.log"; }
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
