// What a service tells of its files: logs by swift-log, metrics by swift-metrics. The library knows neither.
import FuseDB

#if canImport(Logging)
  import Logging
#endif
#if canImport(Metrics)
  import Metrics
#endif

/// Watches a store, and logs each file that was taken or refused.
func watch(_ store: any Reloadable, _ logger: Logger) throws -> FuseWatcher {
  try FuseWatcher(store) { reader in
    logger.info("took a new file", metadata: metadata(of: reader))
  } onFailure: { error in
    logger.error("still serving the old file", metadata: ["error": "\(error)", "code": "\(error.code)"])
  }
}

/// What is logged of a file.
func metadata(of reader: FuseReader) -> Logger.Metadata {
  ["file": "\(reader.path)", "generation": "\(reader.generation)", "keys": "\(reader.keyCount)"]
}

/// What a store does, as metrics. Look-ups pay nothing for them: `record` is called now and then, by a timer.
struct StoreMetrics {
  private let keys = Gauge(label: "fusedb_keys")
  private let age = Gauge(label: "fusedb_data_age_seconds")
  private let refusals = Gauge(label: "fusedb_refused_files_total")
  private let hits = Gauge(label: "fusedb_hits_total")
  private let misses = Gauge(label: "fusedb_misses_total")

  func record(_ store: any Reloadable) {
    let counters = store.counters
    keys.record(store.keyCount)
    if let seconds = counters.dataAge { age.record(seconds) }
    refusals.record(counters.refusalCount)
    hits.record(counters.hitCount)
    misses.record(counters.missCount)
  }
}

/// Builds a file, and logs how far it is at each tenth.
func rebuild(_ path: String, _ records: [(key: String, org: String)], _ logger: Logger) async throws {
  let writer = FuseWriter()
  for record in records { try writer.add(record.key, ["org": record.org]) }
  let report = try await writer.buildInBackground(to: path) { share in
    if share == 1 { logger.debug("built", metadata: ["share": "1"]) }
  }
  logger.info("wrote a file", metadata: ["keys": "\(report.keyCount)", "bytes": "\(report.byteCount)"])
}
