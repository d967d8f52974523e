import FuseDB
import ProgramSupport

extension CallFiles {
  /// Serving files that are swapped.
  var serving: [LongCall] {
    var options = ServingOptions()
    options.keptFileCount = 1
    options.rules.check = .full
    return [
      LongCall("swap, go back and refuse") {
        let store = try ReloadableReader(path: old, options: options)
        try store.swap(to: new)
        try store.rollback()
        do { try store.swap(to: damagedObject) } catch let error as FuseError where error.code == .corrupted { return }
        throw Violation("a damaged file serves")
      },
      LongCall("a pool") {
        let pool = try FusePool(path: old, size: 3, options: options)
        try pool.swap(to: new)
        guard try pool.contains("key 107".keyBytes) else { throw Violation("a wrong answer") }
      },
      LongCall("watch, with events") {
        let watcher = try FuseWatcher(try ReloadableReader(path: old, options: options), onReload: { _ in })
        _ = watcher.events
        watcher.stop()
      },
      LongCall("watch, and let go of the watcher") {
        _ = try FuseWatcher(try FusePool(path: old, size: 2, options: options))
      },
    ]
  }
}
