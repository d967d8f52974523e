import FuseDBCommands
import Glibc

// A write beyond the limit on file sizes then fails like any other, and is reported.
signal(SIGXFSZ, SIG_IGN)
exit(Tool.run(Tool.words, Console()))
