#!/usr/bin/env bash
# Builds the Jaeger that `cargo bench --bench figures -- --jaeger PATH` measures beside tracefall, and prints its path.
#
#     cargo bench --bench figures -- --jaeger "$(.ci/jaeger/build.sh)"
#
# Takes Go 1.25.4 or later (an older one fetches it), the Go module proxy, and some ten minutes the first time; after that it only prints.
# Everything stays in ${XDG_CACHE_HOME:-~/.cache}/tracefall-ci. GOFLAGS is handed on: `-p=1` leaves other cores alone.

set -euo pipefail

# The module of v1.76.0 holds Jaeger v2.13.0 too, in cmd/jaeger. Its `replace` keeps `go install` from building it,
# so it is built in a copy of its folder. The module proxy has no newer one under this module's path.
readonly VERSION=v1.76.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/tracefall-ci/jaeger-$VERSION"
program="$cache/jaeger"

if [[ ! -x $program ]]; then
  command -v go >/dev/null || { echo "Jaeger cannot be built: Go is not installed" >&2; exit 77; }
  mkdir -p "$cache"
  module=$(cd "$cache" && go mod download -json "github.com/jaegertracing/jaeger@$VERSION" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
  [[ -d $module ]] || { echo "Jaeger cannot be built: its module could not be fetched" >&2; exit 77; }
  rm -rf "$cache/source"
  cp -R "$module" "$cache/source"
  chmod -R u+w "$cache/source"
  (cd "$cache/source" && go build -buildvcs=false -trimpath -o "$program.new" ./cmd/jaeger) >&2
  mv "$program.new" "$program"
  rm -rf "$cache/source"
fi
printf '%s\n' "$program"
