import Glibc

exit(LongCallsProgram.run(CommandLine.arguments))
