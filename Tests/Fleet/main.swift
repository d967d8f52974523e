// Many subscriptions in one process, as a machine of a fleet simulates them: Fleet REMOTE NAME FOLDER COUNT INTERVAL [KEY]
//
// Prints a line for each event, `CLIENT updated GENERATION BYTES REQUESTS` or `CLIENT failed CODE`, until standard input ends; then a line
// `CLIENT ended GENERATION ATTEMPTS FAILURES REFUSALS BYTES REQUESTS` for each client, whose reader was asked for a key all the time.

import FuseDB
import FuseDBDelivery
import Synchronization

let words = CommandLine.arguments
guard words.count >= 6, let count = Int(words[4]), let interval = Double(words[5]) else {
  fatalError("usage: Fleet REMOTE NAME FOLDER COUNT INTERVAL [KEY]")
}

/// Whole lines, of any thread.
let printing = Mutex(())
@Sendable func say(_ line: String) {
  printing.withLock { _ in try? Descriptor.standardOutput.write(Array("\(line)\n".utf8), name: "standard output") }
}

var remoteOptions = FuseRemote.Options()
remoteOptions.longestPause = .seconds(interval)
remoteOptions.stallTimeout = .seconds(5)
let remote = try FuseRemote(words[1], options: remoteOptions)
let name = try RefName(words[2])
let trusted = words.count > 6 ? [try TrustedKey(words[6])] : []
let folder = words[3]

/// A client begins when it can, as a machine that starts while the remote has trouble.
@Sendable func start(_ number: Int) -> FuseSubscription {
  let path = "\(folder)/client-\(number).fsdb"
  var options = FuseSubscription.Options()
  options.interval = .seconds(interval)
  options.longestInterval = .seconds(interval * 4)
  options.fetch.trustedKeys = trusted
  while true {
    do throws(FuseError) {
      let client = try FuseSubscription(remote, name, path: path, options: options) { event in
        switch event {
        case .unchanged: break
        case .updated(let report):
          say("\(number) updated \(report.generation) \(report.byteCount) \(report.requestCount)")
        case .failed(let error): say("\(number) failed \(error.code.rawValue)")
        }
      }
      say("\(number) updated \(client.status.generation) \(client.status.byteCount) \(client.status.requestCount)")
      return client
    } catch {
      say("\(number) failed \(error.code.rawValue)")
    }
  }
}

let clients = Parallel.map(count, threadCount: 16) { start($0) }
let isEnded = Atomic(false)
let asking = BackgroundWork(isWorthThread: true) {
  var missing = 0
  while !isEnded.load(ordering: .relaxed) {
    for client in clients where (try? client.reader.contains("user-000000")) != true { missing += 1 }
    Sleep.seconds(0.05)
  }
  return missing
}
while readLine() != nil {}
isEnded.store(true, ordering: .relaxed)
let missing = asking.wait()
for (number, client) in clients.enumerated() {
  client.stop()
  let status = client.status
  say(
    "\(number) ended \(status.generation) \(status.attemptCount) \(status.failureCount) \(status.refusalCount) \(status.byteCount) \(status.requestCount)"
  )
}
say("missing \(missing)")
