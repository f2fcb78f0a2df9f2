# shellcheck shell=bash
# debian/tests, each with what it depends on installed beside the packages.
tree=$layers/tree
mkdir "$tree"
git ls-files -z | xargs -0 cp --parents -t "$tree"
autopkgtest --no-built-binaries --output-dir="$layers/autopkgtest" "$debs"/*.deb "$tree" -- chroot "$root" > "$layers/log" 2>&1 ||
  { tail -80 "$layers/log"; cat "$layers/autopkgtest/summary"; exit 1; }
cat "$layers/autopkgtest/summary"
