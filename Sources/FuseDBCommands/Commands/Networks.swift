internal import FuseDB
internal import FuseDBInput

/// `fusedb networks`: prints blocks of addresses.
struct Networks: Command {
  static let name = "networks"
  static let summary = "print the blocks of addresses in a block, or around an address"
  static let operands = "FILE [WITHIN]"
  static let options: [Option] = [
    .value("--containing", "ADDR", "print the blocks that hold the address ADDR, the longest first"),
    .flag("--with-value", "print the value of each block, after a tab"),
    .value("--limit", "N", "stop after N blocks"),
    .flag("--count", "print only how many blocks there are"),
    .flag("--json", "print {\"network\":...,\"value\":...} for every block, or {\"count\":N}"),
  ]
  static let help = """
    Prints the blocks of FILE that lie in the block WITHIN, itself among them,
    one a line: in the order of their addresses, a block before those in it.
    Without WITHIN, all blocks: those of IPv4, then those of IPv6.

    FILE needs a section of networks. 'fusedb build' writes it when all keys are
    blocks or addresses, and with --network; 'fusedb reindex --network' adds it.

    Exit status: 0, also when there is no such block.

    Example:
      $ fusedb networks networks.fsdb 8.8.0.0/16 --with-value
      8.8.4.0/24\t{"asn":15169,"org":"Google LLC"}
      8.8.8.0/24\t{"asn":15169,"org":"Google LLC"}
      $ fusedb networks networks.fsdb --containing 1.1.1.1
      1.1.1.0/24
    """

  var path: String
  var within: [FuseNetwork]
  var containing: FuseAddress?
  var limit: Int
  var isCount: Bool
  var printsValue: Bool
  var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    within = []
    for word in arguments.remaining() {
      guard within.isEmpty else { throw arguments.error("the argument \(quoted(word)) is one too many") }
      guard let spelling = NetworkSpelling(word.rawSpan) else {
        throw arguments.error("WITHIN is a block such as 10.0.0.0/8, and \(quoted(word)) is none")
      }
      guard !spelling.flaws.contains(.hostBits) else {
        throw arguments.error("WITHIN has bits set after its prefix; write \(spelling.canonical.string)")
      }
      within.append(spelling.network)
    }
    if let word = arguments.values(of: "--containing").first {
      guard within.isEmpty else {
        throw arguments.error("WITHIN and --containing ask different things; give one of them")
      }
      guard let address = FuseAddress(text: word.rawSpan) else {
        throw arguments.error("--containing takes an address such as 10.0.0.1, and \(quoted(word)) is none")
      }
      containing = address
    } else if within.isEmpty {
      within = [
        FuseNetwork(around: FuseAddress(ipv4: 0), prefixLength: 0),
        FuseNetwork(around: FuseAddress(ipv6: 0), prefixLength: 0),
      ]
    }
    limit = try arguments.count(of: "--limit") ?? .max
    isCount = arguments.has("--count")
    printsValue = arguments.has("--with-value")
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path)
    var count = 0
    if let containing {
      for entry in try reader.containing(containing) where count < limit {
        count += 1
        try tell(entry, reader, console)
      }
    }
    for network in within {
      var scan = try reader.networks(within: network)
      while count < limit, let entry = try scan.next() {
        count += 1
        try tell(entry, reader, console)
      }
    }
    if isCount { try console.out.line(printsJSON ? "{\"count\":\(count)}" : "\(count)") }
    return .done
  }

  private func tell(_ entry: NetworkEntry, _ reader: FuseReader, _ console: Console) throws(FuseError) {
    guard !isCount else { return }
    try console.out.line { writer throws(FuseError) in
      writer.append(printsJSON ? "{\"network\":\"\(entry.network)\",\"value\":" : entry.network.description)
      guard printsJSON || printsValue else { return }
      if !printsJSON { writer.append("\t") }
      try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
        try writer.append(messagePack: entry.bytes)
      }
      if printsJSON { writer.append("}") }
    }
  }
}
