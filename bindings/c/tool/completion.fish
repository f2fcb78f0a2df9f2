# Completion of tuile for fish. What there is to complete comes from the program's
# own --help, so that it is never out of date.
function __tuile_commands
    # The summary of a command is two spaces away from its name.
    $argv[1] --help 2>/dev/null | string replace -rf '^  ([a-z]+(?: [a-z-]+)?)  +(.*)$' '$1\t$2'
end

function __tuile_words
    set -l words (commandline -opc)
    set -l program $words[1]
    set -l first $words[2]
    set -l current (commandline -ct)
    set -l all (__tuile_commands $program)
    if test (count $words) -eq 1
        for line in $all
            set -l name (string split -m 1 \t -- $line)
            if string match -q '* *' -- $name[1]
                string split -m 1 ' ' -- $name[1] | head -n 1
            else
                echo $line
            end
        end | sort -u
        return
    end
    set -l command $first
    if string match -q "$first *" -- $all
        if test (count $words) -eq 2
            for line in $all
                string replace -f -- "$first " '' $line
            end
            return
        end
        set command $first $words[3]
    end
    switch $words[-1]
        case --secret-file --block-secret-file --keys
            __fish_complete_path $current
            return
        case --store
            printf '%s\n' memory: file:/// sqlite:/// redis:// postgresql:// cookie: env:
            return
    end
    if string match -q -- '-*' $current
        $program $command --help 2>/dev/null | string replace -rf '^  (--[a-z-]+)(?: [A-Z=]+)?  +(.*)$' '$1\t$2'
    end
end

complete -c tuile -f -a '(__tuile_words)'
