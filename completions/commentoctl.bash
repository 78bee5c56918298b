# Completion of commentoctl for bash: the program itself knows its verbs and options.
_commentoctl() {
    local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    mapfile -t COMPREPLY < <(commentoctl __complete "${words[@]}" 2>/dev/null | cut -f 1)
}
complete -o default -F _commentoctl commentoctl
