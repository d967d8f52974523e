import Glibc

exit(HostileNetworks.run(CommandLine.arguments))
