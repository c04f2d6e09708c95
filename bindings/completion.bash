# shellcheck shell=bash
# Completion of nsh for bash: source <(nsh completion bash)
#
# What is offered is asked of nsh itself at each Tab, and nothing in it is expanded.

# Offers the words of standard input that begin with what is typed.
_nsh_offer() {
    local word
    while IFS= read -r word; do
        [[ $word == "$cur"* ]] && printf -v word %q "$word" && COMPREPLY+=("$word")
    done
}

_nsh_ask() { # _nsh_ask labs|nodes|commands
    _nsh_offer < <("$nsh" completion "$1" 2>/dev/null | sort -u)
}

_nsh_options() {
    local letter name _
    while IFS=$'\t' read -r letter name _; do
        [[ $letter == . ]] || printf -- '-%s\n' "$letter"
        [[ $name == . ]] || printf -- '--%s\n' "$name"
    done < <("$nsh" completion options 2>/dev/null)
}

# Readline quotes the names itself.
_nsh_files() { # _nsh_files OPTION…: as for compgen
    local word
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$@" -- "$cur" | sort -u)
}

_nsh_scripts() {
    _nsh_files -d
    _nsh_files -f -X '!*.lua'
}

# Whether an option takes the word behind it.
_nsh_takes_more() {
    local letter name argument _
    while IFS=$'\t' read -r letter name argument _; do
        [[ $argument == . ]] && continue
        [[ $1 == "--$name" || $1 =~ ^-[a-zA-Z]*"$letter"$ ]] && return
    done < <("$nsh" completion options 2>/dev/null)
    return 1
}

# Where the script or the command stands. "--draw=x" is three words here.
_nsh_find_first() {
    first=1
    while ((first < COMP_CWORD)) && [[ ${COMP_WORDS[first]} == -?* ]]; do
        if [[ ${COMP_WORDS[first]} == -- ]]; then
            first=$((first + 1))
            return
        elif [[ ${COMP_WORDS[first + 1]-} == = ]]; then
            first=$((first + 3))
        elif _nsh_takes_more "${COMP_WORDS[first]}"; then
            first=$((first + 2))
        else
            first=$((first + 1))
        fi
    done
}

_nsh_argument() {
    case ${COMP_WORDS[first]}:$((COMP_CWORD - first)) in
    list:1) _nsh_offer <<<-j ;;
    down:1) _nsh_ask labs ;;
    enter:1) _nsh_ask nodes ;;
    enter:2) _nsh_files -c ;;
    completion:1) _nsh_offer <<<$'bash\nzsh' ;;
    list:* | down:* | completion:*) ;;
    *) _nsh_files -f ;;
    esac
}

_nsh() {
    local nsh=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} first
    COMPREPLY=()
    [[ $cur != = ]] || cur=
    _nsh_find_first
    if ((first > COMP_CWORD)); then # what an option takes
        _nsh_files -f
    elif ((first < COMP_CWORD)); then
        _nsh_argument
    elif [[ $cur == -* && ${COMP_WORDS[COMP_CWORD - 1]} != -- ]]; then
        _nsh_offer < <(_nsh_options)
    else
        [[ ${COMP_WORDS[COMP_CWORD - 1]} == -- ]] || _nsh_ask commands
        _nsh_scripts
    fi
}

complete -F _nsh nsh
