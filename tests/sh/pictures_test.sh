#!/usr/bin/env bash
# examples/pictures/ shows what the examples build now. TAP.
set -u
# A lesson runs `nsh enter`, in a /proc that LeakSanitizer does not know its way in.
export ASAN_OPTIONS=detect_leaks=0

nsh=$(realpath "${NSH:-./nsh}")
cd "$(dirname "$0")/../.." || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if ! command -v dot >/dev/null; then
    echo "1..0 # SKIP graphviz is not there"
    exit
fi

count=0
check() { # check STATUS NAME
    count=$((count + 1))
    [ "$1" = 0 ] || printf 'not '
    echo "ok $count - $2"
}

# The words in a picture. Where they stand depends on the fonts of the machine that drew it.
words() {
    grep -o '<text[^>]*>[^<]*' "$1" | sed 's/.*>//' | sort
}

tests/pictures "$nsh" "$scratch"
check $? "the examples are drawn"

for example in examples/*.lua; do
    name=$(basename "$example" .lua)
    [ "$(words "$scratch/$name.svg" | wc -l)" -gt 3 ] &&
        diff <(words "examples/pictures/$name.svg") <(words "$scratch/$name.svg") >&2
    check $? "examples/pictures/$name.svg is up to date (else: make pictures)"
done
[ "$(find examples/pictures -type f | wc -l)" = "$(find examples -maxdepth 1 -name '*.lua' | wc -l)" ]
check $? "no picture is left of an example that is gone"
echo "1..$count"
