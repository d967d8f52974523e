import Glibc

exit(StressProgram.run(CommandLine.arguments))
