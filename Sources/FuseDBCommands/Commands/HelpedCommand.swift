package import FuseDB
internal import FuseDBInput

/// A command that is taken apart and explained here, and done by a program of its own beside this one: what that links would make `fusedb`
/// slow to start.
protocol HelpedCommand: Command {
  /// What the other program is told.
  associatedtype Request

  /// The name of the other program.
  static var helper: String { get }
  /// What is to be done.
  var request: Request { get }
}

/// The names of those programs.
enum Helper {
  static let delivery = "fusedb-delivery"
  static let serve = "fusedb-serve"
  static let store = "fusedb-store"
}

/// What does such commands, in that program.
package protocol HelperWorker<Request> {
  associatedtype Request

  func run(_ request: Request, _ console: Console) throws(FuseError) -> ExitStatus
}

extension HelpedCommand {
  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    guard let worker = console.worker as? any HelperWorker<Request> else {
      throw try console.become(Self.helper, for: Self.name)
    }
    return try worker.run(request, console)
  }
}

extension Console {
  /// Has another program of ours take the place of this process, with the same arguments. Returns why that cannot be.
  func become(_ helper: String, for name: String) throws(FuseError) -> FuseError {
    guard let folder = OwnProgram.folder else {
      throw FuseError(
        .notFound, "the system does not say where this program is, beside which \(helper) has to be")
    }
    let path = folder + "/" + helper
    try out.flush()
    // Only a failure comes back.
    let error = OwnProgram.become(path, [path.pathBytes] + words)
    return FuseError(
      error.code, error.message + "; it belongs beside fusedb, and does what '\(name)' is for", path: path)
  }

  /// What publishes and fetches in this program; nil where another program does.
  var deliveryWorker: (any HelperWorker<DeliveryRequest>)? { worker as? any HelperWorker<DeliveryRequest> }
}
