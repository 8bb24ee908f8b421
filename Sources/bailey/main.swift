import Commands
import Glibc

exit(Program.main(arguments: Array(CommandLine.arguments.dropFirst())))
