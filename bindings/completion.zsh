#compdef nsh
# Completion of nsh for zsh: source <(nsh completion zsh), or as _nsh in a folder of $fpath
#
# What is offered is asked of nsh itself at each Tab.

_nsh_options() { # the options as _arguments has them, in $options
    local letter name argument help
    while IFS=$'\t' read -r letter name argument help; do
        help="[${${help//\[/(}//\]/)}]"
        local takes=
        [[ $argument == . ]] || takes=":$argument:_files"
        [[ $letter == . ]] || options+=("*-$letter${takes:++}$help$takes")
        [[ $name == . ]] || options+=("*--$name${takes:+=}$help$takes")
    done < <($nsh completion options 2>/dev/null)
}

_nsh_ask() { # _nsh_ask labs|nodes|commands
    local -aU names expl
    names=(${(f)"$($nsh completion $1 2>/dev/null)"})
    _wanted $1 expl ${1%s} compadd -a names
}

_nsh_first() {
    _alternative 'commands:command: _nsh_ask commands' 'scripts:script:_files -g "*.lua(-.)"'
}

_nsh_enter() { # a node, then a command with its own arguments
    if ((CURRENT == 2)); then
        _nsh_ask nodes
    else
        shift 2 words
        ((CURRENT -= 2))
        _normal
    fi
}

_nsh_rest() {
    case $first in
    list) _arguments '-j[as JSON]' ;;
    down) ((CURRENT == 2)) && _nsh_ask labs ;;
    enter) _nsh_enter ;;
    completion) ((CURRENT == 2)) && compadd bash zsh ;;
    *) _files ;;
    esac
}

_nsh() {
    local curcontext=$curcontext state nsh=$words[1] first
    local -a options line
    _nsh_options
    _arguments -s -S -C $options '1:script:->first' '*::argument:->rest'
    first=$line[1]
    case $state in
    first) _nsh_first ;;
    rest) _nsh_rest ;;
    esac
}

if [[ $funcstack[1] == _nsh ]]; then _nsh "$@"; else compdef _nsh nsh; fi
