import Commands
import Glibc

exit(Bailey.main(arguments: Array(CommandLine.arguments.dropFirst())))
