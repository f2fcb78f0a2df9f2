# shellcheck shell=bash
# debian/tests, each with what it depends on installed beside the packages.
tree=$layers/tree
mkdir "$tree"
git ls-files -z | xargs -0 cp --parents -t "$tree"
autopkgtest --no-built-binaries --output-dir="$layers/autopkgtest" "$debs"/*.deb "$tree" -- chroot "$root" > "$layers/log" 2>&1 ||
  {
    tail -20 "$layers/log"
    # What the ones that failed said.
    awk '$2 == "FAIL" { print $1 }' "$layers/autopkgtest/summary" | while read -r name; do
      tail -40 "$layers/autopkgtest/$name-stdout" "$layers/autopkgtest/$name-stderr" 2> /dev/null || :
    done
    cat "$layers/autopkgtest/summary"
    exit 1
  }
cat "$layers/autopkgtest/summary"
