// The C library, whatever it is called where this is built. Only FuseDBSystem imports it.
#if canImport(Darwin)
  @_exported public import Darwin

  extension stat {
    /// The time of the last change of the content, by the name that POSIX has for it.
    public var st_mtim: timespec { st_mtimespec }
    /// The time of the last change of the content or of what is said about it.
    public var st_ctim: timespec { st_ctimespec }
  }

  /// Advice that the system does not take: it is asked for nothing special.
  public var MADV_HUGEPAGE: Int32 { MADV_NORMAL }
  /// The same.
  public var MADV_NOHUGEPAGE: Int32 { MADV_NORMAL }
  /// Advice that is refused; pages are read instead.
  public var MADV_POPULATE_READ: Int32 { -1 }
#elseif canImport(Musl)
  @_exported public import Musl

  /// The kernel's, which musl has no name for.
  public var MADV_POPULATE_READ: Int32 { 22 }
#else
  @_exported public import Glibc
#endif
