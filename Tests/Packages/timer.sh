# shellcheck shell=bash
# The timer under systemd itself: Debian is booted in a container, follows README.timer.md,
# and the expired session goes.
inside apt-get install -y -qq systemd-sysv sqlite3 > "$layers/log" 2>&1 || { cat "$layers/log" >&2; return 1; }
mkdir "$root/debs"
cp "$debs"/libtuile0_*.deb "$debs"/tuile-tools_*.deb "$root/debs"
inside sh -c 'apt-get install -y -qq /debs/*.deb' > "$layers/log" 2>&1 || { cat "$layers/log" >&2; return 1; }

cat > "$root/usr/local/bin/follow" <<'TEXT'
#!/bin/bash
exec > /said 2>&1
set -eux
export TUILE_STORE=sqlite:///srv/shop/db.sqlite3
mkdir /srv/shop
TUILE_SECRET=$(tuile keygen) tuile session set new n 1
TUILE_SECRET=$(tuile keygen) tuile session set new n 2
chown -R www-data /srv/shop
mkdir -p /etc/tuile
(umask 077; echo TUILE_STORE=sqlite:///srv/shop/db.sqlite3 > /etc/tuile/shop.env)
systemctl enable --now tuile-clear-expired@shop.timer
# Not in an hour, but in a moment.
mkdir /run/systemd/system/tuile-clear-expired@shop.timer.d
printf '[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\nAccuracySec=1us\n' > /run/systemd/system/tuile-clear-expired@shop.timer.d/soon.conf
sqlite3 /srv/shop/db.sqlite3 "update django_session set expire_date = '2001-01-01 00:00:00' where rowid = 1"
systemctl daemon-reload
systemctl restart tuile-clear-expired@shop.timer
for _ in {1..300}; do
  left=$(sqlite3 /srv/shop/db.sqlite3 'select count(*) from django_session')
  [ "$left" = 2 ] || break
  sleep 0.1
done
[ "$left" = 1 ]
journalctl -u tuile-clear-expired@shop.service --no-pager | grep 'removed: 1'
echo followed
TEXT
chmod +x "$root/usr/local/bin/follow"
cat > "$root/etc/systemd/system/follow.service" <<'TEXT'
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=-/usr/local/bin/follow
ExecStartPost=/usr/bin/systemctl --no-block poweroff
TEXT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../follow.service "$root/etc/systemd/system/multi-user.target.wants"
# It mounts its own.
umount -R -l "$root/dev" "$root/proc"
timeout 300 systemd-nspawn --register=no --keep-unit --quiet --directory="$root" --private-network --boot > "$layers/log" 2>&1 || :
if [ ! -e "$root/said" ]; then
  tail -5 "$layers/log"
  echo "skipped: systemd can't be booted here"
elif [ "$(tail -1 "$root/said")" = followed ]; then
  echo "the timer removed the expired session"
else
  cat "$root/said" >&2
  return 1
fi
