# Completion of tuile for bash. What there is to complete comes from the program's
# own --help, so that it is never out of date.
_tuile() {
  local word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} command all
  local program=${COMP_WORDS[0]}
  # The summary of a command is two spaces away from its name.
  all=$("$program" --help 2> /dev/null | sed -n 's/^  \([a-z]\+\( [a-z-]\+\)\?\)  .*/\1/p')
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<< "$all" | sort -u)" -- "$word")
    return
  fi
  command=$first
  if grep -q "^$first " <<< "$all"; then
    if ((COMP_CWORD == 2)); then
      mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^$first //p" <<< "$all")" -- "$word")
      return
    fi
    command="$first ${COMP_WORDS[2]}"
  fi
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    --secret-file | --block-secret-file | --keys)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --store) mapfile -t COMPREPLY < <(compgen -W "memory: file:/// sqlite:/// redis:// postgresql:// cookie: env:" -- "$word") ;;
  esac
  if [[ $word == -* ]]; then
    # shellcheck disable=SC2086 # a command may have two words
    mapfile -t COMPREPLY < <(compgen -W "$("$program" $command --help 2> /dev/null | sed -n 's/^  \(--[a-z-]\+\).*/\1/p')" -- "$word")
  fi
}
complete -F _tuile tuile
