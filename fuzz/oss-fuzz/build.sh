#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Builds the fuzz targets into $OUT as OSS-Fuzz and ClusterFuzzLite want them: each with its seed
# corpus, options and dictionary. The environment says how:
#
#   CC CXX CFLAGS CXXFLAGS   compilers and flags: sanitizer and instrumentation are among them
#   LIB_FUZZING_ENGINE       what links the engine
#   OUT WORK                 where results and intermediate files go
#   SRC                      where the project is, when this file is not inside it
#   SANITIZER ARCHITECTURE   only name the folder of intermediate files
#   HOST_CC                  what compiles the tool that makes the seeds (cc)
set -eu
: "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}" "${OUT:?}" "${WORK:?}"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[[ -e $root/fuzz/oss-fuzz/build.sh ]] || root=${SRC:?}/dxgkmem
targets=(fuzz_program fuzz_text fuzz_ioctl)
mkdir -p "$OUT" "$WORK"

# -- the tool, for this machine and without instrumentation ------------------------------------------

host=$WORK/dxgkmem-tool
env -u CFLAGS -u CXXFLAGS cmake -S "$root" -B "$host" -DCMAKE_C_COMPILER="${HOST_CC:-cc}" -DDXGKMEM_TESTS=OFF \
    -DDXGKMEM_TRIAGE=OFF
cmake --build "$host" --target dxgkmem_tool -j "$(nproc)"
tool=$host/fuzz/dxgkmem

# -- the targets -------------------------------------------------------------------------------------

# The C++ library of the engine goes in statically. MSan and GNU's library both bring operator new; one is enough.
link="-static-libstdc++ -static-libgcc"
[[ ${SANITIZER-} != memory ]] || link+=" -Wl,-z,muldefs"

# Debug without flags of its own: all of them come from outside, and assertions stay in.
build=$WORK/dxgkmem-${ARCHITECTURE:-x86_64}-${SANITIZER:-none}-$(basename "$CC")
cmake -S "$root" -B "$build" -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" \
    -DCMAKE_C_FLAGS="${CFLAGS-}" -DCMAKE_CXX_FLAGS="${CXXFLAGS-}" \
    -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG= -DCMAKE_CXX_FLAGS_DEBUG= \
    -DCMAKE_EXE_LINKER_FLAGS="$link" \
    -DDXGKMEM_TESTS=OFF -DDXGKMEM_TRIAGE=OFF -DDXGKMEM_FUZZER=ON -DDXGKMEM_FUZZER_CXX=ON \
    -DDXGKMEM_FUZZER_LINK="$LIB_FUZZING_ENGINE"
cmake --build "$build" --target "${targets[@]}" -j "$(nproc)"

# -- what belongs to each ------------------------------------------------------------------------------

for target in "${targets[@]}"; do
    cp "$build/fuzz/$target" "$OUT/"
    [[ ! -e $root/fuzz/oss-fuzz/$target.options ]] || cp "$root/fuzz/oss-fuzz/$target.options" "$OUT/"
    seeds=$WORK/seeds/$target
    rm -rf "$seeds" "$OUT/${target}_seed_corpus.zip"
    mkdir -p "$seeds"
    bash "$root/fuzz/targets/seeds.sh" "$target" "$tool" "$seeds" "$root/corpus"
    find "$seeds" -type f | LC_ALL=C sort | zip -q -j -X "$OUT/${target}_seed_corpus.zip" -@
done
bash "$root/fuzz/targets/words.sh" "$tool" >"$OUT/fuzz_text.dict"
