# shellcheck shell=bash
# An older build, then this one, then none; and nothing is left.

# The older one is this one with a lower version, in its name and in what depends on it.
mkdir "$root/old" "$root/new"
version=$(dpkg-parsechangelog -S Version)
for package in "$debs"/*.deb; do
  case $package in *-dbgsym_*) continue ;; esac
  cp "$package" "$root/new"
  dpkg-deb -R "$package" "$layers/repacked"
  sed -i "s/\(^Version: \|tuile[a-z0-9-]* ([>=]*= \)$version/\1$version~0/" "$layers/repacked/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$layers/repacked" "$root/old" > /dev/null
  rm -r "$layers/repacked"
done
apt() { inside apt-get -qq -o Dpkg::Use-Pty=0 "$@" > "$layers/log" 2>&1 || { cat "$layers/log" >&2; return 1; }; }
# What is installed alone has changing files: logs, apt's and dpkg's own, caches.
files() {
  (cd "$root" && find . -xdev \( -path ./old -o -path ./new -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
    -o -path ./var/log -o -path ./run -o -path ./tmp -o -name __pycache__ \) -prune -o -print | sort)
  inside dpkg-query -W -f '${Package} ${Status}\n' | sort
}
versions() { inside dpkg-query -W -f '${Package} ${Version} ${Status}\n' '*tuile*' | grep 'ok installed'; }

inside sh -c 'apt-get -s install /new/*.deb' | awk '$1 == "Inst" && $2 !~ /tuile/ { print $2 }' > "$layers/needed"
xargs -a "$layers/needed" echo needs:
# shellcheck disable=SC2046 # names are words
apt install $(cat "$layers/needed") nginx apache2
# What the servers make for themselves is not the modules': make it first.
inside nginx -t -q
inside apache2ctl -t 2> /dev/null
inside mkdir -p /var/lib/apache2/module/disabled_by_{admin,maint}
files > "$layers/before"
apt install $(cd "$root" && ls old/*.deb | sed 's,^,/,')
[ "$(versions | grep -c "$version~0 ")" = "$(find "$root/new" -name '*.deb' | wc -l)" ]
files > "$layers/installed"
! diff -q "$layers/before" "$layers/installed" > /dev/null || { echo "a list of files does not see the packages" >&2; exit 1; }
inside nginx -t -q
apt install $(cd "$root" && ls new/*.deb | sed 's,^,/,')
[ "$(versions | grep -c " $version ")" = "$(find "$root/new" -name '*.deb' | wc -l)" ]
# The servers have their modules, and the store modules are found.
[ -L "$root/etc/nginx/modules-enabled/50-mod-http-tuile.conf" ]
[ -L "$root/etc/apache2/mods-enabled/tuile.load" ]
inside nginx -t -q
grep -q tuile_module <<< "$(inside apache2ctl -M 2> /dev/null)"
for url in redis://127.0.0.1:1/ postgresql://127.0.0.1:1/x; do
  inside python3 - "$url" <<'TEXT'
import sys
from tuile.errors import MissingLibraryError, TuileError
from tuile.sessions import Manager
try:
    Manager(store=sys.argv[1], secret="a secret for this test, and no other").close()
except MissingLibraryError as missing:
    sys.exit(str(missing))
except TuileError:
    pass  # the server is away, as it should be
TEXT
done
apt purge $(versions | cut -d' ' -f1)
files > "$layers/after"
diff "$layers/before" "$layers/after" || { echo "the packages leave something" >&2; exit 1; }
inside nginx -t -q
echo "installed, upgraded and purged: nothing is left"
