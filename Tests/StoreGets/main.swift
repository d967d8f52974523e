import FuseDB
import FuseDBStore
import ProgramSupport

/// Times how long it takes to have an object of a store in hand, compared with its digest: `StoreGets STORE NAME COUNT ORDER`, where NAME is that
/// of a folder of small files and ORDER is `random` or `sorted`. Prints nanoseconds, the median of five rounds.
func run() throws {
  let words = CommandLine.arguments.dropFirst()
  guard words.count == 4, let count = Int(words[3]), count > 0 else {
    print("StoreGets STORE NAME COUNT random|sorted")
    return
  }
  let store = try FuseStore(path: words[1])
  guard let (folder, isFolder) = try store.entry(named: words[2]), isFolder else {
    print("there is no folder '\(words[2])'")
    return
  }
  var random = SeededRandom(seed: 1)
  var ids = try store.files(of: folder).map(\.id)
  if words[4] == "random" { ids.shuffle(using: &random) }
  var rounds: [Double] = []
  var total = 0
  // The first warms the page cache, and does not count.
  for round in 0..<6 {
    let clock = ContinuousClock()
    let taken = try clock.measure {
      for number in 0..<count {
        total += try store.withBytes(of: ids[(round * count + number) % ids.count]) { $0.byteCount } ?? 0
      }
    }
    let (seconds, attoseconds) = taken.components
    if round > 0 { rounds.append((Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(count)) }
  }
  print("\(Int(rounds.sorted()[2])) ns each, of \(total) bytes")
}

try run()
