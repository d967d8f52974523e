internal import FuseDB
internal import FuseDBInput

/// `fusedb store`: keeps files by their content. It is taken apart and explained here, and done by a program of its own, `fusedb-store`, which
/// alone links libcrypto for it. See spec/decisions/0047-store.md.
package struct Store: HelpedCommand {
  static let name = "store"
  static let summary = "keep files by their content: deduplicated, packed, verified"
  static let operands = "ACTION [ARGUMENT...]"
  static let options: [Option] = [
    .value("--store", short: "-C", "DIR", "the store (default: FUSEDB_STORE, or .fusedb-store here or above)"),
    .value("--name", "NAME", "add: the name of what is added; import: what names begin with"),
    .flag("--versions", "add: keep what the name led to before as older versions"),
    .value("--to", "packs|loose", "add: where objects go (default: packs)"),
    .value("--fixed", "N", "init, add: cut into chunks of N bytes"),
    .value(
      "--chunk", "MIN,AVG,MAX", "init, add: cut where contents say so (default: 4096,16384,65536); fsdb: by records"),
    .value("--compress", "KIND", "init, add: none, auto, zlib:L or zstd:L (default: auto)"),
    .value("--jobs", "N", "add, get, export: threads to use (default: one for each processor)"),
    .value("--pack-size", "SIZE", "init: the size of a pack (default: 64M)"),
    .value("--live", "PERCENT", "gc: write packs anew of which less is needed (default: 70)"),
    .flag("--deep", "pack: pack versions after the ones before them"),
    .flag("--structure", "verify: read indexes, heads and names alone"),
    .flag("--repair", "verify: make indexes anew, and say what is lost"),
    .value("--output", short: "-o", "OUTPUT", "get, cat: the file or folder to write"),
    .flag("--overwrite", "get: replace OUTPUT if it is there; import: names, too"),
    .flag("--skip-damaged", "import: pass over what is damaged"),
    .flag("--json", "print one JSON object a line"),
    Arguments.quietOption(),
  ]
  static let help = """
    A store is a folder. Each object is there once, found by its SHA-256 (ID) or
    by a name. Any number of processes may read and write at the same time.

    init [DIR]         make a store
    add INPUT...       add files, folders (each under a name) or - and print IDs
    get WHAT           write what an ID, a NAME, NAME/PATH or NAME@N (version N)
                       stands for to a file
    cat WHAT...        print it
    ls [NAME]          list names, or the files of a folder, or the versions of
                       a name; --json: objects too
    stat WHAT...       say what something is made of
    rm WHAT...         take away a name, an older version of one (NAME@N), or the
                       mark that keeps an object
    gc                 remove what nothing needs
    pack               put loose objects and small packs together
    verify             read all, and list what is damaged
    status             say what the store has, and what it saves
    inspect WHAT...    list the records of a pack, or the chunks of an object
    copy TO            copy what the store TO lacks, with the names
    export DIR         write all named files to a folder
    import [KIND] DIR  take over a store of chunkstore, rsdos (disk-objectstore)
                       or unicache; KIND is found out by what is in DIR

    Example:
      $ fusedb store init
      $ fusedb store add --name networks networks.fsdb
      $ fusedb store get networks -o copy.fsdb
    """

  /// What is to be done.
  package enum Action: String, CaseIterable {
    case initialise = "init"
    case add, get, cat, ls, stat, rm, gc, pack, verify, status, inspect, copy, export
    case takeOver = "import"
  }

  package var action: Action
  package var operands: [[UInt8]]
  package var store: String?
  package var name: String?
  package var keepsVersions: Bool
  package var isLoose: Bool
  package var isDeep: Bool
  package var chunking: String?
  package var compression: String?
  package var packByteCount: Int?
  package var threadCount: Int?
  package var leastLive: Double?
  package var isStructureOnly: Bool
  package var repairs: Bool
  package var output: String?
  package var overwrites: Bool
  package var skipsDamaged: Bool
  package var printsJSON: Bool
  package var isQuiet: Bool

  /// Whose stores can be imported.
  package static let kinds = ["chunkstore", "disk-objectstore", "rsdos", "unicache"]

  /// Which actions an option is for; the others take none of it.
  private static let uses: [(option: String, actions: Set<Action>)] = [
    ("--name", [.add, .takeOver]), ("--versions", [.add]), ("--deep", [.pack]), ("--to", [.add]),
    ("--fixed", [.initialise, .add]), ("--chunk", [.initialise, .add]),
    ("--compress", [.initialise, .add]), ("--pack-size", [.initialise]), ("--jobs", [.add, .get, .export]),
    ("--live", [.gc, .pack]),
    ("--structure", [.verify]), ("--repair", [.verify]), ("--output", [.get, .cat]),
    ("--overwrite", [.get, .takeOver]),
    ("--skip-damaged", [.takeOver]),
    ("--json", [.add, .ls, .stat, .gc, .pack, .verify, .status, .inspect, .copy, .takeOver]),
  ]

  init(parsing arguments: inout Arguments) throws(UsageError) {
    let word = String(decoding: try arguments.operand("ACTION"), as: UTF8.self)
    guard let action = Action(rawValue: word) else {
      throw arguments.error(
        "there is no action '\(word)'" + nearestName(to: word, among: Action.allCases.map(\.rawValue)))
    }
    self.action = action
    for (option, actions) in Self.uses where arguments.has(option) && !actions.contains(action) {
      let names = Action.allCases.filter { actions.contains($0) }.map(\.rawValue)
      throw arguments.error("the option \(option) is for \(listed(names, "and")), and not for \(word)")
    }
    store = try arguments.path(of: "--store", "DIR")
    name = arguments.text(of: "--name")
    (keepsVersions, isDeep) = (arguments.has("--versions"), arguments.has("--deep"))
    isLoose = try arguments.choice(of: "--to", ["packs": false, "loose": true]) ?? false
    if let count = try arguments.count(of: "--fixed", in: 512...(16 << 20)) {
      guard !arguments.has("--chunk") else { throw arguments.error("--fixed and --chunk exclude each other") }
      chunking = "fixed,\(count)"
    } else {
      chunking = arguments.text(of: "--chunk")
    }
    compression = arguments.text(of: "--compress")
    packByteCount = try arguments.size(of: "--pack-size")
    threadCount = try arguments.count(of: "--jobs", in: 1...Arguments.mostThreads)
    leastLive = try arguments.number(of: "--live", in: 0...100).map { $0 / 100 }
    (isStructureOnly, repairs) = (arguments.has("--structure"), arguments.has("--repair"))
    output = try arguments.path(of: "--output", "OUTPUT")
    overwrites = arguments.has("--overwrite")
    skipsDamaged = arguments.has("--skip-damaged")
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
    operands = arguments.remaining()
    let range: ClosedRange<Int> =
      switch action {
      case .initialise, .ls: 0...1
      case .add, .cat, .stat, .rm, .inspect: 1...Int.max
      case .get, .copy, .export: 1...1
      case .takeOver: 1...2
      case .gc, .pack, .verify, .status: 0...0
      }
    guard range.contains(operands.count) else {
      throw arguments.error(
        operands.count < range.lowerBound
          ? "\(word) lacks what it is for" : "\(word) takes no more than \(range.upperBound)")
    }
    guard !keepsVersions || name != nil else { throw arguments.error("--versions is for what has a --name") }
    if action == .takeOver, operands.count == 2 {
      let kind = String(decoding: operands[0], as: UTF8.self)
      guard Self.kinds.contains(kind) else {
        throw arguments.error(
          "there is no kind '\(kind)' of stores; there are \(listed(Self.kinds, "and"))"
            + nearestName(to: kind, among: Self.kinds))
      }
    }
    guard name == nil || operands.count == 1 || action == .takeOver else {
      throw arguments.error("--name is for one INPUT at a time")
    }
  }

  static let helper = Helper.store
  /// The command itself, taken apart.
  var request: Store { self }
}
