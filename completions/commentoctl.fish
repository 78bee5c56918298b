# Completion of commentoctl for fish: the program itself knows its verbs and options.
function __commentoctl_candidates
    set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token --cut-at-cursor)
    commentoctl __complete $words[2..] 2>/dev/null
end
complete --command commentoctl --arguments '(__commentoctl_candidates)'
