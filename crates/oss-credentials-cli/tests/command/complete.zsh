# Runs in an interactive zsh inside the one of completions.rs, which reads what it prints.
PROMPT= PROMPT2=
setopt no_beep no_prompt_sp no_prompt_cr
autoload -Uz compinit && compinit -u -D
source $SCRIPT
bindkey '^I' complete-word

# Prints each match before zsh gets it.
compadd() {
  # With -O, -A or -D it only fills an array.
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a matches
  local match
  builtin compadd -A matches "$@"
  for match in $matches; do print -r -- "match:$match"; done
  builtin compadd "$@"
}

completed() { print -r -- completed: }
comppostfuncs=(completed)

# The line editor is ready for keys.
zle-line-init() { print -r -- ready: }
zle -N zle-line-init
