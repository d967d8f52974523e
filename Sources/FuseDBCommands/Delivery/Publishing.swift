internal import FuseDB
internal import FuseDBInput

/// `fusedb publish`: adds a version of a database to a remote.
package struct Publish: DeliveryCommand {
  static let name = "publish"
  static let summary = "add a file to a remote, from which clients fetch it"
  static let operands = "REMOTE NAME FILE"
  static let options: [Option] = [
    Arguments.channelOption,
    .value("--meta", "K=V", "say something of the version; may be repeated", repeats: true),
    .value("--least-keys", "N", "publish no file with fewer keys (default: 1)"),
    .value(
      "--greatest-shrink", "PERCENT", "publish no file that lacks more than PERCENT % of the keys of the version before"
    ),
    .value("--patches", "LIST", "make patches from the versions so many back (default: 1,2,4,8,16,24)"),
    Arguments.signOption, Arguments.validOption,
    .flag("--json", "print the report as one JSON object"),
    Arguments.quietOption(),
  ]
  static let help = """
    REMOTE is a folder: any web server can hand it out, and any tool may copy
    it. FILE is verified and packed. Patches are made from earlier versions,
    and each is tried, before the ref NAME leads to the new version: so clients
    get all of it or nothing. The same FILE again changes nothing. Of two
    publishers at the same time, one wins, and the other is told.

    Example:
      $ fusedb publish remote networks networks.fsdb
      remote: networks is at generation 1: 3 keys, 2.1 kB, 361 bytes packed
    """

  package var remote: String
  package var ref: String
  package var path: String
  package var metadata: [String: String]
  package var leastKeyCount: Int
  package var greatestShrink: Double?
  package var patchDistances: [Int]?
  package var keyPaths: [String]
  package var validity: Double?
  package var printsJSON: Bool
  package var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    remote = try arguments.remote()
    ref = try arguments.refName()
    path = try arguments.path("FILE")
    metadata = try arguments.metadata() ?? [:]
    leastKeyCount = try arguments.count(of: "--least-keys") ?? 1
    greatestShrink = try arguments.greatestShrink()
    if let list = arguments.text(of: "--patches") {
      var distances: [Int] = []
      for word in list.split(separator: ",", omittingEmptySubsequences: false) {
        guard let distance = Int(word), (1...1000).contains(distance), distances.count < 64 else {
          throw arguments.error(
            "--patches takes up to 64 numbers from 1 to 1000 with commas between them, and not '\(list)'")
        }
        distances.append(distance)
      }
      patchDistances = distances
    }
    keyPaths = try arguments.signingKeys()
    validity = try arguments.seconds(of: "--valid")
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
  }

  var request: DeliveryRequest { .publish(self) }
}

/// `fusedb versions`: lists what a remote has.
package struct Versions: DeliveryCommand {
  static let name = "versions"
  static let summary = "list the versions that a remote has of a database"
  static let operands = "REMOTE NAME"
  static let options: [Option] = [
    .value("--limit", "N", "list the newest N alone (default: all)"),
    .flag("--json", "print one JSON object a line"),
  ]
  static let help = """
    The newest comes first. Of a folder, the refs stand beside the version that
    they lead to. REMOTE may be a URL: then the versions from the ref NAME on
    are listed, one request for each; NAME may be NAME@CHANNEL.

    Example:
      $ fusedb versions remote networks
      1  2026-11-29T20:15:00Z  2.1 kB  3 keys  0 patches  5e0a3f7e5c1d  networks
    """

  package var remote: String
  package var name: String
  package var limit: Int?
  package var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    remote = try arguments.remote()
    name = String(decoding: try arguments.operand("NAME"), as: UTF8.self)
    limit = try arguments.count(of: "--limit", in: 1 ... .max)
    printsJSON = arguments.has("--json")
  }

  var request: DeliveryRequest { .versions(self) }
}

/// `fusedb announce`: has a ref lead to another version.
package struct Announce: DeliveryCommand {
  static let name = "announce"
  static let summary = "have clients take another version: go back, pin, promote"
  static let operands = "REMOTE NAME VERSION"
  static let options: [Option] = [
    Arguments.channelOption, Arguments.signOption, Arguments.validOption,
    Arguments.quietOption("say nothing"),
  ]
  static let help = """
    VERSION is a generation, or the first digits of a digest, as 'fusedb
    versions' lists them. Clients that ask next take it; where it is older than
    what they have, the ref says that this is meant. With '--channel' the
    channel leads there; what a channel has tried is promoted without it.

    Example:
      $ fusedb announce remote networks 1
      remote: networks is at generation 1
    """

  package var remote: String
  package var ref: String
  package var version: String
  package var keyPaths: [String]
  package var validity: Double?
  package var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    remote = try arguments.remote()
    ref = try arguments.refName()
    version = String(decoding: try arguments.operand("VERSION"), as: UTF8.self)
    keyPaths = try arguments.signingKeys()
    validity = try arguments.seconds(of: "--valid")
    isQuiet = arguments.has("--quiet")
  }

  var request: DeliveryRequest { .announce(self) }
}

/// `fusedb expire`: gives up old versions.
package struct Expire: DeliveryCommand {
  static let name = "expire"
  static let summary = "remove old versions from a remote, in two steps"
  static let operands = "REMOTE NAME"
  static let options: [Option] = [
    .value("--keep", "N", "how many versions to keep, counted from each ref back (required)"),
    .value("--grace", "TIME", "how long a file stays after it was condemned (default: 1h)"),
    .flag("--json", "print the report as one JSON object"),
    Arguments.quietOption("print no report"),
  ]
  static let help = """
    A pass condemns the files that no version needs any more. A later one, after
    the time of grace, removes them: so a client in the middle of a transfer
    loses nothing. Run it now and then. What a publisher that was killed left
    goes in the same way. Other databases of REMOTE keep all their versions.

    Example:
      $ fusedb expire remote networks --keep 48
      remote: 0 files removed, 0 bytes; 0 files condemned, 0 bytes
    """

  package var remote: String
  package var name: String
  package var keptCount: Int
  package var grace: Double
  package var printsJSON: Bool
  package var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    remote = try arguments.remote()
    name = String(decoding: try arguments.operand("NAME"), as: UTF8.self)
    guard let count = try arguments.count(of: "--keep", in: 1 ... .max) else {
      throw arguments.error("--keep N is missing: how many versions to keep")
    }
    keptCount = count
    grace = try arguments.seconds(of: "--grace") ?? 3600
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
  }

  var request: DeliveryRequest { .expire(self) }
}

/// `fusedb keygen`: makes a pair of keys.
package struct Keygen: DeliveryCommand {
  static let name = "keygen"
  static let summary = "make a pair of keys that sign versions and files"
  static let operands = "KEYFILE"
  static let options: [Option] = [Arguments.quietOption("say nothing")]
  static let help = """
    Writes a secret key to KEYFILE, which its owner alone can read, and the
    public key to KEYFILE.pub, in the format of minisign. Neither may be there.
    Clients are given the public key, as '--trust KEYFILE.pub' or as its text.

    Example:
      $ fusedb keygen release.key
      release.key: a secret key; release.key.pub is its public key
      RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3
    """

  package var path: String
  package var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("KEYFILE")
    isQuiet = arguments.has("--quiet")
  }

  var request: DeliveryRequest { .keygen(self) }
}

/// `fusedb sign`: signs a file, or looks whether a signature of it holds.
package struct Sign: DeliveryCommand {
  static let name = "sign"
  static let summary = "sign a file, or check its signature, as minisign does"
  static let operands = "FILE"
  static let options: [Option] = [
    .value("--key", "KEYFILE", "sign with the secret key in KEYFILE, from 'fusedb keygen'"),
    .value(
      "--trust", "KEY", "check the signature by this public key, a file or its text; may be repeated", repeats: true),
    .value("--signature", "OUTPUT", "where the signature is (default: FILE.minisig)"),
    .value("--comment", "TEXT", "a text that is signed, too"),
    Arguments.quietOption("say nothing where a signature holds"),
  ]
  static let help = """
    With '--key', the signature is written to FILE.minisig; 'minisign -V -m
    FILE -P KEY' checks it. With '--trust', the exit status says whether the
    signature holds, which may be minisign's: 0, or 65.

    Example:
      $ fusedb sign networks.fsdb --key release.key
      networks.fsdb.minisig: a signature of networks.fsdb by the key E7620F1842B4E81F
    """

  package var path: String
  package var keyPath: String?
  package var trusted: [String]
  package var signaturePath: String
  package var comment: String?
  package var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    keyPath = try arguments.path(of: "--key", "KEYFILE")
    trusted = try arguments.paths(of: "--trust", "KEY")
    guard (keyPath == nil) != trusted.isEmpty else {
      throw arguments.error("either --key KEYFILE, to sign, or --trust KEY, to check, is needed")
    }
    signaturePath = try arguments.path(of: "--signature", "OUTPUT") ?? path + ".minisig"
    comment = arguments.text(of: "--comment")
    guard comment == nil || keyPath != nil else { throw arguments.error("--comment is for --key") }
    isQuiet = arguments.has("--quiet")
  }

  /// What checks a signature, and says nothing where it holds.
  init(checking path: String, signature: String?, by trusted: [String]) {
    self.path = path
    self.trusted = trusted
    signaturePath = signature ?? path + ".minisig"
    isQuiet = true
  }

  var request: DeliveryRequest { .sign(self) }
}
