import Glibc

exit(HostileMaxMind.run(CommandLine.arguments))
