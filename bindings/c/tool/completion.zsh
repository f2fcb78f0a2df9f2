#compdef tuile
# Completion of tuile for zsh. What there is to complete comes from the program's
# own --help, so that it is never out of date.
_tuile() {
  local program=$words[1] first=$words[2] line name
  local -a all found command
  # The summary of a command is two spaces away from its name.
  all=(${(f)"$($program --help 2> /dev/null | sed -nE 's/^  ([a-z]+( [a-z-]+)?)  +(.*)$/\1:\3/p')"})
  if ((CURRENT == 2)); then
    for line in $all; do
      name=${line%%:*}
      if [[ $name == *' '* ]]; then found+=(${name%% *}); else found+=($line); fi
    done
    found=(${(u)found})
    _describe command found
    return
  fi
  command=($first)
  if [[ -n ${(M)all:#$first *} ]]; then
    if ((CURRENT == 3)); then
      found=(${${(M)all:#$first *}#$first })
      _describe command found
      return
    fi
    command+=($words[3])
  fi
  case $words[CURRENT-1] in
    --secret-file | --block-secret-file | --keys)
      _files
      return
      ;;
    --store)
      found=(memory: file:/// sqlite:/// redis:// postgresql:// cookie: env:)
      compadd -S '' -- $found
      return
      ;;
  esac
  if [[ $words[CURRENT] == -* ]]; then
    found=(${(f)"$($program $command --help 2> /dev/null | sed -nE 's/^  (--[a-z-]+)( [A-Z=]+)?  +(.*)$/\1:\3/p')"})
    _describe option found
  fi
}
_tuile "$@"
