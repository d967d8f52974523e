internal import FuseDB
internal import FuseDBInput

/// `fusedb completions`: prints what a shell needs to complete the words of a command line.
struct Completions: Command {
  static let name = "completions"
  static let summary = "print what a shell needs to complete command lines"
  static let operands = "bash|zsh|fish"
  static let options: [Option] = []
  static let help = """
    Prints a script that completes commands, options, their words, files, and
    the names of fields. 'make install' puts the scripts where the shells look.
    Without that, put one of these lines where your shell begins:

      eval "$(fusedb completions bash)"      in ~/.bashrc
      eval "$(fusedb completions zsh)"       in ~/.zshrc, after compinit
      fusedb completions fish | source       in ~/.config/fish/config.fish

    The scripts ask fusedb itself: 'fusedb completions for -- WORD...' prints
    what may stand in the place of the last WORD, one a line, with a tab before
    what it does. ':files', ':files .fsdb' and ':folders' stand for names that
    the shell knows better.

    Example:
      $ fusedb completions for -- get --mat
      --match\twhich key answers: exact, network, domain, prefix or email
    """

  /// The words of a command line after `fusedb`, of which the last is to be completed; or else the script of a shell.
  private let request: Request

  private enum Request {
    case words([[UInt8]])
    case script(StaticString)
  }

  init(parsing arguments: inout Arguments) throws(UsageError) {
    let word = String(decoding: try arguments.operand("bash, zsh or fish"), as: UTF8.self)
    switch word {
    case "for": request = .words(arguments.remaining())
    case "bash": request = .script(Self.bash)
    case "zsh": request = .script(Self.zsh)
    case "fish": request = .script(Self.fish)
    default:
      let shells = ["bash", "zsh", "fish"]
      throw arguments.error(
        "there are completions for \(listed(shells, "and")), and not for '\(word)'"
          + nearestName(to: word, among: shells))
    }
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    switch request {
    case .script(let text): try console.out.line("\(text)")
    case .words(let words): for line in Completion(words).lines { try console.out.line(line) }
    }
    return .done
  }

  // The scripts do little: what is known of commands and options is known here alone.

  /// Bash takes words apart at each "=", so those of an option and its value are put together again. It hands words over as they are typed,
  /// and takes what it gets as typed, so quotes are taken off here and put on: a field may have any name.
  private static let bash: StaticString = #"""
    # Completion of fusedb for bash: eval "$(fusedb completions bash)"
    _fusedb_unquote() {
      local i c
      unquoted= open=
      for ((i = 0; i < ${#1}; i++)); do
        c=${1:i:1}
        if [[ $open && $c == "$open" ]]; then open=
        elif [[ ! $open && ( $c == \' || $c == \" ) ]]; then open=$c
        elif [[ $c == \\ && $open != \' ]]; then ((++i)); unquoted+=${1:i:1}
        else unquoted+=$c
        fi
      done
    }
    _fusedb() {
      local i word line unquoted open last= words=()
      for ((i = 1; i <= COMP_CWORD; i++)); do
        _fusedb_unquote "${COMP_WORDS[i]}"
        word=$unquoted
        if [[ $word == = && $last == --* && $last != *=* || $last == --*= ]]; then
          last+=$word
          words[${#words[@]}-1]=$last
        else
          last=$word
          words+=("$word")
        fi
      done
      local current=$last before=
      [[ $current == --*=* ]] && before=${current%%=*}= current=${current#*=}
      COMPREPLY=()
      while IFS= read -r line; do
        case $line in
          ':files .fsdb')
            compopt -o filenames
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -X '!*.fsdb' -- "$current"; compgen -d -- "$current")
            [[ ${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
          :files*)
            compopt -o filenames
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;
          :folders)
            compopt -o filenames
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current") ;;
          *)
            # What to put into a quote that is open, only the shell knows.
            [[ $open ]] && continue
            line=${line%%$'\t'*}
            printf -v line %q "${line#"$before"}"
            COMPREPLY+=("$line") ;;
        esac
      done < <("${COMP_WORDS[0]/#\~/$HOME}" completions for -- "${words[@]}" 2>/dev/null)
    }
    complete -F _fusedb fusedb
    """#

  private static let zsh: StaticString = #"""
    #compdef fusedb
    # Completion of fusedb for zsh: eval "$(fusedb completions zsh)"
    _fusedb() {
      local line
      local -a described
      for line in "${(@f)$(${~words[1]} completions for -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        case $line in
          '') ;;
          ':files '*) compset -P '--*='; _files -g "*${line#:files }" ;;
          :files) compset -P '--*='; _files ;;
          :folders) compset -P '--*='; _files -/ ;;
          *) described+=("${${${line//\\/\\\\}//:/\\:}/$'\t'/:}") ;;
        esac
      done
      (( $#described )) && _describe fusedb described
    }
    if [[ ${funcstack[1]} == _fusedb ]]; then _fusedb "$@"; else compdef _fusedb fusedb; fi
    """#

  private static let fish: StaticString = #"""
    # Completion of fusedb for fish: fusedb completions fish | source
    function __fusedb_complete
        set -l words (commandline -opc)
        set -l current (commandline -ct)
        set -l before (string match -r -- '^--[^=]*=' $current; or echo)
        set -l rest (string sub -s (math 1 + (string length -- "$before")) -- "$current")
        for line in ($words[1] completions for -- $words[2..] "$current" 2>/dev/null)
            set -l names
            switch $line
                case ':files .fsdb'
                    set names (__fish_complete_path "$rest")
                    set -l some (string match -r -- '^[^\t]*(?:/|\.fsdb)(?=\t|$)' $names)
                    set -q some[1]; and set names $some
                case ':files'
                    set names (__fish_complete_path "$rest")
                case ':folders'
                    set names (__fish_complete_directories "$rest")
                case '*'
                    printf '%s\n' "$line"
            end
            for name in $names
                printf '%s\n' "$before$name"
            end
        end
    end
    complete -c fusedb -f -a '(__fusedb_complete)'
    """#
}
