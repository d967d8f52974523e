import FuseDBCommands
import Glibc

exit(Tool.run(Tool.words, Console()))
