import Glibc

exit(LongCallsProgram.run())
