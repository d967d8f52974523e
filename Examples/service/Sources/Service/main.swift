// A service: it answers from a file, takes each rebuilt one, logs what happens to it, and gauges what it does.
//
//     cd Examples/service && swift run Service /tmp
import FuseDB

#if canImport(Logging)
  import Logging
#endif

func serve(_ path: String, _ logger: Logger) async throws {
  try await rebuild(path, [("8.8.8.8", "Google LLC")], logger)
  var options = ServingOptions()
  options.countsLookups = true
  options.rules.requiredKeys = [Array("8.8.8.8".utf8)]
  let store = try ReloadableReader(path: path, options: options)
  let watcher = try watch(store, logger)
  var events = watcher.events.makeAsyncIterator()

  // The hourly job: first a good file, then one that lacks a key that must be there.
  try await rebuild(path, [("8.8.8.8", "Google LLC"), ("1.1.1.1", "Cloudflare, Inc.")], logger)
  _ = await events.next()
  print(try store["1.1.1.1"]?["org"]?.string ?? "nothing")  // Cloudflare, Inc.
  try await rebuild(path, [("1.1.1.1", "Cloudflare, Inc.")], logger)
  _ = await events.next()
  print(try store["8.8.8.8"]?["org"]?.string ?? "nothing", try store.contains("nowhere"))  // Google LLC false

  StoreMetrics().record(store)
  watcher.stop()
}

let folder = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "."
try await serve(folder + "/service.fsdb", Logger(label: "geo"))
