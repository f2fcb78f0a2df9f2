# shellcheck shell=bash
# docs/getting-started.md with the .deb files and nothing else, word by word.
cp "$debs"/*.deb "$root/root"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 Tests/Packages/getting_started.py "$port" > "$root/root/steps"
inside bash -c 'cd && bash steps > log 2>&1 || { cat log; exit 1; }; tail -1 log; ls | grep -vE "_(amd64|all).deb$|^log$|^steps$" && exit 1 || :'
[ "$(inside dpkg-query -W -f '${Package} ${Status}\n' '*tuile*' 2> /dev/null | grep -c 'ok installed')" = 0 ]
