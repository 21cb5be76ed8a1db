// The program: reads messages from standard input, writes verdicts to standard output.

@main
struct Main {
    static func main() {
        var messages = MessageFrames(readInput())
        var judge = Judge()
        while messages.next({ judge.judge($0, $1) }) {}
        writeOutput(judge.output)
    }
}
