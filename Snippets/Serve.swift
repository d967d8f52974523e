// Serves a database whose file is rebuilt every hour.
import FuseDB

/// What a rebuilt file has to pass before it takes the place of the one that serves.
func rules() -> SwapRules {
  var rules = SwapRules()
  rules.greatestShrink = 0.2  // at least 80 % of the keys that are served now
  rules.requiredKeys = [Array("8.8.8.8".utf8)]
  return rules
}

/// Writes the file as the hourly job does: beside the old one, and in one step over it.
func build(_ source: String) throws {
  var options = FuseWriter.Options()
  options.metadata["source"] = source
  let writer = FuseWriter(options)
  try writer.addKey("8.8.8.8", for: writer.addObject(FuseJSON.messagePack(from: #"{"org": "Google LLC"}"#)))
  try writer.build(to: "served.fsdb")
}

try build("first")
var options = ServingOptions()
options.rules = rules()
options.keptFileCount = 1
let geo = try ReloadableReader(path: "served.fsdb", options: options)
let watcher = try FuseWatcher(
  geo, onReload: { print("generation \($0.generation): \($0.keyCount) keys") },
  onFailure: { print("still serving the old file: \($0)") })

// Any thread, at any time: each call reads the newest file.
try geo.withBytes(forKey: "8.8.8.8") { bytes in print(try FuseJSON.text(from: bytes)) }  // {"org":"Google LLC"}

// Calls that belong together stay with one file, whatever is swapped in meanwhile.
let view = geo.snapshot()
try build("second")
try geo.reloadIfChanged()  // the watcher would have come a moment later
print(try view.metadata["source"]!, try geo.metadata["source"]!)  // first second

// The new data turn out to be wrong: back to the file before, until the next one comes.
watcher.stop()
try geo.rollback()
print(try geo.metadata["source"]!, geo.generation)  // first 3
